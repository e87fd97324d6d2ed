"""A printed page as loose elements: headings by the size of their type, lists by their bullets, tables, paragraphs.

Lines come from the text layer of a PDF (`Sheet`), with the ruled tables and pictures of the page as things that have a
place. A table without rules is seen where three rows or more fall into the same columns.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from xml.etree.ElementTree import Element

from transpose.media.fragment import grid, make, prose
from transpose.media.page import SENTENCE_END, Line, arrange, broken_lines, join, paragraph_lines, vocabulary
from transpose.media.pdf_links import plain, weave

LARGER = 1.17  # times the size of the body: a heading
LEVELS = 5
HEADING_LETTERS, HEADING_LINES = 200, 3
BULLET = re.compile(r"^\s*([•‣◦▪●■□○∙·➢➤✓–*-])\s+(?=\S)")
NUMBER = re.compile(r"^\s*\(?(\d{1,3})[.)]\s+(?=\S)")
LEADER = re.compile(r"\s*(?:[.·…]\s?){5,}\s*(\w{1,8})$")
MARGIN = 0.1  # of the height of a page: where running heads and page numbers stand
THING = "\ufffc"  # stands for a table or picture among the lines


@dataclass(slots=True)
class Sheet:
    """One page: its lines, which of them are bold, and elements by the text of the line that holds their place.

    Words of a link stand between signs (`pdf_links`) which give the number of its address.
    """

    number: int
    height: float
    lines: list[Line] = field(default_factory=list)
    bold: set[str] = field(default_factory=set)
    things: dict[str, Element] = field(default_factory=dict)
    addresses: list[str] = field(default_factory=list)

    def place(self, thing: Element, left: float, top: float, right: float, bottom: float) -> None:
        """Give a table or a picture its place among the lines."""
        key = f"{THING}{len(self.things)}"
        self.things[key] = thing
        self.lines.append(Line(key, left, top, right, bottom))


@dataclass(frozen=True, slots=True)
class Type:
    """Sizes of type in a document: that of the body, and those of headings, the largest first."""

    body: float
    headings: tuple[float, ...]

    def level(self, line: Line, bold: bool) -> int:
        """Of a heading, from 1; 0 for the body."""
        for level, size in enumerate(self.headings, 1):
            if line.height >= size * 0.96:
                return min(level, LEVELS)
        return min(len(self.headings) + 1, 6) if bold and line.height > 0.95 * self.body else 0


def sizes(sheets: Iterable[Sheet]) -> Type:
    """The sizes of type that a document is set in, by how many letters have them."""
    letters: Counter[float] = Counter()
    for sheet in sheets:
        for line in sheet.lines:
            if not line.text.startswith(THING):
                letters[round(line.height, 1)] += len(line.text)
    if not letters:
        return Type(10.0, ())
    body = letters.most_common(1)[0][0]
    headings: list[float] = []
    for size in sorted((size for size in letters if size > LARGER * body), reverse=True):
        if not headings or size < 0.93 * headings[-1]:
            headings.append(size)
        else:
            headings[-1] = size  # sizes close together are one level
    return Type(body, tuple(headings))


def without_running_heads(sheets: Sequence[Sheet]) -> None:
    """Take off what stands at the head or foot of most pages: titles and page numbers."""
    if len(sheets) < 3:
        return
    seen: Counter[str] = Counter()
    for sheet in sheets:
        seen.update({_pattern(line) for line in sheet.lines if _in_margin(line, sheet)})
    often = {pattern for pattern, count in seen.items() if count > max(2, len(sheets) * 0.5)}
    for sheet in sheets:
        kept = [line for line in sheet.lines if not (_in_margin(line, sheet) and _pattern(line) in often)]
        if kept:
            sheet.lines = kept


def _in_margin(line: Line, sheet: Sheet) -> bool:
    inside = MARGIN * sheet.height < (line.top + line.bottom) / 2 < (1 - MARGIN) * sheet.height
    return not inside and not line.text.startswith(THING)


def _pattern(line: Line) -> str:
    return re.sub(r"\d+", "#", plain(line.text))


def set_page(sheet: Sheet, section: Element, kind: Type) -> None:
    """Add what stands on a page to `section`, in reading order."""
    words = vocabulary(sheet.lines)
    for block in in_columns(sheet.lines):
        part = Element("div")
        for run, is_table in _tables(block):
            if is_table:
                _set_table(run, part)
                continue
            for group in _by_thing(run):
                if group[0].text in sheet.things:
                    part.append(sheet.things[group[0].text])
                else:
                    _set_text(group, sheet, part, kind, words)
        if len(section) and len(part) and _goes_on(section[-1], part[0]):
            section[-1].text = join([section[-1].text or "", part[0].text or ""], words)
            section[-1].extend(list(part[0]))
            part.remove(part[0])
        section.extend(list(part))
    if sheet.addresses:
        weave(section, sheet.addresses)


def _goes_on(before: Element, after: Element) -> bool:
    """Whether a sentence runs from the foot of one column to the head of the next."""
    plain = (
        before.tag == after.tag == "p" and not len(before) and not (before.text or "").rstrip().endswith(SENTENCE_END)
    )
    return plain and (after.text or "")[:1].islower()


def in_columns(lines: Sequence[Line], depth: int = 0) -> list[list[Line]]:
    """Blocks in reading order: where a page is set in columns, those between what runs across it one by one."""
    cut = _column_cut(lines) if depth < 4 else None
    if cut is None:
        return arrange(lines)
    blocks: list[list[Line]] = []
    band: list[Line] = []
    for line in sorted(lines, key=lambda line: line.top):
        if line.left < cut < line.right:
            blocks += _beside(band, cut, depth)
            band = []
            if blocks and line.top - blocks[-1][-1].bottom < 3 * line.height and _crosses(blocks[-1], cut):
                blocks[-1].append(line)
            else:
                blocks.append([line])
        else:
            band.append(line)
    return blocks + _beside(band, cut, depth)


def _crosses(block: Sequence[Line], cut: float) -> bool:
    return all(line.left < cut < line.right for line in block)


def _beside(band: Sequence[Line], cut: float, depth: int) -> list[list[Line]]:
    """What stands to the left of a cut, then what stands to the right."""
    sides = ([line for line in band if line.right <= cut], [line for line in band if line.left >= cut])
    return [block for side in sides if side for block in in_columns(side, depth + 1)]


def _column_cut(lines: Sequence[Line]) -> float | None:
    """Where a whole page parts into columns of prose; None where it does not. Wide lines do not count."""
    if len(lines) < 12:
        return None
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    narrow = sorted(
        (line for line in lines if line.right - line.left < 0.6 * (right - left)), key=lambda line: line.left
    )
    size = sorted(line.height for line in lines)[len(lines) // 2]
    reach, best, cut = narrow[0].right if narrow else left, 0.8 * size, None
    for line in narrow:
        middle = (reach + line.left) / 2
        if line.left - reach > best and _full(narrow, middle) and sum(a.left < middle < a.right for a in lines) < 8:
            best, cut = line.left - reach, middle
        reach = max(reach, line.right)
    return cut


def _full(lines: Sequence[Line], cut: float) -> bool:
    """Whether both sides of a cut hold a good share of the words, most of them in lines of prose."""
    for side in ([line for line in lines if line.right <= cut], [line for line in lines if line.left >= cut]):
        letters = sum(len(line.text) for line in side)
        prose_letters = sum(len(line.text) for line in side if len(line.text) >= 25)
        if letters < 250 or prose_letters < 0.6 * letters or len(side) < 5:
            return False
    return True


def _by_thing(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines between things, each thing alone."""
    groups: list[list[Line]] = []
    for line in lines:
        alone = line.text.startswith(THING)
        if groups and not alone and not groups[-1][0].text.startswith(THING):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _set_text(lines: list[Line], sheet: Sheet, section: Element, kind: Type, words: frozenset[str]) -> None:
    """Lines without tables: by size into headings and body, then paragraphs and lists."""

    def level(line: Line) -> int:
        return 0 if LEADER.search(line.text) else kind.level(line, line.text in sheet.bold)

    for rank, run in groupby(lines, key=level):
        part = list(run)
        text = join([line.text for line in part], words)
        sentence = text.endswith((".", ",", ";")) and len(text) > 60
        if rank and len(part) <= HEADING_LINES and len(text) <= HEADING_LETTERS and not sentence and text.strip("\t "):
            make(section, f"h{rank}", text.replace("\t", " "))
        else:
            _set_paragraphs(part, section, words)


