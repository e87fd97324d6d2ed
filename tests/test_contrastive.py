"""Pictures and words in one space: the method learns, the graphs say what the network says, bad files are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from transpose.core.context import Context
from transpose.core.errors import DamagedWeights, EmptyInput
from transpose.media.image import Image
from transpose.models.contrastive import CARD, NAMES, SETTINGS, WEIGHTS, PictureText, convert, read_facts, squared
from transpose.models.onnx_graph import safetensors_index
from transpose.transforms.label_icon import label_icon

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

COLOURS = {"red": (220, 40, 40), "green": (40, 170, 70), "blue": (40, 80, 220), "yellow": (240, 200, 40)}
STAGES, SPACE, WIDTHS = 2, 6, (4, 8, 12)


def made(folder: Path, names: tuple[str, ...] = ("apple", "pear", "plum"), seed: int = 0) -> Path:
    """A tiny pair that has learnt nothing."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(seed)
    sizes: dict[str, tuple[int, ...]] = {"stem.weight": (WIDTHS[0], 3, 3, 3)}
    for number in range(STAGES):
        thin, wide = WIDTHS[number], WIDTHS[number + 1]
        sizes[f"stages.{number}.down.weight"] = (wide, thin, 3, 3)
        sizes |= {f"stages.{number}.{part}.weight": (wide, wide, 3, 3) for part in ("first", "second")}
    sizes |= {"picture.weight": (SPACE, WIDTHS[-1]), "text_in.weight": (10, 384), "text_out.weight": (SPACE, 10)}
    weights = {name: (rng.standard_normal(size) * 0.3).astype(np.float16) for name, size in sizes.items()}
    weights |= {name.replace("weight", "bias"): np.zeros(size[0], np.float16) for name, size in sizes.items()}
    vectors = rng.standard_normal((len(names), SPACE))
    weights[NAMES] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / WEIGHTS)
    settings = {"version": 1, "side": 32, "stages": STAGES, "space": SPACE, "scale": 20.0, "names": list(names)}
    (folder / SETTINGS).write_text(json.dumps(settings))
    convert(folder)
    return folder


