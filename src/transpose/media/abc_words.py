"""The words of ABC: tokens of a line of notes, lengths, endings, keys."""

from __future__ import annotations

import re
from fractions import Fraction

from transpose.media.keys import LETTERS, altered

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHIFTS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
MODES = {"maj": 0, "ion": 0, "mix": -1, "dor": -2, "min": -3, "aeo": -3, "m": -3, "phr": -4, "loc": -5, "lyd": 1}
LEVELS = {
    "pppp": 10, "ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112, "fff": 126, "ffff": 127,
    "sfz": 112,
}  # fmt: skip
LENGTH = r"(?P<{0}n>\d{{0,5}})(?P<{0}s>/*)(?P<{0}d>\d{{0,5}})"
TOKENS = re.compile(
    r"(?P<text>\"[^\"]*\")|(?P<mark>![^!\s]+!)|(?P<grace>\{[^}]*\})"
    r"|(?P<field>\[[A-Za-z]:[^\]]*\])"
    r"|(?P<chord>\[(?P<inside>[^\[\]|:\"]*[A-Ga-gzx][^\[\]|:]*)\])" + LENGTH.format("c") + r"(?P<ctie>-?)"
    r"|(?P<bar>:*\|[|\]:]*|::+|\[\|:*|:+)(?:\s*\[?(?P<ending>\d[\d,.-]*))?|\[(?P<turn>\d[\d,.-]*)"
    r"|\((?P<p>\d{1,2})(?::(?P<q>\d{0,2}))?(?::(?P<r>\d{0,3}))?"
    r"|(?P<acc>\^\^|\^|__|_|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)" + LENGTH.format("l") + r"(?P<tie>-?)"
    r"|(?P<rest>[zx])" + LENGTH.format("r") + r"|(?P<bars>[ZX])(?P<count>\d{0,4})|(?P<broken>>+|<+)|(?P<overlay>&)"
)
HEAD = re.compile(
    r"(?P<acc>\^\^|\^|__|_|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)" + LENGTH.format("l") + r"(?P<tie>-?)"
)


def fraction(text: str) -> Fraction | None:
    """`3` or `3/8` at the beginning; None for anything else, and for nothing."""
    found = re.match(r"\s*(\d{1,4})(?:/(\d{1,4}))?", text)
    return Fraction(int(found[1]), int(found[2] or 1)) if found and int(found[2] or 1) and int(found[1]) else None


def length(token: re.Match[str], kind: str) -> Fraction:
    """`3`, `/2`, `3/4`, `//` in units."""
    over = int(token[kind + "d"] or 0) or 2 ** min(10, len(token[kind + "s"]))
    return Fraction(int(token[kind + "n"] or 1), over if token[kind + "s"] else 1)


def turns(text: str) -> frozenset[int]:
    """`1,3-4` as numbers."""
    turns: set[int] = set()
    for first, last in re.findall(r"(\d{1,2})(?:-(\d{1,2}))?", text):
        turns |= set(range(int(first), int(last or first) + 1))
    return frozenset(turns)


def signature_of(text: str) -> tuple[bool, tuple[int, bool], dict[str, int]]:
    """Whether `K:` names a key, its sharps and whether it is minor, and by how much it alters each letter."""
    found = re.match(r"([A-G])([#b]?)\s*([A-Za-z]*)", text)
    alters: dict[str, int] = {}
    signature = 0, False
    if text.startswith(("HP", "Hp")):  # the highland bagpipe
        alters = {"F": 1, "C": 1}
    elif found:
        mode = found[3].lower() if not found[3].lower().startswith(("clef", "exp", "oct", "tra")) else ""
        shift = MODES.get(mode[:3], MODES.get(mode, 0)) if mode else 0
        sharps = LETTERS.index(found[1]) - 1 + 7 * {"#": 1, "b": -1, "": 0}[found[2]] + shift
        signature = max(-7, min(7, sharps)), mode[:3] in ("min", "m", "aeo")
        alters = {letter: altered(letter, signature[0]) for letter in LETTERS}
    rest = re.sub(r"\b\w+=\S+", "", text)
    alters |= {step.upper(): SHIFTS[sign] for sign, step in re.findall(r"(\^\^|\^|__|_|=)([A-Ga-g])", rest)}
    return bool(found) or text.startswith(("HP", "Hp", "none")), signature, alters
