"""Learn a style from a folder of pictures: LoRA on the pictures as they are, with captions that do not name the style.

What all the pictures share and no caption says is what the adapter takes up (Hu et al. 2021 on adapters; the recipe is
the one that diffusers gives for text-to-image LoRA). One picture in eight, at least one where there are four or more,
is held out to tell when it begins to learn them by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from transpose.learn.adapt import Lesson
from transpose.learn.objective import Batch
from transpose.learn.terms import Dials
from transpose.models.diffusion.pictures import Reader, from_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transpose.learn.examples import Example

    Floats = NDArray[np.float32]

HOLD = 8  # one picture in so many is held out
SHOWN = 6  # prompts that are painted on the way
SHIFT = 0.06  # of a side: how far a picture is moved, at random


def lesson(examples: Sequence[Example], size: tuple[int, int], read: Reader, dials: Dials) -> Lesson:
    """Batches of the pictures, a little shifted each time, with their captions; `size` is (height, width)."""
    x0 = np.stack([from_pixels(each.picture.pixels, *size) for each in examples])
    tokens, mask = read([each.caption for each in examples])
    order = np.random.default_rng(dials.seed).permutation(len(examples))
    out = max(1, len(examples) // HOLD) if len(examples) >= 4 else 0
    held, kept = order[:out], order[out:]
    if not out:  # too few to leave one out: then at least other noise
        held = kept

    def batches(step: int) -> Batch:
        rng = np.random.default_rng([dials.seed, step])
        picked = kept[rng.integers(len(kept), size=dials.batch)]
        return batch_of(np.stack([shifted(x0[each], rng, SHIFT) for each in picked]), tokens[picked], mask[picked])

    captions = sorted({each.caption for each in examples if each.caption}, key=len)[:SHOWN]
    return Lesson(batches, batch_of(x0[held], tokens[held], mask[held]), tuple(captions) or ("",) * 4)


def batch_of(x0: Floats, tokens: Floats, mask: Floats) -> Batch:
    """Arrays as a batch."""
    return Batch(*(torch.from_numpy(np.ascontiguousarray(each, np.float32)) for each in (x0, tokens, mask)))


def shifted(picture: Floats, rng: np.random.Generator, most: float) -> Floats:
    """A picture (3, H, W) moved by up to `most` of its side in both directions; its edge is drawn out."""
    down, across = (
        round(float(each) * side) for each, side in zip(rng.uniform(-most, most, 2), picture.shape[1:], strict=True)
    )
    rows = np.clip(np.arange(picture.shape[1]) - down, 0, picture.shape[1] - 1)
    columns = np.clip(np.arange(picture.shape[2]) - across, 0, picture.shape[2] - 1)
    return picture[:, rows][:, :, columns]
