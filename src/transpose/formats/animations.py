"""Animations without sound: a video as GIF or animated WebP, and a GIF as a video.

A GIF has 256 colours a picture. They are chosen for each scene anew, from pixels of the whole scene, by median cut and
k-means (Pillow); where one colour has to stand for many, they are mixed by dithering. A pixel that hardly changes keeps
its colour, so that still parts neither flicker nor take space. Frames are written as they come (FFmpeg's encoders); of
a WebP the packed frames are held until the end.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import accumulate
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import DiskFull, OutputError
from transpose.core.transform import Range, transform
from transpose.media.frames import Shot
from transpose.media.image import Image, on_white
from transpose.media.palette import drawn
from transpose.media.picture import MAX_PIXELS, OURS, check_bytes, damage, open_picture, quiet, too_large, xmp_packet
from transpose.media.video import Video

if TYPE_CHECKING:
    import numpy as np
    from av.container import OutputContainer
    from av.video.stream import VideoStream
    from numpy.typing import NDArray
    from PIL.Image import Image as Picture

MOST_SHOTS = 100_000  # pictures in a GIF
TICK = 10  # milliseconds: what a GIF counts in
HASTY = 100  # milliseconds: how long browsers show a picture that asks for 10 or less
SMOOTH = 50  # frames a second at most; GIFs with odd times are read at this rate
WIDTH = "pixels across at most; 0: as the video"
PACE = "frames a second at most"


@transform(".gif -> video")
def read_gif_video(path: Path, ctx: Context) -> Video:
    """Open an animation as a video that runs once: what is transparent is white, times are met to 1/100 s.

    A still becomes a video of a tenth of a second. The file is read through once for the times, then for each pass.
    Raises EmptyInput, MislabelledInput, DamagedInput, and HugeInput for more than 178 million pixels.
    """
    expected = check_bytes(path)
    with _gif(path, expected) as opened:
        width, height = opened.size
        times = [_milliseconds(frame) for frame in _walk(opened, path)]
    fps = Fraction(_rate(list(accumulate(times))))
    ends: list[int] = []
    for at in accumulate(times):
        ends.append(max(round(at * fps / 1000), ends[-1] + 1 if ends else 1))
    stays = [end - start for start, end in zip([0, *ends], ends, strict=False)]

    def shots() -> Iterator[Shot]:
        with _gif(path, expected) as again:
            for picture, frames in zip(_walk(again, path), stays, strict=True):
                yield Shot(_pixels(picture)[:height, :width], frames)

    return Video(width, height, fps, ends[-1], shots)


@contextmanager
def _gif(path: Path, expected: str) -> Iterator[Picture]:
    with damage(path), quiet(), open_picture(path, expected) as opened:
        yield opened


def _walk(opened: Picture, path: Path) -> Iterator[Picture]:
    """Each frame as it is seen."""
    for number in range(MOST_SHOTS):
        try:
            opened.seek(number)
        except EOFError:
            return
        if opened.width * opened.height > MAX_PIXELS:
            raise too_large(path, opened.size)
        yield opened
    raise ValueError(f"more than {MOST_SHOTS} pictures")


def _rate(ends: list[int]) -> int:
    """The least whole rate that meets all times (milliseconds) to the half of a hundredth of a second, 50 at most."""
    for rate in range(1, SMOOTH):
        if all(abs(end - round(end * rate / 1000) * 1000 / rate) <= TICK / 2 for end in ends):
            return rate
    return SMOOTH


def _milliseconds(frame: Picture) -> int:
    told = int(frame.info.get("duration", 0) or 0)
    return HASTY if told <= TICK else max(TICK, round(told / TICK) * TICK)


def _pixels(frame: Picture) -> NDArray[np.uint8]:
    import numpy as np

    return on_white(np.asarray(frame.convert("RGBA"), np.uint8))


@transform("video -> .gif", loses=["colour", "exactness", "wording"])
def write_video_gif(
    video: Video,
    path: Path,
    ctx: Context,
    *,
    width: Annotated[int, Range(0, 7680), WIDTH] = 480,
    fps: Annotated[int, Range(1, 50), PACE] = 12,
    colours: Annotated[int, Range(2, 255), "of each scene"] = 255,
    dither: Annotated[
        Literal["diffusion", "ordered", "none"], "how colours are mixed: finest, steadiest, not at all"
    ] = "diffusion",
    loop: Annotated[bool, "begin again at the end"] = True,
) -> None:
    """Write a video as an animated GIF, without its sound and captions, in two passes and bounded memory.

    Raises DiskFull or OutputError when the writing fails, and what the source of the video raises.
    """
    import av

    size, rate = _shape(video, width), min(video.fps, Fraction(fps))
    count = _count(video, rate)
    _say_lost(video, ctx)
    last = round(count * 100 / rate) - round((count - 1) * 100 / rate)
    settings = {"loop": "0" if loop else "-1", "final_delay": str(last)}
    with _written(path, "gif", settings) as output:
        stream = _track(output, "gif", rate, size, "pal8")
        at = 0
        for indices, table, frames in drawn(lambda: sampled(video, rate, size), colours, dither):
            # the last frame stands alone, because only its own time can be told
            for tick in sorted({at, at + frames - 1}) if at + frames == count else {at}:
                frame = av.VideoFrame.from_ndarray((indices, table), format="pal8")  # type: ignore[arg-type]
                frame.pts, frame.time_base = round(tick * 100 / rate), Fraction(1, 100)
                output.mux(stream.encode(frame))
            at += frames
            ctx.progress(at, count, "frames drawn")
        output.mux(stream.encode(None))
    if ctx.history:
        _comment(path, (OURS + ctx.history).encode())


@transform("video -> .webp", loses=["exactness"])
def write_video_webp(
    video: Video,
    path: Path,
    ctx: Context,
    *,
    width: Annotated[int, Range(0, 7680), WIDTH] = 720,
    fps: Annotated[int, Range(1, 50), PACE] = 25,
    quality: Annotated[int, Range(1, 100), "of the pictures"] = 75,
    loop: Annotated[bool, "begin again at the end"] = True,
) -> None:
    """Write a video as an animated WebP: all colours, a fraction of a GIF's size; without its sound and captions.

    Raises DiskFull or OutputError when the writing fails, and what the source of the video raises.
    """
    import av

    size, rate = _shape(video, width), min(video.fps, Fraction(fps))
    count, at = _count(video, rate), 0
    _say_lost(video, ctx)
    with _written(path, "webp", {"loop": "0" if loop else "1"}) as output:
        stream = _track(output, "libwebp_anim", rate, size, "yuv420p", {"quality": str(quality)})
        for shot in sampled(video, rate, size):
            frame = av.VideoFrame.from_ndarray(shot.pixels, format="rgb24").reformat(format="yuv420p")
            start = frame.pts = round(at * 1000 / rate)
            frame.time_base = Fraction(1, 1000)
            output.mux(stream.encode(frame))
            at += shot.frames
            ctx.progress(at, count, "frames encoded")
        output.mux(stream.encode(None))
    packet = xmp_packet(Image(shot.pixels), ctx, 10**7)
    path.write_bytes(finished_webp(path.read_bytes(), round(count * 1000 / rate) - start, packet))


def sampled(video: Video, rate: Fraction, size: tuple[int, int]) -> Iterator[Shot]:
    """The video at `rate` frames a second, scaled to (width, height): each frame is the one seen at its time."""
    import numpy as np
    from PIL import Image as Pillow

    at = done = 0
    for shot in video.shots():
        at += shot.frames
        until = ceil(at * rate / video.fps)
        if until > done:
            picture = Pillow.fromarray(shot.pixels)
            if picture.size != size:
                picture = picture.resize(size, Pillow.Resampling.LANCZOS, reducing_gap=2.0)
            yield Shot(np.asarray(picture), until - done)
            done = until


def _count(video: Video, rate: Fraction) -> int:
    return ceil(video.length * rate / video.fps)


def _shape(video: Video, width: int) -> tuple[int, int]:
    """Width and height that are written: never larger than the video."""
    across = min(width or video.width, video.width)
    return across, max(1, round(video.height * across / video.width))


def _say_lost(video: Video, ctx: Context) -> None:
    lost = ["its sound"] * bool(video.audio and video.audio.length) + [f"{len(video.cues)} captions"] * bool(video.cues)
    if lost:
        ctx.warn(f"an animation has no place for {' and '.join(lost)}: left out; drawn captions stay: --do caption")


@contextmanager
def _written(path: Path, container: str, settings: dict[str, str]) -> Iterator[OutputContainer]:
    import av

    try:
        with av.open(str(path), "w", format=container, container_options=settings) as output:
            yield output
    except av.codec.codec.UnknownCodecError as error:
        hint = "pip install --force-reinstall av"
        raise OutputError(f"cannot write {path.name!r}: this FFmpeg has no encoder {error}", hint) from error
    except OSError as error:
        kind = DiskFull if error.errno == errno.ENOSPC else OutputError
        raise kind(f"cannot write {path.name!r}: {error.strerror or error}") from error
    except av.FFmpegError as error:
        raise OutputError(f"cannot write {path.name!r}: {error}") from error


def _track(
    output: OutputContainer,
    codec: str,
    rate: Fraction,
    size: tuple[int, int],
    pixels: str,
    options: dict[str, str] | None = None,
) -> VideoStream:
    from av.video.stream import VideoStream as Track

    stream = output.add_stream(codec, rate=rate, options=options or {})
    assert isinstance(stream, Track)
    stream.width, stream.height = size
    stream.pix_fmt = pixels
    stream.codec_context.time_base = Fraction(1, 100 if codec == "gif" else 1000)
    return stream


def _comment(path: Path, text: bytes) -> None:
    """Add a comment to a GIF, in blocks of at most 255 bytes, after its head and the colours of all frames."""
    data = path.read_bytes()
    place = 13 + (3 << (data[10] & 7) + 1 if data[10] & 128 else 0)
    parts = [text[at : at + 255] for at in range(0, len(text), 255)]
    blocks = b"".join(bytes([len(part)]) + part for part in parts)
    path.write_bytes(data[:place] + b"\x21\xfe" + blocks + b"\0" + data[place:])


def finished_webp(data: bytes, last: int, packet: bytes) -> bytes:
    """An animated WebP whose last picture stays for `last` milliseconds, with an XMP packet where one is given.

    FFmpeg tells the encoder no end, so that it takes the mean of the others. A WebP without VP8X head is left as it is.
    """
    parts: list[tuple[bytes, bytes]] = []
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        parts.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    if not parts or parts[0][0] != b"VP8X":
        return data
    final = max((n for n, (name, _) in enumerate(parts) if name == b"ANMF"), default=None)
    if final is not None:
        body = parts[final][1]
        parts[final] = b"ANMF", body[:12] + min(last, 0xFFFFFF).to_bytes(3, "little") + body[15:]
    if packet:
        flags = parts[0][1]
        parts[0] = b"VP8X", bytes([flags[0] | 4]) + flags[1:]
        parts.append((b"XMP ", packet))
    chunks = b"".join(n + len(b).to_bytes(4, "little") + b + b"\0" * (len(b) % 2) for n, b in parts)
    return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WEBP" + chunks
