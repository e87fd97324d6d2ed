"""Round trips, references and timings: real ones, on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import transpose
from transpose.cli import main
from transpose.core.catalog import Catalog, cache_home
from transpose.core.context import Context
from transpose.evaluate.exact import EXACT
from transpose.evaluate.likeness import LIKENESS
from transpose.evaluate.page import bar, page
from transpose.evaluate.round_trips import Trip, round_trips
from transpose.evaluate.samples import SAMPLES
from transpose.index import load_catalog


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """What is installed."""
    return load_catalog(cache_home())


def test_every_round_trip_gives_back_what_was_written(catalog: Catalog, tmp_path: Path) -> None:
    trips = list(round_trips(catalog, Context(folder=tmp_path)))
    assert len(trips) > 50
    assert {trip.modality for trip in trips} >= {"text", "table", "image", "audio", "video", "score", "embedding"}
    poor = [trip for trip in trips if trip.quality < 0.8 and trip.suffix != ".svg"]  # drawn anew from flat areas
    assert not poor


def test_loss_is_seen(catalog: Catalog, tmp_path: Path) -> None:
    """Negative control: MP3 is not WAV, and a reader that gives something else gets nothing."""
    found = {trip.suffix: trip for trip in round_trips(catalog, Context(folder=tmp_path), "audio")}
    assert found[".mp3"].quality < found[".wav"].quality
    assert LIKENESS["text"](SAMPLES["text"](), replace(SAMPLES["text"](), text="something else")).quality < 0.1


@pytest.mark.parametrize("modality", SAMPLES)
def test_a_value_is_like_itself(modality: str) -> None:
    assert LIKENESS[modality](SAMPLES[modality](), SAMPLES[modality]()).quality == pytest.approx(1)


def test_other_values_are_not_alike() -> None:
    image = SAMPLES["image"]()
    assert LIKENESS["image"](image, replace(image, pixels=255 - image.pixels)).quality < 0.3
    vector = SAMPLES["embedding"]()
    assert LIKENESS["embedding"](vector, replace(vector, vector=np.roll(vector.vector, 1))).quality < 0.3
    score = SAMPLES["score"]()
    from transpose.media.score import from_notes

    moved = from_notes(replace(note, start=note.start + 0.2, end=note.end + 0.2) for note in score.notes())
    assert LIKENESS["score"](score, moved).quality < 0.3


def test_the_command_prints_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "--run", "table", "--page", str(tmp_path / "page.html")]) == 0
    assert ".csv" in capsys.readouterr().out
    drawn = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert drawn.count("<svg") > 10
    assert "http" not in drawn.replace("http-equiv", "")
    assert main(["eval", "--json"]) == 0
    assert "summarize" in json.loads(capsys.readouterr().out)["scores"]
    assert main(["eval", "--run", "nonsense"]) == 2


def test_weak_ones_stand_out() -> None:
    assert "var(--weak)" in bar(0.2)
    assert "var(--weak)" not in bar(0.9)
    assert "<b>" not in page({}, [Trip(".x", "text", "w", "r", failed="<b>")])


def test_bench_measures_in_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path))
    assert main(["bench", "spectrogram", "--json"]) == 0
    row: dict[str, Any] = json.loads(capsys.readouterr().out)[0]
    assert row["transform"] == "spectrogram"
    assert row["seconds"] > 0
    assert json.loads((tmp_path / "speeds.json").read_text())["spectrogram"] == row["seconds"]
    assert main(["bench", next(t.name for t in load_catalog(tmp_path) if t.reads)]) == 2
    assert main(["bench", "no-such"]) == 2


def test_every_transform_has_a_score_or_a_test_that_says_it_is_exact(catalog: Catalog) -> None:
    ours = [item for item in catalog if item.where.startswith("transpose.") and not item.bound]
    own = {item.name for item in ours if not item.reads and not item.writes}
    scored = set(json.loads((Path(transpose.__file__).with_name("scores.json")).read_text()))
    assert own - scored - set(EXACT) == set()
    assert set(EXACT) - own == set()
    assert not scored & set(EXACT)
    assert scored - {item.name for item in catalog} == set()


@pytest.mark.parametrize("name", EXACT)
def test_what_is_exact_names_a_test_that_exists(name: str) -> None:
    path, _, test = EXACT[name][1].partition("::")
    assert f"def {test}(" in (Path(__file__).parent.parent / path).read_text()


def test_eval_shows_all(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["eval", "--page", str(tmp_path / "a.html")]) == 0
    said = capsys.readouterr().out
    assert any(line.split()[:2] == ["join", "exact"] for line in said.splitlines())
    assert any(line.split()[:2] == ["resize", "1.00"] for line in said.splitlines())
    assert "Exact, by their tests" in (tmp_path / "a.html").read_text()
    assert main(["eval", "join", "--json"]) == 0
    assert "join" in json.loads(capsys.readouterr().out)["exact"]
