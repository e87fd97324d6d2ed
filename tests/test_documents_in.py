"""Files of many formats as documents: what each library writes is read back with its structure."""

from __future__ import annotations

import base64
import email.message
import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from transpose.core.context import Context
from transpose.formats.archive import READERS, read_archive
from transpose.formats.books import read_book
from transpose.formats.feed import read_feed
from transpose.formats.mail import read_mail, read_outlook
from transpose.formats.notebook import read_notebook
from transpose.formats.odt import read_opendocument
from transpose.formats.rst import read_rst
from transpose.formats.slides import read_slides
from transpose.formats.tex import read_tex
from transpose.formats.text_files import read_text
from transpose.formats.web import read_web_page
from transpose.formats.word import read_word
from transpose.formats.workbook import read_workbook_document
from transpose.media.document import Document, faults
from transpose.transforms.document_text import document_text

pytest.importorskip("lxml")


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(folder=tmp_path)


def dot() -> bytes:
    """A small PNG."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "PNG")
    return out.getvalue()


def shown(document: Document, ctx: Context) -> str:
    """The Markdown of a document that keeps all rules."""
    assert list(faults(document)) == []
    text: str = document_text(document, ctx).text
    return text


def zipped(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def test_word(tmp_path: Path, ctx: Context) -> None:
    docx = pytest.importorskip("docx")
    made = docx.Document()
    made.core_properties.title, made.core_properties.author = "Report", "Ada"
    made.add_heading("Rain", 1)
    line = made.add_paragraph("It is ")
    line.add_run("very ").bold = True
    line.add_run("wet").italic = True
    line.add_run(".")
    for style, words in (("List Bullet", "a"), ("List Bullet 2", "b"), ("List Bullet", "c"), ("List Number", "x")):
        made.add_paragraph(words, style=style)
    table = made.add_table(3, 3)
    for row in range(3):
        for column in range(3):
            table.cell(row, column).text = f"{row}{column}" if (row, column) not in ((0, 2), (2, 0)) else ""
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(1, 0).merge(table.cell(2, 0))
    made.add_picture(io.BytesIO(dot()))
    made.save(str(tmp_path / "a.docx"))
    found = read_word(tmp_path / "a.docx", ctx)
    assert (found.title, found.metadata["author"]) == ("Report", "Ada")
    assert list(found.pictures.values()) == [dot()]
    assert '<td rowspan="2">10</td>' in found.html
    assert shown(found, ctx) == (
        "# Rain\n\nIt is **very** *wet*.\n\n- a\n  - b\n- c\n\n1. x\n\n"
        "| 00 | 01 | 01 |\n| --- | --- | --- |\n| 10 | 11 | 12 |\n| 10 | 21 | 22 |\n\n![](image1.png)"
    )


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
M = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def word(path: Path, body: str, **parts: str) -> Path:
    """A Word file by hand: what python-docx cannot write."""
    listed = "".join(
        f'<Relationship Id="{name}" Type="{RELATED}/{name}" Target="{name}.xml"/>' for name in parts if name != "link"
    )
    listed += (
        f'<Relationship Id="link" Type="{RELATED}/hyperlink" Target="{parts.get("link", "")}" TargetMode="External"/>'
    )
    members = {
        "_rels/.rels": f'<R><Relationship Id="1" Type="{RELATED}/officeDocument" Target="word/document.xml"/></R>',
        "word/document.xml": f"<w:document {W}{M}xmlns:r='{RELATED}'><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": f"<R>{listed}</R>",
        **{f"word/{name}.xml": data for name, data in parts.items() if name != "link"},
    }
    return zipped(path, dict(members))


def test_word_changes_notes_links_and_formulas(tmp_path: Path, ctx: Context) -> None:
    body = (
        "<w:p><w:r><w:t>kept</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t> new</w:t></w:r></w:ins><w:r><w:footnoteReference w:id='2'/></w:r></w:p>"
        "<w:p><w:hyperlink r:id='link'><w:r><w:t>here</w:t></w:r></w:hyperlink></w:p>"
        "<w:p><m:oMathPara><m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:rad><m:e><m:r><m:t>β</m:t></m:r>"
        "</m:e></m:rad></m:den></m:f></m:oMath></m:oMathPara></w:p>"
        "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p>"
    )
    notes = f"<w:footnotes {W}><w:footnote w:id='2'><w:p><w:r><w:t>Noted.</w:t></w:r></w:p></w:footnote></w:footnotes>"
    found = read_word(word(tmp_path / "a.docx", body, footnotes=notes, link="https://e.com/x?a=1"), ctx)
    assert shown(found, ctx) == (
        "kept new<sup>1</sup>\n\n[here](https://e.com/x?a=1)\n\n$$\n\\frac{a}{\\sqrt{\\beta}}\n$$"
        "\n\n> <sup>1</sup> Noted."
    )


def test_slides(tmp_path: Path, ctx: Context) -> None:
    pptx = pytest.importorskip("pptx")
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    made = pptx.Presentation()
    first = made.slides.add_slide(made.slide_layouts[0])
    first.shapes.title.text = "Deck"
    second = made.slides.add_slide(made.slide_layouts[1])
    second.shapes.title.text = "Points"
    frame = second.placeholders[1].text_frame
    frame.text = "one"
    deeper = frame.add_paragraph()
    deeper.text, deeper.level = "inner", 1
    frame.add_paragraph().text = "two"
    second.notes_slide.notes_text_frame.text = "Say hello"
    third = made.slides.add_slide(made.slide_layouts[6])
    third.shapes.add_picture(io.BytesIO(dot()), 0, 0).name = "dot"
    table = third.shapes.add_table(2, 2, 0, Inches(2), Inches(4), Inches(1)).table
    for number, words in enumerate(("A", "B", "1", "2")):
        table.cell(number // 2, number % 2).text = words
    data: Any = CategoryChartData()  # type: ignore[no-untyped-call]
    data.categories = ["x", "y"]
    data.add_series("S", (1.5, 2))
    third.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, Inches(4), Inches(4), Inches(2), data)
    made.save(str(tmp_path / "a.pptx"))
    found = read_slides(tmp_path / "a.pptx", ctx)
    assert found.metadata["slides"] == "3"
    text = shown(found, ctx)
    assert text.startswith("# Deck\n\n---\n\n## Points\n\n- one\n  - inner\n- two\n\n> Say hello\n\n---\n\n![")
    assert "| A | B |\n| --- | --- |\n| 1 | 2 |" in text
    assert "| | S |\n| --- | --- |\n| x | 1.5 |\n| y | 2" in text
    assert "Say hello" not in document_text(found, ctx, notes=False, breaks="none").text


def test_workbook(tmp_path: Path, ctx: Context) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "Sales"
    for row in (
        ["Report"],
        [],
        ["Region", "2024", None],
        [None, "Q1", "Q2"],
        ["North", 1.5, 12345678901],
        ["South", 3, True],
    ):
        sheet.append(row)
    sheet.merge_cells("B3:C3")
    sheet.merge_cells("A3:A4")
    hidden = made.create_sheet("Secret")
    hidden["A1"], hidden.sheet_state = "x", "hidden"
    made.save(str(tmp_path / "a.xlsx"))
    assert shown(read_workbook_document(tmp_path / "a.xlsx", ctx), ctx) == (
        "## Sales\n\nReport\n\n| Region | 2024 Q1 | 2024 Q2 |\n| --- | --- | --- |\n"
        "| North | 1.5 | 12345678901 |\n| South | 3 | TRUE |"
    )
    assert "Secret" in ctx.warnings[0]
    assert "Secret" in read_workbook_document(tmp_path / "a.xlsx", ctx, hidden=True).html


def test_book(tmp_path: Path, ctx: Context) -> None:
    members: dict[str, str | bytes] = {
        "META-INF/container.xml": '<c><rootfile full-path="OPS/book.opf"/></c>',
        "OPS/book.opf": "<package xmlns:dc='d'><metadata><dc:title>Tale</dc:title><dc:creator>Ada</dc:creator>"
        "<dc:language>fr-FR</dc:language></metadata><manifest><item id='b' href='two%20x.xhtml' "
        "media-type='application/xhtml+xml'/><item id='a' href='one.xhtml' media-type='application/xhtml+xml'/>"
        "<item id='n' href='nav.xhtml' properties='nav' media-type='application/xhtml+xml'/>"
        "<item id='g' href='gone.xhtml' media-type='application/xhtml+xml'/></manifest>"
        "<spine><itemref idref='n'/><itemref idref='a'/>"
        "<itemref idref='b'/><itemref idref='g'/></spine></package>",
        "OPS/one.xhtml": '<html><body><h1>One&nbsp;!</h1><p>Text <img src="p/dot.png" alt="d"/></p></body></html>',
        "OPS/two x.xhtml": "<html><body><h1>Two</h1><script>x</script></body></html>",
        "OPS/nav.xhtml": "<html><body>contents</body></html>",
        "OPS/p/dot.png": dot(),
    }
    found = read_book(zipped(tmp_path / "a.epub", members), ctx)
    assert (found.title, found.lang, found.metadata["author"]) == ("Tale", "fr", "Ada")
    assert shown(found, ctx) == "# One !\n\nText ![d](dot.png)\n\n# Two"
    assert "gone.xhtml" in ctx.warnings[0]


def test_web_page_takes_pictures_beside_it_and_no_others(tmp_path: Path, ctx: Context) -> None:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "dot.png").write_bytes(dot())
    (tmp_path / "outside.png").write_bytes(dot() + b"x")
    (folder / "secret.txt").write_text("secret")
    source = """<html lang="de"><head><title>T</title><style>p{}</style></head><body><p>a &lt; b
      <img src="dot.png" alt="here"> <img src="../outside.png" alt="above"> <img src="secret.txt" alt="words">
      <img src="http://e.com/x.png" alt="far"></p><p style="display: none">hidden</p>
      <a href="javascript:alert(1)">click</a><table><tr><td><table><tr><td>x<td>y</table></table>"""
    (folder / "a.html").write_text(source)
    found = read_web_page(folder / "a.html", ctx)
    assert (found.title, found.lang, list(found.pictures)) == ("T", "de", ["dot.png"])
    assert shown(found, ctx) == (
        "a \\< b ![here](dot.png) above words [far](http://e.com/x.png)\n\nclick\n\n| x | y |\n| --- | --- |"
    ).replace("a \\< b", "a < b")


def test_web_page_in_its_own_encoding(tmp_path: Path, ctx: Context) -> None:
    page = '<meta charset="iso-8859-1"><p>Grüße, naïve Café — nein'
    (tmp_path / "a.html").write_bytes(page.encode("cp1252"))
    assert "Grüße, naïve Café — nein" in read_web_page(tmp_path / "a.html", ctx).html


def test_notebook(tmp_path: Path, ctx: Context) -> None:
    png = base64.b64encode(dot()).decode()
    cells = [
        {
            "cell_type": "markdown",
            "source": ["# T\n", "$a_1*b_2$ ![q](attachment:z.png)"],
            "attachments": {"z.png": {"image/png": png}},
        },
        {
            "cell_type": "code",
            "source": "print(1)",
            "outputs": [
                {"output_type": "stream", "text": ["\x1b[31m1\x1b[0m\n"]},
                {
                    "output_type": "execute_result",
                    "data": {"text/html": "<table><tr><th>a</th></tr><tr><td>1</td></tr></table>"},
                },
            ],
        },
    ]
    (tmp_path / "a.ipynb").write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}))
    found = read_notebook(tmp_path / "a.ipynb", ctx)
    assert list(found.pictures.values()) == [dot()]
    assert shown(found, ctx) == (
        "# T\n\n$a_1*b_2$ ![q](z.png)\n\n```python\nprint(1)\n```\n\n```\n1\n```\n\n| a |\n| --- |\n| 1 |"
    )
    assert "```\n1" not in shown(read_notebook(tmp_path / "a.ipynb", ctx, outputs=False), ctx)


def test_opendocument(tmp_path: Path, ctx: Context) -> None:
    pytest.importorskip("odf")
    from odf.opendocument import OpenDocumentText  # type: ignore[import-untyped]
    from odf.style import Style, TextProperties  # type: ignore[import-untyped]
    from odf.table import CoveredTableCell, Table, TableCell, TableRow  # type: ignore[import-untyped]
    from odf.text import A, H, List, ListItem, Note, NoteBody, NoteCitation, P, Span  # type: ignore[import-untyped]

    made = OpenDocumentText()
    bold = Style(name="B", family="text")
    bold.addElement(TextProperties(fontweight="bold"))
    made.automaticstyles.addElement(bold)
    made.text.addElement(H(outlinelevel=2, text="Head"))
    line = P(text="It is ")
    line.addElement(Span(stylename=bold, text="wet"))
    line.addElement(A(href="http://e.com/", text=" link"))
    note = Note(noteclass="footnote")
    note.addElement(NoteCitation(text="1"))
    body = NoteBody()
    body.addElement(P(text="Noted."))
    note.addElement(body)
    line.addElement(note)
    made.text.addElement(line)
    outer, inner = List(), List()
    item, deep = ListItem(), ListItem()
    item.addElement(P(text="a"))
    deep.addElement(P(text="b"))
    inner.addElement(deep)
    item.addElement(inner)
    outer.addElement(item)
    made.text.addElement(outer)
    table = Table()
    for row in (("A", None), ("1", "2")):
        line_of = TableRow()
        for cell in row:
            wide = {"numbercolumnsspanned": 2} if row[1] is None else {}
            new = TableCell(**wide) if cell else CoveredTableCell()
            if cell:
                new.addElement(P(text=cell))
            line_of.addElement(new)
        table.addElement(line_of)
    made.text.addElement(table)
    made.save(str(tmp_path / "a.odt"))
    assert shown(read_opendocument(tmp_path / "a.odt", ctx), ctx) == (
        "## Head\n\nIt is **wet** [link](http://e.com/)<sup>1</sup>\n\n- a\n  - b\n\n"
        "| A | |\n| --- | --- |\n| 1 | 2 |\n\n> <sup>1</sup> Noted."
    )


def test_rst(tmp_path: Path, ctx: Context) -> None:
    pytest.importorskip("docutils")
    (tmp_path / "secret").write_text("secret words")
    source = (
        "Title\n=====\n\nA *b* **c** ``d`` :func:`~os.path` :math:`x_1`.\n\n* a\n\n  * b\n\n.. code-block:: python\n\n"
        "   f()\n\n"
        f".. versionadded:: 3\n   New.\n\n.. include:: {tmp_path}/secret\n\n.. raw:: html\n\n   <b>raw</b>\n"
    )
    (tmp_path / "a.rst").write_text(source)
    text = shown(read_rst(tmp_path / "a.rst", ctx), ctx)
    assert text.startswith("# Title\n\nA *b* **c** `d` `os.path` $x_1$.\n\n- a\n  - b\n\n```python\nf()\n```")
    assert "New." in text
    assert "secret" not in text
    assert "raw" not in text


def test_tex(tmp_path: Path, ctx: Context) -> None:
    pytest.importorskip("pylatexenc")
    source = r"""\documentclass{article}\newcommand{\RR}{\mathbb{R}}\title{T}\begin{document}\maketitle
