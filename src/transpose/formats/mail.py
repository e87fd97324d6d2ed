"""Mails (.eml of any program, .msg of Outlook) in: subject, who and when, the words, the attachments by name.

The HTML form is read where there is one (in an Outlook mail also the one inside its Rich Text), with the pictures that
it carries; nothing is fetched. A mail inside a mail is a section of its own.
"""

from __future__ import annotations

import email
import email.errors
import email.policy
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, MislabelledInput, SilentInput
from transpose.core.transform import transform
from transpose.media.document import Document
from transpose.media.encoding import read_bytes
from transpose.media.file import reason
from transpose.media.fragment import Album, finish, make, picture, prose, say
from transpose.media.image import name_bytes
from transpose.media.package import OLE
from transpose.media.picture_file import is_picture
from transpose.media.rtf import Rich, read_rtf
from transpose.media.webpage import graze

if TYPE_CHECKING:
    import olefile  # type: ignore[import-untyped]

DEEPEST = 8  # mails in mails
CONTENT = re.compile(r"(\bsrc\s*=\s*[\"']?)cid:", re.IGNORECASE)
HEADS = ("From", "To", "Cc", "Date")
# what the library's parser of heads raises on broken ones
STUMBLES = (ValueError, LookupError, AttributeError, TypeError, RecursionError, email.errors.MessageError)
MOST_PROPERTIES = 10_000
LARGEST_RTF = 50_000_000  # bytes of a mail's body


@dataclass
class Letter:
    """What both formats come to: what it says as (whether it is HTML, the words), in the order in which it is read.

    `carried` are pictures that the HTML names, `files` the attachments.
    """

    subject: str = ""
    heads: dict[str, str] = field(default_factory=dict)
    said: list[tuple[bool, str]] = field(default_factory=list)
    rich: Rich | None = None
    carried: dict[str, bytes] = field(default_factory=dict)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)


@transform(".eml -> document", name="read-mail", loses=["layout"], needs=["lxml"], extra="documents")
def read_mail(path: Path, ctx: Context) -> Document:
    """Read a mail as mail programs save it (RFC 5322 and MIME).

    Raises MislabelledInput where it has no head of a mail, SilentInput where it says nothing.
    """
    data = read_bytes(path)
    message = email.message_from_bytes(data, _class=EmailMessage, policy=email.policy.default)
    known = {name.lower() for name in (*HEADS, "Subject", "Received")}
    if not isinstance(message, EmailMessage) or not known & {name.lower() for name, _ in message.raw_items()}:
        looks = name_bytes(data[:512]) or "something else"
        raise MislabelledInput(f"{path.name!r} is {looks}, not a mail", "Give it its right suffix")
    try:
        letter = _opened(message, 0)
    except STUMBLES as error:
        raise DamagedInput(f"{path.name!r} is no whole mail ({reason(error)})", "Save it again") from None
    return _set(letter, path, ctx)


@transform(
    ".msg -> document",
    name="read-outlook",
    loses=["layout"],
    needs=["olefile", "lxml", "compressed_rtf"],
    extra="documents",
)
def read_outlook(path: Path, ctx: Context) -> Document:
    """Read a mail that Outlook saved.

    Raises MislabelledInput, DamagedInput, SilentInput where it says nothing.
    """
    import olefile

    data = read_bytes(path)
    if not data.startswith(OLE):
        looks = name_bytes(data[:512]) or "something else"
        raise MislabelledInput(f"{path.name!r} is {looks}, not an Outlook message", "Give it its right suffix")
    try:
        with olefile.OleFileIO(data) as file:
            if not any(str(name[-1]).startswith("__substg1.0_") for name in file.listdir()):
                raise MislabelledInput(f"{path.name!r} is an old Office file, not a message", "Give it its suffix")
            return _set(_unpacked(file, [], 0), path, ctx)
    except (OSError, ValueError, IndexError, TypeError, OverflowError) as error:
        raise DamagedInput(f"{path.name!r} is truncated or damaged ({reason(error)})", "Save it again") from None


