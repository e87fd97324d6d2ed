"""Synthetic tones with captions and exact ground truth: one note, one wave form, struck or held.

`play(tone)` gives samples, and `hear` reads pitch, wave and shape back by rule, from a played tone as from one that a
model made. The pitch is a MIDI number (69 is the A of 440 Hz).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

RATE = 16_000  # Hz
SECONDS = 0.5
NAMES = ("c", "c#", "d", "d#", "e", "f", "f#", "g", "g#", "a", "a#", "b")
LOW, HIGH = 48, 84  # C3 to C6
# strength of the partials 1, 2, 3 ... of each wave; those above half the rate are left out
WAVES = {"sine": (1.0,), "square": (1.0, 0, 1 / 3, 0, 1 / 5, 0, 1 / 7), "saw": tuple(1 / n for n in range(1, 9))}
ENDS = ("held", "struck")  # as loud to the end, or dying away
FADE = 0.12  # seconds after which a struck tone has lost two thirds of its loudness


@dataclass(frozen=True, slots=True)
class Tone:
    """One sound; `loudness` is the largest sample, 0..1."""

    pitch: int
    wave: str
    end: str = "held"
    loudness: float = 0.5

    @property
    def caption(self) -> str:
        """`a held square a4`."""
        return f"a {self.end} {self.wave} {NAMES[self.pitch % 12]}{self.pitch // 12 - 1}"


def random_tones(count: int, *, seed: int) -> list[Tone]:
    """Tones of every pitch from C3 to C6, wave and end."""
    import numpy as np

    rng = np.random.default_rng(seed)
    waves = tuple(WAVES)
    return [
        Tone(
            int(rng.integers(LOW, HIGH + 1)),
            waves[int(rng.integers(len(waves)))],
            ENDS[int(rng.integers(len(ENDS)))],
            float(rng.uniform(0.2, 0.9)),
        )
        for _ in range(count)
    ]


def play(tone: Tone, *, rate: int = RATE, seconds: float = SECONDS) -> Samples:
    """The samples of a tone, (rate * seconds,), in -1..1."""
    import numpy as np

    time = np.arange(round(rate * seconds)) / rate
    hertz = 440 * 2 ** ((tone.pitch - 69) / 12)
    partials = [(n, each) for n, each in enumerate(WAVES[tone.wave], 1) if each and n * hertz < rate / 2]
    sound = np.sum([each * np.sin(2 * np.pi * n * hertz * time) for n, each in partials], axis=0)
    if tone.end == "struck":
        sound = sound * np.exp(-time / FADE)
    return np.asarray(tone.loudness * sound / max(np.abs(sound).max(), 1e-9), np.float32)


def hear(samples: Samples, rate: int = RATE) -> Tone | None:
    """What tone samples (n,) hold, by rule; None for silence.

    The pitch is the one whose first three partials are strongest together in the spectrum, and whose first stands out;
    the wave follows from how strong the second and third are beside the first; the end from the loudness of the last
    quarter beside that of the first.
    """
    import numpy as np

    if not len(samples) or np.abs(samples).max() < 1e-3:
        return None
    strength = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 4 * len(samples)))
    step = rate / (4 * len(samples))

    def partial(pitch: int, number: int) -> float:
        """The strongest value within half a semitone of a partial; 0 above half the rate."""
        hertz = number * 440 * 2 ** ((pitch - 69) / 12)
        near = strength[int(hertz / step * 0.975) : int(hertz / step * 1.025) + 2]
        return float(near.max()) if len(near) else 0.0

    loudest = max(partial(pitch, 1) for pitch in range(LOW, HIGH + 1))
    clear = [pitch for pitch in range(LOW, HIGH + 1) if partial(pitch, 1) > 0.5 * loudest]
    pitch = max(clear, key=lambda pitch: sum(partial(pitch, number) / number for number in (1, 2, 3)))
    first, second, third = (partial(pitch, number) for number in (1, 2, 3))
    wave = "saw" if second > 0.25 * first else "square" if third > 0.15 * first else "sine"
    quarter = len(samples) // 4
    early, late = (float(np.abs(each).max()) for each in (samples[:quarter], samples[-quarter:]))
    return Tone(pitch, wave, "struck" if late < 0.5 * early else "held", float(np.abs(samples).max()))
