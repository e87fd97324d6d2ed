"""Paint what a prompt says, with a model of the user's own."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.models.diffusion.pictures import Negative, Share, Toward, Variant, Variation
from transpose.models.protocols import GuidanceScale, Painter, SamplingOption, Steering, open_model, steered


@transform("text.prompt -> image", does="paint", invents=True, synthetic=True, deterministic=False)
def paint(
    prompt: Text,
    ctx: Context,
    *,
    _model: str,
    width: Annotated[int, Range(16, 4096), "in pixels"] = 512,
    height: Annotated[int, Range(16, 4096), "in pixels"] = 512,
    steps: Annotated[int, Range(1, 500), "of denoising; a server may have its own"] = 25,
    sampler: SamplingOption = "own",
    guidance: GuidanceScale = 7,
    negative: Negative = "",
    toward: Toward = "",
    share: Share = 0.5,
    variation: Variation = 0.0,
    variant: Variant = 1,
) -> Image:
    """Make a picture from words. The same seed gives the same picture, where the model runs here."""
    opened = open_model(_model, "painter", ctx, Painter)  # type: ignore[type-abstract]
    model = steered(opened, Steering(sampler, toward, share, variation, variant), _model)
    return model.paint(
        prompt.text, width=width, height=height, steps=steps, guidance=guidance, negative=negative, ctx=ctx
    )
