"""Write down in English what is said in another language."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.text import Text
from transpose.models.whisper import BLOCK, listen, paragraphs


@transform(
    "audio.speech -> text.transcript@timed@en",
    name="translate",
    loses=["speaker", "timbre", "pitch", "wording"],
    models=["whisper-base"],
    needs=["faster_whisper"],
    extra="local",
    verb=True,
    memory_mb=600,
    deterministic=False,
)
def translate_speech(
    audio: Audio,
    ctx: Context,
    *,
    lang: Annotated[str, "language spoken, as in fr, de, ja; empty: find it"] = "",
    beam: Annotated[int, Range(1, 10), "width of the search; 1 is fastest"] = 5,
    pause: Annotated[float, Range(0.2, 60.0), "seconds of silence that begin a new paragraph"] = 2.0,
    block: Annotated[float, Range(30.0, 300.0), "most seconds heard at once; memory grows with it"] = BLOCK,
) -> Text:
    """Write down in English what is said in any of Whisper's 99 languages, with the time of each cue.

    Cues have no single words. English speech is transcribed. Whisper base (Radford et al. 2022) translates the gist
    of widely spoken languages, and often wrongly from others. Raises EmptyInput for a sound of no length, SilentInput
    where nobody speaks.
    """
    spoken, cues = listen(audio, ctx, task="translate", lang=lang, beam=beam, block=block)
    ctx.note("spoken_lang", spoken)
    return Text(paragraphs(cues, "en", pause), lang="en", cues=tuple(cues))
