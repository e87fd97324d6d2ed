"""The same drawing as `compose-icon` makes, kept as shapes: the same figures.

python -m benchmarks.scores compose_drawing
"""

from __future__ import annotations

from benchmarks.scores import compose_icon
from transpose.core.context import Context


def score(ctx: Context) -> dict[str, str | float]:
    """Those of the picture."""
    return compose_icon.score(ctx)
