"""Pictures in and out: every mode, metadata, bad files; PNG and lossless WebP give back every pixel."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image as Pillow
from PIL import ImageCms
from PIL.PngImagePlugin import PngInfo

from transpose.core.context import Context
from transpose.core.errors import (
    DamagedInput,
    EmptyInput,
    FolderInput,
    HugeInput,
    MislabelledInput,
    MissingInput,
    OutputError,
)
from transpose.formats.pictures import read_picture, write_jpeg, write_png, write_webp
from transpose.media import image as store
from transpose.media.image import Image, name_bytes, on_white

HISTORY = '{"steps": ["read \\"x\\" & <y>", "größer"]}'
WRITERS = {".png": write_png, ".jpg": write_jpeg, ".jpeg": write_jpeg, ".webp": write_webp}


def picture(width: int = 40, height: int = 24, channels: int = 3) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A smooth picture, so that lossy formats come near."""
    ramp = np.linspace(0, 255, width * height * channels).reshape(height, width, channels)
    return ramp.astype(np.uint8)


def read(path: Path) -> Image:
    """Read, and demand that nothing was warned of."""
    ctx = Context()
    found: Image = read_picture(path, ctx)
    assert ctx.warnings == []
    return found


pixels = (
    st.integers(1, 4)
    .filter(lambda c: c != 2)
    .flatmap(lambda c: arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(c))))
)
words = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=30)
names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(pixels, st.dictionaries(names.map("text:{}".format), words, max_size=3))
def test_png_keeps_every_pixel_and_field(
    tmp_path_factory: pytest.TempPathFactory, values: object, meta: dict[str, str]
) -> None:
    assert isinstance(values, np.ndarray)
    meta = {key: value for key, value in meta.items() if key != "text:XML:com.adobe.xmp"}
    path = tmp_path_factory.mktemp("png") / "a.png"
    write_png(Image(values, meta), path, Context())
    assert read(path) == Image(values, meta)
    store.save(Image(values, meta), path.with_suffix(".npz"))
    assert store.load(path.with_suffix(".npz")) == Image(values, meta)


@pytest.mark.parametrize("channels", [3, 4])
def test_lossless_webp(tmp_path: Path, channels: int) -> None:
    write_webp(Image(picture(channels=channels)), tmp_path / "a.webp", Context(), lossless=True)
    assert np.array_equal(read(tmp_path / "a.webp").pixels, picture(channels=channels))
    write_webp(Image(picture(channels=channels)), tmp_path / "b.webp", Context(), quality=20)
    assert not np.array_equal(read(tmp_path / "b.webp").pixels, picture(channels=channels))  # the control


@pytest.mark.parametrize("suffix", WRITERS)
def test_metadata_and_history_survive(tmp_path: Path, suffix: str) -> None:
    exif = Pillow.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Model 7"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="r"><rdf:Description a="1"/></rdf:RDF></x:xmpmeta>'
    source = Image(picture(), {"exif": exif.tobytes(), "icc_profile": profile, "xmp": xmp, "dpi": "300"})
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](source, path, Context(history=HISTORY))
    found = read(path)
    assert Pillow.open(path).getexif()[0x0110] == "Model 7"
    assert found.meta["exif"] == source.meta["exif"]
    assert found.meta["icc_profile"] == profile
    assert found.meta["xmp"] == xmp
    assert found.meta["text:transpose"] == HISTORY
    assert found.meta.get("dpi") == (None if suffix == ".webp" else "300")
    # written again with another history, there is one history
    WRITERS[suffix](found, path, Context(history="second"))
    assert read(path).meta["text:transpose"] == "second"
    assert path.read_bytes().count(b"second") == 1
    assert HISTORY.encode()[:10] not in path.read_bytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_and_the_tag_gone(tmp_path: Path, orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Maker"
    Pillow.fromarray(picture(6, 4)).save(tmp_path / "a.png", exif=exif)
    turns = {1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1]}
    turns |= {5: lambda a: a.swapaxes(0, 1), 6: lambda a: np.rot90(a, -1), 8: lambda a: np.rot90(a)}
    turns[7] = lambda a: a[::-1, ::-1].swapaxes(0, 1)
    found = read(tmp_path / "a.png")
    assert np.array_equal(found.pixels, turns[orientation](picture(6, 4)))
    write_png(found, tmp_path / "b.png", Context())
    assert dict(Pillow.open(tmp_path / "b.png").getexif()) == {0x010F: "Maker"}


@pytest.mark.parametrize(
    ("mode", "channels", "warned"),
    [
        ("1", 1, 0),
        ("L", 1, 0),
        ("LA", 4, 0),
        ("P", 3, 0),
        ("RGB", 3, 0),
        ("RGBA", 4, 0),
        ("I;16", 1, 1),
        ("CMYK", 3, 1),
    ],
)
def test_modes(tmp_path: Path, mode: str, channels: int, warned: int) -> None:
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    if mode == "I;16":
        made = Pillow.fromarray((np.arange(256, dtype=np.uint16) * 257).reshape(16, 16))
    else:
        made = Pillow.fromarray(picture()).convert(mode)
    made.save(path)
    ctx = Context()
    found = read_picture(path, ctx)
    assert found.pixels.shape[2] == channels
    assert found.pixels.dtype == np.uint8
    assert len(ctx.warnings) == warned
    if mode == "I;16":
        assert found.pixels.ravel().tolist() == list(range(256))


