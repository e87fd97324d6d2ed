"""What has to be true of any file before it is opened."""

from __future__ import annotations

from pathlib import Path

from transpose.core.errors import EmptyInput, FolderInput, MissingInput


def check_file(path: Path) -> None:
    """Raise the error that fits where a path is not a file with bytes in it."""
    if path.is_dir():
        raise FolderInput(f"{str(path)!r} is a folder", "Name the files in it, as in: transpose folder/*.txt OUT")
    if not path.exists():
        raise MissingInput(f"there is no file {str(path)!r}", "If it is meant as text, add --text")
    if path.is_file() and path.stat().st_size == 0:
        raise EmptyInput(f"{str(path)!r} is empty", "Check how it was made or copied")


def reason(error: BaseException) -> str:
    """What a library says of a bad file, fit to stand inside a line of ours: one line, printable, no full stop."""
    said = str(error).strip().partition("\n")[0].strip() or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in said)[:150].rstrip(". ")
