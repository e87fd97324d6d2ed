"""ONNX graphs whose weights stay in the safetensors file beside them: how they are put together.

A graph refers to the bytes of the safetensors file as ONNX's external data, so nothing is stored twice. Half precision
weights become float32 when ONNX Runtime opens the graph. The bytes of a graph are the same each time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedWeights

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray

FUSED = "com.microsoft"  # domain of ONNX Runtime's own operators
OPSET, FORMAT = 17, 8  # fixed, whatever version of onnx this is
SIZES = {"F32": 4, "F16": 2}  # bytes of a number, by safetensors' name of the type
HEADER = 2**20  # bytes that a header may have
HINT = "Remove the model and pull it again"

Setting = int | float | Sequence[int]
Size = int | str  # a dimension; a name where it is free


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor lies in a safetensors file: its shape, first byte, number of bytes, type of numbers."""

    shape: tuple[int, ...]
    offset: int
    size: int
    kind: str = "F32"

    def rows(self, rows: slice) -> Tensor:
        """Some rows of the tensor, as a tensor."""
        row, count = self.size // self.shape[0], rows.stop - rows.start
        return Tensor((count, *self.shape[1:]), self.offset + rows.start * row, count * row, self.kind)


def safetensors_index(path: Path) -> dict[str, Tensor]:
    """The float tensors of a safetensors file: 8 bytes with the size of a JSON header, the header, then the data.

    Raises DamagedWeights where the file is none, or where a tensor does not lie within it.
    """
    return read_header(path)[0]


def read_header(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The float tensors of a safetensors file, and its metadata. Raises DamagedWeights as `safetensors_index` does."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(size, HEADER)))
        metadata = header.pop("__metadata__", {})
        entries = {name: entry for name, entry in header.items() if entry["dtype"] in SIZES}
        index = {name: _tensor(entry, 8 + size, path.stat().st_size) for name, entry in entries.items()}
        return index, {str(key): str(value) for key, value in metadata.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedWeights(f"{path.name!r} is not a safetensors file", HINT) from error


def read_tensor(path: Path, tensor: Tensor) -> NDArray[np.float32]:
    """The numbers of a tensor, as float32."""
    import numpy as np

    kind = np.float32 if tensor.kind == "F32" else np.float16
    flat = np.fromfile(path, kind, math.prod(tensor.shape), offset=tensor.offset)
    return flat.reshape(tensor.shape).astype(np.float32)


def _tensor(entry: Mapping[str, object], start: int, end: int) -> Tensor:
    shape, offsets, kind = entry["shape"], entry["data_offsets"], str(entry["dtype"])
    if not isinstance(shape, list) or not isinstance(offsets, list):
        raise TypeError("shape and data_offsets must be lists")
    first, last = (int(each) for each in offsets)
    sizes = tuple(int(each) for each in shape)
    inside = 0 <= first <= last and start + last <= end and all(each >= 0 for each in sizes)
    if not inside or last - first != math.prod(sizes) * SIZES[kind]:
        raise ValueError("a tensor lies outside the file, or is not as large as its shape says")
    return Tensor(sizes, start + first, last - first, kind)


@dataclass
class Graph:
    """Nodes and constants of an ONNX graph in the making; weights lie in the file `location` beside the graph."""

    location: str
    index: Mapping[str, Tensor]
    changed: Mapping[str, NDArray[np.float32]] = field(
        default_factory=dict
    )  # in the graph itself, instead of the file's
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def find(self, name: str) -> Tensor:
        """Where a weight lies. Raises DamagedWeights where the file has none of that name."""
        if name not in self.index:
            raise DamagedWeights(f"{self.location!r} has no tensor {name!r}", HINT)
        return self.index[name]

    def weight(self, name: str, label: str = "", rows: slice | None = None) -> str:
        """A constant whose data lie in the safetensors file: a tensor, or some of its rows under a label."""
        import onnx

        found, label = self.find(name), label or name
        if name in self.changed:
            values = self.changed[name]
            return self.constant(label, values if rows is None else values[rows])
        found = found if rows is None else found.rows(rows)
        half = found.kind == "F16"
        stored = onnx.TensorProto(
            name=f"{label}.half" if half else label,
            dims=found.shape,
            data_type=onnx.TensorProto.FLOAT16 if half else onnx.TensorProto.FLOAT,
            data_location=onnx.TensorProto.EXTERNAL,
        )
        for key, value in (("location", self.location), ("offset", str(found.offset)), ("length", str(found.size))):
            stored.external_data.add(key=key, value=value)
        self.constants.append(stored)
        return self.node("Cast", [stored.name], label, to=onnx.TensorProto.FLOAT) if half else label

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        """A small constant, kept in the graph itself."""
        import onnx

        self.constants.append(onnx.numpy_helper.from_array(values, name))
        return name

    def whole(self, name: str, *values: int) -> str:
        """A list of whole numbers, as shapes and axes are given."""
        import onnx

        self.constants.append(onnx.helper.make_tensor(name, onnx.TensorProto.INT64, [len(values)], values))
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, domain: str = "", **settings: Setting) -> str:
        """Add one operator; answers the name of its output."""
        return self.nodes_out(operator, inputs, [output], domain, **settings)[0]

    def nodes_out(
        self, operator: str, inputs: Sequence[str], outputs: Sequence[str], domain: str = "", **settings: Setting
    ) -> Sequence[str]:
        """Add one operator with several outputs; answers their names, empty where one is not wanted."""
        import onnx

        node = onnx.helper.make_node(operator, list(inputs), list(outputs), domain=domain)
        node.attribute.extend(onnx.helper.make_attribute(key, value) for key, value in sorted(settings.items()))
        self.nodes.append(node)
        return outputs

    def linear(self, states: str, name: str, bias: bool = True) -> str:
        """PyTorch's linear layer on (rows, in), weights (out, in)."""
        inputs = [states, self.weight(f"{name}.weight")] + ([self.weight(f"{name}.bias")] if bias else [])
        return self.node("Gemm", inputs, f"{name}.out", transB=1)

    def model(self, title: str, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]) -> bytes:
        """The bytes of the finished model."""
        import onnx

        body = onnx.helper.make_graph(self.nodes, title, inputs, outputs, self.constants)
        domains = [onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid(FUSED, 1)]
        model = onnx.helper.make_model(body, opset_imports=domains, ir_version=FORMAT)
        return bytes(model.SerializeToString(deterministic=True))


def port(name: str, *sizes: Size, whole: bool = False) -> onnx.ValueInfoProto:
    """An input or output of a model, of float32 or of int32; a size that is a name is free."""
    import onnx

    kind = onnx.TensorProto.INT32 if whole else onnx.TensorProto.FLOAT
    return onnx.helper.make_tensor_value_info(name, kind, list(sizes))
