"""The package with the default models: what its cards say is there, byte for byte, and it stays small."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from transpose.models.card import Card, all_cards

ROOT = Path(__file__).parent.parent / "packages" / "transpose-weights" / "src"
LARGEST_MB = 40
CARDS = [
    card
    for card in all_cards(()).values()
    if any(part.name == "transpose-weights" for source in card.sources for part in source.parts)
]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_file_has_the_hash_on_its_card(card: Card) -> None:
    members = {ours: member for source in card.sources for part in source.parts for member, ours in part.files.items()}
    for file in card.files:
        if file.path in members:  # the others are made of these on the user's machine
            data = (ROOT / members[file.path]).read_bytes()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (file.size, file.sha256)


def test_nothing_else_lies_there_and_all_is_small() -> None:
    named = {member for card in CARDS for source in card.sources for part in source.parts for member in part.files}
    found = {path for path in ROOT.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {str(path.relative_to(ROOT)) for path in found} - {"transpose_weights/__init__.py"} == named
    assert sum(path.stat().st_size for path in found) < LARGEST_MB * 1e6
    assert {path.suffix for path in found} <= {".safetensors", ".onnx", ".json", ".py"}  # nothing pickled
