"""A lecture from notes: slides drawn from the headings, one voice that reads them, captions timed by that voice.

Every heading begins a slide. Lists, code, tables, quotations and pictures stand on it; a paragraph is spoken, and its
first sentence stands there where nothing else does. Each sentence is spoken apart, so that its place in the sound is
known to the sample: a caption is there exactly as long as its words, and a slide as long as what belongs to it.
Code is shown in silence, and a table is named, not read out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from math import ceil
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, HugeInput, InputError, OptionError, SilentInput
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.deck import Reader, read_deck
from transpose.media.document import Document
from transpose.media.easel import Easel
from transpose.media.frames import Shot
from transpose.media.image import on_white
from transpose.media.language import language
from transpose.media.picture import check_bytes, damage, decode, open_picture, quiet
from transpose.media.slides import SIDES, Layout, Slide, sides
from transpose.media.subtitle import LINES, WIDTH, readable
from transpose.media.text import Cue, Text
from transpose.media.typeface import Typeface
from transpose.media.video import Video

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SURE = 0.8  # probability from which the language that was found is believed
BEAT, TURN, CLAUSE = 0.35, 0.9, 0.12  # seconds of silence after a sentence, after a slide, inside a long sentence
AFTER_TITLE, CLOSE = 0.6, 0.5  # after a heading; at the very end
RATE = 24_000  # Hz of the sound: the voice's own
LONG = 6000  # letters from which the sound goes to a file
SHORTEST = 2.5  # seconds that a page stays
READING = 0.6  # seconds more for each line of code or of a table
LONGEST = 10.0  # seconds that a page is shown in silence
MOST = 100_000  # letters: some two hours


@dataclass(frozen=True, slots=True)
class Line:
    """What is said in one breath, and the piece of its page (-1: the title)."""

    words: str
    piece: int
    rest: float


@dataclass(frozen=True, slots=True)
class Scene:
    """A page, the frames at which its lines begin, each with its piece, and the frame at which it ends."""

    page: Slide
    marks: tuple[tuple[int, int], ...]
    end: int


@transform(
    "document -> video",
    verb=True,
    loses=["layout", "markup", "metadata"],
    needs=["sentencex"],
    extra="local",
    uses=["speak"],
    synthetic=True,
    memory_mb=1000,
)
def lecture(
    document: Document,
    ctx: Context,
    *,
    size: Annotated[str, "WIDTHxHEIGHT of the video"] = "1280x720",
    theme: Annotated[Literal["light", "dark"], "dark letters on light paper, or light on dark"] = "light",
    paragraphs: Annotated[
        Literal["lead", "full", "none"], "of a paragraph stands on the slide: its first sentence, all of it, nothing"
    ] = "lead",
    captions: Annotated[Literal["soft", "none"], "a track to switch on, or none"] = "soft",
    fps: Annotated[int, Range(1, 60), "frames a second; slides need few"] = 10,
    face: Annotated[str, "a .ttf or .otf file for the slides; empty: one that has the letters"] = "",
) -> Video:
    """Make a narrated slide show of notes: slides from the headings, one voice that reads them, captions.

    Sound and picture are equally long. Letters shrink where there is much on a slide, and what is still too long for
    one page goes on over the next. The speech is that of `speak`. Raises EmptyInput for notes with nothing to show or
    say, OptionError for a size or a font that cannot be used, and what `speak` raises.
    """
    try:
        width, height = sides(size)
    except ValueError as error:
        raise OptionError(f"option {error}", "Write it as 1280x720") from None
    lang = _language(document)
    reader = Reader(partial(_sentences, lang), partial(_picture, document, ctx), paragraphs)
    deck = read_deck(document, reader)
    if not deck.slides:
        raise EmptyInput("the notes hold nothing to show or to say", "Write a heading and some words")
    letters = Typeface(deck.words(), face)
    if letters.lacking:
        ctx.warn(f"no font here draws {letters.lacking[:20]!r} of the notes: install one, or give -o face=FILE.ttf")
    layout = Layout(width, height, letters)
    pages = [page for slide in deck.slides for page in layout.paged(slide)]
    speech = Narration(pages, lang, fps, ctx)
    audio = speech.audio()
    ctx.note("slides", len(pages))
    ctx.note("sentences", len(speech.cues))
    cues = tuple(part for cue in speech.cues for part in shortened(cue)) if captions == "soft" else ()
    shots = partial(_shots, Easel(layout, theme), tuple(speech.scenes), deck.title)
    return Video(width, height, Fraction(fps), speech.frames, shots, audio, cues)


def _language(document: Document) -> str:
    """The language of the notes as a whole, since a sentence alone is too short to tell; English where unsure."""
    words = " ".join("".join(document.tree().itertext()).split())
    if not words and not document.pictures:
        raise EmptyInput("the notes are empty", "Write a heading and some words")
    if len(words) > MOST:
        raise HugeInput(f"the notes have {len(words):,} letters: hours of speech", f"Give at most {MOST:,}")
    found, sure = language(words)
    return document.lang or (found if sure >= SURE else "en")


def _sentences(lang: str, words: str) -> list[str]:
    from sentencex import segment  # type: ignore[import-untyped]

    return [" ".join(each.split()) for each in segment(lang, words) if each.strip()]


def _picture(document: Document, ctx: Context, name: str) -> NDArray[np.uint8] | None:
    """RGB pixels (h, w, 3) of a picture of the document, at most 4K; None, and a warning, where it is damaged."""
    import numpy as np
    from PIL import Image as Pillow

    data = document.pictures.get(name)
    if data is None:
        return None
    suffix = PurePath(name).suffix.lower() or ".png"
    path = ctx.temp(suffix)
    path.write_bytes(data)
    try:
        expected = check_bytes(path)
        with damage(path), quiet(), open_picture(path, expected) as opened:
            opened.load()
            image = decode(opened, path, ctx)
    except InputError as error:
        ctx.warn(f"the picture {name!r} is left out: {error.message.replace(path.name, name)}")
        return None
    finally:
        path.unlink(missing_ok=True)
    small = Pillow.fromarray(on_white(image.pixels))
    small.thumbnail((SIDES[1], SIDES[1]))
    return np.asarray(small)


# -- speech ------------------------------------------------------------------------------------------------------------


def lines_of(page: Slide) -> list[Line]:
    """What is said on a page: its title, then each piece, sentence by sentence; long ones in clauses."""
    spoken = [(-1, page.spoken), *((number, piece.spoken) for number, piece in enumerate(page.pieces))]
    found: list[Line] = []
    for number, sentences in spoken:
        for sentence in sentences:
            *first, last = clauses(sentence)
            found += [Line(each, number, CLAUSE) for each in first]
            found.append(Line(last, number, AFTER_TITLE if number < 0 else BEAT))
    return found


def clauses(sentence: str) -> list[str]:
    """A sentence that is too long for one caption in parts at its punctuation, each as long as a caption can be."""
    most = WIDTH * LINES
    if len(sentence) <= most:
        return [sentence]
    cuts = [at + 1 for at, (sign, after) in enumerate(zip(sentence, sentence[1:], strict=False))
            if sign in ",;:—–" and after == " " and 24 <= at <= len(sentence) - 24]  # fmt: skip
    if not cuts:
        return [sentence]
    middle = min(cuts, key=lambda cut: abs(cut - len(sentence) / 2))
    return [*clauses(sentence[:middle].strip()), *clauses(sentence[middle:].strip())]


def shortened(cue: Cue) -> list[Cue]:
    """A caption that three lines cannot hold in several, at times estimated from their letters; any other as it is."""
    return readable(cue) if len(cue.text) > WIDTH * (LINES + 1) else [cue]


class Narration:
    """Speaks page after page and writes down when each line and page begins; positions are in samples."""

    def __init__(self, pages: Sequence[Slide], lang: str, fps: int, ctx: Context) -> None:
        self.pages, self.lang, self.fps, self.ctx = pages, lang, fps, ctx
        self.at = self.frames = self.letters = 0
        self.total = sum(len(line.words) for page in pages for line in lines_of(page))
        self.cues: list[Cue] = []
        self.scenes: list[Scene] = []

    def audio(self) -> Audio:
        """The whole sound at 24 kHz, mono; a long one lies in a temporary file."""
        import numpy as np

        if self.total > LONG:
            return Audio.from_blocks(self._blocks(), RATE, self.ctx.temp(".wav"))
        return Audio.from_array(np.concatenate(list(self._blocks())), RATE)

    def _blocks(self) -> Iterator[NDArray[np.float32]]:
        """Speech and intended silence, each of shape (n, 1)."""
        for number, page in enumerate(self.pages):
            began = self.frames
            marks = [(began, -1)]
            for line in lines_of(page):
                marks.append((max(began, self.at * self.fps // RATE), line.piece))
                yield from self._line(line)
            yield self._rest(page, began, number == len(self.pages) - 1)
            self.scenes.append(Scene(page, tuple(marks), self.frames))

    def _line(self, line: Line) -> Iterator[NDArray[np.float32]]:
        import numpy as np

        try:
            sound: Audio = self.ctx.call("speak", Text(line.words, lang=self.lang), lang=self.lang)
        except SilentInput:  # signs only: nothing to say
            return
        spoken = sound.array(rate=RATE, channels=1)
        end = self.at + len(spoken)
        self.cues.append(Cue(self.at / RATE, end / RATE, line.words))
        rest = round(line.rest * RATE)
        self.at = end + rest
        self.letters += len(line.words)
        self.ctx.progress(self.letters, self.total, "letters spoken")
        yield np.concatenate([spoken, np.zeros((rest, 1), np.float32)])

    def _rest(self, page: Slide, began: int, last: bool) -> NDArray[np.float32]:
        """Silence until the page has been there long enough to be read, and up to a whole frame."""
        import numpy as np

        lines = sum(len(piece.rows) for piece in page.pieces if piece.kind in ("code", "table"))
        still = min(LONGEST, SHORTEST + READING * lines)
        turn = CLOSE if last else TURN
        until = max(self.at / RATE + turn, began / self.fps + still)
        self.frames = max(began + 1, ceil(Fraction(until).limit_denominator(RATE) * self.fps))
        target = round(Fraction(self.frames * RATE, self.fps))
        silence = np.zeros((target - self.at, 1), np.float32)
        self.at = target
        return silence


# -- pictures ----------------------------------------------------------------------------------------------------------


def _shots(easel: Easel, scenes: Sequence[Scene], title: str) -> Iterator[Shot]:
    """Each page, drawn anew when another of its pieces is spoken of."""
    for number, scene in enumerate(scenes, 1):
        marks = [mark for mark, after in pairwise([*scene.marks, (scene.end, -1)]) if mark[0] < after[0]]
        ends = [start for start, _ in marks[1:]] + [scene.end]
        for (start, piece), end in zip(marks, ends, strict=True):
            pixels = easel.draw(scene.page, 0 if scene.page.cover else number, title, piece)
            yield Shot(pixels, end - start)
