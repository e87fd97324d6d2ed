"""Tables in SQLite databases: `.sqlite`, `.sqlite3` and `.db`.

A database is opened for reading only, and nothing in it is run but the reading of one table: the first, or the one that
`-o table=` names (views too); tables left out are named in a warning. Columns declared as DATE, DATETIME, TIMESTAMP or
BOOLEAN become dates and truth values where all their values are such. Several tables are written as one database;
decimals go into columns declared as DECIMAL_TEXT, because SQLite itself would round them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context, Many
from transpose.core.errors import DamagedInput, EmptyInput, MislabelledInput, OptionError, OutputError
from transpose.core.transform import transform
from transpose.media.cells import Reading, infer, iso_dates, written
from transpose.media.encoding import read_bytes
from transpose.media.file import reason
from transpose.media.table import Table, decimals, typed, unique

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

LARGEST = 2**40
STEPS = 200_000_000  # instructions of SQLite's machine; a view can be an endless loop
MOST_COLUMNS = 2_000
LISTING = (
    "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)


@transform(".sqlite|.sqlite3|.db -> table", extra="tables", needs=["pyarrow"])
def read_sqlite(
    path: Path, ctx: Context, *, table: Annotated[str, "name of the table or view (default: the first)"] = ""
) -> Table:
    """Read every row of one table.

    Raises MislabelledInput (no such database, or an encrypted one), DamagedInput, EmptyInput (no table), OptionError.
    """
    import pyarrow as pa

    _check(path)
    # a database that another program has open keeps its newest rows in a file beside it
    alone = "" if path.with_name(path.name + "-wal").exists() else "&immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro{alone}", uri=True)) as base:
            base.execute("PRAGMA trusted_schema=OFF")
            base.text_factory = lambda data: data.decode("utf-8", "replace")
            base.set_progress_handler(_counted(STEPS), 100_000)
            name = _chosen(base, table, path, ctx)
            cursor = base.execute(f"SELECT * FROM {_quote(name)}")
            names = unique(column[0] for column in cursor.description)
            rows = cursor.fetchall()
            declared = [
                str(row[2]).upper() for row in base.execute(f"PRAGMA table_xinfo({_quote(name)})") if not row[6]
            ]
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:  # the last: names of columns
        raise DamagedInput(
            f"{path.name!r} cannot be read: {reason(error)}", "Is it cut off, or changed by a program now?"
        ) from None
    declared = declared if len(declared) == len(names) else [""] * len(names)
    values = list(zip(*rows, strict=True)) or [()] * len(names)
    columns = [_column(column, kind) for column, kind in zip(values, declared, strict=True)]
    return Table(pa.table(dict(zip(names, columns, strict=True))), name)


def _check(path: Path) -> None:
    if not path.is_file() or not path.stat().st_size:
        read_bytes(path, LARGEST)  # raises what fits
    with path.open("rb") as file:
        head = file.read(100)
    if head[:16] != b"SQLite format 3\0":
        hint = "Rename it to what it is; an encrypted database has to be written again without its key"
        raise MislabelledInput(f"{path.name!r} is not an SQLite database", hint)
    # what the header says of the size counts only where it was written by the last change (SQLite file format, 1.3.7)
    page, count = int.from_bytes(head[16:18]), int.from_bytes(head[28:32])
    if head[24:28] == head[92:96] and path.stat().st_size < count * (65536 if page == 1 else page):
        raise DamagedInput(f"{path.name!r} is cut off", "Get it again")


def _counted(most: int) -> Callable[[], int]:
    calls = iter(range(most // 100_000))
    return lambda: next(calls, None) is None


def _chosen(base: sqlite3.Connection, wanted: str, path: Path, ctx: Context) -> str:
    listed = base.execute(LISTING)
    known = {str(name): str(kind) for name, kind in listed}
    if wanted:
        if wanted not in known:
            raise OptionError(f"there is no table {wanted!r} in {path.name!r}", f"Tables: {', '.join(known) or 'none'}")
        return wanted
    tables = [name for name, kind in known.items() if kind == "table"]
    filled = [name for name in tables if base.execute(f"SELECT 1 FROM {_quote(name)} LIMIT 1").fetchone()]
    if not tables:
        raise EmptyInput(f"{path.name!r} holds no tables", f"Views, for -o table=: {', '.join(known)}" if known else "")
    name = (filled or tables)[0]
    others = [other for other in known if other != name]
    if others:
        listed_ = ", ".join(map(repr, others[:8])) + (f" and {len(others) - 8} more" if len(others) > 8 else "")
        ctx.warn(f"read the table {name!r}; left out: {listed_} (-o table=NAME)")
    return name


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _column(values: Sequence[object], declared: str) -> pa.Array:
    """A typed column, by its values and by what the column was declared as."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds == {int} and declared.startswith("BOOL") and {0, 1} >= set(values) - {None}:
        return pa.array([None if value is None else bool(value) for value in values])
    if kinds == {str} and declared == "DECIMAL_TEXT":
        try:
            found = decimals([None if value is None else Decimal(str(value)) for value in values])
        except InvalidOperation:
            found = None
        return typed(values) if found is None else found
    if kinds == {str} and declared.startswith(("DATE", "TIMESTAMP")):
        return iso_dates(typed(values))
    if kinds == {str} and declared == "TIME":
        return infer("", typed(values), Reading())
    if not kinds:
        simple = {"INTEGER": pa.int64(), "REAL": pa.float64(), "TEXT": pa.string(), "BLOB": pa.binary()}
        return pa.nulls(len(values), simple.get(declared, pa.null()))
    return typed(values)


