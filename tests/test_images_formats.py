"""GIF, TIFF, BMP, AVIF, HEIC and SVG: what is read and written, several pictures in a file, and bad files."""

from __future__ import annotations

import base64
import gzip
import io
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image as Pillow

from transpose.core.context import Context, Many
from transpose.core.errors import (
    DamagedInput,
    EmptyInput,
    HugeInput,
    InputError,
    MislabelledInput,
    OptionError,
    OutputError,
)
from transpose.formats.picture_series import read_one_picture, read_pictures, write_gif, write_tiff
from transpose.formats.pictures import read_picture, write_avif, write_bmp
from transpose.media.image import Image, name_bytes

HISTORY = '{"steps": ["read \\"x\\" & <y>", "größer"]}'


def ramp(width: int = 40, height: int = 24, channels: int = 3) -> NDArray[np.uint8]:
    """A smooth picture."""
    return np.linspace(0, 255, width * height * channels).reshape(height, width, channels).astype(np.uint8)


def many(*pixels: NDArray[np.uint8], **meta: str) -> Many[Image]:
    return Many(lambda: [Image(each, dict(meta)) for each in pixels], len(pixels))


pages = st.lists(
    st.sampled_from((1, 3, 4)).flatmap(
        lambda c: arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(c)))
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(pages, st.sampled_from(("deflate", "lzw", "none")))
def test_tiff_keeps_every_pixel_of_every_page(
    tmp_path_factory: pytest.TempPathFactory, found: list[NDArray[np.uint8]], compression: str
) -> None:
    path = tmp_path_factory.mktemp("tiff") / "a.tiff"
    write_tiff(many(*found), path, Context(), compression=compression)
    read = read_pictures(path, Context())
    assert read.length == len(found)
    for before, after in zip(found, read, strict=True):
        assert np.array_equal(before, after.pixels)


def test_tiff_keeps_resolution_profile_and_history(tmp_path: Path) -> None:
    write_tiff(many(ramp(), dpi="300"), tmp_path / "a.tif", Context(history=HISTORY))
    (found,) = read_pictures(tmp_path / "a.tif", Context())
    assert found.meta["dpi"] == "300"
    assert found.meta["text:transpose"] == HISTORY
    write_tiff(many(ramp(), **{"text:Comment": "by hand"}), tmp_path / "b.tif", Context())
    assert read_one_picture(tmp_path / "b.tif", Context()).meta["text:Comment"] == "by hand"


def test_one_of_several_has_to_be_named(tmp_path: Path) -> None:
    write_tiff(many(ramp(), 255 - ramp()), tmp_path / "a.tiff", Context())
    with pytest.raises(OptionError, match=r"holds 2 pictures"):
        read_one_picture(tmp_path / "a.tiff", Context())
    assert np.array_equal(read_one_picture(tmp_path / "a.tiff", Context(), page=2).pixels, 255 - ramp())
    with pytest.raises(OptionError, match="page=3"):
        read_one_picture(tmp_path / "a.tiff", Context(), page=3)


def test_deep_tiffs_are_cut_to_8_bits_and_said(tmp_path: Path) -> None:
    whole = Pillow.fromarray(np.arange(256, dtype=np.uint16).reshape(16, 16) * 257)
    share = Pillow.fromarray(np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16))
    for mode, picture in (("I;16", whole), ("F", share)):
        picture.save(tmp_path / "a.tif")
        ctx = Context()
        found = read_one_picture(tmp_path / "a.tif", ctx).pixels
        assert found.ravel().tolist() == list(range(256)), mode
        assert "16 or more bits" in ctx.warnings[0]


