"""Tables: there and back through text and documents, figures in words against NumPy, bars measured in the picture."""

from __future__ import annotations

import random
import re
from datetime import date, timedelta

import numpy as np

from benchmarks.scores.measuring import Found, error, f1, share
from transpose.core.context import Context, Many
from transpose.evaluate import likeness
from transpose.media.document import Document
from transpose.media.embedding import Embedding
from transpose.media.table import Table, from_rows
from transpose.media.text import Cue, Text
from transpose.transforms.chart import chart
from transpose.transforms.describe_table import describe_table
from transpose.transforms.draw_links import draw_links
from transpose.transforms.embedding_table import embedding_table
from transpose.transforms.notes_vault import note_links, notes_table, plain_notes
from transpose.transforms.read_page import read_page
from transpose.transforms.table_document import table_document
from transpose.transforms.table_text import table_text
from transpose.transforms.tables_from_text import cues_table, table_from_text, tables_from_text

WORDS = "ash birch cedar elm fir hazel larch maple oak pine rowan willow".split()


def made(seed: int, rows: int = 12) -> Table:
    """Words, dates, whole numbers, decimals and a gap here and there."""
    draw = random.Random(seed)

    def row(number: int) -> dict[str, object]:
        return {
            "day": date(2025, 1, 1) + timedelta(number),
            "tree": draw.choice(WORDS),
            "count": draw.randint(0, 10**5),
            "height": round(draw.uniform(-50, 50), 3) if draw.random() > 0.1 else None,
        }

    return from_rows([row(number) for number in range(rows)], "trees")


def _html(table: Table) -> str:
    cells = [[str("" if value is None else value) for value in row.values()] for row in table.rows()]
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in cells)
    head = "".join(f"<th>{name}</th>" for name in table.columns)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def as_text(ctx: Context) -> Found:
    """Table to Markdown and back."""
    every = [made(seed) for seed in range(20)]
    back = [likeness.tables(each, table_from_text(table_text(each, ctx), ctx)).value for each in every]
    return share("equal cells", back, "20 made tables to Markdown and back by table-from-text", "table")


def as_document(ctx: Context) -> Found:
    """Table to a document and back."""
    every = [made(seed) for seed in range(20)]
    back = [likeness.tables(each, table_from_text(table_document(each, ctx), ctx)).value for each in every]
    return share("equal cells", back, "20 made tables to documents and back by table-from-text", "table")


def _sources(table: Table, ctx: Context) -> list[Text | Document]:
    return [table_text(table, ctx), Text(f"<p>x</p>{_html(table)}", "html"), Document(f"<p>x</p>{_html(table)}")]


def one_from_text(ctx: Context) -> Found:
    """Tables in Markdown, HTML and documents, types included."""
    every = [(table, source) for table in map(made, range(8)) for source in _sources(table, ctx)]
    back = [likeness.tables(table, table_from_text(source, ctx)).value for table, source in every]
    return share("equal cells", back, "24 tables in Markdown, HTML and documents", "table")


def all_from_text(ctx: Context) -> Found:
    """Three tables in one page."""
    every = []
    for seed in range(6):
        wanted = [made(seed + 10 * number) for number in range(3)]
        page = Document("".join(f"<h2>A</h2>{_html(each)}<p>And so on.</p>" for each in wanted))
        found = list(tables_from_text(page, ctx))
        every += [likeness.tables(a, b).value for a, b in zip(wanted, found, strict=True)]
    return share("equal cells", every, "18 tables in 6 documents", "table")


def _figures(text: str) -> set[float]:
    return {float(each.replace(",", "")) for each in re.findall(r"(?<![\d-])-?\d[\d,]*(?:\.\d+)?", text)}


def described(ctx: Context) -> Found:
    """Least, most, mean and median of each column of numbers, as NumPy finds them, stand in the words."""
    every = []
    for seed in range(20):
        table = made(seed)
        said = _figures(describe_table(table, ctx).text)
        for name in ("count", "height"):
            values = np.array([row[name] for row in table.rows() if row[name] is not None], float)
            for wanted in (values.min(), values.max(), values.mean(), np.median(values)):
                every.append(float(any(abs(each - wanted) <= 0.002 * max(1, abs(wanted)) for each in said)))
    return share("share of figures that NumPy confirms", every, "160 figures of 20 made tables", "figure")


