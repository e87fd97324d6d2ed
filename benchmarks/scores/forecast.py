"""How good `forecast` is: MASE beside the seasonal naive forecast, and how often the interval holds what came.

Series of the kinds that public collections hold (months, quarters, days and years; trends, seasons, level shifts,
random walks, pure noise), made from a fixed seed; the last season is held out. MASE is the mean absolute error by that
of the one-step seasonal naive forecast inside the known part (Hyndman and Koehler 2006).
"""

from __future__ import annotations

import time
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from transpose.core.context import Context
from transpose.media.table import Table
from transpose.transforms.forecast import forecast, naive, theta

KINDS = ("trend and season", "growing season", "random walk", "noise", "level shift", "smooth trend", "autoregression")
SPANS = (("month", 12, 96), ("quarter", 4, 48), ("day", 7, 120), ("year", 1, 30))


def series(kind: str, period: int, length: int, dice: np.random.Generator) -> np.ndarray[Any, Any]:
    """One series of `length` steps around 100, of period `period`."""
    at = np.arange(length)
    wave = np.sin(2 * np.pi * at / max(period, 2) + dice.uniform(0, 6)) + 0.5 * np.cos(4 * np.pi * at / max(period, 2))
    wave = wave if period > 1 else np.zeros(length)
    slope, noise = dice.uniform(-0.4, 0.8), dice.normal(0, dice.uniform(1, 5), length)
    made = {
        "trend and season": 100 + slope * at + 12 * wave + noise,
        "growing season": np.exp(0.012 * at * dice.uniform(0, 1)) * (100 + 14 * wave) + noise,
        "random walk": 100 + np.cumsum(noise),
        "noise": 100 + 3 * noise,
        "level shift": 100 + 25 * (at > dice.integers(length // 3, length)) + 6 * wave + noise,
        "smooth trend": 100 + 30 * np.tanh((at - length / 2) / length * 4) + noise,
        "autoregression": 100 + _autoregression(noise, 0.7),
    }
    return np.asarray(made[kind])


def _autoregression(noise: np.ndarray[Any, Any], weight: float) -> np.ndarray[Any, Any]:
    found = np.zeros(len(noise))
    for at in range(1, len(noise)):
        found[at] = weight * found[at - 1] + noise[at]
    return found


def days(unit: str, length: int) -> list[date]:
    """Dates of the steps."""
    if unit == "day":
        return [date(2023, 1, 1) + timedelta(days=step) for step in range(length)]
    gap = {"month": 1, "quarter": 3, "year": 12}[unit]
    return [date(1980 + gap * step // 12, gap * step % 12 + 1, 1) for step in range(length)]


def compare(ctx: Context, each: int = 6, level: int = 80) -> dict[str, float]:
    """Mean MASE of each way over all series, and the share of held-out values inside the interval."""
    dice = np.random.default_rng(7)
    found: dict[str, list[float]] = {
        "forecast": [],
        "theta alone": [],
        "seasonal naive": [],
        "inside": [],
        "seconds": [],
    }
    for unit, period, length in SPANS:
        for kind in [kind for kind in KINDS for _ in range(each)]:
            whole = series(kind, period, length, dice)
            steps = max(period, 6)
            known, coming = whole[:-steps], whole[-steps:]
            scale = float(np.mean(np.abs(known[period:] - known[:-period])))
            table = Table(pa.table({"time": days(unit, len(known)), "value": known}))
            began = time.perf_counter()
            said = forecast(table, ctx, horizon=steps, level=level).arrow
            found["seconds"].append(time.perf_counter() - began)
            middle, low, high = (said.column(name).to_numpy() for name in ("value", "value low", "value high"))
            found["forecast"].append(float(np.mean(np.abs(coming - middle))) / scale)
            found["theta alone"].append(float(np.mean(np.abs(coming - theta(known, steps, period)))) / scale)
            found["seasonal naive"].append(float(np.mean(np.abs(coming - naive(known, steps, period)))) / scale)
            found["inside"].append(float(np.mean((coming >= low) & (coming <= high))))
    return {name: float(np.mean(values)) for name, values in found.items()} | {"series": float(len(found["inside"]))}


def score(ctx: Context) -> dict[str, object]:
    """MASE of `forecast`; its quality is the share of the seasonal naive error that it takes away, plus a half."""
    import resource

    means = compare(ctx)
    saved = 1 - means["forecast"] / means["seasonal naive"]
    others = f"theta alone {means['theta alone']:.3f}, seasonal naive {means['seasonal naive']:.3f}"
    return {
        "metric": "MASE",
        "value": round(means["forecast"], 3),
        "quality": round(min(1.0, max(0.0, 0.5 + saved)), 2),
        "data": f"{means['series']:.0f} made series; {others}; 80 % interval holds {means['inside']:.0%}",
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(means["seconds"], 4),
        "unit": "series",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
