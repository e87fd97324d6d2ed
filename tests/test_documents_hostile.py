"""Files that are truncated, empty, mislabelled, locked, huge or hostile: one clear error each, and no harm."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transpose.core.context import Context
from transpose.core.errors import (
    DamagedInput,
    EmptyInput,
    HugeInput,
    LockedInput,
    MislabelledInput,
    MissingInput,
    SilentInput,
    TransposeError,
)
from transpose.formats.archive import read_archive
from transpose.formats.books import read_book
from transpose.formats.feed import read_feed
from transpose.formats.mail import read_mail, read_outlook
from transpose.formats.notebook import read_notebook
from transpose.formats.odt import read_opendocument
from transpose.formats.rst import read_rst
from transpose.formats.rtf import read_rich_text
from transpose.formats.slides import read_slides
from transpose.formats.tex import read_tex
from transpose.formats.web import read_web_page
from transpose.formats.word import read_word
from transpose.formats.workbook import read_workbook_document
from transpose.media.document import Document, faults
from transpose.media.fragment import Album, finish, make
from transpose.media.webpage import graze
from transpose.transforms.document_text import document_text

pytest.importorskip("lxml")
READERS: dict[str, Callable[..., Document]] = {
    ".docx": read_word,
    ".pptx": read_slides,
    ".xlsx": read_workbook_document,
    ".epub": read_book,
    ".odt": read_opendocument,
    ".html": read_web_page,
    ".ipynb": read_notebook,
    ".rst": read_rst,
    ".tex": read_tex,
    ".eml": read_mail,
    ".msg": read_outlook,
    ".rss": read_feed,
    ".rtf": read_rich_text,
    ".zip": read_archive,
}
PACKAGES = (".docx", ".pptx", ".xlsx", ".epub", ".odt", ".zip")
BOMB = '<!DOCTYPE x [<!ENTITY a "0123456789">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("suffix", READERS)
def test_missing_and_empty(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(MissingInput):
        READERS[suffix](tmp_path / f"no{suffix}", Context())
    (tmp_path / f"a{suffix}").write_bytes(b"")
    with pytest.raises(EmptyInput):
        READERS[suffix](tmp_path / f"a{suffix}", Context())


@pytest.mark.parametrize("suffix", [each for each in READERS if each not in (".tex", ".rst", ".html")])
def test_another_format_is_named(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"a{suffix}").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    with pytest.raises((MislabelledInput, DamagedInput), match=f"a{suffix}"):
        READERS[suffix](tmp_path / f"a{suffix}", Context())


@pytest.mark.parametrize("suffix", PACKAGES)
def test_archives_cut_short_or_locked(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.txt", "words" * 100)
        file.writestr("xl/a.bin", "x")
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    with pytest.raises(DamagedInput):
        READERS[suffix](path, Context())
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(LockedInput, match="password"):
        READERS[suffix](path, Context())
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(MislabelledInput, match="old binary"):
        READERS[suffix](path, Context())


def test_locked_members(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("a.py", "x = 1")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[6] |= 1  # the flag of encryption, in both heads
    data[data.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    ctx = Context()
    with pytest.raises(SilentInput):
        read_archive(tmp_path / "a.zip", ctx)
    assert "locked with a password" in ctx.warnings[0]


def docx(path: Path, document: bytes | str) -> Path:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("_rels/.rels", f'<R><Relationship Id="1" Type="{kind}" Target="word/document.xml"/></R>')
        file.writestr("word/document.xml", document)
    return path


def test_bombs(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(HugeInput, match="unpacks to"):
        read_word(docx(tmp_path / "a.docx", bytes(250_000_000)), Context())
    (tmp_path / "a.rss").write_text(BOMB + "]><rss><channel><title>&i;</title></channel></rss>")
    word = docx(tmp_path / "b.docx", BOMB + "]><document><body><p><r><t>&i;</t></r></p></body></document>")
    calls: list[Callable[[], Document]] = [
        lambda: read_feed(tmp_path / "a.rss", Context()),
        lambda: read_word(word, Context()),
    ]
    for call in calls:
        with suppress(TransposeError):
            assert len(call().html) < 10_000
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active["A1"] = book.active["XFD1048576"] = 1
    book.save(str(tmp_path / "a.xlsx"))
    with pytest.raises(HugeInput, match="spreads over"):
        read_workbook_document(tmp_path / "a.xlsx", Context())
    assert time.monotonic() - began < 20


def test_external_entities_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret words")
    head = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'
    (tmp_path / "a.xml").write_text(f"{head}<data>&e;</data>")
    assert "secret words" not in read_feed(tmp_path / "a.xml", Context()).html
    (tmp_path / "a.html").write_text(f"{head}<p>&e; x")
    assert "secret words" not in read_web_page(tmp_path / "a.html", Context()).html


def test_paths_out_of_the_package_lead_nowhere(tmp_path: Path) -> None:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    path = docx(
        tmp_path / "a.docx",
        "<document><body><p><r><t>x</t><drawing><blip embed='1'/></drawing></r></p></body></document>",
    )
    with zipfile.ZipFile(path, "a") as file:
        target = "../../../../../../etc/passwd"
        file.writestr(
            "word/_rels/document.xml.rels", f'<R><Relationship Id="1" Type="{kind}/image" Target="{target}"/></R>'
        )
    found = read_word(path, Context())
    assert (found.html, dict(found.pictures)) == ("<p>x</p>", {})


@pytest.mark.parametrize(
    "source",
    [
        "<div>" * 5000 + "deep",
        "<ul><li>" * 2000 + "deep",
        "<table><tr><td>" * 600 + "deep",
        "<b><i>" * 3000 + "deep",
        "<p>" + "x" * 3_000_000,
    ],
)
def test_deep_and_long_pages(source: str, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(source)
    found = read_web_page(tmp_path / "a.html", Context())
    assert list(faults(found)) == []
    assert document_text(found, Context()).text if found.html else True


def test_deep_trees_of_word_and_tex(tmp_path: Path) -> None:
    nested = "<tbl><tr><tc>" * 80 + "<p><r><t>deep</t></r></p>" + "</tc></tr></tbl>" * 80
    found = read_word(docx(tmp_path / "a.docx", f"<document><body>{nested}</body></document>"), Context())
    assert "deep" in found.html
    (tmp_path / "a.tex").write_text(r"\textbf{" * 3000 + "deep" + "}" * 3000)
    with suppress(TransposeError):
        assert "deep" in read_tex(tmp_path / "a.tex", Context()).html


@given(st.text(alphabet="<>/= \"'abdhilmoprtu&;1#!-\n", max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_page_keeps_the_rules(source: str) -> None:
    root, album = make(None, "body"), Album()
    page = graze(source, root, album)
    found = finish(root, album, title=page.title)
    assert list(faults(found)) == []
    if found.html:
        with suppress(SilentInput):
            document_text(found, Context())


TAGS = [
    "p",
    "b",
    "ul",
    "li",
    "table",
    "tr",
    "td colspan=3",
    "td rowspan=99",
    "h2",
    "pre",
    "blockquote",
    "a href=x",
    "div",
    "br",
    "hr",
    "code",
]


MARKS = [f"<{tag}>" for tag in TAGS] + [f"</{tag.split()[0]}>" for tag in TAGS]


@given(st.lists(st.one_of(st.sampled_from(MARKS), st.sampled_from(["a", " ", "b c", "|", "*"])), max_size=60))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_mix_of_tags_keeps_all_words(parts: list[str]) -> None:
    root, album = make(None, "body"), Album()
    graze("".join(parts), root, album)
    found = finish(root, album)
    assert list(faults(found)) == []
    letters = [c for part in parts if not part.startswith("<") for c in part if c.isalpha()]
    kept = [c for c in "".join(found.tree().itertext()) if c.isalpha()]
    assert sorted(kept) == sorted(letters)


@given(data=st.data(), suffix=st.sampled_from([".docx", ".rst", ".tex", ".eml", ".rss", ".ipynb", ".msg"]))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_a_document_or_an_error_of_ours(data: st.DataObject, suffix: str, tmp_path: Path) -> None:
    heads: dict[str, list[bytes]] = {
        ".msg": [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"],
        ".docx": [b"PK\x03\x04"],
        ".tex": [b"\\begin{a}", b"$", b"{\\a["],
        ".rst": [b".. a:: b\n", b"===\n", b"`a`_ :x:`y`"],
        ".eml": [b"Subject: =?x?q?a?=\nFrom: <\n"],
        ".rss": [b"<rss>"],
        ".ipynb": [b'{"cells":[', b'{"cells":{}}'],
    }
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data.draw(st.sampled_from(heads[suffix])) + data.draw(st.binary(max_size=200)))
    made: Any = None
    with suppress(TransposeError):  # an error of another kind ends the test
        made = READERS[suffix](path, Context())
    if made is not None:
        assert list(faults(made)) == []
