"""Links of a PDF page: where their words stand, and words between two signs until the page is set.

An annotation names a place on the page and not the words on it. So each run of characters under one is put between two
signs that no text can have (`tidy` drops characters of the private planes), and `weave` makes elements of them.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple
from xml.etree.ElementTree import Element

if TYPE_CHECKING:
    import pypdfium2 as pdfium  # type: ignore[import-untyped]

FIRST = 0xF0000  # the private plane: a link begins, FIRST + its number
END = "\U00100000"
MOST = 1000  # links of one page
LONGEST = 4000  # bytes of an address
SCHEME = re.compile(r"(?:https?|ftp|mailto|tel|doi|urn|geo|sip|xmpp|news|git|file):\S", re.IGNORECASE)
BARE = re.compile(r"(?:www\.|[\w.-]+\.[a-z]{2,}/)\S+", re.IGNORECASE)
START = f"[{chr(FIRST)}-{chr(FIRST + MOST)}]"
SIGNS = re.compile(f"{START}|{END}")
WHOLE = re.compile(f"({START})([^{END}]*){END}")
SEAM = re.compile(f"({START})([^{END}]*){END}(\\s*)\\1")  # one link whose words came in two pieces


class Link(NamedTuple):
    """One box of a link, in points from the foot of the page, and its number on the page."""

    left: float
    bottom: float
    right: float
    top: float
    number: int


def links_of(document: pdfium.PdfDocument, page: pdfium.PdfPage) -> tuple[list[Link], list[str]]:
    """The boxes that lead out of the document, and the addresses by number; broken annotations are left out."""
    import pypdfium2 as pdfium

    raw = pdfium.raw
    boxes: list[Link] = []
    numbers: dict[str, int] = {}  # writers make one annotation for each line of a link: the same address is one number
    place, link = ctypes.c_int(0), raw.FPDF_LINK()
    for _ in range(MOST):
        if not raw.FPDFLink_Enumerate(page, ctypes.byref(place), ctypes.byref(link)):
            break
        address = _address(document, link)
        if address:
            number = numbers.setdefault(address, len(numbers))
            boxes += [Link(*corners, number) for corners in _corners(link)]
    return boxes, list(numbers)


def _address(document: pdfium.PdfDocument, link: pdfium.raw.FPDF_LINK) -> str:
    """Where a link leads outside of the document; "" for a place inside it, a program, or an odd address."""
    import pypdfium2 as pdfium

    raw = pdfium.raw
    action = raw.FPDFLink_GetAction(link)
    if not action or raw.FPDFAction_GetType(action) != raw.PDFACTION_URI:
        return ""
    size = raw.FPDFAction_GetURIPath(document, action, None, 0)
    if not 1 < size <= LONGEST:
        return ""
    buffer = ctypes.create_string_buffer(size)
    raw.FPDFAction_GetURIPath(document, action, buffer, size)
    address = "".join(c for c in buffer.value.decode("utf-8", "replace") if c.isprintable()).strip()
    address = address.replace(" ", "%20")
    return address if SCHEME.match(address) else f"https://{address}" if BARE.fullmatch(address) else ""


def _corners(link: pdfium.raw.FPDF_LINK) -> Iterator[tuple[float, float, float, float]]:
    """Left, bottom, right and top of each piece: its quadrilaterals where it has some, else its rectangle."""
    import pypdfium2 as pdfium

    raw = pdfium.raw
    quad, box = raw.FS_QUADPOINTSF(), raw.FS_RECTF()
    count = min(max(raw.FPDFLink_CountQuadPoints(link), 0), 50)
    for number in range(count):
        if raw.FPDFLink_GetQuadPoints(link, number, ctypes.byref(quad)):
            xs, ys = (quad.x1, quad.x2, quad.x3, quad.x4), (quad.y1, quad.y2, quad.y3, quad.y4)
            yield min(xs), min(ys), max(xs), max(ys)
    if not count and raw.FPDFLink_GetAnnotRect(link, ctypes.byref(box)):
        yield min(box.left, box.right), min(box.top, box.bottom), max(box.left, box.right), max(box.top, box.bottom)


def under(boxes: Sequence[Link], x: float, y: float) -> int:
    """The number of the link at a point (points from the foot of the page); -1 where there is none."""
    return next((box.number for box in boxes if box.left <= x <= box.right and box.bottom <= y <= box.top), -1)


def between_signs(text: str, number: int) -> str:
    """Words of a link with its signs around them; blanks at their ends stay outside."""
    bare = text.strip()
    if number < 0 or not bare:
        return text
    start = text.index(bare)
    return f"{text[:start]}{chr(FIRST + number)}{bare}{END}{text[start + len(bare) :]}"


def plain(text: str) -> str:
    """The words without signs of links."""
    return SIGNS.sub("", text)


def without_seam(before: str, after: str) -> tuple[str, str]:
    """Two pieces of text; where one link runs from the first into the second, without the signs between them."""
    if before.endswith(END) and after.startswith(next(reversed(re.findall(START, before)), END)):
        return before[:-1], after[1:]
    return before, after


def weave(root: Element, addresses: Sequence[str]) -> None:
    """Put `a` elements in the place of the signs in and under `root`."""
    for element in list(root.iter()):
        children = list(element)
        element.text, made = _woven(element.text or "", addresses)
        for child in children:
            element.remove(child)
            made.append(child)
            child.tail, more = _woven(child.tail or "", addresses)
            made += more
        element.extend(made)


def _woven(text: str, addresses: Sequence[str]) -> tuple[str, list[Element]]:
    """The words before the first link, and the links, each with the words after it."""
    while (joined := SEAM.sub(r"\1\2\3", text)) != text:
        text = joined
    links: list[Element] = []
    end, head = 0, text
    for found in WHOLE.finditer(text):
        new = Element("a", href=addresses[ord(found[1]) - FIRST])
        new.text = plain(found[2])
        if links:
            links[-1].tail = plain(text[end : found.start()])
        else:
            head = text[: found.start()]
        links.append(new)
        end = found.end()
    if links:
        links[-1].tail = plain(text[end:])
    return plain(head), links
