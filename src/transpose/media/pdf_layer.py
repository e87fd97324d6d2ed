"""The text layer of one PDF page, and what is drawn on it: lines with their boxes, ruled tables, pictures.

Coordinates are in points and grow to the right and down. PDFium reads; it is not thread-safe.
"""

from __future__ import annotations

import ctypes
import io
import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from transpose.media.fragment import Album, make, say
from transpose.media.page import Line, tidy
from transpose.media.page_blocks import Sheet
from transpose.media.pdf_links import Link, between_signs, links_of, under
from transpose.media.rules import MOST, Box, Rule, tables

if TYPE_CHECKING:
    import pypdfium2 as pdfium  # type: ignore[import-untyped]

BOLD = 600  # weight of type
THIN = 3.0  # points; a filled box thinner than this is a rule
SMALLEST = 24  # pixels of a picture's shorter side; smaller ones are ornaments
PICTURES = 40  # of one page
PIXELS = 40_000_000  # of one picture

Character = tuple[str, float, float, float, float, int]  # with left, top, right, bottom, number of the link or -1


def sheet_of(document: pdfium.PdfDocument, number: int, album: Album | None) -> tuple[Sheet, bool]:
    """One page, and whether its text layer stands for what is to be seen on it; pictures go into `album`."""
    page = document[number]
    try:
        sheet = Sheet(number + 1, float(page.get_height()))
        rules = list(_rules(page, sheet.height))
        grids = tables(rules)
        posts = [rule for rule in rules if rule.upright] if grids else []
        links, sheet.addresses = links_of(document, page)
        sheet.lines, sheet.bold, upended = _lines(page, sheet.height, posts, links)
        text = "".join(line.text for line in sheet.lines)
        letters = sum(c.isalnum() for c in text)
        lost = sum(c == "\ufffd" or "\ue000" <= c <= "\uf8ff" for c in text)
        few = letters < 40 and _picture_share(page) > 0.5  # a scan with a stamp or a page number
        usable = letters > 0 and lost * 5 < len(text) and not few
        if usable:
            for boxes in grids:
                _take_table(boxes, sheet)
            _last(upended, sheet)
            if album is not None:
                _take_pictures(page, sheet, album)
        return sheet, usable
    finally:
        page.close()


def _take_table(boxes: Sequence[Box], sheet: Sheet) -> None:
    """The lines inside a grid as a table in their place; a grid with little in it is a drawing."""
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    inside: dict[Box, list[Line]] = {}
    taken: set[int] = set()
    for line in sheet.lines:
        x, y = (line.left + line.right) / 2, (line.top + line.bottom) / 2
        for box in boxes if left <= x <= right and top <= y <= bottom else ():
            if box.left - 1 <= x <= box.right + 1 and box.top - 1 <= y <= box.bottom + 1:
                inside.setdefault(box, []).append(line)
                taken.add(id(line))
                break
    if len(inside) < 2 or len(inside) * 4 < len(boxes):
        return
    sheet.lines = [line for line in sheet.lines if id(line) not in taken]
    table = make(None, "table")
    for row in range(max(box.rows[1] for box in boxes)):
        line_of_cells = make(table, "tr")
        for box in (each for each in boxes if each.rows[0] == row):
            cell = make(line_of_cells, "th" if row == 0 else "td")
            for name, (start, end) in (("rowspan", box.rows), ("colspan", box.columns)):
                if end - start > 1:
                    cell.set(name, str(end - start))
            for place, text in enumerate(_cell_lines(inside.get(box, []))):
                say(cell, (" " if place else "") + text)
    sheet.place(table, left, top, right, bottom)


def _last(upended: Sequence[Line], sheet: Sheet) -> None:
    """Lines that run up or down the page come after the others, unless a table took them."""
    foot = max([sheet.height, *(line.bottom for line in sheet.lines)])
    for line in upended:
        if any(line is each for each in sheet.lines):
            sheet.lines = [each for each in sheet.lines if each is not line]
            foot += 3 * line.height
            sheet.lines.append(Line(line.text, line.left, foot - line.height, line.right, foot))


def _cell_lines(lines: Sequence[Line]) -> list[str]:
    ordered = sorted(lines, key=lambda line: (round((line.top + line.bottom) / 2 / max(line.height, 1)), line.left))
    return [line.text for line in ordered]


