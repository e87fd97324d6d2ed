"""Videos: the lossless store, files of every kind we write, and files that are not what they should be."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from transpose.core.context import Context
from transpose.core.errors import (
    DamagedInput,
    EmptyInput,
    InputError,
    MislabelledInput,
    MissingInput,
    OutputError,
    SilentInput,
)
from transpose.formats.video_files import read_video, write_video
from transpose.media.audio import Audio
from transpose.media.frames import Shot
from transpose.media.mux import spans
from transpose.media.text import Cue, Word
from transpose.media.video import Video, load, save

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm")
CUES = (Cue(0.5, 1.0, "one & <two>"), Cue(1.25, 2.5, "zwei: Grüße\nin two lines"))


def colours(count: int, width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """Frames of one colour each, shape (count, height, width, 3)."""
    values = np.array(
        [(40 + 160 * n // max(1, count - 1), 90, 220 - 150 * n // max(1, count - 1)) for n in range(count)]
    )
    return np.broadcast_to(values[:, None, None, :], (count, height, width, 3)).astype(np.uint8)


def tone(seconds: float, rate: int = 16_000, channels: int = 1) -> Audio:
    """A sine of 440 Hz."""
    times = np.arange(round(seconds * rate)) / rate
    return Audio.from_array(np.repeat(np.sin(2760 * times)[:, None] * 0.3, channels, 1), rate)


def film(seconds: int = 3, fps: int = 10) -> Video:
    """A short video with sound and captions."""
    return Video.from_array(colours(seconds * fps), fps, tone(seconds), CUES)


words = st.builds(Word, st.floats(0, 9), st.floats(0, 9), st.text(max_size=3), st.floats(0, 1))
cues = st.builds(Cue, st.floats(0, 9), st.floats(0, 9), st.text(max_size=9), st.lists(words, max_size=2).map(tuple))
rates = st.sampled_from([Fraction(10), Fraction(30000, 1001), Fraction(1, 7), Fraction(240), Fraction(12345, 678)])


@st.composite
def videos(draw: st.DrawFn) -> Video:
    """Small videos of noise, with shots of several lengths, any sound and any cues."""
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    counts = draw(st.lists(st.integers(1, 60), min_size=1, max_size=4))
    noise = np.random.default_rng(draw(st.integers(0, 99)))
    shots = [Shot(noise.integers(0, 256, (height, width, 3), np.uint8), count) for count in counts]
    shape = draw(st.one_of(st.none(), st.tuples(st.integers(0, 3000), st.integers(1, 3))))
    sound = None
    if shape is not None:
        sound = Audio.from_array(noise.normal(size=shape).astype(np.float32), draw(st.sampled_from([8000, 44100])))
    fps, said = draw(rates), tuple(draw(st.lists(cues, max_size=2)))
    return Video(width, height, fps, sum(counts), lambda: iter(shots), sound, said)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(video=videos())
def test_the_store_gives_back_every_frame_clock_sample_and_cue(video: Video, tmp_path: Path) -> None:
    save(video, tmp_path / "v.avi")
    assert load(tmp_path / "v.avi") == video


def test_two_videos_differ_in_one_pixel_one_frame_one_cue_or_one_sample() -> None:
    pixels, video = colours(4), Video.from_array(colours(4), 10, tone(0.4), CUES)
    pixels[2, 3, 4, 1] += 1
    sound = video.audio
    assert video == Video.from_array(colours(4), 10, sound, CUES)
    assert video != Video.from_array(pixels, 10, sound, CUES)
    assert video != Video.from_array(colours(4)[:3], 10, sound, CUES)
    assert video != Video.from_array(colours(4), 11, sound, CUES)
    assert video != Video.from_array(colours(4), 10, sound, CUES[:1])
    assert video != Video.from_array(colours(4), 10, tone(0.401), CUES)


def test_a_shot_of_two_hours_is_stored_in_a_few_frames(tmp_path: Path) -> None:
    still = colours(1)[0]
    video = Video(64, 48, Fraction(10), 72_000, lambda: iter([Shot(still, 72_000)]))
    save(video, tmp_path / "v.avi")
    assert (tmp_path / "v.avi").stat().st_size < 3_000_000
    back = load(tmp_path / "v.avi")
    assert back.length == 72_000
    assert sum(shot.frames for shot in back.shots()) == 72_000


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_written_file_has_the_pictures_sound_captions_and_history(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"v{suffix}"
    write_video(film(), path, Context(history='{"steps": ["a", "b"]}', threads=1))
    back = read_video(path, Context())
    assert (back.width, back.height, back.fps, back.length) == (64, 48, 10, 30)
    assert back.cues == CUES
    worst = max(np.abs(a.astype(int) - b).mean() for a, b in zip(film().frames(), back.frames(), strict=True))
    assert worst < 4
    assert back.audio is not None
    assert abs(back.audio.duration - 3) < 0.1
    heard, said = back.audio.array(rate=16_000)[:, 0], tone(3).array()[:, 0]
    shared = min(len(heard), len(said))
    assert np.corrcoef(heard[:shared], said[:shared])[0, 1] > 0.99  # also tells that the sound is not late
    with av.open(str(path)) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
    assert tags["comment"] == '{"steps": ["a", "b"]}'


def test_a_crf_that_is_worse_gives_a_smaller_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (10, 64, 64, 3), np.uint8)
    for crf in (18, 40):
        write_video(Video.from_array(noise, 10), tmp_path / f"{crf}.mp4", Context(threads=1), crf=crf)
    assert (tmp_path / "40.mp4").stat().st_size < (tmp_path / "18.mp4").stat().st_size / 2


def test_an_odd_size_is_made_even_and_an_empty_history_leaves_no_comment(tmp_path: Path) -> None:
    write_video(Video.from_array(colours(5, 33, 17), 5), tmp_path / "v.mp4", Context(threads=1))
    back = Video.from_file(tmp_path / "v.mp4")
    assert (back.width, back.height, back.audio, back.cues) == (34, 18, None, ())
    with av.open(str(tmp_path / "v.mp4")) as container:
        assert "comment" not in container.metadata


def test_many_channels_are_mixed_with_a_warning(tmp_path: Path) -> None:
    ctx = Context(threads=1)
    write_video(Video.from_array(colours(5), 5, tone(1, 22_000, 6)), tmp_path / "v.mp4", ctx)
    back = Video.from_file(tmp_path / "v.mp4").audio
    assert back is not None
    assert (back.channels, back.rate) == (2, 22_050)
    assert ctx.warnings == ["the 6 channels of the sound were mixed to stereo"]


def test_the_index_lies_in_front_and_no_clock_time_is_inside(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        write_video(film(), tmp_path / name, Context(threads=1))
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert data == (tmp_path / "b.mp4").read_bytes()


def test_a_turned_video_comes_upright(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    pixels = colours(3)
    pixels[:, :24, :, :] = 255  # the upper half white
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.set_display_rotation(90)  # counter-clockwise: what is above goes to the left
        for number, each in enumerate(pixels):
            frame = av.VideoFrame.from_ndarray(each)
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    back = Video.from_file(path)
    head = next(back.frames())
    assert (back.width, back.height) == (48, 64)
    assert head[:, :20].mean() > 240
    assert head[:, 30:].mean() < 200


def test_broken_files_say_so(tmp_path: Path) -> None:
    write_video(film(), tmp_path / "good.mp4", Context(threads=1))
    data = (tmp_path / "good.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) * 2 // 3])
    (tmp_path / "head.mp4").write_bytes(data[:100])
    (tmp_path / "text.mp4").write_text("this is no video at all\n" * 20)
    (tmp_path / "empty.mp4").write_bytes(b"")
    expected: dict[str, type[InputError]] = {
        "cut.mp4": DamagedInput,
        "head.mp4": DamagedInput,
        "text.mp4": MislabelledInput,
        "empty.mp4": EmptyInput,
        "none.mp4": MissingInput,
    }
    for name, kind in expected.items():
        with pytest.raises(kind, match=name):
            list(Video.from_file(tmp_path / name).shots())


def test_a_sound_without_pictures_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "s.mp4"), "w") as output:
        stream = output.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16_000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(SilentInput, match="no moving pictures"):
        Video.from_file(tmp_path / "s.mp4")


def test_writing_where_there_is_no_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"v\.mp4"):
        write_video(film(), tmp_path / "nowhere" / "v.mp4", Context(threads=1))


def test_a_source_that_breaks_its_word_is_found() -> None:
    def short() -> Iterator[Shot]:
        yield Shot(colours(1)[0], 3)

    with pytest.raises(ValueError, match="3 frames came"):
        list(Video(64, 48, Fraction(10), 4, short).frames())
    with pytest.raises(ValueError, match="a shot of"):
        list(Video(64, 50, Fraction(10), 3, short).frames())
    with pytest.raises(ValueError, match="cannot be"):
        Video(64, 48, Fraction(10), 0, short)


def test_captions_never_overlap_and_are_in_order() -> None:
    said = (Cue(2, 3, "b"), Cue(0, 2.5, "a"), Cue(4, 4, "no time"), Cue(5, 6, "  "), Cue(-1, 0.5, "early"))
    assert spans(said, Fraction(10)) == [(0, 20, "a"), (20, 30, "b")]
