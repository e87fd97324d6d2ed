"""Colour tables in three dimensions: what each colour becomes, on a grid with straight lines between (a 3-D LUT).

They are kept in `.cube` files (Adobe, "Cube LUT Specification 1.0", 2013), which editors and players of pictures and
films read. Values are as a screen gets them, 0 to 1, whatever the space; nothing is converted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, HugeInput, MislabelledInput
from transpose.media.encoding import read_characters
from transpose.media.file import check_file, reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.ImageFilter import Color3DLUT

SIZE = 33  # points along each axis of what is made here
MOST = 65  # that Pillow takes; larger tables are sampled at so many
LARGEST = 129  # that are read
MOST_BYTES = 64 << 20
KEYWORDS = (
    "TITLE",
    "LUT_1D_SIZE",
    "LUT_3D_SIZE",
    "DOMAIN_MIN",
    "DOMAIN_MAX",
    "LUT_1D_INPUT_RANGE",
    "LUT_3D_INPUT_RANGE",
)


@dataclass(frozen=True, eq=False)
class Lut:
    """`table[b, g, r]` is the colour (red, green, blue; float32, 0 to 1) that a colour becomes; shape (n, n, n, 3)."""

    table: NDArray[np.float32]
    title: str = ""

    @classmethod
    def of(cls, change: Callable[[NDArray[np.float32]], NDArray[np.float32]], size: int = SIZE, title: str = "") -> Lut:
        """The table of a function from colours to colours, arrays of shape (..., 3)."""
        import numpy as np

        return cls(np.clip(change(grid(size)), 0, 1).astype(np.float32), title)

    @property
    def size(self) -> int:
        """Points along each axis."""
        return len(self.table)

    def at(self, colours: NDArray[np.float32]) -> NDArray[np.float32]:
        """What colours of shape (..., 3) become, by trilinear interpolation; those outside 0 to 1 as at the border."""
        import numpy as np

        place = np.clip(colours, 0, 1) * (self.size - 1)
        low = np.minimum(place.astype(np.int32), max(0, self.size - 2))
        part = (place - low).astype(np.float32)
        found = np.zeros_like(part)
        for corner in range(8):
            step = np.array([corner & 1, corner >> 1 & 1, corner >> 2], np.int32)
            weight = np.where(step, part, 1 - part).prod(axis=-1, keepdims=True)
            r, g, b = np.moveaxis(np.minimum(low + step, self.size - 1), -1, 0)
            found += weight * self.table[b, g, r]
        return found

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Pixels of shape (h, w, 3) in their new colours: trilinear, by Pillow in 14 bits, a frame at once."""
        import numpy as np
        from PIL import Image as Pillow

        return np.asarray(Pillow.fromarray(pixels).filter(self._filter), np.uint8)

    @cached_property
    def _filter(self) -> Color3DLUT:
        import numpy as np
        from PIL import ImageFilter

        table = self.table if self.size <= MOST else self.at(grid(MOST))
        flat = np.clip(table, 0, 1).reshape(-1)
        return ImageFilter.Color3DLUT(len(table), flat)


def grid(size: int) -> NDArray[np.float32]:
    """The colours of a grid, shape (size, size, size, 3), at [b, g, r]."""
    import numpy as np

    line = np.linspace(0, 1, size, dtype=np.float32)
    b, g, r = np.meshgrid(line, line, line, indexing="ij")
    return np.stack([r, g, b], axis=-1)


def dump_cube(lut: Lut, remark: str = "") -> str:
    """The characters of a `.cube` file, red changing fastest; `remark` goes into comment lines."""
    title = lut.title.replace('"', "'").replace("\n", " ")[:200]
    head = [f'TITLE "{title}"', *(f"# {line}" for line in remark.splitlines()), f"LUT_3D_SIZE {lut.size}"]
    rows = [f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in lut.table.reshape(-1, 3).tolist()]
    return "\n".join([*head, *rows, ""])


def read_cube(path: Path, ctx: Context) -> Lut:
    """The table in a `.cube` file; raises what `parse_cube` and `read_characters` raise, HugeInput above 64 MB."""
    check_file(path)
    if path.stat().st_size > MOST_BYTES:
        raise HugeInput(f"{path.name!r} has more than {MOST_BYTES >> 20} MB", "Export it with 33 or 65 points a side")
    return parse_cube(read_characters(path, ctx), path.name)


