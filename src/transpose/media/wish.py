"""Wishes for music: what a caption such as "slow sad cello in d minor, 70 bpm" asks for, field by field.

One wish serves three sides: words are read into it (`read_wish`), captions are made from it (`say_wish`), and networks
are conditioned on it (`wish_tokens`), so that no network has to learn English. Reading is exact matching of phrases,
the longest first (wish_words.json); what fits no field is kept in `unread`, for the caller to say.

A mood is a field of its own. What it usually implies (sad: minor and slow) is only filled in by `settled`, and
only where the words left it open: "happy waltz in e minor" stays in E minor.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cache
from math import log
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    import numpy as np
    from numpy.typing import NDArray

REGISTERS = ("low", "middle", "high")
DENSITIES = ("sparse", "medium", "busy")
STYLES = (
    "melody", "chords", "arpeggio", "waltz", "march", "ballad", "lullaby", "hymn", "jig", "reel", "ostinato",
)  # fmt: skip
MOODS = ("sad", "happy", "calm", "dark", "dreamy", "tense", "playful", "solemn", "romantic")
ROOTS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
SLOWEST, FASTEST = 30.0, 240.0  # beats a minute
FIELDS = ("instrument", "tempo", "root", "minor", "register", "density", "style", "mood")  # the order of the tokens
TOKENS, WIDTH = len(FIELDS), 64
CHOICES: dict[str, tuple[object, ...]] = {
    "minor": (False, True), "register": REGISTERS, "density": DENSITIES, "style": STYLES, "mood": MOODS,
}  # fmt: skip
# of each family of programs: the lowest and highest pitch that sound well, and whether it plays chords
FAMILY_REACH = (
    (33, 96, True), (60, 96, True), (38, 86, True), (40, 80, True), (28, 55, False), (40, 86, True), (38, 84, True),
    (40, 80, False), (49, 82, False), (60, 92, False), (48, 84, False), (40, 84, True), (40, 84, True), (50, 82, False),
    (40, 84, False), (40, 84, False),
)  # fmt: skip
OWN_REACH = {
    40: (55, 90, False), 41: (48, 79, False), 42: (36, 72, False), 43: (28, 55, False), 56: (54, 82, False),
    57: (40, 70, False), 58: (28, 53, False), 60: (41, 74, False), 61: (40, 80, True), 62: (38, 84, True),
    63: (38, 84, True), 64: (56, 86, False), 66: (44, 75, False), 67: (37, 68, False), 68: (58, 86, False),
    69: (52, 80, False), 70: (34, 68, False), 71: (50, 86, False), 72: (72, 98, False), 104: (48, 77, True),
    105: (48, 80, True), 107: (50, 82, True), 108: (58, 84, True),
}  # fmt: skip
# of each mood: minor, tempo, register, density; None is left open
IMPLIED: dict[str, tuple[bool | None, float | None, str | None, str | None]] = {
    "sad": (True, 63.0, None, None),
    "happy": (False, 132.0, None, None),
    "calm": (False, 72.0, None, "sparse"),
    "dark": (True, 72.0, "low", None),
    "dreamy": (False, 80.0, None, None),
    "tense": (True, 144.0, None, "busy"),
    "playful": (False, 132.0, "high", None),
    "solemn": (None, 66.0, None, "sparse"),
    "romantic": (None, 76.0, None, None),
}
# of the styles that have one: the tempo in beats of a quarter
PACE = {"waltz": 150.0, "march": 112.0, "ballad": 72.0, "lullaby": 66.0, "hymn": 80.0, "jig": 168.0, "reel": 192.0}


@dataclass(frozen=True, slots=True)
class Wish:
    """What music is wanted; None leaves a field open.

    `instrument`: General MIDI program 0..127. `tempo`: quarter notes a minute, 30..240. `root`: pitch class 0..11 (0 is
    C). `minor`: the mode. `register`, `density`, `style`, `mood`: one of the words above. `unread`: words that fit no
    field. Raises ValueError for what is out of range.
    """

    instrument: int | None = None
    tempo: float | None = None
    root: int | None = None
    minor: bool | None = None
    register: str | None = None
    density: str | None = None
    style: str | None = None
    mood: str | None = None
    unread: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value is not None and value not in choices:
                raise ValueError(f"{name} is one of {', '.join(map(str, choices))}, and not {value!r}")
        for name, least, most in (("instrument", 0, 127), ("tempo", SLOWEST, FASTEST), ("root", 0, 11)):
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name} lies from {least:g} to {most:g}, and not at {value:g}")

    def known(self) -> dict[str, int | float | str | bool]:
        """The fields that are set, by name."""
        return {name: value for name in FIELDS if (value := getattr(self, name)) is not None}


# -- words -> wish -----------------------------------------------------------------------------------------------------

BPM = re.compile(
    r"(?<![\d.])(\d{1,5}(?:\.\d+)?)\s*(?:bpm\b|beats?\s+(?:per|a)\s+min\w*)|(?:♩\s*=|\btempo(?:\s+of)?)\s*(\d{1,5})",
    re.I,
)
SHIFT = r"(?:[\s-]+(?=(?i:sharp|flat)\b|[#♯♭]))?(?P<{}>(?i:sharp|flat)\b|[#♯♭]|b(?=[\s,.;-]|$))"  # no gap before b
KEY = re.compile(  # with a mode; short, as Am; or bare, where "in a" only counts before an accidental or a stop
    r"(?:\b(?:in|of)\s+|\b)(?P<root>[A-Ha-h])(?:"
    + SHIFT.format("shift")
    + r"|(?P<german>is|es|s)(?=\s*-?\s*(?i:moll|dur)))?"
    r"\s*-?\s*(?P<mode>(?i:minor|major|min|maj|moll|dur))\b(?!\s+key)"
    r"|\b(?P<short>[A-G][#♯b♭]?)m\b"
    r"|\b(?:in|of)\s+(?P<bare>[b-gB-G]|A(?!\s+\w)|[Aa](?=[\s-]*(?:(?i:sharp|flat)\b|[#♯♭])|b\b|\s*[,.;]|$))"
    r"(?:" + SHIFT.format("bareshift") + r")?(?=[\s,.;]|$)(?!\s+(?:minor|major)\s+key)"
)
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11, "H": 11}
SHIFTS = {"sharp": 1, "#": 1, "♯": 1, "is": 1, "flat": -1, "b": -1, "♭": -1, "es": -1, "s": -1}
MODES = {"minor": True, "min": True, "moll": True, "minor key": True, "major": False, "major key": False, "dur": False}


def read_wish(text: str) -> Wish:
    """The fields that free words ask for; of two words for one field the first counts, the other stays `unread`."""
    text = unicodedata.normalize("NFKC", text)[:2000]
    found: dict[str, int | float | str | bool] = {}
    text = _take_key(_take_tempo(text, found), found)
    figure = "tempo" in found
    unread: list[str] = []
    for phrase, field, value in _phrases(text):
        if field == "tempo" and figure:
            continue  # "fast, 140 bpm": the figure is the finer word
        if field == "" or (field in found and found[field] != value):
            unread.append(phrase)
        elif field != "idle":
            found[field] = value
    return Wish(**found, unread=tuple(unread))  # type: ignore[arg-type]  # the table has each field's own type


def _take_tempo(text: str, found: dict[str, int | float | str | bool]) -> str:
    """Text without its metronome mark, which goes into `found`."""
    mark = BPM.search(text)
    if not mark:
        return text
    found["tempo"] = min(max(float(mark[1] or mark[2]), SLOWEST), FASTEST)
    return f"{text[: mark.start()]} , {text[mark.end() :]}"


def _take_key(text: str, found: dict[str, int | float | str | bool]) -> str:
    """Text without its key, which goes into `found`. In German B is B flat and H is B."""
    key = KEY.search(text)
    if not key:
        return text
    root, shift = key["root"] or key["bare"], key["shift"] or key["german"] or key["bareshift"]
    mode = (key["mode"] or "").lower()
    if key["short"]:
        root, shift, mode = key["short"][0], key["short"][1:], "min"
    moved = SHIFTS[shift.lower()] if shift else 0
    if mode in ("moll", "dur") and root.upper() == "B" and not shift:
        moved = -1
    found["root"] = (STEPS[root.upper()] + moved) % 12
    if mode:
        found["minor"] = mode in ("minor", "min", "moll")
    return f"{text[: key.start()]} , {text[key.end() :]}"


def _phrases(text: str) -> Iterator[tuple[str, str, int | float | str | bool]]:
    """Each phrase with its field ("" where unknown) and value; at each word the longest that is known.

    No phrase reaches across a comma or another stop.
    """
    known, longest = _table()
    for part in re.split(r"[,.;:!?()\n]+", text.lower().replace("-", " ")):
        words = re.findall(r"[^\W_]+", part.replace("'", ""))
        while words:
            for length in range(min(longest, len(words)), 0, -1):
                phrase = " ".join(words[:length])
                if phrase in known:
                    yield phrase, *known[phrase]
                    break
            else:
                length = 1
                yield words[0], "", False
            words = words[length:]


Known = dict[str, tuple[str, int | float | str | bool]]  # phrase -> field and value


@cache
def _sayings() -> dict[str, dict[str, list[str]]]:
    """For each field but the key its values (as texts) and the phrases for each."""
    told: dict[str, dict[str, list[str]]] = json.loads((Path(__file__).parent / "wish_words.json").read_bytes())
    return told


@cache
def _table() -> tuple[Known, int]:
    """The field and value of each phrase, and the number of words of the longest."""
    known: Known = dict.fromkeys(_sayings()["idle"], ("idle", True))
    known |= {phrase: ("minor", value) for phrase, value in MODES.items()}
    for field in ("instrument", "tempo", "mood", "register", "density", "style"):
        kind = {"instrument": int, "tempo": float}.get(field, str)
        known |= {phrase: (field, kind(value)) for value, each in _sayings()[field].items() for phrase in each}
    return known, max(len(phrase.split()) for phrase in known)


# -- wish -> words -----------------------------------------------------------------------------------------------------


def say_wish(wish: Wish, rng: Random) -> str:
    """One of many captions that say exactly the fields that are set; `read_wish` reads it back."""
    before, after = _said(wish, "mood", rng), list[str]()
    for field, endings in (("register", ("register",)), ("density", ())):
        words = _said(wish, field, rng)
        (before if rng.random() < 0.6 or not endings else after).extend(words)
    tempo = _said_tempo(wish, rng)
    (after if tempo and tempo[0].endswith(("bpm", "minute")) else before).extend(tempo)
    after += _said_key(wish, rng)
    rng.shuffle(before)
    rng.shuffle(after)
    noun = _noun(_said(wish, "instrument", rng), _said(wish, "style", rng), rng)
    comma = ", " if rng.random() < 0.2 else " "
    start = comma.join([*before, noun]) if noun else comma.join(before)
    end = rng.choice((", ", " ")) if start and after else ""
    return start + end + ", ".join(after)


def _said(wish: Wish, field: str, rng: Random) -> list[str]:
    value = getattr(wish, field)
    return [] if value is None else [rng.choice(_sayings()[field][str(value)])]


def _said_tempo(wish: Wish, rng: Random) -> list[str]:
    """A word where one means exactly this tempo, else the number."""
    if wish.tempo is None:
        return []
    words = _sayings()["tempo"].get(f"{wish.tempo:g}", [])
    number = f"{int(wish.tempo) if wish.tempo == int(wish.tempo) else wish.tempo!r}"
    figure = number + rng.choice((" bpm", "bpm", " beats per minute", " beats a minute"))
    return [rng.choice(words)] if words and rng.random() < 0.7 else [rng.choice(("at ", "")) + figure]


def _said_key(wish: Wish, rng: Random) -> list[str]:
    mode = {None: "", True: " minor", False: " major"}[wish.minor]
    if wish.root is None:
        return [f"in a{mode} key" if rng.random() < 0.5 else mode.strip()] if mode else []
    name = ROOTS[wish.root]
    if len(name) == 2 and rng.random() < 0.5:
        name = name[0] + (" sharp" if name[1] == "#" else " flat")
    if mode and rng.random() < 0.4:
        name = name[0].lower() + name[1:]
    if wish.minor and " " not in name and rng.random() < 0.15:
        return [f"in {name[0].upper()}{name[1:]}m"]
    return [rng.choice(("in ", "in the key of ")) + name + mode]


def _noun(instrument: list[str], style: list[str], rng: Random) -> str:
    """The instrument and the style as one phrase."""
    if not instrument or not style:
        return (instrument or style or [""])[0]
    player, piece = instrument[0], style[0]
    link = rng.choice(("{0} {1}", "{1} for {0}", "{1} on {0}", "{1} played by a {0}", "{0} playing a {1}", "{1}, {0}"))
    return link.format(player, piece)


# -- filling in, leaving out -------------------------------------------------------------------------------------------


def settled(wish: Wish) -> Wish:
    """The wish with what its mood and style imply, in the fields left open."""
    minor, tempo, register, density = IMPLIED[wish.mood] if wish.mood else (None, None, None, None)
    implied = {"minor": minor, "tempo": tempo or PACE.get(wish.style or ""), "register": register, "density": density}
    return replace(wish, **{name: value for name, value in implied.items() if getattr(wish, name) is None})  # type: ignore[arg-type]  # each its own


def forget(wish: Wish, rng: Random, share: float) -> Wish:
    """The wish with each field left open with probability `share`: how networks learn to do without one."""
    gone = [each.name for each in fields(wish) if each.name in FIELDS and rng.random() < share]
    return replace(wish, **dict.fromkeys(gone))  # type: ignore[arg-type]  # every field may be None


def reach(program: int) -> tuple[int, int, bool]:
    """The lowest and highest pitch at which an instrument sounds as it should, and whether it plays chords."""
    return OWN_REACH.get(program) or FAMILY_REACH[program // 8]


# -- wish -> numbers ---------------------------------------------------------------------------------------------------


def wish_tokens(wish: Wish) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Tokens (8, 64) in the order of `FIELDS`, each of length 8, and mask (8,): 1 where the field is set, else 0.

    Choices are rows of a Walsh matrix (orthogonal, entries 1 and -1). An instrument is its family in the first half and
    itself in the second; a root is a place on the circles of semitones and fifths, and itself; a tempo is sines and
    cosines of its logarithm, the finest of which turns by 2.5 radians for a change of 5 %.
    """
    import numpy as np

    tokens = np.zeros((TOKENS, WIDTH), np.float32)
    mask = np.zeros(TOKENS, np.float32)
    for number, (name, value) in enumerate((name, getattr(wish, name)) for name in FIELDS):
        if value is not None:
            mask[number] = 1
            tokens[number] = _token(name, value)
    return tokens, mask


