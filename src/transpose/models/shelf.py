"""Where the weights lie on this machine: one folder for each model and each version of its files.

    $TRANSPOSE_HOME/models (else the user's cache folder)
      whisper-base/
        .lock             held while one process fetches or removes
        fetch-x1y2z3/     a fetch in progress; stale when nobody holds the lock
        0123456789abcdef/ the files of the card, and .verified.json: sizes and hashes seen when they were checked

A folder appears by one rename, so it is there whole or not at all. Later uses compare sizes only.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from transpose.core.errors import DamagedWeights, WeightsError
from transpose.models.card import Card

MARKER = ".verified.json"
TEMPORARY = "fetch-"


def root() -> Path:
    """The folder of all weights: $TRANSPOSE_HOME/models, else below the user's cache folder."""
    home = os.environ.get("TRANSPOSE_HOME")
    if home:
        return Path(home).expanduser() / "models"
    from platformdirs import user_cache_path

    return user_cache_path("transpose", appauthor=False) / "models"


def place(card: Card) -> Path:
    """The folder of this card's files (a lone file stands for itself), whether it exists or not."""
    if card.runtime and card.runtime.path:
        return card.runtime.path
    return root() / card.name / card.key


def ready(card: Card) -> bool:
    """Whether the files are there, were verified, and still have their sizes; a server counts as there."""
    folder = place(card)
    if card.runtime and card.runtime.place:
        return bool(card.runtime.address) or _lies(card, folder)
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        return all((folder / file.path).stat().st_size == marker[file.path]["size"] for file in card.files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _lies(card: Card, folder: Path) -> bool:
    """Whether a user's own files still lie where they were, with their sizes."""
    try:
        return all((folder if folder.is_file() else folder / f.path).stat().st_size == f.size for f in card.files)
    except OSError:
        return False


def verify(card: Card, folder: Path) -> None:
    """Hash the card's files in `folder` and compare.

    Raises DamagedWeights, or WeightsError where one is missing, naming the first that is wrong. A file that has no
    hash on the card is compared with the hash seen when it was made, if that is known.
    """
    seen = _marker(folder)
    for file in card.files:
        path = folder if folder.is_file() else folder / file.path
        if not path.is_file() or (path.is_symlink() and not card.runtime):
            raise WeightsError(f"{file.path!r} is missing")
        expected = file.sha256 or seen.get(file.path, "")
        if file.sha256 and path.stat().st_size != file.size:
            raise DamagedWeights(f"{file.path!r} has {path.stat().st_size} bytes where the card says {file.size}")
        if expected and (found := digest(path)) != expected:
            raise DamagedWeights(f"{file.path!r} has the hash {found}, and {expected} is expected")


def mark(card: Card, folder: Path) -> None:
    """Write down that the files of `folder` were verified."""
    seen = {
        file.path: {"size": (folder / file.path).stat().st_size, "sha256": file.sha256 or digest(folder / file.path)}
        for file in card.files
    }
    (folder / MARKER).write_text(json.dumps(seen, indent=1), encoding="utf-8")


def digest(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def locked(name: str, waiting: Callable[[], None]) -> Iterator[Path]:
    """Hold the lock of one model; `waiting` is called once if somebody else has it. Yields the model's folder.

    The system drops the lock when its process ends, however it ends. What an earlier fetch left is removed.
    """
    from filelock import FileLock, Timeout

    folder = root() / name
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire()
    except (OSError, NotImplementedError) as error:
        raise WeightsError(
            f"cannot write to {str(folder)!r}: {error}", "Name another folder in the variable TRANSPOSE_HOME"
        ) from None
    try:
        for stale in folder.glob(TEMPORARY + "*"):
            shutil.rmtree(stale, ignore_errors=True)
        yield folder
    finally:
        lock.release()


@contextmanager
def temporary(folder: Path) -> Iterator[Path]:
    """A new folder inside `folder`, removed in the end, whatever happens short of a kill."""
    import tempfile

    made = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=folder))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def install(card: Card, made: Path, scratch: Path) -> Path:
    """Rename the finished folder `made` into place; what stood there before (damaged) goes to `scratch`."""
    target = place(card)
    if target.exists():
        target.rename(scratch / "old")
    made.rename(target)
    return target


def remove(name: str) -> int:
    """Remove all weights of a model, every version of them; returns the bytes freed."""
    if not (root() / name).is_dir():
        return 0
    freed = 0
    with locked(name, lambda: None) as folder, temporary(folder) as scratch:
        for entry in [path for path in folder.iterdir() if path.is_dir() and path != scratch]:
            freed += weigh(entry)
            entry.rename(scratch / entry.name)
    return freed


def weigh(folder: Path) -> int:
    """Bytes of all files below a folder, which somebody else may be changing: `os.walk` passes over what vanishes."""
    total = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.lstat(os.path.join(inside, name)).st_size
    return total


def _marker(folder: Path) -> dict[str, str]:
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        return {path: str(entry["sha256"]) for path, entry in marker.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
