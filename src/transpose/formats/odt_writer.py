"""OpenDocument text out: headings, lists, tables, links and pictures in named styles, for LibreOffice and the like.

A ZIP of XML, written without a library: what OpenDocument needs is close to what a Document holds. The same document
gives the same bytes. The history goes into a user-defined field of the file's properties.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from transpose.core.context import Context
from transpose.core.transform import transform
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
)
from transpose.media.document_pictures import MIMES, Pictures

MIME = "application/vnd.oasis.opendocument.text"
NAMES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office",
        "style": "style",
        "text": "text",
        "table": "table",
        "draw": "drawing",
        "fo": "xsl-fo-compatible",
        "svg": "svg-compatible",
        "meta": "meta",
        "manifest": "manifest",
    }.items()
)
NAMES += ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"'
TEXT_WIDTH, TEXT_HEIGHT = 6.3, 9.2  # inches
MARKS = {
    "strong": 'fo:font-weight="bold" style:font-weight-asian="bold" style:font-weight-complex="bold"',
    "em": 'fo:font-style="italic" style:font-style-asian="italic" style:font-style-complex="italic"',
    "del": 'style:text-line-through-style="solid"',
    "mark": 'fo:background-color="#fff176"',
    "sup": 'style:text-position="super 65%"',
    "sub": 'style:text-position="sub 65%"',
    "code": 'style:font-name="Mono" fo:font-size="90%"',
    "math": 'fo:font-style="italic"',
    "link": 'fo:color="#0563c1" style:text-underline-style="solid"',
}
# LibreOffice takes the looks of tables and cells from the automatic styles of the content only
GRID = "".join(
    f'<style:style style:name="{name}" style:family="table-cell"><style:table-cell-properties'
    f' fo:border="0.5pt solid #c4cbd4" fo:padding="0.05in"{shade}/></style:style>'
    for name, shade in (("Cell", ""), ("Head", ' fo:background-color="#edf1f5"'))
) + (
    f'<style:style style:name="Grid" style:family="table"><style:table-properties style:width="{TEXT_WIDTH}in"'
    ' table:align="margins"/></style:style>'
)


@transform("document -> .odt", loses=["layout"])
def write_odt(document: Document, path: Path, ctx: Context) -> None:
    """Write an OpenDocument text: headings, nested lists, tables with merged cells, pictures, links and code.

    TeX stays TeX; speaker notes become indented paragraphs.
    """
    writer = _Body(Pictures(document, ctx, ("PNG", "JPEG", "GIF", "SVG")))
    content = "".join(writer.blocks(body(document), "Text"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        _put(file, "mimetype", MIME.encode(), zipfile.ZIP_STORED)
        automatic = f"<office:automatic-styles>{GRID}{''.join(writer.styles)}</office:automatic-styles>"
        inside = f"{automatic}<office:body><office:text>{content}</office:text></office:body>"
        _put(file, "content.xml", _part("document-content", inside))
        _put(file, "styles.xml", _part("document-styles", _styles(document.lang)))
        _put(file, "meta.xml", _part("document-meta", _meta(document, ctx.history)))
        for name, data in writer.files.items():
            _put(file, name, data, zipfile.ZIP_STORED)
        _put(file, "META-INF/manifest.xml", _manifest(list(writer.files)))


def _put(file: zipfile.ZipFile, name: str, data: bytes, pack: int = zipfile.ZIP_DEFLATED) -> None:
    info = zipfile.ZipInfo(name)  # its date is 1980: no clock
    info.compress_type = pack
    info.external_attr = 0o644 << 16
    file.writestr(info, data)


def _part(name: str, inside: str) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<office:{name} {NAMES} office:version="1.3">{inside}</office:{name}>\n'.encode()


class _Body:
    """Turns blocks into OpenDocument XML; collects the styles and pictures that they use."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self.styles: list[str] = []
        self.files: dict[str, bytes] = {}
        self._marked: dict[frozenset[str], str] = {}
        self._places: dict[str, str] = {}
        self._tables = 0

    def blocks(self, parent: Element, style: str) -> Iterator[str]:
        """The XML of every block in `parent`; `style` is for its plain paragraphs."""
        for block in blocks(parent):
            yield from self.block(block, style)

    def block(self, block: Element, style: str) -> Iterator[str]:
        """The XML of one block."""
        tag, rank = str(block.tag), level(block)
        if rank:
            yield f'<text:h text:style-name="Heading_{rank}" text:outline-level="{rank}">{self.inline(block)}</text:h>'
        elif tag in ("ul", "ol"):
            yield self.list_of(block, style)
        elif tag == "table":
            yield from self.table(block)
        elif tag == "pre":
            lines = "<text:line-break/>".join(_spaced(line) for line in code(block)[0].split("\n"))
            yield f'<text:p text:style-name="Code">{lines}</text:p>'
        elif tag == "hr":
            yield '<text:p text:style-name="Rule"/>'
        elif tag in ("figcaption", "caption"):
            yield f'<text:p text:style-name="Caption">{self.inline(block)}</text:p>'
        elif tag in ("blockquote", "aside"):
            yield from self.blocks(block, "Quotations" if tag == "blockquote" else "Note")
        elif tag in ("section", "figure", "li"):
            yield from self.blocks(block, style)
        else:
            found = runs(block)
            named = "Formula" if len(found) == 1 and "math" in found[0].marks else style
            named += "_rtl" if named == "Text" and right_to_left("".join(run.text for run in found)) else ""
            yield f'<text:p text:style-name="{named}">{self.said(found)}</text:p>'

    def list_of(self, block: Element, style: str) -> str:
        """A list with its items; each ordered one counts from its own start."""
        start = block.get("start", "1")
        first = f' text:start-value="{start}"' if start.isascii() and start.isdigit() and start != "1" else ""
        items = []
        for number, item in enumerate(block):
            inside = "".join(self.blocks(item, "List" if style == "Text" else style))
            items.append(f"<text:list-item{first if number == 0 else ''}>{inside}</text:list-item>")
        return (
            f'<text:list text:style-name="{"Numbers" if block.tag == "ol" else "Bullets"}">{"".join(items)}</text:list>'
        )

    def inline(self, block: Element) -> str:
        """The words of a paragraph."""
        return self.said(runs(block))

    def said(self, found: list[Run]) -> str:
        """Runs as spans, links and pictures."""
        return "".join(map(self.run, found))

    def run(self, run: Run) -> str:
        """One run."""
        if run.picture:
            return self.picture(run)
        text = "<text:line-break/>" if run.text == "\n" else _spaced(run.text)
        marks = run.marks | ({"link"} if run.link else frozenset())
        if marks:
            text = f'<text:span text:style-name="{self.mark(marks)}">{text}</text:span>'
        if run.link:
            address = quoteattr(UNWRITABLE.sub("", run.link))
            text = f'<text:a xlink:type="simple" xlink:href={address}>{text}</text:a>'
        return text

    def mark(self, marks: frozenset[str]) -> str:
        """The style for these marks together."""
        if marks not in self._marked:
            name = self._marked[marks] = f"T{len(self._marked) + 1}"
            properties = " ".join(MARKS[mark] for mark in sorted(marks) if not (mark == "math" and "em" in marks))
            look = f"<style:text-properties {properties}/>"
            self.styles.append(f'<style:style style:name="{name}" style:family="text">{look}</style:style>')
        return self._marked[marks]

    def picture(self, run: Run) -> str:
        """The picture as a character in the line; its description where it cannot be shown."""
        fitted = self.pictures.get(run.picture)
        if fitted is None:
            return _spaced(f"[{run.text or run.picture}]")
        place = self._places.setdefault(run.picture, f"Pictures/{len(self._places) + 1}{fitted.suffix}")
        self.files[place] = fitted.data
        width, height = fitted.fit(TEXT_WIDTH, TEXT_HEIGHT)
        title = f"<svg:title>{_clean(run.picture)}</svg:title><svg:desc>{_clean(run.text)}</svg:desc>"
        return (
            f'<draw:frame text:anchor-type="as-char" svg:width="{width:.3f}in" svg:height="{height:.3f}in">'
            f'<draw:image xlink:href="{place}" xlink:type="simple" xlink:show="embed" xlink:actuate="onLoad"/>'
            f"{title}</draw:frame>"
        )

    def table(self, block: Element) -> Iterator[str]:
        """A table with its caption above, and a blank line below."""
        whole = grid(block)
        if whole.caption is not None:
            yield f'<text:p text:style-name="Caption">{self.inline(whole.caption)}</text:p>'
        if whole.cells:
            self._tables += 1
            yield self.rows(whole, f"Table{self._tables}")
            yield '<text:p text:style-name="After"/>'

    def rows(self, whole: Grid, name: str) -> str:
        """The XML of one table; the style of its columns goes to `styles`."""
        columns = []
        for number, share in enumerate(whole.weights()):
            column = f"{name}.{number + 1}"
            self.styles.append(
                f'<style:style style:name="{column}" style:family="table-column"><style:table-column-properties'
                f' style:column-width="{share * TEXT_WIDTH:.3f}in"/></style:style>'
            )
            columns.append(f'<table:table-column table:style-name="{column}"/>')
        covers: dict[tuple[int, int], Cell] = {}
        for cell in whole.cells:
            across, down = range(cell.column, cell.column + cell.columns), range(cell.row, cell.row + cell.rows)
            covers.update({(y, x): cell for y in down for x in across})
        lines = []
        for row in range(whole.height):
            cells = "".join(self.cell(covers.get((row, column)), row, column) for column in range(whole.width))
            lines.append(f"<table:table-row>{cells}</table:table-row>")
        head, rest = "".join(lines[: whole.heads]), "".join(lines[whole.heads :])
        head = f"<table:table-header-rows>{head}</table:table-header-rows>" if head else ""
        return f'<table:table table:name="{name}" table:style-name="Grid">{"".join(columns)}{head}{rest}</table:table>'

    def cell(self, cell: Cell | None, row: int, column: int) -> str:
        """What stands at one place: a cell, the part of one that began elsewhere, or nothing."""
        if cell is None:
            return '<table:table-cell table:style-name="Cell" office:value-type="string"><text:p/></table:table-cell>'
        if (cell.row, cell.column) != (row, column):
            return "<table:covered-table-cell/>"
        spans = f' table:number-columns-spanned="{cell.columns}"' if cell.columns > 1 else ""
        spans += f' table:number-rows-spanned="{cell.rows}"' if cell.rows > 1 else ""
        named = "Head" if cell.head else "Cell"
        inside = "".join(self.blocks(cell.element, f"Table_{named}")) or "<text:p/>"
        kind = 'office:value-type="string"'
        return f'<table:table-cell table:style-name="{named}" {kind}{spans}>{inside}</table:table-cell>'


