"""Jupyter notebooks (.ipynb) in: notes as they are set, programs as listings, what they printed, showed and drew."""

from __future__ import annotations

import base64
import binascii
import json
import re
from pathlib import Path
from typing import Annotated
from xml.etree.ElementTree import Element

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, EmptyInput, MislabelledInput
from transpose.core.transform import transform
from transpose.media.document import Document
from transpose.media.encoding import read_characters
from transpose.media.fragment import Album, finish, formula, insert, make, picture, program
from transpose.media.markdown_page import from_markdown, writable
from transpose.media.webpage import Fetch, beside, graze

Json = dict[str, object]
TERMINAL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|\x1b\][^\x07]*\x07|.\x08")
PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")
LONGEST = 20_000  # characters of one output


@transform(
    ".ipynb -> document",
    name="read-notebook",
    loses=["layout"],
    needs=["lxml", "markdown_it", "mdit_py_plugins"],
    extra="documents",
)
def read_notebook(
    path: Path, ctx: Context, *, outputs: Annotated[bool, "what the programs printed and drew"] = True
) -> Document:
    """Read a notebook of format 3 or 4; an output is cut after 20,000 characters, and that is said.

    Raises DamagedInput where it is no whole JSON, MislabelledInput where it is no notebook, EmptyInput.
    """
    source = read_characters(path, ctx)
    try:
        raw = json.loads(source)
    except (ValueError, RecursionError) as error:
        raise DamagedInput(f"{path.name!r} is not whole JSON ({error})", "Save or download it again") from None
    cells = _cells(raw, path)
    if not cells:
        raise EmptyInput(f"{path.name!r} has no cells", "Look at it in Jupyter")
    about = _dict(raw, "metadata")
    language = str(_dict(about, "kernelspec").get("language") or _dict(about, "language_info").get("name") or "python")
    album, body = Album(), make(None, "body")
    for number, cell in enumerate(cells):
        ctx.progress(number, len(cells), "cells")
        _add_cell(cell, language, body, album, beside(path, ctx), ctx)
        if outputs:
            for output in _list(cell, "outputs"):
                _add_output(output, body, album, ctx)
    heading = next((each for each in body.iter("h1")), None)
    title = about.get("title") or ("".join(heading.itertext()) if heading is not None else "")
    return finish(body, album, title=str(title), metadata={"language": language})


def _cells(raw: object, path: Path) -> list[Json]:
    """The cells, of a notebook of format 3 too."""
    if not isinstance(raw, dict) or not {"cells", "worksheets"} & set(raw):
        raise MislabelledInput(f"{path.name!r} is JSON, but no notebook", "Give it its right suffix")
    return _list(raw, "cells") or [cell for sheet in _list(raw, "worksheets") for cell in _list(sheet, "cells")]


def _dict(value: Json, name: str) -> Json:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _list(value: Json, name: str) -> list[Json]:
    found = value.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _text(value: object) -> str:
    """Text, which notebooks keep as one string or as lines."""
    return "".join(map(str, value)) if isinstance(value, list) else value if isinstance(value, str) else ""


def _add_cell(cell: Json, language: str, body: Element, album: Album, fetch: Fetch, ctx: Context) -> None:
    source, kind = _text(cell.get("source") or cell.get("input")), cell.get("cell_type")
    if kind == "code":
        program(body, source, str(cell.get("language") or language))
    elif kind == "heading":
        level = cell.get("level")
        make(body, f"h{level if level in range(1, 7) else 1}", source)
    elif kind == "raw":
        program(body, source)
    elif source.strip():
        attached = _dict(cell, "attachments")

        def seek(address: str) -> bytes | None:
            """An attachment of the cell, or a file beside the notebook."""
            name = address.removeprefix("attached-to-cell/")
            return _picture(_dict(attached, name)) if name != address else fetch(address)

        words = writable(re.sub(r"(?<=\]\()attachment:", "attached-to-cell/", source))
        insert(make(body, "div"), from_markdown(words, ctx, fetch=seek), album)


def _picture(data: Json) -> bytes | None:
    """The best picture among the forms that something has."""
    for kind in PICTURES:
        text = _text(data.get(kind))
        if text and kind.endswith("xml"):
            return text.encode()
        if text:
            try:
                return base64.b64decode(text)
            except (binascii.Error, ValueError):
                continue
    return None


def _add_output(output: Json, body: Element, album: Album, ctx: Context) -> None:
    kind = output.get("output_type")
    if kind == "stream":
        _printed(_text(output.get("text")), body, ctx)
    elif kind in ("error", "pyerr"):
        trace = output.get("traceback")
        lines = "\n".join(map(str, trace)) if isinstance(trace, list) and trace else str(output.get("evalue") or "")
        _printed(lines, body, ctx)
    else:
        data = _dict(output, "data") or {_OLD.get(key, key): value for key, value in output.items()}
        found, words = _picture(data), _text(data.get("text/plain"))
        if found:
            picture(make(body, "p"), album.add(found, "output"), words if not words.startswith("<") else "")
        elif "<table" in _text(data.get("text/html")):
            graze(_text(data.get("text/html")), make(body, "div"), album)
        elif data.get("text/latex"):
            formula(make(body, "p"), _text(data.get("text/latex")).strip().strip("$"))
        elif data.get("text/markdown"):
            insert(make(body, "div"), from_markdown(writable(_text(data.get("text/markdown"))), ctx), album)
        else:
            _printed(words, body, ctx)


_OLD = {"png": "image/png", "jpeg": "image/jpeg", "svg": "image/svg+xml", "html": "text/html", "text": "text/plain"}


def _printed(text: str, body: Element, ctx: Context) -> None:
    """What went to the terminal: without colours, each line as it was last written."""
    lines = [line.rsplit("\r", 1)[-1] for line in TERMINAL.sub("", text).replace("\r\n", "\n").split("\n")]
    text = "\n".join(lines)
    if len(text) > LONGEST:
        ctx.warn(f"an output of {len(text):,} characters was cut after {LONGEST:,}")
        text = text[:LONGEST] + "\n…"
    if text.strip():
        program(body, text)
