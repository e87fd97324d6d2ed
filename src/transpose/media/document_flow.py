"""A document as its writers need it: blocks in order, runs of words with their marks, tables as grids of cells.

HTML lets words stand loose beside blocks, nests marks in any order and leaves out cells that others cover. Here each
block holds either words or blocks, a run has all its marks at once, and every cell knows its place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from transpose.core.errors import TransformError
from transpose.media.document import BLOCKS, HEADINGS, Document

DEEPEST = 26  # levels of blocks in blocks; what lies deeper keeps its words only
SPAN = 1000  # columns or rows that one cell may cover, as in HTML
CELLS = 2_000_000  # places of one table; a few bytes of `colspan` could ask for billions
SPACE = re.compile(r"[ \t\n\r\f]+")
PARTS = frozenset("table thead tbody tr ul ol figure".split())
MARKS = frozenset("strong em sup sub del mark code math".split())
SCHEMES = ("http:", "https:", "mailto:", "tel:", "ftp:")


@dataclass(frozen=True, slots=True)
class Run:
    """Words that share their marks; a line break is a run of "\\n". Of a picture, `text` is its alternative text."""

    text: str
    marks: frozenset[str] = frozenset()
    link: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its place and how many rows and columns it covers, both from 0 and cut to the table."""

    element: Element
    row: int
    column: int
    rows: int
    columns: int
    head: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: the cells in reading order; the first `heads` rows are repeated on each page."""

    cells: tuple[Cell, ...]
    height: int
    width: int
    heads: int
    caption: Element | None = None

    def rows(self) -> list[list[Cell]]:
        """The cells that begin in each row."""
        found: list[list[Cell]] = [[] for _ in range(self.height)]
        for cell in self.cells:
            found[cell.row].append(cell)
        return found

    def letters(self, least: int = 3, most: int = 40) -> list[float]:
        """How many letters each column would like to be wide, by its longest content, within bounds."""
        widths = [float(least)] * self.width
        for cell in sorted(self.cells, key=lambda cell: cell.columns):
            across = slice(cell.column, cell.column + cell.columns)
            wanted = min(most, measure(words(cell.element)) + 1)
            if wanted > sum(widths[across]):  # a cell over several columns widens all of them
                scale = wanted / sum(widths[across])
                widths[across] = [width * scale for width in widths[across]]
        return widths

    def weights(self) -> list[float]:
        """Shares of the width of the table (sum 1)."""
        widths = self.letters(6)
        return [width / sum(widths) for width in widths]

    def pieces(self, most: int) -> list[Grid]:
        """Tables of at most `most` columns each, side by side; a cell across the cut begins in the first of them."""
        if self.width <= most:
            return [self]
        return [self._piece(start, min(start + most, self.width)) for start in range(0, self.width, most)]

    def _piece(self, start: int, stop: int) -> Grid:
        kept = [
            replace(cell, column=cell.column - start, columns=min(cell.columns, stop - cell.column))
            for cell in self.cells
            if start <= cell.column < stop
        ]
        return Grid(tuple(kept), self.height, stop - start, self.heads, self.caption if start == 0 else None)


def body(document: Document) -> Element:
    """The tree of a document, what is nested too deep made flat; raises TransformError where it is not well-formed."""
    try:
        root = document.tree()
    except ValueError as error:
        raise TransformError(f"the document cannot be written: {error}", "Report the step that made it") from None
    level = [root]
    for _ in range(DEEPEST):
        level = [child for each in level for child in each]
    while level:  # parts of tables and lists mean nothing alone: go on to their cells and items
        for deep in level:
            if len(deep) and deep.tag not in PARTS:
                whole, tail = " ".join(deep.itertext()), deep.tail
                deep.clear()
                deep.text, deep.tail = whole, tail
        level = [child for each in level for child in each]
    return root


def blocks(parent: Element) -> Iterator[Element]:
    """The blocks in a block; words that stand loose between them come as paragraphs."""
    loose = Element("p")
    loose.text = parent.text
    for child in parent:
        if child.tag in BLOCKS:
            if _says(loose):
                yield loose
            yield child
            loose = Element("p")
            loose.text = child.tail
        else:
            loose.append(child)
    if _says(loose):
        yield loose


def _says(paragraph: Element) -> bool:
    return bool((paragraph.text or "").strip()) or any(
        child.tag in ("img", "math") or _says(child) or (child.tail or "").strip() for child in paragraph
    )


def words(element: Element) -> str:
    """The words of an element on one line, with the alternative texts of its pictures."""
    return SPACE.sub(" ", "".join(_texts(element))).strip()


def _texts(element: Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        edge = " " if child.tag in BLOCKS or child.tag == "br" else ""
        yield edge
        yield child.get("alt", "")
        yield from _texts(child)
        yield edge
        yield child.tail or ""


def runs(element: Element) -> list[Run]:
    """The words of a paragraph, white space collapsed as a browser does; blocks inside are taken as words."""
    found: list[Run] = []
    _collect(element, frozenset(), "", found)
    return _tidy(found)


def _collect(element: Element, marks: frozenset[str], link: str, found: list[Run]) -> None:
    if element.text:
        found.append(Run(element.text, marks, link))
    for child in element:
        tag = str(child.tag)
        if tag == "br":
            found.append(Run("\n", marks, link))
        elif tag == "img":
            found.append(Run(child.get("alt", ""), marks, link, child.get("src", "")))
        elif tag == "math":
            found.append(Run("".join(child.itertext()), marks | {"math"}, link))
        else:
            if tag in BLOCKS:
                found.append(Run(" ", marks))
            more = marks | {tag} if tag in MARKS else marks
            to = safe_link(child.get("href", "")) or link if tag == "a" else link
            _collect(child, more, to, found)
        if child.tail:
            found.append(Run(child.tail, marks, link))


def _tidy(found: list[Run]) -> list[Run]:
    """One blank where there were several, none at the ends of lines; neighbours with the same marks made one."""
    tidy: list[Run] = []
    blank = True  # the last character was white space, or there is none
    for run in found:
        if run.picture or run.text == "\n":
            if run.text == "\n" and not run.picture:
                _strip_end(tidy)
            tidy.append(run)
            blank = not run.picture
            continue
        text = SPACE.sub(" ", run.text)
        text = text[1:] if blank and text.startswith(" ") else text
        if not text:
            continue
        blank = text.endswith(" ")
        last = tidy[-1] if tidy else None
        if last and not last.picture and last.text != "\n" and (last.marks, last.link) == (run.marks, run.link):
            tidy[-1] = replace(last, text=last.text + text)
        else:
            tidy.append(replace(run, text=text))
    _strip_end(tidy)
    while tidy and tidy[-1].text == "\n" and not tidy[-1].picture:
        tidy.pop()
    return tidy


def _strip_end(tidy: list[Run]) -> None:
    if tidy and not tidy[-1].picture and tidy[-1].text.endswith(" "):
        text = tidy[-1].text[:-1]
        tidy[-1:] = [replace(tidy[-1], text=text)] if text else []


def safe_link(href: str) -> str:
    """An address that may be followed from a document (web, mail, telephone, a relative path), else ""."""
    address = "".join(c for c in href if c > " " and c != "\x7f")
    scheme = re.match(r"[^/?#]*?:", address)
    if address.startswith("#") or (scheme and not address.lower().startswith(SCHEMES)):
        return ""
    return address


def code(element: Element) -> tuple[str, str]:
    """The lines of a `pre` as they stand, and the language that its `code` names, or ""."""
    inner = element.find("code")
    name = (inner.get("class") or "") if inner is not None else ""
    text = "".join(element.itertext()).replace("\r\n", "\n").replace("\r", "\n")
    return text.strip("\n").expandtabs(4), name.removeprefix("language-").partition(" ")[0]


def level(block: Element) -> int:
    """1 to 6 of a heading, else 0."""
    return HEADINGS.index(str(block.tag)) + 1 if block.tag in HEADINGS else 0


def grid(table: Element) -> Grid:
    """The cells of a table at their places; spans are cut to the table, overlaps moved to the right."""
    lines = [(row, part) for part in _parts(table) for row in part if row.tag == "tr"]
    taken: dict[tuple[int, int], bool] = {}
    cells: list[Cell] = []
    heads = 0
    for at, (row, part) in enumerate(lines):
        column = 0
        found = [cell for cell in row if cell.tag in ("td", "th")]
        if at == heads and (part.tag == "thead" or (found and all(cell.tag == "th" for cell in found))):
            heads += 1
        for cell in found:
            while (at, column) in taken:
                column += 1
            across, down = _span(cell, "colspan"), min(_span(cell, "rowspan"), len(lines) - at)
            if len(taken) + across * down > CELLS:
                across = down = 1
            cells.append(Cell(cell, at, column, down, across, cell.tag == "th"))
            taken.update(((at + y, column + x), True) for y in range(down) for x in range(across))
            column += across
    if heads == len(lines):
        heads = 0
    width = max((column for _, column in taken), default=-1) + 1
    return Grid(tuple(_without_overlap(cells)), len(lines), width, _whole(cells, heads), table.find("caption"))


def _whole(cells: Iterable[Cell], heads: int) -> int:
    """Head rows, with those that a cell of theirs reaches into."""
    return max([heads, *(cell.row + cell.rows for cell in cells if cell.row < heads)])


def _without_overlap(cells: list[Cell]) -> Iterator[Cell]:
    """Cells that reach over a place already taken cover only what is free."""
    taken: set[tuple[int, int]] = set()
    for cell in cells:
        across, down = cell.columns, cell.rows
        if across * down > 1:
            while across > 1 and any((cell.row, cell.column + x) in taken for x in range(across)):
                across -= 1
            while down > 1 and any(
                (cell.row + y, cell.column + x) in taken for y in range(down) for x in range(across)
            ):
                down -= 1
        taken.update((cell.row + y, cell.column + x) for y in range(down) for x in range(across))
        yield replace(cell, columns=across, rows=down)


def _parts(table: Element) -> list[Element]:
    """Head, bodies and feet in the order of the page; rows that stand in the table itself come with it."""
    return [*table.findall("thead"), table, *table.findall("tbody")]


def _span(cell: Element, name: str) -> int:
    value = cell.get(name, "1")
    return max(1, min(SPAN, int(value))) if value.isascii() and value.isdigit() else 1


def measure(text: str) -> float:
    """How wide a line is, in letters of the middle kind: wide characters (East Asian, emoji) count two."""
    if text.isascii():
        return float(len(text))
    return sum(
        2.0 if unicodedata.east_asian_width(c) in "WF" else 0.0 if unicodedata.combining(c) else 1.0 for c in text
    )


def wrap(text: str, room: float) -> list[int]:
    """Where the lines of a text end, in characters, when `room` letters stand in each; one at least."""
    ends: list[int] = []
    used = 0.0
    for found in re.finditer(r"\n|[^\s\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]+\s*|[^\S\n]+|.", text):
        token = found.group()
        if token == "\n":
            ends.append(found.end())
            used = 0.0
            continue
        wide = measure(token.rstrip() or token)
        if used and used + wide > room:
            ends.append(found.start())
            used = 0.0
        if wide > room:  # a word longer than a line
            step = max(1, int(room * len(token) / wide))
            cuts = list(range(found.start() + step, found.end(), step))
            ends += cuts
            used = measure(text[cuts[-1] : found.end()]) if cuts else wide
            continue
        used += wide + len(token) - len(token.rstrip())
    return [*[end for end in ends if end < len(text)], len(text)]


def right_to_left(text: str) -> bool:
    """Whether the first letter with a direction is of a script that runs from right to left."""
    if text.isascii():
        return False
    strong = next((kind for c in text if (kind := unicodedata.bidirectional(c)) in ("L", "R", "AL")), "L")
    return strong != "L"


def first_heading(document: Document) -> str:
    """The words of the first heading, for a document without a title; "" where it has none."""
    return next((words(each) for each in body(document).iter() if level(each)), "")
