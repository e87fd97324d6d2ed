"""The labelled pictures for recipes/probe_image.py: real photographs and pages, and made pages, charts and drawings.

Every picture has a source name; all crops of one photograph and all pages of one document share it, so that none is
both learnt from and tested on.
"""

from __future__ import annotations

import gzip
import io
import math
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Sample = tuple[str, str, Image.Image]  # label, source, picture

LOMIRI = ("Bridge", "Dragonfly", "Kleiber", "Picture_0B", "Picture_1A", "Wine", "aitzgorri", "free_by", "friends")
LOMIRI += ("greentock", "life_by", "sunset", "picos", "seeding")
PLASMA = ("BytheWater", "ColdRipple", "ColorfulCups", "DarkestHour", "EveningGlow", "FallenLeaf", "Grey", "Kite")
PLASMA += ("OneStandsOut", "Path", "summer_1am")
SKIMAGE = ("astronaut", "brick", "camera", "chelsea", "clock", "coffee", "coins", "grass", "gravel", "rocket")
PHOTOS = (
    *(f"usr/share/backgrounds/{name}*" for name in LOMIRI),
    *(f"usr/share/wallpapers/{name}/contents/images/*x*.jpg" for name in PLASMA),
    *(f"skimage/data/{name}*" for name in SKIMAGE),
    "usr/share/backgrounds/mate/nature/*.jpg",
    "usr/share/libjxl-testdata/external/wesaturate/500px/*_srgb8.png",
    "usr/share/libjxl-testdata/jxl/flower/flower.png",
    "usr/share/libjxl-testdata/jxl/hdr_room.png",
    "skimage/data/motorcycle_left.png",
    "sklearn/datasets/images/*.jpg",
)
KYLIN = ("2004", "Fossa", "Painting", "firstgen", "rhythm", "string", "the-mouse", "umang", "calla", "city", "fluent")
KYLIN += ("focal", "goldfish", "rollpaper")
ARTFUL = ("Altai", "Autumn", "Canopee", "Cascade", "Cluster", "Elarun", "Flow", "FlyingKonqui", "Honeywave", "IceCold")
ARTFUL += ("Kay", "Kokkini", "MilkyWay", "Opal", "Patak", "SafeLanding", "Shell", "Volna")
DRAWN = (
    *(f"usr/share/backgrounds/{name}*" for name in KYLIN),
    *(f"usr/share/wallpapers/{name}/contents/images/*x*.*" for name in ARTFUL),
    "usr/share/backgrounds/gnome/*.webp",
    "usr/share/backgrounds/mate/desktop/*.*",
    "usr/share/backgrounds/mate/abstract/*.*",
    "usr/share/doc/octave/octave.html/*.png",
    "usr/share/icons/Tango/**/*.png",
    "skimage/data/horse.png",
    "skimage/data/logo.png",
    "skimage/data/color.png",
    "skimage/data/phantom.png",
    "skimage/data/chessboard_*.png",
)
DOCUMENTS = (
    "usr/share/doc/octave/*.pdf",
    "usr/share/doc/bash/*.pdf",
    "usr/share/doc/debian-policy/policy.pdf*",
    "usr/share/doc/debian-policy/fhs/*.pdf*",
    "usr/share/doc/debian/FAQ/debian-faq.en.pdf*",
    "usr/share/doc/maint-guide/*.pdf",
    "usr/share/developers-reference/*.pdf",
    "usr/share/debian-reference/*.pdf",
)

WORDS = (
    "the of and to in is was that for on with as it be at by this had not are but from or have an they which one you "
    "were her all she there would their we him been has when who will more no if out so said what up its about into "
    "than them can only other new some could time these two may then do first any my now such like our over man me "
    "even most made after also did many before must through back years where much your way well down should because "
    "harbour window engine letter garden mountain question answer village weather history science museum station"
).split()  # noqa: SIM905


