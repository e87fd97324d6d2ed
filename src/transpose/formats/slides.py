"""PowerPoint presentations (.pptx): each slide a section with its title, lists, tables, pictures, charts and notes.

Shapes are taken from top to bottom and from left to right, a column at a time where they stand side by side; a place
that a slide does not give comes from its layout. Charts become the table of their figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, MislabelledInput
from transpose.core.transform import transform
from transpose.media.document import Document
from transpose.media.formulas import from_office
from transpose.media.fragment import Album, finish, formula, make, picture, say
from transpose.media.office import Lists, attach_graphic, properties
from transpose.media.package import Package, attribute, child, find_all, local, open_package, words_in

if TYPE_CHECKING:
    from lxml.etree import _Element

TITLES = ("title", "ctrTitle")
BODIES = ("body", "obj", "")  # placeholders whose paragraphs are bullets unless they say otherwise
FURNITURE = ("dt", "ftr", "sldNum", "hdr")
DEEPEST = 30  # groups in groups


@transform(".pptx|.pptm|.ppsx -> document", name="read-slides", loses=["layout"], needs=["lxml"], extra="documents")
def read_slides(path: Path, ctx: Context) -> Document:
    """Read a presentation: titles as headings, bullets as lists, notes as asides, hidden slides too.

    Raises MislabelledInput (also for the old .ppt), LockedInput, DamagedInput, EmptyInput, HugeInput.
    """
    with open_package(path, "a presentation") as package:
        main = package.related("", "officeDocument")
        root = package.xml(main) if main else None
        if root is None or local(root) != "presentation":
            raise MislabelledInput(f"{path.name!r} is not a presentation", "Give it its right suffix")
        relations = package.relations(main)
        listed = child(root, "sldIdLst")
        ids = [_relation(each) for each in listed] if listed is not None else []
        names = [relations[each].target for each in ids if each in relations]
        if not names:
            raise EmptyInput(f"{path.name!r} has no slides", "Look at it with the program that made it")
        album, body = Album(), make(None, "body")
        for number, name in enumerate(names, 1):
            ctx.progress(number - 1, len(names), "slides")
            section = make(body, "section")
            section.set("data-page", str(number))
            _Slide(package, name, album).read(section)
        title, facts = properties(package)
        ctx.note("slides", len(names))
        return finish(body, album, title=title, metadata={**facts, "slides": str(len(names))})


def _relation(element: _Element) -> str:
    """The `r:id` of an entry, which has an `id` of its own besides."""
    return next((str(value) for key, value in element.attrib.items() if str(key).endswith("}id")), "")


@dataclass
class _Slide:
    """One slide: the member `part`."""

    package: Package
    part: str
    album: Album
    places: dict[str, tuple[int, int]] = field(default_factory=dict)  # of the layout, by type and by index

    def read(self, section: Element) -> None:
        """Title first, then the rest as it stands, then the notes."""
        self.relations = self.package.relations(self.part)
        layout = self.package.related(self.part, "slideLayout")
        if layout:
            for shape in find_all(self.package.xml(layout), "sp"):
                place, holder = _offset(shape), _holder(shape)
                if place is not None and holder is not None:
                    self.places["#" + attribute(holder, "idx")] = self.places[attribute(holder, "type")] = place
        tree = child(self.package.xml(self.part), "cSld", "spTree")
        shapes = list(_shapes(tree, 0)) if tree is not None else []
        titles = [each for each in shapes if attribute(_holder(each), "type") in TITLES]
        for each in titles:
            heading = make(section, "h1" if attribute(_holder(each), "type") == "ctrTitle" else "h2")
            for number, paragraph in enumerate(find_all(each, "p")):
                say(heading, " " if number else "")
                self.inline(paragraph, heading)
        rest = [each for each in shapes if each not in titles]
        for each in self._ordered(rest):
            self.shape(each, section)
        self._notes(section)

    def _ordered(self, shapes: list[_Element]) -> list[_Element]:
        """Columns from left to right where shapes stand side by side, else from top to bottom."""
        found = [(self._place(shape), number, shape) for number, shape in enumerate(shapes)]
        inch = 914_400
        return [
            shape for _, _, shape in sorted(found, key=lambda each: (each[0][1] // (inch // 2), each[0][0], each[1]))
        ]

    def _place(self, shape: _Element) -> tuple[int, int]:
        own = _offset(shape)
        holder = _holder(shape)
        if own is None and holder is not None:
            own = self.places.get("#" + attribute(holder, "idx")) if attribute(holder, "idx") else None
            own = own or self.places.get(attribute(holder, "type"))
        return own or (0, 0)

    def shape(self, element: _Element, parent: Element) -> None:
        """A box of text, a picture, a table, a chart."""
        kind = local(element)
        about = next(find_all(element, "cNvPr"), None)
        if kind == "pic":
            self._picture(element, parent, attribute(about, "descr") or attribute(about, "title"))
        elif kind == "graphicFrame":
            table = next(find_all(element, "tbl"), None)
            if table is not None:
                self._table(table, parent)
            else:
                attach_graphic(element, self.part, self.package, parent)
        else:
            holder = _holder(element)
            role = attribute(holder, "type")
            body = child(element, "txBody")
            if body is not None and role not in FURNITURE:
                self.paragraphs(body, parent, holder is not None and role in BODIES)
            if next(find_all(element, "blip"), None) is not None:
                self._picture(element, parent, attribute(about, "descr"))

    def _picture(self, element: _Element, parent: Element, alt: str) -> None:
        for each in find_all(element, "blip"):
            relation = self.relations.get(attribute(each, "embed"))
            if relation and not relation.outside and relation.target in self.package.infos:
                data = self.package.read(relation.target)
                picture(make(parent, "p"), self.album.add(data, relation.target), alt)
                return

    def _table(self, element: _Element, parent: Element) -> None:
        table = make(parent, "table")
        first = attribute(child(element, "tblPr"), "firstRow") == "1"
        for number, row in enumerate(each for each in element if local(each) == "tr"):
            line = make(table, "tr")
            for cell in (each for each in row if local(each) == "tc"):
                if attribute(cell, "hMerge") in ("1", "true") or attribute(cell, "vMerge") in ("1", "true"):
                    continue
                new = make(line, "th" if first and number == 0 else "td")
                for theirs, ours in (("gridSpan", "colspan"), ("rowSpan", "rowspan")):
                    if attribute(cell, theirs):
                        new.set(ours, attribute(cell, theirs))
                body = child(cell, "txBody")
                if body is not None:
                    self.paragraphs(body, new, False)

    def paragraphs(self, body: _Element, parent: Element, bulleted: bool) -> None:
        """Paragraphs, as items of nested lists where they have bullets."""
        lists = Lists()
        found = [each for each in body if local(each) == "p" and (words_in(each).strip())]
        for paragraph in found:
            setting = child(paragraph, "pPr")
            level = attribute(setting, "lvl")
            numbered = child(setting, "buAutoNum") is not None
            marked = numbered or child(setting, "buChar") is not None or child(setting, "buBlip") is not None
            if child(setting, "buNone") is None and (marked or (bulleted and (len(found) > 1 or level))):
                place = int(level) if level.isdecimal() else 0
                target = lists.item(parent, place, numbered, "ol" if numbered else "ul")
            else:
                lists.end()
                target = make(parent, "p")
            self.inline(paragraph, target)

    def inline(self, paragraph: _Element, parent: Element) -> None:
        """Runs with their look and links."""
        for each in paragraph:
            kind = local(each)
            if kind == "br":
                make(parent, "br")
            elif kind in ("r", "fld"):
                say(self._marked(child(each, "rPr"), parent), "".join(t.text or "" for t in each if local(t) == "t"))
            elif kind in ("m", "AlternateContent", "oMath", "oMathPara"):
                for tex in find_all(each, "oMath"):
                    formula(parent, from_office(tex))

    def _marked(self, setting: _Element | None, parent: Element) -> Element:
        if setting is None:
            return parent
        link = child(setting, "hlinkClick")
        relation = self.relations.get(_relation(link)) if link is not None else None
        if relation is not None and relation.outside:
            parent = make(parent, "a", href=relation.target)
        for name, tag in (("b", "strong"), ("i", "em")):
            if attribute(setting, name) in ("1", "true"):
                parent = make(parent, tag)
        if attribute(setting, "strike") not in ("", "noStrike"):
            parent = make(parent, "del")
        raised = attribute(setting, "baseline").removesuffix("%")
        if raised.lstrip("-").isdecimal() and int(raised):
            parent = make(parent, "sub" if raised.startswith("-") else "sup")
        return parent

    def _notes(self, section: Element) -> None:
        name = self.package.related(self.part, "notesSlide")
        if not name:
            return
        for shape in find_all(self.package.xml(name), "sp"):
            body = child(shape, "txBody")
            if attribute(_holder(shape), "type") == "body" and body is not None:
                self.paragraphs(body, make(section, "aside"), False)


def _shapes(tree: _Element, depth: int) -> Iterator[_Element]:
    """Shapes on a slide, those of groups too."""
    for each in tree:
        kind = local(each)
        if kind in ("sp", "pic", "graphicFrame", "cxnSp"):
            yield each
        elif kind in ("grpSp", "AlternateContent", "Choice") and depth < DEEPEST:
            yield from _shapes(each, depth + 1)


def _holder(shape: _Element | None) -> _Element | None:
    """The placeholder that a shape fills."""
    if shape is None:
        return None
    return next((found for each in shape if (found := child(each, "nvPr", "ph")) is not None), None)


def _offset(shape: _Element) -> tuple[int, int] | None:
    """Left and top in English Metric Units."""
    place = child(shape, "spPr", "xfrm", "off")
    place = place if place is not None else child(shape, "xfrm", "off")
    x, y = attribute(place, "x"), attribute(place, "y")
    return (int(x), int(y)) if x.lstrip("-").isdecimal() and y.lstrip("-").isdecimal() else None
