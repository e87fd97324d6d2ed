"""Print a score as sheet music.

The notes go through MusicXML (formats/musicxml.py: bars, voices, beams, spelling) to Verovio (LGPL-3.0), which lays
them out and draws SVG; resvg turns that into pixels. Words are in Aileron, the font inside Pillow, so that they look
the same everywhere; letters that it lacks come from the system's fonts.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context, Many
from transpose.core.errors import HugeInput, SilentInput, TransformError
from transpose.core.transform import Range, transform
from transpose.formats.musicxml import musicxml
from transpose.media.image import Image
from transpose.media.quantise import notate
from transpose.media.score import Score

if TYPE_CHECKING:
    import numpy as np
    import verovio
    from numpy.typing import NDArray

MOST_NOTES = 50_000
TALLEST = 65_000  # pixels
PAPERS = {"a4": (2100, 2970), "letter": (2159, 2794), "screen": (2600, 1625)}  # tenths of a millimetre
SCALE = 40  # percent; pixels of the SVG for a tenth of a millimetre
# the first word of a metronome mark is a sign of the music font, which resvg cannot read from the file
SIGN = re.compile(
    r'<text x="(\d+)" y="(\d+)" font-size="0px">\s*<tspan[^>]*class="rend">\s*<tspan[^>]*class="text">\s*'
    r'<tspan font-family="Leipzig" font-size="(\d+)px">(.)</tspan>\s*</tspan>\s*</tspan>'
)
FONT_FACE = re.compile(r"<style[^>]*>@font-face.*?</style>", re.DOTALL)

Paper = Annotated[Literal["a4", "letter", "screen"], "the page"]
Width = Annotated[int, Range(400, 8000), "pixels of a page from left to right"]
Size = Annotated[float, Range(0.3, 3.0), "of the staves; 1 is what is usual in print"]


@transform(
    "score -> image.sheet",
    loses=["timbre", "exactness", "detail"],
    needs=["verovio", "resvg_py"],
    extra="music",
    memory_mb=300,
)
def sheet(score: Score, ctx: Context, *, width: Width = 1600, size: Size = 1.0, paper: Paper = "a4") -> Image:
    """Print the whole piece on one long white sheet, systems one below the other.

    Grey pixels of shape (height, `width`, 1). Staves, clefs, key, metre, tempo, voices, beams and tuplets are found
    from the notes; notes off the grid are moved, which is said. Raises SilentInput for a score without notes and
    HugeInput above 50,000 notes or 65,000 rows (about 25 pages: `sheet-pages` has no such limit).
    """
    import numpy as np

    toolkit, count = _engraved(score, size, paper, ctx)
    pages = []
    for number in range(1, count + 1):
        pages.append(_drawn(toolkit, number, width, ctx))
        ctx.progress(number, count, "pages drawn")
        if sum(len(page) for page in pages) > TALLEST:
            hint = "Take single pages with --via sheet-pages, or smaller staves with -o size=0.5"
            raise HugeInput(f"this score has {count} pages, more than fit on one long sheet", hint)
    return Image(np.concatenate(pages))


@transform(
    "score -> image.sheets",
    loses=["timbre", "exactness", "detail"],
    needs=["verovio", "resvg_py"],
    extra="music",
    memory_mb=300,
)
def sheet_pages(
    score: Score, ctx: Context, *, width: Width = 1600, size: Size = 1.0, paper: Paper = "a4"
) -> Many[Image]:
    """Print the piece on pages: white, grey pixels, all of one height. Raises what `sheet` does."""
    toolkit, count = _engraved(score, size, paper, ctx)

    def pages() -> Iterator[Image]:
        tall = round(width * PAPERS[paper][1] / PAPERS[paper][0])
        for number in range(1, count + 1):
            yield Image(_filled(_drawn(toolkit, number, width, ctx), tall))

    return Many(pages, count)


@transform(
    "score -> .svg",
    loses=["timbre", "exactness", "detail"],
    needs=["verovio"],
    extra="music",
    default_kind="image.sheet",
)
def write_sheet_svg(score: Score, path: Path, ctx: Context, *, size: Size = 1.0) -> None:
    """Write sheet music as a drawing that stays sharp: the whole piece on one long page.

    The history becomes the drawing's description. Raises SilentInput, and HugeInput for what is longer than the
    longest page that Verovio makes.
    """
    from xml.sax.saxutils import escape

    toolkit, count = _engraved(score, size, "long", ctx)
    if count > 1:
        raise HugeInput(f"this score does not fit on one drawing: {count} would be needed", "Write a .png or a .pdf")
    svg = toolkit.renderToSVG(1)
    if ctx.history:
        svg = svg.replace("<defs>", f"<metadata>{escape(ctx.history)}</metadata>\n   <defs>", 1)
    path.write_text(svg, encoding="utf-8")


def _engraved(score: Score, size: float, paper: str, ctx: Context) -> tuple[verovio.toolkit, int]:
    """Verovio with the piece laid out on so many pages."""
    import verovio

    notation, moved = notate(score)
    count = sum(len(part.tones) for part in notation.parts)
    if not count:
        raise SilentInput("this score has no notes")
    if count > MOST_NOTES:
        raise HugeInput(
            f"this score has {count:,} notes, and {MOST_NOTES:,} can be printed", "Take a part of the piece"
        )
    if moved.words():
        ctx.warn(moved.words())
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    across, down = PAPERS.get(paper, (PAPERS["a4"][0], 60_000))
    settings = {
        "pageWidth": min(100_000, round(across / size)),
        "pageHeight": min(60_000, round(down / size)),
        "scale": max(1, round(SCALE * size)),
        "adjustPageHeight": True,
        "footer": "none",
        "breaks": "auto",
        "xmlIdSeed": 1,
        "svgFormatRaw": False,
        "minLastJustification": 0.6,
    }
    toolkit.setOptions(settings)
    if not toolkit.loadData(musicxml(notation)):
        raise TransformError("Verovio could not lay out this score", "Write a .musicxml and open it in another program")
    ctx.note("bars", len(notation.bars()))
    return toolkit, toolkit.getPageCount()


def _drawn(toolkit: verovio.toolkit, number: int, width: int, ctx: Context) -> NDArray[np.uint8]:
    """A page as grey pixels of shape (height, width, 1)."""
    import numpy as np
    import PIL.Image
    import resvg_py
    from PIL.ImageFont import FreeTypeFont, load_default

    face = load_default(16)
    assert isinstance(face, FreeTypeFont)
    font = ctx.temp(".ttf")
    font.write_bytes(face.font_bytes)
    try:
        svg = SIGN.sub(partial(_as_path, toolkit.getResourcePath()), toolkit.renderToSVG(number))
        drawn = resvg_py.svg_to_bytes(
            svg_string=FONT_FACE.sub("", svg),
            width=width,
            background="white",
            font_files=[str(font)],
            font_family="Aileron",
            serif_family="Aileron",
        )
    finally:
        font.unlink()
    with PIL.Image.open(io.BytesIO(bytes(drawn)), formats=["PNG"]) as picture:
        return np.array(picture.convert("L"))[..., None]


def _as_path(resources: str, found: re.Match[str]) -> str:
    """The sign of a metronome mark drawn as a path, and the words after it moved to the right."""
    x, y, points, sign = found.groups()
    drawing = Path(resources) / "Leipzig" / f"{ord(sign):04X}.xml"
    if not drawing.exists():
        return found[0]
    scale = int(points) / 1000  # a music font has 1000 units to its height
    shape = drawing.read_text(encoding="utf-8")
    moved = f'<g transform="translate({x}, {y}) scale({scale})">{shape}</g>'
    return f'{moved}<text x="{int(x) + int(points) // 3}" y="{y}" font-size="0px">'


def _filled(pixels: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """White below, up to a height; a page that is taller stays as it is."""
    import numpy as np

    below = max(0, height - len(pixels))
    return np.pad(pixels, ((0, below), (0, 0), (0, 0)), constant_values=255)
