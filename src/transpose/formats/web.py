"""Web pages (.html, .htm, .xhtml) in: what they say, without scripts, styles and what is hidden.

Pictures are taken from `data:` addresses and from files beside the page, never from elsewhere.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import transform
from transpose.media.document import Document
from transpose.media.encoding import read_characters
from transpose.media.fragment import Album, finish, make
from transpose.media.webpage import beside, graze

DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w:.-]+)", re.IGNORECASE)


@transform(".html|.htm|.xhtml -> document", name="read-web-page", loses=["layout"], needs=["lxml"], extra="documents")
def read_web_page(
    path: Path, ctx: Context, *, encoding: Annotated[str, "name of the encoding, where it is not found"] = ""
) -> Document:
    """Read a web page that lies here; a picture from elsewhere becomes a link, nothing is fetched.

    Of a page of Wikipedia or another MediaWiki the article is read, without the menus around it.
    Raises what `media.encoding.read_characters` does: EmptyInput, MislabelledInput, HugeInput, MissingInput.
    """
    source = read_characters(path, ctx, encoding or _declared(path))
    album, body = Album(), make(None, "body")
    page = graze(source, body, album, beside(path, ctx))
    if page.article():
        ctx.note("part", "the article, without the menus around it")
    return finish(body, album, title=page.title, lang=page.lang, metadata=page.metadata)


def _declared(path: Path) -> str:
    """The encoding that the page names in its head, where Python knows it and it reads the page."""
    import codecs

    try:
        with path.open("rb") as file:
            head = file.read(4096)
            found = DECLARED.search(head)
            if not found or head.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return ""
            name = codecs.lookup(found[1].decode("ascii")).name
            (head + file.read()).decode("cp1252" if name == "iso8859-1" else name)
    except (OSError, LookupError, UnicodeDecodeError):
        return ""
    # what calls itself Latin-1 is read as Windows' code page by browsers
    return {"iso8859-1": "cp1252", "utf-8": "", "ascii": ""}.get(name, name)
