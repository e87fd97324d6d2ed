"""Archives (.zip) in: one document of all members that are documents or text, each under its name.

Members are unpacked one after the other to a temporary file whose name comes from us, never from the archive. Pictures
are shown; what no reader knows is named. An archive in an archive is opened, three deep.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Annotated
from xml.etree.ElementTree import Element

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, HugeInput, SilentInput, TransposeError
from transpose.core.transform import Range, transform
from transpose.media.document import HEADINGS, Document
from transpose.media.fragment import Album, finish, insert, make, picture, program, prose
from transpose.media.package import Package, open_package
from transpose.media.picture_file import is_picture
from transpose.media.text import Text

READERS = {
    **dict.fromkeys([".docx", ".docm"], "read-word"),
    **dict.fromkeys([".pptx", ".pptm", ".ppsx"], "read-slides"),
    **dict.fromkeys([".xlsx", ".xlsm", ".xls"], "read-workbook-document"),
    **dict.fromkeys([".html", ".htm", ".xhtml"], "read-web-page"),
    **dict.fromkeys([".odt", ".odp", ".ott"], "read-opendocument"),
    **dict.fromkeys([".rss", ".atom", ".xml"], "read-feed"),
    ".epub": "read-book",
    ".ipynb": "read-notebook",
    ".rst": "read-rst",
    ".tex": "read-tex",
    ".eml": "read-mail",
    ".msg": "read-outlook",
    ".pdf": "read-pdf",
    ".rtf": "read-rich-text",
    ".txt": "read-text",
    ".text": "read-text",
    ".log": "read-text",
    ".md": "read-markdown-document",
    ".markdown": "read-markdown-document",
}
CODE = {
    ".py": "python", ".js": "javascript", ".ts": "typescript", ".c": "c", ".h": "c", ".cpp": "cpp", ".java": "java",
    ".rs": "rust", ".go": "go", ".sh": "bash", ".r": "r", ".sql": "sql", ".json": "json", ".jsonl": "json",
    ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".ini": "ini", ".cfg": "ini", ".css": "css", ".csv": "csv",
    ".tsv": "tsv", ".rb": "ruby",
}  # fmt: skip
JUNK = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
PICTURES = frozenset(".png .jpg .jpeg .gif .bmp .webp .svg .tiff .tif .avif".split())
WORDS = frozenset("README LICENSE COPYING CHANGELOG AUTHORS MAKEFILE NOTES NEWS TODO".split())  # names without suffix
NESTED = 200  # members of an archive in an archive
LISTED = 200_000  # characters of one program or data file that are shown


@transform(
    ".zip -> document",
    name="read-archive",
    loses=["layout"],
    uses=sorted(set(READERS.values())),
    needs=["lxml"],
    extra="documents",
)
def read_archive(
    path: Path,
    ctx: Context,
    *,
    members: Annotated[int, Range(1, 10_000), "files that are read at most"] = 1000,
    depth: Annotated[int, Range(0, 3), "archives in archives"] = 2,
) -> Document:
    """Read an archive; a member that cannot be read is named with the reason in a warning.

    Raises MislabelledInput, LockedInput, DamagedInput, EmptyInput, HugeInput (also for what would unpack to more than
    is safe), SilentInput where no member holds text or a picture.
    """
    return _read(path, ctx, members, depth)


def _read(path: Path, ctx: Context, members: int, depth: int) -> Document:
    """The document of an archive, or of one in it."""
    with open_package(path, "a ZIP archive") as package:
        album, body = Album(), make(None, "body")
        names = [name for name in sorted(package.infos) if not _is_junk(name)]
        if not names:
            raise EmptyInput(f"{path.name!r} holds no files", "Look at it with an archive program")
        if len(names) > members:
            raise HugeInput(f"{path.name!r} holds {len(names):,} files", f"Raise the limit: -o members={len(names)}")
        skipped: list[str] = []
        read = 0
        for number, name in enumerate(names):
            ctx.progress(number, len(names), name)
            section = Element("section")
            make(section, "h1", name)
            try:
                shown = _add(package, name, section, album, ctx, depth)
            except TransposeError as error:
                skipped.append(f"{name} ({error.message})")
                shown = False
            if shown:
                body.append(section)
                read += 1
            elif not skipped or not skipped[-1].startswith(name + " ("):
                skipped.append(f"{name} (no reader)")
    if skipped:
        more = f" and {len(skipped) - 5} more" if len(skipped) > 5 else ""
        ctx.warn(f"{path.name!r}: not read: {'; '.join(skipped[:5])}{more}")
    if not read:
        raise SilentInput(f"{path.name!r} holds no document, text or picture", "Unpack it and look")
    ctx.note("members", read)
    return finish(body, album, title=path.stem)


def _is_junk(name: str) -> bool:
    return any(part in name for part in JUNK) or posixpath.basename(name).startswith("._")


def _add(package: Package, name: str, section: Element, album: Album, ctx: Context, depth: int) -> bool:
    """Put one member under its heading; False where nothing here reads it."""
    suffix = posixpath.splitext(name)[1].lower()
    reader = READERS.get(suffix, "")
    nested = suffix == ".zip" and depth > 0
    known = reader or nested or suffix in CODE or suffix in PICTURES or posixpath.basename(name).upper() in WORDS
    if not known:
        return False
    data = package.read(name)
    if not data.strip():
        return False
    if reader or nested:
        return _told(_called(reader, data, name, ctx, depth), section, album)
    if is_picture(data):
        picture(make(section, "p"), album.add(data, name), posixpath.basename(name))
        return True
    if b"\0" in data:
        return False
    text = data[: 4 * LISTED].decode("utf-8", "replace")
    program(section, text[:LISTED] + ("\n…" if len(text) > LISTED else ""), CODE.get(suffix, ""))
    return True


def _called(reader: str, data: bytes, name: str, ctx: Context, depth: int) -> object:
    """What a reader makes of a member, or an archive in it; errors name the member, not the temporary file."""
    file = ctx.temp(posixpath.splitext(name)[1].lower())
    try:
        file.write_bytes(data)
        return ctx.call(reader, file) if reader else _read(file, ctx, NESTED, depth - 1)
    except TransposeError as error:
        error.message = error.message.replace(file.name, posixpath.basename(name)).replace(str(file.parent) + "/", "")
        raise
    finally:
        file.unlink(missing_ok=True)


def _told(value: object, section: Element, album: Album) -> bool:
    """A reader gave a document, whose headings go one level down under the name of the member, or a text."""
    if isinstance(value, Document):
        start = len(section)
        insert(section, value, album)
        for block in list(section)[start:]:
            for each in block.iter():
                if each.tag in HEADINGS[:5]:
                    each.tag = f"h{int(str(each.tag)[1]) + 1}"
        return bool(value.html)
    if isinstance(value, Text):
        prose(section, value.text)
        return bool(value.text.strip())
    return False
