"""The diffusion transformer with the linear layers of its blocks in whole numbers of 8 bits: faster, nearly the same.

Weights are scaled for each output and rounded to -127..127 when the model is opened; what a layer reads is scaled and
rounded for each call (dynamic quantisation: Jacob et al. 2018, "Quantization and Training of Neural Networks"), sums
are exact. The scale is one for the whole batch, so a row's last bits depend on the rows beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from transpose.models.diffusion.graph import Drawing
from transpose.models.onnx_graph import FUSED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

LARGEST = 127  # of a rounded weight


class RoughDrawing(Drawing):
    """The graph in the making; all its weights are in `changed`."""

    def linear(self, states: str, name: str, bias: bool = True) -> str:
        """A linear layer, rounded where it is one of a block."""
        if not name.startswith("blocks."):
            return super().linear(states, name, bias)
        return self.rough(states, self.changed[f"{name}.weight"], name, self.weight(f"{name}.bias") if bias else "")

    def part(self, rows: str, layer: str, own: slice, label: str) -> str:
        """Some of the outputs of a linear layer, rounded."""
        bias = self.weight(f"{layer}.bias", f"{label}.bias", own)
        return self.rough(rows, self.changed[f"{layer}.weight"][own], label, bias)

    def rough(self, states: str, values: Matrix, label: str, bias: str) -> str:
        """Multiply (rows, in) by rounded weights (out, in)."""
        import numpy as np

        step = np.maximum(np.abs(values).max(1), np.float32(1e-12)) / LARGEST  # (out)
        whole = np.ascontiguousarray(np.rint(values / step[:, None]).astype(np.int8).T)  # (in, out)
        constants = [self.constant(f"{label}.whole", whole), self.constant(f"{label}.step", step.astype(np.float32))]
        return self.node("DynamicQuantizeMatMul", [states, *constants, "", bias], f"{label}.rough", FUSED)
