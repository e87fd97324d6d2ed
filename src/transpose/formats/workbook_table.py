"""Tables in workbooks: `.xlsx`, and `.xlsm` to read.

One sheet becomes one table: the first that holds something and is not hidden, or the one that `-o sheet=` names;
those left out are named in a warning. The header is the first row with more than one filled cell (a title above it is
left out with a warning); rows without any value are left out. Formulas count as the value that was last computed. Days
without a time are dates. Several tables become one sheet each.

A workbook holds numbers of 15 digits: what is longer is written as text, as are days before March 1900 and times with a
zone. There is no NaN: it becomes an empty cell. Times are kept to the millisecond.
"""

from __future__ import annotations

import math
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context, Many
from transpose.core.errors import (
    DamagedInput,
    EmptyInput,
    HugeInput,
    LockedInput,
    MislabelledInput,
    OptionError,
    OutputError,
)
from transpose.core.transform import transform
from transpose.media.cells import MISSING
from transpose.media.encoding import read_bytes
from transpose.media.file import reason
from transpose.media.table import Table, as_text, typed, unique

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell
    from openpyxl.workbook.workbook import Workbook
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

LARGEST = 512 * 2**20  # bytes of a workbook; of what is packed in it, four times as many
ROWS, COLUMNS, LONGEST = 1_048_576, 16_384, 32_767  # of a sheet; characters of a cell
FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")  # in the name of a sheet
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")  # what XML cannot hold
DAY_ONE = datetime(1900, 3, 1)  # before it, workbooks count a 29 February 1900 that never was
# what a broken archive raises; broken XML raises a SyntaxError, of two libraries
PACKED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
Rows = list[list[object]]
Writable = str | float | Decimal | date | time | None


@transform(
    ".xlsx|.xlsm -> table", loses=["layout", "metadata", "structure"], extra="tables", needs=["pyarrow", "openpyxl"]
)
def read_workbook(
    path: Path,
    ctx: Context,
    *,
    sheet: Annotated[str, "name or number (from 1) of the sheet; default: the first that holds something"] = "",
    header: Annotated[Literal["auto", "yes", "no"], "whether the first row names the columns"] = "auto",
) -> Table:
    """Read one sheet as a table of numbers, dates, truth values and text.

    Raises LockedInput (password), MislabelledInput (another format, also the old .xls), DamagedInput, EmptyInput (no
    cells), OptionError (no such sheet), HugeInput.
    """
    import pyarrow as pa  # type: ignore[import-untyped]

    _check(path)
    book = _open(path)
    name, rows = _chosen(book, sheet, path, ctx)
    first = next((number for number, row in enumerate(rows) if len(_filled(row)) > 1), 0)
    titles = [str(value) for row in rows[:first] for value in _filled(row)]
    if titles:
        ctx.warn(f"left out above the table: {' / '.join(map(repr, titles[:5]))}")
    rows = rows[first:]
    wide = [at for at in range(max(map(len, rows))) if any(at < len(row) and row[at] is not None for row in rows)]
    cells = [[row[at] if at < len(row) else None for at in wide] for row in rows]
    named = header == "yes" or (header == "auto" and _is_header(cells[0]))
    names = unique("" if value is None else _label(value) for value in cells[0]) if named else _numbered(len(wide))
    body = cells[named:]
    columns = [_column(names[at], [row[at] for row in body], ctx) for at in range(len(wide))]
    with suppress(SyntaxError, ValueError, KeyError, OSError, *PACKED):  # other sheets may be damaged
        _warn_of_formulas(path, book.sheetnames.index(name), ctx)
    return Table(pa.table(dict(zip(names, columns, strict=True))), name)


def _check(path: Path) -> None:
    """Refuse by the first bytes, and by what the archive says of its size, before anything is unpacked."""
    data = read_bytes(path, LARGEST)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise LockedInput(f"{path.name!r} needs a password", "Save it without one")
        raise MislabelledInput(f"{path.name!r} is an old .xls workbook", "Save it as .xlsx")
    if not data.startswith(b"PK"):
        raise MislabelledInput(f"{path.name!r} is not an .xlsx workbook", "Rename it to what it is")
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(item.file_size for item in archive.infolist())
    except (ValueError, OSError, *PACKED):
        raise DamagedInput(f"{path.name!r} is cut off or damaged", "Save it again") from None
    if size > 4 * LARGEST:
        raise HugeInput(f"{path.name!r} unpacks to {size / 2**20:.0f} MB", "Split it into smaller workbooks")


def _open(path: Path) -> Workbook:
    import warnings

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that we do not read
            book: Workbook = load_workbook(path, read_only=True, data_only=True)
            return book
    except (InvalidFileException, KeyError, ValueError, TypeError, SyntaxError, OSError, *PACKED) as error:
        said = f"{path.name!r} is no workbook that can be read ({reason(error)})"
        raise DamagedInput(said, "Save it again") from None


