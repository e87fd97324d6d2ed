"""OpenDocument texts and presentations (.odt, .odp): headings, lists, tables, pictures, links, notes, formulas."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from transpose.core.context import Context
from transpose.core.errors import InputError, LockedInput, MislabelledInput
from transpose.core.transform import transform
from transpose.media.document import Document
from transpose.media.formulas import from_mathml
from transpose.media.fragment import Album, finish, formula, make, picture, say
from transpose.media.package import Package, attribute, child, find_all, inside, local, open_package, words_in

if TYPE_CHECKING:
    from lxml.etree import _Element

DEEPEST = 60
REPEATED = 1000  # columns or rows that one cell may stand for
SKIPPED = frozenset(
    "tracked-changes sequence-decls forms bookmark bookmark-start bookmark-end annotation annotation-end "
    "variable-decls user-field-decls table-column table-columns title desc soft-page-break change change-start "
    "change-end index-title-template table-of-content-source".split()
)


@transform(".odt|.odp|.ott -> document", name="read-opendocument", loses=["layout"], needs=["lxml"], extra="documents")
def read_opendocument(path: Path, ctx: Context) -> Document:
    """Read an OpenDocument text or presentation; tracked changes as accepted, comments left out, notes at the end.

    Raises MislabelledInput, LockedInput, DamagedInput, EmptyInput, HugeInput.
    """
    with open_package(path, "an OpenDocument file", "content.xml") as package:
        _check_lock(package)
        root = package.xml("content.xml")
        inner = next(find_all(root, "text", "presentation", "drawing", "spreadsheet"), None)
        if inner is None or local(root) != "document-content":
            raise MislabelledInput(f"{path.name!r} is no OpenDocument text", "Give it its right suffix")
        reader = _Reader(package, _looks(package, root))
        body = make(None, "body")
        slides = [each for each in inner if local(each) == "page"]
        for number, page in enumerate(slides, 1):
            reader.slide(page, make(body, "section", **{"data-page": str(number)}))
        if not slides:
            reader.blocks(inner, body, 0)
        reader.put_notes(body)
        facts = _facts(package)
        metadata = {"author": facts.get("initial-creator") or facts.get("creator", "")}
        metadata |= {"created": facts.get("creation-date", ""), "modified": facts.get("date", "")}
        metadata |= {"subject": facts.get("subject", ""), "slides": str(len(slides) or "")}
        title, lang = facts.get("title", ""), facts.get("language", "")
        return finish(body, reader.album, title=title, lang=lang, metadata=metadata)


def _check_lock(package: Package) -> None:
    name = "META-INF/manifest.xml"
    if name in package.infos and next(find_all(package.xml(name), "encryption-data"), None) is not None:
        raise LockedInput(f"{package.path.name!r} is locked with a password", "Save it without one and try again")


def _facts(package: Package) -> dict[str, str]:
    try:
        found = find_all(package.xml("meta.xml"), "meta")
        return {local(each): (each.text or "").strip() for part in found for each in part}
    except InputError:
        return {}


def _looks(package: Package, root: _Element) -> dict[str, list[str]]:
    """Of each style: the marks that it stands for, `pre` for a listing, `ol` for a list that counts."""
    roots = [root]
    if "styles.xml" in package.infos:
        roots.insert(0, package.xml("styles.xml"))
    found: dict[str, list[str]] = {}
    for style in (each for one in roots for each in find_all(one, "style", "list-style")):
        name = attribute(style, "name")
        if local(style) == "list-style":
            found[name] = [local(each) for each in style if local(each).startswith("list-level-style")]
            continue
        marks = list(found.get(attribute(style, "parent-style-name"), []))
        look = child(style, "text-properties")
        marks += ["strong"] * (attribute(look, "font-weight") in ("bold", "700", "800", "900"))
        marks += ["em"] * (attribute(look, "font-style") in ("italic", "oblique"))
        marks += ["del"] * (attribute(look, "text-line-through-style") not in ("", "none"))
        place = attribute(look, "text-position")
        marks += ["sup"] * place.startswith(("super", "3")) + ["sub"] * place.startswith(("sub", "-"))
        marks += ["pre"] * name.startswith("Preformatted") + ["quote"] * (name == "Quotations")
        found[name] = marks
    return found


@dataclass
class _Reader:
    """One walk over a document."""

    package: Package
    looks: dict[str, list[str]]
    album: Album = field(default_factory=Album)
    notes: list[_Element] = field(default_factory=list)

    def slide(self, page: _Element, section: Element) -> None:
        """The title, the rest in its order, what the speaker noted."""
        frames = [each for each in page if local(each) in ("frame", "custom-shape", "g")]
        frames.sort(key=lambda each: attribute(each, "class") not in ("title", "subtitle"))
        for frame in frames:
            if attribute(frame, "class") == "title":
                make(section, "h2", " ".join(words_in(frame).split()))
            else:
                self.blocks(frame, section, 0)
        noted = child(page, "notes")
        if noted is not None:
            self.blocks(noted, make(section, "aside"), 0)

    def blocks(self, element: _Element, parent: Element, depth: int) -> None:
        """Paragraphs, lists, tables in their order."""
        for each in element:
            name = local(each)
            if name in SKIPPED or not name:
                continue
            if depth > DEEPEST:
                make(parent, "p", words_in(each, " "))
            elif name == "h":
                level = attribute(each, "outline-level")
                self.inline(each, make(parent, f"h{min(int(level or 1), 6) if level.isdecimal() else 1}"), depth)
            elif name == "p":
                self.paragraph(each, parent, depth)
            elif name == "list":
                self.list(each, parent, depth, attribute(each, "style-name"), 0)
            elif name == "table":
                self.table(each, parent, depth)
            elif name in ("frame", "image", "custom-shape", "g", "text-box", "object"):
                self.drawing(each, parent, depth)
            else:
                self.blocks(each, parent, depth + 1)

    def paragraph(self, element: _Element, parent: Element, depth: int) -> None:
        """A paragraph; the lines of a listing are paragraphs that go on in one."""
        marks = self.looks.get(attribute(element, "style-name"), [])
        if "pre" in marks:
            if len(parent) and parent[-1].tag == "pre":
                say(parent[-1][0], "\n")
            else:
                make(make(parent, "pre"), "code")
            self.inline(element, parent[-1][0], depth)
        else:
            self.inline(element, make(make(parent, "blockquote") if "quote" in marks else parent, "p"), depth)

    def list(self, element: _Element, parent: Element, depth: int, style: str, level: int) -> None:
        """A list; its style says for each level whether it counts."""
        levels = self.looks.get(style, [])
        counts = level < len(levels) and levels[level] == "list-level-style-number"
        holder = make(parent, "ol" if counts else "ul")
        for each in element:
            if local(each) not in ("list-item", "list-header"):
                continue
            item = make(holder, "li")
            for part in each:
                if local(part) == "list" and depth < DEEPEST:
                    own = attribute(part, "style-name") or style
                    self.list(part, item, depth + 1, own, level + 1)
                else:
                    wrapper = make(item, "div")
                    self._one(part, wrapper, depth)

    def _one(self, element: _Element, parent: Element, depth: int) -> None:
        if local(element) == "h":
            self.inline(element, make(parent, "p"), depth)
        elif local(element) == "p":
            self.paragraph(element, parent, depth)
        else:
            self.blocks(element, parent, depth + 1)

    def table(self, element: _Element, parent: Element, depth: int) -> None:
        """Rows and cells; a cell that stands for several is repeated where it says something."""
        table = make(parent, "table")
        for row in find_all(element, "table-row"):
            if next(each for each in row.iterancestors() if local(each) == "table") is not element:
                continue
            above = row.getparent()
            heads = above is not None and local(above) == "table-header-rows"
            line = make(table, "tr")
            for cell in (each for each in row if local(each) == "table-cell"):
                times = attribute(cell, "number-columns-repeated")
                count = min(int(times[:6]), REPEATED) if times.isdecimal() else 1
                for _ in range(count if len(cell) else min(count, 50)):
                    new = make(line, "th" if heads else "td")
                    for theirs, ours in (("number-columns-spanned", "colspan"), ("number-rows-spanned", "rowspan")):
                        if attribute(cell, theirs):
                            new.set(ours, attribute(cell, theirs))
                    self.blocks(cell, new, depth + 1)

    def inline(self, element: _Element, parent: Element, depth: int) -> None:
        """What runs in a line."""
        say(parent, element.text or "")
        for each in element:
            self.piece(each, parent, depth)
            say(parent, each.tail or "")

    def piece(self, element: _Element, parent: Element, depth: int) -> None:
        """One thing in a line."""
        name = local(element)
        if name == "span" and depth < DEEPEST:
            target = parent
            for mark in self.looks.get(attribute(element, "style-name"), []) if parent.tag != "code" else []:
                target = make(target, mark) if mark in ("strong", "em", "del", "sup", "sub") else target
            self.inline(element, target, depth + 1)
        elif name == "a" and depth < DEEPEST:
            address = attribute(element, "href")
            safe = address.startswith(("http://", "https://", "mailto:", "ftp://", "tel:"))
            self.inline(element, make(parent, "a", href=address if safe else ""), depth + 1)
        elif name == "s":
            count = attribute(element, "c")
            say(parent, " " * (min(int(count[:4]), 200) if count.isdecimal() else 1))
        elif name == "tab":
            say(parent, "\t")
        elif name == "line-break":
            say(parent, "\n") if parent.tag == "code" else make(parent, "br")
        elif name == "note":
            self.notes.append(element)
            make(parent, "sup", str(len(self.notes)))
        elif name in ("frame", "image", "custom-shape", "g"):
            self.drawing(element, parent, depth)
        elif name not in SKIPPED and name and depth < DEEPEST:
            self.inline(element, parent, depth + 1)

    def drawing(self, element: _Element, parent: Element, depth: int) -> None:
        """A picture, a formula, or a box with words."""
        about = next(find_all(element, "desc"), None)
        about = about if about is not None else next(find_all(element, "title"), None)
        alt = words_in(about) if about is not None else ""
        for each in find_all(element, "object"):
            name = posixpath.join(inside("", attribute(each, "href")), "content.xml")
            if name in self.package.infos:
                inner = self.package.xml(name)
                if local(inner) == "math":
                    formula(parent, from_mathml(inner))
                    return
        for each in find_all(element, "image"):
            name = inside("", attribute(each, "href"))
            if name in self.package.infos:
                picture(parent, self.album.add(self.package.read(name), name), alt)
                break
        boxes = [each for each in element if local(each) in ("text-box", "p", "list", "table", "frame", "g")]
        for each in boxes if depth < DEEPEST else []:
            holder = make(parent, "div")
            if local(each) == "text-box" or local(each) == "g":
                self.blocks(each, holder, depth + 1)
            elif local(each) != "frame":
                self._one(each, holder, depth + 1)

    def put_notes(self, parent: Element) -> None:
        """Foot- and endnotes at the end."""
        aside = make(parent, "aside") if self.notes else parent
        for number, note in enumerate(list(self.notes), 1):
            holder = make(aside, "p")
            make(holder, "sup", str(number))
            said = child(note, "note-body")
            say(holder, " ")
            for each in said if said is not None else []:
                self.inline(each, holder, 0)
                say(holder, " ")
