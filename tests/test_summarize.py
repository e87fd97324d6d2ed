"""Summaries: every sentence is from the source, in its order, with its time."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.scores import summarize as scoring
from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.evaluate.measures import documents, rouge
from transpose.media.text import Cue, Text, Word
from transpose.transforms.summarize import centrality, pick, sentences_of, summarize

NEWS = next(text for name, text, _ in documents() if name == "ferry")


def test_sentences_end_where_the_language_ends_them() -> None:
    text = Text("Dr. Smith paid $3.50 at 5 p.m. He left.\n\nIt was late, see Fig. 3.\nNext line goes on.")
    found = [sentence.text for sentence in sentences_of(text, "en")]
    assert found == ["Dr. Smith paid $3.50 at 5 p.m.", "He left.", "It was late, see Fig. 3.", "Next line goes on."]
    german = sentences_of(Text("Am 3. Mai kam z. B. Herr Dr. Müller. Er blieb."), "de")
    assert [sentence.text for sentence in german] == ["Am 3. Mai kam z. B. Herr Dr. Müller.", "Er blieb."]


def test_headings_and_items_are_sentences_of_their_own() -> None:
    text = Text("# Plan\n\nWe meet at\nnoon. Bring:\n\n- bread\n- cheese", "markdown")
    assert [sentence.text for sentence in sentences_of(text, "en")] == [
        "Plan",
        "We meet at noon.",
        "Bring:",
        "bread",
        "cheese",
    ]


def test_sentences_over_cues_have_the_times_of_their_words() -> None:
    words = (Word(0, 0.4, "One"), Word(0.4, 1, "sentence."), Word(1.2, 2, "Another"))
    cues = (Cue(0, 2, "One sentence. Another", words), Cue(2, 4, "ends here. And a third."))
    found = sentences_of(Text("", cues=cues), "en")
    assert [sentence.cue for sentence in found] == [
        Cue(0, 1, "One sentence."),
        Cue(1.2, 4, "Another ends here."),
        Cue(2, 4, "And a third."),
    ]


def test_the_walk_finds_the_centre() -> None:
    """Four vectors near one another and one that is alone; and without an edge, the jump alone decides."""
    rows = np.array([[1, 0.1, 0], [1, 0, 0.1], [1, 0, 0], [0.9, 0.1, 0.1], [0, 0, 1]], np.float32)
    ranks = centrality(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    assert ranks.sum() == pytest.approx(1)
    assert ranks.argmin() == 4
    alone = centrality(np.eye(4, dtype=np.float32))
    assert list(alone.argsort()) == [3, 2, 1, 0]


def test_a_repetition_is_not_chosen_twice() -> None:
    rows = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    assert pick(np.array([1.0, 0.99, 0.7]), rows, 2) == [0, 2]


def test_nothing_to_summarise() -> None:
    with pytest.raises(SilentInput):
        summarize(Text("\n"), Context())


def test_a_short_text_comes_back_whole_and_says_so() -> None:
    ctx = Context()
    assert summarize(Text("One thing. Another thing.", lang="en"), ctx).text == "One thing. Another thing."
    assert "only 2 sentences" in ctx.warnings[0]
    assert ctx.facts == {"sentences": "1 2", "of": 2}


def test_rouge_can_fail() -> None:
    assert rouge("the cat sat", "the cat sat") == {"rouge1": 1, "rouge2": 1, "rougeL": 1}
    assert rouge("a b c", "x y z") == {"rouge1": 0, "rouge2": 0, "rougeL": 0}
    assert rouge("c b a", "a b c") == {"rouge1": 1, "rouge2": 0, "rougeL": pytest.approx(1 / 3)}


@pytest.mark.models
@pytest.mark.parametrize(("options", "count"), [({"sentences": 4}, 4), ({"ratio": 0.5}, 6), ({}, 3)])
def test_every_sentence_is_from_the_source_in_its_order(
    models_ctx: Context, options: dict[str, float], count: int
) -> None:
    summary = summarize(Text(NEWS), models_ctx, **options)
    found = [sentence.text for sentence in sentences_of(Text(summary.text), "en")]
    assert len(found) == count
    places = [NEWS.index(sentence) for sentence in found]
    assert places == sorted(places)
    source = [sentence.text for sentence in sentences_of(Text(NEWS), "en")]
    noted = [source[int(number) - 1] for number in str(models_ctx.facts["sentences"]).split()]
    assert noted == found
    assert models_ctx.warnings == []


@pytest.mark.models
def test_a_timed_text_keeps_its_times(models_ctx: Context) -> None:
    source = [sentence.text for sentence in sentences_of(Text(NEWS), "en")]
    cues = tuple(Cue(n * 5.0, n * 5.0 + 4, sentence) for n, sentence in enumerate(source))
    summary = summarize(Text(NEWS, lang="en", cues=cues), models_ctx, sentences=3)
    assert len(summary.cues) == 3
    assert set(summary.cues) <= set(cues)
    assert summary.facets() == {"lang": "en", "timed": "yes"}


@pytest.mark.models
def test_better_than_chance_and_the_first_sentences(models_ctx: Context) -> None:
    means = scoring.compare(models_ctx)
    assert means["summarize"]["rouge1"] > means["lead"]["rouge1"] > means["chance"]["rouge1"] - 0.03
    assert means["summarize"]["rouge1"] > means["chance"]["rouge1"] + 0.05
    assert means["best"]["rouge1"] > means["summarize"]["rouge1"]


@pytest.mark.models
def test_another_language_is_said(models_ctx: Context) -> None:
    text = Text("Der Fluss stieg in der Nacht. Das Dorf wurde geräumt. Niemand kam zu Schaden. Es war spät.", lang="de")
    summarize(text, models_ctx, sentences=2)
    assert "'de'" in models_ctx.warnings[0]
