"""Adapters: small files that change a diffusion network, merged into its weights when it is opened.

LoRA (Hu et al. 2021): W' = W + scale * alpha / r * B A, for some of the linear layers. `adapter.safetensors` holds
`NAME.lora_A.weight` (r, in) and `NAME.lora_B.weight` (out, r) for each layer NAME, and `alpha` in its metadata.
The network's own file is only read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedWeights
from transpose.models.onnx_graph import Tensor, read_header, read_tensor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

ADAPTER = "adapter.safetensors"
DOWN, UP = ".lora_A.weight", ".lora_B.weight"  # what a layer's two matrices are called
HINT = "Learn it again, or leave it out"


@dataclass(frozen=True, slots=True)
class Adapter:
    """Where the pairs (A, B) of the changed layers lie, and the number that their product is divided by the rank of."""

    path: Path
    pairs: Mapping[str, tuple[Tensor, Tensor]]
    alpha: float

    def change(self, name: str) -> Matrix:
        """What a layer's weight gains, (out, in). Raises DamagedWeights where that is no number."""
        import numpy as np

        down, up = (read_tensor(self.path, each) for each in self.pairs[name])
        change: Matrix = (up @ down) * np.float32(self.alpha / len(down))
        if not np.isfinite(change).all():
            raise _wrong(self.path, f"makes {name!r} no number")
        return change


def read_adapter(path: Path) -> Adapter:
    """The adapter in a file, or in a folder as `adapter.safetensors`. Raises DamagedWeights, naming what is wrong."""
    path = path / ADAPTER if path.is_dir() else path
    index, metadata = read_header(path)
    names = sorted({name.removesuffix(DOWN).removesuffix(UP) for name in index})
    for name in names:
        if f"{name}{DOWN}" not in index or f"{name}{UP}" not in index:
            raise _wrong(path, f"has not both matrices of {name!r}")
        down, up = index[f"{name}{DOWN}"].shape, index[f"{name}{UP}"].shape
        if len(down) != 2 or len(up) != 2 or down[0] != up[1] or not down[0]:
            raise _wrong(path, f"has matrices of {down} and {up} for {name!r}")
    alpha = _number(metadata.get("alpha", ""))
    if not names or not math.isfinite(alpha):
        raise _wrong(path, "changes no layer, or has no alpha")
    return Adapter(path, {name: (index[f"{name}{DOWN}"], index[f"{name}{UP}"]) for name in names}, alpha)


def merge(weights: Mapping[str, Matrix], adapters: Sequence[Adapter], scale: float) -> dict[str, Matrix]:
    """The weights of a network, changed by adapters. Raises DamagedWeights for layers that the network has not."""
    changed = dict(weights)
    for adapter in adapters:
        for name, (down, up) in adapter.pairs.items():
            own = f"{name}.weight"
            if own not in changed or changed[own].shape != (up.shape[0], down.shape[1]):
                raise _wrong(adapter.path, f"is for another network: it changes {name!r}")
            changed[own] = changed[own] + scale * adapter.change(name)
    return changed


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _wrong(path: Path, what: str) -> DamagedWeights:
    return DamagedWeights(f"the adapter {str(path)!r} {what}", HINT)
