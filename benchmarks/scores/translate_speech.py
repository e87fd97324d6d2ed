"""Say sentences in three languages with Kokoro's own voices for them, translate what is heard, compare.

eSpeak NG (espeakng-loader) gives the phonemes, and the card kokoro-romance the voices: both are used only here.
"""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Iterator

from benchmarks.scores.language import TEXTS
from transpose.core.context import Context
from transpose.media.audio import Audio
from transpose.models.espeak import ipa
from transpose.models.kokoro import RATE, open_kokoro, read_voice

VOICES = {"es": ("es", "ef_dora"), "it": ("it", "if_sara"), "pt": ("pt-br", "pf_dora")}  # eSpeak's and Kokoro's
ONE_SIGN = {"t͡ʃ": "ʧ", "d͡ʒ": "ʤ", "t͡s": "ʦ", "͡": ""}
TRANSFORM = "translate"
SHORTEST = 2  # the first two texts are too short to be understood without a context


def chrf(wanted: str, found: str, longest: int = 6, beta: float = 2.0) -> float:
    """chrF (Popovic 2015): F-score of character n-grams, recall weighing `beta` times as much; 1 is perfect."""
    old, new = ("".join(text.lower().split()) for text in (wanted, found))
    scores = []
    for n in range(1, longest + 1):
        left, right = (Counter(text[i : i + n] for i in range(len(text) - n + 1)) for text in (old, new))
        common = sum((left & right).values())
        recall, precision = common / max(1, sum(left.values())), common / max(1, sum(right.values()))
        weighed = beta * beta * precision + recall
        scores.append((1 + beta * beta) * precision * recall / weighed if weighed else 0.0)
    return sum(scores) / longest


def spoken(ctx: Context) -> Iterator[tuple[str, str, Audio]]:
    """Language, English meaning and sound of each sentence."""
    network, folder = open_kokoro(ctx.model("kokoro"), ctx.threads), ctx.model("kokoro-romance")
    for lang, (phonemes, voice) in VOICES.items():
        for english, text in list(zip(TEXTS["en"], TEXTS[lang], strict=True))[SHORTEST:]:
            symbols = ipa(text.strip(".?¿"), phonemes)
            for tied, sign in ONE_SIGN.items():
                symbols = symbols.replace(tied, sign)
            yield lang, english, Audio.from_array(network.say(f"{symbols}.", read_voice(folder, voice), 1.0), RATE)


def score(ctx: Context) -> dict[str, object]:
    """Mean chrF against the English of the same sentence, the language being given."""
    from transpose.transforms.translate_speech import translate_speech

    found, spent, length = [], 0.0, 0.0
    for lang, english, sound in spoken(ctx):
        begin = time.perf_counter()
        said = translate_speech(sound, ctx, lang=lang).text
        spent += time.perf_counter() - begin
        length += sound.duration
        found.append((lang, chrf(english, said), said))
    mean = sum(value for _, value, _ in found) / len(found)
    return {
        "metric": "chrF",
        "value": round(mean, 3),
        "quality": round(mean, 3),
        "data": f"{len(found)} sentences in {', '.join(VOICES)}, spoken by Kokoro",
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(spent / length * 60, 2),
        "unit": "minute of sound",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
