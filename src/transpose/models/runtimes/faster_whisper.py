"""Whisper models in CTranslate2's form, through faster-whisper: any size, any fine-tuning."""

from __future__ import annotations

from pathlib import Path

from transpose.core.context import Context
from transpose.core.errors import WeightsError
from transpose.media.audio import Audio
from transpose.media.text import Cue
from transpose.models.card import Card
from transpose.models.whisper import listen, open_whisper

BEAM = 5


class Whisper:
    """A Whisper model of the user's own; speech is found and cut as for the one that comes with Transpose."""

    def __init__(self, name: str) -> None:
        self.name = name

    def transcribe(self, audio: Audio, lang: str, ctx: Context) -> tuple[str, list[Cue]]:
        """The language and the cues with their words."""
        return listen(audio, ctx, task="transcribe", lang=lang, beam=BEAM, card=self.name)


def open_transcriber(card: Card, folder: Path, ctx: Context) -> Whisper:
    """Load it once, so that a damaged model is found now."""
    try:
        ctx.load(f"{card.name}-{ctx.device}-{ctx.threads}", lambda: open_whisper(folder, ctx.threads, ctx.device))
    except (RuntimeError, ValueError, OSError) as error:
        raise WeightsError(f"the model {card.name!r} cannot be loaded: {error}", "Are all its files there?") from None
    return Whisper(card.name)
