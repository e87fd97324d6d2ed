"""What may be said of a run beside its source and goal, by its keywords."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypedDict

from transpose.core.errors import UsageError
from transpose.core.transform import Scalar


class Wishes(TypedDict, total=False):
    """What may be said of a run beside its source and goal."""

    kind: str  # --as: what the output means
    source_kind: str  # --from: what the input is
    verbs: str | Iterable[str]  # --do
    do: str  # one verb or transform; then `to` may be left out
    prompt: str  # -p
    bind: Mapping[str, Any]  # --with NAME=IN
    lang: str
    via: str | Iterable[str]
    avoid: str | Iterable[str]
    prefer: Literal["", "quality", "speed"]
    options: Mapping[str, Scalar]  # -o
    strict: bool
    creative: bool
    keep: Path  # a folder for every value on the way


def several(names: str | Iterable[str]) -> tuple[str, ...]:
    """One name stands for itself, and is not taken letter by letter."""
    return (names,) if isinstance(names, str) else tuple(names)


def check_wishes(wishes: Wishes) -> None:
    """Raises UsageError for a keyword that there is none of, with what it may have meant."""
    known = Wishes.__annotations__
    unknown = [name for name in wishes if name not in known]
    if not unknown:
        return
    from inspect import signature

    from transpose.session import Session

    name = unknown[0]
    near = get_close_matches(name, known, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Options of transforms: options={{{name!r}: ...}}"
    if name in signature(Session).parameters:
        hint = f"It is said of the session, for all its runs: Session({name}=...)"
    raise UsageError(f"a run has no keyword {name!r}", hint)
