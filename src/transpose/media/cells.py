"""Cells as they are written in text: which type a column of them has, and how a typed column is written.

A column becomes numbers, dates or truth values only where every cell of it is one and no digit is lost by it: a number
with leading zeros, or with a plus sign before it, is a name and stays text (post codes, telephones); whole numbers of
any length stay exact; one with more digits than float64 keeps becomes decimal. Where 1,234 or 03/04/2020 can be read in
two ways, the rest of the table decides, else it is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from transpose.media.table import as_text, decimals

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

# what stands for "missing" in a column of numbers or dates; in a column of words it is a word
MISSING = ("NA", "N/A", "n/a", "na", "#N/A", "null", "NULL", "None", "nan", "-", "--", "–", "—", "?", ".", "…")
WHOLE = r"^-?(?:0|[1-9][0-9]*)$"
FLOATING = r"^[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?$"
SPECIAL = r"^(?:NaN|-?inf)$"
COMMA = r"^-?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:[. '’\x{a0}\x{202f}][0-9]{3})+),[0-9]+$"
GROUP_MARKS = " '’\u00a0\u202f"
TRUTH = r"^(?:true|false|TRUE|FALSE|True|False)$"
ISO_DATE = r"^[0-9]{4}-[01][0-9]-[0-3][0-9]$"
ISO_MOMENT = r"^[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?"
ZONE = r" ?(?:Z|[+-][0-9]{2}:?[0-9]{2})$"
CLOCK = r"^[0-2][0-9]:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?$"
DOTTED = r"^[0-3]?[0-9]\.[01]?[0-9]\.[0-9]{4}$"
SLASHED = r"^[0-3]?[0-9][/-][0-3]?[0-9][/-][0-9]{4}$"
YEAR_FIRST = r"^[0-9]{4}/[01]?[0-9]/[0-3]?[0-9]$"


@dataclass(frozen=True)
class Reading:
    """How cells are to be read: the mark before decimals, and whether 3/4/2020 is in April (`dmy`) or March (`mdy`).

    `remarks` collects what the user should know, by the name of the column.
    """

    decimal: str = "."
    dates: str = ""
    remarks: list[str] = field(default_factory=list)


def infer(name: str, cells: pa.Array, reading: Reading) -> pa.Array:
    """The typed column that the text cells (null where missing) of the column `name` are; the cells, where none fits.

    An empty cell counts as missing in any typed column. Types: int64, float64, decimal, bool, date32, time64(us),
    timestamp(us or ns) with the zone written, null where there is nothing.
    """
    import pyarrow as pa
    import pyarrow.compute as pc  # type: ignore[import-untyped]

    trimmed = pc.utf8_trim_whitespace(cells)
    blank = pc.fill_null(pc.equal(trimmed, ""), True)
    if pc.all(blank).as_py() is not False:
        return pa.nulls(len(cells)) if cells.null_count == len(cells) else cells
    marks = pc.is_in(trimmed, value_set=pa.array(MISSING))
    if pc.all(pc.or_(marks, blank)).as_py():
        return cells
    kept = pc.if_else(pc.or_(blank, marks), pa.scalar(None, pa.string()), trimmed)
    for attempt in (_truths, _whole, _floating, _grouped, _days, _moments, _clocks):
        found = attempt(name, kept, reading)
        if found is not None:
            count = pc.sum(marks).as_py()
            if count:
                said = ", ".join(sorted({repr(each) for each in pc.unique(trimmed.filter(marks)).to_pylist()}))
                reading.remarks.append(f"{said} in the column {name!r} was taken as missing ({count} times)")
            return found
    return cells


def all_match(cells: pa.Array, pattern: str) -> bool:
    """Whether every cell that is there matches."""
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(cells, pattern)).as_py())


def any_match(cells: pa.Array, pattern: str) -> bool:
    """Whether some cell matches."""
    import pyarrow.compute as pc

    return bool(pc.any(pc.match_substring_regex(cells, pattern)).as_py())


def decimal_mark(columns: Sequence[pa.Array], separator: str) -> tuple[str, str]:
    """The mark before decimals in a table, and a remark where it had to be assumed.

    A comma, where a column of numbers has one that cannot stand between thousands, or where the separator is `;`.
    """
    import pyarrow.compute as pc

    trimmed = (pc.utf8_trim_whitespace(column) for column in columns)
    numbers = [c for c in trimmed if any_match(c, COMMA) and all_match(c, f"{COMMA}|{WHOLE}|^(?:|NA|-)$")]
    if any(any_match(column, r",(?:[0-9]{1,2}|[0-9]{4,})$|[. ][0-9]{3},|^-?0,") for column in numbers):
        return ",", ""
    if numbers and separator == ";":
        return ",", "commas in numbers were read as decimal marks, because the separator is ';': -o decimal=. if not"
    if numbers:
        return ".", "commas in numbers were read as marks of thousands: -o decimal=, if they are decimal marks"
    return ".", ""


def _truths(name: str, cells: pa.Array, reading: Reading) -> pa.Array | None:
    import pyarrow.compute as pc

    return pc.equal(pc.utf8_lower(cells), "true") if all_match(cells, TRUTH) else None


def _whole(name: str, cells: pa.Array, reading: Reading) -> pa.Array | None:
    import pyarrow as pa

    if not all_match(cells, WHOLE):
        return None
    try:
        return cells.cast(pa.int64())
    except pa.ArrowInvalid:
        return decimals([None if cell is None else Decimal(cell) for cell in cells.to_pylist()])


def _floating(name: str, cells: pa.Array, reading: Reading) -> pa.Array | None:
    if not all_match(cells, f"{FLOATING}|{SPECIAL}"):
        return None
    if any_match(cells, r"^\+[0-9]+$") and not any_match(cells, r"^-|[.eE]"):
        return None  # telephone numbers
    if reading.decimal == "," and any_match(cells, r"\.") and all_match(cells, r"^-?[1-9][0-9]{0,2}(\.[0-9]{3})*$"):
        return None  # thousands, where the comma is the decimal mark
    return _exact(cells)


def _exact(cells: pa.Array) -> pa.Array | None:
    """float64 where that holds what is written, else decimal, else nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = cells.cast(pa.float64())
    long = pc.greater(pc.utf8_length(cells), 15)
    doubtful = pc.or_kleene(long, pc.match_substring_regex(cells, "[eE]"))
    if all(_holds(cell) for cell in cells.filter(pc.fill_null(doubtful, False)).to_pylist()):
        return found
    if any_match(cells, SPECIAL):
        return None
    return decimals([None if cell is None else Decimal(cell) for cell in cells.to_pylist()])


