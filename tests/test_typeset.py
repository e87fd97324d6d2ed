"""Documents as pictures of pages, and pictures as the pages of a PDF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from transpose.core.context import Context, Many
from transpose.core.errors import EmptyInput
from transpose.formats.pdf import read_pages
from transpose.formats.picture_book import write_picture_pdf
from transpose.media.document import Document
from transpose.media.image import Image
from transpose.transforms.album import album
from transpose.transforms.typeset import typeset

pytest.importorskip("pypdfium2")


def test_a_document_becomes_pages(tmp_path: Path) -> None:
    pytest.importorskip("typst")
    words = "<p>" + "word " * 1500 + "</p>"
    pages = list(typeset(Document("<h1>Title</h1>" + words), Context(folder=tmp_path)))
    assert len(pages) > 1
    assert {page.pixels.shape for page in pages} == {pages[0].pixels.shape}
    assert pages[0].height > pages[0].width
    assert 0.01 < np.mean(pages[0].pixels < 128) < 0.3  # ink, and mostly paper


def test_pictures_become_pages(tmp_path: Path) -> None:
    pictures = [Image(np.full((90, 120 + 30 * n, 3), 60 * n, np.uint8)) for n in range(3)]
    path = tmp_path / "Bücher.pdf"
    ctx = Context(folder=tmp_path, history='{"made": "so"}')
    write_picture_pdf(Many(lambda: pictures, 3), path, ctx)
    pages = list(read_pages(path, Context(folder=tmp_path), dpi=150))
    sizes = np.array([(page.width, page.height) for page in pages])
    assert np.abs(sizes - [(120, 90), (150, 90), (180, 90)]).max() <= 1  # a PDF counts in points
    assert [int(page.pixels.mean()) for page in pages] == pytest.approx([0, 60, 120], abs=2)


def test_no_picture_no_book(tmp_path: Path) -> None:
    with pytest.raises(EmptyInput):
        write_picture_pdf(Many(list, 0), tmp_path / "a.pdf", Context())


def test_pictures_become_a_document(tmp_path: Path) -> None:
    import io

    from PIL import Image as Pictures

    pictures = [Image(np.full((20, 30, channels), 60 * channels, np.uint8)) for channels in (1, 2 + 1, 4)]
    made = album(Many(lambda: pictures, 3), Context())
    assert made.html.count("<img") == 3
    back = [np.asarray(Pictures.open(io.BytesIO(data))) for data in made.pictures.values()]
    assert [each.shape for each in back] == [(20, 30), (20, 30, 3), (20, 30, 4)]
    assert all(
        np.array_equal(each.reshape(20, 30, -1), picture.pixels) for each, picture in zip(back, pictures, strict=True)
    )
    with pytest.raises(EmptyInput):
        album(Many(list, 0), Context())
