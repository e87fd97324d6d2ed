"""Notes of Obsidian and highlights of Readwise: tables, graphs, plain Markdown."""

from __future__ import annotations

import datetime
import re
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from transpose.core.context import Context, Many
from transpose.core.errors import EmptyInput, InputError, SilentInput
from transpose.formats.graph_files import write_dot, write_gexf, write_graphml
from transpose.formats.tables_text import read_csv
from transpose.formats.text_files import read_markdown
from transpose.media.graph import part, places, read_graph
from transpose.media.note import front_matter, key, read_note, without_code
from transpose.media.table import Table, from_rows
from transpose.media.text import Text
from transpose.session import Session
from transpose.transforms.draw_links import draw_links
from transpose.transforms.notes_vault import note_links, notes_table, plain_notes
from transpose.transforms.readwise import highlights, highlights_by_book

FIRST = """---
title: Sea and sky
aliases: [Ocean, "The sea"]
tags: [water, blue/deep]
created: 2024-03-01
rating: 4
authors:
  - Ann
  - Bob
nested: {a: 1}
---
# Another heading

Water is wide, see [[Boats#Sails|sailing]] and [[boats]], ![[Map.png]] and ![[Harbour]].
A [ship](notes/Boats.md#keel) and the [web](https://example.org/a.md). #wet #2024 #sub/tag
`[[not a link]] #no`

```python
# [[nor this]] #nope
```
%% [[hidden]] #secret %%
"""
SECOND = "# Boats\n\nThey float on the [[ocean]]. [[Boats]]\n"
THIRD = "Words only, no heading: [[Nowhere]]\n\n> [!note]- Beware\n> of the dog\n"


def notes() -> Many[Text]:
    texts = [Text(words, "markdown") for words in (FIRST, SECOND, THIRD)]
    return Many(lambda: iter(texts), len(texts))


def many(*sources: str) -> Many[Text]:
    return Many(lambda: iter([Text(source, "markdown") for source in sources]), len(sources))


def quiet(message: str) -> None:
    raise AssertionError(message)


def test_a_note_is_read() -> None:
    note = read_note(FIRST, quiet)
    assert note.title == "Sea and sky"
    assert note.aliases == ("Ocean", "The sea")
    assert note.tags == ("water", "blue/deep", "wet", "sub/tag")
    assert note.created == datetime.date(2024, 3, 1)
    assert [(link.target, link.heading, link.label, link.kind) for link in note.links] == [
        ("Boats", "Sails", "sailing", "wikilink"), ("boats", "", "", "wikilink"), ("Map.png", "", "", "embed"),
        ("Harbour", "", "", "embed"), ("notes/Boats.md", "keel", "ship", "markdown"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("---\naliases: Zed\n---\nno heading", "Zed"), ("## Second *level*\n\n# First `x` [[a|b]]", "First x b"),
        ("```\n# no\n```\n## plain **words**", "plain words"), ("", "note 1"), ("---\ntitle: 1984\n---\n# x", "1984"),
        ("---\ntitle: ''\n---\n# x", "x"), ("- [ ] a task", "a task"),
    ],
)  # fmt: skip
def test_titles(source: str, title: str) -> None:
    found = read_note(source, quiet).title
    assert found == title


def test_a_table_of_notes() -> None:
    table = notes_table(notes(), Context())
    assert table.columns == ["title", "tags", "aliases", "created", "words", "links", "authors", "nested", "rating"]
    first = table.rows()[0]
    assert first["tags"] == "water; blue/deep; wet; sub/tag"
    assert first["authors"] == "Ann; Bob"
    assert first["rating"] == 4
    assert first["nested"] == '{"a": 1}'
    assert [row["title"] for row in table.rows()][1] == "Boats"


