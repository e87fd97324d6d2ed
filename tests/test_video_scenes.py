"""Scenes and stills of videos: cuts found at their frame, one picture each, times noted."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from transpose.core.context import Context
from transpose.core.errors import OptionError
from transpose.formats.video_files import write_video
from transpose.media.frames import Shot
from transpose.media.image import Image
from transpose.media.scene import cuts, difference, small_copy
from transpose.media.video import Video
from transpose.transforms.scenes import scenes
from transpose.transforms.still import still

COLOURS = ((200, 40, 40), (40, 180, 60), (50, 60, 200), (220, 210, 60))


def moving(lengths: tuple[int, ...] = (30, 45, 25, 50), fps: int = 25, noise: int = 6) -> Video:
    """Scenes of one colour each, with noise and a square that moves across."""

    def shots() -> Iterator[Shot]:
        random = np.random.default_rng(1)
        for scene, length in enumerate(lengths):
            for number in range(length):
                frame = np.full((72, 128, 3), COLOURS[scene % 4], np.int16)
                frame[20:50, number : number + 30] = 255 - frame[20:50, number : number + 30]
                yield Shot((frame + random.integers(-noise, noise + 1, frame.shape)).clip(0, 255).astype(np.uint8), 1)

    return Video(128, 72, Fraction(fps), sum(lengths), shots)


@pytest.mark.parametrize("adaptive", [True, False])
def test_cuts_are_found_at_their_frame_also_in_a_file(adaptive: bool, tmp_path: Path) -> None:
    video = moving()
    assert cuts(video, adaptive=adaptive) == [0, 30, 75, 100]
    write_video(video, tmp_path / "a.mp4", Context(threads=1))
    assert cuts(Video.from_file(tmp_path / "a.mp4"), adaptive=adaptive) == [0, 30, 75, 100]


def test_motion_noise_and_a_fade_are_no_cut() -> None:
    assert cuts(moving((120,), noise=20)) == [0]
    levels = [Shot(np.full((36, 64, 3), level, np.uint8), 1) for level in range(0, 250, 4)]
    assert cuts(Video(64, 36, Fraction(25), len(levels), lambda: levels)) == [0]


def test_short_scenes_are_joined_to_the_one_before_and_stills_count_once() -> None:
    video = moving((30, 5, 40))
    assert cuts(video, least=0.6) == [0, 30]
    assert cuts(video, least=0.1) == [0, 30, 35]
    slides = [Shot(np.full((36, 64, 3), colour, np.uint8), 50) for colour in COLOURS]
    assert cuts(Video(64, 36, Fraction(10), 200, lambda: slides)) == [0, 50, 100, 150]


def test_one_picture_of_each_scene_with_its_times() -> None:
    ctx = Context()
    pictures = scenes(moving(), ctx)
    assert pictures.length == 4
    assert ctx.facts["scenes"] == 4
    found = list(pictures)
    for number, (image, colour) in enumerate(zip(found, COLOURS, strict=True), 1):
        assert isinstance(image, Image)
        assert image.meta["text:scene"] == str(number)
        assert np.abs(image.pixels[:10].mean(axis=(0, 1)) - colour).max() < 3
    assert [image.meta["text:start"] for image in found] == ["0.000", "1.200", "3.000", "4.000"]
    assert [image.meta["text:end"] for image in found] == ["1.200", "3.000", "4.000", "6.000"]
    assert [image.meta["text:time"] for image in found] == ["0.560", "2.080", "3.480", "4.960"]
    assert len(list(pictures)) == 4  # a second pass


def test_a_picture_every_so_often() -> None:
    found = list(scenes(moving(), Context(), every=2.5))
    assert [image.meta["text:time"] for image in found] == ["0.000", "2.480", "5.000"]
    assert len(list(scenes(moving((1,)), Context(), every=100))) == 1
    assert len(list(scenes(moving((10,)), Context(), every=0.001))) == 10


def test_hue_is_compared_around_its_circle() -> None:
    def flat(*colour: int) -> NDArray[np.int16]:
        return small_copy(np.full((8, 8, 3), colour, np.uint8), 1)

    assert difference(flat(255, 0, 8), flat(255, 8, 0)) < 5  # both sides of red
    assert difference(flat(255, 0, 0), flat(0, 255, 255)) > 40


def test_a_still_is_the_frame_of_its_time_or_one_that_shows_something(tmp_path: Path) -> None:
    video = moving()
    assert np.array_equal(still(video, Context(), at=2.0).pixels, list(video.frames())[50])
    assert still(video, Context(), at=2.0).meta["text:time"] == "2.000"
    with pytest.raises(OptionError, match="lasts 6.00 s"):
        still(video, Context(), at=6.0)
    black = np.zeros((72, 128, 3), np.uint8)
    busy = np.random.default_rng(0).integers(0, 255, black.shape).astype(np.uint8)
    shown = [Shot(black, 60), Shot(busy, 20), Shot(black, 20)]
    assert np.array_equal(still(Video(128, 72, Fraction(25), 100, lambda: shown), Context()).pixels, busy)
    write_video(video, tmp_path / "a.mp4", Context(threads=1))
    late = still(Video.from_file(tmp_path / "a.mp4"), Context(), at=5.5)
    assert np.abs(late.pixels[:10].mean(axis=(0, 1)) - COLOURS[3]).max() < 8
