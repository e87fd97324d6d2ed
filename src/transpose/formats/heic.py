"""HEIC in: what telephones save. Read only, because the one encoder in reach (x265) is under the GPL.

The package `pi-heif` decodes with libheif and libde265, both LGPL-3; it is not registered with Pillow, so nothing else
of the process changes.
"""

from __future__ import annotations

from pathlib import Path

from transpose.core.context import Context
from transpose.core.errors import DamagedInput
from transpose.core.transform import transform
from transpose.media.file import reason
from transpose.media.image import Image
from transpose.media.picture import MAX_PIXELS, check_bytes, damage, decode, quiet, too_large


@transform(".heic|.heif -> image", needs=["pi_heif"], extra="images")
def read_heic(path: Path, ctx: Context) -> Image:
    """Open the main picture of a HEIC file: upright, 8 bits, with EXIF, XMP and colour profile.

    Further pictures of a burst, the film of a live photo, depth and gain maps are left out, bursts with a warning.
    Raises EmptyInput, MislabelledInput, DamagedInput, and HugeInput above 178 million pixels.
    """
    import pi_heif  # type: ignore[import-untyped]

    check_bytes(path)
    with damage(path), quiet(), path.open("rb") as file:
        try:
            opened = pi_heif.open_heif(file, convert_hdr_to_8bit=True)
        except RuntimeError as error:  # libheif's own
            raise DamagedInput(
                f"{path.name!r} cannot be decoded ({reason(error)})", "Save or download it again"
            ) from error
        main = opened[opened.primary_index]
        if main.size[0] * main.size[1] > MAX_PIXELS:
            raise too_large(path, main.size)
        if len(opened) > 1:
            ctx.warn(f"{path.name!r} holds {len(opened)} pictures: only the main one is read")
        if main.info.get("bit_depth", 8) > 8:
            ctx.warn(f"{path.name!r} has more than 8 bits a sample: 8 are kept")
        pi_heif.set_orientation(main.info)  # libheif has turned the pixels: the tag in the EXIF data must not again
        return decode(main.to_pillow(), path, ctx)
