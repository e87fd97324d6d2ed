"""Name what a text is, with a classifier of the user's own."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.text import Text
from transpose.models.protocols import Classifier, open_model


@transform(
    "text -> text.label", does="classify", verb=True, thin=True, loses=["wording", "structure", "detail", "markup"]
)
def classify(
    text: Text, ctx: Context, *, _model: str, top: Annotated[int, Range(1, 1000), "how many labels"] = 5
) -> Text:
    """The labels of a text with their probabilities, the likeliest first; the model reads its beginning."""
    from transpose.media.plain import plain

    model = open_model(_model, "classifier", ctx, Classifier)  # type: ignore[type-abstract]
    found = model.classify(plain(text))[:top]
    ctx.note("score", round(found[0][1], 4))
    return Text("\n".join(f"{name} ({chance:.0%})" for name, chance in found) + "\n")
