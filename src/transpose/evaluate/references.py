"""Scores of a user's own models, from the project's small sets: they tell the planner how good these are.

A speech recogniser hears sentences that `speak` says, a voice is heard by `transcribe` (so each carries the errors of
the other), an encoder has to find answers, a summariser is compared with summaries by a person.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

from transpose.core.catalog import Catalog
from transpose.core.context import Context
from transpose.core.transform import Transform
from transpose.evaluate.measures import documents, pairs, recall, rouge
from transpose.evaluate.sentences import SENTENCES, word_error_rate

SPOKEN = 20  # sentences; all forty take twice as long and say the same
CHANCE, BEST = 0.259, 0.471  # ROUGE-1 on the set: sentences by chance, and the best choice of sentences

Measured = tuple[str, float, float, str, float, str]  # metric, value, quality, data, units, name of the unit


def hear(item: Transform, catalog: Catalog, ctx: Context) -> Measured:
    """WER on sentences spoken by `speak`."""
    from transpose.media.text import Text

    sounds = [catalog["speak"].function(Text(each, lang="en"), ctx) for each in SENTENCES[:SPOKEN]]
    rate = word_error_rate(
        [(wanted, item.function(s, ctx, lang="en").text) for wanted, s in zip(SENTENCES, sounds, strict=False)]
    )
    minutes = sum(sound.duration for sound in sounds) / 60
    return "WER of speak -> this", rate, 1 - rate, f"{SPOKEN} English sentences", minutes, "minute of sound"


def speak(item: Transform, catalog: Catalog, ctx: Context) -> Measured:
    """WER of what `transcribe` hears."""
    from transpose.media.text import Text

    said = [(each, item.function(Text(each, lang="en"), ctx)) for each in SENTENCES[:SPOKEN]]
    rate = word_error_rate([(each, catalog["transcribe"].function(s, ctx, lang="en").text) for each, s in said])
    letters = sum(map(len, SENTENCES[:SPOKEN])) / 1000
    return "WER of this -> transcribe", rate, 1 - rate, f"{SPOKEN} English sentences", letters, "1000 characters"


def embed(item: Transform, catalog: Catalog, ctx: Context) -> Measured:
    """Recall at 1 of forty answers."""
    from transpose.media.text import Text

    asked = pairs()
    vectors = [each.vector for each in item.function([Text(text) for pair in asked for text in pair], ctx)]
    found = recall(vectors[::2], vectors[1::2], lambda a, b: float(a @ b))
    letters = sum(len(text) for pair in asked for text in pair) / 1000
    return "recall at 1", found, found, f"{len(asked)} questions, each with its answer", letters, "1000 characters"


def summarize(item: Transform, catalog: Catalog, ctx: Context) -> Measured:
    """ROUGE-1 with summaries by a person; quality 0 is chance, 1 the best choice of sentences."""
    from transpose.media.text import Text

    found = []
    for _, text, reference in documents():
        told = {"words": max(10, len(reference.split()))}
        made = item.function(Text(text, lang="en"), None, ctx, **told)
        found.append(rouge(made.text, reference)["rouge1"])
    mean = sum(found) / len(found)
    letters = sum(len(text) for _, text, _ in documents()) / 1000
    quality = min(1.0, max(0.0, (mean - CHANCE) / (BEST - CHANCE)))
    return "ROUGE-1 F1", mean, quality, f"{len(found)} texts with summaries by a person", letters, "1000 characters"


REFERENCES: dict[str, Callable[[Transform, Catalog, Context], Measured]] = {
    "transcribe": hear,
    "speak": speak,
    "embed": embed,
    "summarize": summarize,
}


def score(item: Transform, catalog: Catalog, ctx: Context) -> dict[str, Any]:
    """An entry as in scores.json. Raises KeyError for what there is no set for, and what the transform raises."""
    begin = time.perf_counter()
    metric, value, quality, data, units, unit = REFERENCES[item.does](item, catalog, ctx)
    spent = time.perf_counter() - begin
    return {
        "metric": metric,
        "value": round(value, 4),
        "quality": round(min(1.0, max(0.0, quality)), 3),
        "data": data,
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(spent / max(units, 1e-6), 3),
        "unit": unit,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def measurable(item: Transform) -> bool:
    """Whether there is a set for it, and it is one of the user's own models."""
    return bool(item.bound) and item.does in REFERENCES
