"""Name what a picture shows, with a classifier of the user's own."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.models.protocols import Classifier, open_model


@transform(
    "image.photo -> text.label", does="label", thin=True, loses=["pixels", "layout", "colour", "detail", "structure"]
)
def label(
    image: Image, ctx: Context, *, _model: str, top: Annotated[int, Range(1, 1000), "how many labels"] = 5
) -> Text:
    """The labels of a picture with their probabilities, the likeliest first."""
    model = open_model(_model, "classifier", ctx, Classifier)  # type: ignore[type-abstract]
    found = model.classify(image)[:top]
    ctx.note("score", round(found[0][1], 4))
    return Text("\n".join(f"{name} ({chance:.0%})" for name, chance in found) + "\n")
