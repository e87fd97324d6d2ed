"""A small renderer of triangles in NumPy: no graphics card, no window, the same pixels on every machine.

Triangles are cut into rows and rows into pixels, all at once; for each pixel the nearest one is kept (a z-buffer, with
1/z as depth, which is linear on the screen). What is seen is then shaded pixel by pixel with normals that are smooth
over gentle edges and sharp over hard ones, lit by three lamps that stay with the camera and by a sky. Creases and
contacts are darkened by the difference of the depth and its blur (Luft, Colditz and Deussen 2006). Edges are smoothed
by drawing more samples than pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transpose.core.errors import SilentInput
from transpose.media.mesh import Mesh, same_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

CLAY = (0.66, 0.72, 0.80)  # sRGB of a mesh without colours
FIELD = 28.0  # degrees from edge to edge of the picture's shorter side
CREASE = 0.77  # cosine of the angle (40 degrees) from which an edge is hard
CHUNK = 2_000_000  # rows or pixels worked on at once
PAIRS = 20_000_000  # pairs of neighbouring corners; above, normals are plain averages
# direction towards the lamp (right, up, towards the camera) and its linear colour
LAMPS: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...] = (
    ((-0.45, 0.65, 0.75), (0.96, 0.94, 0.90)),
    ((0.85, 0.10, 0.45), (0.20, 0.22, 0.26)),
)
LAMPS += (((0.25, 0.60, -0.85), (0.28, 0.28, 0.30)),)
SKY, GROUND = (0.30, 0.32, 0.36), (0.12, 0.11, 0.10)
SHINE, GLOSS = 0.16, 42.0


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera is: `azimuth` around the upright axis (0 is the front, 90 the right), `elevation` above it.

    Degrees; `width` and `height` of the picture in pixels; `samples` squared are drawn for each. `steady` sizes the
    picture by the mesh's reach around its axis, so that it does not jump while turning.
    """

    azimuth: float = 30.0
    elevation: float = 20.0
    width: int = 960
    height: int = 720
    samples: int = 2
    steady: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A mesh made ready: corners within a ball of radius 1, normals and linear colours of each corner, (m, 3, 3)."""

    corners: Floats
    normals: Floats
    colours: Floats
    closed: bool  # its back sides are never seen


def surface(mesh: Mesh) -> Surface:
    """Centre and scale a mesh, turn it upright (z up) and find its normals; faces without area are left out.

    Raises SilentInput where none is left.
    """
    import numpy as np

    if not len(mesh.faces):
        raise SilentInput("the mesh has no faces, so there is nothing to see", "Is it the right file?")
    corners = mesh.corners()
    low, high = corners.min((0, 1)), corners.max((0, 1))
    corners -= (low + high) / 2
    corners /= float(np.sqrt((corners**2).sum(2).max())) or 1.0
    if mesh.up == "y":
        corners = np.stack([corners[..., 0], -corners[..., 2], corners[..., 1]], 2)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.sqrt((across**2).sum(1))
    kept = area > 1e-14
    if not kept.any():
        raise SilentInput("no face of the mesh has an area, so there is nothing to see", "Is it the right file?")
    colours = np.broadcast_to(np.array(CLAY, np.float32), (len(mesh.vertices), 3))
    if mesh.colours is not None:
        colours = (mesh.colours[:, :3] / 255).astype(np.float32)
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4).astype(np.float32)
    normals = _normals(corners[kept], across[kept])
    return Surface(corners[kept].astype(np.float32), normals, linear[mesh.faces[kept]], _closed(mesh, corners))


def _closed(mesh: Mesh, corners: NDArray[np.float64]) -> bool:
    """Whether every edge is run through once in each direction, and the outside is outside."""
    import numpy as np

    starts, ends = mesh.faces.ravel().astype(np.int64), np.roll(mesh.faces, -1, 1).ravel().astype(np.int64)
    count = len(mesh.vertices)
    there, back = np.sort(starts * count + ends), np.sort(ends * count + starts)
    if not np.array_equal(there, back) or (there[1:] == there[:-1]).any():
        return False
    return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))) > 0


def _normals(corners: NDArray[np.float64], across: NDArray[np.float64]) -> Floats:
    """For each corner the mean of the normals, weighted by area, of the faces there that bend by less than CREASE."""
    import numpy as np

    places = np.ascontiguousarray(corners.reshape(-1, 3).astype(np.float32) + np.float32(0))
    point = same_rows(places.view(np.uint8))[1]
    unit = across / np.sqrt((across**2).sum(1, keepdims=True))
    order = np.argsort(point, kind="stable")
    counts = np.bincount(point)
    result = np.zeros((len(point), 3))
    if int((counts.astype(np.int64) ** 2).sum()) > PAIRS:
        sums = np.stack([np.bincount(point, np.repeat(across[:, axis], 3)) for axis in range(3)], 1)
        result[:] = sums[point]
    else:
        many = counts[point[order]]  # for each corner, in order of points: how many share its point
        first = np.repeat(np.cumsum(counts) - counts, counts)
        mine = np.repeat(order, many)
        step = np.arange(len(mine)) - np.repeat(np.cumsum(many) - many, many)
        theirs = order[np.repeat(first, many) + step]
        gentle = np.einsum("ij,ij->i", unit[mine // 3], unit[theirs // 3]) > CREASE
        for axis in range(3):
            result[:, axis] = np.bincount(mine, across[theirs // 3, axis] * gentle, minlength=len(point))
    length = np.sqrt((result**2).sum(1, keepdims=True))
    flat = np.repeat(unit, 3, 0)
    smooth = np.where(length > 1e-12, result / np.maximum(length, 1e-12), flat)
    return smooth.reshape(-1, 3, 3).astype(np.float32)


def laid(pixels: NDArray[np.uint8], background: str) -> NDArray[np.uint8]:
    """A picture of `render` as it is (transparent, RGBA), or on white or dark paper (RGB)."""
    import numpy as np

    if background == "transparent":
        return pixels
    alpha = pixels[..., 3:].astype(np.uint16)
    paper = np.uint16(255 if background == "white" else 24)
    blend = pixels[..., :3] * alpha + paper * (255 - alpha)
    return ((blend + 127) // 255).astype(np.uint8)


def render(shape: Surface, view: View) -> NDArray[np.uint8]:
    """The picture, uint8 RGBA of shape (height, width, 4), transparent where nothing is."""
    import numpy as np

    turn = _turn(view)
    placed = shape.corners @ turn.T  # right, up, towards the camera
    distance = np.float32(1.02 / np.sin(np.radians(FIELD / 2)))
    inverse = (1 / (distance - placed[..., 2])).astype(np.float32)  # 1/z
    flat = placed[..., :2] * inverse[..., None]
    across, down = view.width * view.samples, view.height * view.samples
    screen = _fit(flat, shape, view, across, down, float(distance))
    nearest = np.zeros(across * down, np.uint64)
    planes = _planes(screen, inverse)
    for pixel, depth, face in _fragments(screen, planes, shape.closed, across, down):
        key = (depth.view(np.uint32).astype(np.uint64) << np.uint64(32)) | face.astype(np.uint64)
        np.maximum.at(nearest, pixel, key)
    return _shaded(nearest, shape, turn, planes, inverse, view)


def _turn(view: View) -> Floats:
    """The rows of this matrix are right, up and towards the camera, in the mesh's own axes (z up)."""
    import numpy as np

    around, above = np.radians(view.azimuth - 90), np.radians(view.elevation)
    towards = np.array([np.cos(above) * np.cos(around), np.cos(above) * np.sin(around), np.sin(above)])
    right = np.array([-np.sin(around), np.cos(around), 0.0])
    return np.stack([right, np.cross(towards, right), towards]).astype(np.float32)


