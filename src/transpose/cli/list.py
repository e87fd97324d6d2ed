"""`transpose list [transforms|formats|kinds|verbs]`: what this installation knows."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transpose.core.catalog import Catalog
    from transpose.core.transform import Transform

WIDE = 60  # letters of a signature
WHAT = ("transforms", "formats", "kinds", "verbs")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `list` to the command line."""
    parser = subparsers.add_parser("list", description=__doc__, allow_abbrev=False)
    parser.add_argument("what", nargs="?", choices=WHAT, default="transforms")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-v", "--verbose", action="store_true", help="with options and what is lost")


def run(args: argparse.Namespace) -> int:
    """Print one of the tables."""
    import json

    from transpose.core.catalog import cache_home
    from transpose.index import load_catalog, to_json

    catalog = load_catalog(cache_home())
    if args.json:
        rows = (
            {"transforms": [to_json(item) for item in catalog]}
            if args.what == "transforms"
            else {args.what: table(args.what, catalog)}
        )
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    print_table(table(args.what, catalog))
    if args.what == "transforms" and args.verbose:
        for item in catalog:
            print(f"\n{item.name}: {item}\n  loses {', '.join(item.loses) or 'nothing'}")
            for option in item.options:
                print(f"  -o {option.help()}")
    return 0


def table(what: str, catalog: Catalog) -> list[tuple[str, ...]]:
    """Rows of one table, with its head."""
    from transpose.core.kind import KINDS

    if what == "kinds":
        return [("kind", "meaning"), *sorted(KINDS.items())]
    if what == "formats":
        reads, writes = catalog.suffixes(read=True), catalog.suffixes(read=False)
        rows = []
        for suffix in sorted(reads | writes):
            kinds = {str(t.targets[0]) for t in catalog if any(n.name == suffix for n in t.slots[0].nodes)}
            made = {str(t.slots[0].nodes[0]) for t in catalog if any(n.name == suffix for n in t.targets)}
            rows.append((suffix, ", ".join(sorted(kinds)) or "-", ", ".join(sorted(made)) or "-"))
        return [("format", "read as", "written from"), *rows]
    chosen = [item for item in catalog if item.verb or what == "transforms"]
    rows = [
        (_called(item), _cut(str(item)), item.doc.partition("\n")[0]) for item in sorted(chosen, key=lambda t: t.name)
    ]
    return [("transform" if what == "transforms" else "verb", "from -> to", "what it does"), *rows]


def _cut(signature: str) -> str:
    """A signature that fits a line; `--json` has all of it."""
    return signature if len(signature) <= WIDE else f"{signature[: WIDE // 2 - 2]} ... {signature[-WIDE // 2 + 3 :]}"


def _called(item: Transform) -> str:
    """Its name, and the verb that it performs where that is another word."""
    return f"{item.name} ({item.does})" if item.does not in ("", item.name) else item.name


def print_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Columns in line; the last one as long as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]))
