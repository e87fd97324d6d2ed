"""Outlines and manuals of programs."""

from __future__ import annotations

import pytest

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, SilentInput
from transpose.media.definitions import Definition, definitions, first_sentence
from transpose.media.text import Text
from transpose.transforms.code_docs import docs, page
from transpose.transforms.code_outline import outline_code

PYTHON = '''"""Shapes, and what they cover. More on that later."""
import math
if True:
    def area(r: float, *, exact: bool = False) -> float:
        """The area of a circle.

        Args:
            r: radius, in metres;
                never negative
            exact (bool): with all digits

        Returns:
            square metres

        >>> area(0)
        0.0
        """
        def inner(): ...
        return math.pi * r ** 2

class Square(object, metaclass=type):
    """A square e.g. one with four sides. It is not round."""
    side: float = 1.0
    _hidden: int = 0
    async def grow(self, by=2): "Grow."
    def __len__(self): return 4
    def _secret(self): pass
'''
OTHERS: dict[str, tuple[str, list[tuple[str, int, str]]]] = {
    "javascript": (
        (
            "// Adds.\n"
            "function add(a, b) {\n"
            "  function inner() {}\n"
            "  return 'function no() {' + a;\n"
            "}\n"
            "/** A box. */\n"
            "export class Box extends Thing {\n"
            "  put(x) {\n"
            "    if (x) { this.x = x; }\n"
            "  }\n"
            "}\n"
            "const twice = (x) => 2 * x;\n"
        ),
        [
            ("function add(a, b)", 0, "Adds."),
            ("export class Box extends Thing", 0, "A box."),
            ("put(x)", 1, ""),
            ("const twice = (x)", 0, ""),
        ],
    ),
    "go": (
        (
            "package x\n"
            "\n"
            "// Box holds things.\n"
            "type Box struct {\n"
            "\tn int\n"
            "}\n"
            "\n"
            "// Put puts.\n"
            "func (b *Box) Put(n int) error {\n"
            "\treturn nil\n"
            "}\n"
        ),
        [("type Box struct", 0, "Box holds things."), ("func (b *Box) Put(n int) error", 0, "Put puts.")],
    ),
    "rust": (
        (
            "/// A point.\n"
            "#[derive(Debug)]\n"
            "pub struct Point { x: i32 }\n"
            "\n"
            "impl Point {\n"
            "    /// Makes one.\n"
            "    pub fn new(x: i32) -> Self {\n"
            "        Point { x }\n"
            "    }\n"
            "}\n"
        ),
        [("pub struct Point", 0, "A point."), ("impl Point", 0, ""), ("pub fn new(x: i32) -> Self", 1, "Makes one.")],
    ),
    "java": (
        (
            "package a;\n"
            "/**\n"
            " * A shop. It sells.\n"
            " * @author me\n"
            " */\n"
            "public class Shop {\n"
            "    int n = count(3);\n"
            "    public Shop() {\n"
            "        go();\n"
            "    }\n"
            "    /* Counts. */\n"
            "    static int count(int a) {\n"
            "        for (;;) { return a; }\n"
            "    }\n"
            "}\n"
        ),
        [("public class Shop", 0, "A shop."), ("public Shop()", 1, ""), ("static int count(int a)", 1, "Counts.")],
    ),
    "c": (
        (
            "#include <a.h>\n"
            "/* Twice. */\n"
            "static int twice(int a)\n"
            "{\n"
            "    if (a) { return 0; }\n"
            "    return 2 * a;\n"
            "}\n"
            "int later(int);\n"
            "struct point { int x; };\n"
        ),
        [("static int twice(int a)", 0, "Twice."), ("struct point", 0, "")],
    ),
    "cpp": (
        ("namespace shop {\nclass Box : public Base {\npublic:\n    int size() const { return 1; }\n};\n}\n"),
        [("namespace shop", 0, ""), ("class Box : public Base", 1, ""), ("int size() const", 2, "")],
    ),
    "ruby": (
        ("module Shop\n  # A box.\n  class Box < Base\n    def add(x)\n      @x = x\n    end\n  end\nend\n"),
        [("module Shop", 0, ""), ("class Box < Base", 1, "A box."), ("def add(x)", 2, "")],
    ),
    "bash": (("# Says hello.\nhello() {\n  echo 'no() {'\n}\n"), [("hello()", 0, "Says hello.")]),
}


@pytest.mark.parametrize("language", OTHERS)
def test_definitions_of_other_languages(language: str) -> None:
    source, expected = OTHERS[language]
    found = definitions(source, language, False)
    assert [(each.signature, each.depth, each.said) for each in found] == expected


def test_python_is_parsed() -> None:
    found = definitions(PYTHON, "python", False)
    assert found[0] == Definition(
        "def area(r: float, *, exact: bool=False) -> float", "function", 4, 0, "The area of a circle."
    )
    assert [each.signature.split("(")[0] for each in found] == [
        "def area", "class Square", "async def grow", "def __len__",
    ]  # fmt: skip
    assert len(definitions(PYTHON, "python", True)) == 5


def test_an_outline_is_a_nested_list() -> None:
    made = outline_code(Text(PYTHON), Context())
    assert made.markup == "markdown"
    assert made.text.startswith("Shapes, and what they cover.\n\n- `def area(")
    assert "\n  - `async def grow(self, by=2)` (line " in made.text
    assert "(line" not in outline_code(Text(PYTHON), Context(), lines=False).text


def test_what_has_no_outline_says_so() -> None:
    with pytest.raises(SilentInput, match="no outline of TOML here"):
        outline_code(Text('[a]\nb = "c"'), Context(), language="toml")
    with pytest.raises(SilentInput, match="defines nothing"):
        outline_code(Text("import os\nprint(os.name)"), Context(), language="python")
    with pytest.raises(SilentInput, match="only Python has docstrings"):
        docs(Text(OTHERS["go"][0]), Context())


@pytest.mark.parametrize(
    "broken",
    ["def f(:\n  pass", "print 'old'\ndef f(): pass", "x = " + "(" * 5000, "a\0b", "x = " + "-" * 200_000 + "1"],
)
def test_broken_python_is_one_clear_error(broken: str) -> None:
    with pytest.raises(DamagedInput, match="Python"):
        outline_code(Text(broken), Context(), language="python")


def test_docs_show_signatures_sections_and_examples() -> None:
    made = docs(Text(PYTHON), Context()).text
    assert made.startswith("# Shapes, and what they cover. More on that later.")
    assert "## area\n\n```python\ndef area(r: float, *, exact: bool=False) -> float\n```" in made
    assert "**Args**\n\n- `r`: radius, in metres; never negative\n- `exact (bool)`: with all digits" in made
    assert "```python\n>>> area(0)\n0.0\n```" in made
    assert "- `side: float = 1.0`" in made
    assert "_hidden" not in made
    assert "_secret" not in made
    assert "### grow" in made


def test_numpy_sections_become_lists() -> None:
    made = page(
        "Do it.\n\nParameters\n----------\nx : int\n    The thing.\ny\n    Another.\n\n"
        "Returns\n-------\nint\n    Twice."
    )
    assert (
        made == "Do it.\n\n**Parameters**\n\n- `x : int`: The thing.\n- `y`: Another.\n\n**Returns**\n\n- `int`: Twice."
    )


def test_first_sentences() -> None:
    assert first_sentence("Reads a file of ours. And more.") == "Reads a file of ours."
    assert first_sentence("One\ntwo\n\nthree") == "One two"
    assert first_sentence("") == ""
