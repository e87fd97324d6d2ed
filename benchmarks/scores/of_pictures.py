"""Pictures and videos without models: against Pillow, NumPy and shapes and cuts whose places are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from benchmarks.photos import PHOTOS, image, opened
from benchmarks.scores.measuring import Found, error, f1, share
from transpose.core.context import Context, Many
from transpose.evaluate import likeness
from transpose.evaluate.samples import timed, video
from transpose.formats.svg import read_svg
from transpose.formats.video_files import write_video
from transpose.media.image import Image
from transpose.media.looks import LOOKS, lut_of_words, measure
from transpose.media.lut import Lut, dump_cube
from transpose.media.lut import chart as colour_chart
from transpose.media.text import Text
from transpose.media.video import Video
from transpose.transforms.album import album
from transpose.transforms.caption import caption
from transpose.transforms.captions_of_video import captions_of_video
from transpose.transforms.colours import colours
from transpose.transforms.cut import cut_video
from transpose.transforms.describe import describe
from transpose.transforms.edges import edges
from transpose.transforms.grade import grade_picture, grade_picture_by_cube, grade_video, grade_video_by_cube
from transpose.transforms.resize import resize
from transpose.transforms.scenes import scenes
from transpose.transforms.sound_of_video import sound_of_video
from transpose.transforms.still import still
from transpose.transforms.vectorise import vectorise

Pixels = NDArray[np.uint8]
FLAT = [(20, 30, 90), (200, 40, 40), (240, 240, 230), (40, 150, 60), (250, 200, 40)]


def _photos() -> list[Image]:
    return [image(opened(photo)) for photo in PHOTOS]


def _shapes(seed: int) -> tuple[Pillow.Image, Pixels]:
    """Discs and boxes on one colour, and where their borders run."""
    draw = np.random.default_rng(seed)
    sheet = Pillow.new("RGB", (320, 240), FLAT[seed % 5])
    parts = Pillow.new("L", (320, 240), 0)
    for number in range(4):
        x, y, size = 20 + 75 * number, int(draw.integers(30, 130)), int(draw.integers(30, 60))
        form = "ellipse" if draw.random() < 0.5 else "rectangle"
        for canvas, fill in ((sheet, FLAT[(seed + 1 + number) % 5]), (parts, number + 1)):
            getattr(ImageDraw.Draw(canvas), form)((x, y, x + size, y + size), fill=fill)
    areas = np.asarray(parts).astype(int)
    border = np.zeros(areas.shape, bool)
    border[1:] |= areas[1:] != areas[:-1]
    border[:, 1:] |= areas[:, 1:] != areas[:, :-1]
    return sheet, border


def _near(one: Pixels, other: Pixels, reach: int) -> float:
    """Share of the marked pixels of one that have one of the other within `reach` pixels."""
    from scipy.ndimage import distance_transform_edt

    return float((distance_transform_edt(~other)[one] <= reach).mean()) if one.any() else 0.0


def borders(ctx: Context) -> Found:
    """Lines against the known borders of shapes, within 2 pixels."""
    every = []
    for seed in range(10):
        sheet, border = _shapes(seed)
        found = edges(Image(np.asarray(sheet)), ctx).pixels[..., 0] == 0
        precision, recall = _near(found, border, 2), _near(border, found, 2)
        every.append(2 * precision * recall / max(precision + recall, 1e-9))
    return share("F1 of border pixels (2 pixels)", every, "10 made pictures of 4 shapes each", "picture")


def smaller(ctx: Context) -> Found:
    """Photographs at half and at twice their size against Pillow's Lanczos."""
    ratios = []
    for photo in _photos():
        for scale in (0.5, 2.0):
            mine = resize(photo, ctx, scale=scale)
            size = (mine.width, mine.height)
            theirs = Pillow.fromarray(photo.pixels).resize(size, Pillow.Resampling.LANCZOS)
            ratios.append(likeness.images(mine, Image(np.asarray(theirs))).value)
    return Found(
        "PSNR in dB",
        float(np.mean(ratios)),
        float(np.mean(ratios)) / 40,
        f"{len(ratios)} pictures against Pillow's Lanczos",
        len(ratios),
        "picture",
    )


def palette(ctx: Context) -> Found:
    """Shares of flat colours against counted pixels."""
    every = []
    for seed in range(10):
        sheet, _ = _shapes(seed)
        counted = {f"#{r:02x}{g:02x}{b:02x}": n for n, (r, g, b) in sheet.getcolors(1000)}
        found = {row["hex"]: float(row["share"]) for row in colours(Image(np.asarray(sheet)), ctx).rows()}
        every += [abs(found.get(name, 0.0) - n / (320 * 240)) for name, n in counted.items()]
    return error(
        "mean error of a colour's share", every, f"{len(every)} colours of 10 made pictures, counted", "colour"
    )


