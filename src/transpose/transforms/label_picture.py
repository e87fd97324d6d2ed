"""Say what a photograph shows: one name, and the next likely ones with their scores."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.likely import likely
from transpose.media.pixels import at_most
from transpose.media.text import Text

LOW = 0.35  # a score below which the name is more often wrong than right
SIDE = 512  # pixels; the network sees 224


@transform(
    "image.photo -> text.label",
    loses=["pixels", "layout", "colour", "detail"],
    thin=True,
    models=["efficientnet-lite0"],
    needs=["onnxruntime", "onnx"],
    extra="images",
    memory_mb=150,
)
def label_picture(
    image: Image, ctx: Context, *, most: Annotated[int, Range(1, 20), "names at most, one a line"] = 3
) -> Text:
    """Name what stands in a photograph: one line a name, `name (87 %)`, the likeliest first.

    EfficientNet-lite0 knows the thousand things of ImageNet: animals, plants, food, tools, vehicles, buildings, hardly
    people and no scenes. Names below 5 % are left out, but the first stays; under 35 % it warns, because it is then
    wrong more often than right. In English. Raises EmptyInput for a picture without pixels.
    """
    from transpose.models.efficientnet import MEMORY_MB, Classifier

    small = at_most(image.pixels, SIDE)
    folder = ctx.model("efficientnet-lite0")
    model = ctx.load("efficientnet-lite0", lambda: Classifier(folder, ctx.threads), MEMORY_MB)
    share, _ = model.look(small)
    return likely(model.names, share, most, LOW, ctx)
