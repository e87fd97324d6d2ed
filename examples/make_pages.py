"""Make page.png, slides.pdf and scan.pdf. Every sentence on them was written for this project.

    python examples/make_pages.py [FOLDER]

Needs Pillow (whose built-in typeface, Aileron, is CC0) and NumPy. The same machine makes the same bytes.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

PAPER = (1240, 1754)  # A4 at 150 dpi

PAGE = """A Quiet Harbour

The ferry to the island leaves at seven in the morning, when the water is still dark and the gulls are asleep on the \
roofs. Twelve people wait on the pier today: a teacher with a box of books, two brothers who repair clocks, and a \
woman who carries a small tree in a clay pot.

Nobody speaks much before the first coffee. The captain counts the tickets, the engine coughs twice, and the lights \
of the town grow small behind the stern. After half an hour the sun comes up over the hills and paints the sails of \
the fishing boats.

On the island there is one shop, one school and one bench with a view. The teacher opens her box and finds 24 books, \
the right number for once. The brothers set the church clock to 7:45, and it strikes at the proper time for the \
first time in nine years.

In the evening the tree stands beside the bench. It will need ten years to give any shade, says the woman, but she \
is in no hurry."""

SCAN = (
    """Notes on Keeping Bees

A hive is a small town with one queen, a few hundred drones and up to fifty thousand workers. In spring the queen \
lays as many as two thousand eggs in a day, and the workers build new comb as quickly as they can.

Open the hive only on warm, calm days. Move slowly, stand at the side and never in front of the entrance, and use \
a little cool smoke. Bees dislike dark wool, strong perfume and anybody who breathes on them.

Write down what you see: how many frames hold brood, how many hold honey, and whether there are fresh eggs.""",
    """What to Do in Autumn

Take the last honey in August and leave enough for the winter: a strong colony needs fifteen kilograms. Feed thin \
syrup before the nights grow cold, because later the bees cannot dry it any more.

Make the entrance narrow, so that mice and wasps stay outside. Tie the roof down against storms. From November on \
the bees hang in a tight ball and keep their queen at a steady twenty-five degrees.

Then close the gate and let them sleep. The best help in winter is to do nothing at all.""",
)

SLIDES = (
    ("Rain for the Roof Garden", ("A plan in three steps", "Neighbours of Mill Street, spring meeting")),
    (
        "What We Measured",
        (
            "The roof collects 600 litres in an hour of rain",
            "Each bed needs 20 litres in a dry week",
            "Two barrels are full by May",
        ),
    ),
    (
        "What Comes Next",
        ("Buy two pumps and forty metres of hose", "Ask the school for help on Saturdays", "Meet again in June"),
    ),
)


def face(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own typeface at a size in pixels."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font


def wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """The words of `text` in lines of at most `width` pixels."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def page(text: str, size: int = 28) -> Image.Image:
    """A heading and paragraphs in black on white paper."""
    sheet = Image.new("RGB", PAPER, "white")
    draw = ImageDraw.Draw(sheet)
    heading, *paragraphs = text.split("\n\n")
    draw.text((130, 140), heading, "black", face(size * 2))
    top = 140 + size * 4
    for paragraph in paragraphs:
        for line in wrapped(paragraph, face(size), PAPER[0] - 260):
            draw.text((130, top), line, "black", face(size))
            top += int(size * 1.5)
        top += size
    return sheet


def scanned(sheet: Image.Image, seed: int) -> Image.Image:
    """The sheet as a poor scanner gives it: leaning, grey paper, soft edges, noise, dust, a shadow at the fold."""
    chance = random.Random(seed)
    noise = np.random.default_rng(seed)
    leaning = sheet.convert("L").rotate(
        chance.choice((-1, 1)) * chance.uniform(0.6, 1.3), Image.Resampling.BICUBIC, fillcolor=255
    )
    grey = np.asarray(leaning.filter(ImageFilter.GaussianBlur(0.9)), np.float32)
    grey = 58 + grey * (172 / 255)  # ink is never black, paper never white
    grey -= 55 * np.exp(-np.arange(grey.shape[1], dtype=np.float32) / 60)[None, :]
    grey += noise.normal(0, 9, grey.shape)
    dusty = Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(dusty)
    for _ in range(60):
        x, y, r = chance.randrange(PAPER[0]), chance.randrange(PAPER[1]), chance.uniform(0.5, 2)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=chance.randrange(60, 140))
    return dusty


def pdf(path: Path, size: tuple[float, float], pages: list[bytes], objects: list[bytes]) -> None:
    """Write a small PDF: `pages` are content streams, `objects` the fonts (F1) and pictures (I1, I2 ...) they use."""
    names = " ".join(f"/I{n} {3 + n} 0 R" for n in range(1, len(objects)))
    resources = f"<< /Font << /F1 3 0 R >> /XObject << {names} >> >>".encode()
    first = 3 + len(objects)
    kids = " ".join(f"{first + 2 * n} 0 R" for n in range(len(pages))).encode()
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages)),
        *objects,
    ]
    for number, content in enumerate(pages):
        box = f"[0 0 {size[0]:g} {size[1]:g}]".encode()
        parts.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Resources %s /Contents %d 0 R >>"
            % (box, resources, first + 2 * number + 1)
        )
        parts.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    out, places = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"), []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1) + b"".join(
        b"%010d 00000 n \n" % place for place in places
    )
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, start)
    path.write_bytes(out)


HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


def slides(path: Path) -> None:
    """Three slides of 960 x 540 points with a text layer, in a typeface that every PDF reader has."""
    contents = []
    for number, (heading, points) in enumerate(SLIDES):
        shade = ("0.93 0.96 0.98", "0.97 0.95 0.90", "0.92 0.97 0.92")[number]
        text = [f"{shade} rg 0 0 960 540 re f 0.15 0.3 0.45 rg 0 0 24 540 re f 0.1 0.1 0.15 rg"]
        text.append(f"BT /F1 48 Tf 80 410 Td ({heading}) Tj ET")
        text += [f"BT /F1 28 Tf 80 {310 - 64 * row} Td ({point}) Tj ET" for row, point in enumerate(points)]
        contents.append("\n".join(text).encode("ascii"))
    pdf(path, (960, 540), contents, [HELVETICA])


def scan(path: Path) -> None:
    """Two pages that are pictures only."""
    import io

    objects = [HELVETICA]
    for number, text in enumerate(SCAN):
        data = io.BytesIO()
        scanned(page(text), seed=number).save(data, "JPEG", quality=55)
        head = b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray" % PAPER
        head += b" /BitsPerComponent 8 /Filter /DCTDecode /Length %d >>\nstream\n" % len(data.getvalue())
        objects.append(head + data.getvalue() + b"\nendstream")
    contents = [b"q 595 0 0 842 0 0 cm /I%d Do Q" % number for number in (1, 2)]
    pdf(path, (595, 842), contents, objects)


def main() -> None:
    """Write the three files into the folder named, or beside this script."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    page(PAGE).convert("L").save(folder / "page.png", dpi=(150, 150), optimize=True)
    slides(folder / "slides.pdf")
    scan(folder / "scan.pdf")


if __name__ == "__main__":
    main()
