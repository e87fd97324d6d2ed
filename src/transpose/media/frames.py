"""Pictures, sound and captions in and out of video files through FFmpeg (PyAV), a shot at a time.

A shot is one picture and the number of frames it stays, so that a still of ten seconds is converted once, not a hundred
times. Everything runs at a constant frame rate: a file with another clock is sampled at its mean rate. Colours are
written as BT.709 and marked so, because players guess wrongly where a file does not say.
"""

from __future__ import annotations

import errno
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from transpose.core.errors import (
    DamagedInput,
    DiskFull,
    EmptyInput,
    FolderInput,
    HugeInput,
    InputError,
    MissingInput,
    OutputError,
    SilentInput,
)
from transpose.media.audio import Audio
from transpose.media.text import Cue

if TYPE_CHECKING:
    import numpy as np
    from av.audio.frame import AudioFrame
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

MOST_PIXELS = 16_384 * 8_640  # 16K; more in one frame is refused
MOST_FPS = 240
LONGEST_SHOT = 10_000  # frames; AVI refuses gaps of more than 60,000, so a longer shot is written again
# demuxers that may open an untrusted file; playlists, which open other files and addresses, are not among them
DEMUXERS = "mov,mp4,m4a,matroska,webm,avi,mpegts,mpeg,asf,flv,ogg"
BT709 = 1  # the code of matrix, primaries and transfer alike


class Shot(NamedTuple):
    """`pixels`, uint8 of shape (height, width, 3), shown for `count` frames."""

    pixels: NDArray[np.uint8]
    count: int


@dataclass(frozen=True, slots=True)
class Codecs:
    """How to write one kind of file: FFmpeg's names of container and codecs, and their options."""

    container: str
    video: str
    pixel_format: str
    sound: str
    captions: str = ""  # no caption track where empty
    video_options: Mapping[str, str] = field(default_factory=dict)
    container_options: Mapping[str, str] = field(default_factory=dict)
    even: bool = False  # sides have to be even


@dataclass(frozen=True, slots=True)
class Film:
    """All that goes into a file: shots at `fps`, sound in blocks of shape (n, channels) at `rate`, and captions."""

    width: int
    height: int
    fps: Fraction
    shots: Iterable[Shot]
    blocks: Iterable[NDArray[np.float32]] = ()
    rate: int = 0  # no sound where zero
    channels: int = 0
    bit_rate: int | None = None
    cues: Sequence[Cue] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the header of a video file tells: upright size in square pixels, frame rate, frames, tags."""

    width: int
    height: int
    fps: Fraction
    length: int
    meta: Mapping[str, str]


# -- reading -----------------------------------------------------------------------------------------------------------


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its best picture track; every failure of FFmpeg becomes an InputError."""
    import av
    from av.stream import Disposition
    from av.video.stream import VideoStream as Track

    if not path.exists():
        raise MissingInput(f"there is no file {path.name!r}")
    if path.is_dir():
        raise FolderInput(f"{path.name!r} is a folder")
    if not path.stat().st_size:
        raise EmptyInput(f"{path.name!r} is empty")
    limits = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}
    try:
        with av.open(str(path), options=limits, metadata_errors="replace") as container:
            stream = container.streams.best("video")
            if not isinstance(stream, Track) or stream.disposition & Disposition.attached_pic:
                raise SilentInput(f"{path.name!r} has no moving pictures", "Use it as a sound")
            context = stream.codec_context
            if context.width <= 0 or context.height <= 0:
                raise DamagedInput(f"the picture track of {path.name!r} has no size", "Is the file complete?")
            if context.width * context.height > MOST_PIXELS:
                raise HugeInput(f"{path.name!r} has frames of {context.width} x {context.height}, more than 16K")
            stream.thread_type = "AUTO"  # type: ignore[assignment]
            yield container, stream
    except InputError:
        raise
    except (av.FFmpegError, ValueError) as error:
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
        base, promised = stream.time_base or 1 / fps, stream.frames
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
        if track is None or track.codec_context.name not in ("mov_text", "subrip", "webvtt", "text"):
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


