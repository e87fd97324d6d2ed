"""What a search starts from, what it wants, and the labels that it keeps on nodes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from transpose.core.kind import Node
from transpose.core.transform import Transform


@dataclass(frozen=True, slots=True)
class Given:
    """One input. `probe` answers, for a modality, which nodes the content is, with probabilities; `binds` is the
    slot asked for by `--with`; `prompt` marks `-p`; `units` is its size
    in minutes, pages or thousands of characters."""

    node: Node
    name: str = ""
    asserted: Node | None = None
    probe: Callable[[str], dict[str, float]] | None = None
    binds: str = ""
    prompt: bool = False
    units: float = 1.0


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted: a node, what it means (`kind`), and the constraints of the request."""

    node: Node
    kind: Node | None = None
    verbs: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    prefer: str = ""
    creative: bool = False
    offline: bool = False
    blocked: Callable[[Transform], bool] = field(default=lambda _: False)
    other_than: str = ""  # for the question of meaning: finals of this kind do not count


@dataclass(frozen=True, slots=True)
class Tree:
    """How a value is made: a given input, a gathering of givens, or a transform of other trees."""

    node: Node
    transform: str = ""
    inputs: tuple[Tree | None, ...] = ()
    given: int = -1
    mapped: bool = False


@dataclass(slots=True, eq=False)
class Label:
    """One way to have a value of `node`, with all that the rules and the total order ask about it."""

    node: Node
    tree: Tree
    mask: int = 0  # givens consumed
    passed: frozenset[Node] = frozenset()  # nodes on the main path
    left: frozenset[str] = frozenset()  # modalities that the main path has left behind
    done: frozenset[str] = frozenset()  # verbs and vias done
    lost: frozenset[str] = frozenset()
    blocked: int = 0
    intent: int = 0
    invents: int = 0
    thin: bool = False
    derived: bool = False
    prompt: bool = False
    final: bool = False
    binds: str = ""
    quality: float = 1.0
    seconds: float = 0.0
    units: float = 1.0
    depth: int = 0
    steps: int = 0
    names: tuple[str, ...] = ()

    def state(self) -> tuple[object, ...]:
        """What decides which ways are open from here; only labels of one state are compared."""
        return (self.node, self.mask, self.done, self.thin, self.derived, self.prompt, self.final, self.binds)

    def key(self, needs: frozenset[str], prefer: str) -> tuple[object, ...]:
        """The total order; smaller is better."""
        quality = math.floor((1 - self.quality) / 0.05 + 1e-9)
        seconds = math.floor(math.log2(self.seconds)) if self.seconds > 0 else -99
        pace = (seconds, quality) if prefer == "speed" else (quality, seconds)
        wanted = len(self.lost & needs)
        return (self.blocked, self.intent, self.invents, wanted, len(self.lost) - wanted, *pace, self.steps, self.names)

    def dominates(self, other: Label, paths: bool) -> bool:
        """Never worse than `other` however both go on; `paths` also compares what may no longer be returned to."""
        return (
            self.blocked <= other.blocked
            and self.intent <= other.intent
            and self.invents <= other.invents
            and self.depth <= other.depth
            and self.quality >= other.quality
            and self.seconds <= other.seconds
            and self.units <= other.units
            and (self.steps, self.names) <= (other.steps, other.names)
            and self.lost <= other.lost
            and self.left <= other.left
            and (not paths or self.passed <= other.passed)
        )
