"""Slides out: PowerPoint, a slide for each heading, with real bullets, tables, pictures and speaker notes.

`media.slide_plan` decides what stands where; here python-pptx draws it on a plain wide page. The history goes into the
field for comments of the core properties.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.core.errors import TransformError
from transpose.core.transform import transform
from transpose.media.document import UNWRITABLE, Document
from transpose.media.document_flow import Cell, Run, blocks, body, first_heading, right_to_left, runs, words, wrap
from transpose.media.document_pictures import Pictures
from transpose.media.slide_plan import (
    BODY_WIDTH,
    HANG,
    HEIGHT,
    LEFT,
    STEP,
    WIDE,
    WIDTH,
    Box,
    Piece,
    Rows,
    Shown,
    Slide,
    cut,
    divide,
    pages,
)

if TYPE_CHECKING:
    from pptx.dml.color import RGBColor
    from pptx.dml.fill import FillFormat
    from pptx.presentation import Presentation
    from pptx.slide import Slide as Drawn
    from pptx.text.text import TextFrame, _Paragraph

MOST = 1500  # slides; a larger file opens nowhere in good time
TITLE_SIZES = (32, 28, 24, 20, 16)
TITLE_TOP, TITLE_HEIGHT = 0.4, 1.1
INK, QUIET, LINK = (0x1F, 0x2A, 0x37), (0x5B, 0x66, 0x72), (0x05, 0x63, 0xC1)
GRID = "{5940675A-B579-460E-94D1-54222C63F5DA}"  # the name of PowerPoint's table style of thin lines only
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
OPENING, CONTENT, TITLE_ONLY, EMPTY = 0, 1, 5, 6  # layouts of python-pptx's template


@transform("document -> .pptx", loses=["layout"], needs=["pptx"], extra="documents")
def write_pptx(document: Document, path: Path, ctx: Context) -> None:
    """Write slides: each heading down to the third level, each section and each rule begins one.

    What does not fit goes on over a further slide. Notes (`aside`) become speaker notes. Raises TransformError where
    it would take more than 1,500 slides.
    """
    import pptx

    slides = cut(body(document), Pictures(document, ctx, ("PNG", "JPEG", "GIF")))
    plan: list[tuple[Slide, tuple[Run, ...], list[list[Box]]]] = []
    count = 0
    for number, slide in enumerate(slides or [Slide((Run(document.title or " "),), 1)]):
        title, rest = _fitted_title(slide)
        slide.items[:0] = rest
        plan.append((slide, title, [] if _opens(slide, number) else pages(slide) or [[]]))
        count += max(1, len(plan[-1][2]))
        if count > MOST:
            raise TransformError(f"this takes more than {MOST} slides", "Write .docx, .pdf or .epub")
    file = pptx.Presentation()
    _widen(file)
    for slide, title, parts in plan:
        if not parts:
            _open(file, slide)
        for part, boxes in enumerate(parts):
            _draw(file, title, boxes, slide.notes if part == 0 else [])
    _describe(file, document, ctx.history)
    file.save(str(path))


def _widen(file: Presentation) -> None:
    """The template made 16 to 9, with everything on its layouts."""
    from pptx.util import Inches

    scale = WIDTH * 914400 / (file.slide_width or 9144000)
    for page in (file.slide_master, *file.slide_layouts):
        for shape in page.placeholders:
            if shape._element.spPr.xfrm is not None:
                shape.left, shape.width = int(shape.left * scale), int(shape.width * scale)
    file.slide_width, file.slide_height = Inches(WIDTH), Inches(HEIGHT)


def _opens(slide: Slide, number: int) -> bool:
    """Whether it is a title on its own, or the first with no more than a line under it."""
    if not slide.title or slide.rank > 2 or _size(slide.title, TITLE_SIZES, BODY_WIDTH, 2.0) is None:
        return False
    texts = [item for item in slide.items if isinstance(item, Piece) and item.kind == "text" and not item.mark]
    short = number == 0 and len(slide.items) == len(texts) == 1 and _length(texts[0].runs) < 160
    return not slide.items or (short and slide.rank == 1)


def _open(file: Presentation, slide: Slide) -> None:
    """A slide with a large title in the middle, and perhaps a line under it."""
    drawn = file.slides.add_slide(file.slide_layouts[OPENING])
    title, under = drawn.shapes.title, drawn.placeholders[1]
    _place(title, LEFT, 2.0, BODY_WIDTH, 2.0)
    _frame(title.text_frame, "b")
    _write(title.text_frame, [Piece(slide.title)], _size(slide.title, (40, *TITLE_SIZES), BODY_WIDTH, 2.0) or 16, True)
    pieces = [item for item in slide.items if isinstance(item, Piece)]
    if pieces:
        _place(under, LEFT, 4.15, BODY_WIDTH, 1.6)
        _frame(under.text_frame, "t")
        _write(under.text_frame, pieces, 20, False)
    else:
        under._element.getparent().remove(under._element)
    _note(drawn, slide.notes)


def _fitted_title(slide: Slide) -> tuple[tuple[Run, ...], list[Piece]]:
    """The title, and what is too long of it as a first paragraph."""
    if not slide.title or _size(slide.title, TITLE_SIZES, BODY_WIDTH, TITLE_HEIGHT):
        return slide.title, []
    ends = wrap("".join(run.text for run in slide.title), BODY_WIDTH * 72 / (TITLE_SIZES[-1] * WIDE))
    head, tail = divide(slide.title, ends[2] if len(ends) > 2 else ends[0])
    return head, [Piece(tail)]


def _size(title: tuple[Run, ...], sizes: tuple[int, ...], width: float, height: float) -> int | None:
    """The largest size at which a title fits, or None."""
    text = "".join(run.text for run in title)
    for size in sizes:
        if len(wrap(text, (width - 0.25) * 72 / (size * WIDE * 1.08))) * size * 1.2 / 72 <= height:
            return size
    return None


def _length(found: tuple[Run, ...]) -> int:
    return sum(len(run.text) for run in found)


def _draw(file: Presentation, title: tuple[Run, ...], boxes: list[Box], notes: list[str]) -> None:
    """One slide. The first box of words is the layout's own, so that outlines show it."""
    said = next((box for box in boxes if isinstance(box.items[0], Piece) and box.items[0].kind != "code"), None)
    drawn = file.slides.add_slide(file.slide_layouts[CONTENT if said else TITLE_ONLY if title else EMPTY])
    shape = drawn.shapes.title
    if shape is not None and title:
        _place(shape, LEFT, TITLE_TOP, BODY_WIDTH, TITLE_HEIGHT)
        _frame(shape.text_frame, "ctr")
        size = _size(title, TITLE_SIZES, BODY_WIDTH, TITLE_HEIGHT) or TITLE_SIZES[-1]
        _write(shape.text_frame, [Piece(title)], size, True)
    elif shape is not None:
        shape._element.getparent().remove(shape._element)
    for box in boxes:
        first = box.items[0]
        if isinstance(first, Shown):
            _picture(drawn, box, first)
        elif isinstance(first, Rows):
            _table(drawn, box, first)
        else:
            _words(drawn, box, box is said)
    _note(drawn, notes)


