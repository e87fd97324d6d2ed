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

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.models.onnx_graph import FUSED, Graph, port, safetensors_index

if TYPE_CHECKING:
    import numpy as np
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
    graph = Graph(WEIGHTS, safetensors_index(folder / WEIGHTS))
    states = _embed(graph, "tokens")
    for layer in range(LAYERS):
        states = _layer(graph, states, f"encoder.layer.{layer}.")
    graph.node("Reshape", [states, "shape"], "states")
    inputs = [port("tokens", "b", "t", whole=True), port("lengths", "b", whole=True)]
    (folder / GRAPH).write_bytes(graph.model(SPACE, inputs, [port("states", "b", "t", WIDTH)]))


def _embed(graph: Graph, tokens: str) -> str:
    """Word, position and segment (all zero) embeddings of (b, t) tokens, normalised, as (b * t, 384)."""
    segments = graph.node("Sub", [tokens, tokens], "segments")
    tables = [graph.weight(f"embeddings.{kind}_embeddings.weight") for kind in ("word", "position", "token_type")]
    norm = [graph.weight(f"embeddings.LayerNorm.{kind}") for kind in ("weight", "bias")]
    inputs, outputs = [tokens, segments, *tables, *norm], ["embedded", ""]  # the second is a mask, not needed
    graph.nodes_out("EmbedLayerNormalization", inputs, outputs, FUSED, epsilon=EPSILON)
    graph.node("Shape", ["embedded"], "shape")
    return graph.node("Reshape", ["embedded", graph.whole("flat", -1, WIDTH)], "embedded.flat")


def _layer(graph: Graph, states: str, name: str) -> str:
    """One transformer layer: attention within each text's length, then two linear layers with GELU between.

    Tensors inside have shape (b * t, ...).
    """
    heads = [
        graph.node("Reshape", [graph.linear(states, f"{name}attention.self.{each}"), "shape"], f"{name}{each}")
        for each in ("query", "key", "value")
    ]
    seen = graph.node("MultiHeadAttention", [*heads, "", "lengths"], f"{name}seen", FUSED, num_heads=HEADS)
    flat = graph.node("Reshape", [seen, "flat"], f"{name}seen.flat")
    mixed = graph.linear(flat, f"{name}attention.output.dense")
    middle = _add_and_norm(graph, mixed, states, f"{name}attention.output.LayerNorm")
    wide = graph.linear(middle, f"{name}intermediate.dense", bias=False)
    active = graph.node("BiasGelu", [wide, graph.weight(f"{name}intermediate.dense.bias")], f"{name}active", FUSED)
    return _add_and_norm(graph, graph.linear(active, f"{name}output.dense"), middle, f"{name}output.LayerNorm")


def _add_and_norm(graph: Graph, states: str, skip: str, name: str) -> str:
    """The residual connection and the layer normalisation after it."""
    inputs = [states, skip, graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias")]
    return graph.node("SkipLayerNormalization", inputs, f"{name}.out", FUSED, epsilon=EPSILON)
