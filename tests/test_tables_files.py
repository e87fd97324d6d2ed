"""Tables in files: what is written is read back, and what people's files hold is read right or refused plainly."""

from __future__ import annotations

import json
import math
import sqlite3
import string
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transpose.core import errors
from transpose.core.context import Context, Many
from transpose.formats.tables_columnar import read_parquet, write_parquet
from transpose.formats.tables_json import read_json_table, read_jsonl, write_json_table, write_jsonl
from transpose.formats.tables_page import write_table_page
from transpose.formats.tables_sqlite import read_sqlite, write_sqlite
from transpose.formats.tables_text import read_csv, write_csv
from transpose.formats.workbook_table import read_workbook, write_workbook
from transpose.media.embedding import Embedding
from transpose.media.schema import held
from transpose.media.table import Table, from_rows

quiet = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
COUNT = 4


def lists(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """A column: four values, some missing, one there at least."""
    some = st.lists(st.none() | values, min_size=COUNT - 1, max_size=COUNT - 1)
    return st.tuples(values, some).map(lambda pair: [pair[0], *pair[1]])


# words never look like numbers, dates or marks of what is missing
letters = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\",;|' é"), max_size=9)
words = letters.map(lambda text: f"w{text}w")
longs = st.integers(-(2**63), 2**63 - 1)
huge = st.integers(-(10**37), 10**37)
floats = st.floats(allow_nan=False, width=64).map(lambda value: value + 0.0)
amounts = st.decimals(-(10**9), 10**9, places=2, allow_nan=False)
days = st.dates(date(1900, 3, 2), date(2200, 1, 1))
moments = st.datetimes(datetime(1901, 1, 1), datetime(2200, 1, 1)).map(lambda m: m.replace(microsecond=0))
columns = st.one_of([lists(each) for each in (words, longs, huge, floats, days, moments, st.booleans())])
names = st.text(string.ascii_letters, min_size=1, max_size=8).map(lambda name: f"n{name}")
tables = st.dictionaries(names, columns, min_size=2, max_size=5).map(
    lambda found: from_rows([dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)], "t")
)


def ctx() -> Context:
    return Context(history='{"transpose":"1"}')


def same(one: Table, other: Table, close: Callable[[Any, Any], bool] = lambda a, b: a == b) -> bool:
    pairs = zip(one.rows(), other.rows(), strict=True)
    return one.columns == other.columns and all(close(a[name], b[name]) for a, b in pairs for name in one.columns)


