"""Bring a sound to a given loudness, as broadcasters and streaming services do.

Loudness is measured by ITU-R BS.1770-4 (K-weighting, blocks of 400 ms, gates at -70 LUFS and 10 LU below the mean) and
EBU R 128; the filters are applied in the frequency domain, block by block. True peak is the largest sample at four
times the rate. Where the gain would push peaks over the limit, a limiter that looks 5 ms ahead holds them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, SilentInput
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.samples import resample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WARM = 0.5  # seconds after which nothing of the filters' past is left
STEP = 0.1  # seconds; four make a block of the standard
ABSOLUTE, RELATIVE = -70.0, -10.0  # gates
QUIET = -0.691  # dB, so that a 1 kHz sine at full scale in one channel is -3.01 LUFS
AHEAD = 0.005  # seconds
# weight of each channel by their number; the low-frequency channel of 5.1 does not count
WEIGHTS = {5: (1.0, 1.0, 1.0, 1.41, 1.41), 6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41)}
REACHED, CLOSE = 0.5, 0.1  # LU
TRIES = 3


@dataclass(frozen=True, slots=True)
class Loudness:
    """Integrated loudness in LUFS (-inf: silence) and true peak in dB of full scale."""

    integrated: float
    true_peak: float


@transform(
    "audio -> audio", verb=True, does="loudness", keeps=["lang", "synthetic"], loses=["exactness"], memory_mb=100
)
def normalise(
    audio: Audio,
    ctx: Context,
    *,
    target: Annotated[float, Range(-60.0, -5.0), "LUFS; television has -23, streaming -14 to -16"] = -16.0,
    peak: Annotated[float, Range(-20.0, 0.0), "dB of full scale that the true peak may reach"] = -1.0,
    peaks: Annotated[Literal["limit", "lower"], "hold single peaks, or make the whole less loud"] = "limit",
) -> Audio:
    """Make a sound as loud as others: to `target`, with no true peak above `peak`.

    Rate, channels and length stay. Says by a warning where the target was missed by more than half an LU. The history
    gets the loudness before and the gain. Raises EmptyInput for no sound, SilentInput for silence.
    """
    if not audio.length:
        raise EmptyInput("there is no sound to normalise: its length is zero")
    found = measure(audio)
    if not math.isfinite(found.integrated):
        raise SilentInput("this sound is silent, or shorter than the 0.4 s that loudness needs")
    gain = target - found.integrated
    over = found.true_peak + gain - peak
    if over > 0 and peaks == "lower":
        gain -= over
    ctx.note("loudness LUFS", round(found.integrated, 2))
    limited = over > 0 and peaks == "limit"
    made = _louder(audio, gain, peak if limited else None, ctx)
    reached = measure(made).integrated if over > 0 else target
    for _ in range(TRIES if limited else 0):  # what the limiter takes is given to the rest
        if target - reached < CLOSE:
            break
        gain += target - reached
        made = _louder(audio, gain, peak, ctx)
        reached = measure(made).integrated
    ctx.note("gain dB", round(gain, 2))
    if abs(reached - target) > REACHED:
        ctx.warn(f"{reached:.1f} LUFS instead of {target:g}: louder would push peaks over {peak:g} dB")
    return made


def _louder(audio: Audio, gain: float, peak: float | None, ctx: Context) -> Audio:
    """The sound with `gain` in dB; a limiter holds its peaks under `peak` where that is given."""
    factor = 10 ** (gain / 20)
    blocks = audio.blocks() if peak is None else _limited(audio, factor, 10 ** (peak / 20))
    scale = factor if peak is None else 1.0
    return Audio.from_blocks(((block * scale).astype("float32") for block in blocks), audio.rate, ctx.temp(".wav"))


def measure(audio: Audio) -> Loudness:
    """Integrated loudness and true peak; -inf for silence and for less than 0.4 s."""
    import numpy as np

    steps = np.array(list(_powers(audio))) if audio.length else np.zeros(0)
    times = 1 if audio.rate >= 192_000 else 2 if audio.rate >= 96_000 else 4
    top = 0.0
    for block in audio.blocks(rate=audio.rate * times) if audio.length else ():
        top = max(top, float(np.abs(np.nan_to_num(block, posinf=0, neginf=0)).max()))
    return Loudness(_gated(steps), 20 * math.log10(top) if top else -math.inf)


def _gated(steps: NDArray[np.float64]) -> float:
    """LUFS from the weighted mean squares of steps of 100 ms."""
    import numpy as np

    if len(steps) < 4:
        return -math.inf
    blocks = np.convolve(steps, np.ones(4) / 4, "valid")
    blocks = blocks[blocks > 10 ** ((ABSOLUTE - QUIET) / 10)]
    if not len(blocks):
        return -math.inf
    threshold = blocks.mean() * 10 ** (RELATIVE / 10)
    return float(QUIET + 10 * math.log10(blocks[blocks > threshold].mean()))


def _powers(audio: Audio) -> Iterator[float]:
    """The mean square of each 100 ms after K-weighting, channels weighted and added; a shorter rest is left out."""
    import numpy as np

    warm, step = round(WARM * audio.rate), round(STEP * audio.rate)
    weights = np.array(WEIGHTS.get(audio.channels, (1.0,) * audio.channels))
    before = np.zeros((warm, audio.channels))
    for block in audio.blocks(100 * step / audio.rate):
        samples = np.concatenate([before, np.nan_to_num(block.astype(np.float64), posinf=0, neginf=0)])
        size = 1 << (len(samples) + warm - 1).bit_length()
        spectrum = np.fft.rfft(samples, size, axis=0) * _weighting(size, audio.rate)[:, None]
        heard = np.fft.irfft(spectrum, size, axis=0)[warm : len(samples)]
        whole = len(heard) // step * step
        squares = (heard[:whole] ** 2).reshape(-1, step, audio.channels).mean(axis=1)
        yield from (squares @ weights).tolist()
        before = samples[-warm:]


def _weighting(size: int, rate: int) -> NDArray[np.complex128]:
    """The K-weighting of BS.1770 at the frequencies of a transform of `size`, from its analogue prototype."""
    import numpy as np

    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    k = math.tan(math.pi * 1681.974450955533 / rate)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    shelf = (high + band * k / q + k * k) + 2 * (k * k - high) * z + (high - band * k / q + k * k) * z**2
    shelf = shelf / ((1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z**2)
    k = math.tan(math.pi * 38.13547087602444 / rate)
    q = 0.5003270373238773
    cut = (1 - z) ** 2 / (
        1 + 2 * (k * k - 1) / (1 + k / q + k * k) * z + (1 - k / q + k * k) / (1 + k / q + k * k) * z**2
    )
    return np.asarray(shelf * cut)


def _limited(audio: Audio, factor: float, limit: float) -> Iterator[NDArray[np.float32]]:
    """The louder samples, turned down around each true peak above `limit`: the gain moves smoothly within 5 ms."""
    import numpy as np

    half = max(1, round(AHEAD * audio.rate))
    shape = np.hanning(2 * half + 3)[1:-1]
    shape /= shape.sum()
    context = 4 * half
    limit *= 0.988  # 0.1 dB for what lies between the samples of four times the rate
    before = np.zeros((context, audio.channels), np.float32)
    held = before[:0]

    def held_down(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        fine = np.concatenate(list(resample([samples], audio.rate, 4 * audio.rate)))
        tops = np.abs(fine).max(axis=1).reshape(-1, 4).max(axis=1)
        tops = np.maximum(np.maximum(tops, np.append(tops[1:], 0)), np.abs(samples).max(axis=1))
        wanted = np.minimum(1.0, limit / np.maximum(tops, 1e-9))
        least = np.lib.stride_tricks.sliding_window_view(np.pad(wanted, half, constant_values=1.0), 2 * half + 1)
        gain = np.convolve(np.pad(least.min(axis=1), half, mode="edge"), shape, "valid")
        return np.asarray(samples * gain[:, None], np.float32)

    for block in audio.blocks():
        louder = np.nan_to_num(block * np.float32(factor), posinf=0, neginf=0)
        if len(held):
            yield held_down(np.concatenate([before, held, louder[:context]]))[context : context + len(held)]
            before = np.concatenate([before, held])[-context:]
        held = louder
    yield held_down(np.concatenate([before, held]))[context : context + len(held)]
