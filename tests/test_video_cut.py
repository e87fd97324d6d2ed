"""Parts of videos and sounds: exact ends, captions moved along, only the part decoded."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, OptionError
from transpose.formats.video_files import write_video
from transpose.media import frames as track
from transpose.media.audio import Audio
from transpose.media.frames import Shot
from transpose.media.text import Cue
from transpose.media.video import Video, load, save
from transpose.transforms.cut import _seconds, cut_music, cut_sound, cut_speech, cut_video


def counting(seconds: int = 8, fps: int = 10) -> Video:
    """Frame number n has the grey level 20 + 2 n; the sound is a ramp."""

    def shots() -> Iterator[Shot]:
        for number in range(seconds * fps):
            yield Shot(np.full((36, 64, 3), 20 + 2 * number, np.uint8), 1)

    ramp = Audio.from_array(np.linspace(-0.9, 0.9, seconds * 16_000, dtype=np.float32), 16_000)
    cues = (Cue(0, 1, "first"), Cue(2.5, 4, "second"), Cue(6, 7, "third"))
    return Video(64, 36, Fraction(fps), seconds * fps, shots, ramp, cues, "en")


def levels(video: Video) -> list[float]:
    return [round((float(frame.mean()) - 20) / 2, 1) for frame in video.frames()]


def test_pictures_sound_and_captions_are_cut_together() -> None:
    part = cut_video(counting(), Context(), start="3", end="6.5")
    assert levels(part) == list(range(30, 65))
    assert part.cues == (Cue(0, 1, "second"), Cue(3, 3.5, "third"))
    assert part.lang == "en"
    assert part.audio is not None
    assert part.audio.duration == part.duration == 3.5
    whole = counting().audio
    assert whole is not None
    assert np.array_equal(part.audio.array(), whole.array()[48_000:104_000])
    again = cut_video(part, Context(), start="1", end="2")
    assert levels(again) == list(range(40, 50))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_a_part_of_a_file_is_the_part_that_is_decoded_whole(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a{suffix}"
    write_video(counting(25, 4), path, Context(threads=1))
    video = Video.from_file(path)
    whole = list(video.frames())
    part = list(cut_video(video, Context(), start="20", end="22").frames())
    assert len(part) == 8
    assert all(np.array_equal(one, other) for one, other in zip(part, whole[80:88], strict=True))
    for first in (0, 1, 9, 50, 99):
        assert np.array_equal(next(iter(track.decode(path, video.fps, video.length, first))).pixels, whole[first])


def test_the_store_is_entered_in_the_middle_too(tmp_path: Path) -> None:
    still = np.full((8, 8, 3), 9, np.uint8)
    shots = [Shot(still, 200), Shot(still + 1, 100), Shot(still + 2, 300)]
    save(Video(8, 8, Fraction(10), 600, lambda: shots, None, (), "fr"), tmp_path / "a.avi")
    back = load(tmp_path / "a.avi")
    assert back.lang == "fr"
    for first in (0, 30, 199, 200, 299, 300, 599):
        assert next(iter(back.part(first, first + 1))).pixels[0, 0, 0] == 9 + (first >= 200) + (first >= 300)
    assert sum(shot.frames for shot in back.part(150, 350)) == 200


def test_a_sound_is_cut_to_the_sample(tmp_path: Path) -> None:
    sound = Audio.from_array(np.arange(80_000, dtype=np.float32) / 80_000, 8000, {"title": "a"})
    part = cut_sound(sound, Context(), start="0:02.5", end="-1")
    assert part.length == 52_000
    assert part.meta == {"title": "a"}
    assert part.array()[0, 0] == sound.array()[20_000, 0]
    for same in (cut_speech, cut_music):
        assert same(sound, Context(), start="0:02.5", end="-1") == part
    long = Audio.from_array(np.zeros(800_000, np.float32), 8000)
    assert cut_sound(long, Context(folder=tmp_path), start="5").length == 760_000


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1:30", 90), ("0:01:30.5", 90.5), ("-10", 110), (".5", 0.5), ("-999", 0)]
)
def test_times(text: str, seconds: float) -> None:
    assert _seconds("start", text, 120) == seconds


@pytest.mark.parametrize("text", ["", "soon", "1:", ":5", "1:2:3:4", "1e5", "nan", "--5", "5s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="no time"):
        cut_video(counting(), Context(), start=text)


def test_nothing_between_is_refused_and_a_moment_is_a_frame() -> None:
    for start, end in (("9", ""), ("5", "5"), ("5", "3")):
        with pytest.raises(EmptyInput, match="nothing lies"):
            cut_video(counting(), Context(), start=start, end=end)
    assert cut_video(counting(), Context(), start="5", end="5.01").length == 1
    assert cut_video(counting(), Context(), start="7.99").length == 1
    assert cut_video(counting(), Context(), end="99").length == 80


def test_a_sound_that_ends_early_is_cut_short() -> None:
    video = counting()
    short = Video(64, 36, video.fps, video.length, video.source, Audio.from_array(np.zeros(8000, np.float32), 8000))
    part = cut_video(short, Context(), start="3", end="4")
    assert part.audio is not None
    assert part.audio.length == 0
