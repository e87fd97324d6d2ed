"""Balls, sticks and ribbons: the parts that molecules and proteins are built of, as coloured meshes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from transpose.media.mesh import Mesh

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIDES = 16  # of a stick


class Part(NamedTuple):
    """Points (n, 3), faces (m, 3) and a colour (red, green, blue) or one for each point (n, 3)."""

    points: Floats
    faces: NDArray[np.int64]
    colour: tuple[int, int, int] | NDArray[np.uint8]


def joined(parts: Sequence[Part], name: str = "") -> Mesh:
    """All parts as one mesh, float64, coloured."""
    import numpy as np

    offsets = np.cumsum([0, *(len(part.points) for part in parts)])
    points = np.concatenate([part.points for part in parts])
    faces = np.concatenate([part.faces + at for part, at in zip(parts, offsets, strict=False)]).astype(np.int32)
    colours = np.full((len(points), 4), 255, np.uint8)
    for part, at in zip(parts, offsets, strict=False):
        colours[at : at + len(part.points), :3] = part.colour
    return Mesh(points, faces, colours, name=name)


def ball(centre: Floats, radius: float, colour: tuple[int, int, int], detail: int = 2) -> Part:
    """A sphere of 20 * 4**detail faces."""
    points, faces = _sphere(detail)
    return Part(centre + radius * points, faces, colour)


def stick(start: Floats, end: Floats, radius: float, colour: tuple[int, int, int]) -> Part:
    """A closed cylinder from one point to another."""
    import numpy as np

    along = end - start
    along = along / max(float(np.linalg.norm(along)), 1e-9)
    across = np.cross(along, np.eye(3)[int(np.argmin(np.abs(along)))])
    across /= np.linalg.norm(across)
    angles = np.arange(SIDES) * (2 * np.pi / SIDES)
    ring = radius * (np.cos(angles)[:, None] * across + np.sin(angles)[:, None] * np.cross(along, across))
    points = np.concatenate([start + ring, end + ring, [start, end]])
    here = np.arange(SIDES)
    there = (here + 1) % SIDES
    walls = [np.stack([here, there, there + SIDES], 1), np.stack([here, there + SIDES, here + SIDES], 1)]
    caps = [np.stack([np.full(SIDES, 2 * SIDES), there, here], 1)]
    caps.append(np.stack([np.full(SIDES, 2 * SIDES + 1), here + SIDES, there + SIDES], 1))
    return Part(points, np.concatenate(walls + caps), colour)


def swept(rings: Floats, colours: NDArray[np.uint8]) -> Part:
    """A closed tube through rings of points (n, k, 3), each counter-clockwise seen from the end; colours (n, 3)."""
    import numpy as np

    count, sides = rings.shape[:2]
    points = np.concatenate([rings.reshape(-1, 3), [rings[0].mean(0), rings[-1].mean(0)]])
    row, here = np.meshgrid(np.arange(count - 1), np.arange(sides), indexing="ij")
    a = (row * sides + here).ravel()
    b = (row * sides + (here + 1) % sides).ravel()
    walls = [np.stack([a, b, b + sides], 1), np.stack([a, b + sides, a + sides], 1)]
    edge, last = np.arange(sides), (count - 1) * sides
    turn = (edge + 1) % sides
    caps = [np.stack([np.full(sides, count * sides), turn, edge], 1)]
    caps.append(np.stack([np.full(sides, count * sides + 1), edge + last, turn + last], 1))
    shades = np.concatenate([np.repeat(colours, sides, 0), colours[:1], colours[-1:]])
    return Part(points, np.concatenate(walls + caps), shades)


@cache
def _sphere(detail: int) -> tuple[Floats, NDArray[np.int64]]:
    """Unit sphere from an icosahedron whose faces are split in four `detail` times."""
    import numpy as np

    g = (1 + 5**0.5) / 2
    corners = [(-1, g, 0), (1, g, 0), (-1, -g, 0), (1, -g, 0), (0, -1, g), (0, 1, g), (0, -1, -g), (0, 1, -g)]
    points = np.array([*corners, (g, 0, -1), (g, 0, 1), (-g, 0, -1), (-g, 0, 1)], float)
    fans = "0 11 5 0 5 1 0 1 7 0 7 10 0 10 11 1 5 9 5 11 4 11 10 2 10 7 6 7 1 8 3 9 4 3 4 2 3 2 6 3 6 8 3 8 9"
    faces = np.array([*map(int, fans.split()), *(4, 9, 5, 2, 4, 11, 6, 2, 10, 8, 6, 7, 9, 8, 1)]).reshape(-1, 3)
    for _ in range(detail):
        edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), 1)
        lines, where = np.unique(edges, axis=0, return_inverse=True)
        middle = len(points) + where.reshape(-1, 3)
        points = np.concatenate([points, points[lines].mean(1)])
        a, b, c = faces.T
        ab, bc, ca = middle.T
        corners_of = [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
        faces = np.concatenate([np.stack(each, 1) for each in corners_of])
    return points / np.linalg.norm(points, axis=1, keepdims=True), faces