def _place(shape: object, left: float, top: float, width: float, height: float) -> None:
    for name, value in (("left", left), ("top", top), ("width", width), ("height", height)):
        setattr(shape, name, int(value * 914400))


def _frame(frame: TextFrame, anchor: str) -> None:
    """Words wrap inside the frame; it neither grows nor shrinks them."""
    from pptx.enum.text import MSO_AUTO_SIZE

    frame.word_wrap = True
    frame.auto_size = MSO_AUTO_SIZE.NONE
    properties = frame._txBody.bodyPr
    properties.set("anchor", anchor)
    for side in ("lIns", "rIns"):
        properties.set(side, "91440")
    for side in ("tIns", "bIns"):
        properties.set(side, "0")


def _fill(fill: FillFormat, colour: tuple[int, int, int]) -> None:
    fill.solid()  # type: ignore[no-untyped-call]
    fill.fore_color.rgb = _colour(colour)


def _colour(colour: tuple[int, int, int]) -> RGBColor:
    from pptx.dml.color import RGBColor

    return RGBColor(*colour)  # type: ignore[no-untyped-call]


def _words(drawn: Drawn, box: Box, own: bool) -> None:
    """A box of paragraphs; code on grey."""
    from pptx.util import Inches

    if own:
        shape = drawn.placeholders[1]
        _place(shape, box.left, box.top, box.width, box.height)
    else:
        place = (Inches(each) for each in (box.left, box.top, box.width, box.height))
        shape = drawn.shapes.add_textbox(*place)
    pieces = [item for item in box.items if isinstance(item, Piece)]
    _frame(shape.text_frame, "t")
    if pieces[0].kind == "code":
        _fill(shape.fill, (0xF3, 0xF4, 0xF6))
    _write(shape.text_frame, pieces, box.size, False)


def _write(frame: TextFrame, pieces: list[Piece], size: float, bold: bool) -> None:
    """Paragraphs with their marks; the number of a list goes on from its first item in this frame."""
    starts: dict[int, int] = {}
    for number, piece in enumerate(pieces):
        paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()  # type: ignore[no-untyped-call]
        starts.setdefault(piece.group, piece.number)
        _mark(paragraph, piece, size, starts[piece.group])
        for run in piece.runs:
            _run(paragraph, run, piece, piece.size(size), bold or piece.kind == "head")


