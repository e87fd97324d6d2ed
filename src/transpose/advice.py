"""Other routes than the best; and where there is none, why not, and the nearest request that would have one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from transpose.core.catalog import Catalog, accepts
from transpose.core.errors import NoRoute, PromptError
from transpose.core.kind import DEPICTIONS, KINDS, Node
from transpose.core.label import Given, Goal, Label
from transpose.core.route import Route, route_from_label
from transpose.core.search import UNLIKELY, Search


def advise(catalog: Catalog, givens: tuple[Given, ...], goal: Goal) -> NoRoute | PromptError:
    """Why there is no route, and the nearest request that would have one."""
    names = " and ".join(given.name or str(given.node) for given in givens)
    wanted = f"{goal.kind} as {goal.node}" if goal.kind and goal.node.is_format else str(goal.node)
    if any(given.prompt for given in givens):
        return _unread_prompt(catalog, givens, goal)
    head = f"no faithful way from {names} to {wanted}"
    for missing in (_needs_model(catalog, givens, goal), _needs_words(catalog, givens, goal)):
        if missing is not None:
            return NoRoute(head, missing)
    for changed_givens, changed_goal, words in _relaxed(catalog, givens, goal):
        label = next(Search(catalog, changed_givens, changed_goal).run(), None)
        if label is not None:
            chain = route_from_label(label, tuple(given.node for given in changed_givens)).chain()
            return NoRoute(head, f"{words(label)}: {chain}")
    search = Search(catalog, givens, goal)
    list(search.run())
    return NoRoute(head, _dead_end(catalog, goal, search))


def _needs_words(catalog: Catalog, givens: tuple[Given, ...], goal: Goal) -> str | None:
    """What to say where a transform that was asked for by name reads a prompt, and none was given."""
    if any(given.node.name == "text.prompt" for given in givens):
        return None
    for item in catalog:
        reads = any(node.name == "text.prompt" for slot in item.slots if not slot.optional for node in slot.nodes)
        if reads and item.called((*goal.verbs, *goal.via)):
            return f"{item.name} needs words that say what it should make: add -p 'WORDS'"
    return None


def _needs_model(catalog: Catalog, givens: tuple[Given, ...], goal: Goal) -> str | None:
    """What to say where words alone were given, and nothing here makes pictures, sounds or films of words."""
    made = {goal.kind.modality} if goal.kind else Search(catalog, givens, goal).modalities
    if len(givens) > 1 or givens[0].node.name not in ("text.prompt", "text") or not made & {"image", "video"}:
        return None
    makes = [t for t in catalog if t.slots[0].nodes[0].name == "text.prompt" and t.targets[0].modality in made]
    if makes:
        return None
    what = " or ".join(sorted(made))
    return f"Nothing here makes {what} from words; add a model that does: transpose models add --help"


Relaxed = tuple[tuple[Given, ...], Goal, Callable[[Label], str]]


def _relaxed(catalog: Catalog, givens: tuple[Given, ...], goal: Goal) -> Iterator[Relaxed]:
    """Requests near this one, nearest first."""
    if not goal.node.many:
        many = replace(goal, node=replace(goal.node, many=True))
        yield givens, many, _says(f"That makes many; for a file each, write a folder: OUT/ --to {goal.node}")
    if len(givens) > 1:  # a verb may take what is too much without it
        yield from _with_verbs(catalog, givens, goal, slots=2)
    if len(givens) > 1:
        for left_out in range(len(givens)):
            rest = tuple(given for index, given in enumerate(givens) if index != left_out)
            yield rest, goal, _says(f"Nothing on the way takes {givens[left_out].name!r} as well; without it")
    if not goal.creative:
        yield givens, replace(goal, creative=True), _says("The nearest creative one, with --creative")
    for index, given in enumerate(givens):
        if given.probe is not None and given.asserted is None:
            read = {t.targets[0].modality for t in catalog if accepts(t.slots[0], given.node)}
            kinds = [k for k in KINDS if "." in k and k.partition(".")[0] in read]
            for name in sorted(kinds, key=lambda kind: (kind != "text.prompt", kind)):  # words are mostly a wish
                asserted = replace(given, asserted=Node(name))
                words = _says(f"{_looks(given, name)}If it is {name} all the same, say --from {name}")
                yield (*givens[:index], asserted, *givens[index + 1 :]), goal, words
    yield from _with_verbs(catalog, givens, goal)
    if goal.kind:
        yield givens, replace(goal, kind=None), _says(f"Nothing makes {goal.kind} of it; without that")
    depictions = [t.name for t in catalog if t.targets[0].name in DEPICTIONS and t.name not in goal.via]
    for name in sorted(depictions):
        hint = f"Nothing here draws {goal.node} of it; for a picture of what comes between, --via {name}"
        yield givens, replace(goal, via=(name,)), _says(hint)


def _with_verbs(catalog: Catalog, givens: tuple[Given, ...], goal: Goal, slots: int = 1) -> Iterator[Relaxed]:
    """The same request with one verb more, of those that take what was given, into so many slots at least."""
    read = {t.targets[0].modality for g in givens for t in catalog if t.reads and accepts(t.slots[0], g.node)}
    read |= {given.node.modality for given in givens}
    verbal = [t for t in catalog if t.verb and len(t.slots) >= slots]
    near = [t for t in verbal if read & {node.modality for node in t.slots[0].nodes}]
    verbs = [t.name for t in near if t.name not in goal.verbs]
    for verb in sorted(verbs):
        yield givens, replace(goal, verbs=(*goal.verbs, verb)), _says(f"With --do {verb}")


def _says(words: str) -> Callable[[Label], str]:
    return lambda label: words


def _looks(given: Given, name: str) -> str:
    answers = given.probe(name.partition(".")[0]) if given.probe else {}
    best = max(answers, key=lambda each: answers[each], default="")
    return f"It looks like {best} ({answers[best]:.0%}). " if best and answers[best] >= UNLIKELY else ""


def _dead_end(catalog: Catalog, goal: Goal, search: Search) -> str:
    reached = sorted({label.node.modality for group in search.settled.values() for label in group} - {""})
    kinds = [each for each in reached if not each.startswith(".")]
    ends = {goal.node.name, goal.node.modality}
    ways = sorted(
        {f"{t.name} ({t})" for t in catalog if ends & {name for n in t.targets for name in (n.name, n.modality)}}
    )
    need = f"{goal.node} is made by {'; '.join(ways[:4])}" if ways else f"nothing makes {goal.node}"
    return f"From there one can reach {', '.join(kinds) or 'nothing'}; {need}"


def _unread_prompt(catalog: Catalog, givens: tuple[Given, ...], goal: Goal) -> PromptError:
    made = Search(catalog, givens, goal).modalities
    modality = goal.kind.modality if goal.kind else ", ".join(sorted(made))
    beside = len(givens) > 1  # then the prompt steers what is done to the others
    prompted = [t for t in catalog if any(n.name == "text.prompt" for slot in t.slots[beside:] for n in slot.nodes)]
    readers = sorted(t.name for t in prompted if {n.modality for n in t.targets} & {*made, goal.node.name})
    if readers:
        hint = f"Transforms that read a prompt: {', '.join(readers)}"
    else:
        add = "leave -p out, or add a model: transpose models add --help"
        hint = f"No transform that takes a prompt and makes {modality} is here; {add}"
    return PromptError(f"nothing on the way to {goal.node} reads the prompt", hint)


def other_routes(catalog: Catalog, givens: tuple[Given, ...], goal: Goal, route: Route, count: int) -> Iterator[Route]:
    """Other routes: the best one without each transform of the chosen one, cheapest first, no chain twice."""
    seen = {route.chain(): route}
    found: list[Label] = []
    for item in route.transforms(catalog):
        if count and item.name not in goal.via:
            label = next(Search(catalog, givens, replace(goal, avoid=(*goal.avoid, item.name))).run(), None)
            found += [label] if label else []
    needs = Search(catalog, givens, goal).needs
    for label in sorted(found, key=lambda label: label.key(needs, goal.prefer)):
        other = route_from_label(label, route.givens)
        names = tuple(step.transform for step in other.steps)
        if str(names) not in seen and len(seen) <= count:
            seen[str(names)] = other
            yield other