def _rules(page: pdfium.PdfPage, height: float) -> Iterator[Rule]:
    """Straight lines that are drawn across or upright, thin boxes and the edges of larger ones."""
    import pypdfium2 as pdfium

    raw = pdfium.raw
    count = 0
    for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=3):
        segments = raw.FPDFPath_CountSegments(item)
        if not 2 <= segments <= 1000:
            continue
        left, bottom, right, top = item.get_bounds()
        if min(right - left, top - bottom) < THIN:  # a line, or a box as thin as one
            if right - left > top - bottom:
                yield Rule(False, height - (top + bottom) / 2, left, right)
            else:
                yield Rule(True, (left + right) / 2, height - top, height - bottom)
        else:
            for rule in _edges(item, segments, height):
                yield rule
                count += 1
        count += 1
        if count > 2 * MOST:
            return


def _edges(item: pdfium.PdfObject, segments: int, height: float) -> Iterator[Rule]:
    """The straight parts of a path."""
    import pypdfium2 as pdfium

    raw = pdfium.raw
    matrix = item.get_matrix()
    x, y = ctypes.c_float(), ctypes.c_float()
    last = first = (0.0, 0.0)
    for number in range(segments):
        segment = raw.FPDFPath_GetPathSegment(item, number)
        raw.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
        kind = raw.FPDFPathSegment_GetType(segment)
        point = matrix.on_point(x.value, y.value)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            first = point
        elif kind == raw.FPDF_SEGMENT_LINETO:
            yield from _edge(last, point, height)
        last = point
        if raw.FPDFPathSegment_GetClose(segment):
            yield from _edge(last, first, height)
            last = first


def _edge(a: tuple[float, float], b: tuple[float, float], height: float) -> Iterator[Rule]:
    if abs(a[1] - b[1]) < 0.5 and abs(a[0] - b[0]) > 4:
        yield Rule(False, height - (a[1] + b[1]) / 2, min(a[0], b[0]), max(a[0], b[0]))
    elif abs(a[0] - b[0]) < 0.5 and abs(a[1] - b[1]) > 4:
        yield Rule(True, (a[0] + b[0]) / 2, height - max(a[1], b[1]), height - min(a[1], b[1]))


def _take_pictures(page: pdfium.PdfPage, sheet: Sheet, album: Album) -> None:
    """Pictures in their places; ornaments and what lies behind the whole page are left out."""
    import pypdfium2 as pdfium

    area = max(page.get_width() * sheet.height, 1.0)
    count = 0
    for item in page.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = item.get_bounds()
        share = (right - left) * (top - bottom) / area
        if not 0.002 < share < 0.9 or count >= PICTURES:
            continue
        data = _picture(item)
        if data:
            count += 1
            holder = make(None, "p")
            make(holder, "img", src=album.add(data, f"page-{sheet.number}"), alt="")
            sheet.place(holder, left, sheet.height - top, right, sheet.height - bottom)


def _picture(item: pdfium.PdfImage) -> bytes:
    """The bytes of a picture file; b"" where it is small, huge or cannot be read."""
    import pypdfium2 as pdfium

    try:
        width, height = item.get_px_size()
        if min(width, height) < SMALLEST or width * height > PIXELS:
            return b""
        out = io.BytesIO()
        if item.get_filters() == ["DCTDecode"]:
            return bytes(item.get_data(decode_simple=False))
        item.get_bitmap().to_pil().convert("RGB").save(out, "PNG", compress_level=1)
        return out.getvalue()
    except (pdfium.PdfiumError, ValueError, OSError, NotImplementedError):
        return b""


def _picture_share(page: pdfium.PdfPage) -> float:
    """The largest share of the page that one picture covers, 0 to 1."""
    import pypdfium2 as pdfium

    width, height = page.get_size()
    shares = [0.0]
    for item in page.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = item.get_bounds()
        shares.append((right - left) * (top - bottom) / max(width * height, 1e-9))
    return max(shares)


