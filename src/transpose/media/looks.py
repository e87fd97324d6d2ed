"""Named looks for pictures and films, and how words are read as them: a list of words and numbers, no model.

The list is looks.json. `transpose "slightly warmer, faded" look.cube` writes what words mean here as a table. A look
changes a colour by a few plain steps, in the order of the fields of `Look`; several looks follow one another. The
amount mixes a look with what was there: "slightly" is half, "very" one and a half, "less" turns it round, and "30 %" is
as it says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transpose.core.errors import EmptyInput, OptionError
from transpose.media.lut import SIZE, Lut

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Colour = tuple[float, float, float]
LUMA = (0.2126, 0.7152, 0.0722)  # of BT.709
NONE: Colour = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Look:
    """Steps of a change. `moves` says what it does to a chart, in the words of `measure`: `warmth+ luma-`."""

    moves: str
    brightness: float = 0.0  # stops of a gamma: 1 makes mid grey of a quarter
    warmth: float = 0.0  # red up and blue down, brightness kept
    green: float = 0.0  # green up against red and blue
    contrast: float = 0.0  # -1 to 1: an S-curve about the middle
    saturation: float = 1.0  # 0 is grey
    grey: Colour = NONE  # shares of red, green, blue that make one grey of each colour; none: colours stay
    paper: Colour = NONE  # the colour of that grey
    shadows: Colour = NONE  # added where it is dark
    highlights: Colour = NONE  # added where it is bright
    black: float = 0.0  # what black becomes
    white: float = 1.0  # what white becomes


_WORDS = json.loads((Path(__file__).parent / "looks.json").read_bytes())
AMOUNTS: dict[str, float] = _WORDS["amounts"]
LESS = frozenset(_WORDS["less"].split())
FILLERS = frozenset(_WORDS["fillers"].split())
SYNONYMS: dict[str, list[str]] = {name: each.get("also", "").split() for name, each in _WORDS["looks"].items()}


def _look(told: dict[str, str | float | list[float]]) -> Look:
    """A look as looks.json has it: colours are lists, `luma` the grey of that name."""
    steps: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in told.items() if key != "also"}
    return Look(**{**steps, "grey": LUMA} if steps.get("grey") == "luma" else steps)


LOOKS: dict[str, Look] = {name: _look(each) for name, each in _WORDS["looks"].items()}


def names() -> dict[tuple[str, ...], str]:
    """Words in their order, and the look that they name."""
    known = {tuple(name.split()): name for name in LOOKS}
    known |= {tuple(_plain(word).split()): name for name, words in SYNONYMS.items() for word in words}
    return known


def _plain(text: str) -> str:
    return text.lower().replace("_", " ").replace("-", " ").replace("&", " and ")


def read_words(text: str) -> list[tuple[str, float]]:
    """The looks that words name, in their order, each with its amount (-2 to 3).

    Raises OptionError for a word that means nothing here, EmptyInput where no look is named.
    """
    words = re.findall(r"\d+(?:\.\d+)?\s*%|[\w/]+", _plain(text))
    known = names()
    found: list[tuple[str, float]] = []
    amount, sign, at = 1.0, 1.0, 0
    while at < len(words):
        length = next((n for n in (4, 3, 2, 1) if tuple(words[at : at + n]) in known and at + n <= len(words)), 0)
        word = words[at]
        if length:
            found.append((known[tuple(words[at : at + length])], sign * amount))
            amount, sign = 1.0, 1.0
        elif word.endswith("%"):
            amount *= min(3.0, float(word[:-1].strip()) / 100)
        elif word in AMOUNTS:
            amount *= AMOUNTS[word]
        elif word in LESS:
            sign = -1.0
        elif word not in FILLERS:
            raise _unknown(word, known)
        at += length or 1
    if not found:
        raise EmptyInput(f"{text.strip()!r} names no look", f"Looks: {', '.join(sorted(LOOKS))}")
    return [(name, max(-2.0, min(3.0, each))) for name, each in found]


def _unknown(word: str, known: Iterable[tuple[str, ...]]) -> OptionError:
    near = get_close_matches(word, [" ".join(each) for each in known], 1, 0.75)
    guess = f"Did you mean {near[0]!r}? " if near else ""
    return OptionError(
        f"no look is called {word!r}: words are looked up, not understood", f"{guess}Looks: {', '.join(sorted(LOOKS))}"
    )


def lut_of_words(text: str, *, amount: float = 1.0, size: int = SIZE) -> Lut:
    """The table that words mean; `amount` mixes all of it with what was there."""
    looks = read_words(text)

    def change(colours: NDArray[np.float32]) -> NDArray[np.float32]:
        graded = colours
        for name, share in looks:
            graded = (graded + share * (changed(graded, LOOKS[name]) - graded)).clip(0, 1)
        return colours + amount * (graded - colours)

    return Lut.of(change, size, " ".join(text.split()))


def changed(colours: NDArray[np.float32], look: Look) -> NDArray[np.float32]:
    """Colours of shape (..., 3), 0 to 1, after all steps of a look, in the order of its fields; 0 to 1."""
    import numpy as np

    out = np.clip(colours, 0, 1) ** np.float32(2**-look.brightness)
    gains = np.array([1 + 0.24 * look.warmth, 1.0, 1 - 0.3 * look.warmth], np.float32)
    gains *= np.array([1 - 0.12 * look.green, 1 + 0.1 * look.green, 1 - 0.12 * look.green], np.float32)
    out = _as_bright(out, out * np.maximum(gains, 0.05))
    out = out + 2 * look.contrast * out * (1 - out) * (out - 0.5)
    luma = (out @ np.array(LUMA, np.float32))[..., None]
    out = luma + look.saturation * (out - luma)
    if any(look.grey):
        luma = (out @ np.array(look.grey, np.float32))[..., None]
        out = luma * (np.array(look.paper, np.float32) if any(look.paper) else np.ones(3, np.float32))
    dark, light = (1 - luma).clip(0, 1) ** 2, luma.clip(0, 1) ** 2  # black and white themselves stay as they are
    out = (
        out
        + dark * 4 * luma * np.array(look.shadows, np.float32)
        + light * 4 * (1 - luma) * np.array(look.highlights, np.float32)
    )
    return (look.black + (look.white - look.black) * out.clip(0, 1)).astype(np.float32)


def _as_bright(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
    """`after`, scaled to the brightness of `before`."""
    import numpy as np

    luma = np.array(LUMA, np.float32)
    was, now = (before @ luma)[..., None], (after @ luma)[..., None]
    scaled: NDArray[np.float32] = (after * was / np.maximum(now, 1e-6)).clip(0, 1)
    return scaled


def measure(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """Means over a picture of shape (h, w, 3), in levels of 255.

    `warmth` is red less blue, `green` green less the mean of both, `saturation` the largest less the least, `luma`
    brightness and `contrast` its deviation, `split` the warmth of the bright half less that of the dark half.
    """
    import numpy as np

    flat = pixels.reshape(-1, 3).astype(np.float64)
    red, green, blue = flat.T
    luma = flat @ np.array(LUMA)
    bright = luma >= np.median(luma)
    return {
        "warmth": float((red - blue).mean()),
        "green": float((green - (red + blue) / 2).mean()),
        "saturation": float((flat.max(axis=1) - flat.min(axis=1)).mean()),
        "luma": float(luma.mean()),
        "contrast": float(luma.std()),
        "split": float((red - blue)[bright].mean() - (red - blue)[~bright].mean()),
    }
