"""Generate a picture from words with the small diffusion model of this project: experimental, 32 pixels made larger."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.models.diffusion.pictures import (
    Guidance,
    Negative,
    Pictures,
    Sampler,
    Share,
    ShareOfOther,
    Steps,
    Toward,
    Variant,
    Variation,
)

CARD, LARGER, READER = "picture-diffusion", "realesrgan-quick", "minilm"
MODELS = [CARD, READER, LARGER]
NEEDS = ["onnxruntime", "onnx", "tokenizers"]
LOSES = ["wording", "structure", "detail"]
GUIDANCE = 2.0
MEMORY_MB = 60

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
    deterministic=False,
)
def generate_picture(
    prompt: Text,
    ctx: Context,
    *,
    steps: Steps = 0,
    sampler: Sampler = "dpm++",
    guidance: Guidance = GUIDANCE,
    negative: Negative = "",
    size: Size = 128,
    toward: Toward = "",
    share: Share = 0.5,
    variation: Variation = 0.0,
    variant: Variant = 1,
) -> Image:
    """Generate an icon with a diffusion network of 4.9 million numbers. Experimental: `compose-icon` knows more words.

    It learnt 1,392 flat icons (things, faces, people, signs), which it draws nearly as they were drawn ("a cat"), and
    328 plain things in colours and on backgrounds: held-out ones ("a red apple on a blue background") are right in .77
    and .73, where the judge's ceiling is .90 and .73. Things that it never learnt are right in .10. docs/pictures.md
    has the figures and 84 examples. DiT (Peebles and Xie 2023) over 32 x 32 pixels under the states of MiniLM, then
    Real-ESRGAN to 128 and 512. The same seed gives the same pixels. Raises EmptyInput, and what the network cannot do
    as OptionError.
    """
    return _open(ctx).make(
        prompt.text,
        ctx,
        steps=steps,
        sampler=sampler,
        guidance=guidance,
        negative=negative,
        size=size,
        toward=toward,
        share=share,
        variation=variation,
        variant=variant,
    )


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
    deterministic=False,
)
def regenerate_picture(
    image: Image,
    prompt: Text,
    other: Image | None,
    ctx: Context,
    *,
    strength: Annotated[float, Range(0.05, 1), "how much may change: 1 forgets the picture"] = 0.6,
    steps: Steps = 0,
    sampler: Sampler = "dpm++",
    guidance: Guidance = GUIDANCE,
    negative: Negative = "",
    size: Size = 128,
    share: ShareOfOther = 0.5,
) -> Image:
    """Change an icon as words say: noise is put on it and taken off again (Meng et al. 2022, SDEdit). Experimental.

    With a second picture (`--with other=b.png`) it begins between both: the same noise is put on each, and what is
    mixed is taken on to one picture (as in Ho et al. 2020, section 4.4). The middle of each picture is reduced to
    32 x 32 pixels on white first. Otherwise as `generate-picture`.
    """
    return _open(ctx).make(
        prompt.text,
        ctx,
        steps=steps,
        sampler=sampler,
        guidance=guidance,
        negative=negative,
        size=size,
        share=share,
        starts=[image] if other is None else [image, other],
        strength=strength,
    )


def _open(ctx: Context) -> Pictures:
    from transpose.models.diffusion.denoiser import open_denoiser
    from transpose.models.runtimes.diffusion import open_reader

    folder = ctx.model(CARD)
    network = ctx.load(CARD, lambda: open_denoiser(folder, ctx.threads), MEMORY_MB)
    return Pictures(network, *open_reader(network.settings, ctx), LARGER)
