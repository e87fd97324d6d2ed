"""Pictures and captions out of video files through FFmpeg (PyAV), a shot at a time.

A shot is one picture and the number of frames it stays, so that a still of ten seconds is converted once, not a hundred
times. Everything runs at a constant frame rate: a file with another clock is sampled at its mean rate. Files are not
trusted: only known demuxers are tried, none of which opens another file or an address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from transpose.core.errors import DamagedInput, HugeInput, InputError, MislabelledInput, SilentInput
from transpose.media.file import check_file
from transpose.media.image import name_bytes
from transpose.media.text import Cue

if TYPE_CHECKING:
    import numpy as np
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

MOST_PIXELS = 16_384 * 8_640  # 16K; more in one frame is refused
MOST_FPS = 240
# playlists, which open other files and addresses, are not among them
DEMUXERS = "mov,mp4,m4a,matroska,webm,avi,mpegts,mpeg,asf,flv,ogg"


class Shot(NamedTuple):
    """`pixels`, uint8 of shape (height, width, 3), shown for so many frames."""

    pixels: NDArray[np.uint8]
    frames: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the header of a video file tells: upright size in square pixels, frame rate, frames, tags."""

    width: int
    height: int
    fps: Fraction
    length: int
    meta: Mapping[str, str]


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its best picture track; every failure of FFmpeg becomes an InputError."""
    import av
    from av.stream import Disposition
    from av.video.stream import VideoStream as Track

    check_file(path)
    limits = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}
    try:
        with av.open(str(path), options=limits, metadata_errors="replace") as container:
            stream = container.streams.best("video")
            if not container.streams:
                raise DamagedInput(f"{path.name!r} holds no track at all", "Is the file complete?")
            if not isinstance(stream, Track) or stream.disposition & Disposition.attached_pic:
                raise SilentInput(f"{path.name!r} has no moving pictures", "Use it as a sound")
            context = stream.codec_context
            if context.width <= 0 or context.height <= 0:
                raise DamagedInput(f"the picture track of {path.name!r} has no size", "Is the file complete?")
            if context.width * context.height > MOST_PIXELS:
                raise HugeInput(f"{path.name!r} has frames of {context.width} x {context.height}, more than 16K")
            stream.thread_type = "AUTO"
            yield container, stream
    except InputError:
        raise
    except (av.FFmpegError, ValueError) as error:
        with path.open("rb") as file:
            found = name_bytes(file.read(64))
        if found and "video" not in found and "MP4" not in found:
            raise MislabelledInput(f"{path.name!r} is {found}, not a video", "Rename it, or say --from") from error
        raise DamagedInput(f"{path.name!r} cannot be read as a video: {error}", "Is it complete?") from error


def look(path: Path) -> Facts:
    """Size, rate and length of a video file; decodes its first frame, because only that tells how it is turned."""
    with opened(path) as (container, stream):
        fps = Fraction(stream.guessed_rate or stream.average_rate or 25).limit_denominator(100_000)
        fps = min(max(fps, Fraction(1, 3600)), Fraction(MOST_FPS))
        seconds = _seconds(container, stream)
        head = next(container.decode(stream), None)
        if head is None:
            raise DamagedInput(f"{path.name!r} has no frame that can be decoded", "Is the file complete?")
        width, height = _square(head, stream)
        if head.rotation % 180:
            width, height = height, width
        if not seconds:
            seconds = Fraction(1 + sum(1 for _ in container.decode(stream))) / fps
        seconds += _late(head, container, stream)
        return Facts(width, height, fps, max(1, round(seconds * fps)), dict(container.metadata))


def decode(path: Path, fps: Fraction, length: int) -> Iterator[Shot]:
    """Exactly `length` frames of a file, upright, in square pixels; the last one stays where the track ends early.

    Raises DamagedInput when the index promises frames that are not there (more than 2 %).
    """
    with opened(path) as (container, stream):
        base = stream.time_base or 1 / fps
        promised = stream.frames if container.format.name.startswith("mov") else 0  # others count what is no frame
        held: NDArray[np.uint8] | None = None
        origin, start, seen = Fraction(0), 0, 0
        for frame in container.decode(stream):
            seen += 1
            if held is None:
                origin = (frame.pts or 0) * base - _late(frame, container, stream)
            tick = start + 1 if frame.pts is None else round((frame.pts * base - origin) * fps)
            if held is not None and start < min(tick, length):
                yield Shot(held, min(tick, length) - start)
                start = min(tick, length)
            held = upright(frame, stream)
        if held is None or seen < promised * 0.98 - 2:
            raise DamagedInput(f"{path.name!r} breaks off: {seen} of {promised} frames can be read", "Copy it again")
        if start < length:
            yield Shot(held, length - start)


def captions(path: Path) -> tuple[Cue, ...]:
    """The first caption track that is text, as cues; empty where there is none."""
    from av.subtitles.stream import SubtitleStream

    with opened(path) as (container, _):
        track = next((s for s in container.streams.subtitles if isinstance(s, SubtitleStream)), None)
        if track is None or track.codec_context.name not in ("mov_text", "subrip", "srt", "webvtt", "text"):
            return ()
        base = track.time_base or Fraction(1, 1000)
        cues = []
        for packet in container.demux(track):
            text = _caption_text(bytes(packet), track.codec_context.name) if packet.size else ""
            if text and packet.pts is not None:
                start = packet.pts * base
                cues.append(Cue(float(start), float(start + (packet.duration or 0) * base), text))
        return tuple(cues)


def upright(frame: VideoFrame, stream: VideoStream) -> NDArray[np.uint8]:
    """A frame as RGB pixels, square and turned as its file says."""
    import numpy as np
    from av.video.reformatter import ColorRange, Colorspace

    width, height = _square(frame, stream)
    untold = frame.colorspace == 2 and frame.height >= 720  # unspecified: HD is BT.709 by custom
    matrix = Colorspace.ITU709 if untold else None
    rgb = frame.reformat(
        width=width, height=height, format="rgb24", src_colorspace=matrix, dst_color_range=ColorRange.JPEG
    )
    return np.ascontiguousarray(np.rot90(rgb.to_ndarray(), frame.rotation // 90))


def _square(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Width and height in square pixels, before turning."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return (max(1, round(frame.width * aspect)) if 0.1 < aspect < 10 else frame.width), frame.height


def _late(head: VideoFrame, container: InputContainer, stream: VideoStream) -> Fraction:
    """Seconds by which the sound starts before the first frame."""
    sound = container.streams.best("audio")
    if sound is None or sound.start_time is None or sound.time_base is None or head.pts is None:
        return Fraction(0)
    return max(Fraction(0), head.pts * (stream.time_base or 1) - sound.start_time * sound.time_base)


def _seconds(container: InputContainer, stream: VideoStream) -> Fraction:
    """The length of the picture track by the header; Matroska keeps it in a tag; zero where none tells it."""
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base
    parts = stream.metadata.get("DURATION", "").split(":")
    if len(parts) == 3:
        hours, minutes, seconds = (Fraction(part) for part in parts)
        return hours * 3600 + minutes * 60 + seconds
    return Fraction(container.duration or 0, 1_000_000)


def _caption_text(payload: bytes, codec: str) -> str:
    if codec == "mov_text":
        payload = payload[2 : 2 + int.from_bytes(payload[:2], "big")]
    text = payload.decode("utf-8", "replace").strip()
    if codec == "webvtt":
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return text
