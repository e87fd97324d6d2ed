"""The handle on a sound: blocks, positions, rates, mixing, and its lossless store."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from transpose.core.errors import DamagedInput, EmptyInput, FolderInput, HugeInput, MissingInput
from transpose.media.audio import Audio, duration, load, save
from transpose.media.samples import encode

Samples = NDArray[np.float32]
SHAPES = st.tuples(st.integers(0, 300), st.integers(1, 9))


def sine(seconds: float, rate: int = 16_000, hertz: float = 440.0) -> Samples:
    """A tone at half of full scale, shape (n, 1)."""
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return wave.astype(np.float32)[:, None]


def joined(audio: Audio, start: float, stop: float | None = None, seconds: float = 0.7) -> Samples:
    """Blocks put together."""
    return np.concatenate(list(audio.blocks(seconds, start=start, stop=stop)))


@given(
    samples=SHAPES.flatmap(lambda shape: hnp.arrays(np.float32, shape)),
    rate=st.sampled_from([1, 8000, 11_025, 44_100, 48_000, 192_000]),
    title=st.text(max_size=20),
)
def test_store_keeps_every_bit(
    tmp_path_factory: pytest.TempPathFactory, samples: Samples, rate: int, title: str
) -> None:
    path = tmp_path_factory.mktemp("store") / "sound.wav"
    audio = Audio.from_array(samples, rate, {"title": title})
    save(audio, path)
    assert load(path) == audio
    assert load(path).length == len(samples)


def test_equality_sees_one_bit() -> None:
    samples = sine(1)
    other = samples.copy()
    other[-1] = np.nextafter(other[-1], np.float32(1))
    audio = Audio.from_array(samples, 16_000)
    assert audio == Audio.from_array(samples, 16_000)
    assert audio != Audio.from_array(other, 16_000)
    assert audio != Audio.from_array(samples, 16_001)
    assert audio != Audio.from_array(samples[:-1], 16_000)


@pytest.mark.parametrize("suffix", ["flac wav", "mp3 mp3", "libopus ogg", "aac mp4"])
def test_positions_in_files_are_exact(tmp_path: Path, suffix: str) -> None:
    codec, container = suffix.replace("wav", "flac").split()
    rate = 48_000
    path = tmp_path / "sound"
    noise = np.random.default_rng(0).standard_normal((20 * rate, 2), np.float32) / np.float32(10)
    encode([noise], path, rate=rate, codec={"mp3": "libmp3lame"}.get(codec, codec), container=container)
    audio = Audio.from_file(path)
    whole = audio.array()
    assert len(whole) == audio.length == len(noise)
    assert duration(path) == audio.duration == 20.0
    for start, stop in ((0.0, 0.3), (1.23456, 5.0), (7.0, 7.001), (13.3, None), (19.99, 40.0)):
        expected = whole[round(start * rate) : None if stop is None else round(stop * rate)]
        np.testing.assert_array_equal(joined(audio, start, stop), expected)


@given(n=st.integers(0, 3000), new=st.sampled_from([8000, 16_000, 22_050, 48_000]), seconds=st.floats(0.001, 0.5))
def test_resampled_length_is_exact(n: int, new: int, seconds: float) -> None:
    audio = Audio.from_array(np.zeros(n, np.float32), 44_100)
    blocks = list(audio.blocks(seconds, rate=new))
    assert sum(map(len, blocks)) == round(n * new / 44_100)
    assert len({len(block) for block in blocks[:-1]}) <= 1


def test_resampling_keeps_pitch_and_place() -> None:
    low = Audio.from_array(sine(1, 44_100), 44_100).array(rate=16_000)
    np.testing.assert_allclose(low[200:-200], sine(1, 16_000)[200:-200], atol=1e-3)


def test_mixing_is_never_louder() -> None:
    left, right = sine(0.1), sine(0.1, hertz=1000)
    stereo = Audio.from_array(np.concatenate([left, right], 1), 16_000)
    np.testing.assert_allclose(stereo.array(channels=1), (left + right) / 2, atol=1e-7)
    np.testing.assert_array_equal(Audio.from_array(left, 16_000).array(channels=2), np.repeat(left, 2, 1))
    assert np.abs(Audio.from_array(np.ones((9, 6), np.float32), 16_000).array(channels=2)).max() == 1


def test_long_sounds_are_never_an_array(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    rate, minutes = 16_000, 10
    tone = sine(1, rate)
    tracemalloc.start()
    audio = Audio.from_blocks((tone for _ in range(60 * minutes)), rate, path)
    count = sum(len(block) for block in audio.blocks(rate=8000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert audio.duration == 60 * minutes
    assert count == 60 * minutes * 8000
    assert peak < 8e6  # the whole is 38 MB
    with pytest.raises(HugeInput):
        Audio(48_000, 2, 3600.0, path).array()


def test_blocks_can_be_taken_again() -> None:
    audio = Audio.from_array(sine(3), 16_000)
    first, second = audio.blocks(1.0), audio.blocks(1.0)
    assert [len(block) for block in first] == [len(block) for block in second] == [16_000] * 3


def test_a_file_that_breaks_off_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    noise = np.random.default_rng(0).standard_normal((200_000, 1), np.float32) / np.float32(10)
    encode([noise], path, rate=16_000, codec="flac", container="flac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    audio = Audio.from_file(path)
    with pytest.raises(DamagedInput, match="breaks off"):
        audio.array()


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 50)
    for name, error in (("missing", MissingInput), ("", FolderInput), ("empty", EmptyInput), ("noise", DamagedInput)):
        with pytest.raises(error):
            Audio.from_file(tmp_path / name)
    for wrong in (np.zeros(5, np.int16), np.zeros((2, 2, 2), np.float32), np.zeros((5, 0), np.float32)):
        with pytest.raises(ValueError, match="samples|channels"):
            Audio.from_array(wrong, 16_000)  # type: ignore[arg-type]


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    save(Audio.from_array(sine(1), 16_000), tmp_path / "secret.wav")
    for text in ("#EXTM3U\n#EXTINF:1,\nsecret.wav\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile secret.wav\n"):
        (tmp_path / "list.wav").write_text(text)
        with pytest.raises(DamagedInput):
            Audio.from_file(tmp_path / "list.wav")
