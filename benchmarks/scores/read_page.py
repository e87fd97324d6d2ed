"""How well read-page reads: character error rate on pages whose text is known, clean and as a poor scanner gives them.

python -m benchmarks.scores.read_page
"""

from __future__ import annotations

import importlib.util
import json
import resource
import tempfile
import textwrap
import time
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image as Pictures

from transpose.core.context import Context
from transpose.formats.pdf import read_pages
from transpose.media.image import Image
from transpose.transforms.read_page import read_page

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
GERMAN = """Über das Wandern im Moor

Wer früh aufbricht, hört zuerst die Kraniche. Die Wege sind schmal, aus Holz und bei Nässe glatt; große Schritte \
führen leicht ins Wasser. Am besten geht man zu zweit, trägt feste Schuhe und läßt den Hund zu Hause.

Nach etwa fünf Kilometern öffnet sich der Wald. Dort steht eine Hütte mit einem Ofen, in der müde Gäste übernachten \
dürfen: zwölf Betten, ein Tisch, kein Strom."""
FRENCH = """Le marché du samedi

À huit heures, la place est déjà pleine. Les fermiers déchargent des caisses de pêches, des fromages de chèvre et \
du pain encore chaud. Une fillette goûte le miel et demande s'il vient vraiment des abeilles.

Vers midi, tout s'arrête. On plie les bâches, on compte les pièces, et le café d'en face sert la première soupe \
à l'oignon de l'année."""


@cache
def pages() -> ModuleType:
    """examples/make_pages.py, which draws and spoils pages."""
    spec = importlib.util.spec_from_file_location("make_pages", EXAMPLES / "make_pages.py")
    assert spec is not None, "examples/make_pages.py is missing"
    assert spec.loader is not None, "examples/make_pages.py cannot be loaded"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def samples(folder: Path) -> list[tuple[str, Image, str]]:
    """26 pages at 150 dpi: English, German and French in Helvetica, Times and Aileron, clean and scanned."""
    made = pages()
    sheets = []
    for text in (made.PAGE, *made.SCAN, GERMAN, FRENCH):
        sheets += [
            (_typeset(text, name, size, folder), text) for name, size in (("Helvetica", 11), ("Times-Roman", 10))
        ]
    sheets += [(made.page(text, 20), text) for text in (made.PAGE, *made.SCAN)]  # Aileron there has no accents
    found = []
    for number, (clean, text) in enumerate(sheets):
        found.append(("clean", _image(clean), text))
        found.append(("scanned", _image(made.scanned(clean, seed=100 + number)), text))
    return found


def _typeset(text: str, name: str, size: int, folder: Path) -> Pictures.Image:
    """The text on A4 in one of the faces that PDFium has; a heading, paragraphs, lines of 80 characters."""
    heading, *paragraphs = text.split("\n\n")
    rows = [(heading, size * 2, 0.0)]
    for paragraph in paragraphs:
        rows += [(line, size, size * (0.9 if n == 0 else 0)) for n, line in enumerate(textwrap.wrap(paragraph, 80))]
    content, top = [], 770.0
    for row, points, space in rows:
        top -= points * 1.35 + space
        plain = row.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        content.append(f"BT /F1 {points} Tf 70 {top:.1f} Td ({plain}) Tj ET")
    made = pages()
    made.pdf(
        folder / "page.pdf",
        (595, 842),
        ["\n".join(content).encode("cp1252")],
        [made.HELVETICA.replace(b"Helvetica", name.encode())],
    )
    (drawn,) = read_pages(folder / "page.pdf", Context())
    return Pictures.fromarray(drawn.pixels)


def _image(picture: Pictures.Image) -> Image:
    return Image(np.asarray(picture.convert("RGB")))


def distance(wanted: str, found: str) -> int:
    """Levenshtein distance in characters."""
    codes = np.array([ord(c) for c in found], dtype=np.int64)
    row = np.arange(len(found) + 1)
    for number, character in enumerate(wanted, 1):
        swap = np.minimum(row[1:] + 1, row[:-1] + (codes != ord(character)))
        step = np.concatenate([[number], swap]) - np.arange(len(found) + 1)
        row = np.minimum.accumulate(step) + np.arange(len(found) + 1)  # insertions run from left to right
    return int(row[-1])


def score(ctx: Context) -> dict[str, str | float]:
    """CER over all pages (errors by characters), processor seconds for a page, peak of resident memory."""
    errors, letters, seconds = {"clean": 0, "scanned": 0}, {"clean": 0, "scanned": 0}, []
    with tempfile.TemporaryDirectory() as folder:
        made = samples(Path(folder))
    read_page(made[0][1], ctx)  # loads the model
    for kind, image, text in made:
        began = time.process_time()
        found = read_page(image, ctx).text
        seconds.append(time.process_time() - began)
        errors[kind] += distance(text, found)
        letters[kind] += len(text)
    rate = sum(errors.values()) / sum(letters.values())
    clean, scanned = (errors[kind] / letters[kind] for kind in ("clean", "scanned"))
    return {
        "metric": "CER",
        "value": round(rate, 4),
        "quality": round(max(0.0, 1 - rate), 3),
        "data": f"26 made A4 pages (English, German, French): CER {clean:.4f} on 13 clean, {scanned:.4f} on 13 spoilt",
        "date": "2026-11-21",
        "seconds": round(sum(seconds) / len(seconds), 2),
        "unit": "page",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    from transpose.models.pull import weights

    print(json.dumps(score(Context(weights=weights, threads=1)), indent=1))
