"""A mesh in memory: a surface of triangles in space, with a colour for each corner point where it has any."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIX = ".npz"


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """`vertices` are float32 or float64 of shape (n, 3), finite; `faces` int32 of shape (m, 3), each three rows of it.

    Faces turn counter-clockwise seen from outside. `colours` are uint8 RGBA of shape (n, 4) in sRGB, or None. `up` is
    the axis that points up where the format says one (y in glTF), else z. The unit is that of the file: often mm.
    """

    vertices: NDArray[np.float32] | NDArray[np.float64]
    faces: NDArray[np.int32]
    colours: NDArray[np.uint8] | None = None
    up: str = "z"
    name: str = ""

    def __post_init__(self) -> None:
        points, faces, colours = self.vertices, self.faces, self.colours
        if points.ndim != 2 or points.shape[1] != 3 or points.dtype.name not in ("float32", "float64"):
            raise ValueError(f"vertices must be floats of shape (n, 3), not {points.dtype} {points.shape}")
        if faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.name != "int32":
            raise ValueError(f"faces must be int32 of shape (m, 3), not {faces.dtype} {faces.shape}")
        if faces.size and not 0 <= int(faces.min()) <= int(faces.max()) < len(points):
            raise ValueError(f"faces name points outside the {len(points)} that there are")
        if colours is not None and (colours.shape != (len(points), 4) or colours.dtype.name != "uint8"):
            raise ValueError(f"colours must be uint8 of shape ({len(points)}, 4), not {colours.dtype} {colours.shape}")
        if self.up not in ("y", "z"):
            raise ValueError(f"up is y or z, not {self.up!r}")

    def corners(self) -> NDArray[np.float64]:
        """The three corners of each face, float64 of shape (m, 3, 3)."""
        import numpy as np

        return self.vertices.astype(np.float64)[self.faces]

    def facets(self) -> dict[str, str]:
        """Nothing is known of a mesh beyond its kind."""
        return {}

    def __eq__(self, other: object) -> bool:
        import numpy as np

        if not isinstance(other, Mesh) or (self.up, self.name) != (other.up, other.name):
            return False
        if (self.colours is None) != (other.colours is None) or self.vertices.dtype != other.vertices.dtype:
            return False
        pairs = [(self.vertices, other.vertices), (self.faces, other.faces), (self.colours, other.colours)]
        return all(mine is None or theirs is None or np.array_equal(mine, theirs) for mine, theirs in pairs)

    __hash__ = None  # type: ignore[assignment]


def turned(mesh: Mesh, up: str) -> Mesh:
    """The mesh with this axis, y or z, pointing up: unchanged, or given a quarter turn around x."""
    import numpy as np

    if mesh.up == up:
        return mesh
    order, signs = ([0, 2, 1], [1, 1, -1]) if up == "y" else ([0, 2, 1], [1, -1, 1])
    points = np.ascontiguousarray(mesh.vertices[:, order] * np.array(signs, mesh.vertices.dtype))
    return Mesh(points, mesh.faces, mesh.colours, up, mesh.name)


def same_rows(table: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which rows of bytes (n, k), k a multiple of 4, are equal: the first of each kind, and the kind of each row.

    Rows are sorted by a number made of them, which is much quicker than by their bytes; where two kinds should ever
    get one number, the bytes decide.
    """
    import numpy as np

    _, first, where = np.unique(_mixed(table), return_index=True, return_inverse=True)
    where = where.ravel()
    if not np.array_equal(table[first[where]], table):
        rows = np.ascontiguousarray(table).view(np.dtype((np.void, table.shape[1]))).ravel()
        _, first, where = np.unique(rows, return_index=True, return_inverse=True)
    return first, where.ravel()


def _mixed(table: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """A number for each row of bytes; different rows hardly ever get the same one."""
    import numpy as np

    mixed = np.zeros(len(table), np.uint64)
    for column in np.ascontiguousarray(table).view(np.uint32).T:
        mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def merged(mesh: Mesh) -> Mesh:
    """The mesh with points that are equal in place and colour made one, and unused ones dropped.

    Formats of loose triangles (STL) need this, or no two faces would touch. Order is that of the first use.
    """
    import numpy as np

    points = mesh.vertices + mesh.vertices.dtype.type(0)  # -0.0 is 0.0
    rows = [points.view(np.uint8).reshape(len(points), -1)]
    if mesh.colours is not None:
        rows.append(mesh.colours)
    used = mesh.faces.ravel()
    first, where = same_rows(np.ascontiguousarray(np.concatenate(rows, axis=1))[used])
    order = np.argsort(first)
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    kept = used[first[order]]
    colours = None if mesh.colours is None else mesh.colours[kept]
    return Mesh(points[kept], rank[where].reshape(-1, 3), colours, mesh.up, mesh.name)


def save(value: Mesh, path: Path) -> None:
    """Write every array as an uncompressed .npz without pickles."""
    import numpy as np

    arrays: dict[str, NDArray[np.generic]] = {"vertices": value.vertices, "faces": value.faces}
    if value.colours is not None:
        arrays["colours"] = value.colours
    arrays["about"] = np.frombuffer(f"{value.up}{value.name}".encode(), np.uint8)
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load(path: Path) -> Mesh:
    """Read what `save` wrote."""
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        about = file["about"].tobytes().decode()
        colours = file["colours"] if "colours" in file.files else None
        return Mesh(file["vertices"], file["faces"], colours, about[0], about[1:])
