"""Pictures, sound and captions into a video file through FFmpeg (PyAV), in one pass and bounded memory.

The packets of the tracks are made when they are needed and merged by time. A shot is converted once, however many
frames it stays. Colours are written as BT.709 and marked so, because players guess wrongly where a file does not say.
"""

from __future__ import annotations

import errno
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DiskFull, OutputError
from transpose.media.frames import LANGS, Shot
from transpose.media.text import Cue

if TYPE_CHECKING:
    import numpy as np
    from av.audio.frame import AudioFrame
    from av.container import OutputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

LONGEST_SHOT = 10_000  # frames; AVI refuses gaps of more than 60,000, so a longer shot is written again
BT709 = 1  # the code of matrix, primaries and transfer alike, and of the studio range


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
    lossless: bool = False  # RGB as it is, and one frame for a shot


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
    lang: str | None = None  # of the captions, ISO 639-1


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
                tracks.append(_captions(output, film, codecs.captions))
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
) -> Iterator[Packet[Stream]]:
    """Encoded frames; one conversion for each shot, however long it stays."""
    from av.video.stream import VideoStream as Track

    stream = output.add_stream(codecs.video, rate=film.fps, options=dict(codecs.video_options))
    assert isinstance(stream, Track)
    context, lossless = stream.codec_context, codecs.lossless
    context.width, context.height = film.width, film.height
    if codecs.even:
        context.width, context.height = film.width + film.width % 2, film.height + film.height % 2
    context.pix_fmt, context.time_base, context.thread_count = codecs.pixel_format, 1 / film.fps, threads
    if not lossless:
        context.colorspace = context.color_primaries = context.color_trc = context.color_range = BT709
    return _encoded(stream, film, (context.width, context.height), lossless, report)


def _encoded(
    stream: VideoStream, film: Film, size: tuple[int, int], lossless: bool, report: Callable[[int], None]
) -> Iterator[Packet[Stream]]:
    at = 0
    for shot in film.shots:
        frame = _converted(shot.pixels, size, stream.codec_context.pix_fmt or "yuv420p", lossless)
        frame.time_base = 1 / film.fps
        step = LONGEST_SHOT if lossless else 1  # the lossless store keeps one frame for a shot
        for offset in range(0, shot.frames, step):
            frame.pts = at + offset
            yield from stream.encode(frame)
        at += shot.frames
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


def _sound(output: OutputContainer, film: Film, codecs: Codecs) -> Iterator[Packet[Stream]]:
    """Encoded sound."""
    from av.audio.stream import AudioStream as Track

    stream = output.add_stream(codecs.sound, rate=film.rate, layout=_layout(film.channels))
    assert isinstance(stream, Track)
    if film.bit_rate:
        stream.bit_rate = film.bit_rate

    def encoded() -> Iterator[Packet[Stream]]:
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


def _captions(output: OutputContainer, film: Film, codec: str) -> Iterator[Packet[Stream]]:
    """Caption packets; the encoder only gives the track's head, since it would read markup into the text."""
    from av.packet import Packet as Piece
    from av.subtitles.stream import SubtitleStream

    stream = output.add_stream(codec)
    assert isinstance(stream, SubtitleStream)
    stream.codec_context.subtitle_header = STYLE.replace(b"\n", b"\r\n")
    stream.codec_context.time_base = Fraction(1, 1000)
    if film.lang in LANGS:
        stream.metadata["language"] = LANGS[film.lang].split()[-1 if output.format.name == "mov" else 0]

    def packets() -> Iterator[Packet[Stream]]:
        """Packets in the order of their time."""
        for start, end, text in spans(film.cues, Fraction(1000)):
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
