"""Say what an icon or a drawing shows, in the words that emoji are named by."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.core.transform import Range, transform
from transpose.media.image import Image, on_white
from transpose.media.likely import likely
from transpose.media.text import Text

LOW = 0.4  # a share below which names are more often wrong than right, on icons of a set never seen


@transform(
    "image.drawing -> text.label",
    loses=["pixels", "layout", "colour", "detail"],
    thin=True,
    models=["picture-text"],
    needs=["onnxruntime", "onnx"],
    extra="local",
    memory_mb=60,
)
def label_icon(
    image: Image, ctx: Context, *, most: Annotated[int, Range(1, 20), "names at most, one a line"] = 3
) -> Text:
    """Name what an icon shows: one line a name, `name (87 %)`, the likeliest first. In English.

    A contrastive pair of networks (Radford et al. 2021) that learnt four sets of emoji; it knows their 1,600 names, and
    one thing alone on a plain ground. Experimental: in a set never seen two first names in five are right, and one
    of five in two thirds. Its shares are calibrated on half of that set, and off by 5 points on the other half. Names
    below 5 % are left out, but the first stays; under 40 % it warns.
    Raises EmptyInput for a picture without pixels.
    """
    import numpy as np

    from transpose.models.contrastive import CARD, MEMORY_MB, PictureText

    if 0 in image.pixels.shape:
        raise EmptyInput("the picture has no pixels", "Look at the step before")
    folder = ctx.model(CARD)
    model = ctx.load(CARD, lambda: PictureText(folder, ctx.threads), MEMORY_MB)
    shares = model.name([np.ascontiguousarray(on_white(image.pixels))])[0]
    return likely(model.facts.names, shares, most, LOW, ctx)
