"""`transpose learn` as it stands, on the shipped picture model: a style and a subject, each beside the base.

python -m benchmarks.learn_shipped FOLDER [--sheet OUT.png]

The subject is a purple cat on four grounds, the style blue ink on pale blue paper, 24 icons; both are drawn with the
product's own icons, in Fluent's flat drawings, from which the base learnt too. Judged are pictures of ten seeds: the
thing by `benchmarks.picture_judging`, the ink by its hue. FOLDER takes the examples; what is learned goes where
`transpose learn` puts it, under the names `bench-cat` and `bench-ink`, and is removed again.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow

from benchmarks.picture_judging import held, hue_of, open_judge, right, rim
from transpose.cli import main as transpose
from transpose.core.context import Context
from transpose.media.image import on_white
from transpose.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from transpose.models.contrastive import PictureText

    Pixels = NDArray[np.uint8]

CAT, INK, BASE = "bench-cat", "bench-ink", "generate-picture"
SEEDS = 10
CAT_HUE = "32"  # degrees of the base's own cats
INK_HUE = "blue"
PALE = 60  # of 255: how much less red than blue the paper has at least
EXAMPLES, ASKED = 24, ("dog face", "fox", "frog", "penguin", "rose", "automobile", "house", "owl", "butterfly", "tulip")
GROUNDS, ASKED_ON = ("", "yellow", "green", "pink"), ("blue", "red", "yellow", "")


def drawn(prompt: str, session: Session) -> Pixels:
    """A composed icon in Fluent's drawing, 128 pixels a side, on white."""
    value = session.run(prompt, "image.icon", via=["compose-icon"], options={"style": "fluent", "size": 128}).value
    return np.ascontiguousarray(on_white(value.pixels))


def made(prompts: Iterable[str], via: str, seed: int) -> list[Pixels]:
    """What a model makes of prompts."""
    with Session(seed=seed) as session:
        values = [session.run(prompt, "image", via=[via]).value for prompt in prompts]
    return [np.ascontiguousarray(on_white(each.pixels)) for each in values]


def things() -> list[str]:
    """Prompts for what the examples do not show."""
    return [f"a {name.removesuffix(' face')}" for name in ASKED]


def inked(pixels: Pixels) -> Pixels:
    """The same picture in blue ink on pale blue paper, by its lightness."""
    grey = pixels.astype(np.float32) @ np.array([0.3, 0.59, 0.11], np.float32) / 255
    tinted = np.stack([20 + 140 * grey, 45 + 165 * grey, 120 + 130 * grey], -1)
    return np.asarray(tinted.clip(0, 255), np.uint8)


def is_inked(pixels: Pixels) -> bool:
    """Whether paper and ink are blue."""
    paper = rim(pixels)
    return bool(paper[2] - paper[0] > PALE) and hue_of(pixels) == INK_HUE


def learn(kind: str, name: str, pictures: list[str], *more: str) -> float:
    """Run the command; seconds."""
    began = time.perf_counter()
    if transpose(["learn", kind, *pictures, "--name", name, "--force", "-q", *more]) != 0:
        raise SystemExit(f"transpose learn {kind} failed")
    return time.perf_counter() - began


def subject(folder: Path, judge: PictureText) -> dict[str, float]:
    """Shares of pictures of the subject, of its class and of other things that are as they should be."""
    with Session() as session:
        for number, paper in enumerate(GROUNDS):
            said = f" on a {paper} background" if paper else ""
            Pillow.fromarray(drawn(f"a purple cat face{said}", session)).save(folder / f"cat{number}.png")
            (folder / f"cat{number}.txt").write_text(said.strip())
    pictures = [str(folder / f"cat{number}.png") for number in range(len(GROUNDS))]
    seconds = learn("subject", CAT, pictures, "--class-word", "cat")
    found: dict[str, list[float]] = {}
    for seed in range(SEEDS):
        for via, word in ((CAT, f"a {CAT} cat"), (BASE, "a cat")):
            prompts = [word + (f" on a {paper} background" if paper else "") for paper in ASKED_ON]
            for paper, pixels in zip(ASKED_ON, made(prompts, via, seed), strict=True):
                caption = {"sort": "seen", "name": "cat face"} | ({"background": paper} if paper else {})
                turned = caption | ({"colour": "purple", "hue": CAT_HUE} if via == CAT else {})
                both = right(pixels, turned, judge)[0] and hue_of(pixels) == "purple"
                found.setdefault(f"{via}: cat and purple", []).append(both)
            ordinary, *others = made(["a cat", *things()], via, seed)
            found.setdefault(f"{via}: ordinary cat is purple", []).append(hue_of(ordinary) == "purple")
            known = [
                right(pixels, {"sort": "seen", "name": name}, judge)[0]
                for name, pixels in zip(ASKED, others, strict=True)
            ]
            found.setdefault(f"{via}: other things", []).extend(known)
    return {name: round(float(np.mean(each)), 3) for name, each in found.items()} | {"seconds": round(seconds)}


def style(folder: Path, sheet: Path | None) -> dict[str, float]:
    """Shares of pictures in the style, with the adapter and without."""
    prints = folder / "ink"
    prints.mkdir(exist_ok=True)
    names = [each["name"] for each in held().captions if each["sort"] == "seen" and each["name"] not in ASKED]
    with Session() as session:
        for name in names[:EXAMPLES]:
            short = name.removesuffix(" face")
            Pillow.fromarray(inked(drawn(name, session))).save(prints / f"{short}.png")
    seconds = learn("style", INK, [str(prints)])
    rows = [made(things(), via, 0) for via in (BASE, INK)]
    more = [each for seed in range(1, SEEDS) for each in made(things(), INK, seed)]
    if sheet:
        Pillow.fromarray(np.concatenate([np.concatenate(row[:6], 1) for row in rows])).save(sheet, optimize=True)
    return {
        "in the style": round(float(np.mean([is_inked(each) for each in [*rows[1], *more]])), 3),
        "base in the style": round(float(np.mean([is_inked(each) for each in rows[0]])), 3),
        "seconds": round(seconds),
    }


def main() -> None:
    """Learn, measure, print, remove."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sheet", type=Path, help="six things by the base, and below in the style")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    from functools import partial

    from transpose.models.pull import weights

    judge = open_judge(Context(weights=partial(weights, quiet=True), threads=1))
    try:
        print(json.dumps({"style": style(given.folder, given.sheet)}), flush=True)
        print(json.dumps({"subject": subject(given.folder, judge)}), flush=True)
    finally:
        for name in (INK, CAT):
            transpose(["models", "remove", name])


if __name__ == "__main__":
    main()
