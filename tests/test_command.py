"""Command tests: every Markdown file in tests/command holds commands, what they print, and how they exit.

A block ```python makes the inputs; a block ```console holds lines that begin with `$ `, run by bash in a fresh
folder, followed by all that is printed and, where it is not 0, `[exit N]`. A command that fails must leave no new
file. The first line of a file may name what it needs: `<!-- needs: models -->`, `<!-- needs: unshare -->`.
ACCEPT=1 rewrites the answers.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

FOLDER = Path(__file__).with_name("command")
EXAMPLES = Path(__file__).parent.parent / "examples"
BLOCK = re.compile(r"```(python|console)\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """What one command printed, how it ended, and which files it left."""

    text: str
    code: int
    left: frozenset[str]


def files(folder: Path) -> frozenset[str]:
    """Names of all files below a folder, hidden ones too."""
    return frozenset(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"
    )


def ask(command: str, folder: Path, env: dict[str, str]) -> Answer:
    """Run one command line by bash."""
    before = files(folder)
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=280
    )
    text = done.stdout.decode(errors="replace").replace(str(folder), "$PWD")
    return Answer(text, done.returncode, files(folder) - before)


def run_file(path: Path, folder: Path, home: Path) -> str:
    """The file's text with every answer as it is now; asserts that failures leave nothing."""
    tools = folder.parent / f"{folder.name}-bin"
    tools.mkdir()
    wrapper = tools / "transpose"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m transpose "$@"\n')
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IEXEC)
    env = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "TRANSPOSE_HOME": str(home),
        "TRANSPOSE_CONFIG": str(folder.parent / "none.toml"),
        "EXAMPLES": str(EXAMPLES),
        "COLUMNS": "100",
    }

    def answer(match: re.Match[str]) -> str:
        kind, body = match.groups()
        if kind == "python":
            subprocess.run([sys.executable, "-c", body], cwd=folder, env=env, check=True, timeout=120)
            return match.group(0)
        told = []
        for command in re.findall(r"^\$ (.*)$", body, re.MULTILINE):
            got = ask(command, folder, env)
            assert got.code == 0 or not got.left, f"{command!r} failed and left {sorted(got.left)}"
            assert "Traceback" not in got.text
            end = f"[exit {got.code}]\n" if got.code else ""
            told.append(f"$ {command}\n{got.text}{'' if got.text.endswith(chr(10)) or not got.text else chr(10)}{end}")
        return f"```console\n{''.join(told)}```"

    return BLOCK.sub(answer, path.read_text(encoding="utf-8"))


def cases() -> list[ParameterSet]:
    """Every file, marked by what it needs."""
    found = []
    for path in sorted(FOLDER.glob("*.md")):
        needs = re.match(r"<!-- needs: (.*?) -->", path.read_text(encoding="utf-8"))
        marks = [pytest.mark.models] if needs and "models" in needs[1] else []
        found.append(pytest.param(path, id=path.stem, marks=marks))
    return found


def can_unshare() -> bool:
    """Whether a namespace of our own is allowed here, for a small disk or no network."""
    try:
        return subprocess.run(["unshare", "-rmn", "true"], capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.parametrize("path", cases())
def test_command(path: Path, tmp_path: Path, home: Path, request: pytest.FixtureRequest) -> None:
    if "needs: models" in path.read_text(encoding="utf-8"):
        request.getfixturevalue("pulled")
    if "needs: unshare" in path.read_text(encoding="utf-8") and not can_unshare():
        pytest.skip("needs user namespaces")
    folder = tmp_path / "here"
    folder.mkdir()
    told = run_file(path, folder, home)
    if os.environ.get("ACCEPT"):
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8")


def test_a_wrong_answer_is_noticed(tmp_path: Path, home: Path) -> None:
    """Negative control of this very test."""
    page, folder = tmp_path / "page.md", tmp_path / "here"
    folder.mkdir()
    page.write_text("```console\n$ transpose absent.wav out.md\nall is well\n```\n")
    assert "[exit 11]" in run_file(page, folder, home)
