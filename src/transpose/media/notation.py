"""Notes as they are written: a score in quarter notes, in parts and bars. `quantise` makes it, `score` goes back."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from transpose.core.errors import HugeInput
from transpose.media.general_midi import program as program_of
from transpose.media.keys import FIFTHS, MINOR_FIFTHS
from transpose.media.score import DRUMS, TEMPO, Score

if TYPE_CHECKING:
    from mido import Message  # type: ignore[import-untyped]

MOST_BARS = 20_000
MOST_TONES = 200_000
VELOCITY = 80  # mezzoforte: where nothing is said


@dataclass(frozen=True, slots=True, order=True)
class Tone:
    """A note of a part: quarter notes from the start, MIDI pitch 0..127, velocity 1..127."""

    start: Fraction
    end: Fraction
    pitch: int
    velocity: int = VELOCITY


@dataclass(frozen=True, slots=True)
class Part:
    """What one player plays: General MIDI `program` 0..127 on `channel` 0..15 (9 is percussion)."""

    name: str
    channel: int
    program: int
    tones: tuple[Tone, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from `start`, `length` quarter notes long, in the metre `beats`/`unit`."""

    start: Fraction
    length: Fraction
    beats: int
    unit: int

    @property
    def end(self) -> Fraction:
        """Where the next bar starts."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Notation:
    """A score in quarter notes. Each list is in order of time and may be empty.

    `tempi`: place and microseconds of a quarter note; `metres`: place, beats, unit; `keys`: place, sharps (flats are
    negative), whether minor.
    """

    parts: tuple[Part, ...]
    tempi: tuple[tuple[Fraction, int], ...] = ()
    metres: tuple[tuple[Fraction, int, int], ...] = ()
    keys: tuple[tuple[Fraction, int, bool], ...] = ()
    title: str = ""

    @property
    def end(self) -> Fraction:
        """Where the last note ends."""
        return max((tone.end for part in self.parts for tone in part.tones), default=Fraction(0))

    def bars(self) -> list[Bar]:
        """Every bar up to the last note, at least one; a new metre starts a new bar.

        Raises HugeInput above 20,000 bars.
        """
        metres = [metre for metre in self.metres if metre[0] > 0 and metre[0] < self.end]
        first = [(Fraction(0), *metre[1:]) for metre in self.metres if metre[0] <= 0][-1:]
        changes = [*(first or [(Fraction(0), 4, 4)]), *metres, (max(self.end, Fraction(1, 64)), 0, 0)]
        made: list[Bar] = []
        for (start, beats, unit), (stop, last, _) in zip(changes, changes[1:], strict=False):
            length = Fraction(4 * beats, unit)
            if len(made) + (stop - start) / length > MOST_BARS:
                raise HugeInput(f"this score has more than {MOST_BARS:,} bars", "Take a part of the piece")
            while start < stop:
                made.append(Bar(start, length if not last else min(length, stop - start), beats, unit))
                start += length
        return made

    def seconds(self, places: Iterable[Fraction]) -> list[float]:
        """When each place (in quarter notes) is reached."""
        starts, at, last, each = [Fraction(0)], [0.0], Fraction(0), TEMPO
        lengths = [TEMPO]
        for place, tempo in self.tempi:
            at.append(at[-1] + float(place - last) * each / 1e6)
            starts.append(place)
            lengths.append(tempo)
            last, each = place, tempo
        found = []
        for place in places:
            number = bisect_right(starts, place) - 1
            found.append(at[number] + float(place - starts[number]) * lengths[number] / 1e6)
        return found

    def score(self, texts: Sequence[str] = ()) -> Score:
        """The score as MIDI has it: a track for title, `texts`, tempo, metre and key, then one for each part."""
        from mido import Message, MetaMessage

        events = [(Fraction(0), MetaMessage("track_name", name=_latin(self.title)))] if self.title else []
        events += [(Fraction(0), MetaMessage("text", text=_latin(text))) for text in texts]
        events += [(at, MetaMessage("set_tempo", tempo=tempo)) for at, tempo in self.tempi]
        events += [
            (at, MetaMessage("time_signature", numerator=beats, denominator=unit)) for at, beats, unit in self.metres
        ]
        names = {True: MINOR_FIFTHS, False: FIFTHS}
        events += [(at, MetaMessage("key_signature", key=names[minor][sharps + 7])) for at, sharps, minor in self.keys]
        tracks = [events]
        for part in self.parts:
            named = [(Fraction(0), MetaMessage("track_name", name=_latin(part.name)))] if part.name else []
            program = (Fraction(0), Message("program_change", channel=part.channel, program=part.program))
            sounds = [event for tone in part.tones for event in _sounds(tone, part.channel)]
            sounds.sort(key=lambda event: (event[0], event[1].type == "note_on"))  # an end before a start
            tracks.append([*named, program, *sounds])
        division = _division(place for track in tracks for place, _ in track)
        return Score(tuple(_waits(track, division) for track in tracks), division)


def _latin(text: str) -> str:
    return text.encode().decode("latin-1")


def _sounds(tone: Tone, channel: int) -> list[tuple[Fraction, Message]]:
    from mido import Message

    on = Message("note_on", channel=channel, note=tone.pitch, velocity=tone.velocity)
    return [(tone.start, on), (tone.end, Message("note_off", channel=channel, note=tone.pitch))]


def _division(places: Iterable[Fraction]) -> int:
    """Ticks of a quarter note that hit every place; 480 or 960 where that is enough, or cannot be had."""
    least = 1
    for place in places:
        least = math.lcm(least, place.denominator)
        if least > 30_000:
            return 960
    return 480 if 480 % least == 0 else least * max(1, 480 // least)


def _waits(events: list[tuple[Fraction, Message]], division: int) -> tuple[Message, ...]:
    made, last = [], 0
    for place, message in sorted(events, key=lambda event: event[0]):
        tick = round(place * division)
        made.append(message.copy(time=tick - last))
        last = tick
    return tuple(made)


def seated(made: Sequence[Part], name: str, channel: int | None, program: int | None, tones: Iterable[Tone]) -> Part:
    """A part after those already `made`; where nothing is said its name tells the program, and a free channel is his.

    When no channel is free it shares that of a part with the same program.
    """
    if program is None:
        program = program_of(name) or 0
    if channel is None:
        taken = {part.channel for part in made} | {DRUMS}
        same = (part.channel for part in made if part.program == program and part.channel != DRUMS)
        channel = next((number for number in range(16) if number not in taken), next(same, 15))
    return Part(name, channel, program, tuple(sorted(tones)))
