"""Long cues as readable subtitles: where to divide them, and into which lines.

Limits of Netflix' "Timed Text Style Guide: General Requirements": 2 lines of 42 characters, 5/6 to 7 seconds each;
lines are broken after punctuation where that is possible. The division is the cheapest one by dynamic programming.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate, pairwise

from transpose.media.text import Cue, Word

WIDTH = 42  # characters in a line
LINES = 2
SHORTEST, LONGEST = 5 / 6, 7.0  # seconds
PAUSE = 0.5  # seconds of silence that are a good place to divide


def readable(cue: Cue) -> list[Cue]:
    """The cue as one or several that can be read at a glance.

    A cue with word times is divided at words, one that is too long and has none at times in proportion to its letters.
    A cue without word times that fits stays as it is, also its line breaks.
    """
    if not cue.words and len(cue.text) <= WIDTH * LINES:
        return [cue]
    words = _placed(cue) if cue.words else _estimated(cue)
    if not words:
        return [cue]
    run = _Run(words)
    cues = [run.cue(start, end) for start, end in pairwise(run.cuts())]
    return [_lengthen(each, following.start) for each, following in pairwise(cues)] + cues[-1:]


def _lengthen(cue: Cue, limit: float) -> Cue:
    """A cue that is shorter than 5/6 s stays on until then, or until the next one begins."""
    return replace(cue, end=max(cue.end, min(cue.start + SHORTEST, limit)))


def _placed(cue: Cue) -> list[Word]:
    """The words with the blanks and punctuation of the cue's own text, so that joining them gives it back."""
    text, at = " ".join(cue.text.split()), 0
    placed: list[Word] = []
    for word in cue.words:
        bare = " ".join(word.text.split())
        found = text.find(bare, at)
        if found < 0:  # the words are not those of the text: then they are the better witness
            return [replace(word, text=f" {word.text.strip()}") for word in cue.words if word.text.strip()]
        between = text[at:found]
        if placed:  # what stands between, up to a blank, belongs to the word before
            tail = re.match(r"\S*", between)
            kept = tail.group() if tail else ""
            placed[-1] = replace(placed[-1], text=placed[-1].text + kept)
            between = between[len(kept) :]
        placed.append(replace(word, text=between + bare))
        at = found + len(bare)
    if placed:
        placed[-1] = replace(placed[-1], text=placed[-1].text + text[at:])
    return placed


def _estimated(cue: Cue) -> list[Word]:
    """Words with times in proportion to their letters; a script without blanks is cut into runs of ten characters."""
    pieces: list[str] = []
    for number, token in enumerate(cue.text.split()):
        runs = [token] if len(token) <= WIDTH else [token[at : at + 10] for at in range(0, len(token), 10)]
        pieces += [(" " if number and not place else "") + run for place, run in enumerate(runs)]
    marks = list(accumulate(map(len, pieces), initial=0))
    times = [cue.start + (cue.end - cue.start) * mark / marks[-1] for mark in marks]
    return [Word(start, end, piece) for piece, (start, end) in zip(pieces, pairwise(times), strict=True)]


class _Run:
    """Words in a row, each with the blank before it, and what it costs to show a stretch of them as one subtitle."""

    def __init__(self, words: list[Word]) -> None:
        self.words = words
        self.sums = list(accumulate((len(word.text) for word in words), initial=0))

    def text(self, start: int, end: int) -> str:
        """The words from `start` to before `end`."""
        return "".join(word.text for word in self.words[start:end]).strip()

    def length(self, start: int, end: int) -> int:
        """Characters of a stretch, without the blank before its first word."""
        return self.sums[end] - self.sums[start] - self.words[start].text.startswith(" ")

    def cue(self, start: int, end: int) -> Cue:
        """One subtitle of these words, in one line or two."""
        at = self.fold(start, end) if self.length(start, end) > WIDTH else 0
        lines = f"{self.text(start, at)}\n{self.text(at, end)}" if at else self.text(start, end)
        return Cue(self.words[start].start, self.words[end - 1].end, lines, tuple(self.words[start:end]))

    def cuts(self) -> list[int]:
        """The cheapest division: where each subtitle begins, and the number of words; O(n)."""
        best: list[tuple[float, int]] = [(0.0, 0)]
        for end in range(1, len(self.words) + 1):
            choices = [(best[end - 1][0] + self.cost(end - 1, end), end - 1)]
            for start in range(end - 2, -1, -1):
                if self.length(start, end) > WIDTH * LINES:
                    break
                if self.fits(start, end):
                    choices.append((best[start][0] + self.cost(start, end), start))
            best.append(min(choices))
        cuts = [len(self.words)]
        while cuts[-1]:
            cuts.append(best[cuts[-1]][1])
        return cuts[::-1]

    def fits(self, start: int, end: int) -> bool:
        """Whether the stretch can be shown at once."""
        if self.words[end - 1].end - self.words[start].start > LONGEST:
            return False
        return self.length(start, end) <= WIDTH or self.fold(start, end) > 0

    def fold(self, start: int, end: int) -> int:
        """The word that begins the second line: after punctuation, else in the middle; 0 where no break fits."""
        whole = self.length(start, end)
        best, at = 2.0, 0
        for middle in range(start + 1, end):
            first, second = self.length(start, middle), self.length(middle, end)
            if first > WIDTH:
                break
            if second <= WIDTH:
                score = 0.4 * _roughness(self.words[middle - 1].text) + abs(first - second) / whole
                best, at = min((best, at), (score, middle))
        return at

    def cost(self, start: int, end: int) -> float:
        """Each subtitle costs 1; so does an end in the middle of a phrase, and being too short to read."""
        first, last = self.words[start], self.words[end - 1]
        cost = 1.0 + _roughness(last.text)
        if end < len(self.words) and self.words[end].start - last.end >= PAUSE:
            cost -= 0.8
        cost += 0.8 * max(0.0, 1 - (last.end - first.start) / SHORTEST)
        return cost + 0.3 * max(0.0, 1 - self.length(start, end) / WIDTH)


@lru_cache(maxsize=4096)
def _roughness(word: str) -> float:
    """How bad it is to divide after this word: 0 at a sentence's end, 1 inside a phrase."""
    tail = word.rstrip("\"'”’»)]")[-1:]
    if tail and tail in ".!?…。！？":
        return 0.0
    return 0.4 if tail and tail in ",;:、，；：—–" else 1.0
