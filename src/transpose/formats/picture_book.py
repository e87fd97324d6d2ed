"""Pictures as a PDF: one picture a page, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context, Many
from transpose.core.errors import EmptyInput
from transpose.core.transform import Range, transform
from transpose.media.image import Image, on_white
from transpose.media.picture import bytes_of, save_picture

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

PHOTO = 92  # JPEG quality, as Pillow's writer embeds pictures


@transform("images -> .pdf", loses=["exactness", "metadata"])
def write_picture_pdf(
    images: Many[Image],
    path: Path,
    ctx: Context,
    *,
    dpi: Annotated[int, Range(36, 1200), "pixels of an inch, where a picture does not say it"] = 150,
) -> None:
    """Put each picture on a page of its own size; what is transparent is white. Raises EmptyInput for no picture.

    The words on the pages cannot be searched; for that, let them be read: `--via read-page`.
    """
    from PIL import Image as Pictures

    pages = iter(images)
    first = next(pages, None)
    if first is None:
        raise EmptyInput("there is no picture for the PDF", "Give at least one")

    def rest() -> Iterator[Picture]:
        """The other pages, one at a time."""
        for number, image in enumerate(pages, 2):
            ctx.progress(number, images.length, "pages")
            yield Pictures.fromarray(on_white(image.pixels))

    told = bytes_of(first, "dpi").decode("ascii", "replace").split(",")[0] if "dpi" in first.meta else ""
    resolution = float(told) if told.replace(".", "", 1).isdigit() and float(told) > 0 else float(dpi)
    save_picture(
        Pictures.fromarray(on_white(first.pixels)),
        path,
        "PDF",
        save_all=True,
        append_images=rest(),
        resolution=resolution,
        quality=PHOTO,
        subject=ctx.history,
    )
