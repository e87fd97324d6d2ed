"""PDF out: set on paper by Typst, with page numbers, an outline of the headings, links, tables and pictures.

The document becomes a program in Typst's own language in which every word is a string, so no word can be taken for a
mark. Letters that Typst's own fonts lack come from the fonts of the machine; which no font has is said. No clock is
read. The history goes into the subject of the file's properties.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from xml.etree.ElementTree import Element

from transpose.core.context import Context
from transpose.core.errors import TransformError
from transpose.core.transform import Range, transform
from transpose.media.document import UNWRITABLE, Document
from transpose.media.document_flow import (
    Cell,
    Grid,
    Run,
    blocks,
    body,
    code,
    first_heading,
    grid,
    level,
    right_to_left,
    runs,
    words,
)
from transpose.media.document_pictures import Pictures
from transpose.media.font_cover import uncovered

if TYPE_CHECKING:
    import typst

PAPERS = {"a4": (8.27, 11.69), "us-letter": (8.5, 11.0)}  # inches
MARGIN = 1.0
LONGEST = 25_000_000  # letters of the program; Typst takes some 300 bytes of memory for each
NESTED = 4  # tables in tables; Typst gives up on more
COLUMNS = 24  # of one table; a wider one is cut
LONG, LONG_CODE = 45, 85  # letters after which a word may be broken anywhere
MARKS = {"strong": "strong", "em": "emph", "sup": "super", "sub": "sub", "del": "strike", "mark": "highlight"}
LOOK = """
#set page(paper: {paper}, margin: {margin}in, numbering: none, footer: context {{
  if counter(page).final().first() > 1 {{
    align(center, text(8.5pt, luma(110), counter(page).display("1 / 1", both: true)))
  }}
}})
#set text(font: {fonts}, size: {size}pt, lang: {lang}, hyphenate: auto, overhang: true)
#set par(justify: false, leading: 0.68em, spacing: 1.05em)
#set heading(numbering: none)
#set list(marker: ([•], [◦], [▪]), indent: 0.4em, spacing: auto)
#set enum(indent: 0.4em)
#set table(stroke: 0.5pt + luma(200), inset: (x: 5pt, y: 4pt), fill: none)
#set image(fit: "contain")
#set highlight(fill: rgb("#fff3a3"))
#set underline(stroke: 0.4pt, offset: 1.5pt)
#show link: it => text(fill: rgb("#1a4f9c"), it)
#show heading: set text(weight: 700, hyphenate: false)
#show heading: set block(above: 1.6em, below: 0.8em, sticky: true)
#show heading.where(level: 1): set text(1.55em)
#show heading.where(level: 2): set text(1.2em)
#show heading.where(level: 3): set text(1.05em)
#show raw: set text(font: "DejaVu Sans Mono", 0.95em)
#show raw.where(block: true): it => block(width: 100%, fill: luma(245), inset: 8pt, radius: 3pt, it)
#show quote.where(block: true): it => {{
  block(inset: (left: 1em), stroke: (left: 2pt + luma(200)), text(luma(80), it.body))
}}
#show table.cell: set par(justify: false, leading: 0.5em, spacing: 0.7em)
#let note(body) = block(width: 100%, fill: luma(245), inset: 8pt, radius: 3pt, text(0.9em, body))
#let lost(..it) = none
#let small(body) = block(above: 0.7em, below: 0.9em, text(0.9em, luma(90), body))
"""


@transform("document -> .pdf", loses=["structure"], needs=["typst"], extra="documents")
def write_pdf(
    document: Document,
    path: Path,
    ctx: Context,
    *,
    paper: Annotated[Literal["a4", "us-letter"], "size of the page"] = "a4",
    size: Annotated[float, Range(6, 24), "height of the letters in points"] = 10.5,
    font: Annotated[str, "name of a font of this machine for the text"] = "",
    font_folder: Annotated[str, "folder with more font files"] = "",
) -> None:
    """Set the document on pages. TeX formulas stay TeX; speaker notes stand in grey boxes.

    Raises TransformError where Typst cannot set it.
    """
    with tempfile.TemporaryDirectory(dir=ctx.folder) as name:
        folder = Path(name)
        pictures = Pictures(document, ctx, ("PNG", "JPEG", "GIF", "WEBP", "SVG"))
        width, height = (side - 2 * MARGIN for side in PAPERS[paper])
        fonts = _fonts(font_folder)
        _say_uncovered(document, fonts, ctx)
        head = _head(document, ctx.history) + _look(document, paper, size, font)
        setter = _Setter(pictures, folder, width, height)
        content = "".join(setter.blocks(body(document)))
        if len(content) > LONGEST:
            raise TransformError("this is too long for one PDF (more than 20 million letters)", "Write .epub or .html")
        data = _compile(head + content, folder, fonts)
        if isinstance(data, str) and setter.places:
            data = _compile(head + setter.without_broken(content, fonts, ctx), folder, fonts)
        if isinstance(data, str):
            raise TransformError(f"the document cannot be set: {data}", "Try .docx or .html")
        path.write_bytes(data)


def _compile(source: str, folder: Path, fonts: typst.Fonts) -> bytes | str:
    """The PDF, or what Typst says is wrong."""
    import typst

    try:
        compiler = typst.Compiler(root=str(folder), font_paths=fonts)
        made = compiler.compile(source.encode("utf-8", "replace"), format="pdf")
    except typst.TypstError as error:
        return str(error.message).strip().partition("\n")[0] or "it does not say why"
    assert isinstance(made, bytes)
    return made


def _fonts(folder: str) -> typst.Fonts:
    import typst

    return typst.Fonts(font_paths=[folder] if folder else [])


def _say_uncovered(document: Document, fonts: typst.Fonts, ctx: Context) -> None:
    paths = {Path(font.path) for font in fonts.fonts() if font.path}
    lacking = uncovered(document.html, sorted(paths))
    if lacking:
        shown = "".join(sorted(lacking)[:8])
        hint = "install one, such as Noto, or give -o font_folder=..."
        ctx.warn(f"no font here has {len(lacking)} of the characters ({shown}), they are boxes in the PDF: {hint}")


def _head(document: Document, history: str) -> str:
    title = document.title or first_heading(document)
    words = [word.strip() for word in document.metadata.get("keywords", "").split(",") if word.strip()]
    author = document.metadata.get("author", "")
    fields = f"title: {_quote(title)}, description: {_quote(history)}, date: none"
    fields += f", author: {_quote(author)}" if author else ""
    fields += f", keywords: ({''.join(_quote(word) + ', ' for word in words)})" if words else ""
    return f"#set document({fields})\n"


def _look(document: Document, paper: str, size: float, font: str) -> str:
    faces = [font] if font else []
    fonts = f"({', '.join(map(_quote, [*faces, 'Libertinus Serif']))},)"
    lang = document.lang if re.fullmatch("[a-z]{2,3}", document.lang) else "en"
    return LOOK.format(paper=_quote(paper), margin=MARGIN, fonts=fonts, size=size, lang=_quote(lang))


class _Setter:
    """Turns blocks into Typst's code; pictures go to `folder`, `width` and `height` (inches) are those of the text."""

    def __init__(self, pictures: Pictures, folder: Path, width: float, height: float) -> None:
        self.pictures = pictures
        self.folder = folder
        self.width = width
        self.height = height
        self.places: dict[str, str] = {}
        self.depth = 0  # tables around the one that is set

    def without_broken(self, content: str, fonts: typst.Fonts, ctx: Context) -> str:
        """The code without the pictures that Typst cannot open, though Pillow can."""
        for name, place in self.places.items():
            if isinstance(_compile(f'#image("{place}", width: 1in)\n', self.folder, fonts), str):
                ctx.warn(f"the picture {name!r} cannot be shown in a PDF: left out")
                content = content.replace(f'image("{place}", ', "lost(")
        return content

    def blocks(self, parent: Element) -> Iterator[str]:
        """Each block as one line of markup."""
        for block in blocks(parent):
            for made in self.block(block, self.width):
                yield f"#{made}\n"

    def inside(self, parent: Element, width: float) -> str:
        """The blocks in a block as one code block."""
        return "{" + "; ".join(made for block in blocks(parent) for made in self.block(block, width)) + "}"

    def block(self, block: Element, width: float) -> Iterator[str]:
        """The code of one block: one or more expressions."""
        tag, rank = str(block.tag), level(block)
        if rank:
            yield f"heading(level: {rank}, {self.line(block, width)})"
        elif tag in ("ul", "ol"):
            yield self.items(block, max(0.5, width - 0.3))
        elif tag == "table":
            yield from self.table(block, width)
        elif tag == "pre":
            text, name = code(block)
            lang = f", lang: {_quote(name)}" if name else ""
            yield f"raw({_quote(_breakable(text, LONG_CODE))}, block: true{lang})"
        elif tag == "hr":
            yield "block(above: 1.4em, below: 1.4em, line(length: 100%, stroke: 0.5pt + luma(180)))"
        elif tag in ("figcaption", "caption"):
            yield f"small({self.line(block, width)})"
        elif tag == "blockquote":
            yield f"quote(block: true, {self.inside(block, width - 0.2)})"
        elif tag == "aside":
            yield f"note({self.inside(block, width - 0.3)})"
        elif tag in ("section", "li"):
            for inner in blocks(block):
                yield from self.block(inner, width)
        elif tag == "figure":
            yield f"align(center, {self.inside(block, width)})"
        else:
            found = runs(block)
            alone = len(found) == 1 and ("math" in found[0].marks or found[0].picture)
            said = self.said(found, width)
            if right_to_left("".join(run.text for run in found)):
                yield f"align(right, par({{set text(dir: rtl); {said}}}))"
            else:
                yield f"align(center, {said})" if alone else f"par({said})"

    def items(self, block: Element, width: float) -> str:
        """A list; tight where no item holds more than a line and a list."""
        children = [list(blocks(item)) for item in block]
        tight = all(sum(each.tag == "p" for each in item) < 2 for item in children)
        parts = []
        for item in children:
            made: list[str] = []
            for inner in item:
                said = self.said(runs(inner), width) if inner.tag == "p" and tight else ""
                made += [said] if said else self.block(inner, width)
            parts.append("{" + "; ".join(made) + "}")
        start = block.get("start", "1")
        first = f"start: {start}, " if start.isascii() and start.isdigit() and len(start) < 10 else ""
        name = f"enum({first}" if block.tag == "ol" else "list("
        return f"{name}tight: {str(tight).lower()}, {', '.join(parts)})"

    def line(self, block: Element, width: float) -> str:
        """The words of one paragraph as a code block."""
        return self.said(runs(block), width)

    def said(self, found: list[Run], width: float) -> str:
        """Runs as a code block."""
        return "{" + "; ".join(self.run(run, width) for run in found) + "}"

    def run(self, run: Run, width: float) -> str:
        """One run as an expression."""
        if run.picture:
            return self.picture(run, width)
        if run.text == "\n":
            return "linebreak()"
        text = _quote(_breakable(run.text, max(4, min(LONG, int(width * 9)))))
        made = f"raw({text})" if run.marks & {"code", "math"} else f"text({text})"
        for mark in sorted(run.marks & MARKS.keys()):
            made = f"{MARKS[mark]}({made})"
        return f"link({_quote(run.link)}, underline({made}))" if run.link and len(run.link) < 4000 else made

    def picture(self, run: Run, width: float) -> str:
        """A picture no wider than the place it stands in; its description where it cannot be shown."""
        fitted = self.pictures.get(run.picture)
        if fitted is None:
            return f"emph(text({_quote(f'[{run.text or run.picture}]')}))"
        if run.picture not in self.places:
            place = self.places[run.picture] = f"/{len(self.places) + 1}{fitted.suffix}"
            (self.folder / place[1:]).write_bytes(fitted.data)
        wide, _ = fitted.fit(width, self.height * 0.85)
        shown = f'image("{self.places[run.picture]}", width: {wide:.3f}in, alt: {_quote(run.text)})'
        return f"box({shown})"

    def table(self, block: Element, width: float) -> Iterator[str]:
        """A table with its caption; one with very many columns in pieces."""
        if self.depth >= NESTED:
            yield f"par({self.said([Run(words(block))], width)})"
            return
        self.depth += 1
        whole = grid(block)
        if whole.caption is not None:
            yield f"small({self.line(whole.caption, width)})"
        for piece in whole.pieces(COLUMNS):
            if piece.cells:
                size = 0.93 if piece.width <= 5 else 0.8 if piece.width <= 9 else 0.68 if piece.width <= 14 else 0.55
                yield f"block(above: 1em, below: 1.3em, text({size}em, {self.cells(piece, width)}))"
        self.depth -= 1

    def cells(self, piece: Grid, width: float) -> str:
        """The code of one table; as wide as its content where that is little."""
        letters = piece.letters()
        shares = [each / sum(letters) for each in letters]
        total = min(width, sum(letters) * 0.085 + 0.18 * piece.width)
        columns = ", ".join(f"{share * total:.3f}in" for share in shares)
        rows = piece.rows()
        head = "".join(self.cell(cell, shares, total) for row in rows[: piece.heads] for cell in row)
        rest = "".join(self.cell(cell, shares, total) for row in rows[piece.heads :] for cell in row)
        head = f"table.header({head}), " if head else ""
        return f"table(columns: ({columns},), {head}{rest})"

    def cell(self, cell: Cell, shares: list[float], width: float) -> str:
        """One cell, with a comma after it."""
        inner = max(0.3, sum(shares[cell.column : cell.column + cell.columns]) * width - 0.15)
        place = f"x: {cell.column}, y: {cell.row}, colspan: {cell.columns}, rowspan: {cell.rows}"
        found = list(blocks(cell.element))
        one = len(found) == 1 and found[0].tag == "p"
        content = self.line(found[0], inner) if one else self.inside(cell.element, inner)
        if cell.head:
            return f"table.cell({place}, fill: luma(240), strong({content})), "
        return f"table.cell({place}, {content}), "


def _quote(text: str) -> str:
    """A string of Typst's language; what cannot be written is left out."""
    text = UNWRITABLE.sub("", text).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\n", "\\n").replace("\r", "").replace("\t", "    ") + '"'


def _breakable(text: str, most: int) -> str:
    """Very long words may be broken: after a sign in them, else after `most` letters (by a blank without width)."""
    if len(text) <= most:
        return text
    return re.sub(rf"[!-~]{{{most},}}", lambda found: _broken(found.group(), most), text)


def _broken(word: str, most: int) -> str:
    word = re.sub(r"(?<=[/?&=_.,;:-])(?=\w)", "\u200b", word)
    return "\u200b".join(
        re.sub(rf"([^\u200b]{{{most}}})(?=[^\u200b])", "\\1\u200b", part) for part in word.split("\u200b")
    )
