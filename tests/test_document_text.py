"""Documents as Markdown: what is written is read again by a Markdown parser as it was."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.media.document import Document
from transpose.media.plain import from_markdown
from transpose.transforms.document_text import document_text, escape


def text(html: str, **options: object) -> str:
    made: str = document_text(Document(html, {"a.png": b"1"}), Context(), **options).text
    return made


def test_headings_lists_quotes_and_code() -> None:
    html = (
        "<h2>A</h2><ol start='3'><li>x<ul><li>y</li></ul></li><li><p>p</p><pre><code>c\n  d</code></pre></li></ol>"
        "<blockquote><p>q</p><ul><li>z</li></ul></blockquote><pre><code class='language-sh'>```</code></pre><hr/>"
    )
    assert text(html) == (
        "## A\n\n3. x\n\n   - y\n\n4. p\n\n   ```\n   c\n     d\n   ```\n\n> q\n>\n> - z\n\n````sh\n```\n````\n\n---"
    )


def test_tables_keep_their_columns() -> None:
    html = (
        "<table><caption>Cap</caption><thead><tr><th rowspan='2'>R</th><th colspan='2'>24</th></tr><tr><th>Q1</th>"
        "<th>Q2</th></tr></thead><tbody><tr><td rowspan='2'>N</td><td>1|2</td>"
        "<td><p>a</p><p>b</p></td></tr><tr><td colspan='2'>"
        "<ol><li>x</li><li>y</li></ol></td></tr></tbody></table>"
    )
    lines = [
        "Cap",
        "",
        "| R | 24 Q1 | 24 Q2 |",
        "| --- | --- | --- |",
        "| N | 1\\|2 | a<br>b |",
        "| N | 1. x<br>2. y | |",
    ]
    assert text(html).split("\n") == lines
    assert text(html, merged="once").endswith("| | 1. x<br>2. y | |")


def test_marks_links_pictures_and_formulas() -> None:
    html = (
        "<p><strong>a</strong>b <em>c:</em>d <a href='http://e.com/(x'>l</a> <a href='http://e.com'>http://e.com</a> "
        "<img src='a.png' alt='al]t'/> <code>x`y</code> x<sup>2</sup> <del>z</del><br/>1. no</p>"
        "<p><math><code class='language-math'>x^2</code></math></p>"
        "<p>in <math><code class='language-math'>y</code></math></p>"
    )
    assert text(html) == (
        "**a**b <em>c:</em>d [l](<http://e.com/(x>) <http://e.com> ![al\\]t](a.png) `` x`y `` x<sup>2</sup> ~~z~~  \n"
        "1\\. no\n\n$$\nx^2\n$$\n\nin $y$"
    )


def test_breaks_and_notes() -> None:
    html = "<section data-page='1'><p>a b and</p></section><section data-page='2'><p>c.</p>"
    html += "<aside><p>n</p></aside></section>"
    assert text(html) == "a b and c.\n\n> n"
    assert text(html, breaks="all", notes=False) == "a b and\n\n---\n\nc."
    with pytest.raises(SilentInput):
        text("")


@given(st.text(alphabet="ab #>*_`[]()!<&;~\\-+=.1|:$\"'/", max_size=60))
@settings(max_examples=300, deadline=None)
def test_words_read_the_same_when_rendered(words: str) -> None:
    words = " ".join(words.split())
    shown = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if words:
        assert from_markdown(text(f"<p>{shown}</p>")) == words


def test_the_escape_is_needed() -> None:
    """The control: without it, words would turn into marks."""
    assert from_markdown("*a*") == "a"
    assert re.fullmatch(r"\\\*a\\\*", escape("*a*"))


def test_rows_that_stand_in_the_table_itself_are_rows() -> None:
    made = Document("<table><caption>C</caption><tr><th>a</th></tr><tr><td>1</td></tr></table>")
    assert document_text(made, Context()).text == "C\n\n| a |\n| --- |\n| 1 |"
