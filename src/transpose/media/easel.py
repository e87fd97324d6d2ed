"""Drawing slides, cards and pictures with Pillow, in a calm look, light or dark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from transpose.media.slides import (
    BODY,
    BOTTOM,
    GAP,
    INDENT,
    INLINE,
    LEAD,
    LEADING,
    SCALES,
    SMALL,
    TABLE,
    Layout,
    Piece,
    Run,
    Slide,
    Word,
    stands_alone,
)
from transpose.media.typeface import Style

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as Sheet
    from PIL.ImageDraw import ImageDraw

CARD = (92, 34)  # largest and smallest height of the letters of a card, at 720 rows


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one look."""

    paper: str
    ink: str
    muted: str
    accent: str
    panel: str


THEMES = {
    "light": Theme("#fbfaf6", "#1f2937", "#75808f", "#1f6f8b", "#eceff1"),
    "dark": Theme("#151a21", "#e9ecef", "#8f9aa8", "#7cc7e8", "#222a34"),
}


class Easel:
    """Draws what a layout has placed, uint8 of shape (height, width, 3)."""

    def __init__(self, layout: Layout, theme: str) -> None:
        self.layout, self.letters, self.theme = layout, layout.letters, THEMES[theme]
        self.width, self.height, self.unit, self.margin = layout.width, layout.height, layout.unit, layout.margin

    def draw(self, slide: Slide, number: int = 0, foot: str = "", active: int = -1) -> NDArray[np.uint8]:
        """One page. `number` stands in the corner unless 0; `active` is the piece that is being spoken of."""
        import numpy as np
        from PIL import Image as Pillow
        from PIL import ImageDraw

        sheet = Pillow.new("RGB", (self.width, self.height), self.theme.paper)
        pen = ImageDraw.Draw(sheet)
        if slide.cover:
            self._draw_cover(pen, slide)
        else:
            self._draw_title(pen, slide)
            self._draw_pieces(sheet, pen, slide, active)
        if number:
            self._draw_foot(pen, number, foot)
        return np.asarray(sheet)

    def _draw_cover(self, pen: ImageDraw, slide: Slide) -> None:
        """A large title in the middle, left aligned, with what stands under it."""
        unit, room = self.unit, self.width - 2 * self.margin
        size = 68 * unit
        title = self.layout.wrap((Run(slide.title, Style(bold=True)),), room, size)
        while (len(title) > 3 or len(title) * size > 0.5 * self.height) and size > 24 * unit:
            size *= 0.92
            title = self.layout.wrap((Run(slide.title, Style(bold=True)),), room, size)
        most = max(1, int((0.9 * self.height - len(title) * size * 1.18) / (28 * unit * LEADING)) - 4)
        shown = [piece for piece in slide.pieces if piece.kind != "hidden"]
        under = [line for piece in shown for line in (*self.layout.wrap(piece.runs, room * 0.85, 28 * unit), [])]
        under = under[: min(most, len(under) - 1)]  # an empty line between two, none at the end
        top = (self.height - len(title) * size * 1.18 - len(under) * 28 * unit * LEADING - 44 * unit) / 2
        pen.rectangle((self.margin, top - 26 * unit, self.margin + 72 * unit, top - 20 * unit), fill=self.theme.accent)
        self._lines(pen, title, (self.margin, top), size, 1.18, self.theme.ink)
        top += len(title) * size * 1.18 + 30 * unit
        self._lines(pen, under, (self.margin, top), 28 * unit, LEADING, self.theme.muted)

    def _draw_title(self, pen: ImageDraw, slide: Slide) -> None:
        unit = self.unit
        top = 62 * unit
        if slide.over:
            line = self.layout.wrap((Run(slide.over),), self.width - 2 * self.margin, SMALL * unit)[:1]
            self._lines(pen, line, (self.margin, top - 24 * unit), SMALL * unit, 1, self.theme.accent)
        if not slide.title:
            return
        size, lines = self.layout.title_lines(slide)
        self._lines(pen, lines, (self.margin, top), size, 1.2, self.theme.ink)
        base = top + len(lines) * size * 1.2 + 14 * unit
        pen.rectangle((self.margin, base, self.margin + 56 * unit, base + 4 * unit), fill=self.theme.accent)
        if slide.part:
            wide = self.letters.width(slide.part, SMALL * unit)
            at = (self.width - self.margin - wide, top + size)
            self.letters.draw(pen, at, slide.part, SMALL * unit, self.theme.muted)

    def _draw_pieces(self, sheet: Sheet, pen: ImageDraw, slide: Slide, active: int) -> None:
        scale = slide.scale or self.layout.scale(slide) or SCALES[-1]
        across, alone = self.layout.across(slide), stands_alone(slide)
        top = self.layout.top(slide)
        if alone:  # few words: in the middle of the page
            top += max(0.0, (self.layout.room(slide) - self.layout.total(slide, scale)) * 0.36)
        for number, piece in enumerate(slide.pieces):
            if piece.kind == "picture":
                shift = 0.0 if across > self.width - 2 * self.margin - 1 else across + 0.03 * self.width
                edges = self.layout.top(slide), self.width - self.margin, self.height - BOTTOM * self.unit
                self._draw_picture(sheet, pen, piece, (self.margin + shift, *edges))
            elif piece.kind != "hidden":
                self._draw_piece(pen, piece, (self.margin, top), across, scale, alone, number == active)
                top += self.layout.measure(piece, across, scale, alone) + GAP * BODY * scale * self.unit

    def _draw_piece(
        self,
        pen: ImageDraw,
        piece: Piece,
        at: tuple[float, float],
        across: float,
        scale: float,
        alone: bool,
        active: bool,
    ) -> None:
        left, top = at
        unit, theme = self.unit * scale, self.theme
        if piece.kind == "code":
            return self._draw_code(pen, piece, at, across, scale)
        if piece.kind == "table":
            return self._draw_table(pen, piece, at, across, TABLE * unit)
        size = BODY * unit * (LEAD if alone else 1.0) * (0.92 if piece.level else 1.0)
        shift = self.layout.indent(piece, unit)
        lines = self.layout.wrap(piece.runs, across - shift, size)
        if piece.kind == "quote":
            bottom = top + len(lines) * size * LEADING
            pen.rectangle((left, top + 0.1 * size, left + 5 * unit, bottom), fill=theme.accent)
        colour = theme.accent if active else theme.muted
        if piece.marker == "•":
            middle, radius = top + size * 0.68, size * (0.15 if piece.level == 0 else 0.11)
            x = left + shift - INDENT * unit * 0.62
            pen.ellipse((x - radius, middle - radius, x + radius, middle + radius), fill=colour)
        elif piece.marker:
            wide = self.letters.width(piece.marker, size * 0.92)
            x = left + shift - wide - 0.3 * size
            base = top + size * (1 + (LEADING - 1) / 2 - 0.06)
            self.letters.draw(pen, (max(left - 0.6 * size, x), base), piece.marker, size * 0.92, colour)
        self._lines(pen, lines, (left + shift, top), size, LEADING, theme.ink)
        return None

    def _draw_code(self, pen: ImageDraw, piece: Piece, at: tuple[float, float], across: float, scale: float) -> None:
        size = self.layout.code_size(piece, across, scale)
        lines = self.layout.code_lines(piece, across, scale)
        left, top = at
        bottom = top + (len(lines) * 1.3 + 1.2) * size
        pen.rounded_rectangle((left, top, left + across, bottom), radius=8 * self.unit, fill=self.theme.panel)
        for number, line in enumerate(lines):
            base = top + (0.55 + number * 1.3 + 1) * size
            remark = line.lstrip().startswith(("#", "//", "--", ";"))
            colour = self.theme.muted if remark else self.theme.ink
            self.letters.draw(pen, (left + size, base), line, size, colour, Style(code=True))

    def _draw_table(self, pen: ImageDraw, piece: Piece, at: tuple[float, float], across: float, size: float) -> None:
        left, top = at
        wide = self.layout.columns(piece, across, size)
        for number, row in enumerate(self.layout.cells(piece, across, size)):
            tall = max(map(len, row)) * size * 1.3 + size * 0.7
            x = left
            for cell, columns in zip(row, wide, strict=True):
                self._lines(pen, cell, (x + 0.3 * size, top + 0.3 * size), size, 1.3, self.theme.ink)
                x += columns
            top += tall
            rule = self.theme.accent if number == 0 else self.theme.panel
            pen.rectangle((left, top - (2 if number == 0 else 1) * self.unit, left + sum(wide), top), fill=rule)

    def _draw_picture(self, sheet: Sheet, pen: ImageDraw, piece: Piece, box: tuple[float, float, float, float]) -> None:
        """The picture as large as its box allows, its words under it."""
        left, top, right, bottom = box
        size = SMALL * self.unit * 1.1
        words = self.layout.wrap(piece.runs, right - left, size)[:3]
        bottom -= len(words) * size * 1.3 + (10 * self.unit if words else 0)
        assert piece.picture is not None
        placed = fitted(piece.picture, int(right - left), int(bottom - top))
        at = (int((left + right - placed.width) / 2), int((top + bottom - placed.height) / 2))
        sheet.paste(placed, at)
        base = at[1] + placed.height + 8 * self.unit
        for line in words:
            wide = self._end(line, size)
            self._lines(pen, [line], ((left + right - wide) / 2, base), size, 1.3, self.theme.muted)
            base += size * 1.3

    def _draw_foot(self, pen: ImageDraw, number: int, foot: str) -> None:
        size, base = 15 * self.unit, self.height - 34 * self.unit
        words = str(number)
        at = self.width - self.margin - self.letters.width(words, size)
        self.letters.draw(pen, (at, base), words, size, self.theme.muted)
        for line in self.layout.wrap((Run(foot),), 0.7 * self.width, size)[:1]:
            self._lines(pen, [line], (self.margin, base - size), size, 1, self.theme.muted)

    def _lines(
        self, pen: ImageDraw, lines: list[list[Word]], at: tuple[float, float], size: float, leading: float, ink: str
    ) -> None:
        """Lines of words from the upper left corner `at`."""
        for number, line in enumerate(lines):
            base = at[1] + size * (1 + (leading - 1) / 2 - 0.06) + number * size * leading
            for word in line:
                left = at[0] + word.left
                if word.style.code:
                    wide = self.letters.width(word.words, size * INLINE, word.style)
                    box = (left - 0.12 * size, base - 0.88 * size, left + wide + 0.2 * size, base + 0.28 * size)
                    pen.rounded_rectangle(box, radius=0.14 * size, fill=self.theme.panel)
                    self.letters.draw(pen, (left + 0.04 * size, base), word.words, size * INLINE, ink, word.style)
                    continue
                colour = self.theme.accent if word.style.link else ink
                self.letters.draw(pen, (left, base), word.words, size, colour, word.style)

    def card(self, words: str, share: float) -> NDArray[np.uint8]:
        """A few words as large as they fit, in the middle; a line at the foot is full as far as `share` (0 to 1)."""
        import numpy as np
        from PIL import Image as Pillow
        from PIL import ImageDraw

        unit, room = self.unit, 0.78 * self.width
        sheet = Pillow.new("RGB", (self.width, self.height), self.theme.paper)
        pen = ImageDraw.Draw(sheet)
        size = CARD[0] * unit
        lines = self._balanced(words, room, size)
        while (len(lines) > 3 or _broken(lines, words)) and size > CARD[1] * unit:
            size *= 0.93
            lines = self._balanced(words, room, size)
        tall = len(lines) * size * 1.2
        top = max(0.05 * self.height, (0.94 * self.height - tall) / 2)
        for number, line in enumerate(lines):
            left = (self.width - self._end(line, size)) / 2
            self._lines(pen, [line], (left, top + number * size * 1.2), size, 1.2, self.theme.ink)
        middle, base = self.width / 2, top + tall + 30 * unit
        if lines:
            pen.rectangle((middle - 36 * unit, base, middle + 36 * unit, base + 5 * unit), fill=self.theme.accent)
        self._draw_progress(pen, share)
        return np.asarray(sheet)

    def still(self, picture: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
        """A picture, uint8 RGB of any size, as large as it fits; the line at the foot as above."""
        import numpy as np
        from PIL import Image as Pillow
        from PIL import ImageDraw

        sheet = Pillow.new("RGB", (self.width, self.height), self.theme.paper)
        placed = fitted(picture, self.width, self.height, grow=8.0)
        sheet.paste(placed, ((self.width - placed.width) // 2, (self.height - placed.height) // 2))
        self._draw_progress(ImageDraw.Draw(sheet), share)
        return np.asarray(sheet)

    def _draw_progress(self, pen: ImageDraw, share: float) -> None:
        tall = max(2.0, 5 * self.unit)
        top = self.height - tall
        pen.rectangle((0, top, self.width, self.height), fill=self.theme.panel)
        pen.rectangle((0, top, self.width * share, self.height), fill=self.theme.accent)

    def _balanced(self, words: str, across: float, size: float) -> list[list[Word]]:
        """Bold lines of nearly the same length."""
        runs = (Run(words, Style(bold=True)),)
        lines = self.layout.wrap(runs, across, size)
        for share in (0.9, 0.8, 0.7, 0.6, 0.5):
            tried = self.layout.wrap(runs, across * share, size)
            if len(tried) > len(lines):
                break
            lines = tried
        return lines

    def _end(self, line: list[Word], size: float) -> float:
        return line[-1].left + self.letters.width(line[-1].words, size, line[-1].style)


def _broken(lines: list[list[Word]], words: str) -> list[Word]:
    """Pieces of words that had to be broken."""
    whole = set(words.split())
    return [word for line in lines for word in line if word.words not in whole]


def fitted(pixels: NDArray[np.uint8], width: int, height: int, grow: float = 3.0) -> Sheet:
    """A picture as large as it fits into a box, small ones at most `grow` times their size."""
    from PIL import Image as Pillow

    source = Pillow.fromarray(pixels)
    scale = min(width / source.width, height / source.height, grow)
    size = max(1, round(source.width * scale)), max(1, round(source.height * scale))
    return source.resize(size, Pillow.Resampling.LANCZOS, reducing_gap=3.0)
