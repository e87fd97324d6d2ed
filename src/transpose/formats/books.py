"""Electronic books (.epub): the chapters of the spine in their order, each a section, with pictures and formulas."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, InputError, LockedInput, MislabelledInput
from transpose.core.transform import transform
from transpose.media.document import Document
from transpose.media.fragment import Album, finish, make
from transpose.media.package import Package, attribute, find_all, inside, local, open_package
from transpose.media.webpage import Fetch, graze

if TYPE_CHECKING:
    from lxml.etree import _Element

PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
CONTAINER = "META-INF/container.xml"
FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")  # hidden fonts lock no words


@transform(".epub -> document", name="read-book", loses=["layout"], needs=["lxml"], extra="documents")
def read_book(path: Path, ctx: Context) -> Document:
    """Read a book; chapters that are missing or broken are named in a warning, the rest is read.

    Raises MislabelledInput, LockedInput (copy protection), DamagedInput, EmptyInput, HugeInput.
    """
    with open_package(path, "a book (EPUB)", CONTAINER) as package:
        _check_lock(package)
        named = next((attribute(each, "full-path") for each in find_all(package.xml(CONTAINER), "rootfile")), "")
        listing = inside("", named)
        if listing not in package.infos:
            raise MislabelledInput(f"{path.name!r} names no list of its chapters", "Save or download it again")
        root = package.xml(listing)
        facts = {local(each): (each.text or "").strip() for part in root if local(part) == "metadata" for each in part}
        album, body = Album(), make(None, "body")
        broken: list[str] = []
        names = _spine(root, posixpath.dirname(listing))
        for number, name in enumerate(names):
            ctx.progress(number, len(names), "chapters")
            try:
                source = package.read(name).decode("utf-8", "replace")
            except DamagedInput:
                broken.append(name)
                continue
            graze(source, make(body, "section"), album, _fetcher(package, posixpath.dirname(name)))
        if broken:
            ctx.warn(f"{path.name!r}: chapters missing or broken: {', '.join(broken[:5])}")
        ctx.note("chapters", len(names) - len(broken))
        metadata = {"author": facts.get("creator", ""), "created": facts.get("date", "")}
        metadata |= {name: facts.get(name, "") for name in ("publisher", "description", "subject", "rights")}
        title = facts.get("title", "")
        return finish(body, album, title=title, lang=facts.get("language", ""), metadata=metadata)


def _spine(root: _Element, folder: str) -> list[str]:
    """The members that hold the chapters, in reading order; the generated table of contents is left out."""
    items = {attribute(each, "id"): each for each in find_all(root, "item")}
    names = []
    for each in find_all(root, "itemref"):
        item = items.get(attribute(each, "idref"))
        page = item is not None and attribute(item, "media-type") in PAGES
        if page and "nav" not in attribute(item, "properties").split():
            name = inside(folder, unquote(attribute(item, "href").partition("#")[0]))
            if name and name not in names:
                names.append(name)
    return names


def _fetcher(package: Package, folder: str) -> Fetch:
    """Finds the pictures of a chapter among the members of the book."""

    def fetch(address: str) -> bytes | None:
        name = inside(folder, unquote(address.partition("#")[0]))
        try:
            return package.read(name) if name in package.infos else None
        except InputError:
            return None

    return fetch


def _check_lock(package: Package) -> None:
    name = "META-INF/encryption.xml"
    if name in package.infos:
        ways = {attribute(each, "Algorithm") for each in find_all(package.xml(name), "EncryptionMethod")}
        if ways - set(FONTS):
            raise LockedInput(f"{package.path.name!r} is copy-protected", "It opens only in its seller's program")
