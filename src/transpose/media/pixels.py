"""A picture made small enough to look at as a whole, without a second copy of a large one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transpose.core.errors import EmptyInput
from transpose.media.image import on_white

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BAND = 4_000_000  # pixels worked on at a time


def at_most(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """RGB (h, w, 3) on white paper whose longer side has at most `side` pixels; smaller pictures keep their size.

    Blocks of pixels become their mean, band by band, and Lanczos does the rest: a picture of 100 million pixels
    takes some 50 MB more. Raises EmptyInput for a picture without pixels.
    """
    import numpy as np
    from PIL import Image as Pillow

    if 0 in pixels.shape:
        raise EmptyInput("the picture has no pixels", "Look at the step before")
    height, width = pixels.shape[:2]
    small = on_white(pixels) if height * width <= BAND else _blocks(pixels, max(1, max(height, width) // (2 * side)))
    scale = side / max(height, width)
    if scale >= 1:
        return small
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Pillow.fromarray(small).resize(size, Pillow.Resampling.LANCZOS))


def _blocks(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """The mean of each square of `factor` pixels a side; what is over at the right and the bottom is left out."""
    import numpy as np

    across, down = (max(1, side // factor) for side in (pixels.shape[1], pixels.shape[0]))
    step_x, step_y = min(factor, pixels.shape[1]), min(factor, pixels.shape[0])
    small = np.empty((down, across, 3), np.uint8)
    rows = max(1, BAND // (pixels.shape[1] * step_y))
    for top in range(0, down, rows):
        end = min(down, top + rows)
        band = on_white(pixels[top * step_y : end * step_y, : across * step_x])
        cut = band.reshape(end - top, step_y, across, step_x, 3)
        small[top:end] = np.rint(cut.mean(axis=(1, 3), dtype=np.float32))
    return small
