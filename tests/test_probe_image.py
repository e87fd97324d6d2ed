"""The picture probe: sure about pages and never wrongly so, told by a tag about spectrograms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from transpose import Session
from transpose.core.context import Context
from transpose.core.errors import DamagedInput, MislabelledInput
from transpose.core.kind import KINDS
from transpose.formats.pdf import read_pages
from transpose.formats.pictures import write_png
from transpose.media.probe_image import FEATURES, measure, probe

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_the_examples(tmp_path: Path) -> None:
    assert probe(EXAMPLES / "page.png", Context())["image.page"] >= 0.9
    for number, page in enumerate(read_pages(EXAMPLES / "scan.pdf", Context())):
        write_png(page, tmp_path / f"{number}.png", Context())
        assert probe(tmp_path / f"{number}.png", Context())["image.page"] >= 0.9
    cat = probe(EXAMPLES / "photo.jpg", Context())
    assert cat["image.photo"] > 0.7 > cat["image.page"]
    assert set(cat) <= set(KINDS)


def drawings() -> dict[str, Pillow.Image]:
    """A bar chart, an icon, a plain colour, a ramp, stripes and noise."""
    chart = Pillow.new("RGB", (640, 480), "white")
    draw = ImageDraw.Draw(chart)
    for n in range(8):
        draw.rectangle((60 + 70 * n, 440 - 50 * (n % 5 + 1), 100 + 70 * n, 440), (40 * n % 256, 90, 200))
        draw.text((60 + 70 * n, 450), f"day {n}", "black", ImageFont.load_default(14))
    icon = Pillow.new("RGBA", (128, 128), (0, 0, 0, 0))
    ImageDraw.Draw(icon).ellipse((10, 10, 118, 118), (220, 40, 40, 255), "black", 4)
    ramp = np.repeat(np.linspace(0, 255, 300, dtype=np.uint8)[:, None, None], 300, axis=1).repeat(3, axis=2)
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    stripes = np.where(np.arange(300)[:, None, None] // 10 % 2, 255, 0).astype(np.uint8) * np.ones(
        (1, 300, 3), np.uint8
    )
    arrays = {"ramp": ramp, "noise": noise, "stripes": stripes, "plain": np.full((200, 200, 3), 90, np.uint8)}
    return {"chart": chart, "icon": icon, **{name: Pillow.fromarray(array) for name, array in arrays.items()}}


@pytest.mark.parametrize("name", ["chart", "icon", "ramp", "noise", "stripes", "plain"])
def test_a_drawing_is_surely_nothing_else(tmp_path: Path, name: str) -> None:
    drawings()[name].save(tmp_path / "a.png")
    said = probe(tmp_path / "a.png", Context())
    assert max(said["image.photo"], said["image.page"]) < 0.1
    assert sum(said.values()) <= 1.001
    if name in ("chart", "icon"):
        assert said["image.drawing"] > 0.7


def test_a_sketch_finds_its_way_without_being_named(tmp_path: Path) -> None:
    """Black lines on white, as people draw them."""
    sketch = Pillow.new("RGB", (400, 400), "white")
    draw = ImageDraw.Draw(sketch)
    draw.ellipse((100, 100, 300, 300), outline="black", width=8)
    draw.line((200, 100, 210, 60), fill="black", width=8)
    sketch.save(tmp_path / "sketch.png")
    with Session() as session:
        plan = session.plan(tmp_path / "sketch.png", tmp_path / "clean.svg")
    assert plan.route.chain() == ".png -> image.drawing -> .svg"


def test_a_spectrogram_is_known_by_its_tag_only(tmp_path: Path) -> None:
    noise = Pillow.fromarray(np.random.default_rng(0).integers(0, 256, (128, 128), dtype=np.uint8))
    info = PngInfo()
    info.add_text("transpose.spectrogram", "{}")
    noise.save(tmp_path / "a.png", pnginfo=info)
    noise.save(tmp_path / "b.png")
    assert probe(tmp_path / "a.png", Context()) == {"image.spectrogram": 1.0}
    assert "image.spectrogram" not in probe(tmp_path / "b.png", Context())


@pytest.mark.parametrize(
    ("history", "known"),
    [
        ('{"steps": [{"output": "image.page"}, {"output": "image.icon@synthetic"}]}', True),
        ('{"steps": [{"output": "image.foo"}]}', False),
        ('{"steps": [{"output": "audio.music"}]}', False),
        ('{"steps": [{"output": 7}]}', False),
        ('{"steps": []}', False),
        ("[" * 100_000, False),
        ("no JSON", False),
    ],
)
def test_what_we_wrote_is_known_by_its_history(tmp_path: Path, history: str, known: bool) -> None:
    """Whatever else stands in that field changes nothing."""
    fields = PngInfo()
    fields.add_text("transpose", history)
    drawing = Pillow.new("RGB", (80, 80), "white")
    drawing.paste((200, 30, 30), (20, 20, 60, 60))
    drawing.save(tmp_path / "a.png", pnginfo=fields)
    found = probe(tmp_path / "a.png", Context())
    assert (found == {"image.icon": 1.0}) == known
    assert known or found["image.drawing"] > 0.7


def test_a_camera_in_the_exif_drops_the_doubt(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Model"
    exif.get_ifd(0x8769)[0x829A] = 0.01
    with Pillow.open(EXAMPLES / "photo.jpg") as cat:
        cat.save(tmp_path / "a.jpg", exif=exif)
        cat.save(tmp_path / "b.jpg")
    assert probe(tmp_path / "a.jpg", Context())["image.photo"] >= 0.9
    assert probe(tmp_path / "b.jpg", Context())["image.photo"] < 0.9


def test_tiny_pictures_say_nothing_and_damaged_ones_are_told(tmp_path: Path) -> None:
    Pillow.new("RGB", (32, 32)).save(tmp_path / "tiny.png")
    assert probe(tmp_path / "tiny.png", Context()) == {}
    fields = PngInfo()
    fields.add_text("transpose", '{"steps": [{"output": "image.icon"}]}')
    Pillow.new("RGB", (32, 32)).save(tmp_path / "small.png", pnginfo=fields)
    assert probe(tmp_path / "small.png", Context()) == {"image.icon": 1.0}
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "cut.jpg").write_bytes((EXAMPLES / "photo.jpg").read_bytes()[:9000])
    for name in ("text.png", "cut.jpg"):
        with pytest.raises(DamagedInput, match=name):
            probe(tmp_path / name, Context())
    with Session() as session, pytest.raises(MislabelledInput, match=r"text\.png"):
        session.plan(tmp_path / "text.png", "text.label")


@pytest.mark.parametrize("size", [(64, 64), (64, 3000), (3000, 64), (1000, 1000)])
def test_features_are_finite_for_any_shape(size: tuple[int, int]) -> None:
    for tone in ("white", "black", "red"):
        features = measure(Pillow.new("RGB", size, tone))
        assert len(features) == len(FEATURES)
        assert np.isfinite(features).all()
