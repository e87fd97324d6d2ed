"""Write a slideshow of a page, a photograph and slides, read it back, and compare pictures and lengths."""

from __future__ import annotations

import resource
import time
from itertools import islice
from math import log10
from pathlib import Path
from statistics import mean

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from benchmarks.slideshow_speed import page
from transpose.core.context import Context, Many
from transpose.formats.video_files import write_video
from transpose.media.audio import Audio
from transpose.media.image import Image
from transpose.media.video import Video
from transpose.transforms.slideshow import slideshow

EXAMPLES = Path(__file__).parents[2] / "examples"


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two pictures in dB; 99 where they are equal."""
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return 10 * log10(255**2 / error) if error else 99.0


def score(ctx: Context) -> dict[str, object]:
    """PSNR of the middle frame of each picture in the written MP4; the quality is PSNR / 40, at most 1."""
    files = [np.asarray(Pillow.open(EXAMPLES / name).convert("RGB")) for name in ("page.png", "photo.jpg")]
    shown = [Image(pixels) for pixels in (*files, page(0), page(1))]
    audio = Audio.from_file(EXAMPLES / "talk.wav")
    path = ctx.temp(".mp4")
    begin = time.perf_counter()
    video = slideshow(Many(lambda: shown, len(shown)), audio, None, ctx)
    write_video(video, path, ctx)
    spent = time.perf_counter() - begin
    back = Video.from_file(path)
    middles = {int((number + 0.5) * video.length / len(shown)) for number in range(len(shown))}
    pairs = islice(zip(video.frames(), back.frames(), strict=True), video.length)
    found = [psnr(mine, theirs) for at, (mine, theirs) in enumerate(pairs) if at in middles]
    with av.open(str(path)) as container:
        ends = [float((s.duration or 0) * (s.time_base or 0)) for s in container.streams]
    return {
        "metric": "PSNR in dB",
        "value": round(mean(found), 2),
        "quality": round(min(1.0, mean(found) / 40), 3),
        "data": f"a page, a photograph, two slides over {audio.duration:.1f} s of speech, 1280 x 720, 10 frames a "
        f"second; worst {min(found):.1f} dB; ends {max(abs(end - audio.duration) for end in ends):.3f} s off",
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(spent / audio.duration * 60, 2),
        "unit": "minute of sound",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
