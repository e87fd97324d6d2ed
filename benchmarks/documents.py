"""Documents to Markdown against markitdown: `python -m benchmarks.documents [ROUNDS] [MEMORY]`.

Both read the same files in one process, turn about; the files are made here by the formats' own libraries from known
words, so that recall (the share of the words that come out, each counted as often as it stands) needs no judge. Prints
median seconds, ratios, recall; then resident memory after each fiftieth of MEMORY documents read in one process.
markitdown and reportlab are not dependencies of the project: without them the files they need are left out.
"""

from __future__ import annotations

import json
import random
import re
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from transpose.core.context import Context
from transpose.formats.books import read_book
from transpose.formats.feed import read_feed
from transpose.formats.notebook import read_notebook
from transpose.formats.pdf import read_pdf
from transpose.formats.slides import read_slides
from transpose.formats.web import read_web_page
from transpose.formats.word import read_word
from transpose.formats.workbook import read_workbook_document
from transpose.media.document import Document
from transpose.transforms.document_text import document_text

READERS: dict[str, Callable[..., Document]] = {
    ".docx": read_word,
    ".pptx": read_slides,
    ".xlsx": read_workbook_document,
    ".epub": read_book,
    ".html": read_web_page,
    ".ipynb": read_notebook,
    ".rss": read_feed,
    ".pdf": read_pdf,
}
Parts = list[tuple[str, list[str], list[list[str]]]]  # heading, paragraphs, table


def parts(seed: int, count: int = 20) -> Parts:
    """Sections of words made of syllables: a heading, five paragraphs, a table of six rows."""
    draw = random.Random(seed)

    def words(number: int) -> str:
        syllables = ["ka", "lo", "mi", "ten", "dor", "vel", "sun", "par", "qui", "zet"]
        return " ".join("".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(number))

    def row() -> list[str]:
        return [words(1), words(2), str(draw.randint(0, 10**6))]

    return [(words(3).title(), [words(60) + "." for _ in range(5)], [row() for _ in range(6)]) for _ in range(count)]


def make_docx(path: Path, content: Parts) -> None:
    """With python-docx."""
    import docx

    made = docx.Document()
    for heading, paragraphs, table in content:
        made.add_heading(heading, 1)
        for paragraph in paragraphs:
            made.add_paragraph(paragraph)
        grid = made.add_table(len(table), 3)
        for row, cells in zip(grid.rows, table, strict=True):
            for place, cell in zip(row.cells, cells, strict=True):
                place.text = cell
    made.save(str(path))


def make_pptx(path: Path, content: Parts) -> None:
    """With python-pptx: a slide of points and one with the table for each section."""
    import pptx
    from pptx.util import Inches

    made = pptx.Presentation()
    for heading, paragraphs, table in content:
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text = heading
        slide.placeholders[1].text_frame.text = "\n".join(paragraphs)
        slide = made.slides.add_slide(made.slide_layouts[6])
        grid = slide.shapes.add_table(len(table), 3, 0, 0, Inches(8), Inches(3)).table
        for y, cells in enumerate(table):
            for x, cell in enumerate(cells):
                grid.cell(y, x).text = cell
    made.save(str(path))


def make_xlsx(path: Path, content: Parts) -> None:
    """With openpyxl: a sheet for each section."""
    import openpyxl

    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for number, (heading, paragraphs, table) in enumerate(content):
        sheet = made.create_sheet(f"Sheet{number}")
        for row in [[heading], *[[paragraph] for paragraph in paragraphs], *(table * 20)]:
            sheet.append(row)
    made.save(path)


def page(content: Parts) -> str:
    """All sections as HTML."""
    out = []
    for heading, paragraphs, table in content:
        rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in table)
        out.append(f"<h1>{heading}</h1>" + "".join(f"<p>{each}</p>" for each in paragraphs) + f"<table>{rows}</table>")
    return "\n".join(out)


def make_html(path: Path, content: Parts) -> None:
    """One page."""
    path.write_text(f"<!doctype html><html><head><title>t</title></head><body>{page(content)}</body></html>")


