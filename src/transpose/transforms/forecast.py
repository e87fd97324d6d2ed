"""Carry the columns of a table on into the future, each with an interval.

The Theta method (Assimakopoulos and Nikolopoulos 2000, best of the M3 competition), which is exponential smoothing
with half the slope of the straight line (Hyndman and Billah 2003), on the series without its season (classical
decomposition, where an F test tells that there is one). It is compared with the seasonal naive forecast ("as a
season ago") on the end of the series itself; where that was nearer, it is taken, and said.

The interval is that of exponential smoothing, widened where earlier forecasts of the same series missed by more. It is
honest about noise, not about events without precedent.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated, Any

from transpose.core.context import Context
from transpose.core.errors import InputError, OptionError, SilentInput
from transpose.core.transform import Range, transform
from transpose.media.table import Table, typed, unique

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Series = NDArray[np.float64]
    Method = Callable[[Series, int, int], Series]

FEWEST = 4  # values that a forecast needs
ORIGINS = 6  # earlier forecasts that are compared with what came
MOST_COLUMNS, MOST_VALUES = 50, 5000
LEAST_F = 2.5  # how much more the steps of a season differ than the values of one step
SEASONS = {"hours": 24, "days": 7, "working days": 5, "weeks": 52, "months": 12, "quarters": 4, "years": 1}


@transform("table -> table.forecast", verb=True, loses=["detail"], extra="tables", needs=["pyarrow"])
def forecast(
    table: Table,
    ctx: Context,
    *,
    horizon: Annotated[int, Range(0, 10_000), "steps to forecast; 0: one season, or a fifth of what is there"] = 0,
    column: Annotated[str, "column to forecast (default: every column of numbers)"] = "",
    time: Annotated[str, "column of times (default: the first of dates or years that rise)"] = "",
    season: Annotated[int, Range(0, 1000), "steps after which it repeats; 0: by the times (12 for months, ...)"] = 0,
    level: Annotated[int, Range(50, 99), "percent of what comes that the interval should hold"] = 80,
) -> Table:
    """Say what comes next in each column of numbers, from the lowest to the highest likely value.

    The table has the times to come, and for each column `NAME`, `NAME low` and `NAME high`. Raises SilentInput (no
    numbers, fewer than four), InputError (several rows for one time) and OptionError (no such column).
    """
    names = [column] if column else _numbers(table)
    if column and column not in table.columns:
        raise OptionError(f"there is no column {column!r}", f"Columns: {', '.join(table.columns)}")
    times = _times(table, time, ctx)
    names = [name for name in names if name != times.name][:MOST_COLUMNS]
    if not names:
        raise SilentInput("there is no column of numbers to forecast", "Name one with -o column=")
    period = season or SEASONS.get(times.unit, 1)
    steps = horizon or max(1, min(period if period > 1 else len(table) // 5, len(table) // 2))
    columns: dict[str, object] = {times.name: typed(times.after(steps))}
    for name in names:
        series = _series(table, name, times.order, ctx)
        middle, low, high = _forecast_one(series, steps, period, level / 100, name, ctx)
        columns |= {name: middle, f"{name} low": low, f"{name} high": high}
    import pyarrow as pa  # type: ignore[import-untyped]

    ctx.note("level", level)
    arrays = {key: pa.array(values) for key, values in zip(unique(columns), columns.values(), strict=True)}
    return Table(pa.table(arrays), table.name)


def _numbers(table: Table) -> list[str]:
    import pyarrow as pa

    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return [field.name for field in table.arrow.schema if any(test(field.type) for test in tests)]


def _series(table: Table, name: str, order: Sequence[int], ctx: Context) -> Series:
    """The values in order of time as float64; what is missing lies on a straight line between its neighbours."""
    import numpy as np

    values = table.arrow.column(name).to_pylist()
    try:
        found = np.array([math.nan if values[at] is None else float(values[at]) for at in order])
    except (TypeError, ValueError):
        raise OptionError(f"the column {name!r} holds no numbers", f"Numbers: {', '.join(_numbers(table))}") from None
    if len(found) > MOST_VALUES:
        ctx.warn(f"the last {MOST_VALUES:,} of {len(found):,} values were used")
        found = found[-MOST_VALUES:]
    there = np.isfinite(found)
    if there.sum() < FEWEST:
        raise SilentInput(f"{name!r} holds {there.sum()} numbers: a forecast needs {FEWEST}", "Give a longer table")
    if not there.all():
        ctx.warn(f"{(~there).sum()} missing values of {name!r} were put on a line between their neighbours")
        found = np.interp(np.arange(len(found)), np.flatnonzero(there), found[there])
    return found


# -- times ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Times:
    """The axis of time: its column's name, the order of the rows along it, its unit, and what comes after it."""

    name: str
    order: list[int]
    unit: str
    after: Callable[[int], list[Any]]


