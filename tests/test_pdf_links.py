"""Links of a PDF: the words under an annotation lead where it leads, and a broken annotation takes nothing away."""

from __future__ import annotations

from pathlib import Path

import pytest

from transpose.core.context import Context
from transpose.formats.pdf import read_pdf
from transpose.formats.pdf_writer import write_pdf
from transpose.media.document import Document, faults
from transpose.media.pdf_links import END, FIRST, MOST, between_signs, without_seam
from transpose.transforms.document_text import document_text

pytest.importorskip("pypdfium2")

LONG = "our page of the many words that say so much of the sea that they go on well over the end of the line"


def html(path: Path) -> str:
    found: Document = read_pdf(path, Context())
    assert list(faults(found)) == []
    return found.html


def made(path: Path, annotations: list[str], text: str = "Read the report today") -> Path:
    """One page with 24-point Helvetica at (72, 700) and these annotations, written by hand."""
    content = f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET"
    first = 6
    refs = " ".join(f"{first + n} 0 R" for n in range(len(annotations)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [{refs} 99 0 R null 7]"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *annotations,
    ]
    data, places = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{each}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    tail = f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
    path.write_bytes(data + (head + tail).encode())
    return path


def link(action: str, rectangle: str = "/Rect [135 690 170 725]", more: str = "") -> str:
    return f"<< /Type /Annot /Subtype /Link {rectangle} {more} /A << /Type /Action {action} >> >>"


def test_links_survive_the_way_through_a_pdf(tmp_path: Path) -> None:
    body = (
        '<h1>A heading with <a href="https://example.org/h">a link</a></h1>'
        f'<p>See <a href="https://example.org/a?b=1&amp;c=2">{LONG}</a>, then <a href="mailto:a@b.org">write</a>.</p>'
        '<ul><li><a href="https://example.org/1">One</a></li><li>Two of <a href="https://example.org/2">two</a></li></ul>'
        "<table><thead><tr><th>Name</th><th>Site</th></tr></thead><tbody>"
        '<tr><td>Ann</td><td><a href="https://ann.example">her site</a></td></tr></tbody></table>'
    )
    path = tmp_path / "a.pdf"
    write_pdf(Document(body), path, Context())
    assert html(path) == f'<section data-page="1">{body}</section>'
    assert f"[{LONG}](https://example.org/a?b=1&c=2)" in document_text(read_pdf(path, Context()), Context()).text


def test_a_word_cut_at_a_line_end_is_whole_inside_its_link(tmp_path: Path) -> None:
    typst = pytest.importorskip("typst")
    words = "incomprehensibilities notwithstanding counterrevolutionary"
    head = '#set page(width: 7cm)\n#set text(hyphenate: true, lang: "en")\n'
    (tmp_path / "a.typ").write_text(f'{head}We say: #link("https://e.org")[{words}].')
    (tmp_path / "a.pdf").write_bytes(typst.compile(str(tmp_path / "a.typ")))
    assert (
        html(tmp_path / "a.pdf")
        == f'<section data-page="1"><p>We say: <a href="https://e.org">{words}</a>.</p></section>'
    )


def test_quadrilaterals_count_before_the_rectangle(tmp_path: Path) -> None:
    quads = "/QuadPoints [135 725 170 725 135 690 170 690]"
    path = made(tmp_path / "a.pdf", [link("/S /URI /URI (https://e.org)", "/Rect [0 0 595 842]", quads)])
    assert html(path) == '<section data-page="1"><p>Read <a href="https://e.org">the</a> report today</p></section>'


def test_addresses(tmp_path: Path) -> None:
    for number, (given, expected) in enumerate(
        {"www.e.org/a b": "https://www.e.org/a%20b", "HTTPS://E.org": "HTTPS://E.org", "tel:+1": "tel:+1"}.items()
    ):
        path = made(tmp_path / f"{number}.pdf", [link(f"/S /URI /URI ({given})")])
        assert f'<a href="{expected}">the</a>' in html(path)


@pytest.mark.parametrize(
    "annotation",
    [
        link("/S /URI /URI (javascript:alert\\(1\\))"),
        link("/S /URI /URI ()"),
        link("/S /URI"),
        link("/S /URI /URI 7"),
        link("/S /URI /URI (" + "https://e.org/" + "a" * 9000 + ")"),
        link("/S /Launch /F (calc.exe)"),
        link("/S /JavaScript /JS (app.alert\\(1\\))"),
        link("/S /GoTo /D [3 0 R /Fit]"),
        link("/S /URI /URI (https://e.org)", "/Rect [1]"),
        link("/S /URI /URI (https://e.org)", "/Rect [nan 1e39 -1e39 0]"),
        link("/S /URI /URI (https://e.org)", "/Rect []", "/QuadPoints [1 2 3]"),
        link("/S /URI /URI (https://e.org)", ""),
        "<< /Type /Annot /Subtype /Link /Rect [135 690 170 725] /A 6 0 R >>",
        "<< /Type /Annot /Subtype /Link /Rect [135 690 170 725] >>",
        "null",
        "(words)",
    ],
)
def test_a_bad_annotation_is_no_link_and_hurts_no_other(tmp_path: Path, annotation: str) -> None:
    good = link("/S /URI /URI (https://good.org)", "/Rect [175 690 240 725]")
    found = html(made(tmp_path / "a.pdf", [annotation, good]))
    assert found == '<section data-page="1"><p>Read the <a href="https://good.org">report</a> today</p></section>'


def test_many_links_over_each_other(tmp_path: Path) -> None:
    found = html(made(tmp_path / "a.pdf", [link(f"/S /URI /URI (https://e.org/{n})") for n in range(MOST + 50)]))
    assert found == '<section data-page="1"><p>Read <a href="https://e.org/0">the</a> report today</p></section>'


def test_signs() -> None:
    one = chr(FIRST + 1)
    assert between_signs(" a b ", 1) == f" {one}a b{END} "
    assert between_signs("  ", 1) == "  "
    assert between_signs("a", -1) == "a"
    assert without_seam(f"{one}com-{END}", f"{one}pounds{END}") == (f"{one}com-", f"pounds{END}")
    assert without_seam(f"{one}a{END}", f"{chr(FIRST)}b{END}") == (f"{one}a{END}", f"{chr(FIRST)}b{END}")
    assert without_seam("a", "b") == ("a", "b")
