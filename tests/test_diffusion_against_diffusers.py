"""Our samplers beside the schedulers of the library diffusers: the same times, the same denoiser, the same samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from test_diffusion_samplers import mixture

from transpose.models.diffusion.samplers import SAMPLERS
from transpose.models.diffusion.schedule import SCHEDULES, Schedule, Spacing, Times

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

Array = NDArray[np.floating[Any]]
Velocity = Callable[[Array, float], Array]
TRAINED = 1000  # discrete times of those schedulers that know no others
CLOSE = 1e-4


@pytest.fixture(params=sorted(SCHEDULES))
def schedule(request: pytest.FixtureRequest) -> Schedule:
    return SCHEDULES[str(request.param)]


@pytest.fixture(params=["mixture", "network"])
def velocity(request: pytest.FixtureRequest, schedule: Schedule) -> Velocity:
    """The exact velocity of a mixture, and a small network with random weights, of x (n, 48)."""
    if request.param == "mixture":
        return lambda x, t: np.asarray(mixture(schedule).velocity(x.astype(np.float64), t), np.float64)
    rng = np.random.default_rng(4)
    first, last = rng.normal(size=(49, 64)) / 7, rng.normal(size=(64, 48)) / 8
    return lambda x, t: np.asarray(np.tanh(np.pad(x, ((0, 0), (0, 1)), constant_values=t) @ first) @ last)


def noise() -> Array:
    return np.random.default_rng(9).normal(size=(16, 48))


class Fixed:
    """Fresh noise in a known order."""

    def __init__(self) -> None:
        self.drawn = np.random.default_rng(10)

    def standard_normal(self, size: tuple[int, ...]) -> NDArray[np.float64]:
        return self.drawn.normal(size=size)


def ours(name: str, velocity: Velocity, times: Times) -> Array:
    path = times.schedule
    return SAMPLERS[name](lambda x, t: path.x0(x, velocity(x, t), t), noise(), times, Fixed())


def theirs(scheduler: Any, velocity: Velocity, times: Times, x: Any, read: Callable[[Any, int], Any]) -> Array:
    """Their loop; `read` turns their x at a stop into ours and back into what they take for a model's answer."""
    for now, t in enumerate(scheduler.timesteps):
        x = scheduler.step(read(x, now), t, x).prev_sample
    return np.asarray(x)


def discrete(schedule: Schedule, kind: str, steps: int) -> tuple[Any, Times]:
    """One of the schedulers that hold 1000 betas, and the times it takes; x is x / length(t) there."""
    t = (np.arange(TRAINED) + 1) / TRAINED
    kept = np.array([(schedule.alpha(each) / length(schedule, each)) ** 2 for each in t])
    betas = 1 - kept / np.concatenate([[1], kept[:-1]])
    told = {"prediction_type": "sample", "timestep_spacing": "trailing", "clip_sample": False}
    made = getattr(diffusers, kind)(trained_betas=betas, **told)
    made.alphas_cumprod = torch.as_tensor(kept)  # else a product of a thousand float32
    made.set_timesteps(steps)
    return made, Times(schedule, (*((int(each) + 1) / TRAINED for each in made.timesteps), 0.0))


def length(schedule: Schedule, t: float) -> float:
    """What brings any schedule to alpha^2 + sigma^2 = 1, the only one that some schedulers know."""
    return math.hypot(schedule.alpha(t), schedule.sigma(t))


