"""How often the first name is right, on photographs of things that the model knows; by themselves and spoilt.

python -m benchmarks.scores label_picture
"""

from __future__ import annotations

import resource
import time

from benchmarks.photos import PHOTOS, image, opened, spoilt
from transpose.core.context import Context
from transpose.transforms.label_picture import label_picture


def score(ctx: Context) -> dict[str, str | float]:
    """Share of right first names; wall seconds for a picture, peak of resident memory."""
    right, first_three, count, seconds = 0, 0, 0, 0.0
    for photo in PHOTOS:
        for _, picture in spoilt(opened(photo)) if photo.names else ():
            sample = image(picture)
            began = time.perf_counter()
            lines = label_picture(sample, ctx).text.splitlines()
            seconds += time.perf_counter() - began if count else 0.0  # the first one loads the model
            names = [line.rpartition(" (")[0] for line in lines]
            right += names[0] in photo.names
            first_three += any(name in photo.names for name in names)
            count += 1
    share = right / count
    known = sum(bool(photo.names) for photo in PHOTOS)
    return {
        "metric": "top-1 accuracy",
        "value": round(share, 3),
        "quality": round(share, 3),
        "data": f"{count} pictures: {known} photographs of scikit-image and scikit-learn, by themselves and in 5 "
        f"spoilt forms; one of three names right: {first_three / count:.3f}; its maker says .751 on ImageNet",
        "date": "2026-11-21",
        "seconds": round(seconds / (count - 1), 3),
        "unit": "picture",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
