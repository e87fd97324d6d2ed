"""The Python interface: `run`, `plan`, and `Session`, which keeps models warm between runs.

A `Path` is a file, a `str` is literal text; a list of sources makes parts of one output.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

from transpose.core import run as engine
from transpose.core.catalog import Catalog, cache_home, load_catalog, missing_modules
from transpose.core.context import Context, Warm, quiet
from transpose.core.errors import EmptyInput, FolderInput, InputError, MissingInput, UsageError
from transpose.core.kind import MODALITIES, Node, parse_node
from transpose.core.plan import Plan, name_goal
from transpose.core.plan import plan as make_plan
from transpose.core.route import Route
from transpose.core.search import Given, Goal
from transpose.core.store import Store, atomic, hash_file, sweep
from transpose.core.transform import Scalar, Transform, check_options

PROBES = {
    "audio": "transpose.media.probe_audio",
    "image": "transpose.media.probe_image",
    "text": "transpose.media.language",
}


class Wishes(TypedDict, total=False):
    """What may be said of a run beside its source and goal."""

    kind: str  # --as: what the output means
    source_kind: str  # --from: what the input is
    verbs: Iterable[str]  # --do
    prompt: str  # -p
    bind: Mapping[str, Any]  # --with NAME=IN
    lang: str
    via: Iterable[str]
    avoid: Iterable[str]
    prefer: Literal["", "quality", "speed"]
    options: Mapping[str, Scalar]  # -o
    strict: bool
    creative: bool
    keep: Path  # a folder for every value on the way


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
        home: folder of cache, weights and history (default: $TRANSPOSE_HOME, else the user's cache folder).
        offline: forbid every connection (default: as $TRANSPOSE_OFFLINE says).
        seed, device, threads: for every run.
        cache: False computes everything anew and keeps nothing.
        transforms: further transforms, made with `@transform`.
        fetch: answers the folder of a model by name; for tests and for weights of one's own.
        report: called with (done, total or None, what) as work goes on.
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
    ) -> None:
        self.home = home or cache_home()
        self.offline = os.environ.get("TRANSPOSE_OFFLINE", "") not in ("", "0") if offline is None else offline
        self.catalog: Catalog = load_catalog(self.home).with_transforms(transforms)
        self.store = Store(self.home) if cache else None
        self.fetch = fetch
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self.context = Context(
            seed=seed,
            device=device,
            offline=self.offline,
            weights=self._weights,
            report=report,
            warm=Warm(),
            threads=threads or cores(),
        )
        self.last: engine.Run | None = None

    # -- planning --------------------------------------------------------------------------------------------------

    def plan(self, source: Any, to: str | Path, *, alternatives: int = 3, **wishes: Unpack[Wishes]) -> Plan:
        """The best route, without running it; `Plan.explain()` tells it in words."""
        givens = self._givens(source, wishes)
        return self._plan([given for given, _ in givens], to, alternatives, wishes)

    def _plan(self, givens: list[Given], to: str | Path, alternatives: int, wishes: Wishes) -> Plan:
        goal, said = self._goal(givens, to, wishes)
        made = make_plan(self.catalog, tuple(givens), goal, alternatives=alternatives)
        return replace(made, assumptions=(*said, *made.assumptions))

    def _goal(self, givens: list[Given], to: str | Path, wishes: Wishes) -> tuple[Goal, tuple[str, ...]]:
        said: tuple[str, ...] = ()
        kind = parse_node(wishes["kind"]) if wishes.get("kind") else None
        verbs = tuple(wishes.get("verbs", ()))
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
        via, avoid = tuple(wishes.get("via", ())), tuple(wishes.get("avoid", ()))
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
        made = {t.slots[0].nodes[0].modality for t in self.catalog if any(n.name == node.name for n in t.targets)}
        return "text" if "text" in made or not made else sorted(made)[0]

    def _blocked(self, item: Transform) -> bool:
        """Whether a transform cannot run here as things are: it is then the last choice, and says what it lacks."""
        return bool(missing_modules(item)) or (self.offline and not all(self._present(name) for name in item.models))

    # -- running ---------------------------------------------------------------------------------------------------

    def run(self, source: Any, to: str | Path, **wishes: Unpack[Wishes]) -> Artifact:
        """Plan and run. `to` is a node (`"text.summary"`, `".md"`) or the Path of a file to be written.

        Raises only subclasses of TransposeError.
        """
        pairs = self._givens(source, wishes)
        made = self._plan([given for given, _ in pairs], to, 0, wishes)
        artifact = self.run_route(made.route, pairs, wishes)
        if isinstance(to, Path):
            self.place(artifact, to, force=False)
        return artifact

    def run_route(self, route: Route, pairs: list[tuple[Given, Any]], wishes: Wishes) -> Artifact:
        """Run a route that was planned or saved, over its givens and their values."""
        options = check_options(dict(wishes.get("options", {})), self._optioned(route))
        sources = tuple(
            engine.Source(value, key or engine.hash_source(value, given.node), given.name, given.node)
            for given, (value, key) in pairs
        )
        self.context.folder = self._folder()
        self.context.warnings.clear()
        run = engine.Run(
            self.catalog, route, sources, self.context, self.store, options, self._model_hash, wishes.get("keep")
        )
        self.last = run
        made = run.artifact()
        self._learn_speeds(run, [given.units for given, _ in pairs])
        return Artifact(made.value, str(made.kind), made.history, self, made.key)

    def _optioned(self, route: Route) -> list[Transform]:
        """Transforms whose options may be given: the steps and what their recipes call."""
        steps = route.transforms(self.catalog)
        inner = [self.catalog[name] for step in steps for name in step.uses if name in self.catalog]
        return [*steps, *inner]

    def place(self, artifact: Artifact, target: Path, *, force: bool = False) -> None:
        """Put the file of an artifact at `target`, atomically, and record its history."""
        import shutil

        if not isinstance(artifact.value, Path):
            raise UsageError(f"{artifact.kind} is not a file yet", f"Ask for a format: to=Path({str(target)!r})")
        with atomic(target, force=force) as temporary:
            shutil.copyfile(artifact.value, temporary)
        if self.store is not None:
            self.store.record(hash_file(target), artifact.history)

    # -- what was given --------------------------------------------------------------------------------------------

    def _givens(self, source: Any, wishes: Wishes) -> list[tuple[Given, Any]]:
        """(given, (value, key)) of every input, in order; `prompt` and `bind` come last."""
        parts = list(source) if isinstance(source, list | tuple) else [source]
        if not parts:
            raise UsageError("nothing was given", "Name at least one input")
        asserted = wishes.get("source_kind", "")
        pairs = [self._given(part, asserted) for part in parts]
        for name, part in wishes.get("bind", {}).items():
            given, value = self._given(part, "")
            pairs.append((replace(given, binds=name), value))
        if wishes.get("prompt"):
            given, value = self._given(str(wishes["prompt"]), "")
            pairs.append((replace(given, prompt=True, name="the prompt"), value))
        return pairs

    def _given(self, part: Any, asserted: str) -> tuple[Given, tuple[Any, str]]:
        node = parse_node(asserted) if asserted else None
        if isinstance(part, Path):
            return self._given_file(part, node), (part, "")
        if isinstance(part, Artifact):
            return Given(parse_node(part.kind), "the value"), (part.value, part.key)
        if isinstance(part, str):
            from transpose.media.text import Text

            kind = node if node and not node.is_format else Node("text.prompt")
            return Given(kind, "the text", units=max(len(part) / 1000, 0.01)), (Text(part), "")
        for modality, (module, _) in MODALITIES.items():
            if type(part).__module__ == module:
                found = part.facets() if hasattr(part, "facets") else {}
                return Given(Node(node.name if node else modality).having(**found), "the value"), (part, "")
        raise UsageError(
            f"a {type(part).__name__} cannot be an input", "Give a Path, a str, or a value of transpose.media"
        )

    def _given_file(self, path: Path, asserted: Node | None) -> Given:
        check_file(path)
        node = asserted if asserted and asserted.is_format else Node(path.suffix.lower())
        if not node.name:
            raise InputError(
                f"{str(path)!r} has no suffix that tells its format", "Say which with --from, as in --from .wav"
            )
        kind = asserted if asserted and not asserted.is_format else None
        return Given(node, path.name, kind, partial(self._probe, path), units=self._units(path, node))

    def _units(self, path: Path, node: Node) -> float:
        """Size in minutes, pages or thousands of characters: what times are measured by."""
        reads = {t.targets[0].modality for t in self.catalog if any(n.name == node.name for n in t.slots[0].nodes)}
        if "audio" in reads:
            return max(self._remember(path, "units", self._minutes), 0.01)
        return max(path.stat().st_size / 1000, 0.01) if reads == {"text"} else 1.0

    @staticmethod
    def _minutes(path: Path) -> float:
        from transpose.media.audio import duration

        try:
            return duration(path) / 60
        except InputError:
            return 1.0  # the reader will say what is wrong with it

    def _probe(self, path: Path, modality: str) -> dict[str, float]:
        """Which kinds a file's content may be, with probabilities; remembered by the file's size and time."""
        if modality not in PROBES:
            return {}

        def ask(path: Path) -> dict[str, float]:
            from importlib import import_module

            answers: dict[str, float] = import_module(PROBES[modality]).probe(path, self.context)
            return answers

        return self._remember(path, modality, ask)

    def _remember(self, path: Path, what: str, ask: Callable[[Path], Any]) -> Any:
        from transpose.core.catalog import read_json
        from transpose.core.store import hash_json, write_json

        info = path.stat()
        stamp = hash_json([str(path.resolve()), info.st_size, info.st_mtime_ns, info.st_ino, self.catalog.stamp])
        place = self.home / "probes" / f"{stamp}.json"
        known = read_json(place)
        if what not in known:
            known[what] = ask(path)
            if self.store is not None:
                write_json(place, known)
        return known[what]

    # -- weights, temporaries, speeds ------------------------------------------------------------------------------

    def _weights(self, name: str) -> Path:
        if self.fetch is not None:
            return self.fetch(name)
        from transpose.models.pull import weights

        return weights(name, offline=self.offline)

    def _present(self, name: str) -> bool:
        if self.fetch is not None:
            return True
        from transpose.models.pull import present

        return present(name)

    def _model_hash(self, name: str) -> str:
        from transpose.models.card import card_hash

        return card_hash(name)

    def _folder(self) -> Path:
        if self._scratch is None:
            parent = self.home / "tmp"
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            sweep(parent)
            self._scratch = tempfile.TemporaryDirectory(
                prefix=f".transpose-{os.getpid()}-", dir=parent, ignore_cleanup_errors=True
            )
        return Path(self._scratch.name)

    def _learn_speeds(self, run: engine.Run, units: list[float]) -> None:
        """Remember this machine's seconds a unit, from inputs long enough that loading the model does not count."""
        total = sum(units)
        if self.store is None or not run.timings or total < 0.5:
            return
        from transpose.core.catalog import read_json
        from transpose.core.store import write_json

        path = self.home / "speeds.json"
        speeds = read_json(path)
        for name, seconds in run.timings.items():
            speeds[name] = (speeds.get(name, seconds / total) + seconds / total) / 2
        write_json(path, speeds)

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


