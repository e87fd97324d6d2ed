"""As upscale.py, with the large network.

python -m benchmarks.scores upscale_finely
"""

from __future__ import annotations

from benchmarks.scores.upscale import measure
from transpose.core.context import Context
from transpose.transforms.upscale import upscale_finely


def score(ctx: Context) -> dict[str, str | float]:
    """The large network."""
    return measure(ctx, upscale_finely)
