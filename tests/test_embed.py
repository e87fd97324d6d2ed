"""Embeddings: their files, and the model itself."""

from __future__ import annotations

import hashlib
import json
import tomllib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from transpose.core.context import Context, Many
from transpose.core.errors import DamagedInput, DamagedWeights, EmptyInput, MislabelledInput, TransformError
from transpose.formats.vectors import read_json_embeddings, read_npy, write_json_embeddings, write_npy
from transpose.media import embedding
from transpose.media.embedding import Embedding
from transpose.media.schema import held
from transpose.media.text import Text
from transpose.models.minilm import BATCH, GRAPH, SPACE, WEIGHTS, MiniLM, batches, convert
from transpose.models.onnx_graph import safetensors_index
from transpose.transforms.embed import embed

numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
vectors = arrays(np.float32, st.integers(1, 8), elements=numbers)
matrices = arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 8)), elements=numbers)


def many(matrix: np.ndarray[tuple[int, ...], np.dtype[np.float32]], space: str) -> Many[Embedding]:
    return Many(lambda: (Embedding(row, space) for row in matrix), len(matrix))


@given(vectors, st.text())
@settings(deadline=None)
def test_the_store_gives_the_same_back(
    tmp_path_factory: pytest.TempPathFactory, vector: np.ndarray[tuple[int], np.dtype[np.float32]], space: str
) -> None:
    path = tmp_path_factory.mktemp("t") / "x.npz"
    space = space.encode("utf-8", "replace").decode()
    embedding.save(Embedding(vector, space), path)
    assert embedding.load(path) == Embedding(vector, space)
    assert embedding.load(path) != Embedding(vector, space + "x")


@given(matrices)
@settings(deadline=None)
def test_files_give_the_same_vectors_back(
    tmp_path_factory: pytest.TempPathFactory, matrix: np.ndarray[tuple[int, int], np.dtype[np.float32]]
) -> None:
    folder = tmp_path_factory.mktemp("t")
    given_ = list(many(matrix, "s"))
    write_json_embeddings(many(matrix, "s"), folder / "x.json", Context(history='{"a":1}'))
    assert list(read_json_embeddings(folder / "x.json", Context())) == given_
    assert json.loads((folder / "x.json").read_text())["history"] == {"a": 1}
    assert held(folder / "x.json") == "embedding"
    ctx = Context()
    write_npy(many(matrix, "s"), folder / "x.npy", ctx)
    assert "space, s" in ctx.warnings[0]
    assert np.load(folder / "x.npy").shape == (matrix.shape if len(matrix) > 1 else matrix.shape[1:])
    assert list(read_npy(folder / "x.npy", Context(), space="s")) == given_


def test_a_space_that_nobody_names_is_unknown(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(3))
    ctx = Context()
    assert list(read_npy(tmp_path / "x.npy", ctx)) == [Embedding(np.arange(3, dtype=np.float32), "unknown")]
    assert "-o space=NAME" in ctx.warnings[0]


def test_different_spaces_do_not_go_into_one_file(tmp_path: Path) -> None:
    one, two = Embedding(np.ones(3, np.float32), "a"), Embedding(np.ones(3, np.float32), "b")
    for write in (write_npy, write_json_embeddings):
        with pytest.raises(TransformError):
            write(Many(lambda: iter([one, two])), tmp_path / "x.npy", Context())


def test_bad_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"

    def refused(error: type[Exception]) -> None:
        with pytest.raises(error, match=r"x\.npy"):
            read_npy(path, Context())

    path.write_bytes(b"words")
    refused(MislabelledInput)
    for array in (np.ones((2, 2, 2)), np.array(["a"]), np.float32(1)):
        np.save(path, array)
        refused(MislabelledInput)
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    refused(DamagedInput)
    np.save(path, np.array([1.0, np.nan]))
    refused(DamagedInput)
    np.save(path, np.array([1e300]))
    refused(DamagedInput)
    np.save(path, np.ones(100))
    path.write_bytes(path.read_bytes()[:200])
    refused(DamagedInput)
    np.save(path, np.ones((0, 3)))
    refused(EmptyInput)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ('{"schema": "transpose.text/1", "text": "a"}', MislabelledInput),
        ("[[1, 2]]", MislabelledInput),
        ('{"schema": "transpose.embeddings/1", "space": "s"}', DamagedInput),
        ('{"schema": "transpose.embeddings/1", "space": "s", "vectors": [[1], [1, 2]]}', DamagedInput),
        ('{"schema": "transpose.embeddings/1", "space": "s", "vectors": [["a"]]}', DamagedInput),
        ('{"schema": "transpose.embeddings/1", "space": "", "vectors": [[1]]}', DamagedInput),
        ('{"schema": "transpose.embeddings/1", "space": "s", "vectors": [[]]}', EmptyInput),
    ],
)
def test_other_json_is_refused(tmp_path: Path, source: str, error: type[Exception]) -> None:
    (tmp_path / "x.json").write_text(source)
    with pytest.raises(error, match=r"x\.json"):
        read_json_embeddings(tmp_path / "x.json", Context())


@given(st.lists(st.integers(2, 256), max_size=80))
def test_batches_hold_every_window_once_within_the_limit(lengths: list[int]) -> None:
    windows = [(owner, [0] * length) for owner, length in enumerate(lengths)]
    found = list(batches(windows))
    assert sorted(owner for batch in found for owner, _ in batch) == list(range(len(lengths)))
    assert all(len(batch) * max(len(tokens) for _, tokens in batch) <= BATCH for batch in found)


