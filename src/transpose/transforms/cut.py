"""A part of a video or of a sound, from one time to another."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from math import isfinite
from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, OptionError
from transpose.core.transform import transform
from transpose.media.audio import Audio
from transpose.media.text import Cue
from transpose.media.video import Video

SHORT = 60.0  # seconds of sound that are kept in memory; longer ones go through a temporary file
CLOCK = re.compile(r"(-?)(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)")
START = "seconds, or 1:23.5, or 1:02:03; negative: before the end"
END = "as start; empty: the end"


@transform("video -> video", does="cut", verb=True, keeps=["synthetic"], loses=["detail"])
def cut_video(
    video: Video, ctx: Context, *, start: Annotated[str, START] = "0", end: Annotated[str, END] = ""
) -> Video:
    """Keep a video from `start` to `end`, exact to the frame, with its sound and captions.

    Times are rounded to frames, and the sound is cut where the frames are. Only the part is decoded, and encoded anew
    when it is written. Raises OptionError for what is no time, EmptyInput where nothing lies between the two.
    """
    opens, closes = _times(start, end, video.duration)
    first, last = round(opens * video.fps), min(video.length, max(1, round(closes * video.fps)))
    first = min(first, last - 1)
    begin, stop = float(first / video.fps), float(last / video.fps)
    cues = tuple(
        Cue(max(0.0, cue.start - begin), min(cue.end, stop) - begin, cue.text)
        for cue in video.cues
        if cue.start < stop and cue.end > begin
    )
    return replace(
        video,
        length=last - first,
        source=partial(video.part, first, last),
        jump=lambda at: video.part(first + at, last),
        audio=_part(video.audio, begin, stop, ctx) if video.audio else None,
        cues=cues,
    )


@transform("audio -> audio", does="cut", verb=True, keeps=["synthetic"], loses=["detail"])
def cut_sound(
    audio: Audio, ctx: Context, *, start: Annotated[str, START] = "0", end: Annotated[str, END] = ""
) -> Audio:
    """Keep a sound from `start` to `end`, exact to the sample.

    Raises OptionError for what is no time, EmptyInput where nothing lies between the two.
    """
    return _part(audio, *_times(start, end, audio.duration), ctx)


@transform("audio.speech -> audio.speech", does="cut", verb=True, keeps=["synthetic", "lang"], loses=["detail"])
def cut_speech(
    audio: Audio, ctx: Context, *, start: Annotated[str, START] = "0", end: Annotated[str, END] = ""
) -> Audio:
    """Keep a part of somebody's speech, as `cut-sound` does; it stays speech, which can be transcribed."""
    return _part(audio, *_times(start, end, audio.duration), ctx)


@transform("audio.music -> audio.music", does="cut", verb=True, keeps=["synthetic"], loses=["detail"])
def cut_music(
    audio: Audio, ctx: Context, *, start: Annotated[str, START] = "0", end: Annotated[str, END] = ""
) -> Audio:
    """Keep a part of a piece of music, as `cut-sound` does; it stays music, whose notes can be found."""
    return _part(audio, *_times(start, end, audio.duration), ctx)


def _part(audio: Audio, start: float, stop: float, ctx: Context) -> Audio:
    """A sound of its own; of no length where the sound ends before `start`."""
    import numpy as np

    blocks = audio.blocks(start=start, stop=stop)
    if stop - start > SHORT and start < audio.duration:
        return replace(Audio.from_blocks(blocks, audio.rate, ctx.temp(".wav")), meta=audio.meta)
    pieces = list(blocks) or [np.zeros((0, audio.channels), np.float32)]
    return Audio.from_array(np.concatenate(pieces), audio.rate, audio.meta)


def _times(start: str, end: str, seconds: float) -> tuple[float, float]:
    """Both times in seconds, within the whole."""
    opens = _seconds("start", start, seconds)
    closes = min(_seconds("end", end, seconds), seconds) if end.strip() else seconds
    if opens >= closes:
        told = f"from {opens:.2f} to {closes:.2f} s"
        raise EmptyInput(f"nothing lies {told} of {seconds:.2f} s", "Give a start before the end, inside the whole")
    return opens, closes


def _seconds(name: str, text: str, whole: float) -> float:
    """`90`, `1:30`, `0:01:30.0` or `-5`, which counts from the end."""
    match = CLOCK.fullmatch(text.strip())
    if not match or not isfinite(float(match[4])):
        raise OptionError(f"option {name}={text!r} is no time", "Write seconds, or 1:23.5, or 1:02:03")
    value = int(match[2] or 0) * 3600 + int(match[3] or 0) * 60 + float(match[4])
    return max(0.0, whole - value) if match[1] else float(value)
