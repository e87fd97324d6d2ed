"""A route in a file: saved by `transpose plan --save`, taken again by `--plan`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transpose.core.catalog import Catalog
from transpose.core.errors import MissingInput, RouteError, UsageError
from transpose.core.kind import parse_node
from transpose.core.route import GATHER, Route, Step
from transpose.core.store import atomic

PLAN_VERSION = 1


def to_json(route: Route) -> dict[str, Any]:
    """A route as plain data."""
    steps = [
        {
            "transform": s.transform,
            "inputs": [list(i) if i else None for i in s.inputs],
            "output": str(s.output),
            "mapped": s.mapped,
        }
        for s in route.steps
    ]
    return {
        "version": PLAN_VERSION,
        "givens": [str(node) for node in route.givens],
        "steps": steps,
        "lost": list(route.lost),
    }


def from_json(raw: Mapping[str, Any], catalog: Catalog) -> Route:
    """A route that was saved; raises UsageError where it does not fit this installation."""
    try:
        if raw["version"] != PLAN_VERSION:
            raise UsageError(
                f"the plan is of version {raw['version']}, not {PLAN_VERSION}",
                "Make it anew with: transpose plan --save",
            )
        steps = tuple(_step(each) for each in raw["steps"])
        route = Route(tuple(map(parse_node, raw["givens"])), steps, tuple(raw.get("lost", ())))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise UsageError(
            f"this is not a saved plan: {error!r}", "Make one with: transpose plan IN OUT --save plan.json"
        ) from None
    _check(route, catalog)
    return route


def _step(raw: Mapping[str, Any]) -> Step:
    inputs = tuple((str(i[0]), int(i[1])) if i is not None else None for i in raw["inputs"])
    return Step(raw["transform"], inputs, parse_node(raw["output"]), bool(raw["mapped"]))


def _check(route: Route, catalog: Catalog) -> None:
    for number, step in enumerate(route.steps):
        if step.transform != GATHER and step.transform not in catalog:
            raise RouteError(
                f"the plan needs the transform {step.transform!r}, which is not installed",
                "See: transpose list transforms",
            )
        for each in step.inputs:
            if each is not None and not 0 <= each[1] < (len(route.givens) if each[0] == "given" else number):
                raise UsageError(f"step {number} of the plan reads {each[0]} {each[1]}, which is not there")


def save(route: Route, path: Path) -> None:
    """Write a route to a file, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(to_json(route), indent=1), encoding="utf-8")


def load(path: Path, catalog: Catalog) -> Route:
    """A route that was saved; raises MissingInput, UsageError or RouteError."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        hint = "Make one with: transpose plan IN OUT --save plan.json"
        raise MissingInput(f"there is no plan {str(path)!r}", hint) from None
    except (ValueError, OSError) as error:
        raise UsageError(
            f"{str(path)!r} is not a saved plan: {error}", "Make one with: transpose plan --save"
        ) from None
    return from_json(raw, catalog)
