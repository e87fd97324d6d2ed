"""Score of `spectrogram` and its inverse: log-spectral distance after there and back, on real speech and music."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transpose.core.context import Context
from transpose.media.audio import Audio
from transpose.media.spectrogram import stft
from transpose.transforms.sound_from_spectrogram import sound_from_spectrogram
from transpose.transforms.spectrogram import spectrogram

RATE, SECONDS = 22_050, 10.0
# what comes with the project, or a folder with more (recipes/probe_audio_clips.py names the Debian packages)
MORE = os.environ.get("TRANSPOSE_SOUNDS")
DATA = Path(MORE) if MORE else Path(__file__).parents[2] / "examples"
CLIPS = ("pocketsphinx-testdata/**/librivox/*.wav", "**/Data/Music/[A-G]*.ogg") if MORE else ("[tv]*.wav", "song.wav")


def distance(first: NDArray[np.float32], second: NDArray[np.float32], floor: float = 60.0) -> float:
    """Log-spectral distance in dB of two sounds (n,), bins under `floor` dB below the loudest counted as equal."""
    ours, theirs = (np.abs(stft(wave, 1024, 256))[:, :512] for wave in (first, second))
    least = ours.max() * 10 ** (-floor / 20)
    difference = 20 * np.log10(np.maximum(ours, least) / np.maximum(theirs, least))
    return float(np.sqrt((difference**2).mean(axis=1)).mean())


def measure(ctx: Context) -> dict[str, float]:
    """Distances with floors of 60 and 80 dB for speech and music, and seconds per minute of each way."""
    results: dict[str, list[float]] = {"speech_60": [], "speech_80": [], "music_60": [], "music_80": []}
    drawing = finding = heard = 0.0
    for name, pattern in zip(("speech", "music"), CLIPS, strict=True):
        for path in sorted(DATA.glob(pattern))[:8]:
            blocks = list(Audio.from_file(path).blocks(rate=RATE, channels=1, stop=SECONDS))
            wave = np.concatenate(blocks)[:, 0]
            began = time.perf_counter()
            image = spectrogram(Audio.from_array(wave, RATE), ctx)
            drawn = time.perf_counter()
            back = sound_from_spectrogram(image, ctx).array()[:, 0]
            finding += time.perf_counter() - drawn
            drawing += drawn - began
            heard += len(wave) / RATE / 60
            for floor in (60, 80):
                results[f"{name}_{floor}"].append(distance(wave, back, floor))
    means = {name: float(np.mean(values)) for name, values in results.items()}
    return {
        **means,
        "draw": drawing / heard,
        "find": finding / heard,
        "clips": float(len(results["speech_60"] + results["music_60"])),
    }


def score(ctx: Context) -> dict[str, object]:
    """Of drawing; the way back is measured with it."""
    found = measure(ctx)
    worst = max(found["speech_60"], found["music_60"])
    return {
        "metric": "log-spectral distance in dB after there and back (32 rounds), bins to -60 dB",
        "value": round(worst, 2),
        "quality": round(max(0.0, 1 - worst / 10), 2),  # 10 dB: only the rough shape is left
        "data": f"{found['clips']:.0f} clips of up to 10 s: speech {found['speech_60']:.2f} dB, music "
        f"{found['music_60']:.2f} dB (with bins to -80 dB {found['speech_80']:.2f} and {found['music_80']:.2f})",
        "date": "2026-11-21",
        "seconds": round(found["draw"], 3),
        "unit": "minute of sound",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
