"""Measure transforms, and write what was found into `src/transpose/scores.json`.

`python -m benchmarks.scores [NAME...]`: each module of this folder that has a function `score(ctx)` measures one
transform, that of its name or of its constant TRANSFORM; one that has a table MEASURES measures all that it lists. NAME
is a module or a transform. What packages are missing for keeps its old score.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path

import transpose
from benchmarks.scores.measuring import entry
from transpose.core.context import Context
from transpose.core.errors import MissingPackage
from transpose.models.pull import weights

TARGET = Path(transpose.__file__).with_name("scores.json")


def measures() -> Iterator[tuple[str, str, Callable[[Context], dict[str, object]]]]:
    """(module, transform, how it is measured) of everything here."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if path.stem.startswith("_") or ("def score(" not in text and "\nMEASURES" not in text):
            continue
        module = import_module(f"benchmarks.scores.{path.stem}")
        if hasattr(module, "score"):
            yield path.stem, getattr(module, "TRANSFORM", path.stem.replace("_", "-")), module.score
        for name, measure in getattr(module, "MEASURES", {}).items():
            yield path.stem, name, partial(entry, measure)


def main(names: list[str]) -> None:
    """Measure the named transforms, or all, each in a process of its own, so that its peak of memory is its own."""
    chosen = [each for each in measures() if not names or {each[0], each[1]} & set(names)]
    if len(chosen) > 1:
        for _, name, _ in chosen:
            subprocess.run([sys.executable, "-m", "benchmarks.scores", name], check=False)
        return
    for _, name, measure in chosen:
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = measure(Context(weights=weights, folder=Path(folder), threads=1))
            except MissingPackage as error:
                print(f"{name}: not measured: {error}")
                continue
        known = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
        known[name] = found
        text = json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False)
        TARGET.write_text(text + "\n", encoding="utf-8")
        print(name, json.dumps(found, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
