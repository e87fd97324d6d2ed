"""PDF: pages and text, and files that are locked, damaged, empty, huge or no PDF at all."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from transpose.core.context import Context
from transpose.core.errors import (
    DamagedInput,
    EmptyInput,
    HugeInput,
    LockedInput,
    MislabelledInput,
    MissingInput,
    SilentInput,
)
from transpose.formats.pdf import read_pages, read_pdf
from transpose.media.document import faults
from transpose.media.image import Image
from transpose.media.page import Line, arrange, compose, join, tidy
from transpose.media.rules import Rule, tables
from transpose.media.text import Text
from transpose.transforms.document_text import document_text

pytest.importorskip("pypdfium2")
EXAMPLES = Path(__file__).parent.parent / "examples"


def _examples() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_pages", EXAMPLES / "make_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MADE = _examples()


def pdf(path: Path, *pages: str, size: tuple[float, float] = (595, 842)) -> Path:
    """A PDF with these content streams, Helvetica as /F1."""
    MADE.pdf(path, size, [page.encode("cp1252") for page in pages], [MADE.HELVETICA])
    return path


def words(*rows: tuple[float, float, str], size: int = 11) -> str:
    """A content stream of rows (x, y, text)."""
    return "\n".join(f"BT /F1 {size} Tf {x} {y} Td ({text}) Tj ET" for x, y, text in rows)


def shown(path: Path, ctx: Context | None = None) -> str:
    """The Markdown of a PDF, whose document keeps all rules."""
    found = read_pdf(path, ctx or Context())
    assert list(faults(found)) == []
    text: str = document_text(found, Context()).text
    return text


def refuse(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A runner that finds nothing on any page."""
    raise SilentInput("no text was found on the page")


def test_slides_have_their_text_in_order() -> None:
    ctx = Context()
    found = shown(EXAMPLES / "slides.pdf", ctx)
    expected = "\n\n".join("\n\n".join([f"# {heading}", "  \n".join(points)]) for heading, points in MADE.SLIDES)
    assert found == expected
    assert ctx.warnings == []
    assert ctx.facts["pages"] == 3


def test_pages_are_drawn_when_asked_for() -> None:
    seen: list[float] = []
    ctx = Context(report=lambda done, total, what: seen.append(done))
    pages = read_pages(EXAMPLES / "slides.pdf", ctx, dpi=72)
    assert pages.length == 3
    assert seen == []
    first = next(iter(pages))
    assert seen == [0]
    assert first.pixels.shape == (540, 960, 3)
    assert first.meta == {"dpi": "72"}
    assert first.pixels[10, 10].tolist() == [38, 77, 115]  # the blue bar: RGB, not BGR
    assert [a == b for a, b in zip(pages, pages, strict=True)] == [True] * 3


