"""Videos of cameras, discs and older programs: pictures, sound and length come out as they were put in."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, InputError, SilentInput
from transpose.formats.older_videos import read_older_video, read_sound_of_older_video
from transpose.media.audio import Audio
from transpose.media.frames import Shot
from transpose.media.mux import Codecs, Film, encode

KINDS = {
    ".mov": Codecs("mov", "libx264", "yuv420p", "aac"),
    ".avi": Codecs("avi", "mpeg4", "yuv420p", "mp2"),
    ".m4v": Codecs("mp4", "libx264", "yuv420p", "aac"),
    ".mpg": Codecs("mpeg", "mpeg2video", "yuv420p", "mp2"),
    ".ts": Codecs("mpegts", "libx264", "yuv420p", "aac"),
    ".flv": Codecs("flv", "flv", "yuv420p", "aac"),
    ".wmv": Codecs("asf", "wmv2", "yuv420p", "wmav2"),
    ".3gp": Codecs("3gp", "libx264", "yuv420p", "aac"),
}
COLOURS = ((200, 40, 40), (40, 180, 60), (50, 60, 200))


def written(path: Path, codecs: Codecs, sound: bool = True) -> Path:
    """Three seconds, a colour each, with a tone of 440 Hz that falls silent after two."""

    def shots() -> Iterator[Shot]:
        for colour in COLOURS:
            yield Shot(np.full((48, 64, 3), colour, np.uint8), 25)

    tone = 0.4 * np.sin(2 * np.pi * 440 * np.arange(3 * 44_100) / 44_100)
    tone[2 * 44_100 :] = 0
    audio = Audio.from_array(tone, 44_100)
    film = Film(64, 48, Fraction(25), shots())
    if sound:
        film = Film(64, 48, Fraction(25), shots(), audio.blocks(0.5), 44_100, 1, 96_000)
    encode(film, path, codecs)
    return path


@pytest.mark.parametrize("suffix", KINDS)
def test_pictures_and_sound(suffix: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"a{suffix}", KINDS[suffix])
    video = read_older_video(path, Context())
    assert (video.width, video.height) == (64, 48)
    assert abs(video.duration - 3) < 0.15
    frames = list(video.frames())
    for second, colour in enumerate(COLOURS):
        at = frames[int((second + 0.5) * video.fps)]
        assert np.abs(at.mean(axis=(0, 1)) - colour).max() < 25  # AVI, FLV and ASF do not tell the matrix of colours
    late = next(iter(video.part(int(2.5 * video.fps), video.length))).pixels
    assert np.abs(late.mean(axis=(0, 1)) - COLOURS[2]).max() < 25
    sound = read_sound_of_older_video(path, Context())
    assert abs(sound.duration - 3) < 0.2
    samples = sound.array(channels=1)[:, 0]
    loud = np.sqrt(np.mean(samples[: sound.rate] ** 2))
    assert 0.2 < loud < 0.4
    assert np.abs(samples[int(2.3 * sound.rate) : int(2.8 * sound.rate)]).max() < 0.02


def test_no_sound_no_pictures_no_bytes(tmp_path: Path) -> None:
    silent = written(tmp_path / "a.avi", KINDS[".avi"], sound=False)
    with pytest.raises(SilentInput, match="no sound"):
        read_sound_of_older_video(silent, Context())
    with av.open(str(tmp_path / "b.avi"), "w") as output:
        output.add_stream("mp2", rate=44_100)
    with pytest.raises(InputError):
        read_older_video(tmp_path / "b.avi", Context())
    (tmp_path / "c.avi").write_bytes(b"")
    for read in (read_older_video, read_sound_of_older_video):
        with pytest.raises(EmptyInput):
            read(tmp_path / "c.avi", Context())


@pytest.mark.parametrize("suffix", KINDS)
def test_damage_is_an_input_error(suffix: str, tmp_path: Path) -> None:
    data = written(tmp_path / f"a{suffix}", KINDS[suffix]).read_bytes()
    random = np.random.default_rng(1)
    path = tmp_path / f"b{suffix}"
    for part in (0.02, 0.3, 0.7):
        bad = bytearray(data[: int(len(data) * part)])
        for place in random.integers(0, len(bad), 20):
            bad[place] = int(random.integers(0, 256))
        path.write_bytes(bytes(bad))
        try:
            video = read_older_video(path, Context())
            assert sum(shot.frames for shot in video.shots()) == video.length
        except InputError:
            pass
