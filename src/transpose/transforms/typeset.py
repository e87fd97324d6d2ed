"""A document as pictures of its printed pages."""

from __future__ import annotations

from typing import Annotated, Literal

from transpose.core.context import Context, Many
from transpose.core.transform import Range, transform
from transpose.formats.pdf import read_pages
from transpose.formats.pdf_writer import write_pdf
from transpose.media.document import Document
from transpose.media.image import Image


@transform(
    "document -> image.typesets",
    loses=["structure", "exactness", "wording", "metadata"],
    needs=["typst", "pypdfium2"],
    extra="documents",
)
def typeset(
    document: Document,
    ctx: Context,
    *,
    dpi: Annotated[int, Range(36, 600), "pixels of an inch"] = 110,
    paper: Annotated[Literal["a4", "us-letter"], "size of the page"] = "a4",
) -> Many[Image]:
    """Print a document and show its pages, as `.pdf` would look. Each page is drawn when it is asked for."""
    path = ctx.temp(".pdf")
    write_pdf.function(document, path, ctx, paper=paper)
    pages: Many[Image] = read_pages.function(path, ctx, dpi=dpi)
    return pages
