"""The diffusion transformer as an ONNX graph, made on this machine from `weights.safetensors` and `settings.json`.

The network is the one of `transpose.learn.dit` (DiT, Peebles and Xie 2023; shared modulation, Chen et al. 2023), with
the same names of weights. Fused operators of ONNX Runtime do the attention and the GELU. What does not depend on an
input (1 + the scales of a table, positions + the empty condition) is written as operators on constants, which ONNX
Runtime computes once when it opens the graph.

Shapes: b batch, free; C channels, H x W pixels, p patches, L condition tokens, n = L + p, D dim. Linear layers run on
rows (b * n, D), all others on (b, n, D).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedWeights
from transpose.models.diffusion.settings import HINT, SETTINGS, Shape, read_settings
from transpose.models.onnx_graph import FUSED, Graph, Tensor, port, safetensors_index

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WEIGHTS, GRAPH = "weights.safetensors", "denoiser.onnx"
WAVES = 256  # sines and cosines that the time becomes
SLOWEST = 10_000  # ratio of the fastest and the slowest of them
TIME = 1000.0  # the time, 0 to 1, is multiplied by this
EPSILON = 1e-6  # of the layer normalisations
PARTS = ("shift", "scale", "gate", "shift_mlp", "scale_mlp", "gate_mlp")  # what a moment says to a block


def convert(folder: Path) -> None:
    """Write `denoiser.onnx` for the weights and settings in the same folder; the same bytes every time.

    Raises DamagedWeights where one of them cannot be used, or where they do not fit one another.
    """
    shape = read_settings(folder / SETTINGS).network
    (folder / GRAPH).write_bytes(draw(shape, safetensors_index(folder / WEIGHTS)))


def draw(shape: Shape, index: Mapping[str, Tensor], changed: Mapping[str, NDArray[np.float32]] | None = None) -> bytes:
    """The bytes of the graph of a network whose weights lie as `index` says; those in `changed` it holds itself.

    Raises DamagedWeights where weights are missing or of another network.
    """
    check(shape, index)
    return Drawing(shape, index, changed or {}).finish()


def sizes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """The shape of every weight of a network, by name."""
    dim, middle, patch = shape.dim, shape.middle, shape.patch_size
    linear = {"patch": (dim, patch), "cond": (dim, shape.cond_dim), "time_in": (dim, WAVES), "time_out": (dim, dim)}
    linear |= {"mean": (dim, shape.cond_dim), "modulation": (6 * dim, dim)}
    linear |= {"last_modulation": (2 * dim, dim), "last": (patch, dim)}
    if shape.aligned:
        linear["aligned"] = (dim, shape.cond_dim)
    block = {"qkv": (3 * dim, dim), "out": (dim, dim), "up": (middle, dim), "down": (dim, middle)}
    numbers = range(shape.depth)
    linear |= {f"blocks.{number}.{name}": size for number in numbers for name, size in block.items()}
    found: dict[str, tuple[int, ...]] = {f"{name}.weight": size for name, size in linear.items()}
    found |= {f"{name}.bias": (rows,) for name, (rows, _) in linear.items()}
    found |= {f"blocks.{number}.table": (6, dim) for number in numbers}
    if shape.near:
        found |= {f"blocks.{number}.near.weight": (dim, 1, shape.near) for number in numbers}
        found |= {f"blocks.{number}.near.bias": (dim,) for number in numbers}
    return found | {"positions": (shape.patches, dim), "cond_positions": (shape.words, dim), "empty": (dim,)}


def check(shape: Shape, index: Mapping[str, Tensor]) -> None:
    """See that a file's weights are those of a network. Raises DamagedWeights where one is missing or of wrong size."""
    for name, size in sizes(shape).items():
        if name not in index:
            raise DamagedWeights(f"{WEIGHTS!r} has no tensor {name!r}", HINT)
        if index[name].shape != size:
            what = f"has {name!r} of {index[name].shape}, and {SETTINGS!r} means {size}"
            raise DamagedWeights(f"{WEIGHTS!r} {what}", HINT)


