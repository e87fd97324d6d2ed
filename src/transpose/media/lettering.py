"""Captions drawn into pictures: which font has the letters, how lines are broken, white letters with a black outline.

Letters lie within nine tenths of the frame each way, the safe area of broadcasters (EBU R 95). Lines break at spaces,
between Chinese and Japanese characters (not before a closing nor after an opening mark), and are made equally wide.
Hebrew and Arabic need Pillow's Raqm layout with FriBiDi, which sets the order and joins the letters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import bidirectional, category, east_asian_width

from transpose.core.errors import OptionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.ImageFont import FreeTypeFont

# tried after the built-in font, in this order, wherever the system keeps its fonts
SYSTEM_FONTS = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "arial.ttf", "Arial Unicode.ttf", "NotoSansCJK-Regular.ttc",
    "NotoSansCJKjp-Regular.otf", "SourceHanSans-Regular.ttc", "DroidSansFallbackFull.ttf", "wqy-zenhei.ttc",
    "ipag.ttf", "msgothic.ttc", "msyh.ttc", "malgun.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc", "AppleGothic.ttf",
    "NotoSansArabic-Regular.ttf", "NotoSansHebrew-Regular.ttf", "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf", "Nirmala.ttf", "Mangal.ttf", "unifont.ttf",
)  # fmt: skip
SAFE = 0.9  # of the frame, each way
LINES = 3  # more are set smaller, down to LEAST of the size
LEAST = 0.55
CLOSING, OPENING = "、。，．！？：；）」』】〉》〕］｝ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ…", "（「『【〈《〔［｛"


class Block(NamedTuple):
    """A drawn caption: `colour` and `cover` (0 to 255), uint16 of shape (h, w, 3) and (h, w, 1), and its corner."""

    colour: NDArray[np.uint16]
    cover: NDArray[np.uint16]
    left: int
    top: int


class Lettering:
    """Draws captions into frames of one size; `texts` are all that will be drawn, `warn` is told what cannot be."""

    def __init__(
        self,
        width: int,
        height: int,
        texts: Iterable[str],
        *,
        font: str = "",
        scale: float = 1.0,
        top: bool = False,
        warn: Callable[[str], None] = lambda message: None,
    ) -> None:
        self.width, self.height, self.top = width, height, top
        self.points = max(8.0, scale * min(height / 16, width / 20))
        letters = "".join(sorted(set("".join(texts))))
        others = ["", *(name for name in SYSTEM_FONTS if _installed(name))]
        others.sort(key=lambda name: len(missing(name, letters)))  # stable: the first of the best
        self.fonts = [font, *others] if font and _face(font, 16) else others
        lost = "".join(each for each in letters if all(missing(name, each) for name in self.fonts))
        if lost:
            shown = lost[:20] + "..." * (len(lost) > 20)
            warn(f"no font here draws {shown!r} of the captions: install one, or give -o font=FILE.ttf")
        if any(map(_right_to_left, letters)) and not _shapes():
            warn("letters that run from right to left come out in the wrong order here: install libfribidi")
        self._last: tuple[str, Block] | None = None

    def draw(self, pixels: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
        """A copy of a frame, uint8 of shape (height, width, 3), with the text in it."""
        import numpy as np

        if self._last is None or self._last[0] != text:
            self._last = text, self._block(text)
        colour, cover, left, top = self._last[1]
        drawn = pixels.copy()
        below = drawn[top : top + cover.shape[0], left : left + cover.shape[1]]
        below[...] = ((below * (255 - cover) + colour * cover + 127) // 255).astype(np.uint8)
        return drawn

    def _block(self, text: str) -> Block:
        """The text drawn on nothing, cut to what it covers."""
        import numpy as np
        from PIL import Image as Pillow
        from PIL import ImageDraw

        font = min(self.fonts, key=lambda name: len(missing(name, text)))
        lines, points = self._set(text, font)
        face, pitch, stroke = _face(font, points), points * 1.25, max(2, round(points / 8))
        margin = self.height * (1 - SAFE) / 2 + stroke
        base = margin + points if self.top else self.height - margin - points * 0.25 - pitch * (len(lines) - 1)
        sheet = Pillow.new("RGBA", (self.width, self.height))
        pen = ImageDraw.Draw(sheet)
        for number, line in enumerate(lines):
            direction = "rtl" if _shapes() and _leans_left(line) else None
            at = (self.width / 2, base + number * pitch)
            pen.text(at, line, "white", face, "ms", direction=direction, stroke_width=stroke, stroke_fill="black")
        left, top, right, bottom = sheet.getbbox() or (0, 0, 1, 1)
        drawn = np.asarray(sheet, np.uint16)[top:bottom, left:right]
        return Block(drawn[..., :3], drawn[..., 3:], left, top)

    def _set(self, text: str, font: str) -> tuple[list[str], float]:
        """Lines and size of a text: as large as asked for, smaller where it would take too many lines."""
        points, room = self.points, self.width * SAFE
        while points > max(8.0, self.points * LEAST) and _count(text, _face(font, points).getlength, room) > LINES:
            points *= 0.9
        lines = broken(text, _face(font, points).getlength, room - points / 4)
        most = max(1, int(self.height * SAFE / (points * 1.25)))
        return (lines if len(lines) <= most else [*lines[: most - 1], lines[most - 1] + " ..."]), points


def broken(text: str, measure: Callable[[str], float], room: float) -> list[str]:
    """The text in lines of at most `room` as `measure` has it, each paragraph in lines of about equal width.

    A word that is too wide for a line is broken anywhere.
    """
    lines: list[str] = []
    for paragraph in filter(None, map(str.strip, text.splitlines())):
        words = _units(paragraph)
        greedy = _filled(words, measure, room)
        low, high = room / 2, room
        for _ in range(6 if len(greedy) > 1 else 0):  # the narrowest room that takes no more lines
            middle = (low + high) / 2
            fits = len(_filled(words, measure, middle)) == len(greedy)
            low, high = (low, middle) if fits else (middle, high)
        lines += _filled(words, measure, high)
    return lines


def _count(text: str, measure: Callable[[str], float], room: float) -> int:
    """About how many lines a text takes; no more is measured than settles it."""
    parts = [part for part in text.splitlines() if part.strip()]
    return sum(max(1, ceil(measure(part[:1000]) / room + 0.05)) for part in parts[: LINES + 1])


def _filled(words: Sequence[str], measure: Callable[[str], float], room: float) -> list[str]:
    """Words, each with the space in front of it, in lines as full as they can be."""
    lines = [""]
    for word in words:
        if measure((lines[-1] + word).strip()) <= room:
            lines[-1] += word
            continue
        lines.append("")
        for letter in word.strip():
            if lines[-1] and measure(lines[-1] + letter) > room:
                lines.append("")
            lines[-1] += letter
    return [line.strip() for line in lines if line.strip()]


def _units(text: str) -> list[str]:
    """What may not be broken: words with the space in front, and single wide characters with their marks."""
    units: list[str] = []
    for letter in text:
        wide = east_asian_width(letter) in "WF"
        after_wide = bool(units) and east_asian_width(units[-1][-1]) in "WF"
        closes, opened = letter in CLOSING, bool(units) and units[-1][-1] in OPENING
        starts = letter.isspace() or (wide or after_wide) and not closes and not opened
        in_space = bool(units) and units[-1].isspace()
        if not units or starts and not in_space:
            units.append(" " if letter.isspace() else letter)
        elif not letter.isspace():
            units[-1] += letter
    return units


def missing(font: str, letters: str) -> str:
    """The letters that the font has no picture for (it draws its box for the unknown instead)."""
    return "".join(each for each in letters if _draws_box(font, each))


@lru_cache(maxsize=65_536)
def _draws_box(font: str, letter: str) -> bool:
    if letter.isspace() or category(letter) in ("Cf", "Cc", "Mn"):  # nothing to see of their own
        return False
    face = _face(font, 32)
    return bytes(face.getmask(letter)) == bytes(face.getmask("\U0010ffff"))


@lru_cache(maxsize=64)
def _face(font: str, points: float) -> FreeTypeFont:
    from PIL import ImageFont

    try:
        face = ImageFont.truetype(font, points) if font else ImageFont.load_default(points)
    except OSError as error:
        raise OptionError(f"font {font!r} cannot be used: {error}", "Give a .ttf, .otf or .ttc file") from error
    if not isinstance(face, ImageFont.FreeTypeFont):
        raise OptionError("this Pillow cannot draw scalable letters", "pip install --force-reinstall pillow")
    return face


@lru_cache(maxsize=64)
def _installed(font: str) -> bool:
    try:
        return bool(_face(font, 16))
    except OptionError:
        return False


@lru_cache(maxsize=1)
def _shapes() -> bool:
    """Whether Pillow sets right-to-left scripts here: Raqm is in its wheels, FriBiDi in most systems."""
    from PIL import features

    return bool(features.check("raqm")) and bool(features.check("fribidi"))


def _right_to_left(letter: str) -> bool:
    return bidirectional(letter) in ("R", "AL")


def _leans_left(text: str) -> bool:
    """Whether a line runs from right to left: its first letter with a direction does."""
    strong = next((each for each in text if bidirectional(each) in ("L", "R", "AL")), "a")
    return _right_to_left(strong)
