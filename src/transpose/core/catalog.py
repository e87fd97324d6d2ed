"""The catalog: transforms by name, with what was measured of each."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from transpose.core.errors import TransposeError
from transpose.core.kind import Node
from transpose.core.transform import Slot, Transform


class Catalog:
    """A fixed set of transforms with what was measured of each.

    `scores` maps a name to {"quality": 0..1, "seconds": per unit, ...}; `speeds` holds this machine's own seconds.
    Two transforms of one name raise TransposeError.
    """

    def __init__(
        self,
        transforms: Iterable[Transform],
        scores: Mapping[str, Mapping[str, Any]] | None = None,
        speeds: Mapping[str, float] | None = None,
        stamp: str = "",
    ) -> None:
        self.transforms: dict[str, Transform] = {}
        self.scores = dict(scores or {})
        self.speeds = dict(speeds or {})
        self.stamp = stamp
        for item in transforms:
            if item.name in self.transforms:
                where = f"{self.transforms[item.name].where} and {item.where}"
                raise TransposeError(f"two transforms are named {item.name!r}: {where}", "Uninstall one of the two")
            self.transforms[item.name] = item

    def __iter__(self) -> Any:
        return iter(self.transforms.values())

    def __getitem__(self, name: str) -> Transform:
        return self.transforms[name]

    def __contains__(self, name: str) -> bool:
        return name in self.transforms

    @cached_property
    def ends(self) -> list[tuple[str, set[str], set[str]]]:
        """The name of each transform, the modalities that it takes and those that it makes."""
        return [(t.name, {n.modality for s in t.slots for n in s.nodes}, {n.modality for n in t.targets}) for t in self]

    @cached_property
    def takers(self) -> dict[str, list[tuple[Transform, int, Slot]]]:
        """By modality: the transforms that take it, and into which slot."""
        found: dict[str, list[tuple[Transform, int, Slot]]] = {}
        for item, index, slot in ((t, number, slot) for t in self for number, slot in enumerate(t.slots)):
            for modality in {node.modality for node in slot.nodes}:
                found.setdefault(modality, []).append((item, index, slot))
        return found

    def quality(self, item: Transform) -> float:
        """0 to 1: as measured; 1 for our own exact converters; .5 where nothing is known."""
        known = self.scores.get(item.name, {}).get("quality")
        if known is not None:
            return float(known)
        return 1.0 if item.where.startswith("transpose.") and not item.models else 0.5

    def seconds(self, item: Transform) -> float:
        """Seconds for one unit (a minute of sound, a page, a thousand characters), this machine's own if known."""
        default = self.scores.get(item.name, {}).get("seconds", 0.05)
        return max(float(self.speeds.get(item.name, default)), 0.001)

    def with_transforms(self, more: Iterable[Transform]) -> Catalog:
        """The same catalog with further transforms."""
        return Catalog([*self, *more], self.scores, self.speeds, self.stamp)

    def written_from(self, suffix: str) -> set[str]:
        """Modalities that can be written as files of a suffix."""
        return {t.slots[0].nodes[0].modality for t in self if any(node.name == suffix for node in t.targets)}

    def suffixes(self, *, read: bool) -> set[str]:
        """Suffixes that can be read, or written."""
        nodes = (node for t in self for node in (t.slots[0].nodes if read else t.targets))
        return {node.name for node in nodes if node.is_format}


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of ours; empty where the file is absent or was cut short by a kill."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return raw if isinstance(raw, dict) else {}


def missing_modules(item: Transform) -> list[str]:
    """Which of the modules that a transform needs are not installed (looked up, not imported)."""
    from importlib.util import find_spec

    return [name for name in item.needs if find_spec(name) is None]


def install(item: Transform) -> str:
    """What to hand to pip for what a transform lacks."""
    return f"'transpose-ai[{item.extra}]'" if item.extra else " ".join(missing_modules(item))


def cache_home() -> Path:
    """$TRANSPOSE_HOME, else the user's cache folder for `transpose`."""
    given = os.environ.get("TRANSPOSE_HOME")
    if given:
        return Path(given).expanduser()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("transpose", appauthor=False))


def accepts(slot: Slot, node: Node) -> bool:
    """Whether a node may go into a slot as it is."""
    return any(node.fits(wanted) for wanted in slot.nodes)
