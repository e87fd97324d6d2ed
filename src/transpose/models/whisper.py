"""Whisper in CTranslate2, fed with blocks of speech: however long the sound is, memory stays the same.

Silero's voice detector (inside faster-whisper) finds where somebody speaks; the sound is cut inside the widest pause of
each block's second half, silence is left out before Whisper hears it (which keeps it from inventing words), and the
times of words are put back. Whisper: Radford et al. 2022, https://arxiv.org/abs/2212.04356.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, MissingPackage, OptionError, SilentInput
from transpose.media.text import Cue, Word

if TYPE_CHECKING:
    import numpy as np
    from faster_whisper import WhisperModel  # type: ignore[import-untyped]
    from faster_whisper.transcribe import Segment  # type: ignore[import-untyped]
    from numpy.typing import NDArray

    from transpose.media.audio import Audio

RATE = 16_000  # Hz, the network's
BLOCK = 240.0  # seconds heard at once; five minutes is the most that the features should take
GAP_MS, PAD_MS = 800, 200  # a pause that is left out, and what is kept of it on both sides
TAIL = 30  # seconds in which a block without pauses is cut where it is quietest
LOOP = 6.0  # compression ratio of a window of text that only repeats itself; a refrain sung thrice has 3
UNSURE = 0.5  # probability of a language, mean probability of words: below, the user is told
WITHOUT_BLANKS = frozenset({"zh", "ja", "th", "lo", "my", "yue", "bo", "km"})

Span = tuple[int, int]  # first sample and the one after the last


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of sound: where it starts in the whole (seconds), and its speech (`spans` of the whole, in samples)."""

    offset: float
    end: float
    spans: tuple[Span, ...]
    speech: NDArray[np.float32]


def open_whisper(folder: Path, threads: int, device: str = "cpu") -> WhisperModel:
    """Load a Whisper in CTranslate2 form: int8 on a processor, float16 on a CUDA device."""
    try:
        from faster_whisper import WhisperModel
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "faster_whisper":
            raise
        raise MissingPackage("transcription needs faster-whisper", "pip install 'transpose-ai[local]'") from None
    cuda = device.startswith("cuda")
    return WhisperModel(
        str(folder),
        device="cuda" if cuda else "cpu",
        compute_type="float16" if cuda else "int8",
        cpu_threads=threads,
        local_files_only=True,
    )


def listen(
    audio: Audio,
    ctx: Context,
    *,
    task: Literal["transcribe", "translate"],
    card: str = "whisper-base",
    lang: str = "",
    beam: int = 5,
    block: float = BLOCK,
    prompt: str = "",
) -> tuple[str, list[Cue]]:
    """What is said in `audio`: the language spoken (ISO 639-1), and cues in order of time with absolute seconds.

    `lang` "" means: found in the first block with speech. Cues of a translation have no words, since Whisper aligns
    words only with their own language. Raises EmptyInput for a sound of no length, SilentInput where nobody speaks,
    OptionError for a language that Whisper does not know.
    """
    import ctranslate2  # type: ignore[import-untyped]

    if audio.duration <= 0:
        raise EmptyInput("the sound has no length")
    key = f"{card}-{ctx.device}-{ctx.threads}"
    model = ctx.load(key, lambda: open_whisper(ctx.model(card), ctx.threads, ctx.device), 400)
    if lang and lang not in model.supported_languages:
        known = ", ".join(sorted(model.supported_languages))
        raise OptionError(f"Whisper does not know the language {lang!r}", f"It knows: {known}")
    ctranslate2.set_random_seed(ctx.seed)  # used where the first, greedy try fails
    cues: list[Cue] = []
    for part in blocks_of_speech(audio, block):
        lang = lang or find_language(model, part, ctx)
        heard, _ = model.transcribe(
            part.speech,
            language=lang,
            task=task,
            beam_size=beam,
            initial_prompt=prompt or None,
            condition_on_previous_text=False,  # an error would drag on through the rest
            word_timestamps=task == "transcribe",
        )
        for cue in cues_of(heard, part, ctx):
            cues.append(cue)
            ctx.progress(min(cue.end, audio.duration), audio.duration, "seconds heard")
        ctx.progress(min(part.end, audio.duration), audio.duration, "seconds heard")
    if not cues:
        raise SilentInput(
            "nobody speaks in this sound", "If it is music, ask for .mid; if somebody does speak, it is too quiet"
        )
    return lang, in_order(cues)


def blocks_of_speech(audio: Audio, block: float = BLOCK) -> Iterator[Block]:
    """Blocks of at most `block` seconds, cut in pauses; stretches without speech are passed over."""
    import numpy as np

    most = round(block * RATE)
    held: list[NDArray[np.float32]] = []
    length = start = 0  # samples held; position of the first in the whole
    for piece in audio.blocks(10.0, rate=RATE, channels=1):
        held.append(piece[:, 0])
        length += len(piece)
        if length < most:
            continue
        whole = np.nan_to_num(np.concatenate(held))
        spans = speech_spans(whole)
        cut = best_cut(whole, spans)
        yield from _block(whole[:cut], spans, start)
        held, length, start = [whole[cut:]], len(whole) - cut, start + cut
    whole = np.nan_to_num(np.concatenate(held)) if held else np.zeros(0, np.float32)
    yield from _block(whole, speech_spans(whole) if len(whole) else [], start)


