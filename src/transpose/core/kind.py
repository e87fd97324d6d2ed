"""What a value is: formats (`.wav`), kinds (`audio.speech`), facets (`@en`), and many of them (`images`).

A node is written `name[s][@facet...]`. `images` is many of `image`; `image.pages` many of `image.page`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from transpose.core.errors import UsageError

# the words themselves are data: every modality, kind and aspect with its meaning
_WORDS = json.loads((Path(__file__).parent / "vocabulary.json").read_bytes())
# modality -> the module that holds and stores its in-memory value, and which aspects matter in it
MODALITIES: dict[str, tuple[str, frozenset[str]]] = {
    name: (each["module"], frozenset(each["needs"])) for name, each in _WORDS["modalities"].items()
}
KINDS: dict[str, str] = _WORDS["kinds"]  # name -> one line
ASPECTS = frozenset(_WORDS["aspects"])  # what a step may lose
DEPICTIONS = frozenset(_WORDS["depictions"])
UNCOUNTED = ("s", "h", "y", "ocr", "code", "pt")  # endings that no plain s follows
MARKUPS = ("plain", "markdown", "html")
FACETS = ("lang", "timed", "markup", "space", "synthetic")


@dataclass(frozen=True, slots=True)
class Node:
    """A format or a kind with facets. `facets` is a sorted tuple of (name, value) pairs from `FACETS`."""

    name: str
    many: bool = False
    facets: tuple[tuple[str, str], ...] = ()

    @property
    def is_format(self) -> bool:
        """True for `.wav` and the like."""
        return self.name.startswith(".")

    @property
    def modality(self) -> str:
        """`audio` of `audio.speech`; of a format, the format itself."""
        return self.name if self.name.startswith(".") else self.name.partition(".")[0]

    def facet(self, name: str) -> str | None:
        """The value of one facet, or None where it is not known."""
        return dict(self.facets).get(name)

    def fits(self, wanted: Node) -> bool:
        """Whether this node is usable where `wanted` is asked for.

        A kind is usable wherever its parent is, one wherever many are; each facet wanted must be known and equal.
        """
        if self.many and not wanted.many:
            return False
        if self.name != wanted.name and (wanted.is_format or not self.name.startswith(wanted.name + ".")):
            return False
        return not wanted.facets or set(wanted.facets) <= set(self.facets)

    def having(self, **facets: str) -> Node:
        """The same node with these facets set."""
        return replace(self, facets=tuple(sorted({**dict(self.facets), **facets}.items())))

    def __str__(self) -> str:
        plural = "*" if self.is_format or self.modality == "audio" or self.name.endswith(UNCOUNTED) else "s"
        name = self.name + plural * self.many
        return "@".join([name, *(_facet_text(key, value) for key, value in self.facets)])


def _facet_text(key: str, value: str) -> str:
    if value == "yes":
        return key
    return value if key in ("lang", "markup") else f"{key}={value}"


def parse_facet(text: str) -> tuple[str, str]:
    """`en` -> ("lang", "en"); `timed` -> ("timed", "yes"); `space=minilm` -> ("space", "minilm")."""
    key, equals, value = text.partition("=")
    if equals and key in FACETS:
        return key, value
    if text in ("timed", "synthetic"):
        return text, "yes"
    if text in MARKUPS:
        return "markup", text
    if re.fullmatch(r"[a-z]{2,3}", text):
        return "lang", text
    raise UsageError(f"{text!r} is not a facet", "Facets are a language code, timed, plain, markdown, html, synthetic")


def parse_node(text: str, kinds: frozenset[str] | None = None) -> Node:
    """Read `.wav`, `audio.speech@en`, `images` or `image.pages`.

    `kinds` are the known names (default: `KINDS`); an unknown one raises UsageError with the nearest.
    """
    known = kinds or KINDS
    name, *facets = text.strip().split("@")
    many = name.endswith("*")
    name = name.removesuffix("*")
    if name.startswith("."):
        name = name.lower()
    elif name not in known and name.endswith("s") and name[:-1] in known:
        many, name = True, name[:-1]
    elif name not in known:
        near = get_close_matches(name, known, 1)
        raise UsageError(
            f"{name!r} is not a kind", f"Did you mean {near[0]!r}?" if near else "See: transpose list kinds"
        )
    return Node(name, many, tuple(sorted(parse_facet(facet) for facet in facets)))


def register_kinds(kinds: dict[str, str]) -> None:
    """Add the kinds that a plug-in brings (name -> one line); a known name keeps its meaning."""
    for name, meaning in kinds.items():
        KINDS.setdefault(name, meaning)