def _fit(flat: Floats, shape: Surface, view: View, across: int, down: int, distance: float) -> Floats:
    """Projected corners in samples from the top left, the mesh in the middle with a margin."""
    import numpy as np

    if view.steady:
        # how far each corner comes to the side, up and near while it goes around: the same for every frame
        around, high = np.sqrt((shape.corners[..., :2] ** 2).sum(2)), np.abs(shape.corners[..., 2])
        above = np.radians(abs(view.elevation))
        near = distance - (around * np.cos(above) + high * np.sin(above))
        reach, tall = (around / near).max(), ((high * np.cos(above) + around * np.sin(above)) / near).max()
        scale = 0.46 * min(across / max(float(reach), 1e-6), down / max(float(tall), 1e-6))
        middle = np.zeros(2)
    else:
        low, high = flat.min((0, 1)), flat.max((0, 1))
        size = np.maximum(high - low, 1e-6)
        scale, middle = 0.88 * min(across / size[0], down / size[1]), (low + high) / 2
    screen = (flat - middle.astype(np.float32)) * np.array([scale, -scale], np.float32)
    result: Floats = (screen + np.array([across / 2, down / 2])).astype(np.float32)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """For each face: three edge functions a x + b y + c (m, 3, 3), each 1 at its corner, and twice its signed area."""

    edges: NDArray[np.float64]
    depth: NDArray[np.float64]  # (m, 3): 1/z as a x + b y + c
    area: NDArray[np.float64]


