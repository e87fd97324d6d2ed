"""A vector as a row of a table, for spreadsheets and for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.core.transform import transform
from transpose.media.embedding import Embedding

if TYPE_CHECKING:
    from transpose.media.table import Table


@transform("embeddings -> table.vectors", thin=True, loses=["metadata"], needs=["pyarrow"], extra="tables")
def embedding_table(embeddings: list[Embedding], ctx: Context) -> Table:
    """One row for each vector: its space, and a column for each of its numbers (`d0`, `d1` ...), exactly as float32.

    Nothing can be said of such numbers in words, so this ends in a table.
    """
    from transpose.media.table import from_rows

    rows = [
        {"space": each.space, **{f"d{at}": float(number) for at, number in enumerate(each.vector)}}
        for each in embeddings
    ]
    return from_rows(rows, "vectors")
