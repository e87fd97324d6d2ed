"""Tunes out of the tune model, one token after another, in ONNX Runtime (network: learn/tune_network.py).

At each place only tokens that the grammar allows can be drawn, so every bar adds up and every tune has as many bars as
were asked for. Several drafts are written side by side; the one is kept whose notes fit the key best and whose melody
ends on its tonic, and whose register and density are those of the wish.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedWeights
from transpose.media.keys import clearness
from transpose.media.wish import Wish
from transpose.models.tune_tokens import (
    HEAD,
    HIGHEST,
    LONGEST,
    LOWEST,
    SPANS,
    WORDS,
    Grammar,
    Memory,
    Tune,
    decode,
    heading,
    measures,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]

GRAPH = "tunes.onnx"
ROOM = 11  # tokens that a bar takes at least, with an accompaniment
WORTH = 0.3  # of an ending on the tonic, of the wished register, of the wished density
SOLO, ACCOMPANIED = "solo", "accompanied"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written: a wish, a metre, 1 to 16 bars, a texture, and the steps that the notes may use."""

    wish: Wish
    metre: str
    bars: int
    texture: str
    span: tuple[int, int] = (LOWEST, HIGHEST)


@dataclass(frozen=True, slots=True)
class Taste:
    """How boldly to draw: logits are divided by `temperature`; only the likeliest tokens that sum to `top_p` count."""

    temperature: float = 0.9
    top_p: float = 0.95
    drafts: int = 4


class TuneModel:
    """The opened model."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state  # type: ignore[import-untyped]

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            path = str(folder / GRAPH)
            self.session: InferenceSession = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
        except (state.Fail, state.InvalidProtobuf, state.RuntimeException, state.NoSuchFile) as error:
            raise DamagedWeights(f"{GRAPH!r} cannot be opened", "Remove the model and pull it again") from error
        _, self.depth, _, _, self.heads, self.width = next(
            each.shape for each in self.session.get_inputs() if each.name == "past"
        )

    def write(self, order: Order, seed: int, taste: Taste, progress: Callable[[int, int], None] | None = None) -> Tune:
        """The best of `taste.drafts` tunes. The same seed gives the same tune."""
        import numpy as np

        rng = np.random.default_rng(seed)
        drafts = [_Draft(order) for _ in range(taste.drafts)]
        past = np.zeros((LONGEST, self.depth, 2, len(drafts), self.heads, self.width), np.float32)
        at = 0
        while not all(draft.done for draft in drafts):
            logits = self._step(drafts, past, at)
            at += 1
            for row, draft in enumerate(drafts):
                chance = rng.random()
                if at >= HEAD and not draft.done:
                    draft.add(_drawn(logits[row], draft.choices(), chance, taste))
            if progress:
                progress(min(draft.written for draft in drafts), order.bars)
        return max((draft.tune() for draft in drafts), key=lambda tune: fitness(tune, order.wish))

    def _step(self, drafts: list[_Draft], past: NDArray[np.float32], at: int) -> NDArray[np.float32]:
        """The logits (b, words) after place `at`; the keys and values of that place go into `past`."""
        import numpy as np

        known = np.array([draft.known[min(at, len(draft.known) - 1)] for draft in drafts], np.int64)
        feeds = {"token": known[:, :1], "place": known[:, 1:2], "hints": known[:, None, 2:]}
        feeds["position"] = np.array([at])
        logits, past[at : at + 1] = self.session.run(None, {**feeds, "past": past[:at]})
        found: NDArray[np.float32] = logits
        return found


class _Draft:
    """A tune in the making."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.grammar = Grammar(order.metre, order.bars, order.texture == ACCOMPANIED, order.span)
        self.tokens = heading(order.wish, order.texture, order.metre)
        self.memory = Memory()
        self.known = [(token, 0, *self.memory.read(token)) for token in self.tokens]  # what the network gets to see
        self.done = False

    @property
    def written(self) -> int:
        """Bars that are whole."""
        return self.order.bars - self.grammar.bars

    def choices(self) -> list[int]:
        """What may come next; where the text runs out of room, only the longest notes."""
        allowed = self.grammar.allowed()
        if len(self.tokens) + ROOM * (self.grammar.bars + 1) < LONGEST:
            return allowed
        lengths = [token for token in allowed if token in SPANS]
        return lengths[-1:] or allowed

    def add(self, token: int) -> None:
        """Go on by one token."""
        self.grammar.read(token) if WORDS[token] != "END" else None
        self.tokens.append(token)
        hints = self.memory.read(token)
        self.known.append((token, self.memory.at, *hints))
        self.done = WORDS[token] == "END"

    def tune(self) -> Tune:
        """What was written."""
        return decode(self.tokens[HEAD:], self.order.metre)


def _drawn(logits: NDArray[np.float32], choices: list[int], chance: float, taste: Taste) -> int:
    """One of the choices by their logits: nucleus sampling (Holtzman et al. 2020). `chance` lies in 0..1."""
    import numpy as np

    if len(choices) == 1:
        return choices[0]
    powers = np.asarray(logits, np.float64)[choices] / max(taste.temperature, 1e-3)
    shares = np.exp(powers - powers.max())
    order = np.argsort(-shares, kind="stable")
    sums = np.cumsum(shares[order] / shares.sum())
    kept = int(np.searchsorted(sums, taste.top_p)) + 1
    return choices[
        int(order[min(int(np.searchsorted(sums[:kept], chance * sums[min(kept, len(sums)) - 1])), kept - 1)])
    ]


def heard(tune: Tune) -> list[float]:
    """How long each of the twelve pitch classes, from the tonic, sounds in all."""
    weights = [0.0] * 12
    for bar in tune.bars:
        for group in (*bar.melody, *bar.under):
            for step in group.pitches:
                weights[step % 12] += group.ticks
    return weights


def fitness(tune: Tune, wish: Wish) -> float:
    """How much better the notes fit their key than the best other one (-2..2), and what an ending at home is worth."""
    last = next((group.pitches[-1] for group in reversed(tune.bars[-1].melody) if group.pitches), None)
    kept = [last is not None and last % 12 == 0]
    kept += [
        each in (None, found) for each, found in zip((wish.register, wish.density), measures(tune, wish), strict=True)
    ]
    return clearness(heard(tune), 0, bool(wish.minor)) + WORTH * sum(kept)
