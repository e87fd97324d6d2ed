"""In-process planning on 500 transforms: random catalogs shaped like ours (`python -m benchmarks.planning`).

240 readers and writers of 100 formats, 260 transforms between 66 kinds of 11 modalities with random losses, qualities
and speeds. The property test beside it (tests/test_search.py) shows that the answers equal brute force.
"""

from __future__ import annotations

import random
import statistics
import time
from dataclasses import replace

from transpose.core.catalog import Catalog
from transpose.core.kind import ASPECTS, MODALITIES, Node, parse_node, register_kinds
from transpose.core.label import Given, Goal
from transpose.core.search import Search
from transpose.core.transform import Slot, Transform

NAMES = "text image audio video score embedding table document mesh molecule protein".split()


def catalog(seed: int, count: int = 500) -> Catalog:
    """A random catalog."""
    rng = random.Random(seed)
    kinds = NAMES + [f"{name}.k{number}" for name in NAMES for number in range(5)]
    register_kinds(dict.fromkeys(kinds, ""))
    for name in NAMES:
        MODALITIES.setdefault(name, ("none", frozenset({"structure", "exactness"})))
    items, scores = [], {}
    for number in range(count):
        source, target = rng.choice(kinds), rng.choice(kinds)
        if number < 120:
            source, target = f".f{number % 100}", rng.choice(NAMES)
        elif number < 240:
            source, target = rng.choice(NAMES), f".f{number % 100}"
        item = Transform(f"t{number:03}", (Slot("x", (parse_node(source),)),), (parse_node(target),), f"none:t{number}")
        if number >= 240:
            lost = tuple(rng.sample(sorted(ASPECTS), rng.randint(0, 3)))
            item = replace(item, loses=lost, invents=rng.random() < 0.1, verb=rng.random() < 0.2)
        items.append(item)
        scores[item.name] = {"quality": rng.choice([0.5, 0.7, 0.85, 0.9, 1.0]), "seconds": 10 ** rng.uniform(-2, 1)}
    return Catalog(items, scores)


def main() -> None:
    """Print the milliseconds of 200 searches."""
    times, found = [], 0
    for seed in range(200):
        made, rng = catalog(seed), random.Random(seed)
        given, goal = Given(Node(f".f{rng.randint(0, 99)}")), Goal(Node(f".f{rng.randint(20, 99)}"))
        began = time.perf_counter()
        label = next(Search(made, (given,), goal).run(), None)
        times.append(1000 * (time.perf_counter() - began))
        found += label is not None
    times.sort()
    print(f"500 transforms, {found} of 200 goals reached")
    print(f"median {statistics.median(times):.1f} ms, 95th percentile {times[190]:.1f} ms, longest {times[-1]:.1f} ms")


if __name__ == "__main__":
    main()
