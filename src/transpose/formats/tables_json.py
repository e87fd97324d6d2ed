"""Tables as `.json` and `.jsonl`: an object a row.

A `.json` may also be an object of columns (`{"a": [1, 2], "b": [3, 4]}`), a list of lists, a list of single values,
what pandas writes with `orient="split"`, or an object in which one list of rows stands (`{"count": 2, "items": [...]}`;
the rest is left out, with a warning). Whole numbers keep every digit; other numbers become float64 where that gives
back what is written, else decimal. Texts that all are ISO 8601 dates become dates, and are written as such. Objects
inside cells stay objects (Arrow structs); where they differ too much, a cell holds their JSON.

Our own JSON files of text and embeddings hold no table: their readers take them (media/schema.py).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, EmptyInput, MislabelledInput, OptionError, SilentInput
from transpose.core.transform import transform
from transpose.media.cells import iso_dates
from transpose.media.encoding import read_characters
from transpose.media.schema import HOLDS
from transpose.media.table import Table, as_text, from_rows, unique

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]


@transform(".json -> table", extra="tables", needs=["pyarrow"])
def read_json_table(
    path: Path, ctx: Context, *, rows: Annotated[str, "name of the list to read, where several stand in an object"] = ""
) -> Table:
    """Read a table from JSON of any of the shapes that the module names.

    Raises DamagedInput (broken JSON), SilentInput (no rows in it), MislabelledInput (text or embeddings of ours).
    """
    try:
        value = json.loads(read_characters(path, ctx), parse_float=_number, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        said = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise DamagedInput(
            f"{path.name!r} is not valid JSON: {said}", "Is it cut off? Lines of JSON are .jsonl"
        ) from None
    held = HOLDS.get(str(value.get("schema"))) if isinstance(value, dict) else None
    if held:
        raise MislabelledInput(f"{path.name!r} holds {held}, not a table", f"Add --from {held}")
    return _dated(from_rows(*_rows(value, rows, path, ctx)), path.stem)


@transform(".jsonl|.ndjson -> table", extra="tables", needs=["pyarrow"])
def read_jsonl(path: Path, ctx: Context) -> Table:
    """Read a table from lines that each hold one JSON object; empty lines are skipped.

    Raises DamagedInput, naming the line, where one is no JSON object.
    """
    found: list[dict[str, object]] = []
    for number, line in enumerate(read_characters(path, ctx).split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, parse_float=_number, parse_int=_integer)
        except (ValueError, RecursionError) as error:
            said = f"line {number} of {path.name!r} is not valid JSON: {error}"
            raise DamagedInput(said, "Is the file cut off? One value over many lines is .json") from None
        found.append(value if isinstance(value, dict) else {"value": value})
    return _dated(from_rows(found), path.stem)


def _number(written: str) -> float | Decimal:
    number = float(written)
    exact = Decimal(written)
    return number if math.isfinite(number) and Decimal(repr(number)) == exact else exact


def _integer(written: str) -> int | str:
    """A whole number; one longer than Python reads (4,300 digits) stays text."""
    return int(written) if len(written) < 4000 else written


def _rows(value: object, wanted: str, path: Path, ctx: Context) -> tuple[list[dict[str, object]]]:
    """The rows in a JSON value, as a tuple of one (the arguments of `from_rows`)."""
    if wanted:
        if not isinstance(value, dict) or not isinstance(value.get(wanted), list):
            names = [key for key in value if isinstance(value[key], list)] if isinstance(value, dict) else []
            raise OptionError(
                f"there is no list {wanted!r} in {path.name!r}", f"Lists in it: {', '.join(names) or 'none'}"
            )
        value = value[wanted]
    if isinstance(value, list):
        return (_listed(value, path),)
    if not isinstance(value, dict) or not value:
        raise SilentInput(
            f"{path.name!r} holds no rows", "A table is a list of objects; rename it to .txt to read it as text"
        )
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
        names = unique(map(str, value["columns"]))
        return ([dict(zip(names, row, strict=False)) for row in value["data"] if isinstance(row, list)],)
    lists = {key: each for key, each in value.items() if isinstance(each, list)}
    if len(lists) == len(value) and len({len(each) for each in lists.values()}) == 1 and not _objects(lists):
        return ([dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)],)
    inside = {key: each for key, each in lists.items() if each and all(isinstance(row, dict) for row in each)}
    if not inside:
        return ([value],)
    first = max(inside, key=lambda key: len(inside[key]))
    others = [repr(key) for key in value if key != first]
    if others:
        shown = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
        ctx.warn(f"the rows are those of {first!r}; left out: {shown} (-o rows=NAME reads another list)")
    return (inside[first],)


def _objects(lists: dict[str, list[object]]) -> bool:
    return any(isinstance(item, dict) for each in lists.values() for item in each)


def _listed(value: list[object], path: Path) -> list[dict[str, object]]:
    """Rows of a JSON list: objects, lists of cells (the first may be names), or single values."""
    if not value:
        raise EmptyInput(f"{path.name!r} holds an empty list", "Give a file with rows in it")
    if all(isinstance(row, list) for row in value):
        rows: list[list[object]] = [row for row in value if isinstance(row, list)]
        width = max(map(len, rows))
        named = len(rows) > 1 and len(rows[0]) == width and all(isinstance(cell, str) for cell in rows[0])
        named = named and not all(isinstance(cell, str) for row in rows[1:] for cell in row)
        names = unique(map(str, rows[0])) if named else [f"column {number}" for number in range(1, width + 1)]
        return [dict(zip(names, row, strict=False)) for row in rows[named:]]
    return [row if isinstance(row, dict) else {"value": row} for row in value]


def _dated(table: Table, name: str) -> Table:
    """The same table with text columns that are all dates as dates."""
    import pyarrow as pa

    arrow = table.arrow
    columns = [
        iso_dates(column.combine_chunks()) if pa.types.is_string(column.type) else column for column in arrow.columns
    ]
    return Table(pa.table(dict(zip(table.columns, columns, strict=True))), name)


@transform("table -> .json", default_kind="table", loses=["metadata"], extra="tables", needs=["pyarrow"])
def write_json_table(table: Table, path: Path, ctx: Context) -> None:
    """Write a list with an object for each row; every cell as `write-jsonl` writes it."""
    lines = _lines(table, ctx)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("[")
        for number, line in enumerate(lines):
            file.write((",\n " if number else "\n ") + line)
        file.write("\n]\n")


@transform("table -> .jsonl|.ndjson", loses=["metadata"], extra="tables", needs=["pyarrow"])
def write_jsonl(table: Table, path: Path, ctx: Context) -> None:
    """Write an object a line: numbers with every digit, dates in ISO 8601, bytes in hexadecimal, missing ones as null.

    JSON has no NaN and no infinity: they become null, with a warning.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line in _lines(table, ctx):
            file.write(line + "\n")


def _lines(table: Table, ctx: Context) -> Iterator[str]:
    names = [json.dumps(name, ensure_ascii=False) for name in table.columns]
    for batch in table.arrow.to_batches(max_chunksize=10_000):
        columns = [_cells(column, ctx) for column in batch.columns]
        for row in zip(*columns, strict=True):
            cells = ", ".join(f"{name}: {cell}" for name, cell in zip(names, row, strict=True))
            yield ("{" + cells + "}").encode("utf-8", "replace").decode()


def _cells(column: pa.Array, ctx: Context) -> list[str]:
    return [_json(value, ctx) for value in column.to_pylist()]


def _json(value: object, ctx: Context) -> str:
    """One value as JSON; decimals are written as numbers, which `json.dumps` cannot do."""
    if isinstance(value, float) and not math.isfinite(value):
        ctx.warn("JSON has no NaN and no infinity: written as null")
        return "null"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(
                f"{json.dumps(str(key), ensure_ascii=False)}: {_json(each, ctx)}" for key, each in value.items()
            )
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_json(each, ctx) for each in value) + "]"
    if value is None or isinstance(value, str | bool | int | float):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(as_text(value), ensure_ascii=False)
