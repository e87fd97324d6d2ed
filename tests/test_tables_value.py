"""Tables in memory: made of rows without losing a digit, stored and loaded equal."""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transpose.core.kind import Node
from transpose.core.store import load_value, save_value
from transpose.media.table import Table, as_text, from_rows, typed, unique

quiet = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
characters = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
moments = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))
columns = st.one_of(
    st.lists(st.integers(), min_size=3, max_size=3),
    st.lists(st.none() | st.integers(-(2**70), 2**70), min_size=3, max_size=3),
    st.lists(st.none() | st.floats(), min_size=3, max_size=3),
    st.lists(st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=3), min_size=3, max_size=3),
    st.lists(st.none() | characters, min_size=3, max_size=3),
    st.lists(st.none() | st.booleans(), min_size=3, max_size=3),
    st.lists(st.none() | st.dates(), min_size=3, max_size=3),
    st.lists(st.none() | moments, min_size=3, max_size=3),
    st.lists(st.none() | st.binary(max_size=5), min_size=3, max_size=3),
    st.lists(st.lists(st.integers(0, 9), max_size=3), min_size=3, max_size=3),
)
tables = st.dictionaries(characters, columns, max_size=4).map(
    lambda found: from_rows([dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)], "t")
)


@quiet
@given(tables)
def test_a_stored_table_comes_back_equal(tmp_path: Path, value: Table) -> None:
    save_value(value, Node("table"), tmp_path)
    again = load_value(Node("table"), tmp_path)
    assert again == value
    assert again.arrow.schema.equals(value.arrow.schema, check_metadata=True)


@quiet
@given(st.lists(st.none() | st.integers(-(10**75), 10**75), min_size=1, max_size=5))
def test_whole_numbers_keep_every_digit(values: list[int | None]) -> None:
    again = typed(values).to_pylist()
    assert [None if v is None else int(v) for v in again] == values


def test_metadata_and_chunks_are_kept(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("a", pa.dictionary(pa.int8(), pa.string()))], metadata={"who": "me"})
    parts = [pa.array(["x", "y"]).dictionary_encode(), pa.array(["z", None]).dictionary_encode()]
    value = Table(pa.table([pa.chunked_array([p.cast(schema[0].type) for p in parts])], schema=schema), "ö")
    save_value(value, Node("table"), tmp_path)
    again = load_value(Node("table"), tmp_path)
    assert again == value
    assert again.arrow.schema.metadata == {b"who": b"me"}


def test_equality_sees_name_type_and_value() -> None:
    one = from_rows([{"a": 1.0}, {"a": math.nan}])
    assert one == from_rows([{"a": 1.0}, {"a": math.nan}])
    assert one != from_rows([{"a": 1.0}, {"a": None}])
    assert one != from_rows([{"a": 1.0}, {"a": math.nan}], "other")
    assert from_rows([{"a": 1}]) != from_rows([{"a": 1.0}])


@pytest.mark.parametrize(
    ("values", "type_", "back"),
    [
        ([1, None, 3], pa.int64(), [1, None, 3]),
        ([1, 2.5], pa.float64(), [1.0, 2.5]),
        ([2**53 + 1, 0.5], pa.decimal128(17, 1), [Decimal(2**53 + 1), Decimal("0.5")]),
        ([10**400, 1], pa.string(), ["1" + "0" * 400, "1"]),
        ([2**64, 1], pa.decimal128(20, 0), [Decimal(2**64), Decimal(1)]),
        ([True, 1], pa.string(), ["true", "1"]),
        (["1", 1], pa.string(), ["1", "1"]),
        ([date(2020, 1, 2), datetime(2020, 1, 3, 4)], pa.timestamp("us"),
         [datetime(2020, 1, 2), datetime(2020, 1, 3, 4)]),
        ([{"x": 1}, {"x": "a"}], pa.string(), ['{"x": 1}', '{"x": "a"}']),
        ([None, None], pa.null(), [None, None]),
        ([Decimal("1.10"), Decimal(2)], pa.decimal128(3, 2), [Decimal("1.10"), Decimal(2)]),
        ([Decimal("NaN"), Decimal(2)], pa.string(), ["NaN", "2"]),
    ],
)  # fmt: skip
def test_types_of_mixed_columns(values: list[object], type_: pa.DataType, back: list[object]) -> None:
    column = typed(values)
    assert column.type == type_
    assert column.to_pylist() == back


def test_rows_with_other_keys_are_kept() -> None:
    assert from_rows([{"a": 1}, {"b": "x"}]).rows() == [{"a": 1, "b": None}, {"a": None, "b": "x"}]
    assert from_rows([{"b": 1, "a": 2}], columns=["a", "b"]).columns == ["a", "b"]
    assert len(from_rows([])) == 0


def test_names_are_unique() -> None:
    assert unique(["a", "", "a", "a 2", " b "]) == ["a", "column 2", "a 2", "a 2 2", "b"]
    with pytest.raises(ValueError, match="unique"):
        Table(pa.table([[1], [2]], names=["a", "a"]))


def test_cells_as_text() -> None:
    moment = datetime(2020, 1, 2, 3, 4, tzinfo=UTC)
    cells = [True, 1.0, 1e300, Decimal("1E+3"), moment, time(1, 2), b"\xff", [1, date(2020, 1, 2)]]
    said = ["true", "1", "1e+300", "1000", "2020-01-02 03:04:00+00:00", "01:02:00", "ff", '[1, "2020-01-02"]']
    assert [as_text(cell) for cell in cells] == said


def test_importing_it_is_light() -> None:
    code = "import sys, transpose.media.table; sys.exit('pyarrow' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nanoseconds_are_cut_for_python_only() -> None:
    column = pa.array([1_700_000_000_123_456_789, None], pa.timestamp("ns"))
    value = Table(pa.table({"at": column}))
    moment = value.rows()[0]["at"]
    assert type(moment) is datetime
    assert moment.microsecond == 123456
    assert value.rows()[1]["at"] is None
    assert value.arrow.column(0)[0].value == 1_700_000_000_123_456_789
