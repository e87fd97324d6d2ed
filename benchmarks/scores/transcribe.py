"""Write down a human reading and count the wrong words; then the same for an hour of length to see the memory."""

from __future__ import annotations

import re
import resource
import time
from pathlib import Path

from transpose.core.context import Context
from transpose.evaluate.sentences import word_error_rate
from transpose.media.audio import Audio

# Debian's package pocketsphinx-testdata: LibriVox's "Sense and Sensibility", public domain
LIBRIVOX = Path("/usr/share/pocketsphinx/test/data/librivox")
LINE = re.compile(r"<s> (.*?) </s> \((.*)\)")


def clips(folder: Path = LIBRIVOX) -> list[tuple[Path, str]]:
    """Sounds and what is said in them."""
    found = (LINE.match(line) for line in (folder / "transcription").read_text().splitlines())
    return [(folder / f"{match[2]}.wav", match[1]) for match in found if match]


def score(ctx: Context, folder: Path = LIBRIVOX) -> dict[str, object]:
    """Word error rate on human speech, the language being found; seconds for a minute, measured on two in one piece."""
    import numpy as np

    from transpose.transforms.transcribe import transcribe

    sounds = [(Audio.from_file(path), words) for path, words in clips(folder)]
    pairs = [(words, transcribe(sound, ctx).text) for sound, words in sounds]
    whole = np.concatenate([sound.array(rate=16_000) for sound, _ in sounds])
    two_minutes = Audio.from_array(np.resize(whole, (2 * 60 * 16_000, 1)), 16_000)
    begin = time.perf_counter()
    transcribe(two_minutes, ctx)
    spent = time.perf_counter() - begin
    rate = word_error_rate(pairs)
    length = sum(sound.duration for sound, _ in sounds)
    return {
        "metric": "WER",
        "value": round(rate, 4),
        "quality": round(max(0.0, 1 - rate), 3),
        "data": f"{len(pairs)} clips ({length:.0f} s) of one human reader, LibriVox",
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(spent / 2, 2),
        "unit": "minute of sound",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def long_run(ctx: Context, hours: float = 2.0, folder: Path = LIBRIVOX) -> dict[str, float]:
    """Transcribe so many hours, the clips over and over with pauses of a second, and give peak memory and speed."""
    import numpy as np

    from transpose.media.audio import Audio
    from transpose.transforms.transcribe import transcribe

    voices = [Audio.from_file(path).array(rate=16_000, channels=1) for path, _ in clips(folder)]
    one = np.concatenate([part for voice in voices for part in (voice, np.zeros((16_000, 1), np.float32))])
    times = round(hours * 3600 * 16_000 / len(one))
    path = ctx.temp(".wav")
    sound = Audio.from_blocks((one for _ in range(times)), 16_000, path)
    begin = time.perf_counter()
    written = transcribe(sound, ctx, beam=1)
    return {
        "seconds_of_sound": sound.duration,
        "seconds": time.perf_counter() - begin,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "words": sum(len(cue.words) for cue in written.cues),
        "times_said": times,
    }
