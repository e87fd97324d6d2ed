"""Draw what words name by putting icons together: found, recoloured, counted, placed, on a background.

This is composition, not generation: every thing is an icon of an openly licensed set (Noto Emoji, Fluent Emoji, and
Twemoji as the last choice), which the history names with its code point and licence. The same drawing goes into a
picture (`compose-icon`) and into an SVG (`compose-drawing`), where it stays a drawing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.models.icons import Style

MODELS = ["emoji-names", "icons-noto", "icons-fluent", "minilm"]
NEEDS = ["resvg_py", "onnxruntime", "tokenizers"]
LOSES = ["wording", "structure", "detail"]
Background = Annotated[str, "a colour, #rrggbb, a place such as hill or night, or none; empty: what the words say"]
Variation = Annotated[int, Range(0, 5), "another icon where several fit equally well"]


@transform(
    "text.prompt -> image.icon", loses=LOSES, models=MODELS, needs=NEEDS, extra="local", invents=True, memory_mb=120
)
def compose_icon(
    prompt: Text,
    ctx: Context,
    *,
    size: Annotated[int, Range(16, 2048), "pixels a side"] = 512,
    style: Style = "any",
    background: Background = "",
    variation: Variation = 0,
) -> Image:
    """Put a picture together from icons: "two red apples under a tree at night". RGBA, square, clear where empty.

    Reads things with colour, number (1 to 9) and size, how they stand (beside, left of, above, on, under, behind), a
    plain background, and places (hill, grass, sea, beach, snow, desert, moon, mountain, forest, road, table, city;
    by night, in space, at sunset, in rain). An icon shows a thing as it is drawn in its set: no poses, no doings; what
    was not drawn is said. A word that no icon is called is replaced by the nearest in meaning, with a warning. Raises
    SilentInput where nothing of it has an icon, EmptyInput, HugeInput (over 1,000 letters), OptionError.
    """
    from transpose.models.icon_picture import compose

    return compose(prompt.text, ctx, style, background, variation).image(size)


@transform(
    "text.prompt -> .svg",
    name="compose-drawing",
    loses=LOSES,
    models=MODELS,
    needs=NEEDS,
    extra="local",
    invents=True,
    memory_mb=120,
    default_kind="image.icon",
)
def write_composed(
    prompt: Text,
    path: Path,
    ctx: Context,
    *,
    size: Annotated[int, Range(16, 2048), "units a side"] = 512,
    style: Style = "any",
    background: Background = "",
    variation: Variation = 0,
) -> None:
    """Put a drawing together from icons, as shapes that stay sharp at any size; credits are its description.

    Reads the same words and raises the same errors as `compose-icon`.
    """
    from transpose.models.icon_picture import compose

    compose(prompt.text, ctx, style, background, variation).write(path, size, ctx.history)
