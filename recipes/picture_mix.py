"""Scenes: an icon or two, recoloured and on a background, with the words that say exactly that.

A scene is data; `draw` makes its picture and `say` its caption, so pairs are unlimited and every word is true. Held-out
compositions (a concept with a colour, or with a background) never occur in training: they are those of the 48 prompts
in picture_prompts.json, and one in eight of all, which their names decide.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from picture_data import chance

Picture = NDArray[np.float32]  # RGBA (side, side, 4) in 0..1, colours multiplied by alpha

HUES = {"red": 0, "orange": 28, "yellow": 50, "green": 120, "blue": 215, "purple": 280}  # degrees
BACKGROUNDS = {
    "white": (255, 255, 255), "red": (222, 45, 50), "orange": (250, 145, 40), "yellow": (252, 215, 60),
    "green": (60, 165, 80), "blue": (45, 110, 225), "purple": (135, 70, 190), "pink": (250, 160, 195),
    "black": (20, 20, 24), "grey": (140, 145, 150),
}  # fmt: skip
COLOUR_WORDS = frozenset(HUES) | frozenset(BACKGROUNDS) | {"brown"}
STYLES = {"flat": "", "noto": "cartoon", "noto1": "bold", "fluent": "glossy", "twemoji": "simple"}
PLURAL = ("s", "popcorn", "bread", "salt", "butter", "tennis")
ONE = ("octopus", "cactus", "bus", "dress", "glass", "compass", "hibiscus", "hippopotamus", "rhinoceros", "lens")
SHORT = 1 / 8  # share of compositions held out
PROMPTS = Path(__file__).with_name("picture_prompts.json")
CAPTIONS = Path(__file__).parents[1] / "benchmarks" / "picture_captions.json"


@dataclass(frozen=True, slots=True)
class Scene:
    """What is in a picture. `first` and `second` are numbers of concepts; "" is no colour, and a white background."""

    first: int
    style: str = "flat"
    colour: str = ""
    background: str = ""
    second: int = -1
    place: str = ""  # "left of", or "" for "and"


class Icons:
    """The pictures of some sets, reduced to `side` pixels, and the names of what they show."""

    def __init__(self, folder: Path, side: int, sets: tuple[str, ...]) -> None:
        self.concepts = json.loads((folder / "concepts.json").read_text())
        self.pictures: dict[tuple[int, str], Picture] = {}
        for name in sets:
            shown = json.loads((folder / f"{name}.json").read_text())
            for number, pixels in zip(shown, reduced(np.load(folder / f"{name}.npy"), side), strict=True):
                self.pictures[number, name] = pixels
        self.names = [str(each["name"]) for each in self.concepts]

    @cached_property
    def nouns(self) -> list[str]:
        """What each concept is called in a caption: its name without "face" or a colour where that leaves no doubt."""
        plain = {name for name, each in zip(self.names, self.concepts, strict=True) if each["plain"]}
        return [_short(name, each, plain) for name, each in zip(self.names, self.concepts, strict=True)]

    def draw(self, scene: Scene) -> NDArray[np.float32]:
        """The picture, RGB (side, side, 3) in 0..1."""
        icon = self.pictures[scene.first, scene.style]
        if scene.colour:
            icon = turned(icon, HUES[scene.colour] - main_hue(icon)[0])
        if scene.second >= 0:
            icon = beside(icon, self.pictures[scene.second, scene.style])
        paper = np.array(BACKGROUNDS[scene.background or "white"], np.float32) / 255
        if scene.background and scene.background != "white":  # room around it, so that the background is seen
            icon = inset(icon)
        return icon[..., :3] + (1 - icon[..., 3:]) * paper

    def say(self, scene: Scene, wording: int = 0) -> str:
        """The caption; `wording` 0 has an article, 1 has none, 2 says what kind of thing it is."""
        first = self._one(scene.first, scene.colour, wording == 1)
        style = STYLES[scene.style]
        kind = f"{style} icon" if style else "icon"
        if scene.second >= 0:
            first += f" {scene.place or 'and'} {self._one(scene.second, '', wording == 1)}"
        if wording == 2 or style:
            first = f"{article(kind)} of {first}"
        return f"{first} on {article(scene.background)} background" if scene.background else first

    def _one(self, number: int, colour: str, bare: bool) -> str:
        noun = self.nouns[number]
        if colour:
            noun = f"{colour} {' '.join(word for word in noun.split() if word not in COLOUR_WORDS)}"
        return noun if bare else article(noun)

    def hue(self, number: int, style: str) -> tuple[float, float]:
        """Main hue in degrees and how pure it is, 0 to 1."""
        return main_hue(self.pictures[number, style])


def _short(name: str, concept: dict[str, object], plain: set[str]) -> str:
    """ "cat" for the cat's face, "apple" for the red one; the name where another plain concept is called so."""
    words = [word for word in name.split() if word not in COLOUR_WORDS or name == word]
    if str(concept["group"]).startswith(("animal", "cat", "monkey")) and words[-1] == "face":
        words = words[:-1]
    short = " ".join(words)
    return short if concept["plain"] and short not in plain - {name} else name


