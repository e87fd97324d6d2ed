"""The index of this installation: every transform as data in the cache folder, so that planning imports no leaf.

The index is rebuilt when a file of ours, a score or the set of installed packages has changed. A plug-in is an entry
point of the group `transpose.transforms` named `SOURCE--TARGET--NAME`; the rest of what planning needs stands in the
file `transpose.toml` of its package, which is read without importing it. A stranger without that file counts as
inventing, lossy and of unknown quality.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import asdict, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from transpose.core.catalog import Catalog, read_json
from transpose.core.errors import TransposeError
from transpose.core.kind import ASPECTS, Node, parse_node, register_kinds
from transpose.core.store import write_json
from transpose.core.transform import Option, Slot, Transform, parse_signature

HOUSE = Path(__file__).parent
LEAVES = ("formats", "transforms")
SHARED = ("core", "media", "models", "models/runtimes", "adapters")
GROUP = "transpose.transforms"
INDEX_VERSION = 4


def load_catalog(cache: Path) -> Catalog:
    """The catalog of this installation, through the index in the folder `cache`."""
    stamp = _stamp()
    path = cache / "index.json"
    raw = read_json(path)
    if raw.get("stamp") != stamp:
        raw = {"stamp": stamp, **_build_index()}
        write_json(path, raw)
    register_kinds(raw["kinds"])
    scores = {**read_json(cache / "scores.json"), **raw["scores"]}  # measured here: of models of the user's own
    return Catalog([from_json(item) for item in raw["transforms"]], scores, read_json(cache / "speeds.json"), stamp)


def _leaf_files() -> list[Path]:
    return [path for folder in LEAVES for path in sorted((HOUSE / folder).glob("*.py")) if path.stem != "__init__"]


def _stamp() -> str:
    """Changes when a file of ours or the set of installed packages does: names, times and sizes, no contents."""
    parts = [f"{INDEX_VERSION} {sys.version}"]
    for path in [*_leaf_files(), *_shared_files(), HOUSE / "scores.json", *_own_files(), *_sites()]:
        try:
            info = path.stat()
        except OSError:
            continue
        parts.append(f"{path} {info.st_mtime_ns} {info.st_size}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _sites() -> list[Path]:
    """Folders where packages are installed; not that of the script or the working folder, which change all the time."""
    passing = {Path.cwd(), Path(sys.argv[0] or ".").absolute().parent, Path(sys.executable).parent}
    return [path for path in map(Path, filter(None, sys.path)) if path.absolute() not in passing]


def _own_files() -> list[Path]:
    """Cards of the user: those with a runtime make transforms."""
    from transpose.models.places import user_cards

    return sorted(user_cards().glob("*.toml"))


def _own_transforms(shared: bytes) -> list[Transform]:
    """What the user's own models do, once their first run passed; `models list` tells of cards that cannot be read."""
    if not _own_files():
        return []
    from transpose.models.card import all_cards
    from transpose.own import transforms_of

    cards = all_cards(complain=lambda error: None).values()
    source = hashlib.sha256(shared).hexdigest()[:16]
    tried = [card for card in cards if card.runtime and card.runtime.smoke]
    return [replace(item, source_hash=source) for card in tried for item in transforms_of(card)]


def _shared_files() -> list[Path]:
    """Code that leaves stand on: it counts in every source hash."""
    return [path for folder in SHARED for path in sorted((HOUSE / folder).glob("*.py"))]


def _build_index() -> dict[str, Any]:
    from importlib import import_module

    shared = hashlib.sha256(b"".join(p.read_bytes() for p in _shared_files() if p.parent.name != "core")).digest()
    found: list[Transform] = []
    for path in _leaf_files():
        module = import_module(f"transpose.{path.parent.name}.{path.stem}")
        source = hashlib.sha256(shared + path.read_bytes()).hexdigest()[:16]
        for value in vars(module).values():
            if isinstance(value, Transform) and value.where.startswith(module.__name__ + ":"):
                found.append(replace(value, source_hash=source))
    plugins, kinds = read_plugins()
    scores = read_json(HOUSE / "scores.json")
    return {
        "kinds": kinds,
        "scores": scores,
        "transforms": [to_json(item) for item in [*found, *plugins, *_own_transforms(shared)]],
    }


