"""The manual of a Python module, from its docstrings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.core.transform import transform
from transpose.media.definitions import Defined, parse_python, signature
from transpose.media.program import language_of
from transpose.media.text import Text

SECTIONS = frozenset(
    "Args Arguments Parameters Attributes Returns Return Yields Raises Warns Example Examples Note Notes See Also"
    " References Warning Warnings Todo".split()
)
SECTION = re.compile(r"^([A-Z]\w+(?: \w+)?):\s*$")
ITEM = re.compile(r"^(\*{0,2}[\w.]+(?: ?\([^)]*\))?): ?(.*)$")


@transform(
    "text.code -> text@markdown", name="docs", verb=True, loses=["detail"], needs=["pygments"], extra="documents"
)
def docs(
    code: Text,
    ctx: Context,
    *,
    title: Annotated[str, "heading of the page (default: from the module's docstring)"] = "",
    private: Annotated[bool, "also what begins with an underscore"] = False,
) -> Text:
    """Make a page of a Python module's docstrings: signatures, descriptions, parameters, examples.

    Sections as Google and NumPy write them become lists, lines after `>>>` blocks of code. Other languages have no
    docstrings that can be told for sure: SilentInput, as for a module without any definition or docstring.
    """
    name = language_of(code, ctx)
    if name != "python":
        raise SilentInput("only Python has docstrings", "For other languages: --do outline")
    tree = parse_python(code.text)
    first, rest = _first(ast.get_docstring(tree) or "")
    blocks = [f"# {title or first or 'Module'}"]
    blocks += [first] if title and first else []
    blocks += [page(rest)] if rest else []
    found = [block for node in _public(tree.body, private) for block in _entry(node, 2, private)]
    if not found and not first:
        raise SilentInput("this module has neither docstrings nor definitions", "Is it the right file?")
    ctx.note("definitions", sum(block.startswith(("## ", "### ")) for block in found))
    return Text("\n\n".join(blocks + found), "markdown", code.lang)


def _first(words: str) -> tuple[str, str]:
    """A docstring's first paragraph without its full stop, and the rest."""
    head, _, rest = words.strip().partition("\n\n")
    line = " ".join(head.split())
    return (line.removesuffix(".") if line.count(". ") == 0 else line), rest.strip("\n")


def _public(body: list[ast.stmt], private: bool) -> Iterator[Defined]:
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            yield from _public(node.body, private)
        elif isinstance(node, Defined):
            shown = not node.name.startswith("_") or node.name in ("__init__", "__call__") and ast.get_docstring(node)
            if shown or private:
                yield node


def _entry(node: Defined, depth: int, private: bool) -> Iterator[str]:
    """Heading, signature, docstring, and the methods of a class."""
    yield f"{'#' * depth} {node.name}".replace("__", r"\_\_")
    decorators = [
        f"@{ast.unparse(each)}\n" for each in node.decorator_list if isinstance(each, ast.Name | ast.Attribute)
    ]
    yield f"```python\n{''.join(decorators)}{signature(node)}\n```"
    said = ast.get_docstring(node)
    if said:
        yield page(said)
    if isinstance(node, ast.ClassDef):
        fields = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
        rows = [f"- `{ast.unparse(each)}`" for each in fields if private or not ast.unparse(each).startswith("_")]
        if rows:
            yield "\n".join(rows)
        for method in _public(node.body, private):
            yield from _entry(method, depth + 1, private)


def page(said: str) -> str:
    """A docstring as Markdown: sections as lists, doctests as code, the rest as it stands."""
    out: list[str] = []
    lines = said.expandtabs(4).split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        found = SECTION.match(line)
        underlined = at + 1 < len(lines) and re.fullmatch(r"-{3,}\s*", lines[at + 1]) and line.strip() in SECTIONS
        if line.lstrip().startswith(">>>"):
            end = next((n for n in range(at, len(lines)) if not lines[n].strip()), len(lines))
            out += ["```python", *(each.strip() for each in lines[at:end]), "```"]
        elif found and found[1].split()[0] in SECTIONS:
            end = next((n for n in range(at + 1, len(lines)) if re.match(r"\S", lines[n])), len(lines))
            out += ["", f"**{found[1]}**", "", *_items(lines[at + 1 : end]), ""]
        elif underlined:
            end = _next_underline(lines, at + 2)
            out += ["", f"**{line.strip()}**", "", *_numpy(lines[at + 2 : end]), ""]
        else:
            end = at + 1
            out.append(line)
        at = end
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip()


def _next_underline(lines: list[str], start: int) -> int:
    """Where the next section of a NumPy docstring begins."""
    ends = (n for n in range(start, len(lines) - 1) if re.fullmatch(r"-{3,}\s*", lines[n + 1]) and lines[n].strip())
    return next(ends, len(lines))


def _items(lines: list[str]) -> list[str]:
    """The indented lines of a section: `name: words` becomes an item, words stay words, doctests code."""
    kept = [line for line in lines if line.strip()]
    if not kept:
        return []
    indent = min(len(line) - len(line.lstrip()) for line in kept)
    body = [line[indent:].rstrip() for line in lines]
    if any(line.startswith(">>>") for line in body):
        return page("\n".join(body)).split("\n")
    rows: list[str] = []
    for line in filter(None, body):
        item = ITEM.match(line)
        if item:
            rows.append(f"- `{item[1]}`: {item[2]}".rstrip())
        elif rows and (line.startswith(" ") or rows[-1].startswith("- ")):
            rows[-1] += f" {line.strip()}"
        else:
            rows.append(line)
    return rows


def _numpy(lines: list[str]) -> list[str]:
    """`name : type` with its words indented below."""
    if not any(line.startswith("    ") for line in lines) or any(line.lstrip().startswith(">>>") for line in lines):
        return page("\n".join(lines)).split("\n")
    rows: list[str] = []
    for line in filter(str.strip, lines):
        if not line.startswith(" "):
            rows.append(f"- `{line.strip()}`:")
        elif rows:
            rows[-1] += f" {line.strip()}"
    return [row.removesuffix(":") if row.endswith("`:") else row for row in rows]
