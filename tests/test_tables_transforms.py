"""What is made of tables: charts, words, documents, forecasts, and tables out of texts."""

from __future__ import annotations

import math
import re
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transpose.core import errors
from transpose.core.context import Context
from transpose.media.chart_spec import Wish, draw
from transpose.media.document import Document
from transpose.media.table import Table, from_rows
from transpose.media.text import Cue, Text
from transpose.transforms.chart import chart, write_chart_drawing, write_chart_page
from transpose.transforms.describe_table import describe_table, figure, mean, shown
from transpose.transforms.forecast import forecast, naive, theta
from transpose.transforms.table_document import table_document
from transpose.transforms.table_text import table_text
from transpose.transforms.tables_from_text import cues_table, table_from_text, tables_from_text

quiet = settings(deadline=None, max_examples=60)
MONTHS = [date(2020 + n // 12, n % 12 + 1, 1) for n in range(36)]
cells = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), max_size=9).map(lambda t: f"w{t}w")


def rows(**columns: list[Any]) -> Table:
    return from_rows([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)], "t")


# -- text and back ---------------------------------------------------------------------------------------------------


@quiet
@given(st.lists(st.tuples(cells, cells | st.just("w|\n`x`*_<b>_ [a](b) &amp;\\w")), min_size=1, max_size=5))
def test_markdown_gives_the_cells_back(found: list[tuple[str, str]]) -> None:
    table = rows(a=[one for one, _ in found], b=[other for _, other in found])
    again = table_from_text(table_text(table, Context()), Context())
    assert again.rows() == table.rows()


@quiet
@given(st.lists(st.tuples(cells, st.integers()), min_size=1, max_size=5))
def test_a_document_gives_the_cells_back(found: list[tuple[str, int]]) -> None:
    table = rows(a=[one for one, _ in found], b=[other for _, other in found])
    assert table_from_text(table_document(table, Context()), Context()).rows() == table.rows()


def test_limits_are_said() -> None:
    said = Context()
    text = table_text(rows(a=list(range(20))), said, rows=5).text
    assert text.endswith("(5 of 20 rows)")
    assert "5 of 20" in said.warnings[0]
    with pytest.raises(errors.HugeInput, match="20 rows"):
        table_document(rows(a=list(range(20))), Context(), rows=5)


def test_tables_of_a_page() -> None:
    page = """<p>words<table><caption>First</caption><tr><th rowspan=2>name<th colspan=2>year<tr><th>2019<th>2020
        <tr><td>A<td>1.234,5<td>2<tr><td>B<br>b<td>3,25<td></table>
        <table><tr><td><table><tr><td>x<td>y</tr><tr><td>1<td>2</table></table><script><table><tr><td>no</script>"""
    said = Context()
    first = table_from_text(Text(page, "html"), said)
    assert first.rows() == [{"name": "A", "year 2019": 1234.5, "year 2020": 2}, {"name": "B\nb", "year 2019": 3.25,
                                                                               "year 2020": None}]  # fmt: skip
    assert first.name == "First"
    assert "first of 2" in said.warnings[0]
    assert table_from_text(Text(page, "html"), Context(), number=2).rows() == [{"x": 1, "y": 2}]
    assert tables_from_text(Text(page, "html"), Context()).length == 2
    with pytest.raises(errors.OptionError, match="no table 3"):
        table_from_text(Text(page, "html"), Context(), number=3)


@pytest.mark.parametrize("source", [Text("no | table", "markdown"), Text("<p>x", "html"), Document("<p>x</p>")])
def test_no_table_is_said(source: Text | Document) -> None:
    with pytest.raises(errors.SilentInput, match="no table"):
        table_from_text(source, Context())


def test_hostile_spans_end() -> None:
    page = "<table>" + "<tr><td colspan=99999 rowspan=99999>x<td>y" * 300 + "</table>"
    assert len(table_from_text(Text(page, "html"), Context())) >= 299


