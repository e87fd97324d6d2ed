"""Meshes in and out: STL, PLY, OBJ, OFF, glTF (.glb, .gltf) through trimesh.

A file with several parts becomes one mesh; materials and textures become a colour for each point. Counts that a header
claims are checked against the file's size before anything is made room for, and a file that names others (materials,
textures, buffers) is only followed to files in its own folder.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, HugeInput, InputError, MislabelledInput, OutputError, SilentInput
from transpose.core.transform import transform
from transpose.media.encoding import read_bytes
from transpose.media.file import reason
from transpose.media.image import name_bytes
from transpose.media.mesh import Mesh, merged, turned

if TYPE_CHECKING:
    import numpy as np
    import trimesh
    from numpy.typing import NDArray

LARGEST = 1 << 30  # bytes of a file
MOST_FACES = 20_000_000
BESIDE = 64 << 20  # bytes of a file that another one names
HISTORY = "transpose"
# all that trimesh was seen to raise on damaged files
DAMAGE: tuple[type[Exception], ...] = (ValueError, KeyError, IndexError, TypeError, AttributeError, OSError)
DAMAGE += (struct.error, RecursionError, NotImplementedError, MemoryError, AssertionError, ArithmeticError)
DAMAGE += (UnboundLocalError,)  # trimesh, on a list of a PLY without a place for it


@transform(".stl|.off -> mesh", needs=["trimesh"], extra="science")
def read_triangles(path: Path, ctx: Context) -> Mesh:
    """A surface of triangles; the loose triangles of an STL are joined where their corners are equal.

    Raises DamagedInput (cut off, a claim of more than there is, places that are no numbers), SilentInput (no face),
    MislabelledInput, EmptyInput and HugeInput.
    """
    return _read(path, ctx)


@transform(".obj|.ply|.glb|.gltf -> mesh", loses=["detail", "structure"], needs=["trimesh"], extra="science")
def read_scene(path: Path, ctx: Context) -> Mesh:
    """All parts of a file as one surface, each in its place; materials and textures become colours of points.

    Files that it names are read from its own folder only; one elsewhere is left out with a warning. Raises what
    `read-triangles` does.
    """
    return _read(path, ctx)


@transform("mesh -> .stl|.off", loses=["colour", "exactness", "metadata"], needs=["trimesh"], extra="science")
def write_triangles(mesh: Mesh, path: Path, ctx: Context) -> None:
    """Only the surface: places as float32 (binary STL) or decimal numbers (OFF); colours are not kept."""
    if mesh.colours is not None:
        ctx.warn(f"{path.suffix} keeps no colours; .ply, .glb and .3mf do")
    made = _trimesh(turned(Mesh(mesh.vertices, mesh.faces, None, mesh.up), "z"))
    off = path.suffix.lower() == ".off"
    path.write_bytes(_bytes(made.export(file_type="off", digits=9) if off else made.export(file_type="stl")))


@transform("mesh -> .ply|.obj", loses=["exactness"], needs=["trimesh"], extra="science")
def write_points(
    mesh: Mesh, path: Path, ctx: Context, *, encoding: Annotated[Literal["binary", "ascii"], "of a .ply"] = "binary"
) -> None:
    """The surface with a colour for each point; places as float32 (PLY) or with 9 digits (OBJ); history as comment."""
    if path.suffix.lower() == ".ply":
        data = _bytes(_trimesh(turned(mesh, "z")).export(file_type="ply", encoding=encoding, vertex_normal=False))
        comment = f"comment {HISTORY} {ctx.history}\n".encode() if ctx.history else b""
        path.write_bytes(data.replace(b"\nelement vertex", b"\n" + comment + b"element vertex", 1))
        return
    text = _bytes(_trimesh(turned(mesh, "y")).export(file_type="obj", digits=9, include_normals=False, header=None))
    comment = f"# {HISTORY} {ctx.history}\n".encode() if ctx.history else b""
    path.write_bytes(comment + text + b"\n")


@transform("mesh -> .glb|.gltf", loses=["exactness"], needs=["trimesh"], extra="science")
def write_gltf(mesh: Mesh, path: Path, ctx: Context) -> None:
    """The surface as glTF 2.0 in one file (buffers inside), y up as it demands, with colours; places as float32."""
    import trimesh.exchange.gltf as gltf
    from trimesh import Scene

    scene = Scene()
    scene.add_geometry(_trimesh(turned(mesh, "y")), geom_name=mesh.name or "mesh")

    def remember(tree: dict[str, dict[str, object]]) -> None:
        """Put the history into the file's own place for what else there is to say."""
        if ctx.history:
            tree["asset"]["extras"] = {HISTORY: json.loads(ctx.history)}

    if path.suffix.lower() == ".glb":
        path.write_bytes(gltf.export_glb(scene, tree_postprocessor=remember))  # type: ignore[no-untyped-call]
        return
    files = gltf.export_gltf(scene, embed_buffers=True, tree_postprocessor=remember)  # type: ignore[no-untyped-call]
    path.write_bytes(files["model.gltf"])


