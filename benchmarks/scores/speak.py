"""Speak forty sentences, write down what is heard, count the wrong words: the round trip of `speak`."""

from __future__ import annotations

import resource
import time

from transpose.core.context import Context
from transpose.evaluate.sentences import SENTENCES, word_error_rate
from transpose.media.text import Text


def score(ctx: Context, voice: str = "auto", phonemizer: str = "gruut") -> dict[str, object]:
    """Word error rate of speak -> transcribe; the transcriber's own errors are in it."""
    from transpose.transforms.speak import speak
    from transpose.transforms.transcribe import transcribe

    speak(Text("Warm."), ctx, voice=voice, phonemizer=phonemizer)
    pairs, spent, characters = [], 0.0, 0
    for sentence in SENTENCES:
        begin = time.perf_counter()
        sound = speak(Text(sentence), ctx, voice=voice, phonemizer=phonemizer)
        spent += time.perf_counter() - begin
        characters += len(sentence)
        pairs.append((sentence, transcribe(sound, ctx, lang="en").text))
    rate = word_error_rate(pairs)
    return {
        "metric": "WER of speak -> transcribe",
        "value": round(rate, 4),
        "quality": round(max(0.0, 1 - rate), 3),
        "data": f"{len(SENTENCES)} English sentences of transpose.evaluate.sentences, voice {voice}, {phonemizer}",
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(spent / characters * 1000, 2),
        "unit": "1000 characters",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
