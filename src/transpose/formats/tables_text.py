"""Tables as text: `.csv` and `.tsv`.

Reading finds the encoding (a byte order mark, UTF-8, else a guess that is said), the separator (comma, semicolon, tab
or bar, by which the first lines have equally many cells; also Excel's `sep=;`), whether there is a header, and the type
of each column (media/cells.py says how, and what stays text). In a column of words an empty cell in quotes is an empty
text, one without quotes is missing. Line ends inside a cell become `\\n`.

Written is UTF-8 with commas (tabs in `.tsv`), `\\n` line ends, quotes where needed. A table of one column writes `""`
for what is missing, because an empty line is none.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, EmptyInput, InputError, OptionError
from transpose.core.transform import transform
from transpose.media.cells import FLOATING, ISO_DATE, Reading, decimal_mark, infer, written
from transpose.media.encoding import read_characters
from transpose.media.file import reason
from transpose.media.table import Table, unique

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

SEPARATORS = ",;\t|"
SAMPLE = 64 * 1024  # characters in which the separator is looked for
SAID = "^sep=(.)\n"
WIDEST = 10_000  # columns


@transform(".csv|.tsv -> table", extra="tables", needs=["pyarrow"])
def read_csv(
    path: Path,
    ctx: Context,
    *,
    separator: Annotated[str, "one character between cells, or tab; found where it is not given"] = "",
    header: Annotated[Literal["auto", "yes", "no"], "whether the first row names the columns"] = "auto",
    encoding: Annotated[str, "name of the encoding, where it is not found"] = "",
    decimal: Annotated[Literal["auto", ".", ","], "mark before decimals"] = "auto",
    dates: Annotated[Literal["auto", "dmy", "mdy"], "whether 3/4/2020 is in April or in March"] = "auto",
    types: Annotated[bool, "find the type of each column; no: every cell stays text"] = True,
    ragged: Annotated[Literal["error", "fill", "skip"], "what to do with rows of another length"] = "error",
) -> Table:
    """Read rows of cells with a separator between them, as numbers, dates, truth values and text.

    Raises DamagedInput (rows of different length: the message names the row), and what `read_characters` does.
    """
    import pyarrow as pa

    text = read_characters(path, ctx, encoding)
    said = re.match(SAID, text)
    text = text[said.end() :] if said else text
    mark = _separator(separator) or (said[1] if said else find_separator(text, "\t" if path.suffix == ".tsv" else ","))
    if ragged == "fill":
        text = _filled(text, mark)
    cells = _parse(text, mark, path, ctx, ragged == "skip")
    names = _names(cells, header, mark)
    if names is None:
        names = [f"column {number}" for number in range(1, len(cells) + 1)]
    else:
        cells = [column.slice(1) for column in cells]
    columns = _typed(names, cells, mark, decimal, dates, ctx) if types else cells
    return Table(pa.table(dict(zip(names, columns, strict=True))), path.stem)


def _separator(said: str) -> str:
    mark = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}.get(said, said)
    if len(mark) > 1 or mark in ('"', "\n", "\r") or (mark and ord(mark) > 127):
        raise OptionError(f"option separator={said!r} is no separator", "Give one character, or tab")
    return mark


def find_separator(text: str, likely: str) -> str:
    """The separator by which most of the first rows have equally many cells (at least two); else the likely one."""
    sample = text[:SAMPLE]
    best, choice = 0.0, likely
    for mark in dict.fromkeys(likely + SEPARATORS):
        if mark not in sample:
            continue
        try:
            widths = [len(row) for row in csv.reader(io.StringIO(sample), delimiter=mark) if row]
        except csv.Error:
            continue
        widths = widths[:-1] if len(text) > SAMPLE and len(widths) > 1 else widths
        width = max(set(widths), key=lambda each: (each > 1, widths.count(each), each))
        # among equally regular ones, what gives more columns
        score = widths.count(width) / len(widths) + min(width, 99) / 10_000 if width > 1 else 0.0
        if score > best:
            best, choice = score, mark
    return choice


def _parse(text: str, mark: str, path: Path, ctx: Context, skip: bool) -> list[pa.Array]:
    """Every column as text cells, the header among them; null where a cell is empty and has no quotes."""
    import pyarrow as pa
    import pyarrow.csv as arrow_csv  # type: ignore[import-untyped]

    data = (text + "\n").encode("utf-8", "replace")
    width = _first_width(text, mark)
    if width > WIDEST:
        raise InputError(f"{path.name!r} has {width} columns in its first row", "Is -o separator right?")
    names = [f"f{number}" for number in range(width)]
    wrong: list[str] = []

    def refuse(row: arrow_csv.InvalidRow) -> str:
        wrong.append(f"row {row.number} of {path.name!r} has {row.actual_columns} cells, the first has {width}")
        return "skip" if skip else "error"

    try:
        table = arrow_csv.read_csv(
            io.BytesIO(data),
            arrow_csv.ReadOptions(use_threads=False, block_size=min(len(data) + 1, 2**31 - 1), column_names=names),
            arrow_csv.ParseOptions(
                delimiter=mark, newlines_in_values=True, ignore_empty_lines=width > 1, invalid_row_handler=refuse
            ),
            arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                strings_can_be_null=True,
                quoted_strings_can_be_null=width == 1,
                null_values=[""],
            ),
        )
    except pa.ArrowException as error:
        what = wrong[0] if wrong else f"{path.name!r} cannot be read as rows of cells ({reason(error)})"
        raise DamagedInput(
            what, "Mend that row, or add -o ragged=fill or ragged=skip; is -o separator right?"
        ) from None
    if wrong:
        ctx.warn(f"{len(wrong)} rows of another length were left out; the first: {wrong[0]}")
    last = table.columns[-1][-1].as_py() if table.num_rows else None
    if last and last.endswith("\n") and not text.endswith('"'):
        raise DamagedInput(f"a quotation mark is opened in {path.name!r} and never closed", "Is the file cut off?")
    if not table.num_rows:
        raise EmptyInput(f"{path.name!r} has no rows", "Give a file with cells in it")
    return [column.combine_chunks() for column in table.columns]


def _first_width(text: str, mark: str) -> int:
    """Number of cells in the first row; quotes and line ends inside them are minded."""
    quoted = False
    count = 1
    for character in text.lstrip("\n"):
        if character == '"':
            quoted = not quoted
        elif not quoted and character == "\n":
            break
        elif not quoted and character == mark:
            count += 1
    return count


def _filled(text: str, mark: str) -> str:
    """The same rows, each as long as the longest."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark) if row]
    except csv.Error as error:
        raise DamagedInput(f"the rows cannot be told apart: {error}", "Leave out -o ragged=fill") from None
    width = max(map(len, rows), default=0)
    made = io.StringIO(newline="")
    csv.writer(made, delimiter=mark, lineterminator="\n").writerows(row + [""] * (width - len(row)) for row in rows)
    return made.getvalue()


