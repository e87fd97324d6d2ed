"""Video files of cameras, discs and older programs: AVI, MPEG, transport streams, Flash, Windows Media, Ogg, 3GP."""

from __future__ import annotations

from pathlib import Path

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.core.transform import transform
from transpose.media.audio import Audio
from transpose.media.video import Video


@transform(".avi|.m4v|.mpg|.mpeg|.ts|.mts|.m2ts|.flv|.wmv|.asf|.ogv|.3gp -> video")
def read_older_video(path: Path, ctx: Context) -> Video:
    """Open a video as `read-video` does: its pictures upright and in square pixels, its first sound track, captions.

    Raises an InputError when the file is missing, empty, damaged, of another format or has no moving pictures.
    """
    return Video.from_file(path)


@transform(".mov|.avi|.m4v|.mpg|.mpeg|.ts|.mts|.m2ts|.flv|.wmv|.asf|.ogv|.3gp -> audio", loses=["pixels"])
def read_sound_of_older_video(path: Path, ctx: Context) -> Audio:
    """Open the first sound track of a video (also of `.mov`); the samples are read when they are needed.

    Raises EmptyInput for a length of zero, SilentInput for a video without sound, DamagedInput for what is none.
    """
    sound = Audio.from_file(path)
    if not sound.length:
        raise EmptyInput(f"{path.name!r} holds no sound: its length is zero")
    return sound