def bars(ctx: Context) -> Found:
    """Heights of the bars in the picture, in pixels, against the numbers."""
    errors = []
    for seed in range(6):
        draw = random.Random(seed)
        values = [draw.randint(5, 100) for _ in range(8)]
        table = from_rows(
            [{"tree": f"{letter}", "count": v} for letter, v in zip("abcdefgh", values, strict=True)], "t"
        )
        pixels = chart(table, ctx, mark="bar", x="tree", y="count").pixels[..., :3].astype(int)
        inked = np.ptp(pixels, axis=2) > 60  # colour, where text and rules are grey
        columns = inked.sum(0)
        edges = np.flatnonzero(np.diff((columns > 8).astype(int), prepend=0, append=0))
        heights = [float(np.median(columns[a:b])) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 8]
        if len(heights) != len(values):
            heights = [0.0] * len(values)
        wanted = np.array(sorted(values, reverse=True), float)  # the longest bar comes first
        errors += list(np.abs(np.array(heights) / max(*heights, 1.0) - wanted / wanted.max()))
    return error("mean error of bars, of the longest", errors, "48 bars of 6 charts, measured in the picture", "bar")


def _vault() -> tuple[list[Text], list[tuple[str, str]]]:
    draw = random.Random(5)
    texts, wanted = [], []
    for number, name in enumerate(WORDS):
        others = draw.sample([each for each in WORDS if each != name], 3)
        forms = [f"[[{others[0]}]]", f"[[{others[1].upper()}#Part|that one]]", f"[words](<folder/{others[2]}.md>)"]
        wanted += [(name, other) for other in others]
        body = f"# {name}\n\nSee {forms[0]}, {forms[1]} and {forms[2]}. `[[not]]` %%[[hidden]]%% #tag{number}"
        texts.append(Text(body, "markdown", name=name))
    return texts, wanted


def links(ctx: Context) -> Found:
    """Who points to whom in a made vault."""
    texts, wanted = _vault()
    rows = note_links(Many(lambda: iter(texts), len(texts)), ctx).rows()
    value = f1([(row["source"], row["target"]) for row in rows], wanted)
    return Found("F1 of links", value, value, "36 links of 3 forms among 12 notes, with code and comments", 12, "note")


def vault(ctx: Context) -> Found:
    """Titles and tags of the same vault."""
    texts, _ = _vault()
    rows = notes_table(Many(lambda: iter(texts), len(texts)), ctx).rows()
    every = [
        float(row["title"] == name and row["tags"] == f"tag{n}")
        for n, (row, name) in enumerate(zip(rows, WORDS, strict=True))
    ]
    return share("share of rows that are right", every, "title and tags of 12 made notes", "note")


def unlinked(ctx: Context) -> Found:
    """Links of the same vault after it became plain Markdown."""
    texts, wanted = _vault()
    plain = [Text(plain_notes(each, ctx).text, "markdown", name=each.name) for each in texts]
    rows = note_links(Many(lambda: iter(plain), len(plain)), ctx).rows()
    value = f1([(row["source"], row["target"]) for row in rows], wanted)
    return Found("F1 of links", value, value, "36 links of 3 forms, read again as links of Markdown", 12, "note")


def graph(ctx: Context) -> Found:
    """Names in the picture of a graph, read by OCR."""
    texts, _ = _vault()
    picture = draw_links(note_links(Many(lambda: iter(texts), len(texts)), ctx), ctx)
    found = re.findall(r"[a-z]{3,}", read_page(picture, ctx).text.lower())
    value = f1(found, WORDS)
    return Found(
        "F1 of names as OCR reads them",
        value,
        value,
        "a graph of 12 notes; carries the errors of read-page",
        1,
        "graph",
    )


def cues(ctx: Context) -> Found:
    """Captions as a table."""
    given = tuple(Cue(number * 1.5, number * 1.5 + 1.25, f"{name} {number}") for number, name in enumerate(WORDS))
    rows = cues_table(Text("\n".join(cue.text for cue in given), cues=given), ctx).rows()
    every = [
        float(list(row.values())[:2] == [cue.start, cue.end] and cue.text in row.values())
        for row, cue in zip(rows, given, strict=True)
    ]
    return share("share of rows that are right", every, "12 captions with their times", "caption")


def vectors(ctx: Context) -> Found:
    """Vectors as a table."""
    draw = np.random.default_rng(0)
    given = [Embedding(draw.normal(size=16).astype(np.float32), "x") for _ in range(10)]
    rows = embedding_table(given, ctx).rows()
    found = np.array([[value for value in row.values() if isinstance(value, float)] for row in rows])
    worst = float(np.abs(found - np.stack([each.vector for each in given])).max())
    return Found("largest error of a number", worst, 1 - worst, "10 vectors of 16 numbers", 10, "vector")


MEASURES = {
    "chart": bars,
    "cues-table": cues,
    "describe-table": described,
    "draw-links": graph,
    "embedding-table": vectors,
    "note-links": links,
    "notes-table": vault,
    "plain-notes": unlinked,
    "table-document": as_document,
    "table-from-text": one_from_text,
    "table-text": as_text,
    "tables-from-text": all_from_text,
}
