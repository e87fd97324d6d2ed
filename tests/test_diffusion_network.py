"""The diffusion transformer in ONNX Runtime: equal to the same network written out in NumPy, strict about its files."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transpose.core.errors import DamagedWeights
from transpose.models.diffusion.denoiser import Denoiser, open_denoiser
from transpose.models.diffusion.graph import GRAPH, WEIGHTS, convert, sizes
from transpose.models.diffusion.settings import (
    SETTINGS,
    Json,
    Settings,
    Shape,
    parse_settings,
    read_settings,
    write_settings,
)
from transpose.models.onnx_graph import read_header, read_tensor, safetensors_index

pytest.importorskip("onnx")

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
Halves = np.ndarray[tuple[int, ...], np.dtype[np.float16]]
Numbers = np.ndarray[tuple[int, ...], np.dtype[np.generic]]
Weights = Mapping[str, Numbers]

PICTURE = Shape(3, 8, 12, (4, 4), 24, 3, 4, mlp=2.0, cond_dim=10, cond_tokens=5)
SOUND = Shape(1, 16, 12, (16, 2), 16, 2, 2, mlp=3.0, cond_dim=6, cond_tokens=3)  # a patch is whole columns
TOLD = Shape(1, 16, 12, (16, 2), 16, 2, 2, mlp=3.0, cond_dim=6, cond_tokens=9, aligned=6, near=3)  # 3 words, 6 patches


def write_safetensors(path: Path, tensors: Weights, metadata: Mapping[str, str] | None = None) -> None:
    """The format written by hand: length of the header, the header in JSON, the numbers."""
    kinds = {"float16": "F16", "float32": "F32", "int64": "I64"}
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    place = 0
    for name, each in tensors.items():
        entry = {"dtype": kinds[each.dtype.name], "shape": each.shape, "data_offsets": [place, place + each.nbytes]}
        header[name], place = entry, place + each.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(each.tobytes() for each in tensors.values()))


def random_weights(shape: Shape, seed: int = 0) -> dict[str, Floats]:
    """Weights of which none is zero, as half precision can hold them."""
    rng = np.random.default_rng(seed)
    return {
        name: (rng.normal(size=size) * 0.3).astype(np.float16).astype(np.float32)
        for name, size in sorted(sizes(shape).items())
    }


def make(folder: Path, shape: Shape, weights: Mapping[str, Floats]) -> Path:
    """A folder of a model."""
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / WEIGHTS, {name: each.astype(np.float16) for name, each in weights.items()})
    (folder / SETTINGS).write_text(write_settings(Settings(shape, "flow", "minilm", {"scale": 2})))
    convert(folder)
    return folder


@pytest.fixture(scope="module", params=[PICTURE, SOUND, TOLD], ids=["picture", "sound", "told"])
def shape(request: pytest.FixtureRequest) -> Shape:
    assert isinstance(request.param, Shape)
    return request.param


@pytest.fixture(scope="module")
def folder(shape: Shape, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("model"), shape, random_weights(shape))


def inputs(shape: Shape, size: int, seed: int = 1) -> tuple[Floats, Floats, Floats, Floats]:
    """A batch whose last condition is the null condition."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(size, shape.channels, shape.height, shape.width)).astype(np.float32)
    cond = rng.normal(size=(size, shape.cond_tokens, shape.cond_dim)).astype(np.float32)
    mask = (rng.random((size, shape.cond_tokens)) > 0.4).astype(np.float32)
    mask[-1] = 0
    return x, rng.random(size).astype(np.float32), cond, mask


