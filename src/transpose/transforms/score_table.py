"""The notes of a score as rows of a table, the way back, and a score put in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, SilentInput
from transpose.core.transform import transform
from transpose.media.general_midi import NAMES
from transpose.media.keys import FIFTHS, MINOR_FIFTHS, found, spelled
from transpose.media.score import DRUMS, TEMPO, Note, Score, from_notes
from transpose.media.text import Text

if TYPE_CHECKING:
    from transpose.media.table import Table

LIMITS = {"pitch": (0, 127), "velocity": (1, 127), "channel": (0, 15), "program": (0, 127)}
DEFAULTS = {"velocity": 80, "channel": 0, "program": 0}


@transform("score -> table.notes", loses=["structure", "metadata"], needs=["pyarrow"], extra="tables")
def score_table(score: Score, ctx: Context) -> Table:
    """One row for each note: start and end in seconds, MIDI pitch and its name, velocity, channel, program.

    Pedals, bends and controllers are left out. Raises SilentInput for a score without notes.
    """
    from transpose.media.table import from_rows

    notes = _some(score)
    sharps, _ = _key(notes)
    rows = [
        {
            "start": note.start,
            "end": note.end,
            "pitch": note.pitch,
            "name": "drum" if note.channel == DRUMS else _name(note.pitch, sharps),
            "velocity": note.velocity,
            "channel": note.channel,
            "program": note.program,
            "instrument": "Drums" if note.channel == DRUMS else NAMES[note.program],
        }
        for note in notes
    ]
    return from_rows(rows, "notes")


@transform("table.notes -> score", loses=["metadata"], needs=["pyarrow"], extra="tables")
def table_score(table: Table, ctx: Context) -> Score:
    """Make a score of rows with `start`, `end` (seconds) and `pitch` (MIDI); velocity, channel, program if there.

    For a file say so: `transpose notes.csv song.mid --from table.notes`. Raises DamagedInput for a missing column and
    for a row that is no note, naming it.
    """
    missing = [name for name in ("start", "end", "pitch") if name not in table.columns]
    if missing:
        hint = f"It has {', '.join(table.columns[:8]) or 'none'}"
        raise DamagedInput(f"the table has no column {missing[0]!r}, which notes need", hint)
    notes = [_note(row, number) for number, row in enumerate(table.rows(), 1)]
    if not notes:
        raise SilentInput("the table has no rows, so there are no notes", "Give a table with notes in it")
    return from_notes(notes)


@transform("score -> text.description", loses=["pitch", "timing", "exactness", "structure"])
def describe_score(score: Score, ctx: Context) -> Text:
    """Say in English how long a piece is, how fast, in which likely key, and who plays how many notes.

    The key is the one whose profile of pitches fits best (Krumhansl and Schmuckler; Temperley 1999): a guess.
    """
    notes = _some(score)
    tuned = [note for note in notes if note.channel != DRUMS]
    players: dict[str, int] = {}
    for note in notes:
        name = "drums" if note.channel == DRUMS else NAMES[note.program].lower()
        players[name] = players.get(name, 0) + 1
    first = next((m.tempo for _, m in score.timed() if m.type == "set_tempo"), TEMPO)
    tempo, length = 60e6 / first, score.duration
    said = [f"The piece lasts {length:.1f} seconds at {tempo:.0f} beats a minute and has {len(notes):,} notes."]
    if tuned:
        sharps, minor = _key(notes)
        key = MINOR_FIFTHS[sharps + 7].removesuffix("m") + " minor" if minor else FIFTHS[sharps + 7] + " major"
        low, high = (_name(each, sharps) for each in (min(n.pitch for n in tuned), max(n.pitch for n in tuned)))
        said.append(f"Its key is most likely {key}; it spans {low} to {high}.")
    parts = sorted(players.items(), key=lambda each: (-each[1], each[0]))
    told = ", ".join(f"{name} ({count:,})" for name, count in parts[:8])
    rest = f" and {len(parts) - 8} more" if len(parts) > 8 else ""
    said.append(f"Notes by instrument: {told}{rest}.")
    return Text(" ".join(said), lang="en")


def _some(score: Score) -> list[Note]:
    notes = score.notes()
    if not notes:
        raise SilentInput("the score has no notes", "Is it the right file?")
    return notes


def _key(notes: list[Note]) -> tuple[int, bool]:
    """Sharps of the likeliest key, and whether it is minor."""
    weights = [0.0] * 12
    for note in notes:
        if note.channel != DRUMS:
            weights[note.pitch % 12] += note.end - note.start
    return found(weights)


def _name(pitch: int, sharps: int) -> str:
    """`F#4`: letter, sharp or flat, octave; middle C is C4."""
    letter, shift, octave = spelled(pitch, sharps)
    return f"{letter}{'#' * max(0, shift)}{'b' * max(0, -shift)}{octave}"


def _note(row: dict[str, object], number: int) -> Note:
    values: dict[str, int] = {}
    for name, (least, most) in LIMITS.items():
        raw = row.get(name, DEFAULTS.get(name))
        if isinstance(raw, bool) or not isinstance(raw, int | float) or raw != int(raw) or not least <= raw <= most:
            raise DamagedInput(
                f"row {number}: {name} is {raw!r}", f"It has to be a whole number from {least} to {most}"
            )
        values[name] = int(raw)
    start, end = row.get("start"), row.get("end")
    if not isinstance(start, int | float) or not isinstance(end, int | float) or not 0 <= start <= end < 1e6:
        raise DamagedInput(f"row {number}: it starts at {start!r} and ends at {end!r}", "Times are seconds, in order")
    return Note(float(start), float(end), values["pitch"], values["velocity"], values["channel"], values["program"])