def _block(whole: NDArray[np.float32], spans: list[Span], start: int) -> Iterator[Block]:
    import numpy as np

    inside = [(a, min(b, len(whole))) for a, b in spans if a < len(whole)]
    if inside:
        speech = np.concatenate([whole[a:b] for a, b in inside])
        absolute = tuple((start + a, start + b) for a, b in inside)
        yield Block(start / RATE, (start + len(whole)) / RATE, absolute, speech)


def speech_spans(samples: NDArray[np.float32]) -> list[Span]:
    """Where somebody speaks, by Silero's detector: pauses over .8 s divide, .2 s around speech is kept."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps  # type: ignore[import-untyped]

    options = VadOptions(min_silence_duration_ms=GAP_MS, speech_pad_ms=PAD_MS, min_speech_duration_ms=100)
    return [(int(found["start"]), int(found["end"])) for found in get_speech_timestamps(samples, options)]


def best_cut(samples: NDArray[np.float32], spans: list[Span]) -> int:
    """Where to cut: the middle of the widest pause of the second half, else the quietest .3 s of the last 30 s."""
    import numpy as np

    half = len(samples) // 2
    edges = [0, *(edge for span in spans for edge in span), len(samples)]
    pauses = [(b - a, (a + b) // 2) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]
    wide = [(width, middle) for width, middle in pauses if middle >= half and width > RATE // 10]
    if wide:
        return max(wide)[1]
    window = RATE * 3 // 10
    tail = samples[-TAIL * RATE :]
    power = np.cumsum(np.square(tail, dtype=np.float64))
    return len(samples) - len(tail) + int(np.argmin(power[window:] - power[:-window])) + window // 2


def find_language(model: WhisperModel, block: Block, ctx: Context) -> str:
    """The language of a block by Whisper, noted in the history; a doubtful one is said."""
    found, probability, _ = model.detect_language(block.speech, language_detection_segments=3)
    ctx.note("language_probability", round(float(probability), 3))
    if probability < UNSURE:
        ctx.warn(f"the language is taken for {found!r}, but only with {probability:.0%}: say it with --lang")
    return str(found)


def cues_of(heard: Iterable[Segment], block: Block, ctx: Context) -> Iterator[Cue]:
    """Whisper's segments with the times of the whole sound; a segment is divided where silence was left out.

    Segments that only repeat themselves are left out with a warning: Whisper does that on noise.
    """
    for segment in heard:
        if segment.compression_ratio > LOOP:
            at = restore(segment.start, segment.start, block.spans)[0]
            ctx.warn(f"left out at {at:.0f} s: Whisper only repeated itself there")
            continue
        if not segment.words:
            start, end = (
                restore(segment.start, segment.start, block.spans)[0],
                restore(segment.end, segment.end, block.spans)[1],
            )
            if segment.text.strip():
                yield Cue(start, max(start, end), segment.text.strip())
            continue
        yield from _worded(segment, block)


def _worded(segment: Segment, block: Block) -> Iterator[Cue]:
    run: list[Word] = []
    text = ""
    for word in segment.words or ():
        start, end = restore(word.start, word.end, block.spans)
        if run and start - run[-1].end > GAP_MS / 1000:
            yield Cue(run[0].start, run[-1].end, text.strip(), tuple(run))
            run, text = [], ""
        run.append(Word(start, end, word.word.strip(), round(float(word.probability), 4)))
        text += word.word
    if run and text.strip():
        yield Cue(run[0].start, run[-1].end, text.strip(), tuple(run))


def restore(start: float, end: float, spans: tuple[Span, ...]) -> tuple[float, float]:
    """Seconds in the whole sound for a time span in the speech alone; it stays inside the span of its middle."""
    ends = list(accumulate(b - a for a, b in spans))
    at = min(bisect_right(ends, round((start + end) / 2 * RATE)), len(spans) - 1)
    first, last = spans[at]
    shift = first - (ends[at - 1] if at else 0)
    low, high = (min(max(round(time * RATE) + shift, first), last) for time in (start, end))
    return round(low / RATE, 3), round(high / RATE, 3)


def in_order(cues: list[Cue]) -> list[Cue]:
    """Cues whose times never run backwards: a start before the end of the cue before is moved there."""
    ordered: list[Cue] = []
    for cue in cues:
        least = ordered[-1].end if ordered else 0.0
        if cue.start < least:
            words = tuple(Word(max(w.start, least), max(w.end, least), w.text, w.probability) for w in cue.words)
            cue = Cue(least, max(cue.end, least), cue.text, words)
        ordered.append(cue)
    return ordered


def paragraphs(cues: list[Cue], lang: str, pause: float) -> str:
    """The text of the cues, a new paragraph where the speaker pauses for at least `pause` seconds."""
    glue = "" if lang in WITHOUT_BLANKS else " "
    text = ""
    for cue, before in zip(cues, [None, *cues], strict=False):
        text += ("" if before is None else "\n\n" if cue.start - before.end >= pause else glue) + cue.text
    return text
