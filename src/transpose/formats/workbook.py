"""Workbooks (.xlsx, .xlsm, .xls) as documents: each sheet a section with its name and its tables.

Blank rows part tables; a row of one cell is a line of text. Cells show their values as they were last computed. For one
typed table of a workbook there is `.xlsx -> table`.
"""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from xml.etree.ElementTree import Element

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, EmptyInput, HugeInput, LockedInput, MislabelledInput
from transpose.core.transform import transform
from transpose.media.document import Document
from transpose.media.file import check_file, reason
from transpose.media.fragment import finish, make
from transpose.media.image import name_bytes
from transpose.media.office import properties
from transpose.media.package import OLE, open_package

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

CELLS = 2_000_000  # of one sheet, from the first to the last that is used
PLACE = re.compile(rb"<(?:\w+:)?c\s[^>]*?\br=\"([A-Z]{1,3})(\d{1,7})\"")
AGAIN = "Save or download it again"

Merged = list[tuple[tuple[int, int], tuple[int, int]]]  # first and last cell of each: (row, column)


@transform(
    ".xlsx|.xlsm|.xls -> document",
    name="read-workbook-document",
    loses=["layout", "exactness"],
    needs=["python_calamine", "lxml"],
    extra="documents",
)
def read_workbook_document(
    path: Path, ctx: Context, *, hidden: Annotated[bool, "hidden sheets too"] = False
) -> Document:
    """Read all sheets of a workbook; merged cells stay merged, hidden sheets are left out and named.

    Raises MislabelledInput, LockedInput, DamagedInput, EmptyInput, HugeInput (over two million cells in one sheet).
    """
    title, facts = _checked(path)
    body = make(None, "body")
    with _opened(path) as book:
        skipped = []
        for about in book.sheets_metadata:
            if not str(about.typ).endswith(".WorkSheet"):
                continue
            if not str(about.visible).endswith(".Visible") and not hidden:
                skipped.append(about.name)
                continue
            ctx.progress(0, None, about.name)
            sheet = book.get_sheet_by_name(about.name)
            _add_sheet(sheet, body)
    if skipped:
        ctx.warn(f"hidden sheets were left out: {', '.join(skipped[:5])} (-o hidden=true reads them)")
    if not len(body):
        raise EmptyInput(f"{path.name!r} has no cells with something in them", "Look at it in a spreadsheet program")
    return finish(body, title=title, metadata=facts)


def _checked(path: Path) -> tuple[str, dict[str, str]]:
    """What the file says of itself, after looking whether it is safe to open."""
    check_file(path)
    with path.open("rb") as file:
        head = file.read(512)
    if path.suffix.lower() == ".xls" and head.startswith(OLE):
        return "", {}
    if path.suffix.lower() == ".xls" and not head.startswith(b"PK"):
        raise MislabelledInput(f"{path.name!r} is {name_bytes(head) or 'something else'}, not a workbook")
    with open_package(path, "a workbook") as package:
        if not any(name.startswith("xl/") for name in package.infos):
            raise MislabelledInput(f"{path.name!r} is a ZIP archive, not a workbook", "Give it its right suffix")
        for name in package.infos:
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                _check_spread(package.read(name), path)
        return properties(package)


def _check_spread(data: bytes, path: Path) -> None:
    """The reader lays a sheet out from its first to its last cell: two cells far apart would fill the memory."""
    found = set(PLACE.findall(data)) if len(data) < 1_000_000 else PLACE.findall(data)
    if found:
        columns = {_column(letters) for letters in {letters for letters, _ in found}}
        rows = [int(row) for _, row in found]
        area = (max(columns) - min(columns) + 1) * (max(rows) - min(rows) + 1)
        if area > CELLS:
            raise HugeInput(f"a sheet of {path.name!r} spreads over {area:,} cells", "Read it as a table: --via table")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


@contextmanager
def _opened(path: Path) -> Iterator[CalamineWorkbook]:
    """The open workbook; what the reader raises, also while its sheets are read, becomes an error of ours."""
    import python_calamine

    try:
        with python_calamine.CalamineWorkbook.from_path(str(path)) as book:
            yield book
    except python_calamine.PasswordError:
        raise LockedInput(f"{path.name!r} is locked with a password", "Save it without one and try again") from None
    except (python_calamine.CalamineError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise DamagedInput(f"{path.name!r} is truncated or damaged ({reason(error)})", AGAIN) from None


def _add_sheet(sheet: CalamineSheet, body: Element) -> None:
    rows = [[_shown(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    if not any(any(row) for row in rows):
        return
    section = make(body, "section")
    make(section, "h2", sheet.name)
    merged: Merged = [(first, last) for first, last in sheet.merged_cell_ranges or []]
    joined = {row for (top, _), (bottom, _) in merged for row in range(top + 1, min(bottom, len(rows) - 1) + 1)}
    start = 0
    for number in range(len(rows) + 1):
        if number == len(rows) or (not any(rows[number]) and number not in joined):
            if number > start:
                _add_block(rows[start:number], start, merged, section)
            start = number + 1


def _add_block(rows: list[list[str]], top: int, merged: Merged, section: Element) -> None:
    """Rows without a blank one between, as a table; a single cell above or below it as a line."""
    first, last = _span(rows, merged, top)
    while rows and sum(map(bool, rows[0])) == 1 and len(rows) > 1 and not _wide(rows[0], top, merged, first, last):
        make(section, "p", next(filter(None, rows[0])))
        rows, top = rows[1:], top + 1
    first, last = _span(rows, merged, top)
    corners = {a: (b[0] - a[0] + 1, b[1] - a[1] + 1) for a, b in merged}
    covered = {
        (y, x)
        for (y0, x0), (y1, x1) in merged
        for y in range(y0, min(y1, top + len(rows)) + 1)
        for x in range(x0, x1 + 1)
    } - set(corners)
    table = make(section, "table")
    for y, row in enumerate(rows, top):
        line = make(table, "tr")
        for x in range(first, last + 1):
            if (y, x) in covered:
                continue
            cell = make(line, "th" if y == top else "td", row[x] if x < len(row) else "")
            tall, wide = corners.get((y, x), (1, 1))
            if tall > 1:
                cell.set("rowspan", str(tall))
            if wide > 1:
                cell.set("colspan", str(min(wide, last - x + 1)))


def _wide(row: Sequence[str], y: int, merged: Merged, first: int, last: int) -> bool:
    """Whether the only cell of a row is part of the table: not when it stands alone or covers all of it."""
    x = next(place for place, cell in enumerate(row) if cell)
    reach = next((b[1] for a, b in merged if a == (y, x)), x)
    return not (x == first and (reach == x or reach >= last)) and reach > x


def _span(rows: Sequence[Sequence[str]], merged: Merged, top: int) -> tuple[int, int]:
    """First and last column with something in it."""
    used = [x for row in rows for x, cell in enumerate(row) if cell]
    return (min(used), max(used)) if used else (0, 0)


def _shown(value: object) -> str:
    """A cell as a person would write it: whole numbers without a point, dates in the order of ISO 8601."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time(0)
        return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return " ".join(str(value).split(" ")).strip()
