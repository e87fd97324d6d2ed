"""The sound of a video that was made or changed here; a video file is read as a sound directly."""

from __future__ import annotations

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.core.transform import transform
from transpose.media.audio import Audio
from transpose.media.video import Video


@transform("video -> audio", keeps=["synthetic"], loses=["pixels"])
def sound_of_video(video: Video, ctx: Context) -> Audio:
    """Take the sound of a video as it is. Raises SilentInput where it has none."""
    if video.audio is None or not video.audio.length:
        raise SilentInput("the video has no sound", "Give one with a sound track")
    return video.audio
