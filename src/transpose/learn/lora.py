"""Adapters of low rank: a small change of a frozen network's linear layers (LoRA, Hu et al. 2021), through peft.

A layer's weight W becomes W + alpha / r * B A, where A (r, in) starts random and B (out, r) starts at zero. Only A and
B are trained, by the same `train`. They are saved in float16 in the format of `transpose.models.diffusion.adapter`,
which merges them without PyTorch; the file of the network itself is not touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from transpose.core.errors import DamagedWeights, TransformError
from transpose.learn.dit import DiT
from transpose.learn.train import write_tensors
from transpose.models.diffusion.adapter import DOWN, UP, read_adapter
from transpose.models.onnx_graph import read_tensor

if TYPE_CHECKING:
    from peft.tuners.lora import Linear

LAYERS = ("qkv", "out", "up", "down")  # the linear layers of a block
NAME = "default"  # peft's name of the one adapter


def add_lora(network: DiT, rank: int = 8, alpha: float | None = None, layers: tuple[str, ...] = LAYERS) -> DiT:
    """Give a network trainable adapters on all layers of these names, and freeze the rest; it is changed in place.

    `alpha` is the rank where it is not given: then A and B count as they are.
    """
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(r=rank, lora_alpha=rank if alpha is None else alpha, target_modules=list(layers))
    changed: DiT = inject_adapter_in_model(config, network, NAME)
    return changed


def save_lora(network: DiT, path: Path, average: Mapping[str, Tensor] | None = None) -> None:
    """Write the adapters of a network, in float16; `average`, of `train`, goes before the network's own.

    Raises TransformError where one is no number in float16.
    """
    own = {**dict(network.named_parameters()), **(average or {})}
    tensors: dict[str, Tensor] = {}
    alpha = 0.0
    for name, layer in adapted(network):
        alpha = float(layer.lora_alpha[NAME])
        for suffix, matrix in ((DOWN, "lora_A"), (UP, "lora_B")):
            tensors[f"{name}{suffix}"] = own[f"{name}.{matrix}.{NAME}.weight"].detach().cpu().half()
    if bad := [name for name, each in tensors.items() if not torch.isfinite(each).all()]:
        raise TransformError(f"the adapter's {bad[0]!r} is no number in float16", "Train with a smaller rate")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tensors(path, tensors, {"alpha": repr(alpha)})


def load_lora(network: DiT, path: Path) -> DiT:
    """Give a network the adapters in a file, to train on or to compare. Raises DamagedWeights where they do not fit."""
    adapter = read_adapter(path)
    ranks = {down.shape[0] for down, _ in adapter.pairs.values()}
    names = {name for name, each in network.named_modules() if isinstance(each, torch.nn.Linear)}
    if len(ranks) > 1 or not set(adapter.pairs) <= names:
        raise DamagedWeights(f"the adapter {str(path)!r} is for another network", "Learn it again, or leave it out")
    add_lora(network, ranks.pop(), adapter.alpha, tuple(adapter.pairs))
    with torch.no_grad():
        for name, layer in adapted(network):
            for matrix, tensor in zip((layer.lora_A, layer.lora_B), adapter.pairs[name], strict=True):
                weight = matrix[NAME].weight
                if weight.shape != tensor.shape:
                    what = f"has {tensor.shape} for {name!r}, and the network means {tuple(weight.shape)}"
                    raise DamagedWeights(f"the adapter {str(path)!r} {what}", "Learn it again, or leave it out")
                weight.copy_(torch.from_numpy(read_tensor(adapter.path, tensor)))
    return network


def adapted(network: DiT) -> Iterator[tuple[str, Linear]]:
    """The layers that have an adapter, by their names in the network."""
    for name, layer in network.named_modules():
        if NAME in getattr(layer, "lora_A", {}):
            yield name, layer


def share(network: DiT) -> float:
    """The parameters that are trained as a share of those that are frozen."""
    sizes = [(int(each.numel()), bool(each.requires_grad)) for each in network.parameters()]
    return sum(size for size, trained in sizes if trained) / sum(size for size, trained in sizes if not trained)