def _set(letter: Letter, path: Path, ctx: Context) -> Document:
    album, body = Album(), make(None, "body")
    _add(letter, body, album, 1)
    document = finish(
        body,
        album,
        title=letter.subject,
        metadata={"author": letter.heads.get("From", ""), "created": letter.heads.get("Date", "")},
    )
    if not document.html:
        raise SilentInput(f"{path.name!r} says nothing", "Look at it in a mail program")
    ctx.note("attachments", len(letter.files))
    return document


def _add(letter: Letter, parent: Element, album: Album, level: int) -> None:
    make(parent, f"h{min(level, 6)}", letter.subject)
    heads = [(name, value) for name, value in letter.heads.items() if value]
    line = make(parent, "p")
    for number, (name, value) in enumerate(heads):
        if number:
            make(line, "br")
        make(line, "strong", f"{name}:")
        say(line, f" {value}")
    if letter.rich is not None:
        _add_rich(letter.rich, make(parent, "div"), album)
    for is_page, words in letter.said:
        if is_page:
            source = CONTENT.sub(r"\1carried/", words)
            graze(source, make(parent, "div"), album, lambda name: letter.carried.get(name[8:]))
        else:
            prose(parent, words)
    if letter.files:
        make(parent, f"h{min(level + 1, 6)}", "Attachments")
        items = make(parent, "ul")
        for name, data in letter.files:
            item = make(items, "li", f"{name} ({len(data):,} bytes)")
            if is_picture(data):
                picture(make(item, "div"), album.add(data, name), name)
    for inner in letter.letters:
        _add(inner, make(parent, "section"), album, level + 1)


def _add_rich(rich: Rich, parent: Element, album: Album) -> None:
    for image in rich.body.iter("img"):
        name = image.get("src", "")
        image.set("src", album.add(rich.album.pictures[name], name))
    parent.extend(list(rich.body))


def _opened(message: EmailMessage, depth: int) -> Letter:
    letter = Letter(_said(message, "Subject"), {name: _said(message, name) for name in HEADS})
    for part in _leaves(message, 0):
        kind, name = part.get_content_type(), part.get_filename() or ""
        if kind == "message/rfc822":
            inner = part.get_payload()
            inner = inner[0] if isinstance(inner, list) and inner else inner
            if isinstance(inner, EmailMessage) and depth < DEEPEST:
                letter.letters.append(_opened(inner, depth + 1))
            continue
        data = _payload(part)
        if _is_shown(part):
            words = _decoded(data, part)
            letter.said += [(kind == "text/html", words)] if words.strip() else []
        else:
            identity = _said(part, "Content-ID").strip().strip("<>")
            if identity and kind.startswith("image/"):
                letter.carried[identity] = data
            else:
                letter.files.append((name or kind, data))
    return letter


def _is_shown(part: EmailMessage) -> bool:
    attached = part.get_content_disposition() == "attachment" or bool(part.get_filename())
    return not attached and part.get_content_maintype() == "text"


def _leaves(message: EmailMessage, depth: int) -> list[EmailMessage]:
    """Parts that are no containers; a mail in a mail is one part. Of alternatives to a page its plain words go."""
    if depth > 30 or not message.is_multipart() or message.get_content_type() == "message/rfc822":
        return [message]
    parts = message.get_payload()
    inner = [each for each in parts if isinstance(each, EmailMessage)] if isinstance(parts, list) else []
    found = [leaf for each in inner for leaf in _leaves(each, depth + 1)]
    pages = [each for each in found if each.get_content_type() == "text/html" and _is_shown(each)]
    if message.get_content_type() == "multipart/alternative" and any(_payload(each).strip() for each in pages):
        return [each for each in found if not _is_shown(each) or each in pages]
    return found


def _payload(part: EmailMessage) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _decoded(data: bytes, part: EmailMessage) -> str:
    charset = part.get_content_charset() or "utf-8"
    for name in (charset, "utf-8", "cp1252"):
        try:
            return data.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return data.decode("utf-8", "replace")


def _said(message: EmailMessage, name: str) -> str:
    """A head as words; broken ones are common, and the library stumbles over some."""
    try:
        return " ".join(str(message.get(name) or "").split())
    except STUMBLES:
        return " ".join(
            next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "").split()
        )


