"""Sounds that are neither speech nor music, made from nothing: noises, signals, machines, weather."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from transpose.media.probe_audio import RATE

Wave = NDArray[np.float64]
Maker = Callable[[np.random.Generator, float], Wave]


def coloured(rng: np.random.Generator, seconds: float, slope: float, low: float = 20, high: float = 8000) -> Wave:
    """Noise whose amplitude falls with frequency ** slope, between `low` and `high` Hz, at RMS 0.1."""
    count = int(seconds * RATE)
    hertz = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 1)
    spectrum = np.fft.rfft(rng.standard_normal(count)) * hertz**-slope * ((hertz > low) & (hertz < high))
    wave = np.fft.irfft(spectrum, count)
    return np.asarray(0.1 * wave / (wave.std() + 1e-12))


def _time(seconds: float) -> Wave:
    return np.arange(int(seconds * RATE)) / RATE


def _slow(rng: np.random.Generator, seconds: float, hertz: float) -> Wave:
    """A random curve between 0 and 1 that changes about `hertz` times a second."""
    points = rng.random(max(4, int(seconds * hertz) + 2))
    return np.interp(np.linspace(0, len(points) - 1, int(seconds * RATE)), np.arange(len(points)), points)


def _noise(rng: np.random.Generator, seconds: float) -> Wave:
    return coloured(rng, seconds, float(rng.choice([0, 0, 0.5, 1])))


def _band_noise(rng: np.random.Generator, seconds: float) -> Wave:
    low = rng.uniform(100, 3000)
    return coloured(rng, seconds, 0, low, low * rng.uniform(1.2, 3))


def _tone(rng: np.random.Generator, seconds: float) -> Wave:
    return 0.2 * np.sin(2 * np.pi * rng.uniform(80, 5000) * _time(seconds))


def _hum(rng: np.random.Generator, seconds: float) -> Wave:
    base, time = float(rng.choice([50, 60, 100])) * rng.uniform(0.99, 1.01), _time(seconds)
    wave = sum(rng.uniform(0, 1) / k * np.sin(2 * np.pi * base * k * time) for k in range(1, 12))
    return 0.1 * wave + coloured(rng, seconds, 0.5) * rng.uniform(0, 0.3)


def _clicks(rng: np.random.Generator, seconds: float) -> Wave:
    wave = np.zeros(int(seconds * RATE))
    wave[rng.integers(0, len(wave), int(seconds * rng.uniform(1, 30)))] = rng.uniform(0.2, 0.9)
    return np.convolve(wave, np.exp(-np.arange(200) / rng.uniform(3, 60)), "same")


def _rain(rng: np.random.Generator, seconds: float) -> Wave:
    drops = np.zeros(int(seconds * RATE))
    places = rng.integers(0, len(drops), int(seconds * rng.uniform(50, 800)))
    drops[places] = rng.standard_normal(len(places)) * 0.3
    tail = np.exp(-np.arange(300) / 40) * np.sin(2 * np.pi * rng.uniform(1500, 5000) * np.arange(300) / RATE)
    return np.convolve(drops, tail, "same") + 0.4 * coloured(rng, seconds, 0.3)


def _wind(rng: np.random.Generator, seconds: float) -> Wave:
    return coloured(rng, seconds, 1, 30, 1500) * (0.2 + _slow(rng, seconds, rng.uniform(0.3, 1.5)))


def _sea(rng: np.random.Generator, seconds: float) -> Wave:
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * _time(seconds) / rng.uniform(4, 9) + rng.uniform(0, 6))
    return coloured(rng, seconds, 0.4) * swell**2


def _siren(rng: np.random.Generator, seconds: float) -> Wave:
    sweep = np.sin(2 * np.pi * _time(seconds) * rng.uniform(0.2, 4))
    pitch = rng.uniform(500, 1500) * 2 ** (rng.uniform(0.1, 0.6) * (np.sign(sweep) if rng.random() < 0.4 else sweep))
    return 0.2 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)


def _beeps(rng: np.random.Generator, seconds: float) -> Wave:
    time, period = _time(seconds), rng.uniform(0.15, 1.5)
    wave = np.sin(2 * np.pi * rng.uniform(400, 4000) * time)
    return 0.2 * (np.sign(wave) if rng.random() < 0.3 else wave) * (time % period < period * rng.uniform(0.2, 0.6))


def _dial(rng: np.random.Generator, seconds: float) -> Wave:
    time = _time(seconds)
    rows, columns = (697, 770, 852, 941), (1209, 1336, 1477)
    step = int(rng.uniform(0.1, 0.3) * RATE)
    keys = np.repeat(rng.integers(0, 12, len(time) // step + 1), step)[: len(time)]
    high, low = np.array(rows)[keys // 3], np.array(columns)[keys % 3]
    return (
        0.1
        * (np.sin(2 * np.pi * high * time) + np.sin(2 * np.pi * low * time))
        * (np.arange(len(time)) % step < step * 0.6)
    )


def _sweep(rng: np.random.Generator, seconds: float) -> Wave:
    pitch = np.geomspace(rng.uniform(50, 300), rng.uniform(2000, 7500), int(seconds * RATE))[
        :: int(rng.choice([-1, 1]))
    ]
    return 0.2 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)


def _engine(rng: np.random.Generator, seconds: float) -> Wave:
    pitch = rng.uniform(25, 90) * (1 + 0.5 * _slow(rng, seconds, 0.5))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    wave = sum(rng.uniform(0.2, 1) / k * np.sin(k * phase + rng.uniform(0, 6)) for k in range(1, 20))
    return 0.08 * wave + coloured(rng, seconds, 0.7) * rng.uniform(0.1, 0.8)


def _footsteps(rng: np.random.Generator, seconds: float) -> Wave:
    wave, step = coloured(rng, seconds, 0.6), int(rng.uniform(0.35, 0.8) * RATE)
    hit = np.exp(-(np.arange(len(wave)) % step) / RATE * rng.uniform(15, 60))
    return wave * hit * 3 + 0.02 * coloured(rng, seconds, 1)


def _applause(rng: np.random.Generator, seconds: float) -> Wave:
    wave = np.zeros(int(seconds * RATE))
    for place in rng.integers(0, max(1, len(wave) - 400), int(seconds * rng.uniform(40, 200))):
        wave[place : place + 400] += rng.uniform(0.1, 0.5) * rng.standard_normal(400) * np.exp(-np.arange(400) / 80)
    return 0.3 * wave


def _chirps(rng: np.random.Generator, seconds: float) -> Wave:
    """Birds: short glides between 2 and 6 kHz in bursts."""
    wave = 0.005 * coloured(rng, seconds, 0.5) / 0.1
    for _ in range(int(seconds * rng.uniform(1, 5))):
        count = int(rng.uniform(0.04, 0.2) * RATE)
        place = int(rng.integers(0, max(1, len(wave) - count)))
        pitch = np.linspace(rng.uniform(2000, 6000), rng.uniform(2000, 6000), count)
        wave[place : place + count] += (0.2 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE) * np.hanning(count))[
            : len(wave) - place
        ]
    return wave


def _faint(rng: np.random.Generator, seconds: float) -> Wave:
    return coloured(rng, seconds, 0) * 10 ** rng.uniform(-3.5, -1.5)


def _swinging(rng: np.random.Generator, seconds: float) -> Wave:
    """Noise that swings as fast as syllables do: no speech all the same."""
    time = _time(seconds)
    return coloured(rng, seconds, 0.5) * (1 + 0.9 * np.sin(2 * np.pi * rng.uniform(3, 6) * time)) / 2


def _buzz(rng: np.random.Generator, seconds: float) -> Wave:
    """A saw tooth with interruptions."""
    time = _time(seconds)
    return 0.15 * (2 * (time * rng.uniform(90, 400) % 1) - 1) * (_slow(rng, seconds, 3) > rng.uniform(0, 0.6))


NOISES: dict[str, Maker] = {
    "noise": _noise, "band noise": _band_noise, "tone": _tone, "hum": _hum, "clicks": _clicks, "rain": _rain,
    "wind": _wind, "sea": _sea, "siren": _siren, "beeps": _beeps, "dial tones": _dial, "sweep": _sweep,
    "engine": _engine, "footsteps": _footsteps, "applause": _applause, "birds": _chirps, "faint noise": _faint,
    "swinging noise": _swinging, "buzz": _buzz,
}  # fmt: skip
HELD_OUT = frozenset({"sea", "applause", "dial tones", "buzz"})  # kinds of which nothing is learned