@quiet
@given(tables, st.sampled_from([".csv", ".tsv"]))
def test_csv_round_trip(tmp_path: Path, value: Table, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    write_csv(value, path, ctx())
    assert same(read_csv(path, Context(), header="yes"), value), path.read_text()


@quiet
@given(tables, st.sampled_from([";", "|", "tab"]))
def test_csv_separators_are_found(tmp_path: Path, value: Table, separator: str) -> None:
    path = tmp_path / "t.csv"
    write_csv(value, path, ctx(), separator=separator)
    said = Context()
    assert same(read_csv(path, said, header="yes", separator=separator), value)
    plain = from_rows([{"nA": n, "nB": f"w{n}"} for n in range(3)], "t")
    write_csv(plain, path, ctx(), separator=separator)
    assert read_csv(path, said) == plain


@quiet
@given(tables)
def test_json_round_trip(tmp_path: Path, value: Table) -> None:
    for read, write, name in ((read_json_table, write_json_table, "t.json"), (read_jsonl, write_jsonl, "t.jsonl")):
        write(value, tmp_path / name, ctx())
        again = read(tmp_path / name, Context())
        assert same(again, value, lambda a, b: a == b or (isinstance(b, float) and not math.isfinite(b)))
    json.loads((tmp_path / "t.json").read_text())


@quiet
@given(tables)
def test_parquet_and_feather_keep_all(tmp_path: Path, value: Table) -> None:
    for suffix in (".parquet", ".feather"):
        write_parquet(value, tmp_path / f"t{suffix}", ctx())
        assert read_parquet(tmp_path / f"t{suffix}", Context()) == value


@quiet
@given(tables)
def test_sqlite_round_trip(tmp_path: Path, value: Table) -> None:
    path = tmp_path / "t.sqlite"
    path.unlink(missing_ok=True)
    value = Table(value.arrow.rename_columns([f"{name}{at}" for at, name in enumerate(value.columns)]), "t")
    write_sqlite(Many(lambda: [value], 1), path, ctx())
    assert read_sqlite(path, Context()) == value


@quiet
@given(tables)
def test_workbook_round_trip(tmp_path: Path, value: Table) -> None:
    path = tmp_path / "t.xlsx"
    # a row without any value would be left out
    value = Table(value.arrow.append_column("row", pa.array(range(COUNT))), "t")
    write_workbook(Many(lambda: [value], 1), path, ctx())

    def close(again: object, was: object) -> bool:
        if isinstance(was, int | Decimal) and not -(10**15) < was < 10**15:
            return str(again) == str(was)
        if isinstance(was, float) and not math.isfinite(was):
            return again is None
        if isinstance(was, datetime):
            return again in (was, was.date()) or str(again) == str(was)
        return str(again).replace("\r", "") == str(was).replace("\r", "") or again == was

    assert same(read_workbook(path, Context(), header="yes"), value, close)


@quiet
@given(
    st.binary(max_size=300), st.sampled_from([".csv", ".json", ".jsonl", ".parquet", ".xlsx", ".sqlite", ".feather"])
)
def test_noise_is_read_or_refused(tmp_path: Path, data: bytes, suffix: str) -> None:
    heads = {".parquet": b"PAR1", ".xlsx": b"PK\x03\x04", ".sqlite": b"SQLite format 3\0", ".feather": b"ARROW1\0\0"}
    for content in (data, heads.get(suffix, b"[{") + data):
        path = tmp_path / f"x{suffix}"
        path.write_bytes(content)
        with suppress(errors.InputError):  # and nothing else may come out
            READERS[suffix](path, Context())


READERS = {
    ".csv": read_csv,
    ".json": read_json_table,
    ".jsonl": read_jsonl,
    ".parquet": read_parquet,
    ".feather": read_parquet,
    ".xlsx": read_workbook,
    ".sqlite": read_sqlite,
}
SAMPLE = from_rows([{"a": n, "b": f"w{n}", "c": n / 7} for n in range(200)], "t")


def written(path: Path) -> Path:
    many = Many(lambda: [SAMPLE], 1)
    match path.suffix:
        case ".csv":
            write_csv(SAMPLE, path, Context())
        case ".json":
            write_json_table(SAMPLE, path, Context())
        case ".jsonl":
            write_jsonl(SAMPLE, path, Context())
        case ".xlsx":
            write_workbook(many, path, Context())
        case ".sqlite":
            write_sqlite(many, path, Context())
        case _:
            write_parquet(SAMPLE, path, Context())
    return path


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".parquet", ".feather", ".xlsx", ".sqlite"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.97])
def test_files_cut_off_are_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = written(tmp_path / f"t{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(errors.DamagedInput, match=r"t\."):
        READERS[suffix](path, Context())


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl", ".parquet", ".feather", ".xlsx", ".sqlite"])
def test_empty_missing_and_mislabelled_files_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    with pytest.raises(errors.MissingInput):
        READERS[suffix](path, Context())
    path.write_bytes(b"")
    with pytest.raises(errors.EmptyInput):
        READERS[suffix](path, Context())
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(errors.MislabelledInput):
        READERS[suffix](path, Context())


# -- CSV as people have it -----------------------------------------------------------------------------------------


def csv(tmp_path: Path, data: str | bytes, said: Context | None = None, **options: Any) -> Table:
    path = tmp_path / "x.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    table: Table = read_csv(path, said or Context(), **options)
    return table


def column(tmp_path: Path, *cells: str, said: Context | None = None, **options: Any) -> tuple[pa.DataType, list[Any]]:
    """Type and values of a column of cells, each in quotes."""
    lines = "".join(f'"{cell}",x\n' for cell in cells)
    found = csv(tmp_path, "name,other\n" + lines, said, **options).arrow.column(0)
    return found.type, found.to_pylist()


@pytest.mark.parametrize(
    ("cells", "type_", "values"),
    [
        (["1", "-2", ""], pa.int64(), [1, -2, None]),
        (["01234", "99999"], pa.string(), ["01234", "99999"]),
        (["+4917012345678", "+43123"], pa.string(), ["+4917012345678", "+43123"]),
        (["9223372036854775808", "1"], pa.decimal128(19, 0), [Decimal(2**63), Decimal(1)]),
        (["12345678901234567890123456789012345678901234", "1"], pa.decimal256(44, 0),
         [Decimal("12345678901234567890123456789012345678901234"), Decimal(1)]),
        (["0.1", "2."], pa.float64(), [0.1, 2.0]),
        (["0.30000000000000004", "1e-7"], pa.float64(), [0.30000000000000004, 1e-7]),
        (["0.12345678901234567890", "1"], pa.decimal128(21, 20), [Decimal("0.12345678901234567890"), Decimal(1)]),
        (["1e999", "1"], pa.string(), ["1e999", "1"]),
        (["NA", "1.5", "-"], pa.float64(), [None, 1.5, None]),
        (["NA", "DE"], pa.string(), ["NA", "DE"]),
        (["1,234", "1,234,567.5"], pa.float64(), [1234.0, 1234567.5]),
        (["1 234", "12"], pa.int64(), [1234, 12]),
        (["1'234.50", "12"], pa.float64(), [1234.5, 12.0]),
        (["1.234,5", "2,25"], pa.float64(), [1234.5, 2.25]),
        (["0,123", "0,5"], pa.float64(), [0.123, 0.5]),
        (["true", "FALSE"], pa.bool_(), [True, False]),
        (["2020-02-29", "2021-01-01"], pa.date32(), [date(2020, 2, 29), date(2021, 1, 1)]),
        (["2021-02-29", "2021-01-01"], pa.string(), ["2021-02-29", "2021-01-01"]),
        (["31.12.2020", "1.2.2021"], pa.date32(), [date(2020, 12, 31), date(2021, 2, 1)]),
        (["12/31/2020", "01/02/2021"], pa.date32(), [date(2020, 12, 31), date(2021, 1, 2)]),
        (["31/12/2020", "01/02/2021"], pa.date32(), [date(2020, 12, 31), date(2021, 2, 1)]),
        (["01/02/2020", "03/04/2020"], pa.string(), ["01/02/2020", "03/04/2020"]),
        (["2020-01-01T10:00:00", "2020-01-01 11:00"], pa.timestamp("us"),
         [datetime(2020, 1, 1, 10), datetime(2020, 1, 1, 11)]),
        (["2020-01-01T10:00:00Z", "2020-01-01T10:00:00.5+00:00"], pa.timestamp("us", "UTC"),
         [datetime(2020, 1, 1, 10, tzinfo=UTC), datetime(2020, 1, 1, 10, 0, 0, 500000, UTC)]),
        (["2020-01-01T10:00+02:00", ""], pa.timestamp("us", "+02:00"),
         [datetime(2020, 1, 1, 10, tzinfo=timezone(timedelta(hours=2))), None]),
        (["2020-01-01T10:00+02:00", "2020-01-01T10:00+01:00"], pa.string(),
         ["2020-01-01T10:00+02:00", "2020-01-01T10:00+01:00"]),
        (["10:30", "23:59:59"], pa.time64("us"), [time(10, 30), time(23, 59, 59)]),
        (["25:30", "23:59:59"], pa.string(), ["25:30", "23:59:59"]),
        (["1-2", "3"], pa.string(), ["1-2", "3"]),
        ([" 5 ", "6"], pa.int64(), [5, 6]),
    ],
)  # fmt: skip
def test_types_of_cells(tmp_path: Path, cells: list[str], type_: pa.DataType, values: list[object]) -> None:
    assert column(tmp_path, *cells) == (type_, values)


def test_what_is_doubtful_is_said_and_can_be_chosen(tmp_path: Path) -> None:
    said = Context()
    assert column(tmp_path, "01/02/2020", said=said)[0] == pa.string()
    assert "dates=dmy" in said.warnings[0]
    assert column(tmp_path, "01/02/2020", dates="dmy")[1] == [date(2020, 2, 1)]
    assert column(tmp_path, "01/02/2020", dates="mdy")[1] == [date(2020, 1, 2)]
    said = Context()
    assert column(tmp_path, "1,234", said=said)[1] == [1234]
    assert "thousands" in said.warnings[0]
    assert column(tmp_path, "1,234", decimal=",")[1] == [1.234]
    said = Context()
    assert csv(tmp_path, "a;b\n1,234;x\n", said).rows() == [{"a": 1.234, "b": "x"}]
    assert "decimal=." in said.warnings[0]
    assert column(tmp_path, "1", types=False) == (pa.string(), ["1"])


def test_rows_of_another_length_are_named(tmp_path: Path) -> None:
    text = 'a,b\n1,"x\ny"\n3\n4,5,6\n'
    with pytest.raises(errors.DamagedInput, match=r"row 3 of 'x.csv' has 1 cells, the first has 2"):
        csv(tmp_path, text)
    filled = csv(tmp_path, text, ragged="fill").rows()
    assert filled[1:] == [{"a": 3, "b": None, "column 3": None}, {"a": 4, "b": "5", "column 3": 6}]
    said = Context()
    assert len(csv(tmp_path, text, said, ragged="skip")) == 1
    assert "2 rows" in said.warnings[0]


def test_headers(tmp_path: Path) -> None:
    assert csv(tmp_path, "1,2\n3,4\n").columns == ["column 1", "column 2"]
    assert csv(tmp_path, "1,2\n3,4\n", header="yes").columns == ["1", "2"]
    assert csv(tmp_path, "land,2019,2020\nA,4,5\n").columns == ["land", "2019", "2020"]
    assert csv(tmp_path, "a,a,\n1,2,3\n").columns == ["a", "a 2", "column 3"]
    assert csv(tmp_path, "name,age\nAnn,3\n", header="no").rows()[0] == {"column 1": "name", "column 2": "age"}
    assert csv(tmp_path, "only\nx\n").columns == ["only"]


def test_encodings_and_excels_own_line(tmp_path: Path) -> None:
    want = [{"größe": 1.5, "b": "ü"}]
    for data in ("größe;b\n1,5;ü\n".encode("utf-8-sig"), "größe;b\n1,5;ü\n".encode("utf-16")):
        assert csv(tmp_path, data).rows() == want
    assert csv(tmp_path, "größe;b\n1,5;ü\n".encode("latin-1"), encoding="latin-1").rows() == want
    assert csv(tmp_path, "sep=;\r\ngröße;b\r\n1,5;ü\r\n").rows() == want
    with pytest.raises(errors.OptionError):
        csv(tmp_path, "a,b\n1,2\n", separator="ab")


def test_empty_texts_and_missing_cells_are_two_things(tmp_path: Path) -> None:
    assert csv(tmp_path, 'a,b\nx,""\ny,\n"",z\n').rows() == [
        {"a": "x", "b": ""}, {"a": "y", "b": None}, {"a": "", "b": "z"}
    ]  # fmt: skip
    one = from_rows([{"a": "x"}, {"a": None}, {"a": "y"}], "x")
    write_csv(one, tmp_path / "x.csv", Context())
    assert read_csv(tmp_path / "x.csv", Context()) == one


def test_a_quote_that_never_closes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.DamagedInput, match="quotation mark"):
        csv(tmp_path, 'a\n"b\nc\n')
    with pytest.raises(errors.DamagedInput):
        csv(tmp_path, 'a,b\n1,2\n3,"b\nc\n')