def _planes(screen: Floats, inverse: Floats) -> Planes:
    import numpy as np

    x, y = screen[..., 0].astype(np.float64), screen[..., 1].astype(np.float64)
    xs, xe, ys, ye = np.roll(x, -1, 1), np.roll(x, -2, 1), np.roll(y, -1, 1), np.roll(y, -2, 1)
    edges = np.stack([ys - ye, xe - xs, xs * ye - xe * ys], 2)  # opposite to each corner
    area = edges[..., 2].sum(1)
    edges /= np.where(area == 0, 1, area)[:, None, None]
    return Planes(edges, np.einsum("ij,ijk->ik", inverse.astype(np.float64), edges), area)


def _fragments(
    screen: Floats, planes: Planes, closed: bool, across: int, down: int
) -> Iterator[tuple[NDArray[np.int64], Floats, NDArray[np.int64]]]:
    """The pixel, depth and face of all samples that faces cover, in pieces of bounded size."""
    import numpy as np

    # on the screen y points down: what turns counter-clockwise in space has a negative area
    seen = (planes.area < -1e-9) if closed else (np.abs(planes.area) > 1e-9)
    top = np.clip(np.ceil(screen[..., 1].min(1) - 0.5), 0, down).astype(np.int64)
    bottom = np.clip(np.floor(screen[..., 1].max(1) - 0.5), -1, down - 1).astype(np.int64)
    rows = np.where(seen, np.maximum(bottom - top + 1, 0), 0)
    wide = np.ptp(screen[..., 0], axis=1).astype(np.float64) + 2
    for faces in _pieces(rows * wide):
        face = np.repeat(faces, rows[faces])
        y = _counting(rows[faces]) + np.repeat(top[faces], rows[faces])
        left, right = _spans(planes.edges[face], y + 0.5, across)
        counts = np.maximum(right - left + 1, 0)
        face = np.repeat(face, counts)
        x = _counting(counts) + np.repeat(left, counts)
        line = np.repeat(y, counts)
        a, b, c = planes.depth[face].T
        depth = a * (x + 0.5) + b * (line + 0.5) + c
        yield line * across + x, np.maximum(depth, 1e-9).astype(np.float32), face


def _pieces(work: NDArray[np.float64]) -> Iterator[NDArray[np.int64]]:
    """Face numbers in groups of at most CHUNK samples of work; a face that is larger stands alone."""
    import numpy as np

    busy = np.flatnonzero(work)
    group = np.floor(np.cumsum(work[busy]) / CHUNK)
    yield from np.split(busy, np.flatnonzero(np.diff(group)) + 1) if len(busy) else ()


