"""How data turn into noise as the time t goes from 0 to 1, and at which times a sampler stops on its way back.

    x_t = alpha(t) x0 + sigma(t) noise                     t = 0: the data; t = 1: nothing but noise
    v   = a(t) x0 + b(t) noise             a and b as the slopes of alpha and sigma, but for a factor

The network predicts v (Salimans and Ho 2022, "Progressive Distillation for Fast Sampling"): the direction in which x
moves. In both schedules b alpha - a sigma = 1, so that x0 = b x - sigma v and noise = alpha v - a x hold at every time.
The data that follow from a predicted noise would have to be divided by alpha, which is 0 at t = 1.

The log-SNR is log(alpha / sigma), as in DPM-Solver (half of what others call so): infinite at both ends.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from transpose.core.errors import OptionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.floating[Any]]

Spacing = Literal["time", "log-snr"]
FIRST, LAST = 0.2, 0.25  # of the grid in log-SNR: what its ends leave out of 0..1, times the number of steps


class Schedule(ABC):
    """A path from data to noise. All arguments `t` are in 0..1."""

    name: str

    @abstractmethod
    def alpha(self, t: float) -> float:
        """Share of the data, from 1 down to 0."""

    @abstractmethod
    def sigma(self, t: float) -> float:
        """Share of the noise, from 0 up to 1."""

    @abstractmethod
    def slopes(self, t: float) -> tuple[float, float]:
        """The shares (a, b) of data and noise in v."""

    @abstractmethod
    def time(self, log_snr: float) -> float:
        """When log(alpha / sigma) has this value."""

    def log_snr(self, t: float) -> float:
        """log(alpha / sigma); plus infinity at 0, minus infinity at 1."""
        alpha, sigma = self.alpha(t), self.sigma(t)
        if alpha <= 0 or sigma <= 0:
            return -math.inf if alpha <= 0 else math.inf
        return math.log(alpha / sigma)

    def x0(self, x: Array, v: Array, t: float) -> Array:
        """The data that v implies for x at time t."""
        return self.slopes(t)[1] * x - self.sigma(t) * v

    def noise(self, x: Array, v: Array, t: float) -> Array:
        """The noise that v implies for x at time t."""
        return self.alpha(t) * v - self.slopes(t)[0] * x

    def velocity(self, x0: Array, noise: Array, t: float) -> Array:
        """What the network learns to predict."""
        a, b = self.slopes(t)
        return a * x0 + b * noise

    def noised(self, x0: Array, noise: Array, t: float) -> Array:
        """x at time t."""
        return self.alpha(t) * x0 + self.sigma(t) * noise

    def grid(self, steps: int, spacing: Spacing = "time", start: float = 1.0) -> Times:
        """`steps` steps from `start` down to 0, evenly spaced in the time or in the log-SNR.

        Even steps in log-SNR are what the error terms of DPM-Solver ask for (Lu et al. 2022, section 3.4): the times
        lie dense at both ends. The ends themselves are infinitely far; the even steps lie between times that come the
        nearer to 1 and to 0 the more steps there are, and the first and the last step bridge what is left.
        """
        if steps < 1 or not 0 < start <= 1:
            raise OptionError(f"no grid of {steps} steps from {start}", "Take at least 1 step, from a time in 0..1")
        if spacing == "time":
            return Times(self, tuple(start * (1 - step / steps) for step in range(steps)) + (0.0,))
        noisy = self.log_snr(min(start, 1 - FIRST / steps))
        clean = self.log_snr(min(start / 4, LAST / steps))
        between = [noisy + (clean - noisy) * step / max(1, steps - 1) for step in range(1, steps)]
        return Times(self, (start, *map(self.time, between), 0.0))


@dataclass(frozen=True, slots=True)
class Times:
    """A sampler's stops, from noise to data: `t[0]` is where it starts, `t[-1]` where it ends; steps = len(t) - 1."""

    schedule: Schedule
    t: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.t) < 2 or any(late <= early for late, early in zip(self.t, self.t[1:], strict=False)):
            raise ValueError(f"times have to fall from noise to data, not {self.t}")

    @property
    def steps(self) -> int:
        """How often a sampler moves x."""
        return len(self.t) - 1

    @property
    def alpha(self) -> list[float]:
        """The data's share at each stop."""
        return [self.schedule.alpha(t) for t in self.t]

    @property
    def sigma(self) -> list[float]:
        """The noise's share at each stop."""
        return [self.schedule.sigma(t) for t in self.t]

    @property
    def log_snr(self) -> list[float]:
        """log(alpha / sigma) at each stop."""
        return [self.schedule.log_snr(t) for t in self.t]


class Flow(Schedule):
    """Straight lines at even speed: rectified flow (Liu et al. 2022; Lipman et al. 2022, "Flow Matching")."""

    name = "flow"

    def alpha(self, t: float) -> float:
        """1 - t."""
        return 1 - t

    def sigma(self, t: float) -> float:
        """t."""
        return t

    def slopes(self, t: float) -> tuple[float, float]:
        """v = noise - x0."""
        return -1.0, 1.0

    def time(self, log_snr: float) -> float:
        """Inverse of log((1 - t) / t)."""
        return 1 / (1 + math.exp(log_snr))


class Cosine(Schedule):
    """A quarter of a circle: alpha^2 + sigma^2 = 1 (Nichol and Dhariwal 2021, without their offset)."""

    name = "cosine"

    def alpha(self, t: float) -> float:
        """cos(pi t / 2), and exactly 0 at 1."""
        return math.cos(math.pi / 2 * t) if t < 1 else 0.0

    def sigma(self, t: float) -> float:
        """sin(pi t / 2)."""
        return math.sin(math.pi / 2 * t)

    def slopes(self, t: float) -> tuple[float, float]:
        """v = alpha noise - sigma x0."""
        return -self.sigma(t), self.alpha(t)

    def time(self, log_snr: float) -> float:
        """Inverse of log(cot(pi t / 2))."""
        return 2 / math.pi * math.atan(math.exp(-log_snr))


SCHEDULES: dict[str, Schedule] = {each.name: each for each in (Flow(), Cosine())}
