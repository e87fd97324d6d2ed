"""Words in Pillow's letters: which font has a letter, how wide a word is, and what is drawn where no font has it.

Aileron comes with Pillow, so it is there on every machine, but it has few letters beyond English. A work that needs
many more is set in a system font as a whole; single words and signs that the chosen font lacks come from another one.
There is one weight: bold is the same letter with a thin outline. Code stands in a monospaced font of the system, and
where there is none, in Aileron with every letter in a cell of its own.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from transpose.core.errors import OptionError
from transpose.media.lettering import SYSTEM_FONTS, missing

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

BUILT_IN = ""
MONO = (
    "DejaVuSansMono.ttf", "NotoSansMono-Regular.ttf", "Menlo.ttc", "consola.ttf", "LiberationMono-Regular.ttf",
    "cour.ttf", "Courier New.ttf",
)  # fmt: skip
CELL = 0.62  # width of a letter of code, as a share of its height, where no monospaced font is here
FOREIGN = 0.05  # share of words with letters that the built-in font lacks, from which another one sets them all
OUTLINE = 0.024  # of the height, around a bold letter
# what stands for a sign that no font here has
SIGNS = {
    "–": "-", "—": "-", "‑": "-", "−": "-", "•": "·", "×": "x", "→": "->", "←": "<-", "⇒": "=>", "≤": "<=",
    "≥": ">=", "≠": "/=", "€": "EUR", "☐": "[ ]", "☑": "[x]", "✓": "+", "✗": "-", "²": "2", "³": "3", "½": "1/2",
}  # fmt: skip


class Style(NamedTuple):
    """How a word is set."""

    bold: bool = False
    code: bool = False
    link: bool = False


PLAIN = Style()


class Typeface:
    """Fonts for all words of one work. `lacking` are the letters that none of them draws."""

    def __init__(self, words: Iterable[str], font: str = "") -> None:
        every = list(words)
        self.font = font or _first(every)
        _face(self.font, 16)  # a font file that cannot be used is said before anything is drawn
        self.others = [name for name in (BUILT_IN, *_installed(SYSTEM_FONTS)) if name != self.font]
        self.code = next(iter(_installed(MONO)), "")
        self._parts: dict[tuple[str, bool], list[tuple[str, str]]] = {}
        letters = set("".join(every)) - set(SIGNS)
        self.lacking = "".join(sorted(letter for letter in letters if self._home(letter) is None))

    def width(self, word: str, size: float, style: Style = PLAIN) -> float:
        """Pixels from the beginning of a word to its end."""
        if style.code and not self.code:
            return len(word) * CELL * size
        return sum(_face(font, size).getlength(part) for font, part in self.parts(word, style.code))

    def draw(
        self, pen: ImageDraw, at: tuple[float, float], word: str, size: float, colour: str, style: Style = PLAIN
    ) -> None:
        """Draw a word; `at` is where its base line begins."""
        left, base = at
        if style.code and not self.code:
            for number, letter in enumerate(word):
                for font, part in self.parts(letter, False):
                    middle = left + (number + 0.5) * CELL * size
                    pen.text((middle, base), part, font=_face(font, size), fill=colour, anchor="ms")
            return
        stroke = size * OUTLINE if style.bold else 0.0
        for font, part in self.parts(word, style.code):
            face = _face(font, size)
            pen.text((left, base), part, font=face, fill=colour, anchor="ls", stroke_width=stroke, stroke_fill=colour)
            left += face.getlength(part)

    def parts(self, word: str, code: bool) -> list[tuple[str, str]]:
        """The word in pieces of one font each: (font, letters). A word is not set in two fonts if one has it all."""
        key = word, code
        if key not in self._parts:
            self._parts[key] = self._divide(word, self.code if code else self.font)
        return self._parts[key]

    def _divide(self, word: str, first: str) -> list[tuple[str, str]]:
        parts: list[tuple[str, str]] = []
        foreign = missing(first, "".join(filter(str.isalpha, word)))
        if foreign:
            first = next((font for font in self.others if not missing(font, foreign)), first)
        for letter in word:
            font = self._home(letter) if missing(first, letter) else first
            shown = letter if font is not None else stand_in(letter)
            font = first if font is None else font
            if parts and parts[-1][0] == font:
                parts[-1] = font, parts[-1][1] + shown
            elif shown:
                parts.append((font, shown))
        return parts

    def _home(self, letter: str) -> str | None:
        """The first font that has a letter."""
        return next((font for font in (self.font, *self.others) if not missing(font, letter)), None)


def stand_in(letter: str) -> str:
    """What is drawn for a letter that no font has: a sign like it, the letter without its marks, or the font's box."""
    if letter in SIGNS:
        return SIGNS[letter]
    bare = unicodedata.normalize("NFKD", letter)[:1]
    return bare if bare.isascii() else letter


def _first(texts: list[str]) -> str:
    """The built-in font, or the system font with most letters where too many words have some that it lacks."""
    words = {"".join(filter(str.isalpha, word)) for text in texts for word in text.split()} - {""}
    bad = [word for word in words if missing(BUILT_IN, word)]
    if len(bad) <= FOREIGN * len(words):
        return BUILT_IN
    letters = "".join(sorted(set("".join(bad))))
    return min((BUILT_IN, *_installed(SYSTEM_FONTS)), key=lambda name: len(missing(name, letters)))


@lru_cache(maxsize=512)
def _face(font: str, size: float) -> FreeTypeFont:
    """A font at a height in pixels; OptionError where it is none."""
    from PIL import ImageFont

    try:
        face = ImageFont.truetype(font, size) if font else ImageFont.load_default(size)
    except OSError as error:
        raise OptionError(f"font {font!r} cannot be used: {error}", "Give a .ttf, .otf or .ttc file") from error
    if not isinstance(face, ImageFont.FreeTypeFont):
        raise OptionError("this Pillow cannot draw scalable letters", "pip install --force-reinstall pillow")
    return face


@lru_cache(maxsize=8)
def _installed(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the fonts that this machine has."""
    from PIL import ImageFont

    found = []
    for name in names:
        try:
            ImageFont.truetype(name, 16)
        except OSError:
            continue
        found.append(name)
    return tuple(found)