def traced(ctx: Context) -> Found:
    """A drawing traced, drawn again, and compared."""
    ratios = []
    for seed in range(10):
        sheet, _ = _shapes(seed)
        path = ctx.temp(".svg")
        vectorise(Image(np.asarray(sheet)), path, ctx)
        back = read_svg(path, ctx, side=320, background="white")
        ratios.append(likeness.images(Image(np.asarray(sheet)), back).value)
    return Found(
        "PSNR in dB",
        float(np.mean(ratios)),
        float(np.mean(ratios)) / 40,
        "10 made drawings, traced and drawn again",
        10,
        "picture",
    )


def _warmer(colour: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.clip(colour * np.array([1.1, 1.0, 0.85], np.float32) + 0.02, 0, 1).astype(np.float32)


def _graded(mine: Pixels, source: Pixels) -> float:
    wanted = np.round(_warmer(source.astype(np.float32) / 255) * 255)
    return likeness.decibels(255.0**2, float(np.mean((mine - wanted) ** 2))).value


def by_cube(ctx: Context) -> Found:
    """A table of colours in a file against the function that it was made of."""
    path = ctx.temp(".cube")
    path.write_text(dump_cube(Lut.of(_warmer)))
    ratios = [_graded(grade_picture_by_cube(photo, path, ctx).pixels, photo.pixels) for photo in _photos()]
    return Found(
        "PSNR in dB",
        float(np.mean(ratios)),
        float(np.mean(ratios)) / 40,
        f"{len(ratios)} photographs against the function itself",
        len(ratios),
        "picture",
    )


def video_by_cube(ctx: Context) -> Found:
    """The same over a video."""
    path = ctx.temp(".cube")
    path.write_text(dump_cube(Lut.of(_warmer)))
    given = video()
    pairs = list(zip(grade_video_by_cube(given, path, ctx).frames(), given.frames(), strict=True))
    found = float(np.mean([_graded(mine, source) for mine, source in pairs]))
    return Found(
        "PSNR in dB", found, found / 40, f"{len(pairs)} frames against the function itself", len(pairs), "frame"
    )


def looks(ctx: Context) -> Found:
    """Whether each named look moves each measure in the direction that it names, by three levels at least."""
    chart = colour_chart()
    before = measure(chart)
    every = []
    for name, look in LOOKS.items():
        after = measure(grade_picture(Image(chart), Text(name), ctx).pixels)
        every += [
            float((after[each[:-1]] - before[each[:-1]]) * (1 if each[-1] == "+" else -1) > 3)
            for each in look.moves.split()
        ]
    return share(
        "share of moves in the named direction", every, f"{len(every)} moves of {len(LOOKS)} looks on a chart", "look"
    )


def video_looks(ctx: Context) -> Found:
    """A video in words against its pictures, each graded by the same words."""
    given, ratios = video(), []
    for name in list(LOOKS)[:6]:
        table = lut_of_words(name)
        for mine, source in zip(grade_video(given, Text(name), ctx).frames(), given.frames(), strict=True):
            error = float(np.mean((mine.astype(float) - table.apply(source)) ** 2))
            ratios.append(likeness.decibels(255.0**2, error).value)
    found = float(np.mean(ratios))
    return Found(
        "PSNR in dB",
        found,
        found / 40,
        f"{len(ratios)} frames of 6 looks against graded pictures",
        len(ratios),
        "frame",
    )


def _film(seed: int) -> tuple[Video, list[int]]:
    """Cut photographs that move, with noise: the video and the frames at which scenes begin."""
    draw = np.random.default_rng(seed)
    photos = [Pillow.fromarray(each.pixels).resize((480, 300)) for each in _photos()]
    order = draw.permutation(len(photos))[:6]
    lengths = [int(each) for each in draw.integers(20, 60, 6)]
    frames = []
    for number, length in zip(order, lengths, strict=True):
        pixels = np.asarray(photos[number].convert("RGB"))
        for step in range(length):
            part = pixels[step : step + 180, 2 * step : 2 * step + 320].astype(int)
            frames.append((part + draw.integers(-5, 6, part.shape)).clip(0, 255).astype(np.uint8))
    return Video.from_array(np.stack(frames), 25), [0, *np.cumsum(lengths)[:-1].tolist()]


def cuts(ctx: Context) -> Found:
    """Scenes of videos cut from moving photographs."""
    every = []
    for seed in range(4):
        film, starts = _film(seed)
        path = ctx.temp(".mp4")
        write_video(film, path, ctx)
        found = [round(float(each.meta["text:start"]) * 25) for each in scenes(Video.from_file(path), ctx)]
        every.append(f1(found, starts))
    return share(
        "F1 of cuts, to the frame", every, "4 videos of 6 moving photographs with noise, written as MP4", "video"
    )


def frame_at(ctx: Context) -> Found:
    """The picture at a second of a video against the frame of that time."""
    film, _ = _film(0)
    given = list(film.frames())
    places = range(5, len(given), 25)
    ratios = [likeness.images(Image(given[at]), still(film, ctx, at=(at + 0.5) / 25)).value for at in places]
    found = float(np.mean(ratios))
    return Found("PSNR in dB", found, found / 40, f"{len(ratios)} frames of moving photographs", len(ratios), "frame")


def _captions(ctx: Context) -> float:
    path = ctx.temp(".mp4")
    write_video(caption(_film(0)[0], timed(), ctx), path, ctx)
    back = captions_of_video(Video.from_file(path), ctx)
    pairs = list(zip(timed().cues, back.cues, strict=True))
    return float(
        np.mean([a.text == b.text and abs(a.start - b.start) < 0.1 and abs(a.end - b.end) < 0.1 for a, b in pairs])
    )


def captions(ctx: Context) -> Found:
    """Captions written into a video and read again."""
    value = _captions(ctx)
    return Found(
        "share of captions with words and times",
        value,
        value,
        "3 captions into an MP4 and out again, within .1 s",
        3,
        "caption",
    )


def part(ctx: Context) -> Found:
    """A part of a video against the frames that it should have."""
    film, _ = _film(1)
    given = list(film.frames())
    found = list(cut_video(film, ctx, start="1", end="3").frames())
    same = float(len(found) == 50 and all((a == b).all() for a, b in zip(found, given[25:75], strict=True)))
    return Found("equal frames", same, same, "50 frames from the second second on", 50, "frame")


def soundtrack(ctx: Context) -> Found:
    """The sound of a video that is still in memory, sample by sample."""
    given = video()
    assert given.audio is not None
    worst = float(np.abs(sound_of_video(given, ctx).array() - given.audio.array()).max())
    return Found(
        "largest error of a sample",
        worst,
        1 - worst,
        f"{given.duration:g} s of sound",
        given.duration / 60,
        "minute of sound",
    )


def kept(ctx: Context) -> Found:
    """Photographs in an album against those given."""
    photos = [Image(each.pixels[::4, ::4].copy()) for each in _photos()]
    import io

    made = album(Many(lambda: iter(photos), len(photos)), ctx)
    back = [Pillow.open(io.BytesIO(data)).convert("RGB") for data in made.pictures.values()]
    ratios = [likeness.images(a, Image(np.asarray(b))).value for a, b in zip(photos, back, strict=True)]
    found = float(np.mean(ratios))
    return Found("PSNR in dB", found, found / 40, f"{len(ratios)} photographs", len(ratios), "picture")


def told(ctx: Context) -> Found:
    """A right name in the description of a photograph of something that the model knows."""

    def call(name: str, values: tuple[object, ...], options: dict[str, object]) -> object:
        from transpose.core.catalog import cache_home
        from transpose.index import load_catalog

        inner = Context(weights=ctx.weights, folder=ctx.folder, threads=1)
        return load_catalog(cache_home())[name].function(*values, inner, **options)

    known = [photo for photo in PHOTOS if photo.names]
    every = []
    for photo in known:
        own = Context(weights=ctx.weights, folder=ctx.folder, threads=1, runner=call)
        said = describe(image(opened(photo)), own, text=False).text.lower()
        every.append(float(any(name.lower() in said for name in photo.names)))
    return share(
        "share with a right name", every, f"{len(known)} photographs of scikit-image and scikit-learn", "picture"
    )


MEASURES = {
    "album": kept,
    "caption": captions,
    "captions-of-video": captions,
    "colours": palette,
    "cut-video": part,
    "describe": told,
    "edges": borders,
    "grade-picture": looks,
    "grade-picture-by-cube": by_cube,
    "grade-video": video_looks,
    "grade-video-by-cube": video_by_cube,
    "resize": smaller,
    "scenes": cuts,
    "sound-of-video": soundtrack,
    "still": frame_at,
    "vectorise": traced,
}