class Drawing(Graph):
    """The graph in the making."""

    def __init__(self, shape: Shape, index: Mapping[str, Tensor], changed: Mapping[str, NDArray[np.float32]]) -> None:
        super().__init__(WEIGHTS, index, changed)
        self.shape = shape
        self.whole("rows", -1, shape.dim)
        self.whole("parts", shape.words, shape.patches)
        self.whole("tokens", -1, shape.words + shape.patches, shape.dim)

    def finish(self) -> bytes:
        """Draw everything."""
        import numpy as np

        shape, dim = self.shape, self.shape.dim
        self.constant("ones", np.ones(dim, np.float32))
        self.constant("zeros", np.zeros(dim, np.float32))
        self.constant("scales", np.array([[0], [1], [0]] * 2, np.float32))  # 1 for the rows of a table that scale
        self.split()
        moment = self.moment()
        shared = self.reshape(self.linear(moment, "modulation"), "shared", -1, 6, dim)
        tokens = self.node("Concat", [self.words(), self.patches()], "start", axis=1)
        normal = self.normalise(tokens, "normal")
        for number in range(shape.depth):
            tokens, normal = self.block(tokens, normal, shared, f"blocks.{number}.")
        return self.end(normal, moment)

    def reshape(self, value: str, name: str, *sizes: int) -> str:
        """The same numbers in another shape; 0 keeps a size, -1 is what remains."""
        return self.node("Reshape", [value, self.whole(f"{name}.shape", *sizes)], name)

    def silu(self, value: str) -> str:
        """x * sigmoid(x)."""
        return self.node("Mul", [value, self.node("Sigmoid", [value], f"{value}.sigmoid")], f"{value}.silu")

    def split(self) -> None:
        """Part the condition tokens that are words from those that are added to the patches, (b, p, Dc)."""
        shape = self.shape
        self.whole("axis", 1)
        self.cond, self.mask = "cond", "mask"
        if shape.aligned:
            sizes = self.whole("cond.sizes", shape.words, shape.aligned)
            for each in ("cond", "mask"):
                self.nodes_out("Split", [each, sizes], [f"{each}.words", f"{each}.aligned"], axis=1)
            self.cond, self.mask = "cond.words", "mask.words"

    def moment(self) -> str:
        """Time and the mean of the condition as one vector, (b, D)."""
        import numpy as np

        half = WAVES // 2
        rates = np.exp(-np.log(SLOWEST) * np.arange(half) / half).astype(np.float32)
        time = self.node("Mul", ["t", self.constant("unit", np.array(TIME, np.float32))], "time")
        column = self.reshape(time, "column", -1, 1)
        angles = self.node("Mul", [column, self.constant("rates", rates)], "angles")  # (b, 128)
        both = [self.node(each, [angles], each.lower()) for each in ("Cos", "Sin")]
        waves = self.node("Concat", both, "waves", axis=1)
        late = self.linear(self.silu(self.linear(waves, "time_in")), "time_out")
        self.reshape(self.mask, "seen", 0, 0, 1)  # (b, L, 1)
        kept = self.node("Mul", ["seen", self.cond], "kept")
        total = self.node("ReduceSum", [kept, "axis"], "total", keepdims=0)  # (b, Dc)
        count = self.node("ReduceSum", [self.mask, "axis"], "count", keepdims=1)  # (b, 1)
        some = self.node("Max", [count, self.constant("one", np.array(1, np.float32))], "some")
        mean = self.linear(self.node("Div", [total, some], "average"), "mean")
        return self.silu(self.node("Add", [late, mean], "moment"))

    def words(self) -> str:
        """The condition tokens, (b, L, D): seen * (cond W + bias - empty) + empty + positions."""
        shape = self.shape
        empty = self.weight("empty")
        bias = self.node("Sub", [self.weight("cond.bias"), empty], "cond.bias.beyond")
        rows = self.reshape(self.cond, "cond.rows", -1, shape.cond_dim)
        beyond = self.node("Gemm", [rows, self.weight("cond.weight"), bias], "beyond", transB=1)
        told = self.node("Mul", ["seen", self.reshape(beyond, "told", -1, shape.words, shape.dim)], "words.told")
        base = self.node("Add", [self.weight("cond_positions"), empty], "words.base")
        return self.node("Add", [told, base], "words")

    def patches(self) -> str:
        """The picture as tokens, (b, p, D)."""
        shape = self.shape
        (rows, columns), (height, width) = shape.grid, shape.patch
        cut = self.reshape("x", "cut", 0, shape.channels, rows, height, columns, width)
        turned = self.node("Transpose", [cut], "cut.turned", perm=[0, 2, 4, 1, 3, 5])
        drawn = self.linear(self.reshape(turned, "cut.rows", -1, shape.patch_size), "patch")
        placed = self.reshape(drawn, "patches.bare", -1, shape.patches, shape.dim)
        if not shape.aligned:
            return self.node("Add", [placed, self.weight("positions")], "patches")
        seen = self.node("Mul", ["cond.aligned", self.reshape("mask.aligned", "seen.aligned", 0, 0, 1)], "kept.aligned")
        said = self.linear(self.reshape(seen, "aligned.in", -1, shape.cond_dim), "aligned")
        known = self.reshape(said, "patches.said", -1, shape.patches, shape.dim)
        placed = self.node("Add", [placed, known], "patches.known")
        return self.node("Add", [placed, self.weight("positions")], "patches")

    def mixed(self, tokens: str, name: str) -> tuple[str, str]:
        """The tokens whose patches have heard of their neighbours, and their normalised form."""
        shape = self.shape
        parts = [f"{name}words", f"{name}patches"]
        self.nodes_out("Split", [tokens, "parts"], parts, axis=1)
        channels = self.node("Transpose", [parts[1]], f"{name}patches.turned", perm=[0, 2, 1])  # (b, D, p)
        weights = [self.weight(f"{name}near.{each}") for each in ("weight", "bias")]
        edge = shape.near // 2
        heard = self.node("Conv", [channels, *weights], f"{name}heard", group=shape.dim, pads=[edge, edge])
        back = self.node("Transpose", [heard], f"{name}heard.turned", perm=[0, 2, 1])
        total = self.node("Add", [parts[1], back], f"{name}patches.mixed")
        tokens = self.node("Concat", [parts[0], total], f"{name}mixed", axis=1)
        return tokens, self.normalise(tokens, f"{name}mixed.normal")

    def block(self, tokens: str, normal: str, shared: str, name: str) -> tuple[str, str]:
        """One block on the tokens and their normalised form; so is the answer."""
        if self.shape.near:
            tokens, normal = self.mixed(tokens, name)
        table = self.node("Add", [self.weight(f"{name}table"), "scales"], f"{name}table.scales")
        told = self.node("Add", [shared, table], f"{name}told")
        parts = [f"{name}{part}" for part in PARTS]
        self.nodes_out("Split", [told], parts, axis=1)  # each (b, 1, D)
        shift, scale, gate, shift_mlp, scale_mlp, gate_mlp = parts
        seen = self.linear(self.attend(self.modulate(normal, shift, scale), name), f"{name}out")
        tokens, normal = self.add(tokens, seen, gate, f"{name}middle")
        wide = self.linear(self.modulate(normal, shift_mlp, scale_mlp), f"{name}up", bias=False)
        active = self.node("BiasGelu", [wide, self.weight(f"{name}up.bias")], f"{name}active", FUSED)
        return self.add(tokens, self.linear(active, f"{name}down"), gate_mlp, f"{name}end")

    def modulate(self, normal: str, shift: str, scale: str) -> str:
        """Normalised tokens, scaled and shifted, as rows."""
        scaled = self.node("Mul", [normal, scale], f"{scale}.done")
        return self.node("Reshape", [self.node("Add", [scaled, shift], f"{shift}.done"), "rows"], f"{shift}.rows")

    def attend(self, rows: str, name: str) -> str:
        """Self-attention without its last linear layer, on rows."""
        dim = self.shape.dim
        heads = []
        for place, part in enumerate(("query", "key", "value")):
            flat = self.part(rows, f"{name}qkv", slice(place * dim, (place + 1) * dim), f"{name}{part}")
            heads.append(self.node("Reshape", [flat, "tokens"], f"{name}{part}"))
        seen = self.node("MultiHeadAttention", heads, f"{name}seen", FUSED, num_heads=self.shape.heads)
        return self.node("Reshape", [seen, "rows"], f"{name}seen.rows")

    def part(self, rows: str, layer: str, own: slice, label: str) -> str:
        """Some of the outputs of a linear layer."""
        weights = [self.weight(f"{layer}.{each}", f"{label}.{each}", own) for each in ("weight", "bias")]
        return self.node("Gemm", [rows, *weights], f"{label}.rows", transB=1)

    def add(self, tokens: str, change: str, gate: str, name: str) -> tuple[str, str]:
        """The residual sum of the tokens and a gated change (rows), and its normalised form."""
        gated = self.node("Mul", [self.node("Reshape", [change, "tokens"], f"{name}.change"), gate], f"{name}.gated")
        total = self.node("Add", [tokens, gated], f"{name}.sum")
        return total, self.normalise(total, f"{name}.normal")

    def normalise(self, tokens: str, name: str) -> str:
        """Layer normalisation without weights.

        On rows, so that ONNX Runtime does not join it with the sum before it: its joined operator is 8 times slower.
        """
        rows = self.node("Reshape", [tokens, "rows"], f"{name}.in")
        normal = self.node("LayerNormalization", [rows, "ones", "zeros"], f"{name}.rows", epsilon=EPSILON)
        return self.node("Reshape", [normal, "tokens"], name)

    def end(self, normal: str, moment: str) -> bytes:
        """From the last tokens to the picture, and the model."""
        import numpy as np

        shape = self.shape
        (rows, columns), (height, width) = shape.grid, shape.patch
        told = self.reshape(self.linear(moment, "last_modulation"), "last.both", -1, 2, shape.dim)
        self.nodes_out("Split", [told], ["last.shift", "last.bare"], axis=1)
        scale = self.node("Add", ["last.bare", self.constant("unity", np.array(1, np.float32))], "last.scale")
        bounds = [self.whole(f"last.{name}", value) for name, value in (("from", shape.words), ("to", 2**31))]
        kept = self.node("Slice", [normal, *bounds, "axis"], "last.kept")  # (b, p, D)
        drawn = self.linear(self.modulate(kept, "last.shift", scale), "last")
        cut = self.reshape(drawn, "last.cut", -1, rows, columns, shape.channels, height, width)
        turned = self.node("Transpose", [cut], "last.turned", perm=[0, 3, 1, 4, 2, 5])
        size = (shape.channels, shape.height, shape.width)
        self.reshape(turned, "v", -1, *size)
        condition = [port("cond", "b", shape.cond_tokens, shape.cond_dim), port("mask", "b", shape.cond_tokens)]
        inputs = [port("x", "b", *size), port("t", "b"), *condition]
        return self.model("diffusion transformer", inputs, [port("v", "b", *size)])
