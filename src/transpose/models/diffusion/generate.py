"""From conditions to pictures (or spectrograms): a network's velocity, a sampler, guidance, and the noise of each.

Picture number i of a seed is always the same, however many are made with it: each has noise of its own, and the network
sees one picture at a time, with its condition and without (classifier-free guidance, Ho and Salimans 2022).

    made = generate(denoiser, [condition], seed=7)                          # (1, C, H, W) in -1..1
    made = generate(denoiser, [blend([(sad, 0.3), (glad, 0.7)])], seed=7)   # between two conditions
    made = generate(denoiser, [glad], seed=7, start=picture, strength=0.6)  # image to image
    made = generate(denoiser, [glad] * 4, seed=7, variation=0.2)            # picture 0 of seed 7 and three like it
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from transpose.core.errors import OptionError, TransformError
from transpose.models.diffusion.samplers import SAMPLERS, Sampler, SamplerName
from transpose.models.diffusion.schedule import SCHEDULES, Schedule
from transpose.models.diffusion.settings import Settings, Shape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]
    Progress = Callable[[int, int, Array], None]  # evaluations done, in all, and how x0 looks now: (b, C, H, W)


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """What a picture should show: `tokens` (L, Dc), and `mask` (L), 0 where there is no token; float32."""

    tokens: Array
    mask: Array


class Velocity(Protocol):
    """A network: `Denoiser`, or anything that is called like it."""

    @property
    def settings(self) -> Settings:
        """Its sizes and its schedule."""
        ...

    def __call__(self, x: Array, t: float, cond: Array, mask: Array) -> Array:
        """v of x (b, C, H, W) at time t under conditions (b, L, Dc), masks (b, L); mask 0 is the null condition."""
        ...


def generate(
    denoiser: Velocity,
    conditions: Sequence[Condition],
    *,
    negative: Condition | None = None,
    steps: int = 0,
    sampler: SamplerName = "dpm++",
    guidance: float = 3.0,
    guided_above: float = 0.0,
    seed: int = 0,
    start: Array | None = None,
    strength: float = 1.0,
    noise: Array | None = None,
    variation: float = 1.0,
    batch: int = 1,
    progress: Progress | None = None,
) -> Array:
    """One picture for each condition: float32 (b, C, H, W) in -1..1, or as far as the settings say the data reach.

    Args:
        negative: what should not be seen; it takes the place of the null condition.
        steps: of the sampler, of which image-to-image does the share `strength`; 0: as many as suit the sampler.
        guidance: the velocity is v(negative) + guidance * (v(condition) - v(negative)); 1 is the condition alone.
        guided_above: the time below which the condition alone is followed: what is coarse is decided by then, and what
            is fine keeps its variety (a limited interval of guidance, Kynkäänniemi et al. 2024).
        start: pictures (b, C, H, W) or one (C, H, W) in -1..1 to begin with, noised up to the time `strength`
            (Meng et al. 2022, "SDEdit"); 1 forgets them.
        noise: to use instead of the seed's, (b, C, H, W).
        variation: how far the noise turns from that of the seed's picture 0: 0 the same, 1 all its own.
        batch: pictures that the network gets at once; beyond 1, the last bits may depend on it.
        progress: told after each evaluation.

    Raises OptionError for what does not fit the network, TransformError where the network gives no numbers.
    """
    import numpy as np

    shape, schedule, chosen = denoiser.settings.network, SCHEDULES[denoiser.settings.schedule], _sampler(sampler)
    given, null = [_fit(each, shape) for each in conditions], _fit(negative or nothing(shape), shape)
    sizes = (len(given), shape.channels, shape.height, shape.width)
    if not given:
        return np.zeros(sizes, np.float32)
    if not 0 <= variation <= 1 or not 0 < strength <= 1:
        raise OptionError(f"variation {variation} or strength {strength} is not in 0..1", "Give a share")
    reach = denoiser.settings.reach
    x = draw_noise(sizes, seed, variation) if noise is None else _sized(noise, sizes, "noise")
    times = schedule.grid(steps or chosen.steps, chosen.spacing)
    if start is not None and strength < 1:
        times = schedule.grid(max(1, round(strength * times.steps)), chosen.spacing, strength)
        x = schedule.noised(np.clip(_sized(start, sizes, "start"), -reach, reach), x, times.t[0])
    step = _Step(denoiser, schedule, given, null, guidance, guided_above, batch)
    watched = _watched(step, chosen.evaluations(times), progress)
    made = chosen(watched, x.astype(np.float32), times, SeparateDice(seed, len(given)))
    return np.clip(made, -reach, reach).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Step:
    """x at time t -> x0: the guided velocity of each picture, and the data that it implies, clipped."""

    denoiser: Velocity
    schedule: Schedule
    conditions: list[Condition]
    null: Condition
    guidance: float
    guided_above: float
    batch: int

    def __call__(self, x: Array, t: float) -> Array:
        import numpy as np

        v = np.concatenate([self._velocity(x, t, first) for first in range(0, len(x), self.batch)])
        if not np.isfinite(v).all():
            raise TransformError("the network gave no numbers", "Lower the guidance, or pull or train the model again")
        reach = self.denoiser.settings.reach
        return np.clip(self.schedule.x0(x, v, t), -reach, reach).astype(np.float32)

    def _velocity(self, x: Array, t: float, first: int) -> Array:
        """v of the pictures from `first` on, in one batch with and without their conditions: 2, 2, ... rows."""
        import numpy as np

        x, wanted = x[first : first + self.batch], self.conditions[first : first + self.batch]
        guided = self.guidance != 1 and t > self.guided_above
        asked = wanted + [self.null] * len(wanted) * guided
        tokens, masks = np.stack([each.tokens for each in asked]), np.stack([each.mask for each in asked])
        v = self.denoiser(np.concatenate([x, x]) if guided else x, t, tokens, masks)
        if not guided:
            return v
        with_it, without = v[: len(x)], v[len(x) :]
        return without + np.float32(self.guidance) * (with_it - without)


def _watched(step: _Step, total: int, progress: Progress | None) -> Callable[[Array, float], Array]:
    """The same step, telling how far it is."""
    if progress is None:
        return step
    done = 0

    def watched(x: Array, t: float) -> Array:
        nonlocal done
        x0 = step(x, t)
        done += 1
        progress(done, total, x0)
        return x0

    return watched


# -- conditions --------------------------------------------------------------------------------------------------------


def nothing(shape: Shape) -> Condition:
    """The null condition: no token at all."""
    import numpy as np

    return Condition(np.zeros((shape.cond_tokens, shape.cond_dim), np.float32), np.zeros(shape.cond_tokens, np.float32))


def blend(parts: Sequence[tuple[Condition, float]]) -> Condition:
    """One condition between several, by weight (they are made to sum to 1).

    What the network reads of it is the weighted mean of what it reads of each: where one has a token and another has
    none, the mask is a fraction. Raises ValueError for conditions of other sizes and weights below 0.
    """
    import numpy as np

    weights = [weight for _, weight in parts]
    if not parts or min(weights) < 0 or sum(weights) <= 0 or len({each.tokens.shape for each, _ in parts}) > 1:
        raise ValueError("conditions of one size, with weights of which none is below 0 and one is above")
    shares = [weight / sum(weights) for weight in weights]
    mask = np.sum([share * each.mask for (each, _), share in zip(parts, shares, strict=True)], axis=0)
    tokens = np.sum([s * each.mask[:, None] * each.tokens for (each, _), s in zip(parts, shares, strict=True)], axis=0)
    tokens = tokens / np.where(mask > 0, mask, 1)[:, None]
    return Condition(tokens.astype(np.float32), mask.astype(np.float32))


def _fit(condition: Condition, shape: Shape) -> Condition:
    """The same condition with as many tokens as the network has places."""
    import numpy as np

    tokens, mask = (np.asarray(each, np.float32) for each in (condition.tokens, condition.mask))
    missing = shape.cond_tokens - len(tokens)
    if tokens.ndim != 2 or mask.shape != tokens.shape[:1] or missing < 0 or tokens.shape[1] != shape.cond_dim:
        wanted = f"up to {shape.cond_tokens} tokens of {shape.cond_dim} numbers"
        raise OptionError(f"a condition of shape {tokens.shape} does not fit the network", f"It takes {wanted}")
    return Condition(np.pad(tokens, ((0, missing), (0, 0))), np.pad(mask, (0, missing)))


# -- noise -------------------------------------------------------------------------------------------------------------


class SeparateDice:
    """Fresh noise while sampling, for each picture from a generator of its own."""

    def __init__(self, seed: int, count: int) -> None:
        self._each = [_generator(seed, index, 1) for index in range(count)]

    def standard_normal(self, size: tuple[int, ...]) -> Array:
        """Shape (b, ...), float32."""
        import numpy as np

        return np.stack([each.standard_normal(size[1:], np.float32) for each in self._each])


def draw_noise(sizes: tuple[int, ...], seed: int, variation: float = 1.0) -> Array:
    """Noise (b, C, H, W) of a seed's pictures; with a `variation` below 1 they are near the noise of picture 0."""
    import numpy as np

    own = [_generator(seed, index, 0).standard_normal(sizes[1:], np.float32) for index in range(sizes[0])]
    return np.stack([slerp(own[0], each, variation) for each in own]) if variation < 1 else np.stack(own)


