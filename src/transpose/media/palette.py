"""Few colours for many: a palette for each scene of a run of pictures, and the pictures drawn with it.

Palettes are found by median cut and k-means (Pillow) on pixels of the whole scene, of which a bounded sample is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from transpose.media.frames import Shot
from transpose.media.scene import SIDE, THRESHOLD, difference, small_copy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as Picture

SAMPLES = 48  # pictures of a scene that are looked at
PIXELS = 4096  # of each
STILL = 4  # levels by which a pixel may differ and yet keep its colour
SPREAD = 110.0  # levels between the ends of a pattern of ordered dithering, over the root of the number of colours
CLEAR = 255  # the colour that stands for "as before"


@dataclass(slots=True)
class _Sample:
    """Pixels of one scene: every picture at first, then every second, fourth, ... so that there are never too many."""

    step: int = 1
    seen: int = 0
    held: list[NDArray[np.uint8]] = field(default_factory=list)

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """Take part of a picture, uint8 of shape (h, w, 3)."""
        if self.seen % self.step == 0:
            flat = pixels.reshape(-1, 3)
            self.held.append(flat[self.seen % 7 :: max(1, len(flat) // PIXELS)].copy())
        self.seen += 1
        if len(self.held) > SAMPLES:
            self.held, self.step = self.held[::2], self.step * 2

    def palette(self, colours: int) -> Picture:
        """A picture whose palette holds at most so many colours."""
        import numpy as np
        from PIL import Image as Pillow

        pixels = np.concatenate(self.held)[None]
        few = Pillow.fromarray(np.ascontiguousarray(pixels)).quantize(colours, Pillow.Quantize.MEDIANCUT, kmeans=1)
        palette = Pillow.new("P", (1, 1))
        palette.putpalette((few.getpalette() or [0, 0, 0])[: 3 * colours])
        return palette


def palettes(shots: Iterable[Shot], colours: int) -> list[tuple[int, Picture]]:
    """The number of the first shot of each scene, and its palette."""
    found: list[tuple[int, Picture]] = []
    sample, first, before = _Sample(), 0, None
    for number, (pixels, _) in enumerate(shots):
        small = small_copy(pixels, max(1, max(pixels.shape) // SIDE))
        if before is not None and difference(before, small) >= THRESHOLD:
            found.append((first, sample.palette(colours)))
            sample, first = _Sample(), number
        sample.add(pixels)
        before = small
    return [*found, (first, sample.palette(colours))]


def drawn(
    make: Callable[[], Iterable[Shot]], colours: int, dither: Literal["diffusion", "ordered", "none"]
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8], int]]:
    """(indices of shape (h, w), palette of shape (256, 4) as alpha, red, green, blue, frames) of each shot.

    `make` is called twice: for the palettes and for the pictures. Within a scene a pixel that stays within `STILL`
    levels keeps its index. Index `CLEAR` is free for what is transparent.
    """
    import numpy as np

    starts = dict(palettes(make(), colours))
    chosen = starts[0]
    table = _table(chosen)
    kept: NDArray[np.uint8] | None = None
    indices: NDArray[np.uint8] | None = None
    for number, (pixels, frames) in enumerate(make()):
        if number in starts:
            chosen, kept, indices = starts[number], None, None
            table = _table(chosen)
        fresh = _indexed(pixels, chosen, dither, SPREAD / colours**0.5)
        if kept is None or indices is None:
            kept, indices = pixels, fresh
        else:
            moved = (np.maximum(pixels, kept) - np.minimum(pixels, kept)).max(axis=2, keepdims=True) > STILL
            indices = np.where(moved[..., 0], fresh, indices)
            kept = np.where(moved, pixels, kept)
        yield indices, table, frames


def _table(palette: Picture) -> NDArray[np.uint8]:
    import numpy as np

    table = np.zeros((256, 4), np.uint8)
    table[:CLEAR, 0] = 255
    flat = np.array(palette.getpalette(), np.uint8).reshape(-1, 3)[:CLEAR]
    table[: len(flat), 1:] = flat
    return table


def _indexed(pixels: NDArray[np.uint8], palette: Picture, dither: str, spread: float) -> NDArray[np.uint8]:
    """Each pixel as the number of a colour."""
    import numpy as np
    from PIL import Image as Pillow

    if dither == "ordered":
        height, width = pixels.shape[:2]
        pattern = np.tile(_bayer(), (height // 8 + 1, width // 8 + 1))[:height, :width, None]
        pixels = np.clip(pixels + pattern * spread, 0, 255).astype(np.uint8)
    how = Pillow.Dither.FLOYDSTEINBERG if dither == "diffusion" else Pillow.Dither.NONE
    return np.asarray(Pillow.fromarray(pixels).quantize(palette=palette, dither=how), np.uint8)


def _bayer() -> NDArray[np.float32]:
    """Bayer's 8 x 8 matrix of thresholds (1973), from -.5 to .5."""
    import numpy as np

    matrix = np.zeros((1, 1))
    for _ in range(3):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    return ((matrix + 0.5) / 64 - 0.5).astype(np.float32)
