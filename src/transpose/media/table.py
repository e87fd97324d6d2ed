"""A table in memory: typed columns of one length (an Arrow table) and its name.

Column names are unique. `from_rows` makes a table of what Python has at hand without losing a digit: a number that does
not fit a column's type never becomes a nearby one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

SUFFIX = ".arrow"
NAME = b"transpose.name"  # where the stored file keeps the table's name
EXACT = 2**53  # whole numbers up to here are exact in float64


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """`arrow` is a pyarrow.Table with unique column names; `name` that of its sheet or database table, where known."""

    arrow: pa.Table
    name: str = ""

    def __post_init__(self) -> None:
        if len(set(self.arrow.column_names)) < self.arrow.num_columns:
            raise ValueError(f"column names are not unique: {self.arrow.column_names}")

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self.arrow.column_names)

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def rows(self) -> list[dict[str, object]]:
        """Every row as a dict of Python values (int, float, Decimal, str, bool, date, datetime, bytes, list, None).

        Python's times end at the microsecond: nanoseconds are cut here, and stay in `arrow`.
        """
        found: list[dict[str, object]] = _in_microseconds(self.arrow).to_pylist()
        return found

    def facets(self) -> dict[str, str]:
        """Nothing: tables have no facets."""
        return {}

    def __eq__(self, other: object) -> bool:
        """Same name, columns, types and values; NaN equals NaN, missing equals only missing."""
        if not isinstance(other, Table) or self.name != other.name:
            return False
        if not self.arrow.schema.equals(other.arrow.schema, check_metadata=False):
            return False
        # Arrow holds NaN unequal to itself; written out it is equal
        return bool(self.arrow.equals(other.arrow)) or repr(self.arrow.to_pylist()) == repr(other.arrow.to_pylist())

    __hash__ = None  # type: ignore[assignment]


def _in_microseconds(arrow: pa.Table) -> pa.Table:
    """The same table with times as Python can hold them."""
    import pyarrow as pa

    for at, field in enumerate(arrow.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            arrow = arrow.set_column(
                at, field.name, arrow.column(at).cast(pa.timestamp("us", field.type.tz), safe=False)
            )
        elif pa.types.is_time64(field.type) and field.type.unit == "ns":
            arrow = arrow.set_column(at, field.name, arrow.column(at).cast(pa.time64("us"), safe=False))
        elif pa.types.is_duration(field.type) and field.type.unit == "ns":
            arrow = arrow.set_column(at, field.name, arrow.column(at).cast(pa.duration("us"), safe=False))
    return arrow


def from_rows(rows: Iterable[Mapping[str, object]], name: str = "", columns: Sequence[str] = ()) -> Table:
    """A table of dicts; a key that a row lacks is missing there (null).

    Columns stand in the order in which they first appear, or as `columns` says. For types see `typed`.
    """
    import pyarrow as pa

    listed = list(rows)
    names = list(columns) or list(dict.fromkeys(str(key) for row in listed for key in row))
    arrays = [typed([row.get(column) for row in listed]) for column in names]
    # without columns there are no rows either
    return Table(pa.table(dict(zip(names, arrays, strict=True))), name)


def typed(values: Sequence[object]) -> pa.Array:
    """An Arrow column of Python values, None where missing, in the narrowest type that holds each one exactly.

    Whole numbers become int64, longer ones decimal (up to 76 digits); whole and floating ones together float64 where
    that is exact, else decimal; what has no common type becomes text, as written in JSON or ISO 8601.
    """
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return pa.nulls(len(values))
    if kinds <= {int, float, Decimal}:
        return _numbers(values, kinds)
    if kinds == {date, datetime}:
        values = [datetime(v.year, v.month, v.day) if type(v) is date else v for v in values]
    elif len(kinds) > 1 and not all(issubclass(kind, dict | list | tuple) for kind in kinds):
        return pa.array([as_text(value) for value in values], pa.string())
    try:
        return pa.array(values, pa.string() if kinds == {str} else None)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):  # lists of this and that, mixed zones
        return pa.array([as_text(value) for value in values], pa.string())


def _numbers(values: Sequence[object], kinds: set[type]) -> pa.Array:
    import pyarrow as pa

    if kinds == {int}:
        least, most = (pick((v for v in values if isinstance(v, int)), default=0) for pick in (min, max))
        if least >= -(2**63) and most < 2**63:
            return pa.array(values, pa.int64())
    if float in kinds and all(_fits_float(value) for value in values):
        return pa.array([None if v is None else float(v) for v in values], pa.float64())  # type: ignore[arg-type]
    # the digits of a float are those that give it back
    found = decimals([None if v is None else Decimal(str(v)) for v in values])
    if found is not None:
        return found
    return pa.array([as_text(value) for value in values], pa.string())


def _fits_float(value: object) -> bool:
    if value is None or isinstance(value, float):
        return True
    return isinstance(value, int | Decimal) and -(10**300) < value < 10**300 and Decimal(float(value)) == value


def decimals(values: Sequence[Decimal | None]) -> pa.Array | None:
    """A decimal column with as many places as the longest value needs; None where 76 digits are too few."""
    import pyarrow as pa

    whole, places = 1, 0
    for value in values:
        if value is None:
            continue
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int):  # infinity, or not a number
            return None
        places = max(places, -exponent)
        whole = max(whole, len(value.as_tuple().digits) + exponent)
    if whole + places > 76:
        return None
    width = pa.decimal128 if whole + places <= 38 else pa.decimal256
    return pa.array(values, width(whole + places, places))


def as_text(value: object) -> str | None:
    """One value as a text cell: numbers with all their digits, dates in ISO 8601, lists and dicts as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0") if abs(value) < EXACT else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=as_text)
    return str(value.total_seconds()) + " s" if isinstance(value, timedelta) else str(value)


def unique(names: Iterable[str]) -> list[str]:
    """Column names made usable: an empty one becomes `column 3`, a second `a` becomes `a 2`."""
    found: list[str] = []
    for number, name in enumerate(names, 1):
        base = name.strip() or f"column {number}"
        name, count = base, 1
        while name in found:
            count += 1
            name = f"{base} {count}"
        found.append(name)
    return found


def save(value: Table, path: Path) -> None:
    """Write columns, types, metadata and name as an Arrow IPC file."""
    import pyarrow as pa

    metadata = {**(value.arrow.schema.metadata or {}), NAME: value.name.encode()}
    arrow = value.arrow.unify_dictionaries().replace_schema_metadata(metadata)
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, arrow.schema, options=options) as writer:
        writer.write_table(arrow)


def load(path: Path) -> Table:
    """Read what `save` wrote."""
    import pyarrow as pa

    with pa.OSFile(str(path), "rb") as source, pa.ipc.open_file(source) as reader:
        arrow = reader.read_all()
    metadata = dict(arrow.schema.metadata)
    name = metadata.pop(NAME).decode()
    return Table(arrow.replace_schema_metadata(metadata or None), name)
