"""Markdown files with the pictures that lie beside them, as a document.

`.md -> text` keeps the marks and knows no folder; here a relative address of a picture is looked up. Only files in the
folder of the Markdown file, or below it, are read, and only those that begin like a picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

from transpose.core.context import Context
from transpose.core.transform import transform
from transpose.media.document import Document
from transpose.media.encoding import read_characters
from transpose.media.image import name_bytes
from transpose.media.markdown_page import from_markdown, writable

LARGEST = 50_000_000  # bytes of one picture
PICTURES = ("picture", "drawing")


@transform(
    ".md -> document",
    name="read-markdown-document",
    needs=["markdown_it", "mdit_py_plugins", "lxml"],
    extra="documents",
)
def read_markdown_document(
    path: Path, ctx: Context, *, encoding: Annotated[str, "name of the encoding, where it is not found"] = ""
) -> Document:
    """Read a Markdown file as a document, with the pictures that it names in its own folder or below.

    Raises what `media.encoding.read_characters` does: EmptyInput, MislabelledInput, HugeInput, MissingInput.
    """
    text = writable(read_characters(path, ctx, encoding))
    folder = path.resolve().parent

    def fetch(address: str) -> bytes | None:
        """A picture beside the file; then the result depends on more than the file, and is not cached."""
        found = _beside(folder, address)
        if found is not None:
            ctx.once()
        return found

    return from_markdown(text, ctx, fetch=fetch)


def _beside(folder: Path, address: str) -> bytes | None:
    """The bytes of a picture file under `folder`; None for anything else."""
    for name in (address, unquote(address), unquote(address.partition("?")[0].partition("#")[0])):
        try:
            file = (folder / name).resolve()
            if file.is_relative_to(folder) and file.is_file() and file.stat().st_size <= LARGEST:
                data = file.read_bytes()
                return data if _is_picture(data) else None
        except (OSError, ValueError):  # a name that no file can have
            continue
    return None


def _is_picture(data: bytes) -> bool:
    looks = name_bytes(data[:512])
    return any(word in looks for word in PICTURES) or b"<svg" in data[:2048].lower()