def _bytes(data: object) -> bytes:
    """What trimesh exports, as bytes: it gives str for some formats."""
    return data.encode() if isinstance(data, str) else bytes(data) if isinstance(data, bytes) else b""


def _trimesh(mesh: Mesh) -> trimesh.Trimesh:
    import trimesh

    if not len(mesh.faces):
        raise OutputError("the mesh has no faces", "Look at the step before")
    return trimesh.Trimesh(mesh.vertices, mesh.faces, vertex_colors=mesh.colours, process=False, validate=False)


# -- reading ---------------------------------------------------------------------------------------------------------


def _read(path: Path, ctx: Context) -> Mesh:
    import trimesh

    data, kind = read_bytes(path, LARGEST), path.suffix.lower()[1:]
    looks = name_bytes(data[:512])
    if looks and looks not in ("plain text", "a BMP picture"):  # the head of a binary STL may begin with anything
        raise MislabelledInput(f"{path.name!r} is {looks}, not a mesh", "Rename it to what it is")
    _check_claims(data, kind, path)
    near = _Beside(path.parent, ctx)
    with _damage(path):
        scene = trimesh.load_scene(BytesIO(data), file_type=kind, resolver=near, process=False)
        shown = [scene.geometry[scene.graph[node][1]] for node in scene.graph.nodes_geometry]
        parts = [each for each in shown if isinstance(each, trimesh.Trimesh) and len(each.faces)]
        if not parts:
            raise SilentInput(f"{path.name!r} holds no faces", "Points or lines alone are no surface")
        if sum(len(each.faces) for each in parts) > MOST_FACES:
            raise HugeInput(
                f"{path.name!r} has more than {MOST_FACES:,} faces", "Simplify it with the program it is from"
            )
        found = _joined([_placed(scene, node) for node in scene.graph.nodes_geometry])
    up = "y" if kind in ("glb", "gltf", "obj") else "z"  # of the others none says; this is the custom
    result = Mesh(found.vertices, found.faces, found.colours, up)
    ctx.note("faces", len(result.faces))
    return merged(result) if kind == "stl" else result


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except DAMAGE as error:
        said = f"{path.name!r} is truncated or damaged ({reason(error)})"
        raise DamagedInput(said, "Save or download it again") from error


def _placed(scene: trimesh.Scene, node: str) -> Mesh | None:
    """One part of a scene in its place, with its colours; None where it has no faces."""
    import numpy as np
    import trimesh
    from trimesh.visual import ColorVisuals

    matrix, name = scene.graph[node]
    part = scene.geometry[name]
    if not isinstance(part, trimesh.Trimesh) or not len(part.faces):
        return None
    points = np.asarray(part.vertices)
    points = points.astype(np.float32 if points.dtype == np.float32 else np.float64)
    if not np.array_equal(matrix, np.eye(4)):
        points = (points.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]).astype(points.dtype)
    if not np.isfinite(points).all():
        raise ValueError("a place is not a finite number")
    faces = np.ascontiguousarray(part.faces, np.int64)
    if faces.min() < 0 or faces.max() >= len(points):
        raise ValueError(f"a face names a point that is not among the {len(points)}")
    if np.linalg.det(matrix[:3, :3]) < 0:
        faces = faces[:, ::-1]
    visual = part.visual
    kind = visual.kind if visual is not None and visual.defined else None
    if kind == "face" and isinstance(visual, ColorVisuals):
        colours = np.repeat(np.asarray(visual.face_colors, np.uint8), 3, 0)
        loose = Mesh(points[faces.ravel()], np.arange(faces.size, dtype=np.int32).reshape(-1, 3), colours)
        return merged(loose)
    coloured = _colours(part, len(points)) if kind else None
    return Mesh(np.ascontiguousarray(points), np.ascontiguousarray(faces, np.int32), coloured)