def _mark(paragraph: _Paragraph, piece: Piece, size: float, start: int) -> None:
    """Indent, bullet or number, space after and direction, in the order that the schema demands."""
    from pptx.oxml import parse_xml

    properties = paragraph._p.get_or_add_pPr()
    properties.set("algn", "l")
    hang = HANG[piece.mark] * STEP if piece.mark else 0.0
    properties.set("marL", str(int((piece.level * STEP + hang + (0.3 if piece.kind == "quote" else 0)) * 914400)))
    properties.set("indent", str(int(-hang * 914400)))
    if piece.level:
        properties.set("lvl", str(min(piece.level, 8)))
    if right_to_left("".join(run.text for run in piece.runs)):
        properties.set("algn", "r")
        properties.set("rtl", "1")
    after = 0 if piece.kind == "code" else int(piece.size(size) * 45)
    names = f'xmlns:a="{A}"'
    mark = "<a:buNone {}/>"
    if piece.mark == "1":
        mark = f'<a:buAutoNum {{}} type="arabicPeriod" startAt="{max(1, min(start, 32767))}"/>'
    elif piece.mark:
        mark = f'<a:buChar {{}} char="{"•–▪"[piece.level % 3]}"/>'
    spaces = (
        f'<a:spcBef {names}><a:spcPts val="0"/></a:spcBef>',
        f'<a:spcAft {names}><a:spcPts val="{after}"/></a:spcAft>',
    )
    for xml in (*spaces, mark.format(names)):
        properties.append(parse_xml(xml))


def _run(paragraph: _Paragraph, run: Run, piece: Piece, size: float, bold: bool) -> None:
    from pptx.util import Pt

    if run.text == "\n":
        paragraph.add_line_break()  # type: ignore[no-untyped-call]
        return
    new = paragraph.add_run()
    new.text = UNWRITABLE.sub("", run.text).replace("\n", " ").replace("\v", " ")
    new.font.size = Pt(round(size, 1))
    new.font.bold = True if bold or "strong" in run.marks else None
    new.font.italic = True if "em" in run.marks or piece.kind == "quote" else None
    new.font.color.rgb = _colour(LINK if run.link else QUIET if piece.kind == "quote" else INK)
    properties = new._r.get_or_add_rPr()
    if "del" in run.marks:
        properties.set("strike", "sngStrike")
    if run.marks & {"sup", "sub"}:
        properties.set("baseline", "30000" if "sup" in run.marks else "-25000")
    if run.marks & {"code", "math"}:
        new.font.name = "Consolas" if "code" in run.marks else "Cambria Math"
    if run.link:
        new.hyperlink.address = run.link


def _picture(drawn: Drawn, box: Box, shown: Shown) -> None:
    from pptx.util import Inches

    place = (Inches(each) for each in (box.left, box.top, box.width, box.height))
    picture = drawn.shapes.add_picture(io.BytesIO(shown.fitted.data), *place)
    properties = picture._element._nvXxPr.cNvPr
    properties.set("descr", UNWRITABLE.sub("", shown.alt))
    properties.set("name", UNWRITABLE.sub("", shown.name))


def _table(drawn: Drawn, box: Box, rows: Rows) -> None:
    from pptx.util import Inches

    height, width = rows.grid.height, rows.grid.width
    place = (Inches(each) for each in (box.left, box.top, box.width, box.height))
    frame = drawn.shapes.add_table(height, width, *place)
    table = frame.table
    for style in table._tbl.iter(f"{{{A}}}tableStyleId"):
        style.text = GRID
    table.first_row = rows.grid.heads > 0
    for number, wide in enumerate(rows.widths):
        table.columns[number].width = Inches(wide)
    for number, tall in enumerate(rows.heights):
        table.rows[number].height = Inches(tall)
    for cell in rows.grid.cells:
        place_cell = table.cell(cell.row, cell.column)
        if cell.rows > 1 or cell.columns > 1:
            last = table.cell(min(cell.row + cell.rows, height) - 1, min(cell.column + cell.columns, width) - 1)
            place_cell.merge(last)
        place_cell.margin_top = place_cell.margin_bottom = Inches(0.06)
        if cell.head or cell.row < rows.grid.heads:
            _fill(place_cell.fill, (0xED, 0xF1, 0xF5))
        _write_cell(place_cell.text_frame, cell, rows.size, cell.row < rows.grid.heads)


def _write_cell(frame: TextFrame, cell: Cell, size: float, head: bool) -> None:
    """A cell of one paragraph keeps its marks; one with more becomes words, as it was measured."""
    inside = list(blocks(cell.element))
    one = len(inside) == 1 and inside[0].tag == "p"
    found = runs(inside[0]) if one else [Run(words(cell.element))]
    said = tuple(run for run in found if run.text and not run.picture)
    _write(frame, [Piece(said)], size, head or cell.head)


def _note(drawn: Drawn, notes: list[str]) -> None:
    if any(notes):
        drawn.notes_slide.notes_text_frame.text = "\n".join(note for note in notes if note)  # type: ignore[union-attr]


def _describe(file: Presentation, document: Document, history: str) -> None:
    """Title, author, language and history. The library's own setter refuses more than 255 characters."""
    fields = {
        "title": document.title or first_heading(document),
        "creator": document.metadata.get("author", ""),
        "subject": document.metadata.get("subject", ""),
        "keywords": document.metadata.get("keywords", ""),
        "language": document.lang,
        "description": history,
    }
    element = file.core_properties._element
    for name, value in fields.items():
        getattr(element, f"get_or_add_{name}")().text = UNWRITABLE.sub("", value)
