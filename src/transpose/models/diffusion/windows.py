"""Pictures longer than the network, and loops: overlapping windows that agree at each step.

As in MultiDiffusion (Bar-Tal et al. 2023): the network sees overlapping windows, each with its own condition, and their
velocities are blended. In a loop the last window goes on at the start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from transpose.models.diffusion.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transpose.models.diffusion.generate import Velocity

    Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Windows:
    """A network for `width` columns, made of one for fewer: called like it, for one picture at a time.

    `along(column)` gives the condition tokens and mask of the window that begins at a column. It stands for the
    condition of a call that equals `along(0)`; any other, such as a negative one, is that of all windows.
    """

    inner: Velocity
    width: int
    loop: bool = False
    along: Callable[[int], tuple[Array, Array]] | None = None
    overlap: float = 0.5
    batch: int = 4

    @cached_property
    def settings(self) -> Settings:
        """Those of the inner network, but for the width."""
        return replace(self.inner.settings, network=replace(self.inner.settings.network, width=self.width))

    @cached_property
    def starts(self) -> list[int]:
        """The first column of each window; in a loop they go past the end."""
        inside = self.inner.settings.network.width
        count = max(1, -(-self.width // round(inside * (1 - self.overlap))))
        if self.loop:
            return [round(number * self.width / count) for number in range(count)]
        last = max(0, self.width - inside)
        steps = max(1, -(-last // round(inside * (1 - self.overlap))))
        return sorted({round(number * last / steps) for number in range(steps + 1)})

    @cached_property
    def _first(self) -> tuple[Array, Array]:
        assert self.along is not None
        return self.along(0)

    def __call__(self, x: Array, t: float, cond: Array, mask: Array) -> Array:
        """v of x (b, C, H, width); rows of b share nothing."""
        import numpy as np

        return np.concatenate([self._one(x[n], t, cond[n], mask[n]) for n in range(len(x))])

    def _one(self, x: Array, t: float, cond: Array, mask: Array) -> Array:
        """x (C, H, width) -> v (1, C, H, width)."""
        import numpy as np

        inside = self.inner.settings.network.width
        total, weight = np.zeros(x.T.shape, np.float32), np.zeros(self.width, np.float32)  # columns first
        ramp = np.minimum(np.arange(1, inside + 1), np.arange(inside, 0, -1)).astype(np.float32)
        places = [(start + np.arange(inside)) % self.width for start in self.starts]
        for first in range(0, len(places), self.batch):
            some = places[first : first + self.batch]
            conds, masks = self._conditions(self.starts[first : first + self.batch], cond, mask)
            found = self.inner(np.stack([x[..., place] for place in some]), t, conds, masks)
            for place, v in zip(some, found, strict=True):
                np.add.at(total, place, (v * ramp).T)
                np.add.at(weight, place, ramp)
        return np.ascontiguousarray((total.T / weight)[None], np.float32)

    def _conditions(self, starts: Sequence[int], cond: Array, mask: Array) -> tuple[Array, Array]:
        import numpy as np

        if self.along is None or not all(map(np.array_equal, (cond, mask), self._first)):
            return np.stack([cond] * len(starts)), np.stack([mask] * len(starts))
        parts = [self.along(start) for start in starts]
        return np.stack([part[0] for part in parts]), np.stack([part[1] for part in parts])
