"""Mojibake is mended, in several languages; text that is right comes back as the same characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transpose.core.context import Context
from transpose.media.text import Cue, Text, Word
from transpose.transforms.repair_mojibake import repair

RIGHT = {
    "german": "Über schöne Füße und „große“ Straßen, für 5 €.",
    "french": "L’été, à l’hôtel, où les élèves étaient déjà – ça va ?",
    "spanish": "¿Dónde está el niño? ¡Mañana por la mañana!",
    "polish": "Zażółć gęślą jaźń – łódź, źdźbło.",
    "czech": "Příliš žluťoučký kůň úpěl ďábelské ódy.",
    "russian": "Съешь же ещё этих мягких французских булок.",
    "greek": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία.",
    "japanese": "これは文字化けの試験です。",
    "chinese": "这是一个关于乱码的测试。",
    "emoji": "Good morning ☕ 👍 — see you…",
    "vietnamese": "Tiếng Việt có dấu rất đẹp.",
}
WRONG = [(name, encoding) for name in RIGHT for encoding in ("latin-1", "cp1252")]


def broken(words: str, encoding: str) -> str:
    """What a program shows that reads UTF-8 in another encoding (as Windows does: what it lacks stays a control)."""
    made = ""
    for byte in words.encode():
        try:
            made += bytes([byte]).decode(encoding)
        except UnicodeDecodeError:
            made += chr(byte)
    return made


@pytest.mark.parametrize(("name", "encoding"), WRONG)
def test_mojibake_is_mended(name: str, encoding: str) -> None:
    ctx = Context()
    wrong = broken(RIGHT[name], encoding)
    assert wrong != RIGHT[name]
    assert repair(Text(wrong), ctx).text == RIGHT[name]
    assert ctx.facts["lines"] == 1
    assert " -> " in ctx.facts["first"]


def test_twice_broken_is_mended() -> None:
    wrong = broken(broken(RIGHT["german"], "cp1252"), "cp1252")
    assert repair(Text(wrong), Context()).text == RIGHT["german"]


@pytest.mark.parametrize("name", RIGHT)
def test_right_text_stays(name: str) -> None:
    """Negative control."""
    ctx = Context()
    words = f"“{RIGHT[name]}”\r\nﬁne ﬂow Ａ &eacute; \x1b[1mbold\x1b[0m e\u0301\u2028end\x0c\n"
    assert repair(Text(words), ctx).text == words
    assert "it is as it was" in ctx.warnings[0]


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_stays(words: str) -> None:
    assert repair(Text(words), Context()).text == words


def test_only_wrong_lines_change_and_line_ends_stay() -> None:
    wrong = f"A café\r\n{broken('schön', 'latin-1')}\r\nnaïve\n"
    assert repair(Text(wrong), Context()).text == "A café\r\nschön\r\nnaïve\n"


def test_times_and_language_stay() -> None:
    bad = broken("größer", "cp1252")
    text = Text(bad, "plain", "de", (Cue(0, 1, bad, (Word(0, 1, bad, 0.5),)),))
    assert repair(text, Context()) == Text(
        "größer", "plain", "de", (Cue(0, 1, "größer", (Word(0, 1, "größer", 0.5),)),)
    )


def test_entities_on_request() -> None:
    assert repair(Text("caf&eacute; &amp; tea"), Context(), entities=True).text == "café & tea"
    assert repair(Text("caf&eacute;", "html"), Context(), entities=True).text == "caf&eacute;"


def test_what_is_lost_is_said() -> None:
    ctx = Context()
    repair(Text("caf\ufffd"), ctx)
    assert any("cannot be mended" in said for said in ctx.warnings)
