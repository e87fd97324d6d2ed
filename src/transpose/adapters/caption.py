"""Say what a picture shows, with a model of the user's own that sees and writes."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.models.protocols import Message, put_into_words

TASK = "Describe this picture in one or two plain sentences. Say only what can be seen."


@transform(
    "image, text.prompt? -> text.caption",
    does="describe",
    synthetic=True,
    deterministic=False,
    loses=["pixels", "layout", "colour", "detail"],
)
def caption(
    image: Image,
    prompt: Text | None,
    ctx: Context,
    *,
    _model: str,
    tokens: Annotated[int, Range(1, 10_000), "most tokens to write"] = 256,
) -> Text:
    """Put a picture into words; `-p` asks a question about it. The model may see what is not there.

    Raises SilentInput where it says nothing.
    """
    return put_into_words(_model, Message("user", prompt.text if prompt else TASK, images=(image,)), tokens, ctx)
