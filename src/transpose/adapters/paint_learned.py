"""Paint what a prompt says, with a style or a subject that the user taught one of our own diffusion models."""

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
    Steps,
    Toward,
    Variant,
    Variation,
)
from transpose.models.protocols import open_model


@transform(
    "text.prompt -> image",
    does="paint",
    invents=True,
    synthetic=True,
    deterministic=False,
    loses=["wording", "structure", "detail"],
)
def paint_learned(
    prompt: Text,
    ctx: Context,
    *,
    _model: str,
    steps: Steps = 0,
    sampler: Sampler = "dpm++",
    guidance: Guidance = 3.0,
    negative: Negative = "",
    size: Annotated[int, Range(0, 4096), "pixels of the longer side; 0: as suits the model"] = 0,
    toward: Toward = "",
    share: Share = 0.5,
    variation: Variation = 0.0,
    variant: Variant = 1,
) -> Image:
    """Make a picture from words as it was learned from the user's examples. Same seed, same picture.

    The base model with the learned adapter (LoRA, Hu et al. 2021) merged into its weights, in ONNX Runtime.
    """
    return open_model(_model, "painter", ctx, Pictures).make(
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
