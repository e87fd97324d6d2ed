"""Say what an icon or a drawing shows, in the words that emoji are named by."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.likely import likely
from transpose.media.text import Text


@transform(
    "image.drawing|image.icon -> text.label",
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
    one thing alone on a plain ground. A name stands for its words and for how its icons look. In a set never seen 57 in
    100 first names are right, and one of five in 78. Its shares are calibrated on half of that set, and off by 5 points
    on the other half. Names below 5 % are left out, but the first stays; under 50 % it warns.
    Raises EmptyInput for a picture without pixels.
    """
    from transpose.models.contrastive import LOW, name_icon

    names, shares = name_icon(image, ctx)
    return likely(names, shares, most, LOW, ctx)
