"""Tensors out of a PyTorch file of the old form (before 1.6), without PyTorch and without running what is in it.

Such a file is a row of pickles and then raw numbers. A pickle can call anything; this reader knows five names (an
ordered dict, the kinds of storage and how a tensor lies in one) and refuses every other, so no code of a stranger runs.
"""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import IO, TYPE_CHECKING

from transpose.core.errors import DamagedWeights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
KINDS = {"FloatStorage": "<f4", "LongStorage": "<i8", "HalfStorage": "<f2"}


class _Storage:
    """Numbers that come later in the file; `kind` is their numpy type."""

    def __init__(self, kind: str, key: str, count: int) -> None:
        self.kind, self.key, self.count = kind, key, count


class _Slice:
    """A tensor: where in which storage it begins, its shape and its steps, in numbers."""

    def __init__(self, storage: _Storage, offset: int, shape: tuple[int, ...], steps: tuple[int, ...]) -> None:
        self.storage, self.offset, self.shape, self.steps = storage, offset, shape, steps


def _slice(storage: _Storage, offset: int, shape: tuple[int, ...], steps: tuple[int, ...], *_: object) -> _Slice:
    return _Slice(storage, offset, shape, steps)


class _Reader(pickle.Unpickler):
    """An unpickler that knows five names."""

    def find_class(self, module: str, name: str) -> object:
        """What a name in the pickle stands for; raises UnpicklingError for all others."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _slice
        if module == "torch" and name in KINDS:
            return KINDS[name]
        raise pickle.UnpicklingError(f"it names {module}.{name}, which no weights need")

    def persistent_load(self, pid: object) -> _Storage:
        """A storage, by its kind, key and count."""
        match pid:
            case ("storage", str(kind), str(key), str(), int(count), *_) if kind in KINDS.values():
                return _Storage(kind, key, count)
        raise pickle.UnpicklingError("it refers to something that is no storage")


def read_tensors(path: Path) -> dict[str, NDArray[np.generic]]:
    """Every tensor by name. Raises DamagedWeights for another kind of file and for one that names anything else."""
    try:
        with path.open("rb") as file:
            if _Reader(file).load() != MAGIC:
                raise DamagedWeights(f"{path.name!r} is no PyTorch file of the old form")
            _Reader(file).load()  # the version of the form
            _Reader(file).load()  # of the machine that wrote it
            state = _Reader(file).load()
            numbers = _numbers(file, state)
            return {name: _tensor(each, numbers) for name, each in state.items()}
    except (pickle.UnpicklingError, EOFError, ValueError, KeyError, AttributeError, IndexError, TypeError) as error:
        raise DamagedWeights(f"{path.name!r} cannot be read as weights: {error}") from None


def _numbers(file: IO[bytes], state: dict[str, _Slice]) -> dict[str, NDArray[np.generic]]:
    """The storages by key, in the order in which they stand in the file."""
    import numpy as np

    kinds = {each.storage.key: each.storage.kind for each in state.values()}
    found: dict[str, NDArray[np.generic]] = {}
    for key in _Reader(file).load():
        (count,) = struct.unpack("<q", file.read(8).ljust(8, b"\0"))
        kind = np.dtype(kinds[key])
        found[key] = np.frombuffer(file.read(count * kind.itemsize), kind)
        if len(found[key]) != count:
            raise ValueError("it ends too early")
    return found


def _tensor(each: _Slice, numbers: dict[str, NDArray[np.generic]]) -> NDArray[np.generic]:
    """One tensor as an array of its own; raises ValueError where it reaches out of its storage."""
    import numpy as np

    flat = numbers[each.storage.key]
    last = each.offset + sum((side - 1) * step for side, step in zip(each.shape, each.steps, strict=True))
    if min((each.offset, *each.shape, *each.steps)) < 0 or last >= len(flat):
        raise ValueError("a tensor reaches out of its storage")
    strides = [step * flat.itemsize for step in each.steps]
    return np.lib.stride_tricks.as_strided(flat[each.offset :], each.shape, strides).copy()
