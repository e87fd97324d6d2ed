"""Write down the notes of a piece of music."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.score import Score, from_notes
from transpose.models import basic_pitch as network

SECONDS = 10.0  # of sound taken at a time


@transform(
    "audio.music -> score",
    loses=["timbre", "wording", "structure", "detail"],
    models=["basic-pitch"],
    needs=["mido", "onnxruntime"],
    extra="local",
    memory_mb=300,
)
def notes(
    music: Audio,
    ctx: Context,
    *,
    onset: Annotated[float, Range(0.05, 0.95), "how sure the beginning of a note has to be; lower finds more"] = 0.65,
    frame: Annotated[float, Range(0.05, 0.95), "how sure it has to be to go on; lower makes longer notes"] = 0.3,
    alone: Annotated[float, Range(0.05, 0.95), "how sure a note without a clear beginning has to be"] = 0.6,
    shortest: Annotated[float, Range(0.01, 2.0), "seconds; shorter notes are left out"] = 0.093,
    lowest: Annotated[int, Range(0, 127), "lowest MIDI note that is looked for"] = 21,
    highest: Annotated[int, Range(0, 127), "highest one"] = 108,
    tempo: Annotated[float, Range(20, 300), "beats a minute that the file states; seconds stay as they are"] = 120.0,
) -> Score:
    """Find pitch, beginning, end and loudness of every note, of any pitched instrument or voice.

    Instruments, bars and tempo are not found: every note is a piano's, and beats lie on a grid of `tempo`. Drums are
    not heard. Long sounds are taken piece by piece.
    Method: Basic Pitch (Bittner et al., ICASSP 2022), see models/basic_pitch.py.
    Raises SilentInput when there is no note.
    """
    taste = network.Taste(onset, frame, alone, round(shortest * network.RATE / network.HOP), lowest, highest)
    session = ctx.load("basic-pitch", lambda: network.open_network(ctx.model("basic-pitch"), ctx.threads), 60)

    def heard() -> Iterator[network.Heard]:
        done = 0
        for piece in network.listen(music.blocks(SECONDS, rate=network.RATE, channels=1), session):
            yield piece
            done += len(piece.sounding)
            ctx.progress(done * network.HOP / network.RATE, music.duration, "seconds heard")

    found = list(network.notes(heard(), taste))
    if not found:
        raise SilentInput("no note was found in this sound", "Is it music? Lower the bar with -o onset=0.3")
    ctx.note("notes", len(found))
    ctx.note("tempo", f"unknown, written as {tempo:g}")
    return from_notes(found, tempo=tempo)
