"""Cut out what stands out: the rest of the picture becomes transparent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image, on_white
from transpose.media.pixels import at_most

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transpose.models.u2net import Salience

    Floats = NDArray[np.float32]

ROWS = 512  # of the picture worked on at a time
SMOOTH = 1e-3
NEAR = 0.35  # share of the picture below which what stands out is looked at again, closer
CLEAR, FULL = 0.08, 0.92  # below and above these the mask is drawn to none and all


@transform("image -> image", verb=True, loses=["detail"], models=["u2netp"], needs=["onnxruntime"], memory_mb=650)
def remove_background(
    image: Image,
    ctx: Context,
    *,
    soft: Annotated[float, Range(0, 1), "how soft the edge is; 0: a pixel stays or goes"] = 1.0,
) -> Image:
    """Keep what stands out (a person, an animal, a thing) and make the rest transparent; RGBA of the same size.

    The small U2-Net sees 320 pixels a side; a guided filter leads the edge of its mask along the edges of the picture.
    Clean on a clear subject, coarse on hair, leaves and glass, and wrong where nothing or everything stands out: then
    it warns. What was transparent stays so. Save as PNG, WebP, AVIF or TIFF. Raises EmptyInput for no pixels.
    """
    import numpy as np

    from transpose.models.u2net import GUIDED, MEMORY_MB, Salience, guided

    small = at_most(image.pixels, GUIDED)
    folder = ctx.model("u2netp")
    model = ctx.load("u2netp", lambda: Salience(folder, ctx.threads), MEMORY_MB)
    mask = _resized(model.mask(small), small.shape[1], small.shape[0])
    mask = _closer(model, image.pixels, mask)
    grey = _grey(small)
    slope, offset = guided(mask, grey, max(2, max(small.shape) // 100), SMOOTH)
    alpha = _alpha(image.pixels, slope, offset, mask, soft)
    share = float(alpha.mean() / 255)
    ctx.note("kept_share", round(share, 3))
    unsure = float(((mask > 0.2) & (mask < 0.8)).mean())
    if share < 0.005 or share > 0.97 or unsure > 0.25:
        ctx.warn("nothing stands out clearly in this picture: look at the result")
    if image.pixels.shape[2] == 4:
        alpha = np.minimum(alpha, image.pixels[..., 3])
    colours = image.pixels[..., :3] if image.pixels.shape[2] > 1 else on_white(image.pixels)
    return Image(np.dstack([colours, alpha]), image.meta)


def _closer(model: Salience, pixels: NDArray[np.uint8], mask: Floats) -> Floats:
    """A finer mask of something small: the network looks again at the part of the picture where it lies."""
    import numpy as np

    rows, columns = (np.flatnonzero((mask > 0.5).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return mask
    margin = round(0.3 * max(rows[-1] - rows[0], columns[-1] - columns[0])) + 4
    top, bottom = max(0, rows[0] - margin), min(mask.shape[0], rows[-1] + margin)
    left, right = max(0, columns[0] - margin), min(mask.shape[1], columns[-1] + margin)
    if (bottom - top) * (right - left) > NEAR * mask.size:
        return mask
    scale = pixels.shape[0] / mask.shape[0], pixels.shape[1] / mask.shape[1]
    part = pixels[int(top * scale[0]) : int(bottom * scale[0]), int(left * scale[1]) : int(right * scale[1])]
    finer = np.zeros_like(mask)
    finer[top:bottom, left:right] = _resized(model.mask(at_most(part, 1024)), right - left, bottom - top)
    return finer


def _grey(pixels: NDArray[np.uint8]) -> Floats:
    import numpy as np

    grey = pixels[..., :3].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return (grey / 255).astype(np.float32)


def _resized(values: Floats, width: int, height: int, rows: tuple[float, float] | None = None) -> Floats:
    """Values (h, w) at another size; of `rows` only those between two of the old ones."""
    import numpy as np
    from PIL import Image as Pillow

    box = (0.0, rows[0], float(values.shape[1]), rows[1]) if rows else None
    return np.asarray(Pillow.fromarray(values).resize((width, height), Pillow.Resampling.BILINEAR, box=box))


def _alpha(pixels: NDArray[np.uint8], slope: Floats, offset: Floats, mask: Floats, soft: float) -> NDArray[np.uint8]:
    """The mask at full size (height, width), 0 to 255, made some rows at a time."""
    import numpy as np

    height, width = pixels.shape[:2]
    alpha = np.empty((height, width), np.uint8)
    for top in range(0, height, ROWS):
        end = min(height, top + ROWS)
        rows = top * slope.shape[0] / height, end * slope.shape[0] / height
        grey = _grey(on_white(pixels[top:end]))
        a, b, rough = (_resized(each, width, end - top, rows) for each in (slope, offset, mask))
        # where the network is sure the filter has no say: it would let bright or dark patches shine through
        fine = np.where(rough > 0.98, 1.0, np.where(rough < 0.02, 0.0, a * grey + b))
        drawn = np.clip((fine - CLEAR) / (FULL - CLEAR), 0, 1)
        alpha[top:end] = np.rint(255 * ((drawn > 0.5) * (1 - soft) + drawn * soft))
    return alpha
