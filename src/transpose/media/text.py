"""Text in memory: the characters, their markup and language, and timed cues."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

SUFFIX = ".json"  # the store's lossless format


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word: seconds from the start, and how sure the transcriber is (0 to 1)."""

    start: float
    end: float
    text: str
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Cue:
    """A timed span of text; `start` and `end` in seconds."""

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """Text with what is known about it.

    `markup` is plain, markdown or html; `lang` an ISO 639-1 code or None where it is not known; `cues` are in order
    of time and, where there are any, say the same as `text`. `name` is what its file is called, without the suffix: by
    it other notes link to a note. It is no part of what a text says, and equal texts may have different names.
    """

    text: str
    markup: str = "plain"
    lang: str | None = None
    cues: tuple[Cue, ...] = ()
    name: str = field(default="", compare=False)

    def facets(self) -> dict[str, str]:
        """What is known of this value, as facets of its node."""
        known = {"lang": self.lang, "timed": "yes" if self.cues else None}
        known["markup"] = self.markup if self.markup != "plain" else None
        return {key: value for key, value in known.items() if value}


def dumps(value: Text) -> str:
    """Every field as JSON."""
    return json.dumps(asdict(value), ensure_ascii=False)


def save(value: Text, path: Path) -> None:
    """Write every field as JSON."""
    path.write_text(dumps(value), encoding="utf-8")


def load(path: Path) -> Text:
    """Read what `save` wrote."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    cues = tuple(Cue(c["start"], c["end"], c["text"], tuple(Word(**word) for word in c["words"])) for c in raw["cues"])
    return Text(raw["text"], raw["markup"], raw["lang"], cues, raw.get("name", ""))
