"""OCR on real pages with the real model: text, order, silence, turned pages, and no connection."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, SilentInput
from transpose.formats.pdf import read_pdf
from transpose.formats.pictures import read_picture
from transpose.media.image import Image
from transpose.transforms.document_text import document_text
from transpose.transforms.read_page import read_page

EXAMPLES = Path(__file__).parent.parent / "examples"
pytest.importorskip("rapidocr")
pytestmark = pytest.mark.models


def drawn(*rows: tuple[int, int, str], size: tuple[int, int] = (1000, 500), points: int = 26) -> Image:
    """Rows (x, y, text) in black on white."""
    sheet = Pillow.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for x, y, text in rows:
        draw.text((x, y), text, "black", ImageFont.load_default(points))
    return Image(np.asarray(sheet))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection is an error."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


def test_the_example_page(models_ctx: Context, no_network: None, capfd: pytest.CaptureFixture[str]) -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location("make_pages", EXAMPLES / "make_pages.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    found = read_page(read_picture(EXAMPLES / "page.png", models_ctx), models_ctx)
    assert found.text == made.PAGE
    assert found.markup == "plain"
    assert models_ctx.facts["mean_score"] > 0.95
    assert models_ctx.warnings == []
    models_ctx.runner = lambda name, values, options: read_page(values[0], models_ctx, **options)
    scan = document_text(read_pdf(EXAMPLES / "scan.pdf", models_ctx), Context()).text
    assert scan.strip() == "\n\n".join(made.SCAN).strip()
    assert capfd.readouterr() == ("", "")


def test_columns_and_grey_and_clear_paper(models_ctx: Context) -> None:
    left = ["Bread is baked at five in", "the morning, long before", "the first guests arrive."]
    right = ["Soup comes at noon, and", "whoever is late has to eat", "what the others left over."]
    rows = [(40, 40 + 36 * n, row) for n, row in enumerate(left)] + [
        (560, 40 + 36 * n, row) for n, row in enumerate(right)
    ]
    page = drawn(*rows)
    expected = " ".join(left) + "\n\n" + " ".join(right)
    assert read_page(page, models_ctx).text == expected
    assert read_page(Image(page.pixels[..., :1]), models_ctx).text == expected
    clear = np.concatenate([np.zeros_like(page.pixels), 255 - page.pixels[..., :1]], axis=2)
    assert read_page(Image(clear), models_ctx).text == expected  # black letters on nothing
    with pytest.raises(SilentInput):
        read_page(Image(clear[..., :3]), models_ctx)  # the control: without its alpha the page is black


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_turned_page(models_ctx: Context, turn: int) -> None:
    page = drawn(*[(40, 40 + 50 * n, "Seven quiet boats went home across the bay") for n in range(5)])
    found = read_page(Image(np.rot90(page.pixels, turn).copy()), models_ctx)
    assert found.text.count("Seven quiet boats went home across the bay") == 5


def test_silence(models_ctx: Context) -> None:
    for blank in (
        np.full((300, 400, 3), 255, np.uint8),
        np.zeros((50, 50, 1), np.uint8),
        np.zeros((1, 1, 3), np.uint8),
    ):
        with pytest.raises(SilentInput):
            read_page(Image(blank), models_ctx)
    with pytest.raises(EmptyInput):
        read_page(Image(np.zeros((0, 5, 3), np.uint8)), models_ctx)


def test_doubtful_lines_are_named(models_ctx: Context) -> None:
    rows = [(40, 40, "This line can be read by anybody"), (40, 200, "This one is spoilt by another")]
    spoilt = drawn(*rows, (66, 213, "which was printed over the first"))
    found = read_page(spoilt, models_ctx)
    assert found.text.startswith("This line can be read by anybody")
    assert "read with a low score" in models_ctx.warnings[0]
    assert "anybody" not in models_ctx.warnings[0]
    models_ctx.warnings.clear()
    read_page(drawn(*rows), models_ctx)  # the control
    assert models_ctx.warnings == []
    read_page(spoilt, models_ctx, least=0.85)
    assert models_ctx.warnings == ["left out 1 line with a very low score"]
    with pytest.raises(SilentInput):
        read_page(spoilt, models_ctx, least=1.0)


def test_a_long_screenshot_stays_legible(models_ctx: Context) -> None:
    rows = [(20, 20 + 40 * n, f"Line {n} of a very long screen") for n in range(140)]
    found = read_page(drawn(*rows, size=(500, 5640), points=22), models_ctx).text
    assert sum(f"Line {n} of a very long screen" in found for n in range(140)) >= 138
