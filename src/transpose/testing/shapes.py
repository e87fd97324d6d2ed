"""Coloured shapes with captions and exact ground truth: a toy world in which learning can be measured.

A picture holds one form in one colour on one ground, and `read_shape` reads all of it back by rule, from a drawn
picture as from one that a model painted. So "does the adapter make outlines?" or "is this the subject?" has an exact
answer. The words of the captions become vectors by a fixed table (`word_tokens`): no text model is needed.

    shapes = random_shapes(1000, seed=1)
    x0 = np.stack([to_model(draw(each)) for each in shapes])       # (1000, 3, 16, 16) in -1..1
    cond, mask = word_tokens([each.caption for each in shapes])    # (1000, 6, 32), (1000, 6)
    read_shape(draw(shapes[0])).form == shapes[0].form
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transpose.models.diffusion.hashed import hashed_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Floats = NDArray[np.float32]
    Plane = NDArray[np.floating[Any]]

PIXELS = 16  # a side
TOKENS, WIDTH = 6, 32  # words of a caption, and numbers of a word
FORMS = ("circle", "square", "triangle", "cross")
COLOURS = {
    "red": (225, 40, 45),
    "green": (40, 170, 70),
    "blue": (45, 85, 225),
    "yellow": (245, 215, 50),
    "purple": (150, 60, 190),
    "orange": (250, 140, 35),
}
GROUNDS = {"white": (250, 250, 250), "black": (15, 15, 20), "grey": (180, 180, 185), "pink": (255, 165, 200)}
STYLES = ("solid", "outlined")  # how a form is filled; `random_shapes` draws solid ones unless told
LINE = 0.05  # half the width of an outline, in sides of the picture
COVER = 0.4  # share of a pixel that has to be covered for it to count as ink
INK = 60  # how far a colour lies from the ground, as a Euclidean distance of RGB in 0..255, to be ink


@dataclass(frozen=True, slots=True)
class Shape:
    """One picture: `radius`, `x` and `y` (of the centre) in sides of the picture; `second` colours the lower half."""

    form: str
    colour: str
    ground: str
    style: str = "solid"
    second: str = ""
    radius: float = 0.3
    x: float = 0.5
    y: float = 0.5

    @property
    def caption(self) -> str:
        """`a red circle on white`; neither style nor second colour is said, for these are what is to be learned."""
        return f"a {self.colour} {self.form} on {self.ground}"

    def say(self, rng: np.random.Generator) -> str:
        """The caption, or a shorter one that leaves out ground or colour, so that `a circle` is known too."""
        short = (f"a {self.colour} {self.form}", f"a {self.form} on {self.ground}", f"a {self.form}")
        return self.caption if rng.random() < 0.6 else short[int(rng.integers(len(short)))]


def random_shapes(
    count: int,
    *,
    seed: int,
    forms: Sequence[str] = FORMS,
    colours: Sequence[str] = tuple(COLOURS),
    grounds: Sequence[str] = tuple(GROUNDS),
    style: str = "solid",
    without: Sequence[tuple[str, str]] = (),
) -> list[Shape]:
    """Shapes near the middle, of like size. `without` holds pairs (form, colour) out, for tests of composition."""
    import numpy as np

    rng = np.random.default_rng(seed)
    pairs = [(form, colour) for form in forms for colour in colours if (form, colour) not in set(without)]
    made = []
    for _ in range(count):
        form, colour = pairs[int(rng.integers(len(pairs)))]
        radius = float(rng.uniform(0.34, 0.42))
        x, y = (float(each) for each in rng.uniform(0.46, 0.54, 2))
        ground = grounds[int(rng.integers(len(grounds)))]
        made.append(Shape(form, colour, ground, style, "", radius, x, y))
    return made


def draw(shape: Shape, pixels: int = PIXELS) -> Pixels:
    """The picture, (pixels, pixels, 3), edges smoothed over one pixel."""
    import numpy as np

    middle = (np.arange(pixels, dtype=np.float32) + 0.5) / pixels
    x, y = middle[None, :] - shape.x, middle[:, None] - shape.y
    cover = _cover(shape.form, shape.style, x, y, shape.radius, pixels)[..., None]
    ink = np.broadcast_to(np.array(COLOURS[shape.colour], np.float32), (pixels, pixels, 3))
    if shape.second:
        ink = np.where((y > 0)[..., None], np.array(COLOURS[shape.second]), ink)
    return np.asarray(np.rint(cover * ink + (1 - cover) * np.array(GROUNDS[shape.ground])), np.uint8)


def _distance(form: str, x: Plane, y: Plane, radius: float) -> Plane:
    """How far each point lies outside the form (inside: below 0), in sides of the picture."""
    import numpy as np

    if form == "circle":
        return np.hypot(x, y) - radius
    wide, high = np.abs(x), np.abs(y)
    if form == "square":
        return np.maximum(wide, high) - 0.88 * radius
    if form == "cross":
        arm = 0.45 * radius
        return np.minimum(np.maximum(wide - radius, high - arm), np.maximum(wide - arm, high - radius))
    slope = np.float32(2 / np.sqrt(5))  # triangle: apex above, base as wide as it is high
    return np.asarray(np.maximum(slope * wide - (y + radius) * slope / 2, y - 0.85 * radius))


def _cover(form: str, style: str, x: Plane, y: Plane, radius: float, pixels: int) -> Floats:
    """How much of each pixel is covered, 0..1, (pixels, pixels)."""
    import numpy as np

    away = _distance(form, x, y, radius)
    if style == "outlined":
        away = np.abs(away + LINE) - LINE
    return np.asarray(np.clip(0.5 - away * pixels, 0, 1), np.float32)


# -- reading back ------------------------------------------------------------------------------------------------------


def read_shape(picture: Pixels) -> Shape | None:
    """What a picture shows, by rule; None where nothing stands out from the ground.

    The ground is the median of the edge; what differs from it is ink; the form is the one whose silhouette in the
    same box overlaps the filled ink best, the style follows from whether there is ink inside it. The colours of the
    upper and the lower half are read apart.
    """
    import numpy as np

    levels = picture.astype(np.float32)
    edge = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    away = np.linalg.norm(levels - np.median(edge, axis=0), axis=2)
    ink = away > max(INK, COVER * float(away.max()))
    whole = _filled(ink)
    if whole.sum() < 0.04 * whole.size:
        return None
    form, radius, x, y = _fit(whole)
    above = (np.arange(len(levels)) + 0.5 < y * len(levels))[:, None]
    upper, lower = (_nearest(_strong(levels, away, part), COLOURS) for part in (above, ~above))
    second = lower if lower != upper else ""
    return Shape(form, upper, _nearest(edge, GROUNDS), _style(form, radius, x, y, ink), second, radius, x, y)


def _filled(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Everything that lies between ink in its row or in its column: outlines become whole forms."""
    import numpy as np

    between = np.logical_or.accumulate
    rows = between(ink, 1) & between(ink[:, ::-1], 1)[:, ::-1]
    columns = between(ink, 0) & between(ink[::-1], 0)[::-1]
    return np.asarray(rows | columns)


