"""Generate a picture from words with the small diffusion model of this project: experimental, 32 pixels made larger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.models.diffusion.samplers import SamplerName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transpose.models.diffusion.denoiser import Denoiser
    from transpose.models.diffusion.generate import Condition
    from transpose.models.diffusion.words import Words

    Datum = NDArray[np.float32]  # (3, 32, 32) in -1..1

CARD, LARGER, READER = "picture-diffusion", "realesrgan-quick", "minilm"
MODELS = [CARD, READER, LARGER]
NEEDS = ["onnxruntime", "onnx", "tokenizers"]
LOSES = ["wording", "structure", "detail"]
GUIDANCE = 2.0
LONGEST = 1000  # letters of a prompt
MEMORY_MB = 60

Steps = Annotated[int, Range(0, 250), "of the sampler; 0: as many as suit it"]
SamplerOption = Annotated[SamplerName, "how noise becomes a picture"]
Guidance = Annotated[float, Range(0, 20), "how strictly the prompt is followed; 1: no guidance"]
Negative = Annotated[str, "what should not be seen"]
Size = Annotated[int, Range(32, 512), "pixels a side; the network makes 32"]


@transform(
    "text.prompt -> image.icon",
    loses=LOSES,
    models=MODELS,
    needs=NEEDS,
    extra="local",
    invents=True,
    synthetic=True,
    memory_mb=600,
)
def generate_picture(
    prompt: Text,
    ctx: Context,
    *,
    steps: Steps = 0,
    sampler: SamplerOption = "dpm++",
    guidance: Guidance = GUIDANCE,
    negative: Negative = "",
    size: Size = 128,
    toward: Annotated[str, "a second prompt to go towards"] = "",
    share: Annotated[float, Range(0, 1), "how far towards it"] = 0.5,
    variation: Annotated[
        float, Range(0, 1), "how far to turn from the seed's picture: a little, 0.2, keeps most"
    ] = 0.0,
    variant: Annotated[int, Range(1, 99), "which of the pictures that far from it"] = 1,
) -> Image:
    """Generate an icon with a diffusion network of 4.9 million numbers. Experimental: `compose-icon` knows more things.

    It learnt flat icons of 328 plain things, which it draws nearly as they were drawn ("a cat"); held-out colours and
    backgrounds ("a red apple on a blue background") are right as often as a judge can tell (.80, .60), other things
    next to never. docs/pictures.md has the figures and 48 examples. DiT (Peebles and Xie 2023) over 32 x 32
    pixels under the states of MiniLM, then Real-ESRGAN to 128 and 512. The same seed gives the same pixels. Raises
    EmptyInput, and what the network cannot do as OptionError.
    """
    from transpose.models.runtimes.diffusion import open_words

    model, words = _open(ctx), open_words(ctx)
    wanted = _condition(words, prompt.text, model, ctx)
    if toward.strip():
        from transpose.models.diffusion.generate import blend

        wanted = blend([(wanted, 1 - share), (_condition(words, toward, model, ctx), share)])
    return _make(ctx, model, wanted, words, size, steps, sampler, guidance, negative, turn=(variant, variation))


@transform(
    "image.icon|image.drawing, text.prompt, image? -> image.icon",
    name="regenerate-picture",
    verb=True,
    loses=["pixels", "detail"],
    models=MODELS,
    needs=NEEDS,
    extra="local",
    invents=True,
    synthetic=True,
    memory_mb=600,
)
def regenerate_picture(
    image: Image,
    prompt: Text,
    other: Image | None,
    ctx: Context,
    *,
    strength: Annotated[float, Range(0.05, 1), "how much may change: 1 forgets the picture"] = 0.6,
    steps: Steps = 0,
    sampler: SamplerOption = "dpm++",
    guidance: Guidance = GUIDANCE,
    negative: Negative = "",
    size: Size = 128,
    share: Annotated[float, Range(0, 1), "how far towards the second picture"] = 0.5,
) -> Image:
    """Change an icon as words say: noise is put on it and taken off again (Meng et al. 2022, SDEdit). Experimental.

    With a second picture (`--with other=b.png`) it begins between both: the same noise is put on each, and what is
    mixed is taken on to one picture (as in Ho et al. 2020, section 4.4). The middle of each picture is reduced to
    32 x 32 pixels on white first. Otherwise as `generate-picture`.
    """
    from transpose.models.runtimes.diffusion import from_pixels, open_words

    model, words = _open(ctx), open_words(ctx)
    wanted = _condition(words, prompt.text, model, ctx)
    given = [image] if other is None else [image, other]
    if any(0 in each.pixels.shape for each in given):
        raise EmptyInput("the picture has no pixels", "Look at the step before")
    sides = model.settings.network.height, model.settings.network.width
    start = from_pixels(image.pixels, *sides)
    if other is not None:
        start = start * (1 - share) + from_pixels(other.pixels, *sides) * share
    return _make(ctx, model, wanted, words, size, steps, sampler, guidance, negative, start, strength)


def _open(ctx: Context) -> Denoiser:
    from transpose.models.diffusion.denoiser import open_denoiser

    folder = ctx.model(CARD)
    return ctx.load(CARD, lambda: open_denoiser(folder, ctx.threads), MEMORY_MB)


def _condition(words: Words, text: str, model: Denoiser, ctx: Context) -> Condition:
    """The condition of a prompt, with a warning where the network reads only its beginning."""
    if not text.strip():
        raise EmptyInput("the prompt is empty", "Say what the picture should show: -p 'a red apple'")
    most = model.settings.network.cond_tokens
    pieces = len(words.pieces([text[:LONGEST]])[0]) - 2
    if pieces > most or len(text) > LONGEST:
        ctx.warn(f"only the first {most} of {pieces} parts of words in the prompt were read")
    return words.condition(text[:LONGEST], most)


def _make(
    ctx: Context,
    model: Denoiser,
    wanted: Condition,
    words: Words,
    size: int,
    steps: int,
    sampler: SamplerName,
    guidance: float,
    negative: str,
    start: Datum | None = None,
    strength: float = 1.0,
    turn: tuple[int, float] = (0, 0.0),
) -> Image:
    """Sample, then enlarge. `turn` is the number of a variation of the seed's picture, and how far it is."""
    from transpose.models.diffusion.generate import draw_noise, generate
    from transpose.models.runtimes.diffusion import grown, shown, to_pixels

    shape, (variant, far) = model.settings.network, turn
    made = generate(
        model,
        [wanted],
        negative=_condition(words, negative, model, ctx) if negative.strip() else None,
        steps=steps,
        sampler=sampler,
        guidance=guidance,
        seed=ctx.seed,
        noise=draw_noise((variant + 1, shape.channels, shape.height, shape.width), ctx.seed, far)[variant:],
        start=start,
        strength=strength,
        progress=shown(ctx),
    )
    return Image(grown(to_pixels(made[0]), size, LARGER, ctx))