def parse_cube(text: str, name: str) -> Lut:
    """The table in the characters of a `.cube` file; `name` is the file's, for errors.

    One-dimensional tables become three-dimensional ones. Another domain than 0 to 1 is brought to it. Raises
    MislabelledInput where there is no size, DamagedInput for wrong numbers, HugeInput above 129 points a side.
    """
    import numpy as np

    said: dict[str, str] = {}
    rows: list[str] = []
    for line in map(str.strip, StringIO(text)):
        word, _, rest = line.partition(" ")
        if word in KEYWORDS:
            said[word] = rest.strip()
        elif line and not line.startswith("#"):
            rows.append(line)
        if len(rows) > LARGEST**3:
            raise HugeInput(f"{name!r} has more than {LARGEST} points a side", "Export it with 33 or 65")
    flat = "LUT_1D_SIZE" in said
    size = _whole(said.get("LUT_1D_SIZE", said.get("LUT_3D_SIZE", "")), name)
    if size > (65_536 if flat else LARGEST):
        raise HugeInput(f"{name!r} has {size} points a side, more than {LARGEST}", "Export it with 33 or 65")
    values = _numbers(" ".join(rows), name)
    if len(values) != 3 * (size if flat else size**3):
        told = f"{len(values) // 3} colours instead of {size if flat else size**3}"
        raise DamagedInput(f"{name!r} has {told}", "Is the file complete?")
    low, high = _domain(said, name)
    title = said.get("TITLE", "").strip('"')
    if flat:
        curves = values.reshape(size, 3)
        place = np.linspace(0, 1, size)

        def curved(colours: NDArray[np.float32]) -> NDArray[np.float32]:
            inside = (colours - low) / (high - low)
            lines = [np.interp(inside[..., each], place, curves[:, each]) for each in range(3)]
            return np.stack(lines, axis=-1).astype(np.float32)

        return Lut.of(curved, MOST, title)
    lut = Lut(values.reshape(size, size, size, 3), title)
    if low.any() or (high != 1).any():
        return Lut.of(lambda colours: lut.at((colours - low) / (high - low)), max(size, SIZE), title)
    return lut


def _whole(text: str, name: str) -> int:
    if not text:
        raise MislabelledInput(
            f"{name!r} is no colour table: it names no size", "A .cube file has a line LUT_3D_SIZE 33"
        )
    if not text.isascii() or not text.isdigit() or int(text[:9]) < 2:
        raise DamagedInput(f"{name!r} has a size of {text!r}", "Is the file complete?")
    return int(text[:9])


def _numbers(text: str, name: str) -> NDArray[np.float32]:
    import numpy as np

    try:
        values = np.array(text.split(), np.float32)
    except ValueError as error:
        raise DamagedInput(f"{name!r} has a line that is no colour: {reason(error)}", "Is it a .cube file?") from None
    if not np.isfinite(values).all():
        raise DamagedInput(f"{name!r} has colours that are no numbers", "Export it again")
    return values


def _domain(said: dict[str, str], name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Least and greatest input of red, green, blue."""
    import numpy as np

    low = _numbers(said.get("DOMAIN_MIN", "0 0 0"), name)
    high = _numbers(said.get("DOMAIN_MAX", "1 1 1"), name)
    span = said.get("LUT_3D_INPUT_RANGE", said.get("LUT_1D_INPUT_RANGE", ""))
    if span:
        ends = _numbers(span, name)
        low, high = np.repeat(ends[:1], 3), np.repeat(ends[1:2], 3)
    if low.shape != (3,) or high.shape != (3,) or not (high > low).all():
        raise DamagedInput(f"{name!r} has a domain of {low.tolist()} to {high.tolist()}", "Export it again")
    return low, high


def chart(width: int = 480, height: int = 270) -> NDArray[np.uint8]:
    """Colours to try a table on: hues over brightness, the same paler, greys, and tones of skin, sky and leaf.

    uint8 of shape (height, width, 3).
    """
    import numpy as np
    from PIL import Image as Pillow

    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    hue = np.where(y < 0.7, x, 0) * 255
    saturation = np.select([y < 0.35, y < 0.7], [200, 90], 0)
    value = np.select([y < 0.35, y < 0.7], [40 + y / 0.35 * 215, 40 + (y - 0.35) / 0.35 * 215], x * 255)
    planes = np.stack([hue, saturation, value], axis=-1).astype(np.uint8)
    pixels = np.array(Pillow.frombytes("HSV", (width, height), planes.tobytes()).convert("RGB"))
    known = [(241, 194, 168), (198, 134, 102), (120, 76, 56), (135, 180, 225), (60, 105, 160), (95, 130, 60)]
    for number, colour in enumerate(known):
        left = number * width // len(known)
        pixels[height * 17 // 20 :, left : left + width // len(known) + 1] = colour
    return pixels
