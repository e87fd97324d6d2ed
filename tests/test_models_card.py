"""Cards are read strictly: what is unknown, of the wrong form, or leaves its folder is refused with a clear error."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_models_shop import COMMIT, card_text, put_card, sha256, source_text

from transpose.core.errors import WeightsError
from transpose.models.card import FOLDER, all_cards, find_card, read_card
from transpose.models.table import Table, relative

DATA = {"model.bin": b"weights"}
GOOD = card_text(
    "tiny", DATA, source_text("wheel", "tiny-data", "1.0", {"t/model.bin": "model.bin"}, f'sha256 = "{"a" * 64}"')
)


def _read(tmp_path: Path, text: str, name: str = "tiny") -> object:
    path = tmp_path / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return read_card(path)


def test_a_good_card_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(GOOD, encoding="utf-8")
    card = read_card(path)
    assert (card.name, card.size, card.upstream_hash, card.exact) == ("tiny", 7, "not compared", True)
    assert card.sources[0].parts[0].files == {"t/model.bin": "model.bin"}
    assert card.limit("model.bin") == 7


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('licence = "CC0-1.0"', 'licence = "CC0-1.0"\nlicense_note = ""', "unknown key 'license_note'"),
        ('licence = "CC0-1.0"', "", "'licence' is missing"),
        ('title = "Test tiny"', 'title = ""', "'title' has to be a text"),
        ('name = "tiny"', 'name = "other"', "is not that of its file"),
        ("size = 7", 'size = "7"', "whole number"),
        ("size = 7", "size = -7", "whole number"),
        (sha256(b"weights"), "XYZ", "right form"),
        ('path = "model.bin"', 'path = "../model.bin"', "without '..'"),
        ('path = "model.bin"', 'path = "/etc/passwd"', "without '..'"),
        ('path = "model.bin"', 'path = "C:/model.bin"', "without '..'"),
        ('path = "model.bin"', 'path = ".verified.json"', "no name for a file"),
        ('= "model.bin" }', '= "../../model.bin" }', "without '..'"),
        ('"t/model.bin" =', '"../t/model.bin" =', "without '..'"),
        ('= "model.bin" }', '= "other.bin" }', "does not give model.bin"),
        ('kind = "wheel"', 'kind = "sdist"', "no kind of source"),
        ('name = "tiny-data"', 'name = "tiny --index-url=http://evil"', "right form"),
        ('name = "tiny-data"', 'name = "-r"', "right form"),
        ('version = "1.0"', 'version = "1.0\\n--pre"', "right form"),
        ('version = "1.0"', 'version = ">=1.0"', "right form"),
        (f'sha256 = "{"a" * 64}"', "", "'sha256' is missing"),
        ('licence = "CC0-1.0"', 'licence = "CC0-1.0"\nconvert = "os:system"', "right form"),
        ('licence = "CC0-1.0"', "licence = ", "cannot read"),
    ],
)
def test_a_bad_card_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(WeightsError, match=says):
        _read(tmp_path, GOOD.replace(old, new, 1))


def test_a_hub_needs_a_commit_and_hashes(tmp_path: Path) -> None:
    good = card_text("tiny", DATA, source_text("hub", "who/tiny", COMMIT, {"model.bin": "model.bin"}))
    _read(tmp_path, good)
    with pytest.raises(WeightsError, match="right form"):
        _read(tmp_path, good.replace(COMMIT, "main"))
    convert = 'convert = "transpose.models.minilm:convert"'
    raw = card_text("tiny", DATA, source_text("hub", "who/tiny", COMMIT, {"raw.bin": "raw.bin"}), top=convert)
    with pytest.raises(WeightsError, match=r"needs hashes for raw\.bin"):
        _read(tmp_path, raw)


def test_npm_needs_integrity(tmp_path: Path) -> None:
    source = source_text("npm", "@who/tiny", "1.0.0", {"model.bin": "model.bin"}, f'integrity = "sha512-{"A" * 86}=="')
    _read(tmp_path, card_text("tiny", DATA, source))
    with pytest.raises(WeightsError, match="right form"):
        _read(tmp_path, card_text("tiny", DATA, source.replace("sha512-", "sha1-")))


def test_the_key_changes_with_any_file(tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    one.mkdir()
    two.mkdir()
    first, second = _read(one, GOOD), _read(two, GOOD.replace(sha256(b"weights"), sha256(b"other")))
    assert first.key != second.key  # type: ignore[attr-defined]


def test_unknown_names_and_names_that_are_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path))
    put_card(tmp_path, "tiny", GOOD)
    with pytest.raises(WeightsError, match="Did you mean 'tiny'"):
        find_card("tinny")
    for name in ("../cards/tiny", "/tiny", "cards/tiny", "", "."):
        with pytest.raises(WeightsError, match="no model called"):
            find_card(name)


def test_a_name_that_stands_twice_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path))
    put_card(tmp_path, "tiny", GOOD)
    put_card(tmp_path / "plugin", "tiny", GOOD)
    assert "tiny" in all_cards()
    with pytest.raises(WeightsError, match="two model cards"):
        find_card("tiny", [tmp_path / "plugin" / "cards"])


def test_a_plugin_may_convert_with_its_own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path / "home"))
    text = GOOD.replace('licence = "CC0-1.0"', 'licence = "CC0-1.0"\nconvert = "their.code:convert"')
    put_card(tmp_path, "tiny", text)
    assert find_card("tiny", [tmp_path / "cards"]).convert == "their.code:convert"


def test_every_card_of_the_package_is_right() -> None:
    for path in sorted(FOLDER.glob("*.toml")):
        card = read_card(path)
        assert card.sources, card.name
        assert card.licence, card.name


@given(st.text(st.sampled_from("ab./\\:\n"), max_size=12))
def test_no_path_leaves_its_folder(path: str) -> None:
    try:
        relative(Table({}, "test"), path)
    except WeightsError:
        return
    root = Path("/root/of/it")
    assert root in (root / path).parents
    assert ".." not in Path(path).parts
