"""Trace a picture: shapes with smooth edges instead of pixels, as an SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from xml.sax.saxutils import escape

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, OutputError
from transpose.core.transform import Range, transform
from transpose.media.image import Image

LARGEST = 4_000_000  # pixels that are traced; a larger picture is reduced to so many
HEAVY = 20_000_000  # bytes of a file that no viewer likes


@transform(
    "image.drawing|image.icon|image.photo|image.page -> .svg",
    loses=["exactness", "pixels", "detail", "metadata"],
    needs=["vtracer"],
    extra="images",
)
def vectorise(
    image: Image,
    path: Path,
    ctx: Context,
    *,
    colours: Annotated[int, Range(1, 8), "bits a channel that count; fewer give fewer, larger shapes"] = 6,
    speckle: Annotated[int, Range(0, 128), "pixels a side below which a patch is left out"] = 4,
    layers: Annotated[int, Range(0, 128), "difference between two layers of a colour; larger is simpler"] = 16,
    curves: Annotated[Literal["spline", "polygon", "pixel"], "how edges are drawn"] = "spline",
) -> None:
    """Write the shapes of a picture as an SVG by VTracer: right for icons, logos and drawings, coarse for photographs.

    Text becomes shapes. A picture of more than 4 million pixels is reduced first; the drawing keeps its size. What is
    transparent stays so. Raises EmptyInput for a picture without pixels.
    """
    import vtracer  # type: ignore[import-untyped]

    if 0 in image.pixels.shape:
        raise EmptyInput("the picture has no pixels", "Look at the step before")
    traced = vtracer.convert_raw_image_to_svg(
        _png(image),
        img_format="png",
        mode="none" if curves == "pixel" else curves,
        filter_speckle=speckle,
        color_precision=colours,
        layer_difference=layers,
        path_precision=2,
    )
    shapes = traced.count("<path")
    ctx.note("shapes", shapes)
    if len(traced) > HEAVY:
        ctx.warn(f"{shapes:,} shapes make a heavy file: use -o colours=4 -o speckle=16 for a simpler drawing")
    try:
        path.write_text(_finished(traced, image, ctx), encoding="utf-8")
    except UnicodeEncodeError as error:  # a lone surrogate in the history
        raise OutputError(f"the drawing could not be written to {path.name!r} ({error})") from error


def _png(image: Image) -> bytes:
    """The picture as PNG bytes, reduced where it is large, uncompressed to be quick."""
    import io

    from PIL import Image as Pillow

    grey = image.pixels.shape[2] == 1
    picture = Pillow.fromarray(image.pixels[..., 0] if grey else image.pixels).convert("RGBA")
    scale = (LARGEST / (image.width * image.height)) ** 0.5
    if scale < 1:
        size = max(1, int(image.width * scale)), max(1, int(image.height * scale))
        picture = picture.resize(size, Pillow.Resampling.LANCZOS, reducing_gap=3.0)
    data = io.BytesIO()
    picture.save(data, "PNG", compress_level=1)
    return data.getvalue()


def _finished(traced: str, image: Image, ctx: Context) -> str:
    """The SVG with the size of the picture, a view box and the history."""
    start, end = traced.index("<svg"), traced.index(">", traced.index("<svg"))
    inner = traced[start + 4 : end]
    sides = {key: inner.split(f'{key}="', 1)[1].split('"', 1)[0] for key in ("width", "height")}
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{image.width}" height="{image.height}" '
        f'viewBox="0 0 {sides["width"]} {sides["height"]}">'
    )
    history = f'\n<metadata id="transpose">{escape(ctx.history)}</metadata>' if ctx.history else ""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + head + history + traced[end + 1 :]
