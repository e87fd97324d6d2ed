"""Turn a mesh once around, as a video."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Literal

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.frames import Shot
from transpose.media.mesh import Mesh
from transpose.media.molecule import Molecule
from transpose.media.protein import Protein
from transpose.media.raster import View, laid, render, surface
from transpose.media.video import Video


@transform("mesh -> video.turntable", loses=["shape", "exactness", "structure"], memory_mb=300)
def turntable(
    mesh: Mesh,
    ctx: Context,
    *,
    seconds: Annotated[float, Range(0.5, 60), "for one turn"] = 4.0,
    fps: Annotated[int, Range(5, 60), "frames a second"] = 20,
    elevation: Annotated[float, Range(-90, 90), "degrees of the camera above the middle"] = 20.0,
    size: Annotated[int, Range(64, 2160), "pixels of width and of height, even"] = 640,
    background: Annotated[Literal["white", "dark"], "what is around the shape"] = "white",
) -> Video:
    """Show a surface from all sides in one even turn that can be looped; each frame is drawn when it is needed.

    Rendering as in `render-mesh`. Raises SilentInput where no face has an area.
    """
    shape = surface(mesh)
    count, side = max(2, round(seconds * fps)), size - size % 2

    def shots() -> Iterator[Shot]:
        for number in range(count):
            ctx.progress(number, count, "frames")
            view = View(360 * number / count, elevation, side, side, steady=True)
            yield Shot(laid(render(shape, view), background), 1)

    ctx.note("faces", len(mesh.faces))
    return Video(side, side, Fraction(fps), count, shots)


@transform(
    "molecule -> video.turntable",
    loses=["structure", "shape", "exactness", "metadata"],
    uses=["molecule-mesh", "turntable"],
    memory_mb=300,
)
def turn_molecule(molecule: Molecule, ctx: Context) -> Video:
    """Show a molecule from all sides: balls and sticks of `molecule-mesh`, turned by `turntable`."""
    return _turned("molecule-mesh", molecule, ctx)


@transform(
    "protein.structure -> video.turntable",
    loses=["structure", "shape", "exactness", "detail"],
    uses=["protein-mesh", "turntable"],
    memory_mb=300,
)
def turn_protein(protein: Protein, ctx: Context) -> Video:
    """Show a protein from all sides: the ribbon of `protein-mesh`, turned by `turntable`."""
    return _turned("protein-mesh", protein, ctx)


def _turned(maker: str, value: Molecule | Protein, ctx: Context) -> Video:
    film: Video = ctx.call("turntable", ctx.call(maker, value))
    return film
