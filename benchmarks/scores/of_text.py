"""Documents, programs and broken text: round trips, names that Python's own parser knows, and words read by OCR."""

from __future__ import annotations

import ast
import fractions
import heapq
import inspect
import json.decoder
import queue
import re
import shlex
import string
import textwrap
from itertools import product
from statistics import mean
from types import ModuleType

from benchmarks.documents import page, parts
from benchmarks.scores.measuring import Found, f1, share
from transpose.core.context import Context, Many
from transpose.evaluate import likeness
from transpose.evaluate.samples import document, text
from transpose.evaluate.sentences import SENTENCES
from transpose.media.document import Document
from transpose.media.text import Text
from transpose.transforms.code_docs import docs
from transpose.transforms.code_document import code_document
from transpose.transforms.code_outline import outline_code
from transpose.transforms.document_text import document_text
from transpose.transforms.draw_code import draw_code, draw_code_pages
from transpose.transforms.read_page import read_page
from transpose.transforms.repair_mojibake import repair
from transpose.transforms.text_document import text_document
from transpose.transforms.typeset import typeset

MODULES: tuple[ModuleType, ...] = (fractions, heapq, json.decoder, queue, shlex, string, textwrap)
Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
# how text breaks: written in the first encoding, read in the second
BROKEN = [("utf-8", "cp1252"), ("utf-8", "latin-1"), ("utf-8", "mac_roman"), ("utf-8", "cp1251"), ("utf-8", "cp437")]
ACCENTED = (
    "Die Bäckerei öffnet früh, und die Straße ist schon voll.",
    "Le café est fermé jusqu’à l’été prochain.",
    "El niño pequeño comió piñas mañana y noche.",
    "Příliš žluťoučký kůň úpěl ďábelské ódy.",
    "Smørrebrød på en rå sommerdag i Ålesund.",
    "“Quoted” words — with dashes… and 20 €.",
)


def _sources() -> list[str]:
    return [inspect.getsource(module) for module in MODULES]


def _documents() -> list[Document]:
    rich = (
        '<h1>One</h1><p>With <em>two</em> and <a href="https://example.org">a link</a>, <code>x = 1</code>.</p>'
        "<h2>Lists</h2><ul><li>a<ul><li>b</li></ul></li><li>c</li></ul><ol><li>d</li><li>e</li></ol>"
        "<blockquote><p>Said.</p></blockquote><pre><code>print(1)</code></pre><h3>End</h3><p>H<sub>2</sub>O.</p>"
    )
    return [document(), Document(page(parts(1, 3))), Document(rich)]


def from_document(ctx: Context) -> Found:
    """Document to Markdown and back."""
    back = [likeness.documents(each, text_document(document_text(each, ctx), ctx)).value for each in _documents()]
    return share(
        "F1 of words and structure", back, "3 made documents to Markdown and back by text-document", "document"
    )


def to_document(ctx: Context) -> Found:
    """Markdown to a document and back."""
    given = [text(), *(document_text(each, ctx) for each in _documents())]
    back = [likeness.texts(each, document_text(text_document(each, ctx), ctx)).value for each in given]
    return share("word F1", back, "4 made pages of Markdown to documents and back by document-text", "document")


def listing(ctx: Context) -> Found:
    """A program as a document."""
    every = []
    for source in _sources():
        told = code_document(Text(source), ctx, language="python").tree()
        every.append(f1("".join(told.itertext()).split(), source.split()))
    return share("word F1", every, f"{len(every)} modules of Python's library", "module")


def _names(source: str, deep: bool) -> list[str]:
    """Names that are defined and not private, those inside functions left out."""
    found: list[str] = []

    def walk(body: list[ast.stmt]) -> None:
        for each in body:
            if isinstance(each, Defined) and not re.match("_(?!_)", each.name):
                found.append(each.name)
            if isinstance(each, ast.ClassDef) and not each.name.startswith("_") and deep:
                walk(each.body)

    walk(ast.parse(source).body)
    return found


def outline(ctx: Context) -> Found:
    """Names in an outline against those that Python's parser knows."""
    every = []
    for source in _sources():
        made = outline_code(Text(source), ctx, language="python").text
        every.append(f1(re.findall(r"`(?:async )?(?:def|class) (\w+)", made), _names(source, True)))
    return share("F1 of names defined", every, f"{len(every)} modules of Python's library, against ast", "module")


def explained(ctx: Context) -> Found:
    """Docstrings of public names that stand in the documentation."""
    every = []
    for source in _sources():
        tree = ast.parse(source)
        made = " ".join(docs(Text(source), ctx).text.replace("\\", "").split())
        named = [each for each in tree.body if isinstance(each, Defined) and not each.name.startswith("_")]
        said = [(ast.get_docstring(each) or "").strip().partition("\n")[0] for each in named]
        wanted = [" ".join(line.split()) for line in said if line]
        every += [float(line.replace("\\", "") in made) for line in wanted]
    return share(
        "share of docstrings that stand in it", every, f"{len(every)} of Python's library, against ast", "name"
    )


def _read(pictures: Many[object] | list[object], ctx: Context) -> str:
    return " ".join(read_page(each, ctx).text for each in pictures)


def _letters(words: str) -> list[str]:
    return re.findall(r"[a-z]{3,}", words.lower())


def drawn(ctx: Context) -> Found:
    """Words of a picture of a program, read by OCR."""
    sources = ["\n".join(source.split("\n")[20:50]) for source in _sources()[:4]]
    every = [
        f1(_letters(_read([draw_code(Text(each), ctx, language="python")], ctx)), _letters(each)) for each in sources
    ]
    return share("word F1 as OCR reads it", every, "4 pieces of 30 lines; carries the errors of read-page", "page")


def drawn_pages(ctx: Context) -> Found:
    """The same over several pages."""
    source = "\n".join(_sources()[1].split("\n")[:90])
    found = f1(_letters(_read(draw_code_pages(Text(source), ctx, language="python"), ctx)), _letters(source))
    return Found(
        "word F1 as OCR reads it", found, found, "90 lines on 2 pages; carries the errors of read-page", 2, "page"
    )


def printed(ctx: Context) -> Found:
    """Words of typeset pages, read by OCR."""
    given = [document(), Document("".join(f"<p>{each}</p>" for each in SENTENCES))]
    every = []
    for each in given:
        wanted = " ".join(each.tree().itertext())
        every.append(f1(_letters(_read(typeset(each, ctx, dpi=150), ctx)), _letters(wanted)))
    return share(
        "word F1 as OCR reads it", every, "2 documents at 150 dpi; carries the errors of read-page", "document"
    )


def mended(ctx: Context) -> Found:
    """Sentences that come back after they were written in one encoding and read in another."""
    every = []
    for words, (wrote, reads) in product(ACCENTED, BROKEN):
        try:
            broken = words.encode(wrote).decode(reads)
        except UnicodeDecodeError:
            continue
        every.append(float(repair(Text(broken), ctx).text == words))
    right = mean(float(repair(Text(words), ctx).text == words) for words in ACCENTED)
    data = f"{len(every)} sentences of 6 languages in 5 wrong encodings; of right ones {right:.3f} stay"
    return share("share of sentences mended", every, data, "sentence")


MEASURES = {
    "code-document": listing,
    "docs": explained,
    "document-text": from_document,
    "draw-code": drawn,
    "draw-code-pages": drawn_pages,
    "outline-code": outline,
    "repair": mended,
    "text-document": to_document,
    "typeset": printed,
}
