"""A talk with pictures: what is said is divided at turns of its topic, and each part gets a picture or a card.

Sentences of the transcript are gathered into parts of a few seconds each. A cut is cheap where the sentences on both
sides have little to do with each other (the cosine of their MiniLM vectors, as in TextTiling, Hearst 1997), and parts
are about as long as asked for; the best division is found by dynamic programming. The user's own pictures go where
their names or captions fit what is said. Nothing is invented: where no picture fits, a card shows the words of the part
that stand nearest to all of it (Grootendorst 2020, KeyBERT).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context, Many
from transpose.core.errors import EmptyInput, InputError, OptionError, SilentInput
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.image import Image
from transpose.media.picture import FORMATS
from transpose.media.slides import sides
from transpose.media.subtitle import readable
from transpose.media.text import Cue, Text
from transpose.media.timeline import Shown, Timeline, dumps, render
from transpose.media.video import Video

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHORTEST = 3.0  # seconds that a part lasts at least
SILENCE = 1.2  # seconds that end a sentence without a full stop
RUN = 14.0  # seconds after which a comma ends what has no full stop
STAY = 20.0  # seconds after which a picture makes room for a card
FIT, WEAK = 0.32, 0.18  # cosines: from where a picture is shown again; below which its place is doubtful
WORDS = (2, 7)  # of a phrase on a card
MOST_PICTURES = 2000
ENDS = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
PAUSES = re.compile(r"[,;:—–][\"'”’»)\]]*$")
EDGES = frozenset(
    """a about above after again all also although am an and any are as at be because been before being between both
    but by can can't could did do does doesn't don't down each else even ever every few for from further had has have
    having he her here hers him his how however i i'm if in into is isn't it it's its itself just let like many may me
    might more most much must my no nor not now of off often on once one only or other our out over own quite rather
    really said same say she should since so some still such than that that's the their them then there there's these
    they they're this those though through thus to too under until up upon us very was wasn't way we well went were what
    when where which while who whom whose why will with within without would yet you your""".split()
)  # words that a phrase neither begins nor ends with
Pace = Annotated[float, Range(SHORTEST, 60.0), "seconds that a picture or card is shown, about"]
Folder = Annotated[str, "a folder of pictures, matched to what is said by their file names and captions"]
Theme = Annotated[Literal["dark", "light"], "of the cards and around the pictures"]
Size = Annotated[str, "WIDTHxHEIGHT of the video"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said from `start` to `end`, in seconds."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A picture and the words that tell what is on it ("" where nothing does)."""

    picture: Path | Image
    words: str


@transform(
    "audio.speech, text@timed?, images? -> video",
    verb=True,
    keeps=["synthetic"],
    loses=["detail", "structure", "metadata", "pixels"],
    uses=["transcribe", "embed"],
    extra="local",
    memory_mb=1000,
)
def illustrate(
    talk: Audio,
    transcript: Text | None,
    images: Many[Image] | None,
    ctx: Context,
    *,
    pictures: Folder = "",
    pace: Pace = 8.0,
    theme: Theme = "dark",
    size: Size = "1280x720",
    fps: Annotated[int, Range(1, 60), "frames a second; stills need few"] = 10,
    captions: Annotated[Literal["soft", "none"], "a track to switch on, or none"] = "soft",
) -> Video:
    """Show pictures over a talk when it speaks of them, and cards with its key phrases where there is none.

    The talk is transcribed unless its transcript or subtitles are given too. Pictures stand for what their names and
    captions say: what is on them is not looked at. To change what is shown when, make a `.timeline` of the talk, edit
    it and render that. Raises SilentInput where nobody speaks, OptionError for a size or folder that cannot be used.
    """
    made = storyboarded(talk, transcript, images, ctx, pictures, pace, theme, size)
    if captions == "none":
        made = Timeline(made.sound, made.shown, (), made.width, made.height, made.theme)
    return render(made, fps, ctx)


