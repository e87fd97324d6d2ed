"""Paragraphs, lists, tables and notes of Rich Text Format as loose elements, in the order of the file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.etree.ElementTree import Element

from transpose.media.fragment import make

COUNT = re.compile(r"\(?(?:(\d{1,6})|[a-zA-Z]{1,5})[.)]?$")
WIDEST = 500  # cells of a row


class Merge(NamedTuple):
    """Whether a cell goes on from the one before it, and from the one above."""

    across: bool = False
    down: bool = False


@dataclass
class Flow:
    """What stands in a document so far, and the paragraph at hand."""

    body: Element = field(default_factory=lambda: make(None, "body"))
    level: int = 0  # of a heading; 0 for none
    depth: int = 0  # in lists
    item: str = ""  # what stands before an item of a list; "" outside
    in_table: bool = False
    heads: bool = False  # whether the row is one of the header
    merges: list[Merge] = field(default_factory=list)
    _paragraph: Element | None = None
    _lists: list[Element] = field(default_factory=list)
    _cells: list[Element] = field(default_factory=list)
    _cell: Element | None = None
    _table: Element | None = None
    _above: dict[int, Element] = field(default_factory=dict)
    _notes: list[Element] = field(default_factory=list)
    _outside: list[Element | None] = field(default_factory=list)  # paragraphs that notes interrupt

    def inner(self, marks: Sequence[str], href: str) -> Element:
        """A new innermost element for words under marks in the paragraph."""
        if self._paragraph is None:
            self._paragraph = make(None, "p")
        found = make(self._paragraph, "a", href=href) if href else self._paragraph
        for mark in marks:
            found = make(found, mark)
        return found

    def end_paragraph(self) -> None:
        """Put the paragraph where it belongs: a note, a cell, a list, or the page."""
        paragraph, self._paragraph = self._paragraph, None
        item, self.item = self.item, ""
        if self._outside:
            holder = self._notes[-1]
        elif self.in_table:
            self._cell = make(None, "td") if self._cell is None else self._cell
            holder = self._cell
        else:
            self.end_table()
            holder = self.body
        if item and not self._outside:
            holder = self._item(holder, item)
        else:
            self._lists.clear()
        if paragraph is None:
            return
        if self.level and not item and not self._outside:
            paragraph.tag = f"h{min(self.level, 6)}"
        holder.append(paragraph)

    def _item(self, holder: Element, item: str) -> Element:
        found = COUNT.match(item)
        tag = "ol" if found else "ul"
        del self._lists[self.depth + 1 :]
        if len(self._lists) > self.depth and self._lists[-1].tag != tag:
            self._lists.pop()
        while len(self._lists) <= self.depth:
            outer = self._lists[-1] if self._lists else None
            place = holder if outer is None else outer[-1] if len(outer) else make(outer, "li")
            new = make(place, tag)
            if found and found[1]:
                new.set("start", found[1])
            self._lists.append(new)
        return make(self._lists[-1], "li")

    def end_cell(self) -> None:
        """The cell is full."""
        self.in_table = True
        self.end_paragraph()
        if len(self._cells) < WIDEST and self._cell is not None:
            self._cells.append(self._cell)
        self._cell = None
        self._lists.clear()

    def end_row(self) -> None:
        """The row is full; cells that go on from others make those larger."""
        self.in_table = True
        self.end_paragraph()
        if self._table is None:
            self._table = make(self.body, "table")
        row = make(self._table, "tr")
        for place, cell in enumerate(self._cells):
            merge = self.merges[place] if place < len(self.merges) else Merge()
            above = self._above.get(place)
            if merge.across and len(row):
                row[-1].set("colspan", str(int(row[-1].get("colspan", "1")) + 1))
            elif merge.down and above is not None:
                above.set("rowspan", str(int(above.get("rowspan", "1")) + 1))
            else:
                cell.tag = "th" if self.heads else "td"
                row.append(cell)
                self._above[place] = cell
        self._cells, self._cell = [], None

    def end_table(self) -> None:
        """No more rows; words that never came to the end of a row stay."""
        left = [*self._cells, *([self._cell] if self._cell is not None else [])]
        if left:
            self.body.extend(child for cell in left for child in cell)
        self._cells, self._cell, self._table = [], None, None
        self._above.clear()

    def begin_note(self) -> None:
        """A note at the foot begins here; its number stays in the words."""
        number = str(len(self._notes) + 1)
        mark = self.inner(("sup",), "")
        mark.text = number
        self._outside.append(self._paragraph)
        self._paragraph = None
        self._notes.append(make(None, "div"))
        self.inner(("sup",), "").text = number

    def end_note(self) -> None:
        """The words go on after a note."""
        item, self.item = self.item, ""
        if self._outside:
            self.end_paragraph()
            self._paragraph = self._outside.pop()
        self.item = item

    def finish(self) -> Element:
        """The whole document, notes at its end."""
        while self._outside:
            self.end_note()
        self.end_paragraph()
        self.end_table()
        if self._notes:
            make(self.body, "aside").extend(self._notes)
            self._notes = []
        return self.body
