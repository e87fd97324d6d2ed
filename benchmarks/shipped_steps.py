"""Steps against quality on the shipped models: every sampler at 5, 10, 20, 50 and 250 steps.

    python -m benchmarks.shipped_steps picture-diffusion RESULTS.jsonl DATA [--count 160]
    python -m benchmarks.shipped_steps music-diffusion RESULTS.jsonl DATA [--count 64]

DATA is the folder of recipes/picture_models.sh or of recipes/music_diffusion.sh. Right: the share in which the judge of
pictures finds the thing (among the 410 names of the benchmark), or the probe of music the instrument. FD: the Frechet
distance (Heusel et al. 2017) between features of what was made and of what the model learned from, with a floor, real
against other real ones. Features: the judge's space, by its 32 main components; the probe's shares of instruments and
keys, as square roots. Every sampler gets the same noise and captions. A line for each run is added to RESULTS, and a
run that is there is not made again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.diffusion_steps import STEPS, add, frechet, missing
from transpose.core.context import Context
from transpose.models.diffusion.denoiser import Denoiser
from transpose.models.diffusion.generate import Condition, generate
from transpose.models.diffusion.samplers import SAMPLERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

KEPT = 32  # components of the judge's space
Seen = tuple["Floats", float]  # features (n, d), share that is right


@dataclass(frozen=True)
class Model:
    """A shipped model, what it is asked for, and how what it makes is seen."""

    denoiser: Denoiser
    conditions: Sequence[Condition]
    guidance: float
    guided_above: float
    real: tuple[Seen, Seen]  # what the captions are of, and as many others, as if the network had made them
    see: Callable[[Floats], Seen]  # what was made


def pictures(data: Path, count: int, ctx: Context) -> Model:
    """Things as such, each drawn as it was learned."""
    from benchmarks.picture_judging import held, open_judge
    from transpose.models.diffusion.denoiser import open_denoiser
    from transpose.models.diffusion.pictures import to_pixels
    from transpose.models.runtimes.diffusion import open_words
    from transpose.transforms.generate_picture import GUIDANCE

    scenes = json.loads((data / "table/scenes.json").read_text())
    captions = json.loads((data / "table/captions.json").read_text())
    names = [each["name"] for each in json.loads((data / "concepts.json").read_text())]
    drawn, judge, words = np.load(data / "table/pictures.npy"), open_judge(ctx), open_words(ctx)
    plain = {row["first"]: at for at, row in enumerate(scenes) if row["share"] == "plain"}  # the last of each thing
    known = [at for first, at in plain.items() if names[first] in held().names]
    chosen = np.random.default_rng(0).permutation(known)
    asked, others = chosen[:count], chosen[count : 2 * count]
    axes = np.linalg.svd(judge.see([*drawn[known]]), full_matrices=False)[2][:KEPT].T
    places = [judge.facts.names.index(name) for name in held().names]
    own = [held().names.index(names[scenes[at]["first"]]) for at in asked]

    def see(made: Floats) -> Seen:
        pixels = [np.ascontiguousarray(to_pixels(each)) for each in made]
        found = np.concatenate([judge.name([each])[:, places] for each in pixels]).argmax(1)
        return judge.see(pixels) @ axes, float(np.mean(found == own))

    denoiser = open_denoiser(ctx.model("picture-diffusion"), 1)
    size = denoiser.settings.network.cond_tokens
    read = words.states([captions[scenes[at]["caption"]] for at in asked], size)
    conditions = [Condition(tokens, mask) for tokens, mask in zip(*read, strict=True)]
    real = [drawn[part].astype(np.float32).transpose(0, 3, 1, 2) / 127.5 - 1 for part in (asked, others)]
    return Model(denoiser, conditions, GUIDANCE, 0.0, (see(real[0]), see(real[1])), see)


def music(data: Path, count: int, ctx: Context) -> Model:
    """Clips of held-out combinations, as heard after Griffin-Lim."""
    from recipes.music_data import COLUMNS, HOP, PROGRAMS
    from recipes.music_diffusion import levels, pieces, wish
    from recipes.music_measure import context, heard
    from recipes.music_probe import Heard, centre_of, read_probe
    from transpose.models.diffusion.sound import GUIDANCE, GUIDED_ABOVE, open_painter
    from transpose.transforms.sound_from_spectrogram import sound_from_spectrogram

    painter, probe = open_painter(ctx.model("music-diffusion"), 1), read_probe(data / "probe/probe.safetensors")
    own, stored, known = context(ctx.model("music-diffusion")), levels(data / "held"), pieces(data / "held")
    chosen = np.random.default_rng(0).permutation(len(known))
    asked, others = chosen[:count], chosen[count : 2 * count]
    wanted = [PROGRAMS.index(known[at].program) for at in asked]

    def listen(made: Floats) -> list[Heard]:
        shown = [painter.picture(each[0], (COLUMNS - 1) * HOP) for each in made]
        return [heard(sound_from_spectrogram(each, own)) for each in shown]

    def told(rows: list[Heard]) -> Seen:
        instruments = probe.instruments(rows, centre)
        features = np.sqrt(np.concatenate([instruments, probe.keys(rows)], 1))
        return features, float(np.mean(instruments.argmax(1) == wanted))

    first, second = (
        listen(np.stack([painter.codec.encode(stored[at] / np.float32(255))[None] for at in part]))
        for part in (asked, others)
    )
    centre = centre_of(first + second)
    conditions = [painter.condition(wish(known[at])) for at in asked]
    real_seen = (told(first), told(second))
    return Model(painter.denoiser, conditions, GUIDANCE, GUIDED_ABOVE, real_seen, lambda made: told(listen(made)))


def measure(model: Model, results: Path) -> None:
    """Add a line for each run that is missing."""
    (real, right), (other, _) = model.real
    count = len(model.conditions)
    for steps, name in missing(results, STEPS, list(SAMPLERS)):
        row: dict[str, str | int | float] = {"sampler": name, "steps": steps, "count": count}
        if steps:
            began = time.perf_counter()
            made = generate(
                model.denoiser,
                model.conditions,
                steps=steps,
                sampler=name,
                guidance=model.guidance,
                guided_above=model.guided_above,
                seed=1,
                batch=8,
            )
            row["seconds"] = (time.perf_counter() - began) / count
            features, row["right"] = model.see(made)
            row["fd"] = frechet(features, real)
        else:
            row["right"], row["fd"] = right, frechet(other, real)
        add(results, row)


def main() -> None:
    """Read the arguments and measure."""
    from transpose import Session

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=("picture-diffusion", "music-diffusion"))
    parser.add_argument("results", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--count", type=int, default=64)
    given = parser.parse_args()
    with Session() as session:
        made = pictures if given.model == "picture-diffusion" else music
        measure(made(given.data, given.count, session.context), given.results)


if __name__ == "__main__":
    main()
