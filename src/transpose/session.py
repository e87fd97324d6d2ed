"""The Python interface: `run`, `plan`, and `Session`, which keeps models warm between runs.

A `Path` is a file, a `str` is literal text; a list of sources makes parts of one output.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from transpose.consent import allowed, destination, require
from transpose.core.catalog import Catalog, cache_home, missing_modules
from transpose.core.context import Context, Warm, quiet
from transpose.core.errors import NoRoute, UsageError
from transpose.core.kind import DEPICTIONS, Node, parse_node
from transpose.core.label import Given, Goal
from transpose.core.plan import Plan
from transpose.core.plan import plan as make_plan
from transpose.core.route import Route
from transpose.core.store import LIMIT, Store, atomic, hash_file, refuse_existing, sweep
from transpose.core.transform import Scalar, Transform
from transpose.given import Inputs
from transpose.index import load_catalog
from transpose.naming import name_goal, name_task
from transpose.options import check_options
from transpose.speeds import learn
from transpose.wishes import Wishes, check_wishes, several

if TYPE_CHECKING:
    import tempfile

    from transpose.core import run as engine
    from transpose.models.card import Card

Pairs = list[tuple[Given, tuple[Any, str]]]  # (given, (value, key or ""))


SOFT = (Node("audio.music"), Node("audio.speech"))  # a name that asks for these does not rule out a plain sound


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a run gives: a value, its kind, and how it was made.

    `value` is the in-memory value of its modality (see docs/kinds.md), or a `Path` where `kind` is a format.
    """

    value: Any
    kind: str
    history: dict[str, Any] = field(compare=False)
    session: Session = field(compare=False, repr=False)
    key: str = ""

    def save(self, path: str | Path, *, force: bool = False, **wishes: Unpack[Wishes]) -> Path:
        """Write the value as a file of the path's suffix; raises OutputExists unless `force`."""
        target = Path(path)
        made = self if isinstance(self.value, Path) else self.session.run(self, to=target.suffix, **wishes)
        self.session.place(made, target, force=force)
        return target