def _times(table: Table, wanted: str, ctx: Context) -> Times:
    if wanted and wanted not in table.columns:
        raise OptionError(f"there is no column {wanted!r}", f"Columns: {', '.join(table.columns)}")
    for name in [wanted] if wanted else table.columns:
        values = table.arrow.column(name).to_pylist()
        if values and None not in values and (_dated(values) or _counted(values, bool(wanted))):
            return _axis(name, values, ctx)
    if wanted:
        raise OptionError(
            f"the column {wanted!r} holds no times", "Times are dates, moments or whole numbers that rise"
        )
    count = len(table)
    return Times("step", list(range(count)), "", lambda steps: list(range(count + 1, count + steps + 1)))


def _dated(values: Sequence[object]) -> bool:
    return len({type(value) for value in values}) == 1 and isinstance(values[0], date)


def _counted(values: Sequence[object], wanted: bool) -> bool:
    """Years, or what the user calls times: whole numbers at equal distances."""
    whole = [value for value in values if type(value) is int]
    if len(whole) < len(values) or len(whole) < 2:
        return False
    gaps = {b - a for a, b in zip(whole, whole[1:], strict=False)}
    return len(gaps) == 1 and gaps != {0} and (wanted or all(1500 <= value <= 2200 for value in whole))


def _axis(name: str, values: list[Any], ctx: Context) -> Times:
    order = sorted(range(len(values)), key=lambda at: values[at])
    sorted_ = [values[at] for at in order]
    if any(a == b for a, b in zip(sorted_, sorted_[1:], strict=False)):
        hint = "Give one row for each: choose or add up rows before"
        raise InputError(f"several rows have the same {name!r}", hint)
    last = sorted_[-1]
    if isinstance(last, int):
        gap = sorted_[1] - sorted_[0]
        unit = "years" if gap == 1 and 1500 <= last <= 2200 else ""
        return Times(name, order, unit, lambda steps: [last + gap * step for step in range(1, steps + 1)])
    unit, regular, after = _calendar(sorted_)
    if not regular:
        ctx.warn(f"the times in {name!r} are not evenly spaced: counted as {unit or 'even steps'} all the same")
    return Times(name, order, unit, after)


def _calendar(times: list[Any]) -> tuple[str, bool, Callable[[int], list[Any]]]:
    """Unit of dates or moments, whether they keep to it, and those after the last one."""
    last = times[-1]
    months = [12 * each.year + each.month for each in times]
    gaps = {b - a for a, b in zip(months, months[1:], strict=False)}
    ends = all(each.day == calendar.monthrange(each.year, each.month)[1] for each in times)
    if len(gaps) == 1 and gaps != {0} and (ends or len({each.day for each in times}) == 1):
        gap = gaps.pop()
        unit = {1: "months", 3: "quarters", 12: "years"}.get(gap, "")
        return unit, True, lambda steps: [_month(last, gap * step, ends) for step in range(1, steps + 1)]
    distances = sorted(b - a for a, b in zip(times, times[1:], strict=False))
    if not distances:
        return "", True, lambda steps: [last + timedelta(days=step) for step in range(1, steps + 1)]
    day = timedelta(days=1)
    if all(each.weekday() < 5 for each in times) and distances[0] == day and distances[-1] > day:
        return "working days", distances[-1] <= 5 * day, lambda steps: _working(last, steps)
    middle = distances[len(distances) // 2]
    unit = {day: "days", 7 * day: "weeks", timedelta(hours=1): "hours"}.get(middle, "")
    return unit, distances[0] == distances[-1], lambda steps: [last + middle * step for step in range(1, steps + 1)]


def _month(moment: Any, months: int, ends: bool) -> Any:
    """The same day some months later, or the last of that month."""
    count = 12 * moment.year + moment.month - 1 + months
    year, month = divmod(count, 12)
    longest = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=longest if ends else min(moment.day, longest))


