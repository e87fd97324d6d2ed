"""Name what a picture shows, with a classifier of the user's own."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.models.protocols import name_labels


@transform(
    "image.photo -> text.label", does="label", thin=True, loses=["pixels", "layout", "colour", "detail", "structure"]
)
def label(
    image: Image, ctx: Context, *, _model: str, top: Annotated[int, Range(1, 1000), "how many labels"] = 5
) -> Text:
    """The labels of a picture with their probabilities, the likeliest first."""
    return name_labels(_model, image, top, ctx)
