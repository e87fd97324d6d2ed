"""Running a route: from the last step back, so that a cached step needs neither its inputs nor its model.

The key of a step is known before anything runs: sha256 of the keys of its inputs, the transform's name and source
hash, the hashes of its models, its options and, where it draws at random, the seed.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from transpose import __version__
from transpose.core.catalog import Catalog, install, missing_modules
from transpose.core.context import Context, Many
from transpose.core.errors import DiskFull, InputError, MissingPackage, TransformError, TransposeError
from transpose.core.kind import Node
from transpose.core.route import GATHER, Route, Step
from transpose.core.store import Store, hash_file, hash_json, load_value, save_value
from transpose.core.transform import Scalar, Slot, Transform

RENDERED = frozenset({"video"})  # handles that render when written; the written file is what is kept


@dataclass(frozen=True, slots=True)
class Source:
    """One given input when it is time to run: a file or a value, its key, and the name it is called by."""

    value: Any
    key: str
    name: str
    node: Node


@dataclass
class Run:
    """One run of one route."""

    catalog: Catalog
    route: Route
    sources: tuple[Source, ...]
    context: Context
    store: Store | None = None
    options: Mapping[str, Mapping[str, Scalar]] = field(default_factory=dict)  # by transform
    model_hash: Callable[[str], str] = lambda name: ""
    keep: Path | None = None  # folder for every value on the way
    ran: list[str] = field(default_factory=list)  # transforms that really ran, in order
    timings: dict[str, float] = field(default_factory=dict)  # seconds by transform that ran
    _values: dict[tuple[str, int], Any] = field(default_factory=dict)
    _records: dict[int, dict[str, Any]] = field(default_factory=dict)
    _earlier: dict[int, list[dict[str, Any]]] = field(default_factory=dict)  # of a cached step: what came before it
    _keys: dict[tuple[str, int], str] = field(default_factory=dict)

    def result(self) -> tuple[Any, Node, str]:
        """Run what is needed for the last step: its value, its node with the facets found, and its key."""
        last = ("step", len(self.route.steps) - 1) if self.route.steps else ("given", 0)
        value, node = self.value(last), self.route.output
        found = getattr(value, "facets", None)
        return value, node.having(**found()) if callable(found) else node, self.key(last)

    # -- keys ------------------------------------------------------------------------------------------------------

    def key(self, at: tuple[str, int]) -> str:
        """The cache key of a given or of a step."""
        if at not in self._keys:
            self._keys[at] = self.sources[at[1]].key if at[0] == "given" else self._step_key(self.route.steps[at[1]])
        return self._keys[at]

    def _step_key(self, step: Step) -> str:
        inputs = [self.key(each) if each else None for each in step.inputs]
        if step.transform == GATHER:
            return hash_json(["gather", inputs])
        item = self.catalog[step.transform]
        return hash_json([inputs, *self._identity(item), str(step.output.name), step.mapped])

    def _identity(self, item: Transform, above: tuple[str, ...] = ()) -> list[Any]:
        """All that the result depends on beside the inputs; a recipe that comes round to itself counts once."""
        above = (*above, item.name)
        used = [self.catalog[name] for name in item.uses if name in self.catalog and name not in above]
        inner = [self._identity(each, above) for each in used]
        models = {name: self.model_hash(name) for name in item.models}
        seed = None if item.deterministic else self.context.seed
        return [item.name, item.source_hash, models, __version__, self._told(item), seed, inner]

    def _told(self, item: Transform) -> dict[str, Scalar]:
        """Options as they count: a file named by one counts by its bytes."""
        told = self.options.get(item.name, {})
        return {key: hash_file(Path(v)) if isinstance(v, str) and Path(v).is_file() else v for key, v in told.items()}

    def _cached(self, item: Transform) -> bool:
        if self.store is None or item.network or (item.reads and not item.writes and not item.uses):
            return False  # plain reading is quicker than looking up
        return item.writes or item.targets[0].modality not in RENDERED

    # -- values ----------------------------------------------------------------------------------------------------

    def value(self, at: tuple[str, int]) -> Any:
        """The value of a given or of a step: from this run, from the cache, or computed now."""
        if at[0] == "given":
            return self.sources[at[1]].value
        if at not in self._values:
            self._values[at] = self._step_value(at[1])
            self._keep(at)
        return self._values[at]

    def _step_value(self, number: int) -> Any:
        step = self.route.steps[number]
        if step.transform == GATHER:
            return self._gather(step)
        item = self.catalog[step.transform]
        if not self._cached(item):
            return self._compute(number, item, None)
        assert self.store is not None
        key = self.key(("step", number))
        meta = self.store.meta(key)
        if meta is not None:
            self._records[number], self._earlier[number] = meta["record"], meta.get("steps", [])
            for warning in meta["record"].get("warnings", ()):
                self.context.warn(warning)
            return self._stored(step.output, self.store.folder(key))
        if step.mapped and not step.output.is_format:
            return self._compute(number, item, None)  # its items are entries of their own
        meta = {}
        with self.store.putting(key, meta) as folder:
            value = self._compute(number, item, folder)
            meta["record"], meta["steps"] = self._records[number], self.steps(before=number)
            if self._once(number):
                meta["once"] = True  # read in this run, never again
            if not step.output.is_format:
                save_value(value, step.output, folder)
        return self._stored(step.output, self.store.folder(key))

    def _once(self, number: int) -> bool:
        """Whether a step, or one before it, asked not to be cached."""
        if self._records.get(number, {}).get("facts", {}).get("once"):
            return True
        before = [at for at in self.route.steps[number].inputs if at and at[0] == "step"]
        return any(self._once(index) for _, index in before)

    @staticmethod
    def _stored(node: Node, folder: Path) -> Any:
        if not node.is_format:
            return load_value(node, folder)
        if not node.many:
            return folder / f"value{node.name}"
        paths = sorted(folder.glob(f"[0-9]*{node.name}"))
        return Many(lambda: iter(paths), len(paths))

    def _gather(self, step: Step) -> Many[Any]:
        """Givens one after the other; one that holds many gives all of its own."""
        parts = [each for each in step.inputs if each is not None]
        self._records[self.route.steps.index(step)] = {"transform": GATHER}

        def make() -> Iterator[Any]:
            for part in parts:
                value = self.value(part)
                yield from value if isinstance(value, Many) else (value,)

        values = [self.value(part) for part in parts]
        lengths = [value.length if isinstance(value, Many) else 1 for value in values]
        return Many(make, None if None in lengths else sum(n for n in lengths if n is not None))

    def _keep(self, at: tuple[str, int]) -> None:
        if self.keep is None:
            return
        node, value = self.route.steps[at[1]].output, self._values[at]
        folder = self.keep / f"{at[1]:02d}-{self.route.steps[at[1]].transform}"
        folder.mkdir(parents=True, exist_ok=True)
        if not node.is_format:
            save_value(value, node, folder)
        elif not node.many:
            (folder / value.name).write_bytes(value.read_bytes())

    # -- one step --------------------------------------------------------------------------------------------------

    def _compute(self, number: int, item: Transform, folder: Path | None) -> Any:
        step = self.route.steps[number]
        pairs = zip(item.slots, step.inputs, strict=True)
        values = [_as_many(self.value(each), slot) if each else None for slot, each in pairs]
        self._require(item)
        ctx = self._step_context(item, number)
        self.ran.append(item.name)
        started = ctx.clock()
        if step.mapped:
            result: Any = self._map(item, step, values[0], ctx, folder)
        else:
            path = (folder or self._scratch()) / f"value{step.output.name}" if item.writes else None
            result = self._call(item, ctx, values, path)
        if item.models:
            self.timings[item.name] = ctx.clock() - started
        self._records[number] = self._record(item, step, ctx)
        return result

    def _require(self, item: Transform) -> None:
        if missing := ", ".join(missing_modules(item)):
            hint = f"Run: pip install {install(item)}"
            raise MissingPackage(f"{item.name} needs {missing}, which is not installed", hint)

    def _step_context(self, item: Transform, number: int) -> Context:
        shared = self.context
        ctx = replace(shared, warnings=_Echo(shared.warn), facts={}, runner=self._runner(item, shared))
        if item.writes:
            from json import dumps

            self._records[number] = self._record(item, self.route.steps[number], ctx)  # the facts are yet to come
            ctx.history = dumps(self.history(), ensure_ascii=False, separators=(",", ":"))
        return ctx

    def _runner(self, item: Transform, shared: Context) -> Callable[[str, tuple[Any, ...], dict[str, Any]], Any]:
        def run_other(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> Any:
            """Run a transform that a recipe calls."""
            if name not in item.uses:
                raise LookupError(f"{item.name} calls {name!r} without listing it in uses=")
            inner = self.catalog[name]
            self._require(inner)
            self.ran.append(name)
            given = {**self.options.get(name, {}), **options}
            ctx = replace(shared, runner=self._runner(inner, shared))
            return self._call(inner, ctx, list(values), None, given)

        return run_other

    def _call(
        self,
        item: Transform,
        ctx: Context,
        values: list[Any],
        path: Path | None,
        options: Mapping[str, Scalar] | None = None,
    ) -> Any:
        """Call the function, with what it asks for, and turn a stranger's exception into ours."""
        import inspect

        names = inspect.signature(item.function).parameters
        more: dict[str, Any] = dict(self.options.get(item.name, {}) if options is None else options)
        if "ctx" in names:
            more["ctx"] = ctx
        if path is not None:
            more["path"] = path
        try:
            if item.batched and not isinstance(values[0], list):
                result = item.function([values[0]], *values[1:], **more)[0]
                if isinstance(result, Exception):
                    raise result
            else:
                result = item.function(*values, **more)
        except Exception as error:  # whatever a library throws becomes one clear line
            raise self._explain(item, error) from error
        return path if path is not None else result

    def _explain(self, item: Transform, error: BaseException) -> TransposeError:
        if isinstance(error, TransposeError):
            if isinstance(error, InputError) and not any(source.name in error.message for source in self.sources):
                error.message = f"{', '.join(source.name for source in self.sources)}: {error.message}"
            return error
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskFull(
                f"no space left while {item.name} ran", "Free some space, or set TRANSPOSE_HOME and TMPDIR elsewhere"
            )
        of = " and ".join(source.name for source in self.sources)
        if isinstance(error, MemoryError):
            return TransformError(f"{item.name} ran out of memory on {of}", "Try a smaller input")
        said = str(error).strip().partition("\n")[0]
        return TransformError(f"{item.name} failed on {of}: {type(error).__name__}: {said}", "Add -v to see where")

    # -- many ------------------------------------------------------------------------------------------------------

    def _map(self, item: Transform, step: Step, values: Any, ctx: Context, folder: Path | None) -> Any:
        """Apply a one-to-one transform to each of many, a batched one to groups; every group is a cache entry of its
        own, so that a kill loses one at most."""
        scratch, many = folder or self._scratch(), replace(step.output, many=True)
        base = [self.key(step.inputs[0]) if step.inputs[0] else "", *self._identity(item)]
        size, length = item.batch if item.batched else 1, getattr(values, "length", None)
        places: list[Path] = []
        done = 0
        for number, group in enumerate(_groups(values, size)):
            if item.writes:
                places.append(self._call(item, ctx, group, scratch / f"{number:06d}{many.name}"))
            else:
                key = hash_json([*base, number, len(group)])
                places.append(self._map_group(item, many, key, group, ctx, scratch))
            done += len(group)
            ctx.progress(done, length, item.name)
        if item.writes:
            return Many(lambda: iter(places), done)
        return Many(lambda: (value for place in places for value in load_value(many, place)), done)

    def _map_group(self, item: Transform, many: Node, key: str, group: list[Any], ctx: Context, scratch: Path) -> Path:
        """The folder with the results of one group, from the cache or computed now."""
        store = self.store if self._cached(item) else None
        meta = store.meta(key) if store else None
        if store and meta is not None:
            for warning in meta.get("warnings", ()):
                ctx.warn(warning)
            return store.folder(key)
        before = len(ctx.warnings)
        results = self._call(item, ctx, [group] if item.batched else group, None)
        results = results if item.batched else [results]
        for result in results:
            if isinstance(result, Exception):
                raise self._explain(item, result)
        if store is None or "once" in ctx.facts:
            place = self._scratch(scratch)
            save_value(results, many, place)
            return place
        with store.putting(key, {"warnings": list(ctx.warnings[before:])}) as kept:
            save_value(results, many, kept)
        return store.folder(key)

    def _scratch(self, parent: Path | None = None) -> Path:
        import tempfile

        return Path(tempfile.mkdtemp(dir=parent or self.context.folder))

    # -- history ---------------------------------------------------------------------------------------------------

    def _record(self, item: Transform, step: Step, ctx: Context) -> dict[str, Any]:
        record = {
            "transform": item.name,
            "source": item.source_hash,
            "output": str(step.output),
            "options": dict(self.options.get(item.name, {})),
            "models": {name: self.model_hash(name) for name in item.models},
            "facts": ctx.facts,
            "warnings": list(ctx.warnings),
            "synthetic": item.synthetic or None,
            "seed": None if item.deterministic else ctx.seed,
        }
        return {key: value for key, value in record.items() if value is not None and value not in ({}, [], "")}

    def history(self) -> dict[str, Any]:
        """How it was made so far: inputs by name and hash, and each step. Holds no times and no paths."""
        inputs: list[dict[str, str]] = []
        for s in self.sources:
            words = {"words": s.value.text[:1000]} if s.node.name == "text.prompt" and hasattr(s.value, "text") else {}
            inputs.append({"name": s.name, "key": s.key.partition(":")[0], "kind": str(s.node), **words})
        return {"transpose": __version__, "inputs": inputs, "steps": self.steps()}

    def steps(self, before: int | None = None) -> list[dict[str, Any]]:
        """Records of all steps so far, those behind a cached one too, each once."""
        found: list[dict[str, Any]] = []
        for number in sorted(self._records):
            if before is None or number < before:
                more = [*self._earlier.get(number, ()), self._records[number]]
                found += [record for record in more if record not in found]
        return found


class _Echo(list[str]):
    """Warnings of one step that are said to the whole run too."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def append(self, message: str) -> None:
        """Keep it, and say it to the run."""
        super().append(message)
        self._say(message)


def _as_many(value: Any, slot: Slot) -> Any:
    """One may stand for many of one."""
    alone = slot.nodes[0].many and not isinstance(value, Many)
    return Many(lambda: iter((value,)), 1) if alone else value


def _groups(values: Any, size: int) -> Iterator[list[Any]]:
    iterator = iter(values)
    while group := list(islice(iterator, size)):
        yield group
