"""A picture in memory: pixels and the metadata that writers keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIX = ".npz"


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """`pixels` is uint8 of shape (height, width, channels), channels 1 (grey), 3 (RGB) or 4 (RGBA), upright.

    `meta` keys: `exif` and `icc_profile` (bytes), `dpi` ("72"), and `text:NAME` for the text fields of a PNG.
    """

    pixels: NDArray[np.uint8]
    meta: Mapping[str, str | bytes] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    def __eq__(self, other: object) -> bool:
        import numpy as np

        return isinstance(other, Image) and dict(self.meta) == dict(other.meta) and np.array_equal(self.pixels, other.pixels)

    __hash__ = None  # type: ignore[assignment]


def save(value: Image, path: Path) -> None:
    """Write pixels and metadata as an uncompressed .npz without pickles."""
    import numpy as np

    fields = {
        f"{'t' if isinstance(data, str) else 'b'}:{key}": np.frombuffer(data.encode() if isinstance(data, str) else data, np.uint8)
        for key, data in value.meta.items()
    }
    with path.open("wb") as file:
        np.savez(file, pixels=value.pixels, **fields)  # type: ignore[arg-type]


def load(path: Path) -> Image:
    """Read what `save` wrote."""
    import numpy as np

    meta: dict[str, str | bytes] = {}
    with np.load(path, allow_pickle=False) as file:
        for name in file.files:
            if name != "pixels":
                data = file[name].tobytes()
                meta[name[2:]] = data.decode() if name.startswith("t:") else data
        return Image(file["pixels"], meta)
