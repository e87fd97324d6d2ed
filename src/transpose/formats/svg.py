"""SVG drawings in, drawn by resvg; nothing outside the file is ever opened.

A drawing is a stranger's program: before resvg sees it, it is read as XML (entities that grow, other documents and
scripts are refused or dropped), references to files and addresses are taken out, pictures inside it are checked for
their size, and a drawing whose `use` elements would unfold into millions of shapes is refused.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict
from urllib.parse import unquote_to_bytes

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, HugeInput, MislabelledInput
from transpose.core.transform import Range, transform
from transpose.media.file import check_file, reason
from transpose.media.image import Image, name_bytes

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MOST_BYTES = 64 << 20  # of the XML
MOST_NODES = 400_000  # elements, copies by `use` included
DEEPEST = 200  # elements within elements
MOST_PIXELS = 50_000_000  # of a picture inside the drawing
LONGEST = 16_384  # pixels a side
FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "arial.ttf")  # for words whose own font is not here
SPACE = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
PICTURES = ("data:image/png", "data:image/jpeg", "data:image/jpg", "data:image/gif", "data:image/webp")


@transform(".svg|.svgz -> image.drawing", needs=["resvg_py"], extra="images", loses=["structure"])
def read_svg(
    path: Path,
    ctx: Context,
    *,
    side: Annotated[int, Range(0, LONGEST), "pixels of the longer side; 0: the size that the file says"] = 1024,
    background: Annotated[str, "a colour behind the drawing, such as white or #fff8e0; empty: transparent"] = "",
) -> Image:
    """Draw an SVG: RGBA, `side` pixels long, whatever is not drawn is transparent.

    Paths, text (in the fonts of this system), gradients, filters, masks, styles and pictures inside the file; no
    scripts, no animation. What the file refers to on disk or elsewhere is not fetched, and said. Raises EmptyInput,
    MislabelledInput, DamagedInput, and HugeInput for what would grow beyond measure.
    """
    import numpy as np
    import PIL.Image
    import resvg_py

    root = _parse(_source(path), path)
    _tame(root, path, ctx)
    width, height = _size(root)
    scale = side / max(width, height) if side else min(1.0, LONGEST / max(width, height))
    sides = [max(1, min(LONGEST, round(each * scale))) for each in (width, height)]
    try:
        drawn = resvg_py.svg_to_bytes(
            svg_string=_text(root),
            width=sides[0],
            height=sides[1],
            background=background or None,
            resources_dir=None,
            **_letters(root, ctx),
        )
    except ValueError as error:
        hint = "Open it in a drawing program and save it as plain SVG"
        raise DamagedInput(f"{path.name!r} cannot be drawn ({reason(error)})", hint) from error
    with PIL.Image.open(io.BytesIO(drawn), formats=["PNG"]) as picture:
        return Image(np.array(picture.convert("RGBA")), _title(root))


def _source(path: Path) -> bytes:
    """The XML, unpacked where it is compressed."""
    check_file(path)
    with path.open("rb") as file:
        head = file.read(512)
        file.seek(0)
        try:
            packed = head[:2] == b"\x1f\x8b"
            source = (gzip.GzipFile(fileobj=file) if packed else file).read(MOST_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise DamagedInput(
                f"{path.name!r} is truncated or damaged ({reason(error)})", "Save or download it again"
            ) from None
    looks = name_bytes(head) if not packed else ""
    if looks not in ("", "plain text", "an SVG drawing") and b"<svg" not in source[:100_000]:
        raise MislabelledInput(f"{path.name!r} is {looks}, not an SVG drawing", "Give it its right suffix")
    if len(source) > MOST_BYTES:
        raise HugeInput(f"{path.name!r} holds more than {MOST_BYTES >> 20} MB of XML", "Simplify the drawing")
    return source


def _parse(source: bytes, path: Path) -> Element:
    """The tree; expat refuses entities that grow and fetches nothing."""
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(source)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DamagedInput(
            f"{path.name!r} is no well-formed XML ({reason(error)})", "Save or download it again"
        ) from None
    if root.tag not in (f"{SPACE}svg", "svg"):
        name = root.tag.rpartition("}")[2]
        raise MislabelledInput(f"{path.name!r} is XML with {name!r} at its top, not an SVG drawing", "Check the file")
    if root.tag == "svg":  # a namespace that was forgotten: drawn as browsers do inside a page
        for each in root.iter():
            if isinstance(each.tag, str) and not each.tag.startswith("{"):
                each.tag = SPACE + each.tag
    return root


def _text(root: Element) -> str:
    """The tree as XML again; resvg leaves out words whose font is missing, so each font gets one to fall back on."""
    from xml.etree import ElementTree

    for each in root.iter():
        for name in ("font-family", "style"):
            if name in each.attrib:
                value = each.attrib[name]
                each.set(name, f"{value}, sans-serif" if name == "font-family" else _fallen_back(value))
        if each.tag == f"{SPACE}style" and each.text:
            each.text = _fallen_back(each.text)
    ElementTree.register_namespace("", SPACE[1:-1])
    return ElementTree.tostring(root, encoding="unicode")


def _fallen_back(style: str) -> str:
    return re.sub(r"(font-family\s*:\s*[^;}!]+)", r"\1, sans-serif", style)


class Letters(TypedDict, total=False):
    """The settings of resvg that have to do with fonts."""

    skip_system_fonts: bool
    font_files: list[str]
    font_family: str
    sans_serif_family: str
    serif_family: str
    monospace_family: str


def _letters(root: Element, ctx: Context) -> Letters:
    """A font of the system, else Pillow's own, for words whose font is not here; no fonts where there are no words."""
    if root.find(f".//{SPACE}text") is None:
        return {"skip_system_fonts": True}
    from PIL import ImageFont

    for name in FONTS:
        try:
            font = ImageFont.truetype(name, 16)
        except OSError:
            continue
        return {"font_files": [str(font.path)], **_families(str(font.getname()[0]))}
    built_in = ImageFont.load_default(16)
    path = ctx.temp(".ttf")
    path.write_bytes(getattr(built_in, "font_bytes", b""))
    return {"font_files": [str(path)], **_families("Aileron")}


