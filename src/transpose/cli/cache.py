"""`transpose cache [show|trim|clear]`: what the cache holds."""

from __future__ import annotations

import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `cache` to the command line."""
    parser = subparsers.add_parser("cache", description=__doc__, allow_abbrev=False)
    parser.add_argument("action", nargs="?", choices=("show", "trim", "clear"), default="show")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Show, trim to the limit, or clear."""
    import json

    from transpose.cli.config import load
    from transpose.core.catalog import cache_home
    from transpose.core.store import Store

    store = Store(cache_home(), int(load().get("cache_gb", 5) * 1024**3))
    freed = 0 if args.action == "show" else store.trim(0 if args.action == "clear" else None)
    entries = store.entries()
    total = sum(size for _, size, _ in entries)
    if args.json:
        print(
            json.dumps(
                {"folder": str(store.root), "steps": len(entries), "bytes": total, "limit": store.limit, "freed": freed}
            )
        )
        return 0
    if args.action != "show":
        print(f"freed {freed / 1e6:.1f} MB")
    print(f"{len(entries)} steps, {total / 1e6:.1f} MB of at most {store.limit / 1e9:.1f} GB in {store.root}")
    return 0
