"""A graph read from a table of links: names of nodes, and edges with how often they are there; and places to draw it.

The table has a column of sources and one of targets, in whatever case; `kind`, `times` (also `weight`, `count`) and
`found` are used where they are there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transpose.core.errors import EmptyInput, HugeInput, InputError
from transpose.media.table import Table, as_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST = 1_000_000  # links
NAMES = {
    "source": ("source", "from", "start"),
    "target": ("target", "to", "end"),
    "kind": ("kind", "type", "label"),
    "times": ("times", "weight", "count"),
    "found": ("found",),
}


@dataclass(frozen=True, slots=True)
class Edge:
    """A link from one node to another, by their numbers."""

    source: int
    target: int
    kind: str
    times: float


@dataclass(frozen=True, slots=True)
class Graph:
    """`nodes` are names, each once; `missing` are numbers of those that are only pointed to and not there."""

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]
    missing: frozenset[int]

    def degrees(self) -> list[int]:
        """How many links each node has, in and out; a link to itself counts once."""
        found = [0] * len(self.nodes)
        for edge in self.edges:
            for node in {edge.source, edge.target}:
                found[node] += 1
        return found


def read_graph(table: Table) -> Graph:
    """The graph of a table of links.

    Raises InputError (no column of sources or targets), EmptyInput (no links), HugeInput (over a million).
    """
    columns = {column.strip().lower(): column for column in reversed(table.columns)}
    used = {name: next((columns[each] for each in names if each in columns), "") for name, names in NAMES.items()}
    if not used["source"] or not used["target"]:
        hint = "Links need the columns source and target"
        raise InputError(f"this table has no links, its columns are {', '.join(table.columns[:12])}", hint)
    if len(table) > LARGEST:
        raise HugeInput(f"the table has {len(table):,} links, more than {LARGEST:,}", "Take a part of it")
    numbers: dict[str, int] = {}
    edges, missing = [], set()
    for row in table.rows():
        source, target = (as_text(row[used[name]]) for name in ("source", "target"))
        if not source or not target:
            continue
        ends = [numbers.setdefault(name, len(numbers)) for name in (source, target)]
        kind = as_text(row[used["kind"]]) if used["kind"] else ""
        edges.append(Edge(ends[0], ends[1], kind or "", _number(row[used["times"]] if used["times"] else 1)))
        if used["found"] and row[used["found"]] is False:
            missing.add(ends[1])
    if not edges:
        raise EmptyInput("the table holds no links", "Each row needs a source and a target")
    sources = {edge.source for edge in edges}
    return Graph(tuple(numbers), tuple(edges), frozenset(missing - sources))


def _number(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        return 1.0
    return number if math.isfinite(number) else 1.0


def part(graph: Graph, most: int) -> Graph:
    """The graph of the most linked nodes, in their order."""
    if len(graph.nodes) <= most:
        return graph
    degrees = graph.degrees()
    best = sorted(range(len(graph.nodes)), key=lambda node: (-degrees[node], node))[:most]
    new = {node: number for number, node in enumerate(sorted(best))}
    edges = tuple(
        Edge(new[each.source], new[each.target], each.kind, each.times)
        for each in graph.edges
        if each.source in new and each.target in new
    )
    missing = frozenset(new[node] for node in graph.missing if node in new)
    return Graph(tuple(graph.nodes[node] for node in sorted(best)), edges, missing)


def places(graph: Graph, seed: int, rounds: int = 300) -> NDArray[np.float64]:
    """Where to draw each node, float64 of shape (nodes, 2), about 1 from its neighbours.

    Springs and repulsion (Fruchterman and Reingold 1991) with a weak pull to the middle, by which parts that do not
    hang together stay near; cooled from 1/10 of the size of the whole to nothing.
    """
    import numpy as np

    count = len(graph.nodes)
    angle = np.arange(count) * 2.39996323  # a sunflower's spiral: no two begin at one place
    at = np.sqrt(np.arange(count) + 0.5)[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    at += np.random.default_rng(seed).normal(0, 0.05, at.shape)
    pairs = {(min(e.source, e.target), max(e.source, e.target)) for e in graph.edges if e.source != e.target}
    ends = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    degree = np.maximum(1, np.bincount(ends.ravel(), minlength=count)).astype(np.float64)
    for step in range(rounds):
        apart = at[:, None] - at[None]
        square = np.maximum((apart**2).sum(2), 1e-4)
        push = (apart / square[..., None] * np.sqrt(degree)[None, :, None]).sum(1) * 1.3
        along = at[ends[:, 1]] - at[ends[:, 0]]
        pull = along * np.linalg.norm(along, axis=1, keepdims=True) / np.sqrt(degree[ends].min(1))[:, None]
        np.add.at(push, ends[:, 0], pull)
        np.subtract.at(push, ends[:, 1], pull)
        push -= at * 0.12 * np.sqrt(degree)[:, None]
        length = np.maximum(np.linalg.norm(push, axis=1, keepdims=True), 1e-9)
        heat = 0.1 * math.sqrt(count) * (1 - step / rounds) + 0.005
        at += push / length * np.minimum(length, heat)
    centred: NDArray[np.float64] = at - at.mean(0)
    return centred
