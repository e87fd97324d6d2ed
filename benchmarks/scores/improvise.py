"""How well `improvise` obeys held-out prompts, judged by a probe that learned from other sound fonts.

Needs the probe and the clips of recipes/music_diffusion.sh, in the folder named by $TRANSPOSE_MUSIC.
"""

from __future__ import annotations

import os
import resource
from importlib.util import find_spec
from pathlib import Path

from transpose.core.context import Context
from transpose.core.errors import MissingPackage

COUNT = 120


def folder() -> Path:
    """Where recipes/music_diffusion.sh left its probe and its held-out clips.

    Raises MissingPackage, as for a package that a measure needs, where that is not said or PyTorch is not there.
    """
    told = os.environ.get("TRANSPOSE_MUSIC")
    if not told or find_spec("torch") is None:
        raise MissingPackage("the probe of music and PyTorch are needed", "Run recipes/music_diffusion.sh")
    return Path(told)


def score(ctx: Context, **options: float) -> dict[str, str | float]:
    """Shares of clips of 10 s with the instrument, the root and the tempo (within 5 %) that their prompts ask for."""
    made = folder()
    from recipes.music_measure import context, make, obeyed
    from recipes.music_probe import read_probe

    own = context(ctx.model("music-diffusion"))
    found = obeyed(read_probe(made / "probe/probe.safetensors"), make(own, COUNT, **options))
    print(found)
    right = (found["instrument"] + found["root"] + found["tempo"]) / 3
    return {
        "metric": "instrument, root and tempo right",
        "value": round(right, 3),
        "quality": round(right, 3),
        "data": f"{COUNT} held-out prompts; probe of four other sound fonts",
        "date": "2026-11-21",
        "seconds": round(found["cpu_seconds"], 2),
        "unit": "10 seconds of sound",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
