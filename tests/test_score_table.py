"""Scores as tables of notes and in words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, SilentInput
from transpose.media.score import Note, Score, from_notes
from transpose.transforms.score_table import describe_score, score_table, table_score

pytest.importorskip("pyarrow")
GRID = 1 / 16  # seconds: whole ticks at 120 beats a minute

notes = st.lists(
    st.builds(
        lambda start, length, pitch, velocity: Note(start * GRID, (start + length) * GRID, pitch, velocity),
        st.integers(0, 400),
        st.integers(1, 40),
        st.integers(0, 127),
        st.integers(1, 127),
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda note: note.pitch,  # one key cannot be struck while it is down
)


@settings(deadline=None)
@given(notes)
def test_notes_come_back(played: list[Note]) -> None:
    score = from_notes(played)
    again = table_score(score_table(score, Context()), Context())
    assert again.notes() == score.notes()


def scale(program: int = 0) -> Score:
    """C major, one octave up, half a second a note."""
    return from_notes(
        Note(i / 2, i / 2 + 0.5, pitch, 80, 0, program) for i, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72))
    )


def test_words_say_what_is_there() -> None:
    said = describe_score(scale(40), Context()).text
    assert "lasts 4.0 seconds at 120 beats" in said
    assert "8 notes" in said
    assert "C major; it spans C4 to C5" in said
    assert "violin (8)" in said


def test_names_of_notes_follow_the_key() -> None:
    rows = score_table(from_notes([Note(0, 1, 61, 80), Note(1, 2, 68, 80), Note(2, 3, 65, 80)]), Context()).rows()
    assert [row["name"] for row in rows] == ["Db4", "Ab4", "F4"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"start": 0, "end": 1}, "no column 'pitch'"),
        ({"start": 0, "end": 1, "pitch": 400}, "row 1: pitch is 400"),
        ({"start": 2, "end": 1, "pitch": 60}, "row 1: it starts at 2"),
        ({"start": 0, "end": 1, "pitch": "C4"}, "row 1: pitch is 'C4'"),
    ],
)
def test_rows_that_are_no_notes(row: dict[str, object], said: str) -> None:
    from transpose.media.table import from_rows

    with pytest.raises(DamagedInput, match=said):
        table_score(from_rows([row]), Context())


def test_no_notes() -> None:
    with pytest.raises(SilentInput):
        describe_score(from_notes([]), Context())
