"""How well `notes` finds notes: pieces composed here, played by `play`, and compared with what was written."""

from __future__ import annotations

import random
import resource
import sys
import time
from dataclasses import dataclass

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.media.score import Note, Score, from_notes
from transpose.transforms.notes import notes
from transpose.transforms.play import play

PROGRAMS = {
    0: "piano", 4: "electric piano", 12: "marimba", 19: "church organ", 24: "nylon guitar", 27: "clean guitar",
    40: "violin", 46: "harp", 48: "strings", 52: "choir", 56: "trumpet", 73: "flute",
}  # fmt: skip
MAJOR = (0, 2, 4, 5, 7, 9, 11)
ONSET = 0.05  # seconds that a beginning may be off, as in MIREX


@dataclass(frozen=True, slots=True)
class Match:
    """Precision, recall and F1 of beginnings (pitch right, 50 ms), and F1 when the end has to be right as well."""

    precision: float
    recall: float
    f1: float
    f1_with_ends: float


def compose(seed: int, program: int, bars: int = 8) -> Score:
    """A tune over chords of three notes in a random major key: 16 s at 120 beats a minute."""
    draw = random.Random(seed)
    tonic, step = draw.randrange(12), 7
    found: list[Note] = []
    for bar in range(bars):
        start = bar * 2.0
        degree = draw.choice((0, 3, 4, 5, 1))
        for up in (0, 2, 4):
            pitch = 48 + tonic % 12 + MAJOR[(degree + up) % 7] + 12 * ((degree + up) // 7)
            found.append(Note(start, start + 1.9, pitch, draw.randint(60, 85), 0, program))
        at = start
        while at < start + 2.0:
            length = min(draw.choice((0.25, 0.5, 0.5, 1.0)), start + 2.0 - at)
            step = max(0, min(14, step + draw.choice((-2, -1, -1, 1, 1, 2, 4, -3))))
            pitch = 64 + tonic % 7 + MAJOR[step % 7] + 12 * (step // 7) - 7
            found.append(Note(at, at + 0.95 * length, pitch, draw.randint(80, 110), 1, program))
            at += length
    return from_notes(found)


def match(written: Score, heard: Score) -> Match:
    """Compare with mir_eval; a note that two voices play together counts once."""
    import mir_eval  # type: ignore[import-untyped]
    import numpy as np

    def arrays(score: Score) -> tuple[object, object]:
        once = {(round(note.start, 2), note.pitch): note for note in score.notes() if note.channel != 9}
        times = np.array([[note.start, note.end] for note in once.values()]).reshape(-1, 2)
        return times, mir_eval.util.midi_to_hz(np.array([note.pitch for note in once.values()], float))

    pairs = (*arrays(written), *arrays(heard))
    compare = mir_eval.transcription.precision_recall_f1_overlap
    precision, recall, f1, _ = compare(*pairs, onset_tolerance=ONSET, offset_ratio=None)
    return Match(precision, recall, f1, compare(*pairs, onset_tolerance=ONSET)[2])


def measure(ctx: Context, score: Score) -> tuple[Match, float]:
    """The match of one piece, and seconds of work for a second of sound."""
    sound = play(score, ctx)
    started = time.perf_counter()
    try:
        heard = notes(sound, ctx)
    except SilentInput:
        return Match(0.0, 0.0, 0.0, 0.0), 0.0
    return match(score, heard), (time.perf_counter() - started) / sound.duration


def score(ctx: Context) -> dict[str, str | float]:
    """Mean onset F1 over twelve instruments and the example chorale."""
    from pathlib import Path

    from transpose.formats.midi import read_midi

    example = Path(__file__).parents[2] / "examples" / "chorale.mid"
    pieces = {name: compose(number, program) for number, (program, name) in enumerate(PROGRAMS.items())}
    pieces["chorale"] = read_midi(example, ctx)
    measure(ctx, pieces["piano"])  # loads the models
    results = {name: measure(ctx, piece) for name, piece in pieces.items()}
    for name, (found, speed) in results.items():
        print(f"{name:15} P {found.precision:.2f} R {found.recall:.2f} F1 {found.f1:.3f} "
              f"with ends {found.f1_with_ends:.3f} RTF {speed:.4f}", file=sys.stderr)  # fmt: skip
    f1 = sum(found.f1 for found, _ in results.values()) / len(results)
    ends = sum(found.f1_with_ends for found, _ in results.values()) / len(results)
    return {
        "metric": "onset F1 (50 ms)",
        "value": round(f1, 3),
        "quality": round(f1, 3),
        "f1_with_ends": round(ends, 3),
        "data": f"round trip play -> notes, {len(results)} pieces of {len(PROGRAMS)} instruments, 16 to 24 s each",
        "date": "2026-11-21",
        "seconds": round(60 * sum(speed for _, speed in results.values()) / len(results), 2),
        "unit": "minute of sound",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