def pictures(roots: list[Path], seed: int = 0) -> Iterator[Sample]:
    """All samples, the same ones in the same order for one seed and the same folders."""
    chance = random.Random(seed)
    yield from _files(roots, PHOTOS, "photo", chance, crops=4)
    yield from _files(roots, DRAWN, "drawing", chance, crops=1)
    yield from _documents(roots, chance)
    fonts = sorted(path for root in roots for path in root.rglob("*.[to]tf") if "Symbol" not in path.name)
    faces = [path for path in fonts if _latin(path)]
    for number in range(260):
        face = faces[number % len(faces)]
        yield "page", f"made page in {face.stem}", _degrade(_page(chance, face), chance)
    for number in range(240):
        yield "drawing", f"made chart {number}", _chart(chance, faces[number % len(faces)])


def _latin(path: Path) -> bool:
    try:
        return 100 < ImageFont.truetype(str(path), 20).getlength("harbour window engine") < 400
    except OSError:
        return False


def _files(
    roots: list[Path], patterns: tuple[str, ...], label: str, chance: random.Random, crops: int
) -> Iterator[Sample]:
    found = sorted({path for root in roots for pattern in patterns for path in root.glob(pattern) if path.is_file()})
    seen: dict[str, int] = {}
    for path in found:
        source = path.parts[path.parts.index("wallpapers") + 1] if "wallpapers" in path.parts else path.stem
        seen[source] = seen.get(source, 0) + 1
        if seen[source] > 2 or path.suffix not in (".png", ".jpg", ".webp"):
            continue
        with Image.open(path) as picture:
            whole = picture.convert("RGBA")
        sheet = Image.new("RGBA", whole.size, "white")
        sheet.alpha_composite(whole)
        whole = sheet.convert("RGB")
        if min(whole.size) >= 64:
            yield label, source, whole
        for _ in range(crops if min(whole.size) >= 256 else 0):
            share = chance.uniform(0.35, 0.8)
            width, height = int(whole.width * share), int(whole.height * share)
            left, top = chance.randrange(whole.width - width), chance.randrange(whole.height - height)
            part = whole.crop((left, top, left + width, top + height))
            yield label, source, part.convert("L").convert("RGB") if chance.random() < 0.25 else _jpeg(part, chance)


def _documents(roots: list[Path], chance: random.Random) -> Iterator[Sample]:
    for path in sorted({path for root in roots for pattern in DOCUMENTS for path in root.glob(pattern)}):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        source = path.name.removesuffix(".gz")
        if path.suffix == ".pdf" and path.with_name(path.name + ".gz").exists():
            continue
        document = pdfium.PdfDocument(data)
        for number in sorted(chance.sample(range(len(document)), min(14, len(document)))):
            page = document[number]
            if len(page.get_textpage().get_text_range()) < 400:
                continue
            drawn = page.render(scale=chance.choice((72, 100, 150, 200)) / 72).to_pil().convert("RGB")
            yield "page", source, _degrade(drawn, chance) if chance.random() < 0.5 else drawn
        document.close()


def _jpeg(picture: Image.Image, chance: random.Random) -> Image.Image:
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=chance.randint(40, 92))
    return Image.open(io.BytesIO(data.getvalue())).convert("RGB")


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(words)).capitalize() + "."


