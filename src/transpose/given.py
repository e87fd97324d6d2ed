"""Inputs as the planner sees them: their node, what their content may be, and how large they are.

What a probe says of a file is remembered by the file's place, size and times, so that planning again is quick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from transpose.core.catalog import Catalog, read_json
from transpose.core.context import Context
from transpose.core.errors import EmptyInput, InputError, UsageError
from transpose.core.kind import MODALITIES, Node
from transpose.core.label import Given
from transpose.core.store import hash_file, hash_json, save_value, write_json
from transpose.core.transform import Transform
from transpose.media.file import check_file

NAMED = frozenset({"document", "protein", "table", "text"})  # their values may hold the name of their file
PROBES = {
    "audio": "transpose.media.probe_audio",
    "image": "transpose.media.probe_image",
    "text": "transpose.media.language",
    "video": "transpose.media.probe_video",
}


@dataclass(frozen=True)
class Inputs:
    """Makes a `Given` of whatever a user hands over. `memory` is the folder for answers of probes, or None."""

    catalog: Catalog
    context: Context
    memory: Path | None

    def given(self, part: Any, asserted: Node | None) -> tuple[Given, Any]:
        """The planner's view of a Path, a str (literal text) or a value of transpose.media, and its value."""
        if isinstance(part, Path):
            return self._file(part, asserted), part
        if isinstance(part, str):
            from transpose.media.text import Text

            node = asserted if asserted and not asserted.is_format else Node("text.prompt")
            return Given(node, "the text", units=max(len(part) / 1000, 0.01)), Text(part)
        for modality, (module, _) in MODALITIES.items():
            if type(part).__module__ == module:
                found = part.facets() if hasattr(part, "facets") else {}
                return Given(Node(asserted.name if asserted else modality).having(**found), "the value"), part
        hint = "Give a Path, a str, or a value of transpose.media"
        raise UsageError(f"a {type(part).__name__} cannot be an input", hint)

    def _file(self, path: Path, asserted: Node | None) -> Given:
        check_file(path)
        node = asserted if asserted and asserted.is_format else Node(path.suffix.lower())
        if not node.name:
            hint = "Say which with --from, as in --from .wav"
            raise InputError(f"{str(path)!r} has no suffix that tells its format", hint)
        kind = asserted if asserted and not asserted.is_format else None
        if node.name == ".json" and kind is None:
            from transpose.media.schema import held

            known = held(path)
            kind = Node(known) if known else None
        return Given(node, path.name, kind, partial(self._probe, path), units=self._units(path, node))

    def _units(self, path: Path, node: Node) -> float:
        """Size in minutes, pages or thousands of characters: what times are measured by."""
        reads = self._reads(node)
        if "audio" in reads:
            return max(float(self._remember(path, "units", _minutes)), 0.01)
        return max(path.stat().st_size / 1000, 0.01) if reads == {"text"} else 1.0

    def _reads(self, node: Node) -> set[str]:
        """The modalities that files of a format hold."""
        return {t.targets[0].modality for t in self.catalog if any(n.name == node.name for n in t.slots[0].nodes)}

    def key(self, value: Any, node: Node) -> str:
        """The key of a given value; a file counts by its name too, where what is read of it may hold that name."""
        named = isinstance(value, Path) and NAMED & self._reads(node)
        return hash_source(value, node) + (f":{value.stem}" if named else "")

    def _probe(self, path: Path, modality: str) -> dict[str, float]:
        """Which nodes a file's content may be, with probabilities."""
        if modality not in PROBES:
            return {}
        return dict(self._remember(path, modality, partial(self._ask, modality=modality)))

    def _ask(self, path: Path, modality: str) -> dict[str, float]:
        try:
            answers: dict[str, float] = import_module(PROBES[modality]).probe(path, self.context)
        except InputError:
            for item in self._readers(path, modality):  # it knows better what is wrong with its own format
                item.function(path, self.context)
            raise
        return answers

    def _readers(self, path: Path, modality: str) -> list[Transform]:
        suffix = path.suffix.lower()
        found = [t for t in self.catalog if any(node.name == suffix for node in t.slots[0].nodes)]
        return [item for item in found if item.targets[0].modality == modality]

    def _remember(self, path: Path, what: str, ask: Callable[[Path], Any]) -> Any:
        info = path.stat()
        stamp = hash_json([str(path.resolve()), info.st_size, info.st_mtime_ns, info.st_ino, self.catalog.stamp])
        place = self.memory / f"{stamp}.json" if self.memory else None
        known = read_json(place) if place else {}
        if what not in known:
            known[what] = ask(path)
            if place:
                write_json(place, known)
        return known[what]


def _minutes(path: Path) -> float:
    from transpose.media.audio import duration

    try:
        return duration(path) / 60
    except EmptyInput:
        raise
    except InputError:
        return 1.0  # the reader will say what is wrong with it


def hash_source(value: Any, node: Node) -> str:
    """The key of a given value: of a file its bytes, of anything else its lossless store form."""
    if isinstance(value, Path):
        return hash_file(value)
    if type(value).__module__ == "transpose.media.text":
        from transpose.media.text import dumps

        return hash_json(dumps(value))
    import tempfile

    with tempfile.TemporaryDirectory(prefix="transpose-") as name:
        folder = Path(name)
        save_value(value, node, folder)
        return hash_json([hash_file(path) for path in sorted(folder.iterdir())])
