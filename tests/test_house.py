"""The rules of the house: who imports whom, how large the centre is, what a start may load, what is public."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

import transpose
from transpose.core import errors
from transpose.core.catalog import Catalog
from transpose.core.kind import ASPECTS, KINDS
from transpose.index import load_catalog
from transpose.testing import FAKES

SOURCE = Path(transpose.__file__).parent
# a room may import itself and the rooms to its left; leaves never import one another
ORDER = ("core", "media", "formats models", "testing", "transforms adapters evaluate learn", "front", "cli")
CORE_LINES = 1500
START = {"__future__", "_ast", "argparse", "gettext", "locale", "transpose", "transpose.cli", "transpose.cli.convert"}


def room(module: str) -> str:
    """`core` of `transpose.core.plan`; modules beside the rooms (session, given, ...) are the front."""
    parts = module.split(".")
    if module == "transpose.__main__":
        return "cli"
    return parts[1] if len(parts) > 1 and (SOURCE / parts[1]).is_dir() else "front"


def imports(path: Path) -> set[str]:
    """Modules of ours that a file imports, also inside functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    found |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return {name for name in found if name.startswith("transpose.")}


def level(name: str) -> int:
    return next(number for number, rooms in enumerate(ORDER) if name in rooms.split())


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_one_way(path: Path) -> None:
    own = ".".join(("transpose", *path.relative_to(SOURCE).with_suffix("").parts))
    for name in imports(path):
        theirs, ours = room(name), room(own)
        if theirs == ours:
            leaf = ours in ("formats", "transforms", "adapters")
            assert not leaf or name == own, f"{own} is a leaf and imports its neighbour {name}"
        else:
            assert level(theirs) < level(ours), f"{own} imports {name}"


def test_the_rule_can_fail() -> None:
    """Negative control: the front stands above the centre."""
    assert level(room("transpose.session")) > level(room("transpose.core.plan"))
    assert room("transpose.formats.sound") == "formats"


def code_lines(source: str) -> int:
    """Lines with code: no blanks, comments or docstrings."""
    tree = ast.parse(source)
    prose: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            prose |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    rows: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in layout:
            rows |= set(range(token.start[0], token.end[0] + 1))
    return len(rows - prose)


def test_the_centre_is_small() -> None:
    assert sum(code_lines(path.read_text(encoding="utf-8")) for path in (SOURCE / "core").glob("*.py")) <= CORE_LINES


def test_rooms_are_small() -> None:
    for path in SOURCE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert source.count("\n") <= 400, path
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 80, f"{path}: {node.name}"


def loaded_by(code: str) -> set[str]:
    """Modules that a fresh interpreter has after running code, beside those it starts with."""
    probe = f"import sys\nbefore = set(sys.modules)\n{code}\nprint('\\n'.join(sorted(set(sys.modules) - before)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(done.stdout.split("\n")) - {""}


def test_help_loads_next_to_nothing() -> None:
    code = "from transpose.cli import main\nkept, sys.stdout = sys.stdout, open('/dev/null', 'w')\n"
    code += "try:\n    main(['--help'])\nexcept SystemExit:\n    sys.stdout = kept\n"
    loaded = loaded_by(code)
    heavy = {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names | {"transpose"}}
    assert not heavy
    ours = {name for name in loaded if name.startswith("transpose")}
    assert ours <= START
    slow = {"dataclasses", "inspect", "json", "tempfile", "typing", "subprocess", "asyncio", "logging", "pathlib"}
    assert not loaded & slow


def test_planning_loads_no_leaf(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    code = f"from transpose.cli import main\nmain(['plan', {str(tmp_path / 'a.txt')!r}, 'b.mp3', '-q', '--json'])\n"
    loaded_by(code)  # makes the index where it is stale
    loaded = loaded_by(code)
    assert not {name for name in loaded if name.startswith(("transpose.formats.", "transpose.transforms."))}
    assert not loaded & {"numpy", "onnxruntime", "av", "PIL", "pip"}


def test_importing_the_library_is_light_and_lazy() -> None:
    assert {name for name in loaded_by("import transpose") if name.startswith("transpose")} == {"transpose"}


def test_public_names() -> None:
    assert transpose.__all__ == sorted(transpose.__all__)
    assert len(transpose.__all__) <= 12
    for name in transpose.__all__:
        assert getattr(transpose, name) is not None
    with pytest.raises(AttributeError):
        transpose.no_such_name  # noqa: B018


def test_errors_have_their_own_codes() -> None:
    tree = [
        each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.TransposeError)
    ]
    codes = [each.exit_code for each in tree]
    assert len(set(codes)) == len(codes) > 20
    drawn = errors.__doc__ or ""
    for each in tree:
        assert f"{each.__name__:<10}".split()[0] in drawn
        assert str(each.exit_code) in drawn


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return load_catalog(tmp_path_factory.mktemp("home"))


def test_every_transform_keeps_the_contract(catalog: Catalog) -> None:
    for item in [*catalog, *FAKES]:
        assert item.doc, f"{item.name} has no docstring"
        assert item.doc.partition("\n")[0].endswith("."), f"{item.name}: a docstring begins with a sentence"
        assert set(item.loses) <= ASPECTS
        assert item.name.replace("-", "").isalnum()
        assert item.name.islower()
        for option in item.options:
            assert option.doc, f"{item.name} -o {option.name} has no help"
            assert option.default is None or option.parse(option.default) == option.default
        for slot in item.slots:
            assert all(node.is_format or node.name in KINDS for node in slot.nodes)
        if item.models and item.where.startswith("transpose."):
            assert item.name in catalog.scores, f"{item.name} has no score"
            assert {"metric", "value", "quality", "data", "date", "seconds"} <= set(catalog.scores[item.name])


def test_what_draws_at_random_says_so(catalog: Catalog) -> None:
    """Else the cache would give the same for every seed, and no history could tell which one it was."""
    for item in catalog:
        module = item.where.partition(":")[0]
        path = SOURCE.parent / f"{module.replace('.', '/')}.py"
        seeded = path.exists() and "ctx.seed" in path.read_text(encoding="utf-8")
        assert not item.deterministic or not (seeded or (item.invents and item.synthetic)), item.name


def test_the_index_gives_back_what_was_declared(catalog: Catalog) -> None:
    from importlib import import_module

    for item in catalog:
        if item.where.startswith("transpose."):
            module, _, attribute = item.where.partition(":")
            declared = getattr(import_module(module), attribute)
            assert declared.slots == item.slots
            assert declared.options == item.options
            assert declared.targets == item.targets
