"""A folder that the user names: it holds NAME/ with the card's files, or is the model folder of another machine."""

from __future__ import annotations

from transpose.core.errors import WeightsError
from transpose.models.sources.job import Job
from transpose.models.unpack import copy


def fetch(job: Job) -> None:
    """Copy the files: a later change in the user's folder must not reach weights that were verified."""
    if not job.folders:
        raise WeightsError("no folder is named in TRANSPOSE_MODELS")
    card = job.card
    places = [place for root in job.folders for place in (root / card.name, root / card.name / card.key)]
    for place in places:
        if all((place / file.path).is_file() for file in card.files):
            for file in card.files:
                with (place / file.path).open("rb") as stream:
                    copy(stream, job.into / file.path, card.limit(file.path))
            return
    raise WeightsError(f"not all files are in {' or '.join(repr(str(root / card.name)) for root in job.folders)}")
