"""A program as a picture, as an editor shows it: in colours, with the numbers of its lines, light or dark.

One picture holds so many lines; a longer program is cut, with a warning, or goes on in further pictures where many are
asked for (a folder, a PDF, slides). A line that is too long is wrapped, and goes on under its own beginning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal
from unicodedata import combining, east_asian_width

from transpose.core.context import Context, Many
from transpose.core.errors import OptionError
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.program import Piece, language_of, pieces, style
from transpose.media.text import Text
from transpose.media.typeface import Style, Typeface

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.ImageDraw import ImageDraw

Language = Annotated[str, "in which the program is written, where that is not found"]
Look = Annotated[Literal["light", "dark"], "colours"]
Numbers = Annotated[bool, "numbers of lines"]
Height = Annotated[int, Range(8, 96), "of the letters, in pixels"]
Columns = Annotated[int, Range(20, 400), "letters after which a line is wrapped"]
Rows = Annotated[int, Range(1, 400), "most lines in one picture"]
TAB = 4
NEAR = 24  # letters within which a line is rather broken at a blank
LEADING = 1.45  # from one line to the next, as a share of the letters' height
GUTTERS = {"light": ("#8a939d", "#f4f6f8"), "dark": ("#6e7681", "#11161d")}  # ink and paper of the numbers
PAPERS = {"light": "#ffffff", "dark": "#0d1117"}
INKS = {"light": "1f2328", "dark": "e6edf3"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a picture: coloured pieces, and the number of the line that begins here (0: it goes on)."""

    number: int
    pieces: tuple[Piece, ...]


@transform("text.code -> image.code", loses=["wording", "detail"], needs=["pygments"], extra="documents", memory_mb=100)
def draw_code(
    code: Text,
    ctx: Context,
    *,
    language: Language = "",
    look: Look = "light",
    numbers: Numbers = True,
    size: Height = 26,
    columns: Columns = 100,
    rows: Rows = 100,
    start: Annotated[int, Range(1, 10_000_000), "first line of the picture"] = 1,
) -> Image:
    """Draw a program as one picture; what comes after `rows` lines is left out, and said.

    Raises SilentInput where the language is not found, OptionError where the program has no line `start`.
    """
    name = language_of(code, ctx, language)
    lines = pieces(code.text, name)
    if start > len(lines):
        raise OptionError(f"there is no line {start}", f"The program has {len(lines)}")
    every = wrapped(lines, columns, start)
    shown = [row for _, row in zip(range(rows), every, strict=False)]
    last = max(row.number for row in shown)
    if last < len(lines):
        rest = f"-o start={last + 1} shows more, a folder as OUT with --to .png all"
        ctx.warn(f"the picture ends at line {last:,} of {len(lines):,}: {rest}")
    pixels = Drawing(shown, len(str(last)) if numbers else 0, columns, size, look, ctx).pixels()
    return Image(pixels, {"text:Title": f"lines {start} to {last}"})


@transform("text.code -> image.codes", loses=["wording"], needs=["pygments"], extra="documents", memory_mb=100)
def draw_code_pages(
    code: Text,
    ctx: Context,
    *,
    language: Language = "",
    look: Look = "light",
    numbers: Numbers = True,
    size: Height = 26,
    columns: Columns = 100,
    rows: Rows = 45,
) -> Many[Image]:
    """Draw a whole program, so many lines a picture, all of one width. Raises SilentInput as `draw-code` does."""
    name = language_of(code, ctx, language)
    lines = pieces(code.text, name)
    every = list(wrapped(lines, columns, 1))
    digits = len(str(len(lines))) if numbers else 0
    parts = [every[at : at + rows] for at in range(0, len(every), rows)]

    def drawn() -> Iterator[Image]:
        for number, part in enumerate(parts):
            ctx.progress(number, len(parts), "pictures")
            yield Image(Drawing(part, digits, columns, size, look, ctx, full=True).pixels())

    return Many(drawn, len(parts))