def test_what_excel_would_take_for_utf8_is_marked_on_request(tmp_path: Path) -> None:
    write_csv(SAMPLE, tmp_path / "x.csv", Context(), mark=True)
    assert (tmp_path / "x.csv").read_bytes().startswith(b"\xef\xbb\xbfa,b,c\n0,w0,0.0\n")


# -- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ('[{"a": 1}, {"b": "x"}]', [{"a": 1, "b": None}, {"a": None, "b": "x"}]),
        ('{"a": [1, 2], "b": ["x", "y"]}', [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
        ('{"columns": ["a"], "index": [0], "data": [[5]]}', [{"a": 5}]),
        ('[["n", "m"], [1, 2.5]]', [{"n": 1, "m": 2.5}]),
        ("[[1, 2], [3]]", [{"column 1": 1, "column 2": 2}, {"column 1": 3, "column 2": None}]),
        ("[1, null]", [{"value": 1}, {"value": None}]),
        ('{"a": 1, "b": {"c": [1]}}', [{"a": 1, "b": {"c": [1]}}]),
        ('{"count": 2, "items": [{"a": 1}, {"a": 2}]}', [{"a": 1}, {"a": 2}]),
        ('[{"a": 12345678901234567890}]', [{"a": Decimal("12345678901234567890")}]),
        ('[{"a": 0.12345678901234567890}]', [{"a": Decimal("0.12345678901234567890")}]),
        ('[{"a": "007"}]', [{"a": "007"}]),
        ('[{"d": "2020-01-02"}, {"d": null}]', [{"d": date(2020, 1, 2)}, {"d": None}]),
        ('[{"d": "2020-01-02"}, {"d": "soon"}]', [{"d": "2020-01-02"}, {"d": "soon"}]),
    ],
)
def test_shapes_of_json(tmp_path: Path, source: str, rows: list[dict[str, object]]) -> None:
    (tmp_path / "x.json").write_text(source)
    assert read_json_table(tmp_path / "x.json", Context()).rows() == rows


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ('[{"a": 1}, {"a"', errors.DamagedInput),
        ("[" * 100_000, errors.DamagedInput),
        ('"just words"', errors.SilentInput),
        ("{}", errors.SilentInput),
        ("[]", errors.EmptyInput),
        ('{"schema": "transpose.text/1", "text": "x"}', errors.MislabelledInput),
    ],
)
def test_json_without_rows_is_refused(tmp_path: Path, source: str, error: type[Exception]) -> None:
    (tmp_path / "x.json").write_text(source)
    with pytest.raises(error, match=r"x\.json"):
        read_json_table(tmp_path / "x.json", Context())


