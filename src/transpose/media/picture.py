"""Between a picture file and an `Image`, by way of Pillow: what all formats of pictures share.

Reading applies the EXIF orientation, so that pixels are upright and the tag is gone; palettes become RGB, CMYK becomes
sRGB, 16 bits become 8 (all but the first are said). A picture of more than `MAX_PIXELS` is refused from its header,
before anything is unpacked. The history goes into a text field `transpose` of a PNG, the comment of a GIF, the
description of a TIFF and the XMP packet of the others.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.core.errors import (
    DamagedInput,
    EmptyInput,
    FolderInput,
    HugeInput,
    MislabelledInput,
    MissingInput,
    OutputError,
)
from transpose.media.file import reason
from transpose.media.image import Image, name_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as Picture

MAX_PIXELS = 178_000_000  # 534 MB as RGB; the largest single exposures and A0 scans at 300 dpi (140 million) still fit
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".avif": "AVIF"}
FORMATS |= {".gif": "GIF", ".tif": "TIFF", ".tiff": "TIFF", ".heic": "HEIC", ".heif": "HEIC"}
SHOWN = {"WEBP": "WebP"}  # as people write it, where that differs
NAMES = {f"{'an' if name == 'AVIF' else 'a'} {SHOWN.get(name, name)} picture": name for name in FORMATS.values()}
SIDES = {"JPEG": 65_535, "WEBP": 16_383, "GIF": 65_535, "AVIF": 65_535}  # the longest side that the format can hold
ORIENTATION = 0x0112
BITS, DESCRIPTION = 0x0102, 0x010E  # tags of a TIFF: bits of a sample, a line on what is shown
OURS = "transpose: "  # before the history in a comment or a description
# all that Pillow was seen to raise on damaged files
DAMAGE: tuple[type[Exception], ...] = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError)
DAMAGE += (struct.error, zlib.error, RuntimeError, AssertionError, OverflowError, ZeroDivisionError)
HISTORY = re.compile(
    rb'<rdf:Description rdf:about="" xmlns:transpose="urn:transpose" transpose:history=("[^"]*"|\'[^\']*\')/>'
)


def check_bytes(path: Path) -> str:
    """The format that Pillow should find, from the suffix; raises where the first bytes are of another."""
    if path.is_dir():
        raise FolderInput(f"{path.name!r} is a folder", "Name one picture, or all with a pattern such as folder/*.png")
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except FileNotFoundError:
        raise MissingInput(f"there is no file {path.name!r}", "Check the name and the folder") from None
    if not head:
        raise EmptyInput(f"{path.name!r} is empty (0 bytes)", "Save or download it again")
    looks = name_bytes(head)
    expected = FORMATS.get(path.suffix.lower(), "")
    found = NAMES.get(looks, "")
    if found and (found == expected or not expected):
        return found
    if looks:
        suffix = next((s for s, name in FORMATS.items() if name == found), "")
        hint = f"Rename it to {path.stem + suffix!r}" if suffix else "Give it its right suffix, or give the right file"
        raise MislabelledInput(f"{path.name!r} is {looks}, not {_article(expected or 'picture')}", hint)
    raise DamagedInput(
        f"{path.name!r} does not begin like {_article(expected or 'picture')}", "Save or download it again"
    )


def _article(name: str) -> str:
    if name.islower():
        return f"a {name}"
    return f"{'an' if name == 'AVIF' else 'a'} {SHOWN.get(name, name)} picture"


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Whatever Pillow raises on a bad file becomes DamagedInput or HugeInput."""
    from PIL.Image import DecompressionBombError

    try:
        yield
    except DecompressionBombError:
        raise too_large(path) from None
    except DAMAGE as error:
        said = f"{path.name!r} is truncated or damaged ({reason(error)})"
        raise DamagedInput(said, "Save or download it again") from error


def too_large(path: Path, size: tuple[int, int] | None = None) -> HugeInput:
    """The error for a picture of more than `MAX_PIXELS`."""
    claim = f"{size[0]} x {size[1]} pixels, more" if size else "more pixels"
    hint = "Reduce it first with a program that you trust with its source"
    return HugeInput(f"{path.name!r} claims {claim} than the {MAX_PIXELS // 10**6} million that are opened", hint)


