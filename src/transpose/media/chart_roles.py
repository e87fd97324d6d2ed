"""Which column of a table goes where in a chart, by what the columns hold.

Along the bottom: times, else years that rise, else one of two columns of numbers (where there are many rows), else
names. As heights: the first column of numbers, over times also those of like size. As colour: a column of up to ten
names, where several rows would fall on one place. A column that only counts the rows is not drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from transpose.core.context import Context
from transpose.core.errors import OptionError, SilentInput
from transpose.media.table import Table, as_text

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

Kind = Literal["number", "time", "name", "other"]
MOST_NAMES, MOST_COLOURS, MOST_LINES = 30, 10, 6
FEW = 25  # rows up to which names, or single numbers, are drawn one by one
LONGEST = 60  # characters of a name


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user said of a chart; empty where it is to be chosen. `width` and `height` of the plot in pixels."""

    x: str = ""
    y: str = ""
    mark: str = "auto"
    colour: str = ""
    title: str = ""
    width: int = 720
    height: int = 405


@dataclass(frozen=True, slots=True)
class Column:
    """A column as far as a chart cares: its kind, and its values as JSON has them (times in ISO 8601, UTC)."""

    name: str
    kind: Kind
    values: list[Any]
    rises: bool = False  # years in order

    @property
    def runs(self) -> bool:
        """Whether it is an axis of time."""
        return self.kind == "time" or self.rises

    def different(self) -> int:
        """Number of different values that are there."""
        return len({value for value in self.values if value is not None})

    def counts(self) -> bool:
        """Whether it only counts the rows: 0, 1, 2, ... or 1, 2, 3, ..."""
        first = 1 if self.values[0] == 1 else 0
        return len(self.values) > 2 and self.values == list(range(first, first + len(self.values)))


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of a chart: along the bottom, heights, colour."""

    x: Column | None
    ys: list[Column]
    colour: Column | None


def column_of(name: str, column: pa.ChunkedArray) -> Column:
    """An Arrow column as a chart sees it; numbers that are not finite are missing."""
    import pyarrow as pa

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    values = column.to_pylist()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = [_finite(value) for value in values]
        years = pa.types.is_integer(kind) and all(value is not None and 1500 <= value <= 2200 for value in numbers)
        pairs = zip(numbers, numbers[1:], strict=False)
        return Column(name, "number", numbers, years and len(numbers) > 1 and all(a <= b for a, b in pairs))
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return Column(name, "time", [_moment(value) for value in values])
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind):
        return Column(name, "name", [None if value is None else _name(value) for value in values])
    return Column(name, "other", [None] * len(values))


def _finite(value: int | float | Decimal | None) -> Any:
    if value is None or value != value or not -1e300 < value < 1e300:
        return None
    return value if isinstance(value, int) and abs(value) < 2**53 else float(value)


def _moment(value: date | datetime | None) -> str | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    moment = value.astimezone(UTC) if value.tzinfo else value
    return moment.replace(tzinfo=None).isoformat() + "Z"


def _name(value: object) -> str:
    text = " ".join((as_text(value) or "").split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def roles(table: Table, wish: Wish, ctx: Context) -> Roles:
    """The columns for the bottom, the heights and the colour, as wished or by their kinds.

    Raises OptionError (no such column, or one without numbers as height) and SilentInput (nothing to draw).
    """
    columns = {name: column_of(name, table.arrow.column(name)) for name in table.columns}
    x = _named(columns, wish.x)
    ys = [_wished(columns, name) for name in _split(wish.y, columns)]
    colour = _named(columns, wish.colour)
    free = [column for column in columns.values() if column not in (x, colour, *ys)]
    if x is None:
        x = _bottom(free, ys, wish)
    free = [column for column in free if column is not x]
    if not ys and not (wish.mark == "histogram" and x is not None):
        ys = _heights(_drawable(free), x, wish, ctx)
    if colour is None and len(ys) == 1 and wish.mark not in ("histogram", "heatmap"):
        colour = _shades(free, x)
    if x is None and not ys:
        raise SilentInput("nothing in the table can be drawn", "A chart needs a column of numbers, times or names")
    wrong = [column.name for column in ys if column.kind != "number"]
    if wrong and wish.mark != "heatmap":
        raise OptionError(f"the column {wrong[0]!r} holds no numbers to draw as heights", "Name another with -o y=")
    return Roles(x, ys, colour)


def _named(columns: dict[str, Column], name: str) -> Column | None:
    return _wished(columns, name) if name else None


def _wished(columns: dict[str, Column], name: str) -> Column:
    if name not in columns:
        raise OptionError(f"there is no column {name!r}", f"Columns: {', '.join(list(columns)[:30])}")
    return columns[name]


def _split(names: str, columns: dict[str, Column]) -> list[str]:
    return [names] if names in columns else [name.strip() for name in names.split(",") if name.strip()]


def _drawable(columns: Sequence[Column]) -> list[Column]:
    """Numbers that say something."""
    return [column for column in columns if column.kind == "number" and column.different() and not column.counts()]


def _bottom(free: Sequence[Column], ys: Sequence[Column], wish: Wish) -> Column | None:
    """The column along the bottom; None where there are only numbers of one kind, to be counted."""
    numbers = _drawable(free)
    several = len(numbers) + len(ys) > 1
    if wish.mark == "histogram":
        return numbers[0] if numbers and not ys else None
    if wish.mark == "point" and several:
        return numbers[0]
    times = [column for column in free if column.kind == "time" and column.different() > 1]
    years = [column for column in numbers if column.rises and several]
    if times or years:
        return (times or years)[0]
    names = [column for column in free if column.kind == "name" and column.different()]
    if several and (not names or (wish.mark == "auto" and len(free[0].values) > FEW)):
        return numbers[0]
    few = [column for column in names if 1 < column.different() <= MOST_NAMES]
    return next(iter(few or names), None)


def _heights(numbers: Sequence[Column], x: Column | None, wish: Wish, ctx: Context) -> list[Column]:
    """The first column of numbers, and over times those beside it that can be read off the same axis."""
    if not numbers:
        return []
    first, *others = numbers
    kept: list[Column] = []
    # several rows a time are parted by a colour
    once = x is not None and x.runs and len(set(x.values)) == len(x.values)
    if once and not wish.colour and wish.mark in ("auto", "line", "area"):
        band = [column for column in others if column.name in (f"{first.name} low", f"{first.name} high")]
        kept = band if len(band) == 2 else [column for column in others if _alike(first, column)][: MOST_LINES - 1]
    left = [column for column in others if column not in kept]
    if left:
        listed = ", ".join(repr(column.name) for column in left[:6]) + (" and more" if len(left) > 6 else "")
        ctx.warn(f"not drawn: {listed} (-o y=NAME)")
    return [first, *kept]


def _alike(one: Column, other: Column) -> bool:
    """Whether both can be read off one axis: their largest values differ less than twentyfold."""
    sizes = [max(abs(value) for value in column.values if value is not None) for column in (one, other)]
    return bool(min(sizes) > 0 and max(sizes) / min(sizes) < 20)


def _shades(free: Sequence[Column], x: Column | None) -> Column | None:
    """A column of few names that parts rows which would otherwise fall on one place."""
    if x is None:
        return None
    names = [column for column in free if column.kind == "name" and 1 < column.different() <= MOST_COLOURS]
    if x.kind == "number" and not x.rises:
        return names[0] if names else None
    if len(set(x.values)) == len(x.values):
        return None
    parted = [c for c in names if len(set(zip(x.values, c.values, strict=True))) == len(x.values)]
    return next(iter(parted or (names if x.runs else [])), None)