def test_json_of_text_and_embeddings_stays_theirs(tmp_path: Path) -> None:
    import numpy as np

    from transpose.formats.text_json import write_json_text
    from transpose.formats.vectors import write_json_embeddings
    from transpose.media.text import Text

    write_json_text(Text("x"), tmp_path / "t.json", Context())
    vectors = [Embedding(np.zeros(3, np.float32), "s")]
    write_json_embeddings(Many(lambda: vectors, 1), tmp_path / "e.json", Context())
    write_json_table(SAMPLE, tmp_path / "r.json", Context())
    assert [held(tmp_path / name) for name in ("t.json", "e.json", "r.json")] == ["text", "embedding", "table"]


def test_a_bad_line_is_named_and_lists_can_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"a": 1}\n\n{"a": \n')
    with pytest.raises(errors.DamagedInput, match="line 3"):
        read_jsonl(tmp_path / "x.jsonl", Context())
    (tmp_path / "x.json").write_text('{"a": [{"x": 1}, {"x": 2}], "b": [{"y": 1}]}')
    said = Context()
    assert len(read_json_table(tmp_path / "x.json", said)) == 2
    assert "'b'" in said.warnings[0]
    assert read_json_table(tmp_path / "x.json", Context(), rows="b").rows() == [{"y": 1}]
    with pytest.raises(errors.OptionError):
        read_json_table(tmp_path / "x.json", Context(), rows="c")


# -- workbooks, databases, columns, pages ----------------------------------------------------------------------------


def test_sheets(tmp_path: Path) -> None:
    two = [from_rows([{"a": 1}], "one/two"), from_rows([{"b": "=1+1", "d": date(2020, 1, 2)}], "One two")]
    path = tmp_path / "x.xlsx"
    write_workbook(Many(lambda: two, 2), path, ctx())
    said = Context()
    assert read_workbook(path, said).rows() == [{"a": 1}]
    assert "'One two 2'" in said.warnings[0]
    assert read_workbook(path, Context(), sheet="2").rows() == [{"b": "=1+1", "d": date(2020, 1, 2)}]
    with pytest.raises(errors.OptionError, match="no sheet"):
        read_workbook(path, Context(), sheet="3")


def test_workbooks_as_people_have_them(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["Sales 2020"],
        [],
        ["", "month", "sum"],
        [None, "Jan", 1.5],
        [None, "Feb", "n/a"],
        [],
        [None, "Mar", 3],
    ):
        sheet.append(row)
    sheet["C8"] = "=C4+C5"
    sheet["B8"] = "all"
    book.create_sheet("empty")
    book.save(tmp_path / "x.xlsx")
    said = Context()
    assert read_workbook(tmp_path / "x.xlsx", said).rows() == [
        {"month": "Jan", "sum": 1.5}, {"month": "Feb", "sum": None}, {"month": "Mar", "sum": 3.0},
        {"month": "all", "sum": None},
    ]  # fmt: skip
    for told in ("Sales 2020", "empty", "n/a", "1 formulas", "2 empty rows"):
        assert any(told in each for each in said.warnings), told
    (tmp_path / "y.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(errors.LockedInput):
        read_workbook(tmp_path / "y.xlsx", Context())


def test_a_workbook_keeps_the_digits_of_long_numbers(tmp_path: Path) -> None:
    said = Context()
    table = from_rows([{"id": 12345678901234567, "old": date(1850, 1, 1), "x": "a\x00b"}], "t")
    write_workbook(Many(lambda: [table], 1), tmp_path / "x.xlsx", said)
    assert len(said.warnings) == 3
    assert read_workbook(tmp_path / "x.xlsx", Context()).rows() == [
        {"id": "12345678901234567", "old": "1850-01-01", "x": "ab"}
    ]


def test_databases(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    two = [
        from_rows([{"a": 1, "A": 2}], "one"),
        from_rows([{"amount": Decimal("1.10"), "ok": True, "t": time(1, 2)}], "two"),
    ]
    said = Context()
    write_sqlite(Many(lambda: two, 2), path, said)
    assert "A 2" in said.warnings[0]
    said = Context()
    assert read_sqlite(path, said).columns == ["a", "A 2"]
    assert "'two'" in said.warnings[0]
    assert read_sqlite(path, Context(), table="two") == two[1]
    with pytest.raises(errors.OptionError, match="one, two"):
        read_sqlite(path, Context(), table="three")


def test_a_hostile_database_ends(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    base = sqlite3.connect(path)
    base.execute('CREATE TABLE "a""; DROP TABLE x; --" (v)')
    base.execute(
        "CREATE VIEW loop AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c) SELECT 1 FROM c WHERE n<0"
    )
    base.commit()
    base.close()
    assert read_sqlite(path, Context()).columns == ["v"]
    with pytest.raises(errors.DamagedInput, match="interrupted"):
        read_sqlite(path, Context(), table="loop")


def test_parquet_metadata_columns_and_odd_types(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    arrow = pa.table({"s": pa.array([{}], pa.struct([])), "a": [1]}).replace_schema_metadata({"who": "me"})
    write_parquet(Table(arrow, "x"), path, ctx())
    again = read_parquet(path, Context())
    assert again.arrow.schema.metadata == {b"who": b"me"}
    assert again.rows() == [{"s": "{}", "a": 1}]
    assert read_parquet(path, Context(), columns="a").columns == ["a"]
    with pytest.raises(errors.OptionError, match="no column"):
        read_parquet(path, Context(), columns="b")


def test_a_page_holds_every_row_and_no_script(tmp_path: Path) -> None:
    from transpose.media.text import Text
    from transpose.transforms.tables_from_text import table_from_text

    table = from_rows([{"<b>": "</td><script>", "n": n} for n in range(1500)], "a & b")
    write_table_page(table, tmp_path / "x.html", ctx())
    page = (tmp_path / "x.html").read_text()
    assert "<script" not in page
    again = table_from_text(Text(page, "html"), Context())
    assert again.rows() == table.rows()
