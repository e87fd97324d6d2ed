"""Pictures with a network of our own: from words, from a picture or two and words; the shipped one and learned ones.

Every way has the same options, and the same seed gives the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.core.transform import Range
from transpose.media.image import Image
from transpose.models.diffusion.samplers import SamplerName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transpose.models.diffusion.generate import Condition, Progress, Velocity

    Floats = NDArray[np.float32]

Reader = Callable[[Sequence[str]], "tuple[Floats, Floats]"]  # texts -> tokens (n, L, Dc) and mask (n, L)

# options that all diffusion transforms call alike
Steps = Annotated[int, Range(0, 250), "of the sampler; 0: as many as suit it"]
Sampler = Annotated[SamplerName, "how noise becomes a picture"]
Guidance = Annotated[
    float, Range(0, 20), "how strictly the prompt is followed (classifier-free guidance); 1: no guidance"
]
Negative = Annotated[str, "what should not be seen"]
Toward = Annotated[str, "a second prompt to go towards"]
Share = Annotated[float, Range(0, 1), "how far towards the second prompt"]
ShareOfOther = Annotated[float, Range(0, 1), "how far towards the second input"]
Variation = Annotated[float, Range(0, 1), "how far to turn from what the seed gives: a little, 0.2, keeps most"]
Variant = Annotated[int, Range(1, 99), "which of those that are that far from it"]

LONGEST = 1000  # letters of a prompt


@dataclass(frozen=True)
class Pictures:
    """A network, what reads its prompts, how many pieces these have, and the card of what enlarges what it makes."""

    network: Velocity
    read: Reader
    count: Callable[[str], int]
    larger: str = ""

    def make(
        self,
        prompt: str,
        ctx: Context,
        *,
        steps: int,
        sampler: SamplerName,
        guidance: float,
        negative: str,
        size: int,
        toward: str = "",
        share: float = 0.5,
        variation: float = 0.0,
        variant: int = 1,
        starts: Sequence[Image] = (),
        strength: float = 1.0,
    ) -> Image:
        """A picture whose longer side has `size` pixels.

        Size 0 is as many as the network makes, or four times as many where a model that enlarges comes with it.
        `starts` is what image-to-image begins with: a picture, or two, mixed by `share`.
        Raises EmptyInput for an empty prompt and a picture without pixels, OptionError for what does not fit.
        """
        from transpose.models.diffusion.generate import blend, generate, varied

        wanted = self._condition(prompt, ctx)
        if toward.strip():
            wanted = blend([(wanted, 1 - share), (self._condition(toward, ctx), share)])
        made = generate(
            self.network,
            [wanted],
            negative=self._condition(negative, ctx) if negative.strip() else None,
            steps=steps,
            sampler=sampler,
            guidance=guidance,
            seed=ctx.seed,
            noise=varied(self.network.settings.network, ctx.seed, variation, variant),
            start=self._start(starts, share),
            strength=strength,
            progress=shown(ctx),
        )
        pixels = to_pixels(made[0])
        if not self.larger:
            return Image(scaled(pixels, size))
        return Image(grown(pixels, size or 4 * max(pixels.shape[:2]), self.larger, ctx))

    def _condition(self, text: str, ctx: Context) -> Condition:
        """What the network reads of a prompt, with a warning where that is only its beginning."""
        from transpose.models.diffusion.generate import Condition

        text = text.strip()
        if not text:
            raise EmptyInput("the prompt is empty", "Say what the picture should show: -p 'a red apple'")
        most, count = self.network.settings.network.cond_tokens, self.count(text[:LONGEST])
        if count > most:
            more = " or more" if len(text) > LONGEST else ""
            ctx.warn(f"only the first {most} of {count}{more} parts of words in the prompt were read")
        elif len(text) > LONGEST:
            ctx.warn(f"only the first {LONGEST} letters of the prompt were read")
        tokens, mask = self.read([text[:LONGEST]])
        return Condition(tokens[0], mask[0])

    def _start(self, pictures: Sequence[Image], share: float) -> Floats | None:
        if any(0 in each.pixels.shape for each in pictures):
            raise EmptyInput("the picture has no pixels", "Look at the step before")
        sizes = self.network.settings.network
        given = [from_pixels(each.pixels, sizes.height, sizes.width) for each in pictures]
        return given[0] * (1 - share) + given[1] * share if len(given) > 1 else next(iter(given), None)


def shown(ctx: Context) -> Progress:
    """Tells how far sampling is, with a picture of what it will be."""

    def progress(done: int, total: int, x0: Floats) -> None:
        ctx.progress(done, total, "steps")
        ctx.preview(Image(to_pixels(x0[0])))

    return progress


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