def test_links_are_resolved_by_title_alias_and_case() -> None:
    ctx = Context()
    rows = note_links(notes(), ctx).rows()
    found = {(row["source"], row["target"], row["kind"]): (row["times"], row["found"]) for row in rows}
    assert found[("Sea and sky", "Boats", "wikilink")] == (2, True)
    assert found[("Sea and sky", "Boats", "markdown")] == (1, True)
    assert found[("Boats", "Sea and sky", "wikilink")] == (1, True)
    assert found[("Sea and sky", "Harbour", "embed")] == (1, False)
    assert not [target for _, target, _ in found if "Map" in target or "hidden" in target or "not" in target]
    assert "2 links" in ctx.warnings[0]
    assert all(row["found"] for row in note_links(notes(), Context(), unfound=False).rows())


def test_links_are_resolved_by_the_name_of_the_file_first(tmp_path: Path) -> None:
    sources = {
        "2024-03 Plan": "# What to do\n\n[[boats]] [[Ships]]",
        "Boats": "# Ships",
        "Ships": "# Boats",
        "Bare": "x",
    }
    for name, words in sources.items():
        (tmp_path / f"{name}.md").write_text(words)
    texts = [read_markdown(tmp_path / f"{name}.md", Context()) for name in sources]
    rows = note_links(Many(lambda: iter(texts), 4), Context()).rows()
    assert [(row["source"], row["target"], row["found"]) for row in rows] == [
        ("What to do", "Ships", True), ("What to do", "Boats", True)
    ]  # fmt: skip
    assert notes_table(Many(lambda: iter(texts), 4), Context()).rows()[3]["title"] == "Bare"


def test_a_renamed_file_gives_no_stale_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path / "home"))
    session = Session()
    (tmp_path / "one.md").write_text("# A\n\n[[two]]")
    (tmp_path / "two.md").write_text("Nothing more.")

    def graph(second: str) -> list[tuple[object, object]]:
        made = session.run([tmp_path / "one.md", tmp_path / second], "table.links")
        return [(row["target"], row["found"]) for row in made.value.rows()]

    assert graph("two.md") == graph("two.md") == [("two", True)]
    assert session.last is not None
    assert session.last.ran == []
    (tmp_path / "two.md").rename(tmp_path / "three.md")
    assert graph("three.md") == [("two", False)]
    (tmp_path / "three.md").rename(tmp_path / "two.md")
    assert graph("two.md") == [("two", True)]
    assert session.last.ran == []


def test_notes_without_links_say_so() -> None:
    with pytest.raises(SilentInput):
        note_links(many("# A\n\nnothing", "# B"), Context())
    with pytest.raises(EmptyInput):
        notes_table(many(), Context())


def test_links_in_front_matter_count() -> None:
    made = note_links(many('---\nup: "[[B]]"\nsee: [[C]]\n---\n# A', "# B", "# C"), Context())
    assert [(row["source"], row["target"]) for row in made.rows()] == [("A", "B"), ("A", "C")]


def test_two_notes_of_one_title_stay_two() -> None:
    ctx = Context()
    table = notes_table(many("# A", "# A"), ctx)
    assert [row["title"] for row in table.rows()] == ["A", "A (2)"]
    assert "title 'A'" in ctx.warnings[0]


BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    "block",
    [
        BOMB,
        "a: " + "[" * 500 + "]" * 500,
        "a: !!python/object/apply:os.system [ls]",
        "a: [1",
        "a: b: c",
        "- a\n- b",
        "d: 2024-99-99",
        "a: \x07",
    ],
)
def test_hostile_front_matter_is_said_and_stays(block: str) -> None:
    said: list[str] = []
    note = read_note(f"---\n{block}\n---\n# Title\n", said.append)
    assert note.fields == {}
    assert len(said) == 1
    assert "front matter" in said[0]
    assert "\n---\n# Title" in note.body


def test_rules_are_no_front_matter() -> None:
    assert front_matter("---\nsome words\n---\nmore")[0] == {}
    assert front_matter("---\n---\nmore") == ({}, "more")
    assert front_matter("words\n---\na: 1\n---\n")[0] == {}


