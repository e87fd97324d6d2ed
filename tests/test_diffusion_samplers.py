"""Schedules and samplers on a world whose exact answer is known: a mixture of normal distributions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from transpose.core.errors import OptionError
from transpose.models.diffusion import samplers, settings
from transpose.models.diffusion.samplers import SAMPLERS, ddim, ddpm, dpm_solver, euler, heun, unipc
from transpose.models.diffusion.schedule import SCHEDULES, Schedule, Times

Array = NDArray[np.floating[Any]]
SMOOTH = [name for name in SAMPLERS if name != "ddpm"]  # those that draw no noise on the way


@dataclass(frozen=True)
class Mixture:
    """Classes as normal distributions around `means` (k, d), with weights (k) and one spread."""

    schedule: Schedule
    means: Array
    weights: Array
    spread: float = 0.1

    def classes(self, x: Array, t: float) -> Array:
        """How likely x (n, d) at time t is of each class, (n, k)."""
        alpha, sigma = self.schedule.alpha(t), self.schedule.sigma(t)
        away = alpha**2 * (self.means**2).sum(1) - 2 * alpha * (x @ self.means.T)  # but for |x|^2
        likely = np.log(self.weights) - away / (2 * ((alpha * self.spread) ** 2 + sigma**2))
        chances = np.exp(likely - likely.max(1, keepdims=True))
        return np.asarray(chances / chances.sum(1, keepdims=True))

    def x0(self, x: Array, t: float) -> Array:
        """The mean of all data that may have become x (n, d): what a perfect network says."""
        alpha, sigma = self.schedule.alpha(t), self.schedule.sigma(t)
        kept = alpha * self.spread**2 / ((alpha * self.spread) ** 2 + sigma**2)
        return np.asarray(kept * x + (1 - kept * alpha) * (self.classes(x, t) @ self.means), x.dtype)

    def velocity(self, x: Array, t: float) -> Array:
        """The same as v, for t above 0."""
        x0 = self.x0(x, t)
        return self.schedule.velocity(x0, (x - self.schedule.alpha(t) * x0) / self.schedule.sigma(t), t)


def mixture(schedule: Schedule, size: int = 48, kinds: int = 5) -> Mixture:
    rng = np.random.default_rng(3)
    weights = np.arange(1.0, kinds + 1)
    return Mixture(schedule, rng.choice([-0.8, 0.8], (kinds, size)), weights / weights.sum())


@pytest.fixture(params=sorted(SCHEDULES))
def schedule(request: pytest.FixtureRequest) -> Schedule:
    return SCHEDULES[str(request.param)]


# -- schedules ---------------------------------------------------------------------------------------------------------


def test_schedules_are_those_of_the_settings() -> None:
    assert set(SCHEDULES) == set(settings.SCHEDULES)
    assert all(name == each.name for name, each in SCHEDULES.items())


def test_velocity_gives_back_data_and_noise(schedule: Schedule) -> None:
    rng = np.random.default_rng(0)
    x0, noise = rng.normal(size=(2, 3, 4, 5)).astype(np.float32)
    for t in (0.0, 1e-4, 0.3, 0.999, 1.0):
        x, v = schedule.noised(x0, noise, t), schedule.velocity(x0, noise, t)
        np.testing.assert_allclose(schedule.x0(x, v, t), x0, atol=1e-6)
        np.testing.assert_allclose(schedule.noise(x, v, t), noise, atol=1e-6)
        assert x.dtype == v.dtype == np.float32


def test_velocity_is_the_slope_of_the_path(schedule: Schedule) -> None:
    x0, noise, step = np.array([0.7]), np.array([-1.3]), 1e-6
    for t in (0.1, 0.5, 0.9):
        slope = (schedule.noised(x0, noise, t + step) - schedule.noised(x0, noise, t - step)) / (2 * step)
        pace = {"flow": 1, "cosine": math.pi / 2}[schedule.name]
        np.testing.assert_allclose(slope, pace * schedule.velocity(x0, noise, t), rtol=1e-6)


def test_ends_are_exact(schedule: Schedule) -> None:
    assert (schedule.alpha(0), schedule.sigma(0), schedule.alpha(1), schedule.sigma(1)) == (1, 0, 0, 1)
    assert schedule.log_snr(1) == -math.inf
    assert schedule.log_snr(0) == math.inf
    for t in (0.003, 0.5, 0.98):
        assert schedule.time(schedule.log_snr(t)) == pytest.approx(t)


@pytest.mark.parametrize("spacing", ["time", "log-snr"])
@pytest.mark.parametrize("steps", [1, 2, 25, 500])
@pytest.mark.parametrize("start", [1.0, 0.6, 0.01, 1e-4])
def test_grids_fall_from_start_to_data(schedule: Schedule, spacing: Any, steps: int, start: float) -> None:
    times = schedule.grid(steps, spacing, start)
    assert times.steps == steps
    assert times.t[0] == start
    assert times.t[-1] == 0
    gaps = np.diff(times.t if spacing == "time" else times.log_snr[1:-1])
    np.testing.assert_allclose(gaps, gaps[0] if len(gaps) else 0, rtol=1e-6)


def test_grids_that_cannot_be() -> None:
    flow = SCHEDULES["flow"]
    for steps, start in ((0, 1.0), (5, 0.0), (5, 1.5)):
        with pytest.raises(OptionError):
            flow.grid(steps, "time", start)
    with pytest.raises(ValueError, match="fall"):
        Times(flow, (0.2, 0.5))


# -- each sampler ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 3, 7])
@pytest.mark.parametrize("spacing", ["time", "log-snr"])
def test_where_the_data_are_known_every_sampler_gives_them(
    schedule: Schedule, name: str, steps: int, spacing: Any
) -> None:
    """Also with one step, and from exactly t = 1, where log-SNR is infinite. No warning of numpy's, no float64."""
    data = np.random.default_rng(1).normal(size=(2, 3, 4)).astype(np.float32)
    noise = np.random.default_rng(2).normal(size=data.shape).astype(np.float32)
    asked: list[float] = []

    def denoise(x: Array, t: float) -> Array:
        asked.append(t)
        assert x.dtype == np.float32
        return data

    times = schedule.grid(steps, spacing)
    with np.errstate(all="raise"):
        made = SAMPLERS[name](denoise, noise, times, np.random.default_rng(0))
    np.testing.assert_allclose(made, data, atol=1e-5)
    assert made.dtype == np.float32
    assert len(asked) == SAMPLERS[name].evaluations(times)
    assert min(asked) > 0


