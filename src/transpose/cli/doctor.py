"""`transpose doctor`: is everything here that a transform needs?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transpose.session import Session

BASE = ("av", "numpy", "onnxruntime", "pillow")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `doctor` to the command line."""
    parser = subparsers.add_parser("doctor", description=__doc__, allow_abbrev=False)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Check packages, models, folders; say what each transform lacks."""
    import json

    from transpose.session import Session

    with Session() as session:
        rows = [(item.name, *state(session, item.name)) for item in sorted(session.catalog, key=lambda item: item.name)]
        facts = surroundings(session)
    if args.json:
        told = {name: {"ready": ready, "lacks": lacks} for name, ready, lacks in rows}
        print(json.dumps({**facts, "transforms": told}, ensure_ascii=False))
    else:
        for name, value in facts.items():
            print(f"{name:12} {value}")
        ready = [name for name, fine, _ in rows if fine]
        print(f"{'ready':12} {len(ready)} of {len(rows)} transforms")
        for name, fine, lacks in rows:
            if not fine:
                print(f"  {name}: {lacks}")
    return 0


def state(session: Session, name: str) -> tuple[bool, str]:
    """Whether a transform can run at once, and what it lacks."""
    from transpose.core.catalog import install, missing_modules

    item = session.catalog[name]
    missing = missing_modules(item)
    if missing:
        return False, f"needs {', '.join(missing)}: pip install {install(item)}"
    absent = [model for model in item.models if not session.present(model)]
    if absent:
        return False, f"its weights are fetched on first use: transpose models pull {' '.join(absent)}"
    return True, ""


def surroundings(session: Session) -> dict[str, str]:
    """Versions and places."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from transpose import __version__
    from transpose.cli.config import place

    facts = {"transpose": __version__, "python": f"{platform.python_version()} on {platform.platform()}"}
    for name in BASE:
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            facts[name] = "missing"
    config = place()
    facts |= {"cache": str(session.home), "config": f"{config}{'' if config.is_file() else ' (none)'}"}
    facts["offline"] = "yes" if session.offline else "no"
    return facts
