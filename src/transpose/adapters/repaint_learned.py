"""Change a picture by words, with a style or a subject that the user taught one of our own diffusion models."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.models.diffusion.pictures import Guidance, Negative, Pictures, Sampler, ShareOfOther, Steps
from transpose.models.protocols import open_model


@transform(
    "image, text.prompt, image? -> image",
    does="repaint",
    verb=True,
    invents=True,
    synthetic=True,
    deterministic=False,
    loses=["pixels", "detail"],
)
def repaint_learned(
    image: Image,
    prompt: Text,
    other: Image | None,
    ctx: Context,
    *,
    _model: str,
    strength: Annotated[float, Range(0.01, 1), "how much may change: 1 forgets the picture"] = 0.6,
    steps: Steps = 0,
    sampler: Sampler = "dpm++",
    guidance: Guidance = 3.0,
    negative: Negative = "",
    size: Annotated[int, Range(0, 4096), "pixels of the longer side; 0: as suits the model"] = 0,
    share: ShareOfOther = 0.5,
) -> Image:
    """Image-to-image (Meng et al. 2022, SDEdit): noise is put on the picture and taken off as it was learned.

    With a second picture (`--with other=b.png`) it begins between both, by the share.
    The middle of a picture is cut to the model's proportion and made as small as it works.
    """
    return open_model(_model, "painter", ctx, Pictures).make(
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