def _set_paragraphs(lines: list[Line], section: Element, words: frozenset[str]) -> None:
    pieces = [
        (part[0].left, join([line.text for line in part], words), number)
        for number, group in enumerate(paragraph_lines(lines))
        for part in _led(broken_lines(group))
    ]
    edges = _edges([left for left, text, _ in pieces if BULLET.match(text) or NUMBER.match(text)])
    numbers = [int(found[1]) for _, text, _ in pieces if (found := NUMBER.match(text))]
    counting = any(b == a + 1 for a, b in zip(numbers, numbers[1:], strict=False))
    open_lists: list[tuple[int, Element]] = []
    last = -1
    for left, text, number in pieces:
        if LEADER.search(text):
            _add_item(section, open_lists, 0, LEADER.sub(r" … \1", text), 0)
            last = -1
            continue
        bullet, count = BULLET.match(text), NUMBER.match(text) if counting else None
        found = bullet or count
        if found:
            depth = sum(edge <= left - 3 for edge in edges[1:]) if edges else 0
            _add_item(section, open_lists, depth, text[found.end() :], int(count[1]) if count else 0)
            last = -1
            continue
        open_lists.clear()
        if number == last and len(section) and section[-1].tag == "p":  # the writer broke the line
            make(section[-1], "br").tail = text
        else:
            make(section, "p", text.replace("\t", " "))
        last = number


