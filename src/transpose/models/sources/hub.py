"""A repository on the Hugging Face hub at an exact commit, through huggingface_hub where that is installed.

It runs in a child, whose telemetry is switched off: this process's environment is not ours to change. What the
client's own cache holds is used, also offline.
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

from transpose.core.errors import DamagedWeights, WeightsError
from transpose.models import child
from transpose.models.card import Part, Source
from transpose.models.shelf import digest
from transpose.models.sources.job import Job
from transpose.models.unpack import copy

CLIENT = """
import json, sys
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import LocalEntryNotFoundError
order = json.loads(sys.argv[1])
for name in order["names"]:
    try:
        path = hf_hub_download(order["repo"], name, revision=order["revision"], local_files_only=True)
    except LocalEntryNotFoundError:
        if order["offline"]:
            sys.exit("not in the cache of huggingface_hub")
        path = hf_hub_download(order["repo"], name, revision=order["revision"], local_dir=order["folder"])
    print("PATH", json.dumps(path))
"""


def fetch(job: Job, source: Source) -> None:
    """Get the named files of each repository and check those whose hash the card gives."""
    if find_spec("huggingface_hub") is None:
        raise WeightsError("huggingface_hub is not installed")
    done = 0
    for number, part in enumerate(source.parts):
        folder = job.scratch / f"hub{number}"
        folder.mkdir()
        for path, ours in zip(_download(part, folder, job, done), part.files.values(), strict=True):
            with path.open("rb") as stream:
                copy(stream, job.into / ours, job.card.limit(ours))
            expected = part.hashes.get(ours)
            if expected and digest(job.into / ours) != expected:
                raise DamagedWeights(f"{ours!r} of {part.name} does not have the hash on the card")
            done += path.stat().st_size


def _download(part: Part, folder: Path, job: Job, done: int) -> list[Path]:
    order = {"repo": part.name, "revision": part.version, "names": list(part.files), "offline": job.offline}
    order["folder"] = str(folder / "got")
    command = [sys.executable, "-P", "-c", CLIENT, json.dumps(order)]
    quiet = {"HF_HUB_OFFLINE": "1"} if job.offline else {}
    try:
        said = child.run(command, folder, lambda size: job.progress(done + size), environ=quiet)
    except WeightsError as error:
        raise WeightsError(f"the hub does not give {part.name}: {error.message.splitlines()[-1]}") from None
    return [Path(json.loads(line[5:])) for line in said.splitlines() if line.startswith("PATH ")]
