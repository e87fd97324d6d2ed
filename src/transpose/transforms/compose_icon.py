"""Draw what words name by putting icons together: found, recoloured, counted, placed, on a background.

This is composition, not generation: every thing is an icon of an openly licensed set (Noto Emoji, Fluent Emoji, and
Twemoji as the last choice), which the history names with its code point and licence. The same drawing goes into a
picture (`compose-icon`) and into an SVG (`compose-drawing`), where it stays a drawing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import OutputError
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.text import Text

MODELS = ["emoji-names", "icons-noto", "icons-fluent", "minilm"]
NEEDS = ["resvg_py", "onnxruntime", "tokenizers"]
LOSES = ["wording", "structure", "detail"]
Style = Annotated[Literal["any", "noto", "fluent", "twemoji"], "whose icons: shaded, flat, or flat under CC BY"]
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
    from transpose.media.icon_drawing import render
    from transpose.models.icon_picture import compose

    picture = compose(prompt.text, ctx, style, background, variation)
    pixels = render(picture.svg(), size, size)
    return Image(pixels, {"xmp": _packet(picture.title, picture.credit)})


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

    picture = compose(prompt.text, ctx, style, background, variation)
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + picture.svg(size, ctx.history) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except UnicodeEncodeError as error:  # a lone surrogate in the prompt or the history
        raise OutputError(f"the drawing could not be written to {path.name!r} ({error})") from error


def _packet(title: str, credit: str) -> bytes:
    """An XMP packet (ISO 16684) with title and rights, which every picture format but BMP holds."""
    from xml.sax.saxutils import escape

    head = '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    rdf = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    fields = "".join(
        f'<dc:{name}><rdf:Alt><rdf:li xml:lang="x-default">{escape(text)}</rdf:li></rdf:Alt></dc:{name}>'
        for name, text in (("title", title), ("rights", credit))
    )
    body = f'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">{fields}</rdf:Description>'
    whole = f'{head}{rdf}{body}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    return whole.encode("utf-8", "replace")
