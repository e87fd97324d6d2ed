"""Speak a text, with a voice of the user's own."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.core.transform import transform
from transpose.media.audio import Audio
from transpose.media.text import Text
from transpose.models.passages import passages
from transpose.models.protocols import Speaker, open_model

PART = 120  # tokens at once: a sentence or two
PAUSE = 0.25  # seconds between parts


@transform(
    "text -> audio.speech",
    does="speak",
    synthetic=True,
    deterministic=False,
    keeps=["lang"],
    loses=["markup", "structure", "layout"],
)
def speak(
    text: Text,
    ctx: Context,
    *,
    _model: str,
    voice: Annotated[str, "a voice of the model, by its name there; empty: its first"] = "",
) -> Audio:
    """Read a text aloud, passage by passage, with short pauses between them. Raises SilentInput for no words."""
    import numpy as np

    from transpose.media.plain import plain

    parts = [part.strip() for part in passages(plain(text), PART) if any(letter.isalnum() for letter in part)]
    if not parts:
        raise SilentInput("there is nothing to speak", "Give a text with words in it")
    model = open_model(_model, "speaker", ctx, Speaker)  # type: ignore[type-abstract]
    sounds, rate = [], 0
    for number, part in enumerate(parts, 1):
        samples, rate = model.speak(part, voice, ctx.seed)
        sounds += [samples, np.zeros(int(PAUSE * rate), np.float32)]
        ctx.progress(number, len(parts), "passages")
    return Audio.from_array(np.concatenate(sounds[:-1]), rate)