def _chosen(book: Workbook, wanted: str, path: Path, ctx: Context) -> tuple[str, Rows]:
    """Name and rows of the sheet to read; the other ones that hold something are named in a warning."""
    names = [sheet.title for sheet in book.worksheets]
    if wanted:
        found = wanted if wanted in names else names[int(wanted) - 1] if _counts(wanted, len(names)) else ""
        if not found:
            raise OptionError(f"there is no sheet {wanted!r} in {path.name!r}", f"Sheets: {', '.join(names)}")
        rows = _rows(book, found, path, ctx)
        if not rows:
            raise EmptyInput(f"the sheet {found!r} of {path.name!r} is empty", f"Sheets: {', '.join(names)}")
        return found, rows
    shown = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    for name in [*shown, *(name for name in names if name not in shown)]:
        rows = _rows(book, name, path, ctx)
        if rows:
            others = [other for other in names if other != name]
            if others:
                listed = ", ".join(map(repr, others[:8])) + (f" and {len(others) - 8} more" if len(others) > 8 else "")
                ctx.warn(f"read the sheet {name!r}; left out: {listed} (-o sheet=NAME)")
            return name, rows
    raise EmptyInput(f"{path.name!r} holds no cells", "Give a workbook with something in it")


def _counts(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text) <= most


def _rows(book: Workbook, name: str, path: Path, ctx: Context) -> Rows:
    """The values of every row that has some; errors of formulas are missing values."""
    found: Rows = []
    failed = blank = pending = 0
    try:
        for row in book[name].iter_rows():
            values: list[object] = [None if cell.data_type == "e" else cell.value for cell in row]
            failed += sum(cell.data_type == "e" for cell in row)
            values = [None if value == "" else value for value in values]
            if any(value is not None for value in values):
                found.append(values)
                blank += pending
                pending = 0
            else:
                pending += bool(found)
    except (SyntaxError, ValueError, KeyError, TypeError, OverflowError, OSError, *PACKED) as error:
        raise DamagedInput(
            f"the sheet {name!r} of {path.name!r} is damaged ({reason(error)})", "Save it again"
        ) from None
    if failed:
        ctx.warn(f"{failed} cells of {name!r} hold errors like #DIV/0!: taken as missing")
    if blank:
        ctx.warn(f"{blank} empty rows inside {name!r} were left out")
    return found


def _filled(row: Sequence[object]) -> list[object]:
    return [value for value in row if value is not None]


def _is_header(row: Sequence[object]) -> bool:
    """A row of words; years may stand among them."""
    years = all(isinstance(v, str) or (type(v) is int and 1900 <= v <= 2100) for v in _filled(row))
    return years and any(isinstance(value, str) for value in row)


def _label(value: object) -> str:
    return as_text(value.date() if isinstance(value, datetime) and not _timed(value) else value) or ""


def _numbered(count: int) -> list[str]:
    return [f"column {number}" for number in range(1, count + 1)]


def _timed(moment: datetime) -> bool:
    return moment.time() != time(0)


def _column(name: str, values: list[object], ctx: Context) -> object:
    words = {value.strip() for value in values if isinstance(value, str)}
    if words and words <= set(MISSING) and not all(isinstance(value, str | None) for value in values):
        ctx.warn(f"{', '.join(map(repr, sorted(words)))} in the column {name!r} was taken as missing")
        values = [None if isinstance(value, str) else value for value in values]
    moments = [value for value in values if isinstance(value, datetime)]
    if moments and not any(map(_timed, moments)):
        values = [value.date() if isinstance(value, datetime) else value for value in values]
    kinds = {type(value) for value in values if value is not None}
    if str in kinds and len(kinds) > 1:
        ctx.warn(f"the column {name!r} holds words among other values: all of it became text")
    return typed(values)


def _warn_of_formulas(path: Path, at: int, ctx: Context) -> None:
    """Say how many formulas have no computed value: programs that only write workbooks leave it out."""
    from openpyxl import load_workbook

    with zipfile.ZipFile(path) as archive:
        sheets = [item for item in archive.infolist() if re.fullmatch(r"xl/worksheets/[^/]+\.xml", item.filename)]
        if not any(re.search(rb"<(?:\w+:)?f[ >]", archive.read(item)) for item in sheets):
            return
    computed, formulas = load_workbook(path, read_only=True, data_only=True), load_workbook(path, read_only=True)
    both = zip(computed.worksheets[at].iter_rows(), formulas.worksheets[at].iter_rows(), strict=False)
    cells = ((one.value, other.data_type) for row, twin in both for one, other in zip(row, twin, strict=False))
    count = sum(value is None and kind == "f" for value, kind in cells)
    if count:
        ctx.warn(f"{count} formulas have no computed value: open the workbook in a spreadsheet program and save it")


