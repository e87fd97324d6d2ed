"""A document as text in Markdown: CommonMark with the tables and strikethrough of GitHub, and TeX between dollars.

What Markdown cannot say is said so that nothing is lost: sub- and superscripts stay HTML, a header of several rows
becomes one row ("2024 Q1"), a cell that covers rows is repeated in each, blocks inside a cell are parted by `<br>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from xml.etree.ElementTree import Element

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.core.transform import transform
from transpose.media.document import HEADINGS, INLINE, Document
from transpose.media.text import Text

MARKS = {"strong": "**", "em": "*", "del": "~~"}
REPEATED = 60  # letters of a cell that is repeated in each row it covers; a longer one stands once
SENTENCE_END = tuple('.!?:;…。！？"”»)')
# what Markdown would read as a mark inside a line
ESCAPED = re.compile(
    r"\\(?=[!-/:-@\[-`{-~])|[`*]|(?<![^\W_])_|_(?![^\W_])|~(?=~)|<(?=[A-Za-z/!?])|&(?=#?\w+;)|\[(?=[^\]\n]*\][\[(:])|!(?=\[)"
)
BEGINS = re.compile(r"^(#{1,6}(?=\s|$)|>|[+-](?=\s|$)|(?:-{3,}|={3,}|~{3,})\s*$|\d{1,9}(?=[.)](?:\s|$)))")
BOLD = re.compile(r"^\*\*((?:(?!\*\*).)+)\*\*$")


@dataclass(frozen=True, slots=True)
class Style:
    """How to write: `breaks` between pages or slides, `repeat` cells that cover rows, `notes` of speakers."""

    breaks: bool
    repeat: bool
    notes: bool


@transform("document -> text@markdown", keeps=["lang"], loses=["layout", "pixels", "metadata"])
def document_text(
    document: Document,
    ctx: Context,
    *,
    breaks: Annotated[Literal["slides", "all", "none"], "a rule between slides, or between pages too"] = "slides",
    merged: Annotated[Literal["repeat", "once"], "a cell that covers rows: in each, or in the first"] = "repeat",
    notes: Annotated[bool, "the notes of a speaker"] = True,
) -> Text:
    """Write a document as Markdown: headings, nested lists, tables, links, pictures by name, code, formulas, notes.

    A sentence that runs over the end of a page is made whole where no rule stands between the pages. Raises
    SilentInput where the document has no words and no pictures.
    """
    ruled = breaks == "all" or (breaks == "slides" and "slides" in document.metadata)
    words = write(document.tree(), Style(ruled, merged == "repeat", notes))
    if not words:
        raise SilentInput("the document has no text", "Look at it with the program that made it")
    ctx.note("pictures", len(document.pictures))
    return Text(words, "markdown", document.lang or None)


def write(root: Element, style: Style) -> str:
    """The content of an element as blocks parted by blank lines."""
    return "\n\n".join(_blocks(root, style))


def _blocks(root: Element, style: Style) -> list[str]:
    out: list[str] = []
    open_end = False  # whether the last thing written is a paragraph at the foot of a page
    if root.text and root.text.strip():
        out.append(_line(root, style))
        return out + [block for child in root if child.tag not in INLINE for block in _block(child, style)]
    if len(root) and root[0].tag in INLINE:
        out.append(_line(root, style))
    for number, child in enumerate(root):
        if child.tag in INLINE:
            continue
        blocks = list(_block(child, style))
        page = child.tag == "section" and child.get("data-page") is not None
        if page and style.breaks and number and blocks and out:
            out.append("---")
        elif page and open_end and blocks and _goes_on(out[-1], child):
            out[-1] = _joined(out[-1], blocks.pop(0))
        out += blocks
        if blocks:
            open_end = page and len(child) > 0 and child[-1].tag == "p"
    return out


def _goes_on(before: str, page: Element) -> bool:
    """Whether a sentence runs from the foot of one page to the head of the next."""
    first = "".join(page[0].itertext())[:1] if len(page) and page[0].tag == "p" else ""
    return first.islower() and not before.rstrip("*").endswith(SENTENCE_END)


def _joined(before: str, after: str) -> str:
    return before[:-1] + after if re.search(r"[^\W\d_]-$", before) else f"{before} {after}"


def _block(element: Element, style: Style) -> Iterator[str]:
    tag = str(element.tag)
    if tag in HEADINGS:
        whole = BOLD.sub(r"\1", _line(element, style))  # a heading is bold anyway
        yield f"{'#' * int(tag[1])} {whole.lstrip(chr(92))}"
    elif tag in ("p", "caption", "figcaption"):
        yield _paragraph(element, style)
    elif tag in ("ul", "ol"):
        yield _list(element, style)
    elif tag == "pre":
        yield _fence(element)
    elif tag == "table":
        yield from _table(element, style)
    elif tag == "hr":
        yield "---"
    elif tag == "blockquote":
        yield _quoted(write(element, style))
    elif tag == "aside":
        if style.notes:
            yield _quoted(write(element, style))
    else:
        yield from _blocks(element, style)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _paragraph(element: Element, style: Style) -> str:
    alone = len(element) == 1 and element[0].tag == "math" and not (element.text or element[0].tail or "").strip()
    if alone:
        return f"$$\n{''.join(element.itertext())}\n$$"
    return _line(element, style)


def _fence(element: Element) -> str:
    code = "".join(element.itertext())
    name = (element[0].get("class") or "").removeprefix("language-") if len(element) else ""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{name}\n{code}\n{fence}"


def _list(element: Element, style: Style) -> str:
    number = int(element.get("start") or 1)
    loose = any(child.tag not in INLINE and child.tag not in ("ul", "ol") for item in element for child in item)
    items: list[str] = []
    for item in element:
        mark = f"{number}. " if element.tag == "ol" else "- "
        parts = _blocks(item, style)
        text = ("\n\n" if loose else "\n").join(parts) or ""
        lines = text.split("\n")
        inner = [" " * len(mark) + line if line else "" for line in lines[1:]]
        items.append("\n".join([(mark + lines[0]).rstrip(), *inner]))
        number += 1
    return ("\n\n" if loose else "\n").join(items)


def _line(element: Element, style: Style) -> str:
    """The inline content of a block; blocks inside it are left to others."""
    text = _inline(element, style).strip()
    return "\n".join(BEGINS.sub(_guard, line) for line in text.split("\n"))


def _guard(found: re.Match[str]) -> str:
    """What would begin a block, escaped: `1\\.` and `\\#`."""
    return f"{found[1]}\\" if found[1].isdigit() else "\\" + found[1]


def _inline(element: Element, style: Style) -> str:
    out = escape(element.text or "")
    for child in element:
        tail = child.tail or ""
        if child.tag in INLINE:
            out += _mark(child, style, out[-1:], tail[:1])
            out += escape(tail)
    return out


def _mark(element: Element, style: Style, before: str, after: str) -> str:
    tag = str(element.tag)
    if tag == "br":
        return "  \n"
    if tag == "img":
        return f"![{_label(element.get('alt') or '')}]({_address(element.get('src') or '')})"
    if tag == "math":
        return f"${''.join(element.itertext())}$"
    if tag == "code":
        return _code("".join(element.itertext()))
    inner = _inline(element, style)
    if tag == "a":
        address = element.get("href") or ""
        return inner if not inner.strip() or not address else _link(inner, address)
    if tag in MARKS and inner.strip():
        return MARKS[tag] + inner + MARKS[tag] if _flanks(inner, before, after) else f"<{tag}>{inner}</{tag}>"
    return f"<{tag}>{inner}</{tag}>" if inner.strip() else inner


def _flanks(inner: str, before: str, after: str) -> bool:
    """Whether stars around `inner` open and close (CommonMark's rule of flanking)."""
    opens = inner[0].isalnum() or not before.isalnum()
    closes = inner[-1].isalnum() or not after.isalnum()
    return opens and closes and before not in ("*", "~")


def _link(inner: str, address: str) -> str:
    bare = inner.replace("\\", "")
    if bare == address and re.fullmatch(r"(?:https?|ftp|mailto):[^\s<>]+", address):
        return f"<{address}>"
    return f"[{inner}]({_address(address)})"


def _address(address: str) -> str:
    address = address.replace("\n", "").replace("<", "%3C").replace(">", "%3E")
    balanced = address.count("(") == address.count(")")
    return f"<{address}>" if not balanced or re.search(r"\s", address) else address


def _label(text: str) -> str:
    return re.sub(r"([\[\]\\])", r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    if not longest:
        return f"`{text}`"
    ticks = "`" * (longest + 1)
    return f"{ticks} {text} {ticks}"


def escape(text: str) -> str:
    """Words that Markdown would read marks into, with backslashes."""
    return ESCAPED.sub(lambda found: "\\" + found.group(), text) if text else ""


def _table(element: Element, style: Style) -> Iterator[str]:
    for child in element:
        if child.tag == "caption":
            yield _line(child, style)
    head = [row for part in element if part.tag == "thead" for row in part]
    body = [row for part in element if part.tag != "thead" for row in ((part,) if part.tag == "tr" else part)]
    body = [row for row in body if row.tag == "tr"]  # rows may stand in the table itself; a caption is no row
    grid = _grid(head + body, len(head), style)
    if not grid:
        return
    if head:
        titles = [_title(column) for column in zip(*grid[: len(head)], strict=True)]
        rows = [titles, *grid[len(head) :]]
    else:
        rows = grid
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    yield "\n".join(re.sub(r" {2,}", " ", line) for line in lines)


def _title(cells: Sequence[str]) -> str:
    """A header of several rows as one: `2024 Q1`."""
    parts: list[str] = []
    for cell in cells:
        if cell and cell not in parts[-1:]:
            parts.append(cell)
    return " ".join(parts)


def _grid(rows: Sequence[Element], heads: int, style: Style) -> list[list[str]]:
    """Cells by row and column, all rows of one width; a header cell is repeated wherever it reaches."""
    cells: dict[tuple[int, int], str] = {}
    for y, row in enumerate(rows):
        x = 0
        for cell in row:
            while (y, x) in cells:
                x += 1
            text = _cell(cell, style)
            wide, tall = int(cell.get("colspan") or 1), int(cell.get("rowspan") or 1)
            for down in range(tall):
                for right in range(wide):
                    first = right == 0 and (down == 0 or (style.repeat and len(text) <= REPEATED))
                    cells.setdefault((y + down, x + right), text if first or y < heads else "")
            x += wide
    if not cells:
        return []
    width = 1 + max(x for _, x in cells)
    return [[cells.get((y, x), "") for x in range(width)] for y in range(len(rows))]


def _cell(cell: Element, style: Style) -> str:
    """A cell on one line."""
    parts = [_line(cell, style)] if (cell.text or "").strip() or (len(cell) and cell[0].tag in INLINE) else []
    for child in cell:
        if child.tag not in INLINE:
            parts += _flat(child, style)
    text = "<br>".join(part for part in parts if part)
    return text.replace("  \n", "<br>").replace("\n", " ").replace("|", "\\|")


def _flat(element: Element, style: Style) -> list[str]:
    """A block inside a cell as lines."""
    tag = element.tag
    if tag in ("ul", "ol"):
        return [line for number, item in enumerate(element, 1) for line in _item(item, number, tag == "ol", style)]
    if tag == "table":
        return [" / ".join(_cell(cell, style) for cell in row) for row in element.iter("tr")]
    if tag == "pre":
        return [_code(line) for line in "".join(element.itertext()).split("\n") if line.strip()]
    if tag in ("p", *HEADINGS, "caption", "figcaption"):
        return [_line(element, style)]
    own = [_line(element, style)] if (element.text or "").strip() else []
    return own + [line for child in element if child.tag not in INLINE for line in _flat(child, style)]


def _item(item: Element, number: int, ordered: bool, style: Style) -> list[str]:
    mark = f"{number}. " if ordered else "• "
    lines = _flat(item, style)
    if not lines and len(item) and item[0].tag in INLINE:
        lines = [_line(item, style)]
    return [mark + lines[0], *lines[1:]] if lines else []
