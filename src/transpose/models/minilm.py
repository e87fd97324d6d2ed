"""all-MiniLM-L6-v2 in ONNX Runtime: sentences as vectors of 384 numbers.

MiniLM (Wang et al. 2020, "MiniLM: Deep Self-Attention Distillation"), 6 layers, trained on sentence pairs with the
method of Sentence-BERT (Reimers and Gurevych 2019). The vector of a text is the mean of its tokens' last states,
scaled to length 1, as sentence-transformers computes it.

The ONNX file that `convert` makes holds the graph only, 25 kB: its weights are the bytes of `model.safetensors` beside
it, referred to as ONNX's external data, so nothing is stored twice. Fused operators of ONNX Runtime do the attention,
the normalisation and the GELU. Texts are sorted by length and run in batches of at most 1,024 tokens: on a CPU larger
batches are slower, because their intermediate values leave the cache.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedWeights

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]
    from tokenizers import Tokenizer

    Matrix = NDArray[np.float32]

SPACE = "all-minilm-l6-v2"
WEIGHTS, GRAPH, VOCABULARY = "model.safetensors", "model.onnx", "tokenizer.json"
LAYERS, WIDTH, HEADS = 6, 384, 12
EPSILON = 1e-12  # of the layer normalisations
WINDOW = 256  # tokens that the model was trained to read at once, with [CLS] and [SEP]
BATCH = 1024  # tokens run at once, padding included
FUSED = "com.microsoft"  # domain of ONNX Runtime's own operators
MEMORY_MB = 250

Window = tuple[int, list[int]]  # which text it is from, and its tokens
Progress = Callable[[int, int], None]  # windows done, windows in all


class MiniLM:
    """The opened model. Texts go in, unit vectors come out."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.tokenizer = _open_tokenizer(folder)
        self.session = _open_session(folder, threads)

    def encode(self, texts: Sequence[str], *, whole: bool = True, progress: Progress | None = None) -> Matrix:
        """Vectors of shape (n, 384), float32, each of length 1.

        A text of more than 256 tokens is read in windows of 256, whose tokens are averaged together; with
        `whole=False` only the first window counts, as in sentence-transformers.
        """
        parts = self.tokenize(texts)
        return self.vectors(parts if whole else [each[:1] for each in parts], progress=progress)

    def tokenize(self, texts: Sequence[str]) -> list[list[list[int]]]:
        """For each text its windows: lists of at most 256 token numbers, [CLS] and [SEP] included."""
        found = self.tokenizer.encode_batch(list(texts))
        return [[each.ids, *(more.ids for more in each.overflowing)] for each in found]

    def vectors(self, texts: Sequence[Sequence[list[int]]], *, progress: Progress | None = None) -> Matrix:
        """Unit vectors (n, 384) of texts that `tokenize` has divided."""
        import numpy as np

        windows = [(owner, tokens) for owner, parts in enumerate(texts) for tokens in parts]
        sums: Matrix = np.zeros((len(texts), WIDTH), np.float32)
        done = 0
        for batch in batches(windows):
            np.add.at(sums, [owner for owner, _ in batch], self._sum(batch))
            done += len(batch)
            if progress:
                progress(done, len(windows))
        units: Matrix = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), EPSILON)
        return units

    def _sum(self, batch: Sequence[Window]) -> Matrix:
        """The sum of the tokens' states of each window, (b, 384).

        Windows of one text add up, and a later scaling to length 1 makes the mean of the sum.
        """
        import numpy as np

        lengths = np.array([len(ids) for _, ids in batch], np.int32)
        tokens = np.zeros((len(batch), int(lengths.max())), np.int32)
        for row, (_, ids) in enumerate(batch):
            tokens[row, : len(ids)] = ids
        (states,) = self.session.run(None, {"tokens": tokens, "lengths": lengths})
        mask = np.arange(tokens.shape[1]) < lengths[:, None]
        summed: Matrix = np.einsum("bth,bt->bh", states, mask.astype(np.float32))
        return summed


