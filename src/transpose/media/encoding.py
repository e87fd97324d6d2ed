"""Characters from bytes: which encoding a file is in is found and said, never silently guessed.

In this order: a byte order mark; strict UTF-8; what charset-normalizer finds, with a warning that names the encoding
and how sure it is. Bytes that are no text at all are an error that names what they look like.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from transpose.core.context import Context
from transpose.core.errors import (
    EmptyInput,
    FolderInput,
    HugeInput,
    InputError,
    MislabelledInput,
    MissingInput,
    MissingPackage,
    OptionError,
)

TIE = 0.02  # encodings whose measure of disorder differs by less fit alike
LARGEST = 256 * 2**20  # bytes of text; more would take several GB in memory
# UTF-32 first: its little-endian mark begins with that of UTF-16
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
MAGIC = (  # what is most often renamed to .txt by mistake, and binary by its first bytes
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "ZIP (also .docx, .xlsx, .epub)"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"RIFF", "RIFF (also .wav, .webp, .avi)"),
    (b"OggS", "Ogg"),
    (b"fLaC", "FLAC"),
    (b"ID3", "MP3"),
    (b"MThd", "MIDI"),
    (b"\x93NUMPY", "NumPy"),
    (b"\x1f\x8b", "gzip"),
    (b"{\\rtf", "RTF"),
    (b"\xd0\xcf\x11\xe0", "old Office (.doc, .xls)"),
    (b"\x7fELF", "program"),
)


def read_characters(path: Path, ctx: Context, encoding: str = "") -> str:
    """The characters of a text file, line ends as `\\n`, without byte order mark and without final line ends.

    `encoding` names it where the user knows; else it is found as the module says. Raises MissingInput, FolderInput,
    HugeInput (over 256 MiB), EmptyInput (no bytes or only white space), MislabelledInput (no text) and OptionError
    (no such encoding).
    """
    data = read_bytes(path)
    text = _named(data, encoding, path) if encoding else _found(data, path, ctx)
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    if not text.strip():
        raise EmptyInput(f"{path.name!r} holds only white space", "Give a file with text in it")
    return text


def read_bytes(path: Path, largest: int = LARGEST) -> bytes:
    """All bytes of a file that is neither missing, a folder, empty nor larger than `largest`."""
    try:
        size = path.stat().st_size
        if size > largest:
            hint = "Split it into smaller files"
            raise HugeInput(f"{path.name!r} has {size / 2**20:.0f} MB, more than {largest / 2**20:.0f}", hint)
        data = path.read_bytes()
    except FileNotFoundError:
        raise MissingInput(f"there is no file {path.name!r}", "Check the name") from None
    except IsADirectoryError:
        raise FolderInput(f"{path.name!r} is a folder", "Name a file in it") from None
    except OSError as error:
        raise InputError(f"{path.name!r} cannot be read: {error.strerror}") from error
    if not data:
        raise EmptyInput(f"{path.name!r} is empty", "Give a file with something in it")
    return data


def _named(data: bytes, encoding: str, path: Path) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise OptionError(f"there is no encoding {encoding!r}", "Try utf-8, cp1252 or shift_jis") from None
    except UnicodeDecodeError as error:
        where = f"byte {error.start} is none of its characters"
        raise MislabelledInput(f"{path.name!r} is not in {encoding}: {where}", "Leave -o encoding out") from None


def _found(data: bytes, path: Path, ctx: Context) -> str:
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _named(data, encoding, path)
    for magic, name in MAGIC:
        if data.startswith(magic):
            raise MislabelledInput(f"{path.name!r} is a {name} file, not text", "Rename it to what it is")
    if b"\0" in data:
        return _wide(data, path, ctx)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _guessed(data, path, ctx)


def _wide(data: bytes, path: Path, ctx: Context) -> str:
    """Text with zero bytes is UTF-16 without its mark, where nearly all zeros stand on one side; else no text."""
    zeros = [data[side::2].count(0) / max(1, len(data) // 2) for side in (0, 1)]
    if len(data) % 2 == 0 and max(zeros) > 0.3 and min(zeros) < 0.01:
        encoding = "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
        ctx.warn(f"{path.name!r} was read as {encoding}, because of where its zero bytes are")
        return _named(data, encoding, path)
    raise MislabelledInput(f"{path.name!r} holds zero bytes: it is not text", "Rename it to what it is")


def _guessed(data: bytes, path: Path, ctx: Context) -> str:
    try:
        from charset_normalizer import from_bytes
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "charset_normalizer":
            raise
        hint = "pip install charset-normalizer, or name it: -o encoding=cp1252"
        raise MissingPackage(f"{path.name!r} is not UTF-8, and charset-normalizer is not installed", hint) from None
    matches = [match for match in from_bytes(data) if not match.encoding.startswith(("utf_16", "utf_32"))]
    likely = [match for match in matches if match.chaos <= matches[0].chaos + TIE]
    names = [name for match in likely for name in (match.encoding, *match.could_be_from_charset)]
    # where Western and Central European fit alike, which is usual, Western is meant: the web's own default
    encoding = "cp1252" if "cp1252" in names else names[0] if names else ""
    text = _decoded(data, encoding)
    controls = sum((letter < " " and letter not in "\t\n\r\f") or "\x7f" <= letter < "\xa0" for letter in text)
    if not text or controls > 0.002 * len(text):
        hint = "If it is text, name its encoding: -o encoding=cp1252"
        raise MislabelledInput(f"{path.name!r} is not text in any known encoding", hint)
    others = [match.encoding for match in likely if match.encoding != encoding and str(match) != text]
    fits = f"{100 * (1 - likely[0].chaos):.0f} % sure" + (f", or else {' or '.join(others[:2])}" if others else "")
    ctx.warn(f"{path.name!r} is not UTF-8; it was read as {encoding} ({fits}): -o encoding=NAME if that is wrong")
    ctx.note("encoding", encoding)
    return text


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding) if encoding else ""
    except UnicodeDecodeError:  # charset-normalizer looks at samples of a long file only
        return ""
