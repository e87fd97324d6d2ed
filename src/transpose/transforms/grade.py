"""Colour grades: the look of a film or a picture changed in words, or by a `.cube` file.

Words are looked up in a list of named looks (media/looks.py); there is no model, and a word that is not in the list is
an error that names the looks. The words become one table of 33 points a side, which is applied to every frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.frames import Shot
from transpose.media.image import Image
from transpose.media.looks import lut_of_words, read_words
from transpose.media.lut import Lut, read_cube
from transpose.media.text import Text
from transpose.media.video import Video

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AMOUNT = "how much of it: 0 nothing, 1 as it is meant"


@transform("video, text.prompt -> video", does="grade", verb=True, keeps=["synthetic"], loses=["colour"])
def grade_video(
    video: Video, words: Text, ctx: Context, *, amount: Annotated[float, Range(0, 1), AMOUNT] = 1.0
) -> Video:
    """Change the colours of a video to named looks: "warm", "slightly darker and faded", "teal and orange".

    Words are looked up in a list, no model reads them. Several looks follow one another; slightly, very, less
    and "30 %" say how much. Raises OptionError for a word that is not in the list, EmptyInput where none names a look.

    Looks: autumn, black and white, bleach bypass, bright, candlelight, cinematic, cold, contrast, cross process,
    cyanotype, cyberpunk, dark, day for night, desert, dramatic, dreamy, faded, flat, forest, golden hour, green,
    gritty, high key, horror, instant film, low key, magenta, matrix, matte, moody, moonlight, muted, noir, pastel,
    punchy, rose, sepia, silver, sunset, teal and orange, underwater, vintage, vivid, warm, winter.
    """
    return _film(video, _said(words, amount, ctx))


@transform("image, text.prompt -> image", does="grade", verb=True, keeps=["synthetic"], loses=["colour"])
def grade_picture(
    image: Image, words: Text, ctx: Context, *, amount: Annotated[float, Range(0, 1), AMOUNT] = 1.0
) -> Image:
    """Change the colours of a picture to named looks, as `grade-video` does; what is transparent stays so."""
    return _picture(image, _said(words, amount, ctx))


@transform("video, .cube -> video", does="grade", verb=True, keeps=["synthetic"], loses=["colour"])
def grade_video_by_cube(
    video: Video, table: Path, ctx: Context, *, amount: Annotated[float, Range(0, 1), AMOUNT] = 1.0
) -> Video:
    """Change the colours of a video by the table in a `.cube` file (of three dimensions or one).

    Raises MislabelledInput, DamagedInput or HugeInput for a file that cannot be used.
    """
    return _film(video, _read(table, amount, ctx))


@transform("image, .cube -> image", does="grade", verb=True, keeps=["synthetic"], loses=["colour"])
def grade_picture_by_cube(
    image: Image, table: Path, ctx: Context, *, amount: Annotated[float, Range(0, 1), AMOUNT] = 1.0
) -> Image:
    """Change the colours of a picture by the table in a `.cube` file, as `grade-video-by-cube` does."""
    return _picture(image, _read(table, amount, ctx))


def _said(words: Text, amount: float, ctx: Context) -> Lut:
    ctx.note("looks", ", ".join(f"{name} {share:g}" for name, share in read_words(words.text)))
    return lut_of_words(words.text, amount=amount)


def _read(table: Path, amount: float, ctx: Context) -> Lut:
    lut = read_cube(table, ctx)
    return lut if amount == 1 else Lut.of(lambda colours: colours + amount * (lut.at(colours) - colours), lut.size)


def _film(video: Video, lut: Lut) -> Video:
    jump = video.jump

    def graded(first: int | None = None) -> Iterator[Shot]:
        for pixels, frames in video.shots() if first is None or jump is None else jump(first):
            yield Shot(lut.apply(pixels), frames)

    return replace(video, source=graded, jump=graded if jump else None)


def _picture(image: Image, lut: Lut) -> Image:
    import numpy as np

    colours: NDArray[np.uint8] = image.pixels
    if colours.shape[2] == 1:
        colours = np.repeat(colours, 3, axis=2)
    graded = lut.apply(np.ascontiguousarray(colours[..., :3]))
    meta = {key: value for key, value in image.meta.items() if key != "icc_profile" or image.pixels.shape[2] > 1}
    return Image(np.concatenate([graded, colours[..., 3:]], axis=2), meta)
