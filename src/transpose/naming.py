"""What the name of an output says it means: one closed table, printed as an assumption when it is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.catalog import Catalog
from transpose.core.errors import UsageError
from transpose.core.kind import Node, parse_node

if TYPE_CHECKING:
    from transpose.wishes import Wishes

# stem of an output's name -> what it means, by the modality that the format holds; the table is closed
STEMS: dict[str, dict[str, str]] = {
    "summary": {"text": "text.summary"},
    "transcript": {"text": "text.transcript"},
    "captions": {"text": "text@timed"},
    "subtitles": {"text": "text@timed"},
    "speech": {"audio": "audio.speech"},
    "song": {"audio": "audio.music"},
    "music": {"audio": "audio.music"},
    "tune": {"audio": "audio.music", "score": "score"},
    "notes": {"score": "score"},
    "sheet": {"image": "image.sheet"},
    "waveform": {"image": "image.waveform"},
    "chart": {"image": "image.chart"},
    "outline": {"text": "text.outline"},
    "description": {"text": "text.description"},
    "forecast": {"table": "table.forecast"},
    "links": {"table": "table.links"},
    "highlights": {"table": "table.highlights"},
    "lecture": {},
}
# stem -> verb that it asks for, where the format holds what the verb makes
VERBS = {"summary": "summarize", "lecture": "lecture"}


def name_goal(
    catalog: Catalog, stem: str, suffix: str, input_stems: frozenset[str]
) -> tuple[Node | None, tuple[str, ...]]:
    """What the name of an output says it means: a kind (or None), and verbs; `talk.fr.md` names a language.

    A stem that an input also has says nothing: `notes.txt` to `notes.md` is a copy.
    """
    stem, dot, lang = stem.rpartition(".")
    if not dot or len(lang) != 2 or not lang.isalpha():
        stem, lang = f"{stem}{dot}{lang}", ""
    modalities = catalog.written_from(suffix)
    meaning = STEMS.get(stem.lower(), {}) if stem not in input_stems else {}
    named = next((meaning[m] for m in sorted(modalities) if m in meaning), "")
    verb = VERBS.get(stem.lower(), "") if stem not in input_stems and not named else ""
    made = {t.targets[0].modality for t in catalog if t.called([verb])} if verb else set()
    verbs = (verb,) if made and (verb != "lecture" or made & modalities) else ()
    if not named and not lang:
        return None, verbs
    node = parse_node(named) if named else Node("text" if "text" in modalities else sorted(modalities)[0])
    return node.having(lang=lang.lower()) if lang else node, verbs


def name_task(catalog: Catalog, to: str | Path, do: str, wishes: Wishes) -> tuple[str | Path, Wishes]:
    """The goal and the wishes of a request that names one task, as in `run(x, do="summarize")`.

    Without `to`, the goal is what the task makes. Raises UsageError where neither is given, or nothing is called so.
    """
    if not do:
        if not to:
            raise UsageError("nothing says what is wanted", 'Give to=".md", for example, or do="summarize"')
        return to, wishes
    found = sorted((t for t in catalog if t.called([do])), key=lambda t: (t.name != do, t.name))
    if not found:
        raise UsageError(f"nothing is called {do!r}", "See: transpose list transforms")
    key = "verbs" if any(item.verb for item in found) else "via"
    asked: Wishes = {**wishes, key: (*wishes.get(key, ()), do)}  # type: ignore[misc]
    target = found[0].targets[0]
    return to or str(Node(target.name, target.many)), asked
