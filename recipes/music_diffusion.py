"""Teach the spectrogram route: `python -m recipes.music_diffusion STAGE FOLDER [--data DIR] [--seconds N]`.

Stages: codec (the principal components of the clips' tokens), numbers (every clip through it), train (resumes by
itself, and writes FOLDER/final). DATA is what music_data.py wrote. One thread; see music_diffusion.sh for the whole.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from recipes.music_data import COLUMNS, CUTS, HOP, RATE, ROWS, Piece
from transpose.learn.dit import DiT
from transpose.learn.export import export
from transpose.learn.objective import Batch, Objective
from transpose.learn.train import Report, train
from transpose.media.wish import TOKENS, WIDTH, Wish, forget, wish_tokens
from transpose.models.diffusion.beats import beat_tokens
from transpose.models.diffusion.settings import Shape
from transpose.models.diffusion.sound import CODEC, Codec

PATCH = 16  # columns of a token: 186 ms
NUMBERS = 192  # of a token
PIXELS = PATCH * ROWS  # of a token
FORGET = 0.15  # share of the fields that a caption leaves out
NO_BEATS = 0.15  # share of the captions without beats
WHITE = 0.4  # 0 keeps the components' own spread, so that noise drowns the small before the large; 1 makes all alike
REACH = 12.0  # the numbers, whose spread is 1, are kept in -12..12, three deviations of the largest component
FIT = 24_000  # tokens that the codec is learned from
BEATS = COLUMNS // PATCH  # tokens that tell where the beats fall
SHAPE = Shape(1, NUMBERS, COLUMNS // PATCH, (NUMBERS, 1), 320, 4, 5, 4.0, WIDTH, TOKENS + BEATS, BEATS, 7)
BATCH = 16
Array = NDArray[np.float32]


def wish(piece: Piece) -> Wish:
    """The caption of a clip, field by field."""
    return Wish(
        piece.program, float(piece.tempo), piece.root, piece.mode == "minor", piece.register, piece.density, piece.style
    )


def pieces(folder: Path) -> list[Piece]:
    """What each clip of a folder was made from."""
    lines = [json.loads(line) for line in (folder / "clips.jsonl").read_text().splitlines()]
    return [Piece(**{key: value for key, value in line.items() if key != "cut"}) for line in lines]


def levels(folder: Path) -> NDArray[np.uint8]:
    """Pixels (clips, COLUMNS, ROWS) that are there, also of a rendering under way."""
    found: NDArray[np.uint8] = np.load(folder / "pixels.npy", mmap_mode="r")
    return found[: len(pieces(folder))]


def fit_codec(data: Path, folder: Path) -> None:
    """Principal components of random tokens, and the scale of each that makes the spread of all together 1."""
    pixels = levels(data)
    rng = np.random.default_rng(0)
    chosen = sorted(rng.choice(len(pixels), min(len(pixels), FIT // 12), replace=False))
    tokens = np.concatenate([_cut(pixels[n])[rng.choice(COLUMNS // PATCH, 12, replace=False)] for n in chosen])
    mean = tokens.mean(0)
    _, spread, basis = torch.svd_lowrank(torch.from_numpy(tokens - mean), NUMBERS + 32, niter=3)
    basis, deviation = basis[:, :NUMBERS].numpy(), spread[:NUMBERS].numpy() / len(tokens) ** 0.5
    scale = deviation**WHITE
    scale *= np.sqrt(np.mean(np.square(deviation / scale)))
    parts = {"mean": mean, "basis": basis, "scale": scale}
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(each, np.float16) for name, each in parts.items()}, folder / CODEC)
    codec = read_codec(folder)
    back = codec.decode(codec.encode(pixels[chosen[0]] / np.float32(255)))
    print(f"{len(tokens)} tokens, rms error {255 * float(np.sqrt(np.mean((back - pixels[chosen[0]] / 255) ** 2))):.1f}")


def _cut(pixels: NDArray[np.uint8]) -> Array:
    """(COLUMNS, ROWS) -> (tokens, PIXELS), 0..1."""
    return pixels.reshape(-1, PIXELS).astype(np.float32) / 255


def read_codec(folder: Path) -> Codec:
    """The codec as the product reads it."""
    parts = {name: each.astype(np.float32) for name, each in load_file(folder / CODEC).items()}
    return Codec(columns=PATCH, rows=ROWS, **parts)


def write_numbers(data: list[Path], folder: Path) -> None:
    """Every clip as numbers (clips, NUMBERS, tokens) in float16."""
    codec, parts = read_codec(folder), [levels(each) for each in data]
    found = np.empty((sum(map(len, parts)), NUMBERS, COLUMNS // PATCH), np.float16)
    for number, clip in enumerate(clip for pixels in parts for clip in pixels):
        found[number] = codec.encode(clip / np.float32(255))
    some = found[::50].astype(np.float32)
    print(f"{len(found)} clips, spread {some.std():.3f}, beyond reach: {np.mean(np.abs(some) > REACH):.6f}")
    np.save(folder / "numbers.npy", found)


def told(known: Wish, start: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Tokens and mask of a caption of which fields are left out, and mostly where its beats fall."""
    wished = forget(known, Random(int(rng.integers(1 << 31))), FORGET)
    tokens, mask = wish_tokens(wished)
    tempo = wished.tempo if rng.random() > NO_BEATS else None
    grid = beat_tokens(tempo, BEATS, PATCH * HOP / RATE, start)
    return np.concatenate([tokens, grid]), np.concatenate([mask, np.ones(BEATS, np.float32)])


