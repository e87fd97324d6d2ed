"""Whether a spoilt, cut photograph is found again among others by its vector.

python -m benchmarks.scores embed_picture
"""

from __future__ import annotations

import resource
import time

import numpy as np

from benchmarks.photos import PHOTOS, image, opened, spoilt
from transpose.core.context import Context
from transpose.transforms.embed_picture import embed_picture


def score(ctx: Context) -> dict[str, str | float]:
    """Recall at 1 of cut and spoilt copies among the originals; wall seconds for a picture, peak of memory."""
    wholes = [opened(photo) for photo in PHOTOS]
    known = np.stack([embed_picture(image(whole), ctx).vector for whole in wholes])
    right, count, seconds = 0, 0, 0.0
    for number, whole in enumerate(wholes):
        part = whole.crop((whole.width // 5, whole.height // 5, whole.width, whole.height))
        for _, picture in spoilt(part):
            sample = image(picture)
            began = time.perf_counter()
            vector = embed_picture(sample, ctx).vector
            seconds += time.perf_counter() - began
            right += int((known @ vector).argmax()) == number
            count += 1
    return {
        "metric": "recall at 1",
        "value": round(right / count, 3),
        "quality": round(right / count, 3),
        "data": f"{count} cut copies (16 parts of 25), five of six spoilt as well, among {len(PHOTOS)} photographs of "
        "scikit-image and scikit-learn",
        "date": "2026-11-21",
        "seconds": round(seconds / count, 3),
        "unit": "picture",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
