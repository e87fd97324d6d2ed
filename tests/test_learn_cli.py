"""`transpose learn` with input that cannot be used, and without its packages; nothing is trained here."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from transpose.cli import main
from transpose.core.errors import EmptyInput, FolderInput, InputError, MissingInput, UsageError
from transpose.learn.examples import read_folder, read_pictures, words_of
from transpose.learn.order import check_name
from transpose.learn.report import Story, curve, page, spark
from transpose.learn.terms import Measure, read_measures, write_measures
from transpose.testing.shapes import draw, random_shapes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures: one with a caption, one with a name that says something, one with a camera's."""
    made = tmp_path / "cuts"
    made.mkdir()
    for name, shape in zip(("a", "red_circle-2", "IMG_1234"), random_shapes(3, seed=1), strict=True):
        Pillow.fromarray(draw(shape)).save(made / f"{name}.png")
    (made / "a.txt").write_text("  a blue\ncross ", encoding="utf-8")
    return made


def test_captions_come_from_beside_or_from_the_name(folder: Path) -> None:
    found = {each.path.stem: each.caption for each in read_folder(folder, print)}
    assert found == {"a": "a blue cross", "red_circle-2": "red circle", "IMG_1234": ""}


@pytest.mark.parametrize(
    ("stem", "words"),
    [("redFox03", "red fox"), ("Screenshot 2026-01-02", ""), ("p", ""), ("7", ""), ("blaue-Blume", "blaue blume")],
)
def test_words_of_a_name(stem: str, words: str) -> None:
    assert words_of(stem) == words


def test_a_digest_tells_picture_and_caption(folder: Path) -> None:
    before = [each.digest for each in read_folder(folder, print)]
    (folder / "a.txt").write_text("a red cross", encoding="utf-8")
    after = [each.digest for each in read_folder(folder, print)]
    assert [one == two for one, two in zip(before, after, strict=True)] == [True, False, True]


def test_one_unreadable_picture_is_named_and_left_out(folder: Path) -> None:
    (folder / "broken.png").write_bytes((folder / "a.png").read_bytes()[:40])
    (folder / "empty.jpg").touch()
    told: list[str] = []
    assert len(read_folder(folder, told.append)) == 3
    assert len(told) == 2
    assert "broken.png" in told[0]
    assert "empty.jpg" in told[1]
    with pytest.raises(InputError, match=r"broken\.png"):  # who named it means it
        read_pictures([folder / "a.png", folder / "broken.png"])


def test_what_is_no_folder_of_pictures(folder: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    with pytest.raises(EmptyInput, match="holds nothing"):
        read_folder(bare, print)
    (bare / "notes.md").write_text("x")
    with pytest.raises(EmptyInput, match="1 files, none of them a picture"):
        read_folder(bare, print)
    (bare / "x.png").write_bytes(b"no picture")
    with pytest.raises(EmptyInput, match="none of the 1 pictures"):
        read_folder(bare, print)
    with pytest.raises(FolderInput):
        read_folder(folder / "a.png", print)
    with pytest.raises(MissingInput):
        read_folder(tmp_path / "nowhere", print)
    with pytest.raises(FolderInput):
        read_pictures([folder])
    with pytest.raises(MissingInput):
        read_pictures([tmp_path / "no.png"])
    with pytest.raises(InputError, match="not a picture"):
        read_pictures([bare / "notes.md"])
    (folder / "a.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match=r"a\.txt"):
        read_pictures([folder / "a.png"])


@pytest.mark.parametrize("name", ["My Cat", "../x", "", "minilm", "a" * 300])
def test_names_that_cannot_be(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path))
    with pytest.raises(UsageError):
        check_name(name, force=False)
    check_name("mycat", force=False)


def test_a_taken_name_needs_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path))
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "mycat.toml").touch()
    with pytest.raises(UsageError, match="already"):
        check_name("mycat", force=False)
    check_name("mycat", force=True)


@pytest.mark.parametrize("name", ["..", "../..", "", "."])
def test_only_a_learning_is_removed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path))
    (tmp_path / "learned").mkdir()
    assert main(["models", "remove", name]) == 31
    assert (tmp_path / "learned").is_dir()


def test_without_its_packages_one_line_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else real(name))
    assert main(["learn", "style", str(folder), "--name", "cut"]) == 30
    assert "pip install 'transpose-ai[learn]'" in capsys.readouterr().err


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["learn", "--help"])
    told = capsys.readouterr().out
    assert "--via mycat" in told
    assert "Ctrl-C" in told
    with pytest.raises(SystemExit) as wrong:
        main(["learn", "style", "x", "--name", "y", "--rank", "0"])
    assert wrong.value.code == 2
    assert "1 to 256" in capsys.readouterr().err


def test_the_curve_is_kept_and_drawn(folder: Path, tmp_path: Path) -> None:
    measures = [Measure(step, step / 2, 1 / (step + 1), 1 / (step + 2)) for step in range(0, 100, 25)]
    write_measures(tmp_path, measures)
    assert [each.step for each in read_measures(tmp_path)] == [0, 25, 50, 75]
    assert curve([], []) == "<p>nothing measured yet</p>"
    assert curve([(5, 1.0), (10, 0.5)], measures).count("<polyline") == 2
    assert spark([3, 2, 1]) == "█▄▁" or spark([3, 2, 1])[0] == "█"
    (tmp_path / "samples").mkdir()
    Pillow.fromarray(np.zeros((16, 32, 3), np.uint8)).save(tmp_path / "samples" / "0000.png")
    story = Story("cut", {"base": "<b>"}, measures, ["a <fox>"], "", [])
    told = page(story, tmp_path, read_folder(folder, print))
    assert "&lt;b&gt;" in told
    assert "a &lt;fox&gt;" in told
    assert told.count("data:image/png;base64") == 4
    assert "http" not in told.replace("http://www.w3.org", "")
    assert "<script" not in told
