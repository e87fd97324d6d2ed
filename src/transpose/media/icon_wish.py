"""What a sentence asks to be drawn: things with their colour, count and size, how they stand to one another, and where.

"two red apples under a tree at night" -> two things, one relation, a sky. The words are read by rule: first what is
said of the background and the medium goes, then the rest is cut at words that say how things stand to one another; what
a thing is called stays as it was written, for a search to find. Nothing is guessed: words that no rule reads are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TypedDict

from transpose.media.icon_colour import COLOURS, NATURAL, SHADES, Shade, shade

MOST = 9  # of one thing
LOOKS = "snowy sandy grassy calm starry sunny cloudy clear lush rough summer winter wooden".split()  # of places
LONGEST = 6  # words of a name that holds a word such as "on" or "with"


class Vocabulary(TypedDict):
    """The words that rules know; `icon_words.json`."""

    counts: dict[str, int]
    articles: list[str]
    sizes: dict[str, float]
    quiet: list[str]
    media: list[str]
    relations: dict[str, list[str]]
    grounds: dict[str, list[str]]
    skies: dict[str, list[str]]
    lone: list[str]
    scene_prepositions: list[str]
    aloft: list[str]
    irregular: dict[str, str]
    measures: list[str]


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing, `count` times: its name as written, and what is said of it. `size` is 1 where nothing is said."""

    words: tuple[str, ...]
    count: int = 1
    colour: Shade | None = None
    size: float = 1.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be drawn. `relations[n]` says how thing n stands to thing n + 1; `ignored` are words that are lost."""

    things: tuple[Thing, ...] = ()
    relations: tuple[str, ...] = ()
    plain: Shade | None = None  # a background of one colour
    ground: str = ""
    sky: str = ""
    tint: Shade | None = None  # the colour of ground or sky
    aloft: bool = False  # above the ground, not on it
    clear: bool = False  # a transparent background was asked for
    ignored: tuple[str, ...] = ()


@cache
def vocabulary() -> Vocabulary:
    """The words, read once."""
    words: Vocabulary = json.loads((Path(__file__).parent / "icon_words.json").read_bytes())
    return words


def _any(words: Iterable[str]) -> str:
    """A pattern for any of these words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


@dataclass
class _Reading:
    """A sentence in the course of being read: `text` is what is left of it."""

    text: str
    wish: Wish = field(default_factory=Wish)

    def take(self, pattern: str) -> re.Match[str] | None:
        """Cut the first match of a pattern out of the text."""
        found = re.search(pattern, self.text)
        if found:
            self.text = f"{self.text[: found.start()]} {self.text[found.end() :]}".strip()
        return found


def read_wish(text: str, known: Callable[[str], bool]) -> Wish:
    """Read a sentence; `known` tells whether words in a row are the name of something."""
    reading = _Reading(" ".join(re.findall(r"[^\W_]+(?:['’-][^\W_]+)*|[,;.&+]|\d+", text.lower().replace("’", "'"))))
    _read_medium(reading)
    _read_background(reading)
    _read_places(reading)
    _rephrase(reading)
    things, relations, ignored = _read_things(reading.text, known)
    return replace(reading.wish, things=things, relations=relations, ignored=reading.wish.ignored + ignored)


def _rephrase(reading: _Reading) -> None:
    """Say in the words of the rules what is said in others: "red and blue balloons", "a cat between two trees"."""
    colour = _any(COLOURS)
    several = rf"\b(({colour})(?:(?: ,| and| , and) (?:{colour}))* and (?:{colour})) ([^\W\d_]+)"
    if found := re.search(several, reading.text):
        colours, noun = re.findall(rf"\b(?:{colour})\b", found[1]), found[3]
        if singular(noun) != noun:
            said = " and ".join(f"{each} {noun}" for each in [f"one {each}" for each in colours])
        else:
            said = f"{colours[0]} {noun}"
            reading.wish = replace(reading.wish, ignored=(*reading.wish.ignored, *colours[1:]))
        reading.text = reading.text[: found.start()] + said + reading.text[found.end() :]
    if found := re.fullmatch(r"(.+?) between (?:two|2|a pair of) (.+)", reading.text):
        *before, noun = found[2].split()
        side = " ".join(["one", *before, singular(noun)])
        reading.text = f"{side} left of {found[1]} left of {side}"
    elif found := re.fullmatch(r"(.+?) between (.+?) and (.+)", reading.text):
        reading.text = f"{found[2]} left of {found[1]} left of {found[3]}"


