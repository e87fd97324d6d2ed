"""An installed Python package: its data files are read from where they lie; it is never imported."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import WeightsError
from transpose.models.card import Card, Part, Source

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    from transpose.models.sources.job import Job


def fetch(job: Job, source: Source) -> None:
    """Copy the named files of each part, installed in exactly its version."""
    from transpose.models.unpack import copy

    found = [(part, _find(part)) for part in source.parts]  # all of them, before the first byte is copied
    for part, installed in found:
        known = {str(file.as_posix()): file for file in installed.files or []}
        for member, ours in part.files.items():
            if member not in known:
                raise WeightsError(f"the package {part.name!r} has no file {member!r}")
            with Path(str(installed.locate_file(known[member]))).open("rb") as stream:
                copy(stream, job.into / ours, job.card.limit(ours))


def installed(card: Card) -> bool:
    """Whether a package that holds this model is installed: then nothing has to be fetched."""
    for source in card.sources:
        if source.kind == "package":
            try:
                return bool([_find(part) for part in source.parts])
            except WeightsError:
                continue
    return False


def _find(part: Part) -> Distribution:
    if not _perhaps(part.name):  # importlib.metadata takes 20 ms to import, which `plan` mostly saves
        raise WeightsError(f"the package {part.name!r} is not installed")
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        installed = distribution(part.name)
    except PackageNotFoundError:
        raise WeightsError(f"the package {part.name!r} is not installed") from None
    if installed.version != part.version:
        raise WeightsError(f"the package {part.name!r} is installed as {installed.version}, not {part.version}")
    return installed


def _perhaps(name: str) -> bool:
    """Whether anything where Python looks for packages is called like the folder or file that tells of this one."""
    wanted = _plain(name)
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            if folder.endswith((".zip", ".whl", ".egg")):
                return True  # packed: let importlib.metadata see
            continue
        if any(each.endswith("-info") and _plain(each).startswith(wanted) for each in names):
            return True
    return False


def _plain(name: str) -> str:
    """As PEP 503 compares the names of packages."""
    return re.sub(r"[-_.]+", "-", name).lower()
