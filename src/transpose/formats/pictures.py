"""Pictures in and out: PNG, JPEG and WebP, upright, 8 bits a sample, with the metadata that the formats carry.

Reading applies the EXIF orientation, so that pixels are upright and the tag is gone; palettes become RGB, CMYK becomes
sRGB, 16 bits become 8 (all but the first are said). A picture of more than `MAX_PIXELS` is refused from its header,
before anything is unpacked. EXIF, colour profile, resolution, XMP and the text fields of a PNG are kept. The history
goes into a text field `transpose` of a PNG and into the XMP packet of a JPEG or a WebP.
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
from typing import TYPE_CHECKING, Annotated
from xml.sax.saxutils import quoteattr, unescape

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
from transpose.core.transform import Range, transform
from transpose.media.image import Image, name_bytes, on_white

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as Picture

MAX_PIXELS = 178_000_000  # 534 MB as RGB; the largest single exposures and A0 scans at 300 dpi (140 million) still fit
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
NAMES = {"a PNG picture": "PNG", "a JPEG picture": "JPEG", "a WebP picture": "WEBP"}
SIDES = {"JPEG": 65_535, "WEBP": 16_383}  # the longest side that the format can hold
SEGMENT = 65_000  # bytes that fit into one segment of a JPEG
ORIENTATION = 0x0112
# all that Pillow was seen to raise on damaged files
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)
HISTORY = re.compile(
    rb'<rdf:Description rdf:about="" xmlns:transpose="urn:transpose" transpose:history=("[^"]*"|\'[^\']*\')/>'
)


@transform(".png|.jpg|.jpeg|.webp -> image", shows=True)
def read_picture(path: Path, ctx: Context) -> Image:
    """Open a picture: upright, 8 bits, grey, RGB or RGBA, metadata kept.

    Of an animation or a set of pictures the first is read, with a warning. Raises EmptyInput, MislabelledInput,
    HugeInput (more than 178 million pixels, judged by the header) and DamagedInput.
    """
    expected = _check_bytes(path)
    with _damage(path), _quiet(), _open(path, expected) as picture:
        frames = getattr(picture, "n_frames", 1)
        if frames > 1:
            ctx.warn(f"{path.name!r} holds {frames} pictures: only the first is read")
        deep = picture.mode.startswith(("I", "F")) or _png_depth(path) == 16
        if deep:
            ctx.warn(f"{path.name!r} has 16 or more bits a sample: 8 are kept")
        picture.load()
        upright, exif = _upright(picture, path, ctx)
        pixels, profile = _to_8_bits(upright, path, ctx)
        return Image(pixels, _metadata(picture, upright, exif, profile))


def _check_bytes(path: Path) -> str:
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
    return f"a {name}" if name.islower() else f"a {'WebP' if name == 'WEBP' else name} picture"


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    from PIL.Image import DecompressionBombError

    try:
        yield
    except DecompressionBombError:
        raise _huge(path) from None
    except DAMAGE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DamagedInput(f"{path.name!r} is truncated or damaged ({reason})", "Save or download it again") from error


def _huge(path: Path, size: tuple[int, int] | None = None) -> HugeInput:
    claim = f"{size[0]} x {size[1]} pixels, more" if size else "more pixels"
    hint = "Reduce it first with a program that you trust with its source"
    return HugeInput(f"{path.name!r} claims {claim} than the {MAX_PIXELS // 10**6} million that are opened", hint)


@contextmanager
def _quiet() -> Iterator[None]:
    """Pillow warns of large pictures (our limit is another) and of odd EXIF data (we say what matters of it)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _open(path: Path, expected: str) -> Picture:
    import PIL.Image

    picture = PIL.Image.open(path, formats=[expected])
    if picture.width * picture.height > MAX_PIXELS:
        picture.close()
        raise _huge(path, picture.size)
    return picture


def _png_depth(path: Path) -> int:
    """Bits of a sample in the header of a PNG (Pillow cuts RGB of 16 bits without a word), else 0."""
    with path.open("rb") as file:
        head = file.read(25)
    return head[24] if head.startswith(b"\x89PNG") and len(head) == 25 else 0


def _upright(picture: Picture, path: Path, ctx: Context) -> tuple[Picture, bytes]:
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


def _to_8_bits(picture: Picture, path: Path, ctx: Context) -> tuple[NDArray[np.uint8], bytes]:
    """Pixels (height, width, 1 | 3 | 4) and the colour profile that still fits them."""
    import numpy as np

    profile = picture.info.get("icc_profile") or b""
    transparent = "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA", "RGBa", "La")
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture).astype(np.float64)
        top = 65_535.0 if values.max(initial=0) > 255 or picture.mode.startswith("I;16") else 255.0
        return np.clip(np.rint(values * (255 / top)), 0, 255).astype(np.uint8)[..., None], profile
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


def _metadata(picture: Picture, upright: Picture, exif: bytes, profile: bytes) -> dict[str, str | bytes]:
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
    if comment:
        meta["text:Comment"] = comment.decode("utf-8", "replace") if isinstance(comment, bytes) else str(comment)
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


