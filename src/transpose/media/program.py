"""Programs: which language a file's suffix or its content says, and its lines in coloured pieces.

A text does not know the file that it came from, so a language is found in this order: what the user says, the suffix of
the one file that was given (writers know it from the history), a first line with `#!`, and then signs of each language
in the program itself, counted. Too few signs are an error that asks, never a guess.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

from transpose.core.context import Context
from transpose.core.errors import HugeInput, OptionError, SilentInput, TransformError
from transpose.media.text import Text

if TYPE_CHECKING:
    from pygments.style import StyleMeta  # type: ignore[import-untyped]
    from pygments.token import _TokenType as Token  # type: ignore[import-untyped]

LARGEST = 5_000_000  # characters that are coloured
SAMPLE = 60_000  # characters in which signs are looked for
SECONDS = 60  # for colouring
MOST = 6  # times that one sign counts
LEAST = 3  # signs' weight that tells a language
LOOKS = {"light": "xcode", "dark": "github-dark"}  # styles of Pygments

# language by Pygments' name: suffixes. Not here, because another format has them: .html .xml .json .tex .ts .mts
SUFFIXES = {
    "python": ".py .pyi .pyw", "javascript": ".js .mjs .cjs", "jsx": ".jsx", "tsx": ".tsx", "typescript": ".cts",
    "c": ".c .h", "cpp": ".cpp .cc .cxx .hpp .hh", "csharp": ".cs", "rust": ".rs", "go": ".go", "java": ".java",
    "kotlin": ".kt .kts", "scala": ".scala", "swift": ".swift", "ruby": ".rb", "php": ".php", "perl": ".pl .pm",
    "lua": ".lua", "r": ".r", "julia": ".jl", "bash": ".sh .bash .zsh", "powershell": ".ps1", "sql": ".sql",
    "css": ".css", "scss": ".scss", "toml": ".toml", "yaml": ".yaml .yml", "ini": ".ini .cfg", "haskell": ".hs",
    "ocaml": ".ml", "elixir": ".ex .exs", "erlang": ".erl", "clojure": ".clj", "dart": ".dart", "zig": ".zig",
    "protobuf": ".proto", "cmake": ".cmake", "diff": ".diff .patch", "graphql": ".graphql", "vim": ".vim",
}  # fmt: skip
LANGUAGES = {suffix: name for name, row in SUFFIXES.items() for suffix in row.split()}
TITLES = {
    "cpp": "C++", "csharp": "C#", "javascript": "JavaScript", "typescript": "TypeScript", "jsx": "JSX", "tsx": "TSX",
    "php": "PHP", "sql": "SQL", "css": "CSS", "scss": "SCSS", "toml": "TOML", "yaml": "YAML", "ini": "INI",
    "bash": "Shell", "powershell": "PowerShell", "cmake": "CMake", "graphql": "GraphQL", "ocaml": "OCaml",
    "protobuf": "Protocol Buffers",
}  # fmt: skip
ALIKE = ({"c", "cpp"}, {"javascript", "jsx", "tsx", "typescript"}, {"css", "scss"}, {"toml", "ini"})
INTERPRETERS = (
    ("python", "python"), ("node|deno|bun", "javascript"), ("bash|sh|zsh|ksh|dash", "bash"), ("ruby", "ruby"),
    ("perl", "perl"), ("php", "php"), ("lua", "lua"), ("Rscript", "r"), ("julia", "julia"), ("pwsh", "powershell"),
    ("elixir", "elixir"), ("escript", "erlang"),
)  # fmt: skip


class Piece(NamedTuple):
    """Some characters of one line, and what Pygments says they are."""

    token: Token
    text: str


def title(language: str) -> str:
    """A language as people write it."""
    return TITLES.get(language, language.capitalize())


def language_of(code: Text, ctx: Context, said: str = "") -> str:
    """The language of a program by Pygments' name, and a note of it; see the module.

    Raises OptionError (`said` is none that is known) and SilentInput (nothing tells which it is).
    """
    if said:
        return _known(said)
    found = given_language(ctx) or by_content(code.text)
    if not found:
        hint = "Say which: -o language=python, for example"
        raise SilentInput("nothing in this text tells in which programming language it is", hint)
    ctx.note("language", found)
    return found


def given_language(ctx: Context) -> str:
    """The language that the suffix of the only given file says; "" where that is not known."""
    name = given_name(ctx)
    return LANGUAGES.get(PurePath(name).suffix.lower(), "")


def given_name(ctx: Context) -> str:
    """The name of the only given file, which writers know from the history; else ""."""
    if not ctx.history:
        return ""
    inputs = json.loads(ctx.history).get("inputs", [])
    return str(inputs[0].get("name", "")) if len(inputs) == 1 else ""


def by_content(text: str) -> str:
    """The language that a program looks like; "" where too little tells it."""
    shebang = re.match(r"\ufeff?#!\s*(\S+)(?:[ \t]+(?:-S[ \t]+)?(\S+))?", text)
    if shebang:
        program = PurePath(shebang[2] if shebang[1].endswith("/env") and shebang[2] else shebang[1]).name
        for pattern, name in INTERPRETERS:
            if re.match(f"(?:{pattern})[\\d.]*$", program):
                return name
    lines = [line.strip()[:300] for line in text[:SAMPLE].splitlines() if line.strip()]
    counts = {name: sum(_weigh(signs, lines)) for name, signs in _signs().items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] >= LEAST else ""


def _weigh(signs: tuple[tuple[int, re.Pattern[str]], ...], lines: list[str]) -> Iterator[float]:
    """What each sign adds; the more often it stands there the less each time counts."""
    for weight, sign in signs:
        times = sum(bool(sign.match(line)) for line in lines)
        yield weight * min(times, MOST) ** 0.5 + weight * times / (len(lines) + 10)


@lru_cache(maxsize=1)
def _signs() -> dict[str, tuple[tuple[int, re.Pattern[str]], ...]]:
    """Of each language: a weight, and how a line begins (blanks before it not counted)."""
    rows = json.loads(Path(__file__).with_name("program_signs.json").read_bytes())
    return {name: tuple((weight, re.compile(sign)) for weight, sign in row) for name, row in rows.items()}


def _known(said: str) -> str:
    from pygments.lexers import find_lexer_class_by_name  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        aliases = find_lexer_class_by_name(said.lower().lstrip(".")).aliases
    except ClassNotFound:
        hint = f"Known are {', '.join(sorted(SUFFIXES))} and others of Pygments"
        raise OptionError(f"{said!r} is no programming language that is known here", hint) from None
    return next((alias for alias in aliases if alias in SUFFIXES), str(aliases[0]))


def pieces(text: str, language: str) -> list[list[Piece]]:
    """Every line of a program as coloured pieces; joined they give the text back, without line ends.

    Raises HugeInput (over 5 million characters), TransformError (it takes over a minute).
    """
    from pygments.lexers import get_lexer_by_name

    if len(text) > LARGEST:
        hint = "Give a shorter one, or write it as .txt"
        raise HugeInput(f"the program has {len(text):,} characters, more than {LARGEST:,}", hint)
    lexer = get_lexer_by_name(language, stripnl=False, stripall=False, ensurenl=False)
    lines: list[list[Piece]] = [[]]
    late = time.monotonic() + SECONDS
    for token, part in lexer.get_tokens(text):
        if time.monotonic() > late:  # some grammars of Pygments take quadratic time on what is no program
            raise TransformError(f"colouring took over {SECONDS} s", f"Is it {title(language)}? Else -o language=NAME")
        for number, words in enumerate(part.split("\n")):
            if number:
                lines.append([])
            if words:
                lines[-1].append(Piece(token, words))
    return lines if len(lines) == text.count("\n") + 1 else lines[: text.count("\n") + 1]


def style(look: str) -> StyleMeta:
    """The colours of a look: light or dark."""
    from pygments.styles import get_style_by_name  # type: ignore[import-untyped]

    return get_style_by_name(LOOKS[look])
