"""Subtitles: what is read, what is written, and how long cues are divided."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, MislabelledInput
from transpose.formats.cues import read_cues, write_srt, write_vtt
from transpose.media.subtitle import LINES, LONGEST, WIDTH, readable
from transpose.media.text import Cue, Text, Word

SPEECH = (
    "Good morning, everybody, and thank you for coming. Today I would like to talk about the river, which has risen "
    "by six metres since Monday; nobody expected that, least of all the engineers who built the dam in 1931."
)


@pytest.fixture
def ctx() -> Context:
    return Context()


def put(folder: Path, source: str, name: str) -> Path:
    path = folder / name
    path.write_bytes(source.encode("utf-8"))
    return path


def spoken(sentence: str, start: float = 0.0, each: float = 0.4) -> Cue:
    """A cue whose words, without their commas, follow one another."""
    tokens = sentence.split()
    words = tuple(
        Word(start + n * each, start + (n + 0.9) * each, token.strip(",;.")) for n, token in enumerate(tokens)
    )
    return Cue(words[0].start, words[-1].end, sentence, words)


line = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="<>{}\ufeff\x85"),
    min_size=1,
    max_size=40,
)
body = st.lists(line.map(str.strip).filter(lambda x: x and not x.isdigit()), min_size=1, max_size=2).map("\n".join)
times = st.integers(0, 500 * 3600 * 1000).map(lambda n: n / 1000)


@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
@given(many=st.lists(st.builds(Cue, times, times, body), min_size=1, max_size=5))
@settings(deadline=None)
def test_cues_come_back_to_the_millisecond(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, many: list[Cue]
) -> None:
    """Also overlapping ones, several lines, odd characters and more than 99 hours."""
    path = tmp_path_factory.mktemp("t") / f"x{suffix}"
    cues = tuple(sorted(many, key=lambda cue: cue.start))
    write = write_srt if suffix == ".srt" else write_vtt
    write(Text("", cues=cues), path, Context())
    ctx = Context()
    assert read_cues(path, ctx).cues == cues
    assert ctx.warnings == []


def test_vtt_escapes_what_would_be_marks(tmp_path: Path, ctx: Context) -> None:
    cues = (Cue(0, 1, "a <b> & c --> d &lt; {brace}"),)
    write_vtt(Text("", cues=cues), tmp_path / "x.vtt", ctx)
    assert "-->" not in (tmp_path / "x.vtt").read_text(encoding="utf-8").split("\n", 3)[3]
    assert read_cues(tmp_path / "x.vtt", ctx).cues == cues


def test_srt_keeps_braces_and_angles_that_are_no_marks(tmp_path: Path, ctx: Context) -> None:
    cues = (Cue(360000, 360001, "a < b & c --> d {brace} 5 <3"), Cue(360000.5, 360002, "over"))
    write_srt(Text("", cues=cues), tmp_path / "x.srt", ctx)
    assert (tmp_path / "x.srt").read_text(encoding="utf-8").startswith("1\n100:00:00,000 --> 100:00:01,000\n")
    assert read_cues(tmp_path / "x.srt", ctx).cues == cues


def test_styling_is_left_out_and_said(tmp_path: Path, ctx: Context) -> None:
    source = "1\n00:00:01,000 --> 00:00:02,000\n<i>One</i> {\\an8}<font color='red'>two</font>\n"
    assert read_cues(put(tmp_path, source, "x.srt"), ctx).text == "One two"
    assert "styling" in ctx.warnings[0]


def test_vtt_with_notes_styles_voices_and_settings(tmp_path: Path, ctx: Context) -> None:
    source = (
        "WEBVTT - talk\nLanguage: de\n\nNOTE 00:01.000 is not a time\nmore\n\nSTYLE\n::cue { color: red }\n\n"
        "intro\n00:01.000 --> 00:02.500 align:start\n<v Bob>Hallo</v> &amp; <00:00:01.500><c.x>Welt</c>\n\n"
        "01:00:03.000 --> 01:00:04.000\n- A\n- B\n"
    )
    text = read_cues(put(tmp_path, source, "x.vtt"), ctx)
    assert text.cues == (Cue(1.0, 2.5, "Hallo & Welt"), Cue(3603.0, 3604.0, "- A\n- B"))
    assert text.lang == "de"
    assert text.facets() == {"lang": "de", "timed": "yes"}


def test_files_that_players_take_are_read(tmp_path: Path, ctx: Context) -> None:
    source = (
        "\ufeff1\r\n00:00:05.5 --> 00:00:06\r\n\r\nlater\r\n2\r\n0:0:1,20 --> 0:0:2,000\r\nfirst\r\n\r\n"
        "3\r\n00:00:09,000 --> 00:00:10,000\r\n \r\n"
    )
    text = read_cues(put(tmp_path, source, "x.srt"), ctx)
    assert text.cues == (Cue(1.2, 2.0, "first"), Cue(5.5, 6.0, "later"))
    assert any("1 empty" in warning for warning in ctx.warnings)


def test_the_other_format_is_read_and_said(tmp_path: Path, ctx: Context) -> None:
    assert read_cues(put(tmp_path, "WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", "x.srt"), ctx).text == "Hi"
    assert "WebVTT" in ctx.warnings[0]


@pytest.mark.parametrize(
    ("source", "name", "error"),
    [
        ("just words", "x.srt", MislabelledInput),
        ("just words", "x.vtt", MislabelledInput),
        ("WEBVTT\n", "x.vtt", EmptyInput),
        ("1\n00:00:01,000 --> 00:00:02,000\n\n", "x.srt", EmptyInput),
        ("", "x.srt", EmptyInput),
    ],
)
def test_no_subtitles(tmp_path: Path, ctx: Context, source: str, name: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=name):
        read_cues(put(tmp_path, source, name), ctx)


def test_text_without_times_cannot_be_written(tmp_path: Path, ctx: Context) -> None:
    with pytest.raises(EmptyInput):
        write_srt(Text("words"), tmp_path / "x.srt", ctx)


def test_history_stands_in_a_note_and_nowhere_else(tmp_path: Path) -> None:
    ctx = Context(history='{"steps":["audio --> text"]}')
    text = Text("Hi", cues=(Cue(0, 1, "Hi"),))
    write_vtt(text, tmp_path / "x.vtt", ctx)
    assert '\n\nNOTE {"steps":["audio --\\u003e text"]}\n\n' in (tmp_path / "x.vtt").read_text(encoding="utf-8")
    assert read_cues(tmp_path / "x.vtt", ctx) == text
    write_srt(text, tmp_path / "x.srt", ctx)
    assert (tmp_path / "x.srt").read_text(encoding="utf-8") == "1\n00:00:00,000 --> 00:00:01,000\nHi\n"


def check_readable(cues: list[Cue]) -> None:
    for cue in cues:
        lines = cue.text.split("\n")
        assert len(lines) <= LINES
        assert max(map(len, lines)) <= WIDTH
    for one, after in zip(cues, cues[1:], strict=False):
        assert one.end <= after.start + 1e-6


def test_a_long_cue_is_divided_at_words_and_sentences() -> None:
    cue = spoken(SPEECH)
    cues = readable(cue)
    check_readable(cues)
    assert " ".join(" ".join(each.text.split()) for each in cues) == SPEECH
    assert cues[0].text.endswith("coming.")
    assert {each.start for each in cues} <= {word.start for word in cue.words}
    assert all(each.end - each.start <= LONGEST for each in cues)
    assert all(each.end - each.start >= 0.8 for each in cues)


@given(
    st.lists(st.text(st.sampled_from(list("abc.,-")), min_size=1, max_size=20), min_size=1, max_size=60),
    st.floats(0.05, 3),
)
@settings(deadline=None, max_examples=50)
def test_any_cue_with_words_becomes_readable(tokens: list[str], each: float) -> None:
    words = tuple(Word(n * each, (n + 1) * each, token) for n, token in enumerate(tokens))
    cues = readable(Cue(0, len(words) * each, " ".join(tokens), words))
    check_readable(cues)
    assert [token for cue in cues for token in cue.text.split()] == tokens


def test_script_without_blanks_is_divided_too() -> None:
    words = tuple(Word(n * 0.2, n * 0.2 + 0.2, letter) for n, letter in enumerate("今日は良い天気です。" * 12))
    cues = readable(Cue(0, 24, "".join(word.text for word in words), words))
    check_readable(cues)
    assert "".join(cue.text for cue in cues).replace("\n", "") == "今日は良い天気です。" * 12


def test_words_that_are_not_those_of_the_text_win() -> None:
    cue = Cue(0, 2, "something else", (Word(0, 1, "two"), Word(1, 2, "words")))
    assert [each.text for each in readable(cue)] == ["two words"]


def test_long_cues_without_words_are_estimated_and_said(tmp_path: Path, ctx: Context) -> None:
    text = Text(SPEECH, cues=(Cue(0, 10, SPEECH),))
    write_srt(text, tmp_path / "x.srt", ctx)
    check_readable(list(read_cues(tmp_path / "x.srt", Context()).cues))
    assert "estimated" in ctx.warnings[0]
    write_srt(text, tmp_path / "y.srt", Context(), fit=False)
    assert read_cues(tmp_path / "y.srt", Context()).cues == text.cues
