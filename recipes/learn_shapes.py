"""What `transpose learn` reaches where the truth is known: coloured shapes, read back by rule. See learn_shapes.sh.

A base learns solid shapes of one colour. Then, through the code of the command itself:

style     48 outlined shapes. Share of pictures that are outlined with the adapter, and by the base.
subject   4 pictures of a circle, red above and blue below, called zorp. Identity: share of "a zorp circle on GROUND"
          that are that circle. Drift: how much rarer ordinary circles ("a COLOUR circle on GROUND") are right than by
          the base; with 128 preserving pictures and with none.
full      the style again, with all weights trained instead of an adapter.

Everything lies in the folder that is named; what is there already is not done again.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image as Pillow

from transpose.core.context import Context
from transpose.learn.adapt import Hands, sample, teach
from transpose.learn.examples import read_folder
from transpose.learn.export import export, open_network
from transpose.learn.objective import Objective
from transpose.learn.order import Order, learn
from transpose.learn.terms import Dials, Watch
from transpose.learn.toy import list_toy, train_toy
from transpose.models.diffusion.denoiser import open_denoiser
from transpose.models.diffusion.generate import Condition, generate
from transpose.models.pull import weights
from transpose.testing.shapes import FORMS, GROUNDS, Shape, draw, from_model, random_shapes, read_shape, word_tokens

if TYPE_CHECKING:
    from transpose.testing.shapes import Pixels

COUNT = 200  # pictures that each figure is measured on
GUIDANCE, STEPS = 2.0, 20
NAME, CLASS = "zorp", "circle"
SUBJECT = Shape("circle", "red", "white", "solid", "blue")


def paint(base: Path, prompts: Sequence[str], adapter: Path | None = None) -> list[Pixels]:
    """A picture for each prompt, as the command makes them: ONNX Runtime, the adapter merged."""
    network = open_denoiser(base, 1, adapters=[adapter] if adapter else [])
    conditions = [Condition(*each) for each in zip(*word_tokens(prompts), strict=True)]
    made = generate(network, conditions, steps=STEPS, guidance=GUIDANCE, seed=5, batch=50)
    return [from_model(each) for each in made]


def share(pictures: Sequence[Pixels], right: Callable[[Shape, int], bool]) -> float:
    """The share of pictures whose reading is right; nothing to be read is wrong."""
    found = [read_shape(each) for each in pictures]
    return float(np.mean([read is not None and right(read, place) for place, read in enumerate(found)]))


def as_said(shapes: Sequence[Shape], *names: str) -> Callable[[Shape, int], bool]:
    """Whether a reading agrees with the shape asked for, in these fields."""
    return lambda read, place: all(getattr(read, name) == getattr(shapes[place], name) for name in names)


def write_examples(folder: Path, shapes: Sequence[Shape], captions: Sequence[str]) -> None:
    """Pictures with captions beside them, as a user would have."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, (shape, caption) in enumerate(zip(shapes, captions, strict=True)):
        Pillow.fromarray(draw(shape)).save(folder / f"{place:02d}.png")
        (folder / f"{place:02d}.txt").write_text(caption, encoding="utf-8")


def taught(method: str, name: str, examples: Path, dials: Dials, prior: int = 0) -> dict[str, object]:
    """Learn an order; answers how it went. The adapter lies in the order's folder."""
    pictures = tuple(read_folder(examples, print))
    word = CLASS if method == "subject" else ""
    made = Order(method, NAME if method == "subject" else name, pictures, dials, "shapes", word, prior, force=True)
    os.environ["TRANSPOSE_HOME"] = str(Path(os.environ["TRANSPOSE_HOME"]).parent / name)
    list_toy(BASE, "shapes")
    ctx = Context(threads=1, weights=lambda card: weights(card, quiet=True))
    start = time.process_time()
    card, outcome = learn(made, ctx, print, Watch())
    return {
        "seconds": round(time.process_time() - start, 1),
        "steps": outcome.steps,
        "best step": outcome.best_step,
        "why": outcome.why,
        "trained share": round(outcome.share, 4),
        "megabytes": round(sum(each.size for each in card.files) / 1e6, 3),
        "adapter": str(made.folder / "adapter.safetensors"),
    }


def style(dials: Dials) -> dict[str, object]:
    """Outlined, with the adapter and without."""
    shapes = random_shapes(48, seed=31, style="outlined")
    write_examples(WORK / "outlined", shapes, [each.caption for each in shapes])
    went = taught("style", "outlined", WORK / "outlined", dials)
    asked = random_shapes(COUNT, seed=77)
    prompts = [each.caption for each in asked]
    with_it, without = paint(BASE, prompts, Path(str(went["adapter"]))), paint(BASE, prompts)
    sheet(WORK / "style.png", [without, with_it])
    return went | {
        "outlined with": share(with_it, lambda read, _: read.style == "outlined"),
        "outlined without": share(without, lambda read, _: read.style == "outlined"),
        "form with": share(with_it, as_said(asked, "form")),
        "form without": share(without, as_said(asked, "form")),
        "colour with": share(with_it, as_said(asked, "colour", "ground")),
    }