# -- writing -----------------------------------------------------------------------------------------------------------


def encode(
    film: Film,
    path: Path,
    codecs: Codecs,
    *,
    meta: Mapping[str, str] | None = None,
    threads: int = 0,
    report: Callable[[int], None] = lambda frames: None,
) -> None:
    """Write a film to `path` in one pass: the packets of pictures, sound and captions merged by time as they come.

    `report` is told how many frames are encoded. Raises DiskFull or OutputError when the writing fails.
    """
    import av

    try:
        with av.open(
            str(path), "w", format=codecs.container, container_options=dict(codecs.container_options)
        ) as output:
            output.metadata.update(meta or {})
            tracks = [_pictures(output, film, codecs, threads, report)]
            if film.rate:
                tracks.append(_sound(output, film, codecs))
            if film.cues and codecs.captions:
                tracks.append(_captions(output, film.cues, codecs.captions))
            for packet in heapq.merge(*tracks, key=lambda packet: (packet.dts or 0) * packet.time_base):
                output.mux(packet)
    except av.codec.codec.UnknownCodecError as error:
        raise OutputError(
            f"cannot write {path.name!r}: this FFmpeg has no encoder {error}", "pip install --force-reinstall av"
        ) from error
    except OSError as error:
        kind = DiskFull if error.errno == errno.ENOSPC else OutputError
        raise kind(f"cannot write {path.name!r}: {error.strerror or error}") from error
    except (av.FFmpegError, ValueError) as error:
        raise OutputError(f"cannot write {path.name!r}: {error}") from error


def _pictures(
    output: OutputContainer, film: Film, codecs: Codecs, threads: int, report: Callable[[int], None]
) -> Iterator[Packet]:
    """Encoded frames; one conversion for each shot, however long it stays."""
    from av.video.stream import VideoStream as Track

    stream = output.add_stream(codecs.video, rate=film.fps, options=dict(codecs.video_options))
    assert isinstance(stream, Track)
    context, lossless = stream.codec_context, codecs.pixel_format == "bgr0"
    context.width, context.height = film.width, film.height
    if codecs.even:
        context.width, context.height = film.width + film.width % 2, film.height + film.height % 2
    context.pix_fmt, context.time_base, context.thread_count = codecs.pixel_format, 1 / film.fps, threads
    if not lossless:
        context.colorspace = context.color_primaries = context.color_trc = context.color_range = BT709
    return _encoded(stream, film, (context.width, context.height), lossless, report)


def _encoded(
    stream: VideoStream, film: Film, size: tuple[int, int], lossless: bool, report: Callable[[int], None]
) -> Iterator[Packet]:
    at = 0
    for shot in film.shots:
        frame = _converted(shot.pixels, size, stream.codec_context.pix_fmt or "yuv420p", lossless)
        frame.time_base = 1 / film.fps
        step = LONGEST_SHOT if lossless else 1  # the lossless store keeps one frame for a shot
        for offset in range(0, shot.count, step):
            frame.pts = at + offset
            yield from stream.encode(frame)
        at += shot.count
        report(at)
    yield from stream.encode(None)


def _converted(pixels: NDArray[np.uint8], size: tuple[int, int], pixel_format: str, lossless: bool) -> VideoFrame:
    """Pixels in the encoder's format; an odd side is made even by repeating its last row or column."""
    import numpy as np
    from av import VideoFrame as Frame
    from av.video.reformatter import ColorRange, Colorspace

    height, width = pixels.shape[:2]
    if (width, height) != size:
        pixels = np.pad(pixels, ((0, size[1] - height), (0, size[0] - width), (0, 0)), mode="edge")
    frame = Frame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    if lossless:
        return frame.reformat(format=pixel_format)
    return frame.reformat(format=pixel_format, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)


