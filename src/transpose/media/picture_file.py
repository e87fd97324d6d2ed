"""Which picture file some bytes are, for documents: any of the formats that documents carry, vector formats too."""

from __future__ import annotations

SUFFIXES = (
    (b"\x89PNG", ".png"),
    (b"\xff\xd8", ".jpg"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
    (b"II*\0", ".tiff"),
    (b"MM\0*", ".tiff"),
    (b"\xd7\xcd\xc6\x9a", ".wmf"),
    (b"<svg", ".svg"),
    (b"<?xml", ".svg"),
)


def is_picture(data: bytes) -> bool:
    """Whether a file begins like a picture."""
    return bool(suffix_of(data))


def suffix_of(data: bytes) -> str:
    """The usual suffix of such a file; "" for what is no picture."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    if data[4:8] == b"ftyp":
        return ".avif"
    if data[:4] == b"\x01\0\0\0" and data[40:44] == b" EMF":
        return ".emf"
    return next((suffix for magic, suffix in SUFFIXES if data.startswith(magic)), "")
