"""How well `paint-spectrogram` obeys: its pictures are judged as sounds, by the measure of `improvise`."""

from __future__ import annotations

from benchmarks.scores.improvise import score as improvise_score
from transpose.core.context import Context


def score(ctx: Context) -> dict[str, str | float]:
    """What `improvise` gets with one draft: it paints, and plays what was painted."""
    return improvise_score(ctx, drafts=1)