def subject(dials: Dials, prior: int) -> dict[str, object]:
    """The subject's identity, and what became of its class and of the rest."""
    four = [replace(each, colour="red", second="blue") for each in random_shapes(4, seed=41, forms=(CLASS,))]
    four = [replace(each, ground=ground) for each, ground in zip(four, GROUNDS, strict=True)]
    write_examples(WORK / "four", four, [f"on {each.ground}" for each in four])
    went = taught("subject", f"subject-{prior}", WORK / "four", dials, prior)
    adapter = Path(str(went["adapter"]))
    grounds = [list(GROUNDS)[place % len(GROUNDS)] for place in range(COUNT)]
    asked = [replace(SUBJECT, ground=ground) for ground in grounds]
    said = [f"a {NAME} {CLASS} on {ground}" for ground in grounds]
    kin = random_shapes(COUNT, seed=78, forms=(CLASS,))
    rest = random_shapes(COUNT, seed=79, forms=[form for form in FORMS if form != CLASS])
    told = ("form", "colour", "second", "ground")
    pictures = {
        "identity": (said, asked),
        "class": ([each.caption for each in kin], kin),
        "rest": ([each.caption for each in rest], rest),
    }
    figures: dict[str, object] = {}
    rows = []
    for what, (prompts, shapes) in pictures.items():
        for way, given in (("with", adapter), ("without", None)):
            made = paint(BASE, prompts, given)
            rows.append(made)
            figures[f"{what} {way}"] = share(made, as_said(shapes, *told))
            if what == "class":
                figures[f"class turned into the subject {way}"] = share(made, lambda read, _: read.second != "")
    sheet(WORK / f"subject-{prior}.png", rows)
    return went | figures


def full(dials: Dials) -> dict[str, object]:
    """All weights trained on the same lesson, from the same base, the best step kept."""
    from transpose.learn.style import lesson
    from transpose.models.runtimes.diffusion import open_reader

    network, settings = open_network(BASE)
    read, _ = open_reader(settings, Context())
    size = settings.network.height, settings.network.width
    drawn = lesson(tuple(read_folder(WORK / "outlined", print)), size, read, dials)
    folder = WORK / "full"

    def save() -> None:
        export(network, folder / "model", schedule=settings.schedule, conditioner=settings.conditioner)

    hands = Hands(lambda: network.requires_grad_(True), save, lambda prompts: sample(network, settings, read, prompts))
    start = time.process_time()
    outcome = teach(network, drawn, Objective("flow"), hands, folder, dials, Watch())
    asked = random_shapes(COUNT, seed=77)
    made = paint(folder / "model", [each.caption for each in asked])
    return {
        "seconds": round(time.process_time() - start, 1),
        "steps": outcome.steps,
        "best step": outcome.best_step,
        "why": outcome.why,
        "megabytes": round((folder / "model" / "weights.safetensors").stat().st_size / 1e6, 3),
        "outlined": share(made, lambda read, _: read.style == "outlined"),
        "form": share(made, as_said(asked, "form")),
        "colour": share(made, as_said(asked, "colour", "ground")),
    }


def base() -> dict[str, object]:
    """Train the base, if it is not there; how often it is right."""
    if not (BASE / "denoiser.onnx").exists():
        train_toy(BASE, report=lambda state: print(state.step, round(state.loss, 4), flush=True))
    asked = random_shapes(COUNT, seed=76)
    made = paint(BASE, [each.caption for each in asked])
    sheet(WORK / "base.png", [made])
    network, _ = open_network(BASE)
    return {
        "parameters": sum(each.numel() for each in network.parameters()),
        **{name: share(made, as_said(asked, name)) for name in ("form", "colour", "ground", "style", "second")},
    }


def sheet(path: Path, rows: Sequence[Sequence[Pixels]], across: int = 24, scale: int = 4) -> None:
    """The first pictures of each row, one row below another."""
    whole = np.concatenate([np.concatenate(row[:across], 1) for row in rows])
    Pillow.fromarray(whole.repeat(scale, 0).repeat(scale, 1)).save(path)


def main() -> None:
    """Measure what is named, or all of it; figures go to figures.json in the folder."""
    global WORK, BASE
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="*", default=["base", "style", "full", "subject", "unpreserved", "ranks"])
    args = parser.parse_args()
    torch.set_num_threads(1)
    WORK = args.folder.resolve()
    BASE = WORK / "base"
    os.environ["TRANSPOSE_HOME"] = str(WORK / "homes" / "any")
    parts: dict[str, Callable[[], object]] = {
        "base": base,
        "style": lambda: style(Dials(rank=8, steps=1200, batch=32, rate=3e-3, patience=12)),
        "full": lambda: full(Dials(steps=1200, batch=32, rate=1e-3, patience=12)),
        "subject": lambda: subject(Dials(rank=8, steps=900, batch=32, rate=3e-3, patience=12), 128),
        "unpreserved": lambda: subject(Dials(rank=8, steps=900, batch=32, rate=3e-3, patience=12), 0),
        "ranks": lambda: {str(rank): style(Dials(rank=rank, steps=600, rate=3e-3)) for rank in (2, 16)},
    }
    path = WORK / "figures.json"
    WORK.mkdir(parents=True, exist_ok=True)
    for name in args.parts:
        figures = json.loads(path.read_text()) if path.exists() else {}
        figures[name] = parts[name]()
        print(name, json.dumps(figures[name], indent=1), flush=True)
        path.write_text(json.dumps(figures, indent=1) + "\n")


WORK = BASE = Path()

if __name__ == "__main__":
    main()