@transform(
    "audio.speech, text@timed?, images? -> .timeline",
    loses=["detail", "structure", "metadata"],
    uses=["transcribe", "embed"],
    extra="local",
    memory_mb=1000,
)
def storyboard(
    talk: Audio,
    transcript: Text | None,
    images: Many[Image] | None,
    path: Path,
    ctx: Context,
    *,
    pictures: Folder = "",
    pace: Pace = 8.0,
    theme: Theme = "dark",
    size: Size = "1280x720",
) -> None:
    """Write what `illustrate` would show, and when, to a file to edit: `transpose talk.timeline talk.mp4` renders it.

    The file names the sound and the pictures by where they are. Raises InputError where they are in no file, and what
    `illustrate` raises.
    """
    ctx.once()  # the places of the files are not part of what a cache knows
    if not isinstance(talk.source, Path) or talk.source.name == "value.wav":  # the cache's own copy may go any time
        hint = "Make the sound first, then its timeline: transpose IN talk.wav, and transpose talk.wav talk.timeline"
        raise InputError("a timeline names its sound by file, and this one is in no file of yours", hint)
    path.write_text(dumps(storyboarded(talk, transcript, images, ctx, pictures, pace, theme, size)), encoding="utf-8")


def storyboarded(
    talk: Audio,
    transcript: Text | None,
    images: Many[Image] | None,
    ctx: Context,
    pictures: str,
    pace: float,
    theme: str,
    size: str,
) -> Timeline:
    """Which card or picture is shown when."""
    if not talk.length:
        raise EmptyInput("the talk has no length", "Give a sound with speech in it")
    try:
        width, height = sides(size)
    except ValueError as error:
        raise OptionError(f"option {error}", "Write it as 1280x720") from None
    offers = [*_files(pictures, ctx), *_values(images, ctx)]
    heard = transcript or ctx.call("transcribe", talk)
    said = sentences_of([cue for cue in heard.cues if cue.start < talk.duration])
    if not said:
        raise SilentInput("nobody says anything in the talk", "Give a sound with speech in it")
    vectors = embedded([each.text for each in said], ctx)
    cuts = divide(said, vectors, talk.duration, pace)
    parts = [(first, last) for first, last in pairwise([*cuts, len(said)])]
    texts = [" ".join(each.text for each in said[first:last]) for first, last in parts]
    placed = _place(texts, offers, ctx)
    cards = key_phrases(texts, ctx)
    shown: list[Shown] = []
    for number, ((first, last), text) in enumerate(zip(parts, texts, strict=True)):
        start = 0.0 if number == 0 else said[first].start
        offer = placed.get(number)
        picture = offer.picture if offer else None
        if picture is not None and shown and shown[-1].picture is picture:
            if said[last - 1].end - shown[-1].start <= STAY:
                continue  # it stays
            picture = None
        shown.append(Shown(start, cards[number] if picture is None else "", picture, said=text))
    ctx.note("cards", sum(one.picture is None for one in shown))
    ctx.note("pictures", sum(one.picture is not None for one in shown))
    cues = tuple(part for cue in heard.cues for part in readable(cue))
    return Timeline(talk, tuple(shown), cues, width, height, theme)


# -- what is said ------------------------------------------------------------------------------------------------------


def sentences_of(cues: Sequence[Cue]) -> list[Sentence]:
    """Sentences of a timed text, from the times of their words; cues without word times count as words."""
    found: list[Sentence] = []
    held: list[Sentence] = []
    for piece in _words(cues):
        if held and (_ends(held) or piece.start - held[-1].end >= SILENCE):
            found.append(_joined(held))
            held = []
        held.append(piece)
    return [each for each in [*found, *([_joined(held)] if held else [])] if each.text]


def _words(cues: Sequence[Cue]) -> Iterator[Sentence]:
    for cue in cues:
        if cue.words:
            yield from (Sentence(word.start, word.end, word.text.strip()) for word in cue.words if word.text.strip())
        elif cue.text.strip():
            yield Sentence(cue.start, cue.end, " ".join(cue.text.split()))


