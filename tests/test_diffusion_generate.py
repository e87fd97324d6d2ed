"""Guidance, image-to-image, blends, variations and previews, with a network whose exact answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from transpose.core.errors import OptionError, TransformError
from transpose.models.diffusion.generate import Condition, blend, draw_noise, generate, nothing, slerp
from transpose.models.diffusion.samplers import SAMPLERS, SamplerName
from transpose.models.diffusion.schedule import SCHEDULES
from transpose.models.diffusion.settings import Settings, Shape

Array = NDArray[np.float32]
SHAPE = Shape(3, 8, 8, (4, 4), 16, 1, 2, 4.0, 4, 3)  # 3 x 8 x 8 pixels; 3 condition tokens of 4 numbers
SPREAD = 0.1


class Painter:
    """A network of pictures of one colour: the condition's first token says its red, green and blue, each -0.7 or 0.7.

    Under a condition the data are a normal distribution around that picture; under none, around all eight alike. What
    it gives is the exact velocity, so guidance of 1 reaches the colour that was asked for.
    """

    def __init__(self, schedule: str = "flow") -> None:
        self.settings = Settings(SHAPE, schedule, "words", {})
        self.asked: list[tuple[int, ...]] = []  # shapes of x
        corners = np.array(np.meshgrid(*[[-0.7, 0.7]] * 3)).reshape(3, -1).T
        self.means = np.broadcast_to(corners[:, :, None, None], (8, 3, 8, 8)).reshape(8, -1)

    def __call__(self, x: Array, t: float, cond: Array, mask: Array) -> Array:
        self.asked.append(x.shape)
        rows = [self.row(each.reshape(-1), t, *told) for each, *told in zip(x, cond, mask, strict=True)]
        return np.stack(rows).reshape(x.shape).astype(np.float32)

    def row(self, x: Array, t: float, cond: Array, mask: Array) -> Array:
        path = SCHEDULES[self.settings.schedule]
        alpha, sigma = path.alpha(t), path.sigma(t)
        seen = np.repeat(mask[0] * cond[0, :3], 64)
        means = (1 - mask[0]) * self.means + seen  # of a fraction of a condition, a fraction is seen
        variance = (alpha * SPREAD) ** 2 + sigma**2
        away = ((x - alpha * means) ** 2).sum(1) / (2 * variance)
        chances = np.exp(away.min() - away)
        mean = chances @ means / chances.sum()
        x0 = mean + alpha * SPREAD**2 / variance * (x - alpha * mean)
        return np.asarray(path.velocity(x0, (x - alpha * x0) / sigma, t), np.float32)


def colour(*rgb: float) -> Condition:
    """The condition for a colour; shorter than the network has places."""
    return Condition(np.array([[*rgb, 0.0]], np.float32), np.ones(1, np.float32))


RED, BLUE = colour(0.7, -0.7, -0.7), colour(-0.7, -0.7, 0.7)


def mean(made: Array) -> Array:
    """The mean colour of each picture, (b, 3)."""
    return np.asarray(made.mean((2, 3)))


@pytest.fixture(params=sorted(SCHEDULES))
def painter(request: pytest.FixtureRequest) -> Painter:
    return Painter(str(request.param))


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_paints_what_is_asked(painter: Painter, name: SamplerName) -> None:
    made = generate(painter, [RED, BLUE], sampler=name, guidance=1.0, seed=3)
    assert made.shape == (2, 3, 8, 8)
    assert made.dtype == np.float32
    assert np.abs(made).max() <= 1
    np.testing.assert_allclose(mean(made), [[0.7, -0.7, -0.7], [-0.7, -0.7, 0.7]], atol=0.06)
    assert 0.05 < (made - mean(made)[..., None, None]).std() < 0.13  # the spread of the data, 0.1


def test_without_a_condition_any_colour_may_come(painter: Painter) -> None:
    """Negative control of the one above."""
    made = mean(generate(painter, [nothing(SHAPE)] * 12, guidance=1.0, seed=3))
    assert len({tuple(np.sign(each)) for each in made}) > 3


def test_a_picture_does_not_depend_on_its_batch(painter: Painter) -> None:
    names: tuple[SamplerName, ...] = ("dpm++", "ddpm")
    for name in names:
        many = generate(painter, [RED, BLUE, RED], sampler=name, steps=6, seed=5)
        one = generate(painter, [RED], sampler=name, steps=6, seed=5)
        together = generate(painter, [RED, BLUE, RED], sampler=name, steps=6, seed=5, batch=3)
        assert many[0].tobytes() == one[0].tobytes() == together[0].tobytes()
        assert not np.array_equal(many[0], many[2])
        assert not np.array_equal(one, generate(painter, [RED], sampler=name, steps=6, seed=6))


def test_guidance_is_one_batch_of_two_and_none_without(painter: Painter) -> None:
    generate(painter, [RED, BLUE], steps=2)
    assert set(painter.asked) == {(2, 3, 8, 8)}
    painter.asked.clear()
    generate(painter, [RED, BLUE], steps=2, guidance=1.0)
    assert set(painter.asked) == {(1, 3, 8, 8)}
    painter.asked.clear()
    generate(painter, [RED], steps=4, sampler="euler", guided_above=0.6)
    assert painter.asked == sorted(painter.asked, reverse=True), "at first with guidance, then without"
    assert set(painter.asked) == {(1, 3, 8, 8), (2, 3, 8, 8)}


def test_guidance_exaggerates_and_zero_forgets(painter: Painter) -> None:
    pale = colour(0.2, -0.2, -0.2)
    for guidance in (0.5, 1.0, 2.0):
        made = mean(generate(painter, [pale], negative=colour(0, 0, 0), guidance=guidance, steps=20, seed=1))[0]
        np.testing.assert_allclose(made, guidance * np.array([0.2, -0.2, -0.2]), atol=0.06)
    free = generate(painter, [RED], guidance=0.0, seed=1)
    assert np.array_equal(free, generate(painter, [BLUE], guidance=0.0, seed=1))


def test_what_is_not_wanted_takes_the_place_of_nothing(painter: Painter) -> None:
    grey = colour(0.0, 0.0, 0.0)
    made = mean(generate(painter, [grey], negative=colour(0.3, 0.0, 0.0), guidance=2.0, steps=20))[0]
    np.testing.assert_allclose(made, [-0.3, 0, 0], atol=0.1)
    same = [generate(painter, [RED], negative=each, seed=2) for each in (None, nothing(SHAPE))]
    assert np.array_equal(same[0], same[1])


def test_image_to_image_keeps_less_with_strength(painter: Painter) -> None:
    """Without a condition, a blue picture stays blue at little strength; at 1 it is forgotten."""
    start = np.tile(np.array([-0.7, -0.7, 0.7], np.float32)[:, None, None], (1, 8, 8))
    start[:, ::2] += 0.15
    free = [nothing(SHAPE)] * 6
    kept = {
        share: np.abs(generate(painter, free, start=start, strength=share, guidance=1.0, seed=4) - start).mean()
        for share in (0.05, 0.4, 1.0)
    }
    assert kept[0.05] < kept[0.4] < kept[1.0]
    assert kept[0.05] < 0.08
    np.testing.assert_array_equal(
        generate(painter, free, start=start, strength=1.0, seed=4), generate(painter, free, seed=4)
    )
    assert len(painter.asked) > 0
    painter.asked.clear()
    generate(painter, [RED], start=start, strength=0.5, steps=20, guidance=1.0)
    assert len(painter.asked) == 10


@pytest.mark.parametrize("name", SAMPLERS)
def test_image_to_image_with_every_sampler(painter: Painter, name: SamplerName) -> None:
    made = generate(painter, [RED], sampler=name, start=np.zeros((3, 8, 8), np.float32), strength=0.8, guidance=1.0)
    np.testing.assert_allclose(mean(made)[0], [0.7, -0.7, -0.7], atol=0.06)


def test_blends_go_evenly_from_one_to_the_other(painter: Painter) -> None:
    made = mean(
        generate(
            painter, [blend([(RED, 1 - share), (BLUE, share)]) for share in np.linspace(0, 1, 5)], guidance=1.0, seed=1
        )
    )
    np.testing.assert_allclose(made[:, 0], np.linspace(0.7, -0.7, 5), atol=0.08)
    np.testing.assert_allclose(made[:, 2], np.linspace(-0.7, 0.7, 5), atol=0.08)


def test_a_blend_reads_as_the_mean_of_what_its_parts_read_as() -> None:
    """mask * proj(tokens) + (1 - mask) * empty is linear in the weights, also where one has fewer tokens."""
    rng = np.random.default_rng(0)
    parts = [
        Condition(rng.normal(size=(3, 4)).astype(np.float32), np.array(mask, np.float32))
        for mask in ([1, 1, 0], [1, 0, 0])
    ]
    proj, bias, empty = rng.normal(size=(4, 5)), rng.normal(size=5), rng.normal(size=5)

    def read(each: Condition) -> Any:
        mask = each.mask[:, None]
        return mask * (each.tokens @ proj + bias) + (1 - mask) * empty

    expected = 0.3 * read(parts[0]) + 0.7 * read(parts[1])
    np.testing.assert_allclose(read(blend([(parts[0], 3.0), (parts[1], 7.0)])), expected, atol=1e-5)


@pytest.mark.parametrize("weights", [[], [0.0, 0.0], [1.0, -0.1]])
def test_weights_that_make_no_blend(weights: Sequence[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        blend([(RED, weight) for weight in weights])


def test_variations_are_near_the_first_and_the_nearer_the_smaller(painter: Painter) -> None:
    free = [nothing(SHAPE)] * 4
    noises = {share: draw_noise((4, 3, 8, 8), 7, share) for share in (0.0, 0.2, 1.0)}
    first = noises[1.0][0]
    for share, each in noises.items():
        np.testing.assert_allclose(each[0], first, atol=1e-6)
        cosines = [np.vdot(first, one) / np.linalg.norm(first) / np.linalg.norm(one) for one in each[1:]]
        np.testing.assert_allclose(cosines, np.cos(share * np.pi / 2), atol=0.15)
    made = generate(painter, free, seed=7, variation=0.1, guidance=1.0)
    assert np.abs(mean(made) - mean(made)[0]).max() < 0.1
    assert len({each.tobytes() for each in made}) == 4


@hypothesis_settings(max_examples=25, deadline=None)
@given(st.floats(0, 1), st.integers(0, 2**70), st.integers(2, 6))
def test_a_noise_between_two_is_as_strong(share: float, seed: int, side: int) -> None:
    one, two = draw_noise((2, 4, side, 8), seed)
    lengths = sorted(float(np.linalg.norm(each)) for each in (one, two))
    assert lengths[0] * 0.85 <= np.linalg.norm(slerp(one, two, share)) <= lengths[1] * 1.15
    np.testing.assert_allclose(slerp(one, one, share), one, atol=1e-5)
    np.testing.assert_array_equal(slerp(one, two, 0.0), one)


def test_given_noise_is_used(painter: Painter) -> None:
    noise = draw_noise((1, 3, 8, 8), 3)
    assert np.array_equal(
        generate(painter, [RED], noise=noise, seed=99, steps=5), generate(painter, [RED], seed=3, steps=5)
    )


def test_data_may_reach_further_than_one() -> None:
    painter = Painter()
    for reach in (1.0, 12.0):
        painter.settings = replace(painter.settings, reach=reach)
        made = generate(painter, [colour(5.0, -5.0, 0.5)], guidance=1.0, seed=2)
        assert abs(np.abs(made).max() - min(5.0, reach)) < 5 * SPREAD


@pytest.mark.parametrize("name", SAMPLERS)
def test_previews(painter: Painter, name: SamplerName) -> None:
    seen: list[tuple[int, int, Array]] = []
    made = generate(painter, [RED], sampler=name, steps=6, guidance=1.0, progress=lambda *told: seen.append(told))
    total = 11 if name == "heun" else 6
    assert [(done, all_) for done, all_, _ in seen] == [(each + 1, total) for each in range(total)]
    away = [float(np.abs(preview - made).mean()) for _, _, preview in seen]
    assert away[-1] < 0.05 < away[0] + 0.05
    assert all(preview.shape == made.shape for _, _, preview in seen)


def test_no_condition_no_picture(painter: Painter) -> None:
    assert generate(painter, []).shape == (0, 3, 8, 8)
    assert not painter.asked


def test_what_does_not_fit_is_said(painter: Painter) -> None:
    wide, many = (Condition(np.zeros(size, np.float32), np.ones(size[0], np.float32)) for size in ((2, 5), (4, 4)))
    for wrong in (wide, many):
        with pytest.raises(OptionError, match="condition"):
            generate(painter, [wrong])
    with pytest.raises(OptionError, match="start has the shape"):
        generate(painter, [RED], strength=0.5, start=np.zeros((3, 9, 8), np.float32))
    with pytest.raises(OptionError, match="noise has the shape"):
        generate(painter, [RED], noise=np.zeros((2, 3, 8, 8), np.float32))
    for strength, variation in ((0.0, 1.0), (1.1, 1.0), (1.0, -0.1), (float("nan"), 1.0)):
        with pytest.raises(OptionError, match=r"0\.\.1"):
            generate(painter, [RED], strength=strength, variation=variation)
    with pytest.raises(OptionError, match="no sampler"):
        generate(painter, [RED], sampler="plms")  # type: ignore[arg-type]


def test_a_network_that_gives_no_numbers(painter: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painter, "row", lambda *told: np.full((3, 8, 8), np.nan, np.float32))
    with pytest.raises(TransformError, match="no numbers"):
        generate(painter, [RED])
