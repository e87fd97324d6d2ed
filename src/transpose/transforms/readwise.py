"""Highlights of books as Readwise exports them, and lists of that shape: known by their columns, set by book."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, InputError
from transpose.core.transform import transform
from transpose.media.table import Table, as_text, from_rows
from transpose.media.text import Text

COLUMNS = ("highlight", "title", "author", "note", "tags", "location", "highlighted", "url", "category", "color")
MEANS = {
    "highlight": "highlight|highlight text|quote|annotation|passage|text",
    "title": "book title|title|book|document title|source title|article title",
    "author": "book author|author|authors",
    "note": "note|notes|comment|my note",
    "tags": "tags|highlight tags|tag",
    "location": "location|page|position|page number",
    "highlighted": "highlighted at|date|highlighted|created at|date highlighted|added on",
    "url": "url|source url|link|highlight url",
    "category": "category|type",
    "color": "color|colour",
}
Row = dict[str, object]


@transform("table -> table.highlights", verb=True, loses=["metadata"], needs=["pyarrow"], extra="tables")
def highlights(table: Table, ctx: Context) -> Table:
    """Find the columns of highlights in a table: what was marked, in which book, by whom, where, when, with what note.

    Rows without a marked passage are left out, with a warning. Raises InputError where there is no such column.
    """
    rows = _rows(table, ctx)
    used = [name for name in COLUMNS if any(row.get(name) is not None for row in rows)]
    ctx.note("highlights", len(rows))
    return from_rows(rows, "highlights", used)


@transform("table.highlights -> text@markdown", loses=["exactness", "metadata"], needs=["pyarrow"], extra="tables")
def highlights_by_book(
    table: Table,
    ctx: Context,
    *,
    order: Annotated[Literal["place", "time", "file"], "of the highlights of one book"] = "place",
    style: Annotated[Literal["quote", "list"], "each passage as a quotation or as an item"] = "quote",
) -> Text:
    """Write highlights as one section for each book, with place, date, note and tags below each passage.

    Books stand in the order of the table. Raises InputError where the table has no column of highlights.
    """
    books: dict[tuple[str, str], list[Row]] = {}
    for row in _rows(table, ctx):
        books.setdefault((_words(row.get("title")) or "Without a title", _words(row.get("author"))), []).append(row)
    out = []
    for (title, author), rows in books.items():
        out.append(f"## {_plain(title)}")
        out += [f"*{_plain(author)}*"] if author else []
        out += [_passage(row, style) for row in _ordered(rows, order)]
    ctx.note("books", len(books))
    return Text("# Highlights\n\n" + "\n\n".join(out), "markdown")


def _rows(table: Table, ctx: Context) -> list[Row]:
    """Rows under our own names of columns."""
    names = {re.sub(r"[\s_]+", " ", column).strip().lower(): column for column in reversed(table.columns)}
    found: dict[str, str] = {}
    for name, row in MEANS.items():
        wanted = row.split("|")
        column = next((names[each] for each in wanted if each in names), "")
        if column and column not in found.values():
            found[name] = column
    if "highlight" not in found:
        listed = ", ".join(table.columns[:12])
        hint = "Readwise exports have the columns Highlight and Book Title"
        raise InputError(f"this table has no column of highlights, only {listed}", hint)
    rows = [{name: row[column] for name, column in found.items()} for row in table.rows()]
    kept = [row for row in rows if _words(row["highlight"])]
    if not kept:
        raise EmptyInput("no row holds a highlight", "Is it the whole export?")
    if len(kept) < len(rows):
        ctx.warn(f"{len(rows) - len(kept)} rows without a highlight were left out")
    return kept


def _ordered(rows: list[Row], order: str) -> list[Row]:
    if order == "time" and all(isinstance(row.get("highlighted"), date) for row in rows):
        return sorted(rows, key=lambda row: as_text(row["highlighted"]) or "")
    places = [_place(row) for row in rows]
    if order == "place" and None not in places:
        return [row for _, row in sorted(zip(places, rows, strict=True), key=lambda pair: pair[0] or 0)]
    return rows


def _place(row: Row) -> float | None:
    found = re.search(r"\d+(?:\.\d+)?", _words(row.get("location")))
    return float(found.group()) if found else None


def _passage(row: Row, style: str) -> str:
    said = _words(row["highlight"])
    lines = [_escape(line.strip()) for line in said.split("\n")]
    mark, more = ("> ", "> ") if style == "quote" else ("- ", "  ")
    shown = "\n".join((mark if number == 0 else more) + line for number, line in enumerate(lines)).rstrip()
    extra = [part for part in (_where(row), _tags(row)) if part]
    below = [" ".join(extra)] if extra else []
    note = _words(row.get("note"))
    below = ([f"**Note:** {_plain(note)}"] if note else []) + below
    between, indent = ("\n\n", "") if style == "quote" else ("\n", "  ")
    return shown + "".join(between + indent + each for each in below)


def _where(row: Row) -> str:
    place, when = _words(row.get("location")), row.get("highlighted")
    day = when.date() if isinstance(when, datetime) else when
    named = f"{'location ' if place.isdigit() else ''}{place}" if place else ""
    parts = [_plain(part) for part in (named, _words(day)) if part]
    return f"({', '.join(parts)})" if parts else ""


def _tags(row: Row) -> str:
    return " ".join(_hash(tag) for tag in re.split(r"[,;]", _words(row.get("tags"))) if tag.strip())


def _hash(tag: str) -> str:
    return "#" + re.sub(r"[^\w/-]+", "-", tag.strip().lstrip("#")).strip("-")


def _words(value: object) -> str:
    return (as_text(value) or "").strip()


def _plain(words: str) -> str:
    return _escape(" ".join(words.split()))


def _escape(line: str) -> str:
    """Words that Markdown shows as they are."""
    line = re.sub(r"[\\`*\[\]<]|(?<!\w)_|_(?!\w)", lambda found: "\\" + found.group(), line)
    return re.sub(r"^(\d+)(?=[.)](?:\s|$))|^(?=#{1,6}\s|[>+-])", r"\1\\", line)
