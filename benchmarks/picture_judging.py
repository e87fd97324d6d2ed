"""Whether a picture shows the thing and the colour that its caption says: for pictures composed and pictures generated.

The thing is judged by a contrastive pair (card `picture-judge`) that learnt from other sets of icons than the generator
did, and chooses among the names of 410 things, or among all 1,644 where what was asked for is no plain thing. Colours
are measured: the background is the median of the rim, the thing's colour the mean hue of the coloured pixels within;
each has to be nearest to the one that was asked for. As the judge has hardly seen a green cat, it is shown the thing as
it usually is: the background filled with white, and the hue that was asked for turned back to the thing's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from transpose.core.context import Context
from transpose.core.errors import TransposeError
from transpose.media.image import Image, on_white
from transpose.media.text import Text
from transpose.models.contrastive import PictureText

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

JUDGE = "picture-judge"
SORTS = ("seen", "colour", "paper", "unseen", "other")
FILLED = 120  # of 765: how far a neighbour may be from the background to be filled with it
FAR = 60  # of 255: how much a pixel differs from the background to belong to the thing

Make = Callable[[str], "Pixels | None"]  # a caption -> RGB (h, w, 3), None where that is refused


@dataclass(frozen=True, slots=True)
class Held:
    """The captions, all names, hues in degrees and papers in RGB; see recipes/picture_captions.py."""

    captions: Sequence[dict[str, str]]
    names: Sequence[str]
    hues: dict[str, float]
    papers: dict[str, Sequence[int]]
    prompts: Sequence[dict[str, str]]


@cache
def held() -> Held:
    """What benchmarks/picture_captions.json holds."""
    data = json.loads(Path(__file__).with_name("picture_captions.json").read_text(encoding="utf-8"))
    return Held(data["captions"], data["names"], data["hues"], data["papers"], data["prompts"])


def open_judge(ctx: Context) -> PictureText:
    """The second pair of networks."""
    folder = ctx.model(JUDGE)
    return ctx.load(JUDGE, lambda: PictureText(folder, ctx.threads))


def making(transform: Callable[..., Image], ctx: Context, **options: int) -> Make:
    """Make pictures with a transform."""

    def make(prompt: str) -> Pixels | None:
        try:
            return np.ascontiguousarray(on_white(transform(Text(prompt), ctx, **options).pixels))
        except TransposeError:
            return None

    return make


def judge(make: Make, ctx: Context, captions: Sequence[dict[str, str]]) -> dict[str, float]:
    """Shares that are right, by sort: `SORT.thing`, `.five` (among the first five), `.colour`, `.both`."""
    model = open_judge(ctx)
    rows: dict[str, list[tuple[bool, bool, bool]]] = {}
    for caption in captions:
        made = make(caption["prompt"])
        found = (False, False, False) if made is None else right(made, caption, model)
        rows.setdefault(caption["sort"], []).append(found)
    told: dict[str, float] = {}
    for sort, each in rows.items():
        thing, five, colour = (float(np.mean(column)) for column in zip(*each, strict=True))
        told |= {f"{sort}.thing": thing, f"{sort}.five": five}
        if sort in ("colour", "paper"):
            told |= {f"{sort}.colour": colour, f"{sort}.both": float(np.mean([a and c for a, _, c in each]))}
    return {name: round(value, 3) for name, value in told.items()}


def right(pixels: Pixels, caption: dict[str, str], model: PictureText) -> tuple[bool, bool, bool]:
    """Thing right, thing among five, colour right."""
    names = model.facts.names if caption["sort"] == "other" else held().names
    shares = model.name([usual(pixels, caption)])[0][[model.facts.names.index(name) for name in names]]
    before = int((shares > shares[names.index(caption["name"])]).sum())
    colour = True
    if "background" in caption:
        colour = paper_of(pixels) == caption["background"]
    if "colour" in caption:
        colour = hue_of(pixels) == caption["colour"]
    return before == 0, before < 5, colour


def usual(pixels: Pixels, caption: dict[str, str]) -> Pixels:
    """The thing as it usually is: without the background, and without the colour, that a caption asks for."""
    picture = Pillow.fromarray(pixels)
    if "background" in caption:
        for place in ((x, y) for x in range(0, picture.width, 8) for y in (0, picture.height - 1)):
            ImageDraw.floodfill(picture, place, (255, 255, 255), thresh=FILLED)
    if "colour" in caption:
        turn = round((float(caption["hue"]) - held().hues[caption["colour"]]) * 256 / 360)
        hue, *others = picture.convert("HSV").split()
        turned = Pillow.fromarray((np.asarray(hue).astype(np.int64) + turn).astype(np.uint8))
        picture = Pillow.merge("HSV", (turned, *others)).convert("RGB")
    return np.asarray(picture)


def rim(pixels: Pixels) -> NDArray[np.float64]:
    """The median colour of the outermost pixels."""
    edge = max(1, pixels.shape[0] // 32)
    parts = (pixels[:edge], pixels[-edge:], pixels[:, :edge], pixels[:, -edge:])
    middle: NDArray[np.float64] = np.median(np.concatenate([part.reshape(-1, 3) for part in parts]), axis=0)
    return middle


def paper_of(pixels: Pixels) -> str:
    """The name of the background's colour."""
    colour = rim(pixels)
    return min(held().papers, key=lambda name: float(np.abs(colour - held().papers[name]).sum()))


def hue_of(pixels: Pixels) -> str:
    """The name of the mean hue of what is not background; "" where it has no colour."""
    real = pixels.reshape(-1, 3).astype(np.float64)
    thing = real[np.abs(real - rim(pixels)).max(1) > FAR] / 255
    spread = thing.max(1) - thing.min(1) if len(thing) else np.zeros(0)
    coloured, weight = thing[spread > 0.25], spread[spread > 0.25]
    if not len(coloured):
        return ""
    red, green, blue = coloured.T
    angle = np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)
    mean = np.rad2deg(np.angle((np.exp(1j * angle) * weight).sum()))
    return min(held().hues, key=lambda name: abs((held().hues[name] - mean + 180) % 360 - 180))
