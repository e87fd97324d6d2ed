"""What a diffusion network learns: to predict the velocity between a datum and noise.

v-prediction (Salimans and Ho 2022, "Progressive Distillation"), on the straight path of rectified flow (Liu et al.
2022) or on the cosine path. In both, the error of the datum that follows from v is sigma times the error of v, so
min-SNR weighting (Hang et al. 2023: weight min(SNR, gamma) on the datum) is min(SNR, gamma) * sigma^2 on v.
Condition dropout teaches the null condition for classifier-free guidance (Ho and Salimans 2022). Times are spread
evenly over the batch (Kingma et al. 2021, "Variational Diffusion Models"), which makes the loss less noisy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Network = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Batch:
    """Data x0 (b, C, H, W) in -1..1, condition tokens (b, L, Dc), mask (b, L) of 0 and 1, all float32."""

    x0: Tensor
    cond: Tensor
    mask: Tensor
    weight: Tensor | None = None  # (b): how much each datum counts; None is 1 for all

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        weight = None if self.weight is None else self.weight.to(device)
        return Batch(self.x0.to(device), self.cond.to(device), self.mask.to(device), weight)


@dataclass(frozen=True, slots=True)
class Objective:
    """How a batch becomes a loss."""

    schedule: Literal["flow", "cosine"] = "flow"
    dropout: float = 0.1  # share of conditions that are replaced by the null condition
    min_snr: float | None = None  # gamma of the min-SNR weighting, 5 in the paper; None for no weighting
    middle: bool = False  # times from a logit-normal (Esser et al. 2024), more of them in the middle, not uniform

    def loss(self, network: Network, batch: Batch, rng: torch.Generator) -> Tensor:
        """The mean weighted square error of v; everything random comes from `rng`, which lives on the CPU."""
        x0, size, device = batch.x0, len(batch.x0), batch.x0.device
        t = self.times(size, rng).to(device)
        noise = torch.randn(x0.shape, generator=rng).to(device)
        kept = (torch.rand(size, 1, generator=rng) >= self.dropout).to(batch.mask)  # (b, 1)
        alpha, sigma = (each.view(-1, 1, 1, 1) for each in alpha_sigma(self.schedule, t))
        target = noise - x0 if self.schedule == "flow" else alpha * noise - sigma * x0
        v = network(alpha * x0 + sigma * noise, t, batch.cond, batch.mask * kept)
        errors = (v.float() - target).square().flatten(1).mean(1) * self.weights(t)  # (b)
        return (errors if batch.weight is None else errors * batch.weight).mean()

    def times(self, size: int, rng: torch.Generator) -> Tensor:
        """Times (size), evenly spread with one random offset, in random order."""
        even = (torch.arange(size) / size + torch.rand(1, generator=rng)) % 1
        even = even[torch.randperm(size, generator=rng)]
        return torch.special.ndtri(even.clamp(1e-4, 1 - 1e-4)).sigmoid() if self.middle else even

    def weights(self, t: Tensor) -> Tensor:
        """The weight of each time's error, (b)."""
        if self.min_snr is None:
            return torch.ones_like(t)
        alpha, sigma = alpha_sigma(self.schedule, t)
        return torch.minimum(alpha.square(), self.min_snr * sigma.square())  # min(SNR, gamma) * sigma^2


def alpha_sigma(schedule: str, t: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of the datum and of the noise at times t: x_t = alpha x0 + sigma noise."""
    if schedule == "flow":
        return 1 - t, t
    return torch.cos(t * (math.pi / 2)), torch.sin(t * (math.pi / 2))
