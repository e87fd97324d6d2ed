"""The project's own small sets, and the measures of the field that they are used with: WER, recall, ROUGE."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
HERE = Path(__file__).parent


def pairs() -> list[tuple[str, str]]:
    """Forty questions, each with its answer."""
    found = re.findall(r"^- (.+)\n  (.+)$", (HERE / "questions.md").read_text(encoding="utf-8"), re.MULTILINE)
    return [(question, answer) for question, answer in found]


def recall(questions: Sequence[T], answers: Sequence[T], likeness: Callable[[T, T], float]) -> float:
    """Share of the questions that are most like the answer at their own position."""
    hits = 0
    for number, question in enumerate(questions):
        scores = [likeness(question, answer) for answer in answers]
        hits += scores[number] == max(scores) and scores.count(max(scores)) == 1
    return hits / len(questions)


def documents() -> list[tuple[str, str, str]]:
    """(name, text, reference) of each document of the set."""
    found = re.findall(r"^## (.+)\n(.+)\n> (.+)$", (HERE / "summaries.md").read_text(encoding="utf-8"), re.MULTILINE)
    return [(name, text, reference) for name, text, reference in found]


def rouge(candidate: str, reference: str) -> dict[str, float]:
    """F1 of single words, of pairs of words and of the longest common subsequence."""
    a, b = (re.findall(r"\w+", text.lower()) for text in (candidate, reference))
    pairs = (list(zip(words, words[1:], strict=False)) for words in (a, b))
    return {"rouge1": _overlap(a, b), "rouge2": _overlap(*pairs), "rougeL": _f1(_common(a, b), len(a), len(b))}


def _overlap(a: Sequence[object], b: Sequence[object]) -> float:
    return _f1(sum((Counter(a) & Counter(b)).values()), len(a), len(b))


def _f1(same: int, a: int, b: int) -> float:
    return 2 * same / (a + b) if a + b else 0.0


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for word in a:
        before = row
        row = [0]
        for at, other in enumerate(b):
            row.append(before[at] + 1 if word == other else max(before[at + 1], row[at]))
    return row[-1]
