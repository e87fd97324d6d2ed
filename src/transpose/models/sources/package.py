"""An installed Python package: its data files are read from where they lie; it is never imported."""

from __future__ import annotations

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from transpose.core.errors import WeightsError
from transpose.models.card import Card, Part, Source
from transpose.models.sources.job import Job
from transpose.models.unpack import copy


def fetch(job: Job, source: Source) -> None:
    """Copy the named files of each part, installed in exactly its version."""
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
    try:
        installed = distribution(part.name)
    except PackageNotFoundError:
        raise WeightsError(f"the package {part.name!r} is not installed") from None
    if installed.version != part.version:
        raise WeightsError(f"the package {part.name!r} is installed as {installed.version}, not {part.version}")
    return installed
