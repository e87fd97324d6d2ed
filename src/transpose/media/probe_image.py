"""What a picture file shows: a photograph, a page of writing, or a drawing (charts and icons too).

Measured features (paper, ink, edges, grain, colours, rows of writing) go through a small classifier whose numbers,
in probe_image.json, recipes/probe_image.py learnt; docs/probes-image.md says how often it errs. A spectrogram of ours
is known by its text field and by nothing else, and a PNG that Transpose wrote by the history in it.
"""

from __future__ import annotations

import json
import struct
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.core.errors import DamagedInput
from transpose.core.kind import KINDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as Picture

SPECTROGRAM, HISTORY = "transpose.spectrogram", "transpose"  # text fields
LARGEST = 178_000_000  # pixels; the reader refuses more
SIDE = 768  # pixels that the longer side is reduced to
EXIF, MAKE, MODEL, EXPOSURE, APERTURE, SENSITIVITY = 0x8769, 0x010F, 0x0110, 0x829A, 0x829D, 0x8827
LEAST = 64  # pixels; of the looks of smaller pictures nothing is said
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")
DAMAGE: tuple[type[Exception], ...] = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError)
DAMAGE += (RuntimeError, AssertionError, struct.error, zlib.error)


def probe(path: Path, ctx: Context) -> dict[str, float]:
    """Probabilities of `image.photo`, `image.page` and `image.drawing`; what is missing to 1 is none of them.

    Of several pictures in a file the first speaks for all. What a history says that was written is certain:
    `{"image.icon": 1.0}`; `{}` for a picture that is tiny, or huge, or of a format whose package is missing. Raises
    DamagedInput for what is no picture.
    """
    import warnings

    import PIL.Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures and odd EXIF data
            with _open(path) as picture:
                if picture.width * picture.height > LARGEST:
                    return {}
                if SPECTROGRAM in picture.info:
                    return {"image.spectrogram": 1.0}
                if kind := _written(picture):
                    return {kind: 1.0}
                if min(picture.size) < LEAST:
                    return {}
                return judge(measure(picture), by_camera=_by_camera(picture))
    except (PIL.Image.DecompressionBombError, ModuleNotFoundError):
        return {}
    except DAMAGE as error:
        raise DamagedInput(f"{path.name!r} cannot be read as a picture: {error}", "Look at the file") from error


def _written(picture: Picture) -> str:
    """The kind that the history names of what Transpose wrote here; "" where there is none."""
    try:
        made = [str(step["output"]).partition("@")[0] for step in json.loads(picture.info[HISTORY])["steps"]]
    except (KeyError, TypeError, ValueError, RecursionError):
        return ""
    kinds = [name for name in made if not name.startswith(".")]  # what was written, and not in which format
    return kinds[-1] if kinds and kinds[-1].startswith("image.") and kinds[-1] in KINDS else ""


def _open(path: Path) -> Picture:
    """The picture, or the first of several. Raises one of `DAMAGE`; ModuleNotFoundError without pi-heif, for HEIC."""
    import PIL.Image

    if path.suffix.lower() not in (".heic", ".heif"):
        return PIL.Image.open(path, formats=FORMATS)
    import pi_heif  # type: ignore[import-untyped]

    opened = pi_heif.open_heif(path)
    main = opened[opened.primary_index]
    if main.size[0] * main.size[1] > LARGEST:
        raise OSError("too large")
    turned: Picture = main.to_pillow()
    return turned


def measure(picture: Picture) -> list[float]:
    """Features of a picture on white paper; their names are in `FEATURES`."""
    import numpy as np
    import PIL.Image

    rgba = picture.convert("RGBA")
    sheet = PIL.Image.new("RGBA", rgba.size, "white")
    sheet.alpha_composite(rgba)
    whole = sheet.convert("RGB")
    left, top = max(0, whole.width - SIDE) // 2, max(0, whole.height - SIDE) // 2
    middle = np.asarray(whole.crop((left, top, min(whole.width, left + SIDE), min(whole.height, top + SIDE))))
    whole.thumbnail((SIDE, SIDE), PIL.Image.Resampling.BOX)
    pixels = np.asarray(whole)
    colour = pixels.astype(np.float32)
    grey = _grey(pixels)
    ink = np.abs(grey - _blur(grey, 12)) > 24  # differs from what is around it: dark screens and shadows do not matter
    vivid = pixels.max(axis=2).astype(np.int16) - pixels.min(axis=2) > 48
    tones = [*_tones(grey), *_grain(grey), *_colours(pixels, colour, vivid, ink)]
    return [*tones, *_writing(ink), *_blocks(grey, ink), *_sensor(middle)]


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    import numpy as np

    grey: NDArray[np.float32] = pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return grey


