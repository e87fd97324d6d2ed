"""Score of `sound-from-spectrogram`: the same round trip as for `spectrogram`, with the time of the way back."""

from __future__ import annotations

from transpose.core.context import Context

from .spectrogram import measure
from .spectrogram import score as score_of_drawing


def score(ctx: Context) -> dict[str, object]:
    """The distance of the round trip and the seconds of the phase search."""
    return {**score_of_drawing(ctx), "seconds": round(measure(ctx)["find"], 2)}