def _lines(chance: random.Random, font: ImageFont.FreeTypeFont, width: float, words: int) -> list[str]:
    lines = [""]
    for word in _text(chance, words).split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _page(chance: random.Random, face: Path) -> Image.Image:
    """A letter, an article in columns, a list, a receipt or a screen of text."""
    width, height = chance.choice(
        ((850, 1100), (1240, 1754), (1080, 1920), (1280, 800), (620, 877), (420, 900), (900, 500))
    )
    dark = chance.random() < 0.15
    paper = (
        tuple(chance.randint(8, 45) for _ in range(3)) if dark else tuple(chance.randint(225, 255) for _ in range(3))
    )
    inks = ((235, 235, 230),) if dark else ((0, 0, 0), (30, 30, 60), (70, 60, 50))
    sheet = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(sheet)
    size = max(12, int(width / chance.uniform(38, 75)))
    font, heading = (
        ImageFont.truetype(str(face), size),
        ImageFont.truetype(str(face), int(size * chance.uniform(1.3, 2.2))),
    )
    margin = int(width * chance.uniform(0.04, 0.14))
    columns = chance.choice((1, 1, 1, 2, 3)) if width > 800 else 1
    gap = size * 2
    column = (width - 2 * margin - gap * (columns - 1)) / columns
    ink = chance.choice(inks)
    draw.text((margin, margin), _text(chance, 3), ink, heading)
    end = height * chance.uniform(0.55, 0.97)
    for number in range(columns):
        top, left = margin + size * 4.0, margin + number * (column + gap)
        while top < end - size * 2:
            bullet = chance.random() < 0.15
            for line in _lines(chance, font, column - size * bullet, chance.randint(6, 90)):
                if top < end - size * 2:
                    draw.text((left + size * bullet, top), line, ink, font)
                top += size * 1.4
            top += size * chance.uniform(0, 1.2)
    return sheet


def _degrade(page: Image.Image, chance: random.Random) -> Image.Image:
    """Nothing, or some of: lean, soft focus, low resolution, grey paper, shadow, noise, JPEG, a table around it."""
    if chance.random() < 0.3:
        return page
    picture = page
    if chance.random() < 0.5:
        picture = picture.rotate(chance.uniform(-3, 3), Image.Resampling.BICUBIC, fillcolor=picture.getpixel((2, 2)))
    if chance.random() < 0.4:
        picture = picture.filter(ImageFilter.GaussianBlur(chance.uniform(0.4, 1.4)))
    if chance.random() < 0.3:
        share = chance.uniform(0.5, 0.8)
        picture = picture.resize((int(picture.width * share), int(picture.height * share)))
    values = np.asarray(picture).astype(np.float32)
    noise = np.random.default_rng(chance.randrange(10**9))
    if chance.random() < 0.5:
        values = chance.uniform(20, 60) + values * chance.uniform(0.6, 0.75)
        slope = np.linspace(chance.uniform(-30, 30), chance.uniform(-30, 30), values.shape[1])[None, :, None]
        values = values + slope
    if chance.random() < 0.5:
        values = values + noise.normal(0, chance.uniform(2, 12), values.shape)
    return _jpeg(Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)), chance)


def _chart(chance: random.Random, face: Path) -> Image.Image:
    """A bar, line or pie chart, a diagram of boxes, a grid, a form, shapes, a gradient, staves, a maze of squares."""
    width, height = chance.choice(((640, 480), (800, 600), (1200, 800), (512, 512), (400, 300)))
    sheet = Image.new("RGB", (width, height), chance.choice(("white", "white", "white", "#f4f4f4", "#202428")))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(str(face), chance.randint(11, 20))
    kind = chance.choice((_bars, _curves, _pie, _boxes, _grid, _shapes, _gradient, _staves, _squares))
    kind(draw, width, height, chance, font)
    return _jpeg(sheet, chance) if chance.random() < 0.3 else sheet


Drawing = ImageDraw.ImageDraw
Font = ImageFont.FreeTypeFont


def _any_colour(chance: random.Random) -> tuple[int, int, int]:
    return chance.randrange(256), chance.randrange(256), chance.randrange(256)


def _axes(draw: Drawing, w: int, h: int, chance: random.Random, font: Font) -> None:
    draw.line((60, 40, 60, h - 50, w - 30, h - 50), "grey", 2)
    draw.text((w / 3, 10), _text(chance, 3), "grey", font)
    for n in range(6):
        draw.text((20, h - 60 - n * (h - 100) / 5), f"{n * 20}", "grey", font)
        draw.text((60 + n * (w - 100) / 6, h - 42), chance.choice(WORDS), "grey", font)


