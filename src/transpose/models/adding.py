"""Makes a card of a model that a user has: in a folder, a file, a repository of the hub, or at a server."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from transpose.core.errors import MissingPackage, UsageError, WeightsError
from transpose.core.store import atomic
from transpose.models import shelf
from transpose.models.card import FOLDER, NAME, Card, CardFile, Part, Source
from transpose.models.detect import Found, detect, loose_pickles
from transpose.models.places import user_cards
from transpose.models.runtime import ENGINES, Runtime

REPOSITORY = re.compile(r"(hf:)?[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
# what is fetched from a repository: never Python code, never pickles
PATTERNS = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja", "*.onnx", "*.gguf", "model.bin", "README.md")
CLIENT = """
import fnmatch, json, sys
from huggingface_hub import HfApi, hf_hub_download
order = json.loads(sys.argv[1])
try:
    info = HfApi().model_info(order["repo"], revision=order["revision"] or None)
    names = [each.rfilename for each in info.siblings]
    patterns = [order["file"]] if order["file"] else order["patterns"]
    if not any(name.startswith("vocabulary.") for name in names):
        patterns = [each for each in patterns if each != "model.bin"]
    wanted = [name for name in names if any(fnmatch.fnmatch(name, each) for each in patterns)]
    if len([name for name in wanted if name.endswith(".gguf")]) > 1:
        sys.exit("it holds several .gguf files; name one with --file")
    if not wanted:
        sys.exit("it holds no file of a known form")
    for name in wanted:
        hf_hub_download(order["repo"], name, revision=info.sha, local_dir=order["folder"])
    print("COMMIT", info.sha)
except Exception as error:
    sys.exit(f"{type(error).__name__}: {str(error).strip().splitlines()[0]}")
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user said of a model to be added."""

    name: str
    where: str
    task: str = ""
    model: str = ""
    key_env: str = ""
    licence: str = ""
    languages: tuple[str, ...] = ()
    file: str = ""  # of a repository: the one file that is wanted
    revision: str = ""
    convert: bool = False  # pickled weights are converted once
    force: bool = False


def make_card(wish: Wish, say: Callable[[str], None]) -> Card:
    """The card of the model, not yet written. What has to be fetched or converted is done, and lies on the shelf.

    Raises UsageError (name, task), WeightsError (no model, pickles, nothing fetched), MissingPackage.
    """
    _check_name(wish)
    if wish.where.startswith(("http://", "https://")):
        return _server(wish)
    place = Path(wish.where).expanduser()
    if place.exists():
        return _local(wish, place.resolve(), say)
    if (FOLDER / f"{wish.where}.toml").exists():  # a demo model of our own
        from transpose.models.pull import weights

        return _local(wish, weights(wish.where), say)
    if REPOSITORY.fullmatch(wish.where) and not wish.where.startswith((".", "/")):
        return _repository(wish, say)
    raise WeightsError(
        f"there is no file or folder {wish.where!r}",
        "Name one, or a repository (owner/name), or an address (http://...)",
    )


def _check_name(wish: Wish) -> None:
    if not NAME.fullmatch(wish.name):
        raise UsageError(f"{wish.name!r} is no name for a model", "Use small letters, digits, - and _, as in my-llama")
    if (FOLDER / f"{wish.name}.toml").exists():
        raise UsageError(f"{wish.name!r} is a model that comes with Transpose", "Choose another name")
    if (user_cards() / f"{wish.name}.toml").exists() and not wish.force:
        raise UsageError(f"there is a model {wish.name!r} already", "Replace it with --force, or choose another name")


def _server(wish: Wish) -> Card:
    task = wish.task or "text-generation"
    tasks = tuple(each.strip() for each in task.split(","))
    if unknown := [each for each in tasks if each not in ENGINES["openai"].tasks]:
        raise UsageError(f"{unknown[0]!r} is no task of a server", f"There are: {', '.join(ENGINES['openai'].tasks)}")
    settings = {"model": wish.model or wish.name} | ({"key_env": wish.key_env} if wish.key_env else {})
    runtime = Runtime("openai", tasks, wish.where.rstrip("/"), settings)
    title = f"{settings['model']} at {runtime.host}"
    return _card(wish, Found("openai", tasks, title, wish.licence or "unknown"), (), runtime)


def _local(wish: Wish, place: Path, say: Callable[[str], None]) -> Card:
    if loose := loose_pickles(place):
        if not wish.convert:
            raise WeightsError(
                f"the weights {loose[0].name!r} in {str(place)!r} are pickled, which can run code when it is opened",
                "Get a version in safetensors, or convert it once, in a child that loads weights only: --convert",
            )
        from transpose.models.unpickle import convert

        place = convert(place, shelf.root() / wish.name / "converted", say)
    found = detect(place, wish.task)
    say(f"reading {len(found.files)} files")
    base = place if place.is_dir() else place.parent
    files = tuple(
        CardFile(str(file.relative_to(base).as_posix()), file.stat().st_size, shelf.digest(file))
        for file in found.files
    )
    return _card(wish, found, files, Runtime(found.runtime, found.tasks, str(place), found.settings))


def _repository(wish: Wish, say: Callable[[str], None]) -> Card:
    from importlib.util import find_spec

    from transpose.models.pull import is_offline

    repo = wish.where.removeprefix("hf:")
    if find_spec("huggingface_hub") is None:
        raise MissingPackage("a repository needs the package huggingface_hub", "pip install huggingface_hub")
    if is_offline():
        raise WeightsError(f"{repo!r} would have to be fetched, and this run is offline", "Name a folder instead")
    say(f"fetching {repo}")
    waiting = "another process is adding this model: waiting"
    with shelf.locked(wish.name, lambda: say(waiting)) as folder, shelf.temporary(folder) as scratch:
        got, commit = _download(wish, repo, scratch)
        if loose := loose_pickles(got):
            raise WeightsError(
                f"{repo!r} has its weights only pickled ({loose[0].name})",
                "Choose one with safetensors; or fetch it yourself and add the folder with --convert",
            )
        found = detect(got, wish.task)
        names = [file.relative_to(got).as_posix() for file in found.files]
        files = tuple(CardFile(name, (got / name).stat().st_size, shelf.digest(got / name)) for name in names)
        source = Source("hub", (Part(repo, commit, {name: name for name in names}),))
        card = _card(wish, found, files, Runtime(found.runtime, found.tasks, "", found.settings), source)
        _keep_only(got, names)
        shelf.mark(card, got)
        shelf.install(card, got, scratch)
    return card


def _keep_only(folder: Path, names: list[str]) -> None:
    """Remove what a card does not list, and folders that are empty then."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(folder).as_posix() not in names:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _download(wish: Wish, repo: str, scratch: Path) -> tuple[Path, str]:
    from transpose.models import child

    got = scratch / "got"
    order = {"repo": repo, "revision": wish.revision, "folder": str(got), "patterns": PATTERNS, "file": wish.file}
    try:
        said = child.run([sys.executable, "-P", "-c", CLIENT, json.dumps(order)], scratch, lambda done: None)
    except WeightsError as error:
        why = " ".join(error.message.split())
        raise WeightsError(f"{repo!r} could not be fetched: {why}", "Is the name right? Is it open to all?") from None
    commit = re.search(r"^COMMIT ([0-9a-f]{40})$", said, re.M)
    if not commit or not got.is_dir():
        raise WeightsError(f"{repo!r} could not be fetched: {' '.join(said.split())[-200:]}", "Is the name right?")
    return got, commit.group(1)


