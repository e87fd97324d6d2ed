"""Draw the edges of a picture: thin lines where brightness or colour changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.core.transform import Range, transform
from transpose.media.image import Image, on_white

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

ROWS = 512  # of the picture worked on at a time
SAMPLE = 2_000_000  # pixels from which it is told what a strong edge is


@transform("image -> image.drawing", verb=True, loses=["pixels", "colour", "detail"], memory_mb=200)
def edges(
    image: Image,
    ctx: Context,
    *,
    blur: Annotated[float, Range(0.5, 10), "pixels that count as one: larger leaves out texture"] = 1.4,
    strength: Annotated[float, Range(0.01, 0.5), "share of all pixels that begin a line"] = 0.08,
    style: Annotated[Literal["ink", "chalk"], "black lines on white, or white on black"] = "ink",
) -> Image:
    """Find edges after Canny (1986), in three colours at once: grey picture of the same size with lines a pixel wide.

    Gaussian blur, the steepest of the three channels, only the ridges of it, and of these the strong ones and what
    hangs together with them. An exact method, without a model: it draws texture as well as outlines. Raises
    EmptyInput for a picture without pixels.
    """
    import numpy as np

    if 0 in image.pixels.shape:
        raise EmptyInput("the picture has no pixels", "Look at the step before")
    ridges = np.zeros(image.pixels.shape[:2], np.float16)
    reach = int(3 * blur) + 3
    for top in range(0, image.height, ROWS):
        low, high = max(0, top - reach), min(image.height, top + ROWS + reach)
        band = _ridges(on_white(image.pixels[low:high]), blur)
        ridges[top : top + ROWS] = band[top - low : top - low + ROWS]
    step = max(1, ridges.size // SAMPLE)
    strong = max(float(np.quantile(ridges.ravel()[::step].astype(np.float32), 1 - strength / 3)), 2.0)
    lines = _joined(ridges >= 0.4 * strong, ridges >= strong)
    ctx.note("share_of_lines", round(float(lines.mean()), 4))
    if not lines.any():
        ctx.warn("the picture has no edges at this strength")
    drawn = np.where(lines, 0, 255) if style == "ink" else np.where(lines, 255, 0)
    return Image(drawn.astype(np.uint8)[..., None])


def _ridges(pixels: NDArray[np.uint8], blur: float) -> Floats:
    """How steep each pixel is, 0 where a neighbour across the edge is steeper; shape (h, w)."""
    import numpy as np

    smooth = _blurred(pixels.astype(np.float32), blur)
    padded = np.pad(smooth, ((1, 1), (1, 1), (0, 0)), mode="edge")
    dx = padded[1:-1, 2:] - padded[1:-1, :-2]
    dy = padded[2:, 1:-1] - padded[:-2, 1:-1]
    steep = np.hypot(dx, dy)
    best = steep.argmax(axis=2)[..., None]
    size = np.take_along_axis(steep, best, 2)[..., 0]
    dx, dy = np.take_along_axis(dx, best, 2)[..., 0], np.take_along_axis(dy, best, 2)[..., 0]
    around = np.pad(size, 1)
    kept = np.zeros(size.shape, bool)
    # the four directions in which a neighbour can lie across the edge: 0, 45, 90 and 135 degrees
    direction = np.round(np.arctan2(dy, dx) / (np.pi / 4)).astype(np.int8) % 4
    height, width = size.shape
    for number, (y, x) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        ahead = around[1 + y : 1 + y + height, 1 + x : 1 + x + width]
        behind = around[1 - y : 1 - y + height, 1 - x : 1 - x + width]
        kept |= (direction == number) & (size >= ahead) & (size > behind)
    return np.where(kept, size, np.float32(0)).astype(np.float32)


def _blurred(values: Floats, sigma: float) -> Floats:
    """Gaussian blur of (h, w, c) along both sides, edges repeated."""
    import numpy as np

    reach = int(3 * sigma + 0.5)
    places = np.arange(-reach, reach + 1)
    weights = np.exp(-(places**2) / (2 * sigma * sigma))
    weights /= weights.sum()
    for axis in (0, 1):
        sides = [(0, 0)] * 3
        sides[axis] = (reach, reach)
        padded = np.pad(values, sides, mode="edge")
        length = values.shape[axis]
        total = np.zeros_like(values)
        for place, weight in enumerate(weights):
            part = padded[place : place + length] if axis == 0 else padded[:, place : place + length]
            total += np.float32(weight) * part
        values = total
    return values


def _joined(weak: NDArray[np.bool_], strong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The weak pixels that hang together with strong ones, diagonally too: grown from these, pixel by pixel."""
    import numpy as np

    height, width = weak.shape
    open_ = np.zeros((height + 2, width + 2), bool)
    open_[1:-1, 1:-1] = weak
    flat = open_.ravel()
    steps = np.array([dy * (width + 2) + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx])
    kept = np.zeros_like(flat)
    rows, columns = np.nonzero(strong)
    front = (rows + 1) * (width + 2) + columns + 1
    while len(front):
        kept[front] = True
        flat[front] = False
        beside = (front[:, None] + steps).ravel()
        front = np.unique(beside[flat[beside]])
    return kept.reshape(height + 2, width + 2)[1:-1, 1:-1]
