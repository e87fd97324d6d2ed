"""Train the tune model: `python -m recipes.tune_tokens FOLDER --seconds 840`; goes on where it was stopped.

Writes FOLDER/tunes.onnx (one step, float16, see learn/tune_network.py) and FOLDER/log.jsonl. Tunes come from
recipes/tune_data.py, the held-out combinations left out, and from the pieces of recipes/tune_corpus.py. They are made
first, once, into FOLDER/texts.safetensors (`--texts`: how many; after the last the first comes again). One thread,
bfloat16.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import torch
from safetensors.torch import load_file, save_file

from recipes.tune_corpus import excerpts
from recipes.tune_data import make_tune
from transpose.learn.tune_network import TuneNetwork, export, loss_of
from transpose.media.wish import forget
from transpose.models.tune_tokens import HEAD, PAD, encode, heading, hints, places

TEXTS = "texts.safetensors"
BATCH, POOL = 24, 8  # tunes of a step; steps whose tunes are sorted by length together
RATE, WARM, DECAY = 3e-3, 60, 0.05
CORPUS = 0.03  # of the tunes are excerpts of pieces; there are few
FIRST_TEST = 10_000_000  # seeds of the tunes that are only measured


Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def text(seed: int, split: str) -> list[int]:
    """The tokens of a tune, its wish in part forgotten."""
    rng = Random(f"forget {seed}")
    of_corpus = split == "train" and seed < FIRST_TEST and rng.random() < CORPUS
    wish, tune, texture = rng.choice(excerpts()) if of_corpus else make_tune(seed, split=split)
    known = forget(wish, rng, rng.choice((0.0, 0.0, 0.25, 0.5, 0.9)))
    return heading(known, texture if rng.random() < 0.8 else None, tune.metre) + encode(tune)


def batch(texts: list[list[int]]) -> Batch:
    """Tokens (b, t), places (b, t) and hints (b, t, 4), padded at the end."""
    longest = max(map(len, texts))
    rows = [each + [PAD] * (longest - len(each)) for each in texts]
    return torch.tensor(rows), torch.tensor([places(row) for row in rows]), torch.tensor([hints(row) for row in rows])


def prepare(path: Path, count: int) -> None:
    """Write the texts of the first seeds, one after the other, and where each ends."""
    texts = [text(seed, "train") for seed in range(count)]
    ends = torch.tensor([len(each) for each in texts]).cumsum(0)
    save_file(
        {"tokens": torch.tensor([token for each in texts for token in each], dtype=torch.uint8), "ends": ends}, path
    )


def batches(path: Path, step: int) -> Iterator[Batch]:
    """Batches from a step on, tunes of like length together."""
    kept = load_file(path)
    ends = kept["ends"].tolist()
    while True:
        pool, within = divmod(step, POOL)
        numbers = [number % len(ends) for number in range(pool * POOL * BATCH, (pool + 1) * POOL * BATCH)]
        spans = [(ends[number - 1] if number else 0, ends[number]) for number in numbers]
        texts = sorted((kept["tokens"][start:end].tolist() for start, end in spans), key=len)
        parts = [texts[at : at + BATCH] for at in range(0, len(texts), BATCH)]
        Random(pool).shuffle(parts)
        for part in parts[within:]:
            yield batch(part)
            step += 1


def measure(network: TuneNetwork, split: str) -> float:
    """Nats a token on 96 tunes never trained on: "test" of combinations held out, "train" of others."""
    losses = list[float]()
    with torch.no_grad():
        for start in range(0, 96, 24):
            texts = [text(FIRST_TEST + start + number, split) for number in range(24)]
            losses.append(loss_of(network, *batch(texts), HEAD).item())
    return sum(losses) / len(losses)


def train(folder: Path, seconds: float, texts: int) -> None:
    """Train on so many texts until so many seconds in all are used, then write the model."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    network = TuneNetwork()
    optimizer = torch.optim.AdamW(network.parameters(), RATE, (0.9, 0.98), weight_decay=DECAY)
    step, used = restore(folder, network, optimizer)
    print(f"{sum(each.numel() for each in network.parameters()):,} parameters, from step {step}", flush=True)
    if not (folder / TEXTS).exists():
        prepare(folder / TEXTS, texts)
    began, saved = time.monotonic() - used, time.monotonic()
    for data in batches(folder / TEXTS, step):
        spent = min(1.0, (time.monotonic() - began) / seconds)
        if spent >= 1:
            break
        rate = RATE * min(1.0, (step + 1) / WARM) * (1 - spent) ** 0.7
        for group in optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(network, *data, HEAD)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 50 == 0:
            entry = {"step": step, "seconds": round(time.monotonic() - began), "loss": round(loss.item(), 4)}
            if step % 400 == 0:
                entry |= {"unseen": round(measure(network, "train"), 4), "held_out": round(measure(network, "test"), 4)}
            report(folder, entry)
        if time.monotonic() - saved > 60:
            keep(folder, network, optimizer, step, time.monotonic() - began)
            saved = time.monotonic()
    keep(folder, network, optimizer, step, time.monotonic() - began)
    report(folder, {"step": step, "unseen": measure(network, "train"), "held_out": measure(network, "test")})
    export(network.eval(), folder / "tunes.onnx")


def report(folder: Path, entry: dict[str, float]) -> None:
    """One line to the log and to the screen."""
    print(entry, flush=True)
    with (folder / "log.jsonl").open("a") as log:
        log.write(json.dumps(entry) + "\n")


def keep(folder: Path, network: TuneNetwork, optimizer: torch.optim.Optimizer, step: int, used: float) -> None:
    """Write all that is needed to go on; a kill leaves the old file or the new one."""
    tensors = {f"weight {name}": value for name, value in network.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"{name} {number}": state[name] for name in ("exp_avg", "exp_avg_sq", "step")}
    save_file(tensors, folder / "last.tmp", {"step": str(step), "used": f"{used:.1f}"})
    (folder / "last.tmp").replace(folder / "last.safetensors")


def restore(folder: Path, network: TuneNetwork, optimizer: torch.optim.Optimizer) -> tuple[int, float]:
    """The step and the seconds used until the last `keep`, whose state is put in; 0 where there is none."""
    from safetensors import safe_open

    path = folder / "last.safetensors"
    if not path.exists():
        return 0, 0.0
    tensors = load_file(path)
    network.load_state_dict({name[7:]: value for name, value in tensors.items() if name.startswith("weight ")})
    state = optimizer.state_dict()
    for number in range(len(list(network.parameters()))):
        state["state"][number] = {name: tensors[f"{name} {number}"] for name in ("exp_avg", "exp_avg_sq", "step")}
    optimizer.load_state_dict(state)
    with safe_open(path, "pt") as file:
        facts = file.metadata()
    return int(facts["step"]), float(facts["used"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=780)
    parser.add_argument("--texts", type=int, default=24_000)
    arguments = parser.parse_args()
    train(arguments.folder, arguments.seconds, arguments.texts)
