"""Write a table as text: a Markdown table that any reader shows."""

from __future__ import annotations

import re
from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.core.transform import Range, transform
from transpose.media.table import Table, as_text
from transpose.media.text import Text

# marks that Markdown would read inside a cell
MARK = re.compile(
    r"\\(?=[!-/:-@\[-`{-~])|[`*|]|(?<![^\W_])_|_(?![^\W_])|~(?=~)|<(?=[A-Za-z/!?])|&(?=#?\w+;)|\[(?=[^\]\n]*\][\[(:])"
)
LINES = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")


@transform("table -> text@markdown", loses=["exactness", "detail", "metadata"], extra="tables", needs=["pyarrow"])
def table_text(
    table: Table, ctx: Context, *, rows: Annotated[int, Range(1, 1_000_000), "most rows to write"] = 1000
) -> Text:
    """Write the rows as a Markdown table, numbers to the right; what comes after the limit is counted and said.

    Numbers keep every digit; line ends inside a cell become `<br>`; missing cells are empty. Raises EmptyInput for a
    table without columns.
    """
    import pyarrow as pa  # type: ignore[import-untyped]

    if not table.columns:
        raise EmptyInput("the table has no columns", "Look at the step before")
    shown = table.arrow.slice(0, rows)
    columns = [[_cell(as_text(value) or "") for value in column.to_pylist()] for column in shown.columns]
    names = [_cell(name) for name in table.columns]
    rules = [
        "---:" if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) else "---"
        for kind in shown.schema.types
    ]
    lines = ["| " + " | ".join(cells) + " |" for cells in (names, rules, *zip(*columns, strict=True))]
    if len(table) > rows:
        left = f"{rows:,} of {len(table):,} rows"
        ctx.warn(f"{left} were written: -o rows=N for more, or write .csv")
        lines += ["", f"({left})"]
    return Text("\n".join(lines), markup="markdown")


def _cell(text: str) -> str:
    """A cell's text, escaped so that Markdown shows it unchanged."""
    return LINES.sub("<br>", MARK.sub(lambda found: "\\" + found.group(), text)).replace("\t", " ").strip()
