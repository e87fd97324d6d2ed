"""Write down what is said."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.text import Text
from transpose.models.whisper import BLOCK, UNSURE, listen, paragraphs


@transform(
    "audio.speech -> text.transcript@timed",
    keeps=["lang"],
    loses=["speaker", "timbre", "pitch"],
    models=["whisper-base"],
    needs=["faster_whisper"],
    extra="local",
    memory_mb=600,
    deterministic=False,
)
def transcribe(
    audio: Audio,
    ctx: Context,
    *,
    lang: Annotated[str, "language spoken, as in en, de, ja; empty: find it"] = "",
    beam: Annotated[int, Range(1, 10), "width of the search; 1 is fastest"] = 5,
    pause: Annotated[float, Range(0.2, 60.0), "seconds of silence that begin a new paragraph"] = 2.0,
    block: Annotated[float, Range(30.0, 300.0), "most seconds heard at once; memory grows with it"] = BLOCK,
    hint: Annotated[str, "names and terms that will be spoken, to spell them right"] = "",
) -> Text:
    """Write down what is said, with the time and probability of each word.

    Times are seconds from the start of the sound. The language is found in the first minutes of speech and kept for
    the whole. Whisper base (Radford et al. 2022) hears blocks of speech cut in pauses; a sound of any length takes
    the same memory. Raises EmptyInput for a sound of no length, SilentInput where nobody speaks.
    """
    spoken, cues = listen(audio, ctx, task="transcribe", lang=lang, beam=beam, block=block, prompt=hint)
    ctx.note("lang", spoken)
    sure = [word.probability for cue in cues for word in cue.words]
    confidence = sum(sure) / max(1, len(sure))
    ctx.note("confidence", round(confidence, 3))
    if sure and confidence < UNSURE:
        ctx.warn(f"the transcript is doubtful: words have a mean probability of {confidence:.2f}")
    return Text(paragraphs(cues, spoken, pause), lang=spoken, cues=tuple(cues))
