"""A graph of links as a picture: notes as dots, larger the more links they have, names where there is room.

Places come from springs between linked nodes (media/graph.py). A node that is pointed to but not there is hollow.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.graph import Graph, part, places, read_graph
from transpose.media.image import Image
from transpose.media.table import Table
from transpose.media.typeface import Style, Typeface

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.ImageDraw import ImageDraw

FINE = 3  # drawn so many times larger, and shrunk, so that lines are smooth
LONGEST = 36  # letters of a name
OVERLAP = 0.08  # of a name may be covered
PALETTES = {  # paper, edge, dot, quiet dot, ink, halo
    "light": ("#fbfaf6", "#b9c3cc", "#1f6f8b", "#8a97a3", "#1f2937", "#fbfaf6"),
    "dark": ("#151a21", "#3d4a58", "#7cc7e8", "#6d7b8a", "#e9ecef", "#151a21"),
}


class Box(NamedTuple):
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> float:
        """The area that both cover."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across * down if across > 0 and down > 0 else 0.0


@transform(
    "table.links -> image.chart",
    loses=["exactness"],
    needs=["pyarrow"],
    extra="tables",
    memory_mb=300,
    deterministic=False,
)
def draw_links(
    table: Table,
    ctx: Context,
    *,
    width: Annotated[int, Range(200, 4000), "in pixels"] = 1600,
    height: Annotated[int, Range(200, 4000), "in pixels"] = 1200,
    look: Annotated[Literal["light", "dark"], "colours"] = "light",
    most: Annotated[int, Range(2, 800), "most nodes; of more the best linked are drawn"] = 300,
    names: Annotated[Literal["room", "all", "none"], "where there is room for them, or all of them"] = "room",
) -> Image:
    """Draw who points to whom. Raises InputError where the table has no sources and targets, EmptyInput for none."""
    whole = read_graph(table)
    graph = part(whole, most)
    if len(graph.nodes) < len(whole.nodes):
        ctx.warn(f"{len(graph.nodes)} of {len(whole.nodes):,} nodes are drawn, those with most links: -o most=800")
    sheet = Sheet(graph, places(graph, ctx.seed), width, height, look)
    pixels = sheet.pixels(names, ctx)
    return Image(pixels, {"text:Title": f"{len(graph.nodes)} nodes, {len(graph.edges)} links"})


