"""Six ways from noise to data. One calling convention, one algorithm one function, numbers in ONNX Runtime or anywhere.

    sampler(denoise, x, times, rng) -> x0

`denoise(x, t)` says what data x at time t would be without noise; x is float32 (b, ...), noise at `times.t[0]`. `rng`
draws fresh noise for DDPM; the others are ordinary differential equations and draw none. All of them hold for any
shares (alpha, sigma) of data and noise (`Schedule`), for none divides by alpha, which is 0 where all is noise; sigma is
0 only after the last step. Below, `now` and `then` are two stops of the grid, one step apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from transpose.models.diffusion.schedule import Spacing, Times

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transpose.models.diffusion.schedule import Array

    Denoise = Callable[[Array, float], Array]


class Dice(Protocol):
    """What fresh noise is drawn from: numpy's Generator, or one that draws for each picture apart."""

    def standard_normal(self, size: tuple[int, ...]) -> NDArray[np.float64] | NDArray[np.float32]:
        """Normal numbers of mean 0 and variance 1."""
        ...


def ddpm(denoise: Denoise, x: Array, times: Times, rng: Dice) -> Array:
    """Ancestral sampling (Ho et al. 2020, "Denoising Diffusion Probabilistic Models", algorithm 2).

    Each step draws from the posterior of x then, given x now and the data: a normal distribution (eq. 7; for any two
    times, Kingma et al. 2021, "Variational Diffusion Models", appendix A.4). Needs many small steps.
    """
    alpha, sigma = times.alpha, times.sigma
    for now in range(times.steps):
        then = now + 1
        x0 = denoise(x, times.t[now])
        ratio = alpha[now] / alpha[then]
        added = sigma[now] ** 2 - (ratio * sigma[then]) ** 2  # variance that a step towards noise adds
        x = (ratio * sigma[then] ** 2 * x + alpha[then] * added * x0) * (1 / sigma[now] ** 2)
        if sigma[then] > 0:
            fresh = math.sqrt(added) * sigma[then] / sigma[now]
            x = x + fresh * rng.standard_normal(x.shape).astype(x.dtype)
    return x


def ddim(denoise: Denoise, x: Array, times: Times, rng: Dice, *, eta: float = 0.0) -> Array:
    """Song et al. 2021, "Denoising Diffusion Implicit Models", eq. 12: keep the noise, put it on the data with less.

    `eta` replaces a share of it by fresh noise (eq. 16): 0 none, 1 as much as DDPM, which it then is.
    """
    alpha, sigma = times.alpha, times.sigma
    for now in range(times.steps):
        then = now + 1
        x0 = denoise(x, times.t[now])
        noise = (x - alpha[now] * x0) / sigma[now]
        kept = alpha[now] * sigma[then] / (alpha[then] * sigma[now])  # ratio of sigma / alpha, below 1
        fresh = eta * sigma[then] * math.sqrt(1 - kept * kept)
        x = alpha[then] * x0 + math.sqrt(sigma[then] ** 2 - fresh**2) * noise
        if fresh:
            x = x + fresh * rng.standard_normal(x.shape).astype(x.dtype)
    return x


def euler(denoise: Denoise, x: Array, times: Times, rng: Dice) -> Array:
    """Straight on to the next stop: the probability flow (Karras et al. 2022, algorithm 1 without lines 6-8).

    Where paths are straight, as here, that is what DDIM does (their section 3): the two give the same numbers.
    """
    share, reach = _straight(times)
    for now, t in enumerate(times.t[:-1]):
        then = now + 1
        slope = _slope(x, denoise(x, t), times, t)
        x = reach[then] * (x / reach[now] + (share[then] - share[now]) * slope)
    return x


def heun(denoise: Denoise, x: Array, times: Times, rng: Dice) -> Array:
    """The mean of the slopes at both ends of a step (Karras et al. 2022, "Elucidating the Design Space", algorithm 1).

    Second order. Two evaluations a step, except in the last, where no noise is left at the far end.
    """
    share, reach = _straight(times)
    for now, t in enumerate(times.t[:-1]):
        then = now + 1
        slope = _slope(x, denoise(x, t), times, t)
        guess = reach[then] * (x / reach[now] + (share[then] - share[now]) * slope)
        if share[then] > 0:
            slope = (slope + _slope(guess, denoise(guess, times.t[then]), times, times.t[then])) / 2
            guess = reach[then] * (x / reach[now] + (share[then] - share[now]) * slope)
        x = guess
    return x


def _straight(times: Times) -> tuple[list[float], list[float]]:
    """Any schedule as one of straight lines: x / reach = (1 - share) x0 + share noise at each stop.

    Karras et al. use x / alpha and the time sigma / alpha, which are infinite where alpha is 0; these are not.
    """
    reach = [alpha + sigma for alpha, sigma in zip(times.alpha, times.sigma, strict=True)]
    return [sigma / all_ for sigma, all_ in zip(times.sigma, reach, strict=True)], reach


