"""Several texts as one."""

from __future__ import annotations

import pytest

from transpose.core.context import Context, Many
from transpose.core.errors import EmptyInput
from transpose.media.text import Cue, Text
from transpose.transforms.join import join


def many(*texts: Text) -> Many[Text]:
    return Many(lambda: iter(texts), len(texts))


def test_order_is_kept_and_empty_texts_are_left_out() -> None:
    ctx = Context()
    joined = join(many(Text("b\n", lang="en"), Text(" "), Text("a"), Text("b", lang="en")), ctx)
    assert joined == Text("b\n\na\n\nb", lang="en")
    assert ctx.facts == {"left_out": 1, "texts": 3}
    assert ctx.warnings == []


def test_one_markup_stays_and_two_become_plain_words() -> None:
    ctx = Context()
    assert join(many(Text("# A", "markdown"), Text("*b*", "markdown")), ctx) == Text("# A\n\n*b*", "markdown")
    assert join(many(Text("# A", "markdown"), Text("# no heading")), ctx) == Text("A\n\n# no heading")
    assert "markdown, plain" in ctx.warnings[0]


def test_languages_that_differ_are_not_known() -> None:
    assert join(many(Text("a", lang="en"), Text("b", lang="de")), Context()).lang is None


def test_times_on_one_clock_stay() -> None:
    first, second = Text("a", cues=(Cue(0, 2, "a"),)), Text("b", cues=(Cue(2, 3, "b"),))
    assert join(many(first, second), Context()).cues == (Cue(0, 2, "a"), Cue(2, 3, "b"))


@pytest.mark.parametrize("other", [Text("b", cues=(Cue(0, 3, "b"),)), Text("b")])
def test_times_of_different_clocks_are_dropped_and_said(other: Text) -> None:
    ctx = Context()
    joined = join(many(Text("a", cues=(Cue(0, 2, "a"),)), other), ctx)
    assert joined == Text("a\n\nb")
    assert "times were dropped" in ctx.warnings[0]


def test_nothing_cannot_be_joined() -> None:
    with pytest.raises(EmptyInput):
        join(many(Text(""), Text("\n")), Context())
