"""News feeds (RSS 0.9 to 2.0, Atom) in: each entry a section with its title, date, author and words.

An .xml file that is no feed is shown as it stands, as a listing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, MislabelledInput
from transpose.core.transform import transform
from transpose.media.document import Document
from transpose.media.encoding import read_bytes
from transpose.media.fragment import Album, finish, make, program, say
from transpose.media.package import attribute, find_all, local, read_xml, words_in
from transpose.media.webpage import graze

if TYPE_CHECKING:
    from lxml.etree import _Element

FEEDS = ("rss", "feed", "RDF")
BODIES = ("encoded", "content", "description", "summary")  # the longest form first
DATES = ("pubDate", "published", "updated", "date", "issued")


@transform(".rss|.atom|.xml -> document", name="read-feed", loses=["layout"], needs=["lxml"], extra="documents")
def read_feed(path: Path, ctx: Context) -> Document:
    """Read a feed; entries as they stand, none is fetched.

    Raises DamagedInput where the XML is broken (or a bomb), MislabelledInput where .rss or .atom holds no feed.
    """
    root = read_xml(read_bytes(path), path.name)
    kind = local(root)
    body, album = make(None, "body"), Album()
    if kind not in FEEDS or (kind == "RDF" and not _children(root, "channel")):
        return _listing(root, path)
    channel = next(iter(_children(root, "channel")), root)
    title = _said(channel, "title")
    make(body, "h1", title)
    about = _said(channel, "description") or _said(channel, "subtitle")
    if about:
        graze(about, make(body, "div"), album)
    entries = list(find_all(root, "item", "entry"))
    for entry in entries:
        _add_entry(entry, make(body, "section"), album)
    if not entries and not title:
        raise EmptyInput(f"{path.name!r} is a feed without entries")
    ctx.note("entries", len(entries))
    lang = _said(channel, "language") or attribute(root, "lang")
    return finish(body, album, title=title, lang=lang, metadata={"link": _link(channel)})


def _listing(root: _Element, path: Path) -> Document:
    from lxml import etree

    if path.suffix.lower() != ".xml":
        raise MislabelledInput(f"{path.name!r} is XML, but no feed: it begins with <{local(root)}>", "Name it .xml")
    body = make(None, "body")
    program(body, etree.tostring(root, encoding="unicode"), "xml")
    return finish(body)


def _children(element: _Element, name: str) -> list[_Element]:
    return [each for each in element if local(each) == name]


def _said(element: _Element, name: str) -> str:
    """The words of the first child of that name that has some."""
    for each in _children(element, name):
        words = words_in(each).strip()
        if words:
            return words
    return ""


def _link(element: _Element) -> str:
    """Where an entry leads: RSS has words, Atom an attribute."""
    for each in _children(element, "link"):
        address = (each.text or "").strip() or attribute(each, "href")
        if address and attribute(each, "rel") in ("", "alternate"):
            return address if address.startswith(("http://", "https://")) else ""
    return ""


def _add_entry(entry: _Element, section: Element, album: Album) -> None:
    heading = make(section, "h2")
    link, title = _link(entry), _said(entry, "title")
    holder = make(None, "div")
    graze(title, holder, album)  # titles hold entities and marks
    make(heading, "a", " ".join("".join(holder.itertext()).split()) or link, href=link)
    author = next(iter(_children(entry, "author")), None)
    who = _said(author, "name") or words_in(author).strip() if author is not None else _said(entry, "creator")
    facts = [next(filter(None, (_said(entry, name) for name in DATES)), ""), who]
    if any(facts):
        make(make(section, "p"), "em", ", ".join(fact for fact in facts if fact))
    for name in BODIES:
        words = _body(entry, name)
        if words:
            graze(words, make(section, "div"), album)
            break
    for each in _children(entry, "enclosure"):
        address = attribute(each, "url")
        if address.startswith(("http://", "https://")):
            line = make(section, "p")
            make(line, "a", address.rpartition("/")[2] or address, href=address)
            say(line, f" ({attribute(each, 'type')})" if attribute(each, "type") else "")


def _body(entry: _Element, name: str) -> str:
    """The words of an entry as HTML; Atom may hold XHTML as elements."""
    from lxml import etree

    for each in _children(entry, name):
        if len(each):
            return "".join(etree.tostring(part, encoding="unicode") for part in each)
        if (each.text or "").strip():
            return each.text or ""
    return ""