def _sound(output: OutputContainer, film: Film, codecs: Codecs) -> Iterator[Packet]:
    """Encoded sound."""
    from av.audio.stream import AudioStream as Track

    stream = output.add_stream(codecs.sound, rate=film.rate, layout=_layout(film.channels))
    assert isinstance(stream, Track)
    if film.bit_rate:
        stream.bit_rate = film.bit_rate

    def encoded() -> Iterator[Packet]:
        at = 0
        for block in film.blocks:
            if len(block):
                yield from stream.encode(_samples(block, film.rate, at))
                at += len(block)
        yield from stream.encode(None)

    return encoded()


def _samples(block: NDArray[np.float32], rate: int, at: int) -> AudioFrame:
    """A block of shape (n, channels) as a packed float frame that starts at sample `at`."""
    import numpy as np
    from av import AudioFrame as Frame

    packed = np.ascontiguousarray(block, np.float32).reshape(1, -1)
    frame = Frame.from_ndarray(packed, format="flt", layout=_layout(block.shape[1]))
    frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
    return frame


def _layout(channels: int) -> str:
    """FFmpeg's name for so many channels."""
    return {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}.get(channels, f"{channels} channels")


# the encoders want the head of an ASS script; only MP4 keeps something of it: the look of the text
STYLE = b"""[Script Info]
ScriptType: v4.00+
PlayResX: 384
PlayResY: 288

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Alignment
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,2

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def _captions(output: OutputContainer, cues: Sequence[Cue], codec: str) -> Iterator[Packet]:
    """Caption packets; the encoder only gives the track's head, since it would read markup into the text."""
    from av.packet import Packet as Piece
    from av.subtitles.stream import SubtitleStream

    stream = output.add_stream(codec)
    assert isinstance(stream, SubtitleStream)
    stream.codec_context.subtitle_header = STYLE.replace(b"\n", b"\r\n")
    stream.codec_context.time_base = Fraction(1, 1000)

    def packets() -> Iterator[Packet]:
        for start, end, text in spans(cues, Fraction(1000)):
            packet = Piece(_caption_bytes(text, codec))
            packet.stream, packet.time_base = stream, Fraction(1, 1000)
            packet.pts = packet.dts = start
            packet.duration = end - start
            yield packet

    return packets()


def spans(cues: Iterable[Cue], clock: Fraction) -> list[tuple[int, int, str]]:
    """Cues as (start, end, text) in ticks of `clock` a second: in order, never two at once, none empty."""
    ordered = sorted((round(Fraction(cue.start) * clock), round(Fraction(cue.end) * clock), cue.text) for cue in cues)
    found: list[tuple[int, int, str]] = []
    for start, end, text in ordered:
        start = max(0, start)
        if found and found[-1][1] > start:  # the later one wins
            found[-1] = (found[-1][0], start, found[-1][2])
        if text.strip() and start < end:
            found.append((start, end, text.strip()))
    return [each for each in found if each[0] < each[1]]


def _caption_bytes(text: str, codec: str) -> bytes:
    """The payload of one caption: MP4 puts its length in front, WebVTT escapes markup."""
    if codec == "webvtt":
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    data = text.encode("utf-8", "replace")
    if codec != "mov_text":
        return data
    data = data[:65_535].decode("utf-8", "ignore").encode()
    return len(data).to_bytes(2, "big") + data


def film_sound(audio: Audio | None, rates: Sequence[int] = (), most: int = 64) -> tuple[int, int]:
    """The rate and the number of channels to write a sound with; (0, 0) where there is none.

    `rates` are those that the codec takes (any where empty); the next higher one is chosen, else the highest.
    """
    if audio is None or not audio.length:
        return 0, 0
    fit = [rate for rate in sorted(rates) if rate >= audio.rate] or [max(rates, default=audio.rate)]
    return (fit[0] if rates else audio.rate), min(audio.channels, most)
