"""The tune model: a decoder-only transformer (Vaswani et al. 2017) over the tokens of models/tune_tokens.py.

Normalisation first (Xiong et al. 2020), rotary positions (Su et al. 2021), input and output share one table of
embeddings (Press and Wolf 2017). Beside the token the network gets two things that the tokens imply, so that little
training is enough: how much of the bar is written by then (the beat need not be counted by attention), and what came
next at the same place 1, 2, 4 and 8 bars ago (repeating need not be found by attention). `dim` is the one dial.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from transpose.models.tune_tokens import BACK, LONGEST, PAD, PLACES, WORDS

if TYPE_CHECKING:
    import onnx

DIM, DEPTH, HEADS = 96, 4, 3


class Block(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """Attention over what came before, then two linear layers with GELU between."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_mlp = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.wide, self.narrow = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def heads_of(self, states: Tensor) -> list[Tensor]:
        """Queries, keys and values, each (b, heads, t, dim / heads), before the rotation."""
        b, t, dim = states.shape
        each = self.qkv(self.before_attention(states)).view(b, t, 3, self.heads, dim // self.heads)
        return [part.transpose(1, 2) for part in each.unbind(2)]

    def finish(self, states: Tensor, seen: Tensor) -> Tensor:
        """The states (b, t, dim) with what attention has seen (b, heads, t, dim / heads), through the MLP."""
        b, t, dim = states.shape
        states = states + self.out(seen.transpose(1, 2).reshape(b, t, dim))
        return states + self.narrow(F.gelu(self.wide(self.before_mlp(states))))


class TuneNetwork(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """Tokens (b, t), places (b, t) and hints (b, t, 4) -> logits (b, t, words) of the token after each."""

    def __init__(self, dim: int = DIM, depth: int = DEPTH, heads: int = HEADS) -> None:
        super().__init__()
        self.word, self.place = nn.Embedding(len(WORDS), dim), nn.Embedding(PLACES, dim)
        self.back = nn.ModuleList(nn.Linear(dim, dim, bias=False) for _ in BACK)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.last = nn.LayerNorm(dim)
        angles = torch.arange(LONGEST)[:, None] * 10000 ** (
            -torch.arange(0, 1, 2 * heads / dim)
        )  # (t, dim / heads / 2)
        self.register_buffer("turns", torch.stack([angles.cos(), angles.sin()]), persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                scale = 0.02 / (2 * depth) ** 0.5 if name.endswith(("out.weight", "narrow.weight")) else 0.02
                nn.init.normal_(weight, std=scale)

    def read(self, tokens: Tensor, places: Tensor, hints: Tensor) -> Tensor:
        """The states (b, t, dim) that go into the first block."""
        states = self.word(tokens) + self.place(places)
        for number, back in enumerate(self.back):
            states = states + back(self.word(hints[:, :, number]))
        return states

    def rotate(self, states: Tensor, turns: Tensor) -> Tensor:
        """States (b, heads, t, d) turned by cosines and sines (2, t, d / 2)."""
        one, other = states.chunk(2, -1)
        cos, sin = turns[0].to(states.dtype), turns[1].to(states.dtype)
        return torch.cat([one * cos - other * sin, one * sin + other * cos], -1)

    def forward(self, tokens: Tensor, places: Tensor, hints: Tensor) -> Tensor:
        """All logits at once, for training."""
        states = self.read(tokens, places, hints)
        turns = self.turns[:, : tokens.shape[1]]
        for block in self.blocks:
            query, key, value = block.heads_of(states)
            query, key = self.rotate(query, turns), self.rotate(key, turns)
            with torch.autocast("cpu", enabled=False):  # for short texts twice as fast as in bfloat16
                seen = F.scaled_dot_product_attention(query.float(), key.float(), value.float(), is_causal=True)
            states = block.finish(states, seen.to(query.dtype))
        return F.linear(self.last(states), self.word.weight)


class Step(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """One token at a time, as it runs: remembers nothing, the keys and values go in and out.

    token, place (b, 1), hints (b, 1, 4) and position (1,) as int64, past (s, depth, 2, b, heads, d) -> logits
    (b, words) and what is to be added to the past (1, depth, 2, b, heads, d).
    """

    def __init__(self, network: TuneNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, token: Tensor, place: Tensor, hints: Tensor, position: Tensor, past: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See the class."""
        network = self.network
        states = network.read(token, place, hints)
        turns = network.turns[:, position]
        added = []
        for number, block in enumerate(network.blocks):
            query, key, value = block.heads_of(states)
            query, key = network.rotate(query, turns), network.rotate(key, turns)
            new = torch.stack([key, value]).permute(3, 0, 1, 2, 4)  # (1, 2, b, heads, d)
            added.append(new)
            keys, values = torch.cat([past[:, number], new]).permute(1, 2, 3, 0, 4).unbind(0)  # (b, heads, s + 1, d)
            share = (query @ keys.transpose(-1, -2) / keys.shape[-1] ** 0.5).softmax(-1)
            states = block.finish(states, share @ values)
        return F.linear(network.last(states), network.word.weight)[:, 0], torch.stack(added, 1)


def loss_of(network: TuneNetwork, tokens: Tensor, places: Tensor, hints: Tensor, head: int) -> Tensor:
    """Mean cross-entropy in nats of every token after the first `head`, padding left out."""
    logits = network(tokens[:, :-1], places[:, :-1], hints[:, :-1]).float()
    targets = tokens[:, 1:].clone()
    targets[:, : head - 1] = PAD
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PAD)


def export(network: TuneNetwork, path: Path) -> None:
    """Write one step as an ONNX file whose large weights are float16 (cast to float32 when it is opened)."""

    blocks, heads = len(network.blocks), network.blocks[0].heads
    dim = network.word.embedding_dim
    token, place = torch.zeros(2, 1, dtype=torch.int64), torch.zeros(2, 1, dtype=torch.int64)  # two, or they become one
    hints = torch.zeros(2, 1, len(BACK), dtype=torch.int64)
    sample = (token, place, hints, torch.zeros(1, dtype=torch.int64), torch.zeros(3, blocks, 2, 2, heads, dim // heads))
    b, s = torch.export.Dim("b", min=1, max=64), torch.export.Dim("s", min=0, max=LONGEST)
    program = torch.onnx.export(
        Step(network).eval(), sample, dynamo=True, input_names=["token", "place", "hints", "position", "past"],
        output_names=["logits", "added"], dynamic_shapes=({0: b}, {0: b}, {0: b}, {}, {0: s, 3: b}), verbose=False,
    )  # fmt: skip
    assert program is not None  # a dynamo export gives a program
    model = program.model_proto
    _halve(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _halve(model: onnx.ModelProto) -> None:
    """Large float32 constants become float16, each with a cast behind it; what names the source goes."""
    import numpy as np
    import onnx

    for tensor in list(model.graph.initializer):
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size >= 1024:
            half = onnx.numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}.half")
            model.graph.initializer.remove(tensor)
            model.graph.initializer.append(half)
            cast = onnx.helper.make_node("Cast", [half.name], [tensor.name], to=onnx.TensorProto.FLOAT)
            model.graph.node.insert(0, cast)
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output]:
        del value.metadata_props[:]
    del model.graph.metadata_props[:], model.metadata_props[:]
