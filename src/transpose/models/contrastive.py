"""Pictures and words as unit vectors of one space: a pair of small networks in ONNX Runtime, without torch.

The pair is taught by `transpose.learn.contrastive`. The picture's network reads 32 x 32 pixels; the text's reads the
sentence vector of MiniLM. The closer a picture's vector is to a text's, the likelier the text says what it shows.
`weights.safetensors` holds float16 numbers; `convert` writes the graphs, `picture.onnx` and `text.onnx`, which refer to
them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.core.errors import DamagedWeights, EmptyInput
from transpose.media.image import Image, on_white
from transpose.media.pixels import at_most
from transpose.models.network import open_onnx
from transpose.models.onnx_graph import HINT, Graph, port, read_tensor, safetensors_index

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

CARD = "picture-text"
WEIGHTS, SETTINGS, PICTURE, TEXT_GRAPH = "weights.safetensors", "settings.json", "picture.onnx", "text.onnx"
SIDE, TEXT = 32, 384  # pixels a side; numbers of a sentence vector
NAMES = "names"  # the tensor with the vectors of the names that settings.json lists
LARGEST = 4096  # pixels a side of the square that a picture is put on
MOST = 8  # stages: beyond it a file is damaged or hostile
MEMORY_MB = 40
LOW = 0.5  # a share below which names are more often wrong than right, on icons of a set never seen


@dataclass(frozen=True, slots=True)
class Facts:
    """What settings.json says: stages of the picture's network, width of the space, scale of cosines, names."""

    stages: int
    space: int
    scale: float
    names: tuple[str, ...]  # what a picture may be said to show


