"""How often a composed icon that is regenerated in another colour shows the same thing in that colour.

python -m benchmarks.scores regenerate_picture
"""

from __future__ import annotations

import resource
import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.picture_judging import held, judge
from transpose.core.context import Context
from transpose.media.image import Image, on_white
from transpose.media.text import Text
from transpose.transforms.compose_icon import compose_icon
from transpose.transforms.generate_picture import regenerate_picture

if TYPE_CHECKING:
    from benchmarks.picture_judging import Pixels

STRENGTH = 0.7


def score(ctx: Context) -> dict[str, str | float]:
    """Share with the right thing and colour; beside it, the share where nothing was done."""
    captions = [each for each in held().captions if each["sort"] == "colour"]
    names = {each["prompt"]: each["name"] for each in captions}
    starts = {prompt: compose_icon(Text(name), ctx, size=128) for prompt, name in names.items()}

    def changed(prompt: str) -> Pixels:
        made: Image = regenerate_picture(starts[prompt], Text(prompt), None, ctx, strength=STRENGTH)
        return made.pixels

    changed(captions[0]["prompt"])
    began = time.perf_counter()
    found = judge(changed, ctx, captions)
    seconds = (time.perf_counter() - began) / len(captions)
    before = judge(lambda prompt: np.ascontiguousarray(on_white(starts[prompt].pixels)), ctx, captions)
    return {
        "metric": "right thing and right colour",
        "value": found["colour.both"],
        "quality": found["colour.both"],
        "data": f"{len(captions)} composed icons made again in a held-out colour at strength {STRENGTH}: thing "
        f"{found['colour.thing']:.2f}, colour {found['colour.colour']:.2f}; before: thing {before['colour.thing']:.2f}"
        f", colour {before['colour.colour']:.2f}",
        "date": "2026-11-21",
        "seconds": round(seconds, 3),
        "unit": "picture",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