def _spaced(text: str) -> str:
    """Words in which every blank counts; OpenDocument takes several for one."""
    parts = _clean(text).replace("\t", "    ").split("  ")
    out = parts[0]
    for part in parts[1:]:
        out += f' <text:s text:c="1"/>{part}'
    return f"<text:s/>{out[1:]}" if out.startswith(" ") else out


def _clean(text: str) -> str:
    return escape(UNWRITABLE.sub("", text))


def _meta(document: Document, history: str) -> str:
    fields = {
        "dc:title": document.title or first_heading(document),
        "meta:initial-creator": document.metadata.get("author", ""),
        "dc:creator": document.metadata.get("author", ""),
        "dc:subject": document.metadata.get("subject", ""),
        "meta:keyword": document.metadata.get("keywords", ""),
        "dc:description": document.metadata.get("description", ""),
        "dc:language": document.lang,
    }
    parts = "".join(f"<{name}>{_clean(value)}</{name}>" for name, value in fields.items() if value)
    if history:
        parts += f'<meta:user-defined meta:name="transpose">{_clean(history)}</meta:user-defined>'
    return f"<office:meta><meta:generator>Transpose</meta:generator>{parts}</office:meta>"


def _manifest(pictures: list[str]) -> bytes:
    files = {"/": MIME, **dict.fromkeys(("content.xml", "styles.xml", "meta.xml"), "text/xml")}
    files |= {name: MIMES["." + name.rpartition(".")[2]] for name in pictures}
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="{mime}"/>'
        for name, mime in files.items()
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<manifest:manifest {NAMES} manifest:version="1.3">{entries}</manifest:manifest>\n'.encode()


