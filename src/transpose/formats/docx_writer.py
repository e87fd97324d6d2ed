"""Word documents out: real headings, lists, tables, links and pictures, in styles that Word can change.

python-docx gives the package, its styles and its pictures; the body is written as XML, block by block, because the
library needs time that grows with the square of the length. The history goes into the field for comments of the core
properties.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
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
from transpose.media.document_pictures import Pictures, as_png

if TYPE_CHECKING:
    from docx.document import Document as Word
    from docx.oxml.xmlchemy import BaseOxmlElement

NAMES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
TEXT_WIDTH, TEXT_HEIGHT = 6.3, 9.2  # inches between the margins of A4
INDENT = 360  # twentieths of a point for each level of a list
COLUMNS = 63  # the most that Word opens
MARKS = {
    "strong": "<w:b/>",
    "em": "<w:i/>",
    "del": "<w:strike/>",
    "mark": '<w:highlight w:val="yellow"/>',
    "sup": '<w:vertAlign w:val="superscript"/>',
    "sub": '<w:vertAlign w:val="subscript"/>',
}
# the order that the schema demands of run properties
ORDER = ("code", "math", "strong", "em", "del", "blue", "mark", "link", "sup", "sub", "rtl")
EMPTY = '<w:p><w:pPr><w:pStyle w:val="TableText"/></w:pPr></w:p>'
MARGINS = (
    '<w:tblBorders><w:top w:val="single" w:sz="4" w:color="C4CBD4"/><w:left w:val="single" w:sz="4" w:color="C4CBD4"/>'
    '<w:bottom w:val="single" w:sz="4" w:color="C4CBD4"/><w:right w:val="single" w:sz="4" w:color="C4CBD4"/>'
    '<w:insideH w:val="single" w:sz="4" w:color="C4CBD4"/><w:insideV w:val="single" w:sz="4" w:color="C4CBD4"/>'
    '</w:tblBorders><w:tblCellMar><w:top w:w="50" w:type="dxa"/><w:bottom w:w="30" w:type="dxa"/></w:tblCellMar>'
)
MONO = '<w:rFonts w:ascii="Consolas" w:hAnsi="Consolas" w:cs="Consolas"/>'
PROPERTIES = {
    **MARKS,
    "code": MONO,
    "math": '<w:rFonts w:ascii="Cambria Math" w:hAnsi="Cambria Math"/>',
    "blue": '<w:color w:val="0563C1"/>',
    "link": '<w:u w:val="single"/>',
    "rtl": "<w:rtl/>",
}


@transform("document -> .docx", loses=["layout"], needs=["docx"], extra="documents")
def write_docx(document: Document, path: Path, ctx: Context) -> None:
    """Write a Word document: headings, nested lists, tables with merged cells, pictures, links and code.

    TeX stays TeX; speaker notes become indented paragraphs.
    """
    import docx

    root = body(document)
    file = docx.Document()
    _style(file)
    writer = _Body(file, Pictures(document, ctx, ("PNG", "JPEG", "GIF")), ctx)
    end = file.element.body.sectPr
    for xml in writer.blocks(root, 0):
        end.addprevious(writer.parse(xml))
    _describe(file.core_properties, document, ctx.history)
    file.save(str(path))


class _Body:
    """Turns blocks into WordprocessingML; numbers lists and relates links and pictures as it goes."""

    def __init__(self, file: Word, pictures: Pictures, ctx: Context) -> None:
        self.file = file
        self.pictures = pictures
        self.ctx = ctx
        self.drawn: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.numbers = _Numbers(file)

    @staticmethod
    def parse(xml: str) -> BaseOxmlElement:
        """One block as an element of python-docx's tree."""
        from docx.oxml import parse_xml

        return parse_xml(xml)

    def blocks(self, parent: Element, depth: int, style: str = "") -> Iterator[str]:
        """The XML of every block in `parent`; `depth` is the number of lists around it."""
        for block in blocks(parent):
            yield from self.block(block, depth, style)

    def block(self, block: Element, depth: int, style: str) -> Iterator[str]:
        """The XML of one block: one or more paragraphs and tables."""
        tag = str(block.tag)
        if level(block):
            yield self.paragraph(runs(block), f"Heading{level(block)}")
        elif tag in ("ul", "ol"):
            yield from self.items(block, depth)
        elif tag == "table":
            yield from self.table(block)
        elif tag == "pre":
            yield self.paragraph([Run(line) for line in _lines(code(block)[0])], "Code")
        elif tag == "hr":
            border = '<w:pBdr><w:bottom w:val="single" w:sz="6" w:space="1" w:color="A0A0A0"/></w:pBdr>'
            yield f"<w:p {NAMES}><w:pPr>{border}</w:pPr></w:p>"
        elif tag in ("figcaption", "caption"):
            yield self.paragraph(runs(block), "Caption")
        elif tag in ("blockquote", "aside"):
            yield from self.blocks(block, depth, "Quote" if tag == "blockquote" else "Note")
        elif tag in ("section", "figure", "li"):
            yield from self.blocks(block, depth, style)
        else:
            yield self.paragraph(runs(block), style, depth)

    def items(self, block: Element, depth: int) -> Iterator[str]:
        """A list: the first paragraph of an item has the mark, the rest is indented as far."""
        ordered = block.tag == "ol"
        number = self.numbers.new(block.get("start", "1") if ordered else "", min(depth, 8))
        for item in block:
            first = True
            for inner in blocks(item):
                if inner.tag == "p" and first:
                    mark = f'<w:numPr><w:ilvl w:val="{min(depth, 8)}"/><w:numId w:val="{number}"/></w:numPr>'
                    yield self.paragraph(runs(inner), "ListNumber" if ordered else "ListBullet", more=mark)
                else:
                    yield from self.block(inner, depth + 1, "")
                first = False

    def paragraph(self, found: list[Run], style: str = "", depth: int = 0, more: str = "") -> str:
        """A paragraph of runs."""
        rtl = right_to_left("".join(run.text for run in found))
        named = f'<w:pStyle w:val="{style}"/>' if style else ""
        bidi = "<w:bidi/>" if rtl else ""
        indent = f'<w:ind w:left="{INDENT * min(depth, 9)}"/>' if depth else ""
        centred = '<w:jc w:val="center"/>' if len(found) == 1 and "math" in found[0].marks else ""
        inside = "".join(self.run(run, rtl) for run in found)
        return f"<w:p {NAMES}><w:pPr>{named}{more}{bidi}{indent}{centred}</w:pPr>{inside}</w:p>"

    def run(self, run: Run, rtl: bool) -> str:
        """One run: words, a line break or a picture; linked where it has an address."""
        if run.picture:
            return self.picture(run)
        kinds = (
            run.marks
            | ({"link", "blue"} if run.link else set())
            | ({"rtl"} if rtl and right_to_left(run.text) else set())
        )
        wanted = "".join(PROPERTIES[kind] for kind in ORDER if kind in kinds)
        text = "<w:br/>" if run.text == "\n" else f'<w:t xml:space="preserve">{_clean(run.text)}</w:t>'
        xml = f"<w:r>{f'<w:rPr>{wanted}</w:rPr>' if wanted else ''}{text}</w:r>"
        return f'<w:hyperlink r:id="{self.relation(run.link)}">{xml}</w:hyperlink>' if run.link else xml

    def relation(self, link: str) -> str:
        """The name of the relation to an address; one for each address."""
        from docx.opc.constants import RELATIONSHIP_TYPE

        if link not in self.links:
            self.links[link] = self.file.part.relate_to(
                UNWRITABLE.sub("", link), RELATIONSHIP_TYPE.HYPERLINK, is_external=True
            )
        return self.links[link]

    def picture(self, run: Run) -> str:
        """The picture in the line, no wider than the text; its description where it cannot be shown."""
        from docx.oxml.xmlchemy import serialize_for_reading
        from docx.shared import Inches

        fitted = self.pictures.get(run.picture)
        if fitted is None:
            return (
                f'<w:r><w:rPr><w:i/></w:rPr><w:t xml:space="preserve">[{_clean(run.text or run.picture)}]</w:t></w:r>'
            )
        width, height = fitted.fit(TEXT_WIDTH, TEXT_HEIGHT)
        known = fitted.suffix != ".jpg" or fitted.data[6:10] in (b"JFIF", b"Exif")  # all that python-docx takes
        data = fitted.data if known else as_png(fitted)
        inline = self.file.part.new_pic_inline(io.BytesIO(data), Inches(width), Inches(height))
        for side in ("distT", "distB", "distL", "distR"):
            inline.set(side, "0")
        inline.docPr.set("descr", UNWRITABLE.sub("", run.text))
        inline.docPr.set("name", UNWRITABLE.sub("", run.picture))
        return f"<w:r><w:drawing>{serialize_for_reading(inline)}</w:drawing></w:r>"

    def table(self, block: Element) -> Iterator[str]:
        """A table, or several where it has more columns than Word opens; an empty paragraph parts what follows."""
        whole = grid(block)
        if whole.width > COLUMNS:
            self.ctx.warn(f"a table of {whole.width} columns was cut: Word opens {COLUMNS} at most")
        for piece in whole.pieces(COLUMNS):
            if piece.caption is not None:
                yield self.paragraph(runs(piece.caption), "Caption")
            if piece.cells:
                yield self.rows(piece)
                yield f"<w:p {NAMES}/>"

    def rows(self, piece: Grid) -> str:
        """The XML of one table."""
        total = int(TEXT_WIDTH * 1440)
        widths = [int(share * total) for share in piece.weights()]
        look = (
            '<w:tblLook w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="0" w:noVBand="1"/>'
        )
        head = f'<w:tblPr><w:tblStyle w:val="TableGrid"/><w:tblW w:w="5000" w:type="pct"/>{MARGINS}{look}</w:tblPr>'
        columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
        lines = []
        for number, places in enumerate(_places(piece)):
            repeat = "<w:tblHeader/>" if number < piece.heads else ""
            cells = "".join(self.cell(cell, begins, widths) for cell, begins in places)
            lines.append(f"<w:tr><w:trPr><w:cantSplit/>{repeat}</w:trPr>{cells}</w:tr>")
        return f"<w:tbl {NAMES}>{head}<w:tblGrid>{columns}</w:tblGrid>{''.join(lines)}</w:tbl>"

    def cell(self, cell: Cell | int, begins: bool, widths: list[int]) -> str:
        """One cell of one row; `begins` is false where it only continues one from above; a number is an empty place."""
        if isinstance(cell, int):
            return f'<w:tc><w:tcPr><w:tcW w:w="{widths[cell]}" w:type="dxa"/></w:tcPr>{EMPTY}</w:tc>'
        width = sum(widths[cell.column : cell.column + cell.columns])
        across = f'<w:gridSpan w:val="{cell.columns}"/>' if cell.columns > 1 else ""
        down = f"<w:vMerge{' w:val=' + quoteattr('restart') if begins else ''}/>" if cell.rows > 1 else ""
        shade = '<w:shd w:val="clear" w:color="auto" w:fill="EDF1F5"/>' if cell.head else ""
        inside = list(self.blocks(cell.element, 0, "TableHead" if cell.head else "TableText")) if begins else []
        if not inside or not inside[-1].startswith("<w:p "):
            inside.append(EMPTY)  # a cell ends with a paragraph
        properties = f'<w:tcW w:w="{width}" w:type="dxa"/>{across}{down}{shade}'
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{''.join(inside)}</w:tc>"


