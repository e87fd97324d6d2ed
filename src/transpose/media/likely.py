"""What a classifier thinks a picture shows, as text: one line a name with its share, the likeliest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.media.text import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST = 0.05  # a smaller share is not told, but for the first


def likely(names: Sequence[str], shares: NDArray[np.float32], most: int, low: float, ctx: Context) -> Text:
    """The `most` likeliest names as `name (87 %)`, in English; `shares` (names,) in 0..1. Warns under `low`."""
    import numpy as np

    order = [int(each) for each in np.argsort(-shares)[:most]]
    kept = [each for each in order if shares[each] >= LEAST] or order[:1]
    tell(names[kept[0]], float(shares[kept[0]]), low, ctx)
    return Text("\n".join(f"{names[each]} ({shares[each]:.0%})".replace("%", " %") for each in kept), lang="en")


def tell(name: str, share: float, low: float, ctx: Context) -> None:
    """Note the share of the likeliest name as `score`, and warn where it is under `low`."""
    ctx.note("score", round(share, 3))
    if share < low:
        ctx.warn(f"unsure what this shows: {name!r} has a score of only {share:.2f}")
