"""How well the mask fits, on made pictures: things of known shape, cut from photographs, before other photographs.

python -m benchmarks.scores remove_background
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageChops, ImageDraw, ImageFilter

from benchmarks.photos import PHOTOS, image, opened
from transpose.core.context import Context
from transpose.transforms.remove_background import remove_background

SIZE = (900, 600)
BEHIND = ("brick", "grass", "gravel", "china", "motorcycle")


def samples() -> Iterator[tuple[Pillow.Image, NDArray[np.bool_]]]:
    """Pictures of 900 x 600 pixels and what belongs to the thing in each."""
    photos = {photo.file: opened(photo) for photo in PHOTOS}
    things = [
        (photos["sklearn/datasets/images/flower.jpg"], _ellipse((640, 427), (158, 76, 405, 328))),
        (photos["skimage/data/coffee.png"], _ellipse((600, 400), (82, 46, 482, 396))),
        (photos["skimage/data/chelsea.png"], _figure((451, 300))),
        (photos["skimage/data/coffee.png"], _figure((600, 400))),
    ]
    for name in BEHIND:
        behind = next(photo for file, photo in photos.items() if name in file).resize(SIZE)
        for number, (thing, mask) in enumerate(things):
            sheet = behind.filter(ImageFilter.GaussianBlur(3))  # as a camera sees what is behind
            size = round(thing.width * (0.8 + 0.3 * number)), round(thing.height * (0.8 + 0.3 * number))
            place = (SIZE[0] - size[0]) // 2 + 40 * (number - 1), (SIZE[1] - size[1]) // 2
            whole = Pillow.new("L", SIZE)
            whole.paste(mask.resize(size), place)
            front = Pillow.new("RGB", SIZE)
            front.paste(thing.resize(size), place)
            yield Pillow.composite(front, sheet, whole.filter(ImageFilter.GaussianBlur(0.8))), np.asarray(whole) > 127


def _ellipse(size: tuple[int, int], box: tuple[int, int, int, int]) -> Pillow.Image:
    mask = Pillow.new("L", size)
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    return mask


def _figure(size: tuple[int, int]) -> Pillow.Image:
    """A head, a body and two arms."""
    wide, high = size
    parts = [Pillow.new("L", size) for _ in range(3)]
    ImageDraw.Draw(parts[0]).ellipse((wide * 0.4, high * 0.05, wide * 0.6, high * 0.4), fill=255)
    ImageDraw.Draw(parts[1]).rounded_rectangle((wide * 0.33, high * 0.38, wide * 0.67, high * 0.95), 30, fill=255)
    pen = ImageDraw.Draw(parts[2])
    pen.line((wide * 0.15, high * 0.7, wide * 0.5, high * 0.5, wide * 0.85, high * 0.3), fill=255, width=high // 10)
    return ImageChops.lighter(ImageChops.lighter(parts[0], parts[1]), parts[2])


def score(ctx: Context) -> dict[str, str | float]:
    """Mean share of the union that true and found shape have in common; wall seconds for a picture, peak of memory."""
    shares, seconds = [], []
    for picture, mask in samples():
        sample = image(picture)
        began = time.perf_counter()
        found = remove_background(sample, ctx).pixels[..., 3] > 127
        seconds.append(time.perf_counter() - began)
        shares.append(float((found & mask).sum() / max(1, (found | mask).sum())))
    return {
        "metric": "IoU",
        "value": round(float(np.mean(shares)), 3),
        "quality": round(float(np.mean(shares)), 3),
        "data": f"{len(shares)} made pictures: parts of 3 photographs of known shape before 5 others out of focus; the "
        f"middle one {float(np.median(shares)):.3f}, the worst {min(shares):.3f}",
        "date": "2026-11-21",
        "seconds": round(float(np.mean(seconds[1:])), 2),
        "unit": "picture",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
