"""Put a table into words: its shape, then each column with its figures, then what changes over time and together.

Every figure is computed from all rows and right to the digits printed: whole numbers in full, others to four
significant digits (never less than the whole part), extremes of up to ten digits as they stand. Nothing is guessed: a
trend is told by its first and last value and by how many steps go up, a relation between two columns by its
correlation.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.core.transform import Range, transform
from transpose.media.table import Table, as_text
from transpose.media.text import Text

Number = int | float | Decimal
TELLING = 0.7  # a correlation from which on it is told
FEWEST = 8  # rows that a correlation needs


@transform("table -> text.description", loses=["structure", "exactness", "detail"], extra="tables", needs=["pyarrow"])
def describe_table(
    table: Table, ctx: Context, *, columns: Annotated[int, Range(1, 1000), "most columns to describe"] = 30
) -> Text:
    """Say in English what a table holds: rows, columns, ranges, means, extremes, missing values, changes over time.

    Raises EmptyInput for a table without columns.
    """
    if not table.columns:
        raise EmptyInput("the table has no columns", "Look at the step before")
    names = table.columns[:columns]
    values = {name: table.arrow.column(name).to_pylist() for name in names}
    label = _label(values)
    said = [_shape(table)]
    said += [_column(name, values[name], values[label] if label else None, label) for name in names]
    if len(table.columns) > columns:
        left = len(table.columns) - columns
        ctx.warn(f"{left} columns are not described: -o columns={len(table.columns)}")
        said.append(f"{left} more columns are not described.")
    order = _order(values)
    if order:
        said += [_trend(name, values[name], order, values[order]) for name in names if name != order]
    said += _relations(values, order)
    return Text("\n\n".join(filter(None, said)), lang="en")


def figure(value: Number) -> str:
    """A number to four significant digits, never less than its whole part; thousands have commas."""
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    exact = Decimal(value)
    if not exact:
        return "0"
    places = max(0, 3 - exact.adjusted())
    with localcontext() as context:
        context.prec = 400
        rounded = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    text = f"{rounded:,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def shown(value: Number) -> str:
    """A number as it stands, where it has up to ten digits; else as `figure` has it."""
    if isinstance(value, int) or not math.isfinite(value):
        return figure(value)
    exact = Decimal(str(value))
    if len(exact.normalize().as_tuple().digits) > 10 or not -6 < exact.adjusted() < 12:
        return figure(value)
    text = f"{exact:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _shape(table: Table) -> str:
    name = f" {table.name!r}" if table.name else ""
    rows = "1 row" if len(table) == 1 else f"{len(table):,} rows"
    columns = "1 column" if len(table.columns) == 1 else f"{len(table.columns):,} columns"
    listed = ", ".join(table.columns[:30]) + (" and more" if len(table.columns) > 30 else "")
    return f"The table{name} has {rows} and {columns}: {listed}."


def _column(name: str, values: Sequence[object], labels: Sequence[object] | None, label: str) -> str:
    """A paragraph on one column."""
    there = [value for value in values if value is not None]
    missing = len(values) - len(there)
    lacks = f" {_times(missing, 'value is', 'values are')} missing." if missing else ""
    if not there:
        return f"{name}: no values." if values else f"{name}."
    if all(_is_number(value) for value in there):
        return f"{name}: {_numbers(values, labels if label != name else None)}{lacks}"
    if all(isinstance(value, bool) for value in there):
        return f"{name}: true in {sum(map(bool, there)):,} of {len(there):,} rows.{lacks}"
    if all(isinstance(value, date) for value in there):
        days = sorted(there, key=str)
        return f"{name}: from {as_text(days[0])} to {as_text(days[-1])}.{lacks}"
    return f"{name}: {_words([as_text(value) or '' for value in there])}{lacks}"


def _times(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _numbers(values: Sequence[object], labels: Sequence[object] | None) -> str:
    finite: list[tuple[Number, int]] = [
        (value, at)
        for at, value in enumerate(values)
        if isinstance(value, int | float | Decimal) and math.isfinite(value)
    ]
    odd = sum(value is not None for value in values) - len(finite)
    note = f" {_times(odd, 'value is', 'values are')} not a finite number." if odd else ""
    if not finite:
        return f"no finite numbers.{note}"
    (least, low), (most, high) = min(finite, key=lambda pair: pair[0]), max(finite, key=lambda pair: pair[0])
    if least == most:
        return f"always {shown(least)}.{note}"
    ordered = sorted(value for value, _ in finite)
    average = figure(mean([value for value, _ in finite]))
    text = f"from {shown(least)} to {shown(most)}, mean {average}, median {figure(median(ordered))}."
    only = [sum(value == extreme for value in ordered) == 1 for extreme in (most, least)]
    if labels is not None and len(finite) > 2 and all(only) and labels[high] is not None and labels[low] is not None:
        text += f" The highest belongs to {as_text(labels[high])}, the lowest to {as_text(labels[low])}."
    return text + note


def mean(values: Sequence[Number]) -> Decimal:
    """The arithmetic mean, as exact as float64 where there are floats, else to 40 digits."""
    whole = sum(value for value in values if isinstance(value, int))
    floating = math.fsum(value for value in values if isinstance(value, float))
    with localcontext() as context:
        context.prec = 400
        exact = sum((value for value in values if isinstance(value, Decimal)), Decimal(0))
    return _decimal((whole + Fraction(floating) + Fraction(exact)) / len(values))


def median(ordered: Sequence[Number]) -> Number:
    """The middle one, or the mean of the two in the middle."""
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else mean(ordered[middle - 1 : middle + 1])


def _decimal(value: Fraction) -> Decimal:
    with localcontext() as context:
        context.prec = 40 + max(0, len(str(abs(int(value)))))
        return Decimal(value.numerator) / Decimal(value.denominator)


def _words(values: Sequence[str]) -> str:
    counts = Counter(values)
    if len(counts) == 1:
        return f"always {_short(values[0])}."
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if ranked[0][1] == 1:
        return f"{len(counts):,} different values, such as {', '.join(_short(value) for value in values[:3])}."
    if len(counts) <= 6:
        listed = ", ".join(f"{_short(value)} ({count:,})" for value, count in ranked)
        return f"{len(counts)} different values: {listed}."
    best = ranked[0][1]
    first = [_short(value) for value, count in ranked if count == best]
    if len(first) > 3:
        return f"{len(counts):,} different values; {len(first):,} of them most often ({best:,} times each)."
    named = f"{first[0]} ({best:,} times)" if len(first) == 1 else f"{' and '.join(first)} ({best:,} times each)"
    return f"{len(counts):,} different values, most often {named}."


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= 60 else flat[:59] + "…")


def _label(values: dict[str, list[object]]) -> str:
    """The column that names the rows: the first of dates or words of which none is twice; "" where there is none."""
    for name, column in values.items():
        named = all(isinstance(value, str | date) for value in column if value is not None)
        if named and len(column) > 1 and None not in column and len(set(column)) == len(column):
            return name
    return ""


def _order(values: dict[str, list[object]]) -> str:
    """The column of times in which the rows stand: dates or years that only rise, at least three."""
    for name, column in values.items():
        if len(column) < 3 or None in column:
            continue
        years = all(type(value) is int and 1500 <= value <= 2200 for value in column)
        days = all(isinstance(value, date) for value in column) and len({type(value) for value in column}) == 1
        if (years or days) and all(a < b for a, b in zip(column, column[1:], strict=False)):  # type: ignore[operator]
            return name
    return ""


def _trend(name: str, values: Sequence[object], order: str, times: Sequence[object]) -> str:
    """From the first value to the last, and how many steps went up and down."""
    if not all(_is_number(value) or value is None for value in values):
        return ""
    points = [(at, value) for at, value in zip(times, values, strict=True) if value is not None]
    found = [
        Fraction(value) for _, value in points if isinstance(value, int | float | Decimal) and math.isfinite(value)
    ]
    if len(found) < 3 or len(found) < len(points):
        return ""
    (start, first), (end, last) = points[0], points[-1]
    steps = [b - a for a, b in zip(found, found[1:], strict=False)]
    change = found[-1] - found[0]
    went = "rose" if change > 0 else "fell" if change < 0 else "came back"
    share = ""
    if found[0] > 0 and found[-1] > 0 and change:
        share = f", a change of {'+' if change > 0 else ''}{figure(_decimal(100 * change / found[0]))} %"
    ups, downs = sum(step > 0 for step in steps), sum(step < 0 for step in steps)
    values_ = f"from {shown(first)} in {as_text(start)} to {shown(last)} in {as_text(end)}"  # type: ignore[arg-type]
    return f"Over {order}, {name} {went} {values_}{share}: {ups:,} of {len(steps):,} steps go up, {downs:,} down."


def _relations(values: dict[str, list[object]], order: str) -> list[str]:
    """The strongest correlations (Pearson), at most three."""
    import numpy as np

    columns = {
        name: [float("nan") if value is None else float(value) for value in column]  # type: ignore[arg-type]
        for name, column in values.items()
        if name != order and any(v is not None for v in column) and all(v is None or _is_number(v) for v in column)
    }
    found: list[tuple[float, str, str]] = []
    names = list(columns)
    for position, one in enumerate(names):
        for other in names[position + 1 :]:
            pair = np.array([columns[one], columns[other]])
            pair = pair[:, np.isfinite(pair).all(axis=0)]
            if pair.shape[1] >= FEWEST and (np.ptp(pair, axis=1) > 0).all():
                with np.errstate(all="ignore"):
                    r = float(np.corrcoef(pair)[0, 1])
                if abs(r) >= TELLING:
                    found.append((r, one, other))
    ranked = sorted(found, key=lambda each: (-abs(each[0]), each[1:]))[:3]
    return [
        f"{one} and {other} go {'together' if r > 0 else 'against each other'} (correlation {r:.2f})."
        for r, one, other in ranked
    ]
