"""Real-ESRGAN in ONNX Runtime: pictures with four times as many pixels a side.

Wang et al. 2021, "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data". The weights come
as files of ncnn (a table of layers, then numbers of 16 bits); `convert` writes them as an ONNX graph with the numbers
as they are. Large pictures are worked on in tiles, so that memory does not grow with their size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedWeights
from transpose.models.network import open_onnx

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray

TABLE, NUMBERS, GRAPH = "model.param", "model.bin", "model.onnx"
HALF = 0x01306B47  # before numbers of 16 bits
SCALE = 4
TILE, MARGIN = 128, 16  # pixels of the small picture that are worked on at once, and what is seen around them
MEMORY_MB = 400


class Upscaler:
    """The opened network."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.session = open_onnx(folder / GRAPH, threads)

    def enlarge(
        self, pixels: NDArray[np.uint8], progress: Callable[[int, int], None] = lambda done, total: None
    ) -> NDArray[np.uint8]:
        """RGB (h, w, 3) as (4 h, 4 w, 3), tile by tile."""
        import numpy as np

        height, width = pixels.shape[:2]
        large = np.empty((height * SCALE, width * SCALE, 3), np.uint8)
        tiles = list(tiled(height, width))
        for number, (top, left) in enumerate(tiles):
            progress(number, len(tiles))
            bottom, right = min(height, top + TILE), min(width, left + TILE)
            part = around(pixels, top, left, bottom, right)
            feed = np.ascontiguousarray(part.transpose(2, 0, 1)[None].astype(np.float32) / 255)
            made = self.session.run(None, {"pixels": feed})[0][0].transpose(1, 2, 0)
            inner = made[MARGIN * SCALE : -MARGIN * SCALE, MARGIN * SCALE : -MARGIN * SCALE]
            large[top * SCALE : bottom * SCALE, left * SCALE : right * SCALE] = np.rint(np.clip(inner, 0, 1) * 255)
        return large


