"""Let eSpeak NG (Debian's command, used only here) say sentences in four languages, and compare their translation."""

from __future__ import annotations

import resource
import subprocess
import time
from collections import Counter

from benchmarks.scores.language import TEXTS
from transpose.core.context import Context
from transpose.media.audio import Audio

LANGUAGES = ("de", "es", "fr", "it")
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


def score(ctx: Context) -> dict[str, object]:
    """Mean chrF against the English of the same sentence. A synthetic voice is harder than a human one."""
    from transpose.transforms.translate_speech import translate_speech

    found, spent, length = [], 0.0, 0.0
    for lang in LANGUAGES:
        for english, text in list(zip(TEXTS["en"], TEXTS[lang], strict=True))[SHORTEST:]:
            path = ctx.temp(".wav")
            subprocess.run(["espeak-ng", "-v", lang, "-s", "140", "-w", str(path), text], check=True)
            sound = Audio.from_file(path)
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
        "data": f"{len(found)} sentences in {', '.join(LANGUAGES)}, spoken by eSpeak NG",
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(spent / length * 60, 2),
        "unit": "minute of sound",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
