"""From notation to what stands on paper: staves, voices, note values with ties, tuplets and beams, spelled pitches.

Each part gets one staff, or two for a keyboard or harp that plays on both sides of middle C. Notes that start and end
together are a chord; chords that overlap go to different voices. A note that no single sign can show (across a bar,
or two and a half beats long) is written as several with ties. A note that starts or ends off the halves of a beat
(triplets, quintuplets, ...) is cut at beats, and each such beat is a tuplet.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from transpose.media.notation import Bar, Part, Tone

VALUES = ("long", "breve", "whole", "half", "quarter", "eighth", "16th", "32nd", "64th", "128th", "256th")
LONG = 4  # doublings from a quarter note to VALUES[0]
MIDDLE = 60
TWO_STAVES = {*range(24), 46}  # keyboards, organs and tuned percussion; the harp
QUARTER = Fraction(1)


@dataclass(frozen=True, slots=True)
class Sign:
    """A note, chord or rest (no tones) as drawn; a chord's tones are sorted. Lengths count quarter notes."""

    start: Fraction
    length: Fraction
    value: str  # of VALUES; "" where it is a rest as long as its bar
    dots: int = 0
    tuplet: tuple[int, int] = (1, 1)  # so many in the time of so many
    tones: tuple[Tone, ...] = ()
    tied_from: bool = False
    tied_to: bool = False
    beams: tuple[str, ...] = ()  # begin, continue, end, forward hook, backward hook; eighths first
    group: int = -1  # number of the tuplet in its bar

    @property
    def end(self) -> Fraction:
        """Where the next sign stands."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Staff:
    """Five lines: its clef (G, F or percussion) and voices, each a list of signs for every bar."""

    clef: str
    voices: tuple[tuple[tuple[Sign, ...], ...], ...] = field(repr=False)


def staves(part: Part, bars: Sequence[Bar]) -> list[Staff]:
    """One staff, or two, with every bar of every voice; voices beyond the first have no rests in empty bars."""
    if part.channel == 9:
        return [_staff("percussion", list(_struck(part.tones)), bars)]
    high = [tone for tone in part.tones if tone.pitch >= MIDDLE]
    low = [tone for tone in part.tones if tone.pitch < MIDDLE]
    if part.program in TWO_STAVES and high and low and _far(high, low):
        return [_staff("G", high, bars), _staff("F", low, bars)]
    mean = sum(tone.pitch for tone in part.tones) / max(1, len(part.tones))
    return [_staff("G" if mean >= 57 or not part.tones else "F", part.tones, bars)]


def _struck(tones: Sequence[Tone]) -> Iterator[Tone]:
    """Percussion as it is written: all that is struck together lasts until the next beat or stroke."""
    starts = sorted({tone.start for tone in tones})
    following = dict(zip(starts, [*starts[1:], starts[-1] + 1] if starts else [], strict=False))
    for tone in tones:
        yield replace(tone, end=min(following[tone.start], Fraction(math.floor(tone.start) + 1)))


def _far(high: Sequence[Tone], low: Sequence[Tone]) -> bool:
    """Whether one staff would need many ledger lines."""
    return max(tone.pitch for tone in high) > 69 and min(tone.pitch for tone in low) < 53


def _staff(clef: str, tones: Iterable[Tone], bars: Sequence[Bar]) -> Staff:
    chords: dict[tuple[Fraction, Fraction], list[Tone]] = defaultdict(list)
    for tone in tones:
        chords[tone.start, tone.end].append(tone)
    ordered = sorted(chords.items(), key=lambda each: (each[0][0], -max(t.pitch for t in each[1])))
    voices: list[list[tuple[Tone, ...]]] = [[]]
    for (start, _), held in ordered:
        free = next((voice for voice in voices if not voice or voice[-1][0].end <= start), None)
        if free is None:
            voices.append(free := [])
        free.append(tuple(sorted(held, key=lambda tone: tone.pitch)))
    return Staff(clef, tuple(_voice(chords, bars, number == 0) for number, chords in enumerate(voices)))


def _voice(chords: Sequence[tuple[Tone, ...]], bars: Sequence[Bar], first: bool) -> tuple[tuple[Sign, ...], ...]:
    """The signs of each bar; rests fill the gaps, and whole bars only in the first voice."""
    starts = [bar.start for bar in bars]
    inside: list[list[tuple[Fraction, Fraction, tuple[Tone, ...]]]] = [[] for _ in bars]
    for chord in chords:
        number = bisect_right(starts, chord[0].start) - 1
        while number < len(bars) and bars[number].start < chord[0].end:
            bar = bars[number]
            inside[number].append((max(bar.start, chord[0].start), min(bar.end, chord[0].end), chord))
            number += 1
    return tuple(
        tuple(_signs(held, bar, first)) if held or first else () for held, bar in zip(inside, bars, strict=True)
    )


def _signs(held: list[tuple[Fraction, Fraction, tuple[Tone, ...]]], bar: Bar, first: bool) -> Iterator[Sign]:
    if not held:
        return iter([Sign(bar.start, bar.length, "")])
    filled: list[tuple[Fraction, Fraction, tuple[Tone, ...]]] = []
    at = bar.start
    for start, end, chord in held:
        if at < start:
            filled.append((at, start, ()))
        filled.append((start, end, chord))
        at = end
    if at < bar.end:
        filled.append((at, bar.end, ()))
    places = sorted({place - bar.start for start, end, _ in filled for place in (start, end)})
    signs: list[Sign] = []
    for start, end, chord in filled:
        for sign in _values(start - bar.start, end - bar.start, bar, places):
            placed = replace(sign, start=sign.start + bar.start, tones=chord)
            if chord:
                tied = placed.start > chord[0].start, placed.end < chord[0].end
                placed = replace(placed, tied_from=tied[0], tied_to=tied[1])
            signs.append(placed)
    return iter(_beamed(_grouped(signs, bar), bar))


def _values(start: Fraction, end: Fraction, bar: Bar, places: list[Fraction]) -> Iterator[Sign]:
    """The signs that show what lasts from `start` to `end` of a bar in which a voice has these places."""
    if _straight(start) and _straight(end):
        yield from _plain(start, end, bar)
        return
    beat = Fraction(math.floor(start))
    if end > beat + 1:
        yield from _values(start, beat + 1, bar, places)
        yield from _values(beat + 1, end, bar, places)
        return
    near = places[bisect_left(places, beat) : bisect_right(places, beat + 1)]
    actual = math.lcm(*(place.denominator for place in near), start.denominator, end.denominator)
    normal = 1 << (actual.bit_length() - 1)
    at, units, said = start, int((end - start) * actual), (actual, normal)
    while said[0] > 9 and said[0] % 2 == 0:  # twelve in the time of eight are called six in the time of four
        said = said[0] // 2, said[1] // 2
    while units:  # three units are one dotted sign, five are four and one
        top = 1 << (units.bit_length() - 1)
        dotted = 2 * units == 3 * top
        taken = units if dotted else top
        length = Fraction(taken, actual)
        yield Sign(at, length, _name(Fraction(top, normal)), int(dotted), said)
        at, units = at + length, units - taken


def _doublings(length: Fraction) -> int:
    """0 for a quarter note, 1 for a half; for what lies between two signs either."""
    return length.numerator.bit_length() - length.denominator.bit_length()


def _name(length: Fraction) -> str:
    """The sign of a length that is a power of two."""
    return VALUES[LONG - _doublings(length)]


def _straight(place: Fraction) -> bool:
    return place.denominator & (place.denominator - 1) == 0 and place.denominator <= 64


def _plain(start: Fraction, end: Fraction, bar: Bar) -> Iterator[Sign]:
    """Signs without tuplets: one where it can be read, else cut at the strongest beat inside."""
    length = end - start
    top = Fraction(2) ** _doublings(length)
    top = top / 2 if top > length else top
    dots = next((n for n in (0, 1) if length == top * (2 - Fraction(1, 2**n))), None)
    compound = bar.unit >= 8 and bar.beats % 3 == 0 and bar.beats > 3
    group = Fraction(12, bar.unit) if compound else QUARTER
    split = None
    if compound and start // group != (end - Fraction(1, 64)) // group and (start % group or length % group):
        split = (start // group + 1) * group
    elif compound and not start % group and not length % group and length in (group, 2 * group, 4 * group):
        split = None
    elif dots is None or start % (top / 2) or length > 8:
        unit = Fraction(8)
        while (start // unit + 1) * unit >= end:
            unit /= 2
        split = (start // unit + 1) * unit
    if split is None:
        yield Sign(start, length, _name(top), dots or 0)
    else:
        yield from _plain(start, split, bar)
        yield from _plain(split, end, bar)


def _grouped(signs: list[Sign], bar: Bar) -> list[Sign]:
    """Neighbours of one tuplet get its number."""
    made: list[Sign] = []
    number, last = -1, (Fraction(-1), (1, 1))
    for sign in signs:
        here = ((sign.start - bar.start) // 1 + Fraction(0), sign.tuplet)
        if sign.tuplet != (1, 1):
            number += here != last
            sign = replace(sign, group=number)
        last = here
        made.append(sign)
    return made


def _tails(sign: Sign) -> int:
    """Flags of a sign: 1 for an eighth note, none for rests."""
    return max(0, VALUES.index(sign.value) - LONG) if sign.tones else 0


def _beamed(signs: list[Sign], bar: Bar) -> list[Sign]:
    """Notes with flags that share a beat are joined by beams."""
    compound = bar.unit >= 8 and bar.beats % 3 == 0
    beat = Fraction(12, bar.unit) if compound else QUARTER
    runs: list[list[int]] = []
    last = None
    for number, sign in enumerate(signs):
        here = (sign.start - bar.start) // beat
        if not _tails(sign):
            last = None
        elif here == last:
            runs[-1].append(number)
        else:
            runs.append([number])
            last = here
    made = list(signs)
    for run in runs:
        tails = [_tails(signs[number]) for number in run]
        for place, number in enumerate(run) if len(run) > 1 else ():
            made[number] = replace(signs[number], beams=tuple(_beams(tails, place)))
    return made


def _beams(tails: list[int], place: int) -> Iterator[str]:
    """What each beam does at one note of a run."""
    for level in range(1, tails[place] + 1):
        before = place > 0 and tails[place - 1] >= level
        after = place + 1 < len(tails) and tails[place + 1] >= level
        if before and after:
            yield "continue"
        elif before or after:
            yield "end" if before else "begin"
        else:
            yield "backward hook" if place else "forward hook"
