"""Icons as pieces of a drawing: read, recoloured, measured, and put together into one SVG or its pixels.

Each piece keeps the ids of its gradients and clips to itself by a prefix, so that any number of them fit into one file.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedInput
from transpose.media.icon_colour import Shade, dominant, recolour, share

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import numpy as np
    from numpy.typing import NDArray

SPACE, LINKS = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
LINK = f"{{{LINKS}}}href"
LOOK = 72  # pixels a side at which an icon is looked at
SEEN = 40  # of 255: what covers a pixel less than that is no edge
UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # letters that XML cannot hold
Box = tuple[float, float, float, float]  # left, top, width, height


@dataclass(frozen=True, slots=True)
class Piece:
    """A drawing that can be placed: its elements, and the box that its visible part fills, in its own units."""

    root: Element
    box: Box
    changed: bool = False  # whether its colours were

    @property
    def aspect(self) -> float:
        """Width over height of what is seen."""
        return self.box[2] / self.box[3]


def piece(body: str, box: Box, mirrored: bool, colour: Shade | None, enough: float = 1.0) -> Piece:
    """An icon from its SVG elements, in another colour where one is given and it has it not already.

    A share of `enough` of that colour counts as having it: the red wine in a glass.
    """
    root = parse(body)
    pixels = render(outer([root], box), LOOK, round(LOOK * box[3] / box[2]))
    main = dominant(pixels) if colour else None
    has = bool(colour and enough < 1 and share(pixels, colour.basic) >= enough)
    changed = bool(colour and main and not has and recolour(root, main, colour))
    if mirrored:
        root.set("transform", f"translate({2 * box[0] + box[2]:g} 0) scale(-1 1)")
    seen = _seen(pixels[:, ::-1] if mirrored else pixels)
    scale = box[2] / pixels.shape[1]
    tight = (box[0] + seen[0] * scale, box[1] + seen[1] * scale, seen[2] * scale, seen[3] * scale)
    return Piece(root, tight, changed)


def parse(body: str) -> Element:
    """SVG elements within one group. What has no colour of its own is black, and says so from here on."""
    from xml.etree import ElementTree

    text = f'<g xmlns="{SPACE}" xmlns:xlink="{LINKS}" fill="#000000">{body}</g>'
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise DamagedInput(
            f"an icon is no well-formed SVG ({error})", "Remove the set of icons and pull it again"
        ) from None


def prefixed(root: Element, prefix: str) -> Element:
    """A copy whose ids, and all that refers to them, begin with `prefix`."""
    from copy import deepcopy

    made = deepcopy(root)
    names = {each.get("id") for each in made.iter() if each.get("id")}
    for each in made.iter():
        for key, value in each.attrib.items():
            if key == "id":
                each.set(key, prefix + value)
            elif key in ("href", LINK) and value[:1] == "#" and value[1:] in names:
                each.set(key, f"#{prefix}{value[1:]}")
            elif "url(" in value:
                each.set(key, re.sub(r"url\(['\"]?#([^)'\"]+)['\"]?\)", rf"url(#{prefix}\1)", value))
    return made


def placed(each: Piece, prefix: str, box: Box) -> Element:
    """The piece moved and scaled so that what is seen of it fills `box`."""
    from xml.etree.ElementTree import Element

    scale = min(box[2] / each.box[2], box[3] / each.box[3])
    left = box[0] + (box[2] - each.box[2] * scale) / 2 - each.box[0] * scale
    top = box[1] + box[3] - each.box[3] * scale - each.box[1] * scale
    group = Element(f"{{{SPACE}}}g", {"transform": f"translate({left:.2f} {top:.2f}) scale({scale:.4f})"})
    group.append(prefixed(each.root, prefix))
    return group


def outer(elements: Sequence[Element], box: Box, width: float = 0, said: Sequence[tuple[str, str]] = ()) -> str:
    """The text of an SVG with these elements; `said` are its title, description and metadata."""
    from xml.etree import ElementTree

    ElementTree.register_namespace("", SPACE)
    ElementTree.register_namespace("xlink", LINKS)
    size = {"width": f"{width:g}", "height": f"{width * box[3] / box[2]:g}"} if width else {}
    view = " ".join(f"{part:g}" for part in box)
    root = ElementTree.Element(f"{{{SPACE}}}svg", {"viewBox": view, **size})
    for name, text in said:
        named = {"id": "transpose"} if name == "metadata" else {}
        ElementTree.SubElement(root, f"{{{SPACE}}}{name}", named).text = UNFIT.sub("", text)
    root.extend(elements)
    return ElementTree.tostring(root, encoding="unicode")


def render(svg: str, width: int, height: int) -> NDArray[np.uint8]:
    """RGBA pixels (height, width, 4) of a drawing, by resvg; no fonts, nothing outside the text is opened."""
    import numpy as np
    import PIL.Image
    import resvg_py

    drawn = resvg_py.svg_to_bytes(svg_string=svg, width=width, height=height, skip_system_fonts=True)
    with PIL.Image.open(io.BytesIO(drawn), formats=["PNG"]) as picture:
        return np.array(picture.convert("RGBA"))


def _seen(pixels: NDArray[np.uint8]) -> Box:
    """Left, top, width and height of the pixels that are not clear; all of them where none is."""
    import numpy as np

    rows, columns = (np.flatnonzero((pixels[..., 3] > SEEN).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return 0.0, 0.0, float(pixels.shape[1]), float(pixels.shape[0])
    left, top = float(columns[0]), float(rows[0])
    return left, top, float(columns[-1]) + 1 - left, float(rows[-1]) + 1 - top
