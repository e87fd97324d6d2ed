"""The command line beside conversions: plans that are saved and replayed, lists, history, cache, settings."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path

import pytest

from transpose.cli import main
from transpose.core.errors import EmptyInput


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRANSPOSE_HOME", str(home))
    monkeypatch.setenv("TRANSPOSE_CONFIG", str(tmp_path / "transpose.toml"))
    monkeypatch.delenv("TRANSPOSE_OFFLINE", raising=False)
    Path("a.txt").write_text("The first line. The second line.")


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What a command line prints on stdout; asserts its exit code."""
    assert main(arguments) == code
    return capsys.readouterr().out


def test_a_plan_is_saved_and_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    assert ".txt -> text -> .md" in told(capsys, "plan", "a.txt", "b.md", "--save", "plan.json")
    told(capsys, "a.txt", "b.md", "--plan", "plan.json", "-q")
    assert Path("b.md").read_text().startswith("The first line")
    Path("plan.json").write_text(Path("plan.json").read_text().replace("write-markdown", "write-nothing"))
    told(capsys, "a.txt", "c.md", "--plan", "plan.json", code=20)
    Path("plan.json").write_text("[]")
    told(capsys, "a.txt", "c.md", "--plan", "plan.json", code=2)
    told(capsys, "a.txt", "c.md", "--plan", "none.json", code=11)
    assert not Path("c.md").exists()


def test_plan_as_json_tells_all(capsys: pytest.CaptureFixture[str]) -> None:
    plan = json.loads(told(capsys, "plan", "a.txt", "speech.mp3", "--json"))
    assert [step["transform"] for step in plan["steps"]] == ["read-text", "speak", "write-sound"]
    assert {model["licence"] for model in plan["models"]} == {"Apache-2.0"}
    assert plan["network"] is False
    assert "structure" in plan["lost"]
    assert any("speech.mp3" in each for each in plan["assumptions"])


def test_keep_stores_every_value(capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "a.txt", "b.md", "--keep", "kept", "--no-cache", "-q")
    assert sorted(path.name for path in Path("kept").iterdir()) == ["00-read-text", "01-write-markdown"]
    assert json.loads(Path("kept/00-read-text/value.json").read_text())["text"].startswith("The first")


def test_a_folder_gets_a_file_for_each_input(capsys: pytest.CaptureFixture[str]) -> None:
    Path("ü.txt").write_text("other")
    told(capsys, "a.txt", "ü.txt", "out/", "--to", ".md", "-q")
    assert {path.name: path.read_text() for path in Path("out").iterdir()}["ü.md"] == "other\n"
    told(capsys, "a.txt", "out/", code=2)


def test_a_bad_input_does_not_keep_the_others_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.txt").write_bytes(b"")
    Path("good.txt").write_text("good")
    assert main(["bad.txt", "good.txt", "some words", "out/", "--to", ".md"]) == EmptyInput.exit_code
    assert sorted(path.name for path in Path("out").iterdir()) == ["good.md", "some-words.md"]
    said = capsys.readouterr().err
    assert "bad.txt" in said
    assert "1 of 3 were not made" in said


def test_a_preview_has_a_place_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("nowhere/x.png", "x.jpg", "b.png"):
        assert main(["a red fox", "b.png", "--preview", wrong]) in (2, 40)
        assert not Path("b.png").exists()
    assert "--preview" in capsys.readouterr().err


def test_history_is_told_from_records_and_from_the_file_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told(capsys, "a.txt", "b.json", "-q")
    assert "read-text" in told(capsys, "history", "b.json")
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path / "elsewhere"))
    record = json.loads(told(capsys, "history", "b.json", "--json"))
    assert [step["transform"] for step in record["steps"]] == ["read-text", "write-json-text"]
    told(capsys, "history", "a.txt", code=10)