def by_hand(shape: Shape, weights: Mapping[str, Floats], x: Floats, t: float, cond: Floats, mask: Floats) -> Array:
    """The network for one picture (C, H, W), after DiT (Peebles and Xie 2023) and PixArt-alpha (Chen et al. 2023)."""

    def linear(rows: Array, name: str) -> Array:
        return np.asarray(rows @ weights[f"{name}.weight"].astype(float).T + weights[f"{name}.bias"])

    def silu(rows: Array) -> Array:
        return np.asarray(rows / (1 + np.exp(-rows)))

    def gelu(rows: Array) -> Array:
        return np.asarray(rows * (1 + np.vectorize(math.erf)(rows / math.sqrt(2))) / 2)

    def norm(rows: Array) -> Array:
        return np.asarray((rows - rows.mean(-1, keepdims=True)) / np.sqrt(rows.var(-1, keepdims=True) + 1e-6))

    def attend(rows: Array) -> Array:
        query, key, value = np.split(rows, 3, 1)
        heads = []
        for own in np.split(np.arange(shape.dim), shape.heads):
            weight = np.exp(query[:, own] @ key[:, own].T / math.sqrt(len(own)))
            heads.append(weight / weight.sum(1, keepdims=True) @ value[:, own])
        return np.concatenate(heads, 1)

    def near(rows: Array, name: str) -> Array:
        kernel, edge = weights[f"{name}.weight"][:, 0].astype(float), shape.near // 2  # (D, near)
        padded = np.pad(rows, ((edge, edge), (0, 0)))
        heard = [(padded[at : at + shape.near] * kernel.T).sum(0) for at in range(len(rows))]
        return np.asarray(rows + np.stack(heard) + weights[f"{name}.bias"])

    (rows, columns), (height, width) = shape.grid, shape.patch
    cuts = [x[:, r * height : (r + 1) * height, c * width : (c + 1) * width] for r, c in np.ndindex(rows, columns)]
    patches = linear(np.stack([cut.ravel() for cut in cuts]).astype(float), "patch") + weights["positions"]
    if shape.aligned:
        patches = patches + linear((cond * mask[:, None])[shape.words :].astype(float), "aligned")
        cond, mask = cond[: shape.words], mask[: shape.words]
    words = np.where(mask[:, None] > 0, linear(cond.astype(float), "cond"), weights["empty"])
    tokens = np.concatenate([words + weights["cond_positions"], patches])
    angles = 1000 * t * 10_000 ** (-np.arange(128) / 128)
    moment = linear(silu(linear(np.concatenate([np.cos(angles), np.sin(angles)]), "time_in")), "time_out")
    mean = (mask[:, None] * cond).sum(0) / max(mask.sum(), 1)
    moment = silu(moment + linear(mean.astype(float), "mean"))
    shared = linear(moment, "modulation").reshape(6, shape.dim)
    for name in (f"blocks.{number}" for number in range(shape.depth)):
        shift, scale, gate, shift_mlp, scale_mlp, gate_mlp = shared + weights[f"{name}.table"]
        if shape.near:
            tokens = np.concatenate([tokens[: len(words)], near(tokens[len(words) :], f"{name}.near")])
        seen = attend(linear(norm(tokens) * (1 + scale) + shift, f"{name}.qkv"))
        tokens = tokens + gate * linear(seen, f"{name}.out")
        middle = gelu(linear(norm(tokens) * (1 + scale_mlp) + shift_mlp, f"{name}.up"))
        tokens = tokens + gate_mlp * linear(middle, f"{name}.down")
    shift, scale = linear(moment, "last_modulation").reshape(2, shape.dim)
    drawn = linear(norm(tokens[len(words) :]) * (1 + scale) + shift, "last")
    v = np.zeros(x.shape)
    for patch, (r, c) in zip(drawn, np.ndindex(rows, columns), strict=True):
        cut = patch.reshape(shape.channels, height, width)
        v[:, r * height : (r + 1) * height, c * width : (c + 1) * width] = cut
    return v


def hand_batch(shape: Shape, weights: Mapping[str, Floats], given: tuple[Floats, Floats, Floats, Floats]) -> Array:
    return np.stack([by_hand(shape, weights, x, float(t), c, m) for x, t, c, m in zip(*given, strict=True)])