def test_cues_become_rows() -> None:
    text = Text("a b", cues=(Cue(0, 1.5, "a"), Cue(1.5, 2, "b")))
    assert cues_table(text, Context()).rows()[1] == {"start": 1.5, "end": 2.0, "text": "b"}


# -- words -----------------------------------------------------------------------------------------------------------

numbers = st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9) | st.decimals(-(10**6), 10**6, places=3)


@quiet
@given(st.fractions(-(10**9), 10**9))
def test_a_figure_is_right_to_its_digits(value: Fraction) -> None:
    printed = Fraction(figure(Decimal(value.numerator) / Decimal(value.denominator)).replace(",", ""))
    assert abs(printed - value) <= max(Fraction(1, 2), abs(value) / 2000) * Fraction(1000001, 1000000)
    if abs(value) < 1000:
        assert abs(printed - value) <= abs(value) / 1999


@quiet
@given(st.lists(st.none() | st.integers(-(10**12), 10**12), min_size=2, max_size=12))
def test_the_description_says_what_a_recomputation_finds(values: list[int | None]) -> None:
    there = sorted(value for value in values if value is not None)
    text = describe_table(rows(name=[f"r{at}" for at in range(len(values))], v=values), Context()).text
    paragraph = next(line for line in text.split("\n\n") if line.startswith("v:"))
    assert ("missing" in paragraph) == (None in values and bool(there))
    if not there:
        assert paragraph == "v: no values."
    elif there[0] == there[-1]:
        assert f"always {there[0]:,}." in paragraph
    else:
        said = re.match(r"v: from (\S+) to (\S+), mean (\S+), median (\S+)\.(?: |$)", paragraph)
        assert said
        least, most, mean, median = (Fraction(part.replace(",", "")) for part in said.groups())
        assert [least, most] == [Fraction(there[0]), Fraction(there[-1])]
        middle = Fraction(there[(len(there) - 1) // 2] + there[len(there) // 2], 2)
        for told, true in ((mean, Fraction(sum(there), len(there))), (median, middle)):
            near = max(Fraction(1, 2), abs(true) / 2000) if abs(true) > 1000 else abs(true) / 1999
            assert abs(told - true) <= near
    high = re.search(r"The highest belongs to r(\d+), the lowest to r(\d+)", paragraph)
    if high:
        assert (values[int(high[1])], values[int(high[2])]) == (there[-1], there[0])


@quiet
@given(st.lists(numbers, min_size=2, max_size=9))
def test_means_of_mixed_numbers_are_right(values: list[int | float | Decimal]) -> None:
    true = sum((Fraction(value) for value in values), Fraction(0)) / len(values)
    size = max(abs(Fraction(value)) for value in values)
    assert abs(Fraction(mean(values)) - true) <= size / 10**14
    extremes = [Fraction(shown(each).replace(",", "")) for each in (min(values), max(values))]
    for told, value in zip(extremes, (min(values), max(values)), strict=True):
        assert abs(told - Fraction(value)) <= max(Fraction(1, 2), abs(Fraction(value)) / 1999)


def test_a_description_of_all_sorts() -> None:
    table = rows(
        month=MONTHS[:12], region=["N", "S"] * 6, sales=[100.0 + n for n in range(12)], ok=[True, False, False] * 4,
        cost=[2 * n for n in range(12)],
    )  # fmt: skip
    text = describe_table(table, Context())
    for said in (
        "12 rows and 5 columns", "from 2020-01-01 to 2020-12-01", "2 different values: 'N' (6), 'S' (6)",
        "from 100 to 111, mean 105.5, median 105.5", "belongs to 2020-12-01", "true in 4 of 12",
        "rose from 100 in 2020-01-01 to 111 in 2020-12-01, a change of +11 %: 11 of 11 steps", "(correlation 1.00)",
    ):  # fmt: skip
        assert said in text.text, said
    assert text.lang == "en"
    odd = describe_table(rows(a=[math.nan, 1.0], b=[None, None], c=[[1], None]), Context()).text
    assert "1 value is not a finite number" in odd
    assert "b: no values." in odd


# -- charts ------------------------------------------------------------------------------------------------------------

CASES: list[tuple[dict[str, list[Any]], str]] = [
    ({"month": list(MONTHS), "sales": [float(n) + 5 for n in range(36)]}, "line"),
    ({"year": list(range(1990, 2020)), "co2": [350 + n * 1.5 for n in range(30)]}, "line"),
    ({"land": ["A", "B", "C"], "people": [5, 9, 7]}, "bar"),
    ({"a": [math.sin(n) for n in range(99)], "b": [math.cos(n) for n in range(99)]}, "point"),
    ({"v": [math.sin(n) for n in range(99)]}, "histogram"),
    ({"answer": ["yes", "no", "no"]}, "bar"),
    ({"v": [3.5, 1.5, 2.5]}, "bar"),
    ({"id": list(range(1, 41)), "v": [math.sin(n) for n in range(40)]}, "histogram"),
]


@pytest.mark.parametrize(("columns", "mark"), CASES)
def test_the_mark_suits_the_columns(columns: dict[str, list[Any]], mark: str) -> None:
    said = Context()
    made = chart(rows(**columns), said, scale=1.0)
    assert said.facts["mark"] == mark
    assert made.width > 700
    assert made.pixels.min() < 100 < made.pixels.max() == 255


def test_bars_are_as_long_as_their_numbers() -> None:
    """Measured in the picture itself: the blue columns of pixels under three bars."""
    made = chart(rows(land=["A", "B", "C"], people=[5, 10, 20]), Context(), scale=1.0)
    blue = (made.pixels[..., 2].astype(int) - made.pixels[..., 0] > 80).sum(axis=0)
    lengths = sorted({int(np.median(run)) for run in np.split(blue, np.flatnonzero(blue == 0)) if len(run) > 20})[-3:]
    assert lengths[2] / lengths[0] == pytest.approx(4, rel=0.03)
    assert lengths[1] / lengths[0] == pytest.approx(2, rel=0.03)


@pytest.mark.parametrize("mark", ["line", "area", "bar", "point", "box", "heatmap", "histogram"])
def test_every_mark_is_drawn(mark: Any) -> None:
    table = rows(
        month=MONTHS[:12], kind=["x", "y"] * 6, a=[float(n) for n in range(2, 14)], b=[n * 3 for n in range(12)]
    )
    assert chart(table, Context(), mark=mark, scale=0.5).width > 300


def test_several_rows_of_one_name_are_averaged_and_said() -> None:
    spec = draw(rows(kind=["x", "y", "x"], v=[1, 5, 4]), Context(), Wish())
    assert "Mean v" in spec["title"]["text"]
    assert {row["x"]: row["y"] for row in spec["data"]["values"]} == {"x": 2.5, "y": 5.0}


def test_wishes_and_their_errors() -> None:
    table = rows(a=[1.0, 2, 4], b=["x", "y", "z"], c=[3, 1, 2])
    spec = draw(table, Context(), Wish(x="c", y="a", mark="point", title="T", colour="b"))
    assert spec["title"]["text"] == "T"
    assert spec["encoding"]["x"]["title"] == "c"
    with pytest.raises(errors.OptionError, match="no column 'd'"):
        draw(table, Context(), Wish(x="d"))
    with pytest.raises(errors.OptionError, match="no numbers"):
        draw(table, Context(), Wish(y="b"))
    with pytest.raises(errors.EmptyInput):
        draw(from_rows([], columns=["a"]), Context(), Wish())
    with pytest.raises(errors.SilentInput):
        draw(rows(a=[None, None]), Context(), Wish())


def test_hostile_names_are_only_names(tmp_path: Path) -> None:
    table = from_rows([{"</script><b>": "</script><script>alert(1)</script>", 'a.b["0]\\': 3}] * 2)
    write_chart_page(table, tmp_path / "x.html", Context(history='{"<b>": 1}'))
    page = (tmp_path / "x.html").read_text()
    assert "<script>alert(1)" not in page
    assert not re.findall(r"""<(?:script|link|img)[^>]*(?:src|href)=["']?http""", page)  # works without a network
    write_chart_drawing(table, tmp_path / "x.svg", Context(history="{}"))
    from xml.etree import ElementTree

    assert "alert" in "".join(ElementTree.parse(tmp_path / "x.svg").getroot().itertext())


# -- forecasts -------------------------------------------------------------------------------------------------------


def season(length: int, noise: float = 0.0) -> list[float]:
    dice = np.random.default_rng(1)
    return [100 + n + 20 * math.sin(n * math.pi / 6) + noise * float(dice.normal()) for n in range(length)]


def test_a_season_with_trend_is_carried_on() -> None:
    made = forecast(rows(month=list(MONTHS), v=season(36, 1.0)), Context(), horizon=12)
    true = season(48)[36:]
    middle, low, high = (np.array(made.arrow.column(name).to_pylist()) for name in ("v", "v low", "v high"))
    assert np.abs(middle - true).mean() < 5 < np.abs(naive(np.array(season(36)), 12, 12) - true).mean()
    assert (low < middle).all()
    assert (middle < high).all()
    assert ((true > low) & (true < high)).mean() > 0.6
    assert made.arrow.column("month").to_pylist()[::11] == [date(2023, 1, 1), date(2023, 12, 1)]


def test_a_straight_line_goes_on_rising() -> None:
    assert theta(np.arange(30.0), 3, 1) == pytest.approx([29.5, 30.0, 30.5], abs=1.2)


@pytest.mark.parametrize(
    ("times", "coming"),
    [
        ([date(2020, 1, 31), date(2020, 2, 29), date(2020, 3, 31), date(2020, 4, 30)], [date(2020, 5, 31)]),
        ([date(2024, 1, day) for day in (4, 5, 8, 9, 10, 11, 12)], [date(2024, 1, 15)]),
        ([date(2024, 1, 1) + timedelta(weeks=n) for n in range(5)], [date(2024, 2, 5)]),
        ([2001, 2002, 2003, 2004], [2005]),
        ([date(2024, 1, n) for n in (4, 3, 2, 1)], [date(2024, 1, 5)]),
    ],
)
def test_times_go_on(times: list[Any], coming: list[Any]) -> None:
    made = forecast(rows(t=times, v=[float(n) for n in range(len(times))]), Context(), horizon=1)
    assert made.arrow.column("t").to_pylist() == coming


def test_what_cannot_be_forecast_is_said() -> None:
    with pytest.raises(errors.SilentInput, match="no column of numbers"):
        forecast(rows(a=["x"] * 9), Context())
    with pytest.raises(errors.SilentInput, match="needs 4"):
        forecast(rows(a=[1.0, 2.0]), Context())
    with pytest.raises(errors.InputError, match="several rows"):
        forecast(rows(t=[date(2020, 1, 1)] * 9, a=list(range(9))), Context())
    with pytest.raises(errors.OptionError, match="no column 'z'"):
        forecast(rows(a=[1.0, 2.0]), Context(), column="z")
    said = Context()
    made = forecast(rows(a=[1.0, None, 3.0, 4.0, 5.0, 5.5]), said, horizon=2)
    assert made.columns == ["step", "a", "a low", "a high"]
    assert "1 missing" in said.warnings[0]


def test_a_forecast_is_drawn_with_its_band() -> None:
    made = forecast(rows(month=list(MONTHS), v=season(36, 1.0)), Context())
    assert "layer" in draw(made, Context(), Wish())


def test_better_than_the_season_before() -> None:
    from benchmarks.scores.forecast import compare

    means = compare(Context(), each=1)
    assert means["forecast"] < 0.9 * means["seasonal naive"]
    assert 0.7 < means["inside"] <= 1
