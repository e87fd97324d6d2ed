"""Show a protein from one side: its ribbon, shaded and in colour."""

from __future__ import annotations

from typing import Annotated, Literal

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.protein import Protein


@transform(
    "protein.structure -> image.render",
    loses=["structure", "shape", "exactness", "detail"],
    uses=["protein-mesh", "render-mesh"],
    memory_mb=300,
)
def render_protein(
    protein: Protein,
    ctx: Context,
    *,
    colour: Annotated[
        Literal["rainbow", "chain", "fold", "confidence"], "along each chain, by chain, by fold, or by temperature"
    ] = "rainbow",
    azimuth: Annotated[float, Range(-360, 360), "degrees around the upright axis; 0 is the front"] = 30.0,
    elevation: Annotated[float, Range(-90, 90), "degrees of the camera above the middle"] = 20.0,
    width: Annotated[int, Range(16, 4096), "pixels"] = 960,
    height: Annotated[int, Range(16, 4096), "pixels"] = 720,
    background: Annotated[Literal["white", "dark", "transparent"], "what is around the shape"] = "white",
) -> Image:
    """Draw the ribbon that `protein-mesh` builds, as `render-mesh` draws it. Raises SilentInput where there is none."""
    ribbon = ctx.call("protein-mesh", protein, colour=colour)
    size = {"width": width, "height": height}
    picture: Image = ctx.call(
        "render-mesh", ribbon, azimuth=azimuth, elevation=elevation, background=background, **size
    )
    return picture