def wrapped(lines: Sequence[Sequence[Piece]], columns: int, start: int) -> Iterator[Row]:
    """Lines from `start` on as rows of at most so many cells; tabulators become blanks."""
    for number, line in enumerate(lines[start - 1 :], start):
        flat = _untabbed(line)
        indent = min(len(flat[0].text) - len(flat[0].text.lstrip()) if flat else 0, columns // 2)
        row: list[Piece] = []
        used, head = 0, number
        for token, text in flat:
            while text:
                fit = _fitting(text, columns - used)
                if fit < len(text):  # better after a blank, where one is near
                    blank = text.rfind(" ", max(0, fit - NEAR), fit) + 1
                    fit = blank if text[:blank].strip() else fit
                if fit < len(text) and not (fit == 0 and used == 0):
                    row.append(Piece(token, text[:fit]))
                    yield Row(head, tuple(row))
                    row, used, head = [Piece(token, " " * indent)], indent, 0
                    text = text[fit:]
                    continue
                row.append(Piece(token, text))
                used += cells(text)
                text = ""
        yield Row(head, tuple(row))


def cells(text: str) -> int:
    """How many cells of a monospaced font characters take: wide ones two, combining ones none."""
    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


def _fitting(text: str, room: int) -> int:
    """How many characters fit into so many cells."""
    used = 0
    for at, letter in enumerate(text):
        used += cells(letter)
        if used > room:
            return at
    return len(text)


def _untabbed(line: Sequence[Piece]) -> list[Piece]:
    """A line without tabulators and other control characters."""
    made: list[Piece] = []
    column = 0
    for token, text in line:
        shown = ""
        for letter in text:
            if letter == "\t":
                letter = " " * (TAB - (column + cells(shown)) % TAB)
            shown += letter if letter.isprintable() or letter.isspace() else "\ufffd"
        column += cells(shown)
        made.append(Piece(token, shown.replace("\r", " ").replace("\f", " ").replace("\v", " ")))
    return made


class Drawing:
    """Rows drawn on one sheet; `digits` is the width of the numbers, 0 for none; `full`: as wide as `columns`."""

    def __init__(
        self, rows: Sequence[Row], digits: int, columns: int, size: int, look: str, ctx: Context, *, full: bool = False
    ) -> None:
        self.rows, self.digits, self.size, self.look = rows, digits, size, look
        self.letters = Typeface([piece.text for row in rows for piece in row.pieces])
        if self.letters.lacking:
            ctx.warn(f"no font here draws {self.letters.lacking[:20]!r} of the program")
        self.cell = self.letters.width("0" * 100, size, Style(code=True)) / 100
        longest = max((sum(cells(piece.text) for piece in row.pieces) for row in rows), default=0)
        self.columns = columns if full else max(36, longest)
        self.gap = round(size * 0.9)
        self.gutter = round(self.cell * digits + 1.6 * self.gap) if digits else 0
        self.pitch = round(size * LEADING)

    def pixels(self) -> NDArray[np.uint8]:
        """uint8 of shape (height, width, 3)."""
        import numpy as np
        from PIL import Image as Pillow
        from PIL import ImageDraw as Pens

        width = round(self.gutter + 2 * self.gap + self.columns * self.cell)
        height = 2 * self.gap + self.pitch * len(self.rows)
        sheet = Pillow.new("RGB", (width, height), PAPERS[self.look])
        pen = Pens.Draw(sheet)
        ink, paper = GUTTERS[self.look]
        if self.gutter:
            pen.rectangle((0, 0, self.gutter - 1, height), fill=paper)
        for number, row in enumerate(self.rows):
            base = self.gap + self.pitch * number + round(self.size * 1.02)
            if self.gutter and row.number:
                label = str(row.number)
                left = self.gutter - 0.8 * self.gap - self.cell * len(label)
                self.letters.draw(pen, (left, base), label, self.size, ink, Style(code=True))
            self._row(pen, row, base)
        return np.asarray(sheet, np.uint8).copy()

    def _row(self, pen: ImageDraw, row: Row, base: int) -> None:
        colours, column = style(self.look), 0
        for token, text in row.pieces:
            drawn = colours.style_for_token(token)
            colour = f"#{drawn['color'] or INKS[self.look]}"
            left = self.gutter + self.gap + column * self.cell
            if text.strip():
                self.letters.draw(pen, (left, base), text, self.size, colour, Style(bool(drawn["bold"]), True))
            column += cells(text)
