"""Bytes on disk: atomic outputs, the cache of steps, and the history records.

A file is written beside its place under a hidden name that carries our process number, synced, and renamed; what a
killed process left is removed when the next one writes into that folder.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from transpose.core.context import Many
from transpose.core.errors import DiskFull, OutputError, OutputExists
from transpose.core.kind import MODALITIES, Node

LIMIT = 5 * 1024**3  # bytes of all cached steps together
_STALE = re.compile(r"\.transpose-(\d+)-.*")


def hash_file(path: Path) -> str:
    """sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_json(value: object) -> str:
    """sha256 of plain data in a canonical form."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@contextmanager
def disk_errors(where: str) -> Iterator[None]:
    """Turn the system's own errors on writing into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"no space left for {where!r}", "Free some space, or set TRANSPOSE_HOME and TMPDIR elsewhere"
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise OutputError(
                f"cannot write {where!r}: {error.strerror}", "Choose another place for the output"
            ) from error
        raise


@contextmanager
def atomic(path: Path, *, force: bool = True) -> Iterator[Path]:
    """The path of a temporary file that becomes `path` when the block ends well, and is gone when it does not.

    Raises OutputExists where `path` is there and `force` is not set, also when it appeared in the meantime.
    """
    if not path.parent.is_dir():
        raise OutputError(f"there is no folder {str(path.parent)!r}", f"Make it with: mkdir -p {str(path.parent)!r}")
    refuse_existing(path, force)
    sweep(path.parent)
    # the suffix stays last: libraries choose the format by it
    temporary = path.parent / f".transpose-{os.getpid()}-{os.urandom(4).hex()}{path.suffix}"
    try:
        with disk_errors(str(path)):
            yield temporary
            _sync(temporary)
            refuse_existing(path, force)
            os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def refuse_existing(path: Path, force: bool) -> None:
    """Raise OutputExists where a file is there and `force` is not set; a folder is never replaced."""
    if path.is_dir():
        raise OutputError(f"{str(path)!r} is a folder", f"To put files into it, write {str(path)!r}/ with a slash")
    if path.exists() and not force:
        raise OutputExists(f"{str(path)!r} exists", "Add --force to replace it")


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sweep(folder: Path) -> None:
    """Remove temporaries of processes that are no more."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _STALE.fullmatch(entry.name)
            if match and not _alive(int(match[1])):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    Path(entry.path).unlink(missing_ok=True)


def _alive(process: int) -> bool:
    if sys.platform == "win32":  # signal 0 would end the process there
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def write_json(path: Path, value: object) -> None:
    """Write plain data atomically, making the folder (private to the user) where needed."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


# -- values as files -----------------------------------------------------------------------------------------------


def save_value(value: Any, node: Node, folder: Path) -> str:
    """Store one value (or many, item by item) in a folder; answers the suffix of its file(s)."""
    media = import_module(MODALITIES[node.modality][0])
    if not node.many:
        media.save(value, folder / f"value{media.SUFFIX}")
    elif hasattr(media, "save_many"):  # small values go into one file
        media.save_many(list(value), folder / f"many{media.SUFFIX}")
    else:
        for number, item in enumerate(value):
            media.save(item, folder / f"{number:06d}{media.SUFFIX}")
    return str(media.SUFFIX)


def load_value(node: Node, folder: Path) -> Any:
    """What `save_value` stored; many come back lazily."""
    media = import_module(MODALITIES[node.modality][0])
    if not node.many:
        return media.load(folder / f"value{media.SUFFIX}")
    if hasattr(media, "load_many"):
        values = media.load_many(folder / f"many{media.SUFFIX}")
        return Many(lambda: iter(values), len(values))
    paths = sorted(folder.glob(f"[0-9]*{media.SUFFIX}"))
    return Many(lambda: (media.load(path) for path in paths), len(paths))


class Store:
    """The cache: one folder an entry, named by the step's key, with `meta.json` written last by the rename.

    Reading an entry marks it as used; `trim` removes the longest unused until the whole is under `limit` bytes.
    """

    def __init__(self, home: Path, limit: int = LIMIT) -> None:
        self.home = home
        self.limit = limit
        self.root = home / "steps"

    def _folder(self, key: str) -> Path:
        return self.root / key[:2] / key

    def meta(self, key: str) -> dict[str, Any] | None:
        """What is known of a cached step, or None where it is not cached."""
        path = self._folder(key) / "meta.json"
        try:
            raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        with suppress(OSError):
            os.utime(path)
        return None if "once" in raw else raw

    def folder(self, key: str) -> Path:
        """Where the files of a cached step lie; never write there."""
        return self._folder(key)

    @contextmanager
    def putting(self, key: str, meta: dict[str, Any]) -> Iterator[Path]:
        """A folder to fill; it becomes the entry when the block ends well. `meta` may still grow inside the block."""
        target = self._folder(key)
        with disk_errors(str(self.root)):
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary = target.parent / f".transpose-{os.getpid()}-{os.urandom(4).hex()}"
            temporary.mkdir(mode=0o700)
            try:
                yield temporary
                (temporary / "meta.json").write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")
                if target.exists() and self.meta(key) is None:  # of a run that asked not to be cached, or broken
                    shutil.rmtree(target, ignore_errors=True)
                with suppress(OSError):  # another process was first: its entry is the same
                    os.rename(temporary, target)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)

    def entries(self) -> list[tuple[float, int, Path]]:
        """(last used, bytes, folder) of every entry."""
        found = []
        for folder in self.root.glob("??/*"):
            with suppress(OSError):
                size = sum(path.stat().st_size for path in folder.rglob("*"))
                found.append(((folder / "meta.json").stat().st_mtime, size, folder))
        return found

    def trim(self, limit: int | None = None) -> int:
        """Remove the longest unused entries until the rest is under the limit; answers the bytes freed."""
        most = self.limit if limit is None else limit
        entries = sorted(self.entries())
        total, freed = sum(size for _, size, _ in entries), 0
        for _, size, folder in entries:
            if total - freed <= most:
                break
            shutil.rmtree(folder, ignore_errors=True)
            freed += size
        for folder in self.root.glob("??"):
            sweep(folder)
        return freed

    # -- history ---------------------------------------------------------------------------------------------------

    def record(self, output: str, record: dict[str, Any]) -> None:
        """Keep how the file with this sha256 was made."""
        with disk_errors(str(self.home)):
            write_json(self.home / "history" / f"{output}.json", record)

    def history(self, output: str) -> dict[str, Any] | None:
        """How the file with this sha256 was made, where it was made here."""
        try:
            raw: dict[str, Any] = json.loads((self.home / "history" / f"{output}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return raw
