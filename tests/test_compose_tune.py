"""Tunes: tokens that always make whole bars, tunes made by rule, and the model that writes what a prompt asks for."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scores.compose_tune import (
    copied,
    density_of,
    ends_at_home,
    key_of,
    line_of,
    measured,
    outside,
    programs_of,
    register_of,
    repetition,
    tempo_of,
)
from recipes.tune_data import held_out, make, make_tune
from transpose.core.context import Context
from transpose.core.errors import DamagedWeights
from transpose.media.score import Score, pack
from transpose.media.text import Text
from transpose.media.wish import Wish, read_wish, say_wish
from transpose.models.tune_tokens import (
    HEAD,
    HIGHEST,
    LONGEST,
    LOWEST,
    METRES,
    NUMBER,
    PLACES,
    SPANS,
    WORDS,
    Bar,
    Grammar,
    Group,
    Tune,
    decode,
    encode,
    heading,
    hints,
    places,
    score_of,
)
from transpose.models.tunes import ACCOMPANIED, SOLO, Order, TuneModel, _Draft, fitness
from transpose.transforms.compose_tune import compose_tune

SEEDS = st.integers(0, 1 << 40)
METRE = st.sampled_from(sorted(METRES))


# -- tokens ------------------------------------------------------------------------------------------------------------


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_a_tune_is_the_same_after_its_tokens(seed: int) -> None:
    _, tune, texture = make_tune(seed)
    tokens = encode(tune)
    assert all(LOWEST <= step <= HIGHEST for bar in tune.bars for group in bar.melody for step in group.pitches)
    assert decode(tokens, tune.metre).bars == tune.bars[-16:]
    grammar = Grammar(tune.metre, min(16, len(tune.bars)), texture == ACCOMPANIED)
    for token in tokens[:-1]:
        grammar.read(token)
    assert grammar.allowed() == [NUMBER["END"]]
    assert max(places(tokens)) < PLACES


@given(METRE, st.integers(1, 16), st.booleans(), SEEDS)
@settings(max_examples=40, deadline=None)
def test_whatever_is_drawn_makes_whole_bars(metre: str, bars: int, accompanied: bool, seed: int) -> None:
    rng = Random(seed)
    grammar, tokens = Grammar(metre, bars, accompanied), list[int]()
    while (allowed := grammar.allowed()) != [NUMBER["END"]]:
        tokens.append(rng.choice(allowed))
        grammar.read(tokens[-1])
    tune = decode(tokens, metre)
    assert len(tune.bars) == bars
    assert all(bool(bar.under) == accompanied for bar in tune.bars)
    assert score_of(tune, Wish(tempo=60.0)).duration == pytest.approx(bars * METRES[metre] / 12)


def test_what_may_not_stand_here_is_refused() -> None:
    grammar = Grammar("3/4", 1, False)
    for word in ("BAR 1", "chord 0", "pitch 0"):
        grammar.read(NUMBER[word])
    for word in ("pitch 0", "pitch -1", "length 42", "END", "UNDER", "REST"):
        with pytest.raises(ValueError, match="cannot stand here"):
            grammar.read(NUMBER[word])
    with pytest.raises(ValueError, match="does not add up"):
        Tune("3/4", (Bar("0", (Group((0,), 24),)),))


@pytest.mark.parametrize("seed", range(4))
def test_a_draft_never_runs_out_of_room(seed: int) -> None:
    """The shortest notes and the fullest chords, sixteen bars long."""
    rng = Random(seed)
    order = Order(Wish(0), "4/4", 16, ACCOMPANIED)
    draft = _Draft(order)
    while not draft.done:
        choices = draft.choices()
        pitches = [choice for choice in choices if WORDS[choice].startswith("pitch")]
        lengths = [choice for choice in choices if choice in SPANS]
        draft.add(pitches[0] if pitches and rng.random() < 0.9 else (lengths or choices)[0])
    assert len(draft.tokens) <= LONGEST
    assert len(draft.tune().bars) == 16


def test_hints_are_what_came_there_before() -> None:
    groups = (Group((0,), 12), Group((4, 7), 12), Group((), 12))
    tokens = encode(Tune("3/4", (Bar("0", groups), Bar("5", groups[::-1]), Bar("0", groups), Bar("0", groups))))
    told = hints(tokens)
    assert told[0] == (0, 0, 0, 0)
    second = tokens.index(NUMBER["BAR 3"])
    assert [WORDS[told[second + step][0]] for step in (0, 1)] == ["chord 0", "pitch 0"]
    last = tokens.index(NUMBER["BAR 1"])
    for at in range(last, len(tokens) - 2):  # the bar before the last is the same
        assert told[at][0] == tokens[at + 1]
    assert any(told[at][1] not in (0, tokens[at + 1]) for at in range(last, len(tokens) - 2))


def test_the_heading_says_no_more_than_is_known() -> None:
    assert len(heading(Wish(), None, "4/4")) == HEAD
    words = [WORDS[token] for token in heading(Wish(42, 66.0, 2, True), SOLO, "3/4")]
    assert words[:4] == ["family=5", "speed=1", "minor=True", "register=?"]
    assert words[4:] == ["density=?", "style=?", "mood=?", "texture=solo", "metre=3/4"]
    assert heading(Wish(42, 66.0, 2), SOLO, "3/4") == heading(Wish(43, 70.0, 9), SOLO, "3/4")


def test_the_score_has_the_wished_key_tempo_and_instrument() -> None:
    held = (Group((), 12, held=True), Group((4,), 24))
    tune = Tune(
        "3/4", (Bar("0", (Group((0,), 12), Group((), 12), Group((7,), 12))), Bar("0", held, (Group((-12,), 36),)))
    )
    score = score_of(tune, Wish(42, 90.0, 2, True), texts=["für Elise"])
    notes = sorted((note.start * 1.5, note.end * 1.5, note.pitch) for note in score.notes())
    assert [(round(a, 3), round(b, 3), pitch) for a, b, pitch in notes] == [
        (0, 1, 62),
        (2, 4, 69),
        (3, 6, 50),
        (4, 6, 66),
    ]
    assert programs_of(score) == {42}
    assert tempo_of(score) == pytest.approx(90, rel=1e-4)
    marks = [message for message in score.tracks[0] if message.type in ("time_signature", "key_signature")]
    assert (marks[0].numerator, marks[0].denominator, marks[1].key) == (3, 4, "Dm")
    assert score.texts() == ["für Elise"]


# -- tunes made by rule ------------------------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_tune() -> None:
    one, other = make(7), make(7)
    assert one[0] == other[0]
    assert pack(one[1]) == pack(other[1]) != pack(make(8)[1])
    assert make(7, seconds=10)[1] == make(7, seconds=10)[1]


def test_combinations_are_held_out() -> None:
    test = [make_tune(seed, split="test")[0] for seed in range(40)]
    train = [make_tune(seed, split="train")[0] for seed in range(40)]
    assert all(map(held_out, test))
    assert not any(map(held_out, train))
    assert 0.05 < sum(held_out(make_tune(seed)[0]) for seed in range(300)) / 300 < 0.17


def test_tunes_are_what_their_captions_say() -> None:
    wishes, scores = zip(*(make(seed) for seed in range(150)), strict=True)
    found = measured(wishes, scores, ["4/4"] * 150)
    assert found["instrument"] == found["tempo"] == found["register"] == 1
    assert found["density"] > 0.95
    assert found["key"] > 0.7 > 0.2 > found["key against another caption"]
    assert found["outside the scale"] < 0.01
    assert found["ends on the tonic"] > 0.9
    for number, wish in enumerate(wishes):
        assert read_wish(say_wish(wish, Random(number))) == wish


def test_a_clip_lasts_as_long_as_was_said() -> None:
    for seed in range(30):
        wish, score = make(seed, seconds=10)
        assert max(note.end for note in score.notes()) == pytest.approx(10, abs=0.02)
        assert key_of(score)[0] in range(12)
        assert programs_of(score) == {wish.instrument}


def test_pieces_of_the_corpus_are_whole_bars() -> None:
    pytest.importorskip("music21")
    from recipes.tune_corpus import PIECES, excerpts

    found = excerpts()
    assert {piece.style for piece in PIECES} == {wish.style for wish, _, _ in found}
    for _, tune, texture in found:
        assert decode(encode(tune), tune.metre) == tune
        assert (texture == ACCOMPANIED) == bool(tune.bars[0].under)


def test_measures_can_fail() -> None:
    """Negative controls: a wrong key, a wrong wish, a copy, a tune that repeats nothing."""
    wish, score = make(3)
    other = replace(wish, root=((wish.root or 0) + 6) % 12)
    assert outside(score, wish) < 0.01 < 0.3 < outside(score, other)
    assert ends_at_home(score, wish)
    assert not ends_at_home(score, other)
    lines = [line_of(make(seed)[1]) for seed in range(60)]
    assert copied(lines[:20], lines) > 0.3
    assert copied(lines[:20], lines[20:]) < 0.1
    _, tune, _ = make_tune(3)
    assert fitness(tune, wish) > fitness(tune, replace(wish, minor=not wish.minor))
    assert fitness(tune, wish) > fitness(tune, replace(wish, register="low" if wish.register == "high" else "high"))


# -- the model ---------------------------------------------------------------------------------------------------------


def composed(ctx: Context, prompt: str, **options: int | float | str) -> Score:
    score = compose_tune(Text(prompt), ctx, **options)
    assert isinstance(score, Score)
    return score


@pytest.mark.models
def test_a_prompt_becomes_a_tune(models_ctx: Context) -> None:
    began = time.perf_counter()
    score = composed(models_ctx, "slow sad cello in d minor", bars=8)
    spent = time.perf_counter() - began
    assert programs_of(score) == {42}
    assert tempo_of(score) == pytest.approx(66, rel=1e-3)
    assert score.duration == pytest.approx(32 * 60 / 66, rel=1e-3)
    assert spent < score.duration
    assert key_of(score) == (2, True)
    assert models_ctx.facts["key"] == "D minor"
    assert "not asked for" not in models_ctx.facts


@pytest.mark.models
def test_the_same_seed_writes_the_same_tune(models_ctx: Context) -> None:
    prompt = "happy flute melody in g major"
    first = composed(models_ctx, prompt, bars=4, drafts=2)
    assert composed(models_ctx, prompt, bars=4, drafts=2) == first
    models_ctx.seed = 1
    assert composed(models_ctx, prompt, bars=4, drafts=2) != first


@pytest.mark.models
def test_keys_are_heard_in_the_notes(models_ctx: Context) -> None:
    prompts = [
        f"piano melody in {key}" for key in ("c major", "e minor", "Ab major", "f# minor", "Bb major", "g minor")
    ]
    keys = [read_wish(prompt) for prompt in prompts]
    found = [key_of(composed(models_ctx, prompt, bars=8)) for prompt in prompts]
    right = sum((key.root, key.minor) == each for key, each in zip(keys, found, strict=True))
    wrong = sum((key.root, key.minor) == each for key, each in zip(keys, found[1:] + found[:1], strict=True))
    assert right >= 4
    assert wrong <= 1


@pytest.mark.models
def test_length_metre_and_accompaniment_are_as_asked(models_ctx: Context) -> None:
    score = composed(models_ctx, "piano waltz at 120 bpm", seconds=9.0, drafts=1, accompaniment="no")
    assert score.duration == pytest.approx(9.0)
    assert {note.channel for note in score.notes()} == {0}
    long = composed(models_ctx, "organ at 120 bpm", bars=33, metre="2/4", drafts=1, accompaniment="yes")
    assert long.duration == pytest.approx(33)
    assert {note.channel for note in long.notes()} == {0, 1}


@pytest.mark.models
def test_register_and_density_are_heard(models_ctx: Context) -> None:
    high, low = (composed(models_ctx, f"{word} piano melody", bars=8, drafts=1) for word in ("high", "low"))
    assert register_of(high) != register_of(low)
    busy = composed(models_ctx, "busy piano melody at 80 bpm", bars=8, drafts=1)
    sparse = composed(models_ctx, "sparse piano melody at 80 bpm", bars=8, drafts=1)
    assert len(busy.notes()) > len(sparse.notes())
    assert density_of(busy) != density_of(sparse)
    assert repetition(busy, "4/4") < 1


@pytest.mark.models
def test_words_that_say_nothing_are_named(models_ctx: Context) -> None:
    composed(models_ctx, "a red fox", bars=2, drafts=1)
    assert "'red', 'fox' say nothing" in models_ctx.warnings[0]
    assert models_ctx.facts["not asked for"] == "instrument, tempo, root, minor"


def test_a_damaged_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "tunes.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(DamagedWeights, match="cannot be opened"):
        TuneModel(tmp_path)


def test_one_step_is_the_network(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    import numpy as np

    from transpose.learn.tune_network import TuneNetwork, export

    torch.manual_seed(0)
    network = TuneNetwork(32, 2, 2).eval()
    export(network, tmp_path / "tunes.onnx")
    _, tune, _ = make_tune(5)
    tokens = encode(tune)[:40]
    with torch.no_grad():
        parts = [torch.tensor([part]) for part in (tokens, places(tokens), hints(tokens))]
        whole = network(*parts)[0].numpy()
    model = TuneModel(tmp_path)
    past = np.zeros((LONGEST, model.depth, 2, 1, model.heads, model.width), np.float32)
    for at in range(len(tokens)):
        feeds = {
            name: part[:, at : at + 1].numpy() for name, part in zip(("token", "place", "hints"), parts, strict=True)
        }
        feeds |= {"position": np.array([at]), "past": past[:at]}
        logits, past[at : at + 1] = model.session.run(None, feeds)
        np.testing.assert_allclose(logits[0], whole[at], atol=5e-3)