def _read_medium(reading: _Reading) -> None:
    """Take out "a picture of" and the like; a medium that this is not, is said to be lost."""
    words = vocabulary()
    plain = "picture|image|icon|drawing|illustration|emoji|clip art|clipart|sticker|cartoon|graphic|logo"
    media = _any(words["media"])
    kind = rf"(?:{_any(words['quiet'])}|{media}|{'|'.join(COLOURS)})"
    found = reading.take(rf"\b(?:an? |the )?((?:{kind} )*)({plain}|{media}) (?:of|showing|that shows)\b")
    lost = [word for word in (found[0].split() if found else ()) if word in words["media"]]
    while found := reading.take(rf"\b(?:in |as )(?:an? |the )?((?:\w+ )*?)(?:style|{plain}|{media})$"):
        lost += [word for word in found[0].split() if word not in ("in", "as", "a", "an", "the", "style")]
    while found := reading.take(rf"\b(?:{media})\b"):
        lost.append(found[0])
    reading.wish = replace(reading.wish, ignored=tuple(lost))


def _read_background(reading: _Reading) -> None:
    """Take out a background of one colour: "on a blue background", "against pale yellow"."""
    before = (
        r"(?:(?:, )?(?:and )?(?:on|with|against|over|in front of|in|before) )?(?:an? |the )?(?:plain |solid |flat )?"
    )
    ground = r"(?:background|backdrop|backing|wall|paper|canvas)"
    if reading.take(rf"{before}(?:transparent|clear|no|empty) {ground}\b"):
        reading.wish = replace(reading.wish, clear=True)
        return
    colour = rf"(?:({_any(SHADES)}) )?({_any(COLOURS)})"
    found = reading.take(rf"{before}\b{colour}(?: colou?red)? {ground}\b")
    found = found or reading.take(rf"\b(?:on|against) (?:plain |solid )?{colour}$")
    if found:
        reading.wish = replace(reading.wish, plain=shade(found[2], found[1] or ""))


def _read_places(reading: _Reading) -> None:
    """Take out where it is: ground ("on a green hill") and sky ("at night"), each at most once."""
    words = vocabulary()
    grounds = {name: ground for ground, names in words["grounds"].items() for name in names}
    skies = {name: sky for sky, names in words["skies"].items() for name in names}
    prepositions = _any(words["scene_prepositions"])
    after = _any([word for names in words["relations"].values() for word in names if word.isalpha()])
    looks = rf"((?:(?:{_any([*SHADES, *COLOURS, *words['sizes'], *LOOKS])}) )*"
    looks += rf"(?:(?!(?:{after}|{prepositions})\b)[^\W\d_]+ )??)"  # one word that no rule knows: "a stormy sea"
    names = rf"({_any([*grounds, *skies])})"
    patterns = [
        rf"(?:^| )({prepositions}) (?:an? |the )?{looks}{names}(?= (?:{after})\b|$| ?[,;.])",
        rf"(?:^| )(with) (?:an? |the )?{looks}{names} (?:in the background|as (?:an? |the )?background|background)\b",
        rf"(?:^| )()(?:an? |the )?{looks}{names} (?:in the background|background)\b",
        rf"(?:^| )()()({_any(words['lone'])})$",
    ]
    for pattern in (*patterns, patterns[0]):
        found = re.search(pattern, reading.text)
        if found and found[1] in ("with", "from") and pattern == patterns[0]:  # "a boat with the sun": a thing
            continue
        if found:
            name = found[3]
            if name in ("sea", "water", "ocean") and found[1] in ("under", "below"):
                grounds[name] = "depth"
            if found[1] in ("under", "below") and name in grounds and grounds[name] != "depth":
                continue  # "under a mountain" is not on it
            if _settle(reading, found[1], found[2].split(), grounds.get(name, ""), skies.get(name, "")):
                reading.text = f"{reading.text[: found.start()]} {reading.text[found.end() :]}".strip()


def _settle(reading: _Reading, preposition: str, looks: list[str], ground: str, sky: str) -> bool:
    """Put a place into the wish; False where there is one of its sort already, or a thing of that name is meant."""
    wish = reading.wish
    if (ground and wish.ground) or (sky and wish.sky) or wish.plain:
        return False
    if ground in ("moon", "mars", "table") and preposition not in ("on", "on top of", "upon"):
        return False
    shades = [each for each in looks if each in COLOURS]
    modifier = next((each for each in looks if each in SHADES), "")
    tint = shade(shades[-1], modifier) if shades else wish.tint
    if ground and "snowy" in looks and ground in ("hill", "grass", "mountain", "forest"):
        tint = shade("white")
    understood = {*COLOURS, *SHADES, *vocabulary()["sizes"], *LOOKS}
    ignored = tuple(each for each in looks if each not in understood)
    aloft = wish.aloft or (preposition in vocabulary()["aloft"] and bool(ground))
    reading.wish = replace(
        wish, ground=ground or wish.ground, sky=sky or wish.sky, tint=tint, aloft=aloft, ignored=wish.ignored + ignored
    )
    return True