def varied(shape: Shape, seed: int, variation: float, variant: int) -> Array | None:
    """Noise (1, C, H, W) that is `variation` away from that of the seed's picture; None is the seed's own.

    Variants, from 1 on, go different ways.
    """
    import numpy as np

    if not variation:
        return None
    sizes = (shape.channels, shape.height, shape.width)
    own, other = (_generator(seed, index, 0).standard_normal(sizes, np.float32) for index in (0, variant))
    return slerp(own, other, variation)[None]


def slerp(first: Array, last: Array, share: float) -> Array:
    """From one noise to another on the sphere (Shoemake 1985): between two normal noises, again a normal noise.

    A straight line would lose variance midway, and the network would take that for less noise.
    """
    import numpy as np

    cosine = np.vdot(first, last) / (np.linalg.norm(first) * np.linalg.norm(last))
    angle = math.acos(min(1.0, max(-1.0, float(cosine))))
    if math.sin(angle) < 1e-4:  # the same, or opposite
        return np.asarray((1 - share) * first + share * last, np.float32)
    shares = math.sin((1 - share) * angle) / math.sin(angle), math.sin(share * angle) / math.sin(angle)
    return np.asarray(shares[0] * first + shares[1] * last, np.float32)


def _generator(seed: int, index: int, purpose: int) -> np.random.Generator:
    import numpy as np

    return np.random.default_rng([seed % 2**64, index, purpose])


def _sized(pictures: Array, sizes: tuple[int, ...], what: str) -> Array:
    """Pictures (b, C, H, W); a single one stands for all."""
    import numpy as np

    many = np.asarray(pictures, np.float32)
    many = np.broadcast_to(many, sizes) if many.shape in (sizes[1:], (1, *sizes[1:])) else many
    if many.shape != sizes:
        raise OptionError(f"{what} has the shape {many.shape}, not {sizes}", "Resize it to the size of the network")
    return many


def _sampler(name: str) -> Sampler:
    if name not in SAMPLERS:
        raise OptionError(f"there is no sampler {name!r}", f"Choices: {', '.join(SAMPLERS)}")
    return SAMPLERS[name]
