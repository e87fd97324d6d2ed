"""What a user taught a model of the library diffusers: the base's pipeline with the learned LoRA loaded into it."""

from __future__ import annotations

from pathlib import Path

from transpose.core.context import Context
from transpose.core.errors import DamagedWeights
from transpose.models import shelf
from transpose.models.card import Card, find_card
from transpose.models.protocols import settings
from transpose.models.runtimes import diffusers
from transpose.models.runtimes.diffusers import Pipeline
from transpose.models.runtimes.torch_loading import guarded

FILE = "pytorch_lora_weights.safetensors"  # diffusers' own name


def weights_hash(card: Card, folder: Path) -> str:
    """What the weights of a base are: the beginnings of its files' hashes, read from the disk."""
    found = [shelf.digest(folder / each.path)[:16] for each in card.files if each.path.endswith(".safetensors")]
    return "+".join(found)


def open_painter(card: Card, folder: Path, ctx: Context) -> Pipeline:
    """The base's pipeline, changed. Raises DamagedWeights where it is not the base learned on."""
    told = settings(card)
    base = find_card(told.get("base", ""))
    place = ctx.model(base.name)
    if weights_hash(base, place) != told.get("base_hash"):
        raise DamagedWeights(
            f"{card.name!r} was learned on other weights of {base.name!r} than those that are here",
            "Learn it again on these: transpose learn ... --force",
        )
    opened = diffusers.open_painter(base, place, ctx)
    with guarded(card):
        opened.pipe.load_lora_weights(str(folder), weight_name=FILE)
    return Pipeline(opened.pipe, card.name)
