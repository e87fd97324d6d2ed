"""Slideshows: lengths, changes, fitting, captions soft and burnt, and what is refused."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from transpose.core.context import Context, Many
from transpose.core.errors import EmptyInput, InputError, OptionError
from transpose.formats.video_files import write_video
from transpose.media.audio import Audio
from transpose.media.image import Image
from transpose.media.text import Cue, Text
from transpose.media.video import Video
from transpose.transforms.slideshow import changes, cut, fit, slideshow

COLOURS = ((250, 20, 20), (20, 250, 20), (20, 20, 250), (250, 250, 20), (20, 250, 250))


def flat(colour: tuple[int, ...], width: int = 64, height: int = 36) -> Image:
    """A picture of one colour."""
    return Image(np.broadcast_to(np.array(colour, np.uint8), (height, width, len(colour))))


def pictures(count: int, known: bool = True) -> Many[Image]:
    """Pictures of the five colours in turn, made when asked for."""
    return Many(lambda: (flat(COLOURS[n % 5]) for n in range(count)), count if known else None)


def silence(seconds: float, rate: int = 8000) -> Audio:
    """No sound for so long."""
    return Audio.from_array(np.zeros(round(seconds * rate), np.float32), rate)


def timed(*starts: float) -> Text:
    """Captions of one second that start at these times."""
    cues = tuple(Cue(start, start + 1, f"from {start}") for start in starts)
    return Text("\n".join(cue.text for cue in cues), cues=cues)


def shown(video: Video) -> list[tuple[tuple[int, ...], int]]:
    """(colour of the middle, frames) of each shot."""
    return [(tuple(map(int, pixels[video.height // 2, video.width // 2])), frames) for pixels, frames in video.shots()]


def test_pictures_share_the_time_evenly_and_end_with_the_sound() -> None:
    video = slideshow(pictures(4), silence(8), None, Context(), size="64x36")
    assert shown(video) == [(colour, 20) for colour in COLOURS[:4]]
    assert (video.duration, video.fps, video.cues) == (8, 10, ())


def test_pictures_change_where_the_nearest_caption_starts() -> None:
    video = slideshow(pictures(4), silence(8), timed(0, 2.3, 3.5, 4.8), Context(), size="64x36")
    assert [frames for _, frames in shown(video)] == [23, 12, 25, 20]  # even changes: 2, 4, 6 s; none near 6
    assert [cue.start for cue in video.cues] == [0, 2.3, 3.5, 4.8]


@given(count=st.integers(1, 60), spare=st.integers(0, 200), cues=st.lists(st.integers(0, 260), max_size=30).map(sorted))
def test_every_picture_gets_a_frame_in_order(count: int, spare: int, cues: list[int]) -> None:
    starts = changes(count, count + spare, cues)
    assert len(starts) == count
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert starts[-1] < count + spare


@given(
    marks=st.lists(st.integers(0, 50), min_size=2, max_size=20, unique=True).map(sorted),
    start=st.integers(0, 40),
    length=st.integers(1, 20),
)
def test_a_shot_is_cut_where_captions_open_and_close(marks: list[int], start: int, length: int) -> None:
    lines = [(a, b, f"{a}") for a, b in zip(marks[::2], marks[1::2], strict=False)]
    pieces = list(cut(start, start + length, lines))
    spoken = [text for frames, text in pieces for _ in range(frames)]
    expected = [next((text for a, b, text in lines if a <= at < b), "") for at in range(start, start + length)]
    assert spoken == expected
    assert all(frames > 0 for frames, _ in pieces)


@pytest.mark.parametrize(("seconds", "fps"), [(7.1, 10), (3.333, 10), (0.01, 10), (12.345, 25), (1.96, 1)])
def test_file_and_sound_end_within_a_frame(seconds: float, fps: int, tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    ctx = Context(threads=1)
    write_video(slideshow(pictures(1), silence(seconds, 16_000), None, ctx, size="64x36", fps=fps), path, ctx)
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert video.duration is not None
        assert audio.duration is not None
        assert abs(float(video.duration * (video.time_base or 0)) - seconds) <= max(0.5, 1 - seconds * fps) / fps + 1e-6
        assert abs(float(audio.duration * (audio.time_base or 0)) - seconds) < 1 / fps


def test_pictures_of_any_shape_are_fitted_centred_and_transparency_is_white() -> None:
    tall = fit(flat((250, 20, 20), 10, 40), 64, 36, "black")
    assert tall.shape == (36, 64, 3)
    assert tuple(tall[18, 32]) == (250, 20, 20)
    assert tall[:, :26].max() == 0
    assert tall[:, 38:].max() == 0
    wide = fit(flat((250, 20, 20), 4000, 40), 64, 36, "white")
    assert wide[0].min() == 255
    assert tuple(fit(flat((9, 9, 9, 0)), 64, 36, "black")[5, 5]) == (255, 255, 255)
    assert tuple(fit(flat((77,)), 64, 36, "black")[5, 5]) == (77, 77, 77)


def test_the_size_may_be_that_of_the_first_picture() -> None:
    def several() -> Iterator[Image]:
        yield flat(COLOURS[0], 33, 57)
        yield flat(COLOURS[1], 500, 10)

    video = slideshow(Many(several, None), silence(2), None, Context(), size="first")
    assert (video.width, video.height) == (32, 56)
    assert len(shown(video)) == 2
    large = slideshow(Many(lambda: [flat(COLOURS[0], 3000, 3000)], 1), silence(1), None, Context(), size="first")
    assert (large.width, large.height) == (1080, 1080)


def test_more_pictures_than_frames_raise_the_rate_and_far_more_are_refused() -> None:
    ctx = Context()
    video = slideshow(pictures(40, known=False), silence(2), None, ctx, size="64x36")
    assert video.fps == 20
    assert [frames for _, frames in shown(video)] == [1] * 40
    assert len(ctx.warnings) == 2
    with pytest.raises(InputError, match="121 pictures do not fit"):
        slideshow(pictures(121), silence(2), None, Context(), size="64x36")


def test_soft_captions_are_a_track_and_burnt_ones_are_pixels(tmp_path: Path) -> None:
    said = Text("x", cues=(Cue(0.5, 1.5, "Good evening"), Cue(9, 10, "never heard")))
    for caption, track, changed in (("soft", 1, False), ("burnt", 0, True), ("none", 0, False)):
        ctx = Context(threads=1)
        video = slideshow(pictures(1), silence(2), said, ctx, size="640x360", caption=caption)
        assert "1 captions start after the sound ends and are left out" in ctx.warnings
        frames = list(video.frames())
        assert (not np.array_equal(frames[4], frames[5])) == changed
        assert np.array_equal(frames[4], frames[16])
        if changed:
            low, high = frames[5][240:], frames[5][:240]
            assert (low > 200).all(axis=2).sum() > 200  # white letters
            assert (low < 50).all(axis=2).sum() > 200  # black outline
            assert np.array_equal(high, frames[4][:240])
        write_video(video, tmp_path / f"{caption}.mp4", ctx)
        back = Video.from_file(tmp_path / f"{caption}.mp4")
        assert len(back.cues) == track
        if track:
            assert back.cues == (Cue(0.5, 1.5, "Good evening"),)


def test_a_long_burnt_caption_stays_inside() -> None:
    said = Text("x", cues=(Cue(0, 1, "many words " * 60 + "a" * 300),))
    video = slideshow(pictures(1), silence(1), said, Context(), size="640x360", caption="burnt")
    pixels = next(video.frames())
    edges = (pixels[:, :10], pixels[:, -10:], pixels[:10], pixels[-4:])
    assert all((edge == COLOURS[0]).all() for edge in edges)


def test_letters_without_a_font_are_said(tmp_path: Path) -> None:
    ctx = Context()
    said = Text("x", cues=(Cue(0, 1, "plain \U00016f00"),))
    slideshow(pictures(1), silence(1), said, ctx, size="64x36", caption="burnt")
    assert any("\U00016f00" in each for each in ctx.warnings)
    assert "font" in ctx.facts
    with pytest.raises(OptionError, match="font"):
        slideshow(pictures(1), silence(1), said, ctx, size="64x36", caption="burnt", font=str(tmp_path / "no.ttf"))
    assert isinstance(ImageFont.load_default(20), ImageFont.FreeTypeFont)


@pytest.mark.parametrize("size", ["big", "100", "64x35", "0x0", "10x10", "9999x9998", "-64x36", "６４x36"])
def test_sizes_that_cannot_be_are_refused(size: str) -> None:
    with pytest.raises(OptionError, match="size"):
        slideshow(pictures(1), silence(1), None, Context(), size=size)


def test_nothing_to_show_or_no_time_to_show_it_is_refused() -> None:
    with pytest.raises(EmptyInput, match="picture"):
        slideshow(pictures(0), silence(1), None, Context())
    with pytest.raises(EmptyInput, match="sound"):
        slideshow(pictures(1), silence(0), None, Context())


def test_text_without_times_is_said() -> None:
    ctx = Context()
    assert slideshow(pictures(2), silence(2), Text("words"), ctx, size="64x36").cues == ()
    assert "no times" in ctx.warnings[0]


def test_five_hundred_pictures_are_never_held_together(tmp_path: Path) -> None:
    def large() -> Iterator[Image]:
        for number in range(500):
            yield Image(np.full((300, 400, 3), number % 256, np.uint8))

    ctx = Context(threads=1)
    video = slideshow(Many(large, None), silence(100), None, ctx, size="320x180")
    tracemalloc.start()
    write_video(video, tmp_path / "v.mp4", ctx)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000  # all of them would take 180 MB
    assert Video.from_file(tmp_path / "v.mp4").length == 1000


def test_the_clock_is_the_sound_s_even_when_the_rate_is_odd() -> None:
    video = slideshow(pictures(1), silence(10, 11_025), None, Context(), size="64x36", fps=7)
    assert (video.fps, video.length) == (Fraction(7), 70)
