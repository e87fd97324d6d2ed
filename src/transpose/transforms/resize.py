"""Make a picture larger or smaller."""

from __future__ import annotations

from typing import Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, HugeInput, OptionError
from transpose.core.transform import Range, transform
from transpose.media.image import Image

MOST = 178_000_000  # pixels of the result: what the readers open
LONGEST = 200_000  # pixels a side


@transform("image -> image", verb=True, loses=["exactness"])
def resize(
    image: Image,
    ctx: Context,
    *,
    width: Annotated[int, Range(0, LONGEST), "pixels; 0: follows from the height"] = 0,
    height: Annotated[int, Range(0, LONGEST), "pixels; 0: follows from the width"] = 0,
    scale: Annotated[float, Range(0, 64), "times its size, where neither width nor height is given"] = 0.0,
    fit: Annotated[
        Literal["inside", "cover", "stretch"], "with both sides: within them, filling them (cut), or exactly"
    ] = "inside",
    filter: Annotated[
        Literal["lanczos", "nearest", "bicubic", "box"], "how pixels are made; nearest keeps them square"
    ] = "lanczos",
) -> Image:
    """Resample to another size: `-o width=800`, `-o scale=0.5`, or both sides and how to fit into them.

    With only one side the proportions stay. Colours are averaged as they are stored; where a picture is transparent
    they do not bleed. Metadata stay, but for the resolution. Raises OptionError without a size, EmptyInput for a
    picture without pixels, HugeInput above 178 million pixels.
    """
    import numpy as np
    from PIL import Image as Pillow

    if 0 in image.pixels.shape:
        raise EmptyInput("the picture has no pixels", "Look at the step before")
    if not (width or height or scale):
        raise OptionError("resize needs a size", "Say -o width=800, -o height=600 or -o scale=0.5")
    box, across, down = plan((image.width, image.height), width, height, scale, fit)
    if across * down > MOST:
        raise HugeInput(f"{across} x {down} pixels are more than {MOST // 10**6} million", "Ask for a smaller size")
    grey = image.pixels.shape[2] == 1
    picture = Pillow.fromarray(image.pixels[..., 0] if grey else image.pixels)
    kind = Pillow.Resampling[filter.upper()]
    made = np.asarray(picture.resize((across, down), kind, box=box, reducing_gap=3.0))  # alpha is multiplied in first
    return Image(made[..., None] if grey else made, {key: each for key, each in image.meta.items() if key != "dpi"})


Box = tuple[float, float, float, float]


def plan(size: tuple[int, int], width: int, height: int, scale: float, fit: str) -> tuple[Box, int, int]:
    """Which part (left, top, right, bottom) of a picture of `size` is taken, and the width and height it gets."""
    old_width, old_height = size
    whole = (0.0, 0.0, float(old_width), float(old_height))
    if width and height and fit == "stretch":
        return whole, width, height
    if width and height and fit == "cover":
        part = min(old_width / width, old_height / height)
        left, top = (old_width - width * part) / 2, (old_height - height * part) / 2
        return (left, top, left + width * part, top + height * part), width, height
    if width or height:
        scale = min(each / old for each, old in ((width, old_width), (height, old_height)) if each)
    return whole, max(1, round(old_width * scale)), max(1, round(old_height * scale))
