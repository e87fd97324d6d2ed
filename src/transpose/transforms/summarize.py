"""The main sentences of a text, word for word.

LexRank (Erkan and Radev 2004, "LexRank: Graph-based Lexical Centrality as Salience in Text Summarization"): sentences
are the nodes of a graph, their likeness is the weight of an edge, and the stationary distribution of a random walk on
it says which are central. Likeness here is the cosine of MiniLM vectors instead of word counts, and the walk jumps
more often to the beginning of the text. Sentences are then taken one by one so that each adds something new (maximal
marginal relevance, Carbonell and Goldstein 1998). Nothing is rephrased, so nothing is made up.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import MissingPackage, SilentInput
from transpose.core.transform import Range, transform
from transpose.media.text import Cue, Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

JUMP = 0.15  # chance that the walk jumps; Erkan and Radev's value
LEAD = 0.3  # how much less often it jumps to the last sentence than to the first
SHARPNESS = 2  # power of the cosine; takes the place of their threshold, below which sentences are not linked
NOVELTY = 0.3  # weight of being unlike what was chosen, against being central
MOST = 8000  # sentences that are compared all with all (256 MB); of longer texts each with the whole
LETTERS = 16  # a full sentence has at least as many; headings and "Thank you." have not
ITEM = re.compile(r"\n(?=\s*(?:[-*•–]|\d{1,3}[.)])\s)")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the source: its words in one line, its paragraph, and its time where the source has cues."""

    text: str
    paragraph: int
    cue: Cue | None = None


@transform(
    "text -> text.summary",
    verb=True,
    keeps=["lang", "timed"],
    loses=["detail", "structure", "markup"],
    models=["minilm"],
    needs=["onnxruntime", "tokenizers", "sentencex"],
    extra="local",
    memory_mb=300,
)
def summarize(
    text: Text,
    ctx: Context,
    *,
    sentences: Annotated[int, Range(0, 500), "how many; 0: by ratio"] = 0,
    ratio: Annotated[float, Range(0, 1), "share of the sentences; 0: the square root of their number, at least 3"] = 0,
) -> Text:
    """Keep the most central sentences of a text, in its order and its words.

    Every sentence stands in the source (apart from line breaks and markup); the history notes which ones they are.
    Sentences of a timed text keep their time. Sentences that follow one another stay in one paragraph. A text with no
    more sentences than asked for comes back whole, with a warning. Works best in English, for which the model of
    likeness was trained; another language is warned about. Raises SilentInput where there is no sentence.
    """
    from transpose.media.plain import plain

    lang = text.lang or _language(plain(text))
    found = sentences_of(text, lang)
    if not found:
        raise SilentInput("there is no sentence to summarise", "Give a text with sentences in it")
    wanted = sentences or (round(ratio * len(found)) if ratio else max(3, round(len(found) ** 0.5)))
    wanted = max(1, wanted)
    if len(found) <= wanted:
        ctx.warn(f"the text has only {len(found)} sentences, so all of it is the summary")
        chosen = list(range(len(found)))
    else:
        if lang != "en":
            ctx.warn(f"the summary of a text in {lang!r} is less sure: the model compares English sentences best")
        chosen = sorted(choose(found, wanted, ctx))
    ctx.note("sentences", " ".join(str(number + 1) for number in chosen))
    ctx.note("of", len(found))
    return compose(found, chosen, text.lang)


# -- sentences ---------------------------------------------------------------------------------------------------------


def _language(words: str) -> str:
    """The language by whose rules sentences end, where the text does not say it; English where it cannot be told."""
    from transpose.media.language import SURE, language

    try:
        code, sure = language(words)
    except MissingPackage:
        return "en"
    return code if sure >= SURE else "en"


def sentences_of(text: Text, lang: str) -> list[Sentence]:
    """All sentences of a text in their order, those of a timed text with their times.

    `lang` says how sentences end: sentencex has rules for some 300 languages.
    """
    from sentencex import segment  # type: ignore[import-untyped]

    from transpose.media.plain import plain

    if text.cues:
        return _timed(text.cues, lang)
    found = []
    for number, paragraph in enumerate(re.split(r"\n\s*\n", plain(text))):
        # a line break is a blank, except before an item of a list; in Markdown lines are joined already
        lines = paragraph.split("\n") if text.markup != "plain" else ITEM.split(paragraph)
        for line in lines:
            found += [Sentence(" ".join(each.split()), number) for each in segment(lang, line) if each.strip()]
    return found


