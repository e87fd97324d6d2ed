"""The same icon as `find-icon` finds, kept as shapes: the same figures.

python -m benchmarks.scores find_drawing
"""

from __future__ import annotations

from benchmarks.scores import find_icon
from transpose.core.context import Context


def score(ctx: Context) -> dict[str, str | float]:
    """Those of the picture."""
    return find_icon.score(ctx)
