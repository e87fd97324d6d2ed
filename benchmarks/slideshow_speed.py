"""Slideshow against plain PyAV in one run: the same ten pictures, sound, encoder and settings.

    python benchmarks/slideshow_speed.py [SECONDS] [ROUNDS]

Two baselines: `careful` converts each picture once and encodes the frame again and again, as `slideshow` does; `simple`
converts it for every frame, as tutorials do. Rounds alternate; each column is the median of its rounds, and a ratio is
the median of the rounds' ratios, so that other work on the machine falls on all alike. `store` is the time that the
cache takes to keep the video losslessly.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from statistics import median

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from transpose.core.context import Context, Many
from transpose.formats.video_files import write_video
from transpose.media.audio import Audio
from transpose.media.image import Image
from transpose.media.video import save
from transpose.transforms.slideshow import slideshow

FPS = 10
RATE = 16_000


def page(number: int) -> NDArray[np.uint8]:
    """A slide of 1280 x 720 with twelve lines of text."""
    sheet = Pillow.new("RGB", (1280, 720), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(28)
    for line in range(12):
        pen.text((60, 40 + 52 * line), f"{number}.{line} the quick brown fox jumps over the lazy dog", "black", font)
    return np.asarray(sheet)


def plain(pages: list[NDArray[np.uint8]], sound: NDArray[np.float32], path: Path, careful: bool) -> None:
    """A loop over PyAV; sound of shape (n, 1) at 16 kHz is fed a second at a time."""
    frames = len(sound) * FPS // RATE
    with av.open(str(path), "w", container_options={"movflags": "+faststart"}) as output:
        video = output.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "23"})
        audio = output.add_stream("aac", rate=RATE, layout="mono")
        assert isinstance(video, VideoStream)
        assert isinstance(audio, AudioStream)
        video.width, video.height, video.pix_fmt = 1280, 720, "yuv420p"
        video.codec_context.thread_count = 1
        audio.bit_rate = 80_000
        held, frame = -1, None
        for at in range(frames):
            number = at * len(pages) // frames
            if frame is None or number != held or not careful:
                frame = av.VideoFrame.from_ndarray(pages[number]).reformat(
                    format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
                )
                frame.time_base, held = Fraction(1, FPS), number
            frame.pts = at
            output.mux(video.encode(frame))
            if at % FPS == 0:
                start = at * RATE // FPS
                block = av.AudioFrame.from_ndarray(sound[start : start + RATE].T.copy(), format="flt", layout="mono")
                block.sample_rate, block.pts, block.time_base = RATE, start, Fraction(1, RATE)
                output.mux(audio.encode(block))
        output.mux(video.encode(None))
        output.mux(audio.encode(None))


def timed(work: Callable[[], None]) -> float:
    """Seconds."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measure(seconds: int = 120, rounds: int = 5) -> dict[str, float]:
    """Median seconds of each way, and median ratios."""
    pages = [page(number) for number in range(10)]
    noise = np.random.default_rng(0).normal(scale=0.1, size=(seconds * RATE, 1)).astype(np.float32)
    audio = Audio.from_array(noise, RATE)
    ctx = Context(threads=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ways: dict[str, Callable[[], None]] = {
            "ours": lambda: write_video(
                slideshow(Many(lambda: map(Image, pages), len(pages)), audio, None, ctx), folder / "ours.mp4", ctx
            ),
            "careful": lambda: plain(pages, noise, folder / "careful.mp4", True),
            "simple": lambda: plain(pages, noise, folder / "simple.mp4", False),
            "store": lambda: save(
                slideshow(Many(lambda: map(Image, pages), len(pages)), audio, None, ctx), folder / "ours.avi"
            ),
        }
        spent = [{way: timed(work) for way, work in ways.items()} for _ in range(rounds)]
        sizes = {f"{path.stem}_kb{path.suffix}": path.stat().st_size / 1000 for path in folder.iterdir()}
    found = {way: median(each[way] for each in spent) for way in ways}
    for base in ("careful", "simple"):
        found[f"ours/{base}"] = median(each["ours"] / each[base] for each in spent)
    return {**found, "frames a second": seconds * FPS / found["ours"], **sizes}


if __name__ == "__main__":
    for title, figure in measure(*(int(word) for word in sys.argv[1:])).items():
        print(f"{title:20} {figure:10.3f}")
