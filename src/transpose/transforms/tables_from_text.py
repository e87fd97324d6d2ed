"""Take the tables out of a text: Markdown, HTML or a document.

`table-from-text` takes one, `tables-from-text` all (one sheet each in a workbook, one file each in a folder). Cells
that span several columns or rows stand in each of them. The header is what the table marks as such, else a first row of
words; columns become numbers and dates by the same rules as in `.csv` files (media/cells.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Annotated, Literal
from xml.etree.ElementTree import Element, SubElement

from transpose.core.context import Context, Many
from transpose.core.errors import OptionError, SilentInput
from transpose.core.transform import Range, transform
from transpose.media.cells import FLOATING, Reading, all_match, decimal_mark, infer
from transpose.media.document import Document
from transpose.media.table import Table, typed, unique
from transpose.media.text import Text

SPAN = 1000  # columns or rows that one cell may cover
CELLS = 2_000_000  # of one table
PARTS = frozenset("table caption thead tbody tfoot tr th td".split())
CLOSES = {  # an element that begins ends these, as browsers have it
    "tr": ("td", "th", "tr"),
    "td": ("td", "th"),
    "th": ("td", "th"),
    **dict.fromkeys(["thead", "tbody", "tfoot"], ("td", "th", "tr", "thead", "tbody", "tfoot", "caption")),
}
SILENT = ("script", "style", "template")
Source = "text@markdown|text@html|document"
LOST = ["wording", "structure", "layout", "pixels", "metadata"]  # all but the tables


@transform(f"{Source} -> table", loses=[*LOST, "detail"], extra="tables", needs=["pyarrow"])
def table_from_text(
    source: Text | Document,
    ctx: Context,
    *,
    number: Annotated[
        int, Range(0, 10_000), "which table, from 1; 0: the first with rows, and the others are named"
    ] = 0,
    header: Annotated[Literal["auto", "yes", "no"], "whether the first row names the columns"] = "auto",
    decimal: Annotated[Literal["auto", ".", ","], "mark before decimals"] = "auto",
) -> Table:
    """Take one table out of a text; the words around it are left out.

    Raises SilentInput where there is none, OptionError where there are fewer than `number`.
    """
    grids = _found(source)
    if number > len(grids):
        raise OptionError(f"there is no table {number}", f"The text holds {len(grids)}")
    if not number and len(grids) > 1:
        others = ", ".join(each.name or f"{len(each.rows)} rows" for each in grids[1:6])
        more = f" and {len(grids) - 6} more" if len(grids) > 6 else ""
        ctx.warn(f"took the first of {len(grids)} tables; left out: {others}{more} (-o number=2, or write .xlsx)")
    return _table(grids[max(number, 1) - 1], header, decimal, ctx)


@transform(f"{Source} -> tables", loses=LOST, extra="tables", needs=["pyarrow"])
def tables_from_text(
    source: Text | Document,
    ctx: Context,
    *,
    header: Annotated[Literal["auto", "yes", "no"], "whether the first row names the columns"] = "auto",
    decimal: Annotated[Literal["auto", ".", ","], "mark before decimals"] = "auto",
) -> Many[Table]:
    """Take every table out of a text, in their order; the words around them are left out.

    Raises SilentInput where there is none.
    """
    tables = [_table(grid, header, decimal, ctx) for grid in _found(source)]
    return Many(lambda: iter(tables), len(tables))


@transform("text@timed -> table", loses=["metadata"], extra="tables", needs=["pyarrow"])
def cues_table(text: Text, ctx: Context) -> Table:
    """List a timed text: a row for each cue with its start and end in seconds, and what is said."""
    columns = {
        "start": typed([round(cue.start, 3) for cue in text.cues]),
        "end": typed([round(cue.end, 3) for cue in text.cues]),
        "text": typed([cue.text for cue in text.cues]),
    }
    import pyarrow as pa  # type: ignore[import-untyped]

    return Table(pa.table(columns), "cues")


@dataclass(slots=True)
class Grid:
    """Cells of one table as text, row by row and all of one length; `heads` rows of them are its header."""

    rows: list[list[str | None]]
    heads: int = 0
    name: str = ""


def _found(source: Text | Document) -> list[Grid]:
    if isinstance(source, Document):
        trees = [source.tree()]
    elif source.markup == "html":
        trees = [_parsed(source.text)]
    else:
        trees = [_parsed(_rendered(source.text))]
    tables = [each for tree in trees for each in tree.iter("table")]
    # a table that holds tables lays out a page
    grids = [_grid(each) for each in tables if sum(1 for _ in each.iter("table")) == 1]
    wide = [grid for grid in grids if len(grid.rows) > 1 and len(grid.rows[0]) > 1]
    kept = wide or [grid for grid in grids if grid.rows]
    if not kept:
        hint = "A table is written with bars in Markdown (| a | b |) or as <table> in HTML"
        raise SilentInput("there is no table in the text", hint)
    return kept


def _rendered(markdown: str) -> str:
    """Markdown as HTML, where its tables and those written in HTML are alike."""
    from markdown_it import MarkdownIt

    html: str = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown)
    return html


class _Tables(HTMLParser):
    """The tables of a page as elements that hold only words, with the heading before each as its name."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("body")
        self.open = [self.root]
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self.silent += 1
        elif tag == "br":
            self._say("\n")
        elif tag in PARTS:
            for closed in CLOSES.get(tag, ()):
                self._close(closed)
            kept = {key: value or "" for key, value in attrs if key in ("colspan", "rowspan")}
            self.open.append(SubElement(self.open[-1], tag, kept))
        elif tag in ("p", "div", "li"):
            self._say("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag in PARTS:
            self._close(tag)

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self._say(data)

    def _close(self, tag: str) -> None:
        """End the innermost open `tag`, but none outside the innermost table."""
        for depth in range(len(self.open) - 1, 0, -1):
            if self.open[depth].tag == tag:
                del self.open[depth:]
                return
            if self.open[depth].tag == "table":
                return

    def _say(self, words: str) -> None:
        inside = self.open[-1]
        if inside.tag not in ("td", "th", "caption"):
            return
        if len(inside):
            inside[-1].tail = (inside[-1].tail or "") + words
        else:
            inside.text = (inside.text or "") + words


def _parsed(html: str) -> Element:
    parser = _Tables()
    parser.feed(html)
    parser.close()
    return parser.root


def _grid(table: Element) -> Grid:
    """The cells with spans filled in, by the algorithm that browsers use (HTML Standard, 4.9.12)."""
    rows = list(table.iter("tr"))
    heads = _heads(table, rows)
    held: dict[tuple[int, int], str | None] = {}
    for y, row in enumerate(rows):
        x = 0
        for cell in (each for each in row if each.tag in ("td", "th")):
            while (y, x) in held:
                x += 1
            text = _words(cell)
            # a header over several columns names each of them; a cell over several rows counts for each
            width, height = _span(cell, "colspan", SPAN), _span(cell, "rowspan", len(rows) - y)
            for down in range(height):
                for right in range(width if len(held) < CELLS else 1):
                    held.setdefault((y + down, x + right), text)
            x += width
    width = max((x for _, x in held), default=-1) + 1
    filled = [[held.get((y, x)) for x in range(width)] for y in range(len(rows))]
    caption = next((_words(each) or "" for each in table.iter("caption")), "")
    kept = [number for number, row in enumerate(filled) if any(cell for cell in row)]
    return Grid([filled[number] for number in kept], sum(number < heads for number in kept), caption)


def _heads(table: Element, rows: Sequence[Element]) -> int:
    """How many rows at the top are header: those in <thead>, or with nothing but <th>."""
    marked = {id(row) for head in table.iter("thead") for row in head.iter("tr")}
    count = 0
    for row in rows:
        cells = [each for each in row if each.tag in ("td", "th")]
        if id(row) not in marked and (not cells or any(each.tag == "td" for each in cells)):
            break
        count += 1
    return count


def _words(cell: Element) -> str | None:
    lines = "".join(_spoken(cell)).split("\n")
    return "\n".join(filter(None, (" ".join(line.split()) for line in lines))) or None


def _spoken(element: Element) -> Iterator[str]:
    if element.tag in ("br", "p", "li", "div"):
        yield "\n"
    yield element.text or ""
    for child in element:
        yield from _spoken(child)
        yield child.tail or ""


def _span(cell: Element, name: str, most: int) -> int:
    written = cell.get(name, "1").strip()
    number = int(written) if written.isascii() and written.isdigit() and len(written) < 6 else 1
    return max(1, min(most, number if number else most))


def _table(grid: Grid, header: str, decimal: str, ctx: Context) -> Table:
    """Typed columns under one header; of several header rows the words are joined."""
    import pyarrow as pa

    heads = {"yes": max(grid.heads, 1), "no": 0}.get(header, grid.heads or int(_says_names(grid.rows)))
    heads = min(heads, len(grid.rows))
    tops = list(zip(*grid.rows[:heads], strict=True)) if heads else [()] * len(grid.rows[0])
    names = unique(" ".join(dict.fromkeys(filter(None, top))).replace("\n", " ") for top in tops)
    columns = [pa.array(values, pa.string()) for values in zip(*grid.rows[heads:], strict=True)]
    columns = columns or [pa.array([], pa.string()) for _ in names]
    mark, remark = decimal_mark(columns, "") if decimal == "auto" else (decimal, "")
    reading = Reading(mark, remarks=[remark] if remark else [])
    made = [infer(name, column, reading) for name, column in zip(names, columns, strict=True)]
    for said in reading.remarks:
        ctx.warn(said)
    return Table(pa.table(dict(zip(names, made, strict=True))), grid.name)


def _says_names(rows: Sequence[Sequence[str | None]]) -> bool:
    """Whether a first row that is not marked as header looks like one: all words, above something else."""
    import pyarrow as pa

    first = [cell for cell in rows[0] if cell]
    words = len(first) == len(rows[0]) and not any(all_match(pa.array([cell]), FLOATING) for cell in first)
    return len(rows) > 1 and words