@pytest.mark.parametrize("steps", [4, 20, 50])
@pytest.mark.parametrize(("name", "kind"), [("ddim", "DDIMScheduler"), ("ddpm", "DDPMScheduler")])
def test_ddim_and_ddpm(name: str, kind: str, steps: int, velocity: Velocity, schedule: Schedule, patched: Any) -> None:
    scheduler, times = discrete(schedule, kind, steps)

    def answer(x: Any, now: int) -> Any:
        t = times.t[now]
        longer = np.asarray(x) * length(schedule, t)
        return torch.as_tensor(schedule.x0(longer, velocity(longer, t), t))

    made = theirs(scheduler, velocity, times, torch.as_tensor(noise()), answer)
    np.testing.assert_allclose(ours(name, velocity, times), made, atol=CLOSE)


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their fresh noise in the order of ours."""
    import diffusers.schedulers.scheduling_ddpm as module

    drawn = Fixed()
    monkeypatch.setattr(module, "randn_tensor", lambda size, **_: torch.as_tensor(drawn.standard_normal(tuple(size))))


@pytest.mark.parametrize("steps", [4, 20, 50])
@pytest.mark.parametrize("spacing", ["time", "log-snr"])
@pytest.mark.parametrize(
    ("name", "kind"), [("euler", "FlowMatchEulerDiscreteScheduler"), ("heun", "FlowMatchHeunDiscreteScheduler")]
)
def test_euler_and_heun(
    name: str, kind: str, spacing: Spacing, steps: int, velocity: Velocity, schedule: Schedule
) -> None:
    """On straight lines; the cosine schedule is brought there by dividing x by alpha + sigma."""
    times = schedule.grid(steps, spacing)
    reach = [schedule.alpha(t) + schedule.sigma(t) for t in times.t]
    shares = [schedule.sigma(t) / all_ for t, all_ in zip(times.t, reach, strict=True)]
    scheduler = getattr(diffusers, kind)()
    scheduler.set_timesteps(steps)
    twice = 2 if name == "heun" else 1
    stops = [0, *(each for stop in range(1, steps) for each in [stop] * twice)]  # where each evaluation is made
    scheduler.sigmas = torch.tensor([shares[each] for each in [*stops, steps]], dtype=torch.float64)
    scheduler.timesteps = scheduler.sigmas[:-1] * TRAINED + torch.arange(len(stops)) * 1e-9

    def answer(x: Any, now: int) -> Any:
        t, x = times.t[stops[now]], np.asarray(x) * reach[stops[now]]
        v = velocity(x, t)
        return torch.as_tensor(schedule.noise(x, v, t) - schedule.x0(x, v, t))

    scheduler.set_begin_index(0)
    made = theirs(scheduler, velocity, times, torch.as_tensor(noise() / reach[0]), answer)
    np.testing.assert_allclose(ours(name, velocity, times), made, atol=CLOSE)


@pytest.mark.parametrize("steps", [4, 20, 50])
@pytest.mark.parametrize("spacing", ["time", "log-snr"])
@pytest.mark.parametrize(
    ("name", "kind"), [("dpm++", "DPMSolverMultistepScheduler"), ("unipc", "UniPCMultistepScheduler")]
)
def test_dpm_solver_and_unipc(
    name: str, kind: str, spacing: Spacing, steps: int, velocity: Velocity, schedule: Schedule
) -> None:
    """From t = 0.99, as these schedulers have no log-SNR of minus infinity."""
    times = schedule.grid(steps, spacing, 0.99)
    flow = schedule.name == "flow"
    scheduler = getattr(diffusers, kind)(
        solver_order=2, prediction_type="sample", use_flow_sigmas=flow, final_sigmas_type="zero", lower_order_final=True
    )
    scheduler.set_timesteps(steps)
    sigmas = [t if flow else math.exp(-schedule.log_snr(t)) for t in times.t[:-1]]
    scheduler.sigmas = torch.tensor([*sigmas, 0.0], dtype=torch.float64)
    scheduler.timesteps = torch.arange(steps, 0, -1)
    scheduler.set_begin_index(0)

    def answer(x: Any, now: int) -> Any:
        t = times.t[now]
        return torch.as_tensor(schedule.x0(np.asarray(x), velocity(np.asarray(x), t), t))

    made = theirs(scheduler, velocity, times, torch.as_tensor(noise()), answer)
    np.testing.assert_allclose(ours(name, velocity, times), made, atol=CLOSE)


def test_another_sampler_is_not_close(schedule: Schedule) -> None:
    """Negative control: the bound tells samplers apart, and DDIM on another grid too."""
    world, times = mixture(schedule), schedule.grid(20)
    made = {name: ours(name, world.velocity, times) for name in SAMPLERS}
    made["other grid"] = ours("ddim", world.velocity, schedule.grid(20, "log-snr"))
    assert np.abs(made["ddim"] - made["euler"]).max() < CLOSE
    for name in set(made) - {"ddim", "euler"}:
        assert np.abs(made["ddim"] - made[name]).max() > 10 * CLOSE


def test_the_default_grid_is_theirs(schedule: Schedule) -> None:
    """`use_lu_lambdas` is the grid that is even in log-SNR, between the ends that a scheduler has."""
    scheduler = diffusers.DPMSolverMultistepScheduler(use_lu_lambdas=True)
    scheduler.set_timesteps(10)
    gaps = np.diff(np.log(scheduler.sigmas[:-1].numpy()))
    np.testing.assert_allclose(gaps, gaps[0], rtol=1e-4)
    first, last = (schedule.time(-math.log(sigma)) for sigma in scheduler.sigmas[:-1].numpy()[[0, -1]])
    between = Times(schedule, tuple(schedule.time(-math.log(sigma)) for sigma in scheduler.sigmas[:-1].numpy()))
    even = np.linspace(schedule.log_snr(first), schedule.log_snr(last), 10)
    np.testing.assert_allclose(between.log_snr, even, atol=1e-3)
