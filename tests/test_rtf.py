"""Rich Text Format: what Word and TextEdit write, mails of Outlook inside, and bad files."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image as Pictures

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, MislabelledInput, SilentInput
from transpose.formats.rtf import read_rich_text
from transpose.media.document import Document, faults
from transpose.media.rtf import read_rtf

pytest.importorskip("lxml")


def dot() -> bytes:
    out = io.BytesIO()
    Pictures.new("RGB", (30, 20), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


WORD = rb"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\froman\fcharset0 Times New Roman;}{\f1\fnil\fcharset204 Arial;}
{\f2\fnil\fcharset128 MS Mincho;}{\f3\fnil\fcharset2 Symbol;}}{\colortbl;\red255\green0\blue0;}
{\stylesheet{\ql \f0\fs24 Normal;}{\s1\outlinelevel0\b\fs32 heading 1;}{\s2\b \sbasedon0 heading 2;}}
{\info{\title A plan}{\author Ann \'c9tienne}{\creatim\yr2024}}{\*\generator Riched20;}
{\header\pard the header\par}{\footer\pard page \chpgn\par}
\pard\plain\s1\b\fs32 Of the sea\par
\pard\plain Some {\b bold}, {\i italic\b both}, {\strike gone}, H{\sub 2}O and m{\super 2}; caf\'e9, 
\ldblquote quoted\rdblquote , a dash\emdash here, snow\u9731?man and {\uc2\u-10179 ab\u-8704 cd}.
 {\f1 \'cf\'f0\'e8\'e2\'e5\'f2} {\f2 \'93\'fa\'96\'7b}.\line
Next line.{\v hidden}{\deleted out} A{\*\unknown {\b never} said} tail\~here.\par
\pard\plain\s2 Lists and \{braces\}\par
{\listtext\pard\plain\f3 \'b7\tab}\pard\ls1\ilvl0 One\par
{\listtext\pard\plain\f3 \'b7\tab}\pard\ls1\ilvl1 Inner\par
{\listtext\pard\plain\f3 \'b7\tab}\pard\ls1\ilvl0 Two\par
\pard\plain Between\par
{\pntext\f0 3.\tab}{\*\pn\pnlvlbody\pnstart3{\pntxta.}}Third\par
{\pntext\f0 4.\tab}Fourth\par
\pard See {\field{\*\fldinst{HYPERLINK "https://example.org/a?b=1"}}{\fldrslt{\ul\cf1 the page}}} and
{\field{\*\fldinst HYPERLINK \\l "here"}{\fldrslt inside}}.{\footnote \pard Said in a {\b note}.} After it.\par
\trowd\trhdr\cellx1000\cellx2000\cellx3000\pard\intbl Name\cell Height\cell Where\cell\row
\trowd\clvmgf\cellx1000\clmgf\cellx2000\clmrg\cellx3000\pard\intbl Ann\cell wide\cell\cell\row
\trowd\clvmrg\cellx1000\cellx2000\cellx3000\pard\intbl\cell 1.7\cell first\par second\cell\row
\pard Pictured: {\*\shppict{\pict\pngblip\picw30\pich20 PNG}}{\nonshppict{\pict\wmetafile8 0102}}\par
}"""


def shown(path: Path, data: bytes, ctx: Context | None = None) -> Document:
    path.write_bytes(data)
    found: Document = read_rich_text(path, ctx or Context())
    assert list(faults(found)) == []
    return found


def rtf(words: str) -> bytes:
    return b"{\\rtf1\\ansi " + words.encode("latin-1") + b"}"


def test_a_document_as_word_writes_it(tmp_path: Path) -> None:
    found = shown(tmp_path / "a.rtf", WORD.replace(b"PNG}", dot().hex().encode() + b"}"))
    assert found.title == "A plan"
    assert found.metadata == {"author": "Ann Étienne"}
    assert list(found.pictures.values()) == [dot()]
    text = found.html
    expected = [
        "<h1><strong>Of the sea</strong></h1>",
        "<p>Some <strong>bold</strong>, <em>italic</em><strong><em>both</em></strong>, <del>gone</del>, H<sub>2</sub>O "
        "and m<sup>2</sup>; café, “quoted”, a dash—here, snow☃man and 😀. Привет 日本.<br/>Next line. A tail here.</p>",
        "<h2>Lists and {braces}</h2>",
        "<ul><li>One<ul><li>Inner</li></ul></li><li>Two</li></ul>",
        '<p>Between</p><ol start="3"><li>Third</li><li>Fourth</li></ol>',
        '<p>See <a href="https://example.org/a?b=1">the page</a> andinside.<sup>1</sup> After it.</p>',
        "<thead><tr><th>Name</th><th>Height</th><th>Where</th></tr></thead>",
        '<tr><td rowspan="2">Ann</td><td colspan="2">wide</td></tr>',
        "<tr><td>1.7</td><td><p>first</p><p>second</p></td></tr>",
        '<p>Pictured: <img src="picture.png" alt=""/></p>',
        "<aside><p><sup>1</sup>Said in a <strong>note</strong>.</p></aside>",
    ]
    at = 0
    for part in expected:
        assert part in text[at:], part
        at = text.index(part, at)
    assert not any(word in text for word in ("header", "hidden", "never", "Riched", "chpgn", "out<"))


