"""How well boxes and names agree with those drawn by hand, on photographs with and without things of the eighty kinds.

python -m benchmarks.scores find_objects
"""

from __future__ import annotations

import resource
import time
from collections import Counter

from benchmarks.photos import PHOTOS, Box, image, opened, spoilt
from transpose.core.context import Context
from transpose.transforms.find_objects import find_objects


def score(ctx: Context) -> dict[str, str | float]:
    """F1 of boxes that share half of their union and the name; wall seconds for a picture, peak of memory."""
    tally: Counter[str] = Counter()
    seconds, count = 0.0, 0
    for photo in PHOTOS:
        whole = opened(photo)
        for kind, picture in spoilt(whole):
            sample = image(picture)
            began = time.perf_counter()
            rows = find_objects(sample, ctx).rows()
            seconds += time.perf_counter() - began if count else 0.0
            count += 1
            wanted = [(name, _moved(box, kind, whole.width)) for name, box in photo.things]
            for row in rows:
                left, top, wide, high = (int(str(row[key])) for key in ("left", "top", "width", "height"))
                box = (left, top, left + wide, top + high)
                hit = next((each for each in wanted if each[0] == row["name"] and overlap(each[1], box) >= 0.5), None)
                tally["right" if hit else "wrong"] += 1
                tally["coins"] += "coins" in photo.file
                if hit:
                    wanted.remove(hit)
            tally["missed"] += len(wanted)
    f1 = 2 * tally["right"] / max(1, 2 * tally["right"] + tally["wrong"] + tally["missed"])
    return {
        "metric": "F1 of boxes, half of the union shared",
        "value": round(f1, 3),
        "quality": round(f1, 3),
        "data": f"{count} pictures: {len(PHOTOS)} photographs of scikit-image and scikit-learn, by themselves and in 5 "
        f"spoilt forms, boxes by hand; {tally['right']} right, {tally['wrong']} wrong ({tally['coins']} of them "
        f"coins, taken for clocks), {tally['missed']} missed; its maker says mean average precision .258 on COCO",
        "date": "2026-11-21",
        "seconds": round(seconds / (count - 1), 3),
        "unit": "picture",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def overlap(first: Box, second: Box) -> float:
    """Shared area of two boxes as a share of their union."""
    wide = max(0, min(first[2], second[2]) - max(first[0], second[0]))
    high = max(0, min(first[3], second[3]) - max(first[1], second[1]))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return wide * high / max(1, areas - wide * high)


def _moved(box: Box, kind: str, width: int) -> Box:
    """Where a thing lies in a spoilt copy."""
    left, top, right, bottom = box
    if kind == "mirrored":
        return width - right, top, width - left, bottom
    return (left // 2, top // 2, right // 2, bottom // 2) if kind == "half" else box
