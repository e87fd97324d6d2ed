"""Colour grades in words: every look's direction, words and amounts, tables and their files."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, EmptyInput, HugeInput, InputError, MislabelledInput, OptionError
from transpose.formats.cubes import show_cube, write_cube
from transpose.formats.video_files import write_video
from transpose.media.image import Image
from transpose.media.looks import LOOKS, SYNONYMS, lut_of_words, measure, names, read_words
from transpose.media.lut import Lut, chart, dump_cube, grid, parse_cube, read_cube
from transpose.media.text import Text
from transpose.media.video import Video
from transpose.transforms.grade import grade_picture, grade_picture_by_cube, grade_video, grade_video_by_cube

CHART = chart()
BEFORE = measure(CHART)


def moved(words: str) -> dict[str, float]:
    """By how many levels words move the measures of the chart."""
    after = measure(lut_of_words(words).apply(CHART))
    return {name: after[name] - BEFORE[name] for name in BEFORE}


def test_there_are_thirty_looks_and_no_word_means_two() -> None:
    assert len(LOOKS) >= 30
    words = [word for each in SYNONYMS.values() for word in each] + list(LOOKS)
    assert len(words) == len(set(words))


@pytest.mark.parametrize("name", LOOKS)
def test_every_look_moves_as_it_says_and_half_of_it_less(name: str) -> None:
    whole, half = moved(name), moved(f"slightly {name}")
    for move in LOOKS[name].moves.split():
        sign = 1 if move[-1] == "+" else -1
        assert whole[move[:-1]] * sign > 3, move
        assert 0.5 < half[move[:-1]] * sign < whole[move[:-1]] * sign
    table = lut_of_words(name).table
    assert table.shape == (33, 33, 33, 3)
    assert table.min() >= 0
    assert table.max() <= 1
    greys = table[np.arange(33), np.arange(33), np.arange(33)] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(greys) >= -1e-4).all()  # what is brighter stays brighter


def test_no_words_no_move() -> None:
    """Negative control: the measures stand still for the table that changes nothing."""
    same = Lut.of(lambda colours: colours)
    assert np.array_equal(same.apply(CHART), CHART)
    assert all(abs(each) < 1e-9 for each in (measure(same.apply(CHART))[n] - BEFORE[n] for n in BEFORE))


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("warm", [("warm", 1)]),
        ("slightly warmer, darker", [("warm", 0.5), ("dark", 1)]),
        ("Teal and Orange", [("teal and orange", 1)]),
        ("teal-and-orange with a bit of film noir", [("teal and orange", 1), ("noir", 0.5)]),
        ("a very faded, vintage look please", [("faded", 1.5), ("vintage", 1)]),
        ("30% sepia", [("sepia", 0.3)]),
        ("less contrast and more saturation", [("contrast", -1), ("vivid", 1)]),
        ("make it black & white", [("black and white", 1)]),
        ("bleach bypass", [("bleach bypass", 1)]),
        ("extremely very warm", [("warm", 3)]),
    ],
)
def test_words(words: str, meaning: list[tuple[str, float]]) -> None:
    assert [(name, round(share, 6)) for name, share in read_words(words)] == meaning


def test_every_look_is_named_where_users_read() -> None:
    assert all(name in " ".join(grade_video.doc.split()) for name in LOOKS)


def test_words_that_mean_nothing_name_the_looks_in_one_line() -> None:
    with pytest.raises(OptionError) as raised:
        read_words("a red fox")
    assert "'red'" in str(raised.value)
    assert "teal and orange" in str(raised.value)
    assert "\n" not in str(raised.value)
    with pytest.raises(OptionError, match="Did you mean 'sepia'"):
        read_words("sepai")
    with pytest.raises(EmptyInput, match="no look"):
        read_words("a look")


@given(st.text(max_size=40))
def test_any_words_are_read_or_refused(words: str) -> None:
    try:
        assert all(name in LOOKS and -2 <= share <= 3 for name, share in read_words(words))
    except (OptionError, EmptyInput):
        assert tuple(words.lower().split()) not in names()


def test_amounts_and_opposites() -> None:
    assert 0 < moved("slightly warm")["warmth"] < moved("warm")["warmth"] < moved("very warm")["warmth"]
    assert moved("less warm")["warmth"] < -10
    assert moved("less contrast")["contrast"] < -3
    assert moved("warm and dark")["warmth"] > 10
    assert moved("warm and dark")["luma"] < -10


def test_pillow_and_numpy_agree_to_one_level() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 80, 3)).astype(np.uint8)
    for words in ("teal and orange", "noir", "very vivid"):
        lut = lut_of_words(words)
        exact = lut.at((pixels / 255).astype(np.float32)) * 255
        assert np.abs(lut.apply(pixels) - exact).max() <= 1.01


def test_the_table_is_near_the_function_between_its_points() -> None:
    fine, coarse = lut_of_words("vintage", size=65), lut_of_words("vintage", size=33)
    middles = (grid(32) * 31 / 32 + 1 / 64).astype(np.float32)
    assert np.abs(fine.at(middles) - coarse.at(middles)).max() < 0.02


# -- files -----------------------------------------------------------------------------------------------------------


@given(size=st.integers(2, 9), seed=st.integers(0, 99))
def test_a_table_survives_its_file(size: int, seed: int) -> None:
    table = np.random.default_rng(seed).random((size, size, size, 3)).astype(np.float32)
    back = parse_cube(dump_cube(Lut(table, "a look"), '{"history": 1}\nline'), "a.cube")
    assert back.title == "a look"
    assert np.abs(back.table - table).max() < 1e-6


def test_red_changes_fastest() -> None:
    rows = dump_cube(Lut.of(lambda colours: colours, 2)).splitlines()[-8:]
    assert rows[:3] == ["0.000000 0.000000 0.000000", "1.000000 0.000000 0.000000", "0.000000 1.000000 0.000000"]


def test_curves_and_other_domains_are_read() -> None:
    curve = parse_cube("LUT_1D_SIZE 3\n0 0 0\n.25 .25 .25\n1 1 1\n", "a")
    assert np.allclose(curve.at(np.full((1, 3), 0.5, np.float32)), 0.25, atol=1e-5)
    wide = parse_cube("DOMAIN_MAX 2 2 2\n" + dump_cube(Lut.of(lambda colours: colours, 2)), "a")
    assert np.allclose(wide.at(np.full((1, 3), 0.5, np.float32)), 0.25, atol=1e-5)
    large = Lut.of(lambda colours: 1 - colours, 80)
    assert np.abs(large.apply(CHART).astype(int) - (255 - CHART)).max() <= 1


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("hello", MislabelledInput),
        ("LUT_3D_SIZE x\n", DamagedInput),
        ("LUT_3D_SIZE 1\n0 0 0\n", DamagedInput),
        ("LUT_3D_SIZE 2\n0 0 0\n", DamagedInput),
        ("LUT_3D_SIZE 9999\n0 0 0\n", HugeInput),
        ("LUT_3D_SIZE 2\n" + "nan 0 0\n" * 8, DamagedInput),
        ("LUT_3D_SIZE 2\n" + "red 0 0\n" * 8, DamagedInput),
        ("LUT_3D_SIZE 2\nDOMAIN_MAX 0 0 0\n" + "0 0 0\n" * 8, DamagedInput),
        ("LUT_3D_SIZE 2\nDOMAIN_MIN 0\n" + "0 0 0\n" * 8, DamagedInput),
        ("LUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 1\n" + "0 0 0\n" * 8, DamagedInput),
    ],
)
def test_bad_tables_are_refused(text: str, error: type[InputError]) -> None:
    with pytest.raises(error, match="'bad.cube'"):
        parse_cube(text, "bad.cube")


def test_hostile_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.cube"
    with path.open("wb") as file:
        file.truncate(70 << 20)
    with pytest.raises(HugeInput, match="64 MB"):
        read_cube(path, Context())
    path.write_bytes(b"")
    with pytest.raises(InputError, match="empty"):
        read_cube(path, Context())
    path.write_bytes(b"\x89PNG\r\n" + bytes(100))
    with pytest.raises(MislabelledInput):
        read_cube(path, Context())


@given(st.text("LUT_3DSIZE1 \n0.9-e#\t", max_size=80))
def test_any_characters_give_a_table_or_an_input_error(text: str) -> None:
    with suppress(InputError):
        assert np.isfinite(parse_cube(text, "a").table).all()


# -- transforms ------------------------------------------------------------------------------------------------------


def test_pictures_of_any_kind_keep_transparency_and_metadata(tmp_path: Path) -> None:
    ctx = Context()
    clear: NDArray[np.uint8] = np.dstack([CHART, np.full(CHART.shape[:2], 77, np.uint8)])
    out = grade_picture(Image(clear, {"text:a": "b"}), Text("noir"), ctx)
    assert (out.pixels[..., 3] == 77).all()
    assert out.meta == {"text:a": "b"}
    assert ctx.facts["looks"] == "noir 1"
    grey = grade_picture(Image(CHART[..., :1], {"icc_profile": b"grey"}), Text("sepia"), Context())
    assert grey.pixels.shape == CHART.shape
    assert not grey.meta
    write_cube(Text("noir"), tmp_path / "noir.cube", Context(history='{"a": 1}'))
    by_file = grade_picture_by_cube(Image(clear), tmp_path / "noir.cube", Context())
    assert np.abs(by_file.pixels.astype(int) - out.pixels).max() <= 1
    half = grade_picture_by_cube(Image(CHART), tmp_path / "noir.cube", Context(), amount=0.5)
    middle = (CHART.astype(int) + out.pixels[..., :3]) / 2
    assert np.abs(half.pixels - middle).max() <= 2
    assert np.array_equal(grade_picture(Image(CHART), Text("noir"), Context(), amount=0).pixels, CHART)


def test_films_change_their_colours_and_nothing_else(tmp_path: Path) -> None:
    video = Video.from_array(np.stack([CHART[:180, :320], CHART[90:, 160:]]), Fraction(10))
    warm = grade_video(video, Text("warm"), Context())
    assert (warm.length, warm.fps, warm.width) == (2, 10, 320)
    for before, after in zip(video.frames(), warm.frames(), strict=True):
        assert measure(after)["warmth"] > measure(before)["warmth"] + 10
    write_cube(Text("warm"), tmp_path / "warm.cube", Context())
    again = grade_video_by_cube(video, tmp_path / "warm.cube", Context())
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(again.frames(), warm.frames(), strict=True))
    write_video(video, tmp_path / "a.mp4", Context(threads=1))
    later = list(grade_video(Video.from_file(tmp_path / "a.mp4"), Text("noir"), Context()).part(1, 2))
    assert len(later) == 1
    assert measure(later[0].pixels)["saturation"] < 1


def test_a_table_is_shown_on_a_chart(tmp_path: Path) -> None:
    write_cube(Text("sepia"), tmp_path / "sepia.cube", Context())
    shown = show_cube(tmp_path / "sepia.cube", Context()).pixels
    assert shown.shape == (1080, 960, 3)
    assert measure(shown[540:])["saturation"] < measure(shown[:540])["saturation"]
