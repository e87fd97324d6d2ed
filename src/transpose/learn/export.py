"""From a trained network to the folder that a model card holds: weights in half precision, settings, the ONNX graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from transpose.core.errors import DamagedWeights, TransformError
from transpose.learn.dit import DiT
from transpose.learn.train import write_tensors
from transpose.models.diffusion.graph import WEIGHTS, check, convert
from transpose.models.diffusion.settings import HINT, SETTINGS, Json, Settings, read_settings, write_settings
from transpose.models.onnx_graph import read_tensor, safetensors_index


def export(
    network: DiT,
    folder: Path,
    *,
    schedule: str,
    conditioner: str,
    labels: Mapping[str, Json] | None = None,
    average: Mapping[str, Tensor] | None = None,
    reach: float = 1.0,
) -> Settings:
    """Write weights.safetensors (float16), settings.json and denoiser.onnx; `average` goes before the own weights.

    Raises TransformError where a weight is no number or too large for float16 (beyond 65,504).
    """
    settings = Settings(network.shape, schedule, conditioner, dict(labels or {}), reach)
    text = write_settings(settings)
    weights = {name: each.detach().cpu().half() for name, each in {**network.state_dict(), **(average or {})}.items()}
    for name, each in weights.items():
        if not torch.isfinite(each).all():
            raise TransformError(f"the weight {name!r} is no number in float16", "Train with a smaller rate")
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / WEIGHTS, weights, {"format": "pt"})
    (folder / SETTINGS).write_text(text, encoding="utf-8")
    convert(folder)
    return settings


def open_network(folder: Path) -> tuple[DiT, Settings]:
    """The network in such a folder, frozen and in float32, to train an adapter on. Raises DamagedWeights."""
    settings = read_settings(folder / SETTINGS)
    index = safetensors_index(folder / WEIGHTS)
    check(settings.network, index)
    network = DiT(settings.network)
    weights = {name: read_tensor(folder / WEIGHTS, index[name]) for name in network.state_dict()}
    network.load_state_dict({name: torch.from_numpy(each) for name, each in weights.items()})
    if bad := [name for name, each in network.named_parameters() if not torch.isfinite(each).all()]:
        raise DamagedWeights(f"{WEIGHTS!r} has {bad[0]!r} that is no number", HINT)
    return network.requires_grad_(False), settings