def disc(colour: tuple[int, int, int], radius: float = 9, middle: tuple[float, float] = (16, 16)) -> NDArray[np.uint8]:
    """A disc on white, (32, 32, 3)."""
    rows, columns = np.mgrid[:32, :32]
    inside = (rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 < radius**2
    return np.where(inside[..., None], np.array(colour, np.uint8), np.uint8(255)).astype(np.uint8)


def test_vectors_have_length_one_and_names_share_one(tmp_path: Path) -> None:
    """Whatever the weights, what comes out is a place on the sphere, and shares sum to 1."""
    pair = PictureText(made(tmp_path))
    pictures = [disc(colour) for colour in COLOURS.values()]
    assert np.allclose(np.linalg.norm(pair.see(pictures), axis=1), 1, atol=1e-5)
    sentences = np.random.default_rng(1).standard_normal((5, 384)).astype(np.float32)
    assert np.allclose(np.linalg.norm(pair.read(sentences), axis=1), 1, atol=1e-5)
    assert np.allclose(pair.name(pictures).sum(1), 1, atol=1e-5)
    assert pair.see([]).shape == (0, SPACE)


def test_the_graphs_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    """A card holds their hash."""
    folder = made(tmp_path)
    before = [(folder / name).read_bytes() for name in ("picture.onnx", "text.onnx")]
    convert(folder)
    assert before == [(folder / name).read_bytes() for name in ("picture.onnx", "text.onnx")]
    assert len(before[0]) < 20_000  # the graph alone


@pytest.mark.parametrize(("size"), [(1, 1), (7, 90), (64, 64), (300, 200)])
def test_any_size_becomes_a_square(size: tuple[int, int]) -> None:
    """The picture lies in the middle, on white."""
    seen = squared(np.full((*size, 3), 40, np.uint8))
    assert seen.shape == (3, 32, 32)
    assert abs(seen[:, 16, 16] - 40 / 255).max() < 0.02
    assert size[0] == size[1] or seen[0, 0, 0] == 1


def test_damaged_files_are_named(tmp_path: Path) -> None:
    """Settings and weights that do not fit are refused with the name of the file."""
    folder = made(tmp_path)
    good = (folder / SETTINGS).read_text()
    for bad in ("{", "[]", "{}", good.replace('"stages": 2', '"stages": 900'), good.replace('"side": 32', '"side": 3')):
        (folder / SETTINGS).write_text(bad)
        with pytest.raises(DamagedWeights, match=SETTINGS):
            read_facts(folder)
    (folder / SETTINGS).write_text(good.replace('"pear", ', ""))
    with pytest.raises(DamagedWeights, match="one vector for each name"):
        PictureText(folder)
    (folder / SETTINGS).write_text(good.replace('"stages": 2', '"stages": 3'))
    with pytest.raises(DamagedWeights, match="has no tensor"):
        convert(folder)
    (folder / WEIGHTS).write_bytes(b"short")
    with pytest.raises(DamagedWeights, match=WEIGHTS):
        convert(folder)


def test_an_icon_gets_lines_of_names(tmp_path: Path) -> None:
    """The transform on a pair that knows nothing: a name, a share, a warning; no pixels are an error."""
    folder = made(tmp_path / CARD)
    ctx = Context(weights=lambda name: folder)
    said = label_icon(Image(disc(COLOURS["red"])), ctx, most=2)
    assert said.lang == "en"
    assert said.text.splitlines()[0].endswith(" %)")
    assert 0 < float(str(ctx.facts["score"])) <= 1
    with pytest.raises(EmptyInput):
        label_icon(Image(np.zeros((0, 4, 3), np.uint8)), ctx)


# -- the method, in torch ----------------------------------------------------------------------------------------------


def test_folder_says_what_the_network_says(tmp_path: Path) -> None:
    """Torch and ONNX agree, normalisations folded in, but for the rounding to float16."""
    torch = pytest.importorskip("torch")
    from transpose.learn.contrastive import Pair, export

    torch.manual_seed(0)
    pair = Pair(dim=32, space=16)
    pictures = torch.rand(6, 3, 32, 32)
    pair.train()
    pair.see(pictures)  # so that the normalisations have averages of their own
    pair.eval()
    sentences = torch.nn.functional.normalize(torch.randn(4, 384), dim=1)
    with torch.no_grad():
        export(pair, tmp_path, ["one", "two", "three", "four"], pair.read(sentences), 20.0)
    opened = PictureText(tmp_path)
    pixels = [np.rint(each.numpy().transpose(1, 2, 0) * 255).astype(np.uint8) for each in pictures]
    with torch.no_grad():
        seen, read = pair.see(torch.from_numpy(np.stack([squared(each) for each in pixels]))), pair.read(sentences)
    assert np.abs(opened.see(pixels) - seen.numpy()).max() < 5e-3
    assert np.abs(opened.read(sentences.numpy()) - read.numpy()).max() < 5e-3
    assert np.abs(opened.names - read.numpy()).max() < 1e-3
    assert set(safetensors_index(tmp_path / WEIGHTS)) >= {"stem.weight", "stages.2.second.bias", NAMES}


def test_names_stand_for_their_words_and_their_looks() -> None:
    """By the share, from the words to the mean of the pictures; what has no picture keeps its words."""
    torch = pytest.importorskip("torch")
    from transpose.learn.contrastive import anchors

    said, seen = torch.eye(4)[:3], torch.tensor([[0.0, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1]])
    of = torch.tensor([0, 0, 1])
    assert torch.equal(anchors(said, seen, of, 0.0), said)
    half, whole = (anchors(said, seen, of, share) for share in (0.5, 1.0))
    assert torch.allclose(whole[:2], torch.tensor([[0, 0, 0.5**0.5, 0.5**0.5], [0, 0, 0, 1]]))
    assert torch.allclose(half[1], torch.tensor([0, 0.5**0.5, 0, 0.5**0.5]))
    assert torch.equal(whole[2], said[2])
    assert torch.equal(half[2], said[2])


def test_shares_are_calibrated() -> None:
    """Names drawn with the shares of a scale lead back to that scale, from cosines alone."""
    torch = pytest.importorskip("torch")
    from transpose.learn.contrastive import calibrated

    rng = torch.Generator().manual_seed(0)
    cosines = torch.rand(4000, 12, generator=rng) * 0.5
    own = (25.0 * cosines).softmax(1).multinomial(1, generator=rng)[:, 0]
    assert calibrated(cosines, own) == pytest.approx(25.0, rel=0.1)
    assert calibrated(cosines, own[torch.randperm(4000, generator=rng)]) < 10, "who is never right is never sure"


@pytest.mark.parametrize("honest", [True, False])
def test_it_learns_which_words_say_which_picture(honest: bool) -> None:
    """Coloured discs: after 60 steps a new disc finds its word; taught with the words at random, it does not."""
    pytest.importorskip("torch")
    import torch

    from transpose.learn.contrastive import Pair, settle

    torch.manual_seed(0)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    words = torch.nn.functional.normalize(torch.randn(len(COLOURS), 384), dim=1)
    pair = Pair(dim=32, space=16)
    optimizer = torch.optim.AdamW(pair.parameters(), lr=1e-3)

    def discs(which: NDArray[np.int64]) -> torch.Tensor:
        palette = list(COLOURS.values())
        places = rng.uniform(12, 20, (len(which), 2))
        drawn = [disc(palette[each], rng.uniform(5, 11), tuple(at)) for each, at in zip(which, places, strict=True)]
        return torch.from_numpy(np.stack([squared(each) for each in drawn]))

    for _ in range(60):
        which = rng.integers(0, len(COLOURS), 24)
        said = which if honest else rng.permutation(which)
        loss = pair.loss(discs(which), words[said], torch.from_numpy(said))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    which = rng.integers(0, len(COLOURS), 80)
    settle(pair, (discs(rng.integers(0, len(COLOURS), 24)) for _ in range(5)))
    with torch.no_grad():
        found = (pair.see(discs(which)) @ pair.read(words).T).argmax(1).numpy()
    right = float((found == which).mean())
    assert right > 0.9 if honest else right < 0.6
