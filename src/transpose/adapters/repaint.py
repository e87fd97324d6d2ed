"""Change a picture by words, with a model of the user's own."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.models.diffusion.pictures import Negative, ShareOfOther
from transpose.models.protocols import GuidanceScale, Repainter, SamplingOption, Steering, open_model, steered


@transform(
    "image, text.prompt, image? -> image",
    does="repaint",
    verb=True,
    invents=True,
    synthetic=True,
    deterministic=False,
    loses=["pixels", "detail"],
)
def repaint(
    image: Image,
    prompt: Text,
    other: Image | None,
    ctx: Context,
    *,
    _model: str,
    strength: Annotated[float, Range(0.01, 1), "how much may change: 1 forgets the picture"] = 0.6,
    steps: Annotated[int, Range(1, 500), "of denoising, of which `strength` are done"] = 25,
    sampler: SamplingOption = "own",
    guidance: GuidanceScale = 7,
    negative: Negative = "",
    share: ShareOfOther = 0.5,
) -> Image:
    """Image-to-image: noise is put on the picture (Meng et al. 2022, SDEdit) and taken off as the prompt says.

    With a second picture (`--with other=b.png`) it begins between both, by the share.
    """
    opened = open_model(_model, "repainter", ctx, Repainter)  # type: ignore[type-abstract]
    model = steered(opened, Steering(sampler, share=share, other=other), _model)
    return model.repaint(
        image, prompt.text, strength=strength, steps=steps, guidance=guidance, negative=negative, ctx=ctx
    )
