"""Whether a video carries captions that can be switched on: told by its header, without decoding."""

from __future__ import annotations

from pathlib import Path

from transpose.core.context import Context
from transpose.media.frames import has_captions


def probe(path: Path, ctx: Context) -> dict[str, float]:
    """`video.captioned` for sure where a track of text is there, nothing else; raises an InputError as reading does."""
    return {"video.captioned": 1.0} if has_captions(path) else {}