def test_gif_keeps_frames_times_and_history(tmp_path: Path) -> None:
    tones = [np.full((20, 30, 3), tone, np.uint8) for tone in (0, 90, 200)]
    images = Many(lambda: [Image(tone, {"duration": str(100 * (n + 1))}) for n, tone in enumerate(tones)], 3)
    write_gif(images, tmp_path / "a.gif", Context(history=HISTORY))
    found = list(read_pictures(tmp_path / "a.gif", Context()))
    assert [each.meta["duration"] for each in found] == ["100", "200", "300"]
    assert [int(each.pixels.mean()) for each in found] == [0, 90, 200]
    assert found[0].meta["text:transpose"] == HISTORY
    write_gif(images, tmp_path / "b.gif", Context(), milliseconds=50)
    assert {each.meta["duration"] for each in read_pictures(tmp_path / "b.gif", Context())} == {"50"}


def test_gif_keeps_holes_and_one_size(tmp_path: Path) -> None:
    clear = np.zeros((20, 30, 4), np.uint8)
    clear[5:15, 5:15] = (200, 30, 30, 255)
    ctx = Context()
    write_gif(many(clear, clear[:, ::-1], ramp(99, 20)), tmp_path / "a.gif", ctx)
    found = [each.pixels for each in read_pictures(tmp_path / "a.gif", Context())]
    assert {each.shape[:2] for each in found} == {(20, 30)}
    assert found[0][10, 10].tolist() == [200, 30, 30, 255]
    assert found[1][10, 10, 3] == 0  # the first frame does not shine through the second
    assert "another size" in " ".join(ctx.warnings)


def test_gif_colours_are_near(tmp_path: Path) -> None:
    y, x = np.mgrid[:64, :64]
    picture = np.stack([x * 4, y * 4, 255 - (x + y) * 2], axis=-1).astype(np.uint8)
    write_gif(many(picture), tmp_path / "a.gif", Context())
    found = read_one_picture(tmp_path / "a.gif", Context()).pixels[..., :3].astype(int)
    assert np.abs(found - picture).mean() < 10


def test_nothing_to_write(tmp_path: Path) -> None:
    for writer in (write_gif, write_tiff):
        with pytest.raises(EmptyInput):
            writer(many(), tmp_path / "a.gif", Context())
        with pytest.raises(OutputError):
            writer(many(np.zeros((0, 4, 3), np.uint8)), tmp_path / "a.gif", Context())


@pytest.mark.parametrize("channels", [1, 3])
def test_bmp_is_exact(tmp_path: Path, channels: int) -> None:
    write_bmp(Image(ramp(channels=channels)), tmp_path / "a.bmp", Context())
    assert np.array_equal(read_picture(tmp_path / "a.bmp", Context()).pixels, ramp(channels=channels))


def test_avif_comes_near_and_keeps_holes_and_history(tmp_path: Path) -> None:
    write_avif(Image(ramp(channels=4)), tmp_path / "a.avif", Context(history=HISTORY), quality=95)
    found = read_picture(tmp_path / "a.avif", Context())
    assert found.meta["text:transpose"] == HISTORY
    assert np.abs(found.pixels.astype(int) - ramp(channels=4)).mean() < 12
    assert found.pixels.shape[2] == 4


# 48 x 32 pixels, made for this test: red and blue halves, to be turned by a quarter
HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAchtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRpbG9jAA"
    "AAAERAAAIAAQAAAAAB7AABAAAAAAAAAFIAAgAAAAACPgABAAAAAAAAADYAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABodmMxAAAAABVp"
    "bmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABB2lwcnAAAADmaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGE"
    "ABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkA"
    "AAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAADAAAAABAAAAIAAAAAH////wAAAAAv///+AAAAACAAAAEH"
    "BpeGkAAAAAAwgICAAAAAlpcm90AwAAABlpcG1hAAAAAAAAAAEAAQaBAgMFhIYAAAAaaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAAAJBtZGF0AAAA"
    "TigBrwng44OcVP/5njf/fk7L2l1JVAj/VhjvHcf/icUG+Em1SoggBzhhJefoGacHFmdCfF86FL9AG/4WbImLXD3LgHZ3BjEupHvKjYNUrgAAAA"
    "ZFeGlmAABNTQAqAAAACAACAQ8AAgAAAAYAAAAmARIAAwAAAAEABgAAAAAAAE1ha2VyAA=="
)