def _counting(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 1 2 0 1 0 of [3, 2, 1]."""
    import numpy as np

    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total, dtype=np.int64) - np.repeat(ends - counts, counts)


def _spans(
    edges: NDArray[np.float64], y: NDArray[np.float64], across: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last sample of each row (n,) that lie inside all three edges (n, 3, 3)."""
    import numpy as np

    a = edges[..., 0]
    rest = edges[..., 1] * y[:, None] + edges[..., 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        cross = -rest / a
    left = np.where(a > 0, cross, np.where((a == 0) & (rest < 0), np.inf, -np.inf)).max(1)
    right = np.where(a < 0, cross, np.inf).min(1)
    first = np.ceil(np.clip(left, 0, across) - 0.5)
    last = np.floor(np.clip(right, -1, across) - 0.5)
    return np.maximum(first, 0).astype(np.int64), np.minimum(last, across - 1).astype(np.int64)


def _shaded(
    nearest: NDArray[np.uint64], shape: Surface, turn: Floats, planes: Planes, inverse: Floats, view: View
) -> NDArray[np.uint8]:
    """Colours of the samples that were hit, averaged to pixels."""
    import numpy as np

    across, down, fine = view.width * view.samples, view.height * view.samples, view.samples
    hit = np.flatnonzero(nearest)
    face = (nearest[hit] & np.uint64(0xFFFFFFFF)).astype(np.int64)
    x, y = (hit % across + 0.5).astype(np.float32), (hit // across + 0.5).astype(np.float32)
    depth = (nearest[hit] >> np.uint64(32)).astype(np.uint32).view(np.float32)
    weights = planes.edges.astype(np.float32)[face] * inverse[face][:, :, None]  # perspective: by 1/z
    weights = weights[..., 0] * x[:, None] + weights[..., 1] * y[:, None] + weights[..., 2]
    weights /= weights.sum(1, keepdims=True)
    normal = np.einsum("nk,nkc->nc", weights, (shape.normals @ turn.T)[face])
    light = _lit(normal, np.einsum("nk,nkc->nc", weights, shape.colours[face]))
    canvas = np.zeros((across * down, 5), np.float32)
    canvas[hit, :3], canvas[hit, 3], canvas[hit, 4] = light, 1, depth
    parts = canvas.reshape(view.height, fine, view.width, fine, 5)
    pixels = np.zeros((view.height, view.width, 5), np.float32)
    for row in range(fine):  # much quicker than a mean over two axes
        for column in range(fine):
            pixels += parts[:, row, :, column]
    pixels /= fine**2
    cover = pixels[..., 3:4]
    colour = pixels[..., :3] / np.maximum(cover, 1e-6) * _occlusion(pixels[..., 4], cover[..., 0])[..., None]
    colour = np.clip(colour, 0, 1)
    encoded = np.where(colour <= 0.0031308, 12.92 * colour, 1.055 * colour ** (1 / 2.4) - 0.055)
    return np.round(np.concatenate([encoded, cover], 2) * 255).astype(np.uint8)


def _lit(normal: Floats, colour: Floats) -> Floats:
    """Linear light that samples (n, 3) of this normal, in camera axes, and colour send to the eye; two-sided."""
    import numpy as np

    normal = normal / np.maximum(np.sqrt((normal**2).sum(1, keepdims=True)), 1e-9)
    normal = np.where(normal[:, 2:] < -0.05, -normal, normal)
    height = (normal[:, 1:2] + 1) / 2
    total = np.array(GROUND, np.float32) * (1 - height) + np.array(SKY, np.float32) * height
    for towards, tint in LAMPS:
        lamp = _unit(towards)
        total = total + np.maximum(normal @ lamp, 0)[:, None] * np.array(tint, np.float32)
    between = _unit(tuple(_unit(LAMPS[0][0]) + np.array([0, 0, 1])))  # lamp and eye
    gleam = np.maximum(normal @ between, 0) ** np.float32(GLOSS) * np.float32(SHINE)
    result: Floats = (colour * total + gleam[:, None]).astype(np.float32)
    return result


def _unit(direction: tuple[float, ...]) -> Floats:
    import numpy as np

    result: Floats = (np.array(direction) / np.linalg.norm(direction)).astype(np.float32)
    return result


def _occlusion(depth: Floats, cover: Floats) -> Floats:
    """How much light reaches each pixel (h, w), .55 to 1: less where its surroundings are nearer than it is."""
    import numpy as np

    solid = np.where(cover > 0, depth / np.maximum(cover, 1e-6), 0)
    result = np.ones_like(solid)
    for share in (0.008, 0.03):
        radius = max(1, round(min(depth.shape) * share))
        weight = _blurred(cover, radius)
        around = _blurred(depth, radius) / np.maximum(weight, 1e-6)
        # in units of the ball's radius: 1/z differs by d / z²
        nearer = np.clip((around - solid) / np.maximum(solid, 1e-6) ** 2, 0, 0.25)
        result = result * (1 - 1.6 * nearer)
    return np.clip(result, 0.55, 1).astype(np.float32)


def _blurred(picture: Floats, radius: int) -> Floats:
    """Means over squares of 2 radius + 1, twice, by running sums."""
    import numpy as np

    for _ in range(2):
        for axis in (0, 1):
            pad = [(radius + 1, radius) if each == axis else (0, 0) for each in (0, 1)]
            sums = np.cumsum(np.pad(picture, pad), axis=axis, dtype=np.float64)
            size = picture.shape[axis]
            far, near = np.arange(size) + 2 * radius + 1, np.arange(size)
            picture = ((sums.take(far, axis) - sums.take(near, axis)) / (2 * radius + 1)).astype(np.float32)
    return picture