def article(noun: str) -> str:
    """ "an apple", "a cat", "grapes"."""
    last = noun.split()[-1]
    if last.endswith(PLURAL) and not last.endswith(ONE) and not last.endswith("ss"):
        return noun
    vowel = noun[0].lower() in "aeio" or noun.startswith(("umb", "hour"))
    return f"{'an' if vowel and not noun.startswith('one') else 'a'} {noun}"


def held_out(name: str, word: str, kind: str) -> bool:
    """Whether a concept with a colour or a background ("colour", "background") stays out of training."""
    if any(each["concept"] == name and each.get(kind) == word for each in prompts()):
        return True
    return chance(f"{name}|{word}|{kind}") < SHORT * 2**32


def prompts() -> list[dict[str, str]]:
    """The 48 prompts, chosen before any training."""
    found: list[dict[str, str]] = json.loads(PROMPTS.read_text())
    return found


def unseen() -> set[str]:
    """Names of the plain things that the generator is never shown, for the benchmark to ask for."""
    captions = json.loads(CAPTIONS.read_text())["captions"]
    return {each["name"] for each in captions if each["sort"] == "unseen"}


# -- pixels ------------------------------------------------------------------------------------------------------------


def reduced(pixels: NDArray[np.uint8], side: int) -> Picture:
    """uint8 (n, 64, 64, 4) with straight alpha as (n, side, side, 4) in 0..1, colours multiplied by alpha."""
    step = pixels.shape[1] // side
    real = pixels.astype(np.float32) / 255
    real[..., :3] *= real[..., 3:]
    return real.reshape(len(pixels), side, step, side, step, 4).mean((2, 4))


def main_hue(icon: Picture) -> tuple[float, float]:
    """The mean hue of the coloured pixels in degrees, and its purity: their share times how alike they are."""
    straight = icon[..., :3] / np.maximum(icon[..., 3:], 1e-3)
    top, low = straight.max(-1), straight.min(-1)
    solid = icon[..., 3] > 0.5
    weight = solid * np.where((top > 0.3) & (top - low > 0.25), top - low, 0)
    if not weight.sum():
        return 0.0, 0.0
    angle = np.exp(1j * np.deg2rad(hues(straight)))
    mean = (angle * weight).sum() / weight.sum()
    share = float((weight > 0).sum() / max(solid.sum(), 1))
    return float(np.rad2deg(np.angle(mean)) % 360), share * float(abs(mean))


def hues(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Hue in degrees of RGB (..., 3), as in HSV."""
    red, green, blue = np.moveaxis(colours, -1, 0)
    top, low = colours.max(-1), colours.min(-1)
    width = np.maximum(top - low, 1e-6)
    angle = np.where(
        top == red, (green - blue) / width, np.where(top == green, 2 + (blue - red) / width, 4 + (red - green) / width)
    )
    return (60 * angle) % 360


def turned(icon: Picture, degrees: float) -> Picture:
    """All hues of an icon turned by an angle; lightest and darkest part of each colour stay (HSV)."""
    colours = icon[..., :3]
    top, low = colours.max(-1, keepdims=True), colours.min(-1, keepdims=True)
    hue = (hues(colours) + degrees) % 360
    steps = (np.array([5, 3, 1], np.float32) + hue[..., None] / 60) % 6
    mixed = top - (top - low) * np.clip(np.minimum(steps, 4 - steps), 0, 1)
    return np.concatenate([mixed, icon[..., 3:]], -1).astype(np.float32)


def halved(icon: Picture) -> Picture:
    """Half as many pixels a side."""
    side = icon.shape[0] // 2
    return icon.reshape(side, 2, side, 2, 4).mean((1, 3))


def beside(left: Picture, right: Picture) -> Picture:
    """Two icons side by side, each at half its size."""
    side = left.shape[0]
    canvas = np.zeros_like(left)
    row = slice(side // 4, side // 4 + side // 2)
    canvas[row, : side // 2], canvas[row, side // 2 :] = halved(left), halved(right)
    return canvas


def inset(icon: Picture) -> Picture:
    """The icon at 7/8 of its size, in the middle."""
    side = icon.shape[0]
    inner, edge = side * 7 // 8, side // 16
    places = (np.arange(inner + 1) * (side / inner)).astype(np.float64)
    canvas = np.zeros_like(icon)
    canvas[edge : edge + inner, edge : edge + inner] = _box(_box(icon, places).swapaxes(0, 1), places).swapaxes(0, 1)
    return canvas


def _box(icon: Picture, edges: NDArray[np.float64]) -> Picture:
    """Rows of an icon averaged between given edges (area sampling)."""
    sums = np.concatenate([np.zeros_like(icon[:1]), np.cumsum(icon, 0)]).astype(np.float64)
    low = np.minimum(edges.astype(int), icon.shape[0])
    part = (edges - low)[:, None, None]
    at = sums[low] + part * (sums[np.minimum(low + 1, icon.shape[0])] - sums[low])
    return ((at[1:] - at[:-1]) / (edges[1:] - edges[:-1])[:, None, None]).astype(np.float32)
