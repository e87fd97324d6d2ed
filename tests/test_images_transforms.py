"""Verbs and models for pictures: exact ones on made pictures, models on a photograph (marker `models`)."""

from __future__ import annotations

import math
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from transpose.core.context import Context
from transpose.core.errors import DamagedWeights, EmptyInput, HugeInput, OptionError
from transpose.media.colour import name_of, palette, to_lab
from transpose.media.image import Image
from transpose.media.pixels import at_most
from transpose.models.realesrgan import around, tiled
from transpose.models.torch_file import MAGIC, read_tensors
from transpose.models.u2net import box_mean, guided
from transpose.models.yolox import best, windows
from transpose.transforms.colours import colours
from transpose.transforms.describe import describe
from transpose.transforms.edges import edges
from transpose.transforms.embed_picture import embed_picture, embed_picture_in_words
from transpose.transforms.find_objects import find_objects
from transpose.transforms.label_picture import label_picture
from transpose.transforms.remove_background import remove_background
from transpose.transforms.resize import plan, resize
from transpose.transforms.upscale import upscale

PHOTO = Path(__file__).parent.parent / "examples" / "photo.jpg"
EMPTY = Image(np.zeros((0, 5, 3), np.uint8))


def photo() -> Image:
    with Pillow.open(PHOTO) as picture:
        return Image(np.asarray(picture.convert("RGB")))


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


# -- small enough to look at -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_reducing_in_bands_is_reducing(channels: int) -> None:
    y, x = np.mgrid[:2100, :3300]
    planes = [x / 3300 * 255, y / 2100 * 255, (x + y) / 5400 * 255, np.full(x.shape, 255)]
    pixels = np.stack(planes[:channels], axis=-1).astype(np.uint8)
    found = at_most(pixels, 330)
    assert found.shape == (210, 330, 3)
    expected = planes[0][5::10, 5::10]
    assert np.abs(found[..., 0] - expected).mean() < 1
    assert at_most(pixels[:50, :50], 330).shape == (50, 50, 3)  # never larger
    with pytest.raises(EmptyInput):
        at_most(pixels[:0], 9)


def test_a_hundred_million_pixels_stay_small() -> None:
    import tracemalloc

    pixels = np.zeros((10_000, 10_000, 3), np.uint8)
    tracemalloc.start()
    assert at_most(pixels, 1000).shape == (1000, 1000, 3)
    assert tracemalloc.get_traced_memory()[1] < 150e6
    tracemalloc.stop()


# -- resize ------------------------------------------------------------------------------------------------------------


def test_sizes() -> None:
    whole = (0.0, 0.0, 400.0, 200.0)
    assert plan((400, 200), 100, 0, 0, "inside") == (whole, 100, 50)
    assert plan((400, 200), 0, 100, 0, "inside") == (whole, 200, 100)
    assert plan((400, 200), 100, 100, 0, "inside") == (whole, 100, 50)
    assert plan((400, 200), 100, 100, 0, "stretch") == (whole, 100, 100)
    assert plan((400, 200), 100, 100, 0, "cover") == ((100.0, 0.0, 300.0, 200.0), 100, 100)
    assert plan((400, 200), 0, 0, 0.5, "inside") == (whole, 200, 100)
    assert plan((400, 2), 100, 0, 0, "inside")[2] == 1  # never without pixels


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_resize_keeps_channels_and_nearest_keeps_pixels(channels: int) -> None:
    pixels = noise(10, 20, channels)
    found = resize(Image(pixels, {"text:Title": "a", "dpi": "72"}), Context(), scale=3, filter="nearest")
    assert np.array_equal(found.pixels[1::3, 1::3], pixels)
    assert found.meta == {"text:Title": "a"}


def test_resize_does_not_bleed_what_is_clear() -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, :32] = (255, 0, 0, 255)
    pixels[:, 32:] = (0, 255, 0, 0)  # clear, but green
    found = resize(Image(pixels), Context(), width=16).pixels
    assert found[found[..., 3] > 32][:, 1].max() <= 8


