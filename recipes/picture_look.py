"""Look at what a diffusion model of pictures makes: the sheet of 48 prompts, composed beside it, and copies.

    python recipes/picture_look.py WEIGHTS DATA OUT

WEIGHTS holds a folder for each card (picture-diffusion, minilm, realesrgan-quick, the icons). Writes `generated.png`
and `composed.png` (48 prompts, 12 a row: 24 seen, 12 composed, 6 pairs, 6 unseen), `generated-others.png` (36 captions
of faces, people and signs), and `nearest.png` with `nearest.json`: beside each picture of a held-out caption the icon
that is nearest to it in pixels, with the distance, and for each sort of caption the share of pictures that are nearer
than 0.1 to one: copies. `ceiling.json` says how the judge judges the scenes themselves, drawn as the network was taught
them: more than that nobody can reach.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from picture_mix import Icons, Scene, reduced
from PIL import Image as Pillow

from benchmarks.picture_judging import held, judge, making
from transpose.core.context import Context
from transpose.transforms.compose_icon import compose_icon
from transpose.transforms.generate_picture import generate_picture

Pixels = NDArray[np.uint8]
COLUMNS, SIDE = 12, 128
NEAR = 0.1  # root of the mean square difference, colours from 0 to 1, below which a picture counts as a copy


def sheet(pictures: list[Pixels], side: int = SIDE, columns: int = COLUMNS) -> Pillow.Image:
    """Pictures in rows, with white between them."""
    rows = -(-len(pictures) // columns)
    made = Pillow.new("RGB", (columns * (side + 4) + 4, rows * (side + 4) + 4), "white")
    for at, pixels in enumerate(pictures):
        small = Pillow.fromarray(pixels).resize((side, side), Pillow.Resampling.NEAREST)
        made.paste(small, (4 + at % columns * (side + 4), 4 + at // columns * (side + 4)))
    return made


def shown_small(picture: Pillow.Image) -> Pillow.Image:
    """At three fifths of its size, in 256 colours: a tenth of the bytes, and enough to judge by."""
    sides = round(picture.width * 0.6), round(picture.height * 0.6)
    return picture.resize(sides, Pillow.Resampling.LANCZOS).quantize(256)


def nearest(pictures: list[Pixels], icons: NDArray[np.float32]) -> tuple[list[int], list[float]]:
    """For each picture (32, 32, 3) the icon on white that differs least, and by how much."""
    flat = icons.reshape(len(icons), -1)
    places, far = [], []
    for pixels in pictures:
        differ = np.sqrt(((flat - pixels.reshape(-1).astype(np.float32) / 255) ** 2).mean(1))
        places.append(int(differ.argmin()))
        far.append(float(differ.min()))
    return places, far


def ceiling(data: Path, ctx: Context) -> dict[str, float]:
    """Shares that are right where the pictures are those that the captions were written for."""
    icons = Icons(data, 32, ("flat",))
    number = {name: at for at, name in enumerate(icons.names)}
    scenes = {
        each["prompt"]: Scene(number[each["name"]], "flat", each.get("colour", ""), each.get("background", ""))
        for each in held().captions
    }
    return judge(lambda prompt: np.rint(icons.draw(scenes[prompt]) * 255).astype(np.uint8), ctx, held().captions)


def main(weights: Path, data: Path, out: Path) -> None:
    """Write sheets and distances."""
    ctx = Context(weights=lambda name: weights / name, threads=1)
    out.mkdir(parents=True, exist_ok=True)
    prompts = [each["prompt"] for each in held().prompts]
    blank = np.full((SIDE, SIDE, 3), 240, np.uint8)
    for name, make in (
        ("generated", making(generate_picture, ctx)),
        ("composed", making(compose_icon, ctx, size=SIDE)),
    ):
        made = [make(prompt) for prompt in prompts]
        shown_small(sheet([blank if each is None else each for each in made])).save(out / f"{name}.png", optimize=True)
    whole = making(generate_picture, ctx)
    others = [each["prompt"] for each in held().captions if each["sort"] == "other"][: 3 * COLUMNS]
    made = [whole(prompt) for prompt in others]
    shown_small(sheet([each for each in made if each is not None])).save(out / "generated-others.png", optimize=True)
    icons = reduced(np.load(data / "flat.npy"), 32)
    shown = icons[..., :3] + 1 - icons[..., 3:]
    small = making(generate_picture, ctx, size=32)
    told: dict[str, list[float]] = {}
    rows: list[Pixels] = []
    for caption in held().captions:
        pixels = small(caption["prompt"])
        assert pixels is not None
        places, far = nearest([pixels], shown)
        told.setdefault(caption["sort"], []).append(far[0])
        rows += [pixels, np.rint(shown[places[0]] * 255).astype(np.uint8)]
    sheet(rows, 64, 24).save(out / "nearest.png", optimize=True)
    summary = {
        sort: {"median": round(float(np.median(far)), 4), "copies": round(float(np.mean(np.array(far) < NEAR)), 3)}
        for sort, far in told.items()
    }
    (out / "nearest.json").write_text(json.dumps(summary, indent=1) + "\n")
    top = ceiling(data, ctx)
    (out / "ceiling.json").write_text(json.dumps(top, indent=1) + "\n")
    print(json.dumps(summary), json.dumps(top))


if __name__ == "__main__":
    main(*(Path(each) for each in sys.argv[1:4]))
