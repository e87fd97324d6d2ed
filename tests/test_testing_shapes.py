"""The toy worlds of `transpose.testing`: what is drawn or played can be read back, and the readers can be wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from transpose.testing.shapes import (
    COLOURS,
    FORMS,
    PIXELS,
    STYLES,
    TOKENS,
    WIDTH,
    Shape,
    draw,
    from_model,
    random_shapes,
    read_shape,
    to_model,
    word_tokens,
)
from transpose.testing.tones import RATE, hear, play, random_tones


def agreement(shapes: list[Shape], noise: float = 0) -> float:
    """The share of shapes that are read back with form, colours, ground and style."""
    rng = np.random.default_rng(0)
    right = 0
    for shape in shapes:
        levels = draw(shape).astype(np.float32) + noise * rng.standard_normal((PIXELS, PIXELS, 3))
        read = read_shape(np.clip(levels, 0, 255).astype(np.uint8))
        told = ("form", "colour", "ground", "style", "second")
        right += read is not None and all(getattr(read, name) == getattr(shape, name) for name in told)
    return right / len(shapes)


@pytest.mark.parametrize(("style", "least"), [("solid", 0.99), ("outlined", 0.95)])
def test_shapes_are_read_back(style: str, least: float) -> None:
    assert agreement(random_shapes(300, seed=1, style=style)) >= least
    assert agreement(random_shapes(300, seed=1, style=style), noise=12) >= least - 0.02


def test_the_reader_can_be_wrong() -> None:
    """Negative control: in heavy noise it no longer agrees, and on nothing it answers nothing."""
    assert agreement(random_shapes(100, seed=1), noise=200) < 0.5
    assert read_shape(np.full((PIXELS, PIXELS, 3), 200, np.uint8)) is None


def test_two_colours_are_told_apart_from_one() -> None:
    subjects = [replace(each, form="circle", colour="red", second="blue") for each in random_shapes(100, seed=2)]
    assert agreement(subjects) >= 0.99
    assert all(read.second == "" for each in random_shapes(100, seed=3) if (read := read_shape(draw(each))))


def test_place_and_size_are_read_back() -> None:
    for shape in random_shapes(100, seed=4, forms=("circle", "square")):
        read = read_shape(draw(shape))
        assert read is not None
        assert (read.x, read.y, read.radius) == pytest.approx((shape.x, shape.y, shape.radius), abs=0.05)


def test_same_seed_same_shapes_and_pairs_held_out() -> None:
    assert random_shapes(50, seed=5) == random_shapes(50, seed=5)
    assert random_shapes(50, seed=5) != random_shapes(50, seed=6)
    kept = random_shapes(500, seed=5, without=[("circle", "red")])
    assert ("circle", "red") not in {(each.form, each.colour) for each in kept}
    assert {each.form for each in kept} == set(FORMS)
    assert {each.colour for each in kept} == set(COLOURS)


def test_captions_tell_what_is_to_be_seen_and_no_style() -> None:
    rng = np.random.default_rng(0)
    for shape in random_shapes(50, seed=7, style=STYLES[1]):
        assert all(word in shape.caption for word in (shape.form, shape.colour, shape.ground))
        assert shape.form in shape.say(rng)
        assert not any(style in shape.caption for style in STYLES)


def test_words_are_fixed_vectors() -> None:
    cond, mask = word_tokens(["a red circle on white", "a red zyx", ""])
    assert cond.shape == (3, TOKENS, WIDTH)
    assert mask.sum(1).tolist() == [5, 3, 0]
    assert np.array_equal(cond[0, 1], cond[1, 1])
    assert not np.array_equal(cond[0, 1], cond[0, 2])
    assert not cond[mask == 0].any()


def test_a_picture_survives_the_scale_of_a_model() -> None:
    picture = draw(random_shapes(1, seed=8)[0], 32)
    assert np.array_equal(from_model(to_model(picture)), picture)


def test_tones_are_heard() -> None:
    tones = random_tones(200, seed=1)
    heard = [hear(play(each)) for each in tones]
    assert np.mean([a is not None and a.caption == b.caption for a, b in zip(heard, tones, strict=True)]) >= 0.99


def test_the_ear_can_be_wrong() -> None:
    """Negative control: played at another rate the pitch is another, and silence is no tone."""
    tones = random_tones(50, seed=2)
    heard = [hear(play(each), RATE * 2) for each in tones]
    assert np.mean([a is not None and a.pitch == b.pitch for a, b in zip(heard, tones, strict=True)]) < 0.3
    assert hear(np.zeros(RATE, np.float32)) is None
