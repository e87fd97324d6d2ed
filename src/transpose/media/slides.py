"""Slides: a title and pieces under it, set as large as they fit, divided over pages where they do not.

A piece is what stays together (a bullet, a paragraph, a picture). Text shrinks down to a floor at which it can still
be read from the back of a room; what is too long for that goes on over another page of the same title. All lengths
are for a page of 720 rows and are scaled to the page at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from transpose.media.typeface import OUTLINE, Style, Typeface

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIDES = (160, 3840)  # of a page, in pixels
ROWS = 720
MARGIN, TOP, BOTTOM = 88, 176, 76  # left and right; where the pieces begin; what the foot takes
SCALES = (1.25, 1.12, 1.0, 0.9, 0.8, 0.72)  # of the letters, the largest that fits is taken
BODY, CODE, TABLE, SMALL = 31, 24, 25, 17  # height of letters at scale 1
LEAST_CODE = 17  # to which code shrinks for a long line
LEADING = 1.36  # from one line to the next, as a multiple of the height
GAP = 0.62  # between pieces
INLINE = 0.9  # height of code among words, as a share of theirs
INDENT = 34  # of a bullet, for each level
LEAD = 1.3  # words that stand alone are set so much larger
FEW = 260  # letters that may stand alone

Kind = Literal["point", "text", "quote", "code", "table", "picture", "hidden"]


class Run(NamedTuple):
    """Words in one style."""

    words: str
    style: Style = Style()


@dataclass(frozen=True, slots=True)
class Piece:
    """What a slide is made of, and what is said while it is looked at.

    `rows` are the lines of code (one cell each) or a table with its head first; `picture` is uint8 RGB (h, w, 3).
    A hidden piece is only spoken.
    """

    kind: Kind
    runs: tuple[Run, ...] = ()
    marker: str = ""
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()
    picture: NDArray[np.uint8] | None = field(default=None, compare=False)
    spoken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Slide:
    """One page, or more than fits on one until it is paged. A cover shows only its title and the words under it."""

    title: str
    pieces: tuple[Piece, ...] = ()
    over: str = ""  # the heading that this one belongs to
    cover: bool = False
    spoken: tuple[str, ...] = ()
    part: str = ""  # "2/3" where the slide had to be divided
    scale: float = 0.0  # of its letters, where all pages of a divided slide share it


class Word(NamedTuple):
    """A word at its place in a line; `left` in pixels."""

    left: float
    words: str
    style: Style


class Layout:
    """Where everything stands on pages of `width` x `height` pixels, and how slides are divided into pages."""

    def __init__(self, width: int, height: int, letters: Typeface) -> None:
        self.width, self.height, self.letters = width, height, letters
        self.unit = min(height / ROWS, width / 1080)  # narrow pages get smaller letters
        self.margin = MARGIN * self.unit

    # -- what fits -------------------------------------------------------------------------------------------------

    def paged(self, slide: Slide) -> list[Slide]:
        """The slide itself where all of it fits at some size, else pages of it that do."""
        if slide.cover or self.scale(slide):
            return [slide]
        small = SCALES[-2]
        whole = self._fill(slide, small, 1.0)
        pages = whole
        for share in (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55):  # evenly full rather than a rest at the end
            tried = self._fill(slide, small, share)
            if len(tried) > len(whole):
                break
            pages = tried
        if len(pages) < 2:
            return [slide]
        count = len(pages)
        made = [
            replace(slide, pieces=tuple(part), part=f"{n}/{count}", spoken=slide.spoken if n == 1 else ())
            for n, part in enumerate(pages, 1)
        ]
        shared = min(self.scale(page) or SCALES[-1] for page in made)
        return [replace(page, scale=shared) for page in made]

    def _fill(self, slide: Slide, scale: float, share: float) -> list[list[Piece]]:
        """Pieces page after page, each at most `share` of the room; what alone is too tall is cut."""
        room = self.room(slide) * share
        pages: list[list[Piece]] = [[]]
        waiting = list(slide.pieces)
        while waiting:
            piece = waiting.pop(0)
            here = replace(slide, pieces=(*pages[-1], piece))
            second = piece.kind == "picture" and any(each.kind == "picture" for each in pages[-1])
            if not second and self.total(here, scale) <= room:
                pages[-1].append(piece)
            elif any(each.kind != "hidden" for each in pages[-1]):
                waiting.insert(0, piece)
                pages.append([])
            elif len(parts := self._cut(slide, piece, scale, room)) > 1:
                pages[-1].append(parts[0])
                waiting[:0] = parts[1:]
                if waiting:
                    pages.append([])
            else:  # nothing left to cut: drawn at the smallest size
                pages[-1].append(piece)
        return [page for page in pages if page]

    def _cut(self, slide: Slide, piece: Piece, scale: float, room: float) -> list[Piece]:
        """A piece as two, the first of which fits; all that is said is said with the first."""
        if piece.kind in ("code", "table") and len(piece.rows) > 1 + (piece.kind == "table"):
            head = piece.rows[:1] if piece.kind == "table" else ()
            for count in range(len(piece.rows) - 1, len(head), -1):
                first = replace(piece, rows=piece.rows[:count])
                if self.total(replace(slide, pieces=(first,)), scale) <= room or count == len(head) + 1:
                    return [first, replace(piece, rows=(*head, *piece.rows[count:]), spoken=())]
        words = [Run(word, run.style) for run in piece.runs for word in run.words.split(" ")]
        if piece.kind in ("point", "text", "quote") and len(words) > 1:
            for count in range(len(words) - 1, 0, -1):
                first = replace(piece, runs=joined(words[:count]))
                if self.total(replace(slide, pieces=(first,)), scale) <= room or count == 1:
                    rest = replace(piece, runs=joined(words[count:]), marker="", spoken=())
                    return [first, rest]
        return [piece]

    def scale(self, slide: Slide) -> float:
        """The largest scale at which everything fits, 0 where none does."""
        if sum(piece.kind == "picture" for piece in slide.pieces) > 1:
            return 0.0
        fitting = [s for s in SCALES if self.total(slide, s) <= self.room(slide)]
        easy = (s for s in fitting if not self._breaks(slide, s))
        return next(easy, fitting[-1] if fitting else 0.0)

    def _breaks(self, slide: Slide, scale: float) -> bool:
        """Whether a table would have to break words at a scale."""
        across, size = self.across(slide), TABLE * self.unit * scale
        tables = (piece for piece in slide.pieces if piece.kind == "table")
        return any(sum(self._least(piece, size)) > across for piece in tables)

    def _least(self, piece: Piece, size: float) -> list[float]:
        """For each column of a table the width that its longest word asks for."""
        bold = Style(bold=True)
        columns = [[word for cell in column for word in cell.split()] for column in zip(*piece.rows, strict=True)]
        return [max((self.spread(word, size, bold) for word in words), default=0.0) + 1.1 * size for words in columns]

    def room(self, slide: Slide) -> float:
        """Rows between the title and the foot."""
        return self.height - self.top(slide) - BOTTOM * self.unit

    def top(self, slide: Slide) -> float:
        size, lines = self.title_lines(slide)
        return (TOP - 58) * self.unit + len(lines) * size * 1.2 if slide.title else 96 * self.unit

    def title_lines(self, slide: Slide) -> tuple[float, list[list[Word]]]:
        """Height and lines of the title: at most two lines, smaller rather than more."""
        size = 46 * self.unit
        room = self.width - 2 * self.margin
        while True:
            lines = self.wrap((Run(slide.title, Style(bold=True)),), room, size)
            if len(lines) <= 2 or size <= 26 * self.unit:
                return size, lines[:3]
            size *= 0.92

    def total(self, slide: Slide, scale: float) -> float:
        heights = [self.measure(piece, self.across(slide), scale, stands_alone(slide)) for piece in beside(slide)]
        return sum(heights) + GAP * BODY * scale * self.unit * max(0, len(heights) - 1)

    def across(self, slide: Slide) -> float:
        """Columns for the text: half the page where a picture stands beside it."""
        room = self.width - 2 * self.margin
        text = any(piece.kind not in ("picture", "hidden") for piece in slide.pieces)
        return room * 0.52 if text and any(piece.kind == "picture" for piece in slide.pieces) else room

    def measure(self, piece: Piece, across: float, scale: float, alone: bool) -> float:
        """Rows that a piece takes."""
        unit = self.unit * scale
        if piece.kind == "code":
            return (len(self.code_lines(piece, across, scale)) * 1.3 + 1.2) * self.code_size(piece, across, scale)
        if piece.kind == "table":
            size = TABLE * unit
            return sum(max(map(len, row)) * size * 1.3 + size * 0.7 for row in self.cells(piece, across, size))
        size = BODY * unit * (LEAD if alone else 1.0) * (0.92 if piece.level else 1.0)
        return len(self.wrap(piece.runs, across - self.indent(piece, unit), size)) * size * LEADING

    def indent(self, piece: Piece, unit: float) -> float:
        return INDENT * unit * (piece.level + 1) if piece.kind == "point" else 28 * unit * (piece.kind == "quote")

    # -- lines -----------------------------------------------------------------------------------------------------

    def wrap(self, runs: Sequence[Run], across: float, size: float) -> list[list[Word]]:
        """Runs in lines of at most so many pixels; a longer word is broken. Runs that touch stay together."""
        lines: list[list[Word]] = [[]]
        end, blank = 0.0, self.letters.width(" ", size) or size * 0.25
        for run in runs:
            for number, word in enumerate(run.words.split(" ")):
                gap = blank if number or end == 0 else 0.0
                wide = self.spread(word, size, run.style)
                if word and end and end + gap + wide > across and (gap or len(word) > 2):  # a comma stays
                    lines.append([])
                    end = 0.0
                while word and wide > across:
                    count = self._fitting(word, across, size, run.style)
                    lines[-1].append(Word(0.0, word[:count], run.style))
                    lines.append([])
                    word = word[count:]
                    wide = self.spread(word, size, run.style)
                left = end + gap if end else 0.0
                if word:
                    lines[-1].append(Word(left, word, run.style))
                end = left + wide
        return [line for line in lines if line]

    def spread(self, word: str, size: float, style: Style) -> float:
        """Pixels that a word takes in a line: code is set smaller, on a panel; bold letters have an outline."""
        wide = self.letters.width(word, size * INLINE if style.code else size, style)
        return wide + size * (0.1 if style.code else 2 * OUTLINE if style.bold else 0.0)

    def _fitting(self, word: str, across: float, size: float, style: Style) -> int:
        count = len(word)
        while count > 1 and self.spread(word[:count], size, style) > across:
            count -= 1
        return count

    def code_size(self, piece: Piece, across: float, scale: float) -> float:
        """Height of code: smaller where its longest line asks for it, down to a floor."""
        size = CODE * self.unit * scale
        longest = max((self.letters.width(row[0], 100, Style(code=True)) / 100 for row in piece.rows), default=1)
        return min(size, max(LEAST_CODE * self.unit, (across - 2 * size) / max(longest, 1e-6)))

    def _code_count(self, line: str, across: float, size: float) -> int:
        """Letters of a line of code that fit."""
        count = len(line)
        while count > 1 and self.letters.width(line[:count], size, Style(code=True)) > across:
            count -= 1
        return count

    def code_lines(self, piece: Piece, across: float, scale: float) -> list[str]:
        """Lines of code; one that is too long goes on under itself, indented."""
        size, style = self.code_size(piece, across, scale), Style(code=True)
        lines = []
        for (line,) in piece.rows:
            while self.letters.width(line, size, style) > across - 2 * size + 1:
                count = self._code_count(line, across - 2 * size, size)
                lines.append(line[:count])
                if count <= 4:
                    break
                line = "    " + line[count:]
            else:
                lines.append(line)
        return lines

    def cells(self, piece: Piece, across: float, size: float) -> list[list[list[list[Word]]]]:
        """Rows of cells of lines of words, in the columns that `_columns` gives."""
        wide = self.columns(piece, across, size)
        found = []
        for number, row in enumerate(piece.rows):
            style = Style(bold=number == 0)
            found.append(
                [self.wrap((Run(cell, style),), w - size, size) or [[]] for cell, w in zip(row, wide, strict=True)]
            )
        return found

    def columns(self, piece: Piece, across: float, size: float) -> list[float]:
        """Widths of the columns: what each asks for where that fits, else its longest word and a share."""
        bold = Style(bold=True)
        columns = zip(*piece.rows, strict=True)
        asked = [max(self.spread(cell, size, bold) for cell in column) + 1.4 * size for column in columns]
        least = self._least(piece, size)
        if sum(asked) <= across:
            spare = min((across - sum(asked)) / len(asked), 2.5 * size)
            return [each + spare for each in asked]
        if sum(least) >= across:  # then words have to be broken
            return [across * each / sum(least) for each in least]
        roots = [(each - low) ** 0.5 if each > low else 0.0 for each, low in zip(asked, least, strict=True)]
        spare = (across - sum(least)) / max(sum(roots), 1e-9)
        return [low + spare * root for low, root in zip(least, roots, strict=True)]


def sides(size: str) -> tuple[int, int]:
    """Width and height of `1280x720`, both even; ValueError for anything else."""
    parts = size.lower().split("x")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise ValueError(f"size {size!r} is not written as 1280x720")
    width, height = int(parts[0]), int(parts[1])
    if not all(SIDES[0] <= side <= SIDES[1] and side % 2 == 0 for side in (width, height)):
        raise ValueError(f"size {size!r} cannot be used: even numbers from {SIDES[0]} to {SIDES[1]}")
    return width, height


def beside(slide: Slide) -> list[Piece]:
    """The pieces that stand one under the other."""
    return [piece for piece in slide.pieces if piece.kind not in ("picture", "hidden")]


def stands_alone(slide: Slide) -> bool:
    """Whether a slide has nothing but a few words of running text, which are then set larger."""
    shown = [piece for piece in slide.pieces if piece.kind != "hidden"]
    letters = sum(len(run.words) for piece in shown for run in piece.runs)
    return bool(shown) and all(piece.kind in ("text", "quote") for piece in shown) and letters <= FEW


def joined(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Single words as runs again, those of one style together, with the blanks between them."""
    made: list[Run] = []
    for number, run in enumerate(runs):
        blank = " " if number else ""
        if made and made[-1].style == run.style:
            made[-1] = Run(f"{made[-1].words} {run.words}", run.style)
        else:
            made.append(Run(blank + run.words, run.style))
    return tuple(made)
