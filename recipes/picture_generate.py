"""Teach the diffusion network of `generate-picture`: flat icons from captions that are exactly true.

    python recipes/picture_generate.py prepare DATA FOLDER MINILM
    python recipes/picture_generate.py train FOLDER RUN SECONDS
    python recipes/picture_generate.py export RUN OUT

`prepare` draws every scene once (32 pixels a side) and writes the MiniLM states of every caption beside it; `train`
then only picks rows. It goes on from RUN's checkpoint after a kill. Choices for a small budget: colours and company for
plain things only, one flat style, many on white, and times spread evenly, because late times decide what is drawn. The
first run had only the core of the plain things, the second all of them, the third the other icons too (faces, people,
signs); `--start` begins with the weights of the one before.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from picture_mix import BACKGROUNDS, HUES, Icons, Scene, held_out, prompts, unseen

SIDE, PIECES = 32, 12
PURE = 0.6  # purity of hue from which an icon can be recoloured
PAIRS = 4000
SHARES = {"plain": 0.2, "paper": 0.11, "colour": 0.08, "both": 0.04, "two": 0.07, "other": 0.5}
PAPERS = 3  # of an icon that is no plain thing
SEED = 20


# -- scenes ------------------------------------------------------------------------------------------------------------


def scenes(icons: Icons) -> Iterator[tuple[str, Scene, str]]:
    """Which share it belongs to, the scene, its caption."""
    chance = np.random.default_rng(SEED)
    never = unseen()
    seen = [
        at
        for at, each in enumerate(icons.concepts)
        if each["seen"] and each["name"] not in never and (at, "flat") in icons.pictures
    ]
    flat = [at for at in seen if icons.concepts[at]["plain"]]
    for at in flat:
        name = icons.names[at]
        for wording in (0, 0, 1, 2):
            yield "plain", Scene(at), icons.say(Scene(at), wording)
        if icons.nouns[at] != name and not held_out(name, name.split()[0], "colour"):
            yield "plain", Scene(at), f"a {name}"
        papers = [each for each in BACKGROUNDS if not held_out(name, each, "background")]
        for paper in papers:
            yield "paper", Scene(at, background=paper), icons.say(Scene(at, background=paper))
        if icons.hue(at, "flat")[1] < PURE:
            continue
        for colour in (each for each in HUES if not held_out(name, each, "colour")):
            yield "colour", Scene(at, colour=colour), icons.say(Scene(at, colour=colour))
            for paper in chance.choice(papers, 3, replace=False):
                scene = Scene(at, colour=colour, background="" if paper == colour else str(paper))
                yield "both", scene, icons.say(scene)
    yield from _pairs(icons, flat, chance)
    for at in (each for each in seen if not icons.concepts[each]["plain"]):
        name = icons.names[at]
        for wording in (1, 1, 1, 0):
            yield "other", Scene(at), icons.say(Scene(at), wording)
        papers = [each for each in BACKGROUNDS if each != "white" and not held_out(name, each, "background")]
        for paper in chance.choice(papers, PAPERS, replace=False):
            yield "other", Scene(at, background=str(paper)), icons.say(Scene(at, background=str(paper)), 1)


def _pairs(icons: Icons, flat: list[int], chance: np.random.Generator) -> Iterator[tuple[str, Scene, str]]:
    kept_out = {(each["concept"], each["second"]) for each in prompts() if "second" in each}
    for _ in range(PAIRS):
        first, second = (int(each) for each in chance.choice(flat, 2, replace=False))
        names = icons.names[first], icons.names[second]
        if not {names, names[::-1]} & kept_out:
            scene = Scene(first, second=second, place="left of" if chance.random() < 0.4 else "")
            yield "two", scene, icons.say(scene)


def prepare(data: Path, folder: Path, minilm: Path) -> None:
    """Draw all scenes and read all captions."""
    from transpose.models.diffusion.words import Words

    icons = Icons(data, SIDE, ("flat",))
    found = list(scenes(icons))
    folder.mkdir(parents=True, exist_ok=True)
    drawn = np.stack([np.rint(icons.draw(scene) * 255).clip(0, 255).astype(np.uint8) for _, scene, _ in found])
    np.save(folder / "pictures.npy", drawn)
    captions = sorted({caption for _, _, caption in found})
    states = open_memmap(folder / "states.npy", "w+", np.float16, (len(captions), PIECES, 384))
    masks = np.zeros((len(captions), PIECES), np.float32)
    words = Words(minilm)
    for start in range(0, len(captions), 1024):
        part = slice(start, start + 1024)
        states[part], masks[part] = words.states(captions[part], PIECES)
    states.flush()
    np.save(folder / "masks.npy", masks)
    place = {caption: at for at, caption in enumerate(captions)}
    rows = [{"share": share, "caption": place[caption], **asdict(scene)} for share, scene, caption in found]
    (folder / "scenes.json").write_text(json.dumps(rows))
    (folder / "captions.json").write_text(json.dumps(captions))
    print(len(found), "scenes,", len(captions), "captions,", len({row["first"] for row in rows}), "concepts")


# -- training ----------------------------------------------------------------------------------------------------------


class Table:
    """The prepared scenes; `batch` picks some, the same ones for the same number."""

    def __init__(self, folder: Path, size: int) -> None:
        self.size = size
        self.pictures: NDArray[np.uint8] = np.load(folder / "pictures.npy")
        self.states: NDArray[np.float16] = np.load(folder / "states.npy")
        self.masks: NDArray[np.float32] = np.load(folder / "masks.npy")
        rows = json.loads((folder / "scenes.json").read_text())
        self.caption = np.array([row["caption"] for row in rows])
        self.groups: dict[str, list[NDArray[np.int64]]] = {}
        for share in SHARES:
            of: dict[int, list[int]] = {}
            for at, row in enumerate(rows):
                if row["share"] == share:
                    of.setdefault(row["first"], []).append(at)
            self.groups[share] = [np.array(each) for each in of.values()]

    def rows(self, step: int) -> list[int]:
        """Scenes of a batch: shares first, then a concept, then one of its scenes."""
        chance = np.random.default_rng((SEED, step))
        chosen = []
        for share in chance.choice(list(SHARES), self.size, p=list(SHARES.values())):
            of = self.groups[share]
            chosen.append(int(chance.choice(of[chance.integers(len(of))])))
        return chosen

    def batch(self, step: int):  # type: ignore[no-untyped-def]  # -> Batch, of torch
        """What `train` asks for."""
        import torch

        from transpose.learn.objective import Batch

        rows = self.rows(step)
        pixels = self.pictures[rows].astype(np.float32).transpose(0, 3, 1, 2) / 127.5 - 1
        at = self.caption[rows]
        parts = pixels, self.states[at].astype(np.float32), self.masks[at]
        return Batch(*(torch.from_numpy(np.ascontiguousarray(part)) for part in parts))


def build(patch: tuple[int, int], dim: int, depth: int):  # type: ignore[no-untyped-def]  # -> DiT
    """The network."""
    import torch

    from transpose.learn.dit import DiT
    from transpose.models.diffusion.settings import Shape

    torch.manual_seed(SEED)
    return DiT(Shape(3, SIDE, SIDE, patch, dim, depth, dim // 64, 4.0, 384, PIECES))


def main() -> None:
    """Read the command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=("prepare", "train", "export"))
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--patch", type=int, nargs=2, default=(4, 8))
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--depth", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--middle", action="store_true", help="more times in the middle (logit-normal)")
    parser.add_argument(
        "--start", default="", help="weights.safetensors of an earlier run to begin with; export counts it in"
    )
    given = parser.parse_args()
    if given.verb == "prepare":
        prepare(*(Path(each) for each in given.paths))
    elif given.verb == "export":
        write(given)
    else:
        teach(given)


