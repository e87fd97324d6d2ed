"""The golden file of routes: what the planner answers to command lines, reviewed by hand.

`tests/routes.txt` holds `arguments => answer`. What a probe would say is told by the stem of a file's name (the table
below), so no file has content. After a change that is meant, run with ACCEPT=1 and review the difference.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from transpose.cli.convert import parser
from transpose.cli.request import Request
from transpose.core.errors import TransposeError
from transpose.core.kind import Node
from transpose.given import Inputs
from transpose.session import Session
from transpose.testing import FAKES

GOLDEN = Path(__file__).with_name("routes.txt")
PROBES: dict[str, dict[str, float]] = {
    "talk": {"audio.speech": 0.97, "audio.music": 0.02, "audio.other": 0.01},
    "voice": {"audio.speech": 0.96, "audio.music": 0.02, "audio.other": 0.02},
    "song": {"audio.music": 0.95, "audio.speech": 0.03, "audio.other": 0.02},
    "rain": {"audio.other": 0.97, "audio.music": 0.02, "audio.speech": 0.01},
    "mixed": {"audio.speech": 0.6, "audio.music": 0.35, "audio.other": 0.05},
    "page": {"image.page": 0.96, "image.photo": 0.04},
    "cat": {"image.photo": 0.95, "image.page": 0.05},
    "sketch": {"image.page": 0.55, "image.photo": 0.45},
    "icon": {"image.icon": 1.0},
    "drawn": {"image.drawing": 0.4},
    "spec": {"image.spectrogram": 1.0},
    "english": {"text@en": 0.99},
    "francais": {"text@fr": 0.98},
}


@dataclass(frozen=True)
class Told(Inputs):
    """Inputs whose probes answer what the table says."""

    def _probe(self, path: Path, modality: str) -> dict[str, float]:
        answers = PROBES.get(path.stem, {})
        return {name: p for name, p in answers.items() if Node(name.partition("@")[0]).modality == modality}

    def _units(self, path: Path, node: Node) -> float:
        return 1.0


def lines() -> list[tuple[str, str, tuple[str, ...]]]:
    """(arguments, answer, names of fakes) of every line."""
    found: list[tuple[str, str, tuple[str, ...]]] = []
    fakes: tuple[str, ...] = ()
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        if line.startswith("[fakes"):
            fakes = tuple(line.strip("[]").split()[1:])
        elif "=>" in line and not line.startswith("#"):
            asked, _, answer = line.partition("=>")
            found.append((asked.strip(), answer.strip(), fakes))
    return found


def answer(asked: str, fakes: tuple[str, ...], home: Path) -> str:
    """What the command line would plan: a chain, or the error's class and message."""
    args = parser().parse_args(shlex.split(asked))
    for name in args.paths[:-1]:
        if re.fullmatch(r"\S+\.\w+", name):
            Path(name).write_text("x")
    for pair in args.bind:
        Path(pair.partition("=")[2]).write_text("x")
    session = Session(home=home, transforms=[item for item in FAKES if item.name in fakes])
    session.inputs = Told(session.catalog, session.context, None)
    try:
        request = Request(args)
        wishes = request.wishes()
        pairs = session.givens(request.sources(session), wishes)
        return session.plan_givens(pairs, request.goal(request.out), 0, wishes).route.chain()
    except TransposeError as error:
        return f"{type(error).__name__}: {error}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize(("asked", "expected", "fakes"), lines(), ids=[line[0] for line in lines()])
def test_route(
    asked: str, expected: str, fakes: tuple[str, ...], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert answer(asked, fakes, home) == expected


@pytest.mark.skipif("ACCEPT" not in os.environ, reason="rewrites the golden file")
def test_accept(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answers = iter([answer(asked, fakes, home) for asked, _, fakes in lines()])
    text = [
        f"{line.partition('=>')[0]}=> {next(answers)}" if "=>" in line and not line.startswith("#") else line
        for line in GOLDEN.read_text(encoding="utf-8").splitlines()
    ]
    GOLDEN.write_text("\n".join(text) + "\n", encoding="utf-8")


def test_enough_routes() -> None:
    assert len(lines()) >= 60
    assert len({(asked, fakes) for asked, _, fakes in lines()}) == len(lines())