def to_json(item: Transform) -> dict[str, Any]:
    """Plain data of a transform, without its function."""
    raw = {f.name: getattr(item, f.name) for f in fields(item) if not f.name.startswith("_")}
    raw["slots"] = [[slot.name, [str(node) for node in slot.nodes], slot.optional] for slot in item.slots]
    raw["targets"] = [str(node) for node in item.targets]
    raw["options"] = [asdict(option) for option in item.options]
    return {key: value for key, value in raw.items() if value or key in ("name", "slots", "targets", "deterministic")}


@cache
def _node(text: str) -> Node:
    """Most nodes stand in many transforms."""
    return parse_node(text)


def from_json(raw: dict[str, Any]) -> Transform:
    """The inverse of `to_json`."""
    data: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
    data["slots"] = tuple(Slot(name, tuple(map(_node, nodes)), optional) for name, nodes, optional in raw["slots"])
    data["targets"] = tuple(map(_node, raw["targets"]))
    data["bound"] = tuple((key, value) for key, value in raw.get("bound", ()))
    data["options"] = tuple(Option(**{**o, "choices": tuple(o["choices"])}) for o in raw.get("options", ()))
    return Transform(**data)


def read_plugins() -> tuple[list[Transform], dict[str, str]]:
    """Transforms and kinds of installed plug-ins, from entry points and `transpose.toml`; nothing is imported."""
    from importlib.metadata import entry_points

    found: list[Transform] = []
    kinds: dict[str, str] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        declared, source = _declaration(point.value.partition(":")[0])
        kinds.update(declared.get("kinds", {}))
        register_kinds(kinds)
        found.append(_plugin(point.name, point.value, declared.get("transforms", {}), source))
    return found, kinds


def _declaration(module: str) -> tuple[dict[str, Any], str]:
    """`transpose.toml` beside a plug-in's top module, and a hash of the package's Python files."""
    import tomllib
    from importlib.util import find_spec

    spec = find_spec(module.partition(".")[0])  # a top-level name is found without running it
    if spec is None or spec.origin is None:
        return {}, ""
    folder = Path(spec.origin).parent
    package = spec.submodule_search_locations is not None
    files = sorted(folder.rglob("*.py")) if package else [Path(spec.origin)]
    source = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    toml = folder / ("transpose.toml" if package else f"{module}.transpose.toml")
    try:
        return tomllib.loads(toml.read_text(encoding="utf-8")), source
    except OSError:
        return {}, source
    except tomllib.TOMLDecodeError as error:
        raise TransposeError(
            f"the plug-in file {str(toml)!r} is not valid TOML: {error}", "Uninstall that package"
        ) from error


def _plugin(entry: str, where: str, declared: dict[str, Any], source: str) -> Transform:
    """A transform from `SOURCE--TARGET--NAME` and its table in `transpose.toml`, where it has one."""
    first, dashes, rest = entry.partition("--")
    target, more, name = rest.partition("--")
    if not dashes or not more:
        raise TransposeError(f"the entry point {entry!r} is not named SOURCE--TARGET--NAME", "Uninstall that package")
    table = dict(declared.get(name, {}))
    if not table:
        main = Slot("value", (parse_node(first),))
        return Transform(
            name, (main,), (parse_node(target),), where, invents=True, loses=tuple(sorted(ASPECTS)), source_hash=source
        )
    inputs, targets = parse_signature(table.pop("signature", f"{first} -> {target}"))
    names = table.pop("inputs", [f"input{i}" if i else "value" for i in range(len(inputs))])
    slots = tuple(Slot(n, nodes, optional) for n, (nodes, optional) in zip(names, inputs, strict=True))
    options = tuple(
        Option(
            key,
            o["type"],
            o.get("default"),
            o.get("doc", ""),
            o.get("least"),
            o.get("most"),
            tuple(o.get("choices", ())),
        )
        for key, o in table.pop("options", {}).items()
    )
    tidy: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    unknown = set(tidy) - {f.name for f in fields(Transform)}
    if unknown:
        raise TransposeError(f"transpose.toml of {name!r} has unknown keys {sorted(unknown)}", "Uninstall that package")
    return Transform(name, slots, targets, where, options=options, source_hash=source, **tidy)
