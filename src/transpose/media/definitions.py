"""What a program defines: names, lines, the first sentence of each comment. Python exactly, some others nearly.

Python is parsed (`ast`). JavaScript, TypeScript, Java, C, C++, Go, Rust, Ruby and shell are read line by line after
comments and strings were blanked by Pygments; braces give the nesting. What macros or generators define stays unseen.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from transpose.core.errors import DamagedInput, SilentInput
from transpose.media.program import pieces, title

Function = ast.FunctionDef | ast.AsyncFunctionDef
Defined = Function | ast.ClassDef
MODIFIERS = (
    r"(?:(?:public|private|protected|internal|static|final|abstract|async|export|default|declare|readonly|override"
    r"|virtual|inline|constexpr|extern|unsafe|const|pub(?:\([\w: ]+\))?|synchronized|native|sealed|explicit"
    r"|friend)\s+)*"
)
SCRIPT = (
    (rf"{MODIFIERS}function\s*\*?\s*(?P<name>[\w$]+)\s*(?:<[^(]*>)?\(", "function"),
    (rf"{MODIFIERS}(?P<what>class|interface|enum|namespace)\s+(?P<name>[\w$]+)", "class"),
    (r"(?:export\s+)?type\s+(?P<name>[\w$]+)(?:<.*>)?\s*=", "type"),
    (
        r"(?:export\s+)?(?:const|let|var)\s+(?P<name>[\w$]+)[^=]*=\s*(?:async\s*)?"
        r"(?:function\b|\([^)]*\)[^=]*=>|[\w$]+\s*=>)",
        "function",
    ),
    (rf"{MODIFIERS}(?:get\s+|set\s+|\*\s*)?(?P<name>#?[\w$]+)\s*(?:<[^(]*>)?\([^)]*\)?[^;=]*\{{\s*$", "method"),
)
C_LIKE = (
    (
        r"(?:typedef\s+)?(?:template\s*<.*>\s*)?(?P<what>class|struct|union|enum(?:\s+class)?|namespace)\s+"
        r"(?P<name>[\w:]+)(?:\s+final)?\s*(?::[^:;]*)?(?:\{.*)?$",
        "class",
    ),
    (
        rf"{MODIFIERS}[\w:<>,&*~\s\[\]]*?[\s&*](?P<name>[\w:~]+|operator\s*\S+)\s*"
        r"\([^;{}]*(?:\)[^;=]*)?(?:\{.*)?$",
        "function",
    ),
)
PATTERNS: dict[str, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(("javascript", "typescript", "jsx", "tsx"), SCRIPT),
    **dict.fromkeys(("c", "cpp"), C_LIKE),
    "java": (
        (rf"{MODIFIERS}(?P<what>class|interface|enum|record|@interface)\s+(?P<name>\w+)", "class"),
        (r"(?:[\w.<>,?\[\]&]++\s++)+(?P<name>\w++)\s*\([^;=]*$", "method"),
        (rf"{MODIFIERS}(?P<name>\w+)\s*\([^;=]*\{{$", "method"),
    ),
    "go": (
        (r"func\s+(?:\(\s*\w*\s*\*?(?P<owner>[\w]+)[^)]*\)\s*)?(?P<name>\w+)\s*[\[(]", "function"),
        (r"type\s+(?P<name>\w+)(?:\[.*\])?\s+(?P<what>struct|interface|\w+)", "type"),
    ),
    "rust": (
        (rf"{MODIFIERS}(?:extern\s+\S*\s*)?fn\s+(?P<name>\w+)", "function"),
        (rf"{MODIFIERS}(?P<what>struct|enum|trait|mod|union|type)\s+(?P<name>\w+)", "class"),
        (r"(?:unsafe\s+)?(?P<what>impl)(?:<.*?>)?\s+(?P<name>[^{]+?)\s*(?:where.*)?\{", "class"),
        (r"macro_rules!\s*(?P<name>\w+)", "macro"),
    ),
    "ruby": (
        (r"(?P<what>class|module)\s+(?P<name>[A-Z][\w:]*)", "class"),
        (r"def\s+(?P<name>(?:self\.)?[\w]+[?!=]?)", "method"),
    ),
    "bash": (
        (r"(?:function\s+)?(?P<name>[\w:.-]+)\s*\(\s*\)", "function"),
        (r"function\s+(?P<name>[\w:.-]+)", "function"),
    ),
}
BODIES = ("function", "method", "type", "macro")  # what is defined inside is nobody else's
COMMENTS = ("Token.Comment", "Token.Literal.String.Doc")  # Rust's `///` are strings to Pygments
PREPROCESSOR = "Token.Comment.Preproc"
STRING = re.compile(r"[^\s\"'`]")
NOT_NAMES = frozenset(
    "if else for while switch catch return do try match loop throw sizeof typeof with synchronized function".split()
)


@dataclass(frozen=True, slots=True)
class Definition:
    """One thing that a program defines: its signature as written, line (from 1), depth (from 0) and what is said."""

    signature: str
    kind: str
    line: int
    depth: int
    said: str = ""


def parse_python(source: str) -> ast.Module:
    """The syntax tree of a Python 3 program; raises DamagedInput with the line where it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own warnings of odd escapes are not ours to pass on
            return ast.parse(source)
    except SyntaxError as error:
        where = f"line {error.lineno}: {error.msg}"
        hint = "Mend that line; Python 2 is not read; another language is said by -o language=NAME"
        raise DamagedInput(f"this is not Python 3, {where}", hint) from None
    except (ValueError, RecursionError, MemoryError):
        raise DamagedInput("this Python program cannot be parsed", "Is it cut off, or nested too deep?") from None


