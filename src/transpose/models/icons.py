"""Sets of icons: their drawings as SVG, found by code point, and the names and tags under which people look for them.

A set comes as one JSON file in Iconify's form (drawings by name, names by character). `convert` makes two files of it:
the drawings one after another, and where each one lies, so that opening a set reads an index and not 25 MB. Skin tones
are left out. Names, tags and short codes come from emojibase; `convert_names` keeps one entry an icon.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from transpose.core.errors import DamagedWeights

Style = Annotated[Literal["any", "noto", "fluent", "twemoji"], "whose icons: shaded, flat, or flat under CC BY"]
SET, CHARACTERS = "icons.json", "chars.json"  # as they come
BODIES, INDEX = "bodies.xml", "index.json"  # as they are kept
DATA, SHORT, NAMES = "data.json", "short.json", "names.json"
TONES = re.compile(r"1F3F[B-F]")
HINT = "Remove the model and pull it again"


@dataclass(frozen=True, slots=True)
class Icon:
    """One drawing: SVG elements without the outer one, and the box (left, top, width, height) that they fill."""

    code: str  # code points as in "1F34E" or "1F408-200D-2B1B"
    set: str  # name of the model card
    body: str
    box: tuple[float, float, float, float]
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Set:
    """What has to be said of a set of icons wherever one of them is shown."""

    card: str
    title: str
    licence: str
    source: str
    maker: str


SETS = {
    "noto": Set("icons-noto", "Noto Emoji", "Apache-2.0", "https://github.com/googlefonts/noto-emoji", "Google"),
    "fluent": Set(
        "icons-fluent", "Fluent Emoji Flat", "MIT", "https://github.com/microsoft/fluentui-emoji", "Microsoft"
    ),
    "twemoji": Set(
        "icons-twemoji", "Twemoji", "CC-BY-4.0", "https://github.com/jdecked/twemoji", "Twitter and contributors"
    ),
}


class Icons:
    """An opened set; drawings are read when asked for."""

    def __init__(self, folder: Path, card: str) -> None:
        self.folder = folder
        self.card = card
        try:
            self.index: dict[str, list[float]] = json.loads((folder / INDEX).read_bytes())
        except ValueError as error:
            raise DamagedWeights(f"{INDEX!r} of {card!r} is not JSON", HINT) from error

    def __contains__(self, code: str) -> bool:
        return code in self.index

    def read(self, code: str) -> Icon:
        """The drawing of one code point or sequence; raises KeyError where the set has none."""
        start, size, left, top, width, height, mirrored = self.index[code]
        with (self.folder / BODIES).open("rb") as file:
            file.seek(int(start))
            body = file.read(int(size)).decode()
        return Icon(code, self.card, body, (left, top, width, height), bool(mirrored))


def convert(folder: Path) -> None:
    """Write `bodies.xml` and `index.json` for `icons.json` and `chars.json`; the same bytes every time."""
    found = json.loads((folder / SET).read_bytes())
    drawn = found["icons"]
    whole = [found.get(key, default) for key, default in (("left", 0), ("top", 0), ("width", 16), ("height", 16))]
    index: dict[str, list[float]] = {}
    places: dict[str, tuple[int, int]] = {}
    with (folder / BODIES).open("wb") as out:
        for character, name in sorted(json.loads((folder / CHARACTERS).read_bytes()).items()):
            code = _plain(character)
            parent, mirrored = _parent(name, found.get("aliases", {}))
            if TONES.search(code) or parent not in drawn:
                continue
            if parent not in places:
                data = drawn[parent]["body"].encode()
                places[parent] = out.tell(), out.write(data)
            box = [
                drawn[parent].get(key, value)
                for key, value in zip(("left", "top", "width", "height"), whole, strict=True)
            ]
            index[code] = [*places[parent], *box, int(mirrored)]
    (folder / INDEX).write_text(json.dumps(index, sort_keys=True, separators=(",", ":")), encoding="utf-8")


def _parent(name: str, aliases: Mapping[str, Mapping[str, object]]) -> tuple[str, bool]:
    """The drawing that a name stands for, and whether it is turned left to right."""
    mirrored = False
    for _ in range(8):
        if name not in aliases:
            break
        mirrored ^= bool(aliases[name].get("hFlip"))
        name = str(aliases[name]["parent"])
    return name, mirrored


def _plain(code: str) -> str:
    """Code points in capitals, without the selector that asks for the coloured form."""
    return "-".join(part for part in code.upper().split("-") if part != "FE0F")


# -- names -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One icon as people name it: `tags` go with it, `aliases` are other names; a `kind` is such as "animal-bird"."""

    code: str
    label: str
    tags: tuple[str, ...]
    aliases: tuple[str, ...]
    kind: str


class Names:
    """Every entry, in the order of Unicode's own list; `words` lists entries by each word that names or tags them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            rows = json.loads((folder / NAMES).read_bytes())
        except ValueError as error:
            raise DamagedWeights(f"{NAMES!r} is not JSON", HINT) from error
        self.entries = [Entry(row[0], row[1], tuple(row[2]), tuple(row[3]), row[4]) for row in rows]

    @cached_property
    def phrases(self) -> dict[str, list[int]]:
        """Numbers of the entries that have exactly this label or alias, labels first."""
        found: dict[str, list[int]] = {}
        for number, entry in enumerate(self.entries):
            found.setdefault(entry.label, []).insert(0, number)
        for number, entry in enumerate(self.entries):
            for alias in entry.aliases:
                if number not in found.setdefault(alias, []):
                    found[alias].append(number)
        return found

    @cached_property
    def tagged(self) -> dict[str, list[int]]:
        """Numbers of the entries with this tag, or with this word in label or alias."""
        found: dict[str, list[int]] = {}
        for number, entry in enumerate(self.entries):
            words = [word for name in (entry.label, *entry.aliases, *entry.tags) for word in (name, *name.split())]
            for word in dict.fromkeys(words):
                found.setdefault(word, []).append(number)
        return found


def convert_names(folder: Path) -> None:
    """Write `names.json`: code, label, tags, short codes as names, and kind of each icon; the same bytes every time."""
    short = json.loads((folder / SHORT).read_bytes())
    kinds = {each["order"]: each["key"] for each in json.loads((folder / "messages.json").read_bytes())["subgroups"]}
    rows = []
    for each in sorted(json.loads((folder / DATA).read_bytes()), key=lambda each: each.get("order", 0)):
        if "group" not in each or kinds[each["subgroup"]] in ("skin-tone", "hair-style"):
            continue
        codes = short.get(each["hexcode"], [])
        names = [plain_words(name) for name in ([codes] if isinstance(codes, str) else codes)]
        label = plain_words(each["label"])
        aliases = [name for name in dict.fromkeys(names) if name and name != label]
        tags = [tag for tag in dict.fromkeys(map(plain_words, each.get("tags", []))) if tag and tag != label]
        rows.append([_plain(each["hexcode"]), label, tags, aliases, kinds[each["subgroup"]]])
    (folder / NAMES).write_text(json.dumps(rows, separators=(",", ":")), encoding="utf-8")


def plain_words(name: str) -> str:
    """A name in small letters, its parts between single spaces."""
    name = name.lower().replace("’", "'").removeprefix("flag: ")
    return " ".join(re.findall(r"[^\W_]+(?:['-][^\W_]+)*", name))