def _working(last: date | datetime, steps: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < steps:
        last += timedelta(days=1)
        if last.weekday() < 5:
            found.append(last)
    return found


# -- the method ----------------------------------------------------------------------------------------------------


def _forecast_one(
    series: Series, steps: int, period: int, level: float, name: str, ctx: Context
) -> tuple[Series, Series, Series]:
    """Middle, low and high of the next steps."""
    import numpy as np

    period = period if len(series) >= 2 * period + 2 else 1
    ways: dict[str, Method] = {"theta": theta, "seasonal naive": naive}
    missed = {way: errors(series, steps, period, method) for way, method in ways.items()}
    size = {way: float(np.mean(np.abs(each))) if each.size else math.inf for way, each in missed.items()}
    way = "seasonal naive" if size["seasonal naive"] < size["theta"] else "theta"
    ctx.note(f"method {name}"[:60], way)
    if way != "theta":
        same = "as a season ago" if period > 1 else "at its last value"
        ctx.warn(f"{name!r} was carried on {same}: in earlier forecasts that was nearer than the Theta method")
    middle = ways[way](series, steps, period)
    spread = _spread(series, steps, period, ways[way], missed[way], level)
    low, high = middle - spread, middle + spread
    if (series >= 0).all():
        middle, low = np.maximum(middle, 0), np.maximum(low, 0)
    return middle, low, np.maximum(high, middle)


def naive(series: Series, steps: int, period: int) -> Series:
    """Each step as one season ago; without season, as the last value."""
    import numpy as np

    return np.resize(series[-period:], steps)


def theta(series: Series, steps: int, period: int) -> Series:
    """The Theta method on the series without its season. Shapes: (n,) -> (steps,)."""
    import numpy as np

    factors, multiplies = seasonality(series, period)
    cycle = factors[np.arange(len(series)) % period]
    coming = factors[np.arange(len(series), len(series) + steps) % period]
    bare = series / cycle if multiplies else series - cycle
    at = np.arange(len(bare), dtype=np.float64)
    slope, start = np.polyfit(at, bare, 1)
    level, alpha = smooth(2 * bare - (start + slope * at))  # the line with twice the curvature
    ahead = start + slope * (len(bare) - 1 + np.arange(1, steps + 1))
    made: Series = (level + ahead) / 2
    return made * coming if multiplies else made + coming


def smooth(series: Series) -> tuple[float, float]:
    """Simple exponential smoothing: the last level, and the weight of a new value with the least squared error."""
    import numpy as np

    weights = np.linspace(0.02, 0.98, 49)
    levels = np.full(49, series[: min(3, len(series))].mean())
    squares = np.zeros(49)
    for value in series:
        missed = value - levels
        squares += missed**2
        levels = levels + weights * missed
    best = int(squares.argmin())
    return float(levels[best]), float(weights[best])


def seasonality(series: Series, period: int) -> tuple[Series, bool]:
    """One factor (or summand) for each step of a season, and whether they multiply; ones or zeros without season.

    Classical decomposition by centred moving means; factors where all values are above zero and vary with their level.
    """
    import numpy as np

    multiplies = bool((series > 0).all()) and float(series.min()) > 0.02 * float(series.mean())
    plain = np.full(period, 1.0 if multiplies else 0.0)
    if period < 2 or len(series) < 2 * period + 1:
        return plain, multiplies
    kernel = np.ones(period) / period
    if period % 2 == 0:
        kernel = np.convolve(kernel, [0.5, 0.5])
    trend = np.convolve(series, kernel, "valid")
    start = (len(kernel) - 1) // 2
    inside = series[start : start + len(trend)]
    rest = inside / trend if multiplies else inside - trend
    steps = (np.arange(len(rest)) + start) % period
    if not _seasonal(rest, steps, period):
        return plain, multiplies
    factors = np.array([np.median(rest[steps == step]) for step in range(period)])
    return (factors / factors.mean() if multiplies else factors - factors.mean()), multiplies


def _seasonal(rest: Series, steps: NDArray[np.int64], period: int) -> bool:
    """Whether the steps of a season differ by more than chance: the F test of one-way analysis of variance.

    `rest` has no trend, and at least one value for each step; with two values for few of the steps it cannot tell.
    """
    import numpy as np

    counts = np.bincount(steps, minlength=period)
    if len(rest) <= period or (counts == 0).any():
        return False
    means = np.bincount(steps, rest, period) / counts
    between = float((counts * (means - rest.mean()) ** 2).sum()) / (period - 1)
    within = float(((rest - means[steps]) ** 2).sum()) / (len(rest) - period)
    return between > LEAST_F * within


def errors(series: Series, steps: int, period: int, method: Method) -> Series:
    """What earlier forecasts missed by: the last origins that are possible. Shape (origins, steps)."""
    import numpy as np

    least = max(FEWEST, 2 * period + 1 if period > 1 else FEWEST)
    reach = min(steps, max(1, len(series) // 4))
    last = len(series) - reach
    origins = np.unique(np.linspace(max(least, last - 2 * reach), last, ORIGINS).astype(int))
    rows = [series[o : o + reach] - method(series[:o], reach, period) for o in origins if least <= o <= last]
    return np.array(rows).reshape(len(rows), reach)


def _spread(series: Series, steps: int, period: int, method: Method, missed: Series, level: float) -> Series:
    """Half the width of the interval at each step: it grows with the root of the steps where the series wanders."""
    import numpy as np

    ahead = np.arange(1, steps + 1)
    least = max(FEWEST, 2 * period + 1 if period > 1 else FEWEST)
    first = range(max(least, len(series) - 40), len(series))
    ones = np.array([series[at] - method(series[:at], 1, period)[0] for at in first])
    spread = float(np.sqrt(np.mean(ones**2))) if ones.size else float(np.std(np.diff(series)))
    _, alpha = smooth(series)
    if method is naive:
        growth = np.sqrt(1 + (ahead - 1) // period)
    else:
        growth = np.sqrt(1 + (ahead - 1) * alpha**2)
    half = NormalDist().inv_cdf(0.5 + level / 2) * spread * growth
    if missed.size >= 8:
        share = np.abs(missed) / np.maximum(half[: missed.shape[1]], 1e-300)
        half = half * max(1.0, float(np.quantile(share, level)))
    return half