def test_heic(tmp_path: Path) -> None:
    pytest.importorskip("pi_heif")
    from transpose.formats.heic import read_heic

    data = base64.b64decode(HEIC)
    (tmp_path / "a.heic").write_bytes(data)
    ctx = Context()
    found = read_heic(tmp_path / "a.heic", ctx)
    assert (found.width, found.height) == (32, 48)  # stored as 48 x 32 and turned, once
    assert found.pixels[4, 16].tolist() == pytest.approx([200, 30, 30], abs=12)  # red is at the top
    assert not ctx.warnings
    for cut in (40, len(data) // 2, len(data) - 30):
        (tmp_path / "b.heic").write_bytes(data[:cut])
        with pytest.raises(DamagedInput):
            read_heic(tmp_path / "b.heic", Context())
    write_bmp(Image(ramp()), tmp_path / "c.heic", Context())
    with pytest.raises(MislabelledInput, match="is a BMP picture"):
        read_heic(tmp_path / "c.heic", Context())


def test_brands_tell_avif_heic_and_mp4_apart() -> None:
    assert name_bytes(b"\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiafMA1B") == "an AVIF picture"
    assert name_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic") == "a HEIC picture"
    assert name_bytes(b"\0\0\0\x18ftypisom\0\0\2\0isommp41") == "an MP4 or QuickTime file"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=8), st.sampled_from([".gif", ".tiff", ".avif", ".bmp"]))
