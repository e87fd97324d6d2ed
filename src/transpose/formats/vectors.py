"""Embeddings in files: `.npy` (NumPy's array format, which everything reads) and `.json`.

One embedding is an array of shape (d,), several are (n, d), float32. An `.npy` holds numbers and nothing else, so the
name of their space is lost: the writer says so, and the reader takes it back as an option (`-o space=NAME`); without
it the space is "unknown", which fits no transform that asks for a space. The JSON keeps it (schema, version 1):

    {"schema": "transpose.embeddings/1", "space": "all-minilm-l6-v2", "dimensions": 384, "vectors": [[0.01, ...], ...],
     "history": {...}}

Vectors have 9 significant digits there, which gives the same float32 back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context, Many
from transpose.core.errors import DamagedInput, EmptyInput, MislabelledInput, TransformError
from transpose.core.transform import transform
from transpose.media.embedding import Embedding
from transpose.media.encoding import read_bytes
from transpose.media.schema import VECTORS_SCHEMA, read_schema

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNKNOWN = "unknown"
LARGEST = 4 * 2**30  # bytes of an .npy


@transform(".npy -> embeddings")
def read_npy(
    path: Path, ctx: Context, *, space: Annotated[str, "name of the space, which .npy cannot hold"] = ""
) -> Many[Embedding]:
    """Read an array of shape (d,) or (n, d) as one or n embeddings; numbers of any real type become float32.

    Raises MislabelledInput (no .npy, or no such array), DamagedInput (cut off, or not finite), EmptyInput.
    """
    import io
    from tokenize import TokenError

    import numpy as np

    data = read_bytes(path, LARGEST)
    if not data.startswith(b"\x93NUMPY"):
        raise MislabelledInput(f"{path.name!r} is not a NumPy array file", "Rename it to what it is")
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError, TokenError, MemoryError) as error:
        what = (
            "holds Python objects, which are never loaded" if "allow_pickle" in str(error) else "is cut off or damaged"
        )
        raise DamagedInput(f"{path.name!r} {what}", "Write it again with numpy.save") from None
    if array.ndim not in (1, 2) or array.dtype.kind not in "fiu":
        found = f"an array of shape {array.shape} and type {array.dtype}"
        raise MislabelledInput(f"{path.name!r} holds {found}, no embeddings", "Embeddings are (d,) or (n, d) numbers")
    if not space:
        ctx.warn(f"the space of {path.name!r} is not known: -o space=NAME says it")
    return _many(array.reshape(-1, array.shape[-1]), space or UNKNOWN, path)


@transform(".json -> embeddings")
def read_json_embeddings(path: Path, ctx: Context) -> Many[Embedding]:
    """Read embeddings with their space. Raises DamagedInput and MislabelledInput (JSON of another schema)."""
    import numpy as np

    fields = read_schema(path, ctx, VECTORS_SCHEMA)
    try:
        matrix = np.asarray(fields["vectors"], dtype=np.float64)
        space = fields["space"]
        if matrix.ndim != 2 or not isinstance(space, str) or not space:
            raise ValueError("vectors must be lists of numbers of one length, and space a name")
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedInput(f"{path.name!r} does not keep to the schema {VECTORS_SCHEMA!r}: {error}") from None
    return _many(matrix, space, path)


def _many(matrix: NDArray[np.generic], space: str, path: Path) -> Many[Embedding]:
    import numpy as np

    if not matrix.size:
        raise EmptyInput(f"{path.name!r} holds no numbers")
    with np.errstate(over="ignore"):
        rows: NDArray[np.float32] = np.ascontiguousarray(matrix, dtype=np.float32)
    if not np.isfinite(rows).all():
        raise DamagedInput(f"{path.name!r} holds numbers that are not finite in float32")
    return Many(lambda: (Embedding(row, space) for row in rows), len(rows))


@transform("embeddings -> .npy", loses=["metadata"])
def write_npy(embeddings: Many[Embedding], path: Path, ctx: Context) -> None:
    """Write float32 of shape (d,) for one embedding, (n, d) for several; the space is lost, and a warning names it.

    Raises TransformError where spaces or lengths differ.
    """
    import numpy as np

    matrix, space = _matrix(embeddings)
    ctx.note("space", space)
    if space != UNKNOWN:
        ctx.warn(f".npy does not keep the name of the space, {space}; .json does, or read it with -o space={space}")
    with path.open("wb") as file:
        np.save(file, matrix[0] if len(matrix) == 1 else matrix, allow_pickle=False)


@transform("embeddings -> .json")
def write_json_embeddings(embeddings: Many[Embedding], path: Path, ctx: Context) -> None:
    """Write vectors, space and history as JSON (schema in the module). Raises TransformError where spaces differ."""
    matrix, space = _matrix(embeddings)
    rows = ",\n".join(f"[{','.join(f'{float(number):.9g}' for number in row)}]" for row in matrix)
    head = {"schema": VECTORS_SCHEMA, "space": space, "dimensions": matrix.shape[1]}
    history = f',\n"history": {ctx.history}' if ctx.history else ""
    path.write_bytes(f'{json.dumps(head)[:-1]}, "vectors": [\n{rows}]{history}}}\n'.encode())


def _matrix(embeddings: Iterable[Embedding] | Embedding) -> tuple[NDArray[np.float32], str]:
    """All vectors, (n, d), and the one space that they share."""
    import numpy as np

    values = [embeddings] if isinstance(embeddings, Embedding) else list(embeddings)
    if not values:
        raise EmptyInput("there is no embedding to write")
    shapes = {(value.space, value.vector.shape) for value in values}
    if len(shapes) > 1:
        hint = "Write each to a file of its own: name a folder, as in vectors/"
        raise TransformError(
            f"embeddings of different spaces or lengths do not go into one file: {sorted(shapes)}", hint
        )
    return np.stack([value.vector for value in values]).astype(np.float32, copy=False), values[0].space
