"""Make a picture four times larger, with edges that stay sharp."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, HugeInput
from transpose.core.transform import Range, transform
from transpose.media.image import Image, on_white

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 178_000_000 // 16  # pixels: four times as many a side are as many as the readers open
FACTORS = Range(2, 4)


@transform(
    "image -> image",
    verb=True,
    loses=["exactness"],
    models=["realesrgan-quick"],
    needs=["onnxruntime", "onnx"],
    extra="images",
    memory_mb=400,
)
def upscale(image: Image, ctx: Context, *, times: Annotated[int, FACTORS, "larger a side"] = 4) -> Image:
    """Enlarge by Real-ESRGAN's small network (animevideov3): quick, sharp outlines, smooth surfaces.

    Made for drawings and video; a photograph loses fine texture (`upscale-finely` makes it up). Details are guessed:
    for exact resampling use `resize`. Works in tiles, so memory follows the result alone; transparency is enlarged
    smoothly. Raises EmptyInput for no pixels and HugeInput above 11 million.
    """
    return _enlarged(image, ctx, "realesrgan-quick", times)


@transform(
    "image -> image",
    verb=True,
    loses=["exactness"],
    models=["realesrgan-x4plus"],
    needs=["onnxruntime", "onnx"],
    extra="images",
    memory_mb=1000,
)
def upscale_finely(image: Image, ctx: Context, *, times: Annotated[int, FACTORS, "larger a side"] = 4) -> Image:
    """Enlarge by Real-ESRGAN's large network (x4plus): for photographs, some forty times slower than `upscale`.

    It makes up texture that looks right and was not there. Otherwise as `upscale`.
    """
    return _enlarged(image, ctx, "realesrgan-x4plus", times)


def _enlarged(image: Image, ctx: Context, card: str, times: int) -> Image:
    import numpy as np
    from PIL import Image as Pillow

    from transpose.models.realesrgan import MEMORY_MB, SCALE, Upscaler

    if 0 in image.pixels.shape:
        raise EmptyInput("the picture has no pixels", "Look at the step before")
    if image.width * image.height > MOST:
        raise HugeInput(
            f"{image.width} x {image.height} pixels are more than the {MOST // 10**6} million that can be enlarged",
            "Use resize, or a smaller picture",
        )
    folder = ctx.model(card)
    model = ctx.load(card, lambda: Upscaler(folder, ctx.threads), MEMORY_MB)
    channels = image.pixels.shape[2]
    # under what is transparent colours go on, so that no halo comes from white paper
    colours = np.ascontiguousarray(image.pixels[..., :3]) if channels > 1 else on_white(image.pixels)
    made = model.enlarge(colours, lambda done, total: ctx.progress(done, total, "tiles"))
    size = image.width * times, image.height * times
    if times != SCALE:
        made = np.asarray(Pillow.fromarray(made).resize(size, Pillow.Resampling.LANCZOS))
    meta = {key: value for key, value in image.meta.items() if key != "dpi"}
    if channels == 1:
        return Image(_grey(made), meta)
    if channels == 4:
        alpha = Pillow.fromarray(np.ascontiguousarray(image.pixels[..., 3])).resize(size, Pillow.Resampling.BICUBIC)
        made = np.dstack([made, np.asarray(alpha)])
    return Image(made, meta)


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import numpy as np
    from PIL import Image as Pillow

    return np.asarray(Pillow.fromarray(pixels).convert("L"))[..., None]