@pytest.mark.parametrize(
    "hostile",
    [
        "[[" * 50_000,
        "`" * 100_001,
        "[" * 100_000,
        "](" * 50_000,
        "%%" * 50_001,
        "==a" * 40_000,
        "#" * 100_000,
        "> [!" * 30_000,
        "[[a|" * 30_000,
        "---\n" * 30_000,
    ],
)
def test_hostile_notes_take_no_time(hostile: str) -> None:
    start = time.monotonic()
    read_note(hostile, lambda message: None)
    plain_notes(Text(hostile, "markdown"), Context())
    assert time.monotonic() - start < 8


def test_code_is_blanked_in_place() -> None:
    source = "a `b` c\n~~~\n[[x]]\n``` no end\n~~~\nd ``e ` f`` g\n    ```\nh"
    blanked = without_code(source)
    assert len(blanked) == len(source)
    assert blanked.split("\n")[0] == "a     c"
    assert not blanked.split("\n")[2].strip()
    assert blanked.split("\n")[5] == "d           g"


def test_names_that_are_the_same() -> None:
    assert key("Folder/My-Note.md") == key("my note") == key("My_Note") != key("My notes")


def test_a_note_becomes_plain_markdown() -> None:
    source = (
        "---\na: 1\n---\nSee [[Big Boats#The Sails|sailing]], [[Boats]] and [[#Here]]. "
        "==Mark `==no==` it== "
        "![[My map.png|300]]\n`[[code]]` %%gone%% end ^abc-1\n\n> [!warning]- Take care\n> of it\n\n> [!tip]\n> x\n"
    )
    ctx = Context()
    made = plain_notes(Text(source, "markdown"), ctx).text
    assert "[sailing](<Big Boats.md#the-sails>)" in made
    assert "[Boats](Boats.md)" in made
    assert "[Here](#here)" in made
    assert "![My map](<My map.png>)" in made
    assert "<mark>Mark `==no==` it</mark>" in made
    assert "`[[code]]`  end\n" in made
    assert "> **Take care**\n>\n> of it" in made
    assert "> **Tip**\n>\n> x" in made
    assert made.startswith("---\na: 1\n---\n")
    assert "1 comments" in ctx.warnings[0]
    words = plain_notes(Text(source, "markdown"), Context(), links="words", matter="drop").text
    assert words.startswith("See sailing, Boats and Here.")
    assert plain_notes(Text(words, "markdown"), Context(), links="words").text == words


def links() -> Table:
    return from_rows([
        {"source": 'A "quoted" <one>', "target": "Bé", "kind": "wikilink", "times": 3, "found": True},
        {"source": "Bé", "target": "gone\x00\n", "kind": "embed", "times": 1, "found": False},
        {"source": "Bé", "target": "Bé", "kind": "", "times": 1, "found": True},
    ])  # fmt: skip


def test_graph_files(tmp_path: Path) -> None:
    ctx = Context(history='{"a": "<b>"}')
    space = {"g": "http://graphml.graphdrawing.org/xmlns", "x": "http://gexf.net/1.3"}
    write_graphml(links(), tmp_path / "a.graphml", ctx)
    root = ElementTree.parse(tmp_path / "a.graphml").getroot()
    assert [each.text for each in root.findall(".//g:node/g:data[@key='found']", space)] == ["true", "true", "false"]
    assert len(root.findall(".//g:edge", space)) == 3
    write_gexf(links(), tmp_path / "a.gexf", ctx)
    root = ElementTree.parse(tmp_path / "a.gexf").getroot()
    assert [each.get("label") for each in root.findall(".//x:node", space)][:2] == ['A "quoted" <one>', "Bé"]
    assert root.findall(".//x:edge", space)[0].get("weight") == "3"
    write_dot(links(), tmp_path / "a.dot", ctx)
    lines = (tmp_path / "a.dot").read_text().splitlines()
    assert r'  n0 [label="A \"quoted\" <one>"];' in lines
    assert '  n0 -> n1 [class="wikilink", weight=3];' in lines


def test_other_programs_read_the_graph(tmp_path: Path) -> None:
    networkx = pytest.importorskip("networkx")
    write_graphml(links(), tmp_path / "a.graphml", Context())
    graph = networkx.read_graphml(tmp_path / "a.graphml")
    assert graph.nodes["n1"]["name"] == "Bé"
    assert graph.edges["n0", "n1"]["times"] == 3


