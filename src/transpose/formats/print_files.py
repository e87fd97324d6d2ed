"""Files for 3-D printers: 3MF, in and out.

A 3MF is a ZIP archive with a model in XML (3MF Core 1.3 and, for colours, Materials 1.2). It is read as a stream with
limits: no DTD or entity (so no XML bomb), at most 256 MB of XML, and components that nest to a bounded number of faces.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from transpose.core.context import Context
from transpose.core.errors import (
    DamagedInput,
    HugeInput,
    InputError,
    LockedInput,
    MislabelledInput,
    OutputError,
    SilentInput,
)
from transpose.core.transform import transform
from transpose.media.file import check_file, reason
from transpose.media.mesh import Mesh, merged, turned

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_BYTES = 256 << 20  # of XML
MOST_FACES = 10_000_000
MOST_PARTS = 100_000
DEEPEST = 50  # components in components
CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
MATERIAL = "http://schemas.microsoft.com/3dmanufacturing/material/2015/02"
KIND = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
PLACE = "3D/3dmodel.model"
TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
)
LINKS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Target="/{PLACE}" Id="rel0" Type="{KIND}"/></Relationships>'
)


@dataclass
class Shape:
    """An object of the model: its own triangles, or others in their places."""

    points: list[float] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)
    tints: list[tuple[str, int, int, int]] = field(default_factory=list)  # group and one entry for each corner
    parts: list[tuple[str, str]] = field(default_factory=list)  # object, transform
    tint: tuple[str, int] = ("", 0)


@transform(".3mf -> mesh", name="read-3mf", loses=["detail", "structure"])
def read_3mf(path: Path, ctx: Context) -> Mesh:
    """All objects that are to be built as one surface, each in its place, with plain colours; z is up, the unit mm.

    Other units become mm, with a warning. Raises DamagedInput, HugeInput, LockedInput, SilentInput, MislabelledInput.
    """
    check_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            model = _Model()
            with archive.open(_main_part(archive)) as file:
                model.parse(file, path)
        return _built(model, path, ctx)
    except InputError:
        raise
    except zipfile.BadZipFile as error:
        with path.open("rb") as file:
            zipped = file.read(2) == b"PK"
        if not zipped:
            raise MislabelledInput(f"{path.name!r} is not a 3MF file", "Rename it to what it is") from error
        raise DamagedInput(f"{path.name!r} is truncated or damaged ({reason(error)})", "Download it again") from error
    except RuntimeError as error:  # what zipfile raises for a password
        raise LockedInput(f"{path.name!r} needs a password", "Save it without one") from error
    except (expat.ExpatError, LookupError, ValueError, EOFError, zlib.error, OSError) as error:
        raise DamagedInput(f"{path.name!r} is truncated or damaged ({reason(error)})", "Download it again") from error


def _main_part(archive: zipfile.ZipFile) -> str:
    """The name of the model in the archive, as its relationships say, else the usual one."""
    names = archive.namelist()
    if "_rels/.rels" in names and archive.getinfo("_rels/.rels").file_size < 1 << 20:
        text = archive.read("_rels/.rels").decode("utf-8", "replace")
        for link in re.findall(r"<Relationship\b[^>]*>", text):
            target = re.search(r'Target="/?([^"]+)"', link)
            if target and KIND in link and target[1] in names:
                return target[1]
    models = [name for name in names if name.endswith(".model")]
    if not models:
        raise KeyError("there is no model in the archive")
    return PLACE if PLACE in models else models[0]


class _Model:
    """What a stream of XML says: objects, colours, and what is to be built."""

    def __init__(self) -> None:
        self.objects: dict[str, Shape] = {}
        self.colours: dict[str, list[tuple[int, int, int, int]]] = {}
        self.items: list[tuple[str, str]] = []
        self.unit = "millimeter"
        self.shape = Shape()
        self.group: list[tuple[int, int, int, int]] = []

    def parse(self, file: IO[bytes], path: Path) -> None:
        """Read the model in pieces. Raises HugeInput, DamagedInput (a DTD, which no 3MF has), ExpatError."""
        parser = expat.ParserCreate(namespace_separator="|")
        parser.StartElementHandler = self._start

        def refuse(*_: object) -> None:
            raise DamagedInput(f"{path.name!r} has a document type with entities, which no 3MF has", "Do not trust it")

        parser.StartDoctypeDeclHandler = refuse
        parser.EntityDeclHandler = refuse
        total = 0
        while piece := file.read(1 << 20):
            total += len(piece)
            if total > MOST_BYTES:
                raise HugeInput(f"{path.name!r} unpacks to more than {MOST_BYTES >> 20} MB", "Simplify it first")
            parser.Parse(piece)
        parser.Parse(b"", True)

    def _start(self, tag: str, known: dict[str, str]) -> None:
        name = tag.rpartition("|")[2]
        if name == "vertex":
            self.shape.points += (float(known["x"]), float(known["y"]), float(known["z"]))
        elif name == "triangle":
            self.shape.faces += (int(known["v1"]), int(known["v2"]), int(known["v3"]))
            group = known.get("pid", "")
            first = int(known.get("p1", 0 if group else self.shape.tint[1]))
            corners = (first, int(known.get("p2", first)), int(known.get("p3", first)))
            self.shape.tints.append((group or self.shape.tint[0], *corners))
        elif name == "object":
            tint = (known.get("pid", ""), int(known.get("pindex", 0)))
            self.shape = self.objects[known["id"]] = Shape(tint=tint)
        elif name == "component":
            self.shape.parts.append((known["objectid"], known.get("transform", "")))
        elif name == "item":
            self.items.append((known["objectid"], known.get("transform", "")))
        elif name in ("colorgroup", "basematerials"):
            self.group = self.colours[known["id"]] = []
        elif name in ("color", "base"):
            self.group.append(_colour(known.get("color") or known.get("displaycolor", "")))
        elif name == "model":
            self.unit = known.get("unit", "millimeter")


def _colour(text: str) -> tuple[int, int, int, int]:
    code = bytes.fromhex(text.lstrip("#").ljust(8, "F")[:8]) if text else b"\xc8\xc8\xc8\xff"
    return code[0], code[1], code[2], code[3]


def _matrix(text: str) -> NDArray[np.float64]:
    """A transform of 12 numbers, row by row, as a matrix (4, 3) for rows of points."""
    import numpy as np

    return np.array([float(each) for each in text.split()]).reshape(4, 3) if text.strip() else np.eye(4, 3)


UNITS = {"micron": 0.001, "millimeter": 1.0, "centimeter": 10.0, "inch": 25.4, "foot": 304.8, "meter": 1000.0}


def _built(model: _Model, path: Path, ctx: Context) -> Mesh:
    import numpy as np

    items = model.items or [(each, "") for each, shape in model.objects.items() if shape.faces]
    total, visits = 0, 0
    found: list[Mesh] = []
    for each, text in items:
        for shape, matrix in _placed(model, each, _matrix(text), 0):
            total, visits = total + len(shape.faces) // 3, visits + 1
            if total > MOST_FACES or visits > MOST_PARTS:
                raise HugeInput(
                    f"{path.name!r} unfolds to more than {MOST_FACES:,} faces or {MOST_PARTS:,} parts",
                    "Do not trust it",
                )
            if shape.faces:
                found.append(_mesh(shape, matrix, model))
    if not found:
        raise SilentInput(f"{path.name!r} holds no faces", "Is it a 3MF file with a model?")
    if model.unit != "millimeter":
        ctx.warn(f"{path.name!r} is in {model.unit}: turned into millimetres")
    scale = UNITS[model.unit]
    offsets = np.cumsum([0, *(len(each.vertices) for each in found)])
    points = np.concatenate([each.vertices for each in found]) * scale
    if not np.isfinite(points).all():
        raise ValueError("a place is not a finite number")
    faces = np.concatenate([each.faces + at for each, at in zip(found, offsets, strict=False)]).astype(np.int32)
    colours = None
    if any(each.colours is not None for each in found):
        plain = [np.full((len(m.vertices), 4), 200, np.uint8) if m.colours is None else m.colours for m in found]
        colours = np.concatenate(plain)
    ctx.note("faces", len(faces))
    return Mesh(points, faces, colours, "z")


def _placed(
    model: _Model, number: str, matrix: NDArray[np.float64], depth: int
) -> Iterator[tuple[Shape, NDArray[np.float64]]]:
    """An object and those that it is made of, each with where it stands."""
    import numpy as np

    if depth > DEEPEST:
        raise ValueError("objects are made of one another without end")
    shape = model.objects[number]
    yield shape, matrix
    for part, text in shape.parts:
        inner = np.eye(4)
        inner[:, :3] = _matrix(text)
        outer = np.eye(4)
        outer[:, :3] = matrix
        yield from _placed(model, part, (inner @ outer)[:, :3], depth + 1)


def _mesh(shape: Shape, matrix: NDArray[np.float64], model: _Model) -> Mesh:
    import numpy as np

    points = np.array(shape.points).reshape(-1, 3) @ matrix[:3] + matrix[3]
    faces = np.array(shape.faces, np.int64).reshape(-1, 3)
    if faces.min() < 0 or faces.max() >= len(points):
        raise ValueError(f"a face names a point that is not among the {len(points)}")
    if np.linalg.det(matrix[:3]) < 0:
        faces = faces[:, ::-1]
    if not any(group in model.colours for group, *_ in shape.tints):
        return Mesh(points, faces.astype(np.int32))
    grey = (200, 200, 200, 255)
    groups = [model.colours.get(group) for group, *_ in shape.tints]
    tints = [
        [held[at] if held else grey for at in corners] for held, (_, *corners) in zip(groups, shape.tints, strict=True)
    ]
    colours = np.array(tints, np.uint8)
    if np.linalg.det(matrix[:3]) < 0:
        colours = colours[:, ::-1]
    loose = np.arange(faces.size, dtype=np.int32).reshape(-1, 3)
    return merged(Mesh(points[faces.ravel()], loose, np.ascontiguousarray(colours.reshape(-1, 4))))


@transform("mesh -> .3mf", name="write-3mf")
def write_3mf(mesh: Mesh, path: Path, ctx: Context) -> None:
    """The surface for a printer, with colours for each corner, z up; the history is a metadata field."""
    if not len(mesh.faces):
        raise OutputError("the mesh has no faces", "Look at the step before")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in (("[Content_Types].xml", TYPES), ("_rels/.rels", LINKS), (PLACE, _xml(mesh, ctx.history))):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)  # ZipInfo: no clock in the file


def _xml(mesh: Mesh, history: str) -> str:
    import numpy as np

    points, faces = turned(mesh, "z").vertices.tolist(), mesh.faces.tolist()
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<model unit="millimeter" xml:lang="en-US" xmlns="{CORE}" xmlns:m="{MATERIAL}">')
    if mesh.name:
        lines.append(f'<metadata name="Title">{escape(mesh.name)}</metadata>')
    if history:
        lines.append(
            f'<metadata name="Description">{escape(json.dumps({"transpose": json.loads(history)}))}</metadata>'
        )
    lines.append("<resources>")
    tinted, which = "", None
    if mesh.colours is not None:
        table, which = np.unique(mesh.colours, axis=0, return_inverse=True)
        shades = "".join(f'<m:color color="#{bytes(row).hex().upper()}"/>' for row in table)
        lines.append(f'<m:colorgroup id="1">{shades}</m:colorgroup>')
        tinted = ' pid="1" pindex="0"'
    lines.append(f'<object id="2" type="model" name={quoteattr(mesh.name or "mesh")}{tinted}><mesh><vertices>')
    lines += [f'<vertex x="{x!r}" y="{y!r}" z="{z!r}"/>' for x, y, z in points]
    lines.append("</vertices><triangles>")
    if which is None:
        lines += [f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in faces]
    else:
        tint = which.ravel().tolist()
        lines += [
            f'<triangle v1="{a}" v2="{b}" v3="{c}" pid="1" p1="{tint[a]}" p2="{tint[b]}" p3="{tint[c]}"/>'
            for a, b, c in faces
        ]
    lines.append('</triangles></mesh></object></resources><build><item objectid="2"/></build></model>')
    return "\n".join(lines)