@transform("tables -> .sqlite|.sqlite3|.db", loses=["metadata"], extra="tables", needs=["pyarrow"])
def write_sqlite(tables: Many[Table], path: Path, ctx: Context) -> None:
    """Write a database with each table under its name; NaN becomes NULL, which is all that SQLite has.

    Raises OutputError for no table, a table without columns and more than 2,000 columns.
    """
    taken: list[str] = []
    try:
        with closing(sqlite3.connect(path)) as base, base:
            base.execute("PRAGMA journal_mode=MEMORY")
            for table in tables:
                taken = _without_case([*taken, table.name or "data"])
                _write(base, taken[-1], table, ctx)
    except sqlite3.Error as error:
        raise OutputError(f"the database could not be written: {reason(error)}", "Write .parquet instead") from error
    if not taken:
        raise OutputError("there is no table to write", "Look at the step before")


def _without_case(names: Sequence[str]) -> list[str]:
    """Names made different also where case does not count, as in SQLite; those of SQLite's own get a `_` before."""
    found: list[str] = []
    for name in unique(names):
        base = name = f"_{name}" if name.lower().startswith("sqlite_") else name.replace("\0", "")
        count = 1
        while name.lower() in (other.lower() for other in found):
            count += 1
            name = f"{base} {count}"
        found.append(name)
    return found


def _write(base: sqlite3.Connection, name: str, table: Table, ctx: Context) -> None:
    if not 0 < len(table.columns) <= MOST_COLUMNS:
        raise OutputError(f"an SQLite table cannot have {len(table.columns)} columns", "Write .parquet instead")
    names = _without_case(table.columns)
    if names != table.columns:
        changed = [new for old, new in zip(table.columns, names, strict=True) if old != new]
        ctx.warn(f"columns were renamed, because SQLite tells no case apart: {', '.join(changed)}")
    kinds = [_declared(column) for column in table.arrow.columns]
    listed = ", ".join(f"{_quote(column)} {kind}" for column, kind in zip(names, kinds, strict=True))
    base.execute(f"CREATE TABLE {_quote(name)} ({listed})")
    marks = ", ".join("?" * len(names))
    for batch in table.arrow.to_batches(max_chunksize=20_000):
        columns = [_values(column, kind) for column, kind in zip(batch.columns, kinds, strict=True)]
        base.executemany(f"INSERT INTO {_quote(name)} VALUES ({marks})", zip(*columns, strict=True))


def _declared(column: pa.ChunkedArray) -> str:
    """What a column is declared as; whole numbers beyond int64 are decimals."""
    import pyarrow as pa
    import pyarrow.compute as pc  # type: ignore[import-untyped]

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    tests = (
        (pa.types.is_boolean, "BOOLEAN"),
        (pa.types.is_integer, "INTEGER"),
        (pa.types.is_floating, "REAL"),
        (pa.types.is_decimal, "DECIMAL_TEXT"),
        (pa.types.is_date, "DATE"),
        (pa.types.is_timestamp, "TIMESTAMP"),
        (pa.types.is_time, "TIME"),
        (lambda each: pa.types.is_binary(each) or pa.types.is_large_binary(each), "BLOB"),
        (pa.types.is_null, ""),
    )
    found = next((name for test, name in tests if test(kind)), "TEXT")
    if kind == pa.uint64() and (pc.max(column).as_py() or 0) >= 2**63:
        return "DECIMAL_TEXT"
    return found


def _values(column: pa.Array, kind: str) -> list[object]:
    """The values as SQLite takes them: numbers and bytes as they are, all else as text."""
    plain: list[object] = (
        column if kind in ("INTEGER", "REAL", "BLOB", "BOOLEAN", "") else written(column)
    ).to_pylist()
    return plain