@contextmanager
def quiet() -> Iterator[None]:
    """Pillow warns of large pictures (our limit is another) and of odd EXIF data (we say what matters of it)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def open_picture(path: Path, expected: str) -> Picture:
    """Open a file as one Pillow format, reading its header only; raises HugeInput and all of `DAMAGE`."""
    import PIL.Image

    picture = PIL.Image.open(path, formats=[expected])
    if picture.width * picture.height > MAX_PIXELS:
        picture.close()
        raise too_large(path, picture.size)
    return picture


def decode(picture: Picture, path: Path, ctx: Context) -> Image:
    """The pixels of an opened picture, or of the page at which it stands, and their metadata; warns of what is cut."""
    if picture.width * picture.height > MAX_PIXELS:  # a later page of several
        raise too_large(path, picture.size)
    if picture.mode.startswith(("I", "F")) or _depth(picture, path) > 8:
        ctx.warn(f"{path.name!r} has 16 or more bits a sample: 8 are kept")
    picture.load()
    upright, exif = turn_upright(picture, path, ctx)
    pixels, profile = to_8_bits(upright, path, ctx)
    return Image(pixels, metadata(picture, upright, exif, profile))


def _depth(picture: Picture, path: Path) -> int:
    """Bits of a sample in the header of a PNG or a TIFF (Pillow cuts RGB of 16 bits without a word), else 0."""
    bits = getattr(picture, "tag_v2", {}).get(BITS, 0)
    if bits:
        return int(max(bits)) if isinstance(bits, tuple) else int(bits)
    with path.open("rb") as file:
        head = file.read(25)
    return head[24] if head.startswith(b"\x89PNG") and len(head) == 25 else 0


def turn_upright(picture: Picture, path: Path, ctx: Context) -> tuple[Picture, bytes]:
    """The picture turned as its EXIF says, and the EXIF without that tag (byte for byte where nothing turns)."""
    from PIL import ImageOps

    raw = picture.info.get("exif", b"")
    try:
        tags = picture.getexif()
        turned = tags.get(ORIENTATION, 1) != 1
        upright = ImageOps.exif_transpose(picture) if turned else picture
        exif = upright.getexif()
        if ORIENTATION in exif:
            del exif[ORIENTATION]
            raw = exif.tobytes() if len(exif) else b""
        elif turned:
            raw = exif.tobytes() if len(exif) else b""
    except DAMAGE:
        ctx.warn(f"the EXIF data of {path.name!r} are damaged: the picture is not turned")
        return picture, b""
    return upright, raw if not raw or raw.startswith(b"Exif\0\0") else b"Exif\0\0" + raw


def to_8_bits(picture: Picture, path: Path, ctx: Context) -> tuple[NDArray[np.uint8], bytes]:
    """Pixels (height, width, 1 | 3 | 4) and the colour profile that still fits them."""
    import numpy as np

    profile = picture.info.get("icc_profile") or b""
    transparent = "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA", "RGBa", "La")
    if picture.mode.startswith(("I", "F")):
        values = np.nan_to_num(np.asarray(picture).astype(np.float32), posinf=0.0, neginf=0.0)
        top = 65_535.0 if values.max(initial=0) > 255 or picture.mode.startswith("I;16") else 255.0
        if picture.mode == "F" and values.max(initial=0) <= 1:
            top = 1.0
        return np.clip(np.rint(values * np.float32(255 / top)), 0, 255).astype(np.uint8)[..., None], profile
    if picture.mode == "CMYK":
        ctx.warn(f"{path.name!r} is in printing colours (CMYK): turned into RGB")
        return np.asarray(_from_cmyk(picture, profile)), b""
    if transparent:
        return np.array(picture.convert("RGBA")), profile
    if picture.mode in ("1", "L"):
        return np.array(picture.convert("L"))[..., None], profile
    return np.array(picture.convert("RGB")), profile


def _from_cmyk(picture: Picture, profile: bytes) -> Picture:
    """RGB by the picture's own profile where it has a good one, else by the plain formula."""
    from PIL import ImageCms

    if profile:
        try:
            target = ImageCms.createProfile("sRGB")
            turned = ImageCms.profileToProfile(picture, io.BytesIO(profile), target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            turned = None
        if turned is not None:
            return turned
    return picture.convert("RGB")


def metadata(picture: Picture, upright: Picture, exif: bytes, profile: bytes) -> dict[str, str | bytes]:
    """What the file says of itself, under the keys of `Image.meta`."""
    from xml.sax.saxutils import unescape  # imports half of the network library

    meta: dict[str, str | bytes] = {}
    if exif:
        meta["exif"] = exif
    if profile:
        meta["icc_profile"] = profile
    dpi = _dpi(picture.info.get("dpi"))
    if dpi:
        meta["dpi"] = dpi
    for name, value in getattr(picture, "text", {}).items():
        if name != "XML:com.adobe.xmp":
            meta[f"text:{name}"] = str(value)
    comment = picture.info.get("comment", b"")
    described = getattr(picture, "tag_v2", {}).get(DESCRIPTION, "")
    if isinstance(described, str) and described:
        comment = described.encode("latin-1", "replace")  # as which Pillow reads the bytes of a TIFF
    if comment:
        words = comment.decode("utf-8", "replace") if isinstance(comment, bytes) else str(comment)
        ours = words.startswith(OURS)
        meta["text:transpose" if ours else "text:Comment"] = words.removeprefix(OURS)
    if isinstance(picture.info.get("duration"), int | float) and picture.format == "GIF":
        meta["duration"] = f"{picture.info['duration']:g}"
    xmp = upright.info.get("xmp") or b""
    packet = xmp.encode() if isinstance(xmp, str) else bytes(xmp)
    found = HISTORY.search(packet)
    if found:
        meta["text:transpose"] = unescape(found[1].decode("utf-8", "replace")[1:-1], {"&quot;": '"', "&#10;": "\n"})
        packet = HISTORY.sub(b"", packet)
    if packet and packet != EMPTY_PACKET:
        meta["xmp"] = packet
    return meta


def _dpi(value: object) -> str:
    """`300`, `300x600`, or nothing where the file says nothing usable."""
    if not isinstance(value, tuple) or len(value) != 2:
        return ""
    x, y = (round(float(side), 2) for side in value)
    if not (0 < x < 1e6 and 0 < y < 1e6):
        return ""
    return f"{x:g}" if x == y else f"{x:g}x{y:g}"


def as_picture(image: Image) -> Picture:
    """An `Image` as Pillow has it; raises OutputError for one without pixels."""
    import PIL.Image

    if 0 in image.pixels.shape:
        raise OutputError("the picture has no pixels", "Look at the step before")
    channels = image.pixels.shape[2]
    return PIL.Image.fromarray(image.pixels[..., 0] if channels == 1 else image.pixels)


def bytes_of(image: Image, key: str) -> bytes:
    """One field of the metadata as bytes, empty where it is missing."""
    value = image.meta.get(key, b"")
    return value.encode() if isinstance(value, str) else value


def shared(image: Image, ctx: Context) -> dict[str, bytes | tuple[float, float]]:
    """What most formats take: EXIF, a colour profile that fits the channels, resolution."""
    kept: dict[str, bytes | tuple[float, float]] = {}
    if bytes_of(image, "exif"):
        kept["exif"] = bytes_of(image, "exif")
    profile = bytes_of(image, "icc_profile")
    if profile:
        if (profile[16:20] == b"GRAY") == (image.pixels.shape[2] == 1):
            kept["icc_profile"] = profile
        else:
            ctx.warn("the colour profile does not fit the channels any more: left out")
    dpi = str(image.meta.get("dpi", ""))
    if dpi:
        x, _, y = dpi.partition("x")
        kept["dpi"] = (float(x), float(y or x))
    return kept


def say_lost_fields(image: Image, ctx: Context, format: str, kept: set[str]) -> None:
    """Warn of text fields (and the resolution) for which a format has no place."""
    lost = sorted(key[5:] for key in image.meta if key.startswith("text:") and key[5:] not in kept | {"transpose"})
    if format in ("WebP", "AVIF", "GIF") and "dpi" in image.meta:
        lost.insert(0, "dpi")
    if lost:
        shown = ", ".join(map(repr, lost[:4])) + (f" and {len(lost) - 4} more" if len(lost) > 4 else "")
        ctx.warn(f"{_article(format).removesuffix(' picture')} has no field for {shown}: left out")


OPENING = b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
RDF = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
EMPTY_PACKET = OPENING + RDF + b'</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'


def xmp_packet(image: Image, ctx: Context, limit: int) -> bytes:
    """The picture's XMP packet with our history in it, or nothing where there is neither."""
    from xml.sax.saxutils import quoteattr  # imports half of the network library

    packet = bytes_of(image, "xmp")
    if ctx.history:
        value = quoteattr(ctx.history).encode()
        ours = b'<rdf:Description rdf:about="" xmlns:transpose="urn:transpose" transpose:history=' + value + b"/>"
        base = HISTORY.sub(b"", packet or EMPTY_PACKET)
        if b"</rdf:RDF>" in base and len(base) + len(ours) <= limit:
            before, end, after = base.rpartition(b"</rdf:RDF>")
            return before + ours + end + after
        ctx.warn("the history does not fit into the picture's metadata: left out")
    if len(packet) > limit:
        ctx.warn("the XMP data are too long for this format: left out")
        return b""
    return packet


def save_picture(picture: Picture, path: Path, format: str, **settings: object) -> None:
    """Write with Pillow; raises OutputError for a side too long for the format and for what Pillow refuses."""
    longest = SIDES.get(format, 2**31)
    if max(picture.size) > longest:
        size = f"{picture.width} x {picture.height}"
        raise OutputError(
            f"{size} pixels do not fit into a {format} (at most {longest} a side)", "Write a .png instead"
        )
    with refusal(path):
        picture.save(path, format, **settings)


@contextmanager
def refusal(path: Path) -> Iterator[None]:
    """Whatever Pillow raises when it refuses to write becomes OutputError."""
    try:
        yield
    except (ValueError, TypeError, struct.error, KeyError) as error:
        raise OutputError(f"the picture could not be written to {path.name!r} ({reason(error)})", "Try .png") from error
