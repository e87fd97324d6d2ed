"""PDF in: its pages as pictures, or what they say as a document.

Words come from the text layer, in reading order. A page without a usable one (a scan, letters drawn as shapes, fonts
without a way back to Unicode) is read by OCR, and said. PDFium does both; it is not thread-safe, so one document is
read by one thread. A file that was cut short is refused, also where PDFium would open what is left of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context, Many
from transpose.core.errors import (
    DamagedInput,
    EmptyInput,
    FolderInput,
    HugeInput,
    LockedInput,
    MislabelledInput,
    MissingInput,
    SilentInput,
)
from transpose.core.transform import Range, transform
from transpose.media.document import Document
from transpose.media.file import reason
from transpose.media.fragment import Album, finish, make
from transpose.media.image import Image, name_bytes
from transpose.media.page_blocks import Sheet, set_page, set_words, sizes, without_running_heads
from transpose.media.pdf_layer import sheet_of
from transpose.media.text import Text

if TYPE_CHECKING:
    import pypdfium2 as pdfium  # type: ignore[import-untyped]

MAX_PIXELS = 100_000_000  # of one page: A0 at 225 dpi
OCR_DPI = 200
POINTS = 72.0  # an inch


@transform(
    ".pdf -> image.pages", name="read-pages", loses=["structure", "exactness"], needs=["pypdfium2"], extra="local"
)
def read_pages(
    path: Path,
    ctx: Context,
    *,
    dpi: Annotated[int, Range(36, 600), "pixels of an inch"] = 150,
    password: Annotated[str, "of a locked file"] = "",
) -> Many[Image]:
    """The pages as pictures on white paper, each drawn when it is asked for; annotations and filled forms are drawn.

    Raises LockedInput, DamagedInput, EmptyInput, MislabelledInput, and HugeInput for a page of more than 100 million
    pixels at this resolution (before any is drawn).
    """
    with _document(path, password) as document:
        count = len(document)
        for number in range(count):
            _check_size(document.get_page_size(number), dpi, number, path)

    def pages() -> Iterator[Image]:
        with _document(path, password) as document:
            for number in range(count):
                ctx.progress(number, count, "pages")
                yield _draw(document, number, dpi, path)

    return Many(pages, count)


@transform(
    ".pdf -> document", name="read-pdf", loses=["layout"], uses=["read-page"], needs=["pypdfium2"], extra="local"
)
def read_pdf(
    path: Path,
    ctx: Context,
    *,
    password: Annotated[str, "of a locked file"] = "",
    pictures: Annotated[bool, "the pictures on the pages"] = True,
) -> Document:
    """Read all pages: headings by the size of type, paragraphs, lists, tables and pictures, columns in reading order.

    Each page is a section. Words cut by a hyphen at a line end are made whole, the ligatures ﬀ ﬁ ﬂ ﬃ ﬄ ﬅ ﬆ become
    letters, titles that run along the margins of most pages are left out. Tables are seen by their rules, or by columns
    that align. Pages without a usable text layer go through OCR (`read-page`, 200 dpi) and are named in a warning.
    Raises LockedInput, DamagedInput, EmptyInput, MislabelledInput, HugeInput; SilentInput where no page has text.
    """
    sheets: list[Sheet] = []
    read: dict[int, str] = {}  # by OCR
    album = Album()
    with _document(path, password) as document:
        count = len(document)
        for number in range(count):
            ctx.progress(number, count, "pages")
            sheet, usable = sheet_of(document, number, album if pictures else None)
            sheets.append(sheet)
            if not usable and (sheet.lines or not _blank(document, number, path)):
                read[number] = _read_picture(document, number, path, ctx)
                sheet.lines, sheet.things = [], {}
        facts = {name: document.get_metadata_value(name) for name in ("Title", "Author", "Subject", "Keywords")}
        facts["CreationDate"] = _date(document.get_metadata_value("CreationDate"))
    if read:
        ctx.warn(f"{path.name!r}: no usable text layer on {_pages([number + 1 for number in read])}: read by OCR")
        ctx.note("pages_by_ocr", len(read))
    ctx.note("pages", count)
    without_running_heads(sheets)
    kind = sizes(sheets)
    body = make(None, "body")
    for number, sheet in enumerate(sheets):
        section = make(body, "section", **{"data-page": str(number + 1)})
        if number in read:
            set_words(read[number], section)
        else:
            set_page(sheet, section, kind)
    if not "".join(body.itertext()).strip():
        raise SilentInput(f"{path.name!r} has no text on its {count} pages", "Use its pages as pictures: --to images")
    names = {"Author": "author", "Subject": "subject", "Keywords": "keywords", "CreationDate": "created"}
    metadata = {ours: facts[theirs] for theirs, ours in names.items()} | {"pages": str(count)}
    return finish(body, album, title=facts["Title"], metadata=metadata)


def _date(text: str) -> str:
    """`D:20240131120000+01'00'` as 2024-01-31."""
    found = re.match(r"D:(\d{4})(\d\d)(\d\d)", text)
    return "-".join(found.groups()) if found else ""


def _pages(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:8])) + (f" and {len(numbers) - 8} more" if len(numbers) > 8 else "")
    return f"page {shown}" if len(numbers) == 1 else f"pages {shown}"


@contextmanager
def _document(path: Path, password: str) -> Iterator[pdfium.PdfDocument]:
    """The open document, closed at the end; every way a PDF can be bad becomes an error of ours."""
    import pypdfium2 as pdfium

    _check_bytes(path)
    try:
        document = pdfium.PdfDocument(path, password=password or None)
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium.raw.FPDF_ERR_PASSWORD:
            wrong = "the password does not open" if password else "a password is needed for"
            raise LockedInput(f"{wrong} {path.name!r}", "Give it with -o password=...") from None
        raise (_pageless(path) if _has_no_pages(path) else _damaged(path, reason(error))) from error
    try:
        if not len(document):
            raise _pageless(path)
        document.init_forms()  # so that filled fields are drawn
        yield document
    except pdfium.PdfiumError as error:
        raise _damaged(path, reason(error)) from error
    finally:
        document.close()


def _check_bytes(path: Path) -> None:
    if path.is_dir():
        raise FolderInput(f"{path.name!r} is a folder", "Name one PDF, or all with a pattern such as folder/*.pdf")
    try:
        with path.open("rb") as file:
            head = file.read(1024)
            file.seek(max(0, path.stat().st_size - 4096))
            tail = file.read()
    except FileNotFoundError:
        raise MissingInput(f"there is no file {path.name!r}", "Check the name and the folder") from None
    if not head:
        raise EmptyInput(f"{path.name!r} is empty (0 bytes)", "Save or download it again")
    if b"%PDF-" not in head:
        looks = name_bytes(head)
        if looks:
            raise MislabelledInput(f"{path.name!r} is {looks}, not a PDF", "Give it its right suffix")
        raise DamagedInput(f"{path.name!r} does not begin like a PDF", "Save or download it again")
    if b"%%EOF" not in tail:
        raise _damaged(path, "its end is missing")


def _has_no_pages(path: Path) -> bool:
    """PDFium calls a document without pages badly formed; a plain one says so itself."""
    data = path.read_bytes()
    return re.search(rb"/Count\s+0\b", data) is not None and re.search(rb"/Type\s*/Page\b", data) is None


def _pageless(path: Path) -> EmptyInput:
    return EmptyInput(f"{path.name!r} has no pages", "Make the PDF again")


def _damaged(path: Path, reason: str) -> DamagedInput:
    return DamagedInput(f"{path.name!r} is truncated or damaged ({reason})", "Save or download it again")


def _check_size(size: tuple[float, float], dpi: int, number: int, path: Path) -> None:
    """Refuse a page too large to draw; `size` in points."""
    width, height = (side / POINTS * dpi for side in size)
    if not width * height <= MAX_PIXELS:  # also refuses nan
        claim = f"{width:.0f} x {height:.0f} pixels at {dpi} dpi"
        fit = int(dpi * (MAX_PIXELS / (width * height)) ** 0.5)
        hint = f"Try -o dpi={fit}" if fit >= 36 else "Take the page out of the file"
        raise HugeInput(f"page {number + 1} of {path.name!r} is {claim}, more than 100 million", hint)


def _draw(document: pdfium.PdfDocument, number: int, dpi: int, path: Path) -> Image:
    page = document[number]
    try:
        _check_size(page.get_size(), dpi, number, path)
        bitmap = page.render(scale=dpi / POINTS, rev_byteorder=True, prefer_bgrx=False, fill_color=(255, 255, 255, 255))
        pixels = bitmap.to_numpy()[..., :3].copy()
        bitmap.close()
    finally:
        page.close()
    return Image(pixels, {"dpi": str(dpi)})


def _read_picture(document: pdfium.PdfDocument, number: int, path: Path, ctx: Context) -> str:
    """What OCR finds on one page; "" where it finds nothing (a page of pictures)."""
    width, height = document.get_page_size(number)
    inches = max(width * height / POINTS**2, 1e-9)
    dpi = max(36, min(OCR_DPI, int((MAX_PIXELS / inches) ** 0.5)))
    try:
        found: Text = ctx.call("read-page", _draw(document, number, dpi, path))
    except SilentInput:
        return ""
    return found.text


def _blank(document: pdfium.PdfDocument, number: int, path: Path) -> bool:
    """Whether nothing can be seen on the page, judged on a small drawing."""
    pixels = _draw(document, number, 36, path).pixels
    return int(pixels.max()) - int(pixels.min()) < 16
