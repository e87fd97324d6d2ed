"""Pieces of music21's corpus as tunes: only those whose own file says that their encoding may be used freely.

music21's corpus/license.txt: "the encodings may be under copyright ... please see the licenses embedded in individual
compositions". Looked at on 2026-11-21, in version 10.5.1, for each of about 3,300 files: five carry a licence that
allows any use (below). Left out: the Essen folk songs (their licence.txt: status unclear, non-commercial), the
Palestrina and Bach files of CCARH ("rights to all derivative electronic formats reserved"), the Bach chorales (no
licence, marks of their first encoder), Josquin (GPL), Clara Schumann, Ciconia and Luca (CC BY-SA), and all without any
statement: Ryan's Mammoth Collection, O'Neill's, Aird's Airs, Monteverdi, the trecento, the quartets.
`python -m recipes.tune_corpus` counts the excerpts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import TYPE_CHECKING

from recipes.tune_data import CENTRES, measured
from recipes.tune_parts import Plan
from transpose.media.wish import Wish
from transpose.models.tune_tokens import CAN_FILL, HIGHEST, LENGTHS, LOWEST, METRES, QUALITIES, TICKS, Bar, Group, Tune

if TYPE_CHECKING:
    from music21.stream import Score  # type: ignore[import-untyped,import-not-found,unused-ignore]


@dataclass(frozen=True, slots=True)
class Piece:
    """A file of the corpus, what its licence says, and the fields that its notes do not tell."""

    path: str
    licence: str
    program: int
    tempo: float
    style: str


PIECES = (
    Piece("johnson_j_r/lift_every_voice", "public domain, encoding CC0 (M. S. A. Cuthbert)", 0, 84.0, "hymn"),
    Piece("liliuokalani/aloha_oe", "public domain, encoding CC0 (M. S. A. Cuthbert)", 24, 76.0, "ballad"),
    Piece("leadSheet/fosterBrownHair", "public domain", 73, 80.0, "ballad"),
    Piece("weber/concertino_clarinet", "released to the public domain (O. Seely 1998)", 71, 100.0, "melody"),
    Piece("corelli/opus3no1/1grave", "CC BY (2014)", 48, 60.0, "hymn"),
)
Struck = list[tuple[int, int, tuple[int, ...]]]  # start, end in ticks of the bar, pitches


@cache
def excerpts() -> tuple[tuple[Wish, Tune, str], ...]:
    """Four and eight bars that end on the tonic: wish, tune and texture, as tune_data.make_tune answers them."""
    return tuple(each for piece in PIECES for each in _excerpts(piece))


def _excerpts(piece: Piece) -> Iterator[tuple[Wish, Tune, str]]:
    from music21 import corpus  # type: ignore[import-untyped,import-not-found,unused-ignore]

    score = corpus.parse(piece.path)
    key = score.analyze("key")
    root, minor = key.tonic.pitchClass, key.mode == "minor"
    bars = list(_bars(score, 60 + (root + 5) % 12 - 5))
    wish = Wish(piece.program, piece.tempo, root, minor, None, "medium", piece.style)
    for count in (4, 8):
        for start in range(len(bars) - count + 1):
            part = bars[start : start + count]
            metres = {metre for metre, _ in part}
            sounds = all(any(group.pitches for group in bar.melody) for _, bar in part)
            if len(metres) == 1 and sounds and part[-1][1].chord in ("0", "0m"):
                under = all(bar.under for _, bar in part)
                kept = tuple(bar if under else replace(bar, under=()) for _, bar in part)
                plan = Plan(
                    wish, part[0][0], count, "accompanied" if under else "solo", CENTRES["middle"], (0, 127), True
                )
                tune = Tune(part[0][0], kept)
                yield measured(plan, tune, Random(start)), tune, plan.texture


def _bars(score: Score, middle: int) -> Iterator[tuple[str, Bar]]:
    """Metre and bar of every whole bar: the first part is the melody, the others lie under it."""
    parts = [part.stripTies() for part in score.parts]
    flat = [[(float(n.offset), float(n.quarterLength), [p.midi - middle for p in n.pitches])
             for n in part.flatten().notes if not n.duration.isGrace] for part in parts]  # fmt: skip
    for measure in score.parts[0].getElementsByClass("Measure"):
        metre = measure.timeSignature or measure.getContextByClass("TimeSignature")
        name, start = metre.ratioString, float(measure.offset)
        if name not in METRES or abs(measure.duration.quarterLength * TICKS - METRES[name]) > 0.01:
            continue
        end = start + METRES[name] / TICKS
        lines = [
            [
                (on - start, on + long - start, steps)
                for on, long, steps in notes
                if on < end - 0.05 and on + long > start + 0.05
            ]
            for notes in flat
        ]
        melody = _groups(lines[:1], METRES[name], top=True)
        under = _groups(lines[1:], METRES[name], top=False)
        sounding = [(end - on, step) for line in lines for on, end, steps in line for step in steps]
        if melody:
            yield name, Bar(_chord(sounding), melody, under if any(group.pitches for group in under) else ())


def _groups(lines: list[list[tuple[float, float, list[int]]]], bar: int, *, top: bool) -> tuple[Group, ...]:
    """What sounds between each onset and the next, on the grid of sixteenths and triplets, filling the bar."""
    notes = [(_grid(on, bar), _grid(end, bar), steps) for line in lines for on, end, steps in line]
    cuts = sorted({0, bar, *(on for on, _, _ in notes), *(end for _, end, _ in notes)})
    cuts = [cut for cut, after in zip(cuts, [*cuts[1:], bar + 3], strict=True) if after - cut >= 3]
    groups: list[Group] = []
    for on, end in zip(cuts, cuts[1:], strict=False):
        steps = sorted({step for begin, stop, each in notes if begin < end and stop > on for step in each})
        steps = [step for step in steps if LOWEST <= step <= HIGHEST]
        chosen = tuple(steps[-1:] if top else [*steps[:1], *steps[1:][-3:]])
        again = any(begin == on for begin, _, _ in notes)
        for place, ticks in enumerate(_split(end - on)):
            held = bool(chosen) and (place > 0 or not again and bool(groups))
            groups.append(Group(() if held else chosen, ticks, held))
    return tuple(groups) if sum(group.ticks for group in groups) == bar else ()


def _grid(quarters: float, bar: int) -> int:
    """The nearest tick of the bar at which notes may begin."""
    ticks = min(max(quarters * TICKS, 0), bar)
    return min((at for at in range(bar + 1) if at % 3 == 0 or at % 4 == 0), key=lambda at: abs(at - ticks))


def _split(ticks: int) -> list[int]:
    """Lengths that there are, the longest first."""
    if ticks not in CAN_FILL:
        return [ticks]  # the bar will not add up and is left out
    lengths: list[int] = []
    while ticks:
        lengths.append(max(each for each in LENGTHS if each <= ticks and ticks - each in CAN_FILL))
        ticks -= lengths[-1]
    return lengths


def _chord(sounding: list[tuple[float, int]]) -> str:
    """The triad whose notes are heard longest."""
    names = [(root, quality) for quality in QUALITIES for root in range(12)]

    def heard(name: tuple[int, str]) -> float:
        tones = {(name[0] + step) % 12 for step in QUALITIES[name[1]]}
        inside = sum(long for long, step in sounding if step % 12 in tones)
        return inside + 0.5 * sum(long for long, step in sounding if step % 12 == name[0])

    root, quality = max(names, key=heard)
    return f"{root}{quality}"


if __name__ == "__main__":
    for piece in PIECES:
        found = list(_excerpts(piece))
        print(piece.path, piece.licence, len(found), "excerpts", {tune.metre for _, tune, _ in found})
