"""Make moving pictures of words, with a model of the user's own."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.text import Text
from transpose.media.video import Video
from transpose.models.diffusion.pictures import Negative, Share, Toward, Variant, Variation
from transpose.models.protocols import Filmer, GuidanceScale, SamplingOption, Steering, open_model, steered


@transform("text.prompt -> video", does="film", invents=True, synthetic=True, deterministic=False)
def film(
    prompt: Text,
    ctx: Context,
    *,
    _model: str,
    frames: Annotated[int, Range(1, 1000), "how many pictures"] = 16,
    fps: Annotated[int, Range(1, 60), "pictures a second"] = 8,
    width: Annotated[int, Range(16, 4096), "in pixels"] = 256,
    height: Annotated[int, Range(16, 4096), "in pixels"] = 256,
    steps: Annotated[int, Range(1, 500), "of denoising"] = 25,
    sampler: SamplingOption = "own",
    guidance: GuidanceScale = 7,
    negative: Negative = "",
    toward: Toward = "",
    share: Share = 0.5,
    variation: Variation = 0.0,
    variant: Variant = 1,
) -> Video:
    """A silent film of what the prompt says. The same seed gives the same film."""
    opened = open_model(_model, "filmer", ctx, Filmer)  # type: ignore[type-abstract]
    model = steered(opened, Steering(sampler, toward, share, variation, variant), _model)
    size = {"frames": frames, "width": width, "height": height}
    pixels = model.film(prompt.text, **size, steps=steps, guidance=guidance, negative=negative, ctx=ctx)
    return Video.from_array(pixels, Fraction(fps))