\section{One \& two} A \textbf{b} $x\in\RR$ caf\'e \href{http://e.com/a_b}{link}.\footnote{Noted.} % comment

Next ``q''.
\begin{itemize}\item a \begin{enumerate}\item x\end{enumerate} \item b\end{itemize}
\begin{align} a &= b \end{align}
\begin{tabular}{|l|r|}\hline A & B \\ \multicolumn{2}{c}{wide} \\ 1 & 2 \\ \hline\end{tabular}
\begin{lstlisting}[language=Python]
f() % x
\end{lstlisting}
\input{/etc/passwd}\end{document}"""
    (tmp_path / "a.tex").write_text(source)
    assert shown(read_tex(tmp_path / "a.tex", ctx), ctx) == (
        "# T\n\n## One & two\n\nA **b** $x\\in\\mathbb{R}$ café [link](http://e.com/a_b).<sup>1</sup>\n\nNext “q”.\n\n"
        "- a\n  1. x\n- b\n\n$$\n\\begin{aligned} a &= b \\end{aligned}\n$$\n\n"
        "| A | B |\n| --- | --- |\n| wide | |\n| 1 | 2 |\n\n```python\nf() % x\n```\n\n> <sup>1</sup> Noted."
    )
    assert "/etc/passwd" in ctx.warnings[0]


def test_mail(tmp_path: Path, ctx: Context) -> None:
    made = email.message.EmailMessage()
    made["Subject"], made["From"], made["To"] = "Grüße", "Ada <a@e.com>", "Bob <b@e.com>"
    made.set_content("plain")
    made.add_alternative('<p>Hi <b>Bob</b> <img src="cid:dot1" alt="dot"></p>', subtype="html")
    html = made.get_payload()[1]  # type: ignore[index]
    assert isinstance(html, email.message.EmailMessage)
    html.add_related(dot(), "image", "png", cid="<dot1>")
    inner = email.message.EmailMessage()
    inner["Subject"] = "Inner"
    inner.set_content("> quoted\nanswer")
    made.add_attachment(inner)
    made.add_attachment(b"1,2", maintype="text", subtype="csv", filename="a.csv")
    (tmp_path / "a.eml").write_bytes(bytes(made))
    text = shown(read_mail(tmp_path / "a.eml", ctx), ctx)
    assert text.startswith("# Grüße\n\n**From:** Ada \\<a@e.com>")
    assert "Hi **Bob** ![dot](dot1.png)" in text
    assert "plain" not in text
    assert "- a.csv (3 bytes)" in text
    assert text.endswith("## Inner\n\n> quoted\n\nanswer")


def compound(streams: dict[tuple[str, ...], bytes]) -> bytes:
    """A compound file ([MS-CFB]) of these streams, all in full sectors of 512 bytes."""
    names: list[tuple[str, ...]] = sorted({path[: n + 1] for path in streams for n in range(len(path))})
    sectors: list[bytes] = []
    fat: list[int] = []

    def store(data: bytes) -> int:
        start, count = len(sectors), -(-len(data) // 512)
        for number in range(count):
            sectors.append(data[number * 512 : number * 512 + 512].ljust(512, b"\0"))
            fat.append(start + number + 1 if number < count - 1 else -2)
        return start if count else -2

    starts = {name: store(streams[name].ljust(4096, b"\0")) for name in names if name in streams}
    entries = []
    for name in [(), *names]:
        kids = [other for other in names if other[:-1] == name]
        kin = [other for other in names if other[:-1] == name[:-1]] if name else []
        after = kin[kin.index(name) + 1 : kin.index(name) + 2] if name else []
        label = (name[-1] if name else "Root Entry").encode("utf-16-le") + b"\0\0"
        entries.append(
            label.ljust(64, b"\0")
            + struct.pack(
                "<HBBiii",
                len(label),
                5 if not name else 2 if name in streams else 1,
                1,
                -1,
                names.index(after[0]) + 1 if after else -1,
                names.index(kids[0]) + 1 if kids else -1,
            )
            + bytes(36)
            + struct.pack("<iQ", starts.get(name, -2), max(4096, len(streams[name])) if name in streams else 0)
        )
    directory = store(b"".join(entries))
    fat_at = len(sectors)
    fat += [-3]
    table = struct.pack(f"<{len(fat)}i", *fat).ljust(512, b"\xff")
    assert len(table) == 512
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIiIIiIiI", 0, 1, directory, 0, 4096, -2, 0, -2, 0) + struct.pack("<i", fat_at)
    return head.ljust(512, b"\xff") + b"".join(sectors) + table


def test_outlook(tmp_path: Path, ctx: Context) -> None:
    pytest.importorskip("olefile")
    said = {0x0037: "Plan", 0x0C1A: "Ada", 0x5D01: "a@e.com", 0x0E04: "Bob", 0x1000: "First line\r\n\r\nSecond line"}
    streams: dict[tuple[str, ...], bytes] = {
        (f"__substg1.0_{number:04X}001F",): text.encode("utf-16-le") for number, text in said.items()
    }
    sent = struct.pack("<HHIQ", 0x0040, 0x0039, 0, 133_500_000_000_000_000)
    streams["__properties_version1.0",] = bytes(32) + sent
    streams["__attach_version1.0_#00000000", "__substg1.0_3707001F"] = "a.csv".encode("utf-16-le")
    streams["__attach_version1.0_#00000000", "__substg1.0_37010102"] = b"1,2"
    # streams are padded here; real ones are not
    (tmp_path / "a.msg").write_bytes(compound(streams))
    text = shown(read_outlook(tmp_path / "a.msg", ctx), ctx)
    assert text.startswith("# Plan\n\n**From:** Ada \\<a@e.com>  \n**To:** Bob  \n**Date:** 2024-01-1")
    assert "First line\n\nSecond line" in text
    assert "- a.csv" in text


def test_feed(tmp_path: Path, ctx: Context) -> None:
    rss = (
        '<rss version="2.0"><channel><title>News</title><language>en-us</language><item><title>A &amp;amp; B</title>'
        "<link>http://n.org/1</link><description>&lt;p&gt;Long &lt;b&gt;text&lt;/b&gt;&lt;script&gt;x&lt;/script&gt;"
        "</description></item></channel></rss>"
    )
    (tmp_path / "a.rss").write_text(rss)
    found = read_feed(tmp_path / "a.rss", ctx)
    assert found.lang == "en"
    assert shown(found, ctx) == "# News\n\n## [A & B](http://n.org/1)\n\nLong **text**"
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>N</title><entry><title>E</title><link href="http://n.org"/>'
    )
    (tmp_path / "a.atom").write_text(f"{atom}<author><name>Ada</name></author><content>Words</content></entry></feed>")
    assert shown(read_feed(tmp_path / "a.atom", ctx), ctx) == "# N\n\n## [E](http://n.org)\n\n*Ada*\n\nWords"
    (tmp_path / "a.xml").write_text("<data><x>1</x></data>")
    assert shown(read_feed(tmp_path / "a.xml", ctx), ctx) == "```xml\n<data><x>1</x></data>\n```"


CALLS: dict[str, Callable[..., Any]] = {"read-web-page": read_web_page, "read-text": read_text, "read-word": read_word}


def runner(folder: Path) -> Context:
    """A context whose recipes reach the real readers."""

    def call(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> Any:
        return CALLS[name](*values, ctx, **options)

    ctx = Context(folder=folder, runner=call)
    return ctx


def test_archive(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"deep.txt": "deep words"}).read_bytes()
    members: dict[str, str | bytes] = {
        "b/page.html": "<h1>Page</h1><p>words",
        "a.txt": "First.\n\nSecond.",
        "code.py": "x = 1\n",
        "dot.png": dot(),
        "inner.zip": inner,
        "bad.docx": "no zip",
        "tune.xyz": b"\0\1",
        "__MACOSX/a.txt": "junk",
        "../../up.txt": "up there",
    }
    ctx = runner(tmp_path)
    found = read_archive(zipped(tmp_path / "a.zip", members), ctx)
    text = shown(found, ctx)
    assert "# a.txt\n\nFirst.\n\nSecond." in text
    assert "# b/page.html\n\n## Page\n\nwords" in text
    assert "# code.py\n\n```python\nx = 1\n```" in text
    assert "![dot.png](dot.png)" in text
    assert "# inner.zip\n\n## deep.txt\n\ndeep words" in text
    assert "up there" in text
    assert "junk" not in text
    assert "'bad.docx' is plain text" in ctx.warnings[0]
    assert "tune.xyz (no reader)" in ctx.warnings[0]
    assert not list(tmp_path.parent.glob("up.txt"))
    assert set(READERS.values()) >= set(CALLS)


def test_a_heading_that_is_bold_as_a_whole_is_a_heading() -> None:
    from transpose.core.context import Context
    from transpose.media.document import Document
    from transpose.transforms.document_text import document_text

    made = Document("<h1><strong>Title</strong></h1><h2><strong>a</strong> and <strong>b</strong></h2>")
    assert document_text(made, Context()).text.split("\n\n")[:2] == ["# Title", "## **a** and **b**"]


def rtf_mail(tmp_path: Path, packed: bytes, **more: str) -> Path:
    said = {0x0037: "Plan", 0x0C1A: "Ada", **{int(name[1:], 16): text for name, text in more.items()}}
    streams: dict[tuple[str, ...], bytes] = {
        (f"__substg1.0_{number:04X}001F",): text.encode("utf-16-le") for number, text in said.items()
    }
    streams["__substg1.0_10090102",] = packed
    streams["__properties_version1.0",] = bytes(32)
    (tmp_path / "a.msg").write_bytes(compound(streams))
    return tmp_path / "a.msg"


@pytest.mark.parametrize("pressed", [True, False])
def test_outlook_with_a_rich_text_body_only(tmp_path: Path, ctx: Context, pressed: bool) -> None:
    library = pytest.importorskip("compressed_rtf")
    body = b"{\\rtf1\\ansi\\pard The {\\b second} draft, caf\\'e9\\par " + b"and so on\\par " * 40 + b"}"
    text = shown(read_outlook(rtf_mail(tmp_path, library.compress(body, pressed)), ctx), ctx)
    assert "The **second** draft, café" in text
    assert text.count("and so on") == 40


def test_outlook_with_html_inside_its_rich_text(tmp_path: Path, ctx: Context) -> None:
    library = pytest.importorskip("compressed_rtf")
    page = b'{\\*\\htmltag64 <p>}See {\\*\\htmltag84 <a href="https://e.org">}\\htmlrtf {\\b\\htmlrtf0 this'
    page += b"\\htmlrtf }\\htmlrtf0{\\*\\htmltag92 </a>}{\\*\\htmltag72 </p>}"
    path = rtf_mail(tmp_path, library.compress(b"{\\rtf1\\ansi\\fromhtml1 " + page + b"}"), x1000="Words only")
    text = shown(read_outlook(path, ctx), ctx)
    assert "See [this](https://e.org)" in text
    assert "Words only" not in text


def test_outlook_with_a_damaged_rich_text_body(tmp_path: Path, ctx: Context) -> None:
    library = pytest.importorskip("compressed_rtf")
    whole = library.compress(b"{\\rtf1\\ansi " + b"never said " * 99 + b"}")
    for packed in (
        whole[:40],
        b"x" * 30,
        whole[:4] + b"\xff\xff\xff\x7f" + whole[8:],
        whole[:20] + bytes(9) + whole[29:],
    ):
        text = shown(read_outlook(rtf_mail(tmp_path, packed, x1000="Words only"), ctx), ctx)
        assert "Words only" in text


def test_a_mail_of_words_and_a_page_says_both_and_of_alternatives_the_page(tmp_path: Path, ctx: Context) -> None:
    def mail(kind: str) -> str:
        parts = [("plain", "Plain words."), ("html", "<p>A <b>page</b>.</p>"), ("plain", "Footer of the list.")]
        two = parts if kind == "mixed" else parts[:2]
        body = "".join(f"--x\nContent-Type: text/{name}; charset=utf-8\n\n{words}\n" for name, words in two)
        return (
            f"Subject: S\nFrom: a@b.c\nMIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary=x\n\n{body}--x--\n"
        )

    for kind, expected in (
        ("mixed", "Plain words.\n\nA **page**.\n\nFooter of the list."),
        ("alternative", "A **page**."),
    ):
        (tmp_path / "a.eml").write_text(mail(kind))
        assert shown(read_mail(tmp_path / "a.eml", ctx), ctx) == f"# S\n\n**From:** a@b.c\n\n{expected}"


def test_of_a_page_of_a_wiki_the_article(tmp_path: Path, ctx: Context) -> None:
    article = (
        '<h1 id="firstHeading">Sea</h1><div>154 languages</div><div id="mw-content-text"><p>It is <a href="/wiki/Salt">'
        'salt</a>.</p><h2>Tides<span class="mw-editsection">[<a href="/e">edit</a>]</span></h2><p>Twice.</p></div>'
    )
    page = f"<title>Sea - Wikipedia</title><body><nav>move to sidebar</nav><main>{article}</main><footer>About</footer>"
    (tmp_path / "a.html").write_text(page)
    assert (
        shown(read_web_page(tmp_path / "a.html", ctx), ctx)
        == "# Sea\n\nIt is [salt](/wiki/Salt).\n\n## Tides\n\nTwice."
    )
    (tmp_path / "b.html").write_text(page.replace("mw-content-text", "other"))
    assert "move to sidebar" in shown(read_web_page(tmp_path / "b.html", ctx), ctx)
