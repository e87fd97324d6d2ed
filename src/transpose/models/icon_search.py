"""Finds the icon that a few words mean: by its name, by other names and tags, and last by sentence vectors.

Names win over short codes, these over tags; further words of the phrase ("steam" of "steam train") raise the icons that
have them. Where no word is known, the vector of the phrase is compared with those of all labels (all-MiniLM-L6-v2),
which are computed once and kept beside the names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.models.icons import Entry, Names

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Encode = Callable[[Sequence[str]], NDArray[np.float32]]

LABEL, ALIAS, PART, TAG = 4.0, 3.4, 1.8, 1.0  # what a match of the head word is worth
MORE = 0.7  # each further word that an icon has
NEAR = 0.6  # cosine from which on a name is taken for the same
SIGNS = frozenset(
    "alphanum av-symbol arrow geometric keycap zodiac other-symbol punctuation math gender transport-sign warning "
    "currency religion country-flag subdivision-flag".split()
)
PLAIN = frozenset("animal-mammal animal-bird animal-marine animal-reptile animal-amphibian animal-bug".split())
GENDERED = ("man ", "woman ", "men ", "women ", "man:", "woman:")
DOINGS = ("person", "face", "hand", "body", "sport", "game", "event", "emotion", "family")  # a tag is no name of these
NOT_MEANT = {"white flower": "1F4AE"}  # names that mean another thing than their words say: a stamp


@dataclass(frozen=True, slots=True)
class Match:
    """An icon for a phrase; `used` are the words that it stands for, `score` is 1 for names, a cosine for vectors."""

    entry: Entry
    used: frozenset[str]
    score: float = 1.0
    exact: bool = False  # the whole phrase is its name
    group: tuple[Entry, ...] = ()  # others that are as good


@cache
def synonyms() -> dict[str, str]:
    """Words that no icon has, and the name that stands for them."""
    found: dict[str, str] = json.loads((Path(__file__).parent / "icon_synonyms.json").read_bytes())
    return found


def find(words: Sequence[str], names: Names, singular: Callable[[str], str]) -> Match | None:
    """The icon for a phrase whose last word, or the one before "of", is what it is about; None where none has it."""
    phrase, single = " ".join(words), " ".join([*words[:-1], singular(words[-1])])
    tried = [_exact(phrase, names), _exact(single, names)]
    if tried[0] and tried[0].label != phrase:
        tried.reverse()  # "stars" are several of "star" before they are what has that for a short code
    if entry := tried[0] or tried[1]:
        return Match(entry, frozenset(words), exact=True)
    if "of" in words[1:-1]:
        at = list(words).index("of", 1)
        return _find_of(words[:at], words[at + 1 :], names, singular)
    return _find_plain(words, names, singular)


def _exact(phrase: str, names: Names) -> Entry | None:
    phrase = synonyms().get(phrase, phrase)
    found = [names.entries[number] for number in names.phrases.get(phrase, ())]
    found = [entry for entry in found if NOT_MEANT.get(phrase) != entry.code]
    labelled = [entry for entry in found if entry.label == phrase]
    return min(labelled or found, key=lambda entry: entry.kind in SIGNS, default=None)


def _find_of(left: Sequence[str], right: Sequence[str], names: Names, singular: Callable[[str], str]) -> Match | None:
    """ "cup of coffee": what is in it, best where the icon has both; else the thing itself ("bouquet of flowers")."""
    both = [*left, *right]
    one, other = _find_plain([*left, *right], names, singular), _find_plain([*right, *left], names, singular)
    found = [each for each in (one, other) if each]
    best = max(found, key=lambda match: (len(match.used), match is one), default=None)
    return best and Match(best.entry, best.used | (set(both) & {"of"}), best.score, group=best.group)


def _find_plain(words: Sequence[str], names: Names, singular: Callable[[str], str]) -> Match | None:
    """The icon whose names or tags hold the head, the longest that is known, and most of the words before it."""
    for start in range(len(words)):
        head = " ".join(words[start:])
        single = " ".join([*words[start:-1], singular(words[-1])])
        for known in dict.fromkeys((synonyms().get(head, head), synonyms().get(single, single), head, single)):
            rest = [word for word in words[:start] if word != "of"]
            if known in names.tagged and (ranked := _ranked(known, rest, names, singular)):
                return _best(ranked, words[start:], rest, singular)
    return None


def _ranked(
    head: str, rest: Iterable[str], names: Names, singular: Callable[[str], str]
) -> list[tuple[float, int, Entry]]:
    found = []
    for number in names.tagged[head]:
        entry = names.entries[number]
        if NOT_MEANT.get(head) == entry.code:
            continue
        score = _grade(entry, head)
        if score == TAG and entry.kind.startswith(DOINGS):
            continue
        score += MORE * sum(bool(_has(entry, word, singular)) for word in rest)
        score -= 1.2 * (entry.kind in SIGNS) + 0.04 * len(entry.label.split())
        score -= 0.6 * entry.kind.startswith(("face-", "person", "family", "hand")) - 0.2 * (entry.kind in PLAIN)
        found.append((score, -number, entry))
    return sorted(found, key=lambda each: each[:2], reverse=True)


def _grade(entry: Entry, head: str) -> float:
    if entry.label == head:
        return LABEL
    if head in entry.aliases:
        return ALIAS
    if f" {head} " in f" {entry.label} ":
        return PART + 0.4 * entry.label.endswith(head)
    return PART - 0.4 if any(f" {head} " in f" {alias} " for alias in entry.aliases) else TAG


def _has(entry: Entry, word: str, singular: Callable[[str], str]) -> bool:
    single = singular(word)
    words = {part for name in (entry.label, *entry.aliases, *entry.tags) for part in (name, *name.split())}
    return word in words or single in words


def _best(
    ranked: list[tuple[float, int, Entry]], head: Sequence[str], rest: list[str], singular: Callable[[str], str]
) -> Match:
    top, _, entry = ranked[0]
    used = {*head, *(word for word in rest if _has(entry, word, singular))}
    return Match(entry, frozenset(used), group=tuple(each for score, _, each in ranked[1:6] if score > top - 0.3))


def misspelt(phrase: str, names: Names) -> Entry | None:
    """The entry whose name differs from a phrase of five letters or more by a slip."""
    found = {name: names.entries[numbers[0]] for name, numbers in names.phrases.items() if len(name) > 3}
    known = [name for name, entry in found.items() if entry.kind not in SIGNS and name[0] == phrase[0]]
    known = [name for name in known if abs(len(name) - len(phrase)) < 3]
    near_names = get_close_matches(phrase, known, 1, 0.8 if len(phrase) > 6 else 0.84) if len(phrase) > 4 else []
    return found[near_names[0]] if near_names else None


# -- by vectors --------------------------------------------------------------------------------------------------------


def near(phrase: str, names: Names, encode: Encode, key: str) -> list[tuple[float, Entry]]:
    """The five entries nearest in meaning, with cosines, best first. `key` names the model.

    A cosine is the mean of that with the label and that with label, short codes and tags together: on 60 words without
    an icon, .6 parted right from wrong better than either alone (labels take "labrador" for "lab coat").
    """
    import numpy as np

    entries = [entry for entry in names.entries if entry.kind not in SIGNS and not entry.label.startswith(GENDERED)]
    kept = names.folder / f"vectors-{key}-{len(entries)}.npy"
    try:
        vectors = np.load(kept, allow_pickle=False).astype(np.float32)
    except (OSError, ValueError, EOFError):
        told = [", ".join([entry.label, *entry.aliases[:2], *entry.tags[:5]]) for entry in entries]
        halves = (0.5 * (encode([entry.label for entry in entries]) + encode(told))).astype(np.float16)
        _keep(kept, halves)
        vectors = halves.astype(np.float32)  # as they will be read the next time
    cosines = vectors @ encode([phrase])[0]
    best = np.argsort(-cosines, kind="stable")[:5]
    return [(float(cosines[number]), entries[number]) for number in best]


def _keep(path: Path, vectors: NDArray[np.float16]) -> None:
    """Store the vectors for the next time, if the folder can be written."""
    import numpy as np

    with suppress(OSError):
        made = path.with_name(f"{path.name}.{os.getpid()}")
        with made.open("wb") as file:
            np.save(file, vectors)
        made.replace(path)
