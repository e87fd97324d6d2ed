"""`transpose bench`: how fast the transforms are on this machine, and how much memory they take."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transpose.core.transform import Transform

EXAMPLES = """examples:
  transpose bench                       every transform whose weights are here (some minutes)
  transpose bench transcribe speak      these two"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `bench` to the command line."""
    parser = subparsers.add_parser(
        "bench",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="transforms; none: all")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Measure in children, print a row for each, and keep the seconds for the planner."""
    import sys
    from dataclasses import asdict

    from tqdm import tqdm

    from transpose.core.catalog import cache_home, read_json
    from transpose.core.errors import UsageError
    from transpose.core.store import write_json
    from transpose.evaluate.timing import measurable, timings
    from transpose.index import load_catalog
    from transpose.models import shelf
    from transpose.models.card import find_card

    catalog = load_catalog(cache_home())
    if args.child:
        return _measure(catalog[args.names[0]])
    if unknown := [name for name in args.names if name not in catalog]:
        raise UsageError(f"there is no transform {unknown[0]!r}", "See: transpose list transforms")
    if lazy := [name for name in args.names if not measurable(catalog[name])]:
        raise UsageError(f"there is no sample to time {lazy[0]!r} with", "Its time is learned whenever it runs")
    child = [sys.executable, "-P", "-m", "transpose", "bench", "--child"]
    rows = timings(catalog, args.names, lambda item: all(shelf.ready(find_card(name)) for name in item.models), child)
    found = list(tqdm(rows, desc="transforms", leave=False, disable=not sys.stderr.isatty()))
    path = cache_home() / "speeds.json"
    write_json(path, {**read_json(path), **{row.transform: row.seconds for row in found if not row.failed}})
    if args.json:
        import json

        print(json.dumps([asdict(row) for row in found], ensure_ascii=False))
        return 0
    from transpose.cli.list import print_table

    known = {name: float(entry.get("seconds", 0)) for name, entry in catalog.scores.items()}
    table = [("transform", "seconds a unit", "x reference", "first call", "memory MB")]
    for row in found:
        if row.failed:
            table.append((row.transform, "-", "-", "-", f"not measured: {row.failed}"))
            continue
        ratio = f"{row.seconds / known[row.transform]:.2f}" if known.get(row.transform) else "-"
        table.append((row.transform, f"{row.seconds:.4g}", ratio, f"{row.first:.2f}", str(row.memory_mb)))
    print_table(table)
    return 0


def _measure(item: Transform) -> int:
    """The child: measure one transform and print the row as JSON."""
    import json
    import tempfile
    from dataclasses import asdict
    from functools import partial
    from pathlib import Path

    from transpose.core.context import Context
    from transpose.evaluate.timing import measure
    from transpose.models.pull import weights

    with tempfile.TemporaryDirectory(prefix="transpose-bench-") as folder:
        ctx = Context(weights=partial(weights, offline=True, quiet=True), folder=Path(folder))
        print(json.dumps(asdict(measure(item, ctx))))
    return 0
