"""Draw the course of a sound: how loud it is over time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.image import Image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as Sheet

STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600,
         7200, 14400, 43200, 86400)  # fmt: skip
FINE = 2  # the shape is drawn so many times as large and made smaller: smooth edges


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of one look, RGB."""

    paper: tuple[int, int, int]
    grid: tuple[int, int, int]
    words: tuple[int, int, int]
    peaks: tuple[int, int, int]
    body: tuple[int, int, int]


LOOKS = {
    "light": Look((255, 255, 255), (226, 230, 236), (92, 100, 112), (158, 190, 240), (38, 96, 190)),
    "dark": Look((22, 25, 31), (48, 54, 64), (160, 168, 180), (52, 92, 152), (122, 176, 255)),
}


@transform(
    "audio -> image.waveform", loses=["wording", "pitch", "timbre", "phase", "exactness"], verb=True, memory_mb=80
)
def waveform(
    audio: Audio,
    ctx: Context,
    *,
    width: Annotated[int, Range(200, 8000), "pixels"] = 1600,
    height: Annotated[int, Range(80, 4000), "pixels"] = 400,
    channels: Annotated[Literal["all", "mixed"], "a lane for each of two channels, or one for all"] = "all",
    theme: Annotated[Literal["light", "dark"], "the colours"] = "light",
    fit: Annotated[bool, "scale the loudest sample to the height; no: full scale fills it"] = True,
) -> Image:
    """Draw peaks (light) and root mean square (dark) of each column of pixels over a time axis.

    RGB, uint8 of shape (`height`, `width`, 3). Works in blocks, so hours need no more memory than seconds. More than
    two channels are mixed to one lane. Raises EmptyInput for no sound.
    """
    import numpy as np

    if not audio.length:
        raise EmptyInput("there is no sound to draw: its length is zero")
    lanes = audio.channels if channels == "all" and audio.channels <= 2 else 1
    lows, highs, body = _columns(audio, lanes, width * FINE, ctx)
    peak = float(max(np.abs(lows).max(), np.abs(highs).max()))
    scale = 1 / peak if fit and peak > 0 else 1.0
    ctx.note("peak dBFS", round(20 * math.log10(max(peak, 1e-9)), 1))
    return Image(_drawn(lows * scale, highs * scale, body * scale, (width, height), audio.duration, LOOKS[theme]))


def _columns(
    audio: Audio, lanes: int, count: int, ctx: Context
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest sample and root mean square of each of `count` columns: each of shape (count, lanes)."""
    import numpy as np

    lows, highs = np.zeros((count, lanes)), np.zeros((count, lanes))
    squares, held = np.zeros((count, lanes)), np.zeros((count, 1))
    at, length = 0, audio.length
    for block in audio.blocks(channels=lanes):
        samples = np.nan_to_num(block.astype(np.float64), posinf=1.0, neginf=-1.0)
        columns = np.minimum((at + np.arange(len(samples))) * count // length, count - 1)
        chosen, firsts = np.unique(columns, return_index=True)
        lows[chosen] = np.minimum(lows[chosen], np.minimum.reduceat(samples, firsts))
        highs[chosen] = np.maximum(highs[chosen], np.maximum.reduceat(samples, firsts))
        squares[chosen] += np.add.reduceat(samples**2, firsts)
        held[chosen, 0] += np.diff(np.append(firsts, len(samples)))
        at += len(samples)
        ctx.progress(at / audio.rate, audio.duration, "seconds drawn")
    if length < count:  # fewer samples than columns: each is as wide as its share
        source = np.maximum.accumulate(np.where(held[:, 0] > 0, np.arange(count), 0))
        lows, highs, squares, held = lows[source], highs[source], squares[source], held[source]
    return lows, highs, np.sqrt(squares / np.maximum(held, 1))


def _drawn(
    lows: NDArray[np.float64],
    highs: NDArray[np.float64],
    body: NDArray[np.float64],
    size: tuple[int, int],
    seconds: float,
    look: Look,
) -> NDArray[np.uint8]:
    """The picture: paper, grid, the lanes one below the other, the axis."""
    import numpy as np
    from PIL import Image as Pillow

    width, height = size
    letters = max(9, min(26, height // 22))
    axis = letters * 2
    lanes = lows.shape[1]
    tall = (height - axis) // lanes
    sheet = Pillow.new("RGB", size, look.paper)
    _axis(sheet, seconds, height - axis, letters, look)
    for lane in range(lanes):
        rows = np.linspace(1.04, -1.04, tall * FINE)[:, None]
        centre = 2.08 / (tall * FINE)  # silence is a thin line
        for colour, bottom, top in (
            (look.peaks, lows[:, lane], highs[:, lane]),
            (look.body, -body[:, lane], body[:, lane]),
        ):
            inside = (rows >= np.minimum(bottom, -centre)) & (rows <= np.maximum(top, centre))
            mask = Pillow.fromarray(inside).convert("L").resize((width, tall), Pillow.Resampling.BOX)
            sheet.paste(Pillow.new("RGB", (width, tall), colour), (0, lane * tall), mask)
    return np.array(sheet)


def _axis(sheet: Sheet, seconds: float, bottom: int, letters: int, look: Look) -> None:
    """Vertical lines at round times, with the times below them."""
    from PIL import ImageDraw, ImageFont

    pen = ImageDraw.Draw(sheet)
    face = ImageFont.load_default(letters)
    room = pen.textlength("00:00:00", font=face) * 1.3
    step = next((each for each in STEPS if sheet.width * each / seconds >= room), seconds)
    pen.line([(0, bottom), (sheet.width, bottom)], fill=look.grid)
    for number in range(int(seconds / step) + 1):
        x = number * step / seconds * sheet.width
        pen.line([(x, 0), (x, bottom + letters // 3)], fill=look.grid)
        words = _clock(number * step, step)
        half = pen.textlength(words, font=face) / 2
        x = min(max(x, half + 2), sheet.width - half - 2)
        pen.text((x, bottom + letters // 2), words, fill=look.words, font=face, anchor="ma")


def _clock(seconds: float, step: float) -> str:
    """`2:05`, `1:02:05`, or `0.25 s` where the steps are short."""
    if step < 1:
        return f"{seconds:.{3 if step < 0.01 else 2 if step < 0.1 else 1}f} s"
    whole = round(seconds)
    minutes = f"{whole // 60 % 60}:{whole % 60:02}" if whole < 3600 else f"{whole // 60 % 60:02}:{whole % 60:02}"
    return minutes if whole < 3600 else f"{whole // 3600}:{minutes}"
