"""Make a sound of words, with a model of the user's own."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.text import Text
from transpose.models.diffusion.pictures import Share, Toward, Variant, Variation
from transpose.models.protocols import Composer, GuidanceScale, SamplingOption, Steering, open_model, steered


@transform("text.prompt -> audio", does="compose", invents=True, synthetic=True, deterministic=False)
def compose(
    prompt: Text,
    ctx: Context,
    *,
    _model: str,
    seconds: Annotated[float, Range(0.1, 600), "length"] = 10.0,
    steps: Annotated[int, Range(1, 500), "of denoising"] = 50,
    sampler: SamplingOption = "own",
    guidance: GuidanceScale = 5,
    negative: Annotated[str, "what should not be heard"] = "",
    toward: Toward = "",
    share: Share = 0.5,
    variation: Variation = 0.0,
    variant: Variant = 1,
) -> Audio:
    """A sound or a piece of music as the prompt says. The same seed gives the same sound."""
    opened = open_model(_model, "composer", ctx, Composer)  # type: ignore[type-abstract]
    model = steered(opened, Steering(sampler, toward, share, variation, variant), _model)
    samples, rate = model.compose(
        prompt.text, seconds=seconds, steps=steps, guidance=guidance, negative=negative, ctx=ctx
    )
    return Audio.from_array(samples, rate)
