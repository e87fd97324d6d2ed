"""Samples in and out of files, block by block, through FFmpeg (PyAV): decoding, encoding, resampling, mixing.

Files are not trusted: only known demuxers are tried, none of which opens another file or an address.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedInput, DiskFull, EmptyInput, InputError, OutputError, SilentInput
from transpose.media.file import check_file

if TYPE_CHECKING:
    import numpy as np
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from numpy.typing import NDArray

MOST_CHANNELS = 64
MOST_RATE = 768_000
PREROLL = 1.0  # seconds decoded before a position: MP3 and Opus frames lean on earlier ones
LONGEST_FRAME = 4096  # samples that a codec may pad its last frame with
# demuxers that may open an untrusted file; playlists, which open other files and addresses, are not among them
DEMUXERS = "wav,w64,aiff,caf,au,flac,mp3,aac,ogg,mov,mp4,m4a,matroska,webm,avi,mpegts,mpeg,asf,flv,amr"


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, AudioStream]]:
    """The container and its best sound track; every failure of FFmpeg becomes an InputError."""
    import av
    from av.audio.stream import AudioStream as Track

    check_file(path)
    limits = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}
    try:
        with av.open(str(path), options=limits, metadata_errors="replace") as container:
            stream = container.streams.best("audio")
            if not isinstance(stream, Track):
                raise SilentInput(f"{path.name!r} has no sound track")
            context = stream.codec_context
            if not (0 < context.sample_rate <= MOST_RATE and 0 < context.channels <= MOST_CHANNELS):
                raise DamagedInput(f"the sound of {path.name!r} has an impossible rate or number of channels")
            yield container, stream
    except InputError:
        raise
    except (av.FFmpegError, ValueError) as error:
        raise DamagedInput(f"{path.name!r} cannot be read as sound: {_reason(error)}", "Is it complete?") from error


def _reason(error: Exception) -> str:
    """What FFmpeg says, without number and path."""
    return str(getattr(error, "strerror", "") or error).lower()


def seconds(path: Path, container: InputContainer, stream: AudioStream) -> float:
    """The length that the header declares; an MP3 or AAC stream that declares none is counted packet by packet."""
    base = stream.time_base or Fraction(0)
    if container.format.name == "aac" or (container.format.name == "mp3" and not _mp3_has_header(path)):
        return float(sum(packet.duration or 0 for packet in container.demux(stream)) * base)
    if not stream.duration and container.duration:
        return container.duration / 1_000_000  # in microseconds
    if not stream.duration:  # recorded live: the header was never completed
        return float(reach(container, stream) * base)
    skipped = 0.0
    head = stream.codec_context.extradata or b""
    if container.format.name == "ogg" and head[:8] == b"OpusHead":  # FFmpeg counts what Opus leaves out at the start
        skipped = int.from_bytes(head[10:12], "little") / 48_000
    return max(0.0, float(stream.duration * base) - skipped)


def reach(container: InputContainer, stream: AudioStream) -> int:
    """Ticks of the stream's clock from its first packet to the end of the last one that follows."""
    times = [(packet.pts, packet.duration or 0) for packet in container.demux(stream) if packet.pts is not None]
    return max(pts + ticks for pts, ticks in times) - min(pts for pts, _ in times) if times else 0


def _mp3_has_header(path: Path) -> bool:
    """Whether the first frame says how many frames follow (Xing, Info or VBRI); FFmpeg guesses otherwise."""
    with path.open("rb") as file:
        head = file.read(10)
        skip = 0
        if head[:3] == b"ID3":  # its size in four bytes of seven bits
            skip = 10 + sum((byte & 127) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False))
        file.seek(skip)
        frame = file.read(512)
    return any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))


