"""Opens an ONNX network on the CPU, silent, with so many threads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedWeights

if TYPE_CHECKING:
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]


def open_onnx(path: Path, threads: int) -> InferenceSession:
    """The network in a file; raises DamagedWeights where ONNX Runtime cannot read it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except (RuntimeError, ValueError) as error:
        hint = "Fetch it again: transpose models pull, after removing its folder"
        raise DamagedWeights(f"the network {path.name!r} cannot be opened ({str(error)[:100]})", hint) from None