def test_resize_refuses() -> None:
    with pytest.raises(OptionError, match="needs a size"):
        resize(photo(), Context())
    with pytest.raises(HugeInput):
        resize(photo(), Context(), width=100_000, height=100_000, fit="stretch")
    with pytest.raises(EmptyInput):
        resize(EMPTY, Context(), width=9)


# -- edges -------------------------------------------------------------------------------------------------------------


def test_edges_of_a_disc_are_a_circle() -> None:
    sheet = Pillow.new("RGB", (200, 200), (40, 90, 40))
    ImageDraw.Draw(sheet).ellipse((50, 50, 150, 150), fill=(200, 60, 60))
    found = edges(Image(np.asarray(sheet)), Context()).pixels[..., 0]
    assert found.shape == (200, 200)
    rows, columns = np.nonzero(found == 0)
    away = np.hypot(rows - 100, columns - 100)
    assert np.abs(away - 50).max() < 3  # nothing but the circle
    assert len({round(math.degrees(angle) / 6) for angle in np.arctan2(rows - 100, columns - 100)}) >= 60  # all of it
    assert np.array_equal(edges(Image(np.asarray(sheet)), Context(), style="chalk").pixels[..., 0], 255 - found)


def test_edges_sees_colour_and_bands_have_no_seams() -> None:
    pixels = np.zeros((1300, 90, 3), np.uint8)
    pixels[:, :45] = (200, 0, 0)
    pixels[:, 45:] = (0, 101, 0)  # as bright as the red
    found = edges(Image(pixels), Context()).pixels[..., 0] == 0
    assert found.any(axis=1).all()  # one line from top to bottom, over the borders of the bands
    assert found.sum() < 1300 * 3
    ctx = Context()
    assert edges(Image(np.full((50, 50, 3), 90, np.uint8)), ctx).pixels.min() == 255
    assert "no edges" in ctx.warnings[0]


# -- colours -----------------------------------------------------------------------------------------------------------


def test_lab_and_names() -> None:
    known = {(255, 255, 255): (100, 0, 0), (0, 0, 0): (0, 0, 0), (255, 0, 0): (53.24, 80.09, 67.20)}
    for rgb, lab in known.items():
        assert to_lab(np.array(rgb, np.uint8)) == pytest.approx(lab, abs=0.02)
    for name, rgb in {
        "red": (220, 20, 20),
        "navy": (10, 20, 60),
        "white": (250, 250, 250),
        "pink": (250, 170, 190),
    }.items():
        assert name_of(np.array(rgb, np.uint8)) == name


def test_shares_of_colours() -> None:
    flag = np.zeros((30, 90, 4), np.uint8)
    flag[:, :45], flag[:, 45:72], flag[:, 72:] = (200, 30, 30, 255), (255, 255, 255, 255), (30, 60, 200, 255)
    found = colours(Image(flag[..., :3]), Context()).rows()
    assert [row["colour"] for row in found] == ["red", "white", "blue"]
    assert [row["share"] for row in found] == pytest.approx([0.5, 0.3, 0.2], abs=0.01)
    assert found[0]["hex"] == "#c81e1e"
    flag[:, :45, 3] = 0
    assert [row["colour"] for row in colours(Image(flag), Context()).rows()] == ["white", "blue"]
    flag[..., 3] = 0
    with pytest.raises(EmptyInput, match="transparent"):
        colours(Image(flag), Context())
    assert len(palette(noise(500, 3), 6)) <= 6


# -- what models are made of -------------------------------------------------------------------------------------------


def test_the_best_of_boxes_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [30, 30, 40, 40], [2, 2, 5, 5]], np.float32)
    scores, kinds = np.array([0.8, 0.9, 0.7, 0.6], np.float32), np.array([0, 0, 0, 0])
    assert best(boxes, scores, kinds).tolist() == [1, 2, 3]
    assert best(boxes, scores, kinds, 0.7).tolist() == [1, 2]  # the last is a part of the first
    assert best(boxes, scores, np.array([0, 1, 0, 0])).tolist() == [1, 0, 2, 3]  # of two kinds both stay


