"""Which language a text is written in, with a probability.

A naive Bayes model over byte n-grams tells 139 languages apart (py3langid: Lui and Baldwin 2012, "langid.py: an
off-the-shelf language identification tool"). Bengali, Thai and other scripts are certain after a few letters; Latin
script needs about five words. What was measured stands in docs/probes-language.md.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.core.errors import MissingPackage

if TYPE_CHECKING:
    from pathlib import Path

    from py3langid.langid import LanguageIdentifier  # type: ignore[import-untyped]

SAMPLE = 4000  # characters: more do not change the answer
# spoken forms that share a written language: their probabilities are added to its own
WRITTEN = {"arz": "ar", "ary": "ar", "apc": "ar", "ajp": "ar", "yue": "zh", "wuu": "zh", "nb": "no", "nn": "no"}
SURE = 0.9  # from here on a probe may be believed without asking


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "py3langid":
            raise
        raise MissingPackage("finding a text's language needs py3langid", "pip install 'transpose-ai[local]'") from None
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def language(text: str) -> tuple[str, float]:
    """The ISO 639-1 code of the language of `text` and its probability (0 to 1).

    ("", 0.0) where there are no letters to judge by. Reads the first 4,000 characters of a longer text.
    Raises MissingPackage without py3langid.
    """
    sample = " ".join(text[:SAMPLE].split())
    if not any(letter.isalpha() for letter in sample):
        return "", 0.0
    shares: dict[str, float] = defaultdict(float)
    for code, probability in _identifier().rank(sample):
        shares[WRITTEN.get(code, str(code))] += float(probability)
    best = max(shares, key=shares.__getitem__)
    return (best, min(1.0, shares[best])) if best != "zxx" else ("", 0.0)  # zxx: not a language


def probe(path: Path, ctx: Context) -> dict[str, float]:
    """The language of a text file, as `{"text@en": .98}`; nothing where there is nothing to judge by."""
    with path.open("rb") as file:
        code, probability = language(file.read(4 * SAMPLE).decode("utf-8", "ignore"))
    return {f"text@{code}": probability} if code else {}
