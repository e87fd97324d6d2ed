"""The folder of one learning (`transpose learn`): its state, its report, and the adapters that its card has named."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transpose.core.errors import UsageError
from transpose.core.store import atomic
from transpose.models import shelf
from transpose.models.card import NAME
from transpose.models.places import user_cards, user_folder

KEPT = "kept"  # the folder of adapters that a card names, each in one called after its hash


def folder(name: str) -> Path:
    """$TRANSPOSE_HOME/learned/NAME, else in the user's configuration folder."""
    return user_folder() / "learned" / name


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Hold the folder, which is made: two processes that learn the same name would write one checkpoint."""
    from filelock import FileLock, Timeout

    folder(name).mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with FileLock(folder(name) / ".lock", timeout=0):
            yield
    except Timeout:
        raise UsageError(f"another process is learning {name!r}", "Wait, or choose another --name") from None


def keep(adapter: Path, digest: str) -> Path:
    """A copy of the best adapter so far that no further learning touches: where the card will say that it lies."""
    place = adapter.parent / KEPT / digest[:16]
    place.mkdir(parents=True, exist_ok=True)
    with atomic(place / adapter.name, force=True) as temporary:
        shutil.copyfile(adapter, temporary)
    return place / adapter.name


def drop_others(kept: Path) -> None:
    """Remove the kept adapters that the card no longer names, which lie beside the one in the folder `kept`."""
    for each in kept.parent.iterdir():
        if each != kept:
            shutil.rmtree(each, ignore_errors=True)


def begun(name: str) -> bool:
    """Whether there is a learning of that name, finished or not; never so of what is no name, as `..`."""
    return bool(NAME.fullmatch(name)) and folder(name).is_dir()


def unfinished(name: str) -> bool:
    """Whether there is one that no card lists yet."""
    return begun(name) and not (user_cards() / f"{name}.toml").exists()


def remove(name: str) -> int:
    """Remove all of a learning; returns the bytes freed. Raises UsageError while it goes on."""
    if not begun(name):
        return 0
    place = folder(name)
    with alone(name):
        freed = shelf.weigh(place)
        shutil.rmtree(place)
    return freed