def teach(given: argparse.Namespace) -> None:
    """Train for so many seconds."""
    import torch

    from transpose.learn.objective import Objective
    from transpose.learn.train import Report, train

    torch.set_num_threads(1)
    folder, run, seconds = Path(given.paths[0]), Path(given.paths[1]), float(given.paths[2])
    network = build(tuple(given.patch), given.dim, given.depth)
    print(sum(each.numel() for each in network.parameters()) / 1e6, "M parameters", flush=True)
    if given.start:
        from safetensors.torch import load_file

        network.load_state_dict({name: each.float() for name, each in load_file(given.start).items()})
    table = Table(folder, given.batch)
    began = time.monotonic()

    def report(state: Report) -> None:
        spent = time.monotonic() - began
        print(f"{spent:7.0f} s  step {state.step}  {state.step * given.batch} pictures  {state.loss:.4f}", flush=True)

    objective = Objective("flow", dropout=0.1, middle=given.middle)
    train(network, table.batch, run, objective=objective, seconds=seconds, rate=given.rate, warmup=200, ema=0.998,
          seed=SEED, report=report, every=100)  # fmt: skip


def write(given: argparse.Namespace) -> None:
    """The averaged weights of a run's checkpoint as the folder of a model."""
    from safetensors import safe_open

    from transpose.learn.export import export
    from transpose.learn.train import CHECKPOINT
    from transpose.models.diffusion.settings import SETTINGS

    network = build(tuple(given.patch), given.dim, given.depth)
    with safe_open(Path(given.paths[0]) / CHECKPOINT, "pt") as file:
        names = [name for name in file.keys() if name.startswith("average/")]  # noqa: SIM118  # it is no mapping
        average = {name.partition("/")[2]: file.get_tensor(name) for name in names}
        state = json.loads(file.metadata()["state"])
    network.load_state_dict(average)
    before = json.loads(Path(given.start).with_name(SETTINGS).read_text())["labels"] if given.start else {}
    done = {"steps": state["step"], "pictures": state["step"] * given.batch}
    labels = {"style": "flat", **{name: each + before.get(name, 0) for name, each in done.items()}}
    export(network, Path(given.paths[1]), schedule="flow", conditioner="minilm", labels=labels)
    print(labels)


if __name__ == "__main__":
    sys.exit(main())
