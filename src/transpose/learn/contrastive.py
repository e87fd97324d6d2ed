"""Pictures and words in one space, by contrast (CLIP: Radford et al. 2021, "Learning Transferable Visual Models").

A small convolutional network reads 32 x 32 pixels, two linear layers read the sentence vector of a text (MiniLM, 384
numbers), and both answer unit vectors. In a batch each picture must find its own text among all texts, and each text
its picture: cross-entropy over cosines, scaled by a learned temperature. Two members of a batch that show the same
thing are not each other's negatives.

Shapes: b batch, D width of the space. `transpose.models.contrastive` runs it without torch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as f

from transpose.learn.train import write_tensors
from transpose.models.contrastive import NAMES, SETTINGS, SIDE, TEXT, WEIGHTS, convert

HOTTEST = math.log(100.0)  # of the scale, as in CLIP


class Pair(nn.Module):  # type: ignore[misc]
    """Both networks. `dim` is the main dial: the channels of the last stage of the picture's network."""

    def __init__(self, dim: int = 224, space: int = 128) -> None:
        super().__init__()
        widths = (dim // 8, dim // 4, dim // 2, dim)
        self.stem = Convolution(3, widths[0], step=2)
        self.stages = nn.ModuleList(Stage(thin, wide) for thin, wide in pairwise(widths))
        self.picture = nn.Linear(dim, space)
        self.text_in = nn.Linear(TEXT, 2 * dim)
        self.text_out = nn.Linear(2 * dim, space)
        self.scale = nn.Parameter(torch.tensor(math.log(20.0)))

    def see(self, pictures: Tensor) -> Tensor:
        """Pictures (b, 3, 32, 32) in 0..1 as unit vectors (b, D)."""
        states = self.stem(pictures * 2 - 1)
        for stage in self.stages:
            states = stage(states)
        return f.normalize(self.picture(states.mean((2, 3))).float(), dim=1)

    def read(self, sentences: Tensor) -> Tensor:
        """Sentence vectors (b, 384) as unit vectors (b, D)."""
        return f.normalize(self.text_out(f.relu(self.text_in(sentences))).float(), dim=1)

    def loss(self, pictures: Tensor, sentences: Tensor, concepts: Tensor) -> Tensor:
        """Symmetric cross-entropy; `concepts` (b) says who shows the same thing."""
        scores = self.scale.clamp(max=HOTTEST).exp() * self.see(pictures) @ self.read(sentences).T  # (b, b)
        same = (concepts.unsqueeze(0) == concepts.unsqueeze(1)).fill_diagonal_(False)
        scores = scores.masked_fill(same, -torch.inf)
        own = torch.arange(len(scores), device=scores.device)
        return (f.cross_entropy(scores, own) + f.cross_entropy(scores.T, own)) / 2


class Stage(nn.Module):  # type: ignore[misc]
    """Half the size and more channels, then one residual block (He et al. 2016)."""

    def __init__(self, thin: int, wide: int) -> None:
        super().__init__()
        self.down = Convolution(thin, wide, step=2)
        self.first = Convolution(wide, wide)
        self.second = Convolution(wide, wide, active=False)

    def forward(self, states: Tensor) -> Tensor:
        """(b, thin, h, w) -> (b, wide, h / 2, w / 2)."""
        states = self.down(states)
        return f.relu(states + self.second(self.first(states)))


class Convolution(nn.Module):  # type: ignore[misc]
    """3 x 3, normalised over the batch (Ioffe and Szegedy 2015), then ReLU."""

    def __init__(self, thin: int, wide: int, step: int = 1, active: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(thin, wide, 3, step, 1, bias=False)
        self.norm = nn.BatchNorm2d(wide)
        self.active = active

    def forward(self, states: Tensor) -> Tensor:
        """(b, thin, h, w) -> (b, wide, h / step, w / step)."""
        states = self.norm(self.conv(states))
        return f.relu(states) if self.active else states

    def folded(self) -> tuple[Tensor, Tensor]:
        """The weight and bias of one convolution that does the same as convolution and normalisation."""
        factor = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
        return self.conv.weight * factor.view(-1, 1, 1, 1), self.norm.bias - self.norm.running_mean * factor


def settle(pair: Pair, pictures: Iterable[Tensor]) -> None:
    """Measure the averages of the normalisations anew over batches of pictures, with the weights as they now are.

    Those gathered in a short training lag behind the weights, and cost most of the recall.
    """
    norms = [part for part in pair.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    pair.train()
    with torch.no_grad():
        for batch in pictures:
            pair.see(batch)
    pair.eval()


def calibrated(cosines: Tensor, own: Tensor) -> float:
    """The scale at which first names are as often right as their shares say, on pictures not learned from.

    `cosines` (pictures, names), `own` (pictures) the right names. A single temperature, as in Guo et al. 2017, fitted
    so that the mean share of the first name is the share of right ones: names never learned would bend a likelihood.
    """
    right = float((cosines.argmax(1) == own).float().mean())
    low, high = 1.0, 200.0
    for _ in range(40):  # the mean share grows with the scale
        middle = (low * high) ** 0.5
        sure = float((middle * cosines).softmax(1).amax(1).mean())
        low, high = (middle, high) if sure < right else (low, middle)
    return low


def anchors(said: Tensor, seen: Tensor, of: Tensor, share: float) -> Tensor:
    """What stands for each name in the space: what its words say, and how its pictures look (n, D).

    `said` (n, D) are the names as read; `seen` (m, D) pictures, also of names never learned, and `of` (m) the name of
    each. `share` 0 is the words alone, 1 the mean of the pictures alone, as in prototypical networks (Snell et al.
    2017); a name without a picture has its words.
    """
    looks = torch.zeros_like(said).index_add_(0, of, seen)
    pictured = torch.zeros(len(said), 1).index_fill_(0, of, 1.0) * share
    return f.normalize((1 - pictured) * said + pictured * f.normalize(looks, dim=1), dim=1)


def export(pair: Pair, folder: Path, names: list[str], vectors: Tensor, scale: float) -> None:
    """Write weights.safetensors (float16, normalisations folded in), settings.json and the graphs.

    `names` (n) are what a picture may be said to show, `vectors` (n, D) what stands for them in the space, so that
    naming a picture needs no language model. `scale` is that of the cosines, of which a softmax then makes shares.
    """
    weights: dict[str, Tensor] = {}
    for name, part in pair.named_modules():
        if isinstance(part, Convolution):
            weights[f"{name}.weight"], weights[f"{name}.bias"] = part.folded()
        elif isinstance(part, nn.Linear):
            weights[f"{name}.weight"], weights[f"{name}.bias"] = part.weight, part.bias
    weights[NAMES] = vectors
    settings = {"version": 1, "side": SIDE, "stages": len(pair.stages), "space": pair.picture.out_features}
    settings |= {"scale": round(scale, 4), "names": names}
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / WEIGHTS, {name: each.half() for name, each in weights.items()}, {"format": "pt"})
    (folder / SETTINGS).write_text(json.dumps(settings, sort_keys=True) + "\n", encoding="utf-8")
    convert(folder)