# -- things ------------------------------------------------------------------------------------------------------------


def _read_things(text: str, known: Callable[[str], bool]) -> tuple[tuple[Thing, ...], tuple[str, ...], tuple[str, ...]]:
    """Things, the relations between neighbours, and words that are lost."""
    words = _protected(text.split(), known)
    relation_of = {name: key for key, names in vocabulary()["relations"].items() for name in names}
    things: list[Thing] = []
    relations: list[str] = []
    ignored: list[str] = []
    held: list[str] = []
    between = "beside"
    at = 0
    while at <= len(words):
        size = next((n for n in (5, 4, 3, 2, 1) if " ".join(words[at : at + n]) in relation_of), 0)
        doing = at < len(words) and _is_doing(words, at, known)
        if at == len(words) or size or doing:
            thing = _read_thing(held, ignored, known)
            if thing:
                relations += [between] if things else []
                things.append(thing)
                between = "beside"
            key = relation_of.get(" ".join(words[at : at + size]), "beside")
            if key != "beside":
                between = key
            if doing and not size and words[at] not in vocabulary()["quiet"]:
                ignored.append(words[at])
            held, at = [], at + max(size, 1)
        else:
            held.append(words[at].replace("_", " "))
            at += 1
    return tuple(things), tuple(relations), tuple(ignored)


def _is_doing(words: list[str], at: int, known: Callable[[str], bool]) -> bool:
    """Whether a word says what a thing does ("juggling"), and is no part of a name ("ice skating", "rolling pin")."""
    word = words[at]
    if not (word.endswith("ing") and len(word) > 5) or "_" in word:
        return False
    after = " ".join(words[at : at + 2])
    return at > 0 and not (len(words) > at + 1 and known(after)) and not known(f"{words[at - 1]} {word}")


def _protected(words: list[str], known: Callable[[str], bool]) -> list[str]:
    """Join the words of names that hold a word which would cut them: "fish and chips", "heart on fire"."""
    cutting = {name for names in vocabulary()["relations"].values() for name in names}
    at = 0
    joined: list[str] = []
    while at < len(words):
        for size in range(LONGEST, 2, -1):
            part = words[at : at + size]
            if len(part) == size and cutting & set(part[1:-1]) and known(" ".join(part)):
                joined.append("_".join(part))
                at += size
                break
        else:
            joined.append(words[at])
            at += 1
    return joined


def _read_thing(held: list[str], ignored: list[str], known: Callable[[str], bool]) -> Thing | None:
    """The thing that words between two relations name; None where they name nothing."""
    words = vocabulary()
    count, size, modifier = 0, 1.0, ""
    colours: list[tuple[str, str]] = []
    names: list[str] = []
    for place, word in enumerate(held):
        last = place == len(held) - 1
        if word in words["counts"] or word.isdecimal():
            count = int(word) if word.isdecimal() else words["counts"][word]
        elif word in SHADES and not last:
            modifier = word
        elif word in COLOURS and not last:
            colours.append((word, modifier))
            modifier = ""
        elif word in words["sizes"] and not last:
            size = words["sizes"][word]
        elif word in words["quiet"] or (word in words["articles"] and (not names or word != "of")):
            continue
        else:
            names.append(word)
    if modifier and modifier not in ("bright", "deep"):
        ignored.append(modifier)
    if not names:
        ignored += [name for name, _ in colours]
        return None
    several = singular(names[-1]) != names[-1] and "of" not in names and not known(" ".join(names))
    count = count or (2 if several else 1)  # "cats and dogs" are two of each
    if count > MOST:
        ignored.append(f"{count} (drawn: {MOST})")
    ignored += [name for name, _ in colours[1:]]
    return Thing(tuple(names), min(MOST, max(1, count)), _shade(colours, names), size)


def _shade(colours: list[tuple[str, str]], names: list[str]) -> Shade | None:
    """The first colour; of some animals "red" is a colour of fur."""
    if not colours:
        return None
    name, modifier = colours[0]
    natural = NATURAL.get((name, singular(names[-1])))
    return replace(shade(natural, modifier), name=name) if natural and not modifier else shade(name, modifier)


def singular(word: str) -> str:
    """The singular of an English noun, by rule and a list of exceptions."""
    if word in (known := vocabulary()["irregular"]):
        return known[word]
    for ending, single in (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("zzes", "zz")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + single
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word
