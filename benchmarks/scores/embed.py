"""How good `embed` is: whether the vector of a question is nearest to that of its answer, beside counting words."""

from __future__ import annotations

import math
import re
import resource
import time
from collections import Counter

from transpose.core.context import Context
from transpose.evaluate.measures import pairs, recall
from transpose.media.embedding import Embedding
from transpose.media.text import Text
from transpose.transforms.embed import embed


def score(ctx: Context) -> dict[str, object]:
    """Share of questions whose own answer is the nearest of forty, and seconds for 1,000 characters."""
    embed([Text("Warm.")], ctx)
    texts = [Text(text) for pair in pairs() for text in pair]
    began = time.perf_counter()
    vectors = [each.vector for each in embed(texts, ctx) if isinstance(each, Embedding)]
    seconds = (time.perf_counter() - began) / sum(len(text.text) for text in texts) * 1000
    right = recall(vectors[::2], vectors[1::2], lambda a, b: float(a @ b))
    return {
        "metric": "recall at 1",
        "value": round(right, 3),
        "quality": round(right, 3),
        "data": f"{len(vectors) // 2} questions, each with its answer among all; counting words finds {by_words():.3f}",
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(seconds, 4),
        "unit": "1000 characters",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def by_words() -> float:
    """The same share with the cosine of tf-idf word counts: what can be had without a model."""
    counts = [[Counter(re.findall(r"\w+", text.lower())) for text in pair] for pair in pairs()]
    seen = Counter(word for pair in counts for each in pair for word in each)
    total = 2 * len(counts)
    weigh = [[{w: n * math.log(total / seen[w]) for w, n in each.items()} for each in pair] for pair in counts]
    return recall([pair[0] for pair in weigh], [pair[1] for pair in weigh], _cosine)


def _cosine(a: dict[str, float], b: dict[str, float]) -> float:
    norms = math.sqrt(sum(x * x for x in a.values()) * sum(x * x for x in b.values()))
    return sum(x * b.get(word, 0.0) for word, x in a.items()) / norms if norms else 0.0
