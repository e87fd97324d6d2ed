"""Backgrounds for composed pictures: skies and grounds as a few shapes with gradients, drawn here.

Everything lies in a square of 512 units. A ground says where things stand; some have a part in front of them (waves).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from transpose.media.icon_colour import Lch, Shade, basic, to_hex, to_lch

SIDE = 512
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Ground:
    """What is behind and in front of things (SVG), the line where they stand, and the sky that goes with it."""

    back: str
    front: str = ""
    foot: float = 430.0
    sky: str = "day"
    shadows: bool = True


def gradient(name: str, *stops: str) -> str:
    """A gradient from top to bottom through these colours."""
    last = max(1, len(stops) - 1)
    parts = "".join(f'<stop offset="{at / last:.2f}" stop-color="{code}"/>' for at, code in enumerate(stops))
    return f'<linearGradient id="{name}" x1="0" y1="0" x2="0" y2="1">{parts}</linearGradient>'


def shaded(code: str, light: float, strength: float = 1.0) -> str:
    """A colour lighter (or darker, below zero) by so much of OKLCH's lightness."""
    was, chroma, hue = to_lch(code)
    return to_hex((min(0.98, max(0.06, was + light)), chroma * strength, hue))


def plain(colour: Shade, beside: Lch | None = None) -> str:
    """A background of one colour; lighter or darker where the thing on it, mainly `beside`, would be lost."""
    code = {"white": "#ffffff", "black": "#19191c"}.get(colour.name, colour.hex)
    light = to_lch(code)[0]
    if beside and basic(beside) == colour.basic and abs(beside[0] - light) < 0.13:
        code = shaded(code, 0.2 if light < 0.75 else -0.14, 0.7)
    return f'<rect width="{SIDE}" height="{SIDE}" fill="{code}"/>'


# -- skies -------------------------------------------------------------------------------------------------------------


def _sky(name: str, *stops: str) -> str:
    return f'{gradient(f"sky-{name}", *stops)}<rect width="{SIDE}" height="{SIDE}" fill="url(#sky-{name})"/>'


def _dots(count: int, seed: int, down_to: int) -> str:
    """Stars: the same ones each time."""
    chance = random.Random(seed)
    dots = []
    for _ in range(count):
        across, down, size = chance.uniform(6, 506), chance.uniform(6, down_to), chance.choice((0.9, 1.1, 1.4, 2.2))
        dots.append(f'<circle cx="{across:.0f}" cy="{down:.0f}" r="{size}" opacity="{chance.uniform(0.5, 1):.1f}"/>')
    return f'<g fill="#fffbe6">{"".join(dots)}</g>'


def _cloud(left: float, top: float, scale: float, shade: str = "#ffffff") -> str:
    shapes = (
        '<ellipse cx="0" cy="0" rx="34" ry="20"/><ellipse cx="-26" cy="9" rx="24" ry="14"/>'
        '<ellipse cx="28" cy="8" rx="28" ry="15"/><rect x="-48" y="8" width="102" height="15" rx="7.5"/>'
    )
    return f'<g fill="{shade}" opacity="0.92" transform="translate({left} {top}) scale({scale})">{shapes}</g>'


def _day(tint: str) -> str:
    top = tint or "#6fb7ef"
    clouds = _cloud(96, 92, 1.05) + _cloud(410, 66, 0.85) + _cloud(330, 176, 0.6)
    return _sky("day", top, shaded(top, 0.2, 0.5)) + clouds


def _night(tint: str) -> str:
    top = tint or "#0c1238"
    return _sky("night", top, shaded(top, 0.14, 1.1)) + _dots(70, 7, 440)


def _space(tint: str) -> str:
    return _sky("space", tint or "#05060f", shaded(tint or "#05060f", 0.09)) + _dots(120, 11, 508)


def _sunset(tint: str) -> str:
    sun = '<g fill="#ffe9a8"><circle cx="256" cy="330" r="74"/><circle cx="256" cy="330" r="96" opacity="0.3"/></g>'
    return _sky("sunset", tint or "#5b3b8c", "#d8587c", "#fb9a4b", "#ffd36b") + sun