def decode(
    path: Path, rate: int, channels: int, length: int, first: int = 0, end: int | None = None
) -> Iterator[NDArray[np.float32]]:
    """Samples number `first` to `end` of a file that declares `length`, float32 of shape (n, channels).

    Raises DamagedInput when the file ends more than half a second and 2 % before its declared end.
    """
    at: int | None = 0
    with opened(path) as (container, stream):
        exact = container.format.name.startswith("mov")  # declares its length without the padding of the last frame
        frames = _frames(container, stream)
        if first > 2 * PREROLL * rate:
            at, frames = _jumped(container, stream, frames, first, rate)
        if at is not None:
            pieces = _converted(frames, rate, channels)
            for samples in _unpadded(pieces, length - at) if exact else pieces:
                if end is not None and at + len(samples) >= end:
                    yield samples[max(0, first - at) : max(0, end - at)]
                    return
                if at + len(samples) > first:
                    yield samples[max(0, first - at) :]
                at += len(samples)
    if at is None:  # the file does not tell times: walk through it
        yield from _walked(path, rate, channels, length, first, end)
    elif at < length * 0.98 - rate / 2:
        found = f"{at / rate:.1f} of {length / rate:.1f} s"
        raise DamagedInput(f"{path.name!r} breaks off: {found} can be read", "Is the file complete? Copy it again")


def _walked(
    path: Path, rate: int, channels: int, length: int, first: int, end: int | None
) -> Iterator[NDArray[np.float32]]:
    """As `decode`, without jumping."""
    at = 0
    for samples in decode(path, rate, channels, length, 0, end):
        if at + len(samples) > first:
            yield samples[max(0, first - at) :]
        at += len(samples)


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Every frame that can be decoded; what is missing shows in the length."""
    import av

    for packet in container.demux(stream):
        with suppress(av.InvalidDataError):
            yield from packet.decode()


def _jumped(
    container: InputContainer, stream: AudioStream, frames: Iterator[AudioFrame], first: int, rate: int
) -> tuple[int | None, Iterator[AudioFrame]]:
    """Seek to a little before sample `first`: the number of the sample that comes next (or None), and the frames."""
    origin, base = next(frames, None), stream.time_base
    if origin is None or origin.pts is None or base is None:
        return None, frames
    container.seek(origin.pts + int((first / rate - PREROLL) / base), stream=stream)
    frames = _frames(container, stream)
    head = next(frames, None)
    if head is None or head.pts is None:
        return None, frames
    at = round((head.pts - origin.pts) * base * rate)
    return (at if 0 <= at <= first else None), chain([head], frames)


def _converted(frames: Iterable[AudioFrame], rate: int, channels: int) -> Iterator[NDArray[np.float32]]:
    """Frames as float32 arrays of shape (n, channels); a chained Ogg may change rate and layout on the way."""
    import av

    shape: tuple[str, str, int] | None = None
    for frame in frames:
        if shape != (frame.format.name, frame.layout.name, frame.sample_rate):
            shape = (frame.format.name, frame.layout.name, frame.sample_rate)
            same = frame.layout.nb_channels == channels
            converter = av.AudioResampler("flt", frame.layout if same else _layout(channels), rate)
        for out in converter.resample(frame):
            yield _samples(out, channels)


def _unpadded(pieces: Iterable[NDArray[np.float32]], length: int) -> Iterator[NDArray[np.float32]]:
    """Without what passes `length` by less than a frame; a file that holds much more than it says gives all."""
    spare: list[NDArray[np.float32]] = []
    at = 0
    for piece in pieces:
        inside = max(0, min(len(piece), length - at))
        at += len(piece)
        if inside:
            yield piece[:inside]
        if inside < len(piece):
            spare.append(piece[inside:])
        if at > length + LONGEST_FRAME:
            yield from spare
            spare = []


def _samples(frame: AudioFrame, channels: int) -> NDArray[np.float32]:
    """A packed float frame as an array of shape (n, channels)."""
    import numpy as np

    return np.asarray(frame.to_ndarray(), np.float32).reshape(-1, channels)


def _frame(samples: NDArray[np.float32], rate: int, at: int) -> AudioFrame:
    """An array of shape (n, channels) as a packed float frame that starts at sample `at`."""
    import av
    import numpy as np

    packed = np.ascontiguousarray(samples, np.float32).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=_layout(samples.shape[1]))
    frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
    return frame


def _layout(channels: int) -> str:
    """FFmpeg's name for so many channels."""
    return {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}.get(channels, f"{channels} channels")


