"""Tables as `.parquet` and `.feather`: columns with their types, exactly as in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import (
    DamagedInput,
    EmptyInput,
    FolderInput,
    LockedInput,
    MislabelledInput,
    MissingInput,
    OptionError,
)
from transpose.core.transform import transform
from transpose.media.cells import written
from transpose.media.file import reason
from transpose.media.table import Table, unique

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

FIRST, LAST = -62_135_596_800, 253_402_300_799  # seconds from 1970 to the first and last of the years 1 to 9999
HISTORY = b"transpose"  # the key among the file's own metadata


@transform(".parquet|.feather|.arrow -> table", extra="tables", needs=["pyarrow"])
def read_parquet(
    path: Path,
    ctx: Context,
    *,
    columns: Annotated[str, "names of the columns to read, with commas (default: all)"] = "",
) -> Table:
    """Read every row, with types and the file's metadata.

    Raises MislabelledInput (another format), DamagedInput (cut off), LockedInput (encrypted), OptionError (no column).
    """
    import pyarrow as pa

    _check(path)
    wanted = [name.strip() for name in columns.split(",") if name.strip()]
    try:
        arrow = _parquet(path, wanted) if path.suffix.lower() == ".parquet" else _feather(path, wanted)
        arrow.validate(full=True)  # a damaged offset or text would end the process later
    except (pa.ArrowException, OSError, ValueError) as error:
        said = reason(error)
        if "encrypt" in said.lower() or "decrypt" in said.lower():
            raise LockedInput(f"{path.name!r} is encrypted", "Write it again without encryption") from None
        raise DamagedInput(f"{path.name!r} is damaged: {said}", "Is it cut off? Get it again") from None
    _check_dates(arrow, path)
    metadata = {key: value for key, value in (arrow.schema.metadata or {}).items() if key != HISTORY}
    names = unique(arrow.column_names) if len(set(arrow.column_names)) < arrow.num_columns else arrow.column_names
    return Table(arrow.rename_columns(names).replace_schema_metadata(metadata or None), path.stem)


def _check_dates(arrow: pa.Table, path: Path) -> None:
    """Refuse dates that neither Python nor a text can hold: they would be lost in silence, or stop a later step."""
    import pyarrow as pa
    import pyarrow.compute as pc  # type: ignore[import-untyped]

    for name, column in zip(arrow.column_names, arrow.columns, strict=True):
        if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
            day = 86_400 if getattr(column.type, "tz", None) else 0  # what a zone may shift
            span = pc.min_max(column.cast(pa.timestamp("s"), safe=False).cast(pa.int64())).as_py()
            if any(end is not None and not FIRST + day <= end <= LAST - day for end in span.values()):
                said = f"the column {name!r} of {path.name!r} has dates outside of the years 1 to 9999"
                raise DamagedInput(said, "Leave it out: -o columns= names those to read")


def _check(path: Path) -> None:
    """Refuse what is no such file by its first bytes, which say it more plainly than Arrow."""
    if not path.exists():
        raise MissingInput(f"there is no file {path.name!r}", "Check the name")
    if path.is_dir():
        raise FolderInput(f"{path.name!r} is a folder", "Name a file in it")
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise EmptyInput(f"{path.name!r} is empty", "Give a file with something in it")
    if head[:4] == b"PARE":
        raise LockedInput(f"{path.name!r} is encrypted", "Write it again without encryption")
    if path.suffix.lower() == ".parquet" and head[:4] != b"PAR1":
        raise MislabelledInput(f"{path.name!r} is not a Parquet file", "Rename it to what it is")
    if path.suffix.lower() != ".parquet" and head[:6] not in (b"ARROW1", b"FEA1"):
        raise MislabelledInput(f"{path.name!r} is not a Feather file", "Rename it to what it is")


def _parquet(path: Path, wanted: list[str]) -> pa.Table:
    import pyarrow.parquet as parquet  # type: ignore[import-untyped]

    with parquet.ParquetFile(path) as file:
        _known(file.schema_arrow.names, wanted, path)
        return file.read(wanted or None)


def _feather(path: Path, wanted: list[str]) -> pa.Table:
    import pyarrow as pa

    with pa.OSFile(str(path), "rb") as source, pa.ipc.open_file(source) as reader:
        _known(reader.schema.names, wanted, path)
        arrow = reader.read_all()
    return arrow.select(wanted) if wanted else arrow


def _known(names: list[str], wanted: list[str], path: Path) -> None:
    strange = [name for name in wanted if name not in names]
    if strange:
        raise OptionError(f"{path.name!r} has no column {strange[0]!r}", f"It has: {', '.join(names[:20])}")


@transform("table -> .parquet|.feather", extra="tables", needs=["pyarrow"])
def write_parquet(
    table: Table,
    path: Path,
    ctx: Context,
    *,
    compression: Annotated[Literal["zstd", "lz4", "none"], "of the columns"] = "zstd",
) -> None:
    """Write columns with their types; the history among the file's metadata."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    arrow = table.arrow.unify_dictionaries()
    if ctx.history:
        arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), HISTORY: ctx.history.encode()})
    if path.suffix.lower() == ".parquet":
        try:
            parquet.write_table(arrow, path, compression=compression)
        except (pa.ArrowException, OverflowError):  # empty structs, durations in odd units
            parquet.write_table(_plain(arrow, ctx), path, compression=compression)
        return
    options = pa.ipc.IpcWriteOptions(compression=None if compression == "none" else compression)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, arrow.schema, options=options) as writer:
        writer.write_table(arrow)


def _plain(arrow: pa.Table, ctx: Context) -> pa.Table:
    """The same table with columns that Parquet has no type for as JSON texts."""
    import pyarrow as pa

    for position, column in enumerate(arrow.schema):
        if pa.types.is_nested(column.type) or pa.types.is_duration(column.type):
            ctx.warn(f"Parquet has no type for the column {column.name!r}: written as text")
            cells = written(arrow.column(position).combine_chunks())
            arrow = arrow.set_column(position, pa.field(column.name, pa.string()), cells)
    return arrow
