"""Whether `restyle` changes who plays and keeps the rhythm, on real clips that the network never saw."""

from __future__ import annotations

import resource
import time

from benchmarks.scores.improvise import folder
from transpose.core.context import Context

COUNT = 30


def score(ctx: Context) -> dict[str, str | float]:
    """Mean of the share of clips with the new instrument and of the correlation of onsets before and after."""
    data = folder()
    from recipes.music_measure import context, restyled
    from recipes.music_probe import read_probe

    own, started = context(ctx.model("music-diffusion")), time.process_time()
    found = restyled(read_probe(data / "probe/probe.safetensors"), own, data / "held", COUNT)
    seconds = (time.process_time() - started) / COUNT
    print(found)
    both = (found["onset_correlation"] + found["instrument"]) / 2
    return {
        "metric": "new instrument heard, onsets kept",
        "value": round(both, 3),
        "quality": round(both, 3),
        "data": f"{COUNT} clips of 10 s of held-out combinations; probe of four other sound fonts",
        "date": "2026-11-21",
        "seconds": round(seconds, 2),
        "unit": "10 seconds of sound",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
