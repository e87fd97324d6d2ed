"""A route as it will run: steps in order, an identical sub-route only once."""

from __future__ import annotations

from dataclasses import dataclass

from transpose.core.catalog import Catalog
from transpose.core.kind import Node
from transpose.core.label import Label, Tree
from transpose.core.transform import Transform

GATHER = "gather"  # several givens become many; no transform of the catalog


@dataclass(frozen=True, slots=True)
class Step:
    """One application of a transform. An input is ("given", i), ("step", i) or None for an empty optional slot."""

    transform: str
    inputs: tuple[tuple[str, int] | None, ...]
    output: Node
    mapped: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Steps in running order; the last one makes what is wanted. `givens` are the nodes it starts from."""

    givens: tuple[Node, ...]
    steps: tuple[Step, ...]
    lost: tuple[str, ...] = ()
    quality: float = 1.0
    seconds: float = 0.0

    @property
    def output(self) -> Node:
        """The node of the last step; of an empty route, the given itself."""
        return self.steps[-1].output if self.steps else self.givens[0]

    def transforms(self, catalog: Catalog) -> list[Transform]:
        """The transforms of the steps, in order."""
        return [catalog[step.transform] for step in self.steps if step.transform != GATHER]

    def chain(self, at: tuple[str, int] | None = None) -> str:
        """`.wav -> audio.speech -> text.transcript -> .md`; several inputs stand in brackets."""
        if at is None:
            at = ("step", len(self.steps) - 1) if self.steps else ("given", 0)
        if at[0] == "given":
            return self.givens[at[1]].name
        step = self.steps[at[1]]
        inputs = [self.chain(each) for each in step.inputs if each is not None]
        source = inputs[0] if len(inputs) == 1 else f"({', '.join(inputs)})"
        same = len(inputs) == 1 and inputs[0].rpartition(" -> ")[2].partition(" (")[0] == bare(step.output)
        return f"{source} -> {bare(step.output)}" + (f" ({step.transform})" if same else "")


def bare(node: Node) -> str:
    """A node without its facets, but for its language."""
    lang = node.facet("lang")
    return str(Node(node.name, node.many, (("lang", lang),) if lang else ()))


def route_from_label(label: Label, givens: tuple[Node, ...]) -> Route:
    """Flatten the tree of a finished label into steps; equal sub-trees become one step."""
    steps: list[Step] = []
    index: dict[Tree, tuple[str, int]] = {}

    def visit(tree: Tree) -> tuple[str, int]:
        if tree.given >= 0:
            return ("given", tree.given)
        if tree not in index:
            inputs = tuple(visit(part) if part is not None else None for part in tree.inputs)
            output = Node(tree.node.name, tree.node.many or tree.mapped, tree.node.facets)
            steps.append(Step(tree.transform, inputs, output, tree.mapped))
            index[tree] = ("step", len(steps) - 1)
        return index[tree]

    visit(label.tree)
    return Route(givens, tuple(steps), tuple(sorted(label.lost)), label.quality, label.seconds)