def _ends(held: list[Sentence]) -> bool:
    last = held[-1]
    long = last.end - held[0].start > RUN
    return bool(ENDS.search(last.text)) or long and bool(PAUSES.search(last.text)) or last.end - held[0].start > 2 * RUN


def _joined(held: list[Sentence]) -> Sentence:
    words = re.sub(r"(?<=\w) (?=-\w)", "", " ".join(each.text for each in held))  # Whisper's words part at hyphens
    return Sentence(held[0].start, held[-1].end, words)


def embedded(texts: Sequence[str], ctx: Context) -> NDArray[np.float32]:
    """Unit vectors of texts, shape (n, 384); zeros for one without words."""
    import numpy as np

    found = ctx.call("embed", [Text(text) for text in texts]) if texts else []
    rows: NDArray[np.float32] = np.zeros((len(texts), 384), np.float32)
    for row, each in zip(rows, found, strict=True):
        if not isinstance(each, Exception):
            row[:] = each.vector
    return rows


def divide(said: Sequence[Sentence], vectors: NDArray[np.float32], total: float, pace: float) -> list[int]:
    """The first sentence of each part: the cheapest division; 0 is always among them.

    A part costs the square of how far its length is from `pace`, relative to it, and how alike the two sentences on
    both sides of its start are. Parts shorter than 3 s only occur where the whole is.
    """
    starts = [0.0, *(each.start for each in said[1:]), total]
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(said) + 1):
        choices = []
        for first in range(end - 1, -1, -1):
            length = starts[end] - starts[first]
            short = 100.0 if length < SHORTEST else 0.0
            turn = _likeness(vectors, first) if first else 0.0
            choices.append((best[first][0] + ((length - pace) / pace) ** 2 + turn + short, first))
            if length > 4 * pace and first < end - 1:
                break
        best.append(min(choices))
    cuts = [len(said)]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][1])
    return cuts[:0:-1]


def _likeness(vectors: NDArray[np.float32], cut: int) -> float:
    """Cosine (0 to 1) of the mean of two sentences before a cut and that of two after it."""
    import numpy as np

    before, after = vectors[max(0, cut - 2) : cut].mean(axis=0), vectors[cut : cut + 2].mean(axis=0)
    norm = float(np.linalg.norm(before) * np.linalg.norm(after))
    return max(0.0, float(before @ after) / norm) if norm > 1e-9 else 0.0


# -- cards -------------------------------------------------------------------------------------------------------------


def key_phrases(texts: Sequence[str], ctx: Context) -> list[str]:
    """For each text the words in it that are nearest to the whole of it and not on a card yet."""
    import numpy as np

    offered = [phrases(text) for text in texts]
    flat = [phrase for each in offered for phrase, _ in each]
    wholes, vectors = embedded(texts, ctx), embedded(flat, ctx)
    used: NDArray[np.float32] = np.zeros((0, vectors.shape[1]), np.float32)
    chosen, at = [], 0
    for whole, each in zip(wholes, offered, strict=True):
        own = vectors[at : at + len(each)]
        at += len(each)
        seen = (own @ used[-8:].T).max(axis=1) if len(used) else np.zeros(len(own))
        scores = own @ whole - 0.35 * np.maximum(seen - 0.5, 0) + np.array([bonus for _, bonus in each])
        pick = int(scores.argmax())
        used = np.concatenate([used, own[pick : pick + 1]])
        chosen.append(each[pick][0])
    return chosen


def phrases(text: str) -> list[tuple[str, float]]:
    """Runs of words inside one clause that could stand on a card, each with what speaks for it; at least one."""
    found: dict[str, float] = {}
    for clause in re.split(
        r"(?<=[^\W\d_])[,;:.!?…]+\s+|[.!?…]+[\"'”’)]*\s+|\s+[—–-]\s+|[\"“”()]|[。、！？]", f"{text} "
    ):
        words = clause.strip().strip(",;:.!?…").split()
        for first in range(len(words)):
            for last in range(first + WORDS[0], min(first + WORDS[1], len(words)) + 1):
                run = words[first:last]
                whole = (first, last) == (0, len(words))
                edges = {re.sub(r"\W+$|^\W+", "", word).lower() for word in (run[0], run[-1])}
                if whole or not edges & EDGES:
                    found.setdefault(_capital(" ".join(run)), 0.08 if whole else 0.0)
    if not found:
        short = " ".join(text.split()[: WORDS[1]]).rstrip(",;:.")
        found[_capital(short or "…")] = 0.0
    return list(found.items())


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


