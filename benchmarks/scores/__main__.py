"""Measure transforms, and write what was found into `src/transpose/scores.json`.

`python -m benchmarks.scores [NAME...]`: each module of this folder that has a function `score(ctx)` measures one
transform, that of its name or of its constant TRANSFORM. One whose packages are not installed keeps its old score.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import transpose
from transpose.core.context import Context
from transpose.core.errors import MissingPackage
from transpose.models.pull import weights

TARGET = Path(transpose.__file__).with_name("scores.json")


def modules() -> list[str]:
    """Modules here that can measure."""
    found = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if not path.stem.startswith("_") and "def score(" in path.read_text(encoding="utf-8"):
            found.append(path.stem)
    return found


def main(names: list[str]) -> None:
    """Measure the named transforms, or all, one after the other; each result is kept as soon as it is there."""
    for name in names or modules():
        module = import_module(f"benchmarks.scores.{name}")
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = module.score(Context(weights=weights, folder=Path(folder), threads=1))
            except MissingPackage as error:
                print(f"{name}: not measured: {error}")
                continue
        known = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
        known[getattr(module, "TRANSFORM", name.replace("_", "-"))] = found
        text = json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False)
        TARGET.write_text(text + "\n", encoding="utf-8")
        print(name, json.dumps(found, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