class Session:
    """A catalog, a cache and warm models, for any number of runs in one process.

    Args:
        home: folder of cache and history (default: $TRANSPOSE_HOME, else the user's cache folder). Weights always
            lie in that default.
        offline: forbid every connection (default: as $TRANSPOSE_OFFLINE says).
        seed, device, threads: for every run.
        cache: False computes everything anew and keeps nothing.
        transforms: further transforms, made with `@transform`.
        fetch: answers the folder of a model by name; for tests and for weights of one's own.
        report: called with (done, total or None, what) as work goes on. preview: called with each value in the making.
        sources: where weights come from, in order (see docs/models.md). cache_limit: bytes.
        quiet_pulls: say nothing where weights are fetched.
        licences: the only ones that a model may have (default: any). memory_mb: transforms that need more are left
            out (default: none).
    """

    def __init__(
        self,
        *,
        home: Path | None = None,
        offline: bool | None = None,
        seed: int = 0,
        device: str = "cpu",
        threads: int | None = None,
        cache: bool = True,
        transforms: Iterable[Transform] = (),
        fetch: Callable[[str], Path] | None = None,
        report: Callable[[float, float | None, str], None] = quiet,
        preview: Callable[[Any], None] | None = None,
        sources: Iterable[str] | None = None,
        cache_limit: int = LIMIT,
        quiet_pulls: bool = False,
        licences: Iterable[str] = (),
        memory_mb: int = 0,
    ) -> None:
        self.home = home or cache_home()
        self.offline = os.environ.get("TRANSPOSE_OFFLINE", "") not in ("", "0") if offline is None else offline
        self.catalog: Catalog = load_catalog(self.home).with_transforms(transforms)
        self.store = Store(self.home, cache_limit) if cache else None
        self.fetch = fetch
        self._sources = tuple(sources or ())
        self._quiet_pulls = quiet_pulls
        self._licences, self._memory_mb = frozenset(licences), memory_mb
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self.context = Context(
            seed=seed,
            device=device,
            offline=self.offline,
            weights=self._weights,
            report=report,
            warm=Warm(),
            threads=threads or Context().threads,
        )
        self.context.preview = preview or self.context.preview
        self.inputs = Inputs(self.catalog, self.context, self.home / "probes" if cache else None)
        self.last: engine.Run | None = None
        self._cards: dict[str, Card] = {}
        self._hosts: frozenset[str] = frozenset()  # that may be sent data; read anew for each plan

    # -- planning --------------------------------------------------------------------------------------------------

    def plan(self, source: Any, to: str | Path, *, alternatives: int = 3, **wishes: Unpack[Wishes]) -> Plan:
        """The best route, without running it; `Plan.explain()` tells it in words."""
        return self.plan_givens(self.givens(source, wishes), to, alternatives, wishes)

    def plan_givens(self, pairs: Pairs, to: str | Path, alternatives: int, wishes: Wishes) -> Plan:
        """The best route from what `givens` answered."""
        givens = tuple(given for given, _ in pairs)
        goal, said = self._goal(givens, to, wishes)
        made = self._best(givens, goal, said)
        if alternatives:
            from transpose.advice import other_routes

            made = replace(made, alternatives=tuple(other_routes(self.catalog, givens, goal, made.route, alternatives)))
        return made

    def _best(self, givens: tuple[Given, ...], goal: Goal, said: tuple[str, ...]) -> Plan:
        try:
            made = make_plan(self.catalog, givens, goal)
        except NoRoute:
            if (
                said and goal.kind and (goal.kind in SOFT or goal.kind.name in DEPICTIONS)
            ):  # the name asked for what no route can be sure of
                return self._best(givens, replace(goal, kind=None), (f"{said[0]}, of which no route is sure",))
            from transpose.advice import advise

            raise advise(self.catalog, givens, goal) from None
        return replace(made, assumptions=(*said, *made.assumptions))

    def _goal(self, givens: tuple[Given, ...], to: str | Path, wishes: Wishes) -> tuple[Goal, tuple[str, ...]]:
        self._hosts = allowed()
        said: tuple[str, ...] = ()
        kind = parse_node(wishes["kind"]) if wishes.get("kind") else None
        verbs = several(wishes.get("verbs", ()))
        if isinstance(to, Path):
            node = Node(to.suffix.lower())
            if not wishes.get("strict"):
                stems = frozenset(Path(given.name).stem for given in givens)
                named, asked = name_goal(self.catalog, to.stem, node.name, stems)
                if (named and not kind) or (asked and not set(asked) <= set(verbs)):
                    said = (f"the name {to.name} asks for {named or asked[0]}",)
                kind, verbs = kind or named, (*verbs, *(verb for verb in asked if verb not in verbs))
        else:
            node = parse_node(to)
        if wishes.get("lang"):
            kind = (kind or Node(self._modality(node))).having(lang=str(wishes["lang"]))
        via, avoid = several(wishes.get("via", ())), (*several(wishes.get("avoid", ())), *self._forbidden())
        goal = Goal(
            node,
            kind,
            verbs,
            via,
            avoid,
            wishes.get("prefer", ""),
            wishes.get("creative", False),
            self.offline,
            self._blocked,
        )
        return goal, said

    def _modality(self, node: Node) -> str:
        if not node.is_format:
            return node.modality
        made = self.catalog.written_from(node.name)
        return "text" if "text" in made or not made else sorted(made)[0]

    def _forbidden(self) -> list[str]:
        """Transforms that the licences and the memory of this session rule out."""
        if not self._licences and not self._memory_mb:
            return []
        heavy = [item.name for item in self.catalog if 0 < self._memory_mb < item.memory_mb]
        models = [name for item in self.catalog for name in item.models if self._licences]
        return [*heavy, *(name for name in models if self.card(name).licence not in self._licences)]

    def _blocked(self, item: Transform) -> bool:
        """Whether a transform cannot run here as things are: it is then the last choice, and says what it lacks."""
        unready = missing_modules(item) or (item.network and destination(item) not in self._hosts)
        return bool(unready) or (self.offline and not all(self.present(name) for name in item.models))

    # -- running ---------------------------------------------------------------------------------------------------

    def run(self, source: Any, to: str | Path = "", **wishes: Unpack[Wishes]) -> Artifact:
        """Plan and run. `to` is a node (`"text.summary"`, `".md"`) or the Path of a file to be written.

        `do` names one task and may stand in its place: `run(talk, do="summarize")`. Raises only subclasses of
        TransposeError.
        """
        to, wishes = name_task(self.catalog, to, wishes.pop("do", ""), wishes)
        pairs = self.givens(source, wishes)
        made = self.plan_givens(pairs, to, 0, wishes)
        artifact = self.run_route(made.route, pairs, wishes)
        if isinstance(to, Path):
            self.place(artifact, to, force=False)
        return artifact

    def run_route(self, route: Route, pairs: Pairs, wishes: Wishes) -> Artifact:
        """Run a route that was planned or saved, over its givens and their values."""
        from transpose.core import run as engine

        options = self.check_options(route, wishes)
        require([*route.transforms(self.catalog), *self._inner(route)])
        sources = tuple(
            engine.Source(value, key or self.inputs.key(value, given.node), given.name, given.node)
            for given, (value, key) in pairs
        )
        self.context.folder = self.folder()
        self.context.warnings.clear()
        run = engine.Run(
            self.catalog, route, sources, self.context, self.store, options, self._model_hash, wishes.get("keep")
        )
        self.last = run
        value, node, key = run.result()
        if self.store is not None:
            learn(self.home, run.timings, sum(given.units for given, _ in pairs))
        return Artifact(value, str(node), run.history(), self, key)

    def check_options(self, route: Route, wishes: Wishes) -> dict[str, dict[str, Scalar]]:
        """Options by transform, for the steps and what their recipes call; raises OptionError."""
        return check_options(dict(wishes.get("options", {})), [*route.transforms(self.catalog), *self._inner(route)])

    def _inner(self, route: Route) -> list[Transform]:
        """What the recipes of a route may call."""
        steps = route.transforms(self.catalog)
        return [self.catalog[name] for step in steps for name in step.uses if name in self.catalog]

    def place(self, artifact: Artifact, target: Path, *, force: bool = False) -> None:
        """Put the file of an artifact at `target`, atomically, and record its history."""
        import shutil

        if not isinstance(artifact.value, Path):
            raise UsageError(f"{artifact.kind} is not a file yet", f"Ask for a format: to=Path({str(target)!r})")
        with atomic(target, force=force) as temporary:
            shutil.copyfile(artifact.value, temporary)
        if self.store is not None:
            self.store.record(hash_file(target), artifact.history)

    def place_many(self, artifact: Artifact, folder: Path, stem: str, *, force: bool = False) -> list[Path]:
        """Put many files into a folder as `stem-001.png`, made if it is not there; answers their paths."""
        files = list(artifact.value)
        width = max(3, len(str(len(files))))
        folder.mkdir(parents=True, exist_ok=True)
        targets = [folder / f"{stem}-{number:0{width}d}{file.suffix}" for number, file in enumerate(files, 1)]
        for target in targets:
            refuse_existing(target, force)
        for file, target in zip(files, targets, strict=True):
            self.place(replace(artifact, value=file), target, force=force)
        return targets

    # -- what was given --------------------------------------------------------------------------------------------

    def givens(self, source: Any, wishes: Wishes) -> Pairs:
        """(given, (value, key)) of every input, in order; `prompt` and `bind` come last."""
        check_wishes(wishes)
        parts = list(source) if isinstance(source, list | tuple) else [source]
        if not parts:
            raise UsageError("nothing was given", "Name at least one input")
        asserted = parse_node(wishes["source_kind"]) if wishes.get("source_kind") else None
        pairs = [self._given(part, asserted) for part in parts]
        for name, part in wishes.get("bind", {}).items():
            given, value = self._given(part, None)
            pairs.append((replace(given, binds=name), value))
        if wishes.get("prompt"):
            given, value = self._given(str(wishes["prompt"]), None)
            pairs.append((replace(given, prompt=True, name="the prompt"), value))
        return pairs

    def _given(self, part: Any, asserted: Node | None) -> tuple[Given, tuple[Any, str]]:
        if isinstance(part, Artifact):
            return Given(parse_node(part.kind), "the value"), (part.value, part.key)
        given, value = self.inputs.given(part, asserted)
        return given, (value, "")

    # -- weights, temporaries, speeds ------------------------------------------------------------------------------

    def _weights(self, name: str) -> Path:
        if self.fetch is not None:
            return self.fetch(name)
        from transpose.models.pull import ORDER, weights

        report = None if self.context.report is quiet else self.context.report
        order = self._sources or ORDER
        return weights(name, offline=self.offline, sources=order, quiet=self._quiet_pulls, report=report)

    def card(self, name: str) -> Card:
        """The card of a model: licence, size, files."""
        if name not in self._cards:
            from transpose.models.card import find_card

            self._cards[name] = find_card(name)
        return self._cards[name]

    def present(self, name: str) -> bool:
        """Whether the weights of a model lie on this machine."""
        if self.fetch is not None:
            return True
        from transpose.models import shelf

        return shelf.ready(self.card(name))

    def _model_hash(self, name: str) -> str:
        return self.card(name).key

    def folder(self) -> Path:
        """Where temporary files of this session lie."""
        if self._scratch is None:
            import tempfile

            parent = self.home / "tmp"
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            sweep(parent)
            self._scratch = tempfile.TemporaryDirectory(
                prefix=f".transpose-{os.getpid()}-", dir=parent, ignore_cleanup_errors=True
            )
        return Path(self._scratch.name)

    def close(self) -> None:
        """Let go of models and temporary files; lazy values of this session end here."""
        self.context.warm.clear()
        if self.store is not None and self.last is not None and self.last.ran:
            self.store.trim()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_default: Session | None = None


def _session() -> Session:
    global _default
    if _default is None:
        _default = Session()
    return _default


def run(source: Any, to: str | Path = "", **wishes: Unpack[Wishes]) -> Artifact:
    """Turn a source into what is wanted: `run(Path("talk.wav"), to="text.summary").value.text`.

    One task by its name: `run("a long text ...", do="summarize")`, `run(Path("cat.jpg"), do="describe")`.

    One session is kept for the process. Raises only subclasses of TransposeError.
    """
    return _session().run(source, to, **wishes)


def plan(source: Any, to: str | Path, **wishes: Unpack[Wishes]) -> Plan:
    """The route that `run` would take; `print(plan(Path("talk.wav"), to=".md").explain())`."""
    return _session().plan(source, to, **wishes)
