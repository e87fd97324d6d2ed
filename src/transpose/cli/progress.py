"""What is to be seen of work that goes on: a bar on stderr where that is a terminal, drawn by tqdm, and a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm


class Bar:
    """Called with (done, total or None, what); one bar for each thing that is going on."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._what = ""

    def __call__(self, done: float, total: float | None, what: str) -> None:
        """Draw how far `what` is; a new name begins a new bar, and the end removes it."""
        if self._bar is None or what != self._what:
            self._close()
            self._open(total, what)
        if self._bar is not None:
            self._bar.n = done
            self._bar.refresh()
        if total is not None and done >= total:
            self._close()

    def _open(self, total: float | None, what: str) -> None:
        from tqdm import tqdm

        shape = "{desc}: {percentage:3.0f}% |{bar:30}| {remaining} left" if total else "{desc}: {n:.0f}"
        self._what, self._bar = what, tqdm(total=total, desc=what, leave=False, bar_format=shape)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@dataclass(frozen=True)
class Preview:
    """Called with each value in the making: the file at `path` always holds the latest picture, whole."""

    path: Path

    def __call__(self, value: object) -> None:
        """Write the picture beside the file, then put it in its place; what is no picture is not shown."""
        from PIL import Image as Pictures

        from transpose.core.store import atomic
        from transpose.media.image import Image, on_white

        if isinstance(value, Image):
            with atomic(self.path, force=True) as temporary:
                Pictures.fromarray(on_white(value.pixels)).save(temporary, "PNG")