def _holds(cell: str) -> bool:
    """Whether float64 gives back the number that is written."""
    number = float(cell)
    return bool(re.match(SPECIAL, cell)) or (abs(number) < float("inf") and Decimal(repr(number)) == Decimal(cell))


def _grouped(name: str, cells: pa.Array, reading: Reading) -> pa.Array | None:
    """Numbers with marks between thousands (1,234.5 or 1.234,5 or 1 234,5), or with a decimal comma."""
    import pyarrow.compute as pc

    point = reading.decimal
    for mark in (*GROUP_MARKS, "," if point == "." else "."):
        tail = rf"(?:\{point}[0-9]+)?$"
        groups = rf"^[+-]?[1-9][0-9]{{0,2}}(?:{re.escape(mark)}[0-9]{{3}})+{tail}"
        plain = rf"^[+-]?(?:0|[1-9][0-9]*){tail}"
        if not all_match(cells, f"{groups}|{plain}") or not (any_match(cells, groups) or point == ","):
            continue
        bare = pc.replace_substring(pc.replace_substring(cells, mark, ""), point, ".")
        return _whole(name, bare, reading) or _exact(bare)
    return None


def _days(name: str, cells: pa.Array, reading: Reading) -> pa.Array | None:
    import pyarrow as pa

    if all_match(cells, ISO_DATE):
        return _tried(lambda: cells.cast(pa.date32()))
    if all_match(cells, DOTTED):
        return _day_parts(cells, (2, 1, 0))
    if all_match(cells, YEAR_FIRST):
        return _day_parts(cells, (0, 1, 2))
    if not all_match(cells, SLASHED):
        return None
    orders = {"dmy": _day_parts(cells, (2, 1, 0)), "mdy": _day_parts(cells, (2, 0, 1))}
    possible = [order for order, column in orders.items() if column is not None]
    order = reading.dates or (possible[0] if len(possible) == 1 else "")
    if not order and len(possible) == 2:
        if orders["dmy"] == orders["mdy"]:
            return orders["dmy"]
        reading.remarks.append(
            f"the dates in {name!r} can be read in two ways and stay text: -o dates=dmy or dates=mdy"
        )
    return orders.get(order)


