"""EfficientNet-lite0 in ONNX Runtime: which of ImageNet's thousand things a photograph shows.

Tan and Le 2019, "EfficientNet: Rethinking Model Scaling for CNNs"; the lite form (Google, 2020) has neither squeeze
and excitation nor swish. 4.7 million weights; its authors give 75.1 % top-1 on ImageNet. `convert` reads the published
PyTorch file without PyTorch and writes the graph with the normalisations folded into the convolutions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.models.network import open_onnx
from transpose.models.torch_file import read_tensors

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WEIGHTS, GRAPH, LABELS = "lite0.pth", "model.onnx", "labels.json"
SIDE = 224
FEATURES, CLASSES = 1280, 1000
EPSILON = 1e-3  # of the normalisations
# repeats, kernel, stride, channels out
STAGES = ((1, 3, 1, 16), (2, 3, 2, 24), (2, 5, 2, 40), (3, 3, 2, 80), (3, 5, 1, 112), (4, 5, 2, 192), (1, 3, 1, 320))
MEMORY_MB = 120


class Classifier:
    """The opened model and the names of its classes."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.session = open_onnx(folder / GRAPH, threads)
        given: dict[str, str] = json.loads((folder / LABELS).read_text(encoding="utf-8"))
        self.synonyms = [[name.strip() for name in given[str(each)].split(",")] for each in range(CLASSES)]
        self.names = [names[0] for names in self.synonyms]

    def look(self, pixels: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Of an RGB picture (h, w, 3) the probabilities (1000,) and the features (1280,), each the mean of two views.

        The views are the middle square and the whole picture pressed into a square: the first is what the network
        was trained on, the second sees what stands at the sides.
        """
        import numpy as np

        batch = (np.stack(views(pixels)).astype(np.float32) - 127) / 128
        scores, features = self.session.run(None, {"pixels": batch.transpose(0, 3, 1, 2)})
        share = np.exp(scores - scores.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        return share.mean(axis=0), features.mean(axis=0)


def views(pixels: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The middle seven eighths of the largest square, and the whole; both (224, 224, 3)."""
    import numpy as np
    from PIL import Image as Pillow

    picture = Pillow.fromarray(pixels)
    side = min(picture.size) * 0.875
    left, top = (picture.width - side) / 2, (picture.height - side) / 2
    kind = Pillow.Resampling.BICUBIC
    middle = picture.resize((SIDE, SIDE), kind, box=(left, top, left + side, top + side))
    return [np.asarray(middle), np.asarray(picture.resize((SIDE, SIDE), kind))]


# -- the graph ---------------------------------------------------------------------------------------------------------


def convert(folder: Path) -> None:
    """Write `model.onnx` for `lite0.pth`, which goes; the same bytes every time.

    Raises DamagedWeights where that is not a file of these weights.
    """
    import onnx

    graph = _Graph(read_tensors(folder / WEIGHTS))
    state = graph.convolve("pixels", "_conv_stem", "_bn0", stride=2)
    number, width = 0, 32
    for repeats, _, stride, out in STAGES:
        for place in range(repeats):
            state = graph.block(state, number, stride if place == 0 else 1, width, out)
            number, width = number + 1, out
    state = graph.convolve(state, "_conv_head", "_bn1")
    graph.node("GlobalAveragePool", [state], "pooled")
    graph.node("Flatten", ["pooled"], "features", axis=1)
    graph.node("Gemm", ["features", graph.keep("_fc.weight"), graph.keep("_fc.bias")], "scores", transB=1)
    kind = onnx.TensorProto.FLOAT
    pixels = onnx.helper.make_tensor_value_info("pixels", kind, ["n", 3, SIDE, SIDE])
    ends = [("scores", CLASSES), ("features", FEATURES)]
    outputs = [onnx.helper.make_tensor_value_info(name, kind, ["n", size]) for name, size in ends]
    body = onnx.helper.make_graph(graph.nodes, "efficientnet-lite0", [pixels], outputs, graph.constants)
    model = onnx.helper.make_model(body, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    model.producer_name = "transpose"
    (folder / GRAPH).write_bytes(model.SerializeToString(deterministic=True))
    (folder / WEIGHTS).unlink()


class _Graph:
    """Nodes and constants of the network as they are added."""

    def __init__(self, tensors: dict[str, NDArray[np.generic]]) -> None:
        import numpy as np

        self.tensors = {name: np.asarray(each, np.float32) for name, each in tensors.items()}
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        for name, value in (("zero", 0.0), ("six", 6.0)):
            self.constant(name, np.array(value, np.float32))

    def node(self, kind: str, inputs: Sequence[str], output: str, **settings: int | str | list[int]) -> str:
        """Add one node; its output's name comes back."""
        import onnx

        made = onnx.helper.make_node(kind, list(inputs), [output], name=output)
        made.attribute.extend(onnx.helper.make_attribute(key, settings[key]) for key in sorted(settings))
        self.nodes.append(made)
        return output

    def constant(self, name: str, values: Floats) -> str:
        """Add numbers under a name."""
        import numpy as np
        import onnx

        self.constants.append(onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def keep(self, name: str) -> str:
        """Add one tensor of the file as it is."""
        return self.constant(name, self.tensors[name])

    def convolve(self, state: str, layer: str, normal: str, *, stride: int = 1, act: bool = True) -> str:
        """A convolution with its normalisation folded in, and a ReLU that ends at 6."""
        weight, shift = (self.tensors[f"{layer}.weight"], self.tensors[f"{normal}.bias"])
        scale = self.tensors[f"{normal}.weight"] / (self.tensors[f"{normal}.running_var"] + EPSILON) ** 0.5
        bias = shift - self.tensors[f"{normal}.running_mean"] * scale
        names = [
            self.constant(f"{layer}.weight", weight * scale[:, None, None, None]),
            self.constant(f"{layer}.bias", bias),
        ]
        group = weight.shape[0] if weight.shape[1] == 1 and "depthwise" in layer else 1
        # TensorFlow's way of padding: where it is uneven, one more at the end
        self.node("Conv", [state, *names], layer, strides=[stride, stride], group=group, auto_pad="SAME_UPPER")
        return self.node("Clip", [layer, "zero", "six"], f"{layer}.act") if act else layer

    def block(self, state: str, number: int, stride: int, width: int, out: int) -> str:
        """An inverted bottleneck: wider, each channel by itself, narrower again, added to what came in."""
        name = f"_blocks.{number}."
        inner = state
        if f"{name}_expand_conv.weight" in self.tensors:
            inner = self.convolve(inner, f"{name}_expand_conv", f"{name}_bn0")
        inner = self.convolve(inner, f"{name}_depthwise_conv", f"{name}_bn1", stride=stride)
        inner = self.convolve(inner, f"{name}_project_conv", f"{name}_bn2", act=False)
        return self.node("Add", [inner, state], f"{name}sum") if stride == 1 and width == out else inner
