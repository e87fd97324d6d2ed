"""The planner finds what brute force finds, on random graphs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transpose.core.catalog import Catalog
from transpose.core.errors import TransposeError
from transpose.core.kind import ASPECTS, MODALITIES, Node, parse_node
from transpose.core.label import Given, Goal, Label
from transpose.core.route import route_from_label
from transpose.core.search import MAX_DEPTH, Search
from transpose.core.transform import Slot, Transform

KINDS = [
    "text",
    "text.summary",
    "text.transcript",
    "audio",
    "audio.speech",
    "audio.music",
    "image",
    "image.page",
    "score",
]
ENDS = [".in", ".out"]


@st.composite
def catalogs(draw: st.DrawFn, inputs: int = 1, least: int = 8, most: int = 18) -> Catalog:
    """A random catalog with its scores; a reader of `.in` and a writer of `.out` are always there."""
    count = draw(st.integers(least, most))
    items, scores = [], {}
    for number in range(count + 2):
        sources = [draw(st.sampled_from(KINDS)) for _ in range(draw(st.integers(1, inputs)))]
        target = draw(st.sampled_from(KINDS))
        if number == 0:
            sources = [".in"]
        if number == 1:
            sources, target = sources[:1], ".out"
        item = Transform(
            f"t{number}",
            tuple(Slot(f"slot{i}", (parse_node(source),)) for i, source in enumerate(sources)),
            (parse_node(target),),
            f"transpose.none:t{number}",
            loses=tuple(draw(st.sets(st.sampled_from(sorted(ASPECTS)), max_size=2))),
            invents=draw(st.integers(0, 5)) == 0 and number > 1,
            thin=draw(st.integers(0, 5)) == 0 and number > 1,
            verb=draw(st.integers(0, 4)) == 0 and number > 1,
        )
        items.append(item)
        scores[item.name] = {
            "quality": draw(st.sampled_from([0.5, 0.72, 0.74, 0.9, 1.0])),
            "seconds": draw(st.sampled_from([0.1, 0.3, 1.0, 7.0])),
        }
    return Catalog(items, scores)


def chains(catalog: Catalog, goal: Goal, start: Node) -> Iterator[tuple[tuple[object, ...], tuple[str, ...]]]:
    """Every route of one input, by the rules as docs/planning.md words them and nothing of the search: (key, names)."""
    writers = [t for t in catalog if t.writes]
    needs: frozenset[str] = frozenset().union(*(MODALITIES[t.slots[0].nodes[0].modality][1] for t in writers))

    def key(path: list[Transform]) -> tuple[object, ...]:
        import math

        lost = frozenset(aspect for t in path for aspect in t.loses)
        quality = math.prod(catalog.quality(t) for t in path)
        seconds = sum(catalog.seconds(t) for t in path)
        pace = (math.floor((1 - quality) / 0.05 + 1e-9), math.floor(math.log2(seconds)))
        wanted = len(lost & needs)
        invents = sum(t.invents for t in path)
        return (0, 0, invents, wanted, len(lost) - wanted, *pace, len(path), tuple(t.name for t in path))

    def grow(path: list[Transform], nodes: list[Node]) -> Iterator[list[Transform]]:
        if nodes[-1].name == ".out":
            if set(goal.verbs) <= {t.name for t in path}:
                yield path
            return
        if len(path) == MAX_DEPTH:
            return
        for item in catalog:
            if step_is_right(item, path, nodes):
                yield from grow([*path, item], [*nodes, item.targets[0]])

    def step_is_right(item: Transform, path: list[Transform], nodes: list[Node]) -> bool:
        node, target = nodes[-1], item.targets[0]
        if not node.fits(item.slots[0].nodes[0]):
            return False
        if item.verb and (item.name not in goal.verbs or item in path):
            return False
        if item.invents and any(t.invents for t in path):
            return False
        if any(t.thin for t in path) and not item.writes and target.modality != node.modality:
            return False
        if item.writes:
            return True
        own = item.verb and item.slots[0].nodes[0].modality == target.modality
        before = [old for old in nodes if not old.is_format]
        left = any(old.modality == target.modality for old in before) and target.modality != node.modality
        return own or not (left or any(old.fits(target) for old in before))

    for path in grow([], [start]):
        yield key(path), tuple(t.name for t in path)


@given(catalogs(), st.data())
@settings(max_examples=300, deadline=None)
def test_one_input_equals_brute_force(catalog: Catalog, data: st.DataObject) -> None:
    verbs = [t.name for t in catalog if t.verb]
    asked = tuple(data.draw(st.sets(st.sampled_from(verbs), max_size=1))) if verbs else ()
    goal = Goal(Node(".out"), verbs=asked)
    best = next(Search(catalog, (Given(Node(".in")),), goal).run(), None)
    expected = min(chains(catalog, goal, Node(".in")), default=None)
    if expected is None:
        assert best is None
    else:
        assert best is not None
        assert best.names == expected[1]


class Unpruned(Search):
    """The same search with no label ever dropped."""

    def _push(self, label: Label) -> None:
        label.names = (*label.names,)
        if label.depth + (0 if label.final else self.distance.get(label.node.modality, MAX_DEPTH + 1)) > 4:
            return
        self.labels[label.state()].append(label)
        from heapq import heappush

        self.count += 1
        heappush(self.heap, (label.key(self.needs, self.goal.prefer), self.count, label))


class Shallow(Search):
    """The search with the same lower limit of depth."""

    def _push(self, label: Label) -> None:
        if label.depth + (0 if label.final else self.distance.get(label.node.modality, MAX_DEPTH + 1)) <= 4:
            super()._push(label)


@given(catalogs(inputs=2, least=2, most=6))
@settings(max_examples=200, deadline=None)
def test_several_inputs_equal_the_search_without_pruning(catalog: Catalog) -> None:
    goal, givens = Goal(Node(".out")), (Given(Node(".in")), Given(Node("audio.speech")))
    pruned = next(Shallow(catalog, givens, goal).run(), None)
    full = min(
        Unpruned(catalog, givens, goal).run(),
        key=lambda label: label.key(Search(catalog, givens, goal).needs, ""),
        default=None,
    )
    if full is None:
        assert pruned is None
    else:
        assert pruned is not None
        assert pruned.names == full.names


@given(catalogs())
@settings(max_examples=100, deadline=None)
def test_order_of_registration_does_not_matter(catalog: Catalog) -> None:
    backwards = Catalog(reversed(list(catalog)), catalog.scores)
    chains = []
    for each in (catalog, backwards):
        label = next(Search(each, (Given(Node(".in")),), Goal(Node(".out"))).run(), None)
        chains.append(route_from_label(label, (Node(".in"),)).steps if label else None)
    assert chains[0] == chains[1]


@given(catalogs())
@settings(max_examples=100, deadline=None)
def test_routes_keep_the_rules(catalog: Catalog) -> None:
    """Negative control of the rules: whatever is found breaks none of them."""
    for label in Search(catalog, (Given(Node(".in")),), Goal(Node(".out"))).run():
        path = [catalog[name] for name in label.names]
        assert sum(t.invents for t in path) <= 1
        assert not any(t.verb for t in path)
        assert len(path) <= MAX_DEPTH


def test_two_of_one_name_are_an_error() -> None:
    item = Transform("same", (Slot("x", (Node("text"),)),), (Node("text"),), "none:same")
    with pytest.raises(TransposeError, match="two transforms are named 'same'"):
        Catalog([item, item])


def test_brute_force_finds_a_search_that_drops_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a dominance that forgets what was lost gives other answers than brute force."""
    goal, start = Goal(Node(".out")), Node(".in")
    catalog = Catalog(
        [
            Transform("read", (Slot("x", (Node(".in"),)),), (Node("text"),), "none:read"),
            Transform("long", (Slot("x", (Node("text"),)),), (Node("text.ocr"),), "none:long", loses=("wording",)),
            Transform("other", (Slot("x", (Node("text"),)),), (Node("text.ocr"),), "none:other"),
            Transform("write", (Slot("x", (Node("text.ocr"),)),), (Node(".out"),), "none:write"),
        ],
        {"long": {"quality": 1.0, "seconds": 0.1}, "other": {"quality": 0.5, "seconds": 5.0}},
    )
    expected = min(chains(catalog, goal, start))[1]
    assert expected == ("read", "other", "write")

    def careless(self: Label, other: Label, paths: bool) -> bool:
        return self.quality >= other.quality and self.seconds <= other.seconds

    assert next(Search(catalog, (Given(start),), goal).run()).names == expected
    monkeypatch.setattr(Label, "dominates", careless)
    assert next(Search(catalog, (Given(start),), goal).run()).names != expected