@transform("tables -> .xlsx", loses=["metadata"], extra="tables", needs=["pyarrow", "openpyxl"])
def write_workbook(tables: Many[Table], path: Path, ctx: Context) -> None:
    """Write a sheet for each table: a bold header that stays in view, columns as wide as their cells.

    What a workbook cannot hold is written as text, with a warning. Raises OutputError above 1,048,575 rows.
    """
    from openpyxl import Workbook

    path.write_bytes(b"")  # fails here or never: openpyxl, stopped amid writing, talks of it on stderr
    book = Workbook(write_only=True)
    taken: set[str] = set()
    for number, table in enumerate(tables, 1):
        title = _title(table.name or f"Sheet{number}", taken)
        _write_sheet(book.create_sheet(title), table, ctx)
    if not taken:
        raise OutputError("there is no table to write", "Look at the step before")
    if ctx.history:
        book.properties.description = ctx.history
    book.save(path)


def _title(name: str, taken: set[str]) -> str:
    """The name of a sheet: at most 31 characters, none of them forbidden, none twice."""
    base = CONTROL.sub("", FORBIDDEN.sub(" ", name)).strip().strip("'")[:31].strip() or "Sheet"
    title, count = base, 1
    while title.lower() in taken:
        count += 1
        title = f"{base[: 30 - len(str(count))]} {count}"
    taken.add(title.lower())
    return title


def _write_sheet(sheet: WriteOnlyWorksheet, table: Table, ctx: Context) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    if len(table) >= ROWS or len(table.columns) > COLUMNS:
        size = f"{len(table):,} rows and {len(table.columns):,} columns do not fit on a sheet"
        raise OutputError(size, "Write .csv or .parquet instead")
    head = list(_shown(table.arrow.slice(0, 200).to_pylist()))
    for at, name in enumerate(table.columns):
        longest = max([len(name), *(len(row[at]) for row in head)])
        # the stubs do not know it
        sheet.column_dimensions[get_column_letter(at + 1)].width = min(max(longest + 2, 8), 60)  # type: ignore[attr-defined]
    sheet.freeze_panes = "A2"

    def cell(value: Writable, bold: bool = False) -> Cell:
        made = WriteOnlyCell(sheet, value)  # type: ignore[arg-type]  # the stubs know fewer types
        if isinstance(value, str):
            made.data_type = "s"  # also of what begins with "=", which would become a formula
        elif isinstance(value, float) and float(f"{value:.16g}") != value:
            made.value, made.data_type = repr(value), "n"  # the library writes 16 digits, and some need 17
        if bold:
            made.font = Font(bold=True)
        return made

    sheet.append([cell(_writable(name, ctx), True) for name in table.columns])
    for batch in table.arrow.to_batches(max_chunksize=5_000):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            sheet.append([cell(_writable(value, ctx)) for value in row])


def _shown(rows: Iterable[dict[str, object]]) -> Iterable[list[str]]:
    return ([as_text(value) or "" for value in row.values()] for row in rows)


def _writable(value: object, ctx: Context) -> Writable:
    """The value as a cell can hold it."""
    if isinstance(value, float) and not math.isfinite(value):
        ctx.warn("a workbook has no NaN and no infinity: left empty")
        return None
    if isinstance(value, bool | None):
        return value
    if isinstance(value, int | Decimal):
        if _short(value):
            return value if isinstance(value, int) or value % 1 else int(value)
        ctx.warn("numbers of more than 15 digits were written as text, because workbooks round them")
        return as_text(value)
    if isinstance(value, datetime) and (value.tzinfo is not None or value < DAY_ONE):
        ctx.warn("days before March 1900 and times with a zone were written as text: workbooks have none")
        return as_text(value)
    if isinstance(value, date) and not isinstance(value, datetime) and value < DAY_ONE.date():
        ctx.warn("days before March 1900 and times with a zone were written as text: workbooks have none")
        return as_text(value)
    if isinstance(value, float | datetime | date | time):
        return value
    return _characters(as_text(value) or "", ctx)


def _short(value: int | Decimal) -> bool:
    digits = Decimal(value).normalize().as_tuple().digits
    return len(digits) <= 15 and -(10**15) < value < 10**15


def _characters(text: str, ctx: Context) -> str:
    if CONTROL.search(text):
        ctx.warn("control characters, which a workbook cannot hold, were left out")
        text = CONTROL.sub("", text)
    if len(text) > LONGEST:
        ctx.warn(f"texts of more than {LONGEST} characters were cut, because a cell holds no more")
    return text[:LONGEST]
