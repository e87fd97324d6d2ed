"""Programs in files: read and written unchanged, languages told apart, pages and pictures in colours."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest

from transpose.core.context import Context
from transpose.core.errors import HugeInput, MislabelledInput, OptionError, SilentInput, TransformError
from transpose.formats.code_files import read_code, write_code, write_code_block
from transpose.media.program import LANGUAGES, LARGEST, by_content, language_of, pieces
from transpose.media.text import Text
from transpose.transforms.code_document import code_document
from transpose.transforms.draw_code import cells, draw_code, draw_code_pages, wrapped
from transpose.transforms.highlight import highlight

PYTHON = '''"""Say hello."""

import sys


def greet(name: str, times: int = 1) -> str:
    """Greet somebody & say so <loudly>."""
    return "\\n".join(f"Hello, {name}!" for _ in range(times))


if __name__ == "__main__":
    print(greet(sys.argv[1]))'''
PROGRAMS = {
    "python": PYTHON,
    "javascript": (
        "const fs = require('fs');\n"
        "\n"
        "function load(name) {\n"
        "  return fs.readFileSync(name) === null;\n"
        "}\n"
        "module.exports = { load };"
    ),
    "tsx": (
        "interface Person {\n"
        "  name: string;\n"
        "}\n"
        "\n"
        "export const greet = (who: Person): string => {\n"
        "  return who.name;\n"
        "};\n"
        "export type Id = number | string;"
    ),
    "c": (
        "#include <stdio.h>\n"
        "#define N 3\n"
        "\n"
        "static int twice(int a) {\n"
        "    return 2 * a;\n"
        "}\n"
        "\n"
        "int main(void) {\n"
        '    printf("%d\\n", twice(N));\n'
        "}"
    ),
    "cpp": (
        "#include <vector>\n"
        "\n"
        "namespace shop {\n"
        "template <typename T>\n"
        "class Box {\n"
        "public:\n"
        "    std::vector<T> all;\n"
        "};\n"
        "}"
    ),
    "rust": (
        "use std::fmt;\n"
        "\n"
        "#[derive(Debug)]\n"
        "pub struct Point { x: i32 }\n"
        "\n"
        "impl Point {\n"
        "    pub fn new() -> Self {\n"
        "        let mut p = Point { x: 0 };\n"
        '        println!("{:?}", p);\n'
        "        p\n"
        "    }\n"
        "}"
    ),
    "go": ('package main\n\nimport "fmt"\n\nfunc main() {\n\tx := 1\n\tfmt.Println(x)\n}'),
    "java": (
        "package org.shop;\n"
        "\n"
        "import java.util.List;\n"
        "\n"
        "public class Shop {\n"
        "    private final List<String> all;\n"
        "\n"
        "    @Override\n"
        "    public String toString() {\n"
        "        return all.toString();\n"
        "    }\n"
        "}"
    ),
    "ruby": (
        "require 'set'\n"
        "\n"
        "module Shop\n"
        "  class Box < Base\n"
        "    attr_reader :all\n"
        "\n"
        "    def add(thing)\n"
        "      @all << thing\n"
        "    end\n"
        "  end\n"
        "end"
    ),
    "bash": ('set -e\nfor f in *.txt; do\n  if [ -f "$f" ]; then\n    echo "$f"\n  fi\ndone'),
    "sql": (
        "CREATE TABLE people (\n"
        "  id INTEGER PRIMARY KEY,\n"
        "  name TEXT\n"
        ");\n"
        "SELECT name FROM people WHERE id > 3 ORDER BY name;"
    ),
    "css": ("body {\n  margin: 0;\n  color: #333;\n}\n\n@media print {\n  .no { display: none; }\n}"),
    "toml": ('[project]\nname = "shop"\nversion = "1"\ndependencies = ["a"]\n\n[tool.x]\ny = 3'),
    "yaml": ("---\nname: shop\non:\n  push:\n    branches: [main]\njobs:\n  - name: a\n    run: make"),
    "php": ("<?php\nnamespace App\\Shop;\n\nfunction twice($a) {\n    return 2 * $a;\n}"),
    "perl": (
        "use strict;\nuse warnings;\n\nmy @all = (1, 2);\nsub twice {\n    my $a = shift;\n    return $a =~ /x/;\n}"
    ),
    "diff": ("diff --git a/x b/x\nindex 1..2\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n+b"),
}


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_language_is_told_by_the_content(language: str) -> None:
    assert by_content(PROGRAMS[language]) == language


@pytest.mark.parametrize("words", ["", "Hello there.", "The quick brown fox jumps over the lazy dog. " * 9, "1 2 3"])
def test_prose_is_no_program(words: str) -> None:
    """Negative control: nothing is guessed where nothing tells it."""
    assert by_content(words) == ""
    with pytest.raises(SilentInput, match="which programming language"):
        language_of(Text(words), Context())


def test_a_first_line_tells_it() -> None:
    assert by_content("#!/usr/bin/env -S python3 -u\nx") == "python"
    assert by_content("#!/bin/sh\nx") == "bash"


def test_what_the_user_says_wins_and_is_checked() -> None:
    assert language_of(Text(PYTHON), Context(), "rb") == "ruby"
    with pytest.raises(OptionError, match="no programming language"):
        language_of(Text(PYTHON), Context(), "klingon")


def test_a_writer_knows_the_given_file() -> None:
    history = json.dumps({"inputs": [{"name": "x.go"}], "steps": []})
    assert language_of(Text("plain words"), Context(history=history)) == "go"


@pytest.mark.parametrize("language", PROGRAMS)
def test_pieces_give_the_text_back(language: str) -> None:
    text = "\n\n" + PROGRAMS[language] + "\n\n \t\n"
    assert "\n".join("".join(piece.text for piece in line) for line in pieces(text, language)) == text


@pytest.mark.parametrize("suffix", sorted(LANGUAGES))
def test_files_come_back_as_they_were(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(b"a = 1  \n\n\tb  # \xc3\xa9\n")
    again = tmp_path / f"y{suffix}"
    write_code(read_code(path, Context()), again, Context())
    assert again.read_bytes() == path.read_bytes()


def test_a_program_is_not_renamed(tmp_path: Path) -> None:
    ctx = Context(history=json.dumps({"inputs": [{"name": "x.py"}], "steps": []}))
    with pytest.raises(TransformError, match="Python, and .js is for JavaScript"):
        write_code(Text(PYTHON), tmp_path / "x.js", ctx)
    write_code(Text(PYTHON), tmp_path / "x.pyi", ctx)


def test_bytes_are_no_program(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(b"\x7fELF\0\0\0")
    with pytest.raises(MislabelledInput):
        read_code(path, Context())


def test_markdown_fences_are_longer_than_any_inside(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    write_code_block(Text(PYTHON + "\n# ````"), path, Context())
    lines = path.read_text().splitlines()
    assert lines[0] == "`````python"
    assert lines[-1] == "`````"


def test_a_page_holds_every_line_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.html"
    hostile = PYTHON + "\n# </code></pre><script>alert(1)</script> \x00"
    ctx = Context(history=json.dumps({"inputs": [{"name": "a<b>.py"}], "steps": []}))
    highlight(Text(hostile), path, ctx)
    page = path.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<title>a&lt;b&gt;.py</title>" in page
    assert "prefers-color-scheme: dark" in page
    shown = re.search(r"<code[^>]*>(.*)</code></pre>", page, re.DOTALL)
    assert shown
    words = html.unescape(re.sub(r"<[^>]+>", "", shown[1]))
    assert words.rstrip("\n") == hostile.replace("\0", "\ufffd")
    assert page.count('<span class="l"') == hostile.count("\n") + 1
    one = tmp_path / "y.html"
    highlight(Text(PYTHON), one, Context(), look="dark", numbers=False)
    assert "prefers-color-scheme" not in one.read_text()


def test_a_huge_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HugeInput):
        highlight(Text("x = 1\n" * (LARGEST // 6 + 1)), tmp_path / "x.html", Context(), language="python")


def test_a_slow_grammar_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transpose.media.program.SECONDS", 0.2)
    with pytest.raises(TransformError, match="colouring took over"):
        pieces(("a " * 200 + "\n") * 100, "java")


def test_a_picture_shows_lines_colours_and_numbers() -> None:
    with_numbers, without = draw_code(Text(PYTHON), Context()), draw_code(Text(PYTHON), Context(), numbers=False)
    assert with_numbers.width > without.width
    assert with_numbers.height == without.height
    dark = draw_code(Text(PYTHON), Context(), look="dark")
    assert dark.pixels.mean() < 60 < 200 < with_numbers.pixels.mean()
    assert len(np.unique(with_numbers.pixels.reshape(-1, 3), axis=0)) > 50
    blank = draw_code(Text("\n" * 12), Context(), language="python", numbers=False)
    assert len(np.unique(blank.pixels)) == 1


def test_a_long_program_is_cut_and_said_or_goes_on() -> None:
    text = Text("\n".join(f"x{number} = {number}" for number in range(200)))
    ctx = Context()
    draw_code(text, ctx, language="python")
    assert "ends at line 100 of 200" in ctx.warnings[0]
    many = draw_code_pages(text, Context(), language="python")
    pages = list(many)
    assert len(pages) == many.length == 5
    assert len({page.width for page in pages}) == 1
    with pytest.raises(OptionError, match="no line 201"):
        draw_code(text, Context(), language="python", start=201)


def test_long_lines_are_wrapped_and_nothing_is_lost() -> None:
    text = "\tvalue = '" + "wide 日本語 words " * 20 + "'\n" + "x" * 500
    rows = list(wrapped(pieces(text, "python"), 40, 1))
    assert max(sum(cells(piece.text) for piece in row.pieces) for row in rows) <= 40
    shown = "".join(piece.text for row in rows for piece in row.pieces)
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", text)
    assert [row.number for row in rows if row.number] == [1, 2]


def test_a_document_keeps_the_lines() -> None:
    made = code_document(Text(PYTHON), Context())
    assert made.tree()[0].tag == "pre"
    assert "".join(made.tree().itertext()) == PYTHON
