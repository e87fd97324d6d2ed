"""Find everyday things in a photograph: a table with a name, a score and a box for each."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.pixels import at_most
from transpose.media.table import Table, from_rows

SIDE = 2048  # pixels; the network sees 416 at a time
COLUMNS = ("name", "score", "left", "top", "width", "height")


@transform(
    "image.photo -> table.objects",
    loses=["pixels", "colour", "detail"],
    thin=True,
    models=["yolox-nano"],
    needs=["onnxruntime", "pyarrow"],
    extra="images",
    memory_mb=200,
)
def find_objects(
    image: Image,
    ctx: Context,
    *,
    least: Annotated[float, Range(0.05, 1), "score below which a thing is left out"] = 0.4,
    tiles: Annotated[int, Range(1, 6), "also look at N x N parts, for small things; N x N times slower"] = 1,
) -> Table:
    """List what is seen, the surest first: name, score (0 to 1), left, top, width and height of its box in pixels.

    YOLOX-nano knows the eighty kinds of COCO (person, bicycle, car, dog, cup, chair, ...). It is small: what is small
    or crowded is missed, and what it does not know may get a wrong name (a coin is a clock). A table without rows
    means that nothing was found, and is said. Raises EmptyInput for a picture without pixels.
    """
    from transpose.models.yolox import MEMORY_MB, Detector

    small = at_most(image.pixels, SIDE)
    scale = image.width / small.shape[1], image.height / small.shape[0]
    folder = ctx.model("yolox-nano")
    model = ctx.load("yolox-nano", lambda: Detector(folder, ctx.threads), MEMORY_MB)
    found = model.find(small, least, tiles)
    ctx.note("things", len(found))
    if not found:
        ctx.warn("no thing of the eighty kinds that the detector knows was found")
    rows = [
        {
            "name": each.name,
            "score": round(each.score, 3),
            "left": round(each.left * scale[0]),
            "top": round(each.top * scale[1]),
            "width": round((each.right - each.left) * scale[0]),
            "height": round((each.bottom - each.top) * scale[1]),
        }
        for each in found
    ]
    return from_rows(rows, "objects", COLUMNS)
