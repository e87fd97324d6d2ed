"""A plain synthesiser of sine waves and noise: what plays when there is no sound font.

Each family of eight General MIDI programs has its own strengths of overtones, attack, decay and sustained part.
Percussion is noise that dies away, lower drums with a falling sine. Every sample depends only on its time, so that a
piece is made block by block.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from transpose.media.score import DRUMS, Note

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RELEASE = 0.25  # seconds in which a note dies away after its end
LOUDEST = 0.2  # of one note
# overtones' strengths, seconds of attack, seconds until a held note falls to 1/e (0: it does not)
PLUCKED = ((1.0, 0.5, 0.25, 0.12, 0.06, 0.03), 0.005, 1.2)
BELL = ((1.0, 0.0, 0.4, 0.0, 0.0, 0.2), 0.002, 0.8)
ORGAN = ((1.0, 0.6, 0.3, 0.4, 0.1, 0.2), 0.02, 0.0)
BOWED = ((1.0, 0.6, 0.45, 0.3, 0.2, 0.15), 0.08, 0.0)
VOICE = ((1.0, 0.35, 0.2, 0.05, 0.02, 0.01), 0.1, 0.0)
BRASS = ((1.0, 0.8, 0.6, 0.4, 0.25, 0.15), 0.04, 0.0)
PIPE = ((1.0, 0.2, 0.08, 0.03, 0.01, 0.0), 0.05, 0.0)
FAMILIES = (
    PLUCKED, BELL, ORGAN, PLUCKED, PLUCKED, BOWED, VOICE, BRASS,
    BRASS, PIPE, BRASS, VOICE, BELL, PLUCKED, BELL, PIPE,
)  # fmt: skip


def sing(notes: Sequence[Note], seconds: float, rate: int, block: float = 5.0) -> Iterator[NDArray[np.float32]]:
    """Blocks of shape (n, 1) that together last `seconds`; not normalised."""
    import numpy as np

    ordered = sorted(notes)
    total, step = math.ceil(seconds * rate), round(block * rate)
    current: list[Note] = []
    following = 0
    for first in range(0, total, step):
        size = min(step, total - first)
        out = np.zeros(size)
        while following < len(ordered) and ordered[following].start * rate < first + size:
            current.append(ordered[following])
            following += 1
        for note in current:
            start = max(first, round(note.start * rate))
            stop = min(first + size, round((note.end + RELEASE) * rate))
            if stop > start:
                at = np.arange(start, stop) / rate - note.start
                out[start - first : stop - first] += (
                    _hit(note, at, rate) if note.channel == DRUMS else _tone(note, at, rate)
                )
        current = [note for note in current if (note.end + RELEASE) * rate > first + size]
        yield out[:, None].astype(np.float32)


def _tone(note: Note, at: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """A note at the seconds `at` after its start, shape (n,)."""
    import numpy as np

    overtones, attack, decay = FAMILIES[note.program // 8]
    pitch = 440.0 * 2 ** ((note.pitch - 69) / 12)
    wave = np.zeros(len(at))
    for number, strength in enumerate(overtones, 1):
        if strength and pitch * number < rate / 2:
            fading = np.exp(-at * number / decay) if decay else 1.0
            wave += strength * fading * np.sin(2 * np.pi * pitch * number * at)
    shaped: NDArray[np.float64] = wave * _shape(note, at, attack) / sum(overtones)
    return shaped


def _hit(note: Note, at: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """A beat of a drum: the same noise each time, by its pitch."""
    import numpy as np

    low = note.pitch in (35, 36, 41, 43, 45, 47, 48, 50)
    ring = 0.6 if note.pitch in (46, 49, 51, 52, 55, 57, 59) else 0.08
    number = np.maximum(np.rint(at * rate).astype(np.int64), 0)
    seed = zlib.crc32(bytes([note.pitch]))
    noise = np.random.default_rng(seed).uniform(-1, 1, rate)[number % rate]
    body = np.sin(2 * np.pi * 60 * (at + 0.05 * (1 - np.exp(-at / 0.05)))) if low else 0.0
    struck: NDArray[np.float64] = (0.3 * noise * np.exp(-at / ring) + body * np.exp(-at / 0.15)) * _shape(
        note, at, 0.001
    )
    return struck


def _shape(note: Note, at: NDArray[np.float64], attack: float) -> NDArray[np.float64]:
    """Loudness over time: attack, and the release after the note's end."""
    import numpy as np

    after = np.maximum(at - (note.end - note.start), 0) / RELEASE
    rising: NDArray[np.float64] = np.clip(at / attack, 0, 1) * np.clip(1 - after, 0, 1) ** 2
    loudness: float = LOUDEST * (note.velocity / 127) ** 1.5
    return rising * loudness
