"""Put a sound into words, with a model of the user's own that hears and writes."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.text import Text
from transpose.models.protocols import Message, put_into_words

TASK = "Say in one or two plain sentences what can be heard in this sound."


@transform(
    "audio, text.prompt? -> text.caption",
    does="hear",
    synthetic=True,
    deterministic=False,
    loses=["wording", "timing", "speaker", "timbre", "pitch", "detail"],
)
def hear(
    audio: Audio,
    prompt: Text | None,
    ctx: Context,
    *,
    _model: str,
    tokens: Annotated[int, Range(1, 10_000), "most tokens to write"] = 256,
) -> Text:
    """Say what is heard; `-p` asks a question about it. The model may hear what is not there.

    Raises SilentInput where it says nothing.
    """
    return put_into_words(_model, Message("user", prompt.text if prompt else TASK, sounds=(audio,)), tokens, ctx)