# -- the network -------------------------------------------------------------------------------------------------------


def test_the_graph_is_the_network(shape: Shape, folder: Path) -> None:
    denoiser = open_denoiser(folder)
    given = inputs(shape, 3)
    wanted = hand_batch(shape, random_weights(shape), given)
    assert np.abs(denoiser(*given) - wanted).max() < 1e-4 * max(1.0, np.abs(wanted).max())
    other = hand_batch(shape, random_weights(shape, seed=5), given)  # negative control
    assert np.abs(denoiser(*given) - other).max() > 0.1


def test_the_batch_is_free_and_its_rows_are_apart(shape: Shape, folder: Path) -> None:
    denoiser = open_denoiser(folder)
    x, t, cond, mask = inputs(shape, 4)
    whole = denoiser(x, t, cond, mask)
    for row in range(4):
        own = slice(row, row + 1)
        assert np.allclose(denoiser(x[own], t[own], cond[own], mask[own]), whole[own], atol=1e-5)
    half = denoiser(x, 0.5, cond, mask)
    assert np.array_equal(half, denoiser(x, np.full(4, 0.5, np.float32), cond, mask))
    assert not np.allclose(half, whole, atol=1e-2)


def test_a_masked_condition_says_nothing(shape: Shape, folder: Path) -> None:
    denoiser = open_denoiser(folder)
    x, t, cond, _ = inputs(shape, 2)
    nothing, everything = np.zeros(cond.shape[:2], np.float32), np.ones(cond.shape[:2], np.float32)
    assert np.array_equal(denoiser(x, t, cond, nothing), denoiser(x, t, cond * 7, nothing))
    assert not np.allclose(denoiser(x, t, cond, everything), denoiser(x, t, cond * 7, everything), atol=1e-2)


def test_wrong_shapes_are_refused(shape: Shape, folder: Path) -> None:
    denoiser = open_denoiser(folder)
    x, t, cond, mask = inputs(shape, 2)
    for bad in ((x[:, :, 1:], t, cond, mask), (x, t, cond[:, 1:], mask), (x, t, cond, mask[:1]), (x[0], t, cond, mask)):
        with pytest.raises(ValueError, match="is \\("):
            denoiser(*bad)


def test_the_graph_has_the_same_bytes_each_time_and_no_weights(folder: Path) -> None:
    first = (folder / GRAPH).read_bytes()
    convert(folder)
    assert (folder / GRAPH).read_bytes() == first
    assert len(first) < 60_000


def test_without_a_graph_it_is_drawn_in_memory(shape: Shape, folder: Path, tmp_path: Path) -> None:
    for name in (WEIGHTS, SETTINGS):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    given = inputs(shape, 2)
    assert np.array_equal(open_denoiser(tmp_path)(*given), open_denoiser(folder)(*given))
    assert not (tmp_path / GRAPH).exists()


# -- adapters ----------------------------------------------------------------------------------------------------------


def write_adapter(
    path: Path, shape: Shape, layers: tuple[str, ...], rank: int, alpha: float, seed: int
) -> Mapping[str, Floats]:
    """An adapter, and what each weight gains by it."""
    rng, wanted = np.random.default_rng(seed), sizes(shape)
    tensors: dict[str, Halves] = {}
    gains: dict[str, Floats] = {}
    for layer in layers:
        rows, columns = wanted[f"{layer}.weight"]
        down = rng.normal(size=(rank, columns)).astype(np.float16)
        up = (rng.normal(size=(rows, rank)) * 0.2).astype(np.float16)
        tensors |= {f"{layer}.lora_A.weight": down, f"{layer}.lora_B.weight": up}
        gains[f"{layer}.weight"] = (alpha / rank * (up.astype(float) @ down.astype(float))).astype(np.float32)
    write_safetensors(path, tensors, {"alpha": str(alpha)})
    return gains


