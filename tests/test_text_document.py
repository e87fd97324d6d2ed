"""Text as a document: what Markdown, HTML and plain words become, and what hostile ones do not."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.formats.markdown_document import read_markdown_document
from transpose.media.document import Document, faults
from transpose.media.document_flow import words
from transpose.media.text import Cue, Text
from transpose.transforms.text_document import text_document


def png(colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 20), colour).save(file, "PNG")
    return file.getvalue()


def made(source: str, markup: str = "markdown") -> Document:
    document: Document = text_document(Text(source, markup=markup), Context())
    assert list(faults(document)) == []
    return document


def test_markdown_keeps_its_structure() -> None:
    page = made(
        "---\ntitle: T\nauthor: A\nlang: fr\n---\n# One *two*\n\n- a\n  1. b\n\n|x|y|\n|-|-|\n|1|2|\n\n~~no~~ `c` $x^2$ "  # noqa: E501
        "[l](https://e.org)[^1]\n\n[^1]: Note.\n"
    )
    assert (page.title, page.lang, page.metadata) == ("T", "fr", {"author": "A"})
    for piece in (
        "<h1>One <em>two</em></h1>",
        "<li>a<ol><li>b</li></ol></li>",
        "<th>x</th>",
        "<td>2</td>",
        "<del>no</del>",
        "<code>c</code>",
        '<math><code class="language-math">x^2</code></math>',
        '<a href="https://e.org">l</a>',
        "<sup>1</sup>",
        "Note.",
    ):
        assert piece in page.html


def test_dollars_that_are_money_stay() -> None:
    assert "math" not in made("It costs $5 and then $6.").html
    assert "math" in made("It is $a$ here.").html  # the control


def test_plain_words_become_paragraphs() -> None:
    wrapped = (
        "a line of prose that somebody wrapped at about seventy letters, as in\nold mails and manuals, and it goes"
    )
    page = made(f"Roses <b> & red\nViolets blue\n\n{wrapped}\n\n    code\n      more", "plain")
    assert "<p>Roses &lt;b&gt; &amp; red<br/>Violets blue</p>" in page.html
    assert "as in old mails" in page.html
    assert "<pre><code>    code\n      more</code></pre>" in page.html


def test_a_transcript_gets_its_paragraphs() -> None:
    cues = (Cue(0, 1, "Hello there."), Cue(5, 6, "Much later."))
    page = text_document(Text("Hello there. Much later.", cues=cues), Context())
    assert page.html == "<p>Hello there.</p><p>Much later.</p>"


@pytest.mark.parametrize("markup", ["plain", "markdown", "html"])
def test_empty_text_is_refused(markup: str) -> None:
    with pytest.raises(EmptyInput):
        text_document(Text(" \n\t", markup=markup), Context())


HOSTILE = (
    "<script>alert(1)</script><p onclick='x()'>kept</p><a href='javascript:alert(1)'>a</a><a href='JaVa\nScript:x'>b</a>"  # noqa: E501
    "<a href='data:text/html,x'>c</a><iframe src='https://x.org'></iframe><img src='https://x.org/t.gif' alt='tracker'>"
    "<style>p{}</style><svg onload='x()'></svg><object data='x'></object><form action='https://x.org'>f</form>"
    "<img src='data:image/png;base64,AAAA' alt='broken'><meta http-equiv='refresh' content='0;url=https://x.org'>"
)


@pytest.mark.parametrize("markup", ["markdown", "html"])
def test_hostile_html_is_harmless(markup: str) -> None:
    page = made(HOSTILE, markup)
    low = page.html.lower()
    for bad in ("<script", "onclick", "javascript:", "iframe", "<style", "onload", "<form", "data:", "refresh", "<img"):
        assert bad not in low
    assert "kept" in low
    assert "tracker" in low
    assert page.pictures == {}


@pytest.mark.parametrize("source", ["<div>" * 20_000 + "x", "> " * 2000 + "x", "- " * 500 + "x", "`" * 9999 + "x y"])
def test_deep_nesting_ends_well(source: str) -> None:
    made(source)


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=200))
def test_plain_words_survive(source: str) -> None:
    if not source.strip():
        return
    page = text_document(Text(source), Context())
    kept = "".join(words(page.tree()).split())
    wanted = "".join(c for c in source if not c.isspace())
    assert len(kept) >= sum(c.isprintable() for c in wanted)
    assert list(faults(page)) == []


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from("ab #*_`[]()<>|-\n1.>!$~^\\&:"), max_size=80))
def test_any_markdown_gives_a_good_document(source: str) -> None:
    if source.strip():
        assert list(faults(text_document(Text(source, markup="markdown"), Context()))) == []


def test_data_pictures_are_kept() -> None:
    address = "data:image/png;base64," + base64.b64encode(png()).decode()
    page = made(f"![dot]({address})")
    assert list(page.pictures.values()) == [png()]


def test_pictures_beside_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "übung 本"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a b.png").write_bytes(png())
    (tmp_path / "secret.png").write_bytes(png("blue"))
    (folder / "no.txt").write_text("not a picture")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    names = "![in](sub/a%20b.png) ![out](../secret.png) ![text](no.txt) ![gone](gone.png) ![link](link.png)"
    (folder / "notiz é.md").write_text(f"# Bilder\n\n{names}\n\n![abs]({tmp_path}/secret.png)\n", encoding="utf-8")
    ctx = Context()
    page = read_markdown_document(folder / "notiz é.md", ctx)
    assert list(page.pictures.values()) == [png()]
    assert ctx.facts["once"]
    assert "gone.png" in ctx.warnings[0]
    for described in ("out", "text", "gone", "link", "abs"):
        assert described in page.html
    assert list(faults(page)) == []