def _unpacked(file: olefile.OleFileIO, place: list[str], depth: int) -> Letter:
    """A message in a compound file: each property is a stream named by its number and type ([MS-OXMSG])."""
    codes = _fixed(file, place)
    encoding = f"cp{codes.get(0x3FFD, codes.get(0x3FDE, 1252))}"
    encoding = {"cp65001": "utf-8", "cp28591": "latin-1"}.get(encoding, encoding)

    def text(number: int, where: list[str] = place) -> str:
        wide = _stream(file, [*where, f"__substg1.0_{number:04X}001F"])
        if wide:
            return wide.decode("utf-16-le", "replace").rstrip("\0")
        narrow = _stream(file, [*where, f"__substg1.0_{number:04X}001E"])
        return _narrow(narrow, encoding)

    sender = " ".join(part for part in (text(0x0C1A), f"<{text(0x5D01) or text(0x0C1F)}>") if part.strip("<>"))
    heads = {"From": sender, "To": text(0x0E04), "Cc": text(0x0E03), "Date": _time(codes)}
    page = _stream(file, [*place, "__substg1.0_10130102"])
    html = text(0x1013) or _narrow(page, encoding if not page.startswith(b"\xef\xbb\xbf") else "utf-8-sig")
    letter = Letter(text(0x0037), heads)
    packed = _stream(file, [*place, "__substg1.0_10090102"])
    if packed and not html.strip():
        letter.rich = _unpressed(packed)
        html = letter.rich.html if letter.rich else ""
    if letter.rich is not None and (html or not "".join(letter.rich.body.itertext()).strip()):
        letter.rich = None
    if letter.rich is None:
        letter.said = [(bool(html.strip()), html if html.strip() else text(0x1000))]
    inside = {tuple(name[: len(place) + 1]) for name in file.listdir() if name[: len(place)] == place}
    for name in sorted(each[-1] for each in inside if each[-1].startswith("__attach_version1.0_")):
        where = [*place, name]
        title = text(0x3707, where) or text(0x3704, where) or "attachment"
        nested = [*where, "__substg1.0_3701000D"]
        if file.exists([*nested, "__properties_version1.0"]) and depth < DEEPEST:
            letter.letters.append(_unpacked(file, nested, depth + 1))
            continue
        data, identity = _stream(file, [*where, "__substg1.0_37010102"]), text(0x3712, where)
        if identity and is_picture(data) and f"cid:{identity}" in html:
            letter.carried[identity] = data
        else:
            letter.files.append((title, data))
    return letter


def _unpressed(packed: bytes) -> Rich | None:
    """The body in compressed RTF ([MS-OXRTFCP]); None where it is damaged or too large."""
    import compressed_rtf  # type: ignore[import-untyped]

    if int.from_bytes(packed[4:8], "little") > LARGEST_RTF:
        return None
    try:
        return read_rtf(compressed_rtf.decompress(packed))
    except Exception:  # the library raises Exception itself for what is damaged
        return None


def _stream(file: olefile.OleFileIO, name: list[str]) -> bytes:
    if not file.exists(name) or file.get_type(name) != 2:  # 2: a stream
        return b""
    with file.openstream(name) as stream:
        data: bytes = stream.read()
        return data


def _narrow(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding, "replace").rstrip("\0")
    except LookupError:
        return data.decode("cp1252", "replace").rstrip("\0")


def _fixed(file: olefile.OleFileIO, place: list[str]) -> dict[int, int]:
    """Properties of fixed size by number, as whole numbers: 16 bytes each after a head of 32 (24 in a mail inside)."""
    data = _stream(file, [*place, "__properties_version1.0"])
    start = 24 if place else 32
    found: dict[int, int] = {}
    for at in range(start, min(len(data), start + 16 * MOST_PROPERTIES) - 15, 16):
        kind = int.from_bytes(data[at : at + 2], "little")
        size = {0x0003: 4, 0x0040: 8}.get(kind, 0)  # a whole number, a time
        if size:
            found[int.from_bytes(data[at + 2 : at + 4], "little")] = int.from_bytes(
                data[at + 8 : at + 8 + size], "little"
            )
    return found


def _time(codes: dict[int, int]) -> str:
    """When it was sent or came: tenths of microseconds since 1601."""
    ticks = codes.get(0x0039) or codes.get(0x0E06) or 0
    if not 0 < ticks < 2**60:
        return ""
    when = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
    return when.strftime("%Y-%m-%d %H:%M UTC")