def _places(piece: Grid) -> Iterator[list[tuple[Cell | int, bool]]]:
    """For each row, what stands in it from left to right: cells that begin, cells that go on, empty places."""
    covers: dict[tuple[int, int], Cell] = {}
    for cell in piece.cells:
        covers.update({(row, cell.column): cell for row in range(cell.row, cell.row + cell.rows)})
    for row in range(piece.height):
        column, found = 0, list[tuple[Cell | int, bool]]()
        while column < piece.width:
            here = covers.get((row, column))
            found.append((column, False) if here is None else (here, here.row == row))
            column += here.columns if here else 1
        yield found


def _lines(text: str) -> Iterator[str]:
    """The lines of a program with breaks between them."""
    for number, line in enumerate(text.split("\n")):
        if number:
            yield "\n"
        if line:
            yield line


def _clean(text: str) -> str:
    return escape(UNWRITABLE.sub("", text))


class _Numbers:
    """List numbering: one definition for bullets, one for numbers, and a count of its own for each list."""

    def __init__(self, file: Word) -> None:
        self.root = file.part.numbering_part.element
        tag = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
        used = [int(each.get(f"{tag}abstractNumId")) for each in self.root.findall(f"{tag}abstractNum")]
        self.bullets, self.decimals = max(used, default=0) + 1, max(used, default=0) + 2
        first = self.root.find(f"{tag}num")
        for number, ordered in ((self.bullets, False), (self.decimals, True)):
            first.addprevious(_Body.parse(_abstract(number, ordered)))
        self.last = max((int(each.get(f"{tag}numId")) for each in self.root.findall(f"{tag}num")), default=0)

    def new(self, start: str, depth: int) -> int:
        """The number of a new list; `start` is "" for bullets."""
        self.last += 1
        first = start if start.isascii() and start.isdigit() and len(start) < 6 else "1"
        restart = f'<w:lvlOverride w:ilvl="{depth}"><w:startOverride w:val="{first}"/></w:lvlOverride>' if start else ""
        which = self.decimals if start else self.bullets
        xml = f'<w:num {NAMES} w:numId="{self.last}"><w:abstractNumId w:val="{which}"/>{restart}</w:num>'
        self.root.append(_Body.parse(xml))
        return self.last


