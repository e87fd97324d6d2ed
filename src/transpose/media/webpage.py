"""Any HTML as the loose elements that `media.fragment.tidy` takes; used for web pages, books, mails and notebooks.

libxml2 parses, so a broken page is read as browsers do, more or less. Scripts, styles and what is hidden are left out;
nothing is ever fetched: a picture from elsewhere becomes a link with its alternative text.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_to_bytes, urljoin, urlsplit
from xml.etree.ElementTree import Element

from transpose.core.context import Context
from transpose.media.document import HEADINGS
from transpose.media.formulas import from_mathml
from transpose.media.fragment import DEEPEST, Album, formula, make, picture, program, say
from transpose.media.package import words_in
from transpose.media.picture_file import is_picture

if TYPE_CHECKING:
    from lxml.etree import _Element

SILENT = frozenset(
    "script style template head noscript iframe object embed applet canvas svg video audio select datalist "
    "map frameset link meta base param source track title rp colgroup col".split()
)
SAME = frozenset(
    [
        *HEADINGS,
        *"p ul ol li table caption thead tbody tr th td blockquote hr br sub sup mark figure figcaption".split(),
    ]
)
RENAMED = {
    **dict.fromkeys(["b", "strong"], "strong"),
    **dict.fromkeys(["i", "em", "cite", "dfn", "var", "address"], "em"),
    **dict.fromkeys(["s", "strike", "del"], "del"),
    **dict.fromkeys(["kbd", "samp", "tt", "code"], "code"),
    "tfoot": "tbody",
    "dir": "ul",
    "menu": "ul",
    "aside": "div",
}
FLOWS = frozenset(
    "div article main section header footer nav address center form fieldset legend details summary dl dt dd body html "
    "hgroup search dialog optgroup option textarea button body html".split()
)
LARGEST = 50_000_000  # bytes of one picture beside the page
SCHEMES = ("http", "https", "mailto", "ftp", "tel", "")
HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
LANGUAGE = re.compile(
    r"(?:^|\s)(?:language-|lang-|highlight-source-|brush:\s*|sourceCode\s+|code\s+(?!literal))([\w+#.-]+)"
)

# the bytes of a picture that a page names by a relative address; None where there is none
Fetch = Callable[[str], bytes | None]


def nowhere(address: str) -> bytes | None:
    """A page that stands alone has no pictures beside it."""
    return None


def beside(path: Path, ctx: Context) -> Fetch:
    """Finds pictures in the folder of a file and below, nowhere else; where one is found nothing is cached."""
    folder = path.resolve().parent

    def fetch(address: str) -> bytes | None:
        try:
            file = (folder / unquote(address.partition("#")[0].partition("?")[0])).resolve()
            if not file.is_relative_to(folder) or not file.is_file() or file.stat().st_size > LARGEST:
                return None
            data = file.read_bytes()
        except (OSError, ValueError):  # a name that no file can have
            return None
        if not is_picture(data):
            return None
        ctx.once()
        return data

    return fetch


class Page:
    """One parsed page: `root` (of libxml2), and what its head says."""

    def __init__(self, source: str) -> None:
        from lxml import etree

        # a declared encoding must not be applied to characters
        data = source.replace("\0", "").encode("utf-8", "replace")
        self.root: _Element | None = None
        parser = etree.HTMLParser(
            encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False
        )
        with suppress(etree.XMLSyntaxError, ValueError):  # nothing in it
            self.root = etree.fromstring(data, parser)
        self.title = self.lang = self.base = ""
        self.metadata: dict[str, str] = {}
        if self.root is not None:
            self._head(self.root)

    def _head(self, root: _Element) -> None:
        self.lang = root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
        for each in root.iter("title"):
            self.title = self.title or words_in(each).strip()
            break
        for each in root.iter("base"):
            address = each.get("href") or ""
            self.base = address if address.startswith(("http://", "https://")) else ""
        for each in root.iter("meta"):
            name = (each.get("name") or "").lower()
            if name in ("author", "description", "keywords", "date", "generator"):
                self.metadata.setdefault(name, each.get("content") or "")

    def loose(self, parent: Element, album: Album, fetch: Fetch = nowhere) -> None:
        """Add the page's content to `parent` as loose elements."""
        if self.root is not None:
            grazer = _Grazer(album, fetch, self.base)
            bodies = [each for each in self.root if each.tag == "body"] or [self.root]
            for part in self.article():
                grazer.element(part, parent, 0)
            for body in bodies if not self.article() else ():
                grazer.content(body, parent, 0)

    def article(self) -> list[_Element]:
        """Heading and text of a page that MediaWiki made, without the menus around it; none of other pages."""
        named = {each.get("id"): each for each in self.root.iter("h1", "div")} if self.root is not None else {}
        text = named.get("mw-content-text")
        if text is None:
            return []
        for mark in [each for each in text.iter("span") if "mw-editsection" in (each.get("class") or "").split()]:
            mark.text = None
            for child in list(mark):
                mark.remove(child)
        return [each for each in (named.get("firstHeading"), text) if each is not None]


def graze(source: str, parent: Element, album: Album, fetch: Fetch = nowhere) -> Page:
    """Add the content of a page or a piece of one to `parent`; gives what its head says."""
    page = Page(source)
    page.loose(parent, album, fetch)
    return page