def _slope(x: Array, x0: Array, times: Times, t: float) -> Array:
    """noise - x0: where x / reach goes as the share of noise grows."""
    return (x - times.schedule.alpha(t) * x0) / times.schedule.sigma(t) - x0


def dpm_solver(denoise: Denoise, x: Array, times: Times, rng: Dice) -> Array:
    """DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095, algorithm 2): the data extrapolated along the log-SNR.

    Second order with one evaluation a step; the first and the last step are of first order. Wants even steps in
    log-SNR.
    """
    alpha, sigma, log_snr = times.alpha, times.sigma, times.log_snr
    before = None  # the data as they seemed one stop ago
    for now in range(times.steps):
        then = now + 1
        x0 = denoise(x, times.t[now])
        ahead = x0
        if before is not None and sigma[then] > 0:
            step, last = log_snr[then] - log_snr[now], log_snr[now] - log_snr[now - 1]
            ahead = x0 + step / (2 * last) * (x0 - before)  # last may be infinite: then first order
        kept = sigma[then] / sigma[now]
        x = kept * x + (alpha[then] - alpha[now] * kept) * ahead
        before = x0
    return x


def unipc(denoise: Denoise, x: Array, times: Times, rng: Dice) -> Array:
    """UniPC of order 2 on the data, with B(h) = exp(h) - 1 (Zhao et al. 2023, arXiv 2302.04867, algorithms 5 and 7).

    Predicts as DPM-Solver++ does; then what the network says at the new stop corrects the step that led there, at no
    further evaluation. Third order. The last step is of first order.
    """
    alpha, sigma, log_snr = times.alpha, times.sigma, times.log_snr
    seen: list[Array] = []  # the data as they seemed at the last two stops
    start = x  # x at the last stop, corrected
    for now in range(times.steps):
        then = now + 1
        x0 = denoise(x, times.t[now])
        if seen:
            step = log_snr[now] - log_snr[now - 1]
            slope = x0 - seen[-1]
            bent = _corrected(slope, seen, step, log_snr[now - 1] - log_snr[now - 2] if now > 1 else 0.0)
            x = _exact(start, seen[-1] + bent, alpha, sigma, now - 1)
        start, ahead = x, x0
        if seen and sigma[then] > 0:
            step, last = log_snr[then] - log_snr[now], log_snr[now] - log_snr[now - 1]
            ahead = x0 + step / (2 * last) * (x0 - seen[-1])
        x = _exact(start, ahead, alpha, sigma, now)
        seen = [*seen[-1:], x0]
    return x


def _exact(x: Array, x0: Array, alpha: list[float], sigma: list[float], now: int) -> Array:
    """x one stop later, had the data been x0 all along: the linear part of the equation is solved exactly."""
    kept = sigma[now + 1] / sigma[now]
    return kept * x + (alpha[now + 1] - alpha[now] * kept) * x0


def _corrected(slope: Array, seen: list[Array], step: float, last: float) -> Array:
    """What UniC adds to the data of a step: `slope` is their change over it; `step` and `last` are in log-SNR.

    The two weights solve Zhao et al.'s eq. 10 for the ratios r = -last / step and 1.
    """
    if len(seen) < 2:
        return slope / 2
    first = (math.expm1(-step) / -step - 1) / math.expm1(-step)
    second = 2 * ((math.expm1(-step) / -step - 1) / -step - 0.5) / math.expm1(-step)
    ratio = -last / step
    weight = (first - second) / (1 - ratio)
    return weight * (seen[-2] - seen[-1]) / ratio + (first - weight) * slope


SamplerName = Literal["dpm++", "unipc", "heun", "euler", "ddim", "ddpm"]


@dataclass(frozen=True, slots=True)
class Sampler:
    """An algorithm with the grid and the number of steps that suit it."""

    run: Callable[[Denoise, Array, Times, Dice], Array]
    spacing: Spacing
    steps: int  # more of them better a picture no further
    stages: int = 1  # evaluations a step, except in the last, which has one

    def __call__(self, denoise: Denoise, x: Array, times: Times, rng: Dice) -> Array:
        return self.run(denoise, x, times, rng)

    def evaluations(self, times: Times) -> int:
        """How often it asks `denoise`."""
        return self.stages * (times.steps - 1) + 1


SAMPLERS: dict[str, Sampler] = {
    "dpm++": Sampler(dpm_solver, "log-snr", 25),
    "unipc": Sampler(unipc, "log-snr", 25),
    "heun": Sampler(heun, "time", 25, 2),
    "euler": Sampler(euler, "time", 50),
    "ddim": Sampler(ddim, "time", 50),
    "ddpm": Sampler(ddpm, "time", 250),
}