def definitions(source: str, language: str, private: bool) -> list[Definition]:
    """What a program defines, in order; names that begin with `_` only where `private`.

    Raises SilentInput for a language without definitions that are known here, DamagedInput for broken Python.
    """
    if language == "python":
        return list(_python(parse_python(source), 0, private))
    if language not in PATTERNS:
        known = ", ".join(sorted({title(name) for name in ("python", *PATTERNS)}))
        raise SilentInput(f"there is no outline of {title(language)} here", f"Outlined are {known}")
    return [each for each in _lines(source, language) if private or not _is_private(each)]


def _is_private(found: Definition) -> bool:
    return bool(re.search(r"(?:^|[\s.])_\w*\s*\(", found.signature.partition("(")[0] + "("))


def _python(parent: ast.Module | Defined, depth: int, private: bool) -> Iterator[Definition]:
    for node in _inside(parent):
        hidden = node.name.startswith("_") and not node.name.endswith("__")
        if hidden and not private:
            continue
        kind = "class" if isinstance(node, ast.ClassDef) else "method" if _in_class(parent) else "function"
        yield Definition(signature(node), kind, node.lineno, depth, first_sentence(ast.get_docstring(node) or ""))
        if isinstance(node, ast.ClassDef):
            yield from _python(node, depth + 1, private)


def _in_class(parent: ast.AST) -> bool:
    return isinstance(parent, ast.ClassDef)


def _inside(parent: ast.AST) -> Iterator[Defined]:
    """Definitions directly in a body, also those under an `if` or `try`."""
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, Defined):
            yield node
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            yield from _inside(node)


def signature(node: Defined) -> str:
    """The first line of a definition on one line: `def f(x: int = 0) -> str`."""
    if isinstance(node, ast.ClassDef):
        bases = [ast.unparse(each) for each in (*node.bases, *node.keywords)]
        return f"class {node.name}" + (f"({', '.join(bases)})" if bases else "")
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    return f"{word} {node.name}({ast.unparse(node.args)}){returns}"


def first_sentence(words: str) -> str:
    """The first paragraph of a comment on one line, to the end of its first sentence."""
    paragraph = " ".join(re.split(r"\n\s*\n", words.strip(), maxsplit=1)[0].split())
    found = re.match(r".{3,}?[.!?](?=\s+[A-Z`*\"'(]|$)", paragraph)
    return found.group() if found else paragraph


def _lines(source: str, language: str) -> Iterator[Definition]:
    """Definitions by the patterns of a language; nesting by braces, in Ruby by indentation."""
    code, comments = _parted(source, language)
    patterns = [(re.compile(pattern), kind) for pattern, kind in PATTERNS[language]]
    opened: list[tuple[int, str]] = []  # level at which each definition around this line began, and its kind
    braces = 0
    for number, line in enumerate(code):
        words = line[:400].strip()
        level = len(line) - len(line.lstrip()) if language == "ruby" else braces
        while words and opened and level <= opened[-1][0]:
            opened.pop()
        in_body = bool(opened) and opened[-1][1] in BODIES or language not in ("ruby", "bash") and level > len(opened)
        found = _match(words, patterns) if words and not in_body else None
        if found:
            kind, shown = found
            yield Definition(
                shown, kind, number + 1, len(opened), first_sentence(_comment_above(code, comments, number))
            )
            opened.append((level, kind))
        braces = max(0, braces + line.count("{") - line.count("}"))


def _match(words: str, patterns: list[tuple[re.Pattern[str], str]]) -> tuple[str, str] | None:
    if words.startswith(("#", "return ", "else", "case ", "throw ", "new ", "delete ", "}")):
        return None
    for pattern, kind in patterns:
        found = pattern.match(words)
        if found and found["name"] not in NOT_NAMES:
            what = found.groupdict().get("what") or kind
            shown = re.sub(r"\s*(?:\{.*|=>.*|[:=]\s*)$", "", words)
            return what, " ".join(shown.split())[:200]
    return None


def _parted(source: str, language: str) -> tuple[list[str], list[str]]:
    """The lines of a program without comments and with strings blanked, and its comments line by line."""
    code: list[str] = []
    comments: list[str] = []
    for line in pieces(source, language):
        kinds = [str(piece.token) for piece in line]
        told = [kind.startswith(COMMENTS) and not kind.startswith(PREPROCESSOR) for kind in kinds]
        comments.append("".join(piece.text for piece, is_said in zip(line, told, strict=True) if is_said).strip())
        shown = [
            "" if is_said else STRING.sub("_", piece.text) if kind.startswith("Token.Literal.String") else piece.text
            for piece, kind, is_said in zip(line, kinds, told, strict=True)
        ]
        code.append("".join(shown).rstrip())
    return code, comments


def _comment_above(code: list[str], comments: list[str], number: int) -> str:
    """The words of the comment that ends on the line above, or above attributes."""
    found: list[str] = []
    for at in range(number - 1, max(-1, number - 40), -1):
        attribute = code[at].lstrip().startswith(("#[", "@", "template"))
        if not comments[at] and not (attribute and not found) or comments[at] and code[at].strip():
            break
        found.append(comments[at])
    lines = [re.sub(r"^\s*(?:/\*\*?!?|//[/!]?|\*+/|\*|#+|--)\s?|\s*\*+/\s*$", "", line) for line in reversed(found)]
    text = "\n".join(line for line in lines if not line.startswith("!"))
    return re.split(r"(?m)^\s*@\w+", text)[0]
