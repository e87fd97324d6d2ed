"""Colours for drawings made of flat shapes: what they are called, and an SVG recoloured so that its shading stays.

All of it happens in OKLCH (Ottosson 2020): lightness 0 to 1, chroma 0 to about .3, hue in degrees. An object is
recoloured by its dominant colour: the palette within `WINDOW` degrees of that hue moves to the wanted one, differences
of lightness are kept, all else (the leaf of an apple, the eyes) stays.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import numpy as np
    from numpy.typing import NDArray

Lch = tuple[float, float, float]

# basic colours, and what else people call them: the value that is meant, and the basic colour that it counts as
COLOURS: dict[str, tuple[str, str]] = {
    name: (value, basic)
    for basic, names in {
        "red": "red:e0302a crimson:c2183c scarlet:e8291c ruby:b8123c maroon:7e1a24 russet:d2481e",
        "orange": "orange:f58220 amber:f9a61a apricot:f9b27c peach:fbb894 copper:c06a34 coral:f9755f",
        "yellow": "yellow:fcd01c gold:eebc1d golden:eebc1d lemon:fbe743 mustard:d6a51e blond:f0cf79",
        "green": "green:3fa648 lime:9ad62a emerald:12a05c olive:7e8230 mint:8fdcb8 jade:1f9e76 teal:12837e",
        "blue": "blue:2b78d4 navy:1c2f72 azure:3d9df0 cyan:2cbcdc turquoise:2fbdb9 aqua:35c4d8 sapphire:1f4fb4",
        "purple": "purple:8b3fc0 violet:8f52d6 lilac:b896dc lavender:b7a2e6 indigo:4a36a8 mauve:a874b0 plum:7c2f72",
        "pink": "pink:f58ab8 magenta:d42a94 rose:ee6a92 fuchsia:d934a8 salmon:f9917d",
        "brown": "brown:8a5228 tan:c8a070 chocolate:5e3418 bronze:96682c chestnut:7a3e22 hazel:8e6a38 sandy:d2b07c",
        "black": "black:2a2a2e ebony:2a2624",
        "white": "white:f3f4f6 ivory:f8f4e4 cream:f8efd2 beige:e8dcc0",
        "grey": "grey:8e9296 gray:8e9296 silver:b6bcc2 charcoal:4c5056",
    }.items()
    for name, value in (each.split(":") for each in names.split())
}
SHADES = {"light": 0.12, "pale": 0.14, "pastel": 0.14, "bright": 0.04, "dark": -0.16, "deep": -0.1}
NATURAL = {("red", name): "russet" for name in ("fox", "panda", "squirrel", "kangaroo", "raccoon", "hedgehog")}
KNOWN = {"white": "#ffffff", "black": "#000000", "red": "#ff0000", "blue": "#0000ff", "green": "#008000"}
KEYS = ("fill", "stroke", "stop-color", "flood-color")
WINDOW = 38.0  # degrees of hue to each side of the dominant one
FAINT = 0.04  # chroma below which a colour is none


@dataclass(frozen=True, slots=True)
class Shade:
    """A colour that was asked for: its words, sRGB as `#rrggbb`, and the basic colour it counts as."""

    name: str
    hex: str
    basic: str


def shade(name: str, modifier: str = "") -> Shade:
    """The colour of that name, lighter or darker where `modifier` says so; raises KeyError for none."""
    value, basic = COLOURS[name]
    if not modifier:
        return Shade(name, f"#{value}", basic)
    light, chroma, hue = to_lch(f"#{value}")
    moved = min(0.97, max(0.12, light + SHADES[modifier]))
    return Shade(f"{modifier} {name}", to_hex((moved, chroma * (0.8 if moved > light else 0.95), hue)), basic)


def to_lch(code: str) -> Lch:
    """OKLCH of `#rrggbb`."""
    red, green, blue = (_linear(int(code[at : at + 2], 16) / 255) for at in (1, 3, 5))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    light = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return light, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


def to_hex(colour: Lch) -> str:
    """`#rrggbb` of a colour in OKLCH; chroma that no screen shows is reduced until one does."""
    light, chroma, hue = colour
    for _ in range(24):
        found = _rgb(light, chroma, hue)
        if all(-0.002 <= part <= 1.002 for part in found):
            break
        chroma *= 0.92
    parts = (round(255 * _curved(min(1.0, max(0.0, part)))) for part in found)
    return "#" + "".join(f"{part:02x}" for part in parts)


def _rgb(light: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _curved(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def apart(one: float, other: float) -> float:
    """From one hue to another by the shorter way, -180 to 180 degrees."""
    return (other - one + 180) % 360 - 180


def basic(colour: Lch) -> str:
    """Which of the eleven basic colours this is."""
    light, chroma, hue = colour
    if chroma < FAINT:
        return "black" if light < 0.38 else "white" if light > 0.88 else "grey"
    if hue < 12 or hue >= 340:
        return "pink" if light > 0.62 else "red" if hue < 12 else "purple"
    if hue < 41:
        return "pink" if light > 0.73 else "red" if light > 0.42 and chroma > 0.12 else "brown"
    if hue < 72:
        return "orange" if light > (0.62 if chroma > 0.1 else 0.78) else "brown"
    if hue < 112:
        return "yellow" if light > 0.72 else "brown" if hue < 95 else "green"
    return "green" if hue < 192 else "blue" if hue < 284 else "purple" if light < 0.72 or hue < 320 else "pink"


# -- recolouring -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dominant:
    """The colour that most of an object has, and the share of the object that is near it."""

    colour: Lch
    share: float
    faint: bool  # white, grey or black


def dominant(pixels: NDArray[np.uint8]) -> Dominant | None:
    """The dominant colour of RGBA pixels (h, w, 4); None where nothing is drawn."""
    seen = _counted(pixels)
    total = _weight(seen)
    if not total:
        return None
    vivid = [(colour, number) for colour, number in seen if colour[1] >= FAINT]
    faint = [(colour, number) for colour, number in seen if colour[1] < FAINT]
    if _weight(faint) > 0.6 * total:
        dark = [each for each in faint if each[0][0] < 0.45]
        light = [each for each in faint if each[0][0] >= 0.45]
        return _mean(max(dark, light, key=_weight), total, True)
    middles = range(0, 360, 10)
    near = {m: [each for each in vivid if abs(apart(m, each[0][2])) <= WINDOW * 0.75] for m in middles}
    best = max(middles, key=lambda middle: _weight(near[middle]))
    return _mean(near[best], total, False)


def share(pixels: NDArray[np.uint8], wanted: str) -> float:
    """How much of RGBA pixels (h, w, 4) has a basic colour, 0 to 1 of what is drawn."""
    seen = _counted(pixels)
    return _weight([each for each in seen if basic(each[0]) == wanted]) / max(1, _weight(seen))


def _counted(pixels: NDArray[np.uint8]) -> list[tuple[Lch, int]]:
    """The colours of RGBA pixels (h, w, 4) that are not clear, in steps of 8 levels, and how many have each."""
    import numpy as np

    solid = pixels.reshape(-1, 4)
    rows = (solid[solid[:, 3] > 127][:, :3] & 0xF8).astype(np.uint32)
    codes, counts = np.unique(rows[:, 0] << 16 | rows[:, 1] << 8 | rows[:, 2], return_counts=True)
    return [(to_lch(f"#{code:06x}"), number) for code, number in zip(codes.tolist(), counts.tolist(), strict=True)]


def _weight(colours: Iterable[tuple[Lch, int]]) -> int:
    return sum(number for _, number in colours)


def _mean(colours: list[tuple[Lch, int]], total: int, faint: bool) -> Dominant:
    weight = _weight(colours)
    light = sum(colour[0] * number for colour, number in colours) / weight
    chroma = sum(colour[1] * number for colour, number in colours) / weight
    east = sum(colour[1] * math.cos(math.radians(colour[2])) * number for colour, number in colours)
    north = sum(colour[1] * math.sin(math.radians(colour[2])) * number for colour, number in colours)
    return Dominant((light, chroma, math.degrees(math.atan2(north, east)) % 360), weight / total, faint)


def recolour(root: Element, main: Dominant, wanted: Shade) -> bool:
    """Turn the dominant colours of a drawing into the wanted one, in place; False where they have it already."""
    target = to_lch(wanted.hex)
    if basic(main.colour) == wanted.basic == wanted.name and _near(main.colour, target):
        return False
    for each in root.iter():
        for key in KEYS:
            code = _hex(each.get(key, ""))
            if code and _belongs(to_lch(code[:7]), main):
                each.set(key, _moved(to_lch(code[:7]), main.colour, target) + code[7:])
    return True


def _near(colour: Lch, target: Lch) -> bool:
    """Whether a colour of the right name needs no change; between red and yellow the eye is strict."""
    turn = abs(apart(colour[2], target[2]))
    return target[1] < FAINT or (turn <= (6 if target[2] < 115 else 18) and abs(colour[0] - target[0]) < 0.22)


def _belongs(colour: Lch, main: Dominant) -> bool:
    light, chroma, hue = colour
    if main.faint:
        return chroma < FAINT * 1.5 and (light > 0.4 if main.colour[0] > 0.45 else light < 0.5)
    return chroma >= FAINT * 0.75 and abs(apart(main.colour[2], hue)) <= WINDOW


def _moved(colour: Lch, main: Lch, target: Lch) -> str:
    """A colour of the object, as far from the target as it was from the dominant one."""
    plain = target[1] < FAINT
    kept = 0.55 if plain or main[1] < FAINT else 0.85  # of the differences of lightness
    light = target[0] + (colour[0] - main[0]) * kept
    strength = 1.0 if main[1] < FAINT else min(1.35, max(0.4, colour[1] / main[1]))
    turn = 0.0 if main[1] < FAINT else 0.5 * apart(main[2], colour[2])
    return to_hex((min(0.985, max(0.08, light)), target[1] * strength, target[2] + turn))


def _hex(code: str) -> str:
    """`#rrggbb`, or `#rrggbbaa`, of an attribute; empty where it is no plain colour."""
    code = KNOWN.get(code.lower(), code.lower())
    if re.fullmatch(r"#[0-9a-f]{3,4}", code):
        return "#" + "".join(2 * part for part in code[1:])
    return code if re.fullmatch(r"#[0-9a-f]{6}([0-9a-f]{2})?", code) else ""
