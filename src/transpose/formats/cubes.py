"""Colour tables as `.cube` files: written from words, and shown on a chart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.looks import lut_of_words
from transpose.media.lut import MOST, SIZE, chart, dump_cube, read_cube
from transpose.media.text import Text


@transform("text.prompt -> .cube", loses=["wording"])
def write_cube(
    words: Text,
    path: Path,
    ctx: Context,
    *,
    size: Annotated[int, Range(2, MOST), "points along each axis"] = SIZE,
    amount: Annotated[float, Range(0, 1), "how much of it: 0 nothing, 1 as it is meant"] = 1.0,
) -> None:
    """Write named looks ("warm, faded") as a colour table that editors and players of films read.

    Words are looked up in a list, no model reads them. Raises OptionError for a word that is not in it.
    """
    path.write_text(dump_cube(lut_of_words(words.text, amount=amount, size=size), ctx.history), encoding="utf-8")


@transform(".cube -> image.drawing", loses=["exactness"])
def show_cube(path: Path, ctx: Context) -> Image:
    """Draw a chart of colours as it is, and below it as the table of a `.cube` file makes it; 960 x 1080.

    Raises MislabelledInput, DamagedInput or HugeInput for a file that cannot be used.
    """
    import numpy as np

    before = chart(960, 540)
    return Image(np.concatenate([before, read_cube(path, ctx).apply(before)]))
