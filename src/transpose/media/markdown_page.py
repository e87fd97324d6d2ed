"""Markdown as a Document: CommonMark with tables, strikethrough, footnotes and formulas between dollars.

HTML inside is cleaned like any page: no scripts, no styles, nothing fetched. Front matter gives title, author,
language and the like. Pictures come from `data:` addresses and through `fetch`; others stay as links or descriptions.
"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from transpose.core.context import Context
from transpose.core.errors import TransformError
from transpose.media.document import HEADINGS, UNWRITABLE, Document
from transpose.media.fragment import Album, finish
from transpose.media.plain import FRONT_MATTER, from_html
from transpose.media.webpage import Fetch, graze, nowhere

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

FIELD = re.compile(r"^([A-Za-z][\w -]*):[ \t]*(.+)$", re.MULTILINE)
KNOWN = {"creator": "author", "authors": "author", "tags": "keywords", "summary": "description", "language": "lang"}


def from_markdown(source: str, ctx: Context, *, lang: str = "", fetch: Fetch = nowhere) -> Document:
    """The Document that Markdown stands for; `fetch` gives the bytes of a picture with a relative address, or None.

    Raises TransformError where the parser gives up on it.
    """
    found = FRONT_MATTER.match(source)
    facts = _front_matter(found.group()) if found else {}
    text = source[found.end() :] if found else source
    try:
        page = _parser().render(text)
    except RecursionError:
        raise TransformError("the Markdown is nested too deep", "Take out the deepest lists or quotations") from None
    title = facts.pop("title", "")
    said = facts.pop("lang", "")
    made = from_page(page, ctx, title=title, lang=lang or said, metadata=facts, fetch=fetch)
    if not made.html and from_html(page[:20_000]):
        ctx.warn("the Markdown could not be read as such (a line too long, or nested too deep): set as plain words")
        return replace(made, html=paragraphs(text))
    return made


def from_page(
    source: str,
    ctx: Context,
    *,
    title: str = "",
    lang: str = "",
    metadata: dict[str, str] | None = None,
    fetch: Fetch = nowhere,
) -> Document:
    """HTML cleaned into the closed set; the first heading is the title where there is none. Lost pictures are said."""
    root, album, lost = Element("body"), Album(), list[str]()

    def seek(address: str) -> bytes | None:
        """What `fetch` finds; what it does not is named later."""
        data = fetch(address)
        if data is None:
            lost.append(address)
        return data

    page = graze(source, root, album, seek)
    if lost:
        shown = ", ".join(map(repr, lost[:3])) + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")
        ctx.warn(f"pictures not found, their descriptions stand there: {shown}")
    known = {**page.metadata, **(metadata or {})}
    heading = next((each for each in root.iter() if each.tag in HEADINGS), None)
    first = "".join(heading.itertext()) if heading is not None else ""
    return finish(root, album, title=title or page.title or first, lang=lang or page.lang, metadata=known)


def writable(words: str) -> str:
    """Words without what XML cannot hold; line ends as `\\n`, a form feed parts paragraphs."""
    words = words.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n").replace("\v", "\n")
    return UNWRITABLE.sub("\ufffd", words)


def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from mdit_py_plugins.footnote import footnote_plugin

    parser = MarkdownIt("commonmark", {"maxNesting": 150}).enable(["table", "strikethrough"])
    parser.use(footnote_plugin)
    parser.use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False, renderer=_formula)
    parser.add_render_rule("footnote_ref", _mark)
    parser.add_render_rule("footnote_anchor", _nothing)
    return parser


def _formula(tex: str, options: dict[str, object]) -> str:
    safe = tex.replace("</", "< /")
    inner = f'<script type="math/tex">{safe}</script>'
    return f"<div>{inner}</div>" if options.get("display_mode") else inner


def _mark(self: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    """The number of a footnote where it is called."""
    return f"<sup>{int(tokens[index].meta['id']) + 1}</sup>"


def _nothing(self: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    """The way back from a footnote leads nowhere on paper."""
    return ""


def _front_matter(block: str) -> dict[str, str]:
    """Fields of one line each; lists in brackets become words with commas."""
    facts: dict[str, str] = {}
    for name, value in FIELD.findall(block):
        key = name.strip().lower()
        text = value.strip().strip("[]").strip().strip("\"'")
        if text:
            facts[KNOWN.get(key, key)] = text
    return facts


def paragraphs(words: str) -> str:
    """Plain words as HTML: a blank line parts paragraphs; lines of prose that was wrapped are joined, others stay."""
    return "".join(_paragraph(block) for block in re.split(r"\n[ \t]*\n+", words.strip("\n")) if block.strip())


def _paragraph(block: str) -> str:
    lines = block.rstrip().split("\n")
    if all(line.startswith(("    ", "\t")) for line in lines):
        return f"<pre><code>{html.escape(block, quote=False)}</code></pre>"
    lengths = sorted(len(line) for line in lines[:-1])
    wrapped = bool(lengths) and lengths[0] > 35 and 55 <= lengths[len(lengths) // 2] <= 110
    between = " " if wrapped else "<br/>"
    return f"<p>{between.join(html.escape(' '.join(line.split()), quote=False) for line in lines)}</p>"
