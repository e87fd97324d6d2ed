"""Rich Text Format (.rtf) in: headings, lists, tables, pictures, links and notes, of Word, TextEdit, WordPad, ..."""

from __future__ import annotations

from pathlib import Path

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, MislabelledInput, SilentInput
from transpose.core.transform import transform
from transpose.media.document import Document
from transpose.media.encoding import read_bytes
from transpose.media.file import reason
from transpose.media.fragment import Album, finish, make
from transpose.media.image import name_bytes
from transpose.media.rtf import read_rtf
from transpose.media.webpage import graze


@transform(".rtf -> document", name="read-rich-text", loses=["layout"], needs=["lxml"], extra="documents")
def read_rich_text(path: Path, ctx: Context) -> Document:
    """Read a Rich Text file; deleted and hidden words are left out, notes stand at the end.

    Pictures in formats of Windows (WMF, EMF) are left out. What was cut short is read as far as it goes, with a
    warning. Raises MislabelledInput, DamagedInput, SilentInput where it says nothing.
    """
    data = read_bytes(path)
    if not data.lstrip().startswith(b"{\\rtf"):
        looks = name_bytes(data[:512]) or "something else"
        raise MislabelledInput(f"{path.name!r} is {looks}, not Rich Text", "Give it its right suffix")
    try:
        rich = read_rtf(data)
    except ValueError as error:
        raise DamagedInput(f"{path.name!r} is damaged ({reason(error)})", "Save it again") from None
    body, album = rich.body, rich.album
    if rich.html:
        body, album = make(None, "body"), Album()
        graze(rich.html, body, album)
    if not rich.whole:
        ctx.warn(f"{path.name!r} ends in the middle: it was read as far as it goes")
    facts = {name: words for name, words in rich.facts.items() if name != "title"}
    document = finish(body, album, title=rich.facts.get("title", ""), metadata=facts)
    if not document.html:
        raise SilentInput(f"{path.name!r} says nothing", "Look at it in a word processor")
    return document
