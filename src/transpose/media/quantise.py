"""From notes as they are played to notes as they are written: which grid they lie on, and moving them there.

A MIDI file tells when keys go down and up; notation tells beats. A score whose onsets nearly all (nine tenths) lie on a
division of the beat down to 1/32 is taken at its word, and comes back exactly; only ends between the divisions (a gate
of 95 %) go to the next. Any other was played, not written: each beat of each part gets the simplest division that is
near enough (quarters, eighths, sixteenths, triplets), notes move there, and small gaps before the next note close.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from transpose.core.errors import HugeInput
from transpose.media.keys import FIFTHS, MINOR_FIFTHS, found
from transpose.media.notation import MOST_TONES, Notation, Part, Tone
from transpose.media.score import DRUMS, Note, Score, text_of

if TYPE_CHECKING:
    from mido import Message  # type: ignore[import-untyped]

# divisions of a beat that a written score may use, the simplest first
WRITTEN = (1, 2, 4, 3, 8, 6, 16, 12, 5, 7, 10, 24, 9, 32, 20)
# what the division of a played beat costs, in quarter notes of mean distance: fine ones have to be worth it
PLAYED = {1: 0.0, 2: 0.01, 4: 0.02, 3: 0.035, 6: 0.07, 8: 0.08}


@dataclass(frozen=True, slots=True)
class Moved:
    """What the grid did: whether the score was `written`, and by how many seconds onsets moved."""

    written: bool
    mean: float = 0.0
    most: float = 0.0

    def words(self) -> str:
        """A line for the user, or nothing where no onset moved audibly."""
        if self.most < 0.001:
            return ""
        why = "some notes are" if self.written else "the notes are played freely,"
        amount = f"by {1000 * self.mean:.0f} ms on average and {1000 * self.most:.0f} ms at most"
        return f"{why} not exactly on the beat: they were moved to the nearest place that notation has, {amount}"


def notate(score: Score) -> tuple[Notation, Moved]:
    """Parts, beats and bars of a score, and how far its notes had to move.

    Raises HugeInput above 200,000 notes or 20,000 bars. Pedals, bends and other controls are left out.
    """
    plain = score.division > 0 and score.form != 2
    division = score.division if plain else 480
    groups = list(_by_track(score) if plain else [("", score.notes())])
    if sum(len(notes) for _, notes in groups) > MOST_TONES:
        raise HugeInput(f"this score has more than {MOST_TONES:,} notes", "Take a part of the piece")
    parts = tuple(part for name, notes in groups for part in _parts(name, notes, division))
    raw = replace(_facts(score, division) if plain else Notation(()), parts=parts)
    raw = replace(raw, metres=tuple(_proper(raw.metres)))
    half = Fraction(1, 2 * division)
    onsets = [tone.start for part in parts for tone in part.tones]
    bars = raw.bars()
    starts = [bar.start for bar in bars]
    exact = sum(_division_of(_offset(at, starts), half) is not None for at in onsets)
    written = exact >= 0.9 * len(onsets)
    moved = [_quantised(part, starts, half if written else None) for part in parts]
    notation = replace(raw, parts=tuple(part for part, _ in moved))
    pairs = [pair for _, found in moved for pair in found]
    before, after = raw.seconds(old for old, _ in pairs), raw.seconds(new for _, new in pairs)
    far = [abs(one - other) for one, other in zip(before, after, strict=True)]
    shift = Moved(written, sum(far) / len(far), max(far)) if far else Moved(True)
    return (notation if notation.keys else replace(notation, keys=_key(notation))), shift


def _by_track(score: Score) -> Iterator[tuple[str, list[Note]]]:
    """Name and notes of each track that has some; their seconds are half quarter notes (the tempo is left out)."""
    programs = [_only(track, "program_change") for track in score.tracks]
    for number, track in enumerate(score.tracks):
        if any(message.type == "note_on" for message in track):
            others = [each for place, each in enumerate(programs) if place != number and len(each) > 1]
            alone = Score((*others, _only(track, "program_change", "note_on", "note_off")), score.division)
            name = next((text_of(message.name) for message in track if message.type == "track_name"), "")
            yield name, alone.notes()


def _only(track: Sequence[Message], *types: str) -> tuple[Message, ...]:
    """The messages of these types and the end, at their places."""
    kept, wait = [], 0
    for message in track:
        wait += message.time
        if message.type in (*types, "end_of_track"):
            kept.append(message.copy(time=wait))
            wait = 0
    return tuple(kept)


def _parts(name: str, notes: Iterable[Note], division: int) -> Iterator[Part]:
    """A part for each channel and program."""

    def place(second: float) -> Fraction:
        return Fraction(round(second * 2 * division), division)

    found: dict[tuple[int, int], list[Tone]] = defaultdict(list)
    for note in notes:
        tone = Tone(place(note.start), place(note.end), note.pitch, note.velocity)
        found[note.channel, note.program].append(tone)
    for (channel, program), tones in sorted(found.items()):
        yield Part(name.strip("\0 "), channel, program, tuple(sorted(tones)))


def _facts(score: Score, division: int) -> Notation:
    """Title, tempi, metres and keys; the last of several at one place counts."""
    tempi, metres, keys = {}, {}, {}
    for track in score.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "set_tempo" and message.tempo:
                tempi[Fraction(round(Fraction(tick * 48, division)), 48)] = message.tempo
            elif message.type == "time_signature":
                metres[Fraction(round(Fraction(tick * 4, division)), 4)] = message.numerator, message.denominator
            elif message.type == "key_signature":
                names = MINOR_FIFTHS if message.key.endswith("m") else FIFTHS
                keys[Fraction(tick, division)] = names.index(message.key) - 7, names is MINOR_FIFTHS
    head = score.tracks[0] if len(score.tracks) > 1 and not _only(score.tracks[0], "note_on")[1:] else ()
    title = next((text_of(message.name) for message in head if message.type == "track_name"), "")
    return Notation(
        (),
        tuple(sorted(tempi.items())),
        tuple((at, *metre) for at, metre in sorted(metres.items())),
        tuple((at, *key) for at, key in sorted(keys.items())),
        title.strip("\0 "),
    )


def _proper(metres: Iterable[tuple[Fraction, int, int]]) -> Iterator[tuple[Fraction, int, int]]:
    """Those that notation can show and that change something."""
    last = (0, 0)
    for at, beats, unit in metres:
        if 0 < beats <= 64 and unit <= 64 and (beats, unit) != last:
            last = beats, unit
            yield at, beats, unit


def _offset(place: Fraction, starts: list[Fraction]) -> Fraction:
    """How far a place lies behind the beat (a quarter note, counted in its bar): 0 to 1."""
    return (place - starts[bisect_right(starts, place) - 1]) % 1


@lru_cache(1 << 16)
def _division_of(offset: Fraction, half: Fraction) -> int | None:
    """The simplest division of a beat that has this place to half a tick."""
    return next((grid for grid in WRITTEN if abs(round(offset * grid) - offset * grid) <= half * grid), None)


def _played(offsets: list[Fraction]) -> int:
    """The division of a beat that is simple and near."""

    def cost(g: int) -> float:
        squares = [float(round(at * g) / Fraction(g) - at) ** 2 for at in offsets]
        return math.sqrt(sum(squares) / len(squares)) + PLAYED[g]

    return min(PLAYED, key=cost)


def _quantised(
    part: Part, starts: list[Fraction], half: Fraction | None
) -> tuple[Part, list[tuple[Fraction, Fraction]]]:
    """The part on its grid, and each onset before and after. `half` a tick counts as exact; None: played freely."""
    beats: dict[Fraction, list[Fraction]] = defaultdict(list)
    for tone in part.tones:
        offset = _offset(tone.start, starts)
        beats[tone.start - offset].append(offset)
    grids = {beat: _played(offsets) for beat, offsets in beats.items()}

    def snapped(place: Fraction, ending: bool) -> Fraction:
        offset = _offset(place, starts)
        grid = grids.get(place - offset, 1)
        if half is not None:  # what is exact stays, whatever else lies in the beat
            exact = _division_of(offset, half)
            grid = exact or (max(grid, 4) if ending and grid % 3 else grid)
        elif ending and grid % 3:
            grid = max(grid, 4)
        return place - offset + Fraction(round(offset * grid), grid)

    moved = [(tone, snapped(tone.start, False), snapped(tone.end, True)) for tone in part.tones]
    moved = moved if half is not None else _together(moved)
    onsets = sorted({start for _, start, _ in moved})
    tones: dict[tuple[Fraction, int], Tone] = {}
    for tone, start, end in moved:
        end = _ended(start, end, onsets, half is not None)
        same = tones.get((start, tone.pitch), tone)
        loud = max(same.velocity, tone.velocity)
        tones[start, tone.pitch] = Tone(start, max(end, same.end) if same is not tone else end, tone.pitch, loud)
    cut = _apart(sorted(tones.values()))
    return replace(part, tones=tuple(cut)), [(tone.start, start) for tone, start, _ in moved]


def _together(moved: list[tuple[Tone, Fraction, Fraction]]) -> list[tuple[Tone, Fraction, Fraction]]:
    """Notes of a chord that end nearly together do so."""
    ends: dict[Fraction, list[Fraction]] = defaultdict(list)
    for _, start, end in moved:
        ends[start].append(end)
    common = {start: sorted(held)[len(held) // 2] for start, held in ends.items()}
    near = Fraction(1, 2)
    return [(tone, start, common[start] if abs(end - common[start]) <= near else end) for tone, start, end in moved]


def _ended(start: Fraction, end: Fraction, onsets: Sequence[Fraction], written: bool) -> Fraction:
    """The end of a note: never before its start, and in played music at the onset that is near."""
    later = next(iter(onsets[bisect_right(onsets, start) :][:1]), None)
    if end <= start:
        return start + min(Fraction(1, 4), later - start) if later is not None else start + Fraction(1, 4)
    if written:
        return end
    place = bisect_left(onsets, end)
    before = onsets[place - 1] if place else start
    if start < before and end - before <= min(Fraction(1, 4), (end - start) / 4):
        return before
    after = onsets[place] if place < len(onsets) else end
    return after if after - end <= min(end - start, Fraction(1, 2)) else end


def _apart(tones: list[Tone]) -> list[Tone]:
    """A note ends where the same key is struck again."""
    following: dict[int, Fraction] = {}
    cut = []
    for tone in reversed(tones):
        cut.append(replace(tone, end=min(tone.end, following.get(tone.pitch, tone.end))))
        following[tone.pitch] = tone.start
    return cut[::-1]


def _key(notation: Notation) -> tuple[tuple[Fraction, int, bool], ...]:
    """The key that the notes fit best; nothing where there is only percussion."""
    weights = [0.0] * 12
    for part in notation.parts:
        for tone in part.tones if part.channel != DRUMS else ():
            weights[tone.pitch % 12] += float(min(tone.end - tone.start, Fraction(4)))
    return ((Fraction(0), *found(weights)),) if any(weights) else ()
