"""Steps against quality: every sampler at 5, 10, 20, 50 and 250 steps on one model of coloured shapes, and a plot.

    python benchmarks/diffusion_steps.py FOLDER RESULTS.jsonl [--count 400] [--guidance 2] [--plot PLOT.svg]

FOLDER holds a model of `transpose.testing.shapes` (weights, settings, graph). Right: the share of pictures whose form,
colour and ground are those of their caption, all three, read back by rule. FD: the Frechet distance (Heusel et al.
2017) between a probe's answers to the pictures made and to real ones, with a floor, real against other real ones. The
probe is fitted here in a second: random patches of real pictures as filters (Coates and Ng 2012), pooled, and a ridge
regression from them to form, colour, ground, place and size. Every sampler gets the same noise and captions. A line for
each run is added to RESULTS, and a run that is there is not made again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.models.diffusion.denoiser import Denoiser, open_denoiser
from transpose.models.diffusion.generate import Condition, generate
from transpose.models.diffusion.samplers import SAMPLERS
from transpose.testing.shapes import (
    COLOURS,
    FORMS,
    GROUNDS,
    Shape,
    draw,
    from_model,
    random_shapes,
    read_shape,
    to_model,
    word_tokens,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Row = dict[str, str | int | float]

STEPS = (5, 10, 20, 50, 250)
FILTERS, SIDE = 160, 5  # of the probe: random patches and their side in pixels
COLOUR = {"dpm++": "#b2182b", "unipc": "#ef8a62", "heun": "#1b7837", "euler": "#7fbf7b", "ddim": "#2166ac"}


@dataclass(frozen=True)
class Probe:
    """Pictures (n, 3, h, w) as what is seen in them (n, d): forms, colours and grounds of 0 to 1, place and size."""

    filters: Floats  # (FILTERS, 3 * SIDE * SIDE)
    weights: Floats  # (pooled, d)
    spread: Floats  # (d), of what is seen in real pictures

    def __call__(self, pictures: Floats) -> Floats:
        import numpy as np

        return np.asarray(_pooled(pictures, self.filters) @ self.weights / self.spread, np.float32)


def _patches(pictures: Floats) -> Floats:
    """(n, 3, h, w) as (n, h', w', 3 * SIDE * SIDE)."""
    import numpy as np

    windows = np.lib.stride_tricks.sliding_window_view(pictures, (SIDE, SIDE), axis=(2, 3))  # (n, 3, h', w', s, s)
    return np.ascontiguousarray(windows.transpose(0, 2, 3, 1, 4, 5)).reshape(
        *windows.shape[:1], *windows.shape[2:4], -1
    )


def _pooled(pictures: Floats, filters: Floats) -> Floats:
    """How much of each filter is seen in each quarter, and the mean colours, and 1: (n, 4 * FILTERS + 4)."""
    import numpy as np

    seen = np.maximum(_patches(pictures) @ filters.T, 0)  # (n, h', w', FILTERS)
    half = seen.shape[1] // 2
    quarters = [
        seen[:, a, b].mean((1, 2)) for a in (slice(half), slice(half, None)) for b in (slice(half), slice(half, None))
    ]
    return np.concatenate([*quarters, pictures.mean((2, 3)), np.ones((len(seen), 1), np.float32)], axis=1)


def fit_probe(shapes: Sequence[Shape]) -> Probe:
    """Filters from random patches of real pictures, and a ridge regression on what they see."""
    import numpy as np

    rng, real = np.random.default_rng(0), pictures(shapes)
    patches = _patches(real[:500]).reshape(-1, 3 * SIDE * SIDE)
    chosen = patches[rng.choice(len(patches), 4000, replace=False)]
    chosen = chosen[chosen.std(1) > 0.2][:FILTERS]
    filters = (chosen - chosen.mean(1, keepdims=True)) / chosen.std(1, keepdims=True) / chosen.shape[1]
    seen = _pooled(real, filters)
    weights = np.linalg.solve(seen.T @ seen + 1e-3 * np.eye(seen.shape[1]), seen.T @ _truth(shapes))
    return Probe(filters, weights.astype(np.float32), (seen @ weights).std(0).astype(np.float32))


def _truth(shapes: Sequence[Shape]) -> Floats:
    """What a probe should see, (n, d)."""
    import numpy as np

    named = [(FORMS, "form"), (tuple(COLOURS), "colour"), (tuple(GROUNDS), "ground")]
    ones = [[name == getattr(each, field) for names, field in named for name in names] for each in shapes]
    return np.asarray([[*row, e.x, e.y, e.radius] for row, e in zip(ones, shapes, strict=True)], np.float32)


def knows(probe: Probe, shapes: Sequence[Shape]) -> float:
    """The share of real pictures whose form the probe names."""
    said = (probe(pictures(shapes)) * probe.spread)[:, : len(FORMS)].argmax(1)
    return sum(FORMS[at] == each.form for at, each in zip(said, shapes, strict=True)) / len(shapes)


def frechet(a: Floats, b: Floats) -> float:
    """|mean - mean|^2 + tr(A + B - 2 (A B)^(1/2)) of two sets of features (n, d)."""
    import numpy as np

    first, second = np.cov(a.T), np.cov(b.T)
    values, vectors = np.linalg.eigh(first)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    mixed = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(first) + np.trace(second) - 2 * mixed)


def pictures(shapes: Sequence[Shape]) -> Floats:
    """(n, 3, h, w) in -1..1."""
    import numpy as np

    return np.stack([to_model(draw(each)) for each in shapes])


def right(made: Floats, shapes: Sequence[Shape]) -> list[bool]:
    """Whether form, colour and ground of each picture are those that were asked for."""
    found = [read_shape(from_model(each)) for each in made]
    pairs = zip(found, shapes, strict=True)
    return [a is not None and (a.form, a.colour, a.ground) == (b.form, b.colour, b.ground) for a, b in pairs]


def run(denoiser: Denoiser, name: str, steps: int, shapes: Sequence[Shape], guidance: float) -> tuple[Floats, float]:
    """Pictures of the captions, and seconds a picture."""
    cond, mask = word_tokens([each.caption for each in shapes])
    conditions = [Condition(*each) for each in zip(cond, mask, strict=True)]
    began = time.perf_counter()
    made = generate(denoiser, conditions, steps=steps, sampler=name, guidance=guidance, seed=1, batch=25)  # type: ignore[arg-type]
    return made, (time.perf_counter() - began) / len(shapes)


def measure(
    folder: Path, results: Path, count: int, guidance: float, steps: Sequence[int], samplers: Sequence[str]
) -> None:
    """Add a line for each run that is missing."""
    denoiser = open_denoiser(folder)
    asked, others, many = (random_shapes(size, seed=seed) for size, seed in ((count, 101), (count, 102), (4000, 103)))
    probe = fit_probe(many)
    real = probe(pictures(others))
    first: Row = {"sampler": "real", "steps": 0, "right": sum(right(pictures(asked), asked)) / count}
    first |= {"fd": frechet(probe(pictures(asked)), real), "seconds": 0.0, "count": count}
    first |= {"probe": knows(probe, others), "chance": 1 / len(FORMS) / len(COLOURS) / len(GROUNDS)}
    for number, name in missing(results, steps, samplers):
        row = first
        if number:
            made, seconds = run(denoiser, name, number, asked, guidance)
            row = {"sampler": name, "steps": number, "right": sum(right(made, asked)) / count}
            row |= {"fd": frechet(probe(made), real), "seconds": seconds, "count": count, "guidance": guidance}
        add(results, row)


def missing(results: Path, steps: Sequence[int], samplers: Sequence[str]) -> list[tuple[int, str]]:
    """Steps and samplers that have no line yet; 0 and "real" for real pictures, first."""
    done = {(row["steps"], row["sampler"]) for row in read(results)}
    runs = [(0, "real"), *((each, name) for each in steps for name in samplers)]
    return [each for each in runs if each not in done]


def add(results: Path, row: Row) -> None:
    """Write a line, and say it."""
    with results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    print(json.dumps(row), flush=True)


def read(results: Path) -> list[Row]:
    """The lines that are there."""
    return [json.loads(line) for line in results.read_text("utf-8").splitlines()] if results.exists() else []


def plot(rows: Sequence[Row], path: Path) -> None:
    """Two charts side by side, as SVG (needs vl-convert-python, which the extra `tables` brings)."""
    import vl_convert

    real = next(row for row in rows if row["sampler"] == "real")
    names = list(SAMPLERS)
    palette = {"domain": names, "range": [COLOUR.get(name, "#762a83") for name in names]}
    colour = {"field": "sampler", "type": "nominal", "title": None, "scale": palette}
    x: dict[str, object] = {
        "field": "steps",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [4, 300], "nice": False},
    }
    x["axis"] = {"values": list(STEPS)}
    charts: list[dict[str, object]] = []
    for field, title, scale in (
        ("right", "form, colour and ground right", {"domain": [0.8, 1]}),
        ("fd", "Frechet distance of probe features", {"type": "log", "domain": [0.2, 2], "nice": False}),
    ):
        y = {"field": field, "type": "quantitative", "title": title, "scale": scale}
        line: dict[str, object] = {
            "mark": {"type": "line", "point": True, "clip": True},
            "encoding": {"x": x, "y": y, "color": colour},
        }
        rule: dict[str, object] = {
            "data": {"values": [{"y": real[field]}]},
            "mark": {"type": "rule", "strokeDash": [4, 4]},
        }
        layers = [line, {**rule, "encoding": {"y": {"field": "y", "type": "quantitative"}}}]
        charts.append({"width": 320, "height": 260, "layer": layers})
    values = [row for row in rows if row["sampler"] != "real"]
    head = {"text": "Quality against steps", "subtitle": "dashed: real pictures; Heun asks the network twice a step"}
    spec = {"title": head, "data": {"values": values}, "hconcat": charts, "background": "white"}
    path.write_text(vl_convert.vegalite_to_svg(json.dumps(spec)), "utf-8")


def main() -> None:
    """Read the arguments, measure, plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--guidance", type=float, default=2.0)
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS)
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=list(SAMPLERS))
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    measure(given.folder, given.results, given.count, given.guidance, given.steps, given.samplers)
    if given.plot:
        plot(read(given.results), given.plot)


if __name__ == "__main__":
    main()