def cores() -> int:
    """Threads for one model: all cores but one (two threads on two cores were far slower than one)."""
    return max(1, (os.cpu_count() or 2) - 1)


def check_file(path: Path) -> None:
    """Raise the error that fits where a path is not a file with bytes in it."""
    if path.is_dir():
        raise FolderInput(f"{str(path)!r} is a folder", "Name the files in it, as in: transpose folder/*.txt OUT")
    if not path.exists():
        raise MissingInput(f"there is no file {str(path)!r}", "If it is meant as text, add --text")
    if path.is_file() and path.stat().st_size == 0:
        raise EmptyInput(f"{str(path)!r} is empty", "Check how it was made or copied")


_default: Session | None = None


def _session() -> Session:
    global _default
    if _default is None:
        _default = Session()
    return _default


def run(source: Any, to: str | Path, **wishes: Unpack[Wishes]) -> Artifact:
    """Turn a source into what is wanted: `run(Path("talk.wav"), to="text.summary").value.text`.

    One session is kept for the process. Raises only subclasses of TransposeError.
    """
    return _session().run(source, to, **wishes)


def plan(source: Any, to: str | Path, **wishes: Unpack[Wishes]) -> Plan:
    """The route that `run` would take; `print(plan(Path("talk.wav"), to=".md").explain())`."""
    return _session().plan(source, to, **wishes)
