"""Books out: EPUB 3 with a table of contents, one file for each chapter, readable by old readers too (toc.ncx).

A ZIP of XHTML; the same document gives the same bytes, so no clock is read: where the document does not say when it
was made, the field that EPUB demands holds a fixed day. The history goes into a `meta` element of the package.
"""

from __future__ import annotations

import re
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement
from xml.sax.saxutils import escape, quoteattr

from transpose.core.context import Context
from transpose.core.transform import transform
from transpose.media.document import UNWRITABLE, Document, write
from transpose.media.document_flow import blocks, body, first_heading, level, words
from transpose.media.document_page import settle
from transpose.media.document_pictures import MIMES, Fitted, Pictures

LONGEST = 250_000  # characters of a chapter file; readers open larger ones slowly
UNDATED = "2000-01-01T00:00:00Z"
DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
STYLE = """body { line-height: 1.5; margin: 0 4%; overflow-wrap: break-word; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 1.6em 0 .5em; break-after: avoid; page-break-after: avoid; }
p { margin: 0 0 .8em; } img { max-width: 100%; height: auto; } figure { margin: 1em 0; text-align: center; }
figcaption, caption { font-size: .9em; font-style: italic; padding: .3em 0; }
table { border-collapse: collapse; margin: 1em 0; font-size: .9em; }
th, td { border: 1px solid #999; padding: .25em .5em; text-align: start; vertical-align: top; }
pre { white-space: pre-wrap; border-left: 3px solid #999; padding-left: .8em; line-height: 1.35; }
code { font-family: monospace; font-size: .9em; } blockquote { margin: 1em 1.5em; font-style: italic; }
aside { margin: 1em 1.5em; font-size: .9em; } hr { border: 0; border-top: 1px solid #999; margin: 1.5em 20%; }
.missing { font-style: italic; }
"""
CONTAINER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>\n'
)


@dataclass(frozen=True, slots=True)
class Chapter:
    """One file of the book: its content, and its headings as (level, words, anchor)."""

    name: str
    root: Element
    headings: tuple[tuple[int, str, str], ...]

    def xml(self) -> str:
        """The content as XHTML."""
        return write(self.root)


@transform("document -> .epub", loses=["layout"])
def write_epub(document: Document, path: Path, ctx: Context) -> None:
    """Write a book: chapters begin at the highest headings, or at sections where those part the document."""
    root = body(document)
    images: dict[str, tuple[str, Fitted]] = {}
    pictures = Pictures(document, ctx, ("PNG", "JPEG", "GIF", "SVG"))

    def address(name: str, fitted: Fitted) -> str:
        """The place of a picture in the book; names are numbered, so that any name is safe."""
        number, _ = images.setdefault(name, (f"images/{len(images) + 1}{fitted.suffix}", fitted))
        return number

    settle(root, pictures, address)
    title = document.title or first_heading(document) or path.stem
    chapters = _anchored(_chapters(root), title)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        _put(book, "mimetype", b"application/epub+zip", zipfile.ZIP_STORED)
        _put(book, "META-INF/container.xml", CONTAINER.encode())
        _put(book, "EPUB/package.opf", _package(document, chapters, images, title, ctx.history).encode())
        _put(book, "EPUB/nav.xhtml", _page(_contents(chapters), title, document.lang).encode())
        _put(book, "EPUB/toc.ncx", _ncx(document, chapters, title).encode())
        _put(book, "EPUB/style.css", STYLE.encode())
        for chapter in chapters:
            named = chapter.headings[0][1] if chapter.headings else title
            _put(book, f"EPUB/{chapter.name}", _page(chapter.xml(), named, document.lang).encode())
        for name, fitted in images.values():
            _put(book, f"EPUB/{name}", fitted.data, zipfile.ZIP_STORED)


def _put(book: zipfile.ZipFile, name: str, data: bytes, pack: int = zipfile.ZIP_DEFLATED) -> None:
    info = zipfile.ZipInfo(name)  # its date is 1980: no clock
    info.compress_type = pack
    info.external_attr = 0o644 << 16
    book.writestr(info, data)


def _chapters(root: Element) -> Iterator[list[Element]]:
    """The blocks of each chapter: cut at the highest heading that comes more than once (or at all), at sections,
    and where a chapter grows too long."""
    tops = [level(block) for block in blocks(root) if level(block)]
    cut = next((number for number in (1, 2, 3) if tops.count(number) > 1), min(tops, default=1))
    chapter: list[Element] = []
    size = 0
    for block in blocks(root):
        begins = block.tag == "section" or 0 < level(block) <= cut or size > LONGEST
        if begins and chapter and not (size < 400 and all(level(each) for each in chapter)):
            yield chapter
            chapter, size = [], 0
        chapter.append(block)
        size += sum(map(len, block.itertext()))
    if chapter:
        yield chapter


