"""GIF and TIFF: several pictures in one file (frames of an animation, pages of a scan), read and written one by one.

Both are read as many. Where one picture is wanted, the file has to hold one, or `-o page=N` says which: nothing is
dropped silently. The history goes into the comment of a GIF and the description of a TIFF.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context, Many
from transpose.core.errors import EmptyInput, OptionError
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.picture import (
    DESCRIPTION,
    OURS,
    as_picture,
    check_bytes,
    damage,
    decode,
    open_picture,
    quiet,
    refusal,
    save_picture,
    say_lost_fields,
    shared,
)

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MOST = 100_000  # pictures in a file
TICK = 10  # milliseconds: what a GIF counts in


@transform(".gif|.tif|.tiff -> images")
def read_pictures(path: Path, ctx: Context) -> Many[Image]:
    """The frames of an animation or the pages of a TIFF, each opened when it is asked for.

    A frame of a GIF is the whole picture as it is seen then; `meta` keeps for how many milliseconds (`duration`).
    Raises EmptyInput, MislabelledInput, DamagedInput, and HugeInput for a picture of more than 178 million pixels.
    """
    expected = check_bytes(path)
    count = _count(path, expected)

    def pictures() -> Iterator[Image]:
        with damage(path), quiet(), open_picture(path, expected) as opened:
            for number in range(count):
                ctx.progress(number, count, "pictures")
                opened.seek(number)
                yield decode(opened, path, ctx)

    return Many(pictures, count)


# what it may lose are the other pictures: where many will do, `read-pictures` is the better way
@transform(".gif|.tif|.tiff -> image", loses=["detail", "wording"])
def read_one_picture(
    path: Path, ctx: Context, *, page: Annotated[int, Range(0, MOST), "which picture, from 1; 0: the only one"] = 0
) -> Image:
    """The picture of a file that holds one, or the one that `page` names.

    Raises OptionError where there are several and none is named, and what `read-pictures` raises.
    """
    expected = check_bytes(path)
    count = _count(path, expected)
    if count > 1 and not page:
        hint = "Say which with -o page=1; have a file for each with OUT/ --to .png; read scans with --from image.page"
        raise OptionError(f"{path.name!r} holds {count} pictures, and one is wanted", hint)
    if page > count:
        raise OptionError(f"option page={page}: {path.name!r} holds {count}", f"Use a number from 1 to {count}")
    with damage(path), quiet(), open_picture(path, expected) as opened:
        opened.seek(max(page, 1) - 1)
        return decode(opened, path, ctx)


def _count(path: Path, expected: str) -> int:
    with damage(path), quiet(), open_picture(path, expected) as opened:
        count = int(getattr(opened, "n_frames", 1))
        if count > MOST:
            raise ValueError(f"it claims {count} pictures")
        return count


@transform("images -> .gif", loses=["colour", "exactness", "metadata"])
def write_gif(
    images: Many[Image],
    path: Path,
    ctx: Context,
    *,
    milliseconds: Annotated[int, Range(0, 60_000), "that each picture is shown; 0: as it says itself, or 100"] = 0,
    loop: Annotated[bool, "begin again at the end"] = True,
) -> None:
    """Save pictures as an animation, or one as a still: 256 colours a frame, a pixel is transparent or not.

    All get the size of the first, fitted in and centred. Frames are written as they come; raises EmptyInput for none.
    """
    frames = _frames(images, milliseconds, ctx)
    first = next(frames, None)
    if first is None:
        raise EmptyInput("there are no pictures to write")
    settings: dict[str, object] = {"loop": 0} if loop else {}
    if ctx.history:
        settings["comment"] = (OURS + ctx.history).encode()
    # a frame that may be transparent is cleared before the next one comes
    disposal = 2 if first.mode == "RGBA" else 0
    save_picture(first, path, "GIF", save_all=True, append_images=frames, disposal=disposal, **settings)


def _frames(images: Iterable[Image], milliseconds: int, ctx: Context) -> Iterator[Picture]:
    """Pictures of one size; for how long they are shown stands in their `info`, where Pillow looks for it."""
    from PIL import Image as Pillow

    size: tuple[int, int] | None = None
    for image in images:
        say_lost_fields(image, ctx, "GIF", {"Comment"})
        picture = as_picture(image)
        size = size or picture.size
        if picture.size != size:
            ctx.warn("pictures of another size than the first are fitted into its frame")
            fitted = picture.convert("RGBA")
            fitted.thumbnail(size, Pillow.Resampling.LANCZOS)
            picture = Pillow.new("RGBA", size, (0, 0, 0, 0))
            picture.paste(fitted, ((size[0] - fitted.width) // 2, (size[1] - fitted.height) // 2))
        picture = _in_256(picture)
        picture.info["duration"] = milliseconds or _duration(image)
        yield picture


def _in_256(picture: Picture) -> Picture:
    """RGB with the 256 colours that a small copy gathers around; grey and transparent pictures go as they are."""
    from PIL import Image as Pillow

    if picture.mode != "RGB":
        return picture
    small = picture.resize((min(96, picture.width), min(96, picture.height)), Pillow.Resampling.NEAREST)
    palette = small.quantize(256, Pillow.Quantize.MEDIANCUT, kmeans=2)
    return picture.quantize(palette=palette, dither=Pillow.Dither.FLOYDSTEINBERG)


def _duration(image: Image) -> int:
    """Milliseconds that a picture itself asks for, else 100."""
    try:
        own = float(image.meta.get("duration", 0))
    except ValueError:
        return 100
    return max(TICK, round(own / TICK) * TICK) if 0 < own < 600_000 else 100


@transform("images -> .tif|.tiff")
def write_tiff(
    images: Many[Image],
    path: Path,
    ctx: Context,
    *,
    compression: Annotated[Literal["deflate", "lzw", "none"], "all of them keep every pixel"] = "deflate",
) -> None:
    """Save pictures as the pages of a TIFF without loss, with EXIF, profile and resolution; one page at a time.

    Raises EmptyInput where there is none.
    """
    from PIL.TiffImagePlugin import AppendingTiffWriter

    packing = {"deflate": "tiff_adobe_deflate", "lzw": "tiff_lzw", "none": None}[compression]
    some = False
    with refusal(path), AppendingTiffWriter(str(path), new=True) as file:
        for image in images:
            as_picture(image).save(file, "TIFF", compression=packing, **_page_settings(image, ctx))
            file.newFrame()
            some = True
    if not some:
        raise EmptyInput("there are no pictures to write")


def _page_settings(image: Image, ctx: Context) -> dict[str, object]:
    """EXIF, profile, resolution and the description of one page."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    say_lost_fields(image, ctx, "TIFF", {"Comment"})
    kept: dict[str, object] = dict(shared(image, ctx))
    words = OURS + ctx.history if ctx.history else str(image.meta.get("text:Comment", ""))
    if words:
        tags = ImageFileDirectory_v2()
        tags.tagtype[DESCRIPTION] = 2  # text; as bytes, because Pillow would write ? for what is not ASCII
        tags[DESCRIPTION] = words.encode()
        kept["tiffinfo"] = tags
    return kept
