"""What a mesh is, in figures (a table) and in words."""

from __future__ import annotations

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.core.transform import transform
from transpose.media.mesh import Mesh, merged
from transpose.media.table import Table, from_rows
from transpose.media.text import Text


@transform("mesh -> table.properties", loses=["shape", "colour", "structure"], needs=["pyarrow"], extra="science")
def mesh_properties(mesh: Mesh, ctx: Context) -> Table:
    """One row: faces, points, extent, area, volume, and whether the surface is closed.

    Lengths in the mesh's own unit, areas and volumes in its square and cube. `volume` is empty where the surface is not
    closed, as nothing is inside then; `genus` counts the handles of a closed surface (a ring has one).
    """
    return from_rows([measure(mesh)], "mesh")


@transform("mesh -> text.description", loses=["shape", "colour", "exactness", "structure"])
def describe_mesh(mesh: Mesh, ctx: Context) -> Text:
    """Say in English how large a surface is, of how many faces, and whether it is closed and so can be printed."""
    known = measure(mesh)
    size = " x ".join(f"{known[key]:.4g}" for key in ("width", "depth", "height"))
    name = f"The mesh {mesh.name!r}" if mesh.name else "The mesh"
    said = [f"{name} has {known['faces']:,} faces and {known['points']:,} points."]
    said.append(f"It measures {size} units (x, y, z) and has a surface of {known['area']:.4g} square units.")
    if known["closed"]:
        handles = "" if known["genus"] in (0, None) else f", with {known['genus']} handle(s) as a ring has one"
        parts = "in one piece" if known["parts"] == 1 else f"in {known['parts']} separate pieces"
        said.append(f"The surface is closed{handles}, {parts}, and encloses {known['volume']:.4g} cubic units.")
    else:
        said.append(f"The surface is not closed: {known['open edges']:,} edges do not join two faces.")
    said.append("It has colours." if mesh.colours is not None else "It has no colours.")
    return Text(" ".join(said), lang="en")


def measure(mesh: Mesh) -> dict[str, object]:
    """Figures of a mesh by name; points in the same place count as one. Raises SilentInput for one without faces."""
    import numpy as np

    if not len(mesh.faces):
        raise SilentInput("the mesh has no faces, so there is nothing to measure", "Is it the right file?")
    whole = merged(Mesh(mesh.vertices, mesh.faces))
    corners = whole.corners()
    low, high = corners.min((0, 1)), corners.max((0, 1))
    middle = (low + high) / 2
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    open_edges = _open_edges(whole)
    parts = _parts(whole)
    near = corners - middle  # far from the origin the sum would cancel
    volume = abs(
        float(np.einsum("ij,ij->", near[:, 0], np.cross(near[:, 1], near[:, 2])) / 6)
    )  # whichever way faces turn
    edges = len(whole.faces) * 3 // 2
    euler = len(whole.vertices) - edges + len(whole.faces)
    width, depth, height = (float(each) for each in high - low)
    return {
        "name": mesh.name or None,
        "faces": len(whole.faces),
        "points": len(whole.vertices),
        "width": width,
        "depth": depth,
        "height": height,
        "area": float(np.sqrt((across**2).sum(1)).sum() / 2),
        "closed": open_edges == 0,
        "open edges": open_edges,
        "volume": volume if open_edges == 0 else None,
        "parts": parts,
        "genus": (2 * parts - euler) // 2 if open_edges == 0 else None,
        "min x": float(low[0]),
        "min y": float(low[1]),
        "min z": float(low[2]),
        "coloured": mesh.colours is not None,
    }


def _open_edges(mesh: Mesh) -> int:
    """Edges that are not run through exactly once in each direction."""
    import numpy as np

    starts, ends = mesh.faces.ravel().astype(np.int64), np.roll(mesh.faces, -1, 1).ravel().astype(np.int64)
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    _, where, counts = np.unique(low * len(mesh.vertices) + high, return_inverse=True, return_counts=True)
    balance = np.bincount(where.ravel(), np.where(starts < ends, 1, -1), len(counts))
    return int(((counts != 2) | (balance != 0)).sum())


def _parts(mesh: Mesh) -> int:
    """How many pieces hang together: the least point number is handed on along edges until nothing changes."""
    import numpy as np

    label = np.arange(len(mesh.vertices))
    while True:
        least = label[mesh.faces].min(1)
        handed = label.copy()
        np.minimum.at(handed, mesh.faces.ravel(), np.repeat(least, 3))
        handed = handed[handed]  # jumping ahead halves the way
        if np.array_equal(handed, label):
            return len(np.unique(label))
        label = handed
