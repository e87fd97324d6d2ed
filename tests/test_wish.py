"""Wishes for music: words read, captions said, tokens told apart."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transpose.media.general_midi import NAMES
from transpose.media.wish import (
    CHOICES,
    DENSITIES,
    FIELDS,
    MOODS,
    REGISTERS,
    STYLES,
    Wish,
    forget,
    read_wish,
    say_wish,
    settled,
    wish_tokens,
)  # fmt: skip

TEMPI = st.integers(30, 240).map(float) | st.integers(300, 2400).map(lambda n: n / 10) | st.sampled_from([66.0, 144.0])
WISHES = st.builds(
    Wish,
    instrument=st.none() | st.integers(0, 127),
    tempo=st.none() | TEMPI,
    root=st.none() | st.integers(0, 11),
    minor=st.none() | st.booleans(),
    register=st.none() | st.sampled_from(REGISTERS),
    density=st.none() | st.sampled_from(DENSITIES),
    style=st.none() | st.sampled_from(STYLES),
    mood=st.none() | st.sampled_from(MOODS),
)


@given(WISHES, st.integers(0, 2**32))
@example(Wish(), 0)
@example(Wish(root=8), 3)
@example(Wish(minor=True), 1)
def test_a_caption_reads_back_as_the_wish_it_says(wish: Wish, seed: int) -> None:
    assert read_wish(say_wish(wish, Random(seed))) == wish


@given(st.text(max_size=300))
def test_any_words_can_be_read(text: str) -> None:
    wish = read_wish(text)
    assert wish.tempo is None or 30 <= wish.tempo <= 240
    assert read_wish(text) == wish


def keyed(text: str) -> tuple[int | None, bool | None]:
    wish = read_wish(text)
    return wish.root, wish.minor


@pytest.mark.parametrize(
    ("text", "root", "minor"),
    [
        ("cello in d minor", 2, True),
        ("Cello in D Minor", 2, True),
        ("C-Moll", 0, True),
        ("B-Dur", 10, False),
        ("play a b minor", 11, True),
        ("in F sharp major", 6, False),
        ("in the key of a flat major, oboe", 8, False),
        ("Bb major waltz", 10, False),
        ("f# minor synth pad", 6, True),
        ("c-moll", 0, True),
        ("fis-moll", 6, True),
        ("Es-Dur", 3, False),
        ("B-dur", 10, False),
        ("h-moll", 11, True),
        ("Am guitar", 9, True),
        ("Bbm organ", 10, True),
        ("guitar in e", 4, None),
        ("flute in A, high", 9, None),
        ("in a minor key", None, True),
        ("waltz in a minor", 9, True),
        ("i am in a cave with a dog", None, None),
        ("a b c", None, None),
    ],
)
def test_keys(text: str, root: int | None, minor: bool | None) -> None:
    assert keyed(text) == (root, minor)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("slow sad cello in d minor", Wish(42, 66.0, 2, True, mood="sad")),
        ("fast happy piano 140 bpm", Wish(0, 140.0, mood="happy")),
        ("string ensemble", Wish(48)),
        ("Church Organ: a solemn hymn, largo", Wish(19, 50.0, style="hymn", mood="solemn")),
        ("arpeggio on a music box, high register, few notes", Wish(10, None, None, None, "high", "sparse", "arpeggio")),
        ("violin and piano", Wish(40, unread=("piano",))),
        ("a red fox", Wish(unread=("red", "fox"))),
        ("at 900 bpm", Wish(tempo=240.0)),
        ("at 1000 bpm", Wish(tempo=240.0)),
        ("", Wish()),
    ],
)
def test_words(text: str, expected: Wish) -> None:
    assert read_wish(text) == expected


def test_every_instrument_has_a_name() -> None:
    told = {read_wish(say_wish(Wish(instrument=number), Random(number))).instrument for number in range(128)}
    assert told == set(range(len(NAMES)))


def test_what_a_mood_implies_fills_only_what_was_left_open() -> None:
    assert settled(read_wish("sad cello")) == Wish(42, 63.0, None, True, mood="sad")
    assert settled(read_wish("sad fast cello in c major")) == Wish(42, 144.0, 0, False, mood="sad")
    assert settled(read_wish("waltz")).tempo == 150
    assert settled(Wish()) == Wish()


def test_forgetting_leaves_a_part_of_the_wish() -> None:
    wish = Wish(42, 66.0, 2, True, "low", "busy", "march", "dark")
    assert forget(wish, Random(0), 0.0) == wish
    assert forget(wish, Random(0), 1.0) == Wish()
    part = forget(wish, Random(1), 0.5).known()
    assert 0 < len(part) < len(FIELDS)
    assert part.items() <= wish.known().items()


def test_tokens_tell_values_apart() -> None:
    for name, values in {"instrument": range(128), "root": range(12), **CHOICES}.items():
        rows = np.stack([wish_tokens(replace(Wish(), **{name: value}))[0] for value in values])  # type: ignore[arg-type]
        flat = rows[:, FIELDS.index(name)]
        assert rows.dtype == np.float32
        assert rows.shape[1:] == (8, 64)
        np.testing.assert_allclose(np.linalg.norm(flat, axis=1), 8, rtol=1e-5)
        near = flat @ flat.T - 64 * np.eye(len(flat))
        assert near.max() <= 32.01, name
        assert np.abs(np.delete(rows, FIELDS.index(name), 1)).max() == 0


def test_a_tempo_five_percent_off_looks_clearly_different() -> None:
    def near(one: float, other: float) -> float:
        pair = [wish_tokens(Wish(tempo=tempo))[0][1] for tempo in (one, other)]
        return float(pair[0] @ pair[1]) / 64

    for tempo in (40.0, 90.0, 180.0):
        assert near(tempo, tempo * 1.05) < 0.9
        assert near(tempo, tempo * 1.01) > 0.95 > near(tempo, tempo * 1.1)


def test_the_mask_says_what_is_set() -> None:
    tokens, mask = wish_tokens(Wish(tempo=66.0, mood="sad"))
    assert mask.tolist() == [0, 1, 0, 0, 0, 0, 0, 1]
    assert not np.abs(tokens[mask == 0]).max()
    assert not wish_tokens(Wish())[1].any()


@pytest.mark.parametrize("wrong", [{"instrument": 128}, {"tempo": 10.0}, {"root": 12}, {"mood": "blue"}])
def test_what_cannot_be_wished(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Wish(**wrong)  # type: ignore[arg-type]
