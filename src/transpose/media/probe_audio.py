"""Does somebody speak here, is it music, or neither? An answer in probabilities, from a few pieces of a sound.

Each segment of up to 5 s gives the measures of `measures`; a small network, learned by `recipes/probe_audio.py` and
lying in `probe_audio.json`, turns them into probabilities, and the file gets the mean over its segments (`combined`),
so that speech over music, or half a concert and half a talk, ends between the answers. How often it is right stands
in docs/probes-audio.md.

The measures follow E. Scheirer and M. Slaney, "Construction and evaluation of a robust multifeature speech/music
discriminator" (1997): 4 Hz modulation, low-energy frames, spectral flux, roll-off, centroid, zero crossings, pulse; for
tones, J. Saunders (1996), chroma after T. Fujishima (1999), and voicing by normalised autocorrelation (Boersma 1993).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.media.audio import Audio

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE = 16_000
KINDS = ("audio.speech", "audio.music", "audio.other")
SEGMENT = 5.0  # seconds that are judged at once
SHORTEST = 0.4  # seconds: less cannot be judged
LOOK = 45.0  # seconds of a long sound that are looked at, in PLACES
PLACES = 5
FAINT = 10 ** (-70 / 20)  # of full scale: silence below
FRAME, HOP = 512, 256  # 32 ms, every 16 ms
LONG, LONG_HOP = 4096, 1024  # for tones: 256 ms, every 64 ms
BANDS = 24


def probe(path: Path, ctx: Context) -> dict[str, float]:
    """Probabilities, sum 1, that a sound file (or the sound of a video) is speech, music, or something else.

    Reads at most 45 s in 5 places. Raises an InputError when the file cannot be read or has no sound track.
    """
    return judge(Audio.from_file(path))


def judge(audio: Audio) -> dict[str, float]:
    """As `probe`, of a sound at hand."""
    import numpy as np

    segments = [piece for part in _parts(audio) for piece in split(part)]
    if not segments:
        return dict.fromkeys(KINDS, 1 / len(KINDS))
    heard = [piece for piece in segments if np.sqrt(np.mean(piece**2)) > FAINT]
    if not heard:
        return dict(zip(KINDS, (0.01, 0.01, 0.98), strict=True))
    odds = classify(np.stack([measures(piece) for piece in heard]))
    answer = combined(odds, np.array([len(piece) / RATE for piece in heard]))
    return {kind: float(value) for kind, value in zip(KINDS, answer, strict=True)}


def combined(
    odds: NDArray[np.float64], seconds: NDArray[np.float64], sharpness: float | None = None
) -> NDArray[np.float64]:
    """Probabilities of segments (segments, 4) to those of the whole (3,): their mean, made surer by length.

    The mean is raised to a power: below one for less than 5 s, since a chime is soon taken for a song; growing with
    each doubling of a longer sound, up to 25 s, as fast as was learned. Speech over music counts half for each.
    """
    import numpy as np

    mean = (odds * seconds[:, None]).sum(axis=0) / seconds.sum()
    length = seconds.sum() / SEGMENT
    growth = float(_learned()["sharpness"]) if sharpness is None else sharpness
    power = min(1, length**0.35) * (1 + growth * np.log2(np.clip(length, 1, 5)))
    sharp = mean**power / (mean**power).sum()
    return np.asarray(sharp[:3] + sharp[3] * np.array([0.5, 0.5, 0.0]))


def _parts(audio: Audio) -> list[NDArray[np.float32]]:
    """Mono samples at 16 kHz, from several places of a long sound."""
    import numpy as np

    if audio.duration <= LOOK:
        spans = [(0.0, audio.duration + 1)]
    else:
        length = LOOK / PLACES
        spans = [(at, at + length) for at in np.linspace(0, audio.duration - length, PLACES)]
    parts = []
    for start, stop in spans:
        blocks = list(audio.blocks(rate=RATE, channels=1, start=float(start), stop=float(stop)))
        if blocks:
            parts.append(np.clip(np.nan_to_num(np.concatenate(blocks)[:, 0]), -100, 100))
    return parts


def split(samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Samples (n,) in segments of nearly equal length, at most 5 s; nothing where it is too short to judge."""
    import numpy as np

    if len(samples) < SHORTEST * RATE:
        return []
    return np.array_split(samples, -(-len(samples) // int(SEGMENT * RATE)))


def classify(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Measures (segments, d) to probabilities (segments, 4): speech, music, other, and speech over music.

    The mean of several networks with one hidden layer.
    """
    import numpy as np

    learned = _learned()
    scaled = np.clip((values - learned["mean"]) / learned["spread"], -4, 4)
    total = np.zeros((len(values), len(KINDS) + 1))
    for first, bias, second, offset in zip(*(learned[name] for name in ("w1", "b1", "w2", "b2")), strict=True):
        logits = (np.tanh(scaled @ first + bias) @ second + offset) / learned["temperature"]
        power = np.exp(logits - logits.max(axis=1, keepdims=True))
        total += power / power.sum(axis=1, keepdims=True)
    return np.asarray(total / total.sum(axis=1, keepdims=True))


@cache
def _learned() -> dict[str, NDArray[np.float64]]:
    import numpy as np

    raw = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return {name: np.array(value) for name, value in raw.items()}


def measures(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """What is measured of one segment (n,) at 16 kHz, loudness left out: a vector of about 60 numbers."""
    import numpy as np

    level = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    scaled = (samples / max(level, 1e-9)).astype(np.float32)
    if len(scaled) < LONG + 4 * LONG_HOP:
        scaled = np.pad(scaled, (0, LONG + 4 * LONG_HOP - len(scaled)))
    power = _power(scaled, FRAME, HOP)  # (frames, 257)
    bands = np.log(power @ _mel() + 1e-5)  # (frames, 24)
    parts = [
        [np.log(len(samples) / RATE)],
        _loudness(scaled),
        _shape(power),
        _modulation(bands),
        _rhythm(bands),
        _pitch(scaled),
        _tones(_power(scaled, LONG, LONG_HOP)),
        _timbre(bands),
    ]
    return np.nan_to_num(np.concatenate(parts).astype(np.float64))


def _power(samples: NDArray[np.float32], size: int, hop: int) -> NDArray[np.float32]:
    """Power spectra, shape (frames, size // 2 + 1)."""
    import numpy as np

    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
    spectrum = np.fft.rfft(frames * np.hanning(size).astype(np.float32), axis=1)
    return np.asarray((spectrum.real**2 + spectrum.imag**2) / size, np.float32)


@cache
def _mel() -> NDArray[np.float32]:
    """Triangles of equal width on the mel scale from 60 Hz to 8 kHz, shape (257, 24)."""
    import numpy as np

    edges = 700 * (10 ** (np.linspace(np.log10(1 + 60 / 700), np.log10(1 + 8000 / 700), BANDS + 2)) - 1)
    bins = np.arange(FRAME // 2 + 1) * RATE / FRAME
    up = (bins[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    down = (edges[2:] - bins[:, None]) / np.diff(edges)[1:]
    return np.maximum(0, np.minimum(up, down)).astype(np.float32)


def _spread(values: NDArray[np.floating]) -> list[float]:
    """Mean and standard deviation."""
    return [float(values.mean()), float(values.std())] if len(values) else [0.0, 0.0]


def _loudness(samples: NDArray[np.float32]) -> list[float]:
    """Low-energy frames, quiet frames, dynamic range, skew and crest of the loudness; zero crossings."""
    import numpy as np

    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    level = np.sqrt((frames**2).mean(axis=1))
    decibels = 20 * np.log10(level + 1e-4)
    low, middle, high = np.percentile(decibels, (10, 50, 95))
    crossings = (np.diff(np.signbit(frames), axis=1)).mean(axis=1)
    loud = crossings[level > 0.1]
    return [
        float((level < level.mean() / 2).mean()),
        float((decibels < high - 30).mean()),
        (high - low) / 20,
        (high - middle) / 20,
        float(np.log(np.abs(samples).max() + 1e-6)),
        *_spread(np.diff(decibels) / 10),
        *_spread(loud * 10),
        float(((loud - loud.mean()) ** 3).mean() / (loud.std() ** 3 + 1e-6)) if len(loud) else 0.0,
    ]


def _shape(power: NDArray[np.float32]) -> list[float]:
    """Centroid, roll-off, flatness, flux and the share of high frequencies, over the frames that are not quiet."""
    import numpy as np

    energy = power.sum(axis=1)
    loud = power[energy >= 0.01 * energy.mean()]
    total = loud.sum(axis=1) + 1e-9
    hertz = np.arange(power.shape[1]) * RATE / FRAME
    centroid = np.log2((loud @ hertz) / total + 50)
    rolled = (np.cumsum(loud, axis=1) < 0.9 * total[:, None]).sum(axis=1) * RATE / FRAME
    flatness = np.log(loud + 1e-6).mean(axis=1) - np.log(loud.mean(axis=1) + 1e-6)
    size = np.sqrt(loud)
    size /= np.linalg.norm(size, axis=1, keepdims=True) + 1e-9
    flux = np.linalg.norm(np.diff(size, axis=0), axis=1)
    high = np.log10((loud[:, hertz > 3000].sum(axis=1) + 1e-6) / (loud[:, hertz < 1000].sum(axis=1) + 1e-6))
    return [
        *_spread(centroid), *_spread(np.log2(rolled + 50)), *_spread(flatness), *_spread(flux), *_spread(high),
        *np.percentile(flatness, (10, 90)),
    ]  # fmt: skip


def _modulation(bands: NDArray[np.float32]) -> list[float]:
    """How the band energies swing: shares of 0.5-2, 2-3.2, 3.2-6 (syllables), 6-10 and 10-20 Hz, and how much."""
    import numpy as np

    swing = bands - bands.mean(axis=0)
    spectrum = (np.abs(np.fft.rfft(swing * np.hanning(len(swing))[:, None], n=512, axis=0)) ** 2).mean(axis=1)
    hertz = np.arange(len(spectrum)) * RATE / HOP / 512
    edges = (0.4, 2, 3.2, 6, 10, 20)
    energies = [float(spectrum[(hertz >= a) & (hertz < b)].sum()) for a, b in zip(edges, edges[1:], strict=False)]
    total = sum(energies) + 1e-9
    unit = swing / (np.linalg.norm(swing, axis=0) + 1e-6)
    together = float((unit.sum(axis=1) ** 2).sum()) / BANDS**2  # mean correlation of the bands
    return [*(energy / total for energy in energies), float(swing.std()), together]


def _rhythm(bands: NDArray[np.float32]) -> list[float]:
    """Onsets: how strong and how regular (highest autocorrelation at lags of 0.2 to 1.5 s)."""
    import numpy as np

    onsets = np.maximum(np.diff(bands, axis=0), 0).mean(axis=1)
    onsets -= onsets.mean()
    wanted = np.fft.irfft(np.abs(np.fft.rfft(onsets, n=2 * len(onsets))) ** 2)[: len(onsets)]
    overlap = np.maximum(len(onsets) - np.arange(len(onsets)), len(onsets) / 4)
    regular = wanted / overlap / (wanted[0] / len(onsets) + 1e-9)
    lags = regular[12 : min(94, len(regular) - 1)]
    return [float(lags.max()) if len(lags) else 0.0, float(lags.std()) if len(lags) else 0.0, *_spread(onsets)[1:]]


def _pitch(samples: NDArray[np.float32]) -> list[float]:
    """Voicing and pitch between 70 and 1000 Hz: how often, how steady, how much on the steps of a scale."""
    import numpy as np

    frames = np.lib.stride_tricks.sliding_window_view(samples, 2 * FRAME)[:: 2 * HOP]
    window = np.hanning(2 * FRAME).astype(np.float32)
    spectrum = np.fft.rfft(frames * window, n=4 * FRAME, axis=1)
    own = np.fft.irfft(np.abs(np.fft.rfft(window, n=4 * FRAME)) ** 2)
    low, high = RATE // 1000, RATE // 70
    energy = spectrum.real**2 + spectrum.imag**2
    energy[:, : 90 * 4 * FRAME // RATE] = 0  # hum of the mains has a pitch too
    curve = np.fft.irfft(energy, axis=1)[:, : high + 1] / own[: high + 1]
    inside = (curve / (curve[:, :1] + 1e-6))[:, low:]
    left, middle, right = inside[:, :-2], inside[:, 1:-1], inside[:, 2:]
    lags = np.arange(low + 1, high)
    shorter = 0.06 * np.log2(lags / low)  # of equal peaks the first is the pitch
    best = np.where((middle > left) & (middle >= right), middle - shorter, 0).argmax(axis=1)
    row = np.arange(len(best))
    before, strength, after = left[row, best], middle[row, best], right[row, best]
    bend = 0.5 * (before - after) / np.minimum(before - 2 * strength + after, -1e-6)
    tone = 12 * np.log2(RATE / (best + 1 + low + np.clip(bend, -0.5, 0.5)) / 440)
    sounding = frames.std(axis=1) > 0.1
    voiced = (strength > 0.6) & sounding
    moves = np.abs(np.diff(tone))[voiced[1:] & voiced[:-1]]
    chosen = tone[voiced] if voiced.any() else np.zeros(1)
    return [
        float(voiced.mean()), *_spread(strength[sounding]), float((voiced[1:] != voiced[:-1]).mean()),
        float((moves < 0.1).mean()) if len(moves) else 0.0,
        float(((moves > 0.2) & (moves < 2)).mean()) if len(moves) else 0.0,
        float(np.median(chosen) / 12), float(chosen.std() / 12),
        float(abs(np.exp(2j * np.pi * chosen).mean())) if len(moves) > 3 else 0.0,
    ]  # fmt: skip


def _tones(power: NDArray[np.float32]) -> list[float]:
    """Partials in long frames: how tonal, how lasting, how much on one tuning, how peaked the chroma."""
    import numpy as np

    hertz = np.arange(power.shape[1]) * RATE / LONG
    part = power[:, (hertz > 80) & (hertz < 4000)]
    axis = hertz[(hertz > 80) & (hertz < 4000)]
    size = np.log(part + 1e-5)
    around = _smooth(size, 41)
    top = (size[:, 1:-1] > size[:, :-2]) & (size[:, 1:-1] >= size[:, 2:]) & (size[:, 1:-1] > around[:, 1:-1] + 2)
    top &= part[:, 1:-1] > 1e-3 * part.max()
    lasting = top[1:] & (top[:-1] | np.roll(top[:-1], 1, 1) | np.roll(top[:-1], -1, 1))
    left, middle, right = size[:, :-2], size[:, 1:-1], size[:, 2:]
    row, column = np.nonzero(top)
    bend = 0.5 * (left - right)[row, column] / np.minimum((left - 2 * middle + right)[row, column], -1e-6)
    place = axis[1:-1][column]
    pitch = 12 * np.log2((place + np.clip(bend, -0.5, 0.5) * RATE / LONG) / 440)
    weight = np.sqrt(part[:, 1:-1][row, column]) * (place > 200)  # below, a semitone is narrower than three bins
    tuned = np.abs((weight * np.exp(2j * np.pi * pitch)).sum()) / (weight.sum() + 1e-9)
    chroma = np.bincount(np.round(pitch).astype(int) % 12, weights=weight, minlength=12)
    mean = chroma / (chroma.sum() + 1e-9)
    unit = size - size.mean(axis=1, keepdims=True)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True) + 1e-6
    alike = (unit[:-2] * unit[2:]).sum(axis=1)
    share = (part[:, 1:-1] * top).sum(axis=1) / (part.sum(axis=1) + 1e-9)
    return [
        float(lasting.sum() / (top[1:].sum() + 1)), float(top.sum(axis=1).mean() / 20), *_spread(share),
        float(tuned), float(-(mean * np.log(mean + 1e-6)).sum()), float(np.sort(mean)[-3:].sum()),
        *_spread(alike),
    ]  # fmt: skip


def _smooth(values: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Running mean along the last axis."""
    import numpy as np

    padded = np.pad(values, ((0, 0), (width // 2 + 1, width // 2)), mode="edge").cumsum(axis=1, dtype=np.float64)
    return np.asarray((padded[:, width:] - padded[:, :-width]) / width, np.float32)


def _timbre(bands: NDArray[np.float32]) -> list[float]:
    """How much the shape of the spectrum (cepstrum of the bands) varies, at once and from frame to frame."""
    import numpy as np

    order = np.arange(1, 9)[:, None]
    basis = np.cos(np.pi * order * (np.arange(BANDS) + 0.5) / BANDS)
    loud = bands[bands.mean(axis=1) > np.percentile(bands.mean(axis=1), 95) - 7]
    cepstrum = loud @ basis.T / BANDS
    steps = np.abs(np.diff(cepstrum, axis=0)).mean(axis=0) if len(cepstrum) > 1 else np.zeros(len(order))
    return [*cepstrum.std(axis=0), *steps[:4]]