def _fit(whole: NDArray[np.bool_]) -> tuple[str, float, float, float]:
    """The form whose silhouette fits best (largest overlap divided by union), with its radius and centre."""
    import numpy as np

    side = len(whole)
    down, across = np.nonzero(whole)
    top, bottom, left, right = down.min(), down.max() + 1, across.min(), across.max() + 1
    best = (-1.0, FORMS[0], 0.0, 0.0, 0.0)
    for form in FORMS:
        high, wide, rise = _extent(form)
        radius = (
            float(((bottom - top) / high + (right - left) / wide) / 2 / side) + 0.1 / side
        )  # rims below COVER are cut
        x, y = float(left + right) / 2 / side, float(top) / side + rise * radius
        middle = (np.arange(side, dtype=np.float32) + 0.5) / side
        there = _cover(form, STYLES[0], middle[None, :] - x, middle[:, None] - y, radius, side) > COVER
        overlap = float((there & whole).sum() / max(1, (there | whole).sum()))
        best = max(best, (overlap, form, radius, x, y))
    return best[1:]


def _extent(form: str) -> tuple[float, float, float]:
    """Height, width, and the centre's distance from the top, of a form of radius 1."""
    if form == "triangle":
        return 1.85, 1.85, 1.0
    half = {"circle": 1.0, "square": 0.88, "cross": 1.0}[form]
    return 2 * half, 2 * half, half


def _nearest(colours: Plane, names: dict[str, tuple[int, int, int]]) -> str:
    """The name nearest to the median of some colours (n, 3); "" where there is none."""
    import numpy as np

    if not len(colours):
        return ""
    middle = np.median(colours, axis=0)
    return min(names, key=lambda name: float(np.linalg.norm(middle - np.array(names[name]))))


def _strong(levels: Plane, away: Plane, part: NDArray[np.bool_]) -> Plane:
    """Colours (n, 3) of the ink in one part that stands out most: edges, where ink and ground mix, are left out."""
    import numpy as np

    there = away * part
    return levels[(there > INK) & (there > 0.8 * np.max(there))]


def _style(form: str, radius: float, x: float, y: float, ink: NDArray[np.bool_]) -> str:
    """`outlined` where most of what lies inside an outline of the form is no ink, else `solid`."""
    import numpy as np

    side = len(ink)
    middle = (np.arange(side, dtype=np.float32) + 0.5) / side
    away = _distance(form, middle[None, :] - x, middle[:, None] - y, radius)
    inside = away < min(
        -2 * LINE, float(away.min()) * 0.7
    )  # of narrow forms the innermost points, so that there are some
    return "outlined" if ink[inside].mean() < 0.5 else "solid"


# -- for a model -------------------------------------------------------------------------------------------------------


def to_model(picture: Pixels) -> Floats:
    """(height, width, 3) of bytes to (3, height, width) in -1..1."""
    import numpy as np

    return np.asarray(picture.transpose(2, 0, 1) / np.float32(127.5) - 1, np.float32)


def from_model(x0: Floats) -> Pixels:
    """(3, height, width) in -1..1 to (height, width, 3) of bytes."""
    import numpy as np

    return np.asarray(np.rint(np.clip(x0.transpose(1, 2, 0) + 1, 0, 2) * 127.5), np.uint8)


def word_tokens(captions: Sequence[str]) -> tuple[Floats, Floats]:
    """Captions as a condition: vectors (n, 6, 32) and a mask (n, 6), 1 where there is a word."""
    return hashed_words(captions, TOKENS, WIDTH)
