"""How faithful sheet music is: note F1 after there and back, for written and for played scores."""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.scores.notes import PROGRAMS, compose
from transpose.core.context import Context
from transpose.core.transform import Transform
from transpose.formats.midi import read_midi
from transpose.formats.musicxml import read_musicxml, write_musicxml
from transpose.media.score import Note, Score, from_notes

PLACES = 0.02  # seconds


def freely(score: Score, seed: int, spread: float = 0.015) -> Score:
    """The score as somebody would play it: onsets and ends off by a normal deviation of `spread` seconds."""
    draw = random.Random(seed)
    moved = []
    for note in score.notes():
        start = max(0.0, note.start + draw.gauss(0, spread))
        end = max(start + 0.05, note.end + draw.gauss(0, 2 * spread))
        moved.append(Note(start, end, note.pitch, note.velocity, note.channel, note.program))
    return from_notes(moved)


def match(one: Score, other: Score, within: float, ends: bool = False) -> float:
    """F1 of notes with the same pitch and program whose onsets (and ends) differ by at most `within` seconds."""
    left = Counter((n.pitch, n.program) for n in one.notes())
    found = 0
    waiting: dict[tuple[int, int], list[Note]] = {}
    for note in other.notes():
        waiting.setdefault((note.pitch, note.program), []).append(note)
    for note in one.notes():
        held = waiting.get((note.pitch, note.program), [])
        near = [
            each
            for each in held
            if abs(each.start - note.start) <= within and (not ends or abs(each.end - note.end) <= within)
        ]
        if near:
            held.remove(min(near, key=lambda each: abs(each.start - note.start)))
            found += 1
    return 2 * found / (left.total() + sum(1 for _ in other.notes()))


def round_trip(write: Transform, read: Transform, suffix: str) -> dict[str, float]:
    """Mean F1 over written pieces (onsets; with ends), over played ones within 100 ms, and seconds for 1,000 notes."""
    ctx = Context()
    example = read_midi(Path(__file__).parents[2] / "examples" / "chorale.mid", ctx)
    pieces = [example, *(compose(seed, program) for seed, program in enumerate(PROGRAMS))]
    sums = {"written": 0.0, "ends": 0.0, "played": 0.0}
    seconds = notes = 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{suffix}"
        for number, piece in enumerate(pieces):
            began = time.perf_counter()
            write(piece, path, ctx)
            found = read(path, ctx)
            seconds, notes = seconds + time.perf_counter() - began, notes + len(piece.notes())
            sums["written"] += match(piece, found, PLACES)
            sums["ends"] += match(piece, found, 0.1, ends=True)
            played = freely(piece, number)
            write(played, path, ctx)
            sums["played"] += match(played, read(path, ctx), 0.1)
    means = {name: value / len(pieces) for name, value in sums.items()}
    return {**means, "seconds": 1000 * seconds / notes, "pieces": len(pieces)}


def report(found: dict[str, float]) -> dict[str, object]:
    """The figures in the form that all scores have."""
    print(found, file=sys.stderr)
    played = f"played with 15 ms of jitter, F1 within 100 ms {found['played']:.3f}"
    return {
        "metric": "note F1 after there and back (onsets within 20 ms, same instrument)",
        "value": round(found["written"], 3),
        "quality": round(found["written"], 3),
        "data": f"{found['pieces']:.0f} written scores (with ends within 100 ms {found['ends']:.3f}); {played}",
        "date": "2026-11-21",
        "seconds": round(found["seconds"], 3),
        "unit": "1000 notes",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def score(ctx: Context) -> dict[str, object]:
    """Of `write-musicxml`, with `read-musicxml`."""
    return report(round_trip(write_musicxml, read_musicxml, ".musicxml"))