def test_parts_cover_the_picture() -> None:
    for tiles in (2, 3, 6):
        seen = np.zeros((97, 211), bool)
        for left, top, right, bottom in windows(211, 97, tiles):
            seen[top:bottom, left:right] = True
        assert seen.all()


def test_tiles_give_back_the_picture_and_mirror_its_edge() -> None:
    pixels = noise(150, 300, 3)
    for top, left in tiled(150, 300):
        bottom, right = min(150, top + 128), min(300, left + 128)
        part = around(pixels, top, left, bottom, right)
        assert np.array_equal(part[16:-16, 16:-16], pixels[top:bottom, left:right])
    assert np.array_equal(around(pixels, 0, 0, 9, 9)[15, 16:-16], pixels[1, :9])
    assert around(pixels[:1, :1], 0, 0, 1, 1).shape == (33, 33, 3)


def test_the_guided_filter_finds_the_edge() -> None:
    grey = np.zeros((60, 60), np.float32)
    grey[:, 30:] = 1
    coarse = np.clip((np.mgrid[:60, :60][1] - 18) / 24, 0, 1).astype(np.float32)
    slope, offset = guided(coarse, grey, 8, 1e-3)
    fine = slope * grey + offset
    assert fine[30, 31] - fine[30, 28] > 0.3 > 0.2 > coarse[30, 31] - coarse[30, 28]
    assert box_mean(np.full((9, 9), 3, np.float32), 2) == pytest.approx(3)


def old_file(state: object) -> bytes:
    """A PyTorch file of the old form that holds this, and one storage of four numbers."""
    rows: list[object] = [MAGIC, 1001, {}, state, ["0"]]
    return b"".join(pickle.dumps(row, protocol=2) for row in rows) + struct.pack("<q4f", 4, 1, 2, 3, 4)


