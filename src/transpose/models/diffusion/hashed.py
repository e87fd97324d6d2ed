"""Words as fixed random vectors: a conditioner that needs no model, for toy worlds and for small closed vocabularies.

Random features by hashing (Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning"): a word that
was never seen has its own vector too, so a new name can be bound to a subject. Words that mean the same are strangers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WORD = re.compile(r"\w+(?:[-']\w+)*")


def hashed_words(captions: Sequence[str], tokens: int, width: int) -> tuple[Floats, Floats]:
    """Captions as condition tokens (n, tokens, width) and a mask (n, tokens), 1 where there is a word.

    A word's vector is drawn from a normal distribution seeded by the word's SHA-256; later words are cut off.
    """
    import numpy as np

    cond = np.zeros((len(captions), tokens, width), np.float32)
    mask = np.zeros((len(captions), tokens), np.float32)
    for row, caption in enumerate(captions):
        words = WORD.findall(caption.lower())[:tokens]
        for place, word in enumerate(words):
            cond[row, place] = _vector(word, width)
        mask[row, : len(words)] = 1
    return cond, mask


@lru_cache(4096)
def _vector(word: str, width: int) -> Floats:
    import numpy as np

    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(width).astype(np.float32)
