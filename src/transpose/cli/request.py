"""What the arguments of one command line mean: sources, goal, wishes."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from transpose.core.errors import AmbiguousError, InputError, MissingInput, OutputError, UsageError

if TYPE_CHECKING:
    from transpose.session import Session
    from transpose.wishes import Wishes

T = TypeVar("T")


@dataclass
class Request:
    """One command line, with the defaults of the config file filled in."""

    args: argparse.Namespace
    config: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from transpose.cli.config import load

        self.config = load()
        for name in ("prefer", "lang", "seed"):
            if getattr(self.args, name) is None:
                setattr(self.args, name, self.config.get(name))
        if len(self.args.paths) < 2:
            raise UsageError("OUT is missing", f"As in: transpose {self.args.paths[0]!r} out.md")
        self.ins: list[str] = self.args.paths[:-1]
        self.last: str = self.args.paths[-1]

    # -- what comes out ----------------------------------------------------------------------------------------

    @property
    def out(self) -> Path | None:
        """Where the output goes; None is stdout."""
        return None if self.last == "-" else Path(self.last)

    @property
    def folder(self) -> bool:
        """Whether OUT ends in a slash: a folder for one or more files."""
        return self.last.endswith(("/", "\\"))

    @property
    def each(self) -> bool:
        """Whether every IN makes an output of its own."""
        return self.folder and len(self.ins) > 1

    def goal(self, out: Path | None) -> str | Path:
        """`--to`, the path of OUT, or `.txt` for a pipe."""
        if self.args.to:
            node: str = self.args.to
            return node + "*" if self.folder and node.startswith(".") and not node.endswith("*") else node
        if out is None:
            return ".txt"
        if self.folder:
            raise UsageError(
                f"{self.last!r} is a folder: of which format should the files be?", "Add --to .md, for example"
            )
        if not out.suffix:
            raise UsageError(
                f"{self.last!r} has no suffix that tells what is wanted", "Add one, or --to .md for example"
            )
        return out

    def stem(self, sources: list[Any]) -> str:
        """The name of an output in a folder: that of its first input, or its words."""
        if isinstance(sources[0], Path):
            return sources[0].stem
        return "-".join(re.findall(r"\w+", str(sources[0])))[:60].strip("-") or "text"

    # -- what goes in ------------------------------------------------------------------------------------------

    def sources(self, session: Session) -> list[Any]:
        """Each IN as a Path or a str; `-` is read into a temporary file."""
        return [self._source(text, session) for text in self.ins]

    def _source(self, text: str, session: Session) -> Any:
        if text == "-":
            return self._stdin(session)
        path = Path(text)
        if len(text) < 4096 and path.exists():
            return path
        if self.args.text or any(letter.isspace() for letter in text):
            return text
        near = _nearest(path)
        raise MissingInput(f"there is no file {text!r}", f"{near}If it is meant as text, add --text")

    def _stdin(self, session: Session) -> Path:
        import shutil

        kind = self.args.source_kind or ""
        suffix = kind if kind.startswith(".") else ".txt"
        if sys.stdin.isatty():
            raise InputError("nothing is piped in", "As in: cat talk.wav | transpose - talk.md --from .wav")
        path = session.folder() / f"stdin{suffix}"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        return path

    def wishes(self) -> Wishes:
        """Everything else that was asked for."""
        args, made = self.args, {}
        for name in ("kind", "source_kind", "prompt", "lang", "prefer"):
            if getattr(args, name):
                made[name] = getattr(args, name)
        made |= {"verbs": args.verbs, "via": args.via, "avoid": [*args.avoid, *self.config.get("avoid", [])]}
        made |= {"strict": args.strict, "creative": args.creative, "options": dict(map(_pair, args.options))}
        made["bind"] = {name: self._bound(value) for name, value in map(_pair, args.bind)}
        if getattr(args, "keep", None):
            made["keep"] = Path(args.keep)
        return made  # type: ignore[return-value]

    def _bound(self, value: str) -> Any:
        return Path(value) if Path(value).exists() else value

    # -- who does it -------------------------------------------------------------------------------------------

    def session(self) -> Session:
        """The session that this command line asks for."""
        from transpose.cli.progress import Bar, Preview
        from transpose.core.context import quiet
        from transpose.session import Session

        offline = True if self.args.offline else self.config.get("offline")
        report = Bar() if sys.stderr.isatty() and not self.args.quiet else quiet
        return Session(
            offline=offline,
            seed=self.args.seed or 0,
            cache=not getattr(self.args, "no_cache", False),
            report=report,
            preview=Preview(self._preview()) if getattr(self.args, "preview", None) else None,
            threads=self.config.get("threads"),
            sources=self.config.get("sources"),
            cache_limit=int(self.config.get("cache_gb", 5) * 1024**3),
            quiet_pulls=self.args.quiet,
            licences=self.config.get("licences", ()),
            memory_mb=self.config.get("memory_mb", 0),
        )

    def _preview(self) -> Path:
        """Where the picture in the making is shown."""
        path = Path(self.args.preview)
        if path.suffix.lower() != ".png":
            raise UsageError(f"the preview {str(path)!r} has to be a .png", "As in: --preview now.png")
        if not path.parent.is_dir():
            raise OutputError(f"there is no folder {str(path.parent)!r} for the preview", "Make it first")
        if self.out is not None and path.resolve() == self.out.resolve():
            raise UsageError("--preview and OUT are the same file", "Give the preview a name of its own")
        return path

    def ask(self, make: Callable[[Wishes], T], wishes: Wishes) -> T:
        """`make(wishes)`, and on a terminal the question that it may raise, put as numbered choices."""
        try:
            return make(wishes)
        except AmbiguousError as error:
            kinds = [choice.removeprefix("--as ") for choice in error.choices if choice.startswith("--as ")]
            if not kinds or not (sys.stdin.isatty() and sys.stderr.isatty()):
                raise
            print(f"transpose: {error.message}", file=sys.stderr)
            for number, kind in enumerate(kinds, 1):
                print(f"  {number}  {kind}", file=sys.stderr)
            answer = input("Which? ")
            if not answer.isdigit() or not 1 <= int(answer) <= len(kinds):
                raise
            return make({**wishes, "kind": kinds[int(answer) - 1]})


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"{text!r} is not of the form NAME=VALUE", "As in: -o speed=1.2, --with audio=voice.wav")
    return name, value


def _nearest(path: Path) -> str:
    from difflib import get_close_matches

    try:
        names = [each.name for each in path.parent.iterdir()]
    except OSError:
        return ""
    near = get_close_matches(path.name, names, 1)
    return f"Did you mean {str(path.with_name(near[0]))!r}? " if near else ""
