"""What survives from Markdown to each written format and back: words, headings, list items, table cells, links.

`python -m benchmarks.documents_out`. Ten made documents are written in every format and read again by the readers of
this project. Recall is the share of the parts of the first document (with their number) that are in the second.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections import Counter
from importlib import import_module
from pathlib import Path

from transpose.core.context import Context
from transpose.media.document import Document
from transpose.media.document_flow import grid, level, words
from transpose.media.text import Text
from transpose.transforms.text_document import text_document

FORMATS = {  # suffix -> writer, reader; a PDF is read as text
    ".docx": ("docx_writer:write_docx", "word:read_word"),
    ".odt": ("odt_writer:write_odt", "odt:read_opendocument"),
    ".html": ("html_writer:write_html", "web:read_web_page"),
    ".epub": ("epub_writer:write_epub", "books:read_book"),
    ".pptx": ("pptx_writer:write_pptx", "slides:read_slides"),
    ".pdf": ("pdf_writer:write_pdf", "pdf:read_pdf"),
}
PROSE = "The river rose by two metres in a week, and the mill stood still. Nobody had seen this since the year 1954. "
DOT = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # noqa: E501
MADE = {
    "report": f"# Report\n\n{PROSE * 4}\n\n## Method\n\n{PROSE * 3}\n\n## Result\n\n- one\n- two\n\n{PROSE}\n",
    "lists": "# Lists\n\n- a first\n  - a nested\n    1. a deep one\n    2. a deep two\n- second\n\n1. uno\n2. due\n3. tre\n",  # noqa: E501
    "table": "# Table\n\n| City | People | Area |\n|---|--:|--:|\n| Ulm | 128,928 | 118.7 |\n| Köln | 1,087,353 | 405.0 |\n",  # noqa: E501
    "wide": "# Wide\n\n|" + "|".join(f"k{n}" for n in range(12)) + "|\n|" + "---|" * 12 + "\n"
    + "".join("|" + "|".join(f"v{row}x{n}" for n in range(12)) + "|\n" for row in range(20)),
    "links": "# Links\n\nSee [the manual](https://example.org/manual?a=1&b=2), <https://example.org> and "
    "[mail](mailto:a@example.org).\n\n> quoted [source](https://example.com/s)\n",
    "code": "# Code\n\nCall `run(x)`:\n\n```python\ndef run(x):\n    if x < 3 and x > 1:\n        return \"<b>\"\n```\n",  # noqa: E501
    "marks": "# Marks\n\n**bold** and *slanted*, ***both***, ~~gone~~, a note[^1], a break  \nhere, 5 < 6 & 7 > 2.\n\n[^1]: The note.\n",  # noqa: E501
    "world": "# Welt\n\nGrüße, Ελληνικά, русский язык, naïve façade.\n\n## Ещё\n\nSmørrebrød, žluťoučký kůň, İstanbul.\n",  # noqa: E501
    "picture": f"# Picture\n\nBefore.\n\n![a dot of colour]({DOT})\n\nAfter.\n\n## Second\n\n{PROSE}\n",
    "notes": "---\ntitle: Notes\nauthor: A. Writer\n---\n# Notes\n\n### Deep\n\n#### Deeper\n\n- [ ] to do\n- [x] done\n\n---\n\n"  # noqa: E501
    + "".join(f"## Part {n}\n\n{PROSE * 2}\n\n" for n in range(6)),
}  # fmt: skip


def load(where: str) -> object:
    """The transform at `module:name` of the formats."""
    module, _, name = where.partition(":")
    return getattr(import_module(f"transpose.formats.{module}"), name)


def parts(document: Document) -> dict[str, Counter[str]]:
    """What is counted of a document."""
    root = document.tree()
    found = {name: Counter[str]() for name in ("words", "headings", "items", "cells", "links", "pictures")}
    found["words"].update(re.findall(r"\w+", words(root).lower()))
    for each in root.iter():
        if level(each):
            found["headings"][words(each)] += 1
        elif each.tag == "li":
            found["items"][(words(each).split() or [""])[0]] += 1
        elif each.tag == "table":
            found["cells"].update(words(cell.element) for cell in grid(each).cells)
        elif each.tag == "a":
            found["links"][each.get("href", "").removesuffix("/")] += 1
        elif each.tag == "img":
            found["pictures"][each.get("alt", "")] += 1
    return found


def measure(suffix: str, folder: Path) -> dict[str, float]:
    """Recall of each part over all documents, and seconds to write one."""
    writer, reader = map(load, FORMATS[suffix])
    there, kept = Counter[str](), Counter[str]()
    seconds = 0.0
    for name, source in MADE.items():
        first = text_document(Text(source, markup="markdown", lang="en"), Context())  # the same as `transpose x.md`
        path = folder / f"{name}{suffix}"
        began = time.perf_counter()
        writer(first, path, Context(folder=folder))  # type: ignore[operator]
        seconds += time.perf_counter() - began
        again = reader(path, Context(folder=folder))  # type: ignore[operator]
        text = isinstance(again, Text)
        before = parts(first)
        after = {"words": Counter(re.findall(r"\w+", again.text.lower()))} if text else parts(again)
        for part, counts in before.items():
            if part in after:
                there[part] += counts.total()
                kept[part] += (counts & after[part]).total()
    return {**{part: kept[part] / there[part] for part in there if there[part]}, "seconds": seconds / len(MADE)}


def main() -> None:
    """Print one line for each format."""
    with tempfile.TemporaryDirectory() as name:
        for suffix in sys.argv[1:] or FORMATS:
            found = measure(suffix, Path(name))
            print(suffix, " ".join(f"{part} {value:.3f}" for part, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
