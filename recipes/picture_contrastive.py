"""Teach pictures and words to share a space: `picture-text`, and the judge of published numbers.

    python recipes/picture_contrastive.py DATA OUT MINILM SECONDS --sets flat noto noto1 fluent --unseen twemoji

One concept in ten (see picture_data.py) and the set named by `--unseen` are never learnt from; recall is measured on
half of that set among the names of all 1,600 concepts. What stands for a name in the space is a mixture of its words
and of its pictures in the sets that were learnt from, also where that concept was not; the other half chooses how much.
The judge learns from the sets that the generator never sees.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from picture_mix import BACKGROUNDS, HUES, Icons, article, main_hue, reduced, turned
from safetensors import safe_open

from transpose.learn.contrastive import Pair, anchors, calibrated, export, settle
from transpose.learn.train import write_tensors
from transpose.models.minilm import MiniLM

BATCH, RATE, SEED = 128, 1.5e-3, 7
PURE = 0.6
LOOKS = (0.0, 0.25, 0.5, 0.65, 0.8, 0.9, 1.0)  # shares of how things look in what stands for their names
CROP = 3  # pixels that a picture is moved by at most
LEAST, MOST = 0.6, 1.08  # how much an icon is scaled


class Captions:
    """Sentence vectors of what is said of a concept: names, tags, colours and backgrounds."""

    def __init__(self, icons: Icons, folder: Path, cache: Path) -> None:
        self.rows: list[list[str]] = []
        for name, noun, each in zip(icons.names, icons.nouns, icons.concepts, strict=True):
            tags = [str(tag) for tag in each["tags"]]
            plain = [name, name, noun, article(noun), f"an icon of {article(noun)}", f"{name}: {', '.join(tags[:5])}"]
            self.rows.append([*plain, *tags])
        self.nouns = icons.nouns
        texts = sorted({text for row in self.rows for text in row} | set(self._composed()))
        self.place = {text: at for at, text in enumerate(texts)}
        if not cache.exists():
            np.save(cache, MiniLM(folder).encode(texts).astype(np.float16))
        self.vectors: NDArray[np.float32] = np.load(cache).astype(np.float32)

    def _composed(self) -> list[str]:
        found = [f"{article(f'{colour} {noun}')}" for noun in self.nouns for colour in HUES]
        return found + [f"{article(noun)} on a {paper} background" for noun in self.nouns for paper in BACKGROUNDS]

    def of(self, concept: int, colour: str, paper: str, chance: np.random.Generator) -> int:
        """Where the vector of a caption lies."""
        if colour:
            return self.place[article(f"{colour} {self.nouns[concept]}")]
        if paper:
            return self.place[f"{article(self.nouns[concept])} on a {paper} background"]
        row = self.rows[concept]
        return self.place[row[int(chance.integers(6)) if chance.random() < 0.75 else int(chance.integers(len(row)))]]


class Mixer:
    """Batches of pictures with words. Colours and backgrounds are said in some, in others they only vary."""

    def __init__(self, icons: Icons, captions: Captions, concepts: list[int]) -> None:
        self.icons, self.captions = icons, captions
        self.sets: dict[int, list[str]] = {}
        for concept, name in icons.pictures:
            self.sets.setdefault(concept, []).append(name)
        self.concepts = [each for each in concepts if each in self.sets]
        found = {key: main_hue(icon) for key, icon in icons.pictures.items() if key[0] in set(self.concepts)}
        self.hues = {key: hue for key, (hue, purity) in found.items() if purity > PURE}

    def batch(self, chance: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Pictures (b, 3, 32, 32), sentence vectors (b, 384), concepts (b)."""
        chosen = chance.choice(self.concepts, min(BATCH, len(self.concepts)), replace=False)
        pictures, places = zip(*(self.one(int(each), chance) for each in chosen), strict=True)
        stacked = torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).copy())
        return stacked, torch.from_numpy(self.captions.vectors[list(places)]), torch.from_numpy(chosen)

    def one(self, concept: int, chance: np.random.Generator) -> tuple[NDArray[np.float32], int]:
        """A picture and the place of its caption's vector."""
        sets = self.sets[concept]
        name, what = sets[int(chance.integers(len(sets)))], chance.random()
        icon, colour, paper = moved(self.icons.pictures[concept, name], chance), "", ""
        if what < 0.12 and (concept, name) in self.hues:
            colour = list(HUES)[int(chance.integers(len(HUES)))]
            icon = turned(icon, HUES[colour] - self.hues[concept, name])
        elif what < 0.3:
            paper = list(BACKGROUNDS)[int(chance.integers(len(BACKGROUNDS)))]
        elif what < 0.4:
            icon = turned(icon, float(chance.normal(0, 25)))
        back = np.array(BACKGROUNDS[paper], np.float32) / 255 if paper else np.ones(3, np.float32)
        if not paper and chance.random() < 0.3:
            back = chance.random(3, np.float32)
        return over(icon, back), self.captions.of(concept, colour, paper, chance)


def moved(icon: NDArray[np.float32], chance: np.random.Generator) -> NDArray[np.float32]:
    """Scaled, moved, perhaps mirrored, a little lighter or darker: nearest pixels of the larger icon."""
    large, side = icon.shape[0], icon.shape[0] // 2
    scale, shift = chance.uniform(LEAST, MOST), chance.uniform(-CROP, CROP, 2)
    middle = (side - 1) / 2
    rows, columns = (np.rint(((np.arange(side) - middle - by) / scale + middle) * 2 + 0.5).astype(int) for by in shift)
    inside = ((rows >= 0) & (rows < large))[:, None] & ((columns >= 0) & (columns < large))
    found = icon[rows.clip(0, large - 1)][:, columns.clip(0, large - 1)] * inside[..., None]
    if chance.random() < 0.3:
        found = found[:, ::-1]
    return np.concatenate([found[..., :3] * np.float32(chance.uniform(0.85, 1)), found[..., 3:]], -1)


