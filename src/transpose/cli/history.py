"""`transpose history FILE`: how a file was made, from the records here or from the file's own comment."""

from __future__ import annotations

import argparse
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

SCAN = 4 * 1024**2  # bytes looked at on both ends of a file


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `history` to the command line."""
    parser = subparsers.add_parser("history", description=__doc__, allow_abbrev=False)
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="print the record as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the record of a file."""
    from transpose.core.catalog import cache_home
    from transpose.core.errors import InputError
    from transpose.core.store import Store, hash_file
    from transpose.media.file import check_file

    path = Path(args.file)
    check_file(path)
    record = Store(cache_home()).history(hash_file(path)) or embedded(path)
    if record is None:
        raise InputError(
            f"nothing is known of how {args.file!r} was made", "It was not made here, and carries no record"
        )
    print(json.dumps(record, ensure_ascii=False) if args.json else tell(record))
    return 0


def embedded(path: Path) -> dict[str, Any] | None:
    """The record in a file's comment field, whichever field its format has: found by how it begins."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(SCAN)
        file.seek(max(0, size - SCAN))
        tail = file.read(SCAN)
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):  # ID3 and EXIF hold UTF-16
        for part in (head, tail, head[1:]):
            text = part.decode(encoding, "ignore")
            match = re.search(r'\{\s*"transpose"\s*:', text)
            if match:
                with suppress(ValueError):
                    return dict(json.JSONDecoder().raw_decode(text[match.start() :])[0])
    return None


def tell(record: dict[str, Any]) -> str:
    """A record for people."""
    lines = [f"made by Transpose {record.get('transpose', '?')}"]
    for each in record.get("inputs", []):
        name = repr(each["words"]) if "words" in each else each.get("name")
        lines.append(f"from {name} ({each.get('kind')}, sha256 {str(each.get('key'))[:12]}...)")
    for number, step in enumerate(record.get("steps", []), 1):
        lines.append(f"  {number}. {step.get('transform')} -> {step.get('output', 'many')}")
        for name in ("models", "options", "facts"):
            told = ", ".join(f"{key} {value}" for key, value in step.get(name, {}).items())
            lines += [f"     {name}: {told}"] if told else []
        lines += [f"     seed: {step['seed']}"] if "seed" in step else []
        lines += [f"     note: {warning}" for warning in step.get("warnings", [])]
        lines += ["     AI-made: synthetic"] if step.get("synthetic") else []
    return "\n".join(lines)
