"""`transpose models`: what it prints, what it fetches and frees, and its errors."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_models_shop import card_text, put_card, source_text

from transpose.cli.models import add_parser, run
from transpose.core.errors import DamagedWeights, OfflineError, WeightsError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two models of a set, whose files lie in a folder of the user's."""
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRANSPOSE_MODELS", str(tmp_path / "mine"))
    monkeypatch.delenv("TRANSPOSE_OFFLINE", raising=False)
    for name in ("tiny-one", "tiny-two"):
        data = name.encode()
        source = source_text("package", "no-such-package-here", "1.0", {"a": "model.bin"})
        put_card(tmp_path / "home", name, card_text(name, {"model.bin": data}, source, top='sets = ["tinies"]'))
        (tmp_path / "mine" / name).mkdir(parents=True)
        (tmp_path / "mine" / name / "model.bin").write_bytes(data)
    return tmp_path / "home"


def _run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--offline", action="store_true")
    add_parser(parser.add_subparsers())
    return run(parser.parse_args(["models", *words]))


def test_pull_a_set_list_it_and_remove_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("pull", "tinies") == 0
    told = capsys.readouterr()
    assert [line.split(":")[0] for line in told.out.splitlines()] == ["tiny-one", "tiny-two"]
    assert len(told.err.splitlines()) == 2
    assert _run("list") == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert rows["tiny-one"].split()[1:6] == ["0.0", "MB", "CC0-1.0", "yes", "tinies"]
    assert _run("remove", "tiny-one") == 0
    assert capsys.readouterr().out == "tiny-one: freed 0.0 MB\n"
    assert _run("remove", "tiny-one") == 0
    assert capsys.readouterr().out == "tiny-one: was not here\n"
    assert _run("list", "--json") == 0
    present = {row["name"]: row["present"] for row in json.loads(capsys.readouterr().out)}
    assert (present["tiny-one"], present["tiny-two"]) == (False, True)


def test_show(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("show", "tiny-one") == 0
    told = capsys.readouterr().out
    for part in ("Test tiny-one", "upstream hash: not compared", "model.bin  8 bytes  sha256", "here: no", "package:"):
        assert part in told
    assert _run("show", "tiny-one", "--json") == 0
    details = json.loads(capsys.readouterr().out)
    assert details["files"][0]["path"] == "model.bin"
    assert details["upstream_hash"] == "not compared"


def test_show_verifies(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run("pull", "--quiet", "tiny-one")
    folder = Path(capsys.readouterr().out.split(": ")[1].strip())
    assert _run("show", "tiny-one", "--verify") == 0
    assert "every hash is right" in capsys.readouterr().out
    (folder / "model.bin").write_bytes(b"TINY-ONE")  # as long as before: only its hash tells
    with pytest.raises(DamagedWeights, match="transpose models remove tiny-one"):
        _run("show", "tiny-one", "--verify")


def test_unknown_names(home: Path) -> None:
    for action in ("pull", "remove", "show"):
        with pytest.raises(WeightsError, match="Did you mean 'tiny-one'"):
            _run(action, "tinyone")
    with pytest.raises(WeightsError, match="sets: .*tinies"):
        _run("pull", "nothing-like-it")


def test_a_bad_card_does_not_hide_the_others(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_card(home, "bad", "name = 3")
    assert _run("pull", "tinies") == 0
    told = capsys.readouterr()
    assert "left out: the model card 'bad.toml'" in told.err
    assert len(told.out.splitlines()) == 2
    with pytest.raises(WeightsError, match=r"bad\.toml"):
        _run("show", "bad")


def test_failures_of_several_are_one_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSPOSE_MODELS", "")
    with pytest.raises(OfflineError) as caught:
        _run("pull", "tinies", "--offline")
    assert caught.value.message.startswith("2 models could not be had")
    assert "'tiny-one'" in caught.value.message
    assert "'tiny-two'" in caught.value.message


def test_offline_before_the_subcommand_counts(home: Path) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--offline", action="store_true")
    add_parser(parser.add_subparsers())
    assert parser.parse_args(["--offline", "models", "pull", "x"]).offline is True
    assert parser.parse_args(["models", "pull", "--offline", "x"]).offline is True
    assert parser.parse_args(["models", "pull", "x"]).offline is False


def test_importing_needs_only_the_standard_library() -> None:
    code = (
        "import sys, argparse; bare = set(sys.modules)\n"
        "import transpose.cli.models, transpose.models.pull, transpose.models.card, transpose.models.sources.wheel\n"
        "import transpose.models.sources.npm, transpose.models.sources.hub, transpose.models.sources.package\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - bare}\n"
        "print(sorted(new - set(sys.stdlib_module_names) - {'transpose'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
