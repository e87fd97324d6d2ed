"""The words of learning that need no PyTorch: dials, measurements, how it ended, and who looks on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from transpose.core.store import atomic

HELDOUT = "heldout.jsonl"


@dataclass(frozen=True, slots=True)
class Dials:
    """How to learn. `rank` is the main one: the adapter's size grows with it."""

    rank: int = 8
    steps: int = 600
    seconds: float = 13 * 60.0
    rate: float = 1e-3
    batch: int = 16
    seed: int = 0
    every: int = 25  # steps between measurements
    patience: int = 8  # measurements without a better loss


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went; `why` it ended is `steps`, `time`, `no better` or `stopped` (by `Watch.stop`)."""

    steps: int
    seconds: float
    best_step: int
    best: float
    why: str
    share: float  # trained parameters beside those of the base


@dataclass(frozen=True, slots=True)
class Measure:
    """A line of the learning curve: losses of training (mean since the last one) and held out."""

    step: int
    seconds: float
    loss: float
    heldout: float


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks on: `tell` hears of each measurement, `stop` is asked after each step."""

    tell: Callable[[Measure], None] = lambda measure: None
    stop: Callable[[], bool] = lambda: False


def read_measures(folder: Path) -> list[Measure]:
    """The learning curve that lies in a folder."""
    path = folder / HELDOUT
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [Measure(**json.loads(line)) for line in lines]


def write_measures(folder: Path, measures: list[Measure]) -> None:
    """Replace the learning curve of a folder."""
    rows = [{name: round(value, 6) for name, value in asdict(each).items()} for each in measures]
    with atomic(folder / HELDOUT, force=True) as temporary:
        temporary.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
