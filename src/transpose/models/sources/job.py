"""What a source is told: whose files, where to put them, where to work, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transpose.models.card import Card


@dataclass(frozen=True, slots=True)
class Job:
    """`into` gets the files; `scratch` is for everything else and vanishes; `progress` takes bytes of this source."""

    card: Card
    into: Path
    scratch: Path
    progress: Callable[[int], None]
    offline: bool = False
    folders: tuple[Path, ...] = ()
