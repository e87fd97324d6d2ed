"""Word documents (.docx, .docm): headings, lists, tables, pictures, links, notes, formulas, charts, listings.

The parts are read as XML directly: styles say what is a heading or a listing, numbering what is a list. Deleted text of
tracked changes is left out, inserted text is kept; headers and footers, comments and field codes are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from transpose.core.context import Context
from transpose.core.errors import MislabelledInput
from transpose.core.transform import transform
from transpose.media.document import Document
from transpose.media.formulas import from_office
from transpose.media.fragment import Album, finish, formula, make, picture, say
from transpose.media.office import Lists, attach_graphic, properties
from transpose.media.package import Package, Relation, attribute, child, find_all, local, open_package
from transpose.media.word_looks import Style, inherited, is_on, look, read_style, whole

if TYPE_CHECKING:
    from lxml.etree import _Element

DEEPEST = 60  # nested tables, boxes and controls
SKIPPED = frozenset("del moveFrom rPr pPr sectPr instrText delText commentReference annotationRef fldData".split())
NUMBERED = frozenset(["bullet", "none"])  # every other format of numbering counts
LINK = re.compile(r'HYPERLINK\s+"([^"]+)"')


@transform(".docx|.docm -> document", name="read-word", loses=["layout"], needs=["lxml"], extra="documents")
def read_word(path: Path, ctx: Context) -> Document:
    """Read a Word document; tracked changes as accepted, footnotes at the end, charts as tables.

    Raises MislabelledInput (also for the old .doc), LockedInput, DamagedInput, EmptyInput, HugeInput.
    """
    with open_package(path, "a Word document") as package:
        main = package.related("", "officeDocument")
        if not main or "word" not in main and "document" not in main:
            raise MislabelledInput(f"{path.name!r} is not a Word document", "Give it its right suffix")
        reader = _Reader(package, main)
        root = make(None, "body")
        body = child(package.xml(main), "body")
        if body is None:
            raise MislabelledInput(f"{path.name!r} is not a Word document", "Give it its right suffix")
        reader.blocks(body, root, 0)
        reader.put_notes(root)
        title, facts = properties(package)
        return finish(root, reader.album, title=title, metadata=facts)


@dataclass
class _Reader:
    """One walk over a document; `part` is the member that is read, whose relations count."""

    package: Package
    part: str
    album: Album = field(default_factory=Album)
    lists: Lists = field(default_factory=Lists)
    notes: list[tuple[str, str]] = field(default_factory=list)  # (part, id) in the order of the text
    fields: list[str] = field(default_factory=list)  # instructions of the fields that are open
    boxes: list[_Element] = field(default_factory=list)  # text boxes to put after the paragraph

    def __post_init__(self) -> None:
        self.relations: dict[str, Relation] = self.package.relations(self.part)
        self.styles = self._styles()
        self.formats, self.starts = self._numbering()

    def _related(self, kind: str) -> _Element | None:
        name = self.package.related(self.part, kind)
        return self.package.xml(name) if name else None

    def _styles(self) -> dict[str, Style]:
        root = self._related("styles")
        found: dict[str, Style] = {}
        bases: dict[str, str] = {}
        for each in root if root is not None else ():
            if local(each) == "style":
                identity = attribute(each, "styleId")
                found[identity] = read_style(each)
                bases[identity] = attribute(child(each, "basedOn"), "val")
        return {identity: inherited(identity, found, bases) for identity in found}

    def _numbering(self) -> tuple[dict[tuple[str, int], str], dict[tuple[str, int], int]]:
        """Format and start of each (number, level)."""
        root = self._related("numbering")
        formats: dict[tuple[str, int], str] = {}
        starts: dict[tuple[str, int], int] = {}
        if root is None:
            return formats, starts
        abstract = {attribute(each, "abstractNumId"): each for each in root if local(each) == "abstractNum"}
        for number in (each for each in root if local(each) == "num"):
            identity = attribute(number, "numId")
            base = abstract.get(attribute(child(number, "abstractNumId"), "val"))
            for level in [*find_all(base, "lvl")] if base is not None else []:
                key = (identity, whole(attribute(level, "ilvl")))
                formats[key] = attribute(child(level, "numFmt"), "val") or "decimal"
                starts[key] = whole(attribute(child(level, "start"), "val"), 1)
        return formats, starts

    def blocks(self, element: _Element, parent: Element, depth: int) -> None:
        """Paragraphs and tables in their order."""
        if depth > DEEPEST:
            make(parent, "p", "".join(each.text or "" for each in find_all(element, "t")))
            return
        for each in element:
            name = local(each)
            if name == "p":
                self.paragraph(each, parent, depth)
            elif name == "tbl":
                self.lists.end()
                self.table(each, parent, depth)
            elif name == "oMathPara":
                formula(make(parent, "p"), from_office(each))
            elif name == "AlternateContent":
                self.blocks(_chosen(each), parent, depth + 1)
            elif name not in SKIPPED and name not in ("sdtPr", "tcPr"):
                self.blocks(each, parent, depth + 1)

    def paragraph(self, element: _Element, parent: Element, depth: int) -> None:
        """One paragraph as what its style and numbering make of it."""
        setting = child(element, "pPr")
        style = self.styles.get(attribute(child(setting, "pStyle"), "val"), Style())
        outline = attribute(child(setting, "outlineLvl"), "val")
        level = style.level or (whole(outline, 9) + 1 if outline else 0)
        number = self._number(setting, style)
        kind = self.formats.get(number) or self.formats.get((number[0], 0), "none") if number else "none"
        if 1 <= level <= 9:
            self.lists.end()
            target = make(parent, f"h{min(level, 6)}")
        elif number and kind != "none":
            ordered = kind not in NUMBERED
            key = style.family if number == style.number and style.family else number[0]
            target = self.lists.item(parent, number[1], ordered, key, self.starts.get(number, 1))
        elif style.role == "pre":
            target = self._listing(parent)
        else:
            self.lists.end()
            target = make(make(parent, "blockquote") if style.role == "quote" else parent, "p")
        self.inline(element, target, depth)
        boxes, self.boxes = self.boxes, []
        for box in boxes:
            self.blocks(box, make(parent, "div"), depth + 1)

    def _number(self, setting: _Element | None, style: Style) -> tuple[str, int] | None:
        own = child(setting, "numPr")
        if own is None:
            return style.number
        identity = attribute(child(own, "numId"), "val") or (style.number[0] if style.number else "")
        if identity in ("", "0"):
            return None
        return identity, whole(attribute(child(own, "ilvl"), "val"))

    def _listing(self, parent: Element) -> Element:
        """Lines of a listing are paragraphs in Word: they go on in the one that is open."""
        self.lists.end()
        if len(parent) and parent[-1].tag == "pre":
            say(parent[-1][0], "\n")
            return parent[-1][0]
        return make(make(parent, "pre"), "code")

    def inline(self, element: _Element, parent: Element, depth: int) -> None:
        """What runs in a line."""
        for each in element:
            name = local(each)
            if name == "r":
                self.run(each, parent, depth)
            elif name == "hyperlink":
                relation = self.relations.get(attribute(each, "id"))
                outside = relation is not None and relation.outside
                self.inline(
                    each, make(parent, "a", href=_address(relation.target if relation and outside else "")), depth
                )
            elif name in ("oMath", "oMathPara"):
                formula(parent, from_office(each))
            elif name == "AlternateContent":
                self.inline(_chosen(each), parent, depth + 1)
            elif name == "fldSimple":
                self.inline(each, make(parent, "a", href=_link(attribute(each, "instr"))), depth)
            elif name not in SKIPPED and depth < DEEPEST:
                self.inline(each, parent, depth + 1)

    def run(self, element: _Element, parent: Element, depth: int) -> None:
        """A run of characters of one look."""
        setting = child(element, "rPr")
        if setting is not None and is_on(child(setting, "vanish")):
            return
        target = parent if parent.tag == "code" else look(setting, self._open_link(parent))
        for each in element:
            self.piece(each, target, depth)

    def _open_link(self, parent: Element) -> Element:
        """The link of the field that is open, one element for each run: neighbours are joined later."""
        address = next((_link(text) for text in self.fields if _link(text)), "")
        return make(parent, "a", href=address) if address else parent

    def piece(self, element: _Element, parent: Element, depth: int) -> None:
        """One thing in a run."""
        name = local(element)
        if name == "t":
            say(parent, element.text or "")
        elif name in ("tab", "ptab"):
            say(parent, "\t" if parent.tag == "code" else " ")
        elif name in ("br", "cr"):
            self._break(element, parent)
        elif name == "noBreakHyphen":
            say(parent, "-")
        elif name == "sym":
            say(parent, _symbol(attribute(element, "char")))
        elif name in ("drawing", "pict", "object"):
            self.drawing(element, parent, depth)
        elif name in ("footnoteReference", "endnoteReference"):
            self.notes.append((name.removesuffix("Reference") + "s", attribute(element, "id")))
            make(parent, "sup", str(len(self.notes)))
        elif name == "fldChar":
            self._field(attribute(element, "fldCharType"))
        elif name == "instrText" and self.fields:
            self.fields[-1] += element.text or ""
        elif name == "AlternateContent" and depth < DEEPEST:
            for each in _chosen(element):
                self.piece(each, parent, depth + 1)

    def _break(self, element: _Element, parent: Element) -> None:
        if parent.tag == "code":
            say(parent, "\n")
        elif attribute(element, "type") in ("", "textWrapping"):
            make(parent, "br")
        else:
            say(parent, " ")

    def _field(self, kind: str) -> None:
        if kind == "begin":
            self.fields.append("")
        elif kind == "end" and self.fields:
            self.fields.pop()

    def drawing(self, element: _Element, parent: Element, depth: int) -> None:
        """Pictures in the line; boxes of text, charts and diagrams after it."""
        about = next(find_all(element, "docPr"), None)
        shape = next(find_all(element, "shape"), None)
        alt = attribute(about, "descr") or attribute(about, "title") or attribute(shape, "alt")
        for each in find_all(element, "blip", "imagedata", "txbxContent"):
            if local(each) == "txbxContent":
                self.boxes.append(each)
                continue
            relation = self.relations.get(attribute(each, "embed") or attribute(each, "id"))
            if relation and not relation.outside and relation.target in self.package.infos:
                data = self.package.read(relation.target)
                picture(parent, self.album.add(data, relation.target), alt)
        holder = make(None, "div")
        attach_graphic(element, self.part, self.package, holder)
        if len(holder):
            parent.append(holder)

    def table(self, element: _Element, parent: Element, depth: int) -> None:
        """Rows and cells; cells merged downwards get their `rowspan`."""
        table = make(parent, "table")
        first = attribute(child(element, "tblPr", "tblLook"), "firstRow") in ("1", "true")
        above: dict[int, Element] = {}  # the cell that reaches down, by column
        for number, row in enumerate(_rows(element)):
            heads = child(row, "trPr", "tblHeader") is not None or (first and number == 0)
            line = make(table, "tr")
            column = whole(attribute(child(row, "trPr", "gridBefore"), "val"))
            for _ in range(min(column, 60)):
                make(line, "td")
            for cell in _cells(row):
                setting = child(cell, "tcPr")
                wide = max(1, whole(attribute(child(setting, "gridSpan"), "val"), 1))
                merge = child(setting, "vMerge")
                going_on = merge is not None and attribute(merge, "val") in ("", "continue") and column in above
                if going_on:
                    above[column].set("rowspan", str(int(above[column].get("rowspan", "1")) + 1))
                else:
                    new = make(line, "th" if heads else "td")
                    if wide > 1:
                        new.set("colspan", str(wide))
                    above[column] = new
                    outer, self.lists = self.lists, Lists()
                    self.blocks(cell, new, depth + 1)
                    self.lists = outer
                column += wide

    def put_notes(self, parent: Element) -> None:
        """Foot- and endnotes in the order of the text, at the end."""
        if not self.notes:
            return
        known: dict[tuple[str, str], tuple[_Element, str]] = {}
        for kind in {kind for kind, _ in self.notes}:
            name = self.package.related(self.part, kind)
            for each in self.package.xml(name) if name else ():
                known[kind, attribute(each, "id")] = (each, name)
        aside = make(parent, "aside")
        for number, key in enumerate(list(self.notes), 1):
            if key in known:
                note, part = known[key]
                self.relations = self.package.relations(part)
                holder = make(aside, "div")
                self.blocks(note, holder, 0)
                _number_note(holder, number)


def _number_note(holder: Element, number: int) -> None:
    first = holder[0] if len(holder) else make(holder, "p")
    mark = Element("sup")
    mark.text, mark.tail, first.text = str(number), " " + (first.text or ""), None
    first.insert(0, mark)


def _rows(table: _Element) -> Iterator[_Element]:
    """Rows of a table, also inside content controls; deleted ones are left out."""
    for each in table:
        name = local(each)
        if name == "tr" and child(each, "trPr", "del") is None:
            yield each
        elif name in ("sdt", "sdtContent", "ins", "customXml"):
            yield from _rows(each)


def _cells(row: _Element) -> Iterator[_Element]:
    for each in row:
        name = local(each)
        if name == "tc":
            yield each
        elif name in ("sdt", "sdtContent", "customXml"):
            yield from _cells(each)


def _chosen(element: _Element) -> _Element:
    """Of a choice for newer and older programs, the newer where it holds something."""
    choice = child(element, "Choice")
    fallback = child(element, "Fallback")
    return choice if choice is not None else fallback if fallback is not None else element


def _symbol(code: str) -> str:
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    return {0xF0B7: "•", 0xF0E0: "→", 0xF0A7: "▪", 0xF0FC: "✓"}.get(
        number, "" if 0xE000 <= number < 0xF900 else chr(number)
    )


def _link(instruction: str) -> str:
    found = LINK.search(instruction)
    return _address(found[1]) if found else ""


def _address(address: str) -> str:
    scheme = address.partition(":")[0].lower()
    return address if scheme in ("http", "https", "mailto", "ftp", "tel", "file") or ":" not in address else ""