class _Grazer:
    """One walk over a page."""

    def __init__(self, album: Album, fetch: Fetch, base: str) -> None:
        self.album, self.fetch, self.base = album, fetch, base

    def content(self, element: _Element, parent: Element, depth: int) -> None:
        """What `element` holds, without itself."""
        if element.text:
            say(parent, element.text)
        for child in element:
            if depth > DEEPEST:
                say(parent, words_in(child, " "))
            elif isinstance(child.tag, str):
                self.element(child, parent, depth)
            if child.tail:
                say(parent, child.tail)

    def element(self, element: _Element, parent: Element, depth: int) -> None:
        """One element as what it means here."""
        tag = str(element.tag).rpartition(":")[2].rpartition("}")[2].lower()
        if "mwe-math-element" in (element.get("class") or "") and self._wiki_formula(element, parent):
            return
        if tag == "script" and (element.get("type") or "").startswith("math/tex"):
            formula(parent, element.text or "")
        elif tag in SILENT or _hidden(element):
            return
        elif tag == "math":
            formula(parent, from_mathml(element))
        elif tag == "img":
            self._picture(element, parent)
        elif tag == "pre":
            program(parent, _preserved(element), _language(element))
        elif tag == "a":
            self.content(element, make(parent, "a", href=self._address(element)), depth + 1)
        elif tag == "dl":
            self._terms(element, parent, depth)
        elif tag == "q":
            say(parent, "“")
            self.content(element, parent, depth + 1)
            say(parent, "”")
        elif tag == "input":
            say(parent, _field(element))
        elif tag == "table" and _is_layout(element):  # its cells, outside of a table, only part what is in them
            self.content(element, make(parent, "div"), depth + 1)
        else:
            self._plain(tag, element, parent, depth)

    def _plain(self, tag: str, element: _Element, parent: Element, depth: int) -> None:
        name = tag if tag in SAME else RENAMED.get(tag, "div" if tag in FLOWS else "span")
        classes = (element.get("class") or "").split()
        if name == "span" and "literal" in classes:  # what docutils makes of ``code``
            name = "code"
        if element.get("role") == "heading" and name in ("div", "span", "p"):
            level = element.get("aria-level") or "2"
            name = f"h{level}" if level in "123456" else "h2"
        new = make(parent, name)
        for attribute in ("colspan", "rowspan", "start"):
            if element.get(attribute):
                new.set(attribute, (element.get(attribute) or "").strip())
        if tag == "summary" or "admonition-title" in classes:
            new = make(make(new, "p"), "strong")
        self.content(element, new, depth + 1)

    def _wiki_formula(self, element: _Element, parent: Element) -> bool:
        for each in element.iter("math"):
            tex = from_mathml(each)
            inner = re.fullmatch(r"\{\\(?:displaystyle|textstyle)\s*(.*)\}", tex, re.DOTALL)
            formula(parent, inner[1] if inner else tex)
            return True
        return False

    def _address(self, element: _Element) -> str:
        """Where a link leads; "" for a place on the same page, and for what is no address."""
        address = "".join((element.get("href") or "").split())
        if not address or address.startswith("#"):
            return ""
        try:
            scheme = urlsplit(address).scheme.lower()
            return urljoin(self.base, address) if scheme in SCHEMES else ""
        except ValueError:
            return ""

    def _picture(self, element: _Element, parent: Element) -> None:
        source, alt = (element.get("src") or "").strip(), element.get("alt") or element.get("title") or ""
        data = data_address(source) if source[:5].lower() == "data:" else None
        if data is None and source and not re.match(r"[a-z][a-z0-9+.-]*:|//", source, re.IGNORECASE):
            data = self.fetch(source)
        if data:
            name = "" if source[:5].lower() == "data:" else source.partition("?")[0]
            picture(parent, self.album.add(data, name), alt)
        elif alt.strip() and parent.tag != "a":
            remote = source.startswith(("http://", "https://"))
            make(parent, "a" if remote else "span", alt, **({"href": source} if remote else {}))
        elif alt.strip():
            say(parent, alt)

    def _terms(self, element: _Element, parent: Element, depth: int) -> None:
        """A list of terms as items that begin with the term in bold."""
        items = make(parent, "ul")
        last: Element | None = None
        for each in element.iter("dt", "dd"):
            if next(each.iterancestors("dl"), None) is not element:
                continue
            if each.tag == "dt" or last is None:
                last = make(items, "li")
            self.content(each, make(last, "strong") if each.tag == "dt" else make(last, "div"), depth + 2)


def data_address(address: str) -> bytes | None:
    """The bytes of a picture inside a `data:` address; None where they are none."""
    head, _, body = address.partition(",")
    try:
        data = base64.b64decode(body, validate=False) if ";base64" in head else unquote_to_bytes(body)
    except (binascii.Error, ValueError):
        return None
    return data if is_picture(data) else None


def _hidden(element: _Element) -> bool:
    if element.get("hidden") is not None or "katex-html" in (element.get("class") or ""):
        return True
    return bool(HIDDEN.search(element.get("style") or ""))


def _is_layout(element: _Element) -> bool:
    """Whether a table only places things: it says so, or holds tables and no header cell of its own."""
    if element.get("role") in ("presentation", "none"):
        return True
    own = (cell for cell in element.iter("th") if next(cell.iterancestors("table"), None) is element)
    return next(element.iterdescendants("table"), None) is not None and next(own, None) is None


def _preserved(element: _Element) -> str:
    """The characters of a listing; line breaks count, a picture does not."""
    parts = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str):
            parts.append("\n" if child.tag == "br" else _preserved(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _language(element: _Element) -> str:
    inner = next(element.iter("code"), None)
    around = element.getparent()
    for each in (inner, element, around):
        found = LANGUAGE.search(each.get("class") or "") if each is not None else None
        if found and found[1].lower() not in ("none", "text", "plaintext"):
            return found[1]
    return ""


def _field(element: _Element) -> str:
    kind = (element.get("type") or "text").lower()
    if kind == "checkbox":
        return "[x] " if element.get("checked") is not None else "[ ] "
    return (element.get("value") or "") if kind in ("submit", "button") else ""
