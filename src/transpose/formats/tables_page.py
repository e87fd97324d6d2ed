"""A table as a web page: `.html`, every row and digit, in one file without scripts."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from transpose.core.context import Context
from transpose.core.transform import transform
from transpose.media.table import Table, as_text

STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.45 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; margin: 2rem auto; max-width: 75rem;
  padding: 0 1rem }
h1 { font-size: 1.3rem; font-weight: 600 }
.rows { overflow-x: auto }
table { border-collapse: collapse }
caption { caption-side: bottom; text-align: left; padding: .6rem; opacity: .65 }
th, td { padding: .35rem .8rem; border-bottom: 1px solid #8883; text-align: left; vertical-align: top;
  white-space: pre-line }
th { position: sticky; top: 0; background: Canvas; border-bottom: 2px solid #888; white-space: nowrap }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
tbody tr:hover { background: #8881 }
.none { opacity: .4 }
"""


@transform("table -> .html", name="table-page", loses=["metadata"], extra="tables", needs=["pyarrow"])
def write_table_page(table: Table, path: Path, ctx: Context) -> None:
    """Write every row as an HTML table: numbers to the right, the header in view, missing cells as a pale dash.

    For an interactive chart instead: `--via chart-page`.
    """
    import pyarrow as pa  # type: ignore[import-untyped]

    kinds = table.arrow.schema.types
    right = [pa.types.is_integer(k) or pa.types.is_floating(k) or pa.types.is_decimal(k) for k in kinds]
    title = escape(table.name or "Table")
    history = f'<meta name="transpose" content="{escape(ctx.history)}">\n' if ctx.history else ""
    head = "".join(_tag("th", escape(name), number) for name, number in zip(table.columns, right, strict=True))
    with path.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
        file.write(f'<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n{history}')
        file.write('<meta name="viewport" content="width=device-width">\n')
        file.write(f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n")
        file.write(f'<div class="rows"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n')
        for batch in table.arrow.to_batches(max_chunksize=10_000):
            columns = [[_cell(value) for value in column.to_pylist()] for column in batch.columns]
            for row in zip(*columns, strict=True):
                cells = "".join(_tag("td", cell, number) for cell, number in zip(row, right, strict=True))
                file.write(f"<tr>{cells}</tr>\n")
        size = f"{len(table):,} rows, {len(table.columns):,} columns"
        file.write(f"</tbody>\n<caption>{size}</caption>\n</table></div>\n</body>\n</html>\n")


def _tag(name: str, inside: str, right: bool) -> str:
    return f'<{name} class="n">{inside}</{name}>' if right else f"<{name}>{inside}</{name}>"


def _cell(value: object) -> str:
    if value is None:
        return '<span class="none">–</span>'
    text = json.dumps(value) if isinstance(value, float) else as_text(value) or ""
    return escape(text)
