"""Finding notes: how they are made of likelihoods, and what the real network finds in sounds whose notes are known."""

from __future__ import annotations

import numpy as np
import pytest

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.media.audio import Audio
from transpose.media.score import Note, Score, from_notes
from transpose.models.additive import sing
from transpose.models.basic_pitch import AROUND, HOP, RATE, STRETCH, Heard, Taste, decode
from transpose.models.basic_pitch import notes as made_of
from transpose.transforms.notes import notes
from transpose.transforms.play import play

SCALE = [Note(0.25 + 0.5 * n, 0.7 + 0.5 * n, 60 + step, 100) for n, step in enumerate((0, 2, 4, 5, 7, 9, 11, 12))]


def heard_of(written: list[tuple[int, int, int]], frames: int) -> Heard:
    """Likelihoods as a perfect network would give them for notes (first frame, end, key)."""
    sounding, beginning = np.zeros((frames, 88), np.float32), np.zeros((frames, 88), np.float32)
    for start, end, key in written:
        sounding[start:end, key] = 0.9
        beginning[start, key] = 0.9
    return Heard(sounding, beginning)


def right(written: list[Note], found: Score) -> float:
    """Share of notes written that were found with their pitch within 50 ms, less the share of false ones."""
    pairs = [(note.pitch, note.start) for note in found.notes()]
    hits = sum(any(p == note.pitch and abs(at - note.start) <= 0.05 for p, at in pairs) for note in written)
    return 2 * hits / (len(written) + len(pairs))


def test_notes_of_clear_likelihoods_are_exact() -> None:
    written = sorted([(0, 30, 40), (10, 40, 44), (30, 60, 40), (70, 100, 0), (70, 99, 87)])
    assert [note[:3] for note in decode(heard_of(written, 100), Taste())] == written


def test_short_faint_and_far_notes_are_left_out() -> None:
    heard = heard_of([(5, 10, 40), (20, 60, 50), (20, 60, 10)], 80)
    assert [note[:3] for note in decode(heard, Taste(low=40))] == [(20, 60, 50)]
    faint = Heard(heard.sounding * 0.3, heard.beginning * 0.3)
    assert decode(faint, Taste()) == []


def test_a_gap_is_bridged_and_a_note_without_beginning_is_found() -> None:
    heard = heard_of([(10, 60, 30)], 100)
    heard.sounding[30:38, 30] = 0
    heard.sounding[70:95, 60] = 0.8
    assert [note[:3] for note in decode(heard, Taste())] == [(10, 60, 30), (70, 95, 60)]


def test_stretches_give_what_the_whole_gives() -> None:
    draw = np.random.default_rng(1)
    frames = 3 * STRETCH + AROUND + 77
    starts = np.sort(draw.integers(0, frames - 60, 2000))
    heard = heard_of([(int(s), int(s) + int(draw.integers(15, 50)), int(draw.integers(0, 88))) for s in starts], frames)
    pieces = [Heard(heard.sounding[at : at + 141], heard.beginning[at : at + 141]) for at in range(0, frames, 141)]
    whole = [(round(s * HOP / RATE, 6), key + 21) for s, _, key, _ in decode(heard, Taste())]
    assert sorted((round(note.start, 6), note.pitch) for note in made_of(pieces, Taste())) == sorted(whole)
    assert len(whole) > 1000


@pytest.mark.models
def test_a_scale_is_found_wherever_it_stands(models_ctx: Context) -> None:
    for shift in (0.0, 0.813, 1.62):  # across the seams of the network's windows
        moved = [Note(note.start + shift, note.end + shift, note.pitch, 100) for note in SCALE]
        samples = np.concatenate(list(sing(moved, 7.0, RATE)))
        assert right(moved, notes(Audio.from_array(samples * 3, RATE), models_ctx)) > 0.75
    wrong = [Note(note.start, note.end, note.pitch + 1, 100) for note in SCALE]
    assert right(wrong, notes(Audio.from_array(samples * 3, RATE), models_ctx)) < 0.3


@pytest.mark.models
def test_played_and_found_again(models_ctx: Context) -> None:
    written = from_notes(SCALE + [Note(note.start, note.end, note.pitch - 17, 80) for note in SCALE], tempo=90)
    found = notes(play(written, models_ctx), models_ctx, tempo=90)
    assert right(written.notes(), found) > 0.8
    assert {note.program for note in found.notes()} == {0}
    assert models_ctx.facts["tempo"] == "unknown, written as 90"


@pytest.mark.models
def test_silence_and_hiss_hold_no_notes(models_ctx: Context) -> None:
    hiss = np.random.default_rng(0).normal(0, 0.05, 5 * RATE).astype(np.float32)
    for samples in (np.zeros(3 * RATE, np.float32), hiss[:100] * 0, hiss):
        with pytest.raises(SilentInput):
            notes(Audio.from_array(samples, RATE), models_ctx)
