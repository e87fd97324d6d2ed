"""Put a table into a document: all its rows, under its name."""

from __future__ import annotations

from html import escape
from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, HugeInput
from transpose.core.transform import Range, transform
from transpose.media.document import UNWRITABLE, Document
from transpose.media.table import Table, as_text


@transform("table -> document", loses=["exactness", "metadata"], extra="tables", needs=["pyarrow"])
def table_document(
    table: Table, ctx: Context, *, rows: Annotated[int, Range(1, 1_000_000), "most rows that may be put in"] = 5000
) -> Document:
    """Make a document of a table: a heading with its name, a header, and every row with all digits.

    Raises EmptyInput (no columns) and HugeInput (more rows than `rows`: nothing is cut silently).
    """
    if not table.columns:
        raise EmptyInput("the table has no columns", "Look at the step before")
    if len(table) > rows:
        hint = f"Write .csv or .xlsx, or add -o rows={len(table)}"
        raise HugeInput(f"{len(table):,} rows are too many for a document (at most {rows:,})", hint)
    head = "".join(f"<th>{_cell(name)}</th>" for name in table.columns)
    columns = [[_cell(as_text(value) or "") for value in column.to_pylist()] for column in table.arrow.columns]
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in zip(*columns, strict=True))
    title = f"<h1>{_cell(table.name)}</h1>" if table.name else ""
    inside = f"<thead><tr>{head}</tr></thead>" + (f"<tbody>{body}</tbody>" if body else "")
    return Document(f"{title}<table>{inside}</table>", title=table.name)


def _cell(text: str) -> str:
    lines = UNWRITABLE.sub("\ufffd", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "<br/>".join(escape(line) for line in lines).replace("&#x27;", "'")
