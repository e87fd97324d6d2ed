"""How often `find-icon` finds the icon of the same thing for a drawing in a style that the networks never saw.

python -m benchmarks.scores find_icon
"""

from __future__ import annotations

import resource
import time

import numpy as np

from benchmarks.scores.label_icon import NAMES, SET, drawn, unseen
from transpose.core.context import Context
from transpose.media.image import Image
from transpose.models.contrastive import CARD, PictureText
from transpose.models.icons import Icons, Names, plain_words
from transpose.transforms.find_icon import find_icon

COUNT = 400


def score(ctx: Context) -> dict[str, str | float]:
    """Share of Twemoji's icons, rendered, for which the icon of another set with the same code point is found."""
    known = {plain_words(name) for name in PictureText(ctx.model(CARD)).facts.names}
    icons = Icons(ctx.model(SET), SET)
    asked = [each for each in Names(ctx.model(NAMES)).entries if each.label in known and each.code in icons]
    chosen = [asked[at] for at in np.random.default_rng(0).choice(len(asked), COUNT, replace=False)]
    pictures = [drawn(icons.read(each.code)) for each in chosen]
    right, began = [], time.perf_counter()
    for entry, picture in zip(chosen, pictures, strict=True):
        find_icon(Image(picture), ctx, size=64)
        points = " ".join(f"U+{part}" for part in entry.code.split("-"))
        right.append(f" {points} (" in str(ctx.facts["icons"]))
    seconds, new = (time.perf_counter() - began) / COUNT, np.array([unseen(each.code) for each in chosen])
    both, old = np.array(right), ~new
    return {
        "metric": "right icon",
        "value": round(float(both.mean()), 3),
        "quality": round(float(both.mean()), 3),
        "data": f"{COUNT} icons of Twemoji, a set never seen: {both[old].mean():.3f} of {old.sum()} things learnt in "
        f"other sets, {both[new].mean():.3f} of {new.sum()} never learnt, but seen in them",
        "date": "2026-11-21",
        "seconds": round(seconds, 4),
        "unit": "picture",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
