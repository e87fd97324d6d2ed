"""What a user taught a diffusion model of ours: the base, changed by a small adapter, in ONNX Runtime without PyTorch.

The card of such a model names its base, `settings.base`, and the hash of the base's weights, for an adapter means
nothing on other weights. Its folder holds `adapter.safetensors`. A card without a base is a whole network of one's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.core.errors import DamagedWeights, WeightsError
from transpose.models import shelf
from transpose.models.card import Card
from transpose.models.diffusion.adapter import ADAPTER
from transpose.models.diffusion.graph import WEIGHTS
from transpose.models.diffusion.settings import Settings
from transpose.models.protocols import settings as told

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transpose.media.image import Image
    from transpose.models.diffusion.generate import Condition, Progress, Velocity
    from transpose.models.diffusion.samplers import SamplerName
    from transpose.models.diffusion.words import Words

    Floats = NDArray[np.float32]

Reader = Callable[[Sequence[str]], "tuple[Floats, Floats]"]  # texts -> tokens (n, L, Dc) and mask (n, L)


@dataclass(frozen=True)
class Learned:
    """The changed network and what reads its prompts."""

    network: Velocity
    read: Reader
    larger: str = ""  # the card of what enlarges its pictures

    def make(
        self,
        prompt: str,
        *,
        steps: int,
        sampler: SamplerName,
        guidance: float,
        negative: str,
        size: int,
        ctx: Context,
        start: Image | None = None,
        strength: float = 1.0,
    ) -> Image:
        """A picture whose longer side has `size` pixels; `start` is changed to it.

        0 is as many as the network makes, or four times as many where a model that enlarges comes with it.
        """
        from transpose.media.image import Image
        from transpose.models.diffusion.generate import generate

        made = generate(
            self.network,
            [self._condition(prompt)],
            negative=self._condition(negative) if negative.strip() else None,
            steps=steps,
            sampler=sampler,
            guidance=guidance,
            seed=ctx.seed,
            start=None if start is None else self._start(start),
            strength=strength,
            progress=shown(ctx),
        )
        pixels = to_pixels(made[0])
        if not self.larger:
            return Image(scaled(pixels, size))
        return Image(grown(pixels, size or 4 * max(pixels.shape[:2]), self.larger, ctx))

    def _condition(self, prompt: str) -> Condition:
        from transpose.models.diffusion.generate import Condition

        tokens, mask = self.read([prompt])
        return Condition(tokens[0], mask[0])

    def _start(self, picture: Image) -> Floats:
        shape = self.network.settings.network
        return from_pixels(picture.pixels, shape.height, shape.width)


def shown(ctx: Context) -> Progress:
    """Tells how far sampling is, with a picture of what it will be."""
    from transpose.media.image import Image

    def progress(done: int, total: int, x0: Floats) -> None:
        ctx.progress(done, total, "steps")
        ctx.preview(Image(to_pixels(x0[0])))

    return progress


def open_words(ctx: Context) -> Words:
    """MiniLM as the reader of prompts, opened once for all models of a context."""
    from transpose.models.diffusion.words import MODEL, Words
    from transpose.models.minilm import MEMORY_MB

    return ctx.load(f"words:{MODEL}", lambda: Words(ctx.model(MODEL), ctx.threads), MEMORY_MB)


def open_reader(settings: Settings, ctx: Context) -> Reader:
    """What turns prompts into conditions for a network: MiniLM, or words by a fixed table."""
    sizes = settings.network
    if settings.conditioner == "words":
        from transpose.models.diffusion.hashed import hashed_words

        return lambda texts: hashed_words(texts, sizes.cond_tokens, sizes.cond_dim)
    if settings.conditioner != "minilm":
        raise WeightsError(
            f"this model is not conditioned on prompts but on {settings.conditioner!r}", "Choose one of pictures"
        )
    words = open_words(ctx)
    return lambda texts: words.states(texts, sizes.cond_tokens)


def open_painter(card: Card, folder: Path, ctx: Context) -> Learned:
    """The base with the card's adapter merged into it. Raises DamagedWeights where it is not the base learned on."""
    from transpose.models.diffusion.denoiser import open_denoiser

    base = told(card).get("base", "")
    if not base:  # a network of one's own that was trained whole
        network = open_denoiser(folder, ctx.threads)
        return Learned(network, open_reader(network.settings, ctx))
    weights = ctx.model(base) / WEIGHTS
    if shelf.digest(weights) != told(card).get("base_hash"):
        raise DamagedWeights(
            f"{card.name!r} was learned on other weights of {base!r} than those that are here",
            "Learn it again on these: transpose learn ... --force",
        )
    network = open_denoiser(weights.parent, ctx.threads, adapters=[folder / ADAPTER])
    return Learned(network, open_reader(network.settings, ctx), told(card).get("larger", ""))


# -- pixels ------------------------------------------------------------------------------------------------------------


def to_pixels(x0: Floats) -> NDArray[np.uint8]:
    """(channels, height, width) in -1..1 to (height, width, channels) of bytes."""
    import numpy as np

    return np.asarray(np.rint(np.clip(x0.transpose(1, 2, 0) + 1, 0, 2) * 127.5), np.uint8)


def from_pixels(pixels: NDArray[np.uint8], height: int, width: int) -> Floats:
    """Pixels of any size as (3, height, width) in -1..1: the middle is cut to the proportion, and made smaller.

    What is transparent is shown on white.
    """
    import numpy as np
    from PIL import Image as Pillow

    from transpose.media.image import on_white

    rgb = on_white(pixels)
    scale = min(rgb.shape[0] / height, rgb.shape[1] / width)
    high, wide = max(1, round(height * scale)), max(1, round(width * scale))
    top, left = (rgb.shape[0] - high) // 2, (rgb.shape[1] - wide) // 2
    cut = Pillow.fromarray(np.ascontiguousarray(rgb[top : top + high, left : left + wide]))
    small = cut if (wide, high) == (width, height) else cut.resize((width, height), Pillow.Resampling.LANCZOS)
    return np.asarray(np.asarray(small, np.float32).transpose(2, 0, 1) / 127.5 - 1, np.float32)


def scaled(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The same picture whose longer side has `size` pixels; 0 leaves it."""
    import numpy as np
    from PIL import Image as Pillow

    if not size or size == max(pixels.shape[:2]):
        return pixels
    share = size / max(pixels.shape[:2])
    sides = (max(1, round(pixels.shape[1] * share)), max(1, round(pixels.shape[0] * share)))
    return np.asarray(Pillow.fromarray(pixels).resize(sides, Pillow.Resampling.LANCZOS))


def grown(pixels: NDArray[np.uint8], size: int, card: str, ctx: Context) -> NDArray[np.uint8]:
    """The same, four times larger by Real-ESRGAN's network of a card until it has to be made smaller."""
    from transpose.models.realesrgan import MEMORY_MB, Upscaler

    while max(pixels.shape[:2]) < size:
        upscaler = ctx.load(card, lambda: Upscaler(ctx.model(card), ctx.threads), MEMORY_MB)
        pixels = upscaler.enlarge(pixels)
    return scaled(pixels, size)
