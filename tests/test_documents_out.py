"""Documents out: every format is well-formed, keeps what it can, and stands hostile, huge and odd ones."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from transpose.core.context import Context
from transpose.core.errors import TransformError
from transpose.media.document import Document, faults
from transpose.media.document_flow import grid, safe_link, words, wrap
from transpose.media.font_cover import uncovered
from transpose.media.slide_plan import BOTTOM, LEFT, WIDTH, Piece, cut, pages

SUFFIXES = ("docx", "html", "epub", "odt", "pptx", "pdf")
ZIPPED = ("docx", "epub", "odt", "pptx")
NEEDS = {"docx": "docx", "pptx": "pptx", "pdf": "typst"}
HISTORY = '{"steps":[{"transform":"x","note":"\\"größe\\" & <b>"}],"long":"' + "y" * 400 + '"}'


def png(width: int = 60, height: int = 30) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "green").save(file, "PNG")
    return file.getvalue()


PAGE = Document(
    "<h1>Größe &amp; <em>Maß</em></h1><p>One <strong>two</strong> <code>x &lt; y</code> H<sub>2</sub>O "
    '<a href="https://example.org/a?b=1&amp;c=2">a link</a>.<br/>Next line.</p>'
    '<h2>Lists</h2><ul><li>first<ol start="3"><li>inner</li></ol></li><li><p>second</p><pre><code>in item</code></pre></li></ul>'  # noqa: E501
    '<h2>Data</h2><table><caption>Cap</caption><thead><tr><th rowspan="2">R</th><th colspan="2">Year</th></tr>'
    "<tr><th>Q1</th><th>Q2</th></tr></thead><tbody><tr><td>N</td><td>1</td><td>2</td></tr><tr><td>S</td>"
    '<td colspan="2">both</td></tr></tbody></table>'
    '<pre><code class="language-python">def f():\n    return "a &lt; b"</code></pre><blockquote><p>Quoted.</p></blockquote>'  # noqa: E501
    '<figure><img src="a.png" alt="green one"/><figcaption>Fig</figcaption></figure><hr/>'
    '<math><code class="language-math">\\frac{a}{b}</code></math><p>日本語 русский عربي 😀</p>'
    '<section data-page="2"><h2>Page</h2><p>text</p><aside><p>Spoken words.</p></aside></section>',
    {"a.png": png()},
    "A title",
    "de",
    {"author": "Ada Löve", "keywords": "k1, k2"},
)


def write(suffix: str, document: Document, path: Path) -> list[str]:
    """Write, and give the warnings."""
    if suffix in NEEDS:
        pytest.importorskip(NEEDS[suffix])
    ctx = Context(folder=path.parent, history=HISTORY)
    writer: Callable[..., None] = getattr(import_module(f"transpose.formats.{suffix}_writer"), f"write_{suffix}")
    writer(document, path, ctx)
    return ctx.warnings


def content(path: Path) -> str:
    """All text parts of a written file; of a zipped one each is parsed as XML first."""
    if path.suffix[1:] not in ZIPPED:
        return path.read_bytes().decode("utf-8", "replace")
    parts = []
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        for name in file.namelist():
            if name.endswith((".xml", ".xhtml", ".opf", ".ncx", ".rels")):
                ElementTree.fromstring(file.read(name))
                parts.append(file.read(name).decode())
    return "".join(parts)


def plain(path: Path) -> str:
    """The words of a written file."""
    if path.suffix == ".pdf":
        pdfium = pytest.importorskip("pypdfium2")
        with pdfium.PdfDocument(path) as file:
            return "\n".join(file[n].get_textpage().get_text_range() for n in range(len(file)))
    return re.sub(r"<[^>]+>", "", content(path))


def test_the_page_is_a_good_document() -> None:
    assert list(faults(PAGE)) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_everything_is_in_it(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"bericht 本 é.{suffix}"
    warnings = [text for text in write(suffix, PAGE, path) if "no font" not in text]
    assert warnings == []
    said = plain(path)
    for word in (
        "Größe",
        "two",
        "first",
        "inner",
        "in item",
        "Year",
        "both",
        "def f",
        "Quoted",
        "русский",
        "Page",
        "Next",
    ):
        assert word in said
    if suffix != "pdf":
        assert "日本語" in said
        assert "Spoken" in said
    assert "https://example.org/a?b=1" in content(path)
    assert "no such words" not in said  # the control


@pytest.mark.parametrize("suffix", ["html", "epub", "odt"])
def test_the_same_document_gives_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    write(suffix, PAGE, tmp_path / f"a.{suffix}")
    write(suffix, PAGE, tmp_path / f"b.{suffix}")
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_history_and_title_are_in_the_metadata(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    write(suffix, PAGE, path)
    if suffix == "pdf":
        pdfium = pytest.importorskip("pypdfium2")
        with pdfium.PdfDocument(path) as file:
            facts = file.get_metadata_dict()
        assert (facts["Title"], facts["Author"], facts["Subject"]) == ("A title", "Ada Löve", HISTORY)
        return
    from html import unescape

    said = unescape(content(path))
    assert HISTORY in said
    assert "A title" in said
    assert "Ada Löve" in said


SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg' width='20' height='10'><script>alert(1)</script></svg>"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_broken_and_missing_pictures_leave_their_description(suffix: str, tmp_path: Path) -> None:
    html = "".join(f'<p>x <img src="{name}" alt="about {name}"/></p>' for name in ("cut.png", "text.png", "gone.png"))
    page = Document(html, {"cut.png": png(200, 200)[:90], "text.png": b"hello"})
    path = tmp_path / f"a.{suffix}"
    warnings = write(suffix, page, path)
    assert len(warnings) == 3
    for name in ("cut.png", "text.png", "gone.png"):
        assert f"about {name}" in plain(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_odd_pictures(suffix: str, tmp_path: Path) -> None:
    """Tall, tiny, CMYK, deep, turned, WebP, TIFF, SVG with a script or broken."""
    album: dict[str, bytes] = {"tall.png": png(3, 4000), "dot.png": png(1, 1), "wide.png": png(5000, 2)}
    for name, mode, kind in (
        ("c.jpg", "CMYK", "JPEG"),
        ("d.tif", "I;16", "TIFF"),
        ("w.webp", "RGBA", "WEBP"),
        ("p.bmp", "P", "BMP"),
    ):
        file = io.BytesIO()
        Image.new(mode, (20, 10)).save(file, kind)
        album[name] = file.getvalue()
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(file, "JPEG", exif=exif)
    album |= {"turned.jpg": file.getvalue(), "s.svg": SCRIPT, "bad.svg": b"<svg width='1e9' <<<"}
    html = "".join(f'<p><img src="{name}" alt="{name}"/></p>' for name in album)
    path = tmp_path / f"a.{suffix}"
    warnings = write(suffix, Document(html, album), path)
    assert all("svg" in text for text in warnings)
    assert path.stat().st_size > 500
    content(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "html",
    [
        "",
        "loose words",
        "<p></p><ul><li></li></ul><table></table><table><tr></tr></table><pre></pre><section></section><h1></h1>",
        '<table><tr><td colspan="999999999" rowspan="77777777">x</td></tr><tr><td>y</td></tr></table>',
        '<table><tr><td rowspan="2">a</td><td>b</td></tr><tr><td colspan="3">c</td></tr><tr><td rowspan="9">d</td></tr></table>',  # noqa: E501
        "<table><tr>" + "".join(f"<th>h{n}</th>" for n in range(80)) + "</tr><tr>" + "<td>v</td>" * 80 + "</tr></table>",  # noqa: E501
        "<ul><li>" * 60 + "deep" + "</li></ul>" * 60,
        "<p>" + "<em><strong>" * 120 + "deep" + "</strong></em>" * 120 + "</p>",
        "<table><tr><td>" * 50 + "deep" + "</td></tr></table>" * 50,
        "<blockquote><p>q</p>" * 40 + "deep" + "</blockquote>" * 40,
        "<h1>" + "long title " * 80 + "</h1><p>" + "w" * 600 + "</p>",
        "<p>#set page() \\ \"quote\" $x$ *b* _i_ @ref &lt;label&gt; `r` // c {{}} {0} %s ]]&gt; #{panic()}</p>",
        '<ol start="99999999999999999999"><li>x</li></ol><ol start="-3"><li>y</li></ol>',
        '<p><a href="javascript:alert(1)">j</a> <a href="#here">h</a> <a href="">e</a> <a href="x y.html">r</a></p>',
        "<table><caption>only</caption><tr><td><table><tr><td>inner</td></tr></table></td><td><ul><li>l</li></ul></td></tr></table>",
    ],
)  # fmt: skip
def test_odd_documents(suffix: str, html: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    write(suffix, Document(html), path)
    said = "".join(plain(path).replace("\u200b", "").split())
    wanted = words(Document(html).tree())
    if suffix != "pdf" or len(wanted) < 100:
        for word in wanted.replace("]]>", "").split():
            assert word in said or word in content(path).replace("&quot;", '"') or "&" in word or "<" in word
    assert "javascript:" not in content(path)


def test_a_broken_tree_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(TransformError):
        write("html", Document("<p>open"), tmp_path / "a.html")


def test_html_needs_nothing_else(tmp_path: Path) -> None:
    write("html", PAGE, tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:image/|https://example\.org)[^"]*"', page)
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert page.count('<div class="table"') == page.count("<table>")
    assert "<math" in page


def test_epub_is_what_readers_expect(tmp_path: Path) -> None:
    write("epub", PAGE, tmp_path / "a.epub")
    with zipfile.ZipFile(tmp_path / "a.epub") as book:
        first = book.infolist()[0]
        assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")
        assert book.read("mimetype") == b"application/epub+zip"
        package = ElementTree.fromstring(book.read("EPUB/package.opf"))
        listed = {f"EPUB/{each.get('href')}" for each in package.iter("{http://www.idpf.org/2007/opf}item")}
        there = {name for name in book.namelist() if name.startswith("EPUB/")} - {"EPUB/package.opf"}
        assert listed == there
        for where in re.findall(r'href="([^"#]+)#?([^"]*)"', book.read("EPUB/nav.xhtml").decode()):
            assert where[0] == "style.css" or f'id="{where[1]}"' in book.read(f"EPUB/{where[0]}").decode()


def test_word_opens_the_structure(tmp_path: Path) -> None:
    docx = pytest.importorskip("docx")
    write("docx", PAGE, tmp_path / "a.docx")
    file = docx.Document(str(tmp_path / "a.docx"))
    styles = [paragraph.style.name for paragraph in file.paragraphs]
    assert {"Heading 1", "Heading 2", "List Bullet", "List Number", "Code", "Quote", "Caption"} <= set(styles)
    cells = file.tables[0]
    assert cells.cell(0, 0)._tc is cells.cell(1, 0)._tc
    assert cells.cell(0, 1)._tc is cells.cell(0, 2)._tc
    assert len(file.inline_shapes) == 1


LONG = "Lorem ipsum dolor sit amet consectetur. " * 8


def many() -> Document:
    items = "".join(f"<li>item {n} {LONG if n % 3 == 0 else ''}</li>" for n in range(40))
    rows = "".join(f"<tr><td>{n}</td><td>{LONG if n % 5 == 0 else 'x'}</td></tr>" for n in range(30))
    tall = f"<table><tr><th>a</th><th>b</th></tr><tr><td>x</td><td>{LONG * 8}</td></tr></table>"
    listing = "\n".join(f"call({n}) # {'long ' * n}" for n in range(40))
    pictures = '<p>Words.</p><p><img src="a.png" alt="a"/></p><p><img src="a.png" alt="b"/></p>'
    return Document(
        f"<h1>{LONG}</h1><h2>L</h2><ul>{items}</ul><h2>T</h2><table>{rows}</table>{tall}<h2>C</h2>"
        f"<pre><code>{listing}</code></pre><h2>P</h2>{pictures}<p>{'日本語' * 900}</p><p>{'w' * 2000}</p>",
        {"a.png": png(3000, 2500)},
    )


def test_slides_overflow_nowhere() -> None:
    from transpose.media.document_pictures import Pictures

    seen = ""
    for slide in cut(many().tree(), Pictures(many(), Context())):
        for boxes in pages(slide):
            bottom = 0.0
            for box in boxes:
                assert box.left >= LEFT - 0.01
                assert box.left + box.width <= WIDTH - LEFT + 0.05
                assert box.top >= bottom - 0.01
                assert box.top + box.height <= BOTTOM + 0.15
                pieces = [item for item in box.items if isinstance(item, Piece)]
                assert sum(piece.height(box.size, box.width) for piece in pieces) <= box.height + 0.01
                bottom = box.top + box.height
                seen += "".join(run.text for piece in pieces for run in piece.runs)
    assert seen.count("item ") == 40  # nothing is lost where a slide is divided
    assert seen.count("w") >= 2000
    assert seen.count("日本語") == 900


def test_too_many_slides_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TransformError, match="more than 1500"):
        write("pptx", Document("<h1>x</h1><p>y</p>" * 1600), tmp_path / "a.pptx")


def test_notes_are_spoken(tmp_path: Path) -> None:
    pptx = pytest.importorskip("pptx")
    write("pptx", PAGE, tmp_path / "a.pptx")
    slides = pptx.Presentation(str(tmp_path / "a.pptx")).slides
    notes = [each.notes_slide.notes_text_frame.text for each in slides if each.has_notes_slide]
    assert notes == ["Spoken words."]


def test_pdf_has_an_outline_and_numbers(tmp_path: Path) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    write(
        "pdf", Document("".join(f"<h1>Part {n}</h1><p>{LONG * 6}</p>" for n in range(8)), title="T"), tmp_path / "a.pdf"
    )
    with pdfium.PdfDocument(tmp_path / "a.pdf") as file:
        assert [mark.get_title() for mark in file.get_toc()] == [f"Part {n}" for n in range(8)]
        assert f"2 / {len(file)}" in file[1].get_textpage().get_text_range()


def test_missing_letters_are_said(tmp_path: Path) -> None:
    warnings = write("pdf", Document("<p>\U00013000 hieroglyph</p>"), tmp_path / "a.pdf")
    assert any("no font" in text for text in warnings)
    assert write("pdf", Document("<p>Größe Ελλ русский</p>"), tmp_path / "b.pdf") == []


def test_fonts_are_asked() -> None:
    assert uncovered("\u4e00a", []) == {"\u4e00"}
    assert uncovered("abc é Ω", []) == set()


@pytest.mark.parametrize("suffix", ["html", "epub", "odt", "docx"])
def test_ten_megabytes(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    write(suffix, Document(f"<p>{'Word ' * 60}</p>" * 33_000), path)
    assert path.stat().st_size > 20_000


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab 漢\nw-"), max_size=120), st.integers(2, 30))
def test_lines_cover_the_text(text: str, room: int) -> None:
    ends = wrap(text, room)
    assert ends == sorted(ends)
    assert ends[-1] == len(text)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), max_size=4), max_size=5))
def test_no_two_cells_share_a_place(rows: list[list[tuple[int, int]]]) -> None:
    html = "".join(
        "<tr>" + "".join(f'<td colspan="{a}" rowspan="{d}">x</td>' for a, d in row) + "</tr>" for row in rows
    )
    found = grid(Document(f"<table>{html}</table>").tree()[0])
    places = [(c.row + y, c.column + x) for c in found.cells for y in range(c.rows) for x in range(c.columns)]
    assert len(places) == len(set(places))
    assert all(row < found.height and column < found.width for row, column in places)
    assert len(found.cells) == sum(map(len, rows))


@pytest.mark.parametrize(
    ("address", "kept"),
    [("https://x.org", True), ("a/b.html", True), ("mailto:a@b.c", True), ("java\tscript:x", False), ("#top", False),
     ("DATA:text/html,x", False), ("file:///etc/passwd", False), ("vbscript:x", False)],
)  # fmt: skip
def test_links(address: str, kept: bool) -> None:
    assert bool(safe_link(address)) is kept


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_round_trip(suffix: str, tmp_path: Path) -> None:
    """What `benchmarks.documents_out` measures stays as good as it was."""
    from benchmarks.documents_out import measure

    if suffix in NEEDS:
        pytest.importorskip(NEEDS[suffix])
    found = measure(f".{suffix}", tmp_path)
    least = 0.99 if suffix == "pdf" else 1.0
    assert found["words"] >= least
    if suffix != "pdf":
        assert min(found[part] for part in ("items", "cells", "links", "pictures")) == 1.0
        assert found["headings"] >= 0.95