def _anchored(parts: Iterator[list[Element]], title: str) -> list[Chapter]:
    """Chapters whose headings have an `id`; one without words in a book without any."""
    found = []
    count = 0
    for number, part in enumerate(parts, 1):
        root = Element("body")
        root.extend(part)
        for block in root:
            block.tail = "\n"
        headings = []
        for heading in (each for each in root.iter() if level(each)):
            count += 1
            heading.set("id", f"h{count}")
            if words(heading):
                headings.append((level(heading), words(heading), f"h{count}"))
        found.append(Chapter(f"chapter-{number:03d}.xhtml", root, tuple(headings)))
    if not found:
        empty = Element("body")
        SubElement(empty, "h1").text = title
        found.append(Chapter("chapter-001.xhtml", empty, ()))
    return found


def _page(content: str, title: str, lang: str) -> str:
    code = f" xml:lang={quoteattr(lang)} lang={quoteattr(lang)}" if lang else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n'
        f'<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"{code}>\n'
        f'<head><meta charset="utf-8"/><title>{_clean(title)}</title>'
        f'<link rel="stylesheet" type="text/css" href="style.css"/></head>\n<body>\n{content}\n</body>\n</html>\n'
    )


def _entries(chapters: list[Chapter]) -> list[tuple[int, str, str]]:
    """Lines of the table of contents: depth from 1, words, address; a chapter without heading counts its number."""
    found: list[tuple[int, str, str]] = []
    for number, chapter in enumerate(chapters, 1):
        shown = [each for each in chapter.headings if each[0] <= 3]
        if not shown:
            found.append((1, f"Part {number}" if len(chapters) > 1 else "Text", chapter.name))
        found += [(rank, text, f"{chapter.name}#{anchor}") for rank, text, anchor in shown]
    ranks = sorted({rank for rank, _, _ in found})
    return [(ranks.index(rank) + 1, text, where) for rank, text, where in found]


def _contents(chapters: list[Chapter]) -> str:
    """The table of contents as nested lists."""
    parts = ['<nav epub:type="toc" id="toc"><h1>Contents</h1>']
    depth = 0
    for rank, text, where in _entries(chapters):
        rank = min(rank, depth + 1)
        if rank > depth:
            parts.append("<ol>")
        else:
            parts.append("</li>" + "</ol></li>" * (depth - rank))
        parts.append(f"<li><a href={quoteattr(where)}>{_clean(text)}</a>")
        depth = rank
    return "".join(parts) + "</li></ol>" * depth + "</nav>"


def _ncx(document: Document, chapters: list[Chapter], title: str) -> str:
    points = "".join(
        f'<navPoint id="p{number}" playOrder="{number}"><navLabel><text>{_clean(text)}</text></navLabel>'
        f"<content src={quoteattr(where)}/></navPoint>"
        for number, (_, text, where) in enumerate(_entries(chapters), 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1">'
        f'<head><meta name="dtb:uid" content="{_identifier(document)}"/></head>'
        f"<docTitle><text>{_clean(title)}</text></docTitle><navMap>{points}</navMap></ncx>\n"
    )


def _package(
    document: Document, chapters: list[Chapter], images: dict[str, tuple[str, Fitted]], title: str, history: str
) -> str:
    """The list of all files, their order, and what the book says of itself."""
    files = [("nav.xhtml", "application/xhtml+xml", ' properties="nav"')]
    files += [("toc.ncx", "application/x-dtbncx+xml", ""), ("style.css", "text/css", "")]
    for chapter in chapters:
        formulas = next(chapter.root.iter("math"), None) is not None
        files.append((chapter.name, "application/xhtml+xml", ' properties="mathml"' if formulas else ""))
    files += [(name, MIMES[fitted.suffix], "") for name, fitted in images.values()]
    items = "".join(
        f'<item id="f{number}" href="{name}" media-type="{mime}"{more}/>\n'
        for number, (name, mime, more) in enumerate(files)
    )
    spine = "".join(f'<itemref idref="f{number}"/>' for number in range(3, 3 + len(chapters)))
    said = document.metadata
    facts = {"creator": said.get("author", ""), "subject": said.get("keywords", said.get("subject", ""))}
    facts |= {"description": said.get("description", ""), "language": document.lang or "und"}
    optional = "".join(f"<dc:{name}>{_clean(value)}</dc:{name}>\n" for name, value in facts.items() if value)
    made = next((said[key] for key in ("modified", "created") if DATE.fullmatch(said.get(key, ""))), UNDATED)
    note = f'<meta name="transpose" content={quoteattr(UNWRITABLE.sub("", history))}/>\n' if history else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">\n'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f'<dc:identifier id="id">{_identifier(document)}</dc:identifier>\n<dc:title>{_clean(title)}</dc:title>\n'
        f'{optional}<meta property="dcterms:modified">{made}</meta>\n{note}</metadata>\n'
        f'<manifest>\n{items}</manifest>\n<spine toc="f1">{spine}</spine>\n</package>\n'
    )


def _identifier(document: Document) -> str:
    """The same for the same content."""
    return f"urn:uuid:{uuid.UUID(bytes=sha256(document.html.encode('utf-8', 'replace')).digest()[:16], version=4)}"


def _clean(text: str) -> str:
    return escape(UNWRITABLE.sub("", text))
