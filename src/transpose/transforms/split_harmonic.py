"""Take a piece of music apart into what rings and what strikes.

Tones are lines along the time of a spectrogram, strokes are lines across it. A median over time keeps the first, a
median over frequency the second, and their squares tell how each point is shared (Fitzgerald, "Harmonic/percussive
separation using median filtering", DAFx 2010; windows and soft masks as there). What both verbs give adds up to the
sound that went in, unless `margin` is above 1 (Driedger, Müller, Disch, ISMIR 2014), where what is neither goes away.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.samples import regrouped
from transpose.media.spectrogram import istft, stft

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW = 0.0464  # seconds: 2,048 samples at 44.1 kHz
KERNEL = 31  # frames, and bins, of the medians: at 44.1 kHz .36 s and 667 Hz
CORE = 800  # frames that are worked on at once: 9 s
Margin = Annotated[float, Range(1.0, 10.0), "how clearly it has to be one of the two; above 1 leaves the rest out"]


@transform("audio -> audio", verb=True, keeps=["lang", "synthetic"], loses=["detail"], memory_mb=400)
def split_harmonic(audio: Audio, ctx: Context, *, margin: Margin = 1.0) -> Audio:
    """Keep what rings: melody, chords, voices; drums and clicks go.

    Each channel by itself, in blocks whose edges cannot be heard; same rate and length. Raises EmptyInput for no sound.
    """
    return _split(audio, ctx, margin, harmonic=True)


@transform("audio -> audio", verb=True, keeps=["lang", "synthetic"], loses=["pitch", "detail"], memory_mb=400)
def split_percussive(audio: Audio, ctx: Context, *, margin: Margin = 1.0) -> Audio:
    """Keep what strikes: drums, clicks, consonants; tones go.

    Each channel by itself, in blocks whose edges cannot be heard; same rate and length. Raises EmptyInput for no sound.
    """
    return _split(audio, ctx, margin, harmonic=False)


def _split(audio: Audio, ctx: Context, margin: float, *, harmonic: bool) -> Audio:
    if not audio.length:
        raise EmptyInput("there is no sound to take apart: its length is zero")
    window = 1 << max(8, round(math.log2(audio.rate * WINDOW)))
    blocks = _blocks(audio, window, margin, harmonic, ctx)
    return Audio.from_blocks(blocks, audio.rate, ctx.temp(".wav"))


def _blocks(audio: Audio, window: int, margin: float, harmonic: bool, ctx: Context) -> Iterator[NDArray[np.float32]]:
    """The part of each piece; every piece is seen with enough before and after it that no edge shows."""
    import numpy as np

    hop = window // 4
    context = hop * (KERNEL // 2 + 4)
    core = hop * CORE
    before = np.zeros((context, audio.channels), np.float32)
    held = before[:0]
    done = 0
    for piece in regrouped(audio.blocks(), core):
        samples = np.nan_to_num(piece, posinf=1, neginf=-1)
        if len(held):
            yield _part(
                np.concatenate([before, held, samples[:context]]), context, len(held), (window, margin), harmonic
            )
            before = np.concatenate([before, held])[-context:]
            done += len(held)
            ctx.progress(done / audio.rate, audio.duration, "seconds taken apart")
        held = samples
    yield _part(np.concatenate([before, held]), context, len(held), (window, margin), harmonic)


def _part(
    samples: NDArray[np.float32], start: int, length: int, how: tuple[int, float], harmonic: bool
) -> NDArray[np.float32]:
    """Samples `start` to `start + length` of (n, channels), filtered."""
    import numpy as np

    window, margin = how
    made = np.empty((length, samples.shape[1]), np.float32)
    for channel in range(samples.shape[1]):
        spectrum = stft(np.ascontiguousarray(samples[:, channel]), window, window // 4)
        mask = _mask(np.abs(spectrum), margin, harmonic)
        made[:, channel] = istft(spectrum * mask, window, window // 4, len(samples))[start : start + length]
    return made


def _mask(magnitude: NDArray[np.float32], margin: float, harmonic: bool) -> NDArray[np.float32]:
    """The share of each point (frames, bins) that is kept: 0 to 1."""
    import numpy as np

    along = _median(magnitude.T).T
    across = _median(magnitude)
    kept, other = (along, across) if harmonic else (across, along)
    strong, weak = kept**2, (other * np.float32(margin)) ** 2
    return np.asarray((strong + 1e-12 * (margin == 1.0)) / (strong + weak + 2e-12), np.float32)


def _median(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Running median of `KERNEL` along the last axis, edges reflected."""
    import numpy as np

    half = KERNEL // 2
    padded = np.pad(values, ((0, 0), (half, half)), mode="reflect" if values.shape[1] > half else "edge")
    made = np.empty(values.shape, np.float32)
    for at in range(0, len(values), 64):
        windows = np.lib.stride_tricks.sliding_window_view(padded[at : at + 64], KERNEL, axis=1)
        made[at : at + 64] = np.partition(windows, half, axis=2)[..., half]
    return made