@pytest.mark.parametrize("data", [b"", b"\x05\0\0\0\0\0\0\0hello", b"\x02\0\0\0\0\0\0\0[]", b"\xff" * 40])
def test_damaged_weights_are_said(tmp_path: Path, data: bytes) -> None:
    (tmp_path / WEIGHTS).write_bytes(data)
    with pytest.raises(DamagedWeights):
        convert(tmp_path)


def test_weights_of_another_model_are_said(tmp_path: Path) -> None:
    header = b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'
    (tmp_path / WEIGHTS).write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0\0\0")
    with pytest.raises(DamagedWeights, match="word_embeddings"):
        convert(tmp_path)


# -- the model ---------------------------------------------------------------------------------------------------------


def vectors_of(texts: list[str], ctx: Context) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    found = embed([Text(text) for text in texts], ctx)
    return [each.vector for each in found if isinstance(each, Embedding)]


@pytest.mark.models
def test_the_graph_is_the_same_every_time_and_as_on_the_card(models_ctx: Context, tmp_path: Path) -> None:
    folder = models_ctx.model("minilm")
    (tmp_path / WEIGHTS).symlink_to(folder / WEIGHTS)
    convert(tmp_path)
    card = tomllib.loads(files("transpose.models.cards").joinpath("minilm.toml").read_text())
    hashes = {file["path"]: file["sha256"] for file in card["files"]}
    assert hashlib.sha256((tmp_path / GRAPH).read_bytes()).hexdigest() == hashes[GRAPH]


@pytest.mark.models
def test_vectors_are_what_the_layers_say(models_ctx: Context) -> None:
    """Against the model written out in NumPy, float64, without any fused operator."""
    folder = models_ctx.model("minilm")
    model = MiniLM(folder)
    texts = ["A cat sat on the mat.", "Interest rates rose again in March, said the bank's president.", "Yes"]
    ours = model.encode(texts)
    for text, vector in zip(texts, ours, strict=True):
        wanted = by_hand(folder, model.tokenize([text])[0][0])
        assert float(vector @ wanted) > 0.99999


@pytest.mark.models
def test_the_order_is_kept_and_meaning_is_near(models_ctx: Context) -> None:
    texts = ["A kitten sleeps on the rug.", "x" * 300, "The bank raised its interest rates.", "A cat lies on a carpet."]
    together, alone = vectors_of(texts, models_ctx), [vectors_of([text], models_ctx)[0] for text in texts]
    assert all(float(a @ b) > 0.9999 for a, b in zip(together, alone, strict=True))
    kitten, _, bank, cat = together
    assert kitten @ cat > 0.5 > bank @ cat
    assert all(abs(np.linalg.norm(vector) - 1) < 1e-5 for vector in together)


@pytest.mark.models
def test_a_long_text_is_read_to_its_end_and_said(models_ctx: Context) -> None:
    long = "The ferry leaves the harbour at noon. " * 60
    end = long + "Bread rises because yeast eats sugar. " * 60
    first, whole, bread = vectors_of([long, end, "How to bake a loaf"], models_ctx)
    assert whole @ bread > first @ bread + 0.1
    assert "2 of 3 texts are longer" in models_ctx.warnings[0]


@pytest.mark.models
def test_markup_does_not_count_and_no_words_are_an_error_in_their_place(models_ctx: Context) -> None:
    found = embed([Text("# A *cat*", "markdown"), Text("\n"), Text("A cat")], models_ctx)
    assert isinstance(found[1], EmptyInput)
    assert isinstance(found[0], Embedding)
    assert isinstance(found[2], Embedding)
    assert found[0].space == SPACE
    assert float(found[0].vector @ found[2].vector) > 0.99999
    assert isinstance(embed([Text("")], models_ctx)[0], EmptyInput)


Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def by_hand(folder: Path, tokens: list[int]) -> Array:
    """BERT's encoder after Devlin et al. 2018, for one text: the unit vector of the mean of its last states."""
    from math import erf

    index = safetensors_index(folder / WEIGHTS)
    data = (folder / WEIGHTS).read_bytes()

    def weight(name: str) -> Array:
        found = index[name]
        flat = np.frombuffer(data, np.float32, found.size // 4, found.offset)
        return flat.reshape(found.shape).astype(np.float64)

    def linear(states: Array, name: str) -> Array:
        return np.asarray(states @ weight(f"{name}.weight").T + weight(f"{name}.bias"))

    def norm(states: Array, name: str) -> Array:
        centred = states - states.mean(-1, keepdims=True)
        scaled = centred / np.sqrt(states.var(-1, keepdims=True) + 1e-12)
        return np.asarray(scaled * weight(f"{name}.weight") + weight(f"{name}.bias"))

    words, places = weight("embeddings.word_embeddings.weight"), weight("embeddings.position_embeddings.weight")
    states = words[tokens] + places[: len(tokens)] + weight("embeddings.token_type_embeddings.weight")[0]
    states = norm(states, "embeddings.LayerNorm")
    for number in range(6):
        layer = f"encoder.layer.{number}"
        split = (len(tokens), 12, 32)
        q, k, v = (linear(states, f"{layer}.attention.self.{one}").reshape(split) for one in ("query", "key", "value"))
        scores = np.exp(np.einsum("ihd,jhd->hij", q, k) / np.sqrt(32))
        seen = np.einsum("hij,jhd->ihd", scores / scores.sum(-1, keepdims=True), v).reshape(len(tokens), 384)
        states = norm(linear(seen, f"{layer}.attention.output.dense") + states, f"{layer}.attention.output.LayerNorm")
        wide = linear(states, f"{layer}.intermediate.dense")
        active = wide * 0.5 * (1 + np.vectorize(erf)(wide / np.sqrt(2)))
        states = norm(linear(active, f"{layer}.output.dense") + states, f"{layer}.output.LayerNorm")
    mean = states.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))
