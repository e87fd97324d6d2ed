"""Draw a table as a chart: points, lines, bars, areas, boxes, a histogram or a heat map.

media/chart_roles.py says how the columns are chosen, media/chart_spec.py how they are drawn. The same chart is a
picture (`chart`), a drawing (`chart-drawing`, .svg) and a page that answers the mouse (`chart-page`, .html, with all
of Vega inside, so that it works without a network). Grammar: Vega-Lite (Satyanarayan and others 2017), drawn by
vl-convert.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import TransformError
from transpose.core.transform import Range, transform
from transpose.media.chart_spec import Wish, draw
from transpose.media.image import Image
from transpose.media.table import Table

Mark = Literal["auto", "line", "area", "bar", "point", "histogram", "box", "heatmap"]
X = Annotated[str, "column along the bottom (default: chosen by type)"]
Y = Annotated[str, "column of heights; several with commas (default: chosen by type)"]
Colour = Annotated[str, "column that gives the colour"]
Title = Annotated[str, "above the chart (default: what is drawn)"]
Marked = Annotated[Mark, "how rows are drawn"]
LOSSES = ["exactness", "detail", "metadata"]


@transform("table -> image.chart", loses=LOSSES, extra="tables", needs=["pyarrow", "vl_convert"], memory_mb=300)
def chart(
    table: Table,
    ctx: Context,
    *,
    x: X = "",
    y: Y = "",
    mark: Marked = "auto",
    colour: Colour = "",
    title: Title = "",
    width: Annotated[int, Range(100, 4000), "of the plot, in pixels before `scale`"] = 720,
    height: Annotated[int, Range(80, 4000), "of the plot, in pixels before `scale`"] = 405,
    scale: Annotated[float, Range(0.5, 6), "pixels of the picture for one of the plot"] = 2.0,
) -> Image:
    """Draw a table as a picture, in the way that suits its columns.

    Raises SilentInput (nothing in it can be drawn), EmptyInput (no rows), OptionError (no such column).
    """
    import io

    import numpy as np
    import PIL.Image
    import vl_convert

    spec = draw(table, ctx, Wish(x, y, mark, colour, title, width, height))
    try:
        data = vl_convert.vegalite_to_png(json.dumps(spec), scale=scale)
    except ValueError as error:
        raise TransformError(f"the chart could not be drawn: {error!s:.200}", "Try another -o mark") from None
    with PIL.Image.open(io.BytesIO(data)) as picture:
        return Image(np.array(picture.convert("RGB")), {"text:Title": str(spec["title"]["text"])})


@transform("table -> .svg", name="chart-drawing", loses=LOSSES, extra="tables", needs=["pyarrow", "vl_convert"])
def write_chart_drawing(
    table: Table,
    path: Path,
    ctx: Context,
    *,
    x: X = "",
    y: Y = "",
    mark: Marked = "auto",
    colour: Colour = "",
    title: Title = "",
    width: Annotated[int, Range(100, 4000), "of the plot, in pixels"] = 720,
    height: Annotated[int, Range(80, 4000), "of the plot, in pixels"] = 405,
) -> None:
    """Draw a table as an SVG, which stays sharp at every size; its words are words. Raises as `chart` does."""
    import vl_convert

    spec = draw(table, ctx, Wish(x, y, mark, colour, title, width, height))
    try:
        svg: str = vl_convert.vegalite_to_svg(json.dumps(spec))
    except ValueError as error:
        raise TransformError(f"the chart could not be drawn: {error!s:.200}", "Try another -o mark") from None
    if ctx.history:
        head, end, rest = svg.partition(">")
        svg = f"{head}{end}<metadata>{escape(ctx.history)}</metadata>{rest}"
    path.write_text(svg, encoding="utf-8")


@transform("table -> .html", name="chart-page", loses=LOSSES, extra="tables", needs=["pyarrow", "vl_convert"])
def write_chart_page(
    table: Table,
    path: Path,
    ctx: Context,
    *,
    x: X = "",
    y: Y = "",
    mark: Marked = "auto",
    colour: Colour = "",
    title: Title = "",
) -> None:
    """Draw a table as a page whose chart shows values under the mouse; one file, no network. Raises as `chart` does.

    On request only (`--via chart-page`): an .html of a table is the table itself otherwise.
    """
    import vl_convert

    spec = draw(table, ctx, Wish(x, y, mark, colour, title))
    text = json.dumps(spec, ensure_ascii=False)
    # the spec is put into a script as it is, where "<" could end it: a stand-in goes through, and its escape comes out
    stand_in = next(mark for mark in map(chr, range(0xE000, 0xF8FF)) if mark not in text)
    page: str = vl_convert.vegalite_to_html(text.replace("<", stand_in), bundle=True).replace(stand_in, "\\u003c")
    history = f'<meta name="transpose" content="{escape(ctx.history, quote=True)}">' if ctx.history else ""
    name = f"<title>{escape(spec['title']['text'])}</title>{history}"
    path.write_text(page.replace("<title>Chart</title>", name, 1), encoding="utf-8")
