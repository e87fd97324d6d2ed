"""What the modules of measures share: how a figure is written down, and small helpers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import mean

from transpose.core.context import Context


@dataclass(frozen=True, slots=True)
class Found:
    """A figure: `value` of `metric` on `data`, the `quality` 0..1 made of it, and how many `unit`s it has."""

    metric: str
    value: float
    quality: float
    data: str
    units: float = 1.0
    unit: str = "run"


Measure = Callable[[Context], Found]


def entry(measure: Measure, ctx: Context) -> dict[str, object]:
    """Run one measure: a row of scores.json.

    It holds no seconds: most of them go into making and comparing, and `transpose bench` has those of the transform.
    """
    found = measure(ctx)
    return {
        "metric": found.metric,
        "value": round(found.value, 4),
        "quality": round(max(0.0, min(1.0, found.quality)), 3),
        "data": found.data,
        "date": time.strftime("%Y-%m-%d"),
    }


def share(metric: str, shares: Iterable[float], data: str, unit: str = "run") -> Found:
    """The mean of shares from 0 to 1, which is the quality too."""
    every = list(shares)
    return Found(metric, mean(every), mean(every), data, len(every), unit)


def error(metric: str, errors: Iterable[float], data: str, unit: str = "run") -> Found:
    """The mean of relative errors; the quality is what is left of 1."""
    every = list(errors)
    return Found(metric, mean(every), 1 - mean(every), data, len(every), unit)


def f1(found: Iterable[object], wanted: Iterable[object]) -> float:
    """F1 of two bags."""
    mine, theirs = Counter(found), Counter(wanted)
    total = sum(mine.values()) + sum(theirs.values())
    return 2 * sum((mine & theirs).values()) / total if total else 1.0