def test_adapters_are_merged_and_the_base_stays(shape: Shape, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    one, two = tmp_path / "one.safetensors", tmp_path / "second" / "adapter.safetensors"
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    changes = [write_adapter(one, shape, ("blocks.0.qkv", "blocks.1.up", "patch"), 2, 3.0, 1)]
    changes.append(write_adapter(two, shape, ("blocks.0.qkv", "blocks.1.down"), 1, 1.0, 2))
    weights: dict[str, Floats] = dict(random_weights(shape))
    for change in changes:
        weights |= {name: (weights[name] + 0.5 * gain).astype(np.float32) for name, gain in change.items()}
    given = inputs(shape, 2)
    wanted = hand_batch(shape, weights, given)
    changed = open_denoiser(folder, adapters=[one, tmp_path / "second"], scale=0.5)(*given)
    assert np.abs(changed - wanted).max() < 1e-4 * max(1.0, np.abs(wanted).max())
    assert np.abs(changed - open_denoiser(folder)(*given)).max() > 1e-2
    none = open_denoiser(folder, adapters=[one], scale=0.0)(*given)
    assert np.allclose(none, open_denoiser(folder)(*given), atol=1e-6)
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("tensors", "metadata", "said"),
    [
        ({}, {"alpha": "1"}, "changes no layer"),
        ({"blocks.0.out": ((2, 24), (24, 2))}, {}, "no alpha"),
        ({"blocks.0.out": ((2, 24), (24, 2))}, {"alpha": "nan"}, "no alpha"),
        ({"blocks.0.out": ((2, 24), (24, 3))}, {"alpha": "1"}, "has matrices"),
        ({"blocks.0.out": ((0, 24), (24, 0))}, {"alpha": "1"}, "has matrices"),
        ({"blocks.0.out": ((2, 20), (24, 2))}, {"alpha": "1"}, "another network"),
        ({"blocks.9.out": ((2, 24), (24, 2))}, {"alpha": "1"}, "another network"),
        ({"empty": ((2, 24), (24, 2))}, {"alpha": "1"}, "another network"),
        ({"blocks.0.out": ((2, 24), None)}, {"alpha": "1"}, "both matrices"),
    ],
)
def test_adapters_that_do_not_fit(
    tmp_path: Path,
    tensors: dict[str, tuple[tuple[int, int], tuple[int, int] | None]],
    metadata: dict[str, str],
    said: str,
) -> None:
    base = make(tmp_path / "base", PICTURE, random_weights(PICTURE))
    named = {f"{name}.lora_A.weight": np.ones(down, np.float32) for name, (down, _) in tensors.items()}
    named |= {f"{name}.lora_B.weight": np.ones(up, np.float32) for name, (_, up) in tensors.items() if up}
    write_safetensors(tmp_path / "adapter.safetensors", named, metadata)
    with pytest.raises(DamagedWeights, match=said):
        open_denoiser(base, adapters=[tmp_path])


def test_an_adapter_that_is_no_number(tmp_path: Path) -> None:
    base = make(tmp_path / "base", PICTURE, random_weights(PICTURE))
    down, up = np.full((1, 24), np.inf, np.float32), np.ones((24, 1), np.float32)
    named = {"blocks.0.out.lora_A.weight": down, "blocks.0.out.lora_B.weight": up}
    write_safetensors(tmp_path / "adapter.safetensors", named, {"alpha": "1"})
    with pytest.raises(DamagedWeights, match="no number"):
        open_denoiser(base, adapters=[tmp_path])
    with pytest.raises(DamagedWeights, match="not a safetensors file"):
        open_denoiser(base, adapters=[tmp_path / "missing.safetensors"])


# -- settings ----------------------------------------------------------------------------------------------------------