def make_epub(path: Path, content: Parts) -> None:
    """A chapter for each section."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", "application/epub+zip")
        container = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
        file.writestr("META-INF/container.xml", container + 'full-path="b.opf"/></rootfiles></container>')
        kind = 'media-type="application/xhtml+xml"'
        items = "".join(f'<item id="c{n}" href="c{n}.xhtml" {kind}/>' for n in range(len(content)))
        spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(content)))
        name = 'xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        head = f"<package {name}><metadata><dc:title>t</dc:title></metadata>"
        file.writestr("b.opf", f"{head}<manifest>{items}</manifest><spine>{spine}</spine></package>")
        for number, section in enumerate(content):
            file.writestr(f"c{number}.xhtml", f"<html><body>{page([section])}</body></html>")


def make_ipynb(path: Path, content: Parts) -> None:
    """A note, a program and its table for each section."""
    cells: list[dict[str, object]] = []
    for heading, paragraphs, table in content:
        note = f"# {heading}\n\n" + "\n\n".join(paragraphs)
        cells.append({"cell_type": "markdown", "metadata": {}, "source": note})
        source = "\n".join(f"{a} = {c}" for a, _, c in table)
        cells.append({"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": 1})
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))


def make_rss(path: Path, content: Parts) -> None:
    """An entry for each section."""
    entries = "".join(
        f"<item><title>{heading}</title><description><![CDATA[{page([(heading, paragraphs, table)])}]]>"
        "</description></item>"
        for heading, paragraphs, table in content
    )
    path.write_text(f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{entries}</channel></rss>')


def make_pdf(path: Path, content: Parts) -> None:
    """With reportlab: text and ruled tables."""
    from reportlab.lib import colors  # type: ignore[import-untyped]
    from reportlab.lib.styles import getSampleStyleSheet  # type: ignore[import-untyped]
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Table  # type: ignore[import-untyped]

    styles, flow = getSampleStyleSheet(), []
    for heading, paragraphs, table in content:
        flow += [Paragraph(heading, styles["Heading1"]), *(Paragraph(each, styles["BodyText"]) for each in paragraphs)]
        flow.append(Table(table, style=[("GRID", (0, 0), (-1, -1), 0.5, colors.black)]))
    SimpleDocTemplate(str(path)).build(flow)


MAKERS = {
    ".docx": (make_docx, "docx"),
    ".pptx": (make_pptx, "pptx"),
    ".xlsx": (make_xlsx, "openpyxl"),
    ".html": (make_html, "lxml"),
    ".epub": (make_epub, "lxml"),
    ".ipynb": (make_ipynb, "lxml"),
    ".rss": (make_rss, "lxml"),
    ".pdf": (make_pdf, "reportlab"),
}


def ours(path: Path) -> str:
    """The Markdown that we make of a file."""
    ctx = Context(threads=1)
    text: str = document_text(READERS[path.suffix](path, ctx), ctx).text
    return text


def recall(text: str, content: Parts) -> float:
    """The share of the words that come out."""
    wanted = Counter(
        word
        for heading, paragraphs, table in content
        for words in (heading, *paragraphs, *map(" ".join, table))
        for word in re.findall(r"\w+", words.lower())
    )
    found = Counter(re.findall(r"\w+", text.lower()))
    return sum(min(count, found[word]) for word, count in wanted.items()) / sum(wanted.values())


def measure(folder: Path, rounds: int) -> None:
    """Print a row for each format."""
    theirs: Callable[[Path], str] | None = None
    if find_spec("markitdown"):
        from markitdown import MarkItDown

        peer = MarkItDown(enable_plugins=False)
        theirs = lambda path: str(peer.convert(str(path)).text_content)  # noqa: E731
    content = parts(1)
    print(f"{'format':8}{'ours s':>9}{'theirs s':>10}{'ratio':>8}{'recall':>9}{'theirs':>9}")
    for suffix, (make, needs) in MAKERS.items():
        if not find_spec(needs):
            continue
        path = folder / f"a{suffix}"
        make(path, content)
        ways = {"ours": ours, **({"theirs": theirs} if theirs else {})}
        texts = {name: way(path) for name, way in ways.items()}  # also warms up
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                began = time.perf_counter()
                way(path)
                spent[name].append(time.perf_counter() - began)
        times = {name: median(each) for name, each in spent.items()}
        share = {
            name: recall(text, content if suffix != ".ipynb" else _as_notebook(content)) for name, text in texts.items()
        }
        other, ratio = times.get("theirs", float("nan")), times["ours"] / times.get("theirs", float("nan"))
        print(
            f"{suffix:8}{times['ours']:9.4f}{other:10.4f}{ratio:8.3f}{share['ours']:9.4f}{share.get('theirs', 0):9.4f}",
            flush=True,
        )


def _as_notebook(content: Parts) -> Parts:
    """The notebook has the first and the last column of each table."""
    return [(heading, paragraphs, [[row[0], row[2]] for row in table]) for heading, paragraphs, table in content]


def resident() -> float:
    """Megabytes of this process, now."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def memory(folder: Path, count: int) -> None:
    """Print the memory after each fiftieth of `count` documents of all formats, one after the other."""
    paths = [path for path in sorted(folder.iterdir()) if path.suffix in READERS]
    curve = []
    for number in range(count):
        ours(paths[number % len(paths)])
        if number % max(1, count // 50) == 0 or number == count - 1:
            curve.append((number + 1, resident()))
    print(" ".join(f"{number}:{size:.0f}" for number, size in curve))
    tenth = [size for number, size in curve if number > count // 10]
    print(f"memory after a tenth {tenth[0]:.0f} MB, at the end {tenth[-1]:.0f} MB, highest {max(tenth):.0f} MB")


def main() -> None:
    """Both measurements."""
    rounds, count = (int(word) for word in (sys.argv[1:] + ["5", "500"][len(sys.argv) - 1 :])[:2])
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), rounds)
        memory(Path(name), count)


if __name__ == "__main__":
    main()