def _rain(tint: str) -> str:
    chance = random.Random(5)
    drops = "".join(
        f'<path d="M{x:.0f} {y:.0f}l-5 20"/>'
        for x, y in ((chance.uniform(4, 508), chance.uniform(70, 490)) for _ in range(60))
    )
    clouds = _cloud(110, 54, 1.5, "#8b98a6") + _cloud(300, 40, 1.7, "#7d8b9a") + _cloud(440, 62, 1.3, "#909dab")
    rain = f'<g stroke="#e3f1fb" stroke-width="2.6" stroke-linecap="round" opacity="0.75">{drops}</g>'
    return _sky("rain", tint or "#74879b", "#b4c3d0") + clouds + rain


def _snowfall(tint: str) -> str:
    chance = random.Random(3)
    flakes = ""
    for _ in range(60):
        across, down, size = chance.uniform(4, 508), chance.uniform(4, 500), chance.choice((2.5, 3.5, 5))
        flakes += f'<circle cx="{across:.0f}" cy="{down:.0f}" r="{size}"/>'
    return _sky("snowfall", tint or "#8fb3d4", "#dbe8f2") + f'<g fill="#ffffff" opacity="0.9">{flakes}</g>'


SKIES: dict[str, Callable[[str], str]] = {
    "day": _day, "night": _night, "space": _space, "sunset": _sunset, "rain": _rain, "snowfall": _snowfall
}  # fmt: skip

# -- grounds -----------------------------------------------------------------------------------------------------------


def _filled(name: str, path: str, *stops: str) -> str:
    return f'{gradient(f"ground-{name}", *stops)}<path d="{path}" fill="url(#ground-{name})"/>'


def _hill(tint: str) -> Ground:
    green = tint or "#57b04a"
    far = _filled("far", "M0 400Q120 300 270 372T512 352V512H0Z", shaded(green, 0.1, 0.8), shaded(green, 0.02))
    near = _filled("near", "M0 470Q110 380 256 380T512 470V512H0Z", green, shaded(green, -0.14))
    return Ground(far + near, foot=398)


def _grass(tint: str) -> Ground:
    green = tint or "#5cb548"
    blades = "".join(
        f'<path d="M{x} {y}q-3 -12 -7 -16q8 4 9 16q1 -14 8 -19q-3 8 -3 19z"/>'
        for x, y in ((40, 404), (120, 470), (205, 398), (300, 488), (362, 410), (455, 462), (482, 396), (66, 496))
    )
    meadow = _filled("grass", "M0 366Q256 346 512 366V512H0Z", shaded(green, 0.06), shaded(green, -0.14))
    return Ground(f'{meadow}<g fill="{shaded(green, -0.13)}">{blades}</g>', foot=444)


def _wave(down: float, depth: float, shift: float) -> str:
    """The outline of water from a wavy line down to the edge."""
    crests = "".join(f"q32 {-depth:g} 64 0t64 0" for _ in range(5))
    return f"M{-64 - shift:g} {down:g}{crests}V512H0Z"


def _sea(tint: str) -> Ground:
    blue = tint or "#2f8fd0"
    back = _filled("sea", "M0 300H512V512H0Z", shaded(blue, 0.1), shaded(blue, -0.1))
    back += f'<path d="{_wave(340, 9, 20)}" fill="{shaded(blue, 0.04)}" opacity="0.6"/>'
    front = f'<path d="{_wave(412, 14, 0)}" fill="{shaded(blue, -0.02)}" opacity="0.92"/>'
    front += f'<path d="{_wave(456, 14, 36)}" fill="{shaded(blue, -0.08)}" opacity="0.92"/>'
    return Ground(back, front, foot=428, shadows=False)


def _depth(tint: str) -> Ground:
    blue = tint or "#2f97d8"
    rays = '<g fill="#ffffff" opacity="0.1"><path d="M90 0h50L60 512H-60z"/><path d="M250 0h60l20 512H180z"/>'
    rays += '<path d="M400 0h40l130 512H440z"/></g>'
    sand = _filled("sand", "M0 470Q140 440 270 466T512 456V512H0Z", "#e9d39a", "#c9ac6c")
    bubbles = "".join(
        f'<circle cx="{x}" cy="{y}" r="{r}"/>'
        for x, y, r in ((70, 150, 9), (92, 110, 6), (438, 214, 8), (452, 170, 5), (428, 140, 4))
    )
    water = _filled("water", "M0 0H512V512H0Z", shaded(blue, 0.14), shaded(blue, -0.16))
    return Ground(f'{water}{rays}{sand}<g fill="#ffffff" opacity="0.35">{bubbles}</g>', foot=400, shadows=False)


