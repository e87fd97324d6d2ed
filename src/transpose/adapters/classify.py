"""Name what a text is, with a classifier of the user's own."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.text import Text
from transpose.models.protocols import name_labels


@transform(
    "text -> text.label", does="classify", verb=True, thin=True, loses=["wording", "structure", "detail", "markup"]
)
def classify(
    text: Text, ctx: Context, *, _model: str, top: Annotated[int, Range(1, 1000), "how many labels"] = 5
) -> Text:
    """The labels of a text with their probabilities, the likeliest first; the model reads its beginning."""
    from transpose.media.plain import plain

    return name_labels(_model, plain(text), top, ctx)