@pytest.mark.parametrize(("run", "order"), [(ddim, 1), (euler, 1), (heun, 2), (dpm_solver, 2), (unipc, 3)])
def test_halving_the_step_divides_the_error(schedule: Schedule, run: Callable[..., Array], order: int) -> None:
    """The order of each method, on one normal distribution between two times at which nothing is infinite."""
    world = Mixture(schedule, np.full((1, 3), 0.4), np.ones(1), 0.5)
    x = np.random.default_rng(0).normal(size=(20, 3))
    ends = schedule.log_snr(0.8), schedule.log_snr(0.2)

    def error(steps: int) -> float:
        times = Times(schedule, tuple(schedule.time(each) for each in np.linspace(*ends, steps + 1)))
        mean, first, last = world.means[0], 0.8, 0.2
        spreads = [math.hypot(schedule.alpha(t) * 0.5, schedule.sigma(t)) for t in (first, last)]
        exact = schedule.alpha(last) * mean + spreads[1] / spreads[0] * (x - schedule.alpha(first) * mean)
        return float(np.abs(run(world.x0, x, times, np.random.default_rng(0)) - exact).max())

    assert math.log2(error(64) / error(128)) == pytest.approx(order, abs=0.4)


def test_ddpm_is_ddim_with_all_noise_fresh(schedule: Schedule) -> None:
    world = mixture(schedule)
    x = np.random.default_rng(0).normal(size=(8, 48))
    made = [
        run(world.x0, x, schedule.grid(40), np.random.default_rng(5), **told)
        for run, told in ((ddpm, {}), (ddim, {"eta": 1.0}), (ddim, {"eta": 0.5}))
    ]
    np.testing.assert_allclose(made[0], made[1], atol=1e-9)
    assert np.abs(made[0] - made[2]).max() > 0.01