# -- pictures ----------------------------------------------------------------------------------------------------------


def _files(folder: str, ctx: Context) -> Iterator[Offer]:
    """The pictures in a folder, in the order of their names; `NAME.txt` beside one says what is on it."""
    if not folder:
        return
    place = Path(folder)
    if not place.is_dir():
        raise OptionError(f"option pictures={folder!r} is no folder", "Name the folder that holds the pictures")
    ctx.once()
    paths = [path for path in sorted(place.iterdir()) if path.suffix.lower() in FORMATS and path.is_file()]
    if not paths:
        raise EmptyInput(f"the folder {folder!r} holds no picture", f"Known: {' '.join(FORMATS)}")
    for path in paths[:MOST_PICTURES]:
        told = path.with_suffix(".txt")
        words = told.read_text(encoding="utf-8", errors="replace")[:500] if told.is_file() else ""
        yield Offer(path, f"{named(path.stem)}. {words}".strip(". "))


def _values(images: Many[Image] | None, ctx: Context) -> Iterator[Offer]:
    """Pictures that were given, with their name where it is known (`file`) and what their own text fields say."""
    for image in images or ():
        file = image.meta.get("file", "")
        told = [image.meta.get(f"text:{key}", "") for key in ("Title", "Description", "caption")]
        words = [named(Path(file).stem) if isinstance(file, str) else "", *(t for t in told if isinstance(t, str))]
        known = isinstance(file, str) and file and Path(file).is_file()
        if known:
            ctx.once()  # a cache knows the bytes of a picture, not its name
        yield Offer(Path(file) if known and isinstance(file, str) else image, ". ".join(filter(None, words)))


def named(stem: str) -> str:
    """The words of a file's name: `WaggleDance_in-the-hive02` -> `Waggle Dance in the hive`."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem)
    words = re.sub(r"[\W_\d]+", " ", apart).strip()
    return (
        "" if words.lower() in ("img", "image", "dsc", "pxl", "photo", "picture", "screenshot", "p", "page") else words
    )


def _place(texts: Sequence[str], offers: Sequence[Offer], ctx: Context) -> dict[int, Offer]:
    """Part -> picture. Each picture comes once where it fits best, then again where it fits well.

    Pictures that nothing is known of are shown in their order, evenly over the parts that are left.
    """
    told = [offer for offer in offers if offer.words]
    dumb = [offer for offer in offers if not offer.words]
    likeness = embedded(texts, ctx) @ embedded([offer.words for offer in told], ctx).T
    pairs = sorted(((float(likeness[p, o]), p, o) for p in range(len(texts)) for o in range(len(told))), reverse=True)
    placed: dict[int, Offer] = {}
    shown: set[int] = set()
    for score, part, number in pairs:
        if part in placed or number in shown:
            continue
        placed[part] = told[number]
        shown.add(number)
        if score < WEAK:
            ctx.warn(
                f"the picture of {told[number].words!r} fits nothing that is said; it comes with {texts[part]:.40}"
            )
    free = [part for part in range(len(texts)) if part not in placed]
    for number, offer in enumerate(dumb[: len(free)]):
        placed[free[number * len(free) // len(dumb[: len(free)])]] = offer
    if dumb:
        ctx.warn(f"{len(dumb)} pictures have neither name nor caption: they come in their order")
    for score, part, number in pairs:
        if score >= FIT and part not in placed:
            placed[part] = told[number]
    left = len(offers) - len({id(offer) for offer in placed.values()})
    if left:
        ctx.warn(f"{left} of {len(offers)} pictures are not shown: the talk has only {len(texts)} parts")
    return placed