class PictureText:
    """The opened pair."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.facts = read_facts(folder)
        index = safetensors_index(folder / WEIGHTS)
        if NAMES not in index or index[NAMES].shape != (len(self.facts.names), self.facts.space):
            raise DamagedWeights(f"{WEIGHTS!r} of {folder.name!r} has not one vector for each name", HINT)
        self.names = read_tensor(folder / WEIGHTS, index[NAMES])  # (n, space)
        self.picture = open_onnx(folder / PICTURE, threads)
        self.text = open_onnx(folder / TEXT_GRAPH, threads)

    def see(self, pictures: Sequence[NDArray[np.uint8]]) -> Matrix:
        """Unit vectors (n, space) of RGB pictures (h, w, 3), any sizes."""
        import numpy as np

        if not pictures:
            return np.zeros((0, self.facts.space), np.float32)
        seen = np.stack([squared(each) for each in pictures])
        (found,) = self.picture.run(None, {"pictures": seen})
        vectors: Matrix = found
        return vectors

    def name(self, pictures: Sequence[NDArray[np.uint8]]) -> Matrix:
        """How likely each of `facts.names` says what a picture shows: shares (pictures, names), rows of sum 1."""
        import numpy as np

        scores = self.facts.scale * self.see(pictures) @ self.names.T
        powers = np.exp(scores - scores.max(1, keepdims=True, initial=-np.inf))
        shares: Matrix = powers / powers.sum(1, keepdims=True)
        return shares

    def read(self, sentences: Matrix) -> Matrix:
        """Unit vectors (n, space) of the sentence vectors (n, 384) that MiniLM gives for texts."""
        import numpy as np

        (found,) = self.text.run(None, {"sentences": np.ascontiguousarray(sentences, np.float32)})
        vectors: Matrix = found
        return vectors


def name_icon(image: Image, ctx: Context) -> tuple[tuple[str, ...], Matrix]:
    """The names that the pair knows, and the share of each (names,). Raises EmptyInput for a picture without pixels."""
    import numpy as np

    if 0 in image.pixels.shape:
        raise EmptyInput("the picture has no pixels", "Look at the step before")
    folder = ctx.model(CARD)
    model = ctx.load(CARD, lambda: PictureText(folder, ctx.threads), MEMORY_MB)
    return model.facts.names, model.name([np.ascontiguousarray(on_white(image.pixels))])[0]


def squared(pixels: NDArray[np.uint8]) -> Matrix:
    """RGB (h, w, 3) as the network sees it: on a white square, 32 pixels a side, (3, 32, 32) in 0..1."""
    import numpy as np
    from PIL import Image as Pillow

    if max(pixels.shape) > LARGEST:  # the square of a banner of 40,000 x 20 pixels would not fit into memory
        pixels = at_most(pixels, LARGEST)
    height, width = pixels.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), 255, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = pixels
    filtering = Pillow.Resampling.BOX if side >= SIDE else Pillow.Resampling.BICUBIC
    small = Pillow.fromarray(square).resize((SIDE, SIDE), filtering)
    return np.ascontiguousarray(np.asarray(small, np.float32).transpose(2, 0, 1) / 255)


def read_facts(folder: Path) -> Facts:
    """The settings of a pair. Raises DamagedWeights where they cannot be used."""
    try:
        data = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        facts = Facts(
            int(data["stages"]), int(data["space"]), float(data["scale"]), tuple(str(name) for name in data["names"])
        )
        ours = data["version"] == 1 and data["side"] == SIDE
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedWeights(f"{SETTINGS!r} of {folder.name!r} cannot be read: {error}", HINT) from error
    if not ours or not 1 <= facts.stages <= MOST or not 1 <= facts.space <= 4096:
        raise DamagedWeights(f"{SETTINGS!r} of {folder.name!r} is not of a pair that this release runs", HINT)
    return facts


# -- the graphs --------------------------------------------------------------------------------------------------------


def convert(folder: Path) -> None:
    """Write `picture.onnx` and `text.onnx` for the weights and settings beside them; the same bytes every time.

    Raises DamagedWeights where these cannot be used or do not fit one another.
    """
    facts, index = read_facts(folder), safetensors_index(folder / WEIGHTS)
    (folder / PICTURE).write_bytes(_draw_picture(_Drawing(WEIGHTS, index), facts))
    (folder / TEXT_GRAPH).write_bytes(_draw_text(_Drawing(WEIGHTS, index), facts))


class _Drawing(Graph):
    """A graph in the making."""

    def convolution(self, states: str, name: str, step: int = 1, active: bool = True) -> str:
        """3 x 3 with a bias, then ReLU."""
        inputs = [states, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]
        made = self.node("Conv", inputs, f"{name}.out", pads=[1] * 4, strides=[step, step])
        return self.node("Relu", [made], f"{name}.active") if active else made

    def unit(self, states: str, output: str) -> None:
        """Vectors (b, D) at length 1."""
        self.node("LpNormalization", [states], output, axis=1, p=2)


def _draw_picture(graph: _Drawing, facts: Facts) -> bytes:
    """pictures (b, 3, 32, 32) in 0..1 -> vectors (b, D)."""
    import numpy as np

    doubled = graph.node("Mul", ["pictures", graph.constant("two", np.array(2, np.float32))], "doubled")
    centred = graph.node("Sub", [doubled, graph.constant("one", np.array(1, np.float32))], "centred")
    states = graph.convolution(centred, "stem", step=2)
    for number in range(facts.stages):
        name = f"stages.{number}."
        states = graph.convolution(states, f"{name}down", step=2)
        changed = graph.convolution(graph.convolution(states, f"{name}first"), f"{name}second", active=False)
        states = graph.node("Relu", [graph.node("Add", [states, changed], f"{name}sum")], f"{name}end")
    flat = graph.node("ReduceMean", [states], "mean", axes=[2, 3], keepdims=0)
    graph.unit(graph.linear(flat, "picture"), "vectors")
    ports = [port("pictures", "b", 3, SIDE, SIDE)], [port("vectors", "b", facts.space)]
    return graph.model("picture to vector", *ports)


def _draw_text(graph: _Drawing, facts: Facts) -> bytes:
    """sentences (b, 384) -> vectors (b, D)."""
    wide = graph.node("Relu", [graph.linear("sentences", "text_in")], "wide")
    graph.unit(graph.linear(wide, "text_out"), "vectors")
    return graph.model("text to vector", [port("sentences", "b", TEXT)], [port("vectors", "b", facts.space)])
