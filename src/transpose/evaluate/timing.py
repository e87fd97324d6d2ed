"""How long each transform takes on this machine, and how much memory: one small input each, in a child process.

A child is used so that the peak of one transform does not hide in that of another, and so that one that hangs or is
killed for its memory costs only its own row.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from transpose.core.catalog import Catalog, missing_modules
from transpose.core.context import Context, Many
from transpose.core.errors import TransposeError
from transpose.core.transform import Transform
from transpose.evaluate.samples import SAMPLES

PATIENCE = 300.0  # seconds for one transform, loading included
UNITS = {"text": 1000.0, "audio": 60.0, "video": 60.0}  # letters, seconds and seconds of one unit; else one thing


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds a unit when warm, seconds of the first call, and the peak of the process in MB beside bare Python."""

    transform: str
    seconds: float = 0.0
    first: float = 0.0
    memory_mb: int = 0
    failed: str = ""


def timings(
    catalog: Catalog, names: list[str], ready: Callable[[Transform], bool], child: list[str]
) -> Iterator[Timing]:
    """One row for each transform of one input that we have a sample for and whose weights are here.

    `child` is the command that measures the transform whose name is put behind it, and prints a Timing as JSON.
    """
    for item in sorted(catalog, key=lambda each: each.name):
        if (names and item.name not in names) or not measurable(item) or missing_modules(item) or not ready(item):
            continue
        yield _child(item, child)


def measurable(item: Transform) -> bool:
    """Whether a sample of ours is what it takes."""
    needed = [slot for slot in item.slots if not slot.optional]
    node = item.slots[0].nodes[0]
    plain = len(needed) == 1 and not item.reads and not item.writes and not item.network and not item.uses
    return plain and node.modality in SAMPLES and node.name != "text.prompt" and not item.does


def _child(item: Transform, child: list[str]) -> Timing:
    try:
        done = subprocess.run([*child, item.name], capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return Timing(item.name, failed=f"not done after {PATIENCE:.0f} s")
    try:
        return Timing(**json.loads(done.stdout.splitlines()[-1]))
    except (IndexError, ValueError, TypeError):
        why = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
        return Timing(item.name, failed=why[0][:200])


def measure(item: Transform, ctx: Context) -> Timing:
    """Run one transform twice on its sample, in this process."""
    value = SAMPLES[item.slots[0].nodes[0].modality]()
    units = _units(value, item)
    spent = []
    before = _peak()
    for _ in range(2):
        begin = time.perf_counter()
        try:
            _drain(item.function(*_arguments(item, value), ctx))
        except TransposeError as error:
            return Timing(item.name, failed=error.message)
        spent.append(time.perf_counter() - begin)
    return Timing(item.name, round(spent[1] / units, 4), round(spent[0], 3), max(0, _peak() - before))


def _arguments(item: Transform, value: Any) -> list[Any]:
    first: Any = value
    if item.batched:
        first = [value]
    elif item.slots[0].nodes[0].many:
        first = Many(lambda: [value], 1)
    return [first, *[None] * (len(item.slots) - 1)]


def _drain(made: Any) -> None:
    """Lazy values do their work here: it belongs to the transform."""
    if isinstance(made, Many):
        for _ in made:
            pass
    elif hasattr(made, "shots"):
        for _ in made.shots():
            pass


def _units(value: Any, item: Transform) -> float:
    modality = item.slots[0].nodes[0].modality
    if modality not in UNITS:
        return 1.0
    size = float(len(value.text)) if modality == "text" else float(value.duration)
    return max(size / UNITS[modality], 1e-3)


def _peak() -> int:
    """Peak of this process in MB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(used // (1 << 20 if sys.platform == "darwin" else 1 << 10))
