"""The only door to the outside: device, seed, clock, temporary files, weights, progress, warnings, other transforms.

A transform takes it as its parameter `ctx`. Tests give a `Context` with everything faked.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from transpose.core.errors import WeightsError

T = TypeVar("T")

# libraries that we call would phone home by default; each looks when it is first imported
SILENCE = {"ORT_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}


class Many(Generic[T]):
    """Many values of one kind, in order, made when asked for; iterating twice makes them twice.

    `length` is None where it is not known before the end.
    """

    def __init__(self, make: Callable[[], Iterable[T]], length: int | None = None) -> None:
        self._make = make
        self.length = length

    def __iter__(self) -> Iterator[T]:
        return iter(self._make())


class Warm:
    """Loaded models of this process, the least recently used let go when their sum passes the budget.

    An entry counts `memory_mb` of the transform that loads it.
    """

    def __init__(self, budget_mb: int = 4096) -> None:
        self.budget_mb = budget_mb
        self._loaded: OrderedDict[str, tuple[Any, int]] = OrderedDict()

    def get(self, key: str, opener: Callable[[], T], memory_mb: int = 0) -> T:
        """The object under `key`, opened on first use."""
        if key not in self._loaded:
            loaded = opener()
            self._loaded[key] = (loaded, memory_mb)
            while len(self._loaded) > 1 and sum(mb for _, mb in self._loaded.values()) > self.budget_mb:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return self._loaded[key][0]  # type: ignore[no-any-return]

    def clear(self) -> None:
        """Let go of everything."""
        self._loaded.clear()


def no_weights(name: str) -> Path:
    """The source of weights when none is set up."""
    raise WeightsError(f"no source of weights is set up for the model {name!r}")


def no_call(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The runner of other transforms when there is none."""
    raise LookupError(f"no runner here for the transform {name!r}")


def quiet(done: float, total: float | None, what: str) -> None:
    """Progress that nobody looks at."""


@dataclass
class Context:
    """What a transform may use of the world. Every field has a default that works offline and in tests."""

    seed: int = 0
    device: str = "cpu"
    threads: int = field(default_factory=lambda: max(1, (os.cpu_count() or 2) - 1))
    offline: bool = False
    folder: Path | None = None  # for temporary files; None: the system's
    weights: Callable[[str], Path] = no_weights
    runner: Callable[[str, tuple[Any, ...], dict[str, Any]], Any] = no_call
    report: Callable[[float, float | None, str], None] = quiet
    preview: Callable[[Any], None] = field(default=lambda value: None)  # shown what is in the making, step by step
    clock: Callable[[], float] = time.monotonic
    warm: Warm = field(default_factory=Warm)
    warnings: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    history: str = ""  # one line of JSON for a format's own comment field; set when writing

    def __post_init__(self) -> None:
        for name, value in SILENCE.items():
            os.environ.setdefault(name, value)

    def model(self, name: str) -> Path:
        """The folder with the files of one model card, fetched on first use where that is allowed."""
        return self.weights(name)

    def load(self, key: str, opener: Callable[[], T], memory_mb: int = 0) -> T:
        """What `opener` returns, kept warm under `key` for the life of the process."""
        return self.warm.get(key, opener, memory_mb)

    def call(self, name: str, *values: Any, **options: Any) -> Any:
        """Run another transform by name: how a recipe is made. It has to be listed in `uses`."""
        return self.runner(name, values, options)

    def progress(self, done: float, total: float | None = None, what: str = "") -> None:
        """Say how far the step is, in any unit."""
        self.report(done, total, what)

    def warn(self, message: str) -> None:
        """Tell the user something that also belongs in the history of the output (a low score, a loss)."""
        if message not in self.warnings:
            self.warnings.append(message)

    def note(self, name: str, value: str | int | float | bool) -> None:
        """Put a fact about this step into the history (a voice, a detected language, a mean score)."""
        self.facts[name] = value

    def once(self) -> None:
        """Keep this result out of the cache: it depends on more than inputs and options (a fallback, a clock)."""
        self.facts["once"] = True

    def temp(self, suffix: str = "") -> Path:
        """The path of a new, empty temporary file, removed when the run ends."""
        import tempfile

        handle, name = tempfile.mkstemp(suffix=suffix, dir=self.folder)
        os.close(handle)
        return Path(name)
