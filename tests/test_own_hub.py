"""A model of one's own from a repository: the hub's real client against a shop on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from test_models_shop import COMMIT, Shop, open_shop
from test_own_torch import encoder_onnx

from transpose.cli import main
from transpose.models.card import find_card
from transpose.models.pull import weights
from transpose.session import Session

pytestmark = [
    pytest.mark.skipif(find_spec("huggingface_hub") is None, reason="huggingface_hub is not installed"),
    pytest.mark.skipif(find_spec("onnx") is None, reason="onnx is not installed"),
]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A hub with one repository: a text encoder in ONNX, a README, and a pickle that nobody asked for."""
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    encoder_onnx(tmp_path / "made")
    files = {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()}
    files["README.md"] = b"---\nlicense: mit\nlanguage:\n- en\n---\n# Tiny encoder\n"
    files["pytorch_model.bin"] = b"\x80\x02."
    with open_shop() as opened:
        monkeypatch.setenv("HF_ENDPOINT", opened.url + "/hub")
        told = {"id": "who/tiny", "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
        opened.files["/hub/api/models/who/tiny"] = json.dumps(told).encode()
        for name, data in files.items():
            opened.files[f"/hub/who/tiny/resolve/{COMMIT}/{name}"] = data
        yield opened


def test_it_is_fetched_tried_and_listed(shop: Shop, tmp_path: Path) -> None:
    assert main(["models", "add", "tiny", "who/tiny"]) == 0
    card = find_card("tiny")
    assert (card.title, card.licence, card.languages) == ("Tiny encoder", "MIT", ("en",))
    assert {file.path for file in card.files} == {"model.onnx", "tokenizer.json"}
    assert card.exact
    assert card.sources[0].parts[0].version == COMMIT
    assert not any("pytorch_model" in address for address in shop.asked)
    with Session() as session:
        assert session.run("red fox", do="tiny-embed").value.vector.shape == (8,)
    (weights("tiny") / "model.onnx").unlink()  # what is lost is fetched again, and checked
    assert (weights("tiny", quiet=True) / "model.onnx").is_file()


def test_a_name_that_is_not_there(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "add", "gone", "who/gone"]) == 31
    said = capsys.readouterr().err
    assert "who/gone" in said
    assert "Traceback" not in said


def test_offline_fetches_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSPOSE_OFFLINE", "1")
    assert main(["models", "add", "tiny", "who/tiny"]) == 31
    assert shop.asked == {}


def test_remove_forgets_the_card_and_frees_the_space(shop: Shop, tmp_path: Path) -> None:
    assert main(["models", "add", "tiny", "who/tiny"]) == 0
    assert main(["models", "remove", "tiny"]) == 0
    assert not (tmp_path / "home" / "cards" / "tiny.toml").exists()
    assert not list((tmp_path / "home" / "models").rglob("*.onnx"))