def _bars(draw: Drawing, w: int, h: int, chance: random.Random, font: Font) -> None:
    _axes(draw, w, h, chance, font)
    count = chance.randint(3, 14)
    for n in range(count):
        left = 70 + n * (w - 110) / count
        draw.rectangle((left, chance.uniform(50, h - 60), left + (w - 110) / count * 0.7, h - 50), _any_colour(chance))


def _curves(draw: Drawing, w: int, h: int, chance: random.Random, font: Font) -> None:
    _axes(draw, w, h, chance, font)
    for _ in range(chance.randint(1, 5)):
        a, b, c = chance.uniform(1, 9), chance.uniform(0, 6), chance.uniform(0.1, 0.4)
        dots = [(x, h / 2 + h * c * math.sin(a * x / w + b) + chance.uniform(-9, 9)) for x in range(62, w - 30, 4)]
        draw.line(dots, _any_colour(chance), chance.randint(1, 4))


def _pie(draw: Drawing, w: int, h: int, chance: random.Random, font: Font) -> None:
    start, side = 0.0, min(w, h) - 100
    for _ in range(chance.randint(2, 8)):
        end = start + chance.uniform(20, 120)
        draw.pieslice((50, 50, 50 + side, 50 + side), start, min(360, end), _any_colour(chance))
        draw.text((side + 70, 60 + start / 2), chance.choice(WORDS), "grey", font)
        start = end


def _boxes(draw: Drawing, w: int, h: int, chance: random.Random, font: Font) -> None:
    for _ in range(chance.randint(3, 12)):
        x, y = chance.uniform(10, w - 130), chance.uniform(10, h - 60)
        draw.line((x + 50, y + 20, chance.uniform(0, w), chance.uniform(0, h)), "grey", 2)
        draw.rounded_rectangle((x, y, x + 110, y + 44), 8, _any_colour(chance), "black", 2)
        draw.text((x + 12, y + 12), chance.choice(WORDS), "white", font)


def _grid(draw: Drawing, w: int, h: int, chance: random.Random, font: Font) -> None:
    step = chance.randint(14, 70)
    for x in range(0, w, step):
        draw.line((x, 0, x, h), "grey", chance.randint(1, 2))
    for y in range(0, h, step):
        draw.line((0, y, w, y), "grey", 1)
    draw.text((10, 6), _text(chance, 4), "grey", font)


def _shapes(draw: Drawing, w: int, h: int, chance: random.Random, font: Font) -> None:
    for _ in range(chance.randint(2, 40)):
        x, y, r = chance.uniform(0, w), chance.uniform(0, h), chance.uniform(5, 140)
        chance.choice((draw.ellipse, draw.rectangle))((x - r, y - r, x + r, y + r), _any_colour(chance))


def _gradient(draw: Drawing, w: int, h: int, chance: random.Random, font: Font) -> None:
    a, b = np.array(_any_colour(chance)), np.array(_any_colour(chance))
    for y in range(h):
        draw.line((0, y, w, y), tuple(int(v) for v in a + (b - a) * y / h))
    if chance.random() < 0.5:
        _shapes(draw, w, h, chance, font)


def _staves(draw: Drawing, w: int, h: int, chance: random.Random, font: Font) -> None:
    for top in range(40, h - 60, 80):
        for n in range(5):
            draw.line((30, top + 9 * n, w - 30, top + 9 * n), "black", 1)
        for x in range(60, w - 60, chance.randint(24, 60)):
            y = top + 4.5 * chance.randint(-1, 9)
            draw.ellipse((x, y - 4, x + 11, y + 4), "black")
            draw.line((x + 11, y, x + 11, y - 30), "black", 2)


def _squares(draw: Drawing, w: int, h: int, chance: random.Random, font: Font) -> None:
    step = chance.randint(6, 40)
    for x in range(20, w - 20, step):
        for y in range(20, h - 20, step):
            if chance.random() < 0.5:
                draw.rectangle((x, y, x + step - 1, y + step - 1), "black")
