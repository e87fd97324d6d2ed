"""`transpose eval`: how good each transform is, by what was measured; and measuring it here."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transpose.core.catalog import Catalog
    from transpose.core.context import Context
    from transpose.evaluate.round_trips import Trip

EXAMPLES = """examples:
  transpose eval                        the scores that the planner goes by
  transpose eval --run                  write a sample in every format, read it again, compare
  transpose eval --run table            ... only tables; a suffix, or a model of your own, does as well
  transpose eval --run llama-summarize  measure your own model: the planner then knows how good it is
  transpose eval --run --page eval.html a page with plots"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `eval` to the command line."""
    parser = subparsers.add_parser(
        "eval",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="a transform, a modality or a suffix")
    parser.add_argument("--run", action="store_true", help="measure here, now")
    parser.add_argument("--page", type=Path, metavar="FILE", help="also write a page with plots")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print scores, after measuring them where that was asked."""
    from transpose.core.catalog import cache_home
    from transpose.core.errors import UsageError
    from transpose.evaluate.exact import EXACT
    from transpose.index import load_catalog

    catalog = load_catalog(cache_home())
    trips: list[Trip] = _measure(catalog, args.name) if args.run else []
    if args.run:
        catalog = load_catalog(cache_home())  # with the new scores
    scores = {n: s for n, s in catalog.scores.items() if n in catalog and (not args.name or args.run or n == args.name)}
    exact = {n: told for n, told in EXACT.items() if n in catalog and args.name in ("", n)}
    if args.name and not args.run and not scores and not exact:
        raise UsageError(f"nothing was measured of {args.name!r}", "See: transpose eval; measure with --run")
    if args.page:
        from transpose.core.store import atomic
        from transpose.evaluate.page import page

        with atomic(args.page, force=True) as temporary:
            temporary.write_text(page(scores, trips, exact), encoding="utf-8")
    if args.json:
        import json
        from dataclasses import asdict

        told = {"scores": scores, "exact": exact, "round_trips": [asdict(trip) for trip in trips]}
        print(json.dumps(told, ensure_ascii=False))
    else:
        _print(scores, exact, trips)
    return 0


def _context(folder: str) -> Context:
    from functools import partial

    from transpose.core.context import Context
    from transpose.models.pull import weights

    return Context(weights=partial(weights, quiet=True), folder=Path(folder))


def _measure(catalog: Catalog, name: str) -> list[Trip]:
    """Measure a model of the user's own, or round trips; what is found of a model is kept for the planner."""
    import tempfile

    from transpose.core.catalog import cache_home, read_json
    from transpose.core.errors import UsageError
    from transpose.core.store import write_json
    from transpose.evaluate.references import measurable, score
    from transpose.evaluate.round_trips import round_trips

    with tempfile.TemporaryDirectory(prefix="transpose-eval-") as folder:
        if name in catalog and measurable(catalog[name]):
            path = cache_home() / "scores.json"
            write_json(path, {**read_json(path), name: score(catalog[name], catalog, _context(folder))})
            return []
        trips = []
        for trip in _progress(round_trips(catalog, _context(folder), name)):
            trips.append(trip)
    if name and not trips:
        raise UsageError(f"there is nothing to measure under the name {name!r}", "Name a modality or a suffix")
    return trips


def _progress(trips: Any) -> Any:
    import sys

    from tqdm import tqdm

    return tqdm(trips, desc="round trips", leave=False, delay=0.5, disable=not sys.stderr.isatty())


def _print(scores: dict[str, Any], exact: dict[str, tuple[str, str]], trips: list[Trip]) -> None:
    from transpose.cli.list import print_table

    if trips:
        rows = [("of", "as", "quality", "value", "metric")]
        rows += [
            (t.modality, t.suffix, f"{t.quality:.2f}", f"{t.value:g}", t.failed and f"failed: {t.failed}" or t.metric)
            for t in trips
        ]
        print_table(rows)
        return
    head = ("transform", "quality", "value", "metric", "date", "data")
    table = [
        (n, f"{s['quality']:.2f}", f"{s['value']:g}", str(s["metric"]), str(s["date"]), str(s["data"]))
        for n, s in scores.items()
    ]
    table += [(name, "exact", "", what, "", f"by its test {test}") for name, (what, test) in exact.items()]
    print_table([head, *sorted(table)])