def _colours(part: trimesh.Trimesh, count: int) -> NDArray[np.uint8] | None:
    """RGBA of each point, from point colours, a texture or a plain material; None where there is nothing usable."""
    import numpy as np
    from trimesh.visual import TextureVisuals

    visual = part.visual
    if isinstance(visual, TextureVisuals):
        if visual.uv is None:
            plain = np.asarray(visual.material.main_color, np.uint8)
            return np.tile(plain, (count, 1)) if plain.shape == (4,) else None
        visual = visual.to_color()  # type: ignore[no-untyped-call]
    if visual is None:
        return None
    colours = np.asarray(visual.vertex_colors, np.uint8)
    return np.ascontiguousarray(colours) if colours.shape == (count, 4) else None


def _joined(parts: list[Mesh | None]) -> Mesh:
    import numpy as np

    kept = [part for part in parts if part is not None]
    offsets = np.cumsum([0, *(len(part.vertices) for part in kept)])
    points = np.concatenate([part.vertices for part in kept])
    faces = np.concatenate([part.faces + np.int32(at) for part, at in zip(kept, offsets, strict=False)])
    colours = None
    if any(part.colours is not None for part in kept):
        plain = [np.full((len(p.vertices), 4), 200, np.uint8) if p.colours is None else p.colours for p in kept]
        colours = np.concatenate(plain)
    return Mesh(points, faces.astype(np.int32), colours)


class _Beside(dict[str, bytes]):
    """What trimesh asks for the files that a mesh names: those in the mesh's own folder, and no others."""

    def __init__(self, folder: Path, ctx: Context) -> None:
        super().__init__()
        self.home, self.ctx = folder.resolve(), ctx

    def __missing__(self, name: str) -> bytes:
        """The bytes of a file named by the mesh; ValueError for one that is not in the folder."""
        from urllib.parse import unquote

        shown = repr(str(name)[:80])
        wanted = (self.home / unquote(str(name)).strip().replace("\\", "/")).resolve()
        if not wanted.is_relative_to(self.home) or not wanted.is_file() or wanted.stat().st_size > BESIDE:
            self.ctx.warn(f"the file {shown} that the mesh names is not used: it is not in the mesh's folder")
            raise ValueError(f"it needs {shown}, which is not in its folder")
        return wanted.read_bytes()

    def get(self, name: str, default: object = None) -> bytes:
        """What `__missing__` gives: trimesh calls this."""
        return self[name]

    def namespaced(self, namespace: str) -> _Beside:
        """The same folder: there are no others."""
        return self


# -- what headers claim ----------------------------------------------------------------------------------------------


def _check_claims(data: bytes, kind: str, path: Path) -> None:
    """Raise DamagedInput where a header claims more than the file has bytes for."""
    claimed = 0
    if kind == "stl" and not (data[:5].lower() == b"solid" and b"facet" in data[:2000]):
        claimed = struct.unpack_from("<I", data, 80)[0] * 50 + 84 if len(data) >= 84 else 84
    elif kind == "ply":
        head = data[: data.find(b"end_header") + 1][:100_000]
        claimed = sum(int(count) for count in re.findall(rb"element\s+\S+\s+(\d{1,19})", head))
    elif kind == "off":
        numbers = re.findall(rb"^\s*(?:OFF)?\s*(\d+)\s+(\d+)", data[:2000], re.MULTILINE)
        claimed = 6 * sum(map(int, numbers[0])) if numbers else 0
    elif kind in ("glb", "gltf"):
        _check_gltf(data, kind, path)
    if claimed > len(data):
        what = f"{path.name!r} is cut off: its head claims more than its {len(data):,} bytes"
        raise DamagedInput(what, "Save or download it again")


def _check_gltf(data: bytes, kind: str, path: Path) -> None:
    """Accessors may claim any count, also without a buffer; all together they have a limit."""
    if kind == "glb":
        if data[:4] != b"glTF" or len(data) < 20:
            looks = name_bytes(data[:512])
            raise MislabelledInput(f"{path.name!r} is {looks or 'not glTF'}, not a binary glTF", "Rename it")
        data = data[20 : 20 + struct.unpack_from("<I", data, 12)[0]]
    try:
        tree = json.loads(data)
        counts = [int(each.get("count", 0)) for each in tree.get("accessors", ())]
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise DamagedInput(f"{path.name!r} is truncated or damaged ({reason(error)})", "Download it again") from None
    if sum(counts) > 4 * MOST_FACES or min(counts, default=0) < 0:
        raise HugeInput(f"{path.name!r} claims {sum(counts):,} values", f"At most {MOST_FACES:,} faces are opened")
    bare = (
        sum(count for count, each in zip(counts, tree["accessors"], strict=True) if "bufferView" not in each)
        if counts
        else 0
    )
    if bare > 1_000_000:
        raise HugeInput(f"{path.name!r} claims {bare:,} values without data", "Save it again without sparse accessors")
