"""The icon of what a drawing shows: found by its looks, drawn by a set, with its credits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, SilentInput
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.models.icon_picture import show
from transpose.transforms.compose_icon import compose_icon
from transpose.transforms.find_icon import find_icon, write_found

pytestmark = pytest.mark.models


@pytest.mark.parametrize("name", ["octopus", "guitar", "strawberry", "fire engine"])
def test_an_icon_finds_its_own(models_ctx: Context, name: str) -> None:
    """Drawn by one set it is found in another; what is found says whose it is."""
    drawn = compose_icon(Text(name), models_ctx, style="fluent", size=96)
    found = find_icon(drawn, models_ctx, size=64, style="noto")
    assert found.pixels.shape == (64, 64, 4)
    assert str(models_ctx.facts["icons"]).startswith(f"{name}: Noto Emoji U+")
    assert b"Apache-2.0" in found.meta["xmp"]
    assert np.array_equal(found.pixels, compose_icon(Text(name), models_ctx, style="noto", size=64).pixels)


def test_a_drawing_becomes_shapes(models_ctx: Context, tmp_path: Path) -> None:
    """The same icon as SVG, with credits."""
    drawn = compose_icon(Text("octopus"), models_ctx, size=96)
    write_found(drawn, tmp_path / "clean.svg", models_ctx)
    text = (tmp_path / "clean.svg").read_text()
    assert "<title>octopus</title>" in text
    assert "Apache-2.0" in text


def test_what_is_no_icon_is_said(models_ctx: Context) -> None:
    """What shows nothing is found with a warning, no pixels are an error, and so is a name that no set has."""
    find_icon(Image(np.full((64, 64, 3), 128, np.uint8)), models_ctx, size=32)
    assert any("unsure" in each for each in models_ctx.warnings)
    with pytest.raises(EmptyInput):
        find_icon(Image(np.zeros((0, 4, 3), np.uint8)), models_ctx)
    with pytest.raises(SilentInput):
        show("flying spaghetti", models_ctx)
