"""YOLOX-nano in ONNX Runtime: eighty everyday things in a photograph, each with a box and a score.

Ge et al. 2021, "YOLOX: Exceeding YOLO Series in 2021". 0.9 million weights, sees 416 x 416 pixels; its authors give
25.8 mean average precision on COCO, which is little: small and crowded things are missed. The network answers for each
of 3,549 places; from these come boxes, and of boxes that lie over one another the best stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.models.network import open_onnx

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

GRAPH = "model.onnx"
SIDE = 416
STEPS = (8, 16, 32)  # pixels from one place to the next, on three levels
PAD = 114  # the grey beside a picture that is not square
OVERLAP = 0.45  # share of two boxes' union above which they mean one thing
INSIDE = 0.7  # share of a box within a surer one of its kind above which it is a part of that thing
MEMORY_MB = 120
NAMES = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,"
    "bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,"
    "skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,"
    "cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,"
    "potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,"
    "refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush"
).split(",")


@dataclass(frozen=True, slots=True)
class Found:
    """A thing: its name, how sure the network is (0 to 1), and its box in pixels from the upper left corner."""

    name: str
    score: float
    left: float
    top: float
    right: float
    bottom: float


class Detector:
    """The opened network."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.session = open_onnx(folder / GRAPH, threads)
        self.places, self.scales = grid()

    def find(self, pixels: NDArray[np.uint8], least: float, tiles: int = 1) -> list[Found]:
        """Things in an RGB picture (h, w, 3) with a score of at least `least`, the surest first.

        With `tiles` above 1 the picture is also looked at in so many overlapping parts a side, for small things.
        """
        import numpy as np

        height, width = pixels.shape[:2]
        parts = [self._look(pixels, 0, 0)]
        for left, top, right, bottom in windows(width, height, tiles) if tiles > 1 else ():
            inner = self._look(pixels[top:bottom, left:right], left, top)
            # what a cut goes through is better seen in another part, or in the whole
            parts.append(inner[~_cut_off(inner[:, :4], (left, top, right, bottom), (width, height))])
        rows = np.concatenate(parts)
        kinds, scores = rows[:, 4:].argmax(axis=1), rows[:, 4:].max(axis=1)
        boxes = np.clip(rows[:, :4], 0, (width, height, width, height))
        sure = np.flatnonzero(scores >= least)
        kept = best(boxes[sure], scores[sure], kinds[sure], INSIDE if tiles > 1 else 1.0)
        return [
            Found(NAMES[kinds[each]], float(scores[each]), *(float(edge) for edge in boxes[each]))
            for each in sure[kept]
        ]

    def _look(self, pixels: NDArray[np.uint8], left: int, top: int) -> Floats:
        """(n, 84): a box in pixels of the whole picture, and the score of each kind."""
        import numpy as np
        from PIL import Image as Pillow

        scale = SIDE / max(pixels.shape[:2])
        size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
        sheet = np.full((SIDE, SIDE, 3), PAD, np.float32)
        sheet[: size[1], : size[0]] = np.asarray(Pillow.fromarray(pixels).resize(size, Pillow.Resampling.BILINEAR))
        feed = np.ascontiguousarray(sheet[None, ..., ::-1].transpose(0, 3, 1, 2))  # it was trained on BGR
        raw = self.session.run(None, {"images": feed})[0][0]
        middle = (raw[:, :2] + self.places) * self.scales
        half = np.exp(np.minimum(raw[:, 2:4], 10)) * self.scales / 2
        boxes = np.concatenate([middle - half, middle + half], axis=1) / scale
        scores = raw[:, 4:5] * raw[:, 5:]
        some = scores.max(axis=1) > 0.01
        rows: Floats = np.concatenate([boxes + np.array([left, top, left, top], np.float32), scores], axis=1)[some]
        return rows


def grid() -> tuple[Floats, Floats]:
    """For each place of the answer its column and row (n, 2), and its step in pixels (n, 1)."""
    import numpy as np

    places, scales = [], []
    for step in STEPS:
        count = SIDE // step
        rows, columns = np.mgrid[:count, :count]
        places.append(np.stack([columns, rows], axis=-1).reshape(-1, 2))
        scales.append(np.full((count * count, 1), step))
    return np.concatenate(places).astype(np.float32), np.concatenate(scales).astype(np.float32)


def windows(width: int, height: int, tiles: int) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right, bottom of `tiles` x `tiles` parts that overlap by a quarter."""
    spans = []
    for length in (width, height):
        part = min(length, round(length / (1 + 0.75 * (tiles - 1))))
        spans.append([(start := round(n * (length - part) / (tiles - 1)), start + part) for n in range(tiles)])
    for top, bottom in spans[1]:
        for left, right in spans[0]:
            yield left, top, right, bottom


def _cut_off(boxes: Floats, part: tuple[int, int, int, int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which boxes touch an edge of a part that is no edge of the picture."""
    import numpy as np

    left, top, right, bottom = part
    near = 0.01 * max(right - left, bottom - top)
    cut: NDArray[np.bool_] = np.zeros(len(boxes), bool)
    for edge, place, end in ((left, 0, 0), (top, 1, 0), (right, 2, size[0]), (bottom, 3, size[1])):
        if edge != end:
            cut |= np.abs(boxes[:, place] - edge) < near
    return cut


def best(boxes: Floats, scores: Floats, kinds: NDArray[np.int64], inside: float = 1.0) -> NDArray[np.int64]:
    """Indices of the boxes that stay, the surest first: of two of one kind that overlap the better (greedy NMS).

    Below 1, `inside` is the share of the smaller box that may lie in the other.
    """
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while len(order):
        first, order = order[0], order[1:]
        kept.append(int(first))
        low = np.maximum(boxes[first, :2], boxes[order, :2])
        high = np.minimum(boxes[first, 2:], boxes[order, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        union, smaller = areas[first] + areas[order] - shared, np.minimum(areas[first], areas[order])
        apart = (shared <= OVERLAP * union) & (shared <= inside * smaller)
        order = order[apart | (kinds[order] != kinds[first])]
    return np.array(kept, np.int64)