def test_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert "transcribe" in told(capsys, "list")
    assert "-o speed" in told(capsys, "list", "-v")
    assert "audio.speech" in told(capsys, "list", "kinds")
    assert ".wav" in told(capsys, "list", "formats")
    assert "summarize" in told(capsys, "list", "verbs")
    assert json.loads(told(capsys, "list", "--json"))["transforms"]
    assert "whisper-base" in told(capsys, "models", "list")


def test_cache_doctor_completion(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSPOSE_HOME", str(Path("own").resolve()))
    told(capsys, "a.txt", "b.md", "-q")
    assert json.loads(told(capsys, "cache", "--json"))["steps"] == 1
    assert "freed" in told(capsys, "cache", "clear")
    assert json.loads(told(capsys, "cache", "--json"))["steps"] == 0
    doctor = json.loads(told(capsys, "doctor", "--json"))
    assert doctor["transforms"]["write-text"]["ready"]
    for shell in ("bash", "zsh"):
        assert "--creative" in told(capsys, "completion", shell)


def test_settings_and_what_comes_before_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSPOSE_HOME", str(Path("own").resolve()))
    config = Path("transpose.toml")
    config.write_text('offline = true\navoid = ["write-markdown"]\n')
    told(capsys, "a.txt", "b.md", code=21)
    told(capsys, "a.txt", "vectors.npy", code=32)
    config.write_text('licences = ["MIT"]\n')
    told(capsys, "plan", "a.txt", "b.mp3", code=21)
    config.write_text('licences = ["MIT", "Apache-2.0"]\nmemory_mb = 300\n')
    told(capsys, "plan", "a.txt", "b.mp3", code=21)
    config.write_text('licences = ["MIT", "Apache-2.0"]\nmemory_mb = 3000\n')
    told(capsys, "plan", "a.txt", "b.mp3")
    config.write_text("ofline = true\n")
    assert main(["a.txt", "b.txt"]) == 2
    assert "Did you mean 'offline'?" in capsys.readouterr().err
    config.write_text("offline = 3\n")
    told(capsys, "a.txt", "b.txt", code=2)
    config.write_text("offline = [")
    told(capsys, "a.txt", "b.txt", code=2)


def test_result_and_error_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    made = json.loads(told(capsys, "a.txt", "b.md", "--json"))
    assert (made["outputs"], made["route"]) == (["b.md"], ".txt -> text -> .md")
    error = json.loads(told(capsys, "absent.wav", "b.md", "--json", code=11))["error"]
    assert error["type"] == "MissingInput"
    assert error["retryable"] is False


def test_a_question_is_asked_on_a_terminal_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from transpose.cli.convert import parser
    from transpose.cli.request import Request
    from transpose.core.errors import AmbiguousError

    request = Request(parser().parse_args(["a.txt", "b.md"]))

    def ask(wishes: object) -> str:
        assert isinstance(wishes, dict)
        if "kind" not in wishes:
            raise AmbiguousError("two meanings", "", ("--as text.label", "--as text.caption"))
        return str(wishes["kind"])

    with pytest.raises(AmbiguousError):
        request.ask(ask, {})
    monkeypatch.setattr("sys.stdin", io.StringIO("2\n"))
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    assert request.ask(ask, {}) == "text.caption"


def test_the_guard_on_sockets_works() -> None:
    """Negative control of the guard that every test runs under."""
    with pytest.raises(AssertionError, match="a connection"), socket.socket() as each:
        each.connect(("192.0.2.1", 80))


def test_a_preview_file_always_holds_the_latest_picture(tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image as Pictures

    from transpose.cli.progress import Preview
    from transpose.media.image import Image
    from transpose.media.text import Text

    shown = Preview(tmp_path / "växer.png")
    for grey in (10, 200):
        shown(Image(np.full((4, 6, 1), grey, np.uint8)))
        with Pictures.open(shown.path) as picture:
            assert picture.getpixel((0, 0)) == (grey, grey, grey)
    shown(Text("no picture"))
    assert [path.name for path in tmp_path.glob("*.p*")] == ["växer.png"]
    assert not list(tmp_path.glob(".*part"))
