"""How faithful tunes in ABC are: measured as `write_musicxml` is."""

from __future__ import annotations

from benchmarks.scores.write_musicxml import report, round_trip
from transpose.core.context import Context
from transpose.formats.abc import read_abc, write_abc


def score(ctx: Context) -> dict[str, object]:
    """Of `write-abc`, with `read-abc`."""
    return report(round_trip(write_abc, read_abc, ".abc"))