def starts(folder: Path) -> list[float]:
    """The second in which the bar of the first column of each clip begins, 0 or before."""
    found = []
    for line in (folder / "clips.jsonl").read_text().splitlines():
        clip = json.loads(line)
        beat, cut = 60 / clip["tempo"], clip["cut"]
        beats = round(10.5 * cut / beat) if cut else 0  # as `music_data.render` cuts
        rng = np.random.default_rng(clip["seed"] + 1)
        within = [float(rng.random()) for _ in range(cut + 1)][-1] * (cut == CUTS - 1)
        found.append(-((beats % 4) + within) * beat)
    return found


def batch(step: int, numbers: NDArray[np.float16], known: list[Wish], bars: list[float], size: int = BATCH) -> Batch:
    """The clips of one step with their captions."""
    rng = np.random.default_rng([step, 5])
    chosen = rng.integers(len(numbers), size=size)
    captions = [told(known[n], bars[n], rng) for n in chosen]
    x0 = np.clip(numbers[chosen].astype(np.float32), -REACH, REACH)[:, None]
    cond, mask = (np.stack([each[part] for each in captions]) for part in (0, 1))
    return Batch(torch.from_numpy(x0), torch.from_numpy(cond), torch.from_numpy(mask))


def learn(data: list[Path], folder: Path, seconds: float, rate: float) -> None:
    """Train for so many seconds in all, and export."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    numbers = np.load(folder / "numbers.npy", mmap_mode="r")
    known = [wish(piece) for each in data for piece in pieces(each)]
    bars = [start for each in data for start in starts(each)]
    network = DiT(SHAPE)
    print(f"{sum(each.numel() for each in network.parameters()) / 1e6:.2f} M parameters, {len(numbers)} clips")

    def report(state: Report) -> None:
        print(state.line(), flush=True)

    def batches(step: int) -> Batch:
        return batch(step, numbers, known, bars)

    done = train(
        network,
        batches,
        folder / "run",
        objective=Objective("flow"),
        seconds=seconds,
        rate=rate,
        warmup=100,
        cooldown=0.3,
        ema=0.999,
        report=report,
    )
    write_model(network, folder, done)


def write_model(network: DiT, folder: Path, done: Report) -> None:
    """FOLDER/final: what the model card holds."""
    final = folder / "final"
    labels = {
        "rate": RATE,
        "hop": HOP,
        "window": 2 * ROWS,
        "rows": ROWS,
        "columns": PATCH,
        "slowest": 56,
        "fastest": 171,
    }
    export(network, final, schedule="flow", conditioner="wish", labels=labels, average=done.average, reach=REACH)
    (final / CODEC).write_bytes((folder / CODEC).read_bytes())
    print(f"{done.step} steps, {done.seconds:.0f} s, loss {done.loss:.4f}")


def main() -> None:
    """Run one stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=("codec", "numbers", "train"))
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="folders of clips; the codec is of the first"
    )
    parser.add_argument("--seconds", type=float, default=10500)
    parser.add_argument("--rate", type=float, default=2e-3)
    given = parser.parse_args()
    if given.stage == "codec":
        fit_codec(given.data[0], given.folder)
    elif given.stage == "numbers":
        write_numbers(given.data, given.folder)
    else:
        learn(given.data, given.folder, given.seconds, given.rate)


if __name__ == "__main__":
    main()
