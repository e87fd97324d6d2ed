"""Slideshow: pictures shown one after the other over a sound, with captions where timed text is given.

The pictures share the time evenly. With timed text each change moves to the start of the nearest cue, if one starts
within half a picture's time, so that a picture does not change in the middle of a sentence. Nothing is drawn before
the video is written, one picture at a time; what is written is as long as the sound, to half a frame.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context, Many
from transpose.core.errors import EmptyInput, InputError, OptionError
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.frames import Shot
from transpose.media.image import Image, on_white
from transpose.media.mux import spans
from transpose.media.text import Cue, Text
from transpose.media.video import Video

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.ImageFont import FreeTypeFont

FASTEST = 60  # frames a second
SHORT = 0.5  # seconds; a picture shown for less is said
SIDES = (16, 7680)
# where the built-in font lacks letters; looked for in the folders of the system
SYSTEM_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "arial.ttf", "Arial Unicode.ttf", "NotoSansCJK-Regular.ttc")
LINES = 4  # of a burnt caption; longer ones are set smaller


@transform("images, audio, text@timed? -> video", keeps=["synthetic"], loses=["detail", "metadata"])
def slideshow(
    images: Many[Image],
    audio: Audio,
    captions: Text | None,
    ctx: Context,
    *,
    fps: Annotated[int, Range(1, FASTEST), "frames a second; stills need few"] = 10,
    size: Annotated[str, "WIDTHxHEIGHT of the video, or `first` for the size of the first picture"] = "1280x720",
    caption: Annotated[
        Literal["soft", "burnt", "none"], "a track to switch on, drawn into the picture, or no"
    ] = "soft",
    background: Annotated[Literal["black", "white"], "what is around a picture of another shape"] = "black",
    font: Annotated[str, "a .ttf or .otf file for burnt captions; empty: one that has the letters"] = "",
) -> Video:
    """Show pictures over a sound, changing evenly or where a caption starts; exactly as long as the sound.

    Each picture is fitted into the frame without cropping; transparent parts show white paper. More pictures than
    frames raise the frame rate up to 60; still more raise InputError. Raises EmptyInput when there is no picture or
    the sound has no length, OptionError for a size or a font that cannot be used.
    """
    count = images.length if images.length is not None else sum(1 for _ in images)
    if not count:
        raise EmptyInput("a slideshow needs at least one picture, and none came")
    if not audio.length:
        raise EmptyInput("the sound has no length, so there is no time to show pictures")
    width, height = _size(size, images)
    rate = _rate(count, audio.duration, fps, ctx)
    length = max(1, round(Fraction(audio.length, audio.rate) * rate))
    heard = _heard(captions, audio.duration, ctx) if captions is not None else []
    lines = spans(heard, Fraction(rate))
    starts = changes(count, length, [start for start, _, _ in lines])
    burnt = lines if caption == "burnt" else []
    drawer = Lettering(width, height, font, [text for _, _, text in burnt], ctx) if burnt else None

    def shots() -> Iterator[Shot]:
        for number, picture in enumerate(images):
            still = fit(picture, width, height, background)
            for shown, text in cut(starts[number], [*starts, length][number + 1], burnt):
                yield Shot(drawer.draw(still, text) if drawer and text else still, shown)

    ctx.note("pictures", count)
    return Video(width, height, Fraction(rate), length, shots, audio, tuple(heard) if caption == "soft" else ())


def changes(count: int, length: int, cues: Sequence[int]) -> list[int]:
    """The first frame of each of `count` pictures in `length` frames: even, or at a cue start within half a picture.

    `cues` are frames in rising order. Windows of half a picture to both sides do not overlap, so order is kept.
    """
    starts = [0]
    for number in range(1, count):
        even = number * length / count
        place = bisect_left(cues, even)
        near = min(cues[max(0, place - 1) : place + 1], key=lambda cue: abs(cue - even), default=even)
        chosen = near if abs(near - even) < length / count / 2 else even
        starts.append(max(starts[-1] + 1, min(round(chosen), length - count + number)))
    return starts


def cut(start: int, end: int, lines: Sequence[tuple[int, int, str]]) -> Iterator[tuple[int, str]]:
    """The frames from `start` to `end` in pieces of one caption each: (frames, text or empty)."""
    at = start
    for first in range(max(0, bisect_left(lines, (start,)) - 1), len(lines)):
        opens, closes, text = lines[first]
        if opens >= end:
            break
        if at < opens:
            yield opens - at, ""
            at = opens
        if at < min(closes, end):
            yield min(closes, end) - at, text
            at = min(closes, end)
    if at < end:
        yield end - at, ""


def fit(picture: Image, width: int, height: int, background: str) -> NDArray[np.uint8]:
    """A picture as RGB pixels of (height, width, 3): as large as goes in, centred, on black or white."""
    import numpy as np
    from PIL import Image as Pillow

    source = Pillow.fromarray(on_white(picture.pixels))
    scale = min(width / source.width, height / source.height)
    across, down = max(1, round(source.width * scale)), max(1, round(source.height * scale))
    scaled = source.resize((across, down), Pillow.Resampling.LANCZOS, reducing_gap=3.0)
    sheet = Pillow.new("RGB", (width, height), background)
    sheet.paste(scaled, ((width - across) // 2, (height - down) // 2))
    return np.asarray(sheet)


class Lettering:
    """Draws captions into stills: white with a black outline, at the bottom, at most four lines where they fit."""

    def __init__(self, width: int, height: int, font: str, texts: Iterable[str], ctx: Context) -> None:
        self.width, self.height = width, height
        letters = "".join(texts)
        tried = [font] if font else ["", *(name for name in SYSTEM_FONTS if _installed(name))]
        self.font = min(tried, key=lambda name: len(_missing(name, letters)))  # the first of the best
        missing = _missing(self.font, letters)
        if missing:
            ctx.warn(f"no font here draws {missing!r} of the captions: use -o caption=soft, or -o font=FILE.ttf")
        ctx.note("font", self.font or "built in")

    def draw(self, still: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
        """A copy of the still, uint8 of shape (height, width, 3), with the text in it."""
        import numpy as np
        from PIL import Image as Pillow
        from PIL import ImageDraw

        points = max(8.0, self.height / 16)
        while (lines := self._wrapped(text, points)).count("\n") >= LINES and points > 8:
            points *= 0.9
        sheet = Pillow.fromarray(still)
        ImageDraw.Draw(sheet).multiline_text(
            (self.width / 2, self.height * 0.96),
            lines,
            font=_face(self.font, points),
            fill="white",
            anchor="md",
            align="center",
            stroke_width=max(1, round(points / 8)),
            stroke_fill="black",
        )
        return np.asarray(sheet)

    def _wrapped(self, text: str, points: float) -> str:
        """The text in lines that are at most nine tenths of the width; a longer word is broken."""
        face, most = _face(self.font, points), self.width * 0.9
        lines = [""]
        for word in text.split():
            if lines[-1] and face.getlength(f"{lines[-1]} {word}") <= most:
                lines[-1] += f" {word}"
                continue
            lines.append("")
            for letter in word:
                if lines[-1] and face.getlength(lines[-1] + letter) > most:
                    lines.append("")
                lines[-1] += letter
        return "\n".join(line for line in lines if line)


def _face(font: str, points: float) -> FreeTypeFont:
    from PIL import ImageFont

    try:
        face = ImageFont.truetype(font, points) if font else ImageFont.load_default(points)
    except OSError as error:
        raise OptionError(f"font {font!r} cannot be used: {error}", "Give a .ttf or .otf file") from error
    if not isinstance(face, ImageFont.FreeTypeFont):
        raise OptionError("this Pillow cannot draw scalable letters", "Use -o caption=soft")
    return face


def _installed(font: str) -> bool:
    try:
        return bool(_face(font, 16))
    except OptionError:
        return False


def _missing(font: str, letters: str) -> str:
    """The letters that the font has no picture for (it draws its box for the unknown instead)."""
    face = _face(font, 32)
    box = bytes(face.getmask("\U0010ffff"))
    return "".join(sorted({each for each in letters if not each.isspace() and bytes(face.getmask(each)) == box}))


def _size(size: str, images: Many[Image]) -> tuple[int, int]:
    """Width and height, both even; `first`: those of the first picture, at most 1920 x 1080."""
    if size == "first":
        head = next(iter(images))
        scale = min(1.0, 1920 / head.width, 1080 / head.height)
        sides = [max(SIDES[0], round(side * scale / 2) * 2) for side in (head.width, head.height)]
        return sides[0], sides[1]
    width, cross, height = size.lower().partition("x")
    if not cross or not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise OptionError(f"option size={size!r} is not a size", "Write it as 1280x720, or first")
    if not all(SIDES[0] <= int(side) <= SIDES[1] and int(side) % 2 == 0 for side in (width, height)):
        raise OptionError(f"option size={size!r} cannot be encoded", f"Use even numbers from {SIDES[0]} to {SIDES[1]}")
    return int(width), int(height)


def _rate(count: int, seconds: float, fps: int, ctx: Context) -> int:
    """Frames a second, raised where there are more pictures than frames; few seconds a picture are said."""
    rate = max(fps, ceil(count / seconds)) if count > 1 else fps
    if rate > FASTEST:
        most = max(1, int(seconds * FASTEST))
        raise InputError(f"{count} pictures do not fit into {seconds:.2f} s of sound", f"At most {most} can be shown")
    if rate > fps:
        ctx.warn(f"{rate} frames a second instead of {fps}, so that each of the {count} pictures gets one")
    if count > 1 and seconds / count < SHORT:
        ctx.warn(f"each picture is shown for only {seconds / count:.2f} s")
    return rate


def _heard(captions: Text, seconds: float, ctx: Context) -> list[Cue]:
    """The cues that start before the sound ends; the others are said."""
    if not captions.cues:
        ctx.warn("the text has no times: no captions, and the pictures change evenly")
    heard = [Cue(cue.start, min(cue.end, seconds), cue.text, cue.words) for cue in captions.cues if cue.start < seconds]
    if len(heard) < len(captions.cues):
        ctx.warn(f"{len(captions.cues) - len(heard)} captions start after the sound ends and are left out")
    return heard
