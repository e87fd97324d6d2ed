"""Paint the spectrogram of a piece of music from words: text to music by way of a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.media.wish import Wish
from transpose.models.diffusion.beats import BAR
from transpose.models.diffusion.generate import Condition, Velocity, generate, varied
from transpose.models.diffusion.pictures import Variant, Variation
from transpose.models.diffusion.samplers import SamplerName
from transpose.models.diffusion.sound import GUIDANCE, GUIDED_ABOVE, Painter, open_painter
from transpose.models.diffusion.windows import Windows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODEL = "music-diffusion"


@transform(
    "text.prompt -> image.spectrogram",
    name="paint-spectrogram",
    verb=True,
    invents=True,
    synthetic=True,
    loses=["wording", "structure"],
    models=[MODEL],
    memory_mb=300,
    deterministic=False,
)
def paint_spectrogram(
    prompt: Text,
    ctx: Context,
    *,
    seconds: Annotated[float, Range(1.0, 120.0), "length; a loop becomes a whole number of bars"] = 10.0,
    toward: Annotated[str, "another prompt: the music goes over into it and comes back, as a loop"] = "",
    loop: Annotated[bool, "the end goes on at the beginning, without a seam"] = False,
    steps: Annotated[int, Range(1, 250), "of denoising"] = 20,
    sampler: Annotated[SamplerName, "how noise is taken off"] = "dpm++",
    guidance: Annotated[float, Range(0.0, 20.0), "how strictly the prompt is followed"] = GUIDANCE,
    negative: Annotated[str, "a prompt for what should not be heard"] = "",
    variation: Variation = 0.0,
    variant: Variant = 1,
) -> Image:
    """Make a picture of music that does not exist yet, after Riffusion; `sound-from-spectrogram` plays it.

    Experimental: a network of 6 million numbers, taught with clips of 16 instruments playing simple chord progressions.
    It reads instrument, tempo, key, register, density, style and mood, and is told where the beats of the tempo fall;
    without a tempo it plays more freely. The picture carries its parameters: 86 columns a second, 512 rows, 0 to 11
    kHz. Longer ones than 10 s come from overlapping windows. Same seed, same picture. Raises EmptyInput for an empty
    prompt.
    """
    if not prompt.text.strip():
        raise EmptyInput("the prompt is empty", "Say what to play, such as 'slow sad cello in d minor'")
    painter = ctx.load(MODEL, lambda: open_painter(ctx.model(MODEL), ctx.threads), 300)
    wish = painter.read(prompt.text, ctx)
    other = painter.read(toward, ctx, "toward") if toward.strip() else None
    loop = loop or other is not None
    tokens = max(4, -(-round(seconds * 1e6) // round(painter.token * 1e6)))
    if loop:
        tokens, wish = in_bars(seconds, wish, painter.token)
    network: Velocity = painter.denoiser
    course = painter.course(wish, 0.0, other, tokens)
    if loop or tokens > painter.width:
        network = Windows(painter.denoiser, tokens, loop, course)
    made = generate(
        network,
        [Condition(*course(0))],
        negative=painter.condition(painter.read(negative, ctx, "negative"), beats=False) if negative.strip() else None,
        steps=steps,
        sampler=sampler,
        guidance=guidance,
        guided_above=GUIDED_ABOVE,
        seed=ctx.seed,
        noise=varied(network.settings.network, ctx.seed, variation, variant),
        progress=shown(painter, tokens, ctx),
    )
    samples = tokens * painter.codec.columns * painter.hop if loop else round(seconds * painter.rate)
    return painter.picture(made[0, 0, :, :tokens], samples)


def in_bars(seconds: float, wish: Wish, token: float) -> tuple[int, Wish]:
    """Tokens of a loop near `seconds`, and the wish with a tempo of which a whole number of bars fills them exactly.

    Of the numbers of bars near, the one that fits into whole tokens best; any length without a tempo.
    """
    if wish.tempo is None:
        return max(4, round(seconds / token)), wish
    bar = BAR * 60 / wish.tempo / token  # tokens
    wanted = max(1, round(seconds / token / bar))
    near = [
        count for count in range(wanted - 2, wanted + 3) if count > 0 and abs(count - wanted) <= max(1, wanted // 4)
    ]
    best = min(near, key=lambda count: (round(abs(count * bar - round(count * bar)), 1), abs(count - wanted)))
    tokens = max(4, round(best * bar))
    return tokens, replace(wish, tempo=best * BAR * 60 / (tokens * token))


def shown(painter: Painter, tokens: int, ctx: Context) -> Callable[[int, int, NDArray[np.float32]], None]:
    """Tells the progress, and shows the picture in the making."""

    def show(done: int, total: int, x0: NDArray[np.float32]) -> None:
        ctx.progress(done, total, "steps")
        ctx.preview(painter.picture(x0[0, 0, :, :tokens], tokens * painter.codec.columns * painter.hop))

    return show