def _timed(cues: tuple[Cue, ...], lang: str) -> list[Sentence]:
    """Sentences that run over the cues, from the time of their first word to that of their last."""
    from sentencex import segment

    marks, times, whole = _clock(cues)
    found, at = [], 0
    for each in segment(lang, whole):
        start, at = at, at + len(each)
        words = " ".join(each.split())
        if words:
            first = max(0, bisect_right(marks, start + len(each) - len(each.lstrip())) - 1)
            last = max(first, bisect_right(marks, start + len(each.rstrip()) - 1) - 1)
            found.append(Sentence(words, 0, Cue(times[first][0], max(times[last][1], times[first][0]), words)))
    return found


def _clock(cues: tuple[Cue, ...]) -> tuple[list[int], list[tuple[float, float]], str]:
    """The words of all cues in one line, and for stretches of it (words, else cues) first letter and time."""
    from transpose.media.plain import plain

    marks: list[int] = []
    times: list[tuple[float, float]] = []
    whole = ""
    for cue in cues:
        line = " ".join(plain(Text(cue.text, cues=(cue,))).split())
        at = 0
        marks.append(len(whole))
        times.append((cue.start, cue.words[0].end if cue.words else cue.end))
        for word in cue.words:
            place = line.find(word.text.strip(), at)
            if place >= 0:
                at = place + len(word.text.strip())
                marks.append(len(whole) + place)
                times.append((word.start, word.end))
        whole += line + " "
    return marks, times, whole


# -- choosing ----------------------------------------------------------------------------------------------------------


def choose(found: list[Sentence], wanted: int, ctx: Context) -> list[int]:
    """The numbers of the sentences that say most of the text with the least repetition, best first."""
    import numpy as np

    from transpose.models.minilm import MEMORY_MB, MiniLM

    folder = ctx.model("minilm")
    model = ctx.load("minilm", lambda: MiniLM(folder, ctx.threads), MEMORY_MB)

    def report(done: int, total: int) -> None:
        ctx.progress(done, total, "sentences")

    vectors = model.encode([sentence.text for sentence in found], whole=False, progress=report)
    sizes = np.array([len(sentence.text) for sentence in found])
    fit = np.array([_is_candidate(sentence.text) for sentence in found])
    # a short sentence says little, however central; a heading or question stands behind every full sentence
    scores = centrality(vectors) * np.minimum(1, sizes / np.median(sizes)) * np.where(fit, 1, 0.2)
    return pick(scores / scores.max(), vectors, wanted)


def _is_candidate(words: str) -> bool:
    """Long enough to say something (letters of Chinese, Japanese and Korean count threefold), and no question."""
    letters = sum(3 if letter > "\u2e80" else 1 for letter in words if letter.isalpha())
    return letters >= LETTERS and not words.rstrip("\"'”’»)").endswith(("?", "？"))


def centrality(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Stationary probability of each of n unit vectors (n, d) in the walk, shape (n,), sum 1.

    Beyond `MOST` sentences the likeness of each to the mean of all takes its place, which needs no n x n matrix.
    """
    import numpy as np

    count = len(vectors)
    jump: NDArray[np.float64] = 1 - LEAD * np.arange(count) / max(1, count - 1)
    jump /= jump.sum()
    ranks = jump
    if count > MOST:
        near = np.maximum(vectors @ vectors.mean(axis=0), 1e-6)
        return np.asarray(JUMP * jump + (1 - JUMP) * near / near.sum(), np.float64)
    edges = np.maximum(vectors @ vectors.T, 0) ** SHARPNESS
    np.fill_diagonal(edges, 0)
    edges /= np.maximum(edges.sum(axis=1, keepdims=True), 1e-9)
    for _ in range(100):
        walked = ranks.astype(np.float32) @ edges
        before, ranks = ranks, JUMP * jump + (1 - JUMP) * walked / max(float(walked.sum()), 1e-9)
        if np.abs(ranks - before).sum() < 1e-6:
            break
    return ranks


def pick(scores: NDArray[np.float64], vectors: NDArray[np.float32], wanted: int) -> list[int]:
    """Greedy maximal marginal relevance: numbers of `wanted` sentences, best first. `scores` are 0 to 1."""
    import numpy as np

    chosen: list[int] = []
    nearest = np.zeros(len(scores))
    for _ in range(wanted):
        value = (1 - NOVELTY) * scores - NOVELTY * nearest
        value[chosen] = -np.inf
        best = int(value.argmax())
        chosen.append(best)
        nearest = np.maximum(nearest, vectors @ vectors[best])
    return chosen


def compose(found: list[Sentence], chosen: list[int], lang: str | None) -> Text:
    """The chosen sentences as a text; neighbours in one paragraph of the source stay together."""
    words = ""
    for before, number in zip([None, *chosen], chosen, strict=False):
        if before is not None:
            together = number == before + 1 and found[number].paragraph == found[before].paragraph
            words += " " if together else "\n\n"
        words += found[number].text
    cues = tuple(cue for number in chosen if (cue := found[number].cue))
    return Text(words, lang=lang, cues=cues)
