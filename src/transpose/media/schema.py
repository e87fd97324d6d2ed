"""The JSON files of ours: which key says what they hold, and how they are opened.

One suffix, several meanings: a `.json` holds a text or embeddings, where the key `schema` says so, and is read as a
table otherwise. A reader that meets another one says which it is.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, MislabelledInput
from transpose.media.encoding import read_characters

TEXT_SCHEMA = "transpose.text/1"
VECTORS_SCHEMA = "transpose.embeddings/1"
HOLDS = {TEXT_SCHEMA: "text", VECTORS_SCHEMA: "embedding"}  # schema -> modality


def read_schema(path: Path, ctx: Context, wanted: str) -> dict[str, object]:
    """The fields of a JSON file of the schema `wanted`.

    Raises DamagedInput (no JSON), MislabelledInput (JSON of another schema or of none) and what `read_characters` does.
    """
    try:
        raw = json.loads(read_characters(path, ctx))
    except (ValueError, RecursionError) as error:
        said = "nested too deep" if isinstance(error, RecursionError) else str(error)
        hint = "Rename it to .txt to read it as it stands"
        raise DamagedInput(f"{path.name!r} is not valid JSON: {said}", hint) from None
    found = raw.get("schema") if isinstance(raw, dict) else None
    if found == wanted and isinstance(raw, dict):
        return raw
    if isinstance(found, str) and found in HOLDS:
        raise MislabelledInput(f"{path.name!r} holds {HOLDS[found]}, not {HOLDS[wanted]}", f"Add --from {HOLDS[found]}")
    hint = "Rename it to .txt to read it as it stands"
    raise MislabelledInput(f"{path.name!r} is JSON, but not of the schema {wanted!r}", hint)


def held(path: Path) -> str:
    """The modality that a `.json` file holds: what the key `schema` in its first kilobyte says, else a table."""
    with path.open("rb") as file:
        start = file.read(1024).decode("utf-8", "ignore")
    found = re.search(r'"schema"\s*:\s*"([^"]+)"', start)
    return HOLDS.get(found[1], "table") if found else "table"
