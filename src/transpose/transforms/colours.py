"""The colours that a picture consists of, with their shares and names."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.core.transform import Range, transform
from transpose.media.colour import palette
from transpose.media.image import Image
from transpose.media.pixels import at_most
from transpose.media.table import Table, from_rows

SIDE = 128  # pixels of the longer side that are counted
SEEN = 128  # opacity from which a pixel counts


@transform(
    "image -> table.properties",
    verb=True,
    thin=True,
    loses=["pixels", "layout", "detail"],
    needs=["pyarrow"],
    extra="images",
    deterministic=False,
)
def colours(image: Image, ctx: Context, *, most: Annotated[int, Range(1, 32), "colours at most"] = 6) -> Table:
    """List the dominant colours, the commonest first: name, hex (#rrggbb, sRGB) and share (0 to 1).

    k-means in CIE L*a*b* over the picture reduced to 128 pixels; the name is the nearest of some forty that people
    use. Transparent pixels do not count. Raises EmptyInput where no pixel is left.
    """

    small = at_most(image.pixels, SIDE).reshape(-1, 3)
    if image.pixels.shape[2] == 4:
        alpha = at_most(image.pixels[..., 3:], SIDE)[..., 0].ravel()
        small = small[alpha >= SEEN]
    if not len(small):
        raise EmptyInput("every pixel of the picture is transparent", "Give a picture that shows something")
    found = palette(small, most, ctx.seed)
    return from_rows(
        [{"colour": each.name, "hex": each.hex, "share": round(each.share, 4)} for each in found],
        "colours",
        ("colour", "hex", "share"),
    )