NETWORK: dict[str, Json] = {
    "channels": 3,
    "height": 8,
    "width": 12,
    "patch": [4, 4],
    "dim": 24,
    "depth": 3,
    "heads": 4,
    "mlp": 2.0,
    "cond_dim": 10,
    "cond_tokens": 5,
}
GOOD: dict[str, Json] = {
    "version": 1,
    "network": NETWORK,
    "schedule": "cosine",
    "conditioner": "wish",
    "labels": {"scale": [1, 2]},
}


def test_settings_are_read() -> None:
    assert parse_settings(GOOD) == Settings(PICTURE, "cosine", "wish", {"scale": [1, 2]})
    told = Settings(TOLD, "flow", "wish", {}, reach=12.0)
    assert parse_settings(json.loads(write_settings(told))) == told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "version"),
        ({"version": True}, "version"),
        ({"schedule": "linear"}, "schedule"),
        ({"schedule": None}, "schedule"),
        ({"conditioner": ["minilm"]}, "conditioner"),
        ({"labels": 3}, "labels"),
        ({"more": 1}, "more"),
        ({"network": []}, "network"),
        ({"network": {**NETWORK, "dim": 0}}, "dim"),
        ({"network": {**NETWORK, "dim": 24.0}}, "dim"),
        ({"network": {**NETWORK, "dim": True}}, "dim"),
        ({"network": {**NETWORK, "dim": 25}}, "dim"),
        ({"network": {**NETWORK, "dim": 10**12}}, "dim"),
        ({"network": {**NETWORK, "depth": -1}}, "depth"),
        ({"network": {**NETWORK, "depth": "3"}}, "depth"),
        ({"network": {**NETWORK, "heads": 5}}, "dim"),
        ({"network": {**NETWORK, "mlp": float("nan")}}, "mlp"),
        ({"network": {**NETWORK, "mlp": True}}, "mlp"),
        ({"network": {**NETWORK, "patch": 4}}, "patch"),
        ({"network": {**NETWORK, "patch": [4, 4, 4]}}, "patch"),
        ({"network": {**NETWORK, "patch": [4, 0]}}, "patch"),
        ({"network": {**NETWORK, "patch": [3, 4]}}, "patch"),
        ({"network": {**NETWORK, "height": 65_536, "width": 65_536, "patch": [1, 1]}}, "larger"),
        ({"network": {**NETWORK, "width": None}}, "width"),
        ({"network": {**NETWORK, "colour": 1}}, "colour"),
        ({"network": {**NETWORK, "aligned": 3}}, "aligned"),
        ({"network": {**NETWORK, "aligned": 6}}, "aligned"),
        ({"network": {**NETWORK, "near": -3}}, "near"),
        ({"network": {**NETWORK, "near": 3}}, "one row"),
        ({"reach": 0}, "reach"),
        ({"reach": "1"}, "reach"),
    ],
)
def test_impossible_settings(change: dict[str, Json], said: str) -> None:
    with pytest.raises(DamagedWeights, match=said):
        parse_settings({**GOOD, **change})


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b'{"version": 1}', b"null"])
def test_settings_that_are_no_settings(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / SETTINGS
    path.write_bytes(data)
    with pytest.raises(DamagedWeights):
        read_settings(path)


@given(
    st.builds(
        Settings,
        st.builds(
            Shape,
            st.integers(1, 4),
            st.just(12),
            st.just(24),
            st.sampled_from([(1, 2), (12, 4), (6, 6)]),
            st.just(24),
            st.integers(1, 30),
            st.sampled_from([1, 2, 3, 4]),
            st.floats(0.25, 16),
            st.integers(1, 999),
            st.integers(1, 99),
        ),
        st.sampled_from(["flow", "cosine"]),
        st.sampled_from(["minilm", "wish"]),
        st.dictionaries(st.text(), st.integers() | st.text() | st.none(), max_size=3),
        st.floats(0.01, 100),
    )
)
def test_settings_come_back_as_written(settings: Settings) -> None:
    assert parse_settings(json.loads(write_settings(settings))) == settings


# -- damaged files -----------------------------------------------------------------------------------------------------


def test_weights_of_another_network(tmp_path: Path) -> None:
    weights = random_weights(PICTURE)
    missing = {name: each for name, each in weights.items() if name != "blocks.1.qkv.weight"}
    with pytest.raises(DamagedWeights, match="blocks.1.qkv.weight"):
        make(tmp_path / "a", PICTURE, missing)
    with pytest.raises(DamagedWeights, match="positions"):
        make(tmp_path / "b", PICTURE, {**weights, "positions": weights["positions"][1:]})


def broken(data: bytes) -> dict[str, bytes]:
    """A safetensors file, damaged in several ways."""
    size = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + size]
    return {
        "empty": b"",
        "truncated": data[:-100],
        "header cut": data[: size // 2],
        "length wrong": (2**63).to_bytes(8, "little") + data[8:],
        "not json": data[:8] + b"x" * size + data[8 + size :],
        "deep": (20_000).to_bytes(8, "little") + b"[" * 20_000,
        "outside": data[:8] + header.replace(b'"data_offsets": [0,', b'"data_offsets": [9,') + data[8 + size :],
        "a list": (2).to_bytes(8, "little") + b"[]",
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(1000),
    }


def test_damaged_weights(folder: Path, tmp_path: Path) -> None:
    (tmp_path / SETTINGS).write_bytes((folder / SETTINGS).read_bytes())
    for what, data in broken((folder / WEIGHTS).read_bytes()).items():
        (tmp_path / WEIGHTS).write_bytes(data)
        with pytest.raises(DamagedWeights, match="not a safetensors file"):
            convert(tmp_path)
        assert not (tmp_path / GRAPH).exists(), what


def test_damaged_graphs(folder: Path, tmp_path: Path) -> None:
    for name in (SETTINGS, WEIGHTS):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    graph = (folder / GRAPH).read_bytes()
    for data in (b"", graph[:-5000], b"hello", graph.replace(b"MultiHeadAttention", b"MultiHeadAttentiox")):
        (tmp_path / GRAPH).write_bytes(data)
        with pytest.raises(DamagedWeights):
            open_denoiser(tmp_path)
    (tmp_path / GRAPH).write_bytes(graph)
    (tmp_path / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-100])
    with pytest.raises(DamagedWeights):
        open_denoiser(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(DamagedWeights):
        open_denoiser(tmp_path)


def test_a_graph_of_other_settings(tmp_path: Path) -> None:
    base = make(tmp_path / "base", PICTURE, random_weights(PICTURE))
    other = Shape(3, 12, 8, (4, 4), 24, 3, 4, mlp=2.0, cond_dim=10, cond_tokens=5)
    (base / SETTINGS).write_text(write_settings(Settings(other, "flow", "minilm", {})))
    with pytest.raises(DamagedWeights, match="not the graph"):
        open_denoiser(base)


def test_tensors_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    values: dict[str, Numbers] = {"half": np.arange(6, dtype=np.float16).reshape(2, 3), "full": np.ones(2, np.float32)}
    write_safetensors(path, {**values, "count": np.ones(1, np.int64)}, {"alpha": "2.0"})
    index, metadata = read_header(path)
    assert metadata == {"alpha": "2.0"}
    assert set(safetensors_index(path)) == {"half", "full"}  # whole numbers are no weights
    for name, each in values.items():
        assert np.array_equal(read_tensor(path, index[name]), each)
        assert read_tensor(path, index[name]).dtype == np.float32
    assert np.array_equal(read_tensor(path, index["half"].rows(slice(1, 2))), values["half"][1:])


def test_threads_do_not_change_the_answer(shape: Shape, folder: Path) -> None:
    given = inputs(shape, 2)
    one, two = (open_denoiser(folder, threads=threads) for threads in (1, 2))
    assert isinstance(one, Denoiser)
    assert np.allclose(one(*given), two(*given), atol=1e-5)
