"""A transform: a typed edge between two nodes, made from a plain annotated function.

`@transform("audio.speech -> text.transcript@timed")` returns a `Transform` and has no side effect. The positional
parameters of the function are the named inputs, in the order of the signature; `ctx` is the Context; a transform
that ends in a format gets `path`, where it writes its file; keyword-only parameters become options.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from typing import Annotated, Any, Literal, TypedDict, Unpack, get_args, get_origin

from transpose.core.errors import OptionError
from transpose.core.kind import ASPECTS, Node, parse_node

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Range:
    """Least and greatest value of an option, both allowed."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Option:
    """One `-o name=value`: type name, default, range or choices, and a line of help."""

    name: str
    type: str
    default: Scalar | None
    doc: str = ""
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()

    def parse(self, value: Scalar) -> Scalar:
        """Check one value, reading it from text where it is text; raises OptionError."""
        try:
            read: Scalar = value
            if self.type == "bool" and isinstance(value, str):
                read = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[value.lower()]
            elif self.type == "int":
                read = int(value)
            elif self.type == "float":
                read = float(value)
            elif self.type == "str":
                read = str(value)
        except (ValueError, KeyError):
            raise OptionError(f"option {self.name}={value!r} is not of type {self.type}", self.help()) from None
        if self.choices and read not in self.choices:
            near = get_close_matches(str(read), self.choices, 1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise OptionError(f"option {self.name} cannot be {value!r}", f"{hint}Choices: {', '.join(self.choices)}")
        bounded = isinstance(read, int | float) and self.least is not None and self.most is not None
        if bounded and not self.least <= read <= self.most:  # type: ignore[operator]  # also refuses nan
            raise OptionError(f"option {self.name}={value} is out of range", self.help())
        return read

    def help(self) -> str:
        """One line: name, type, range, default, meaning."""
        span = f" from {self.least:g} to {self.most:g}" if self.least is not None else ""
        kind = "|".join(self.choices) or self.type
        return f"{self.name}={kind}{span} (default {self.default}): {self.doc}"


@dataclass(frozen=True, slots=True)
class Slot:
    """A named input. `nodes` are alternatives (several only for formats)."""

    name: str
    nodes: tuple[Node, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Transform:
    """A typed edge; all that the planner needs, and where its function is found."""

    name: str
    slots: tuple[Slot, ...]
    targets: tuple[Node, ...]
    where: str  # "package.module:attribute"
    doc: str = ""
    options: tuple[Option, ...] = ()
    keeps: tuple[str, ...] = ()  # facets carried over from the main input
    loses: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()  # modules that must be importable
    extra: str = ""  # the extra that brings them
    uses: tuple[str, ...] = ()  # a recipe: transforms that it may call
    invents: bool = False
    thin: bool = False
    verb: bool = False  # runs only on request
    synthetic: bool = False
    network: bool = False
    deterministic: bool = True
    batched: bool = False
    memory_mb: int = 0
    batch: int = 64  # of a batched transform: values handed over at once
    default_kind: str = ""  # of a writer: which kind this format is for when several meanings fit
    does: str = ""  # the verb that it performs, where several transforms perform one
    host: str = ""  # where it sends its inputs
    bound: tuple[tuple[str, str], ...] = ()  # arguments that the function always gets: a template made a transform
    source_hash: str = ""
    _function: Callable[..., Any] | None = field(default=None, compare=False, repr=False)

    @property
    def function(self) -> Callable[..., Any]:
        """The function itself, imported on first use."""
        function = self._function
        if function is None:
            module, _, attribute = self.where.partition(":")
            loaded = getattr(import_module(module), attribute)
            function = loaded.function if isinstance(loaded, Transform) else loaded
        return partial(function, **dict(self.bound)) if self.bound else function

    def called(self, names: Iterable[str]) -> list[str]:
        """Which of the names asked for mean this transform: its own, or the verb that it performs."""
        return [name for name in names if name in (self.name, self.does)]

    @property
    def reads(self) -> bool:
        """Whether the main input is a file."""
        return self.slots[0].nodes[0].is_format

    @property
    def writes(self) -> bool:
        """Whether the output is a file."""
        return self.targets[0].is_format

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.function(*args, **options)

    def __str__(self) -> str:
        sources = ", ".join("|".join(map(str, slot.nodes)) + ("?" if slot.optional else "") for slot in self.slots)
        return f"{sources} -> {'|'.join(map(str, self.targets))}"


def parse_signature(
    text: str, kinds: frozenset[str] | None = None
) -> tuple[list[tuple[tuple[Node, ...], bool]], tuple[Node, ...]]:
    """`"images, audio, text@timed? -> video"` -> inputs (alternatives, optional) and targets."""
    left, arrow, right = text.partition("->")
    if not arrow:
        raise ValueError(f"signature {text!r} has no '->'")
    inputs = []
    for part in left.split(","):
        part = part.strip()
        nodes = tuple(parse_node(node, kinds) for node in part.removesuffix("?").split("|"))
        inputs.append((nodes, part.endswith("?")))
    return inputs, tuple(parse_node(node, kinds) for node in right.split("|"))


class Attributes(TypedDict, total=False):
    """What may be said of a transform; see the fields of `Transform`."""

    keeps: Iterable[str]
    loses: Iterable[str]
    models: Iterable[str]
    needs: Iterable[str]
    extra: str
    uses: Iterable[str]
    invents: bool
    thin: bool
    verb: bool
    synthetic: bool
    network: bool
    deterministic: bool
    memory_mb: int
    batch: int
    default_kind: str
    does: str


def transform(
    signature: str, /, *, name: str = "", kinds: Iterable[str] = (), **attributes: Unpack[Attributes]
) -> Callable[[Callable[..., Any]], Transform]:
    """Make a `Transform` of a function.

    Args:
        signature: `"input, input? -> output"`; inputs bind to the positional parameters in order.
        name: how users call it (default: the function's name with `-` for `_`).
        keeps: facets of the main input that the output still has.
        loses: what does not survive, from `kind.ASPECTS`.
        models: names of model cards. needs: modules to import. extra: the extra that brings them.
        uses: names of transforms that a recipe may call through `ctx.call`.
        invents, thin, verb, synthetic, network, deterministic: see docs/planning.md.
        memory_mb: what it takes beside its input. batch: values that a batched one is handed at once.
        does: the verb that it performs, where several transforms perform one (default: its name).
        default_kind: of a writer, the kind that wins when routes differ only in meaning.
        kinds: kinds of its own that the signature uses.

    Raises ValueError when signature and parameters do not agree.
    """

    def make(function: Callable[..., Any]) -> Transform:
        """The transform that a function becomes."""
        return _build(function, signature, name, frozenset(kinds), dict(attributes))

    return make


def _build(
    function: Callable[..., Any], signature: str, name: str, kinds: frozenset[str], attributes: dict[str, Any]
) -> Transform:
    from transpose.core.kind import KINDS

    inputs, targets = parse_signature(signature, frozenset(KINDS) | kinds)
    parameters = inspect.signature(function).parameters
    positional = [p for p in parameters.values() if p.kind is not p.KEYWORD_ONLY and p.name not in ("ctx", "path")]
    if targets[0].is_format != ("path" in parameters) and not inputs[0][0][0].is_format:
        raise ValueError(f"{function.__name__}: a transform that ends in a format takes `path`, others do not")
    names = [p.name for p in positional]
    if inputs[0][0][0].is_format and not names:
        names = ["path"]
    if len(names) != len(inputs):
        raise ValueError(f"{function.__name__}: {len(inputs)} inputs in {signature!r}, {len(names)} parameters")
    unknown = set(attributes.get("loses", ())) - ASPECTS
    if unknown:
        raise ValueError(f"{function.__name__}: cannot lose {sorted(unknown)}; aspects are {sorted(ASPECTS)}")
    module = sys.modules[function.__module__]
    options = tuple(
        _option(p, vars(module)) for p in parameters.values() if p.kind is p.KEYWORD_ONLY and not p.name.startswith("_")
    )
    tidy: dict[str, Any] = {k: tuple(v) if isinstance(v, list | set | tuple) else v for k, v in attributes.items()}
    return Transform(
        name=name or function.__name__.replace("_", "-"),
        slots=tuple(Slot(n, nodes, optional) for n, (nodes, optional) in zip(names, inputs, strict=True)),
        targets=targets,
        where=f"{function.__module__}:{function.__qualname__}",
        doc=inspect.getdoc(function) or "",
        options=options,
        batched=bool(positional) and "Sequence" in str(positional[0].annotation),
        _function=function,
        **tidy,
    )


def _option(parameter: inspect.Parameter, scope: dict[str, Any]) -> Option:
    annotation = parameter.annotation
    if isinstance(annotation, str):  # `from __future__ import annotations`; only options are ever evaluated
        annotation = eval(annotation, dict(scope))
    doc, span = "", None
    if get_origin(annotation) is Annotated:
        annotation, *notes = get_args(annotation)
        doc = next((note for note in notes if isinstance(note, str)), "")
        span = next((note for note in notes if isinstance(note, Range)), None)
    choices: tuple[str, ...] = ()
    if get_origin(annotation) is Literal:
        choices, annotation = get_args(annotation), str
    types = [part for part in get_args(annotation) if part is not type(None)] or [annotation]
    default = None if parameter.default is parameter.empty else parameter.default
    least, most = (span.least, span.most) if span else (None, None)
    return Option(parameter.name, types[0].__name__, default, doc, least, most, choices)
