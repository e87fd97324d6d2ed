"""A text with all that is known about it, as JSON.

The schema, version 1; `cues` is empty where nothing is timed, times are seconds, a probability is 0 to 1:

    {"schema": "transpose.text/1", "text": "...", "lang": "en" or null, "markup": "plain" | "markdown" | "html",
     "name": "of the file it was read from", "cues": [{"start": 0.0, "end": 1.5, "text": "...",
               "words": [{"start": 0.0, "end": 0.4, "text": "...", "probability": 0.98}]}],
     "history": {...}}

`history` is written where there is one and not read. Another JSON file is an error that says what it is.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from transpose.core.context import Context
from transpose.core.errors import DamagedInput
from transpose.core.kind import MARKUPS
from transpose.core.transform import transform
from transpose.media.schema import TEXT_SCHEMA, read_schema
from transpose.media.text import Cue, Text, Word


@transform(".json -> text")
def read_json_text(path: Path, ctx: Context) -> Text:
    """Read a text that `write-json-text` wrote, with language, markup, cues and word times.

    Raises DamagedInput (broken JSON, or a field of the wrong type) and MislabelledInput (JSON of another schema).
    """
    fields = read_schema(path, ctx, TEXT_SCHEMA)
    try:
        cues = tuple(_cue(cue) for cue in _list(fields.get("cues", [])))
        markup, lang = fields.get("markup", "plain"), fields.get("lang")
        name = _clean(fields.get("name", ""))
        if markup not in MARKUPS or not isinstance(lang, str | None):
            raise ValueError("markup or lang is none that is known")
        return Text(_clean(fields["text"]), str(markup), lang, tuple(sorted(cues, key=lambda cue: cue.start)), name)
    except (KeyError, TypeError, ValueError) as error:
        hint = "The schema stands in the documentation of the format .json"
        raise DamagedInput(f"{path.name!r} does not keep to the schema {TEXT_SCHEMA!r}: {error}", hint) from None


@transform("text -> .json", default_kind="text")
def write_json_text(text: Text, path: Path, ctx: Context) -> None:
    """Write every field of a text, and the history, as JSON (schema in the module)."""
    fields: dict[str, object] = {"schema": TEXT_SCHEMA, **asdict(text)}
    if ctx.history:
        fields["history"] = json.loads(ctx.history)
    path.write_bytes((json.dumps(fields, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace"))


def _cue(raw: object) -> Cue:
    fields = _object(raw)
    words = tuple(_word(word) for word in _list(fields.get("words", [])))
    return Cue(_number(fields["start"]), _number(fields["end"]), _clean(fields["text"]), words)


def _word(raw: object) -> Word:
    fields = _object(raw)
    sure = _number(fields.get("probability", 1.0))
    return Word(_number(fields["start"]), _number(fields["end"]), _clean(fields["text"]), sure)


def _object(raw: object) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise TypeError(f"an object was expected, not {raw!r:.40}")
    return raw


def _list(raw: object) -> list[object]:
    if not isinstance(raw, list):
        raise TypeError(f"a list was expected, not {raw!r:.40}")
    return raw


def _number(raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw < float("inf"):
        raise TypeError(f"a number of 0 or more was expected, not {raw!r:.40}")
    return float(raw)


def _clean(raw: object) -> str:
    """Characters; a lone surrogate, which JSON can escape and no encoding can hold, becomes U+FFFD."""
    if not isinstance(raw, str):
        raise TypeError(f"characters were expected, not {raw!r:.40}")
    return raw.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
