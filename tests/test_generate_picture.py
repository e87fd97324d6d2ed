"""Generating pictures: a network that has learnt nothing, options, errors; then the real weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, OptionError, WeightsError
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.models.card import Card
from transpose.models.diffusion.denoiser import open_denoiser
from transpose.models.diffusion.graph import WEIGHTS, convert, sizes
from transpose.models.diffusion.pictures import Pictures, grown
from transpose.models.diffusion.settings import SETTINGS, Settings, Shape, write_settings
from transpose.models.diffusion.words import Words
from transpose.models.runtime import Runtime
from transpose.models.runtimes.diffusion import open_reader
from transpose.own import transforms_of
from transpose.transforms.generate_picture import CARD, GUIDANCE, generate_picture, regenerate_picture

TINY = Shape(3, 32, 32, (8, 8), 32, 2, 2, 2.0, 384, 6)


def made(folder: Path, seed: int = 0) -> Path:
    """A tiny network with weights at random."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    weights = {name: (rng.standard_normal(size) * 0.05).astype(np.float16) for name, size in sizes(TINY).items()}
    save_file(weights, folder / WEIGHTS)
    (folder / SETTINGS).write_text(write_settings(Settings(TINY, "flow", "minilm", {})))
    convert(folder)
    return folder


@pytest.fixture
def ctx(tmp_path: Path, models_ctx: Context) -> Context:
    """MiniLM and Real-ESRGAN are the real ones; the diffusion network has learnt nothing."""
    folder, real = made(tmp_path / CARD), models_ctx.weights
    models_ctx.weights = lambda name: folder if name == CARD else real(name)
    return models_ctx


@pytest.mark.models
def test_words_do_not_depend_on_their_company(models_ctx: Context) -> None:
    """A prompt has the same states alone and among others; what is too long is cut, nothing is the null condition."""
    words = Words(models_ctx.model("minilm"))
    prompts = ["a red apple on a blue background", "cat", "", "a cat"]
    tokens, mask = words.states(prompts, 6)
    assert tokens.shape == (4, 6, 384)
    assert mask.sum(1).tolist() == [6, 1, 0, 2]
    for row, prompt in enumerate(prompts):
        (alone,), (own_mask,) = words.states([prompt], 6)
        assert np.allclose(alone, tokens[row], atol=1e-4)
        assert np.array_equal(own_mask, mask[row])
    assert not tokens[2].any()
    assert 0.5 < float(tokens[0].std()) < 2  # the scale that the network was taught with
    assert not np.allclose(tokens[1, 0], tokens[3, 1], atol=1e-2)  # read in context


@pytest.mark.models
@pytest.mark.parametrize("size", [32, 50, 128, 200])
def test_a_prompt_becomes_a_picture_of_the_size(ctx: Context, size: int) -> None:
    """RGB, square, however small; told step by step, with previews."""
    seen: list[Image] = []
    ctx.preview = seen.append
    picture = generate_picture(Text("a cat"), ctx, steps=3, size=size)
    assert picture.pixels.shape == (size, size, 3)
    assert picture.pixels.dtype == np.uint8
    assert len(seen) == 3
    assert seen[0].pixels.shape == (32, 32, 3)


@pytest.mark.models
def test_the_same_seed_gives_the_same_pixels(ctx: Context) -> None:
    """And another seed, prompt, negative or guidance gives others."""
    first = generate_picture(Text("a cat"), ctx, steps=4, size=32)
    assert first == generate_picture(Text("a cat"), ctx, steps=4, size=32)
    assert first != generate_picture(Text("a dog"), ctx, steps=4, size=32)
    assert first != generate_picture(Text("a cat"), ctx, steps=4, size=32, negative="a dog")
    assert first != generate_picture(Text("a cat"), ctx, steps=4, size=32, guidance=GUIDANCE + 4)
    assert first == generate_picture(Text("a cat"), ctx, steps=4, size=32, toward="a dog", share=0.0)
    assert first != generate_picture(Text("a cat"), ctx, steps=4, size=32, toward="a dog", share=0.7)
    ctx.seed = 5
    assert first != generate_picture(Text("a cat"), ctx, steps=4, size=32)


@pytest.mark.models
def test_a_picture_is_changed_as_much_as_asked(ctx: Context) -> None:
    """Little strength keeps the picture, much forgets it."""
    rows, columns = np.mgrid[:64, :64]
    disc = np.where(((rows - 32) ** 2 + (columns - 32) ** 2 < 400)[..., None], (200, 30, 30), (255, 255, 255))
    picture = Image(disc.astype(np.uint8))
    small = disc.reshape(32, 2, 32, 2, 3).mean((1, 3))
    far = []
    for strength in (0.05, 0.4, 1.0):
        made = regenerate_picture(picture, Text("a cat"), None, ctx, strength=strength, steps=20, size=32)
        far.append(float(np.abs(made.pixels - small).mean()))
    assert far[0] < far[1] < far[2]
    assert far[0] < 15


