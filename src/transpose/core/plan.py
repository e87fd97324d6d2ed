"""Planning: the best route to a goal, or a plain word on why there is none (advice.py says what would help).

The rules and the order of choice are in docs/planning.md; the search itself is in search.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches

from transpose.core.catalog import Catalog, accepts
from transpose.core.errors import AmbiguousError, NoRoute, UnknownFormat, UsageError
from transpose.core.kind import KINDS, Node
from transpose.core.label import Given, Goal, Label, Tree
from transpose.core.route import Route, route_from_label
from transpose.core.search import Search


@dataclass(frozen=True, slots=True)
class Plan:
    """A route, what was taken for granted, what probes were sure of, and other routes that would do."""

    route: Route
    assumptions: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    alternatives: tuple[Route, ...] = ()

    def explain(self) -> str:
        """The chain of nodes, what is lost, and each assumption, one a line."""
        lines = [self.route.chain()]
        if self.route.lost:
            lines.append(f"lost: {', '.join(self.route.lost)}")
        lines += [f"found: {each}" for each in self.found] + [f"assumed: {each}" for each in self.assumptions]
        lines += [f"or: {route.chain()}" for route in self.alternatives]
        return "\n".join(lines)


def plan(catalog: Catalog, givens: tuple[Given, ...], goal: Goal) -> Plan:
    """The best route from all `givens` to `goal`.

    Raises UnknownFormat, NoRoute, or AmbiguousError where routes differ only in meaning.
    """
    _check_request(catalog, givens, goal)
    best = _copy(catalog, givens, goal)
    if best is None:
        best = next(Search(catalog, givens, goal).run(), None)
        if best is None:
            raise NoRoute(f"no faithful way to {goal.node}")
        _ask_meaning(catalog, givens, goal, best)
        if not any(given.binds for given in givens):  # else it was said which is which
            _ask_slots(catalog, best)
    route = route_from_label(best, tuple(given.node for given in givens))
    findings = dict(_findings(catalog, givens, best))
    unsure = [said for said, sure in findings.items() if not sure]
    found = tuple(said for said, sure in findings.items() if sure)
    return Plan(route, (*unsure, *_meaning(catalog, goal, best)), found)


def _copy(catalog: Catalog, givens: tuple[Given, ...], goal: Goal) -> Label | None:
    """A route of only reading and writing needs no knowledge of what the content is, so nothing is probed."""
    if len(givens) > 1 or goal.kind or goal.verbs or goal.via or givens[0].prompt:
        return None
    files = Catalog([t for t in catalog if t.reads or t.writes], catalog.scores, catalog.speeds)
    return next(Search(files, givens, goal, probing=False).run(), None)


def _check_request(catalog: Catalog, givens: tuple[Given, ...], goal: Goal) -> None:
    for given in givens:
        if given.node.is_format and given.node.name not in catalog.suffixes(read=True):
            raise unknown_format(given.node.name, catalog, read=True, where=given.name)
    if goal.node.is_format and goal.node.name not in catalog.suffixes(read=False):
        raise unknown_format(goal.node.name, catalog, read=False)
    known = {name for item in catalog for name in (item.name, item.does)}
    for name in (*goal.verbs, *goal.via):
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise UsageError(
                f"there is no transform {name!r}",
                f"Did you mean {near[0]!r}?" if near else "See: transpose list transforms",
            )


def unknown_format(suffix: str, catalog: Catalog, *, read: bool, where: str = "") -> UnknownFormat:
    """The error for a suffix that nothing reads or writes, naming the nearest."""
    known = sorted(catalog.suffixes(read=read))
    near = get_close_matches(suffix, known, 1)
    verb = "reads" if read else "writes"
    of = f" of {where!r}" if where else ""
    hint = f"The nearest known is {near[0]}. " if near else ""
    return UnknownFormat(f"nothing here {verb} the suffix {suffix!r}{of}", f"{hint}See: transpose list formats")


# -- several answers ---------------------------------------------------------------------------------------------


def written_kind(tree: Tree) -> Node:
    """The kind that a finished route writes, or ends in."""
    last = tree
    while last.node.is_format and last.inputs and last.inputs[0] is not None:
        last = last.inputs[0]
    return last.node


def _ask_meaning(catalog: Catalog, givens: tuple[Given, ...], goal: Goal, best: Label) -> None:
    """Raise AmbiguousError where another route, equal in all else that matters, would mean something else."""
    if goal.kind or not goal.node.is_format or goal.verbs or goal.via or goal.other_than:
        return
    kind = written_kind(best.tree).name
    default = catalog[best.tree.transform].default_kind
    if default and Node(kind).fits(Node(default)):
        return
    search = Search(catalog, givens, replace(goal, other_than=kind))
    other = next(search.run(), None)
    if other is None or other.key(search.needs, "")[:4] != best.key(search.needs, "")[:4]:
        return  # it invents more, or loses more of what matters in such a file
    kinds = (kind, written_kind(other.tree).name)
    choices = tuple(f"--as {each}" for each in kinds)
    meanings = " or ".join(f"{each} ({KINDS.get(each, '')})" for each in kinds)
    raise AmbiguousError(f"{goal.node} could mean {meanings}", f"Say which: {' or '.join(choices)}", choices)


def _ask_slots(catalog: Catalog, best: Label) -> None:
    """Raise AmbiguousError where two inputs could change places in one transform."""
    for tree in _trees(best.tree):
        if tree.transform not in catalog or len(tree.inputs) < 2:
            continue
        slots = catalog[tree.transform].slots
        filled = [(slot, part) for slot, part in zip(slots, tree.inputs, strict=True) if part is not None]
        for one, (slot, part) in enumerate(filled):
            for other_slot, other in filled[one + 1 :]:
                if accepts(slot, other.node) and accepts(other_slot, part.node) and slot.nodes == other_slot.nodes:
                    choices = (f"--with {slot.name}=IN", f"--with {other_slot.name}=IN")
                    raise AmbiguousError(
                        f"two inputs fit {slot.name!r} and {other_slot.name!r} of {tree.transform}",
                        f"Say which is which with {choices[0]}",
                        choices,
                    )


def _trees(tree: Tree) -> Iterator[Tree]:
    yield tree
    for part in tree.inputs:
        if part is not None:
            yield from _trees(part)


def _findings(catalog: Catalog, givens: tuple[Given, ...], best: Label) -> Iterator[tuple[str, bool]]:
    """What the probes of given files said on the way, and whether they were sure."""
    for tree in _trees(best.tree):
        part = tree.inputs[0] if tree.inputs else None
        given = givens[part.given] if part is not None and part.given >= 0 else None
        told = [n.name for n in catalog[tree.transform].targets] if given and not tree.node.many else []
        if given is None or given.asserted or not given.probe or tree.node.many or tree.node.name in told:
            continue
        answers = given.probe(tree.node.modality)
        if chance := answers.get(tree.node.name, 0.0):
            first = max(answers, key=lambda name: answers[name])
            rather = "" if answers[first] == chance else f", though {first} is likelier ({answers[first]:.0%})"
            yield f"{given.name} is {tree.node.name} ({chance:.0%}){rather}", chance >= 0.9


def _meaning(catalog: Catalog, goal: Goal, best: Label) -> Iterator[str]:
    rivals = len(catalog.written_from(goal.node.name)) > 1
    if goal.node.is_format and not goal.kind and rivals and best.depth > 2:
        yield f"{goal.node} means {written_kind(best.tree).name}"
