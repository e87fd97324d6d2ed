"""Which characters of a text no font file has: the `cmap` tables of TrueType and OpenType files are asked.

Latin, Greek, Cyrillic, Devanagari and common signs are taken for given: the fonts inside Typst have them. Only the
rest is looked up.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

GIVEN = 0x0590  # below: Latin, Greek, Cyrillic, Armenian and their marks
SIGNS = ((0x0900, 0x097F), (0x2000, 0x2BFF), (0xFE00, 0xFE0F), (0xFB00, 0xFB06), (0x1E00, 0x1FFF))
FONTS = 400  # files asked at most
LARGEST = 60_000_000  # bytes of one font file


def uncovered(text: str, fonts: Iterable[Path]) -> set[str]:
    """The characters of `text` that are in none of the font files."""
    left = {ord(c) for c in set(text) if ord(c) >= GIVEN and not any(a <= ord(c) <= b for a, b in SIGNS)}
    for number, path in enumerate(fonts):
        if not left or number >= FONTS:
            break
        try:
            if path.stat().st_size <= LARGEST:
                left -= _covered(path.read_bytes(), left)
        except (OSError, struct.error, IndexError):
            continue
    return {chr(point) for point in left}


def _covered(data: bytes, wanted: set[int]) -> set[int]:
    """Those of `wanted` that the first face of a font file maps to a glyph."""
    start = struct.unpack_from(">I", data, 12)[0] if data[:4] == b"ttcf" else 0
    for number in range(struct.unpack_from(">H", data, start + 4)[0]):
        tag, _, offset, _ = struct.unpack_from(">4sIII", data, start + 12 + 16 * number)
        if tag == b"cmap":
            return _mapped(data, offset, wanted)
    return set()


def _mapped(data: bytes, cmap: int, wanted: set[int]) -> set[int]:
    found: set[int] = set()
    for number in range(struct.unpack_from(">H", data, cmap + 2)[0]):
        platform, _, offset = struct.unpack_from(">HHI", data, cmap + 4 + 8 * number)
        table = cmap + offset
        kind = struct.unpack_from(">H", data, table)[0]
        if kind == 12:
            groups = struct.unpack_from(">I", data, table + 12)[0]
            spans = struct.iter_unpack(">III", data[table + 16 : table + 16 + 12 * groups])
            found |= {point for first, last, _ in spans for point in _between(wanted, first, last)}
        elif kind == 4 and platform in (0, 3):
            count = struct.unpack_from(">H", data, table + 6)[0] // 2
            lasts = struct.unpack_from(f">{count}H", data, table + 14)
            firsts = struct.unpack_from(f">{count}H", data, table + 16 + 2 * count)
            for first, last in zip(firsts, lasts, strict=True):
                found |= _between(wanted, first, min(last, 0xFFFE))
    return found


def _between(wanted: set[int], first: int, last: int) -> set[int]:
    if last - first < len(wanted):
        return wanted & set(range(first, last + 1))
    return {point for point in wanted if first <= point <= last}