@pytest.mark.models
def test_what_cannot_be_is_refused(ctx: Context) -> None:
    """Empty prompts and pictures; a long prompt is cut with a warning."""
    with pytest.raises(EmptyInput):
        generate_picture(Text("  \n"), ctx)
    with pytest.raises(EmptyInput):
        regenerate_picture(Image(np.zeros((0, 3, 3), np.uint8)), Text("a cat"), None, ctx)
    with pytest.raises(OptionError):
        generate_picture(Text("a cat"), ctx, sampler="best")
    generate_picture(Text("a very long prompt " * 300), ctx, steps=1, size=32)
    assert any("only the first 6 of" in each for each in ctx.warnings)


@pytest.mark.models
def test_enlarging_keeps_the_colours(models_ctx: Context) -> None:
    """The cascade to 512 is a larger version of the same picture."""
    rng = np.random.default_rng(0)
    pixels = np.repeat(np.repeat(rng.integers(0, 255, (4, 4, 3)), 8, 0), 8, 1).astype(np.uint8)
    large = grown(pixels, 256, "realesrgan-quick", models_ctx)
    assert large.shape == (256, 256, 3)
    assert np.abs(large.reshape(4, 64, 4, 64, 3).mean((1, 3)) - pixels[4::8, 4::8]).mean() < 12


@pytest.mark.models
def test_the_real_weights_know_colours(models_ctx: Context) -> None:
    """The background that is asked for is nearest; with another prompt it is not (negative control)."""
    try:
        folder = models_ctx.model(CARD)
    except WeightsError:
        folder = Path()
    if not (folder / SETTINGS).exists():
        pytest.skip("the package transpose-weights is not installed")
    papers = {"blue": (45, 110, 225), "red": (222, 45, 50), "green": (60, 165, 80)}

    def rim(prompt: str) -> str:
        pixels = generate_picture(Text(prompt), models_ctx, size=32).pixels.astype(int)
        colour = np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]), axis=0)
        return min(papers, key=lambda name: float(np.abs(colour - papers[name]).sum()))

    asked = {name: rim(f"a cat on a {name} background") for name in papers}
    assert sum(name == found for name, found in asked.items()) >= 2


@pytest.mark.models
def test_learned_pictures_are_enlarged(ctx: Context) -> None:
    """Four times as large where an enlarging model comes with it, and of any size; as small as they are without."""
    network = open_denoiser(ctx.model(CARD), 1)
    for larger, size, side in (("realesrgan-quick", 0, 128), ("realesrgan-quick", 50, 50), ("", 0, 32), ("", 64, 64)):
        learned = Pictures(network, *open_reader(network.settings, ctx), larger)
        made = learned.make("a cat", ctx, steps=1, sampler="dpm++", guidance=1.0, negative="", size=size)
        assert made.pixels.shape == (side, side, 3)


def test_what_a_learned_model_works_with_is_among_its_models(tmp_path: Path) -> None:
    """So that a plan counts it, and `pull` fetches it."""
    settings = {"base": CARD, "reader": "minilm", "larger": "realesrgan-quick"}
    for known, wanted in ((settings, ("mycat", CARD, "minilm", "realesrgan-quick")), ({}, ("mycat",))):
        runtime = Runtime("diffusion", ("text-to-image",), str(tmp_path), known)
        card = Card("mycat", "a cat", "text-to-image", "MIT", (), (), runtime=runtime)
        assert [each.models for each in transforms_of(card)] == [wanted]


@pytest.mark.models
def test_variations_are_near_the_picture_of_the_seed(ctx: Context) -> None:
    """None is the picture itself; the further, the less like it; each number another one."""
    first, none, little, much, other = (
        generate_picture(Text("a cat"), ctx, steps=4, size=32, variation=far, variant=number).pixels.astype(int)
        for far, number in ((0.0, 1), (0.0, 5), (0.1, 1), (0.6, 1), (0.1, 2))
    )
    assert np.array_equal(first, none)
    assert 0 < np.abs(little - first).mean() < np.abs(much - first).mean()
    assert not np.array_equal(little, other)


@pytest.mark.models
def test_between_two_pictures(ctx: Context) -> None:
    """From one to the other by the share; at its ends it is as with that picture alone."""
    one, two = (Image(np.full((32, 32, 3), level, np.uint8)) for level in (230, 25))

    def made(image: Image, other: Image | None, share: float = 0.5) -> float:
        options = {"strength": 0.3, "steps": 10, "size": 32, "guidance": 1.0, "share": share}
        return float(regenerate_picture(image, Text("a cat"), other, ctx, **options).pixels.mean())

    means = [made(one, two, share) for share in (0.0, 0.5, 1.0)]
    assert means[0] > means[1] > means[2]
    assert (means[0], means[2]) == (made(one, None), made(two, None))