FEATURES = (
    "paper", "two_tones", "entropy", "spread",
    "flat", "soft", "sharp", "grain", "kurtosis",
    "colourful", "saturated", "few_colours", "vivid_ink",
    "ink", "short_runs", "crossings", "rows_on", "row_contrast", "row_beat", "lean",
    "filled", "uneven", "local_beat", "calm", "least_grain", "long_falls",
    "true_flat", "true_grain", "noise", "colour_noise",
)  # fmt: skip


def _tones(grey: NDArray[np.float32]) -> list[float]:
    """Share of the commonest tone; how well two tones explain all (Otsu); entropy in bits; standard deviation."""
    import numpy as np

    counts = np.bincount((grey / 4).astype(np.int64).ravel(), minlength=64).astype(np.float64)
    share = counts / counts.sum()
    near = np.convolve(share, np.ones(5), "same")
    levels = np.arange(64)
    low = np.cumsum(share)
    mean = np.cumsum(share * levels)
    between = (mean[-1] * low - mean) ** 2 / np.maximum(low * (1 - low), 1e-9)
    variance = float((share * (levels - mean[-1]) ** 2).sum())
    entropy = -float((share[share > 0] * np.log2(share[share > 0])).sum())
    return [float(near.max()), float(between.max()) / (variance + 1e-3), entropy, float(grey.std()) / 64]


def _grain(grey: NDArray[np.float32]) -> list[float]:
    """Shares of no, soft and sharp steps between neighbours; strength of the grain; tails of the steps."""
    import numpy as np

    step = np.abs(np.diff(grey, axis=1)).ravel()
    bend = np.abs(grey[:, 2:] - 2 * grey[:, 1:-1] + grey[:, :-2])
    power = float((step**2).mean())
    tails = float((step**4).mean()) / (power**2 + 1e-3)
    shares = [float((step < 1).mean()), float(((step >= 2) & (step < 24)).mean()), float((step >= 48).mean())]
    return [*shares, float(np.log1p(np.median(bend))), float(np.log1p(tails)) / 4]


def _colours(
    pixels: NDArray[np.uint8], colour: NDArray[np.float32], vivid: NDArray[np.bool_], ink: NDArray[np.bool_]
) -> list[float]:
    """Colourfulness (Hasler and Süsstrunk 2003); share of vivid pixels; colours in nine tenths; share of vivid ink."""
    import numpy as np

    red_green = colour[..., 0] - colour[..., 1]
    yellow_blue = (colour[..., 0] + colour[..., 1]) / 2 - colour[..., 2]
    spread = np.hypot(red_green.std(), yellow_blue.std()) + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean())
    coarse = (pixels >> 3).astype(np.int64)
    codes = coarse[..., 0] << 10 | coarse[..., 1] << 5 | coarse[..., 2]
    counts = np.sort(np.bincount(codes.ravel(), minlength=1))[::-1]
    needed = int(np.searchsorted(np.cumsum(counts), 0.9 * codes.size)) + 1
    coloured_ink = float((vivid & ink).sum() / max(1, int(ink.sum())))
    return [float(np.log1p(spread)) / 4, float(vivid.mean()), float(np.log(needed)) / 8, coloured_ink]