def test_a_scan_goes_to_ocr_and_says_so() -> None:
    asked: list[tuple[str, tuple[int, ...]]] = []

    def runner(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> Text:
        image = values[0]
        assert isinstance(image, Image)
        asked.append((name, image.pixels.shape))
        return Text(f"page {len(asked)}")

    ctx = Context(runner=runner)
    assert shown(EXAMPLES / "scan.pdf", ctx) == "page 1 page 2"  # a sentence that goes on
    assert [name for name, _ in asked] == ["read-page", "read-page"]
    assert "pages 1, 2" in ctx.warnings[0]
    assert ctx.facts["pages_by_ocr"] == 2


def test_blank_pages_are_not_read(tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", words((70, 700, "Only page two is empty here.")), "")
    assert shown(path) == "Only page two is empty here."  # no runner: OCR would fail
    with pytest.raises(SilentInput, match=r"'b\.pdf'"):
        read_pdf(pdf(tmp_path / "b.pdf", ""), Context())
    with pytest.raises(SilentInput):
        read_pdf(pdf(tmp_path / "c.pdf", "0 0 300 300 re f"), Context(runner=refuse))


def test_columns_hyphens_and_ligatures(tmp_path: Path) -> None:
    left = [
        "The left column has several",
        "lines of prose which are read",
        "before anything on the right,",
        "and then it comes to its foot and",
    ]
    right = [
        "goes on over here. A well-",
        "known rule makes broken com-",
        "pounds whole again; well-known",
        "ones keep their hyphens.",
    ]
    rows = [(60.0, 760.0, "A Heading That Runs Across Both of the Columns of This Page, Wide")]
    rows += [(60.0, 720.0 - 14 * n, row) for n, row in enumerate(left)]
    rows += [(320.0, 720.0 - 14 * n, row) for n, row in enumerate(right)]
    found = shown(pdf(tmp_path / "a.pdf", words(*rows)))
    heading, body = found.split("\n\n")
    assert heading.startswith("A Heading")
    assert body == (
        "The left column has several lines of prose which are read before anything on the right, and then it comes to "
        "its foot and goes on over here. A well-known rule makes broken compounds whole again; well-known ones keep "
        "their hyphens."
    )


def test_reading_order_of_lines() -> None:
    table = [Line(f"cell {x}{y}", x * 100, y * 20, x * 100 + 40, y * 20 + 10) for x in range(3) for y in range(3)]
    assert compose(table).splitlines()[0] == "cell 00\tcell 10\tcell 20"
    assert arrange([]) == []
    assert tidy("ﬁnal oﬃce\u00a0ﬂight") == "final office flight"
    assert join(["soft\u00ad", "ware"]) == "software"
    assert join(["the twenty-", "Three"]) == "the twenty- Three"
    assert join(["日本", "語"]) == "日本語"


def test_paragraphs_by_space_and_by_indent() -> None:
    wide = "words that fill this line up to its end"
    spaced = [Line(wide, 0, y, 400, y + 10) for y in (0, 14, 28, 52, 66)]
    assert compose(spaced).count("\n\n") == 1
    indented = [Line(wide, x, 14 * n, 400, 14 * n + 10) for n, x in enumerate((0, 0, 20, 0, 0, 20, 0))]
    assert compose(indented).count("\n\n") == 2


def grid(left: float, top: float, widths: list[float], rows: int, skip: tuple[int, int] | None = None) -> str:
    """Rules around cells 20 high; `skip` (row, post) leaves one piece of an inner upright rule out."""
    edges = [left + sum(widths[:n]) for n in range(len(widths) + 1)]
    out = [f"{left} {top - 20 * n} m {edges[-1]} {top - 20 * n} l S" for n in range(rows + 1)]
    out += [
        f"{x} {top - 20 * row} m {x} {top - 20 * row - 20} l S"
        for number, x in enumerate(edges)
        for row in range(rows)
        if (row, number) != skip
    ]
    return "\n".join(out)


def test_ruled_tables_with_merged_cells(tmp_path: Path) -> None:
    cells = [
        (75.0, 706.0, "Region"),
        (135.0, 706.0, "2024"),
        (75.0, 686.0, "North"),
        (135.0, 686.0, "1"),
        (195.0, 686.0, "2"),
    ]
    prose = [(70.0, 760.0, "A paragraph that stands above the table, in one line."), (70.0, 600.0, "And one below.")]
    content = (
        words(*prose, *cells, (75.0, 666.0, "South"), (195.0, 666.0, "4"))
        + "\n"
        + grid(70, 720, [60, 60, 60], 3, (0, 2))
    )
    assert shown(pdf(tmp_path / "a.pdf", content)) == (
        "A paragraph that stands above the table, in one line.\n\n"
        "| Region | 2024 | 2024 |\n| --- | --- | --- |\n| North | 1 | 2 |\n| South | | 4 |\n\nAnd one below."
    )
    assert tables([Rule(False, 10, 0, 50), Rule(True, 10, 0, 50)]) == []  # the control: a cross is no table


def test_aligned_columns_headings_and_lists(tmp_path: Path) -> None:
    rows = [(70.0, 640.0 - 14 * n, a) for n, a in enumerate(("Name", "Alice", "Bob", "Carol"))]
    rows += [(170.0, 640.0 - 14 * n, a) for n, a in enumerate(("Age", "31", "", "27")) if a]
    rows += [(270.0, 640.0 - 14 * n, a) for n, a in enumerate(("City", "Paris", "Rome", "Oslo"))]
    body = [(70.0, 720.0, "Some words of the body to show which size is usual on this page."), (70.0, 690.0, "• one")]
    body += [(70.0, 676.0, "• two")]
    content = words((70, 760, "The Heading"), size=18) + "\n" + words(*body, *rows)
    assert shown(pdf(tmp_path / "a.pdf", content)) == (
        "# The Heading\n\nSome words of the body to show which size is usual on this page.\n\n- one\n- two\n\n"
        "| Name | Age | City |\n| --- | --- | --- |\n| Alice | 31 | Paris |\n| Bob | | Rome |\n| Carol | 27 | Oslo |"
    )


def test_running_heads_go_and_sentences_run_over_pages(tmp_path: Path) -> None:
    pages = []
    for n in range(1, 5):
        lines = ((70, 700, f"This is page {n} whose last sentence"), (70, 686, "goes on for some while and"))
        pages.append(words((70, 810, f"Annual Report {n}"), *lines, (300, 30, str(n))))
    found = shown(pdf(tmp_path / "a.pdf", *pages, words((70, 700, "comes to an end."))))
    assert "Annual Report" not in found
    assert found.endswith("goes on for some while and comes to an end.")
    assert read_pdf(tmp_path / "a.pdf", Context()).html.count("<section") == 5


def test_password(tmp_path: Path) -> None:
    # 40-bit RC4 whose check values fit no password: neither "" nor another opens it
    path = pdf(tmp_path / "a.pdf", words((70, 700, "secret")))
    lock = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"41" * 32 + b"> /U <" + b"42" * 32 + b"> >>"
    data = path.read_bytes().replace(b"/Root 1 0 R", b"/Root 1 0 R /ID [<00> <00>] " + lock)
    path.write_bytes(data)
    with pytest.raises(LockedInput, match="password is needed") as caught:
        read_pdf(path, Context())
    assert "password" in caught.value.hint
    with pytest.raises(LockedInput, match="does not open"):
        read_pages(path, Context(), password="wrong")


def test_bad_files(tmp_path: Path) -> None:
    whole = (EXAMPLES / "scan.pdf").read_bytes()
    for share in (0.01, 0.3, 0.7, 0.98):
        (tmp_path / "cut.pdf").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(DamagedInput, match=r"'cut\.pdf'"):
            read_pages(tmp_path / "cut.pdf", Context())
    (tmp_path / "junk.pdf").write_bytes(b"%PDF-1.4\n" + bytes(500) + b"%%EOF")
    with pytest.raises(DamagedInput):
        read_pdf(tmp_path / "junk.pdf", Context())
    (tmp_path / "text.pdf").write_text("No PDF, only words.")
    with pytest.raises(MislabelledInput, match="plain text, not a PDF"):
        read_pdf(tmp_path / "text.pdf", Context())
    (tmp_path / "empty.pdf").write_bytes(b"")
    with pytest.raises(EmptyInput):
        read_pdf(tmp_path / "empty.pdf", Context())
    with pytest.raises(EmptyInput, match="no pages"):
        read_pages(pdf(tmp_path / "none.pdf"), Context())
    with pytest.raises(MissingInput):
        read_pdf(tmp_path / "missing.pdf", Context())


def test_a_huge_page_is_refused_before_any_is_drawn(tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", "", size=(14_400, 14_400))
    with pytest.raises(HugeInput, match="page 1") as caught:
        read_pages(path, Context(), dpi=150)
    assert caught.value.hint == "Try -o dpi=50"
    assert np.asarray(next(iter(read_pages(path, Context(), dpi=36))).pixels).shape == (7200, 7200, 3)  # the control


def test_rules_of_two_tables_that_nearly_line_up_stay_two() -> None:
    """The left edge of an upper table must not vanish in that of a lower one, a point further left."""
    from transpose.media.rules import Rule, joined

    upper, lower = Rule(True, 186.8, 245.5, 354.5), Rule(True, 185.7, 729.5, 748.5)
    assert sorted(rule.start for rule in joined([upper, lower])) == [245.5, 729.5]
    assert joined([Rule(True, 10.0, 20.0, 40.0), Rule(True, 11.0, 0.0, 21.0)])[0].end == 40.0


def test_words_that_run_up_the_page_stay_words_and_come_last(tmp_path: Path) -> None:
    side = (
        "BT /F1 11 Tf 0 1 -1 0 40 300 Tm (Printed for the archive) Tj ET\nBT /F1 11 Tf 0 -1 1 0 560 600 Tm (Down) Tj ET"
    )
    rows = [(70.0, 700.0 - 16 * n, f"Line number {n} of the page is long enough.") for n in range(30)]
    found = shown(pdf(tmp_path / "a.pdf", side + "\n" + words(*rows)))
    assert found.endswith("Printed for the archive\n\nDown")
    assert "".join(found.split("\n\n")[:-2]).count("Line number") == 30


def test_words_that_run_up_a_cell_stay_in_it(tmp_path: Path) -> None:
    cells = grid(70, 700, [60, 200], 2)
    up = "BT /F1 9 Tf 0 1 -1 0 100 683 Tm (Up) Tj ET"
    found = shown(
        pdf(tmp_path / "a.pdf", cells + "\n" + up + "\n" + words((140, 690, "Head"), (80, 670, "a"), (140, 670, "b")))
    )
    assert found.splitlines()[0] == "| Up | Head |"
