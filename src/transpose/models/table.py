"""Strict reading of one TOML table: each key is asked for with its type and form; what is left over is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import PureWindowsPath

from transpose.core.errors import WeightsError


class Table:
    """A TOML table and the words to say where it stands."""

    def __init__(self, raw: Mapping[str, object], where: str) -> None:
        self.raw = raw
        self.where = where
        self._asked: set[str] = set()

    def error(self, what: str, hint: str = "") -> WeightsError:
        """An error that says in which table."""
        return WeightsError(f"{self.where}: {what}", hint)

    def text(self, key: str, default: str | None = None, *, form: re.Pattern[str] | None = None) -> str:
        """A text, not empty unless it has a default; `form` has to match all of it."""
        value = self._get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.error(f"{key!r} has to be a text, and is {value!r}")
        if form and value != default and not form.fullmatch(value):
            raise self.error(f"{key!r} does not have the right form: {value!r}")
        return value

    def number(self, key: str) -> int:
        """A whole number, zero or more."""
        value = self._get(key, None)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.error(f"{key!r} has to be a whole number, and is {value!r}")
        return value

    def words(self, key: str, *, least: int = 0) -> tuple[str, ...]:
        """A list of texts; empty where the key is missing, unless `least` says otherwise."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
            raise self.error(f"{key!r} has to be a list of texts, and is {value!r}")
        if len(value) < least:
            raise self.error(f"{key!r} has to list at least {least}")
        return tuple(value)

    def strings(self, key: str, *, form: re.Pattern[str] | None = None) -> dict[str, str]:
        """A table of texts that is not empty."""
        value = self._get(key, None)
        if (
            not isinstance(value, dict)
            or not value
            or not all(isinstance(text, str) and text for text in value.values())
        ):
            raise self.error(f"{key!r} has to be a table of texts, and is {value!r}")
        if bad := [text for text in value.values() if form and not form.fullmatch(text)]:
            raise self.error(f"{key!r} holds what does not have the right form: {bad[0]!r}")
        return {str(name): text for name, text in value.items()}

    def tables(self, key: str) -> list[Table]:
        """The tables of an array `[[key]]`; none where it is missing."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(f"{key!r} has to be an array of tables: [[{key}]]")
        return [Table(item, f"{self.where}, {key} {number}") for number, item in enumerate(value, 1)]

    def table(self, key: str) -> Table | None:
        """The table `[key]`, or None where it is missing."""
        value = self._get(key, {})
        if not isinstance(value, dict):
            raise self.error(f"{key!r} has to be a table: [{key}]")
        return Table(value, f"{self.where}, {key}") if value else None

    def end(self) -> None:
        """Raise WeightsError for a key that nobody asked for."""
        for key in self.raw:
            if key not in self._asked:
                near = get_close_matches(key, self._asked, 1)
                raise self.error(f"unknown key {key!r}", f"Did you mean {near[0]!r}?" if near else "")

    def _get(self, key: str, default: object) -> object:
        self._asked.add(key)
        if key not in self.raw and default is None:
            raise self.error(f"{key!r} is missing")
        return self.raw.get(key, default)


def relative(table: Table, path: str) -> str:
    """`path`, if it stays below its folder on every system; raises WeightsError."""
    parts = path.split("/")
    windows = PureWindowsPath(path)
    if "\\" in path or ":" in path or windows.is_absolute() or any(part in ("", ".", "..") for part in parts):
        raise table.error(f"{path!r} has to be a path below its folder, written with '/' and without '..'")
    if any(ord(letter) < 32 for letter in path) or parts[0].startswith(".verified"):
        raise table.error(f"{path!r} is no name for a file here")
    return path