def _families(name: str) -> Letters:
    return {"font_family": name, "sans_serif_family": name, "serif_family": name, "monospace_family": name}


def _tame(root: Element, path: Path, ctx: Context) -> None:
    """Take out of the tree whatever reaches beyond the file or is too large to draw."""
    for parent in root.iter():
        for child in [child for child in parent if child.tag in (f"{SPACE}script", f"{SPACE}foreignObject")]:
            parent.remove(child)
            ctx.warn(f"{path.name!r} holds a {child.tag.removeprefix(SPACE)}: left out")
        for name in [name for name in ("href", LINK) if name in parent.attrib]:
            link = parent.attrib[name].strip()
            if link.startswith("#"):
                continue
            if parent.tag == f"{SPACE}image" and _small_picture(link, path):
                continue
            if parent.tag != f"{SPACE}a":  # what only a click would open changes nothing
                ctx.warn(f"{path.name!r} refers to {link[:60]!r}, outside the drawing: left out")
            del parent.attrib[name]
    _count(root, path)


def _small_picture(link: str, path: Path) -> bool:
    """Whether a link is a picture inside the file; raises HugeInput where it is one beyond measure."""
    import PIL.Image

    head, comma, data = link.partition(",")
    if not head.lower().startswith(PICTURES) or not comma:
        return False
    try:
        raw = base64.b64decode("".join(data.split())) if head.lower().endswith(";base64") else unquote_to_bytes(data)
        with PIL.Image.open(io.BytesIO(raw), formats=["PNG", "JPEG", "GIF", "WEBP"]) as picture:
            pixels = picture.width * picture.height
    except (OSError, SyntaxError, ValueError, binascii.Error, PIL.Image.DecompressionBombError):
        return False
    if pixels > MOST_PIXELS:
        raise HugeInput(f"{path.name!r} holds a picture of {pixels:,} pixels", "Take it out, or reduce it")
    return True


def _count(root: Element, path: Path) -> None:
    """Raise HugeInput for too many elements, counted as `use` unfolds them, or too deep ones."""
    named = {each.get("id"): each for each in root.iter() if each.get("id")}
    known: dict[Element, int] = {}
    stack: list[tuple[Element, bool]] = [(root, False)]
    open_: set[Element] = set()
    while stack:  # from the leaves up, without recursion
        each, done = stack.pop()
        link = each.get("href") or each.get(LINK) or ""
        target = named.get(link[1:]) if each.tag == f"{SPACE}use" else None
        parts = [*each, *([target] if target is not None else [])]
        if done:
            open_.discard(each)
            known[each] = min(1 + sum(known.get(part, 1) for part in parts), MOST_NODES + 1)
        elif each not in known and each not in open_:
            open_.add(each)
            if len(open_) > DEEPEST:
                raise HugeInput(f"{path.name!r} nests more than {DEEPEST} elements", "Simplify the drawing")
            stack += [(each, True), *((part, False) for part in parts)]
    if known[root] > MOST_NODES:
        raise HugeInput(f"{path.name!r} unfolds into more than {MOST_NODES:,} shapes", "Simplify the drawing")


def _size(root: Element) -> tuple[float, float]:
    """Width and height in any unit: those of the element, else of its view box, else 300 x 150 as browsers do."""
    try:
        box = [float(part) for part in root.get("viewBox", "").replace(",", " ").split()]
    except ValueError:
        box = []
    wide, high = (box[2], box[3]) if len(box) == 4 and box[2] > 0 and box[3] > 0 else (300.0, 150.0)
    given = [_length(root.get(name, "")) for name in ("width", "height")]
    if given[0] and given[1]:
        return given[0], given[1]
    if given[0] or given[1]:  # one side and the view box give the other
        return given[0] or given[1] * wide / high, given[1] or given[0] * high / wide
    return wide, high


UNITS = {"px": 1.0, "": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0, "em": 16.0}


def _length(text: str) -> float:
    """A length in pixels of 1/96 inch; 0 for none, a percentage or nonsense."""
    number = text.strip().rstrip("abcdefghijklmnopqrstuvwxyz%")
    unit = text.strip()[len(number) :]
    try:
        length = float(number) * UNITS.get(unit, 0.0)
    except ValueError:
        return 0.0
    return length if 0 < length < 1e6 else 0.0


def _title(root: Element) -> dict[str, str | bytes]:
    title = (root.findtext(f"{SPACE}title") or "").strip()
    return {"text:Title": title[:1000]} if title else {}
