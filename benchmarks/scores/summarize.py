"""How good `summarize` is: ROUGE against summaries by a person, beside the first sentences, chance and the best choice.

ROUGE-1, -2 and -L are F1 over lower-case words without stemming (Lin 2004, "ROUGE: A Package for Automatic Evaluation
of Summaries"). The reference and every candidate have the same number of sentences. The set is small, by one author,
and the three constants of `summarize` were chosen on it: it shows whether the method works and catches a step back, and
flatters a little. Longer sentences alone score well here, as ROUGE rewards words; so they stand in the table too.
"""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable
from itertools import combinations

from transpose.core.context import Context
from transpose.evaluate.measures import documents, rouge
from transpose.media.text import Text
from transpose.transforms.summarize import sentences_of, summarize

ROUGES = ("rouge1", "rouge2", "rougeL")


def compare(ctx: Context) -> dict[str, dict[str, float]]:
    """Mean ROUGE of each way to choose sentences."""
    ways: dict[str, Callable[[list[str], int, str, str], list[str]]] = {
        "summarize": lambda found, count, text, reference: [
            summarize(Text(text, lang="en"), ctx, sentences=count).text
        ],
        "lead": lambda found, count, text, reference: found[:count],
        "longest": lambda found, count, text, reference: sorted(found, key=len)[-count:],
        "best": _best,
    }
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in (*ways, "chance")}
    for _, text, reference in documents():
        found = [sentence.text for sentence in sentences_of(Text(text), "en")]
        count = len(sentences_of(Text(reference), "en"))
        for name, way in ways.items():
            rows[name].append(rouge(" ".join(way(found, count, text, reference)), reference))
        dice = random.Random(0)
        rows["chance"] += [rouge(" ".join(dice.sample(found, count)), reference) for _ in range(200)]
    return {name: {each: sum(row[each] for row in many) / len(many) for each in ROUGES} for name, many in rows.items()}


def _best(found: list[str], count: int, text: str, reference: str) -> list[str]:
    """The choice with the highest ROUGE-1, which only somebody who knows the reference can make."""
    return list(max(combinations(found, count), key=lambda some: rouge(" ".join(some), reference)["rouge1"]))


def score(ctx: Context) -> dict[str, object]:
    """ROUGE-1 of `summarize`; its quality is where that lies between chance (0) and the best possible choice (1)."""
    summarize(Text("One. Two. Three. Four. Five."), ctx, sentences=1)  # the model is opened before the clock starts
    began = time.perf_counter()
    texts = [Text(text, lang="en") for _, text, _ in documents()]
    for text in texts:
        summarize(text, ctx)
    seconds = (time.perf_counter() - began) / sum(len(text.text) for text in texts) * 1000
    means = compare(ctx)
    ours, chance, best = (means[name]["rouge1"] for name in ("summarize", "chance", "best"))
    others = ", ".join(f"{name} {row['rouge1']:.3f}" for name, row in means.items() if name != "summarize")
    return {
        "metric": "ROUGE-1 F1",
        "value": round(ours, 3),
        "quality": round(max(0.0, (ours - chance) / (best - chance)), 2),
        "data": f"{len(texts)} texts of the project with reference summaries; {others}",
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(seconds, 4),
        "unit": "1000 characters",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