def test_a_table_without_links_is_none() -> None:
    with pytest.raises(InputError, match="has no links"):
        read_graph(from_rows([{"a": 1}]))
    with pytest.raises(EmptyInput):
        read_graph(from_rows([{"Source": None, "Target": "x"}]))


def test_linked_nodes_lie_near() -> None:
    """Two rings joined nowhere: neighbours lie closer than strangers, and no two nodes on one another."""
    rows = [{"source": f"{ring}{n}", "target": f"{ring}{(n + 1) % 9}"} for ring in "ab" for n in range(9)]
    graph = read_graph(from_rows(rows))
    at = places(graph, 0)
    apart = np.linalg.norm(at[:, None] - at[None], axis=2)
    near = np.mean([apart[edge.source, edge.target] for edge in graph.edges])
    assert near < 0.5 * apart.mean()
    assert (apart + np.eye(len(at)) * 9).min() > 0.2
    assert np.array_equal(at, places(graph, 0))


def test_a_graph_is_drawn() -> None:
    ctx = Context()
    rows = [{"source": f"note {n}", "target": f"note {n // 2}"} for n in range(1, 60)]
    made = draw_links(from_rows(rows), ctx, width=800, height=600, most=40)
    assert made.pixels.shape == (600, 800, 3)
    assert made.pixels.std() > 10
    assert "40 of 60 nodes" in ctx.warnings[0]
    assert len(part(read_graph(from_rows(rows)), 40).nodes) == 40
    alone = draw_links(from_rows([{"source": "a", "target": "a"}]), Context(), width=300, height=200, look="dark")
    assert alone.pixels.mean() < 80


READWISE = """\
Highlight,Book Title,Book Author,Amazon Book ID,Note,Color,Tags,Location Type,Location,Highlighted at,Document tags
The world is *all*,Tractatus,L. W.,B0,Really?,yellow,"logic, first things",location,20,2024-05-01 08:00:00+00:00,
Earlier place,Tractatus,L. W.,B0,,,,location,3,2024-06-01 08:00:00+00:00,
"# Two
lines",Other,,,,,,page,,,
,Other,,,,,,,,,
"""


@pytest.fixture
def readwise(tmp_path: Path) -> Table:
    path = tmp_path / "readwise.csv"
    path.write_text(READWISE)
    table = read_csv(path, Context())
    assert isinstance(table, Table)
    return table


def test_highlights_are_known_by_their_columns(readwise: Table) -> None:
    ctx = Context()
    table = highlights(readwise, ctx)
    assert table.columns == ["highlight", "title", "author", "note", "tags", "location", "highlighted", "color"]
    assert len(table) == 3
    assert "1 rows" in ctx.warnings[0]
    assert highlights(table, Context()).rows() == table.rows()
    with pytest.raises(InputError, match="no column of highlights"):
        highlights(from_rows([{"a": 1}]), Context())


def test_highlights_are_set_by_book(readwise: Table) -> None:
    made = highlights_by_book(readwise, Context()).text
    assert made.startswith("# Highlights\n\n## Tractatus\n\n*L. W.*\n\n> Earlier place\n\n(location 3, 2024-06-01)\n\n")
    assert "> The world is \\*all\\*\n\n**Note:** Really?\n\n(location 20, 2024-05-01) #logic #first-things" in made
    assert made.endswith("## Other\n\n> \\# Two\n> lines")
    by_time = highlights_by_book(readwise, Context(), order="time", style="list").text
    assert re.search(r"- The world.*\n  \*\*Note.*\n  \(loc.*\n\n- Earlier", by_time)


@pytest.mark.parametrize(
    "line", ["# a", "12. a", "- a", "2024-05-01", "1.5", "#tag", "*a* _b_ [c](d) <e>", "> x", "a_b_c"]
)
def test_passages_render_as_they_are(line: str) -> None:
    from transpose.media.plain import plain

    made = highlights_by_book(from_rows([{"Highlight": line}]), Context())
    assert plain(made).endswith(line)