def over(icon: NDArray[np.float32], paper: NDArray[np.float32]) -> NDArray[np.float32]:
    """RGB of an icon on a paper."""
    mixed: NDArray[np.float32] = (icon[..., :3] + (1 - icon[..., 3:]) * paper).astype(np.float32)
    return mixed


def looked_at(pair: Pair, data: Path, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The vectors of a set's pictures (m, D) and the number of the concept of each (m)."""
    shown = json.loads((data / f"{name}.json").read_text())
    pictures = over(reduced(np.load(data / f"{name}.npy"), 32), np.ones(3, np.float32))
    with torch.no_grad():
        seen = pair.see(torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy()))
    return seen, torch.tensor(shown)


def recall(scores: torch.Tensor, own: torch.Tensor, icons: Icons) -> dict[str, float]:
    """The share of pictures whose own name is nearest, or among the nearest five; things never learnt apart."""
    before = (scores > scores.gather(1, own[:, None])).sum(1).numpy()
    known = np.array([bool(icons.concepts[each]["seen"]) for each in own.tolist()])
    found = {
        f"{kind}@{most}": round(float((before[part] < most).mean()), 4)
        for kind, part in (("seen", known), ("unseen", ~known))
        for most in (1, 5)
    }
    return found | {"pictures": len(own), "names": scores.shape[1]}


def main() -> None:
    """Train for so many seconds, measure, export."""
    parser = argparse.ArgumentParser()
    for name in ("data", "out", "minilm"):
        parser.add_argument(name, type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--sets", nargs="+", required=True)
    parser.add_argument("--unseen", nargs="+", default=["twemoji"])
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    icons = Icons(given.data, 64, tuple(given.sets))
    captions = Captions(icons, given.minilm, given.data / "sentences.npy")
    learnt = [at for at, each in enumerate(icons.concepts) if each["seen"]]
    mixer = Mixer(icons, captions, learnt)
    pair = Pair()
    teach(pair, mixer, given.seconds, given.out)
    chance = np.random.default_rng(SEED + 1)
    settle(pair, (mixer.batch(chance)[0] for _ in range(20)))
    with torch.no_grad():
        said = pair.read(torch.from_numpy(captions.vectors[[captions.place[each] for each in icons.names]]))
    views = [looked_at(pair, given.data, each) for each in given.sets]
    seen, of = torch.cat([each[0] for each in views]), torch.cat([each[1] for each in views])
    tests = {name: looked_at(pair, given.data, name) for name in given.unseen}
    # one half of a set that was never learnt chooses the share and calibrates, the other is for scores
    (chosen_by, own), found, best = (part[::2] for part in tests[given.unseen[0]]), {}, (0.0, 0.0)
    for share in LOOKS:
        vectors = anchors(said, seen, of, share)
        right = float(((chosen_by @ vectors.T).argmax(1) == own).float().mean())
        best = max(best, (right, share))
        told = {name: recall(each[0][1::2] @ vectors.T, each[1][1::2], icons) for name, each in tests.items()}
        found[f"{share} of the looks"] = told
        print(share, "right of the choosing half", round(right, 4), json.dumps(told), flush=True)
    vectors = anchors(said, seen, of, best[1])
    scale = calibrated(chosen_by @ vectors.T, own)
    print("looks", best[1], "scale", float(pair.scale.detach().exp()), "calibrated", scale)
    export(pair, given.out, icons.names, vectors, scale)
    (given.out / "scores.json").write_text(json.dumps(found))


def teach(pair: Pair, mixer: Mixer, seconds: float, folder: Path) -> None:
    """AdamW with a rate that warms up and then falls as a cosine over the seconds; a killed run goes on."""
    grown = [each for each in pair.parameters() if each.ndim > 1]
    flat = [each for each in pair.parameters() if each.ndim <= 1]
    optimizer = torch.optim.AdamW([{"params": grown, "weight_decay": 0.05}, {"params": flat, "weight_decay": 0.0}])
    step, before = resume(pair, folder)
    began, saved, total = time.monotonic() - before, time.monotonic(), 0.0
    pair.train()
    while (spent := (time.monotonic() - began) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / 30) * (0.5 + 0.5 * np.cos(np.pi * spent))
        pictures, sentences, concepts = mixer.batch(np.random.default_rng((SEED, step)))
        with torch.autocast("cpu", torch.bfloat16):
            loss = pair.loss(pictures.contiguous(memory_format=torch.channels_last), sentences, concepts)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step, total = step + 1, total + float(loss.detach())
        if step % 50 == 0:
            heat = float(pair.scale.detach().exp())
            print(f"{spent:.2f} step {step} loss {total / 50:.3f} scale {heat:.1f}", flush=True)
            total = 0.0
        if time.monotonic() - saved > 60 or spent > 0.99:
            keep(pair, folder, step, time.monotonic() - began)
            saved = time.monotonic()


def keep(pair: Pair, folder: Path, step: int, seconds: float) -> None:
    """Write the network as it is; the moments of AdamW are soon found again."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: each.float() for name, each in pair.state_dict().items()}
    write_tensors(folder / "state.safetensors", state, {"step": str(step), "seconds": f"{seconds:.1f}"})


def resume(pair: Pair, folder: Path) -> tuple[int, float]:
    """Take up what `keep` wrote: steps done and seconds spent."""
    path = folder / "state.safetensors"
    if not path.exists():
        return 0, 0.0
    with safe_open(path, "pt") as file:
        pair.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        facts = file.metadata()
    return int(facts["step"]), float(facts["seconds"])


if __name__ == "__main__":
    main()
