"""Files that are ZIP archives inside (.docx, .epub, .odt, .zip), and XML: opened so that a hostile one does no harm.

Nothing is ever unpacked to disk under a name from the archive. What a member claims to hold and what it holds are both
limited; an XML parser here expands no entities, fetches nothing and takes no tree deeper than 256.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedInput, EmptyInput, HugeInput, LockedInput, MislabelledInput
from transpose.media.file import check_file, reason
from transpose.media.image import name_bytes

if TYPE_CHECKING:
    from lxml.etree import _Element

PART = 200_000_000  # bytes of one member
ALL = 1_000_000_000  # bytes of all that is read of one archive
MEMBERS = 50_000
RATIO = 200  # of a member's size to its packed size, where it is larger than `SMALL`
SMALL = 50_000_000
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
AGAIN = "Save or download it again"


@dataclass(frozen=True, slots=True)
class Relation:
    """What one Office part has to do with another: `target` is a member's name, or an address outside."""

    kind: str
    target: str
    outside: bool = False


class Package:
    """An open archive; `names` are its members in order. Use `open_package`."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive = archive
        self._left = ALL
        self.path = path
        self.infos = {info.filename: info for info in archive.infolist() if not info.is_dir()}

    def read(self, name: str) -> bytes:
        """The bytes of one member; raises DamagedInput where it is missing or broken, HugeInput, LockedInput."""
        info = self.infos.get(name)
        if info is None:
            raise DamagedInput(f"{self.path.name!r} lacks its part {name!r}", AGAIN)
        if info.flag_bits & 1:
            raise LockedInput(f"{self.path.name!r} is locked with a password", "Unlock it and try again")
        swollen = info.file_size > SMALL and info.file_size > RATIO * max(1, info.compress_size)
        if info.file_size > PART or info.file_size > self._left or swollen:
            raise HugeInput(f"{name!r} in {self.path.name!r} unpacks to {info.file_size:,} bytes, which is not safe")
        try:
            data = self._archive.read(info)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
            raise DamagedInput(f"{name!r} in {self.path.name!r} is damaged ({reason(error)})", AGAIN) from None
        self._left -= len(data)
        return data

    def xml(self, name: str) -> _Element:
        """One member as the root of its XML."""
        return read_xml(self.read(name), f"{name} in {self.path.name}")

    def relations(self, name: str) -> dict[str, Relation]:
        """Of an Office part ("" for the whole package): its relations by their ids."""
        folder, base = posixpath.split(name)
        listing = posixpath.join(folder, "_rels", f"{base}.rels")
        if listing not in self.infos:
            return {}
        found: dict[str, Relation] = {}
        for each in self.xml(listing):
            target = (each.get("Target") or "").strip()
            outside = each.get("TargetMode") == "External"
            kind = (each.get("Type") or "").rpartition("/")[2]
            found[each.get("Id") or ""] = Relation(kind, target if outside else inside(folder, target), outside)
        return found

    def related(self, name: str, kind: str) -> str:
        """The first member that a part has the relation `kind` ("notesSlide") to; "" where there is none."""
        found = (each.target for each in self.relations(name).values() if each.kind == kind and not each.outside)
        return next((target for target in found if target in self.infos), "")


def inside(folder: str, target: str) -> str:
    """A member's name from a path relative to `folder` ("" where it leads out of the archive)."""
    joined = posixpath.normpath(target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target))
    return "" if joined.startswith("..") else joined


@contextmanager
def open_package(path: Path, what: str, must_have: str = "") -> Iterator[Package]:
    """Open an archive that should be `what` ("a Word document") and hold the member `must_have`.

    Raises MissingInput, EmptyInput, MislabelledInput, DamagedInput, HugeInput, LockedInput.
    """
    check_file(path)
    with path.open("rb") as file:
        head = file.read(512)
        if head.startswith(OLE):
            raise _old(path, what)
        if not head.startswith(b"PK"):
            looks = name_bytes(head) or "something else"
            raise MislabelledInput(f"{path.name!r} is {looks}, not {what}", "Give it its right suffix")
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
            raise DamagedInput(f"{path.name!r} is truncated or damaged ({reason(error)})", AGAIN) from None
        with archive:
            members = len(archive.infolist())
            if members > MEMBERS:
                raise HugeInput(f"{path.name!r} holds {members:,} members", f"The limit is {MEMBERS:,}")
            if not members:
                raise EmptyInput(f"{path.name!r} holds nothing", "Make it again")
            package = Package(archive, path)
            if must_have and must_have not in package.infos:
                raise MislabelledInput(f"{path.name!r} is a ZIP archive, not {what}", "Give it its right suffix")
            yield package


def _old(path: Path, what: str) -> LockedInput | MislabelledInput:
    """A compound file under an Office name: locked with a password, or of the formats before 2007."""
    if b"E\0n\0c\0r\0y\0p\0t\0e\0d" in path.read_bytes():
        return LockedInput(f"{path.name!r} is locked with a password", "Save it without one and try again")
    return MislabelledInput(f"{path.name!r} is of the old binary formats, not {what}", "Save it in the newer format")


def read_xml(data: bytes, name: str) -> _Element:
    """The root of an XML file; raises DamagedInput where it is not well-formed, nests too deep or is a bomb."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DamagedInput(f"{name!r} is not well-formed XML ({reason(error)})", AGAIN) from None


def local(element: _Element) -> str:
    """The name of an element without its namespace; "" for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: _Element | None, name: str) -> str:
    """An attribute by its name in any namespace or none; "" where it is missing."""
    if element is None:
        return ""
    own = element.get(name)
    if own is not None:
        return own
    return next((str(each) for key, each in element.attrib.items() if str(key).endswith("}" + name)), "")


def words_in(element: _Element, between: str = "") -> str:
    """All characters inside an element."""
    return between.join(str(each) for each in element.itertext())


def child(element: _Element | None, *names: str) -> _Element | None:
    """The first child of a name, and in it the first of the next name, and so on."""
    for name in names:
        if element is None:
            return None
        element = next((each for each in element if local(each) == name), None)
    return element


def find_all(element: _Element, *names: str) -> Iterator[_Element]:
    """All elements of these names below, in their order."""
    return (each for each in element.iter() if local(each) in names)