def _token(name: str, value: int | float | str | bool) -> NDArray[np.float32]:
    """One field as a vector (64,) of length 8."""
    import numpy as np

    if name == "tempo":
        angles = np.geomspace(0.5, 50.0, WIDTH // 2) * log(float(value) / 120)
        parts = [np.sin(angles) * 2**0.5, np.cos(angles) * 2**0.5]
    elif name == "root":
        turns = 2 * np.pi * int(value) / 12 * np.arange(1, 7)  # the fifth circle is that of fifths
        scale = (32 / 6) ** 0.5
        parts = [np.sin(turns) * scale, np.cos(turns) * scale, np.zeros(20), walsh(32)[int(value)]]
    elif name == "instrument":
        sign = 1 if int(value) % 64 < 32 else -1
        parts = [walsh(32)[int(value) // 8], sign * walsh(32)[int(value) % 32]]
    else:
        parts = [walsh(WIDTH)[CHOICES[name].index(value) + 1]]  # row 0 is constant
    return np.concatenate(parts, dtype=np.float32)


@cache
def walsh(size: int) -> NDArray[np.float32]:
    """The Walsh matrix (size, size) of a power of two: entry (i, j) is -1 to the number of bits that i and j share."""
    import numpy as np

    numbers = np.arange(size)
    shared = numbers[:, None] & numbers[None, :]
    bits = sum((shared >> place) & 1 for place in range(size.bit_length()))
    return np.where(bits % 2, -1, 1).astype(np.float32)