def _beach(tint: str) -> Ground:
    sand = tint or "#f2d9a0"
    sea = _filled("sea", "M0 262H512V400H0Z", "#3fa7de", "#66cbe8")
    foam = '<path d="M0 372Q70 352 150 366T320 358T512 350V392H0Z" fill="#ffffff" opacity="0.8"/>'
    shore = _filled("shore", "M0 380Q70 360 150 374T320 366T512 358V512H0Z", sand, shaded(sand, -0.1, 1.3))
    return Ground(sea + foam + shore, foot=446)


def _snow(tint: str) -> Ground:
    white = tint or "#f6fafd"
    far = _filled("far", "M0 372Q130 318 280 360T512 336V512H0Z", shaded(white, -0.03), shaded(white, -0.08))
    near = _filled("near", "M0 404Q180 372 330 396T512 388V512H0Z", white, shaded(white, -0.09, 2))
    return Ground(far + near, foot=446)


def _desert(tint: str) -> Ground:
    sand = tint or "#eec27a"
    far = _filled("far", "M0 392Q110 300 240 366Q350 310 512 372V512H0Z", shaded(sand, 0.03), shaded(sand, -0.07))
    near = _filled("near", "M0 440Q170 372 320 418T512 396V512H0Z", sand, shaded(sand, -0.12))
    return Ground(far + near, foot=442)


def _crater(across: float, down: float, wide: float, code: str) -> str:
    dark, bright = shaded(code, -0.1), shaded(code, 0.08)
    return (
        f'<ellipse cx="{across}" cy="{down + 2}" rx="{wide}" ry="{wide * 0.32:.1f}" fill="{bright}"/>'
        f'<ellipse cx="{across}" cy="{down}" rx="{wide * 0.94:.1f}" ry="{wide * 0.27:.1f}" fill="{dark}"/>'
    )


def _rock(tint: str, code: str) -> Ground:
    code = tint or code
    land = _filled("rock", "M0 396Q256 330 512 396V512H0Z", shaded(code, 0.05), shaded(code, -0.12))
    craters = ((90, 420, 34), (196, 384, 20), (330, 392, 24), (430, 432, 40), (150, 482, 44), (318, 488, 34))
    return Ground(land + "".join(_crater(*each, code) for each in craters), foot=440, sky="space")


def _mountain(tint: str) -> Ground:
    grey = tint or "#7c8aa0"
    far = _filled(
        "far", "M-20 420L120 190L210 320L300 220L420 400L540 300V512H-20Z", shaded(grey, 0.12), shaded(grey, 0.04)
    )
    peaks = '<path d="M120 190L86 246L112 236L128 252L150 238L152 236Z" fill="#ffffff"/>'
    peaks += '<path d="M300 220L272 248L296 246L312 256L330 264L326 260Z" fill="#ffffff"/>'
    near = _filled("near", "M0 512L90 450L256 404L420 452L512 500V512Z", grey, shaded(grey, -0.12))
    return Ground(far + peaks + near, foot=422)


def _fir(across: float, foot: float, high: float, code: str) -> str:
    wide = high * 0.24
    tiers = ""
    for tier in range(3):
        half = wide * (0.55 + 0.22 * tier)
        tip, rim = foot - high * (1 - 0.22 * tier), foot - high * (0.6 - 0.25 * tier)
        path = f"M{across} {tip:.0f}L{across + half:.0f} {rim:.0f}H{across - half:.0f}Z"
        tiers += f'<path d="{path}" fill="{shaded(code, -0.03 * tier)}"/>'
    trunk = _block(across - 5, foot - high * 0.14, 10, high * 0.14, "#6b4a2e")
    return trunk + tiers


def _block(left: float, top: float, wide: float, high: float, code: str) -> str:
    return f'<rect x="{left:.0f}" y="{top:.0f}" width="{wide:.0f}" height="{high:.0f}" fill="{code}"/>'