def _abstract(number: int, ordered: bool) -> str:
    levels = []
    for depth in range(9):
        text = f"%{depth + 1}." if ordered else "•◦▪"[depth % 3]
        form = ("decimal", "lowerLetter", "lowerRoman")[depth % 3] if ordered else "bullet"
        place = f'<w:pPr><w:ind w:left="{INDENT * (depth + 1)}" w:hanging="{INDENT}"/></w:pPr>'
        levels.append(
            f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/>'
            f'<w:lvlJc w:val="left"/>{place}</w:lvl>'
        )
    kind = '<w:multiLevelType w:val="multilevel"/>'
    return f'<w:abstractNum {NAMES} w:abstractNumId="{number}">{kind}{"".join(levels)}</w:abstractNum>'


def _style(file: Word) -> None:
    """A calm page: A4, one face, dark headings, and the styles for code, notes and cells."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Inches, Pt, RGBColor

    page = file.sections[0]
    page.page_width, page.page_height = Inches(8.27), Inches(11.69)
    page.left_margin = page.right_margin = Inches((8.27 - TEXT_WIDTH) / 2)
    page.top_margin = page.bottom_margin = Inches(1)
    normal = file.styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(11)
    normal.paragraph_format.space_after, normal.paragraph_format.line_spacing = Pt(7), 1.15
    for number, size in enumerate((22.0, 17.0, 14.0, 12.0, 11.0, 11.0), 1):
        heading = file.styles[f"Heading {number}"]
        heading.font.name, heading.font.size, heading.font.color.rgb = "Calibri", Pt(size), RGBColor(0x1F, 0x2A, 0x37)
        heading.paragraph_format.space_before, heading.paragraph_format.space_after = Pt(size * 0.9), Pt(5)
        for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):  # the theme's face would win
            fonts = heading.element.rPr.rFonts
            fonts.attrib.pop(f"{{http://schemas.openxmlformats.org/wordprocessingml/2006/main}}{name}", None)
    file.styles["Caption"].font.color.rgb = RGBColor(0x4A, 0x55, 0x65)
    file.styles["Quote"].paragraph_format.left_indent = Inches(0.3)
    for name, size, left in (
        ("Code", 9.5, 0.15),
        ("Note", 10.0, 0.3),
        ("TableText", 10.0, 0.0),
        ("TableHead", 10.0, 0.0),
    ):
        style = file.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = normal
        style.font.size, style.paragraph_format.left_indent = Pt(size), Inches(left)
        style.paragraph_format.space_after = Pt(2 if name.startswith("Table") else 7)
        style.paragraph_format.line_spacing = 1.0
    file.styles["Code"].font.name = "Consolas"
    shade = _Body.parse(f'<w:shd {NAMES} w:val="clear" w:color="auto" w:fill="F3F4F6"/>')
    properties = file.styles["Code"].element.get_or_add_pPr()
    properties.insert_element_before(shade, "w:tabs", "w:spacing", "w:ind", "w:jc")
    file.styles["TableHead"].font.bold = True
    file.styles["Note"].font.italic = True


def _describe(properties: object, document: Document, history: str) -> None:
    """Title, author, language and history. The library's own setter refuses more than 255 characters."""
    fields = {
        "dc:title": document.title or first_heading(document),
        "dc:creator": document.metadata.get("author", ""),
        "dc:subject": document.metadata.get("subject", ""),
        "cp:keywords": document.metadata.get("keywords", ""),
        "dc:language": document.lang,
        "dc:description": history,
    }
    element = properties._element  # type: ignore[attr-defined]
    for name, value in fields.items():
        setter = getattr(element, f"get_or_add_{name.partition(':')[2]}")
        setter().text = UNWRITABLE.sub("", value)
