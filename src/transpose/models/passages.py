"""Long texts in pieces that a language model can read: cut between paragraphs, else lines, else sentences, else words.

A token is reckoned as three bytes of UTF-8: a little less than English needs, and one letter of Chinese or Japanese.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

BYTES = 3  # a token
CUTS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?。！？])\s*"), re.compile(r"\s+"))


def reckon(text: str) -> int:
    """About how many tokens a text has, rather too many than too few."""
    return len(text.encode("utf-8", "replace")) // BYTES + 1


def passages(text: str, most: int) -> Iterator[str]:
    """Pieces of at most `most` tokens which joined give the text again, each as long as its cuts allow."""
    yield from _gather(_pieces(text, most, 0), most)


def _pieces(text: str, most: int, level: int) -> Iterator[str]:
    if reckon(text) <= most:
        yield text
        return
    if level == len(CUTS):
        letters = max(1, (most * BYTES - 1) // 4)  # a letter has at most four bytes
        yield from (text[at : at + letters] for at in range(0, len(text), letters))
        return
    at = 0
    for cut in CUTS[level].finditer(text):
        if cut.end() > at:
            yield from _pieces(text[at : cut.end()], most, level + 1)
            at = cut.end()
    if at < len(text):
        yield from _pieces(text[at:], most, level + 1)


def _gather(pieces: Iterator[str], most: int) -> Iterator[str]:
    """Neighbours together as long as they fit."""
    held = ""
    for piece in pieces:
        if held and reckon(held + piece) > most:
            yield held
            held = ""
        held += piece
    if held:
        yield held
