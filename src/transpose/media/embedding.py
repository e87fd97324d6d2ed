"""An embedding in memory: one vector and the space it lives in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIX = ".npz"


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """`vector` is float32 of shape (d,); vectors of different `space` must never be compared."""

    vector: NDArray[np.float32]
    space: str

    def facets(self) -> dict[str, str]:
        """The space, as a facet."""
        return {"space": self.space}

    def __eq__(self, other: object) -> bool:
        import numpy as np

        return isinstance(other, Embedding) and self.space == other.space and np.array_equal(self.vector, other.vector)

    __hash__ = None  # type: ignore[assignment]


def save(value: Embedding, path: Path) -> None:
    """Write vector and space as an uncompressed .npz without pickles."""
    import numpy as np

    with path.open("wb") as file:
        np.savez(file, vector=value.vector, space=np.frombuffer(json.dumps(value.space).encode(), np.uint8))


def load(path: Path) -> Embedding:
    """Read what `save` wrote."""
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        return Embedding(file["vector"], json.loads(file["space"].tobytes()))


def save_many(values: Sequence[Embedding], path: Path) -> None:
    """Write several as one .npz: their numbers end to end, lengths and spaces beside them."""
    import numpy as np

    about = json.dumps({"lengths": [len(each.vector) for each in values], "spaces": [each.space for each in values]})
    numbers = np.concatenate([each.vector for each in values]) if values else np.zeros(0, np.float32)
    with path.open("wb") as file:
        np.savez(file, numbers=numbers, about=np.frombuffer(about.encode(), np.uint8))


def load_many(path: Path) -> list[Embedding]:
    """Read what `save_many` wrote."""
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        about, numbers = json.loads(file["about"].tobytes()), file["numbers"]
    parts = np.split(numbers, np.cumsum(about["lengths"])[:-1]) if about["lengths"] else []
    return [Embedding(part, space) for part, space in zip(parts, about["spaces"], strict=True)]
