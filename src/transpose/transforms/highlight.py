"""A program in colours: a web page of its own, light or dark as the reader's screen is.

Lines have numbers that are not copied along, and addresses (`#L12`). Colours and grammar are those of Pygments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.document import UNWRITABLE
from transpose.media.program import LANGUAGES, LOOKS, Piece, given_name, language_of, pieces, style, title
from transpose.media.text import Text

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
PAGE = """
:root {{ color-scheme: light dark; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; line-height: 1.5; font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }}
header {{ padding: .8rem 1.4rem; border-bottom: 1px solid var(--line); display: flex; gap: 1rem;
  align-items: baseline; }}
h1 {{ font-size: 1rem; margin: 0; overflow-wrap: anywhere; }} header span {{ color: var(--quiet); font-size: .85rem; }}
pre {{ margin: 0; padding: 1rem 0 4rem; overflow-x: auto; tab-size: 4; font-size: .9rem; counter-reset: line; }}
code {{ font-family: ui-monospace, "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace; }}
.l {{ display: block; min-height: 1.5em; padding: 0 1.4rem; width: max-content; min-width: 100%; }}
.l:target {{ background: var(--mark); }}
.n .l::before {{ counter-increment: line; content: counter(line); display: inline-block; width: {digits}ch;
  margin-right: 2ch; text-align: right; color: var(--quiet); user-select: none; }}
@media print {{ .l {{ white-space: pre-wrap; width: auto; }} }}
"""
EXTRAS = {  # what Pygments' styles leave open: rule, quiet ink, marked line
    "light": "--line: #d9dde2; --quiet: #6b7480; --mark: #fff4bf",
    "dark": "--line: #30363d; --quiet: #8b949e; --mark: #3a3317",
}


@transform("text.code -> .html", name="highlight", default_kind="text.code", needs=["pygments"], extra="documents")
def highlight(
    code: Text,
    path: Path,
    ctx: Context,
    *,
    language: Annotated[str, "in which the program is written, where that is not found"] = "",
    heading: Annotated[str, "above the program (default: the file's name)"] = "",
    numbers: Annotated[bool, "numbers of lines"] = True,
    look: Annotated[str, "light or dark; default: as the reader's screen is"] = "",
    tab: Annotated[int, Range(1, 16), "width of a tabulator, in letters"] = 4,
) -> None:
    """Write a program as one page in colours that needs nothing else.

    Raises SilentInput where the language is not found, HugeInput over 5 million characters.
    """
    name = language_of(code, ctx, language)
    lines = pieces(UNWRITABLE.sub("\ufffd", code.text), name)
    file = given_name(ctx)
    file = file if Path(file).suffix.lower() in LANGUAGES else ""
    head = heading or file or f"{title(name)} program"
    history = f'<meta name="transpose" content="{escape(ctx.history)}">\n' if ctx.history else ""
    count = f"{len(lines):,} lines" if len(lines) != 1 else "1 line"
    css = PAGE.format(digits=len(str(len(lines)))).replace("tab-size: 4", f"tab-size: {tab}")
    rows = "".join(f'<span class="l" id="L{at}">{row}\n</span>' for at, row in enumerate(map(marked, lines), 1))
    page = (
        f'<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="generator" '
        f'content="Transpose">\n{history}<title>{escape(UNWRITABLE.sub("", head), quote=False)}</title>\n<style>{css}'
        f"{colours(lines, look)}</style>\n</head>\n<body>\n<header><h1>{escape(UNWRITABLE.sub('', head), quote=False)}"
        f"</h1><span>{title(name)}, {count}</span></header>\n"
        f'<pre{" class=n" if numbers else ""}><code class="language-{name}">{rows}</code></pre>\n</body>\n</html>\n'
    )
    path.write_text(page, encoding="utf-8", newline="\n")


def marked(line: Sequence[Piece]) -> str:
    """One line as HTML, each piece with the short class of its token."""
    from pygments.token import STANDARD_TYPES  # type: ignore[import-untyped]

    parts = []
    for token, text in line:
        while token not in STANDARD_TYPES:
            token = token.parent
        kind, words = STANDARD_TYPES[token], escape(text, quote=False)
        parts.append(f'<span class="{kind}">{words}</span>' if kind and text.strip() else words)
    return "".join(parts)


def colours(lines: Sequence[Sequence[Piece]], look: str) -> str:
    """Style sheets of one look, or of both with the reader's choice between them."""
    looks = [look] if look in LOOKS else list(LOOKS)
    made = ["\n".join(_rules(lines, each)) for each in looks]
    return (
        made[0] if len(made) == 1 else f"{made[0]}\n@media screen and (prefers-color-scheme: dark) {{\n{made[1]}\n}}\n"
    )


def _rules(lines: Sequence[Sequence[Piece]], look: str) -> Iterator[str]:
    """A rule for each token that stands in these lines."""
    from pygments.token import STANDARD_TYPES, Token

    chosen = style(look)
    ink = chosen.style_for_token(Token.Text)["color"] or ("1f2328" if look == "light" else "e6edf3")
    yield f":root {{ {EXTRAS[look]}; }} body {{ background: {chosen.background_color}; color: #{ink}; }}"
    used = {token for line in lines for token, _ in line}
    while not used <= STANDARD_TYPES.keys():
        used = {token if token in STANDARD_TYPES else token.parent for token in used}
    for token in sorted(used, key=str):
        if not STANDARD_TYPES[token]:
            continue
        drawn = chosen.style_for_token(token)
        rules = [f"color: #{drawn['color'] or ink}"]
        rules += ["font-weight: bold"] if drawn["bold"] else []
        rules += ["font-style: italic"] if drawn["italic"] else []
        yield f".{STANDARD_TYPES[token]} {{ {'; '.join(rules)}; }}"
