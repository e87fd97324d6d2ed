"""What pipelines of diffusers have no argument for: between two prompts or two pictures, and variations of a seed.

All pipelines read their prompt in `encode_prompt` (the oldest: `_encode_prompt`) and draw their noise in
`prepare_latents`, whatever else they do. Each of these is asked twice while something is made, and what lies between
both answers is given on. The noise turns on the sphere (Shoemake 1985), so that it stays noise; prompts and pictures
mix along a straight line.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from transpose.core.errors import OptionError
from transpose.models.diffusion.generate import slerp

READS, DRAWS = ("encode_prompt", "_encode_prompt"), ("prepare_latents",)
Mix = Callable[[Any, Any], Any]  # two tensors of one shape -> one


@contextmanager
def between_prompts(pipe: Any, name: str, toward: str, share: float) -> Iterator[None]:
    """The pipeline reads its prompt and another, mixed by `share`. Raises OptionError where it cannot."""
    if not toward.strip():
        yield
        return
    with _twice(pipe, name, READS, {"prompt": toward}, _straight(share), "go between prompts"):
        yield


@contextmanager
def between_pictures(pipe: Any, name: str, other: Any, share: float) -> Iterator[None]:
    """The pipeline begins between its picture and `other`, of PIL and as large, under the same noise.

    Raises OptionError where it cannot.
    """
    if other is None:
        yield
        return
    given = pipe.image_processor.preprocess(other).to(pipe.dtype)
    with _twice(pipe, name, DRAWS, {"image": given}, _straight(share), "begin between pictures"):
        yield


@contextmanager
def varied(pipe: Any, name: str, generator: Any, variation: float) -> Iterator[None]:
    """The pipeline's first noise is turned towards that of a generator. Raises OptionError where it cannot."""
    if not variation:
        yield
        return
    with _twice(pipe, name, DRAWS, {"generator": generator}, lambda a, b: turned(a, b, variation), "vary"):
        yield


def turned(first: Any, last: Any, share: float) -> Any:
    """From one noise to another of its shape on the sphere; any scale that both have stays."""
    import torch

    one, two = (each.float().cpu().numpy() for each in (first, last))
    return torch.from_numpy(slerp(one, two, share)).to(first)


def _straight(share: float) -> Mix:
    def mix(first: Any, last: Any) -> Any:
        if not first.is_floating_point():  # a mask: what either has
            return first.maximum(last)
        return first + share * (last - first)

    return mix


@contextmanager
def _twice(
    pipe: Any, name: str, methods: tuple[str, ...], second: dict[str, Any], mix: Mix, what: str
) -> Iterator[None]:
    """While this lasts, a method answers what lies between its answer and that with some other arguments."""
    method = next((each for each in methods if hasattr(pipe, each)), "")
    inner = getattr(pipe, method, None)
    takes = list(inspect.signature(inner).parameters) if inner else []
    if inner is None or not set(second) <= set(takes):
        raise OptionError(f"the model {name!r} cannot {what}", "Leave it out")

    def asked(*args: Any, **kwargs: Any) -> Any:
        told = {**dict(zip(takes, args, strict=False)), **kwargs}
        state = _state(told)
        first = inner(**told)
        after = _state(told)
        _restore(told, state)
        last = inner(**{**told, **second})
        _restore(told, after)
        return _mixed(first, last, mix, name, what)

    setattr(pipe, method, asked)
    try:
        yield
    finally:
        delattr(pipe, method)


def _state(told: dict[str, Any]) -> Any:
    """Where the generator is, so that both answers see the same dice and what follows does not notice."""
    generator = told.get("generator")
    return None if generator is None else generator.get_state()


def _restore(told: dict[str, Any], state: Any) -> None:
    if state is not None:
        told["generator"].set_state(state)


def _mixed(first: Any, last: Any, mix: Mix, name: str, what: str) -> Any:
    import torch

    if isinstance(first, tuple | list):
        return type(first)(_mixed(one, two, mix, name, what) for one, two in zip(first, last, strict=True))
    if not isinstance(first, torch.Tensor):
        return first
    if first.shape != last.shape:
        raise OptionError(f"the model {name!r} cannot {what} of other lengths", "Leave it out")
    return mix(first, last)
