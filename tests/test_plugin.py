"""A plug-in in its own package: it shows up in plans without being imported, and runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parent.parent / "packages" / "transpose-morse"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample installed by pip, as a user would."""
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(folder), str(SAMPLE)], check=True, capture_output=True)
    return folder


def run(site: Path, home: Path, *arguments: str) -> str:
    """What a fresh process with the plug-in prints."""
    env = {**os.environ, "PYTHONPATH": str(site), "TRANSPOSE_HOME": str(home)}
    code = "import sys\nfrom transpose.cli import main\ncode = main(sys.argv[1:])\n"
    code += "print('loaded', 'transpose_morse' in sys.modules)\nsys.exit(code)"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=env, check=True)
    return done.stdout + done.stderr


def test_the_sample_is_short() -> None:
    source = (SAMPLE / "src" / "transpose_morse" / "__init__.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 40


def test_it_is_planned_without_being_imported(site: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("sos")
    told = run(site, tmp_path / "home", "plan", str(tmp_path / "a.txt"), "out.wav", "--do", "morse")
    assert ".txt -> text -> audio.morse -> .wav" in told
    assert "loaded False" in told
    told = run(site, tmp_path / "home", "plan", str(tmp_path / "a.txt"), "speech.wav")
    assert "audio.speech" in told
    assert "morse" not in told.replace("loaded", "")


def test_it_runs(site: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("sos")
    out = tmp_path / "out.wav"
    run(site, tmp_path / "home", str(tmp_path / "a.txt"), str(out), "--do", "morse", "-o", "wpm=20")
    from transpose.media.audio import Audio

    dot = round(16_000 * 1.2 / 20)  # ... --- ... is 27 dots of signs and gaps, 2 more after each letter, 1 before
    assert Audio.from_file(out).length == dot * (1 + 6 + 2 + 12 + 2 + 6 + 2)


def test_a_stranger_without_a_declaration_counts_as_inventing(tmp_path: Path) -> None:
    from transpose.index import _plugin

    item = _plugin("text--image--daub", "daub:daub", {}, "")
    assert item.invents
    assert item.loses
    with pytest.raises(Exception, match="SOURCE--TARGET--NAME"):
        _plugin("daub", "daub:daub", {}, "")
