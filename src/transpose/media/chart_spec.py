"""A chart of a table in the grammar of Vega-Lite, data included.

Bars stand for names (the longest first, unless the names are in an order of their own), lines for times, points for
pairs of numbers, a histogram for one column of numbers. Where several rows fall on one name or time their mean is
drawn, and the title says so. Fields are called `x`, `y` and `c`, so no name of a column can be taken for part of the
grammar.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, OptionError
from transpose.media.chart_roles import FEW, MOST_COLOURS, MOST_NAMES, Column, Roles, Wish, roles
from transpose.media.table import Table

Spec = dict[str, Any]  # Vega-Lite, which is JSON
Rows = list[dict[str, Any]]
MOST_POINTS = 20_000
COLOURS = ["#2f6db5", "#e07b39", "#3a9a6f", "#c44e6b", "#8a63b8", "#b8972c", "#3fa7b8", "#7a7a7a", "#a3552b", "#5b7f2b"]
FONT = "Inter, Segoe UI, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"
INK, PALE = "#2b2b2b", "#e6e6e6"

__all__ = ["Wish", "draw"]


def draw(table: Table, ctx: Context, wish: Wish) -> Spec:
    """The chart of a table. Raises EmptyInput (no rows) and what `roles` does."""
    if not len(table) or not table.columns:
        raise EmptyInput("the table has no rows to draw", "Look at the step before")
    found = roles(table, wish, ctx)
    mark = wish.mark if wish.mark != "auto" else _suiting(found)
    ctx.note("mark", mark)
    title, spec = _DRAWN[mark](found, wish, ctx)
    named = f"{table.name}: {title}" if table.name else title
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {"text": wish.title or named},
        "width": wish.width,
        "height": wish.height,
        **spec,
        "config": _STYLE,
    }


def _suiting(found: Roles) -> str:
    x, ys = found.x, found.ys
    if x is None:
        return "histogram" if len(ys[0].values) > FEW else "bar"
    if not ys:
        return "histogram" if x.kind in ("number", "time") else "bar"
    if x.runs:
        return "line" if x.different() > 1 else "bar"
    return "point" if x.kind == "number" else "bar"


def _axis(column: Column | None, title: str = "") -> Spec:
    """How Vega-Lite is told of a column's kind."""
    if column is None:
        return {"title": title}
    kinds = {"number": "quantitative", "time": "temporal"}
    spec: Spec = {"type": kinds.get(column.kind, "nominal"), "title": title or column.name}
    if column.kind == "time":
        spec["scale"] = {"type": "utc"}
    elif column.rises:
        spec |= {"scale": {"zero": False, "nice": False}, "axis": {"format": "d", "tickMinStep": 1}}
    elif column.kind == "number":
        spec |= {"scale": {"zero": False}}
    return spec


def _shade(colour: Column | None, title: str = "") -> Spec:
    """The encoding of colour: a scheme of different hues for names, one of depth for numbers."""
    if colour is None and not title:
        return {}
    if colour is not None and colour.kind in ("number", "time"):
        return {"color": {"field": "c", **_axis(colour), "scale": {"scheme": "viridis"}}}
    return {
        "color": {"field": "c", "type": "nominal", "title": title or (colour.name if colour else None), "sort": None}
    }


def _tips(parts: Spec) -> list[Spec]:
    """What is shown under the mouse."""
    return [_tip(part) for part in parts.values() if isinstance(part, dict) and "field" in part]


def _tip(part: Spec) -> Spec:
    kept: Spec = {key: part[key] for key in ("field", "type") if key in part}
    # Vega writes these titles into an expression without escaping them
    kept["title"] = re.sub(r"[\\\"\x00-\x1f]", " ", str(part.get("title") or " "))
    if part.get("type") == "temporal":
        kept["timeUnit"] = "utcyearmonthdatehoursminutes"
    return kept


def _rows(found: Roles, ys: Sequence[Column], ctx: Context) -> Rows:
    """One row for each place: `x`, `y`, and `c` (the colour's name, or the column's where several are drawn)."""
    length = len(ys[0].values)
    xs = found.x.values if found.x else list(range(1, length + 1))
    if len(ys) > 1:
        made = [{"x": x, "y": y, "c": column.name} for column in ys for x, y in zip(xs, column.values, strict=True)]
    elif found.colour:
        colours = _few(found.colour, ctx)
        made = [{"x": x, "y": y, "c": c} for x, y, c in zip(xs, ys[0].values, colours, strict=True)]
    else:
        made = [{"x": x, "y": y} for x, y in zip(xs, ys[0].values, strict=True)]
    return [row for row in made if row["x"] is not None and row["y"] is not None]