def _day_parts(cells: pa.Array, order: tuple[int, int, int]) -> pa.Array | None:
    """Days of cells with three numbers, of which `order` are year, month and day; None where one does not exist."""
    from datetime import date

    import pyarrow as pa

    def day(cell: str | None) -> date | None:
        if cell is None:
            return None
        parts = [int(part) for part in re.split(r"[./-]", cell)]
        return date(*(parts[at] for at in order))

    return _tried(lambda: pa.array([day(cell) for cell in cells.to_pylist()], pa.date32()))


def _moments(name: str, cells: pa.Array, reading: Reading) -> pa.Array | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    zoned = all_match(cells, ISO_MOMENT + ZONE)
    if not zoned and not all_match(cells, ISO_MOMENT + "$"):
        return None
    cells = pc.replace_substring_regex(cells, r",([0-9]+)", r".\1")
    unit = "ns" if any_match(cells, r"\.[0-9]{7}") else "us"
    if not zoned:
        return _tried(lambda: cells.cast(pa.timestamp(unit)))
    zones = pc.extract_regex(pc.drop_null(cells), r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})$").field("zone")
    names = {
        f"{zone[:3]}:{zone[-2:]}".replace("Z:Z", "UTC").replace("+00:00", "UTC") for zone in set(zones.to_pylist())
    }
    if len(names) > 1:
        return None
    tidy = pc.replace_substring_regex(cells, " ?(Z|[+-][0-9:]+)$", r"\1")
    zone = names.pop()
    return _tried(lambda: tidy.cast(pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit, zone)))


def _clocks(name: str, cells: pa.Array, reading: Reading) -> pa.Array | None:
    from datetime import time

    import pyarrow as pa

    if not all_match(cells, CLOCK):
        return None
    return _tried(
        lambda: pa.array([None if c is None else time.fromisoformat(c) for c in cells.to_pylist()], pa.time64("us"))
    )


def _tried(make: Callable[[], pa.Array]) -> pa.Array | None:
    """What `make` gives, or None where a value does not exist (30 February, 25 o'clock, the year 300,000)."""
    import pyarrow as pa

    try:
        return make()
    except (ValueError, OverflowError, pa.ArrowException):
        return None


def iso_dates(cells: pa.Array) -> pa.Array:
    """Text cells that all are dates or moments in ISO 8601, as such; the cells themselves otherwise."""
    if not len(cells) or cells.null_count == len(cells):
        return cells
    silent = Reading()
    found = None
    if all_match(cells, ISO_DATE) or all_match(cells, ISO_MOMENT):
        found = _days("", cells, silent)
        found = _moments("", cells, silent) if found is None else found
    return cells if found is None else found


def written(column: pa.Array) -> pa.Array:
    """A typed column as text cells, each as `infer` reads it back; missing ones stay null.

    Floating numbers are written with as many digits as give them back, and with a point; lists and structs as JSON;
    bytes in hexadecimal.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        return written(column.cast(kind.value_type))
    if pa.types.is_string(kind):
        return column
    if (
        pa.types.is_null(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
    ):
        return column.cast(pa.string())
    if pa.types.is_date32(kind):
        return column.cast(pa.string())
    if pa.types.is_floating(kind):
        text = column.cast(pa.float64()).cast(pa.string()) if pa.types.is_float16(kind) else column.cast(pa.string())
        text = pc.replace_substring_regex(text, r"^(-?[0-9]+)$", r"\1.0")
        return pc.if_else(pc.is_nan(column), "NaN", text)
    if pa.types.is_timestamp(kind) and kind.tz is None:
        return pc.replace_substring_regex(column.cast(pa.string()), r"\.0+$", "")
    return pa.array([as_text(value) for value in column.to_pylist()], pa.string())