@pytest.mark.parametrize("spacing", ["time", "log-snr"])
def test_on_straight_lines_ddim_is_euler(schedule: Schedule, spacing: Any) -> None:
    x = np.random.default_rng(0).normal(size=(8, 48))
    times = schedule.grid(10, spacing)
    one, two = (run(mixture(schedule).x0, x, times, np.random.default_rng(0)) for run in (ddim, euler))
    np.testing.assert_allclose(one, two, atol=1e-12)


# -- all samplers of one model agree -----------------------------------------------------------------------------------


def classes_made(name: str, world: Mixture, denoise: Any, steps: int = 0, count: int = 1500) -> Array:
    """Shares of the classes among samples, (k), and the largest distance of a class's mean from the true one."""
    sampler = SAMPLERS[name]
    noise = np.random.default_rng(11).normal(size=(count, world.means.shape[1])).astype(np.float32)
    times = world.schedule.grid(steps or sampler.steps, sampler.spacing)
    made = sampler(denoise, noise, times, np.random.default_rng(12))
    away = np.sqrt(((made[:, None] - world.means) ** 2).mean(-1))  # (n, k)
    near = np.bincount(away.argmin(1)[away.min(1) < 2 * world.spread], minlength=len(world.means))
    return np.asarray(near / count)


def disagreement(world: Mixture, denoise: Any, steps: int = 0) -> float:
    """The largest difference between the true share of a class and a sampler's."""
    shares = [classes_made(name, world, denoise, steps or 0) for name in SAMPLERS]
    return float(np.abs(np.stack(shares) - world.weights).max())


def test_all_samplers_give_the_classes_in_their_shares(schedule: Schedule) -> None:
    """At their own numbers of steps; 1500 draws of a share of 1/3 have a standard deviation of .012."""
    world = mixture(schedule)
    assert disagreement(world, world.x0) < 0.04


def test_clipping_the_data_keeps_the_agreement(schedule: Schedule) -> None:
    world = mixture(schedule)
    assert disagreement(world, lambda x, t: np.clip(world.x0(x, t), -1, 1)) < 0.04


def test_a_wrong_sign_is_seen(schedule: Schedule) -> None:
    """Negative control: a network with v the wrong way round makes nothing of any class."""
    world = mixture(schedule)
    assert disagreement(world, lambda x, t: schedule.x0(x, -world.velocity(x, t), t)) > 0.3


def test_a_predicted_noise_is_worse_than_a_predicted_velocity() -> None:
    """Negative control, and why the networks predict v: the same error in the noise breaks the first step of all.

    A network errs by some hundredths. On the data, an error of the noise grows by sigma / alpha, one of v by sigma.
    """
    schedule = SCHEDULES["cosine"]
    world = mixture(schedule)
    error = 0.05 * np.random.default_rng(0).normal(size=48).astype(np.float32)

    def from_noise(x: Array, t: float) -> Array:
        x0, alpha, sigma = world.x0(x, t), max(schedule.alpha(t), 1e-4), schedule.sigma(t)
        return np.asarray((x - sigma * ((x - alpha * x0) / sigma + error)) / alpha, np.float32)

    def from_velocity(x: Array, t: float) -> Array:
        return np.asarray(schedule.x0(x, world.velocity(x, t) + error, t), np.float32)

    assert disagreement(world, from_velocity) < 0.1
    assert disagreement(world, from_noise) > 0.2


def test_there_are_six() -> None:
    assert set(SAMPLERS) == set(get_args(samplers.SamplerName))
    assert len(SAMPLERS) == 6
