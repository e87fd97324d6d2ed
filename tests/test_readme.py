"""Every command that the README and the quickstart show is run, once as it stands and once without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import made_home

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table() -> list[tuple[str, str]]:
    """(command, what comes out) of the table, in order."""
    return re.findall(r"^\| `(transpose [^`]+)` \| (.*) \|$", README, re.MULTILINE)


def blocks() -> list[tuple[str, str]]:
    """(command, what it prints) of the console blocks, in order."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            found.append((command, printed))
    return found


def excerpt(path: Path) -> str:
    """What there is to say of an output, in a few words."""
    from transpose import Context
    from transpose.formats.midi import read_midi
    from transpose.media.audio import Audio
    from transpose.media.video import Video

    if path.suffix in (".md", ".txt", ".srt", ".docx"):
        written = path.read_text(encoding="utf-8") if path.suffix != ".docx" else words_of(path)
        lines = [line for line in written.splitlines() if line and not line.isdigit()]
        text = " ".join(lines)
        return text if len(text) <= 100 else text[:100].rsplit(" ", 1)[0] + " ..."
    if path.suffix == ".csv":
        head, *rows = path.read_text(encoding="utf-8").splitlines()
        return f"{len(rows)} rows of {head.replace(',', ', ')}"
    if path.suffix in (".mp3", ".wav"):
        sound = Audio.from_file(path)
        return f"{sound.duration:.1f} s of sound, {sound.rate} Hz, {'stereo' if sound.channels == 2 else 'mono'}"
    if path.suffix == ".mid":
        return f"{len(read_midi(path, Context()).notes())} notes"
    if path.suffix == ".mp4":
        video = Video.from_file(path)
        return f"{video.duration:.1f} s of video, {video.width} x {video.height}"
    if path.suffix == ".npy":
        import numpy as np

        return f"numbers of shape {np.load(path).shape}"
    from PIL import Image

    with Image.open(path) as picture:
        count = getattr(picture, "n_frames", 1)
        return f"{'a picture' if count == 1 else f'{count} pictures'} of {picture.width} x {picture.height}"


def words_of(path: Path) -> str:
    """What a Word document says, its headings marked."""
    from transpose import Context
    from transpose.formats.word import read_word
    from transpose.transforms.document_text import document_text

    return str(document_text(read_word(path, Context()), Context()).text)


def steady(text: str) -> str:
    """Without the seconds, which are this machine's own."""
    return re.sub(r"about \d+ \w+,", "about that long,", text)


def environment(home: Path, tools: Path) -> dict[str, str]:
    """A PATH on which `transpose` is this installation, with a cache of its own."""
    tools.mkdir(exist_ok=True)
    wrapper = tools / "transpose"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m transpose "$@"\n')
    wrapper.chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "TRANSPOSE_HOME": str(home), "TRANSPOSE_CONFIG": str(tools / "none")}


def run_all(folder: Path, env: dict[str, str], before: tuple[str, ...] = ()) -> tuple[list[str], list[str]]:
    """What every row's output holds now, and what every block prints, run in order beside a copy of the examples."""
    folder.mkdir()
    (folder / "examples").symlink_to(ROOT / "examples")
    told = []
    for command, _ in [*table(), *blocks()]:
        shell = [*before, "bash", "-c", command]
        done = subprocess.run(shell, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=280)
        told.append(done.stdout.decode())
        assert done.returncode == 0, f"{command}\n{told[-1]}"
    return [excerpt(folder / output(command)) for command, _ in table()], told[len(table()) :]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of its own: a model that another page adds must not change what these commands do."""
    return made_home(tmp_path_factory.mktemp("readme-home"))


def output(command: str) -> str:
    """The last word before the options."""
    return command.partition(" -")[0].split()[-1]


@pytest.mark.models
@pytest.mark.timeout(900)
def test_commands_do_what_the_readme_says(home: Path, pulled: None, tmp_path: Path) -> None:
    outputs, printed = run_all(tmp_path / "here", environment(home, tmp_path / "bin"))
    if os.environ.get("ACCEPT"):
        text = README
        for (command, old), new in zip(table(), outputs, strict=True):
            text = text.replace(f"| `{command}` | {old} |", f"| `{command}` | {new} |")
        for (command, old), new in zip(blocks(), printed, strict=True):
            text = text.replace(f"$ {command}\n{old}", f"$ {command}\n{new}")
        (ROOT / "README.md").write_text(text, encoding="utf-8")
    else:
        assert outputs == [old for _, old in table()]
        assert [steady(now) for now in printed] == [steady(old) for _, old in blocks()]


@pytest.mark.models
@pytest.mark.timeout(900)
def test_commands_run_without_a_network(home: Path, pulled: None, tmp_path: Path) -> None:
    """Once more after the pull, in a namespace without any network and with an empty cache of steps."""
    allowed = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0
    if not allowed:
        pytest.skip("needs user namespaces")
    env = {**environment(home, tmp_path / "bin"), "TRANSPOSE_HOME": str(tmp_path / "fresh")}
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh" / "models").symlink_to((home / "models").resolve())
    run_all(tmp_path / "there", env, ("unshare", "-rn"))


def test_ci_runs_the_test_command_of_the_readme() -> None:
    match = re.search(r"<!-- test command -->\n```sh\n(.*?)\n```", README)
    assert match
    assert match[1].startswith("python3 -m venv .venv && ")
    assert "README.md" in (ROOT / ".ci" / "run").read_text()


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