def _forest(tint: str) -> Ground:
    green = tint or "#3f8f4f"
    back = "".join(
        _fir(x, 384, h, shaded(green, 0.07, 0.8))
        for x, h in ((20, 190), (110, 230), (200, 180), (300, 210), (392, 240), (486, 196))
    )
    near = "".join(_fir(x, 408, h, green) for x, h in ((58, 250), (456, 270)))
    floor = _filled("floor", "M0 376Q256 360 512 376V512H0Z", "#79b558", "#4d8a3c")
    return Ground(back + floor + near, foot=452)


def _road(tint: str) -> Ground:
    grey = tint or "#5d6169"
    verge = _filled("verge", "M0 356Q256 344 512 356V512H0Z", "#78bd5c", "#5a9f46")
    lane = f'<rect y="398" width="512" height="92" fill="{grey}"/>'
    lines = "".join(f'<rect x="{x}" y="454" width="56" height="7" rx="2"/>' for x in (-20, 90, 200, 310, 420))
    return Ground(f'{verge}{lane}<g fill="#f4f1e4">{lines}</g>', foot=446)


def _table(tint: str) -> Ground:
    wood = tint or "#b67f4c"
    wall = _filled("wall", "M0 0H512V512H0Z", "#f6ecdc", "#ead9c0")
    top = _filled("top", "M20 390H492L512 440H0Z", shaded(wood, 0.08), wood)
    edge = f'<rect y="440" width="512" height="22" fill="{shaded(wood, -0.1)}"/>'
    legs = f'<path d="M34 462h40v50H34zM438 462h40v50H438z" fill="{shaded(wood, -0.15)}"/>'
    return Ground(wall + top + edge + legs, foot=420)


def _city(tint: str) -> Ground:
    grey = tint or "#8794ab"
    chance = random.Random(2)
    parts, left = [], -8.0
    while left < 512:
        wide, high = chance.uniform(44, 78), chance.uniform(90, 230)
        parts.append(_block(left, 396 - high, wide, high + 10, shaded(grey, chance.uniform(-0.08, 0.1))))
        grid = product(range(int(wide // 18)), range(int(high // 26)))
        lit = [(left + 7 + 17 * column, 406 - high + 25 * row) for column, row in grid]
        parts += [_block(across, down, 8, 12, "#f7eab6") for across, down in lit]
        left += wide + 3
    street = _filled("street", "M0 396H512V512H0Z", "#6a6f78", "#4f535b")
    return Ground("".join(parts) + street, foot=452)


GROUNDS: dict[str, Callable[[str], Ground]] = {
    "hill": _hill, "grass": _grass, "sea": _sea, "depth": _depth, "beach": _beach, "snow": _snow, "desert": _desert,
    "moon": lambda tint: _rock(tint, "#b4b8bf"), "mars": lambda tint: _rock(tint, "#c8623c"), "mountain": _mountain,
    "forest": _forest, "road": _road, "table": _table, "city": _city,
}  # fmt: skip


def background(ground: str, sky: str, tint: str) -> tuple[str, Ground | None]:
    """The SVG behind everything, and the ground, of which `front` goes before everything."""
    stand = GROUNDS[ground](tint) if ground else None
    name = sky or (stand.sky if stand else "day")
    behind = SKIES[name]("" if ground else tint)
    if stand and name in ("night", "space") and stand.sky != "space":
        dimmed = Ground(_dimmed(stand.back, "back"), _dimmed(stand.front, "front"), stand.foot, name, False)
        return behind + dimmed.back, dimmed
    return behind + (stand.back if stand else ""), stand


def _dimmed(shapes: str, name: str) -> str:
    """The same shapes by night: darker and bluer."""
    if not shapes:
        return ""
    matrix = f'<feColorMatrix values="{MOONLIT}"/>'
    dark = f'<filter id="night-{name}" color-interpolation-filters="sRGB">{matrix}</filter>'
    return f'{dark}<g filter="url(#night-{name})">{shapes}</g>'


MOONLIT = "0.34 0 0 0 0.02  0 0.38 0 0 0.04  0 0 0.5 0 0.14  0 0 0 1 0"
