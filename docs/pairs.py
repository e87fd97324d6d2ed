"""Every ordered pair of modalities: the best way from one to the other, or that there is none.

The planner answers, over what comes with Transpose, all extras and models taken as installed. A way that needs to know
more of the input (a page, speech, a SMILES line) starts from that kind; one that makes many (a document's pages)
counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from transpose.core.catalog import Catalog
from transpose.core.kind import KINDS, MODALITIES, Node
from transpose.core.label import Given, Goal
from transpose.core.route import Route, route_from_label
from transpose.core.search import Search


@dataclass(frozen=True, slots=True)
class Pair:
    """The way from a modality to another: `route` is None where there is none, `creative` where it needs --creative."""

    source: str
    target: str
    route: Route | None = None
    creative: bool = False
    verb: str = ""

    @property
    def faithful(self) -> bool:
        """Whether there is a way that invents nothing and carries more than a name."""
        return self.route is not None and not self.creative


def pairs(catalog: Catalog) -> list[Pair]:
    """One entry for each ordered pair of two modalities, in the order of the vocabulary."""
    return [pair(catalog, one, other) for one in MODALITIES for other in MODALITIES if one != other]


def pair(catalog: Catalog, source: str, target: str) -> Pair:
    """The best way: faithful, else one that has to be asked for by its verb, else a creative one, else none."""
    if route := _best(catalog, source, target, creative=False):
        return Pair(source, target, route)
    asked = [t for t in catalog if t.verb and t.targets[0].modality == target != t.slots[0].nodes[0].modality]
    found = {t.name: _best(catalog, source, target, creative=False, verb=t.name) for t in asked}
    # reading a description of it aloud, with a film to it, is no way from a thing to a film
    routes = {name: r for name, r in found.items() if r and "text.description" not in r.chain() and len(r.steps) < 4}
    if routes:
        verb = min(routes, key=lambda name: (len(routes[name].steps), name))
        return Pair(source, target, routes[verb], verb=verb)
    return Pair(source, target, _best(catalog, source, target, creative=True), creative=True)


def _best(catalog: Catalog, source: str, target: str, *, creative: bool, verb: str = "") -> Route | None:
    found = []
    for name in [name for name in KINDS if Node(name).modality == source and name != "text.prompt"]:
        goal = Goal(Node(target, many=True), creative=creative, verbs=(verb,) if verb else ())
        search = Search(catalog, (Given(Node(name)),), goal)
        label = next(search.run(), None)
        if label is not None:
            found.append(((name != source, label.key(search.needs, "")), route_from_label(label, (Node(name),))))
    return min(found, key=lambda each: each[0])[1] if found else None


def page(catalog: Catalog, note: str) -> str:
    """The whole page: a matrix, and a row for each pair."""
    made = {(each.source, each.target): each for each in pairs(catalog)}
    faithful = sum(each.faithful and not each.verb for each in made.values())
    asked = sum(bool(each.verb) for each in made.values())
    lines = [
        "# From everything to everything\n",
        f"{note}\n",
        f"Of {len(made)} ordered pairs of {len(MODALITIES)} modalities {faithful} have a faithful way (`+`): one that",
        f"invents nothing and carries more than a name across. {asked} more have one when its verb is asked for (`v`).",
        "`c` only with `--creative`, `.` none.\n",
        "| from \\ to | " + " | ".join(MODALITIES) + " |",
        "|---|" + ":-:|" * len(MODALITIES),
    ]
    for one in MODALITIES:
        cells = [" " if one == other else _mark(made[one, other]) for other in MODALITIES]
        lines.append(f"| **{one}** | " + " | ".join(cells) + " |")
    lines += ["", "Time is that of the reference machine for one unit: a page, a minute, a thousand letters.\n"]
    lines += ["| from | to | way | seconds | quality | lost |", "|---|---|---|--:|--:|---|"]
    for (one, other), each in made.items():
        if each.route is None:
            lines.append(f"| {one} | {other} | none | | | |")
            continue
        how = f" (`--do {each.verb}`)" if each.verb else " (`--creative`)" if each.creative else ""
        lost = ", ".join(each.route.lost) or "nothing"
        lines.append(
            f"| {one} | {other} | {each.route.chain()}{how} | {each.route.seconds:.2g} | "
            f"{each.route.quality:.2f} | {lost} |"
        )
    return "\n".join(lines) + "\n"


def _mark(each: Pair) -> str:
    if each.route is None:
        return "."
    return "c" if each.creative else "v" if each.verb else "+"