def _few(column: Column, ctx: Context) -> list[Any]:
    """Its values; of more than ten names the commonest, the others as one."""
    if column.kind != "name" or column.different() <= MOST_COLOURS:
        return ["(none)" if value is None and column.kind == "name" else value for value in column.values]
    kept = {name for name, _ in Counter(column.values).most_common(MOST_COLOURS - 1)}
    ctx.warn(f"{column.different() - len(kept)} of the names in {column.name!r} have one colour together: 'others'")
    return [value if value in kept else "others" for value in column.values]


def _means(rows: Rows) -> tuple[Rows, bool]:
    """One row for each place, the mean of those that fall on it, and whether any did."""
    places: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for row in rows:
        places[tuple(row[key] for key in row if key != "y")].append(row["y"])
    if len(places) == len(rows):
        return rows, False
    keys = [key for key in rows[0] if key != "y"]
    return [dict(zip(keys, place, strict=True)) | {"y": sum(ys) / len(ys)} for place, ys in places.items()], True


def _thinned(rows: Rows, ctx: Context) -> Rows:
    if len(rows) <= MOST_POINTS:
        return rows
    ctx.warn(f"{MOST_POINTS:,} of {len(rows):,} points are drawn, chosen by chance")
    chosen = sorted(random.Random(0).sample(range(len(rows)), MOST_POINTS))
    return [rows[at] for at in chosen]