def _style(name: str, parent: str, paragraph: str, text: str = "", outline: int = 0) -> str:
    rank = f' style:default-outline-level="{outline}"' if outline else ""
    family = f'style:family="paragraph" style:parent-style-name="{parent}"' if parent else 'style:family="paragraph"'
    return (
        f'<style:style style:name="{name}" {family}{rank}><style:paragraph-properties {paragraph}/>'
        f"<style:text-properties {text}/></style:style>"
    )


def _styles(lang: str) -> str:
    """Every named style: A4, one face, dark headings."""
    code = f'fo:language="{lang}"' if lang.isascii() and lang.isalpha() else ""
    faces = (
        '<style:font-face style:name="Sans" svg:font-family="\'Liberation Sans\'" style:font-family-generic="swiss"'
        ' style:font-pitch="variable"/><style:font-face style:name="Mono" svg:font-family="\'Liberation Mono\'"'
        ' style:font-family-generic="modern" style:font-pitch="fixed"/>'
    )
    plain = f'style:font-name="Sans" fo:font-size="11pt" {code}'
    styles = [
        f'<style:default-style style:family="paragraph"><style:text-properties {plain}/></style:default-style>',
        _style("Text", "", 'fo:margin-bottom="0.09in" fo:line-height="118%"'),
        _style("Text_rtl", "Text", 'style:writing-mode="rl-tb" fo:text-align="right"'),
        _style("List", "Text", 'fo:margin-bottom="0.03in"'),
        _style("Formula", "Text", 'fo:text-align="center"'),
        _style("Quotations", "Text", 'fo:margin-left="0.3in" fo:margin-right="0.3in"', 'fo:font-style="italic"'),
        _style("Note", "Text", 'fo:margin-left="0.3in" fo:background-color="#f3f4f6"', 'fo:font-size="10pt"'),
        _style("Caption", "Text", 'fo:keep-with-next="auto"', 'fo:font-size="9.5pt" fo:color="#4a5565"'),
        _style("Table_Cell", "", 'fo:margin-bottom="0.02in"', 'fo:font-size="10pt"'),
        _style("Table_Head", "Table_Cell", "", MARKS["strong"]),
        _style("After", "", 'fo:margin-bottom="0in"', 'fo:font-size="6pt"'),
        _style("Rule", "Text", 'fo:border-bottom="0.5pt solid #a0a0a0"'),
        _style(
            "Code",
            "Text",
            'fo:background-color="#f3f4f6" fo:padding="0.06in"',
            'style:font-name="Mono" fo:font-size="9pt"',
        ),
    ]
    for rank, size in enumerate((22, 17, 14, 12, 11, 11), 1):
        space = f'fo:margin-top="{size / 60:.2f}in" fo:margin-bottom="0.08in" fo:keep-with-next="always"'
        look = f'fo:font-size="{size}pt" fo:color="#1f2a37" {MARKS["strong"]}'
        styles.append(_style(f"Heading_{rank}", "", space, look, rank))
    styles += [_numbering("Bullets", False), _numbering("Numbers", True)]
    margin = f"{(8.27 - TEXT_WIDTH) / 2:.2f}in"
    page = (
        '<office:automatic-styles><style:page-layout style:name="A4"><style:page-layout-properties'
        ' fo:page-width="8.27in" fo:page-height="11.69in" fo:margin-top="1in" fo:margin-bottom="1in"'
        f' fo:margin-left="{margin}" fo:margin-right="{margin}"/></style:page-layout></office:automatic-styles>'
        '<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="A4"/>'
        "</office:master-styles>"
    )
    named = f"<office:styles>{''.join(styles)}</office:styles>"
    return f"<office:font-face-decls>{faces}</office:font-face-decls>{named}{page}"


def _numbering(name: str, ordered: bool) -> str:
    levels = []
    for depth in range(1, 11):
        place = (
            '<style:list-level-properties text:list-level-position-and-space-mode="label-alignment">'
            f'<style:list-level-label-alignment text:label-followed-by="listtab" fo:text-indent="-0.25in"'
            f' fo:margin-left="{depth * 0.25:.2f}in"/></style:list-level-properties>'
        )
        if ordered:
            form = ("1", "a", "i")[(depth - 1) % 3]
            levels.append(
                f'<text:list-level-style-number text:level="{depth}" style:num-format="{form}" style:num-suffix=".">'
                f"{place}</text:list-level-style-number>"
            )
        else:
            mark = "•◦▪"[(depth - 1) % 3]
            levels.append(
                f'<text:list-level-style-bullet text:level="{depth}" text:bullet-char="{mark}">{place}'
                "</text:list-level-style-bullet>"
            )
    return f'<text:list-style style:name="{name}">{"".join(levels)}</text:list-style>'
