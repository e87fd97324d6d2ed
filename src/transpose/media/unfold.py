"""The order in which bars are played: repeats, first and second endings, da capo, dal segno, coda and fine.

And the notes of written bars laid out in that order, tied ones joined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from transpose.media.notation import Tone

MOST_PASSES = 16
MOST_PLAYED = 100_000  # bars; nested repeats of a hostile file end here


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands at one bar. `endings`: the passes on which it is played (empty: on each)."""

    forward: bool = False
    backward: int = 0  # how often the passage is played in all, from a repeat sign at the end of this bar
    endings: frozenset[int] = frozenset()
    segno: bool = False
    coda: bool = False
    to_coda: bool = False
    da_capo: bool = False
    dal_segno: bool = False
    fine: bool = False


def played(bars: Sequence[Marks]) -> list[int]:
    """Numbers of the bars in the order of playing; a jump back is made once, and after it repeats are not taken."""
    order: list[int] = []
    first, turn, at, jumped = 0, 1, 0, False
    while at < len(bars) and len(order) < MOST_PLAYED:
        bar = bars[at]
        if bar.forward and at != first:
            first, turn = at, 1
        last_turn = _turns(bars, first) if jumped else turn
        if bar.endings and last_turn not in bar.endings:
            at += 1
            continue
        order.append(at)
        if bar.fine and jumped:
            break
        if bar.to_coda and jumped and any(later.coda for later in bars[at + 1 :]):
            at = next(number for number in range(at + 1, len(bars)) if bars[number].coda)
            first, turn = at, 1
        elif (bar.da_capo or bar.dal_segno) and not jumped:
            jumped = True
            segni = [number for number in range(at + 1) if bars[number].segno] if bar.dal_segno else []
            at = segni[-1] if segni else 0
            first, turn = at, 1
        elif bar.backward and not jumped and turn < min(MOST_PASSES, _turns(bars, first)):
            at, turn = first, turn + 1
        else:
            if (bar.backward or bar.endings) and not _more_endings(bars, at):
                first, turn = at + 1, 1
            at += 1
    return order


def _turns(bars: Sequence[Marks], first: int) -> int:
    """How often the passage that starts at a bar is played."""
    most = 1
    for number in range(first, len(bars)):
        bar = bars[number]
        if number > first and (bar.forward or (most > 1 and not bar.endings)):
            break
        most = max(most, bar.backward, *bar.endings)
    return most


def _more_endings(bars: Sequence[Marks], at: int) -> bool:
    return at + 1 < len(bars) and bool(bars[at + 1].endings)


@dataclass(slots=True)
class Struck:
    """A note head: places are quarter notes from the start of its bar."""

    start: Fraction
    end: Fraction
    pitch: int
    velocity: int
    instrument: str = ""
    tied_from: bool = False
    tied_to: bool = False


def joined(
    bars: Sequence[Sequence[Struck]], order: Sequence[int], starts: Sequence[Fraction]
) -> Iterator[tuple[str, Tone]]:
    """Instrument and note for each note that sounds, of a part whose bars are played in this order at these places."""
    held: dict[tuple[str, int], Tone] = {}
    for place, number in enumerate(order):
        for note in sorted(bars[number], key=lambda each: each.start) if number < len(bars) else ():
            key = note.instrument, note.pitch
            tone = Tone(starts[place] + note.start, starts[place] + note.end, note.pitch, note.velocity)
            before = held.pop(key, None)
            if before is not None and before.end == tone.start:  # half of the ties of old files lack their end
                tone = Tone(before.start, tone.end, tone.pitch, before.velocity)
            elif before is not None:
                yield note.instrument, before
            if note.tied_to:
                held[key] = tone
            else:
                yield note.instrument, tone
    for (instrument, _), tone in held.items():
        yield instrument, tone
