"""Scenes of a video, one picture of each; media/scene.py says how cuts are found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from transpose.core.context import Context, Many
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.scene import THRESHOLD, cuts, picked
from transpose.media.video import Video


@transform("video -> images", keeps=["synthetic"], loses=["timing", "wording", "detail"])
def scenes(
    video: Video,
    ctx: Context,
    *,
    threshold: Annotated[
        float, Range(1, 255), "mean change of colour, of 255, that makes a cut; lower finds more"
    ] = THRESHOLD,
    least: Annotated[float, Range(0, 3600), "seconds that a scene lasts at least"] = 0.6,
    detector: Annotated[Literal["adaptive", "content"], "stands out from its neighbours, or passes the threshold"] = (
        "adaptive"
    ),
    every: Annotated[
        float, Range(0, 86_400), "seconds: a picture so often, instead of one of each scene; 0: scenes"
    ] = 0,
) -> Many[Image]:
    """Take one picture of each scene, from its middle; its text fields say when scene and picture are.

    `text:scene` holds the number, `text:start`, `text:end` and `text:time` seconds. A video without a cut is one
    scene. Dissolves are not found. The video is decoded once to find the cuts and once for the pictures.
    Raises what reading the video raises.
    """

    def report(frames: int) -> None:
        ctx.progress(frames, video.length, "frames compared")

    if every:
        count = max(1, int(video.duration / every - 1e-9) + 1)
        starts = sorted({min(video.length - 1, round(number * every * video.fps)) for number in range(count)})
    else:
        starts = cuts(video, threshold, least, adaptive=detector == "adaptive", report=report)
    ctx.note("scenes", len(starts))
    ends = [*starts[1:], video.length]
    chosen = starts if every else [(start + end - 1) // 2 for start, end in zip(starts, ends, strict=True)]

    def pictures() -> Iterator[Image]:
        spans = list(zip(starts, ends, chosen, strict=True))
        for number, (pixels, (start, end, at)) in enumerate(zip(picked(video, chosen), spans, strict=True), 1):
            times = {"text:start": start, "text:end": end, "text:time": at}
            told = {key: f"{float(frame / video.fps):.3f}" for key, frame in times.items()}
            yield Image(pixels, {"text:scene": str(number), **told})

    return Many(pictures, len(starts))
