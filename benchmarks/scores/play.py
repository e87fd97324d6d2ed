"""How rightly `play` plays: whether each note of many instruments has the pitch and the moment that is written."""

from __future__ import annotations

import resource
import time
from typing import TYPE_CHECKING

from benchmarks.scores.notes import PROGRAMS, compose
from transpose.core.context import Context
from transpose.media.score import Note, from_notes
from transpose.transforms.play import play

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PITCHES = (48, 55, 60, 67, 72, 79)
APART = 2.0  # seconds between the notes
CENTS = 30.0


def cents_off(samples: NDArray[np.float32], rate: int, pitch: int) -> float:
    """How far the strongest partial is from the nearest overtone of `pitch`, in cents."""
    import numpy as np

    windowed = samples * np.hanning(len(samples))
    spectrum = np.abs(np.fft.rfft(windowed, 1 << 18))
    loudest = float(spectrum.argmax()) * rate / (1 << 18)
    wanted = 440.0 * 2 ** ((pitch - 69) / 12)
    overtone = max(1, round(loudest / wanted)) if loudest > 0.75 * wanted else 0.5  # an organ sounds an octave below
    return float(1200 * np.log2(max(loudest, 1.0) / (wanted * overtone)))


def pitches(ctx: Context, program: int) -> list[float]:
    """Deviation in cents of each of `PITCHES` on one instrument."""
    notes = [Note(n * APART, n * APART + 1.2, pitch, 100, 0, program) for n, pitch in enumerate(PITCHES)]
    sound = play(from_notes(notes), ctx)
    mono = sound.array(channels=1)[:, 0]
    parts = [
        mono[round((n * APART + 0.1) * sound.rate) : round((n * APART + 0.7) * sound.rate)] for n in range(len(PITCHES))
    ]
    return [cents_off(part, sound.rate, pitch) for part, pitch in zip(parts, PITCHES, strict=True)]


def onsets(ctx: Context) -> list[float]:
    """Seconds by which piano notes come late: when the sound reaches a tenth of its peak."""
    import numpy as np

    notes = [Note(1.0 + n * APART, 1.5 + n * APART, pitch, 100) for n, pitch in enumerate(PITCHES)]
    sound = play(from_notes(notes), ctx)
    mono = np.abs(sound.array(channels=1)[:, 0])
    late = []
    for note in notes:
        part = mono[round((note.start - 0.5) * sound.rate) : round((note.start + 0.5) * sound.rate)]
        late.append(int(np.argmax(part > 0.1 * part.max())) / sound.rate - 0.5)
    return late


def score(ctx: Context) -> dict[str, str | float]:
    """Share of notes that are within 30 cents, over twelve instruments; speed on a piece of 5 minutes."""
    import numpy as np

    off = {name: pitches(ctx, program) for program, name in PROGRAMS.items()}
    right = [abs(cents) <= CENTS for found in off.values() for cents in found]
    long = compose(0, 0, bars=150)
    started = time.perf_counter()
    sound = play(long, ctx)
    seconds = time.perf_counter() - started
    print({name: [round(cents) for cents in found] for name, found in off.items()})
    return {
        "metric": "notes within 30 cents",
        "value": round(sum(right) / len(right), 3),
        "quality": round(sum(right) / len(right), 3),
        "data": f"{len(right)} notes of {len(off)} instruments, FluidR3 Mono",
        "median_lateness_ms": round(1000 * float(np.median(onsets(ctx))), 1),
        "date": "2026-11-21",
        "seconds": round(60 * seconds / sound.duration, 2),
        "unit": "minute of sound",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
