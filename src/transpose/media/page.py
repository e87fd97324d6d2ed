"""From lines that lie somewhere on a page to text: columns, reading order, paragraphs, words cut at line ends.

Used for what OCR finds and for the text layer of a PDF. Coordinates grow to the right and down, in any unit. The
order comes from cutting the page where nothing is written (after the XY-cut of Nagy and Seth, 1984): a gutter counts
only between columns of prose, so that the cells of a table stay in their rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from transpose.media.pdf_links import without_seam

LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
SPACES = dict.fromkeys([0x00A0, 0x2002, 0x2003, 0x2007, 0x2009, 0x202F], " ")
BULLET = re.compile(r"(?:[•‣◦▪●■□–*-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S")
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
SENTENCE_END = tuple('.!?:;…。！？"”»)')


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of text without a break in it and the box around it; `top` < `bottom`.

    A row that was joined from several pieces keeps them in `parts`.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    parts: tuple[Line, ...] = ()

    @property
    def height(self) -> float:
        """Of the box, about the size of the type."""
        return self.bottom - self.top


def tidy(text: str) -> str:
    """Latin ligatures (ﬀ ﬁ ﬂ ﬃ ﬄ ﬅ ﬆ) as letters, fixed spaces as spaces, no control characters, composed accents."""
    plain = text.translate(LIGATURES).translate(SPACES)
    return unicodedata.normalize("NFC", "".join(c for c in plain if c.isprintable() or c in "\t\u00ad\u200c\u200d"))


def compose(lines: Iterable[Line]) -> str:
    """The text of one page: paragraphs parted by a blank line, lists and verse by a line break."""
    found = [line for line in lines if line.text.strip()]
    words = vocabulary(found)
    pieces: list[str] = []
    for block in arrange(found):
        for number, paragraph in enumerate(_paragraphs(block, words)):
            if number == 0 and pieces and _goes_on(pieces[-1], paragraph):
                pieces[-1] = join([pieces[-1], paragraph], words)
            else:
                pieces.append(paragraph)
    return "\n\n".join(pieces)


def vocabulary(lines: Iterable[Line]) -> frozenset[str]:
    """The words of a page in small letters, those that a line end cuts left out: what `join` decides hyphens by."""
    return frozenset(word.lower() for line in lines for word in WORD.findall(_without_stub(line.text)))


def _without_stub(text: str) -> str:
    """The line without the beginning of a word that a hyphen cuts at its end."""
    return text.rpartition(" ")[0] if text.endswith(("-", "‐", "\u00ad")) else text


def _goes_on(before: str, after: str) -> bool:
    """Whether a sentence runs from the foot of one column to the head of the next."""
    return not before.rstrip().endswith(SENTENCE_END) and after[:1].islower()


def arrange(lines: Sequence[Line]) -> list[list[Line]]:
    """Blocks in reading order (a column, or a zone across the page), each with its lines from top to bottom."""
    if not lines:
        return []
    size = median(line.height for line in lines)
    blocks: list[list[Line]] = []
    for zone in _zones(lines, size):
        cut = _gutter(zone, size)
        if cut is None:
            blocks.append(_rows(zone))
        else:
            blocks += arrange([line for line in zone if line.right <= cut])
            blocks += arrange([line for line in zone if line.left >= cut])
    return blocks


def _zones(lines: Sequence[Line], size: float) -> list[list[Line]]:
    """Bands from top to bottom: as many neighbours together as share one gutter, or have none."""
    zones: list[list[Line]] = []
    columns = False  # whether the last zone has a gutter
    for slab in _slabs(lines):
        split = _gutter(slab, size, least=1) is not None
        near = bool(zones) and slab[0].top - max(line.bottom for line in zones[-1]) < 3 * size
        shared = near and (columns or split) and _gutter(zones[-1] + slab, size, least=1) is not None
        if shared or (zones and not columns and not split):
            zones[-1] += slab
        else:
            zones.append(list(slab))
        columns = columns and shared or split
    return zones


def _slabs(lines: Sequence[Line]) -> list[list[Line]]:
    """Groups of lines between the heights that no line crosses."""
    slabs: list[list[Line]] = []
    floor = float("-inf")
    for line in sorted(lines, key=lambda line: (line.top, line.left)):
        middle = (line.top + line.bottom) / 2
        top, bottom = middle - 0.35 * line.height, middle + 0.35 * line.height  # boxes of neighbours may touch
        if top >= floor:
            slabs.append([])
        slabs[-1].append(line)
        floor = max(floor, bottom)
    return slabs


def _gutter(lines: Sequence[Line], size: float, least: int = 3) -> float | None:
    """Where to cut into columns: the widest empty strip with at least `least` lines of prose on each side."""
    spans = sorted((line.left, line.right) for line in lines)
    best, cut, reach = 0.9 * size, None, spans[0][1]
    for left, right in spans[1:]:
        if left - reach > best:
            middle = (left + reach) / 2
            if _prose(lines, middle, least):
                best, cut = left - reach, middle
        reach = max(reach, right)
    return cut


def _prose(lines: Sequence[Line], cut: float, least: int) -> bool:
    """Whether both sides hold enough rows, the middle one of them of 20 letters or more."""
    sides = ([line for line in lines if line.right <= cut], [line for line in lines if line.left >= cut])
    rows = [_rows(side) for side in sides]
    return all(len(side) >= least and median(_letters(row.text) for row in side) >= 20 for side in rows)


def _letters(text: str) -> int:
    return len(text) + sum(map(_cjk, text))  # a Chinese character is as wide as two letters


def _rows(lines: Sequence[Line]) -> list[Line]:
    """Lines from top to bottom, pieces of one row joined from left to right (a tab where they lie far apart)."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: (line.top + line.bottom) / 2):
        if rows and _same_row(rows[-1], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [_merge(sorted(row, key=lambda line: line.left)) for row in rows]


def _same_row(row: Sequence[Line], line: Line) -> bool:
    first = row[0]
    shared = min(first.bottom, line.bottom) - max(first.top, line.top)
    apart = all(
        line.left >= other.right - other.height / 2 or line.right <= other.left + other.height / 2 for other in row
    )
    return apart and shared > 0.5 * min(first.height, line.height)


def _merge(row: Sequence[Line]) -> Line:
    text = row[0].text
    for before, after in zip(row, row[1:], strict=False):
        text += ("\t" if after.left - before.right > 2 * before.height else " ") + after.text
    tops, bottoms = [line.top for line in row], [line.bottom for line in row]
    parts = tuple(row) if len(row) > 1 else ()
    return Line(text, row[0].left, median(tops), row[-1].right, median(bottoms), parts)


def _paragraphs(lines: Sequence[Line], words: frozenset[str]) -> list[str]:
    return [
        "\n".join(join([line.text for line in part], words) for part in broken_lines(group))
        for group in paragraph_lines(lines)
    ]


def paragraph_lines(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines of one block by the paragraph that they belong to."""
    groups: list[list[Line]] = []
    pitch = _pitch(lines)
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else None
        if groups and not _parted(groups[-1], line, following, pitch):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _pitch(lines: Sequence[Line]) -> float:
    """The usual distance from line to line: not the middle one, for paragraphs may be two lines long."""
    steps = [
        b.bottom - a.bottom for a, b in zip(lines, lines[1:], strict=False) if b.bottom - a.bottom < 2.2 * a.height
    ]
    return sorted(steps)[len(steps) // 3] if steps else 1.5 * median(line.height for line in lines)


def _parted(group: Sequence[Line], line: Line, following: Line | None, pitch: float) -> bool:
    """Whether a new paragraph begins with `line`: more space, another size, a first line set in, or a hanging one."""
    last = group[-1]
    if line.bottom - last.bottom > 1.4 * pitch or not 0.74 < line.height / last.height < 1.35:
        return True
    step = 0.8 * line.height
    set_in = line.left > last.left + step and following is not None and following.left < line.left - step
    return set_in or (line.left < last.left - step and len(group) > 1 and group[0].left < last.left - step)


def broken_lines(group: Sequence[Line]) -> list[list[Line]]:
    """Cut a group where the writer broke the line: before a bullet, or where the next word would have fitted."""
    edge = max(line.right for line in group)
    parts: list[list[Line]] = []
    for number, line in enumerate(group):
        last = group[number - 1]
        words = line.text.split(maxsplit=1)
        letter = (line.right - line.left) / max(1, len(line.text))
        room = edge - last.right > 1.2 * letter * (len(words[0]) + 1)
        apart = line.bottom - last.bottom > 1.8 * line.height and line.text[:1].isupper()  # points on a slide
        if number == 0 or room or apart or "\t" in line.text or "\t" in last.text or BULLET.match(line.text):
            parts.append([])
        parts[-1].append(line)
    return parts


def join(lines: Sequence[str], words: frozenset[str] = frozenset()) -> str:
    """Lines of one paragraph as one string.

    A hyphen at a line end goes when the next line begins with a small letter, unless the page has the compound
    elsewhere (`words`, lower case) and not the whole word; a soft hyphen always goes. Chinese and Japanese join
    without a space.
    """
    text = lines[0].strip()
    for line in lines[1:]:
        text, line = without_seam(text, line.strip())
        if text.endswith("\u00ad"):
            text = text[:-1] + line
        elif text[-1:] in "-‐" and text[-2:-1].isalpha() and line[:1].islower():
            start, end = WORD.findall(text[:-1] + " ")[-1:], WORD.match(line)
            tail = end[0] if end else ""
            whole, compound = (start[0] + tail).lower(), f"{start[0]}-{tail}".lower()
            text = text + line if compound in words and whole not in words else text[:-1] + line
        else:
            text += ("" if _cjk(text[-1:]) and _cjk(line[:1]) else " ") + line
    return text.replace("\u00ad", "")


def _cjk(character: str) -> bool:
    return "\u3000" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef"
