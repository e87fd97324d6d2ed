"""Adapters of low rank: a small change of a frozen network's linear layers (LoRA, Hu et al. 2021), through peft.

A layer's weight W becomes W + alpha / r * B A, where A (r, in) starts random and B (out, r) starts at zero. Only A and
B are trained, by the same `train`. They are saved in float16 in the format of `transpose.models.diffusion.adapter`,
which merges them without PyTorch; the file of the network itself is not touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from transpose.core.errors import TransformError
from transpose.learn.dit import DiT
from transpose.learn.train import write_tensors
from transpose.models.diffusion.adapter import DOWN, UP

if TYPE_CHECKING:
    from peft.tuners.lora import Linear

LAYERS = ("qkv", "out", "up", "down")  # the linear layers of a block
NAME = "default"  # peft's name of the one adapter


def add_lora(network: DiT, rank: int = 8) -> DiT:
    """Give a network trainable adapters on all `LAYERS`, and freeze the rest; it is changed in place.

    Alpha is the rank: A and B count as they are.
    """
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(r=rank, lora_alpha=rank, target_modules=list(LAYERS))
    changed: DiT = inject_adapter_in_model(config, network, NAME)
    return changed


def save_lora(network: DiT, path: Path) -> None:
    """Write the adapters of a network, in float16. Raises TransformError where one is no number in float16."""
    own = dict(network.named_parameters())
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


def adapted(network: DiT) -> Iterator[tuple[str, Linear]]:
    """The layers that have an adapter, by their names in the network."""
    for name, layer in network.named_modules():
        if NAME in getattr(layer, "lora_A", {}):
            yield name, layer


def share(network: DiT) -> float:
    """The parameters that are trained as a share of those that are frozen."""
    sizes = [(int(each.numel()), bool(each.requires_grad)) for each in network.parameters()]
    return sum(size for size, trained in sizes if trained) / sum(size for size, trained in sizes if not trained)
