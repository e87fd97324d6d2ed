"""The probe of sounds, on sounds made here; recordings are measured by recipes/probe_audio.py."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from transpose.core.context import Context
from transpose.core.errors import DamagedInput
from transpose.formats.sound import write_sound
from transpose.media.audio import Audio, save
from transpose.media.probe_audio import KINDS, RATE, judge, measures, probe

Wave = NDArray[np.floating]
RNG = np.random.default_rng(7)


def melody(seconds: float = 20) -> Wave:
    """A tune on a scale: notes with partials and a decay."""
    rng = np.random.default_rng(3)
    parts: list[Wave] = []
    while sum(len(part) for part in parts) < seconds * RATE:
        at = np.arange(int(float(rng.choice([0.25, 0.25, 0.5])) * RATE)) / RATE
        pitch = 262 * 2 ** (float(rng.choice([0, 2, 4, 5, 7, 9, 11, 12])) / 12)
        partials = np.arange(1, 5)[:, None]
        tone = (np.sin(2 * np.pi * pitch * partials * at) / partials**1.5).sum(axis=0)
        parts.append(tone * np.exp(-3 * at))
    return 0.2 * np.concatenate(parts)


def noise(seconds: float = 10) -> Wave:
    """White noise."""
    return RNG.standard_normal(int(seconds * RATE)) / 10


def beeps(seconds: float = 10) -> Wave:
    """An alarm."""
    at = np.arange(int(seconds * RATE)) / RATE
    return 0.3 * np.sin(2 * np.pi * 1000 * at) * (at % 0.5 < 0.2)


def judged(wave: Wave, rate: int = RATE) -> dict[str, float]:
    """Probabilities of a wave."""
    return judge(Audio.from_array(wave.astype(np.float32), rate))


def test_probabilities_add_up() -> None:
    for wave in (melody(3), noise(1), beeps(2), np.zeros(RATE), np.ones(RATE)):
        found = judged(wave)
        assert tuple(found) == KINDS
        assert sum(found.values()) == pytest.approx(1)
        assert min(found.values()) >= 0


@pytest.mark.parametrize(("make", "kind"), [(melody, "audio.music"), (noise, "audio.other"), (beeps, "audio.other")])
def test_plain_cases(make: object, kind: str) -> None:
    found = judged(make())  # type: ignore[operator]
    assert max(found, key=lambda name: found[name]) == kind
    wrong = max(value for name, value in found.items() if name != kind)
    assert wrong < 0.5


def test_silence_and_nothing() -> None:
    assert judged(np.zeros(5 * RATE))["audio.other"] > 0.9
    assert judged(noise(5) * 1e-5)["audio.other"] > 0.9
    assert max(judged(np.zeros(0)).values()) < 0.5
    assert max(judged(melody(1)[: RATE // 5]).values()) < 0.5


def test_loudness_and_rate_do_not_matter() -> None:
    wave = melody()
    usual = judged(wave)
    assert judged(wave / 50)["audio.music"] == pytest.approx(usual["audio.music"], abs=0.02)
    doubled = Audio.from_array(np.repeat(wave, 2).astype(np.float32), 2 * RATE)
    assert judge(doubled)["audio.music"] == pytest.approx(usual["audio.music"], abs=0.25)


def test_measures_are_finite_for_any_sound() -> None:
    spike = np.zeros(RATE, np.float32)
    spike[500] = 1
    strange = [np.zeros(RATE, np.float32), spike, np.ones(7000, np.float32), np.full(7000, 1e30, np.float32)]
    lengths = {len(measures(wave)) for wave in strange if np.isfinite(measures(wave)).all()}
    assert len(lengths) == 1


def test_a_mixture_of_kinds_is_unsure() -> None:
    found = judged(np.concatenate([melody(20), noise(20)]))
    assert max(found.values()) < 0.9


def test_files_quickly(tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    wave = np.tile(melody(20), 3)[: 60 * RATE].astype(np.float32)
    write_sound(Audio.from_array(wave, RATE), path, Context())
    probe(path, Context())
    began = time.process_time()
    found = probe(path, Context())
    assert time.process_time() - began < 2  # 0.4 s on a quiet machine
    assert found["audio.music"] > 0.5


def test_only_a_part_of_a_long_sound_is_read() -> None:
    class Counting(Audio):
        seconds = 0.0

        def blocks(self, *args: object, **span: object) -> object:  # type: ignore[override]
            start, stop = span["start"], span["stop"]
            Counting.seconds += stop - start  # type: ignore[operator]
            return super().blocks(**span)  # type: ignore[arg-type]

    tune = melody(300).astype(np.float32)[:, None]
    judge(Counting(RATE, 1, len(tune) / RATE, tune))
    assert 30 < Counting.seconds <= 60


def test_no_sound_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(b"no sound at all" * 20)
    with pytest.raises(DamagedInput):
        probe(tmp_path / "x.wav", Context())


@pytest.mark.models
@pytest.mark.parametrize("voice", ["auto", "am_michael", "jf_nezumi"])
def test_a_spoken_text(models_ctx: Context, tmp_path: Path, voice: str) -> None:
    from transpose.media.text import Text
    from transpose.transforms.speak import speak

    sentence = "Good evening. Here is the weather: tomorrow will be dry and sunny, with a little wind from the west."
    spoken = speak(Text(sentence, lang="en"), models_ctx, voice=voice)
    save(spoken, tmp_path / "x.wav")
    assert probe(tmp_path / "x.wav", models_ctx)["audio.speech"] > 0.6  # a single sentence: not always sure
    tune = np.resize(melody(), spoken.array(rate=RATE).shape)
    mixed = spoken.array(rate=RATE) + tune * (spoken.array().std() / tune.std())
    assert max(judged(mixed[:, 0]).values()) < 0.9
