"""Find the icon that a drawing shows: from a sketch or a blurred icon to a clean one of an openly licensed set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.likely import tell
from transpose.models.contrastive import LOW, name_icon
from transpose.models.icons import Style

if TYPE_CHECKING:
    from transpose.models.icon_picture import Picture

MODELS = ["picture-text", "emoji-names", "icons-noto", "icons-fluent"]
NEEDS = ["resvg_py", "onnxruntime", "onnx"]
LOSES = ["pixels", "layout", "colour", "detail"]


@transform(
    "image.drawing|image.icon -> image.icon",
    name="find-icon",
    verb=True,
    loses=LOSES,
    models=MODELS,
    needs=NEEDS,
    extra="local",
    memory_mb=80,
)
def find_icon(
    image: Image, ctx: Context, *, size: Annotated[int, Range(16, 2048), "pixels a side"] = 512, style: Style = "any"
) -> Image:
    """Find the icon of what a drawing shows, as a picture: RGBA, square, clear where empty.

    It draws the name that `label-icon` says first, so it is right as often; it knows one thing alone on a plain ground,
    and warns under a share of 50 %. Words are better served by `compose-icon`, which looks for names. Raises EmptyInput
    for a picture without pixels, SilentInput where no set has that icon.
    """
    return _found(image, ctx, style).image(size)


@transform(
    "image.drawing|image.icon -> .svg",
    name="find-drawing",
    verb=True,
    loses=LOSES,
    models=MODELS,
    needs=NEEDS,
    extra="local",
    memory_mb=80,
    default_kind="image.icon",
)
def write_found(
    image: Image,
    path: Path,
    ctx: Context,
    *,
    size: Annotated[int, Range(16, 2048), "units a side"] = 512,
    style: Style = "any",
) -> None:
    """Find the icon of what a drawing shows, as shapes that stay sharp at any size; credits are its description.

    Knows the same things and raises the same errors as `find-icon`.
    """
    _found(image, ctx, style).write(path, size, ctx.history)


def _found(image: Image, ctx: Context, style: str) -> Picture:
    from transpose.models.icon_picture import show

    names, shares = name_icon(image, ctx)
    first = int(shares.argmax())
    tell(names[first], float(shares[first]), LOW, ctx)
    return show(names[first], ctx, style)