def batches(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Windows of like length together, the longest first, at most `BATCH` tokens with padding."""
    batch: list[Window] = []
    for window in sorted(windows, key=lambda window: len(window[1]), reverse=True):
        if batch and len(batch[0][1]) * (len(batch) + 1) > BATCH:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _open_tokenizer(folder: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / VOCABULARY))
    tokenizer.no_padding()
    tokenizer.enable_truncation(WINDOW)
    return tokenizer


def _open_session(folder: Path, threads: int) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(folder / GRAPH), options, providers=["CPUExecutionProvider"])


# -- the graph ---------------------------------------------------------------------------------------------------------


def convert(folder: Path) -> None:
    """Write `model.onnx` for the `model.safetensors` in the same folder; the same bytes every time.

    Raises DamagedWeights where that file is not a safetensors file of this model.
    """
    import onnx

    graph = _Graph(safetensors_index(folder / WEIGHTS))
    states = graph.embed("tokens")
    for layer in range(LAYERS):
        states = graph.layer(states, f"encoder.layer.{layer}.")
    graph.node("Reshape", [states, "shape"], "states")
    tokens = onnx.helper.make_tensor_value_info("tokens", onnx.TensorProto.INT32, ["b", "t"])
    lengths = onnx.helper.make_tensor_value_info("lengths", onnx.TensorProto.INT32, ["b"])
    output = onnx.helper.make_tensor_value_info("states", onnx.TensorProto.FLOAT, ["b", "t", WIDTH])
    body = onnx.helper.make_graph(graph.nodes, SPACE, [tokens, lengths], [output], graph.constants)
    domains = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid(FUSED, 1)]
    model = onnx.helper.make_model(body, opset_imports=domains, ir_version=8)  # fixed, whatever version of onnx this is
    (folder / GRAPH).write_bytes(model.SerializeToString(deterministic=True))


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a float32 tensor lies in a safetensors file: its shape, first byte and number of bytes."""

    shape: tuple[int, ...]
    offset: int
    size: int


def safetensors_index(path: Path) -> dict[str, Tensor]:
    """The float32 tensors of a safetensors file: 8 bytes with the size of a JSON header, the header, then the data."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(size, 2**20)))
        return {
            name: Tensor(tuple(entry["shape"]), 8 + size + entry["data_offsets"][0], _bytes(entry["data_offsets"]))
            for name, entry in header.items()
            if name != "__metadata__" and entry["dtype"] == "F32"
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "Remove the model and pull it again"
        raise DamagedWeights(f"{path.name!r} is not a safetensors file", hint) from error


def _bytes(offsets: list[int]) -> int:
    return offsets[1] - offsets[0]


@dataclass
class _Graph:
    """Nodes and constants of an ONNX graph in the making. Tensors inside the layers have shape (b * t, ...)."""

    index: dict[str, Tensor]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def weight(self, name: str) -> str:
        """A constant whose data lie in the safetensors file."""
        import onnx

        if name not in self.index:
            raise DamagedWeights(f"{WEIGHTS!r} has no tensor {name!r}", "Remove the model and pull it again")
        found = self.index[name]
        tensor = onnx.TensorProto(
            name=name, dims=found.shape, data_type=onnx.TensorProto.FLOAT, data_location=onnx.TensorProto.EXTERNAL
        )
        for key, value in (("location", WEIGHTS), ("offset", str(found.offset)), ("length", str(found.size))):
            tensor.external_data.add(key=key, value=value)
        self.constants.append(tensor)
        return name

    def node(self, operator: str, inputs: list[str], output: str, domain: str = "", **settings: int | float) -> str:
        """Add one operator; answers the name of its output."""
        import onnx

        node = onnx.helper.make_node(operator, inputs, [output], domain=domain)
        node.attribute.extend(onnx.helper.make_attribute(key, value) for key, value in sorted(settings.items()))
        self.nodes.append(node)
        return output

    def linear(self, states: str, name: str, bias: bool = True) -> str:
        """PyTorch's linear layer, weights (out, in)."""
        inputs = [states, self.weight(f"{name}.weight")] + ([self.weight(f"{name}.bias")] if bias else [])
        return self.node("Gemm", inputs, f"{name}.out", transB=1)

    def add_and_norm(self, states: str, skip: str, name: str) -> str:
        """The residual connection and the layer normalisation after it."""
        inputs = [states, skip, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]
        return self.node("SkipLayerNormalization", inputs, f"{name}.out", FUSED, epsilon=EPSILON)

    def embed(self, tokens: str) -> str:
        """Word, position and segment (all zero) embeddings of (b, t) tokens, normalised, as (b * t, 384)."""
        import onnx

        segments = self.node("Sub", [tokens, tokens], "segments")
        tables = [self.weight(f"embeddings.{kind}_embeddings.weight") for kind in ("word", "position", "token_type")]
        norm = [self.weight(f"embeddings.LayerNorm.{kind}") for kind in ("weight", "bias")]
        inputs = [tokens, segments, *tables, *norm]
        named = ["embedded", ""]  # the second output is a mask, which is not needed
        node = onnx.helper.make_node("EmbedLayerNormalization", inputs, named, domain=FUSED, epsilon=EPSILON)
        self.nodes.append(node)
        self.node("Shape", ["embedded"], "shape")
        self.constants.append(onnx.helper.make_tensor("flat", onnx.TensorProto.INT64, [2], [-1, WIDTH]))
        return self.node("Reshape", ["embedded", "flat"], "embedded.flat")

    def layer(self, states: str, name: str) -> str:
        """One transformer layer: attention within each text's length, then two linear layers with GELU between."""
        heads = [
            self.node("Reshape", [self.linear(states, f"{name}attention.self.{each}"), "shape"], f"{name}{each}")
            for each in ("query", "key", "value")
        ]
        inputs = [*heads, "", "lengths"]
        seen = self.node("MultiHeadAttention", inputs, f"{name}seen", FUSED, num_heads=HEADS)
        flat = self.node("Reshape", [seen, "flat"], f"{name}seen.flat")
        mixed = self.linear(flat, f"{name}attention.output.dense")
        middle = self.add_and_norm(mixed, states, f"{name}attention.output.LayerNorm")
        wide = self.linear(middle, f"{name}intermediate.dense", bias=False)
        active = self.node("BiasGelu", [wide, self.weight(f"{name}intermediate.dense.bias")], f"{name}active", FUSED)
        return self.add_and_norm(self.linear(active, f"{name}output.dense"), middle, f"{name}output.LayerNorm")