def _led(parts: Iterable[list[Line]]) -> Iterator[list[Line]]:
    """Lines of a table of contents, which dots lead to their page, each alone."""
    for part in parts:
        run: list[Line] = []
        for line in part:
            run.append(line)
            if LEADER.search(line.text):
                yield run
                run = []
        if run:
            yield run


def _edges(lefts: Sequence[float]) -> list[float]:
    """Where items begin, from the left; the levels of a list."""
    edges: list[float] = []
    for left in sorted(lefts):
        if not edges or left > edges[-1] + 6:
            edges.append(left)
    return edges


def _add_item(section: Element, open_lists: list[tuple[int, Element]], depth: int, text: str, number: int) -> None:
    while open_lists and open_lists[-1][0] > depth:
        open_lists.pop()
    tag = "ol" if number else "ul"
    if not open_lists or open_lists[-1][0] < depth or open_lists[-1][1].tag != tag:
        inner = bool(open_lists) and open_lists[-1][0] < depth and len(open_lists[-1][1]) > 0
        new = make(open_lists[-1][1][-1] if inner else section, tag)
        if number > 1:
            new.set("start", str(number))
        if open_lists and open_lists[-1][0] == depth:
            open_lists.pop()
        open_lists.append((depth, new))
    make(open_lists[-1][1], "li", text)


def _tables(block: Sequence[Line]) -> list[tuple[list[Line], bool]]:
    """Runs of rows that are tables, and those that are not."""
    runs: list[tuple[list[Line], bool]] = []
    for many, run in groupby(block, key=lambda line: len(line.parts) > 1 and not _is_item(line)):
        rows = list(run)
        columns = _columns(rows) if many else []
        is_table = len(columns) > 1 and (len(rows) >= 3 or (len(rows) == 2 and len(columns) > 2))
        if runs and not is_table and not runs[-1][1]:
            runs[-1][0].extend(rows)
        else:
            runs.append((rows, is_table))
    return runs


def _is_item(line: Line) -> bool:
    """A bullet that stands apart from its words makes no columns."""
    return len(line.parts) == 2 and bool(re.fullmatch(r"[•‣◦▪●■□○∙·➢➤✓–*-]|\(?\w{1,3}[.)]", line.parts[0].text.strip()))


def _columns(rows: Sequence[Line]) -> list[tuple[float, float]]:
    """Left and right edge of each column; [] where a piece reaches over two of most rows' columns."""
    spans = sorted((part.left, part.right) for row in rows for part in row.parts)
    columns: list[tuple[float, float]] = []
    for left, right in spans:
        if columns and left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    widest = max((len(row.parts) for row in rows), default=0)
    return columns if len(columns) >= min(widest, 2) and len(columns) >= widest - 1 else []


def _set_table(rows: Sequence[Line], section: Element) -> None:
    columns = _columns(rows)
    cells = []
    for row in rows:
        found = [""] * len(columns)
        for part in row.parts:
            middle = (part.left + part.right) / 2
            place = next(x for x, (left, right) in enumerate(columns) if left <= middle <= right)
            found[place] = f"{found[place]} {part.text}".strip()
        cells.append(found)
    grid(section, cells)


def set_words(text: str, section: Element) -> None:
    """Add a page that OCR read as text: rows with tabs become tables, lines with bullets lists."""
    for block in text.split("\n\n"):
        lines = block.split("\n")
        for kind, run in groupby(lines, key=_kind):
            part = list(run)
            width = max(line.count("\t") for line in part)
            if kind == "row" and len(part) > 1:
                rows = [line.split("\t") for line in part]
                grid(section, [[*row, *[""] * (width + 1 - len(row))] for row in rows])
            elif kind == "item":
                items = make(section, "ul")
                for line in part:
                    make(items, "li", BULLET.sub("", line))
            else:
                prose(section, "\n".join(line.replace("\t", " ") for line in part))


def _kind(line: str) -> str:
    return "row" if "\t" in line else "item" if BULLET.match(line) else "words"
