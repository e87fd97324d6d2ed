"""A picture in memory: pixels and the metadata that writers keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIX = ".npz"


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """`pixels` is uint8 of shape (height, width, channels), channels 1 (grey), 3 (RGB) or 4 (RGBA), upright.

    `meta` keys: `exif` (bytes, from `Exif\\0\\0` on), `icc_profile` and `xmp` (bytes), `dpi` ("72", or "300x600" where
    the two differ), `text:NAME` for the text fields of a PNG, `text:Comment` for the comment of a JPEG and
    `text:transpose` for the history that a writer of ours left; `duration` (milliseconds) of a picture of an animation.
    """

    pixels: NDArray[np.uint8]
    meta: Mapping[str, str | bytes] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    def __eq__(self, other: object) -> bool:
        import numpy as np

        return (
            isinstance(other, Image)
            and dict(self.meta) == dict(other.meta)
            and np.array_equal(self.pixels, other.pixels)
        )

    __hash__ = None  # type: ignore[assignment]


def on_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels of 1, 3 or 4 channels as RGB (height, width, 3), what is transparent shown on white paper."""
    import numpy as np

    if pixels.shape[2] == 4:
        alpha = pixels[..., 3:].astype(np.uint16)
        blend = pixels[..., :3] * alpha + 255 * (255 - alpha)
        return ((blend + 127) // 255).astype(np.uint8)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"II+\0", "a TIFF picture"),
    (b"MM\0+", "a TIFF picture"),
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive (or an office document)"),
    (b"\x1f\x8b", "a gzip file"),
    (b"ID3", "an MP3 sound"),
    (b"fLaC", "a FLAC sound"),
    (b"OggS", "an Ogg sound"),
    (b"MThd", "a MIDI file"),
    (b"<svg", "an SVG drawing"),
)
CONTAINERS = {b"WEBP": "a WebP picture", b"WAVE": "a WAV sound", b"AVI ": "an AVI video"}


def name_bytes(head: bytes) -> str:
    """What the first bytes of a file (64 or more) look like, in words; "" where that is not known."""
    if head[:4] == b"RIFF":
        return CONTAINERS.get(head[8:12], "a RIFF file")
    if head[4:8] == b"ftyp":
        return _name_boxes(head)
    known = next((name for magic, name in SIGNATURES if head.startswith(magic)), "")
    if known:
        return known
    text = head.decode("utf-8", "replace").lstrip("\ufeff").rstrip("\ufffd")  # the cut may fall inside a character
    if head and text and all(c.isprintable() or c in "\r\n\t\f" for c in text) and "\ufffd" not in text:
        start = text.lstrip().lower()
        return "an HTML page" if start.startswith(("<!doctype html", "<html")) else "plain text"
    return ""


def _name_boxes(head: bytes) -> str:
    """AVIF, HEIC and MP4 share one container: the brands that it is compatible with tell them apart."""
    brands = [head[at : at + 4] for at in (8, *range(16, min(int.from_bytes(head[:4], "big"), len(head)), 4))]
    if b"avif" in brands or b"avis" in brands:
        return "an AVIF picture"
    if {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1"} & set(brands):
        return "a HEIC picture"
    return "an MP4 or QuickTime file"


def save(value: Image, path: Path) -> None:
    """Write pixels and metadata as an uncompressed .npz without pickles."""
    import numpy as np

    fields = {
        f"{'t' if isinstance(data, str) else 'b'}:{key}": np.frombuffer(
            data.encode() if isinstance(data, str) else data, np.uint8
        )
        for key, data in value.meta.items()
    }
    with path.open("wb") as file:
        np.savez(file, pixels=value.pixels, **fields)  # type: ignore[arg-type]


def load(path: Path) -> Image:
    """Read what `save` wrote."""
    import numpy as np

    meta: dict[str, str | bytes] = {}
    with np.load(path, allow_pickle=False) as file:
        for name in file.files:
            if name != "pixels":
                data = file[name].tobytes()
                meta[name[2:]] = data.decode() if name.startswith("t:") else data
        return Image(file["pixels"], meta)