@transform("image -> .png", shows=True)
def write_png(image: Image, path: Path, ctx: Context) -> None:
    """Save a picture without loss, its metadata with it; text fields stay text fields."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    fields = {key[5:]: str(value) for key, value in image.meta.items() if key.startswith("text:")}
    if ctx.history:
        fields["transpose"] = ctx.history
    for name, value in fields.items():
        if not 0 < len(name) < 80 or not name.isprintable() or any(ord(c) > 255 for c in name):
            ctx.warn(f"a PNG cannot hold a text field named {name!r}: left out")
            continue
        info.add_text(name, value.replace("\0", ""))
    if "xmp" in image.meta:
        info.add_itxt("XML:com.adobe.xmp", _bytes(image, "xmp").decode("utf-8", "replace"))
    _save(_picture(image), path, "PNG", pnginfo=info, **_shared(image, ctx))


@transform("image -> .jpg|.jpeg", loses=["exactness"], shows=True)
def write_jpeg(
    image: Image, path: Path, ctx: Context, *, quality: Annotated[int, Range(1, 100), "of the picture"] = 90
) -> None:
    """Save a picture as JPEG: small, not exact; what is transparent becomes white, with a warning."""
    if image.pixels.shape[2] == 4:
        if image.pixels[..., 3].min(initial=255) < 255:
            ctx.warn("a JPEG cannot be transparent: put on white")
        image = Image(on_white(image.pixels), image.meta)
    kept = _shared(image, ctx)
    if len(kept.get("exif", b"")) > SEGMENT:
        ctx.warn("the EXIF data are too long for a JPEG: left out")
        del kept["exif"]
    comment = str(image.meta.get("text:Comment", "")).encode()[:SEGMENT]
    _say_lost_fields(image, ctx, "JPEG", {"Comment"})
    packet = _packet(image, ctx, SEGMENT)
    if packet:
        kept["xmp"] = packet
    exact = {"subsampling": 0} if quality >= 95 else {}
    _save(_picture(image), path, "JPEG", quality=quality, optimize=True, comment=comment, **exact, **kept)


@transform("image -> .webp", loses=["exactness"], shows=True)
def write_webp(
    image: Image,
    path: Path,
    ctx: Context,
    *,
    quality: Annotated[int, Range(1, 100), "of the picture"] = 90,
    lossless: Annotated[bool, "keep every pixel"] = False,
) -> None:
    """Save a picture as WebP: smaller than JPEG, keeps transparency; exact with `lossless=yes`."""
    kept = _shared(image, ctx)
    kept.pop("dpi", None)  # the format has no field for it
    _say_lost_fields(image, ctx, "WebP", set())
    packet = _packet(image, ctx, 10**7)
    if packet:
        kept["xmp"] = packet
    _save(_picture(image), path, "WEBP", quality=quality, lossless=lossless, exact=lossless, **kept)


def _picture(image: Image) -> Picture:
    import PIL.Image

    if 0 in image.pixels.shape:
        raise OutputError("the picture has no pixels", "Look at the step before")
    channels = image.pixels.shape[2]
    return PIL.Image.fromarray(image.pixels[..., 0] if channels == 1 else image.pixels)


def _bytes(image: Image, key: str) -> bytes:
    value = image.meta.get(key, b"")
    return value.encode() if isinstance(value, str) else value


def _shared(image: Image, ctx: Context) -> dict[str, bytes | tuple[float, float]]:
    """What all three formats take: EXIF, a colour profile that fits the channels, resolution."""
    kept: dict[str, bytes | tuple[float, float]] = {}
    if _bytes(image, "exif"):
        kept["exif"] = _bytes(image, "exif")
    profile = _bytes(image, "icc_profile")
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


def _say_lost_fields(image: Image, ctx: Context, format: str, kept: set[str]) -> None:
    lost = sorted(key[5:] for key in image.meta if key.startswith("text:") and key[5:] not in kept | {"transpose"})
    if format == "WebP" and "dpi" in image.meta:
        lost.insert(0, "dpi")
    if lost:
        shown = ", ".join(map(repr, lost[:4])) + (f" and {len(lost) - 4} more" if len(lost) > 4 else "")
        ctx.warn(f"a {format} has no field for {shown}: left out")


OPENING = b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
RDF = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
EMPTY_PACKET = OPENING + RDF + b'</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'


def _packet(image: Image, ctx: Context, limit: int) -> bytes:
    """The picture's XMP packet with our history in it, or nothing where there is neither."""
    packet = _bytes(image, "xmp")
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


def _save(picture: Picture, path: Path, format: str, **settings: object) -> None:
    longest = SIDES.get(format, 2**31)
    if max(picture.size) > longest:
        size = f"{picture.width} x {picture.height}"
        raise OutputError(
            f"{size} pixels do not fit into a {format} (at most {longest} a side)", "Write a .png instead"
        )
    try:
        picture.save(path, format, **settings)
    except (ValueError, TypeError, struct.error, KeyError) as error:
        raise OutputError(f"the picture could not be written to {path.name!r} ({error})", "Try .png") from error
