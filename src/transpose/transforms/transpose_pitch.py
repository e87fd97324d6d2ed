"""Move a score to another key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.core.transform import Range, transform
from transpose.media.keys import FIFTHS, MINOR_FIFTHS
from transpose.media.score import DRUMS, Score

if TYPE_CHECKING:
    from mido import Message  # type: ignore[import-untyped]

KEYED = ("note_on", "note_off", "polytouch")


@transform("score -> score", verb=True, does="shift")
def transpose_pitch(
    score: Score,
    ctx: Context,
    *,
    semitones: Annotated[int, Range(-48, 48), "steps up (or down, below 0) for every note"] = 2,
) -> Score:
    """Move every note up or down; percussion stays, key signatures follow.

    Notes that would leave the range of MIDI (0 to 127) move by whole octaves back into it, which is said. Raises
    SilentInput for a score without notes.
    """
    if not any(message.type == "note_on" for track in score.tracks for message in track):
        raise SilentInput("this score has no notes")
    folded = 0

    def moved(message: Message) -> Message:
        nonlocal folded
        if message.type == "key_signature":
            return message.copy(key=_moved_key(message.key, semitones))
        if message.type not in KEYED or message.channel == DRUMS:
            return message
        pitch = message.note + semitones
        if not 0 <= pitch <= 127:
            folded += message.type == "note_on"
            pitch = pitch % 12 + (0 if pitch < 0 else 108 if pitch % 12 > 7 else 120)
        return message.copy(note=pitch)

    made = Score(
        tuple(tuple(moved(message) for message in track) for track in score.tracks), score.division, score.form
    )
    if folded:
        ctx.warn(f"{folded} notes would lie beyond what MIDI has: they moved by octaves")
    return made


def _moved_key(key: str, semitones: int) -> str:
    """The name of a key so many semitones higher, with at most six signs."""
    names = MINOR_FIFTHS if key.endswith("m") else FIFTHS
    sharps = names.index(key) - 7 + 7 * semitones
    return names[(sharps + 5) % 12 - 5 + 7]
