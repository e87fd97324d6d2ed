"""Animations: videos as GIF and WebP and back, times, colours, still parts, memory, and bad files."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pillow

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, EmptyInput, InputError, MislabelledInput
from transpose.formats.animations import _rate, read_gif_video, sampled, write_video_gif, write_video_webp
from transpose.media.audio import Audio
from transpose.media.frames import Shot
from transpose.media.lut import chart
from transpose.media.text import Cue
from transpose.media.video import Video

HISTORY = '{"steps": [' + "1," * 300 + "2]}"


def rolling(seconds: float = 2, fps: int = 25, size: tuple[int, int] = (200, 120), moves: int = 3) -> Video:
    """The chart of colours, rolling to one side."""
    picture = chart(*size)
    count = round(seconds * fps)

    def shots() -> Iterator[Shot]:
        for number in range(count):
            yield Shot(np.roll(picture, moves * number, axis=1), 1)

    return Video(*size, Fraction(fps), count, shots)


def opened(path: Path) -> tuple[list[NDArray[np.uint8]], list[int]]:
    """Frames as Pillow sees them, and their milliseconds."""
    frames, times = [], []
    with Pillow.open(path) as file:
        for number in range(getattr(file, "n_frames", 1)):
            file.seek(number)
            file.load()
            frames.append(np.asarray(file.convert("RGB")))
            times.append(int(file.info.get("duration", 0)))
    return frames, times


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(10 * np.log10(255**2 / max(1e-9, ((one.astype(float) - other) ** 2).mean())))


@pytest.mark.parametrize(("suffix", "least"), [(".gif", 28), (".webp", 28)])
def test_frames_and_times_are_those_of_the_video(suffix: str, least: float, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    video = rolling()
    ctx = Context(history=HISTORY)
    write = write_video_gif if suffix == ".gif" else write_video_webp
    write(video, path, ctx, fps=12, width=0)
    frames, times = opened(path)
    assert len(frames) == 24
    assert sum(times) == 2000
    assert all(70 < time < 100 for time in times)
    shown = [shot.pixels for shot in sampled(video, Fraction(12), (200, 120))]
    assert min(psnr(*pair) for pair in zip(frames, shown, strict=True)) > least
    with Pillow.open(path) as file:
        assert file.info["loop"] == 0
        kept = file.info["comment"] if suffix == ".gif" else file.info["xmp"].replace(b"&quot;", b'"')
        assert HISTORY.encode() in kept


def test_every_scene_has_its_own_colours(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 128).astype(np.uint8)
    scenes = [np.zeros((64, 128, 3), np.uint8) for _ in range(3)]
    for channel, scene in enumerate(scenes):
        scene[..., channel] = ramp
    video = Video(128, 64, Fraction(10), 60, lambda: (Shot(scene, 20) for scene in scenes))
    write_video_gif(video, tmp_path / "a.gif", Context(), colours=64, dither="none")
    frames, _ = opened(tmp_path / "a.gif")
    shown = [frames[0], frames[1], frames[-1]]
    assert all(psnr(frame, scene) > 45 for frame, scene in zip(shown, scenes, strict=True))


def test_dithering_keeps_the_mean_and_still_parts_do_not_flicker(tmp_path: Path) -> None:
    random = np.random.default_rng(0)

    def shots() -> Iterator[Shot]:
        for number in range(20):
            frame = np.full((64, 128, 3), (120, 131, 142), np.int16) + random.integers(-1, 2, (64, 128, 3))
            frame[:, :40] = np.linspace(0, 255, 40)[None, :, None]
            frame[10:20, 60 + number : 70 + number] = 255
            yield Shot(frame.astype(np.uint8), 1)

    for dither in ("diffusion", "ordered"):
        video = Video(128, 64, Fraction(10), 20, shots)
        write_video_gif(video, tmp_path / "a.gif", Context(), colours=16, dither=dither)
        frames, _ = opened(tmp_path / "a.gif")
        still = np.stack([frame[:, :40] for frame in frames])
        assert (still == still[0]).all()
        assert abs(float(frames[0][30:, 50:].mean()) - 131) < 6
        assert abs(float(frames[0][:, :40].mean()) - 127.5) < 4


@given(fps=st.integers(1, 60), rate=st.integers(1, 50), lengths=st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_each_frame_is_the_one_seen_at_its_time(fps: int, rate: int, lengths: list[int]) -> None:
    shots = [Shot(np.full((1, 1, 3), number, np.uint8), length) for number, length in enumerate(lengths)]
    video = Video(1, 1, Fraction(fps), sum(lengths), lambda: shots)
    taken = [int(shot.pixels[0, 0, 0]) for shot in sampled(video, Fraction(rate), (1, 1)) for _ in range(shot.frames)]
    all_of_them = [number for number, length in enumerate(lengths) for _ in range(length)]
    assert taken == [all_of_them[int(k * Fraction(fps, rate))] for k in range(len(taken))]
    assert (len(taken) - 1) / rate < sum(lengths) / fps <= len(taken) / rate + 1e-9


def test_width_is_bounded_and_never_raised_and_what_is_lost_is_said(tmp_path: Path) -> None:
    small = rolling(0.4, size=(100, 61))
    sound = Audio.from_array(np.zeros(800, np.float32), 8000)
    video = Video(100, 61, small.fps, small.length, small.source, sound, (Cue(0, 1, "a"),))
    for width, size in ((0, (100, 61)), (40, (40, 24)), (999, (100, 61))):
        for suffix, write in ((".gif", write_video_gif), (".webp", write_video_webp)):
            ctx = Context()
            write(video, tmp_path / f"a{suffix}", ctx, width=width)
            assert "sound and 1 captions" in ctx.warnings[0]
            with Pillow.open(tmp_path / f"a{suffix}") as file:
                assert file.size == size


def test_a_still_scene_costs_nothing_and_its_time_is_kept(tmp_path: Path) -> None:
    video = Video(200, 120, Fraction(25), 250, lambda: [Shot(chart(200, 120), 200), Shot(chart(200, 120)[::-1], 50)])
    for suffix, write in ((".gif", write_video_gif), (".webp", write_video_webp)):
        write(video, tmp_path / f"a{suffix}", Context())
        frames, times = opened(tmp_path / f"a{suffix}")
        assert len(frames) <= 3
        assert sum(times) == 10_000
        assert abs(times[0] - 8000) <= 80
    single = Video(200, 120, Fraction(25), 1, lambda: [Shot(chart(200, 120), 1)])
    for suffix, write in ((".gif", write_video_gif), (".webp", write_video_webp)):
        write(single, tmp_path / f"b{suffix}", Context(history="{}"))
        assert len(opened(tmp_path / f"b{suffix}")[0]) == 1


def test_a_gif_is_written_in_bounded_memory(tmp_path: Path) -> None:
    video = rolling(20, 10, (160, 90), 1)
    tracemalloc.start()
    write_video_gif(video, tmp_path / "a.gif", Context(), fps=10, colours=32)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(opened(tmp_path / "a.gif")[0]) == 200  # 8.6 MB as pixels
    assert peak < 6_000_000


# -- reading ---------------------------------------------------------------------------------------------------------


def save_gif(path: Path, times: list[int]) -> None:
    """Frames of 20 x 10 whose grey is 40 n, with a transparent corner."""
    frames = []
    for number in range(len(times)):
        pixels = np.full((10, 20, 4), (40 * number, 40 * number, 40 * number, 255), np.uint8)
        pixels[:3, :3, 3] = 0
        frames.append(Pillow.fromarray(pixels))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=times, disposal=2, loop=0)


def test_a_gif_is_a_video_with_its_times_on_white(tmp_path: Path) -> None:
    save_gif(tmp_path / "a.gif", [100, 300, 200])
    video = read_gif_video(tmp_path / "a.gif", Context())
    assert (video.width, video.height, video.fps, video.length) == (20, 10, 10, 6)
    assert [shot.frames for shot in video.shots()] == [1, 3, 2]
    for number, shot in enumerate(video.shots()):
        assert abs(int(shot.pixels[5, 10, 0]) - 40 * number) <= 2
        assert (shot.pixels[0, 0] == 255).all()


@pytest.mark.parametrize("rate", [10, 12, 15, 25, 30])
def test_a_rate_comes_back(rate: int, tmp_path: Path) -> None:
    video = rolling(1, rate, (32, 20))
    write_video_gif(video, tmp_path / "a.gif", Context(), fps=rate)
    back = read_gif_video(tmp_path / "a.gif", Context())
    assert (back.fps, back.length) == (rate, rate)
    assert min(psnr(*pair) for pair in zip(video.frames(), back.frames(), strict=True)) > 25


@given(st.lists(st.integers(2, 60).map(lambda n: 10 * n), min_size=1, max_size=12))
def test_times_are_met(times: list[int]) -> None:
    ends = np.cumsum(times)
    rate = _rate(list(map(int, ends)))
    assert all(abs(end - round(end * rate / 1000) * 1000 / rate) <= 10 for end in ends)


def test_hasty_and_single_pictures(tmp_path: Path) -> None:
    save_gif(tmp_path / "a.gif", [0, 10, 0])
    video = read_gif_video(tmp_path / "a.gif", Context())
    assert (video.fps, video.length) == (10, 3)
    Pillow.new("RGB", (8, 8)).save(tmp_path / "b.gif")
    assert read_gif_video(tmp_path / "b.gif", Context()).length == 1


def test_bad_files_are_input_errors(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    save_gif(path, [100] * 4)
    data = path.read_bytes()
    random = np.random.default_rng(3)
    for _ in range(150):
        bad = bytearray(data[: int(random.integers(6, len(data)))] if random.random() < 0.5 else data)
        for place in random.integers(6, len(bad), 3) if len(bad) > 9 else []:
            bad[place] = int(random.integers(0, 256))
        path.write_bytes(bytes(bad))
        try:
            for shot in read_gif_video(path, Context()).shots():
                assert shot.pixels.shape[2] == 3
        except InputError:
            pass
    path.write_bytes(b"")
    with pytest.raises(EmptyInput):
        read_gif_video(path, Context())
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(60))
    with pytest.raises(MislabelledInput):
        read_gif_video(path, Context())
    path.write_bytes(data[:40])
    with pytest.raises(DamagedInput):
        read_gif_video(path, Context())
