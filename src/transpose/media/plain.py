"""The words of a text and nothing else: without Markdown, HTML or subtitle marks. For whoever speaks or embeds it.

Paragraphs, headings and list items stay apart (a blank line or a line break); the words of links, pictures' alternative
texts, code and tables are kept; scripts, styles, comments and front matter are not words.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from transpose.core.errors import MissingPackage
from transpose.media.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "legend",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "title",
        "ul",
    ]
)
LINES = frozenset(["br", "li", "option", "tr"])
SILENT = frozenset(["script", "style", "template", "noscript", "svg", "math", "iframe", "object", "head"])
VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n.*?\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
SUBTITLE_MARK = re.compile(r"\{\\[^}]*\}|</?(?:[ibuscv]|font|ruby|rt|lang)(?:[ .][^<>]*)?>", re.IGNORECASE)


def plain(text: Text) -> str:
    """The words of `text`, paragraphs divided by blank lines; the same for the same input.

    Raises MissingPackage where the text is Markdown and markdown-it-py is not installed.
    """
    words = text.text or "\n".join(cue.text for cue in text.cues)
    if text.markup == "markdown":
        words = from_markdown(words)
    elif text.markup == "html":
        words = from_html(words)
    elif text.cues:
        words = SUBTITLE_MARK.sub("", words)
    return tidy(words)


def tidy(words: str) -> str:
    """One blank line between paragraphs, single blanks inside, no blanks at the ends."""
    lines = [" ".join(line.split()) for line in words.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    """Collects what a person would read; unclosed and stray tags do no harm."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0
        self.preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Blocks begin a new line; what is not read aloud is left out."""
        if tag in SILENT:
            self.silent += 1
        elif tag == "body":
            self.silent = 0  # an unclosed head must not silence the page
        if tag == "pre":
            self.preformatted += 1
        self._divide(tag)
        if tag == "img" and not self.silent:
            self.parts.append(" " + (dict(attrs).get("alt") or "") + " ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A line break is one."""
        if tag in SILENT:  # <svg/> opens nothing
            return
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """The end of a block ends its line."""
        if tag in SILENT:
            self.silent = max(0, self.silent - 1)
        if tag == "pre":
            self.preformatted = max(0, self.preformatted - 1)
        self._divide(tag)

    def handle_data(self, data: str) -> None:
        """Words as they stand."""
        if not self.silent:
            self.parts.append(data if self.preformatted else re.sub(r"\s+", " ", data))

    def _divide(self, tag: str) -> None:
        if self.silent:
            return
        if tag in ("td", "th"):
            self.parts.append(" ")
        else:
            self.parts.append("\n\n" if tag in BLOCKS else "\n" if tag in LINES else "")


def from_html(source: str) -> str:
    """The words of HTML, also of a broken page."""
    reader = _Reader()
    reader.feed(source)
    reader.close()
    return tidy("".join(reader.parts))


def from_markdown(source: str) -> str:
    """The words of CommonMark with tables and strikethrough; front matter is left out."""
    try:
        from markdown_it import MarkdownIt
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "markdown_it":
            raise
        raise MissingPackage("reading Markdown needs markdown-it-py", "pip install markdown-it-py") from None
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return tidy(_blocks(parser.parse(FRONT_MATTER.sub("", source))))


def _blocks(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    tight = 0  # depth of lists: their items are lines, not paragraphs
    for token in tokens:
        if token.type.endswith("_list_open"):
            tight += 1
        elif token.type.endswith("_list_close"):
            tight -= 1
            parts.append("" if tight else "\n")
        elif token.type == "inline":
            parts.append(_inline(token.children or []))
        elif token.type in ("fence", "code_block"):
            parts.append(f"\n{token.content}\n")
        elif token.type == "html_block":
            parts.append(f"{from_html(token.content)}\n\n")
        elif token.type in ("td_close", "th_close"):
            parts.append(" ")
        elif token.type == "tr_close":
            parts.append("\n")
        elif token.type in ("paragraph_close", "heading_close", "table_close"):
            parts.append("\n" if tight else "\n\n")
    return "".join(parts)


def _inline(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    for token in tokens:
        if token.type in ("text", "code_inline"):
            parts.append(token.content)
        elif token.type == "softbreak":
            parts.append(" ")
        elif token.type == "hardbreak" or (token.type == "html_inline" and token.content.lower().startswith("<br")):
            parts.append("\n")
        elif token.type == "image":
            parts.append(_inline(token.children or []))
    return "".join(parts)
