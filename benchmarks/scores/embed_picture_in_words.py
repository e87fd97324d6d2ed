"""Whether a caption finds its photograph among others, both placed among texts.

python -m benchmarks.scores embed_picture_in_words
"""

from __future__ import annotations

import resource
import time

import numpy as np

from benchmarks.photos import PHOTOS, image, opened
from transpose.core.context import Context
from transpose.media.embedding import Embedding
from transpose.media.text import Text
from transpose.transforms.embed import embed
from transpose.transforms.embed_picture import embed_picture_in_words


def score(ctx: Context) -> dict[str, str | float]:
    """Recall at 1 of captions among pictures; wall seconds for a picture, peak of memory."""
    samples = [image(opened(photo)) for photo in PHOTOS]
    embed_picture_in_words(samples[0], ctx)  # loads the models
    began = time.perf_counter()
    pictures = np.stack([embed_picture_in_words(sample, ctx).vector for sample in samples])
    seconds = time.perf_counter() - began
    found = embed([Text(photo.caption) for photo in PHOTOS], ctx)
    captions = np.stack([each.vector for each in found if isinstance(each, Embedding)])
    order = np.argsort(-(captions @ pictures.T), axis=1)
    at = [int(np.flatnonzero(row == number)[0]) for number, row in enumerate(order)]
    first, three = (sum(place < most for place in at) / len(at) for most in (1, 3))
    return {
        "metric": "recall at 1",
        "value": round(first, 3),
        "quality": round(first, 3),
        "data": f"{len(at)} captions, each with its photograph among {len(at)} (scikit-image, scikit-learn), half of "
        f"them of what no name fits; among the first three: {three:.3f}",
        "date": "2026-11-21",
        "seconds": round(seconds / len(samples), 3),
        "unit": "picture",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
