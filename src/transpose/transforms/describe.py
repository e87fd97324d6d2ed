"""Describe a picture in words: what it is, what it shows, what is written in it, and its colours.

A composition, and not a caption by a model that understands the scene: names from a classifier, things from a
detector, text from OCR, colours from a count, each with its score.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, SilentInput
from transpose.core.transform import transform
from transpose.media.image import Image
from transpose.media.pixels import at_most
from transpose.media.text import Text

if TYPE_CHECKING:
    from transpose.media.table import Table

LETTERS = 4  # letters and digits of a text below which a picture is not said to hold any
SIDE = 2048  # pixels at which it is judged what kind of picture it is
KINDS = {"image.photo": "A photograph", "image.page": "A page of writing", "": "A drawing, a chart or the like"}
Row = dict[str, object]


@transform(
    "image -> text.description",
    verb=True,
    loses=["pixels", "layout", "colour", "detail"],
    uses=["label-picture", "find-objects", "read-page", "colours"],
    needs=["onnxruntime", "pyarrow", "rapidocr"],
    extra="images",
    memory_mb=1000,
)
def describe(
    image: Image, ctx: Context, *, text: Annotated[bool, "also read what is written in it (seconds)"] = True
) -> Text:
    """Put into words, in English, what can be measured of a picture; every statement has its score or share.

    Kind and size; of a photograph the likeliest names (`label-picture`) and the things in it (`find-objects`) with
    where they are; the text in it (`read-page`); the main colours (`colours`). What was not found is said. Raises
    EmptyInput for a picture without pixels.
    """
    if 0 in image.pixels.shape:
        raise EmptyInput("the picture has no pixels", "Look at the step before")
    kind = _kind(image)
    parts = [_opening(image, kind)]
    if kind == "image.photo":
        names: Text = ctx.call("label-picture", image)
        parts.append("It probably shows: " + ", ".join(names.text.splitlines()) + ".")
        things: Table = ctx.call("find-objects", image)
        parts.append(_things(things.rows(), image))
    if text:
        parts.append(_written(image, ctx))
    found: Table = ctx.call("colours", image, most=5)
    shares = [f"{row['colour']} {float(str(row['share'])):.0%}".replace("%", " %") for row in _joined(found.rows())]
    parts.append("Main colours: " + ", ".join(shares) + ".")
    return Text("\n\n".join(parts), lang="en")


def _kind(image: Image) -> str:
    """`image.photo`, `image.page` or nothing, as the probe of a file judges it."""
    from PIL import Image as Pillow

    from transpose.media.probe_image import LEAST, judge, measure

    if min(image.width, image.height) < LEAST:
        return ""
    shares = judge(measure(Pillow.fromarray(at_most(image.pixels, SIDE))))
    likeliest = max(shares, key=lambda name: shares[name])
    return likeliest if shares[likeliest] >= 0.5 else ""


def _opening(image: Image, kind: str) -> str:
    shape = "square" if image.width == image.height else "landscape" if image.width > image.height else "portrait"
    grey = image.pixels.shape[2] == 1
    clear = image.pixels.shape[2] == 4 and bool(image.pixels[..., 3].min(initial=255) < 255)
    return (
        f"{KINDS[kind]}{', black and white' * grey}, {image.width} x {image.height} pixels, {shape} format"
        f"{', partly transparent' * clear}."
    )


def _things(rows: list[Row], image: Image) -> str:
    """`Things found: 2 persons; a dog at the left (87 %).`"""
    if not rows:
        return "Of eighty everyday kinds of things, none was found."
    counts = Counter(str(row["name"]) for row in rows)
    said = []
    for name, count in counts.items():
        mine = [row for row in rows if row["name"] == name]
        score = f"{float(str(mine[0]['score'])):.0%}".replace("%", " %")
        if count == 1:
            said.append(f"{_article(name)} {name} {_place(mine[0], image)} ({score})")
        else:
            said.append(f"{count} times {name} (the surest {score})")
    return "Things found: " + "; ".join(said) + "."


def _article(name: str) -> str:
    return "an" if name[0] in "aeiou" else "a"


def _place(row: Row, image: Image) -> str:
    """Where a box lies, in words."""
    left, top, width, height = (float(str(row[key])) for key in ("left", "top", "width", "height"))
    if width * height > 0.5 * image.width * image.height:
        return "that fills most of the picture"
    x, y = (left + width / 2) / image.width, (top + height / 2) / image.height
    across = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    down = "upper" if y < 1 / 3 else "lower" if y > 2 / 3 else ""
    if across and down:
        return f"at the {down} {across}"
    if across:
        return f"at the {across}"
    return {"upper": "at the top", "lower": "at the bottom", "": "in the middle"}[down]


def _written(image: Image, ctx: Context) -> str:
    try:
        read: Text = ctx.call("read-page", image)
    except SilentInput:
        return "No text was found in it."
    if sum(letter.isalnum() for letter in read.text) < LETTERS:
        return "No text was found in it."
    return f"Written in it:\n\n{read.text}"


def _joined(rows: list[Row]) -> list[Row]:
    """Shades that have one name as one, the commonest first."""
    shares: dict[str, float] = {}
    for row in rows:
        name = str(row["colour"])
        shares[name] = shares.get(name, 0.0) + float(str(row["share"]))
    ordered = sorted(shares, key=lambda name: -shares[name])
    return [{"colour": name, "share": shares[name]} for name in ordered if shares[name] >= 0.02]