def _writing(ink: NDArray[np.bool_]) -> list[float]:
    """How the ink lies: its share, its runs along a row, its rows, their beat, and rows against columns."""
    import numpy as np

    width = ink.shape[1]
    edges = np.diff(np.pad(ink, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    crossings = float(np.percentile((edges == 1).sum(axis=1), 90)) / width * 16
    profile = ink.mean(axis=1)
    on = profile > 0.15 * profile.max(initial=0)
    contrast = float(profile.std() / (profile.mean() + 1e-3))
    columns = ink.mean(axis=0)
    lean = contrast - float(columns.std() / (columns.mean() + 1e-3))
    short = 1 - _long_runs(ink, 10)
    return [float(ink.mean()), short, crossings, float(on.mean()), min(contrast, 4), _beat(profile), lean]


def _long_runs(ink: NDArray[np.bool_], length: int) -> float:
    """Share of the ink that lies in runs of more than `length` pixels along a row."""
    import numpy as np

    edges = np.diff(np.pad(ink, ((0, 0), (1, 1))).astype(np.int8), axis=1).ravel()
    runs = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    return float(runs[runs > length].sum()) / max(1, int(ink.sum()))


def _blocks(grey: NDArray[np.float32], ink: NDArray[np.bool_]) -> list[float]:
    """Over blocks of 24 pixels: how many hold some ink, how unevenly; the beat of strips; how many are calm; grain.

    Last the share of ink in long runs down a column: rules, axes and staves have them, print has not.
    """
    import numpy as np

    side = 24
    rows, columns = (max(1, size // side) for size in grey.shape)
    share = _cut(ink.astype(np.float32), side, rows, columns).mean(axis=(1, 3))
    spread = _cut(grey, side, rows, columns).std(axis=(1, 3))
    some = share[(share > 0.03) & (share < 0.6)]
    uneven = float(some.std() / some.mean()) if some.size else 2.0
    strips = np.array_split(ink, 6, axis=1)
    beats = [_beat(strip.mean(axis=1)) for strip in strips if strip.mean() > 0.01]
    beat = float(np.mean(beats)) if beats else 0.0
    calm, least = float((spread < 1.5).mean()), float(np.log1p(np.percentile(spread, 10)))
    return [some.size / share.size, min(uneven, 2.0), beat, calm, least, _long_runs(ink.T, 16)]


def _sensor(middle: NDArray[np.uint8]) -> list[float]:
    """In pixels that were not reduced: equal neighbours, grain, noise of brightness and blue where it is calm."""
    import numpy as np

    grey = _grey(middle)
    blue = middle[..., 2].astype(np.float32) - grey
    bend = np.abs(grey[:, 2:] - 2 * grey[:, 1:-1] + grey[:, :-2])
    rows, columns = (max(1, size // 8) for size in grey.shape)
    noise = [np.percentile(_cut(plane, 8, rows, columns).std(axis=(1, 3)), 25) for plane in (grey, blue)]
    flat = float((np.abs(np.diff(grey, axis=1)) < 0.5).mean())
    return [flat, float(np.log1p(np.median(bend))), *(float(np.log1p(value)) for value in noise)]


def _cut(values: NDArray[np.float32], side: int, rows: int, columns: int) -> NDArray[np.float32]:
    """(height, width) as (rows, side, columns, side), what is over at the edges left out."""
    side_y, side_x = min(side, values.shape[0]), min(side, values.shape[1])
    return values[: rows * side_y, : columns * side_x].reshape(rows, side_y, columns, side_x)


def _blur(grey: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """The mean over a square of 2 x reach + 1 pixels a side, edges repeated."""
    import numpy as np

    side = 2 * reach + 1
    total = np.pad(grey, reach, mode="edge").astype(np.float64)
    for axis in (0, 1):
        summed = np.cumsum(total, axis=axis)
        zero = np.zeros_like(np.take(summed, [0], axis=axis))
        summed = np.concatenate([zero, summed], axis=axis)
        size = summed.shape[axis]
        total = (np.take(summed, range(side, size), axis=axis) - np.take(summed, range(size - side), axis=axis)) / side
    return total.astype(np.float32)


def _beat(profile: NDArray[np.float64]) -> float:
    """The highest peak of the profile's autocorrelation at 4 to 80 pixels, after its first dip: lines of writing."""
    import numpy as np

    centred = profile - profile.mean()
    power = np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2
    echo = np.fft.irfft(power)[: len(centred)]
    echo = echo / (echo[0] + 1e-9)
    below = np.argmax(echo < 0.2)
    window = echo[max(4, int(below)) : 80]
    return float(window.max(initial=0.0)) if below else 0.0


def _by_camera(picture: Picture) -> bool:
    """Whether the EXIF data name a camera and how it was set: then it is a photograph, if only of a page."""
    try:
        tags = picture.getexif()
        settings = tags.get_ifd(EXIF)
    except DAMAGE:
        return False
    return MAKE in tags and MODEL in tags and any(tag in settings for tag in (EXPOSURE, APERTURE, SENSITIVITY))


def judge(features: list[float], *, by_camera: bool = False) -> dict[str, float]:
    """Probabilities from features: the mean of several networks with one hidden layer, calibrated.

    `temperature` and `doubt` (taken from the score of each kind) are such that confidence is earned. What doubt about
    photo and page takes from them goes to no kind: a drawing is judged by what it leads them by without that doubt.
    Where a camera is known to have made the picture, it is no drawing.
    """
    import numpy as np

    model = _model()
    values = np.clip((np.array(features) - model["mean"]) / model["scale"], -3, 3)
    # w1 (networks, features, hidden), w2 (networks, hidden, 3)
    hidden = np.tanh(np.einsum("f,nfh->nh", values, np.array(model["w1"])) + np.array(model["b1"]))
    scores = (np.einsum("nh,nhk->nk", hidden, np.array(model["w2"])) + np.array(model["b2"])).mean(axis=0)
    scores = scores / model["temperature"]
    photo, page, drawing = model["doubt"]
    share = _shares(scores - np.array([0, 0, 4] if by_camera else [photo, page, 0]))
    found = dict(zip(("image.photo", "image.page"), share, strict=False))
    if not by_camera:
        found["image.drawing"] = min(share[2], _shares(scores - np.array([0, 0, drawing]))[2])
    return {kind: round(float(p), 4) for kind, p in found.items()}


def _shares(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    share = np.exp(scores - scores.max())
    shares: NDArray[np.float64] = share / share.sum()
    return shares


@cache
def _model() -> dict[str, list[float]]:
    found: dict[str, list[float]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return found
