"""Words without markup, and the language they are in."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transpose.core.errors import MissingPackage
from transpose.media import language as probe
from transpose.media.language import language
from transpose.media.plain import from_html, from_markdown, plain, tidy
from transpose.media.text import Cue, Text

ONE_IN_EACH = {
    "en": "The weather was so bad that nobody left the house all day.",
    "de": "Das Wetter war so schlecht, dass den ganzen Tag niemand das Haus verließ.",
    "fr": "Le temps était si mauvais que personne n'a quitté la maison.",
    "es": "Hacía tan mal tiempo que nadie salió de casa en todo el día.",
    "ru": "Погода была такой плохой, что никто не выходил из дома.",
    "ja": "天気がとても悪かったので、一日中誰も家を出ませんでした。",
    "ar": "كان الطقس سيئا لدرجة أن أحدا لم يغادر المنزل طوال اليوم.",
}


@pytest.mark.parametrize(("code", "text"), ONE_IN_EACH.items())
def test_languages(code: str, text: str) -> None:
    found, probability = language(text)
    assert found == code
    assert 0.8 <= probability <= 1


def test_nothing_to_judge_by() -> None:
    assert language("") == ("", 0.0)
    assert language("12:30 — 99 %!") == ("", 0.0)


def test_a_few_letters_are_not_certain() -> None:
    assert language("ok")[1] < 0.9


def test_package_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    probe._identifier.cache_clear()
    monkeypatch.setitem(sys.modules, "py3langid", None)
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    with pytest.raises(MissingPackage, match="py3langid"):
        language("whatever this is")


MARKDOWN = """---
title: front matter
---
# The *first* heading

Some **bold** and [a link](https://example.org "title") and ![a picture](cat.png),
with `code` &amp; ~~more~~.

- one
- two
  1. inner

| a | b |
|---|---|
| 1 | 2 |

<div class="x">raw <b>html</b></div>
"""


def test_markdown() -> None:
    assert from_markdown(MARKDOWN) == (
        "The first heading\n\n"
        "Some bold and a link and a picture, with code & more.\n\none\ntwo\ninner\n\na b\n1 2\n\nraw html"
    )


def test_html_of_a_broken_page() -> None:
    page = "<head><style>p{}</style><body><h1>A &lt;B&gt;</h1><p>one<br>two <script>x<y</script><!-- no -->&nbsp;"
    page += "<li>a<li>b</p><svg/>c"
    assert from_html(page) == "A <B>\n\none\ntwo\na\nb\n\nc"


def test_plain_text_stays_as_it_is() -> None:
    assert plain(Text("a * b < c & _d_")) == "a * b < c & _d_"  # no markup: nothing may be taken for it


def test_cues_without_their_marks() -> None:
    cues = (Cue(0, 1, "<i>Hello</i> there"), Cue(1, 2, "{\\an8}2 < 3"))
    assert plain(Text("", cues=cues)) == "Hello there\n2 < 3"


@given(st.text(max_size=300), st.sampled_from(["plain", "markdown", "html"]))
def test_any_text(source: str, markup: str) -> None:
    words = plain(Text(source, markup))
    assert words == plain(Text(source, markup)) == tidy(words)


@given(st.text("<>/!-abpht scriy=\"'&;#x", max_size=200))
def test_hostile_html(source: str) -> None:
    from_html(source)
