"""Pictures in and out, one in a file: PNG, JPEG, WebP, BMP and AVIF, 8 bits a sample, with their metadata.

EXIF, colour profile, resolution, XMP and the text fields of a PNG are kept. The history goes into a text field
`transpose` of a PNG and into the XMP packet of a JPEG, a WebP or an AVIF; a BMP holds nothing but pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image, on_white
from transpose.media.picture import (
    as_picture,
    bytes_of,
    check_bytes,
    damage,
    decode,
    open_picture,
    quiet,
    save_picture,
    say_lost_fields,
    shared,
    xmp_packet,
)

SEGMENT = 65_000  # bytes that fit into one segment of a JPEG


@transform(".png|.jpg|.jpeg|.webp|.bmp|.avif -> image")
def read_picture(path: Path, ctx: Context) -> Image:
    """Open a picture: upright, 8 bits, grey, RGB or RGBA, metadata kept.

    Of an animation or a set of pictures the first is read, with a warning. Raises EmptyInput, MislabelledInput,
    HugeInput (more than 178 million pixels, judged by the header) and DamagedInput.
    """
    expected = check_bytes(path)
    with damage(path), quiet(), open_picture(path, expected) as picture:
        frames = getattr(picture, "n_frames", 1)
        if frames > 1:
            ctx.warn(f"{path.name!r} holds {frames} pictures: only the first is read")
        return decode(picture, path, ctx)


@transform("image -> .png")
def write_png(image: Image, path: Path, ctx: Context) -> None:
    """Save a picture without loss, its metadata with it; text fields stay text fields."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    fields = {key[5:]: str(value) for key, value in image.meta.items() if key.startswith("text:")}
    if ctx.history:
        fields["transpose"] = ctx.history
    for name, value in fields.items():
        if not 0 < len(name) < 80 or not name.isprintable() or any(ord(c) > 255 for c in name):
            ctx.warn(f"a PNG cannot hold a text field named {name!r}: left out")
            continue
        info.add_text(name, value.replace("\0", ""))
    if "xmp" in image.meta:
        info.add_itxt("XML:com.adobe.xmp", bytes_of(image, "xmp").decode("utf-8", "replace"))
    save_picture(as_picture(image), path, "PNG", pnginfo=info, **shared(image, ctx))


@transform("image -> .jpg|.jpeg", loses=["exactness"])
def write_jpeg(
    image: Image, path: Path, ctx: Context, *, quality: Annotated[int, Range(1, 100), "of the picture"] = 90
) -> None:
    """Save a picture as JPEG: small, not exact; what is transparent becomes white, with a warning."""
    if image.pixels.shape[2] == 4:
        if image.pixels[..., 3].min(initial=255) < 255:
            ctx.warn("a JPEG cannot be transparent: put on white")
        image = Image(on_white(image.pixels), image.meta)
    kept = shared(image, ctx)
    if len(kept.get("exif", b"")) > SEGMENT:
        ctx.warn("the EXIF data are too long for a JPEG: left out")
        del kept["exif"]
    comment = str(image.meta.get("text:Comment", "")).encode()[:SEGMENT]
    say_lost_fields(image, ctx, "JPEG", {"Comment"})
    packet = xmp_packet(image, ctx, SEGMENT)
    if packet:
        kept["xmp"] = packet
    exact = {"subsampling": 0} if quality >= 95 else {}
    save_picture(as_picture(image), path, "JPEG", quality=quality, optimize=True, comment=comment, **exact, **kept)


@transform("image -> .webp", loses=["exactness"])
def write_webp(
    image: Image,
    path: Path,
    ctx: Context,
    *,
    quality: Annotated[int, Range(1, 100), "of the picture"] = 90,
    lossless: Annotated[bool, "keep every pixel"] = False,
) -> None:
    """Save a picture as WebP: smaller than JPEG, keeps transparency; exact with `lossless=yes`."""
    kept = shared(image, ctx)
    kept.pop("dpi", None)  # the format has no field for it
    say_lost_fields(image, ctx, "WebP", set())
    packet = xmp_packet(image, ctx, 10**7)
    if packet:
        kept["xmp"] = packet
    save_picture(as_picture(image), path, "WEBP", quality=quality, lossless=lossless, exact=lossless, **kept)


@transform("image -> .avif", loses=["exactness"])
def write_avif(
    image: Image, path: Path, ctx: Context, *, quality: Annotated[int, Range(1, 100), "of the picture"] = 80
) -> None:
    """Save a picture as AVIF: about half of a JPEG, keeps transparency, slow to write; never exact."""
    kept = shared(image, ctx)
    kept.pop("dpi", None)  # the format has no field for it
    say_lost_fields(image, ctx, "AVIF", set())
    packet = xmp_packet(image, ctx, 10**7)
    if packet:
        kept["xmp"] = packet
    save_picture(as_picture(image), path, "AVIF", quality=quality, max_threads=ctx.threads, **kept)


@transform("image -> .bmp", loses=["metadata"])
def write_bmp(image: Image, path: Path, ctx: Context) -> None:
    """Save a picture as BMP: every pixel, uncompressed; what is transparent becomes white, with a warning."""
    if image.pixels.shape[2] == 4:
        if image.pixels[..., 3].min(initial=255) < 255:
            ctx.warn("a BMP cannot be transparent: put on white")
        image = Image(on_white(image.pixels), image.meta)
    say_lost_fields(image, ctx, "BMP", set())
    dpi = shared(image, ctx).get("dpi")
    save_picture(as_picture(image), path, "BMP", **({"dpi": dpi} if dpi else {}))
