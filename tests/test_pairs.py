"""Which modality can become which: enough ways are faithful, and none is absurd."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.pairs import Pair, page, pairs
from transpose.core.catalog import Catalog
from transpose.core.kind import DEPICTIONS, MODALITIES
from transpose.index import load_catalog


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What comes with Transpose, without models of one's own."""
    known = load_catalog(tmp_path_factory.mktemp("home"))
    return Catalog([item for item in known if not item.bound], known.scores)


@pytest.fixture(scope="module")
def made(catalog: Catalog) -> dict[tuple[str, str], Pair]:
    """Every pair."""
    return {(each.source, each.target): each for each in pairs(catalog)}


def test_every_pair_is_told(made: dict[tuple[str, str], Pair]) -> None:
    assert len(MODALITIES) == 11
    assert len(made) == 110
    assert sum(each.faithful and not each.verb for each in made.values()) >= 55


def test_numbers_do_not_speak(made: dict[tuple[str, str], Pair]) -> None:
    """A vector says nothing in words, sound or pictures, and nothing is composed, folded or synthesised by chance."""
    for target in ("text", "document", "audio", "video", "image", "score", "molecule"):
        assert not made["embedding", target].faithful
    for source in ("text", "image", "video", "mesh"):
        assert not made[source, "score"].faithful
        assert not made[source, "protein"].faithful


def test_a_depiction_goes_nowhere_but_back(catalog: Catalog, made: dict[tuple[str, str], Pair]) -> None:
    """What shows a thing is not taken for a picture, a table or a film like others."""
    for each in made.values():
        route = each.route
        for number, step in enumerate(route.steps[:-1] if route else ()):
            if step.output.name in DEPICTIONS:
                takes = [s for s in route.steps if ("step", number) in s.inputs]  # type: ignore[union-attr]
                nodes = [node.name for s in takes for slot in catalog[s.transform].slots for node in slot.nodes]
                assert any(name in DEPICTIONS for name in nodes), route


def test_the_page_has_a_row_for_each(catalog: Catalog) -> None:
    told = page(catalog, "note")
    assert told.count("\n| **") == 11
    assert len([line for line in told.splitlines() if line.startswith("| ")]) == 11 + 1 + 1 + 110
    assert (Path(__file__).parents[1] / "docs" / "pairs.md").is_file()
