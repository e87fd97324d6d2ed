"""Show a mesh from one side: shaded, with smooth edges, without a graphics card."""

from __future__ import annotations

from typing import Annotated, Literal

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.mesh import Mesh
from transpose.media.raster import View, laid, render, surface

Background = Literal["white", "dark", "transparent"]


@transform("mesh -> image.render", loses=["shape", "exactness", "structure"], memory_mb=300)
def render_mesh(
    mesh: Mesh,
    ctx: Context,
    *,
    azimuth: Annotated[float, Range(-360, 360), "degrees around the upright axis; 0 is the front"] = 30.0,
    elevation: Annotated[float, Range(-90, 90), "degrees of the camera above the middle"] = 20.0,
    width: Annotated[int, Range(16, 4096), "pixels"] = 960,
    height: Annotated[int, Range(16, 4096), "pixels"] = 720,
    samples: Annotated[int, Range(1, 4), "along each side of a pixel; more is smoother and slower"] = 2,
    background: Annotated[Background, "what is around the shape"] = "white",
) -> Image:
    """Draw the surface in perspective, lit from the upper left, as large as the picture allows.

    Colours are those of the mesh, else a light clay. See media/raster.py for the method. Raises SilentInput where no
    face has an area.
    """
    pixels = render(surface(mesh), View(azimuth, elevation, width, height, samples))
    ctx.note("faces", len(mesh.faces))
    return Image(laid(pixels, background))
