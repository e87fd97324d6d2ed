"""Captions of videos: soft and drawn, on time, readable, and taken out again; letters and line breaks."""

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
from numpy.typing import NDArray

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, OptionError, SilentInput
from transpose.formats.video_files import read_video, write_video
from transpose.media.audio import Audio
from transpose.media.frames import Shot
from transpose.media.lettering import Lettering, broken, missing
from transpose.media.probe_video import probe
from transpose.media.text import Cue, Text
from transpose.media.video import Video
from transpose.transforms.caption import caption, divided
from transpose.transforms.captions_of_video import captions_of_video
from transpose.transforms.sound_of_video import sound_of_video

CUES = (Cue(0.5, 1.25, "Good evening"), Cue(1.5, 2.0, "Grüße <3 & 日本"), Cue(2.04, 2.8, "Two\nlines"))


def film(seconds: float = 3, fps: int = 25, size: tuple[int, int] = (320, 180), sound: bool = True) -> Video:
    """Grey that brightens, with a tone."""
    count = round(seconds * fps)

    def shots() -> Iterator[Shot]:
        for number in range(count):
            yield Shot(np.full((size[1], size[0], 3), 60 + number % 80, np.uint8), 1)

    wave = 0.3 * np.sin(np.arange(round(seconds * 16_000)) * 0.17)
    return Video(*size, Fraction(fps), count, shots, Audio.from_array(wave, 16_000) if sound else None)


def said(*cues: Cue, lang: str | None = None) -> Text:
    return Text("\n".join(cue.text for cue in cues), lang=lang, cues=cues)


