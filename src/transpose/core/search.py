"""The search for routes: labels on nodes, kept until dominated, taken best first.

A route is a tree of transforms over the given inputs (AND-OR: a transform with several inputs needs a label for each).
Labels are settled in the total order of `Label.key`; every part of that order only grows along a route, so the first
label that reaches the goal is the best (Dijkstra 1959; multi-criteria labels: Martins 1984; AND-OR: Knuth 1977).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from heapq import heappop, heappush
from itertools import product

from transpose.core.catalog import Catalog, accepts
from transpose.core.kind import DEPICTIONS, MODALITIES, Node, parse_node
from transpose.core.label import Given, Goal, Label, Tree
from transpose.core.transform import Slot, Transform

MAX_DEPTH = 8
UNLIKELY = 0.05  # what a probe gives less is no sibling that stays open
CROWD = 8  # so many givens of one modality are only taken together: no transform has more slots


class Search:
    """One search over a catalog; `run` yields complete routes, best first."""

    def __init__(self, catalog: Catalog, givens: tuple[Given, ...], goal: Goal, *, probing: bool = True) -> None:
        self.catalog = catalog
        self.givens = givens
        self.goal = goal
        self.probing = probing
        self.full = (1 << len(givens)) - 1
        self.modalities = self._goal_modalities()
        self.usable = {t.name for t in catalog if self._allowed(t)}
        self.distance = self._distances()
        self.needs = frozenset().union(*(MODALITIES[m][1] for m in self.modalities if m in MODALITIES))
        # dropping a label whose path holds more is only safe while nothing but the value itself is pending
        verbs = any(item.verb and item.name in self.usable for item in catalog)
        self.paths = bool(len(givens) > 1 or goal.verbs or goal.via or verbs)
        self.labels: dict[tuple[object, ...], list[Label]] = defaultdict(list)
        self.settled: dict[str, list[Label]] = defaultdict(list)
        self.heap: list[tuple[tuple[object, ...], int, Label]] = []
        self.count = 0

    # -- what may take part ------------------------------------------------------------------------------------

    def _allowed(self, item: Transform) -> bool:
        goal = self.goal
        if item.name in goal.avoid or any(model in goal.avoid for model in item.models):
            return False
        if item.network and goal.offline:
            return False
        return not item.verb or bool(item.called((*goal.verbs, *goal.via))) or self._wanted_by_goal(item)

    def _wanted_by_goal(self, item: Transform) -> bool:
        """A verb is asked for by a goal kind (text.summary), a goal language, or a prompt that it reads."""
        target = item.targets[0]
        reads_prompt = any(n.name == "text.prompt" for slot in item.slots if not slot.optional for n in slot.nodes)
        if reads_prompt and any(given.prompt for given in self.givens):
            return target.modality in self.modalities
        kind = self.goal.kind or self.goal.node
        if kind.is_format:
            return False
        narrow = "." in kind.name and Node(target.name).fits(Node(kind.name))
        speaks = kind.facet("lang") is not None and target.facet("lang") == kind.facet("lang")
        return narrow and not item.slots[0].nodes[0].fits(Node(kind.name)) or speaks

    def _goal_modalities(self) -> set[str]:
        if self.goal.kind:
            return {self.goal.kind.modality}
        if not self.goal.node.is_format:
            return {self.goal.node.modality}
        return self.catalog.written_from(self.goal.node.name)

    def _distances(self) -> dict[str, int]:
        """Least number of transforms from a modality or format to the goal, all rules but avoidance ignored."""
        before: dict[str, set[str]] = defaultdict(set)  # by what is made, of what
        for name, taken, made in self.catalog.ends:
            for modality in made if name in self.usable else ():
                before[modality] |= taken
        distance, wave = {self.goal.node.modality: 0}, [self.goal.node.modality]
        for modality in wave:  # grows
            for near in before.get(modality, set()) - distance.keys():
                distance[near] = distance[modality] + 1
                wave.append(near)
        return distance

    # -- the search --------------------------------------------------------------------------------------------

    def run(self) -> Iterator[Label]:
        """Complete routes, best first; every one consumes all givens and does all that was asked."""
        for label in self._starts():
            self._push(label)
        while self.heap:
            _, _, label = heappop(self.heap)
            if label.final:
                yield label
            elif label in self.labels[label.state()]:  # else it was dominated while it waited
                self._finish(label)
                self.settled[label.node.modality].append(label)
                for grown in self._grow(label):
                    self._push(grown)

    def _starts(self) -> Iterator[Label]:
        together = list(self._gatherings()) if len(self.givens) > 1 else []
        crowd = _union(label.mask for label in together if len(label.tree.inputs) > CROWD)
        yield from together
        for index, given in enumerate(self.givens):
            if crowd >> index & 1:
                continue
            node = given.asserted if given.asserted and not given.node.is_format else given.node
            yield Label(
                node,
                Tree(node, given=index),
                1 << index,
                frozenset({node}),
                prompt=given.prompt,
                binds=given.binds,
                units=given.units,
            )

    def _gatherings(self) -> Iterator[Label]:
        """Givens of one modality, in their order, as many: they may fill one slot together."""
        groups: dict[str, list[Label]] = defaultdict(list)
        for index, given in enumerate(self.givens):
            if given.prompt or given.binds:
                continue
            start = Label(given.node, Tree(given.node, given=index), 1 << index, units=given.units)
            read = (
                [start]
                if not given.node.is_format
                else [label for label in self._grow(start) if len(label.tree.inputs) == 1 and not label.intent]
            )
            read += [label for each in read for label in self._grow(each) if self._exact(label)]
            for modality in {label.node.modality for label in read}:
                groups[modality].append(next(label for label in read if label.node.modality == modality))
        for modality, parts in groups.items():
            if len(parts) > 1:
                yield self._gather(modality, parts)

    def _exact(self, label: Label) -> bool:
        """Whether its last step is an exact change of modality: the text of a document may stand for the document."""
        item = self.catalog[label.tree.transform]
        plain = not (item.models or item.verb or item.thin or item.uses or item.synthetic or item.writes)
        return plain and len(label.tree.inputs) == 1 and label.node.name not in DEPICTIONS and not label.node.many

    def _gather(self, modality: str, parts: list[Label]) -> Label:
        names = {part.node.name for part in parts}
        facets = set.intersection(*(set(part.node.facets) for part in parts))
        node = Node(names.pop() if len(names) == 1 else modality, True, tuple(sorted(facets)))
        return Label(
            node,
            Tree(node, "gather", tuple(part.tree for part in parts)),
            sum(part.mask for part in parts),
            frozenset({node}),
            lost=frozenset().union(*(part.lost for part in parts)),
            blocked=sum(part.blocked for part in parts),
            seconds=sum(part.seconds for part in parts),
            units=sum(part.units for part in parts),
            depth=max(part.depth for part in parts),
            steps=sum(part.steps for part in parts),
            names=tuple(name for part in parts for name in part.names),
        )

    def _push(self, label: Label) -> None:
        rest = 0 if label.final else self.distance.get(label.node.modality, MAX_DEPTH + 1)
        if label.depth + rest > MAX_DEPTH:
            return
        bucket = self.labels[label.state()]
        if any(other.dominates(label, self.paths) for other in bucket):
            return
        bucket[:] = [other for other in bucket if not label.dominates(other, self.paths)]
        bucket.append(label)
        self.count += 1
        heappush(self.heap, (label.key(self.needs, self.goal.prefer), self.count, label))

    def _finish(self, label: Label) -> None:
        """Where the goal is a kind, a label may be complete as it stands."""
        wanted = not self.goal.node.is_format and label.node.fits(self.goal.node) and self._means(label.node)
        if wanted and self._complete(label):
            self._push(replace(label, final=True))

    def _complete(self, label: Label) -> bool:
        wanted = {*self.goal.verbs, *self.goal.via}
        return label.mask == self.full and wanted <= label.done and not label.binds and not label.prompt

    # -- growing a label ---------------------------------------------------------------------------------------

    def _grow(self, label: Label) -> Iterator[Label]:
        for item, index, slot in self.catalog.takers.get(label.node.modality, ()):
            mapped = label.node.many and not any(node.many for node in slot.nodes)
            if mapped and (len(item.slots) > 1 or item.targets[0].many):
                continue
            node = replace(label.node, many=False) if mapped else label.node
            if item.name not in self.usable or not accepts(slot, node) or not self._may_enter(label, item, slot):
                continue
            for parts in self._combine(label, item, index):
                yield from self._apply(item, parts, mapped)

    def _combine(self, label: Label, item: Transform, index: int) -> Iterator[tuple[Label | None, ...]]:
        """Every way to fill the other slots with labels settled before."""
        if len(item.slots) == 1:
            yield (label,)
            return
        choices: list[list[Label | None]] = []
        for position, slot in enumerate(item.slots):
            if position == index:
                choices.append([label])
                continue
            fitting: list[Label | None] = [
                other
                for modality in {node.modality for node in slot.nodes}
                for other in self.settled[modality]
                if accepts(slot, other.node) and self._may_enter(other, item, slot)
            ]
            choices.append([*([None] if slot.optional else []), *fitting])
        yield from product(*choices)

    def _may_enter(self, label: Label, item: Transform, slot: Slot) -> bool:
        several = len(item.slots) > 1
        if label.binds and several and label.binds != slot.name:
            return False
        steers = slot is not item.slots[0] or len(self.givens) == 1  # beside other givens, -p is never the main input
        if label.prompt and not (steers and any(node.name == "text.prompt" for node in slot.nodes)):
            return False
        if slot.optional and slot is not item.slots[0] and label.derived and not (self.goal.verbs or self.goal.via):
            return False
        if label.derived and label.node.name in DEPICTIONS and not item.writes:
            return any(node.name in DEPICTIONS for node in slot.nodes)  # the inverse
        return True

    def _apply(self, item: Transform, parts: tuple[Label | None, ...], mapped: bool) -> Iterator[Label]:
        """The labels that a transform makes of its inputs, where the rules allow it."""
        goal = self.goal
        main = parts[0]
        if main is None:
            return
        some = [part for part in parts if part is not None]
        done = frozenset().union(*(part.done for part in some))
        asked = item.called((*goal.verbs, *goal.via))
        own = {item.name, item.does or item.name}
        if item.verb and own & done:
            return
        verbs = item.called(goal.verbs)
        if verbs and not set(goal.verbs[: goal.verbs.index(verbs[0])]) <= done:
            return
        invents = item.invents + sum(part.invents for part in some)
        thin = item.thin or any(part.thin for part in some)
        if not goal.creative:
            crosses = (
                any(part.thin for part in some) and not item.writes and item.targets[0].modality != main.node.modality
            )
            if invents > 1 or crosses:
                return
        for target in item.targets:
            if target.is_format and target.name != goal.node.name:
                continue
            if target.name in DEPICTIONS and any(part.derived for part in some) and not self._asked_for(item, target):
                continue
            seconds = self.catalog.seconds(item) * sum(part.units for part in some)
            made = Label(
                self._target_node(item, target, main, mapped),
                Tree(target, item.name, tuple(part.tree if part else None for part in parts), mapped=mapped),
                _union(part.mask for part in some),
                main.passed,
                main.left,
                done | (own if asked or item.verb else set()),
                frozenset(item.loses).union(*(part.lost for part in some)),
                sum(part.blocked for part in some) + goal.blocked(item),
                sum(part.intent for part in some),
                invents,
                thin,
                any(part.derived for part in some) or not (item.reads or item.writes),
                quality=self.catalog.quality(item) * math.prod(part.quality for part in some),
                seconds=sum(part.seconds for part in some) + seconds,
                units=sum(part.units for part in some),
                depth=1 + max(part.depth for part in some),
                steps=1 + sum(part.steps for part in some),
                names=(*(name for part in some for name in part.names), item.name),
                binds=main.binds if len(item.slots) == 1 else "",
            )
            yield from self._land(item, made, main)

    def _target_node(self, item: Transform, target: Node, main: Label, mapped: bool) -> Node:
        facets = dict(main.node.facets) if item.reads else {key: v for key, v in main.node.facets if key in item.keeps}
        if item.synthetic or (main.node.facet("synthetic") and not target.is_format):
            facets["synthetic"] = "yes"
        node = target if target.is_format else target.having(**{**facets, **dict(target.facets)})
        return replace(node, many=node.many or mapped)

    def _asked_for(self, item: Transform, target: Node) -> bool:
        kind = self.goal.kind or self.goal.node
        return bool(item.called(self.goal.via)) or (
            not kind.is_format and target.fits(Node(kind.name)) and "." in kind.name
        )

    def _land(self, item: Transform, made: Label, main: Label) -> Iterator[Label]:
        """Narrow what was read, mark what is complete, and refuse a return."""
        if made.node.is_format:
            written = main.node
            if made.node.fits(self.goal.node) and self._complete(made) and self._means(written):
                default = (
                    item.default_kind and not self.goal.kind and not Node(written.name).fits(Node(item.default_kind))
                )
                made.final, made.intent = True, made.intent + bool(default)
                yield made
            return
        for node, intent in self._narrowings(item, made, main):
            own = item.verb and item.slots[0].nodes[0].modality == node.modality
            if self._returns(made, node) and not own and made.done.isdisjoint(self.goal.via):
                continue
            left = made.left if main.node.modality == node.modality else made.left | {main.node.modality}
            tree = replace(made.tree, node=node)
            yield replace(
                made, node=node, tree=tree, passed=made.passed | {node}, left=left, intent=made.intent + intent
            )

    @staticmethod
    def _returns(made: Label, node: Node) -> bool:
        """Back to an equal or more general kind, or into a modality that the path has left: never a faithful way."""
        return node.modality in made.left or any(old.fits(node) for old in made.passed if not old.is_format)

    def _means(self, written: Node) -> bool:
        """Whether what is written is what was asked for."""
        if self.goal.other_than and (_comparable(written.name, self.goal.other_than)):
            return False
        return self.goal.kind is None or replace(written, many=False).fits(self.goal.kind)

    def _narrowings(self, item: Transform, made: Label, main: Label) -> Iterator[tuple[Node, int]]:
        """What a value that was just read may be: its kind alone, or what the file's probe or `--from` says."""
        index = main.tree.given
        if not item.reads or index < 0:
            yield made.node, 0
            return
        given = self.givens[index]
        if given.asserted is not None:
            if Node(given.asserted.name).fits(Node(made.node.name)):
                yield replace(made.node.having(**dict(given.asserted.facets)), name=given.asserted.name), 0
            return
        asks = made.node.modality != "text" or self.goal.kind is not None and self.goal.kind.facet("lang") is not None
        if not self.probing or not asks or given.probe is None or "." in made.node.name:
            yield made.node, 0
            return
        yield from self._probed(given.probe(made.node.modality), made.node)

    def _probed(self, answers: dict[str, float], node: Node) -> Iterator[tuple[Node, int]]:
        ranked = sorted(answers.items(), key=lambda answer: (-answer[1], answer[0]))
        likely = [each for each in ranked if each[1] >= UNLIKELY]
        if not likely:
            yield node, 0
            return
        for position, (name, _) in enumerate(likely[:1] if likely[0][1] >= 0.9 else likely):
            found = parse_node(name)
            yield replace(node, name=found.name).having(**dict(found.facets)), position


def _union(masks: Iterable[int]) -> int:
    total = 0
    for mask in masks:
        total |= mask
    return total


def _comparable(one: str, other: str) -> bool:
    return Node(one).fits(Node(other)) or Node(other).fits(Node(one))