def tiled(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Top and left of each tile."""
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            yield top, left


def around(pixels: NDArray[np.uint8], top: int, left: int, bottom: int, right: int) -> NDArray[np.uint8]:
    """A part with `MARGIN` pixels around it, those beyond the edge of the picture mirrored at it."""
    height, width = pixels.shape[:2]
    return pixels[_mirrored(top, bottom, height)][:, _mirrored(left, right, width)]


def _mirrored(start: int, end: int, length: int) -> NDArray[np.int64]:
    """The places from `start` to `end` and the margins, those outside 0..length - 1 mirrored back into it."""
    import numpy as np

    period = max(1, 2 * (length - 1))
    places = np.arange(start - MARGIN, end + MARGIN) % period
    return np.where(places < length, places, period - places)


# -- the graph ---------------------------------------------------------------------------------------------------------


def convert(folder: Path) -> None:
    """Write `model.onnx` for the table and the numbers in the same folder, which go; the same bytes every time.

    Raises DamagedWeights for layers that these networks do not have and for numbers too few or too many.
    """
    import onnx

    try:
        graph = _Graph((folder / NUMBERS).read_bytes())
        lines = (folder / TABLE).read_text(encoding="ascii").splitlines()[2:]
        for line in lines:
            graph.layer(line.split())
        graph.end()
    except (ValueError, KeyError, IndexError, UnicodeDecodeError) as error:
        raise DamagedWeights(f"the network in {folder.name!r} cannot be read: {error}") from None
    kind = onnx.TensorProto.FLOAT
    body = onnx.helper.make_graph(
        graph.nodes,
        "real-esrgan",
        [onnx.helper.make_tensor_value_info("pixels", kind, [1, 3, "h", "w"])],
        [onnx.helper.make_tensor_value_info("large", kind, [1, 3, "4h", "4w"])],
        graph.constants,
    )
    model = onnx.helper.make_model(body, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    model.producer_name = "transpose"
    (folder / GRAPH).write_bytes(model.SerializeToString(deterministic=True))
    (folder / TABLE).unlink()
    (folder / NUMBERS).unlink()


class _Graph:
    """Nodes and constants, made layer by layer from ncnn's table; `data` are the numbers of all layers in a row."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.alias: dict[str, str] = {}  # what a copy is a copy of
        self.last = ""

    def layer(self, words: list[str]) -> None:
        """One line: kind, name, counts of inputs and outputs, their names, settings as number=value."""
        kind, name, ins, outs = words[0], words[1], int(words[2]), int(words[3])
        inputs = [self.alias.get(each, each) for each in words[4 : 4 + ins]]
        outputs = words[4 + ins : 4 + ins + outs]
        settings = dict(word.split("=", 1) for word in words[4 + ins + outs :])
        if kind == "Input":
            self.alias[outputs[0]] = "pixels"
            return
        if kind == "Split":
            self.alias |= dict.fromkeys(outputs, inputs[0])
            return
        makers = {
            "Convolution": self._convolution,
            "PReLU": self._slope,
            "PixelShuffle": self._shuffle,
            "Interp": self._stretch,
            "BinaryOp": self._sum,
            "Eltwise": self._weighted,
            "Concat": self._join,
        }
        makers[kind](name, inputs, outputs[0], settings)
        self.last = outputs[0]

    def end(self) -> None:
        """Name the output and see that every number was used."""
        if self.at != len(self.data):
            raise ValueError("there are more numbers than layers need")
        self._node("Identity", [self.last], "large")

    def _convolution(self, name: str, inputs: list[str], output: str, settings: dict[str, str]) -> None:
        out, side, count = int(settings["0"]), int(settings["1"]), int(settings["6"])
        if int.from_bytes(self._take(4), "little") != HALF:
            raise ValueError("its numbers are not of 16 bits")
        weight = self._numbers(name + ".weight", "<f2", count, (out, count // (out * side * side), side, side))
        bias = self._numbers(name + ".bias", "<f4", out, (out,))
        pad = int(settings.get("4", 0))
        plain = name if settings.get("9") == "2" else output
        self._node("Conv", [inputs[0], weight, bias], plain, pads=[pad] * 4)
        if settings.get("9") == "2":  # a leaky ReLU; its slope stands behind the count: -23310=1,0.2
            self._node("LeakyRelu", [plain], output, alpha=float(settings["-23310"].split(",")[1]))

    def _slope(self, name: str, inputs: list[str], output: str, settings: dict[str, str]) -> None:
        count = int(settings["0"])
        self._node("PRelu", [inputs[0], self._numbers(name + ".slope", "<f4", count, (count, 1, 1))], output)

    def _shuffle(self, name: str, inputs: list[str], output: str, settings: dict[str, str]) -> None:
        self._node("DepthToSpace", inputs, output, blocksize=int(settings["0"]), mode="CRD")

    def _stretch(self, name: str, inputs: list[str], output: str, settings: dict[str, str]) -> None:
        import numpy as np

        if settings["0"] != "1":
            raise ValueError("it stretches in another way than by repeating")
        scales = np.array([1, 1, float(settings["1"]), float(settings["2"])], np.float32)
        self._constant(name + ".scales", scales)
        self._node(
            "Resize",
            [inputs[0], "", name + ".scales"],
            output,
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )

    def _sum(self, name: str, inputs: list[str], output: str, settings: dict[str, str]) -> None:
        if settings.get("0", "0") != "0":
            raise ValueError("it does other sums than adding")
        self._node("Add", inputs, output)

    def _weighted(self, name: str, inputs: list[str], output: str, settings: dict[str, str]) -> None:
        import numpy as np

        if settings["0"] != "1":
            raise ValueError("it does other sums than adding")
        factors = settings.get("-23301", "0").split(",")[1:] or ["1"] * len(inputs)
        scaled = []
        for number, (each, factor) in enumerate(zip(inputs, factors, strict=True)):
            if float(factor) != 1:
                self._constant(f"{name}.{number}", np.array(float(factor), np.float32))
                each = self._node("Mul", [each, f"{name}.{number}"], f"{name}.{number}.scaled")
            scaled.append(each)
        self._node("Add", scaled, output)

    def _join(self, name: str, inputs: list[str], output: str, settings: dict[str, str]) -> None:
        self._node("Concat", inputs, output, axis=1)

    def _take(self, count: int) -> bytes:
        found = self.data[self.at : self.at + count]
        if len(found) < count:
            raise ValueError("there are fewer numbers than layers need")
        self.at += count
        return found

    def _numbers(self, name: str, kind: str, count: int, shape: tuple[int, ...]) -> str:
        """The next numbers as a constant of 32 bits; those of 16 are kept so and widened when the network is opened."""
        import numpy as np

        size = np.dtype(kind).itemsize * count
        values = np.frombuffer(self._take(size + -size % 4)[:size], kind).reshape(shape)
        self._constant(name, values)
        return self._node("Cast", [name], name + ".wide", to=1) if kind == "<f2" else name

    def _constant(self, name: str, values: NDArray[np.generic]) -> None:
        import onnx

        self.constants.append(onnx.numpy_helper.from_array(values, name))

    def _node(self, kind: str, inputs: list[str], output: str, **settings: int | float | str | list[int]) -> str:
        import onnx

        made = onnx.helper.make_node(kind, inputs, [output], name=output)
        made.attribute.extend(onnx.helper.make_attribute(key, settings[key]) for key in sorted(settings))
        self.nodes.append(made)
        return output
