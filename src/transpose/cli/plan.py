"""`transpose plan IN... OUT`: the route, without running it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transpose.core.catalog import Catalog
    from transpose.core.plan import Plan
    from transpose.core.route import Route
    from transpose.core.transform import Transform
    from transpose.models.card import Card
    from transpose.session import Session

WEAK = 0.6  # quality below which a step is called weak
EXAMPLES = """examples:
  transpose plan talk.wav summary.md
  transpose plan scan.pdf speech.wav --save plan.json     pin the route ...
  transpose scan.pdf speech.wav --plan plan.json          ... and take it again"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `plan` to the command line."""
    from transpose.cli.convert import add_request

    parser = subparsers.add_parser(
        "plan",
        description="Show the route from IN to OUT: steps, models, licences, time, losses, assumptions, other ways.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_request(parser)
    parser.add_argument("--save", metavar="FILE", help="save the route for --plan")
    parser.add_argument("-k", type=int, default=3, metavar="N", help="other ways to show (default 3)")


def run(args: argparse.Namespace) -> int:
    """Plan and print."""
    from transpose.cli.request import Request

    request = Request(args)
    with request.session() as session:
        wishes = request.wishes()
        pairs = session.givens(request.sources(session), wishes)
        made = request.ask(lambda wishes: session.plan_givens(pairs, request.goal(request.out), args.k, wishes), wishes)
        session.check_options(made.route, wishes)
        if args.save:
            from transpose.plan_file import save

            save(made.route, Path(args.save))
        if args.json:
            import json

            print(json.dumps(describe(session, made, pairs), ensure_ascii=False))
        else:
            print_plan(session, made, pairs, verbose=args.verbose)
    return 0


def describe(session: Session, made: Plan, pairs: list[Any]) -> dict[str, Any]:
    """A plan as plain data: what `transpose plan --json` prints."""
    from transpose.core.catalog import missing_modules

    catalog, route = session.catalog, made.route
    steps = []
    for step in route.steps:
        if step.transform not in catalog:
            continue
        item = catalog[step.transform]
        row = {
            "transform": step.transform,
            "output": str(step.output),
            "mapped": step.mapped,
            "models": list(item.models),
        }
        steps.append({**row, "quality": round(catalog.quality(item), 3), "synthetic": item.synthetic})
        steps[-1]["weak"] = _weakness(catalog, item)
    items = route.transforms(catalog)
    models = [session.card(name) for name in model_names(route, catalog)]
    return {
        "route": route.chain(),
        "steps": steps,
        "models": [
            {
                "name": c.name,
                "licence": c.licence,
                "mb": round(c.size / 1e6, 1),
                "here": session.present(c.name) or _installed(c),
            }
            for c in models
        ],
        "memory_mb": max([item.memory_mb for item in items], default=0),
        "seconds": round(route.seconds, 2),
        "quality": round(route.quality, 3),
        "lost": list(route.lost),
        "network": any(item.network for item in items),
        "hosts": sorted({item.host for item in items if item.host}),
        "missing": sorted({item.extra or name for item in items for name in missing_modules(item)}),
        "found": list(made.found),
        "assumptions": list(made.assumptions),
        "alternatives": [
            {"route": other.chain(), "steps": [s.transform for s in other.steps]} for other in made.alternatives
        ],
    }


def _installed(card: Card) -> bool:
    """Whether an installed package holds a model that is not on the shelf; rarely asked, and slow to import."""
    from transpose.models.sources.package import installed

    return installed(card)


def _weakness(catalog: Catalog, item: Transform) -> str:
    """A word of warning for a step that is known to be poor, or of which nothing is known."""
    if not item.models:
        return ""
    score = catalog.scores.get(item.name)
    if score is None:
        return "never measured"
    return f"WEAK: {score['metric']} {score['value']}" if catalog.quality(item) < WEAK else ""


def model_names(route: Route, catalog: Catalog) -> list[str]:
    """All models that the steps load, and those that their recipes may load."""
    names: dict[str, None] = {}
    for item in route.transforms(catalog):
        inner = [model for used in item.uses if used in catalog for model in catalog[used].models]
        names.update(dict.fromkeys([*item.models, *inner]))
    return list(names)


def print_plan(session: Session, made: Plan, pairs: list[Any], *, verbose: bool) -> None:
    """A plan for people."""
    from transpose.core.catalog import install, missing_modules

    told = describe(session, made, pairs)
    print(told["route"])
    print()
    width = max((len(step["transform"]) for step in told["steps"]), default=0)
    for number, step in enumerate(told["steps"], 1):
        notes = [", ".join(step["models"])] if step["models"] else []
        notes += [f"quality {step['quality']:.2f}"] if step["models"] or step["quality"] < 1 else []
        notes += [step["weak"]] if step["weak"] else []
        notes += ["marked as AI-made"] if step["synthetic"] else []
        notes += ["one by one"] if step["mapped"] else []
        print(
            f"  {number}. {step['transform']:{width}}  -> {step['output']}{'   ' + ', '.join(notes) if notes else ''}"
        )
    print()
    fetch = sum(model["mb"] for model in told["models"] if not model["here"])
    for model in told["models"]:
        where = "here" if model["here"] else "to be fetched"
        print(f"  model     {model['name']}: {model['licence']}, {model['mb']:.0f} MB, {where}")
    sends = f"yes: a step sends data{' to ' + ', '.join(told['hosts']) if told['hosts'] else ''}"
    network = sends if told["network"] else f"once, for {fetch:.0f} MB of weights" if fetch else "no"
    print(f"  network   {network}")
    print(f"  time      about {_time(told['seconds'])}, memory about {max(told['memory_mb'], 50)} MB")
    print(f"  lost      {', '.join(told['lost']) or 'nothing'}")
    for label, key in (("found", "found"), ("assumed", "assumptions")):
        for each in told[key]:
            print(f"  {label:9} {each}")
    lacking = [item for item in made.route.transforms(session.catalog) if missing_modules(item)]
    for each in sorted({install(item) for item in lacking}):
        print(f"  missing   pip install {each}")
    for other in told["alternatives"]:
        print(
            f"  or        {other['route']}   ({', '.join(other['steps'])})"
            if verbose
            else f"  or        {other['route']}"
        )


def _time(seconds: float) -> str:
    if seconds < 1:
        return "a second"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
