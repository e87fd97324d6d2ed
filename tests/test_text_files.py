"""Text, Markdown and JSON files: encodings, bad input, and that what is written reads the same."""

from __future__ import annotations

import codecs
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transpose.core.context import Context
from transpose.core.errors import (
    DamagedInput,
    EmptyInput,
    FolderInput,
    HugeInput,
    MislabelledInput,
    MissingInput,
    OptionError,
)
from transpose.formats.text_files import paragraphs, read_markdown, read_text, write_markdown, write_text
from transpose.formats.text_json import read_json_text, write_json_text
from transpose.media import encoding
from transpose.media.plain import plain, tidy
from transpose.media.schema import held
from transpose.media.text import Cue, Text, Word

CAFE = "Ein Café in Zürich öffnet um acht; die Gäste trinken heiße Schokolade und später Rosé, naïv und très bien."


@pytest.fixture
def ctx() -> Context:
    return Context()


def put(folder: Path, data: bytes, name: str = "x.txt") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("mark", "name"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_marks_and_utf8_are_read_without_a_warning(tmp_path: Path, ctx: Context, mark: bytes, name: str) -> None:
    assert read_text(put(tmp_path, mark + CAFE.encode(name)), ctx) == Text(CAFE)
    assert ctx.warnings == []


def test_another_encoding_is_found_and_said(tmp_path: Path, ctx: Context) -> None:
    found = read_text(put(tmp_path, (CAFE * 3).encode("cp1252")), ctx)
    assert found.text == CAFE * 3
    assert "not UTF-8" in ctx.warnings[0]
    assert "% sure" in ctx.warnings[0]
    assert ctx.facts["encoding"] in ctx.warnings[0]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("L'été dernier, nous avons mangé à la crêperie près de l'école.", "cp1252"),
        ("El niño comió una piña en la montaña, ¿verdad?", "cp1252"),
        ("Zażółć gęślą jaźń. Łódź jest pięknym miastem, proszę państwa.", "cp1250"),
        ("Съешь же ещё этих мягких французских булок, да выпей чаю.", "koi8-r"),
        ("今日は良い天気です。散歩に行きましょう。本当ですか？", "shift_jis"),
        ("오늘은 날씨가 좋습니다. 산책하러 갑시다.", "euc_kr"),
    ],
)
def test_encodings_of_many_languages(tmp_path: Path, ctx: Context, words: str, name: str) -> None:
    assert read_text(put(tmp_path, words.encode(name)), ctx).text == words


def test_utf16_without_a_mark_is_said(tmp_path: Path, ctx: Context) -> None:
    assert read_text(put(tmp_path, CAFE.encode("utf-16-be")), ctx).text == CAFE
    assert "utf-16-be" in ctx.warnings[0]


def test_an_encoding_can_be_named(tmp_path: Path, ctx: Context) -> None:
    path = put(tmp_path, "день".encode("koi8-r"))
    assert read_text(path, ctx, encoding="koi8-r").text == "день"
    assert ctx.warnings == []
    with pytest.raises(OptionError):
        read_text(path, ctx, encoding="koi9")
    with pytest.raises(MislabelledInput):
        read_text(path, ctx, encoding="ascii")


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7\n%\xe2\xe3",
        b"PK\x03\x04\x14\x00",
        b"\x89PNG\r\n\x1a\n\x00",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        b"words with a \0 byte, and more of them",
        random.Random(5).randbytes(5000),
        bytes(byte or 1 for byte in random.Random(6).randbytes(5000)),
    ],
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, ctx: Context, data: bytes) -> None:
    with pytest.raises(MislabelledInput, match=r"x\.txt"):
        read_text(put(tmp_path, data), ctx)


@pytest.mark.parametrize("data", [b"", b"\n \t\r\n", codecs.BOM_UTF8])
def test_nothing_is_empty(tmp_path: Path, ctx: Context, data: bytes) -> None:
    with pytest.raises(EmptyInput):
        read_text(put(tmp_path, data), ctx)


def test_missing_folder_huge(tmp_path: Path, ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingInput):
        read_text(tmp_path / "no.txt", ctx)
    with pytest.raises(FolderInput):
        read_text(tmp_path, ctx)
    with pytest.raises(HugeInput):
        encoding.read_bytes(put(tmp_path, b"12345"), 4)


def test_line_ends_become_one_kind(tmp_path: Path, ctx: Context) -> None:
    path = put(tmp_path, b"one\r\ntwo\rthree\n\n")
    text = read_text(path, ctx)
    assert text.text == "one\ntwo\nthree"
    write_text(text, path, ctx)
    assert path.read_bytes() == b"one\ntwo\nthree\n"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t")).filter(str.strip))
@settings(deadline=None)
def test_written_text_reads_the_same(tmp_path_factory: pytest.TempPathFactory, words: str) -> None:
    path = tmp_path_factory.mktemp("t") / "x.txt"
    words = words.rstrip("\n").removeprefix("\ufeff")
    ctx = Context()
    if not words.strip():
        return
    write_text(Text(words), path, ctx)
    assert read_text(path, ctx).text == words


