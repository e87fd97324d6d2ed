"""What a program defines, as a list: classes, functions and methods with their lines and what is said of them."""

from __future__ import annotations

import ast
from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.core.transform import transform
from transpose.media.definitions import definitions, first_sentence, parse_python
from transpose.media.program import language_of
from transpose.media.text import Text


@transform(
    "text.code -> text.outline@markdown",
    name="outline-code",
    does="outline",
    verb=True,
    loses=["wording", "detail"],
    needs=["pygments"],
    extra="documents",
)
def outline_code(
    code: Text,
    ctx: Context,
    *,
    language: Annotated[str, "in which the program is written, where that is not found"] = "",
    private: Annotated[bool, "also what begins with an underscore"] = False,
    lines: Annotated[bool, "the line of each definition"] = True,
) -> Text:
    """List what a program defines, nested, with the first sentence of each docstring or comment.

    Python is parsed; JavaScript, TypeScript, Java, C, C++, Go, Rust, Ruby and shell are read line by line, where what
    a macro defines is not seen. Raises SilentInput (another language, or nothing defined), DamagedInput (no Python 3).
    """
    name = language_of(code, ctx, language)
    found = definitions(code.text, name, private)
    if not found:
        hint = "Are its names private? Then -o private=yes" if not private else "It may only run statements"
        raise SilentInput("this program defines nothing that can be listed", hint)
    head = first_sentence(ast.get_docstring(parse_python(code.text)) or "") if name == "python" else ""
    rows = [head, ""] if head else []
    for each in found:
        place = f" (line {each.line})" if lines else ""
        said = f": {each.said}" if each.said else ""
        rows.append(f"{'  ' * each.depth}- {_code(each.signature)}{place}{said}")
    ctx.note("definitions", len(found))
    return Text("\n".join(rows), "markdown", "en" if not code.lang else code.lang)


def _code(words: str) -> str:
    """Characters as code inside a line of Markdown."""
    return f"`{words}`" if "`" not in words else f"`` {words} ``"
