"""Sheet music as pictures, checked through Verovio's own reading of it; and scores in other keys."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.formats.midi import read_midi
from transpose.formats.musicxml import musicxml
from transpose.media.quantise import notate
from transpose.media.score import Note, Score, from_notes, parse
from transpose.transforms.transpose_pitch import transpose_pitch

EXAMPLE = Path(__file__).parents[1] / "examples" / "chorale.mid"
TUNE = [Note(n / 2, n / 2 + 0.5, pitch, 80) for n, pitch in enumerate([60, 62, 64, 65, 67, 69, 71, 72] * 4)]
TRIPLETS = [Note(20 + n / 6, 20 + (n + 1) / 6, 60 + n, 80) for n in range(12)]


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(folder=tmp_path)


def test_verovio_hears_the_same_notes() -> None:
    """An independent reader of our MusicXML: Verovio plays it back with the same pitches and onsets."""
    verovio = pytest.importorskip("verovio")
    made = from_notes([*TUNE, *TRIPLETS, *(Note(n.start, n.end, n.pitch - 24, 70, 1, 40) for n in TUNE)])
    toolkit = verovio.toolkit()
    assert toolkit.loadData(musicxml(notate(made)[0]))
    heard = parse(base64.b64decode(toolkit.renderToMIDI()), "verovio")[0].notes()
    assert sorted((round(n.start, 2), n.pitch) for n in heard) == sorted(
        (round(n.start, 2), n.pitch) for n in made.notes()
    )


def test_a_sheet_is_white_with_black_signs(ctx: Context) -> None:
    pytest.importorskip("verovio")
    from transpose.transforms.sheet import sheet, sheet_pages

    score = read_midi(EXAMPLE, ctx)
    drawn = sheet(score, ctx, width=1000)
    assert drawn.pixels.shape[1:] == (1000, 1)
    ink = (drawn.pixels < 128).mean()
    assert 0.01 < ink < 0.2
    assert (drawn.pixels[:8] == 255).all()
    assert drawn == sheet(score, ctx, width=1000)  # the same every time
    larger = sheet(score, ctx, width=1000, size=1.5)
    assert larger.height > drawn.height
    pages = sheet_pages(from_notes([Note(n, n + 1, 60 + n % 12, 80) for n in range(600)]), ctx, width=600)
    assert pages.length is not None
    assert pages.length > 1
    assert {page.pixels.shape for page in pages} == {(849, 600, 1)}


def test_staff_lines_are_where_the_parts_are(ctx: Context) -> None:
    """Four parts on two systems: forty long black rows."""
    pytest.importorskip("verovio")
    from transpose.transforms.sheet import sheet

    dark = (sheet(read_midi(EXAMPLE, ctx), ctx).pixels[..., 0] < 160).mean(axis=1) > 0.5
    lines = int((np.diff(dark.astype(int)) == 1).sum())
    assert lines == 40


def test_svg_holds_the_history(ctx: Context, tmp_path: Path) -> None:
    pytest.importorskip("verovio")
    from transpose.transforms.sheet import write_sheet_svg

    ctx.history = '{"transpose": "<1>"}'
    write_sheet_svg(read_midi(EXAMPLE, ctx), tmp_path / "x.svg", ctx)
    text = (tmp_path / "x.svg").read_text()
    assert text.startswith("<svg")
    assert "&lt;1&gt;" in text


def test_nothing_to_print(ctx: Context) -> None:
    pytest.importorskip("verovio")
    from transpose.transforms.sheet import sheet

    with pytest.raises(SilentInput):
        sheet(from_notes([]), ctx)


notes = st.lists(
    st.builds(
        lambda start, length, pitch, channel: Note(start / 4, (start + length) / 4, pitch, 80, channel),
        st.integers(0, 40), st.integers(1, 8), st.integers(0, 127), st.sampled_from([0, 9]),
    ),
    min_size=1, max_size=10,
)  # fmt: skip


@given(made=notes.map(from_notes), semitones=st.integers(-48, 48))
@settings(deadline=None)
def test_every_note_moves_alike(made: Score, semitones: int) -> None:
    moved = transpose_pitch(made, Context(), semitones=semitones)
    for before, after in zip(made.tracks, moved.tracks, strict=True):
        for one, other in zip(before, after, strict=True):
            if one.type == "note_on" and one.channel != 9:
                assert (other.note - one.note - semitones) % 12 == 0
                assert 0 <= other.note <= 127
            else:
                assert one.type == other.type
                assert one.time == other.time


def test_keys_follow_and_come_back(ctx: Context) -> None:
    score = read_midi(EXAMPLE, ctx)
    up = transpose_pitch(score, ctx, semitones=3)
    assert [n.pitch - 3 for n in up.notes()] == [n.pitch for n in score.notes()]
    keys = [[m.key for track in each.tracks for m in track if m.type == "key_signature"] for each in (score, up)]
    assert keys[0] != keys[1] or not keys[0]
    assert transpose_pitch(up, ctx, semitones=-3) == score
    with pytest.raises(SilentInput):
        transpose_pitch(from_notes([]), ctx)
