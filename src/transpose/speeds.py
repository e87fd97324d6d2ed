"""This machine's own seconds a unit for each transform, learned from runs, read by the planner."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from transpose.core.catalog import read_json
from transpose.core.store import write_json


def learn(home: Path, timings: Mapping[str, float], units: float) -> None:
    """Remember what a run took, where its input was long enough that loading the model does not count."""
    if not timings or units < 0.5:
        return
    path = home / "speeds.json"
    speeds = read_json(path)
    for name, seconds in timings.items():
        speeds[name] = (speeds.get(name, seconds / units) + seconds / units) / 2
    write_json(path, speeds)