def test_a_document_as_textedit_writes_it(tmp_path: Path) -> None:
    source = (
        rb"{\rtf1\ansi\ansicpg1252\cocoartf2709"
        + b"\n"
        + rb"\cocoatextscaling0{\fonttbl\f0\fswiss\fcharset0 Helvetica;"
        rb"\f1\fswiss\fcharset0 Helvetica-Bold;}{\*\expandedcolortbl;;}\pard\tx720\f0\fs24 \cf0 First \f1\b line"
        + b"\\\n"
        rb"\f0\b0 Second, caf\'e9 " + b"\\\n\\\n" + rb"\pard{\listtext " + b"\t\\uc0\\u8226 \t}Apples\\\n}"
    )
    found = shown(tmp_path / "a.rtf", source)
    assert found.html == "<p>First <strong>line</strong></p><p>Second, café</p><ul><li>Apples</li></ul>"


MAIL = rb"""{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}}
{\*\htmltag19 <html>}{\*\htmltag34 <body>}{\*\htmltag96 <h1>}\htmlrtf {\b\htmlrtf0 Caf\'e9 \u9731? plan
{\*\htmltag104 </h1>}
\htmlrtf }\htmlrtf0
{\*\htmltag64 <p>}\htmlrtf\par\htmlrtf0 See {\*\htmltag84 <a href="https://e.org/\'e9">}
\htmlrtf {\field{\*\fldinst{HYPERLINK "https://no"}}{\fldrslt \htmlrtf0 the page
\htmlrtf }}\htmlrtf0{\*\htmltag92 </a>} at 5{\*\htmltag84 &nbsp;}\htmlrtf \'a0\htmlrtf0 o{\*\htmltag84 &lt;}\htmlrtf <
\htmlrtf0 k
{\*\mhtmltag84 <b>}.{\*\htmltag72 </p>}{\*\htmltag27 </body></html>}}"""


def test_packed_html_is_unpacked(tmp_path: Path) -> None:
    rich = read_rtf(MAIL)
    assert rich.whole
    assert "<h1>Café ☃ plan</h1>" in rich.html
    assert '<p>See <a href="https://e.org/é">the page</a> at 5&nbsp;o&lt;k.</p>' in rich.html
    assert "https://no" not in rich.html
    found = shown(tmp_path / "a.rtf", MAIL)
    assert found.html == '<h1>Café ☃ plan</h1><p>See <a href="https://e.org/é">the page</a> at 5 o&lt;k.</p>'


@given(some.text(some.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp", "Cf", "Cn"]), min_size=1))
def test_any_words_survive(words: str) -> None:
    units = words.encode("utf-16-le")
    source = "".join(
        f"\\u{int.from_bytes(units[at : at + 2], 'little', signed=True)}?" for at in range(0, len(units), 2)
    )
    body = read_rtf(rtf(source)).body
    assert "".join(body.itertext()) == words


@pytest.mark.parametrize(
    "source",
    [
        "a{{{{{b", "}}}} x", "\\'zz \\u \\u99999999999 a", "\\bin999999999 a", "{\\pict\\pngblip 0g}a",
        "\\cell\\row\\cell a", "\\outlinelevel-7 a",
        "{\\footnote {\\footnote a}", "\\ilvl99{\\listtext -}a\\par",
        "\\trowd" + "\\clvmrg\\cellx1" * 900 + "\\cell" * 900 + "\\row a",
        "{\\fonttbl{\\f0\\fcharset999 x}}\\f0 a", "\\ansicpg99999 a", "{\\field{\\*\\fldinst}{\\fldrslt a}}",
        "\\uc-5\\u65? a",
        "{\\stylesheet{\\s1 heading 9;}}\\s1 a", "a\\", "a\\'",
    ],
)  # fmt: skip
def test_odd_files_are_read(source: str, tmp_path: Path) -> None:
    path = tmp_path / "a.rtf"
    path.write_bytes(rtf(source))
    try:
        found = read_rich_text(path, Context())
    except SilentInput:
        return
    assert list(faults(found)) == []


def test_bad_files_say_so(tmp_path: Path) -> None:
    ctx = Context()
    assert shown(tmp_path / "a.rtf", rtf("A line\\par and more")[:-1], ctx).html == "<p>A line</p><p>and more</p>"
    assert "ends in the middle" in ctx.warnings[0]
    (tmp_path / "b.rtf").write_bytes(b"Plain words")
    with pytest.raises(MislabelledInput, match=r"'b\.rtf'"):
        read_rich_text(tmp_path / "b.rtf", Context())
    (tmp_path / "c.rtf").write_bytes(rtf("{" * 5000 + "a"))
    with pytest.raises(DamagedInput, match="deeper"):
        read_rich_text(tmp_path / "c.rtf", Context())
    (tmp_path / "d.rtf").write_bytes(rtf("{\\b }"))
    with pytest.raises(SilentInput):
        read_rich_text(tmp_path / "d.rtf", Context())


def test_a_long_file_is_read_in_time(tmp_path: Path) -> None:
    began = time.perf_counter()
    found = shown(tmp_path / "a.rtf", rtf("Some {\\b words} of a line\\par " * 20_000))
    assert found.html.count("<p>") == 20_000
    assert time.perf_counter() - began < 20