def test_a_palette_with_a_hole_is_transparent(tmp_path: Path) -> None:
    made = Pillow.fromarray(picture()).convert("P")
    made.save(tmp_path / "a.png", transparency=made.getpixel((0, 0)))
    assert read(tmp_path / "a.png").pixels[0, 0, 3] == 0


def test_transparent_becomes_white_in_a_jpeg_and_is_said(tmp_path: Path) -> None:
    clear = np.zeros((16, 16, 4), np.uint8)
    ctx = Context()
    write_jpeg(Image(clear), tmp_path / "a.jpg", ctx)
    assert "white" in ctx.warnings[0]
    assert read(tmp_path / "a.jpg").pixels.min() > 250
    assert on_white(np.full((1, 1, 4), (0, 0, 0, 128), np.uint8)).ravel().tolist() == [127, 127, 127]
    ctx = Context()
    write_jpeg(Image(np.full((16, 16, 4), 255, np.uint8)), tmp_path / "b.jpg", ctx)
    assert ctx.warnings == []


def test_text_fields_that_a_format_cannot_hold_are_said(tmp_path: Path) -> None:
    ctx = Context()
    write_jpeg(Image(picture(), {"text:Author": "A", "text:Comment": "kept"}), tmp_path / "a.jpg", ctx)
    assert "'Author'" in ctx.warnings[0]
    assert read(tmp_path / "a.jpg").meta["text:Comment"] == "kept"


def test_animation_is_not_cut_silently(tmp_path: Path) -> None:
    frames = [Pillow.fromarray(np.full((9, 9, 3), tone, np.uint8)) for tone in (0, 128, 255)]
    for name in ("a.webp", "a.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
        ctx = Context()
        assert read_picture(tmp_path / name, ctx).pixels.max() == 0
        assert "3 pictures" in ctx.warnings[0]


def bomb(width: int, height: int) -> bytes:
    """The head of a PNG of this size, and too few pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(20_000, 15_000), (13_400, 13_400), (100_000, 100_000)])
def test_bomb_is_refused_before_decoding(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "a.png").write_bytes(bomb(*size))
    with pytest.raises(HugeInput, match=r"'a\.png'"):
        read_picture(tmp_path / "a.png", Context())
    (tmp_path / "b.png").write_bytes(bomb(100, 100))  # the control: the same file, but for its size, is only damaged
    with pytest.raises(DamagedInput):
        read_picture(tmp_path / "b.png", Context())


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"a{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    WRITERS[suffix](Image(noise), path, Context())
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DamagedInput, match="truncated or damaged"):
        read_picture(path, Context())


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=8), st.sampled_from([".png", ".jpg", ".webp"]))
def test_flipped_bytes_never_escape(
    tmp_path_factory: pytest.TempPathFactory, place: int, junk: bytes, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("flip") / f"a{suffix}"
    exif = Pillow.Exif()
    exif[0x0112] = 6
    WRITERS[suffix](Image(picture(), {"exif": exif.tobytes(), "dpi": "72"}), path, Context(history=HISTORY))
    data = bytearray(path.read_bytes())
    place %= len(data)
    data[place : place + len(junk)] = junk
    path.write_bytes(bytes(data))
    with suppress(DamagedInput, MislabelledInput, HugeInput):
        assert read_picture(path, Context()).pixels.ndim == 3


def test_bad_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("Dear reader,\nthis is no picture.\n")
    with pytest.raises(MislabelledInput, match="plain text, not a PNG picture"):
        read_picture(tmp_path / "text.png", Context())
    write_jpeg(Image(picture()), tmp_path / "a.jpg", Context())
    (tmp_path / "a.png").write_bytes((tmp_path / "a.jpg").read_bytes())
    with pytest.raises(MislabelledInput, match=r"Rename it to 'a\.jpg'"):
        read_picture(tmp_path / "a.png", Context())
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(EmptyInput):
        read_picture(tmp_path / "empty.png", Context())
    (tmp_path / "zeros.png").write_bytes(bytes(99))
    with pytest.raises(DamagedInput):
        read_picture(tmp_path / "zeros.png", Context())
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(FolderInput):
        read_picture(tmp_path / "folder.png", Context())
    with pytest.raises(MissingInput):
        read_picture(tmp_path / "none.png", Context())


def test_hostile_text_field(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("bomb", "x" * 3_000_000, zip=True)  # Pillow stops at 1 MB unpacked
    data = io.BytesIO()
    Pillow.new("RGB", (8, 8)).save(data, "PNG", pnginfo=info)
    (tmp_path / "a.png").write_bytes(data.getvalue())
    with pytest.raises(DamagedInput):
        read_picture(tmp_path / "a.png", Context())


def test_too_wide_for_the_format(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="16383"):
        write_webp(Image(np.zeros((1, 20_000, 3), np.uint8)), tmp_path / "a.webp", Context())
    with pytest.raises(OutputError, match="no pixels"):
        write_png(Image(np.zeros((0, 9, 3), np.uint8)), tmp_path / "a.png", Context())


def test_names_of_bytes() -> None:
    assert name_bytes(b"%PDF-1.7\n") == "a PDF"
    assert name_bytes(b"RIFF\0\0\0\0WAVEfmt ") == "a WAV sound"
    assert name_bytes("grüß dich".encode()[:5]) == "plain text"
    assert name_bytes(b"<!DOCTYPE html><p>") == "an HTML page"
    assert name_bytes(bytes(range(1, 64))) == ""