def _card(wish: Wish, found: Found, files: tuple[CardFile, ...], runtime: Runtime, *sources: Source) -> Card:
    return Card(
        name=wish.name,
        title=found.title,
        task=found.tasks[0],
        licence=wish.licence or found.licence,
        files=files,
        sources=sources,
        languages=wish.languages or found.languages,
        notes="added by the user; its quality was not measured",
        runtime=runtime,
        origin=user_cards() / f"{wish.name}.toml",
    )


# -- writing -----------------------------------------------------------------------------------------------------------


def write_card(card: Card, *, smoke: str) -> Path:
    """Write a card with a runtime into the user's folder, atomically; answers its path."""
    assert card.runtime is not None
    card = replace(card, runtime=replace(card.runtime, smoke=smoke))
    card.origin.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with atomic(card.origin, force=True) as temporary:
        temporary.write_text(_toml(card), encoding="utf-8")
    return card.origin


def _toml(card: Card) -> str:
    """A card as TOML: strings, lists and tables of these are all that it holds, so JSON's quotes serve."""
    runtime = card.runtime
    assert runtime is not None
    lines = [
        f"{key} = {json.dumps(getattr(card, key), ensure_ascii=False)}"
        for key in ("name", "title", "task", "licence", "notes")
    ]
    lines.append(f"languages = {json.dumps(list(card.languages))}")
    for file in card.files:
        lines += ["", "[[files]]", f"path = {json.dumps(file.path, ensure_ascii=False)}", f"size = {file.size}"]
        lines.append(f'sha256 = "{file.sha256}"')
    for source in card.sources:
        lines += ["", "[[sources]]", f'kind = "{source.kind}"']
        for part in source.parts:
            pairs = ", ".join(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in part.files.items())
            lines += [
                "[[sources.parts]]",
                f'name = "{part.name}"',
                f'version = "{part.version}"',
                f"files = {{ {pairs} }}",
            ]
    lines += ["", "[runtime]", f'name = "{runtime.name}"', f"tasks = {json.dumps(list(runtime.tasks))}"]
    lines += [f"place = {json.dumps(runtime.place, ensure_ascii=False)}"] if runtime.place else []
    lines += [f"smoke = {json.dumps(runtime.smoke, ensure_ascii=False)}"] if runtime.smoke else []
    if runtime.settings:
        lines += ["[runtime.settings]", *(f"{key} = {json.dumps(value)}" for key, value in runtime.settings.items())]
    return "\n".join(lines) + "\n"


def forget(card: Card) -> None:
    """Remove a card that the user added. Files that lie in a place of the user's own stay."""
    os.unlink(card.origin)
