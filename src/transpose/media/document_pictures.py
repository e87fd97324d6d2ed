"""Pictures inside documents, made fit for the format that is written: known size, a kind that the format can show.

A picture that cannot be opened, is too large or is a drawing (SVG) where the format shows none is left to its
alternative text, with a warning; nothing is ever fetched.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.media.document import Document

if TYPE_CHECKING:
    import PIL.Image

MAX_PIXELS = 178_000_000
SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "GIF": ".gif", "WEBP": ".webp", "SVG": ".svg"}
MIMES = {".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".svg": "image/svg+xml"}
DPI = 96.0  # pixels of an inch where the picture does not say


@dataclass(frozen=True, slots=True)
class Fitted:
    """A picture file: its bytes, its suffix, its size in pixels and its natural width in inches."""

    data: bytes
    suffix: str
    width: int
    height: int
    inches: float

    def fit(self, width: float, height: float) -> tuple[float, float]:
        """Its size in inches: natural, or smaller where it would pass `width` or `height`."""
        tall = self.inches * self.height / self.width
        scale = min(1.0, width / self.inches, height / tall)
        return self.inches * scale, tall * scale


class Pictures:
    """The pictures of one document, opened once each; `accepts` are the format names that can stay as they are."""

    def __init__(self, document: Document, ctx: Context, accepts: Collection[str] = ("PNG", "JPEG", "GIF")) -> None:
        self.document = document
        self.ctx = ctx
        self.accepts = frozenset(accepts)
        self._fitted: dict[str, Fitted | None] = {}

    def get(self, name: str) -> Fitted | None:
        """The picture of that name, or None (said in a warning) where it cannot be shown."""
        if name not in self._fitted:
            self._fitted[name] = self._open(name)
        return self._fitted[name]

    def _open(self, name: str) -> Fitted | None:
        data = self.document.pictures.get(name)
        if not data:
            self.ctx.warn(f"the picture {name!r} is missing: its description stands in its place")
            return None
        head = data[:1024].lstrip().lower()
        if head.startswith((b"<svg", b"<?xml", b"<!doctype svg")) and b"<svg" in data[:4096].lower():
            return self._drawing(name, data)
        return self._photo(name, data)

    def _drawing(self, name: str, data: bytes) -> Fitted | None:
        if "SVG" not in self.accepts:
            self.ctx.warn(f"the drawing {name!r} is SVG, which this format cannot show: its description stands there")
            return None
        width, height = drawing_size(data)
        return Fitted(data, ".svg", round(width), round(height), width / DPI)

    def _photo(self, name: str, data: bytes) -> Fitted | None:
        import PIL.Image

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with PIL.Image.open(io.BytesIO(data)) as picture:
                    if picture.width * picture.height > MAX_PIXELS:
                        self.ctx.warn(f"the picture {name!r} is too large: its description stands in its place")
                        return None
                    return _fitted(picture, data, self.accepts)
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, MemoryError) as error:
            reason = str(error).partition("\n")[0].partition(" <")[0] or type(error).__name__
            self.ctx.warn(f"the picture {name!r} cannot be opened ({reason}): its description stands in its place")
        except PIL.Image.DecompressionBombError:
            self.ctx.warn(f"the picture {name!r} is too large: its description stands in its place")
        return None


def _fitted(picture: PIL.Image.Image, data: bytes, accepts: frozenset[str]) -> Fitted:
    """The picture as it is where the format takes it, else as PNG; decoded either way, so that a cut one is seen."""
    dpi = picture.info.get("dpi")
    across = float(dpi[0]) if isinstance(dpi, tuple) and 30 <= float(dpi[0]) <= 1200 else DPI
    kind = picture.format or ""
    turned = picture.getexif().get(0x0112, 1) != 1
    picture.load()
    if kind not in accepts or turned:
        from PIL import ImageOps

        whole = ImageOps.exif_transpose(picture)
        whole = whole if whole.mode in ("1", "L", "RGB", "RGBA", "LA", "P") else whole.convert("RGB")
        kept = "JPEG" if kind == "JPEG" and "JPEG" in accepts and whole.mode in ("L", "RGB") else "PNG"
        file = io.BytesIO()
        whole.save(file, kept, quality=92) if kept == "JPEG" else whole.save(file, kept)
        return Fitted(file.getvalue(), SUFFIXES[kept], whole.width, whole.height, whole.width / across)
    return Fitted(data, SUFFIXES[kind], picture.width, picture.height, picture.width / across)


def as_png(fitted: Fitted) -> bytes:
    """The bytes of a picture as PNG, for a library that does not know its kind of file."""
    import PIL.Image

    file = io.BytesIO()
    with PIL.Image.open(io.BytesIO(fitted.data)) as picture:
        whole = picture if picture.mode in ("1", "L", "RGB", "RGBA", "LA", "P") else picture.convert("RGB")
        whole.save(file, "PNG")
    return file.getvalue()


def drawing_size(data: bytes) -> tuple[float, float]:
    """Width and height of an SVG in pixels, by its attributes or its view box; 300 x 150 where it says neither."""
    found = re.search(rb"<svg\b[^>]*>", data, re.IGNORECASE)
    tag = found.group().decode("utf-8", "replace") if found else ""
    sizes = [re.search(rf"\s{side}\s*=\s*[\"']\s*([\d.]{{1,9}})(px)?\s*[\"']", tag) for side in ("width", "height")]
    box = re.search(r"viewBox\s*=\s*[\"']\s*[-\d.e]+[\s,]+[-\d.e]+[\s,]+([\d.]{1,9})[\s,]+([\d.]{1,9})", tag)
    try:
        if sizes[0] and sizes[1]:
            width, height = float(sizes[0][1]), float(sizes[1][1])
        else:
            width, height = (float(box[1]), float(box[2])) if box else (300.0, 150.0)
    except ValueError:
        width, height = 300.0, 150.0
    return max(1.0, min(width, 20_000.0)), max(1.0, min(height, 20_000.0))