def _names(cells: list[pa.Array], header: str, mark: str) -> list[str] | None:
    """Names of the columns, or None where the first row is data like the others."""
    first = [(column[0].as_py() or "").strip() for column in cells]
    if header == "no" or (header == "auto" and not _is_header(first)):
        return None
    return unique(first)


def _is_header(first: list[str]) -> bool:
    """No, where a cell of the first row is a number or a date; but years stand above columns too."""
    values = [cell for cell in first if re.match(f"{FLOATING}|{ISO_DATE}|^-?[0-9]+,[0-9]+$".replace(r"\x", "x"), cell)]
    years = all(re.fullmatch("(19|20)[0-9]{2}", cell) for cell in values)
    return not values or (years and len(values) < len(first) and len(set(values)) == len(values))


def _typed(
    names: list[str], cells: list[pa.Array], mark: str, decimal: str, dates: str, ctx: Context
) -> list[pa.Array]:
    found, remark = decimal_mark(cells, mark) if decimal == "auto" else (decimal, "")
    reading = Reading(found, "" if dates == "auto" else dates, [remark] if remark else [])
    columns = [infer(name, column, reading) for name, column in zip(names, cells, strict=True)]
    for said in reading.remarks:
        ctx.warn(said)
    return columns


@transform("table -> .csv|.tsv", loses=["metadata"], extra="tables", needs=["pyarrow"])
def write_csv(
    table: Table,
    path: Path,
    ctx: Context,
    *,
    separator: Annotated[str, "one character between cells, or tab (default: comma, in .tsv tab)"] = "",
    mark: Annotated[bool, "begin with a byte order mark, by which Excel knows UTF-8"] = False,
) -> None:
    """Write a header and a row a line; numbers with all their digits, dates in ISO 8601."""
    import pyarrow as pa
    import pyarrow.compute as pc  # type: ignore[import-untyped]

    between = _separator(separator) or ("\t" if path.suffix == ".tsv" else ",")
    alone = table.arrow.num_columns == 1
    columns = [_quoted(written(column.combine_chunks()), between, alone) for column in table.arrow.columns]
    header = _quoted(pa.array(table.columns, pa.string()), between, alone).to_pylist()
    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf" * mark + between.join(header).encode("utf-8", "replace") + b"\n")
        if columns and len(table):
            lines = pc.binary_join_element_wise(*columns, between, null_handling="replace", null_replacement="")
            for chunk in _pieces(lines):
                file.write(("\n".join(chunk.to_pylist()) + "\n").encode("utf-8", "replace"))


def _pieces(lines: pa.Array, size: int = 50_000) -> list[pa.Array]:
    return [lines.slice(start, size) for start in range(0, len(lines), size)]


def _quoted(cells: pa.Array, mark: str, alone: bool) -> pa.Array:
    """Cells with quotes where they hold the separator, quotes, line ends, blanks at an end, or nothing."""
    import pyarrow.compute as pc

    needs = pc.match_substring_regex(cells, rf'[{re.escape(mark)}"\r\n]|^\s|\s$|^$')
    inside = pc.replace_substring(cells, '"', '""')
    made = pc.if_else(needs, pc.binary_join_element_wise('"', inside, '"', ""), cells)
    return pc.fill_null(made, '""') if alone else made
