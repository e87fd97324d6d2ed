"""Round trips through files: what a value is like after it was written in a format and read again.

Every suffix that can be both written from and read into one modality makes one; nothing has to be listed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from transpose.core.catalog import Catalog, missing_modules
from transpose.core.context import Context, Many
from transpose.core.errors import MissingPackage, TransposeError
from transpose.core.transform import Transform
from transpose.evaluate.likeness import LIKENESS
from transpose.evaluate.samples import FILES, SAMPLES, timed


@dataclass(frozen=True, slots=True)
class Trip:
    """One way out and back, with what it gave; `failed` says why there is no value."""

    suffix: str
    modality: str
    writer: str
    reader: str
    metric: str = ""
    value: float = 0.0
    quality: float = 0.0
    seconds: float = 0.0
    failed: str = ""


def round_trips(catalog: Catalog, ctx: Context, only: str = "") -> Iterator[Trip]:
    """Every round trip that is possible here, in the order of modalities and suffixes; `only` names one of either."""
    for trip, writer, reader in sorted(_possible(catalog), key=lambda each: (each[0].modality, each[0].suffix)):
        if only in ("", trip.modality, trip.suffix, trip.writer, trip.reader):
            yield _run(trip, writer, reader, ctx, catalog)


def _possible(catalog: Catalog) -> Iterator[tuple[Trip, Transform, Transform]]:
    for writer in catalog:
        if not writer.writes or missing_modules(writer) or len(writer.slots) > 1:
            continue
        modality = writer.slots[0].nodes[0].modality
        if modality not in LIKENESS:
            continue
        for target in writer.targets:
            readers = [t for t in catalog if _reads(t, target.name, modality)]
            for reader in sorted(readers, key=lambda t: t.name)[:1]:
                yield Trip(target.name, modality, writer.name, reader.name), writer, reader


def _reads(item: Transform, suffix: str, modality: str) -> bool:
    named = any(node.name == suffix for node in item.slots[0].nodes)
    return named and item.targets[0].modality == modality and not missing_modules(item)


def _run(trip: Trip, writer: Transform, reader: Transform, ctx: Context, catalog: Catalog) -> Trip:
    def call(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """A recipe's steps, run here."""
        return catalog[name].function(*values, ctx, **options)

    ctx = replace(ctx, runner=call)
    with tempfile.TemporaryDirectory(prefix="transpose-eval-") as folder:
        path = Path(folder) / f"sample{trip.suffix}"
        try:
            given = _sample(trip.modality, writer, ctx, catalog, Path(folder))
            begin = time.perf_counter()
            many = writer.slots[0].nodes[0].many
            writer.function(Many(lambda: [given], 1) if many else given, path, ctx)
            back = reader.function(path, ctx)
            spent = time.perf_counter() - begin
            back = next(iter(back)) if isinstance(back, Many) else back
            found = LIKENESS[trip.modality](given, back)
        except TransposeError as error:
            why = "packages are missing" if isinstance(error, MissingPackage) else error.message
            return replace(trip, failed=why)
    value = round(found.value, 4)
    return replace(trip, metric=found.metric, value=value, quality=round(found.quality, 3), seconds=round(spent, 4))


def _sample(modality: str, writer: Transform, ctx: Context, catalog: Catalog, folder: Path) -> Any:
    if modality in FILES:
        suffix, content = FILES[modality]
        source = folder / f"given{suffix}"
        source.write_text(content, encoding="utf-8")
        reader = next(t for t in catalog if _reads(t, suffix, modality))
        read = reader.function(source, ctx)
        return next(iter(read)) if isinstance(read, Many) else read
    if modality == "text" and any(node.facet("timed") for node in writer.slots[0].nodes):
        return timed()
    return SAMPLES[modality]()
