"""How well the spectrogram route obeys: `python -m recipes.music_measure PROBE --model FOLDER [--count 160]`.

Every sound that is judged went the whole way: words, numbers, picture, Griffin-Lim, samples, and from these the probe
(music_probe.py) makes its own spectrogram. Each figure has its negative control beside it: the same sounds against the
wishes of others, which says what chance would give.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from recipes.music_data import COLUMNS, HOP, PROGRAMS, RATE, Piece, draw, pixels
from recipes.music_diffusion import levels, pieces, wish
from recipes.music_probe import Heard, Probe, centre_of, hear, read_probe, right, sound_of
from transpose.core.context import Context
from transpose.media.audio import Audio
from transpose.media.text import Text
from transpose.media.wish import Wish, say_wish
from transpose.models.diffusion.generate import blend, generate
from transpose.models.diffusion.sound import GUIDANCE, GUIDED_ABOVE, open_painter
from transpose.transforms.improvise import improvise
from transpose.transforms.restyle import restyle
from transpose.transforms.sound_from_spectrogram import sound_from_spectrogram

Array = NDArray[np.float32]
PLACES = {
    "paint-spectrogram": "paint_sound",
    "sound-from-spectrogram": "sound_from_spectrogram",
    "spectrogram": "spectrogram",
}
SHARES = (0.0, 0.17, 0.33, 0.5, 0.67, 0.83, 1.0)


def context(model: Path) -> Context:
    """A Context that runs the transforms the recipes use, with the model in a folder."""
    ctx = Context(threads=1, weights=lambda name: model)

    def run(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> Any:
        module = import_module(f"transpose.transforms.{PLACES[name]}")
        return getattr(module, name.replace("-", "_"))(*values, ctx, **options)

    ctx.runner = run
    return ctx


def picture(sound: Audio) -> Array:
    """The spectrogram that the probe sees, (COLUMNS, ROWS), 0..1."""
    samples = sound.array(rate=RATE, channels=1)[:, 0]
    return (pixels(np.pad(samples, (0, max(0, COLUMNS * HOP - len(samples))))) / 255).astype(np.float32)


def heard(sound: Audio) -> Heard:
    """What the probe takes of it."""
    return hear(sound.array(rate=RATE, channels=1)[:, 0])


def onsets(sound: Audio) -> NDArray[np.float64]:
    """How much louder the spectrum gets from column to column."""
    shape = picture(sound)
    rise = np.maximum(shape[3:] - shape[:-3], 0).mean(1)
    return np.convolve(rise, np.hanning(9), "same")


@dataclass(frozen=True, slots=True)
class Prompted:
    """Held-out prompts and what came of them."""

    known: list[Piece]
    heard: list[Heard]
    seconds: float  # of work for each clip


def make(ctx: Context, count: int, **options: float) -> Prompted:
    """Clips of held-out combinations, prompted in words."""
    rng, words = np.random.default_rng(11), Random(11)
    known, sounds, started = [], [], time.process_time()
    for number in range(count):
        piece = draw(rng, held_out=True)
        ctx.seed = number
        known.append(piece)
        sounds.append(improvise(Text(say_wish(wish(piece), words)), ctx, **options))
    seconds = (time.process_time() - started) / count
    return Prompted(known, [heard(sound) for sound in sounds], seconds)


def obeyed(probe: Probe, made: Prompted) -> dict[str, float]:
    """Shares that are right, and those against the wishes of others."""
    rows = made.heard
    found = right(probe, rows, made.known)
    order = np.roll(np.arange(len(rows)), len(rows) // 3)
    chance = right(probe, rows, [made.known[n] for n in order])
    return {**found, **{f"chance_{name}": value for name, value in chance.items()}, "cpu_seconds": made.seconds}


def ranks(values: Array) -> NDArray[np.float64]:
    """The place of each."""
    return np.argsort(np.argsort(values)).astype(np.float64)


def interpolated(probe: Probe, ctx: Context, count: int, centre: Array) -> dict[str, float]:
    """Spearman's rank correlation of the second prompt's share and how much more the probe hears its instrument.

    `centre` is that of clips of all instruments that the same model made.
    """

    painter, rng, found, control = open_painter(ctx.model(""), 1), np.random.default_rng(5), [], []
    for number in range(count):
        first, second = rng.choice(PROGRAMS, 2, replace=False)
        base = wish(draw(rng))
        ends = [painter.condition(replace(base, instrument=int(each))) for each in (first, second)]
        conditions = [blend([(ends[0], 1 - share), (ends[1], share)]) for share in SHARES]
        made = np.concatenate(
            [
                generate(painter.denoiser, [each], seed=number, steps=20, guidance=GUIDANCE, guided_above=GUIDED_ABOVE)
                for each in conditions
            ]
        )
        length = (COLUMNS - 1) * HOP
        sounds = [sound_from_spectrogram(painter.picture(each[0], length), ctx) for each in made]
        shares = probe.instruments([heard(sound) for sound in sounds], centre)
        pair = shares[:, [PROGRAMS.index(int(each)) for each in (first, second)]] + 1e-6
        lean = np.log(pair[:, 1] / pair[:, 0])
        found.append(float(np.corrcoef(ranks(lean), np.arange(len(SHARES)))[0, 1]))
        control.append(float(np.corrcoef(ranks(rng.permutation(lean)), np.arange(len(SHARES)))[0, 1]))
    return {"spearman": float(np.mean(found)), "spearman_least": min(found), "chance_spearman": float(np.mean(control))}


def restyled(probe: Probe, ctx: Context, data: Path, count: int, **options: float) -> dict[str, float]:
    """Real clips of held-out combinations played by another instrument: what changes and what stays."""
    rng, stored, known = np.random.default_rng(3), levels(data), pieces(data)
    before: list[NDArray[np.float64]] = []
    after: list[Audio] = []
    first: list[Piece] = []
    wanted: list[Piece] = []
    for number in range(count):
        place = int(rng.integers(len(stored)))
        program = int(rng.choice([each for each in PROGRAMS if each != known[place].program]))
        ctx.seed = number
        source = sound_of(stored[place])
        after.append(restyle(source, Text(say_wish(Wish(instrument=program), Random(number))), None, ctx, **options))
        before.append(onsets(source))
        first.append(known[place])
        wanted.append(replace(known[place], program=program))
    ours = [onsets(sound) for sound in after]
    kept = [float(np.corrcoef(ours[n], before[n])[0, 1]) for n in range(count)]
    other = [float(np.corrcoef(ours[n], before[n - 1])[0, 1]) for n in range(count)]
    rows = [heard(sound) for sound in after]
    asked, left = right(probe, rows, wanted), right(probe, rows, first)
    return {
        "onset_correlation": float(np.mean(kept)),
        "chance_onset_correlation": float(np.mean(other)),
        "instrument": asked["instrument"],
        "instrument_as_before": left["instrument"],
        "root": asked["root"],
        "tempo": asked["tempo"],
    }


def main() -> None:
    """Measure everything and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("probe", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--held", type=Path)
    parser.add_argument("--count", type=int, default=160)
    given = parser.parse_args()
    torch.set_num_threads(1)
    probe, ctx = read_probe(given.probe / "probe.safetensors"), context(given.model)
    made = make(ctx, given.count)
    centre = centre_of(made.heard)
    steps: list[tuple[str, Callable[[], dict[str, float]]]] = [
        ("improvise", lambda: obeyed(probe, made)),
        ("interpolation", lambda: interpolated(probe, ctx, given.count // 8, centre)),
    ]
    if given.held is not None:
        steps.append(("restyle", lambda: restyled(probe, ctx, given.held, given.count // 4)))
    for name, measure in steps:
        print(json.dumps({name: {key: round(value, 3) for key, value in measure().items()}}), flush=True)


if __name__ == "__main__":
    main()
