"""The user's examples: pictures, and what each of them shows.

A caption is what stands in `fox.txt` beside `fox.png`, else the words of the file's name; names that a camera or a
program gave (IMG_1234, screenshot 2) say nothing. In a folder, a file that cannot be read is named and left out, for
the rest may still do; a file that the user named himself is an error.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, FolderInput, InputError, MissingInput

if TYPE_CHECKING:
    from transpose.media.image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".avif")
MOST = 2000  # pictures: more are no style to learn in minutes, and a folder named by mistake is found out
SIDE = 1024  # pixels of the longer side that are kept of each: no base that can be taught here makes more
LONGEST = 500  # characters of a caption
NAMELESS = frozenset(
    "copy dsc dscn file foto image img kopie mvimg null original photo pic picture pxl sample scan screenshot "
    "snapshot unnamed untitled view whatsapp".split()
)


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One picture; `caption` is empty where nothing is known of it, `digest` is the SHA-256 of file and caption."""

    path: Path
    picture: Image
    caption: str
    digest: str


def read_folder(folder: Path, warn: Callable[[str], None]) -> list[Example]:
    """The pictures right inside a folder, by name.

    Raises MissingInput, FolderInput (for a file), EmptyInput (no picture, or none that can be read).
    """
    if not folder.exists():
        raise MissingInput(f"there is no folder {str(folder)!r}", "Name the folder that holds your pictures")
    if not folder.is_dir():
        raise FolderInput(f"{str(folder)!r} is a file", "Name the folder that holds your pictures")
    found = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    paths = [path for path in found if path.suffix.lower() in SUFFIXES]
    if not paths:
        held = f"{len(found)} files, none of them a picture" if found else "nothing"
        raise EmptyInput(f"the folder {str(folder)!r} holds {held}", f"Put pictures into it: {' '.join(SUFFIXES)}")
    if others := [path for path in found if path.suffix.lower() not in (*SUFFIXES, ".txt")]:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        named = ", ".join(repr(path.name) for path in others[:3])
        warn(f"left out: {named}{more}, not {' '.join(SUFFIXES)}")
    if len(paths) > MOST:
        raise InputError(f"the folder {str(folder)!r} holds {len(paths)} pictures", f"Give it at most {MOST}")
    examples = []
    for path in paths:
        try:
            examples.append(_read(path))
        except InputError as error:
            warn(f"left out: {error.message}")
    if not examples:
        raise EmptyInput(f"none of the {len(paths)} pictures in {str(folder)!r} can be read", "Look at the lines above")
    return examples


def read_pictures(paths: Sequence[Path]) -> list[Example]:
    """The pictures that were named, each of which has to be readable. Raises an InputError that names it."""
    for path in paths:
        if path.suffix.lower() not in SUFFIXES and path.is_file():
            raise InputError(f"{path.name!r} is not a picture that can be learned from", f"Give {' '.join(SUFFIXES)}")
    return [_read(path) for path in paths]


def _read(path: Path) -> Example:
    from transpose.formats.pictures import read_picture
    from transpose.media.image import Image
    from transpose.media.pixels import at_most

    if path.is_dir():
        raise FolderInput(f"{str(path)!r} is a folder", "Name the pictures one by one")
    if not path.exists():
        raise MissingInput(f"there is no picture {str(path)!r}", "Check its name")
    picture = Image(at_most(read_picture.function(path, Context()).pixels, SIDE))
    caption = _caption(path)
    digest = hashlib.sha256(path.read_bytes() + b"\0" + caption.encode()).hexdigest()
    return Example(path, picture, caption, digest)


def _caption(path: Path) -> str:
    beside = path.with_suffix(".txt")
    if beside.is_file():
        try:
            with beside.open(encoding="utf-8-sig") as file:
                told = file.read(4 * LONGEST)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"the caption {beside.name!r} cannot be read: {error}", "Save it as UTF-8") from None
        return " ".join(told.split())[:LONGEST]
    return words_of(path.stem)


def words_of(stem: str) -> str:
    """`red fox` of `red_fox-03`; nothing of `IMG_1234`."""
    parts = re.sub(r"([a-z])([A-Z])", r"\1 \2", stem)
    words = [each.lower() for each in re.findall(r"[^\W\d_]+", parts)]
    return "" if all(each in NAMELESS or len(each) == 1 for each in words) else " ".join(words)[:LONGEST]
