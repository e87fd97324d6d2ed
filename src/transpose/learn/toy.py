"""A base model of coloured shapes, trained in minutes on one thread: what adapters are tested on.

The pictures are those of `transpose.testing.shapes`, solid and of one colour; outlines and two colours are never among
them, so an adapter that makes them has learned them.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from transpose.learn.dit import DiT
from transpose.learn.export import export
from transpose.learn.objective import Batch
from transpose.learn.train import Batches, Reporter, train
from transpose.models import shelf
from transpose.models.adding import write_card
from transpose.models.card import Card, CardFile
from transpose.models.diffusion.settings import Settings
from transpose.models.diffusion.settings import Shape as Sizes
from transpose.models.places import user_cards
from transpose.models.runtime import Runtime
from transpose.testing.shapes import PIXELS, TOKENS, WIDTH, Shape, draw, random_shapes, to_model, word_tokens

STOCK = 8192  # pictures that are drawn once
BATCH = 32


def toy_settings(dim: int = 96, depth: int = 3) -> Settings:
    """16 x 16 pixels in patches of 4: 16 tokens, and 6 of words; half a million parameters at dim 96."""
    sizes = Sizes(3, PIXELS, PIXELS, (4, 4), dim, depth, 4, 4.0, WIDTH, TOKENS)
    return Settings(sizes, "flow", "words", {"captions": [each.caption for each in random_shapes(64, seed=1)]})


@lru_cache(1)
def _stock(seed: int) -> tuple[list[Shape], torch.Tensor]:
    shapes = random_shapes(STOCK, seed=seed)
    return shapes, torch.from_numpy(np.stack([to_model(draw(each)) for each in shapes]))


def shape_batches(seed: int = 0) -> Batches:
    """Batches of shapes with captions, long and short; batch number n is always the same."""

    def batch(step: int) -> Batch:
        shapes, pictures = _stock(seed)
        rng = np.random.default_rng([seed, step])
        picked = rng.integers(STOCK, size=BATCH)
        cond, mask = word_tokens([shapes[each].say(rng) for each in picked])
        return Batch(pictures[picked], torch.from_numpy(cond), torch.from_numpy(mask))

    return batch


def list_toy(folder: Path, name: str) -> Card:
    """Write a card of the model in `folder` among the user's own, so that it can be used and taught by its name."""
    names = ("denoiser.onnx", "settings.json", "weights.safetensors")
    files = tuple(CardFile(each, (folder / each).stat().st_size, shelf.digest(folder / each)) for each in names)
    runtime = Runtime("diffusion", ("text-to-image", "image-to-image"), str(folder))
    card = Card(
        name,
        "coloured shapes",
        runtime.tasks[0],
        "Apache-2.0",
        files,
        (),
        notes="a toy",
        runtime=runtime,
        origin=user_cards() / f"{name}.toml",
    )
    write_card(card, smoke="not run")
    return card


def train_toy(folder: Path, *, steps: int = 2500, seed: int = 0, report: Reporter | None = None) -> Settings:
    """Train the base and write it to `folder`; its checkpoint in `folder`/run lets a second call go on."""
    settings = toy_settings()
    torch.manual_seed(seed)
    network = DiT(settings.network)
    done = train(
        network,
        shape_batches(seed),
        folder / "run",
        steps=steps,
        rate=4e-3,
        warmup=100,
        ema=0.998,
        seed=seed,
        report=report,
        every=100,
        save_every=10.0,
    )
    return export(
        network,
        folder,
        schedule=settings.schedule,
        conditioner=settings.conditioner,
        labels=settings.labels,
        average=done.average,
    )