def lettered(video: Video) -> list[bool]:
    """Whether each frame has white letters with black around them in its lower half."""
    lower = [frame[video.height // 2 :] for frame in video.frames()]
    return [bool((part > 240).all(axis=2).sum() > 20 and (part < 20).all(axis=2).sum() > 20) for part in lower]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_soft_captions_come_back_exactly_and_lengths_agree(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    ctx = Context(threads=1)
    write_video(caption(film(), said(*CUES, lang="de"), ctx), path, ctx)
    back = read_video(path, ctx)
    assert [cue.text for cue in back.cues] == [cue.text for cue in CUES]
    for cue, given_cue in zip(back.cues, CUES, strict=True):
        assert abs(cue.start - given_cue.start) < 0.002
        assert abs(cue.end - given_cue.end) < 0.002
    assert back.lang == "de"
    assert back.length == 75
    assert back.audio is not None
    assert abs(back.audio.duration - back.duration) < 1 / 25
    assert not any(lettered(back))
    taken = captions_of_video(back, ctx)
    assert (taken.lang, taken.cues) == ("de", back.cues)
    assert probe(path, ctx) == {"video.captioned": 1.0}
    with av.open(str(path)) as container:
        assert len(container.streams.subtitles) == 1


@pytest.mark.parametrize("fps", [1, 7, 25])
def test_drawn_captions_are_there_within_a_tenth_of_a_second(fps: int, tmp_path: Path) -> None:
    ctx = Context(threads=1)
    burnt = caption(film(fps=fps), said(*CUES), ctx, burn=True)
    assert burnt.fps >= 10
    assert burnt.duration == 3
    path = tmp_path / "a.mp4"
    write_video(burnt, path, ctx)
    back = Video.from_file(path)
    assert back.cues == ()
    assert probe(path, ctx) == {}
    assert back.audio is not None
    assert abs(back.audio.duration - back.duration) <= 1 / back.fps
    for number, drawn in enumerate(lettered(back)):
        time = (number + 0.5) / back.fps
        inside = any(cue.start + 0.1 < time < cue.end - 0.1 for cue in CUES)
        outside = all(time < cue.start - 0.1 or time > cue.end + 0.1 for cue in CUES)
        assert drawn or not inside
        assert not drawn or not outside


def test_the_picture_changes_only_where_letters_are() -> None:
    video = film(sound=False)
    burnt = caption(video, said(CUES[0]), Context(), burn=True)
    for number, (before, after) in enumerate(zip(video.frames(), burnt.frames(), strict=True)):
        inside = 12 <= number < 31
        assert np.array_equal(before, after) == (not inside)
        assert np.array_equal(before[:90], after[:90])
        edge = np.ones(before.shape[:2], bool)
        edge[9:-9, 16:-16] = False  # the safe area
        assert np.array_equal(before[edge], after[edge])


def test_captions_outside_are_said_and_none_at_all_is_an_error() -> None:
    ctx = Context()
    late = Cue(5, 6, "too late")
    shifted = caption(film(), said(*CUES, late), ctx, shift=0.5)
    assert [cue.start for cue in shifted.cues] == [1.0, 2.0, 2.54]
    assert "1 captions lie outside" in ctx.warnings[0]
    with pytest.raises(EmptyInput, match="none within the 3.0 s"):
        caption(film(), said(late), Context())
    with pytest.raises(EmptyInput, match="no times"):
        caption(film(), Text("words"), Context())
    again = Context()
    caption(shifted, said(*CUES), again)
    assert "3 captions that the video had were replaced" in again.warnings[0]


def test_long_captions_are_set_into_readable_ones() -> None:
    long = Cue(0, 3, "this is much more than two lines of forty-two letters can hold, so it has to be set into several")
    cues = caption(film(), said(long), Context()).cues
    assert len(cues) > 1
    assert all(len(line) <= 42 for cue in cues for line in cue.text.split("\n"))
    assert (cues[0].start, cues[-1].end) == (0, 3)


def test_a_video_without_captions_or_sound_says_so() -> None:
    with pytest.raises(SilentInput, match="caption"):
        captions_of_video(film(), Context())
    with pytest.raises(SilentInput, match="sound"):
        sound_of_video(film(sound=False), Context())
    video = film()
    assert sound_of_video(video, Context()) is video.audio


def test_styles_of_matroska_captions_are_taken_off(tmp_path: Path) -> None:
    from transpose.media.frames import _caption_text

    line = rb"0,0,Default,,0,0,0,,{\i1}Hello,{\i0} you\Nthere {\p1}m 0 0 l 9 9{\p0}"
    assert _caption_text(line, "ass") == "Hello, you\nthere"
    assert _caption_text(b"<i>Hello</i> <font color='red'>1 < 2</font>", "subrip") == "Hello 1 < 2"
    assert _caption_text(b"\x00\x02hi....styl", "mov_text") == "hi"


@given(
    marks=st.lists(st.integers(0, 50), min_size=2, max_size=20, unique=True).map(sorted),
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=6),
)
def test_shots_are_divided_where_captions_open_and_close(marks: list[int], lengths: list[int]) -> None:
    lines = [(a, b, f"{a}") for a, b in zip(marks[::2], marks[1::2], strict=False)]
    pixels: NDArray[np.uint8] = np.zeros((1, 1, 3), np.uint8)
    pieces = list(divided([Shot(pixels, length) for length in lengths], lines))
    spoken = [text for shot, text in pieces for _ in range(shot.frames)]
    assert spoken == [next((text for a, b, text in lines if a <= at < b), "") for at in range(sum(lengths))]


# -- letters ---------------------------------------------------------------------------------------------------------


@given(st.text(st.sampled_from("ab cdé、。（日本語 \n"), max_size=60), st.integers(4, 40))
def test_lines_keep_every_letter_and_fit(text: str, room: int) -> None:
    lines = broken(text, len, room)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(len(line) <= room for line in lines)


def test_lines_break_evenly_and_not_before_closing_marks() -> None:
    assert broken("one two three four five six", len, 20) == ["one two three", "four five six"]
    assert broken("日本語、日本語。", len, 3) == ["日本", "語、日", "本語。"]
    assert broken("a\n\nb", len, 9) == ["a", "b"]
    assert broken("abcdefgh", len, 3) == ["abc", "def", "gh"]


def test_right_to_left_runs_from_the_right() -> None:
    from PIL import features

    if not (features.check("raqm") and features.check("fribidi")) or missing("DejaVuSans.ttf", "א"):
        pytest.skip("no layout or no font for Hebrew here")
    frame = np.full((180, 640, 3), 90, np.uint8)
    left_is_heavier = []
    for text in ("אאא.....", ".....אאא", "aaa....."):
        drawn = Lettering(640, 180, [text], scale=3).draw(frame, text)
        columns = (drawn > 240).all(axis=2).sum(axis=0)
        ink = np.flatnonzero(columns)
        middle = (ink[0] + ink[-1]) // 2
        left_is_heavier.append(bool(columns[:middle].sum() > columns[middle:].sum()))
    assert left_is_heavier == [False, True, True]  # dots weigh little, and follow on the left of Hebrew letters


def test_letters_that_no_font_has_are_said_and_a_bad_font_refused(tmp_path: Path) -> None:
    told: list[str] = []
    Lettering(320, 180, ["plain \U00016f00"], warn=told.append)
    assert "\U00016f00" in told[0]
    Lettering(320, 180, ["plain"], warn=told.append)
    assert len(told) == 1
    with pytest.raises(OptionError, match="font"):
        caption(film(), said(*CUES), Context(), burn=True, font=str(tmp_path / "none.ttf"))


def test_endless_captions_stay_inside_the_frame() -> None:
    text = "many words " * 80 + "a" * 300
    frame = np.full((180, 320, 3), 90, np.uint8)
    for top in (False, True):
        drawn = Lettering(320, 180, [text], top=top, scale=3).draw(frame, text)
        edges = (drawn[:, :8], drawn[:, -8:], drawn[:5], drawn[-4:])
        assert all((edge == 90).all() for edge in edges)
        assert (drawn != 90).any()


def test_many_minutes_of_drawn_captions_is_not_held(tmp_path: Path) -> None:
    still = np.full((90, 160, 3), 90, np.uint8)
    video = Video(160, 90, Fraction(10), 6_000, lambda: (Shot(still, 100) for _ in range(60)))
    cues = tuple(Cue(second, second + 1.5, f"number {second}") for second in range(0, 600, 2))
    tracemalloc.start()
    count = sum(shot.frames for shot in caption(video, said(*cues), Context(), burn=True).shots())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 6_000
    assert peak < 4_000_000
