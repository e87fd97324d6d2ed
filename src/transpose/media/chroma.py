"""How loud each pitch class is in a sound: chroma (Fujishima 1999), of long windows, for one semitone is 4 Hz at C2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transpose.media.spectrogram import stft

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW = 8192  # samples, .37 s at 22,050 Hz
LOWEST, HIGHEST = 36, 92  # MIDI pitches, C2 to G#6
NARROW = 0.3  # semitones from its pitch at which a frequency counts for 1 / e
FLOOR = 0.1  # of the loudest frequency of a window: below it is no tone
POWER = 0.7  # of a magnitude: the soft notes of a chord count too


def chroma(samples: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Mono samples (n,) -> weights (12,) from C on, which sum to 1; all alike for what has no tones."""
    import numpy as np

    padded = np.pad(samples, (0, max(0, WINDOW - len(samples))))
    magnitude = np.abs(stft(padded, WINDOW, WINDOW // 4))
    tones = np.maximum(magnitude - FLOOR * magnitude.max(1, keepdims=True), 0) ** POWER
    hertz = np.maximum(np.arange(tones.shape[1]), 0.5) * rate / WINDOW
    pitch = 69 + 12 * np.log2(hertz / 440)
    near = np.exp(-(((pitch - np.round(pitch)) / NARROW) ** 2)) * ((pitch >= LOWEST) & (pitch < HIGHEST))
    weights = np.bincount(np.round(pitch).astype(int) % 12, near * tones.sum(0), 12)
    total = float(weights.sum())
    return weights / total if total > 0 else np.full(12, 1 / 12)