def encode(
    blocks: Iterable[NDArray[np.float32]],
    path: Path,
    *,
    rate: int,
    codec: str = "pcm_f32le",
    container: str = "wav",
    sample_format: str = "",
    bit_rate: int | None = None,
    meta: Mapping[str, str] | None = None,
) -> None:
    """Write `blocks` of shape (n, channels) at `rate` Hz to `path` as they come; a WAV above 4 GB becomes RF64.

    The codec has to take `rate` as it is. Raises EmptyInput when no sample comes, DiskFull or OutputError when the
    writing fails.
    """
    import av
    from av.audio.format import AudioFormat
    from av.audio.stream import AudioStream as Track

    waiting = (block for block in blocks if len(block))
    head = next(waiting, None)
    if head is None:
        raise EmptyInput("there is no sound to write: its length is zero")
    options = {"rf64": "auto"} if container == "wav" else {}
    try:
        with av.open(str(path), "w", format=container, options=options) as output:
            output.metadata.update(meta or {})
            stream = output.add_stream(codec, rate=rate, layout=_layout(head.shape[1]))
            assert isinstance(stream, Track)
            if sample_format:
                stream.codec_context.format = AudioFormat(sample_format)
            if bit_rate:
                stream.bit_rate = bit_rate
            at = 0
            for block in chain([head], waiting):
                output.mux(stream.encode(_frame(block, rate, at)))
                at += len(block)
            output.mux(stream.encode(None))
    except OSError as error:
        kind = DiskFull if error.errno == errno.ENOSPC else OutputError
        raise kind(f"cannot write {path.name!r}: {error.strerror or error}") from error
    except (av.FFmpegError, ValueError) as error:
        raise OutputError(f"cannot write {path.name!r}: {error}") from error


def resample(pieces: Iterable[NDArray[np.float32]], old: int, new: int) -> Iterator[NDArray[np.float32]]:
    """Pieces of shape (n, channels) from `old` to `new` Hz (libswresample): N samples become round(N * new / old)."""
    import av
    import numpy as np

    heard = given = width = 0
    converter: av.AudioResampler | None = None
    for piece in pieces:
        width = piece.shape[1]
        converter = converter or av.AudioResampler("flt", _layout(width), new)
        for out in converter.resample(_frame(piece, old, heard)) if len(piece) else []:
            given += out.samples
            yield _samples(out, width)
        heard += len(piece)
    if converter is None:
        return
    missing = round(heard * new / old) - given
    if missing > 0:  # what the filter still holds, and at most a few zeros
        held = [_samples(out, width) for out in converter.resample(None)]
        yield np.concatenate([*held, np.zeros((missing, width), np.float32)])[:missing]


def mixed(samples: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Shape (n, old) to (n, channels), never louder: the mean for mono; one is repeated; many fold into two.

    Of more than two channels the first is left, the second right, and half of each other one goes to both.
    """
    import numpy as np

    old = samples.shape[1]
    if channels == old:
        return samples
    if channels == 1:
        return np.asarray(samples.mean(axis=1, keepdims=True), np.float32)
    if old == 1:
        return np.repeat(samples, channels, axis=1)
    if channels == 2:
        rest = samples[:, 2:].sum(axis=1, keepdims=True)
        return np.asarray((samples[:, :2] + rest / 2) / (old / 2), np.float32)
    raise ValueError(f"cannot mix {old} channels to {channels}")


def regrouped(pieces: Iterable[NDArray[np.float32]], size: int) -> Iterator[NDArray[np.float32]]:
    """The same samples in pieces of exactly `size`, the last one shorter."""
    import numpy as np

    held: list[NDArray[np.float32]] = []
    count = 0
    for piece in pieces:
        held.append(piece)
        count += len(piece)
        if count < size:
            continue
        whole = np.concatenate(held) if len(held) > 1 else held[0]
        for at in range(0, count - size + 1, size):
            yield whole[at : at + size]
        count %= size
        held = [whole[len(whole) - count :]]
    if count:
        yield np.concatenate(held)
