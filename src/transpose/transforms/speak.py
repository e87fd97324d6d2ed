"""Speak a text aloud: sentence by sentence, with a pause after each, in a voice of Kokoro-82M."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, InputError, SilentInput, WeightsError
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.language import language
from transpose.media.plain import plain
from transpose.media.text import Text
from transpose.models.kokoro import RATE, Kokoro, open_kokoro, pieces, read_voice
from transpose.models.phonemes import Phonemizer, phonemes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Voice = Literal[
    "auto", "af_heart", "af_bella", "af_nicole", "af_sarah", "am_fenrir", "am_michael", "am_puck", "bf_emma",
    "bm_fable", "bm_george", "jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo",
]  # fmt: skip
FIRST, FALLBACK = "af_heart", "jf_alpha"
JAPANESE = ("jf_", "jm_")
SPOKEN = ("en",)  # languages in which a voice was measured
LONG = 6000  # characters (about 7 minutes): from here on the sound goes to a file, not to memory
SURE = 0.8  # probability from which a detected language is believed: py3langid is shy with short texts
ENOUGH = 20  # letters that it takes


@transform(
    "text -> audio.speech",
    keeps=["lang"],
    loses=["layout", "structure", "markup"],
    models=["kokoro", "kokoro-voices"],
    needs=["gruut", "onnxruntime"],
    extra="local",
    synthetic=True,
    memory_mb=900,
)
def speak(
    text: Text,
    ctx: Context,
    *,
    lang: Annotated[str, "language of the text, where it is not found rightly"] = "",
    voice: Annotated[Voice, "who speaks: a American, b British, j Japanese voices; f female, m male"] = "auto",
    speed: Annotated[float, Range(0.5, 2.0), "1 is the voice's own pace"] = 1.0,
    pause: Annotated[float, Range(0.0, 3.0), "seconds between sentences; twice that between paragraphs"] = 0.3,
    phonemizer: Annotated[Phonemizer, "gruut, or espeak where the user has installed it (GPL-3)"] = "gruut",
) -> Audio:
    """Read a text aloud in English, at 24 kHz, mono.

    Markup and cues are left out; numbers, units and abbreviations are read in full. Pronunciation is American with
    every voice. A text longer than 6,000 characters streams to a temporary file.
    Method: Kokoro-82M (StyleTTS 2, Li et al. 2023) on phonemes of gruut's lexicon, int8.
    Raises EmptyInput for a text without characters, SilentInput for one without words, InputError for a language
    that no measured voice speaks.
    """
    words = plain(text)
    if not words:
        raise EmptyInput("the text to speak is empty")
    _check(lang or text.lang, words, ctx)
    name, table = _voice(ctx, voice)
    ctx.note("voice", name)
    network = ctx.load(f"kokoro-{ctx.threads}", lambda: open_kokoro(ctx.model("kokoro"), ctx.threads), 900)
    blocks = _sounds(network, words, table, speed, pause, phonemizer, ctx)
    first = next(blocks, None)
    if first is None:
        raise SilentInput("the text has no words that can be spoken", "Numbers and Latin letters can be read")
    return _collect(first, blocks, len(words) > LONG, ctx)


def _check(code: str | None, words: str, ctx: Context) -> None:
    """Refuse a language without a voice; say when single words of another script will be left out."""
    if not code and sum(letter.isalpha() for letter in words) >= ENOUGH:
        found, probability = language(words)
        code = found if probability >= SURE else None
    if code and code not in SPOKEN:
        hint = f"Languages with a measured voice: {', '.join(SPOKEN)}. Is it one of these? Say -o lang=en"
        raise InputError(f"there is no measured voice for the language {code!r}", hint)
    foreign = {letter for letter in words if letter.isalpha() and "LATIN" not in unicodedata.name(letter, "")}
    if foreign:
        ctx.warn(f"words in other than Latin letters are left out: {''.join(sorted(foreign)[:10])}")


def _voice(ctx: Context, name: str) -> tuple[str, NDArray[np.float32]]:
    if name != "auto":
        return name, read_voice(ctx.model("kokoro" if name.startswith(JAPANESE) else "kokoro-voices"), name)
    try:
        return FIRST, read_voice(ctx.model("kokoro-voices"), FIRST)
    except WeightsError as why:
        ctx.warn(f"the American voices cannot be had ({why.message}): a Japanese voice speaks instead")
        return FALLBACK, read_voice(ctx.model("kokoro"), FALLBACK)


def _sounds(
    network: Kokoro,
    words: str,
    voice: NDArray[np.float32],
    speed: float,
    pause: float,
    phonemizer: Phonemizer,
    ctx: Context,
) -> Iterator[NDArray[np.float32]]:
    """Sentence after sentence, silence between them; nothing where there are no words."""
    import numpy as np

    done, gap = 0, 0.0
    for paragraph in words.split("\n"):
        for sentence in phonemes(paragraph, phonemizer):
            for symbols in pieces(sentence):
                sound = network.say(symbols, voice, speed)
                if len(sound):
                    yield np.concatenate([np.zeros(int(gap * RATE), np.float32), sound])
                    gap = pause / 3  # inside a sentence that had to be cut
            gap = pause if gap else 0.0
        done += len(paragraph) + 1
        gap = 2 * pause if gap else 0.0
        ctx.progress(min(done, len(words)), len(words), "characters spoken")


def _collect(first: NDArray[np.float32], rest: Iterator[NDArray[np.float32]], long: bool, ctx: Context) -> Audio:
    import numpy as np

    def every() -> Iterator[NDArray[np.float32]]:
        yield first
        yield from rest

    if long:
        return Audio.from_blocks((block[:, None] for block in every()), RATE, ctx.temp(".wav"))
    return Audio.from_array(np.concatenate(list(every())), RATE)
