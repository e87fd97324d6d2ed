"""Timelines: a video as a list of what is shown when, to be edited by hand and rendered again.

`media/timeline.py` holds the format. A timeline is made by `storyboard` of a talk; reading it gives the video.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.timeline import load_file, render
from transpose.media.video import Video


@transform(".timeline -> video")
def read_timeline(
    path: Path, ctx: Context, *, fps: Annotated[int, Range(1, 60), "frames a second; stills need few"] = 10
) -> Video:
    """Render a timeline: its cards and pictures over its sound, with its captions as a track to switch on.

    Sound and pictures are files that the timeline names. Raises what `media.timeline.load_file` and `render` do.
    """
    ctx.once()  # sound and pictures may change while the timeline stays the same
    return render(load_file(path, ctx), fps, ctx)
