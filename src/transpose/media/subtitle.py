"""Long cues as readable subtitles: where to divide them, and into which lines.

Limits of Netflix' "Timed Text Style Guide: General Requirements": 2 lines of 42 characters, 5/6 to 7 seconds each;
lines are broken after punctuation where that is possible. The division is the cheapest one by dynamic programming.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

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
    cuts = _cuts(words)
    parts = [words[start:end] for start, end in zip(cuts, cuts[1:], strict=False)]
    cues = [Cue(part[0].start, part[-1].end, _lines(part), tuple(part)) for part in parts]
    return [_lengthen(each, following.start) for each, following in zip(cues, cues[1:], strict=False)] + cues[-1:]


def _lengthen(cue: Cue, limit: float) -> Cue:
    """A cue that is shorter than 5/6 s stays on until then, or until the next one begins."""
    end = max(cue.end, min(cue.start + SHORTEST, limit))
    return replace(cue, end=end)


def _placed(cue: Cue) -> list[Word]:
    """The words with the blanks and punctuation of the cue's own text, so that joining them gives it back."""
    text, at = cue.text, 0
    placed: list[Word] = []
    for word in cue.words:
        found = text.find(word.text.strip(), at)
        if found < 0:  # the words are not those of the text: then they are the better witness
            return [word for word in _spaced(cue.words) if word.text.strip()]
        if placed:
            placed[-1] = replace(placed[-1], text=placed[-1].text + text[at:found].rstrip())
        gap = " " if found > at and text[found - 1].isspace() and placed else text[at:found].lstrip() if not placed else ""
        at = found + len(word.text.strip())
        placed.append(replace(word, text=gap + word.text.strip()))
    if placed:
        placed[-1] = replace(placed[-1], text=placed[-1].text + text[at:].rstrip())
    return placed


def _spaced(words: tuple[Word, ...]) -> list[Word]:
    """Words with a blank before them unless some already have theirs."""
    if any(word.text[:1].isspace() for word in words):
        return list(words)
    return [replace(word, text=f" {word.text}") for word in words]


def _estimated(cue: Cue) -> list[Word]:
    """Words with times in proportion to their letters; a script without blanks is cut into runs of ten characters."""
    pieces: list[str] = []
    for number, token in enumerate(cue.text.split()):
        runs = [token] if len(token) <= WIDTH else [token[at : at + 10] for at in range(0, len(token), 10)]
        pieces += [(" " if number and not place else "") + run for place, run in enumerate(runs)]
    total, done, words = sum(map(len, pieces)), 0, []
    for piece in pieces:
        start = cue.start + (cue.end - cue.start) * done / total
        done += len(piece)
        words.append(Word(start, cue.start + (cue.end - cue.start) * done / total, piece))
    return words


def _cuts(words: list[Word]) -> list[int]:
    """Where to divide: indices into `words`, with 0 and their number."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(words) + 1):
        choices = []
        for start in range(end - 1, -1, -1):
            part = words[start:end]
            if start < end - 1 and not _fits(part):
                break
            choices.append((best[start][0] + _cost(words, start, end), start))
        best.append(min(choices))
    cuts = [len(words)]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][1])
    return cuts[::-1]


def _fits(part: list[Word]) -> bool:
    length = len(_joined(part))
    if length > WIDTH * LINES or part[-1].end - part[0].start > LONGEST:
        return False
    return length <= WIDTH or _break(part) > 0


def _cost(words: list[Word], start: int, end: int) -> float:
    """Each subtitle costs 1; so does an end in the middle of a phrase, and being too short to read."""
    last = words[end - 1]
    cost = 1.0 + _roughness(last.text)
    if end < len(words) and words[end].start - last.end >= PAUSE:
        cost -= 0.8
    cost += 0.8 * max(0.0, 1 - (last.end - words[start].start) / SHORTEST)
    return cost + 0.3 * max(0.0, 1 - len(_joined(words[start:end])) / WIDTH)


@lru_cache(maxsize=4096)
def _roughness(word: str) -> float:
    """How bad it is to divide after this word: 0 at a sentence's end, 1 inside a phrase."""
    tail = word.rstrip("\"'”’»)]")[-1:]
    if tail in ".!?…。！？":
        return 0.0
    return 0.4 if tail in ",;:、，；：—–" else 1.0


def _break(part: list[Word]) -> int:
    """The word that begins the second line: after punctuation, else in the middle; 0 where no break fits."""
    whole = len(_joined(part))
    scores = []
    for at in range(1, len(part)):
        first, second = len(_joined(part[:at])), len(_joined(part[at:]))
        if max(first, second) <= WIDTH:
            scores.append((0.4 * _roughness(part[at - 1].text) + abs(first - second) / whole, at))
    return min(scores)[1] if scores else 0


def _lines(part: list[Word]) -> str:
    words = _joined(part)
    at = _break(part) if len(words) > WIDTH else 0
    return f"{_joined(part[:at])}\n{_joined(part[at:])}" if at else words


def _joined(part: list[Word]) -> str:
    return " ".join("".join(word.text for word in part).split())