class Sheet:
    """A graph laid out on a sheet of so many pixels."""

    def __init__(self, graph: Graph, at: NDArray[np.float64], width: int, height: int, look: str) -> None:
        self.graph, self.width, self.height = graph, width, height
        self.paper, self.edge, self.dot, self.quiet, self.ink, self.halo = PALETTES[look]
        self.unit = min(width, height) / 1000
        self.degrees = graph.degrees()
        crowd = max(0.5, min(1.0, 7 / math.sqrt(len(graph.nodes))))
        self.size = max(11.0, 26 * self.unit * max(0.62, crowd))
        self.radii = [self.unit * crowd * (6 + 4.2 * math.sqrt(degree)) for degree in self.degrees]
        self.at = self._fitted(at)

    def _fitted(self, at: NDArray[np.float64]) -> list[tuple[float, float]]:
        """Places in pixels, turned so that the longer side lies along the longer side of the sheet."""
        import numpy as np

        if len(at) > 2:
            _, _, axes = np.linalg.svd(at, full_matrices=False)
            at = at @ (axes.T if self.width >= self.height else axes.T[:, ::-1])
        margin = np.array([6.0 * self.size, 2.5 * self.size + max(self.radii)])
        low, span = at.min(0), np.maximum(np.ptp(at, axis=0), 1e-6)
        room = np.maximum(np.array([self.width, self.height]) - 2 * margin, 20)
        # stretched to the sheet, but never by more than 1.6 one way than the other
        scale = np.minimum(room / span, (room / span).min() * 1.6)
        placed = (at - low - span / 2) * scale + np.array([self.width, self.height]) / 2
        return [(float(x), float(y)) for x, y in placed]

    def pixels(self, names: str, ctx: Context) -> NDArray[np.uint8]:
        """uint8 of shape (height, width, 3)."""
        import numpy as np
        from PIL import Image as Pillow
        from PIL import ImageDraw as Pens

        fine = FINE if self.width * self.height <= 4_000_000 else 2
        large = Pillow.new("RGB", (self.width * fine, self.height * fine), self.paper)
        pen = Pens.Draw(large)
        for edge in self.graph.edges:
            self._arrow(pen, edge.source, edge.target, edge.times, fine)
        for node, (x, y) in enumerate(self.at):
            self._dot(pen, node, x * fine, y * fine, fine)
        sheet = large.resize((self.width, self.height), Pillow.Resampling.LANCZOS)
        if names != "none":
            self._names(Pens.Draw(sheet), names == "all", ctx)
        return np.asarray(sheet, np.uint8).copy()

    def _arrow(self, pen: ImageDraw, source: int, target: int, times: float, fine: int) -> None:
        """A line from rim to rim with a point at the target; a link to itself is a small ring."""
        (x0, y0), (x1, y1) = self.at[source], self.at[target]
        thick = max(1.0, self.unit * (1.3 + 0.7 * math.log2(max(1.0, min(times, 64.0)))))
        if source == target:
            r = self.radii[source]
            ring = [(x0 - 0.8 * r) * fine, (y0 - 2.4 * r) * fine, (x0 + 0.8 * r) * fine, (y0 - 0.6 * r) * fine]
            pen.ellipse(ring, outline=self.edge, width=round(thick * fine))
            return
        length = math.hypot(x1 - x0, y1 - y0)
        if length <= self.radii[source] + self.radii[target]:
            return
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        tip = length - self.radii[target] - 1.5 * self.unit
        head = min(9 * self.unit + thick, tip / 2)
        foot = tip - head
        line = [x0 * fine, y0 * fine, (x0 + ux * foot) * fine, (y0 + uy * foot) * fine]
        pen.line(line, fill=self.edge, width=max(1, round(thick * fine)))
        wing = head * 0.45
        pen.polygon(
            [
                ((x0 + ux * tip) * fine, (y0 + uy * tip) * fine),
                ((x0 + ux * foot - uy * wing) * fine, (y0 + uy * foot + ux * wing) * fine),
                ((x0 + ux * foot + uy * wing) * fine, (y0 + uy * foot - ux * wing) * fine),
            ],
            fill=self.edge,
        )

    def _dot(self, pen: ImageDraw, node: int, x: float, y: float, fine: int) -> None:
        r = self.radii[node] * fine
        if node in self.graph.missing:
            pen.ellipse([x - r, y - r, x + r, y + r], fill=self.paper, outline=self.quiet, width=max(2, round(r / 4)))
        else:
            pen.ellipse([x - r, y - r, x + r, y + r], fill=self.dot)

    def _names(self, pen: ImageDraw, every: bool, ctx: Context) -> None:
        """Names beside their dots, those of the best linked first; where all sides are taken there is none."""
        shown = [_short(name) for name in self.graph.nodes]
        letters = Typeface(shown)
        if letters.lacking:
            ctx.warn(f"no font here draws {letters.lacking[:20]!r} of the names")
        taken = [Box(x - r, y - r, x + r, y + r) for (x, y), r in zip(self.at, self.radii, strict=True)]
        left_out = 0
        for node in sorted(range(len(shown)), key=lambda each: (-self.degrees[each], each)):
            wide = letters.width(shown[node], self.size)
            boxes = list(self._sides(node, wide))
            costs = [self._cost(box, taken) for box in boxes]
            best = min(range(len(boxes)), key=lambda each: (costs[each], each))
            if costs[best] > OVERLAP * wide * self.size and not every:
                left_out += 1
                continue
            box = boxes[best]
            taken.append(box)
            self._name(pen, letters, shown[node], box, self.quiet if node in self.graph.missing else self.ink)
        if left_out:
            ctx.warn(f"{left_out} of {len(shown)} names have no room: a larger -o width and height, or -o names=all")

    def _name(self, pen: ImageDraw, letters: Typeface, name: str, box: Box, ink: str) -> None:
        base = box.top + self.size * 0.98
        step = max(1.0, self.size / 12)
        for dx, dy in (
            (-step, 0),
            (step, 0),
            (0, -step),
            (0, step),
            (-step, -step),
            (step, step),
            (step, -step),
            (-step, step),
        ):
            letters.draw(pen, (box.left + dx, base + dy), name, self.size, self.halo, Style())
        letters.draw(pen, (box.left, base), name, self.size, ink, Style())

    def _sides(self, node: int, wide: float) -> Iterator[Box]:
        """Boxes for a name: right, left, below, above, and the corners."""
        (x, y), r = self.at[node], self.radii[node] + 3 * self.unit
        tall = self.size * 1.25
        slant = 0.75 * r
        yield Box(x + r, y - tall / 2, x + r + wide, y + tall / 2)
        yield Box(x - r - wide, y - tall / 2, x - r, y + tall / 2)
        yield Box(x - wide / 2, y + r, x + wide / 2, y + r + tall)
        yield Box(x - wide / 2, y - r - tall, x + wide / 2, y - r)
        for right in (True, False):
            for low in (True, False):
                left = x + slant if right else x - slant - wide
                top = y + slant if low else y - slant - tall
                yield Box(left, top, left + wide, top + tall)

    def _cost(self, box: Box, taken: Sequence[Box]) -> float:
        outside = box.left < 2 or box.top < 2 or box.right > self.width - 2 or box.bottom > self.height - 2
        return sum(box.meets(other) for other in taken) + (1e9 if outside else 0.0)


def _short(name: str) -> str:
    flat = " ".join(name.split())
    return flat if len(flat) <= LONGEST else flat[: LONGEST - 1].rstrip() + "…"