class Evil:
    """Unpickled, it would make a file."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch /tmp/transpose-was-here",)


def test_a_pickle_that_calls_something_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    for data in (old_file({"a": Evil()}), old_file({"a": 1}), b"", b"\x80\x02N.", pickle.dumps(Evil())):
        path.write_bytes(data)
        with pytest.raises(DamagedWeights):
            read_tensors(path)
    assert not Path("/tmp/transpose-was-here").exists()


# -- models on a photograph --------------------------------------------------------------------------------------------


@pytest.mark.models
def test_a_cat_is_named(models_ctx: Context) -> None:
    lines = label_picture(photo(), models_ctx).text.splitlines()
    assert "cat" in lines[0]
    assert 1 <= len(label_picture(photo(), models_ctx, most=1).text.splitlines()) == 1
    assert not models_ctx.warnings
    label_picture(Image(np.full((200, 200, 3), 128, np.uint8)), models_ctx)
    assert "unsure" in models_ctx.warnings[0]  # the control
    with pytest.raises(EmptyInput):
        label_picture(EMPTY, models_ctx)


@pytest.mark.models
@pytest.mark.parametrize("tiles", [1, 2])
def test_a_cat_is_found_where_it_is(models_ctx: Context, tiles: int) -> None:
    sheet = Pillow.new("RGB", (1200, 800), (90, 120, 90))
    sheet.paste(Pillow.fromarray(photo().pixels), (600, 300))
    (row,) = find_objects(Image(np.asarray(sheet)), models_ctx, tiles=tiles).rows()
    assert row["name"] == "cat"
    left, top, width, height = (int(str(row[key])) for key in ("left", "top", "width", "height"))
    assert abs(left - 600) < 60
    assert abs(top - 300) < 60
    assert abs(width - 451) < 90
    assert abs(height - 300) < 60
    nothing = find_objects(Image(np.full((200, 200, 3), 128, np.uint8)), models_ctx)
    assert len(nothing) == 0
    assert nothing.columns == ["name", "score", "left", "top", "width", "height"]
    assert "no thing" in models_ctx.warnings[-1]


@pytest.mark.models
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_disc_is_cut_out(models_ctx: Context, channels: int) -> None:
    y, x = np.mgrid[:400, :600]
    disc = np.hypot(x - 350, y - 180) < 90
    pixels = np.stack([150 + y / 10, 160 + x / 20, np.full(x.shape, 190)], axis=-1).astype(np.uint8)
    pixels[disc] = (190, 40, 30)
    whole = {1: pixels[..., :1] // 2 + 60 * disc[..., None].astype(np.uint8), 3: pixels}
    whole[4] = np.dstack([pixels, np.where(y < 180, 0, 255).astype(np.uint8)])
    found = remove_background(Image(whole[channels]), models_ctx).pixels
    assert found.shape == (400, 600, 4)
    kept = found[..., 3] > 127
    expected = disc & (y >= 180) if channels == 4 else disc
    if channels == 3:
        assert (kept & expected).sum() / (kept | expected).sum() > 0.95
    assert not (kept & (y < 180)).any() or channels != 4  # what was clear stays so


@pytest.mark.models
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_enlarged_it_looks_the_same(models_ctx: Context, channels: int) -> None:
    small = Pillow.fromarray(photo().pixels).resize((150, 140))
    pixels = np.asarray(small.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])).reshape(140, 150, channels)
    found = upscale(Image(pixels), models_ctx)
    assert found.pixels.shape == (560, 600, channels)
    back = resize(found, models_ctx, width=150).pixels.astype(int)
    assert np.abs(back - pixels).mean() < 4
    assert upscale(Image(pixels), models_ctx, times=2).pixels.shape == (280, 300, channels)
    with pytest.raises(HugeInput):
        upscale(Image(np.zeros((4000, 4000, 1), np.uint8)), models_ctx)


@pytest.mark.models
def test_vectors_of_pictures(models_ctx: Context) -> None:
    from transpose.media.text import Text
    from transpose.transforms.embed import embed

    cat, mirrored = photo(), Image(photo().pixels[:, ::-1])
    other = Image(noise(200, 300, 3))
    near, same, far = (embed_picture(picture, models_ctx).vector for picture in (cat, mirrored, other))
    assert near.shape == (1280,)
    assert near @ same > 0.9 > near @ far
    named = embed_picture_in_words(cat, models_ctx)
    texts = embed([Text("a cat"), Text("a suspension bridge"), Text("tax law")], models_ctx)
    assert {each.space for each in texts} == {named.space}
    closeness = [float(named.vector @ each.vector) for each in texts]
    assert closeness[0] > max(closeness[1:]) + 0.2


@pytest.mark.models
def test_a_picture_is_described(models_ctx: Context) -> None:
    calls = {"label-picture": label_picture, "find-objects": find_objects, "colours": colours}
    models_ctx.runner = lambda name, values, options: calls[name](*values, models_ctx, **options)
    said = describe(photo(), models_ctx, text=False).text
    assert "photograph, 451 x 300 pixels, landscape" in said
    assert "cat (" in said
    assert "a cat that fills most of the picture" in said
    assert "Main colours: " in said
    blank = describe(Image(np.full((100, 100, 1), 255, np.uint8)), models_ctx, text=False).text
    assert "white 100 %" in blank
    assert "photograph" not in blank


# -- vectorise ---------------------------------------------------------------------------------------------------------


def test_a_drawing_comes_back(tmp_path: Path) -> None:
    pytest.importorskip("vtracer")
    pytest.importorskip("resvg_py")
    from transpose.formats.svg import read_svg
    from transpose.transforms.vectorise import vectorise

    sheet = Pillow.new("RGBA", (300, 200), (0, 0, 0, 0))
    pen = ImageDraw.Draw(sheet)
    pen.ellipse((20, 20, 160, 160), fill="#c81e1e")
    pen.rectangle((180, 60, 280, 180), fill="#1e3cc8")
    before = np.asarray(sheet)
    vectorise(Image(before), tmp_path / "a.svg", Context(history='{"a": "<&>"}'))
    assert "&lt;&amp;&gt;" in (tmp_path / "a.svg").read_text()
    after = read_svg(tmp_path / "a.svg", Context(), side=300).pixels
    assert after.shape == before.shape
    assert (np.abs(after.astype(int) - before).max(axis=2) < 40).mean() > 0.97
    with pytest.raises(EmptyInput):
        vectorise(EMPTY, tmp_path / "b.svg", Context())
