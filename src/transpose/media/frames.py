"""Pictures and captions out of video files through FFmpeg (PyAV), a shot at a time.

A shot is one picture and the number of frames it stays, so that a still of ten seconds is converted once, not a hundred
times. Everything runs at a constant frame rate: a file with another clock is sampled at its mean rate. Files are not
trusted: only known demuxers are tried, none of which opens another file or an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from transpose.core.errors import DamagedInput, HugeInput, InputError, MislabelledInput, SilentInput
from transpose.media.file import check_file, reason
from transpose.media.image import name_bytes
from transpose.media.text import Cue

if TYPE_CHECKING:
    import numpy as np
    from av.container import InputContainer
    from av.subtitles.stream import SubtitleStream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

MOST_PIXELS = 16_384 * 8_640  # 16K; more in one frame is refused
MOST_FPS = 240
# playlists, which open other files and addresses, are not among them
DEMUXERS = "mov,mp4,m4a,matroska,webm,avi,mpegts,mpeg,asf,flv,ogg"
STREAMED = ("mpeg", "mpegts")  # no header tells their length
PREROLL = 2  # seconds; a place further in is sought, and decoded from so much before
CAPTIONS = ("mov_text", "subrip", "srt", "webvtt", "text", "ass", "ssa")  # what is text; others are pictures
STYLED = re.compile(r"</?(?:[ibusvc]|font|ruby|rt|lang)(?:[ .][^<>]*)?>|\{\\[^}]*\}", re.IGNORECASE)
DRAWN = re.compile(r"\{[^}]*\\p[1-9][^}]*\}[^{]*")  # drawings that ASS puts among the words
LANGS = {  # ISO 639-1 -> ISO 639-2, which files hold; where there are several, QuickTime's last
    "ar": "ara", "bg": "bul", "bn": "ben", "ca": "cat", "cs": "ces cze", "da": "dan", "de": "deu ger",
    "el": "ell gre", "en": "eng", "es": "spa", "et": "est", "fa": "fas per", "fi": "fin", "fr": "fra fre fra",
    "he": "heb", "hi": "hin", "hr": "hrv", "hu": "hun", "id": "ind", "is": "isl ice", "it": "ita", "ja": "jpn",
    "ko": "kor", "lt": "lit", "lv": "lav", "nl": "nld dut", "no": "nor", "pl": "pol", "pt": "por", "ro": "ron rum",
    "ru": "rus", "sk": "slk slo", "sl": "slv", "sr": "srp", "sv": "swe", "ta": "tam", "te": "tel", "th": "tha",
    "tr": "tur", "uk": "ukr", "ur": "urd", "vi": "vie", "zh": "zho chi",
}  # fmt: skip


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
            if context is None:  # FFmpeg gives none where it knows no such codec
                raise DamagedInput(f"the pictures of {path.name!r} are of an unknown codec", "Is the file complete?")
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
        raise DamagedInput(f"{path.name!r} cannot be read as a video: {reason(error)}", "Is it complete?") from error


def look(path: Path) -> Facts:
    """Size, rate and length of a video file; decodes its first frame, because only that tells how it is turned."""
    with opened(path) as (container, stream):
        fps = Fraction(stream.guessed_rate or stream.average_rate or 25).limit_denominator(100_000)
        fps = min(max(fps, Fraction(1, 3600)), Fraction(MOST_FPS))
        seconds = _walked(path, fps) if container.format.name in STREAMED else _seconds(container, stream)
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


def decode(path: Path, fps: Fraction, length: int, first: int = 0) -> Iterator[Shot]:
    """Frames `first` to `length` of a file, upright, in square pixels; the last one stays where the track ends early.

    A `first` of more than two seconds is sought, so that what lies before it is not decoded. Raises DamagedInput when
    the index promises frames that are not there (more than 2 %).
    """
    with opened(path) as (container, stream):
        base = stream.time_base or 1 / fps
        promised = stream.frames if container.format.name.startswith("mov") else 0  # others count what is no frame
        held: VideoFrame | None = None
        origin, start, tick, seen = Fraction(0), first, -1, 0
        for frame in _entered(container, stream, first / fps):
            seen += 1
            if held is None:
                origin = (frame.pts or 0) * base - _late(frame, container, stream)
            tick = tick + 1 if frame.pts is None else round((frame.pts * base - origin) * fps)
            if held is not None and start < min(tick, length):
                yield Shot(upright(held, stream), min(tick, length) - start)
                start = min(tick, length)
            held = frame
        if held is None or not first and seen < promised * 0.98 - 2:
            raise DamagedInput(f"{path.name!r} breaks off: {seen} of {promised} frames can be read", "Copy it again")
        if start < length:
            yield Shot(upright(held, stream), length - start)


def _entered(container: InputContainer, stream: VideoStream, after: Fraction) -> Iterator[VideoFrame]:
    """The first frame, and every other one; where `after` seconds may be left out, those from a little before on."""
    frames = container.decode(stream)
    head = next(frames, None)
    if head is None:
        return
    yield head
    if after > PREROLL and head.pts is not None and stream.time_base:
        container.seek(head.pts + int((after - PREROLL) / stream.time_base), stream=stream)
        frames = container.decode(stream)
    yield from frames


def captions(path: Path) -> tuple[Cue, ...]:
    """The first caption track that is text, as cues in order of time; empty where there is none."""
    with opened(path) as (container, _):
        track = _caption_track(container)
        if track is None:
            return ()
        base = track.time_base or Fraction(1, 1000)
        cues = []
        for packet in container.demux(track):
            text = _caption_text(bytes(packet), track.codec_context.name) if packet.size else ""
            if text and packet.pts is not None:
                start = packet.pts * base
                cues.append(Cue(float(start), float(start + (packet.duration or 0) * base), text))
        return tuple(sorted(cues, key=lambda cue: cue.start))


def has_captions(path: Path) -> bool:
    """Whether there is such a track; nothing is decoded."""
    with opened(path) as (container, _):
        return _caption_track(container) is not None


def caption_lang(path: Path) -> str | None:
    """The language of that track as ISO 639-1, or None where there is no track or it does not say."""
    with opened(path) as (container, _):
        track = _caption_track(container)
        code = track.metadata.get("language", "").lower() if track else ""
    return code if code in LANGS else next((two for two, three in LANGS.items() if code and code in three), None)


def _caption_track(container: InputContainer) -> SubtitleStream | None:
    """The first track of captions that are text, not pictures; one that the file marks as default goes first."""
    from av.stream import Disposition
    from av.subtitles.stream import SubtitleStream as Track

    written = [s for s in container.streams.subtitles if isinstance(s, Track) and s.codec_context.name in CAPTIONS]
    return min(written, key=lambda s: not s.disposition & Disposition.default, default=None)


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


def _walked(path: Path, fps: Fraction) -> Fraction:
    """The length of a stream without an index: from the first to the end of the last picture, packet by packet."""
    with opened(path) as (container, stream):
        times = [packet.pts for packet in container.demux(stream) if packet.pts is not None]
        return (max(times) - min(times)) * (stream.time_base or 0) + 1 / fps if times else Fraction(0)


def _caption_text(payload: bytes, codec: str) -> str:
    """The words of one caption: neither its length in front (MP4) nor styles."""
    if codec == "mov_text":
        payload = payload[2 : 2 + int.from_bytes(payload[:2], "big")]
    text = payload.decode("utf-8", "replace").strip()
    if codec in ("ass", "ssa"):  # eight fields with commas before the words
        text = DRAWN.sub("", text.split(",", 8)[-1]).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
    if codec in ("subrip", "srt", "webvtt", "ass", "ssa"):
        text = STYLED.sub("", text)
    if codec == "webvtt":
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return text.strip()
