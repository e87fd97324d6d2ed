"""U2-Net (its small form) in ONNX Runtime: what stands out in a picture, as a mask.

Qin et al. 2020, "U2-Net: Going Deeper with Nested U-Structure for Salient Object Detection". 1.1 million weights, sees
320 x 320 pixels, so its mask is coarse; a guided filter (He et al. 2010, in the fast form of 2015) then leads the edge
of the mask along the edges of the picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from transpose.models.network import open_onnx

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

GRAPH = "model.onnx"
SIDE = 320
GUIDED = 1024  # pixels of the longer side at which the edge is led
MEMORY_MB = 300
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's red, green and blue


class Salience:
    """The opened network."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.session = open_onnx(folder / GRAPH, threads)
        self.name = self.session.get_inputs()[0].name

    def mask(self, pixels: NDArray[np.uint8]) -> Floats:
        """0..1 of shape (320, 320) for an RGB picture (h, w, 3): how much each place belongs to what stands out."""
        import numpy as np
        from PIL import Image as Pillow

        small = Pillow.fromarray(pixels).resize((SIDE, SIDE), Pillow.Resampling.LANCZOS)
        bright = np.asarray(small).astype(np.float32)
        share = bright / np.float32(max(1.0, float(bright.max())))
        feed = np.ascontiguousarray(((share - MEAN) / SPREAD).astype(np.float32).transpose(2, 0, 1)[None])
        found: Floats = self.session.run([self.session.get_outputs()[0].name], {self.name: feed})[0][0, 0]
        return found


def guided(mask: Floats, grey: Floats, reach: int, smooth: float) -> tuple[Floats, Floats]:
    """Slope and offset, both (h, w), such that slope x grey + offset follows `mask` with the edges of `grey`.

    Values 0..1; `reach` is the half width of the window in pixels, `smooth` the variance that counts as flat.
    """
    import numpy as np

    mean_grey, mean_mask = box_mean(grey, reach), box_mean(mask, reach)
    spread = box_mean(grey * grey, reach) - mean_grey * mean_grey
    shared = box_mean(grey * mask, reach) - mean_grey * mean_mask
    slope: Floats = (shared / (spread + smooth)).astype(np.float32)
    offset = mean_mask - slope * mean_grey
    return box_mean(slope, reach), box_mean(offset, reach)


def box_mean(values: Floats, reach: int) -> Floats:
    """The mean over a square of 2 x reach + 1 a side, edges repeated."""
    import numpy as np

    side = 2 * reach + 1
    total = np.pad(values, reach, mode="edge").astype(np.float64)
    for axis in (0, 1):
        summed = np.cumsum(total, axis=axis)
        summed = np.concatenate([np.zeros_like(np.take(summed, [0], axis=axis)), summed], axis=axis)
        size = summed.shape[axis]
        total = (np.take(summed, range(side, size), axis=axis) - np.take(summed, range(size - side), axis=axis)) / side
    mean: Floats = total.astype(np.float32)
    return mean
