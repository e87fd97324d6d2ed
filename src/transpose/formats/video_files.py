"""Video files in and out: MP4 and MOV (H.264, AAC), MKV (H.264, Opus), WebM (VP9, Opus), with captions.

A picture that stays is converted once and costs the encoder next to nothing. MP4 and MOV have their index in front,
so that they play before they are whole. MKV gets Opus because it cannot say how much silence AAC puts in front. Sound
of more than two channels is mixed to stereo, and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.mux import Codecs, Film, encode
from transpose.media.video import Video

AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
OPUS_RATES = (48000,)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Codecs of one suffix, rates of its sound, bits a second for each channel, what to add to a CRF of x264."""

    codecs: Codecs
    rates: Sequence[int]
    bit_rate: int
    crf_shift: int = 0


X264 = {"preset": "veryfast"}
VP9 = {"deadline": "realtime", "cpu-used": "7", "row-mt": "1", "b": "0"}
FAST = {"movflags": "+faststart"}
RECIPES = {
    ".mp4": Recipe(Codecs("mp4", "libx264", "yuv420p", "aac", "mov_text", X264, FAST, even=True), AAC_RATES, 80_000),
    ".mov": Recipe(Codecs("mov", "libx264", "yuv420p", "aac", "mov_text", X264, FAST, even=True), AAC_RATES, 80_000),
    ".mkv": Recipe(Codecs("matroska", "libx264", "yuv420p", "libopus", "subrip", X264, even=True), OPUS_RATES, 64_000),
    ".webm": Recipe(
        Codecs("webm", "libvpx-vp9", "yuv420p", "libopus", "webvtt", VP9, even=True), OPUS_RATES, 64_000, 9
    ),
}


@transform(".mp4|.mov|.mkv|.webm -> video")
def read_video(path: Path, ctx: Context) -> Video:
    """Open a video: its pictures upright and in square pixels, its first sound track and text captions.

    Nothing but the first frame is decoded here. A file whose frame rate varies is sampled at its mean rate. Raises
    an InputError when the file is missing, empty, damaged, of another format or has no moving pictures.
    """
    return Video.from_file(path)


@transform("video -> .mp4|.mov|.mkv|.webm", loses=["exactness"])
def write_video(
    video: Video,
    path: Path,
    ctx: Context,
    *,
    crf: Annotated[int, Range(0, 51), "smaller is better and larger: x264's constant rate factor"] = 23,
) -> None:
    """Encode a video in one pass. Odd sides become even; the history goes into the tag `comment`.

    Raises DiskFull or OutputError when the writing fails, and what the source of the video raises.
    """
    recipe = RECIPES[path.suffix.lower()]
    options = {**recipe.codecs.video_options, "crf": str(crf + recipe.crf_shift)}
    codecs = replace(recipe.codecs, video_options=options)
    encode(
        _film(video, recipe, ctx),
        path,
        codecs,
        meta={"comment": ctx.history} if ctx.history else {},
        threads=ctx.threads,
        report=lambda done: ctx.progress(done, video.length, "frames encoded"),
    )


def _film(video: Video, recipe: Recipe, ctx: Context) -> Film:
    """What goes into the file, the sound at a rate that the codec takes: the next higher one, else the highest."""
    film = Film(video.width, video.height, video.fps, video.shots(), cues=video.cues, lang=video.lang)
    audio = video.audio
    if audio is None or not audio.length:
        return film
    if audio.channels > 2:
        ctx.warn(f"the {audio.channels} channels of the sound were mixed to stereo")
    rate = min((each for each in recipe.rates if each >= audio.rate), default=max(recipe.rates))
    channels = min(2, audio.channels)
    blocks = audio.blocks(1.0, rate=rate, channels=channels)
    return replace(film, blocks=blocks, rate=rate, channels=channels, bit_rate=recipe.bit_rate * channels)