def _said(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _needed(found: Roles, mark: str) -> tuple[Column, list[Column]]:
    """Bottom and heights, both there."""
    if found.x is None or not found.ys:
        raise OptionError(f"a {mark} needs two columns", "Name them with -o x= and -o y=")
    return found.x, found.ys


# -- the marks: each gives a title and the part of the specification that is its own -----------------------------------


def _lines(found: Roles, wish: Wish, ctx: Context) -> tuple[str, Spec]:
    x, ys = _needed(found, wish.mark)
    if len(ys) == 3 and {column.name for column in ys[1:]} == {f"{ys[0].name} low", f"{ys[0].name} high"}:
        return _band(x, ys)
    rows, averaged = _means(_rows(found, ys, ctx))
    names = [column.name for column in ys]
    height = _axis(ys[0], _said(names) if len(ys) < 3 else "value")
    area = wish.mark == "area"
    if area:
        height["scale"] = {"zero": True}
    parts = {"x": {"field": "x", **_axis(x)}, "y": {"field": "y", **height}}
    parts |= _shade(found.colour, "" if len(ys) == 1 else " ")
    if area and "color" in parts:
        parts["y"]["stack"] = None  # one before the other: a sum of unlike things says nothing
    points = {"filled": True, "size": 40} if len(rows) <= 60 * max(1, len(ys)) else False
    mark: Spec = {"type": "area", "opacity": 0.5, "line": True} if area else {"type": "line", "point": points}
    title = f"{'Mean ' if averaged else ''}{_said(names)} by {x.name}"
    return title, {"data": {"values": _thinned(rows, ctx)}, "mark": mark, "encoding": parts | {"tooltip": _tips(parts)}}


def _band(x: Column, ys: Sequence[Column]) -> tuple[str, Spec]:
    """A line in the band of its interval."""
    middle, low, high = sorted(ys, key=lambda column: (column is not ys[0], column.name.endswith(" high")))
    columns = zip(x.values, middle.values, low.values, high.values, strict=True)
    rows = [{"x": at, "y": y, "low": least, "high": most} for at, y, least, most in columns if at is not None]
    bottom = {"field": "x", **_axis(x)}
    parts = {"x": bottom, "y": {"field": "y", **_axis(middle)}}
    tips = [*_tips(parts), _tip({"field": "low", "title": low.name}), _tip({"field": "high", "title": high.name})]
    edges = {"x": bottom, "y": {"field": "low", **_axis(middle)}, "y2": {"field": "high"}}
    layers = [
        {"mark": {"type": "area", "opacity": 0.22}, "encoding": edges},
        {"mark": {"type": "line", "point": {"filled": True, "size": 40}}, "encoding": parts | {"tooltip": tips}},
    ]
    return f"{middle.name} by {x.name}, with its interval", {"data": {"values": rows}, "layer": layers}


def _bars(found: Roles, wish: Wish, ctx: Context) -> tuple[str, Spec]:
    if not found.ys and found.x is not None:
        counted = Counter(value for value in found.x.values if value is not None)
        rows, what = [{"x": name, "y": count} for name, count in counted.items()], "number of rows"
        title = f"Number of rows by {found.x.name}"
    else:
        rows, averaged = _means(_rows(found, found.ys[:1], ctx))
        what = f"{'mean ' if averaged else ''}{found.ys[0].name}"
        title = f"{what[0].upper()}{what[1:]} by {found.x.name}" if found.x else what
    if found.x is None:
        found = Roles(
            Column("row", "name", [str(number) for number in range(1, len(rows) + 1)]), found.ys, found.colour
        )
        rows = [{**row, "x": str(row["x"])} for row in rows]
    assert found.x is not None
    order, rows = _order(found.x, rows, ctx)
    lying = found.x.kind == "name" and (len(order) > 12 or max(map(len, map(str, order)), default=0) > 14)
    name_axis: Spec = {"field": "x", "title": found.x.name, "type": "ordinal", "sort": order}
    name_axis["scale"] = {"paddingInner": 0.25 if len(order) > 6 else 0.45, "paddingOuter": 0.2}
    if found.x.kind == "time":
        name_axis["axis"] = {"labelExpr": "utcFormat(toDate(datum.value), '%Y-%m-%d')", "labelOverlap": True}
    size_axis: Spec = {"field": "y", "title": what, "type": "quantitative"}
    parts = {"y": name_axis, "x": size_axis} if lying else {"x": name_axis, "y": size_axis}
    parts |= _shade(found.colour)
    spec: Spec = {"data": {"values": rows}, "mark": {"type": "bar"}}
    if not lying:
        name_axis["axis"] = {"labelAngle": 0 if len(order) <= 12 else -40, **name_axis.get("axis", {})}
    if found.colour and found.colour.kind == "name":
        parts["yOffset" if lying else "xOffset"] = {"field": "c", "sort": None}
    if lying:
        share = len({row.get("c") for row in rows}) if found.colour else 1
        spec["height"] = max(wish.height, min(1600, len(order) * max(20, 9 * share)))
    return title, spec | {
        "encoding": parts | {"tooltip": _tips({"x": name_axis, "y": size_axis, **_shade(found.colour)})}
    }


def _order(x: Column, rows: Rows, ctx: Context) -> tuple[list[Any], Rows]:
    """Names in the order of the bars, at most thirty, and the rows that are left."""
    sums: dict[Any, float] = defaultdict(float)
    for row in rows:
        sums[row["x"]] += row["y"]
    names = list(sums)
    if x.kind != "name":
        names.sort()
    elif not _own_order(names):
        names.sort(key=lambda name: -sums[name])
    if len(names) > MOST_NAMES and x.kind == "name":
        ctx.warn(f"{MOST_NAMES} of {len(names)} bars are drawn, the longest")
        longest = set(sorted(names, key=lambda name: -abs(sums[name]))[:MOST_NAMES])
        names = [name for name in names if name in longest]
        rows = [row for row in rows if row["x"] in longest]
    return names, rows


SEQUENCES = (
    "jan feb mar apr may jun jul aug sep oct nov dec".split(),
    "mon tue wed thu fri sat sun".split(),
    "jan feb mär apr mai jun jul aug sep okt nov dez".split(),
    "mo di mi do fr sa so".split(),
)


def _own_order(names: Sequence[str]) -> bool:
    """Names that are steps of something: numbered ones as they come, months, days of the week."""
    if all(name[:1].isdigit() or (name[:1].isalpha() and name[1:2].isdigit()) for name in names):
        return True
    return any(all(name.lower()[: len(steps[0])] in steps for name in names) for steps in SEQUENCES)


def _points(found: Roles, wish: Wish, ctx: Context) -> tuple[str, Spec]:
    x, ys = _needed(found, "point chart")
    rows = _thinned(_rows(found, ys, ctx), ctx)
    parts = {"x": {"field": "x", **_axis(x)}, "y": {"field": "y", **_axis(ys[0], _said([y.name for y in ys]))}}
    parts |= _shade(found.colour, "" if len(ys) == 1 else " ")
    opacity = 0.8 if len(rows) < 200 else 0.5 if len(rows) < 3000 else 0.2
    mark = {"type": "point", "filled": True, "size": 60 if len(rows) < 500 else 25, "opacity": opacity}
    title = f"{_said([y.name for y in ys])} {'by' if x.kind != 'number' or x.rises else 'against'} {x.name}"
    return title, {"data": {"values": rows}, "mark": mark, "encoding": parts | {"tooltip": _tips(parts)}}


def _histogram(found: Roles, wish: Wish, ctx: Context) -> tuple[str, Spec]:
    column = found.ys[0] if found.ys else found.x
    if column is None or column.kind not in ("number", "time"):
        raise OptionError("a histogram needs a column of numbers or times", "Name it with -o y=")
    values = [{"x": value} for value in column.values if value is not None]
    bottom: Spec = {"field": "x", **_axis(column), "bin": {"maxbins": 30}}
    if column.kind == "time":
        bottom = {"field": "x", "type": "temporal", "title": column.name, "timeUnit": _unit(column)}
    parts = {"x": bottom, "y": {"aggregate": "count", "title": "number of rows", "type": "quantitative"}}
    mark = {"type": "bar", "binSpacing": 1}
    return f"Distribution of {column.name}", {
        "data": {"values": _thinned(values, ctx)},
        "mark": mark,
        "encoding": parts | {"tooltip": [{**bottom, "title": _tip(bottom)["title"]}, parts["y"]]},
    }


def _unit(column: Column) -> str:
    """The longest unit of time that parts the span into twelve or more."""
    lengths = {"utcyear": 4, "utcyearmonth": 7, "utcyearmonthdate": 10}
    spans = {unit: len({value[:length] for value in column.values if value}) for unit, length in lengths.items()}
    return next((unit for unit, count in spans.items() if count >= 12), "utcyearmonthdate")


def _boxes(found: Roles, wish: Wish, ctx: Context) -> tuple[str, Spec]:
    if not found.ys:
        raise OptionError("a box plot needs a column of numbers", "Name it with -o y=")
    names = found.x if found.x is not None and found.x.kind == "name" else found.colour
    rows = _thinned(_rows(Roles(names, found.ys[:1], None), found.ys[:1], ctx), ctx)
    parts: Spec = {"y": {"field": "y", **_axis(found.ys[0])}}
    if names is not None:
        parts["x"] = {"field": "x", "type": "nominal", "title": names.name, "axis": {"labelAngle": 0}, "sort": None}
    title = f"{found.ys[0].name} by {names.name}" if names else f"Spread of {found.ys[0].name}"
    return title, {"data": {"values": rows}, "mark": {"type": "boxplot", "size": 36}, "encoding": parts}


def _heat(found: Roles, wish: Wish, ctx: Context) -> tuple[str, Spec]:
    x, ys = _needed(found, "heat map")
    colour = found.colour
    colours = colour.values if colour and colour.kind == "number" else [1] * len(x.values)
    rows = [
        {"x": a, "c": b, "y": c}
        for a, b, c in zip(x.values, ys[0].values, colours, strict=True)
        if None not in (a, b, c)
    ]
    counted = colour is None or colour.kind != "number"
    shade: Spec = {"field": "y", "type": "quantitative", "aggregate": "count" if counted else "mean"}
    shade |= {
        "title": "number of rows" if counted or not colour else f"mean {colour.name}",
        "scale": {"scheme": "blues"},
    }
    parts: Spec = {"color": shade}
    for side, column, key in (("x", x, "x"), ("y", ys[0], "c")):
        binned: Spec = {"bin": {"maxbins": 30}} if column.kind == "number" else {}
        parts[side] = {"field": key, **_axis(column), **binned}
        parts[side].pop("scale", None)
        if column.kind == "time":
            parts[side] |= {"timeUnit": _unit(column), "type": "ordinal"}
    return f"{ys[0].name} and {x.name}", {"data": {"values": rows}, "mark": {"type": "rect"}, "encoding": parts}


_DRAWN = {
    "line": _lines,
    "area": _lines,
    "bar": _bars,
    "point": _points,
    "histogram": _histogram,
    "box": _boxes,
    "heatmap": _heat,
}
_STYLE: Spec = {
    "background": "white",
    "font": FONT,
    "padding": 20,
    "view": {"stroke": None},
    "title": {"anchor": "start", "fontSize": 19, "fontWeight": 600, "color": INK, "offset": 18, "limit": 900},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "titleColor": "#555",
        "labelColor": "#444",
        "titlePadding": 10,
        "gridColor": PALE,
        "domainColor": "#999",
        "tickColor": "#999",
        "labelLimit": 240,
        "labelOverlap": True,
    },
    "axisX": {"grid": False},
    "axisY": {"domain": False, "ticks": False},
    "legend": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "symbolType": "circle"},
    "range": {"category": COLOURS},
    "line": {"strokeWidth": 2.4, "color": COLOURS[0]},
    "bar": {"color": COLOURS[0], "cornerRadiusEnd": 2},
    "area": {"color": COLOURS[0]},
    "point": {"color": COLOURS[0]},
    "boxplot": {"box": {"color": COLOURS[0], "fillOpacity": 0.6}, "median": {"color": "white"}},
}