def _lines(
    page: pdfium.PdfPage, height: float, posts: Sequence[Rule], links: Sequence[Link]
) -> tuple[list[Line], set[str], list[Line]]:
    """Runs of characters as PDFium orders them, cut at line ends, at wide gaps and at rules.

    Also which are bold, and which run up or down the page.
    """
    import pypdfium2 as pdfium

    raw = pdfium.raw
    layer = page.get_textpage()
    lines: list[Line] = []
    bold: set[str] = set()
    run: list[Character] = []
    upended: list[Line] = []
    heavy, upright = True, True
    box = raw.FS_RECTF()
    pointer = ctypes.byref(box)

    def finish() -> None:
        nonlocal heavy
        line = _line(run) if upright else _upended(run)
        if line is not None:
            lines.append(line)
            upended.extend([] if upright else [line])
            if heavy:
                bold.add(line.text)
        run.clear()
        heavy = True

    for index in range(layer.count_chars()):
        code = raw.FPDFText_GetUnicode(layer, index)
        if code in (10, 13):
            finish()
            continue
        ends = code in (0x02, 0xFFFE) or (code == 45 and raw.FPDFText_IsHyphen(layer, index) == 1)
        raw.FPDFText_GetLooseCharBox(layer, index, pointer)
        left, top, right, bottom = box.left, height - box.top, box.right, height - box.bottom
        character = "-" if ends else chr(code)
        blank = character.isspace()
        stands = upright if blank else abs(math.sin(raw.FPDFText_GetCharAngle(layer, index))) < 0.7
        if run and not blank and (stands != upright or (_jump if stands else _leap)(run, left, top, bottom, posts)):
            finish()
        upright = stands
        if heavy and not blank:
            heavy = raw.FPDFText_GetFontWeight(layer, index) >= BOLD
        link = under(links, (left + right) / 2, height - (top + bottom) / 2) if links else -1
        run.append((character, left, top, right, bottom, link))
        if ends:
            finish()
    finish()
    layer.close()
    return lines, bold - {line.text for line in lines if line.text not in bold}, upended


def _jump(run: Sequence[Character], left: float, top: float, bottom: float, posts: Sequence[Rule]) -> bool:
    """Whether the next character lies far from the last one: another cell, another column, another line."""
    last = next((item for item in reversed(run) if not item[0].isspace()), run[-1])
    size = max(last[4] - last[2], 1.0)
    middle = (top + bottom) / 2
    far = left - last[3] > size or left < last[1] - 3 * size
    if far or not last[2] - size / 2 < middle < last[4] + size / 2:
        return True
    return any(last[3] - 1 <= post.at <= left + 1 and post.start <= middle <= post.end for post in posts)


def _leap(run: Sequence[Character], left: float, top: float, bottom: float, posts: Sequence[Rule]) -> bool:
    """The same where characters stand on top of one another."""
    last = next((item for item in reversed(run) if not item[0].isspace()), run[-1])
    size = max(last[3] - last[1], 1.0)
    return abs(left - last[1]) > size / 2 or max(top - last[4], last[2] - bottom) > size


def _upended(run: Sequence[Character]) -> Line | None:
    """A run up or down the page, as a line of its own size in the middle of where it stands."""
    text = _said(run)
    if not text:
        return None
    left, right = min(item[1] for item in run), max(item[3] for item in run)
    middle = (min(item[2] for item in run) + max(item[4] for item in run)) / 2
    return Line(text, left, middle - (right - left) / 2, right, middle + (right - left) / 2 + 0.1)


def _said(run: Sequence[Character]) -> str:
    pieces = [(link, "".join(item[0] for item in part)) for link, part in groupby(run, key=lambda item: item[5])]
    return "".join(between_signs(tidy(piece), link) for link, piece in pieces).strip()


def _line(run: Sequence[Character]) -> Line | None:
    """The run as a line; None where nothing is to be seen."""
    seen = [item for item in run if not item[0].isspace()]
    text = _said(run)
    if not seen or not text:  # of blanks or control characters only
        return None
    left, right = min(item[1] for item in seen), max(item[3] for item in seen)
    # one raised or large character must not stretch the line: the middle one of the sorted edges
    tops, bottoms = sorted(item[2] for item in seen), sorted(item[4] for item in seen)
    top = tops[len(tops) // 2]
    return Line(text, left, top, right, max(bottoms[len(bottoms) // 2], top + 0.1))
