"""A diffusion network in ONNX Runtime: from a noisy datum, a time and a condition to the velocity.

One call on a batch of two, with and without the condition, is what classifier-free guidance needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedWeights
from transpose.models.diffusion.adapter import merge, read_adapter
from transpose.models.diffusion.graph import GRAPH, WEIGHTS, check, draw, sizes
from transpose.models.diffusion.settings import HINT, SETTINGS, Settings, read_settings
from transpose.models.onnx_graph import read_tensor, safetensors_index

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]

    Floats = NDArray[np.float32]


class Denoiser:
    """`denoiser(x, t, cond, mask)` is the velocity v of x (b, C, H, W) at time t under a condition, in x's shape."""

    def __init__(self, settings: Settings, session: InferenceSession) -> None:
        self.settings = settings
        self.session = session

    def __call__(self, x: Floats, t: float | Floats, cond: Floats, mask: Floats) -> Floats:
        """t (b) in 0..1, or one number for all; cond (b, L, Dc); mask (b, L) of 0 and 1; all float32.

        Raises ValueError where a shape is not the network's.
        """
        import numpy as np

        shape, size = self.settings.network, len(x)
        times = np.asarray(t, np.float32)
        times = np.full(size, times) if times.ndim == 0 else times
        given = {"x": x, "t": times, "cond": cond, "mask": mask}
        wanted = {"x": (shape.channels, shape.height, shape.width), "t": ()}
        wanted |= {"cond": (shape.cond_tokens, shape.cond_dim), "mask": (shape.cond_tokens,)}
        for name, each in given.items():
            if each.shape != (size, *wanted[name]):
                raise ValueError(f"{name} is {each.shape}, not {(size, *wanted[name])}")
        (v,) = self.session.run(None, {name: np.ascontiguousarray(each, np.float32) for name, each in given.items()})
        velocity: Floats = v
        return velocity


def open_denoiser(folder: Path, threads: int = 1, adapters: Sequence[Path] = (), scale: float = 1.0) -> Denoiser:
    """The model in a folder, changed by adapters (files or folders), each `scale` times; no file is written.

    Raises DamagedWeights where a file is damaged, missing, or does not fit the others.
    """
    settings = read_settings(folder / SETTINGS)
    if not adapters and (folder / GRAPH).exists():
        return Denoiser(settings, _open(folder, settings, str(folder / GRAPH), threads))
    index = safetensors_index(folder / WEIGHTS)
    check(settings.network, index)
    weights = {name: read_tensor(folder / WEIGHTS, index[name]) for name in sizes(settings.network)}
    weights = merge(weights, [read_adapter(path) for path in adapters], scale)
    return Denoiser(settings, _open(folder, settings, draw(settings.network, index, weights), threads))


def _open(folder: Path, settings: Settings, graph: str | bytes, threads: int) -> InferenceSession:
    """A session for a graph, which is a file, or in memory with its weights."""
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    refusals = (
        errors.Fail,
        errors.InvalidArgument,
        errors.InvalidGraph,
        errors.InvalidProtobuf,
        errors.NoSuchFile,
        errors.NotImplemented,
        errors.RuntimeException,
    )
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except refusals as error:
        raise DamagedWeights(f"the model in {str(folder)!r} cannot be opened: {error}", HINT) from error
    shape = settings.network
    wanted = [shape.channels, shape.height, shape.width, shape.cond_tokens, shape.cond_dim]
    found = {each.name: each.shape for each in session.get_inputs()}
    if [*found.get("x", [0])[1:], *found.get("cond", [0])[1:]] != wanted:
        raise DamagedWeights(f"{GRAPH!r} in {str(folder)!r} is not the graph of its {SETTINGS!r}", HINT)
    return session
