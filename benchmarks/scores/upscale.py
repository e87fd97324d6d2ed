"""How near an enlarged photograph comes to the one that it was reduced from, against plain resampling.

python -m benchmarks.scores upscale
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from benchmarks.photos import PHOTOS, image, opened
from transpose.core.context import Context
from transpose.media.image import Image
from transpose.models.u2net import box_mean
from transpose.transforms.upscale import upscale


def ssim(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Structural similarity (Wang et al. 2004) of two RGB pictures in grey, in windows of 7 x 7 pixels."""
    a, b = (pixels.astype(np.float32).mean(axis=2) for pixels in (first, second))
    mean_a, mean_b = box_mean(a, 3), box_mean(b, 3)
    var_a, var_b = box_mean(a * a, 3) - mean_a**2, box_mean(b * b, 3) - mean_b**2
    shared = box_mean(a * b, 3) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    value = (2 * mean_a * mean_b + c1) * (2 * shared + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return float(value.mean())


def measure(ctx: Context, enlarge: Callable[[Image, Context], Image]) -> dict[str, str | float]:
    """SSIM after reducing to a quarter and enlarging; wall seconds for a small picture, peak of memory."""
    ours, plain, seconds = [], [], []
    for photo in PHOTOS:
        whole = opened(photo)
        whole = whole.crop((0, 0, whole.width // 4 * 4, whole.height // 4 * 4))
        small = whole.resize((whole.width // 4, whole.height // 4), Pillow.Resampling.BOX)
        sample = image(small)
        began = time.perf_counter()
        found = enlarge(sample, ctx).pixels
        seconds.append(time.perf_counter() - began)
        ours.append(ssim(np.asarray(whole), found))
        plain.append(ssim(np.asarray(whole), np.asarray(small.resize(whole.size, Pillow.Resampling.LANCZOS))))
    return {
        "metric": "SSIM",
        "value": round(float(np.mean(ours)), 3),
        "quality": round(float(np.mean(ours)), 3),
        "data": f"{len(ours)} photographs of scikit-image and scikit-learn (some 600 x 400 pixels), reduced to a "
        f"quarter and enlarged; Lanczos resampling has {float(np.mean(plain)):.3f}, and looks softer",
        "date": "2026-11-21",
        "seconds": round(float(np.mean(seconds[1:])), 2),
        "unit": "picture",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def score(ctx: Context) -> dict[str, str | float]:
    """The quick network."""
    return measure(ctx, upscale)
