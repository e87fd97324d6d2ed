"""Standard MIDI files in and out (also inside a RIFF wrapper), every event kept; the history as a text event."""

from __future__ import annotations

import struct
from pathlib import Path

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, HugeInput, MislabelledInput
from transpose.core.transform import transform
from transpose.media.file import check_file
from transpose.media.score import Score, pack, parse, text_of

LARGEST = 64 << 20  # bytes; a million events take about 5 MB
HISTORY = '{"transpose":'  # how a history of ours begins


@transform(".mid|.midi -> score")
def read_midi(path: Path, ctx: Context) -> Score:
    """Read the notes, tempi, instruments and words of a MIDI file, exact to the tick.

    Says by a warning what could not be kept (see media/score.py). Raises EmptyInput, MislabelledInput, DamagedInput
    (truncated, impossible numbers), HugeInput (more than 64 MB or a million events).
    """
    check_file(path)
    size = path.stat().st_size
    if size > LARGEST:
        raise HugeInput(f"{path.name!r} has {size >> 20} MB, more than a MIDI file needs")
    score, losses = parse(_unwrapped(path.read_bytes(), path.name), path.name)
    for loss in losses:
        ctx.warn(loss)
    return score


@transform("score -> .mid|.midi")
def write_midi(score: Score, path: Path, ctx: Context) -> None:
    """Write every event to a MIDI file; the history goes into its first track as a text event."""
    path.write_bytes(pack(_with_history(score, ctx.history)))


def _unwrapped(data: bytes, name: str) -> bytes:
    """The MIDI file inside a RIFF wrapper (`.rmi` renamed), or the bytes themselves."""
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        at = 12
        while at + 8 <= len(data):
            kind, size = struct.unpack_from("<4sI", data, at)
            if kind == b"data":
                return _unwrapped(data[at + 8 : at + 8 + size], name)
            at += 8 + size + size % 2
        raise DamagedInput(f"{name!r} is a RIFF file without notes", "Is the file complete? Copy it again")
    if data[:4] != b"MThd"[: len(data)]:
        raise MislabelledInput(f"{name!r} is not a MIDI file", "Rename it to what it is")
    return data


def _with_history(score: Score, history: str) -> Score:
    """The score with this history in its first track, instead of an older one; unchanged where it is empty."""
    from mido import MetaMessage  # type: ignore[import-untyped]

    if not history:
        return score
    head: list[MetaMessage] = [MetaMessage("text", text=history.encode().decode("latin-1"))]
    wait = 0
    for message in score.tracks[0]:
        if message.type == "text" and text_of(message.text).startswith(HISTORY):
            wait += message.time
            continue
        head.append(message.copy(time=message.time + wait) if wait else message)
        wait = 0
    return Score((tuple(head), *score.tracks[1:]), score.division, score.form)
