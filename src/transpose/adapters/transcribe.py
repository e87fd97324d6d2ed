"""Write down what is said, with a speech recogniser of the user's own."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.core.transform import transform
from transpose.media.audio import Audio
from transpose.media.text import Text
from transpose.models.protocols import Transcriber, open_model


@transform(
    "audio.speech -> text.transcript@timed", does="transcribe", keeps=["lang"], loses=["speaker", "timbre", "pitch"]
)
def transcribe(
    audio: Audio,
    ctx: Context,
    *,
    _model: str,
    lang: Annotated[str, "language spoken, as in en, de, ja; empty: as the model finds it"] = "",
) -> Text:
    """Write down what is said; times are as fine as the model gives them. Raises SilentInput where it hears nothing."""
    model = open_model(_model, "transcriber", ctx, Transcriber)  # type: ignore[type-abstract]
    spoken, cues = model.transcribe(audio, lang, ctx)
    cues = [cue for cue in cues if cue.text.strip()]
    if not cues:
        raise SilentInput("nobody speaks in this sound", "If somebody does, name the language with -o lang=en")
    return Text("\n".join(cue.text.strip() for cue in cues), lang=spoken or None, cues=tuple(cues))