LINE = st.text(st.sampled_from(list("ab 1.)#*_-+=>`~[](){}<>!&;:\\/|\"'é")), max_size=30)


@given(st.lists(LINE, max_size=4).map("\n".join))
@settings(deadline=None, max_examples=300)
def test_plain_words_mean_the_same_in_markdown(tmp_path_factory: pytest.TempPathFactory, words: str) -> None:
    """Written to .md, read back and rendered, the words are those that went in (line breaks are soft there)."""
    words = tidy(words)
    if not words:
        return
    path = tmp_path_factory.mktemp("t") / "x.md"
    write_markdown(Text(words), path, Context())
    back = plain(read_markdown(path, Context()))
    assert " ".join(back.split()) == " ".join(words.split())


def test_markdown_stays_as_it_is_and_loses_its_marks_in_txt(tmp_path: Path, ctx: Context) -> None:
    source = "# Title\n\n*One* [link](http://example.org) & `code`."
    text = read_markdown(put(tmp_path, source.encode(), "x.md"), ctx)
    assert text.markup == "markdown"
    write_markdown(text, tmp_path / "y.md", ctx)
    assert (tmp_path / "y.md").read_text(encoding="utf-8") == source + "\n"
    write_text(text, tmp_path / "y.txt", ctx)
    assert (tmp_path / "y.txt").read_text(encoding="utf-8") == "Title\n\nOne link & code.\n"


def test_html_written_to_markdown_is_said(tmp_path: Path, ctx: Context) -> None:
    write_markdown(Text("<h1>Hi</h1><p>you *there*</p>", "html"), tmp_path / "y.md", ctx)
    assert (tmp_path / "y.md").read_text(encoding="utf-8") == "Hi\n\nyou \\*there\\*\n"
    assert "HTML" in ctx.warnings[0]


def test_a_transcript_gets_paragraphs_where_nobody_speaks() -> None:
    cues = (Cue(0, 1, "One."), Cue(1.2, 2, "Two,\nstill."), Cue(4, 5, "Three."), Cue(5, 6, "- A\n- B"))
    assert paragraphs(Text("One. Two, still. Three.", cues=cues)) == "One. Two, still.\n\nThree. - A\n- B"
    assert paragraphs(Text("Own.\n\nParagraphs.", cues=cues)) == "Own.\n\nParagraphs."
    long = tuple(Cue(n, n + 1, "x" * 99 + ("." if n % 2 else "")) for n in range(20))
    assert paragraphs(Text("", cues=long)).count("\n\n") == 2


# -- JSON --------------------------------------------------------------------------------------------------------------

times = st.integers(0, 10**9).map(lambda n: n / 1000)
some = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1)
words = st.builds(Word, times, times, some, st.floats(0, 1))
cues = st.builds(Cue, times, times, some, st.lists(words, max_size=3).map(tuple))


@given(
    some.filter(str.strip),
    st.sampled_from(["plain", "markdown", "html"]),
    st.sampled_from([None, "en", "yue"]),
    st.lists(cues, max_size=4).map(lambda many: tuple(sorted(many, key=lambda cue: cue.start))),
)
@settings(deadline=None)
def test_json_keeps_everything(
    tmp_path_factory: pytest.TempPathFactory, text: str, markup: str, lang: str | None, cues: tuple[Cue, ...]
) -> None:
    path = tmp_path_factory.mktemp("t") / "x.json"
    value = Text(text, markup, lang, cues)
    write_json_text(value, path, Context(history='{"transpose":"1"}'))
    assert read_json_text(path, Context()) == value
    assert json.loads(path.read_bytes())["history"] == {"transpose": "1"}
    assert held(path) == "text"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("{broken", DamagedInput),
        ("[" * 100_000, DamagedInput),
        ("[1, 2]", MislabelledInput),
        ('{"a": 1}', MislabelledInput),
        ('{"schema": "transpose.embeddings/1"}', MislabelledInput),
        ('{"schema": "transpose.text/1"}', DamagedInput),
        ('{"schema": "transpose.text/1", "text": 5}', DamagedInput),
        ('{"schema": "transpose.text/1", "text": "a", "markup": "tex"}', DamagedInput),
        ('{"schema": "transpose.text/1", "text": "a", "cues": [{"start": -1, "end": 2, "text": "a"}]}', DamagedInput),
        ('{"schema": "transpose.text/1", "text": "a", "cues": [{"start": NaN, "end": 2, "text": "a"}]}', DamagedInput),
        ('{"schema": "transpose.text/1", "text": "a", "cues": {"a": 1}}', DamagedInput),
    ],
)
def test_other_json_is_refused(tmp_path: Path, ctx: Context, source: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"x\.json"):
        read_json_text(put(tmp_path, source.encode(), "x.json"), ctx)


def test_a_lone_surrogate_does_no_harm(tmp_path: Path, ctx: Context) -> None:
    path = put(tmp_path, rb'{"schema": "transpose.text/1", "text": "a\ud800b"}', "x.json")
    assert read_json_text(path, ctx).text == "a\ufffdb"