def test_flipped_bytes_never_escape(
    tmp_path_factory: pytest.TempPathFactory, place: int, junk: bytes, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("flip") / f"a{suffix}"
    Pillow.fromarray(ramp()).save(path)
    data = bytearray(path.read_bytes())
    place %= len(data)
    data[place : place + len(junk)] = junk
    path.write_bytes(bytes(data))
    with suppress(InputError):
        if suffix in (".gif", ".tiff"):
            list(read_pictures(path, Context()))
        else:
            read_picture(path, Context())


def test_a_gif_bomb_is_refused(tmp_path: Path) -> None:
    data = io.BytesIO()
    Pillow.new("P", (8, 8)).save(data, "GIF")
    raw = bytearray(data.getvalue())
    raw[6:10] = b"\xff\xff\xff\xff"  # 65,535 pixels a side
    (tmp_path / "a.gif").write_bytes(bytes(raw))
    with pytest.raises(HugeInput):
        read_pictures(tmp_path / "a.gif", Context())


# -- SVG ---------------------------------------------------------------------------------------------------------------

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 20 10">{}</svg>'


def drawn(folder: Path, inner: str, **options: int | str) -> tuple[Image, list[str]]:
    """What a drawing looks like, and the warnings."""
    pytest.importorskip("resvg_py")
    from transpose.formats.svg import read_svg

    (folder / "a.svg").write_text(inner if inner.startswith(("<svg", "<?xml", "<!")) else SVG.format(inner))
    ctx = Context(folder=folder)
    return read_svg(folder / "a.svg", ctx, **options), ctx.warnings


def test_svg_is_drawn_at_the_size_asked_for(tmp_path: Path) -> None:
    shape = '<title>A half</title><rect width="10" height="10" fill="#c81e1e"/>'
    found, warned = drawn(tmp_path, shape, side=200)
    assert found.pixels.shape == (100, 200, 4)
    assert found.pixels[50, 50].tolist() == [200, 30, 30, 255]
    assert found.pixels[50, 150, 3] == 0
    assert found.meta == {"text:Title": "A half"}
    assert not warned
    assert drawn(tmp_path, shape, side=0)[0].pixels.shape == (10, 20, 4)
    assert drawn(tmp_path, shape, side=20, background="white")[0].pixels.min(axis=(0, 1))[3] == 255


def test_svg_words_are_drawn_in_any_font(tmp_path: Path) -> None:
    for family in ("", 'font-family="No Such Font"', 'style="font-family: Nor This"'):
        found, _ = drawn(tmp_path, f'<text y="9" font-size="9" {family}>Hi</text>', side=100)
        assert found.pixels[..., 3].any(), family
    assert not drawn(tmp_path, "<g/>", side=100)[0].pixels.any()  # the control


def test_svg_opens_nothing_outside(tmp_path: Path) -> None:
    Pillow.new("RGB", (9, 9), "red").save(tmp_path / "secret.png")
    data = base64.b64encode((tmp_path / "secret.png").read_bytes()).decode()
    for link in (tmp_path / "secret.png", "secret.png", f"file://{tmp_path}/secret.png", "http://x.test/a.png"):
        for name in ("href", "xlink:href"):
            found, warned = drawn(tmp_path, f'<image {name}="{link}" width="9" height="9"/>')
            assert not found.pixels.any()
            assert "outside the drawing" in warned[0]
    inside, warned = drawn(tmp_path, f'<image href="data:image/png;base64,{data}" width="9" height="9"/>')
    assert inside.pixels.any()  # the control: a picture inside is drawn
    assert not warned


def test_svg_that_grows_is_refused(tmp_path: Path) -> None:
    layers = ['<g id="g0"><rect width="1" height="1"/></g>']
    layers += [f'<g id="g{n}">{f"""<use href="#g{n - 1}"/>""" * 10}</g>' for n in range(1, 9)]
    with pytest.raises(HugeInput, match="unfolds"):
        drawn(tmp_path, "".join(layers))
    with pytest.raises(HugeInput, match="nests"):
        drawn(tmp_path, "<g>" * 5000 + "</g>" * 5000)
    with pytest.raises(DamagedInput):
        drawn(tmp_path, '<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>')  # a ring
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    with pytest.raises(DamagedInput):
        drawn(tmp_path, f'<!DOCTYPE svg [<!ENTITY e0 "lol">{entities}]>' + SVG.format("<text>&e11;</text>"))
    outside = f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file://{tmp_path}/a.svg">]>' + SVG.format("<text>&x;</text>")
    with pytest.raises(DamagedInput):
        drawn(tmp_path, outside)


def test_bad_svg(tmp_path: Path) -> None:
    from transpose.formats.svg import read_svg

    with pytest.raises(DamagedInput):
        drawn(tmp_path, SVG.format("<rect")[:-20])
    with pytest.raises(MislabelledInput, match="HTML page"):
        drawn(tmp_path, "<!DOCTYPE html><html></html>")
    (tmp_path / "e.svg").write_bytes(b"")
    with pytest.raises(EmptyInput):
        read_svg(tmp_path / "e.svg", Context())
    write_bmp(Image(ramp()), tmp_path / "b.svg", Context())
    with pytest.raises(MislabelledInput, match="a BMP picture"):
        read_svg(tmp_path / "b.svg", Context())
    found, warned = drawn(tmp_path, '<script>alert(1)</script><rect width="9" height="9"/>')
    assert found.pixels.any()
    assert "script" in warned[0]


def test_svgz(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    from transpose.formats.svg import read_svg

    packed = gzip.compress(SVG.format('<rect width="20" height="10"/>').encode())
    (tmp_path / "a.svgz").write_bytes(packed)
    assert read_svg(tmp_path / "a.svgz", Context(), side=64).pixels[..., 3].all()
    (tmp_path / "b.svgz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DamagedInput):
        read_svg(tmp_path / "b.svgz", Context())
    (tmp_path / "c.svgz").write_bytes(gzip.compress(b"<svg>" + b" " * (80 << 20)))
    with pytest.raises(HugeInput):
        read_svg(tmp_path / "c.svgz", Context())
