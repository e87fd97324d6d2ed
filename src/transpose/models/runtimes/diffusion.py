"""What a user taught a diffusion model of ours: the base, changed by a small adapter, in ONNX Runtime without PyTorch.

The card of such a model names its base, `settings.base`, and the hash of the base's weights, for an adapter means
nothing on other weights. Its folder holds `adapter.safetensors`. A card without a base is a whole network of one's own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from transpose.core.context import Context
from transpose.core.errors import DamagedWeights, WeightsError
from transpose.models import shelf
from transpose.models.card import Card
from transpose.models.diffusion.adapter import ADAPTER
from transpose.models.diffusion.graph import WEIGHTS
from transpose.models.diffusion.pictures import Pictures, Reader
from transpose.models.diffusion.settings import Settings
from transpose.models.diffusion.words import Words
from transpose.models.protocols import settings as told


def open_words(ctx: Context) -> Words:
    """MiniLM as the reader of prompts, opened once for all models of a context."""
    from transpose.models.diffusion.words import MODEL
    from transpose.models.minilm import MEMORY_MB

    return ctx.load(f"words:{MODEL}", lambda: Words(ctx.model(MODEL), ctx.threads), MEMORY_MB)


def open_reader(settings: Settings, ctx: Context) -> tuple[Reader, Callable[[str], int]]:
    """What turns prompts into conditions for a network (MiniLM, or words by a fixed table), and counts their parts."""
    sizes = settings.network
    if settings.conditioner == "words":
        from transpose.models.diffusion.hashed import WORD, hashed_words

        return lambda texts: hashed_words(texts, sizes.cond_tokens, sizes.cond_dim), lambda text: len(
            WORD.findall(text)
        )
    if settings.conditioner != "minilm":
        raise WeightsError(
            f"this model is not conditioned on prompts but on {settings.conditioner!r}", "Choose one of pictures"
        )
    words = open_words(ctx)
    return lambda texts: words.states(texts, sizes.cond_tokens), lambda text: len(words.pieces([text])[0]) - 2


def open_painter(card: Card, folder: Path, ctx: Context) -> Pictures:
    """The base with the card's adapter merged into it. Raises DamagedWeights where it is not the base learned on."""
    from transpose.models.diffusion.denoiser import open_denoiser

    base = told(card).get("base", "")
    if not base:  # a network of one's own that was trained whole
        network = open_denoiser(folder, ctx.threads)
        return Pictures(network, *open_reader(network.settings, ctx))
    weights = ctx.model(base) / WEIGHTS
    if shelf.digest(weights) != told(card).get("base_hash"):
        raise DamagedWeights(
            f"{card.name!r} was learned on other weights of {base!r} than those that are here",
            "Learn it again on these: transpose learn ... --force",
        )
    network = open_denoiser(weights.parent, ctx.threads, adapters=[folder / ADAPTER])
    return Pictures(network, *open_reader(network.settings, ctx), told(card).get("larger", ""))
