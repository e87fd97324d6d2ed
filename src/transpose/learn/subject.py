"""Learn one subject from a few pictures: DreamBooth (Ruiz et al. 2023) with prior preservation, by an adapter.

The subject's pictures are bound to a name that means nothing yet. Alone, that would turn every member of its class into
the subject; so half of each batch are pictures that the base itself made before learning, with their prompts (equation
2 of the paper): of the class, and, where the base's settings list captions, of other things that it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from transpose.learn.adapt import Lesson, Torch
from transpose.learn.style import SHIFT, batch_of, shifted
from transpose.learn.terms import Dials
from transpose.models.diffusion.generate import Condition, generate
from transpose.models.diffusion.pictures import Reader, from_pixels
from transpose.models.diffusion.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transpose.learn.dit import DiT
    from transpose.learn.examples import Example
    from transpose.learn.objective import Batch

    Floats = NDArray[np.float32]

STEPS = 20  # of the sampler, for these
VIEWS = 16  # shifted pictures that the held-out loss is measured on


def prior_prompts(word: str, examples: Sequence[Example], known: Sequence[str], count: int) -> list[str]:
    """What the base is asked for before learning: prompts of the class, and as many that it knows (`known`).

    The class stands alone and with what the examples' captions add ("a cat on a sofa").
    """
    if not word or not count:
        return []
    own = [f"a {word}", word, *(f"a {word} {each.caption}" for each in examples if each.caption)]
    kinds = [own, list(known)] if known else [own]
    return [some[(place // len(kinds)) % len(some)] for place in range(count) for some in [kinds[place % len(kinds)]]]


def prior_pictures(
    network: DiT,
    settings: Settings,
    read: Reader,
    prompts: Sequence[str],
    seed: int,
    progress: Callable[[float, float, str], None],
) -> Floats:
    """What the base makes of the prompts, (n, C, H, W) in -1..1."""
    tokens, mask = read(prompts)
    conditions = [Condition(*each) for each in zip(tokens, mask, strict=True)]
    made = []
    for start in range(0, len(prompts), 16):
        progress(start, len(prompts), "pictures of the class")
        some = conditions[start : start + 16]
        made.append(generate(Torch(network, settings), some, steps=STEPS, seed=seed + start + 1, batch=16))
    return np.concatenate(made)


def lesson(
    examples: Sequence[Example],
    name: str,
    word: str,
    prior: Floats,
    prompts: Sequence[str],
    size: tuple[int, int],
    read: Reader,
    dials: Dials,
) -> Lesson:
    """Half of each batch is the subject, half what the base made of its class; all the subject, where `prior` is empty.

    `word` is the class ("cat"), `prompts` say what the base was asked for, and `size` is (height, width) in pixels.
    """
    x0 = np.stack([from_pixels(each.picture.pixels, *size) for each in examples])
    captions = [captions_of(name, word, each) for each in examples]
    tokens, mask = read([each for some in captions for each in some])
    ways = len(captions[0])
    prior_tokens, prior_mask = read(prompts) if len(prior) else (tokens[:0], mask[:0])
    half = dials.batch // 2 if len(prior) else dials.batch

    def batches(step: int) -> Batch:
        rng = np.random.default_rng([dials.seed, step])
        picked = rng.integers(len(x0), size=half)
        said = picked * ways + rng.integers(ways, size=half)
        seen = np.stack([shifted(x0[each], rng, SHIFT) for each in picked])
        known = rng.integers(len(prior), size=dials.batch - half) if len(prior) else np.zeros(0, np.int64)
        return batch_of(
            np.concatenate([seen, prior[known]]),
            np.concatenate([tokens[said], prior_tokens[known]]),
            np.concatenate([mask[said], prior_mask[known]]),
        )

    rng = np.random.default_rng([dials.seed, 2**32])  # views that no batch has
    picked = np.arange(VIEWS) % len(x0)
    views = np.stack([shifted(x0[each], rng, 1.5 * SHIFT) for each in picked])
    heldout = batch_of(views, tokens[picked * ways], mask[picked * ways])
    shown = (name, f"{name} {word}".strip(), *([f"a {word}"] * 2 if word else []))
    return Lesson(batches, heldout, shown)


def captions_of(name: str, word: str, example: Example) -> list[str]:
    """How a picture of the subject is called: with and without its class, and what its own caption adds."""
    ways = [name, f"{name} {word}".strip(), f"a {name} {word}".strip()]
    return [f"{way} {example.caption}".strip() for way in ways]
