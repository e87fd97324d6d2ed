"""How often a generated picture shows the thing and the colour of a held-out caption, beside composed ones.

python -m benchmarks.scores generate_picture
"""

from __future__ import annotations

import resource
import time

import numpy as np

from benchmarks.picture_judging import SORTS, held, judge, making
from transpose.core.context import Context
from transpose.transforms.compose_icon import compose_icon
from transpose.transforms.generate_picture import generate_picture


def score(ctx: Context) -> dict[str, str | float]:
    """Share of held-out compositions with the right thing and colour; all other shares in `data`."""
    captions = held().captions
    generate = making(generate_picture, ctx)
    generate("a cat")  # opens the networks
    began = time.perf_counter()
    made = {each["prompt"]: generate(each["prompt"]) for each in captions}
    seconds = (time.perf_counter() - began) / len(captions)
    generated = judge(made.get, ctx, captions)
    composed = judge(making(compose_icon, ctx, size=128), ctx, captions)
    wrong = np.random.default_rng(0).permutation([each["prompt"] for each in captions])
    other = dict(zip([each["prompt"] for each in captions], wrong, strict=True))
    mixed = judge(lambda prompt: made[other[prompt]], ctx, captions)
    both = (generated["colour.both"] + generated["paper.both"]) / 2
    ways = {"generated": generated, "composed": composed, "generated from other captions": mixed}
    told = "; ".join(f"{name} {_said(found)}" for name, found in ways.items())
    return {
        "metric": "held-out compositions with the right thing and colour",
        "value": round(both, 3),
        "quality": round(both, 3),
        "data": f"{len(captions)} captions, one of 410 names by a judge that learnt other icons (thing, one of five, "
        f"colour): {told}",
        "date": "2026-11-21",
        "seconds": round(seconds, 3),
        "unit": "picture",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _said(found: dict[str, float]) -> str:
    parts = ("thing", "five", "colour")
    return ", ".join(
        f"{sort} " + "/".join(f"{found[f'{sort}.{part}']:.2f}" for part in parts if f"{sort}.{part}" in found)
        for sort in SORTS
    )
