"""The picture of a sound and the way back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, EmptyInput, HugeInput
from transpose.media.audio import Audio
from transpose.media.image import Image
from transpose.media.spectrogram import TAG, istft, parameters, stft
from transpose.transforms.sound_from_spectrogram import sound_from_spectrogram
from transpose.transforms.spectrogram import spectrogram

RATE = 22_050


def glide(seconds: float = 3.0) -> NDArray[np.float32]:
    """A tone that rises from 300 Hz to 3 kHz, with a partial and a few syllable-like pauses."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(np.geomspace(300, 3000, len(time))) / RATE
    wave = 0.3 * np.sin(phase) + 0.1 * np.sin(2 * phase)
    return (wave * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time))).astype(np.float32)


def spectral_distance(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Log-spectral distance in dB, down to 60 dB under the loudest bin."""
    ours, theirs = (np.abs(stft(wave, 1024, 256)) for wave in (first, second))
    floor = ours.max() / 1000
    difference = 20 * np.log10(np.maximum(ours, floor) / np.maximum(theirs, floor))
    return float(np.sqrt((difference**2).mean(axis=1)).mean())


def test_stft_comes_back() -> None:
    wave = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
    for window, hop in ((1024, 256), (512, 128), (256, 128), (1024, 400)):
        np.testing.assert_allclose(istft(stft(wave, window, hop), window, hop, 5000)[:4800], wave[:4800], atol=1e-4)


def test_low_frequencies_are_at_the_bottom() -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    image = spectrogram(Audio.from_array(tone, RATE), Context())
    assert image.pixels.shape == (512, 1 + RATE // 256, 1)
    row = int(image.pixels[:, 40, 0].argmax())
    assert row == 511 - round(1000 / (RATE / 1024))
    assert image.pixels.max() == 255


def test_there_and_back() -> None:
    wave = glide()
    image = spectrogram(Audio.from_array(wave, RATE), Context())
    back = sound_from_spectrogram(image, Context())
    assert (back.rate, back.channels, back.length) == (RATE, 1, len(wave))
    found = back.array()[:, 0]
    assert spectral_distance(wave, found) < 1.5
    assert found.std() == pytest.approx(wave.std(), rel=0.1)  # loudness comes back too
    noise = np.random.default_rng(0).standard_normal(len(wave)).astype(np.float32) * wave.std()
    assert spectral_distance(wave, noise) > 10  # the measure can fail
    assert sound_from_spectrogram(image, Context()) == back
    assert sound_from_spectrogram(image, Context(seed=1)) != back


def test_colour_and_transparency_do_not_matter() -> None:
    image = spectrogram(Audio.from_array(glide(1), RATE), Context())
    opaque = np.full_like(image.pixels, 255)
    for pixels in (np.repeat(image.pixels, 3, 2), np.concatenate([np.repeat(image.pixels, 3, 2), opaque], 2)):
        assert sound_from_spectrogram(Image(pixels, image.meta), Context()) == sound_from_spectrogram(image, Context())


def test_silence_stays_silent() -> None:
    image = spectrogram(Audio.from_array(np.zeros(9000, np.float32), 16_000), Context())
    assert not image.pixels.any()
    back = sound_from_spectrogram(image, Context()).array()
    assert len(back) == round(9000 * RATE / 16_000)
    assert not back.any()


def test_limits() -> None:
    with pytest.raises(EmptyInput):
        spectrogram(Audio.from_array(np.zeros(0, np.float32), RATE), Context())
    with pytest.raises(HugeInput, match="wider"):
        spectrogram(Audio(44_100, 2, 7200.0, Path("never opened")), Context())


@pytest.mark.parametrize(
    "change",
    [
        {"rate": 10**9},
        {"rate": 22_050.5},
        {"rate": True},
        {"window": 1000},
        {"window": 2**30},
        {"hop": 0},
        {"hop": -256},
        {"hop": 10},
        {"power": 0},
        {"power": float("nan")},
        {"power": "x"},
        {"peak": -1},
        {"peak": float("inf")},
        {"peak": 1e30},
        {"samples": 0},
        {"samples": 2**62},
        {"samples": 30_000},
        {"version": 2},
        {"extra": 1},
        {"peak": None},
    ],
)
def test_impossible_tags_are_refused(change: dict[str, object]) -> None:
    image = spectrogram(Audio.from_array(glide(1), RATE), Context())
    tag = {**json.loads(str(image.meta[TAG])), **change}
    with pytest.raises(DamagedInput):
        parameters(Image(image.pixels, {TAG: json.dumps(tag)}))


def test_foreign_pictures_are_refused() -> None:
    image = spectrogram(Audio.from_array(glide(1), RATE), Context())
    for meta in ({}, {TAG: ""}, {TAG: "[]"}, {TAG: "{"}, {TAG: "[" * 100_000}, {TAG: b"bytes"}):
        with pytest.raises(DamagedInput):
            sound_from_spectrogram(Image(image.pixels, meta), Context())
    with pytest.raises(DamagedInput, match="resize"):
        sound_from_spectrogram(Image(image.pixels[:, :-5], image.meta), Context())
