"""Peak memory of transcribing two hours of sound in blocks: `python -m benchmarks.memory [MINUTES]`.

The sound is examples/talk.wav again and again with pauses, written to a file first. Prints the peak of this process.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transpose.core.context import Context
from transpose.media.audio import Audio
from transpose.models.pull import weights
from transpose.transforms.transcribe import transcribe

TALK = Path(__file__).parent.parent / "examples" / "talk.wav"


def repeated(seconds: float) -> Iterator[NDArray[np.float32]]:
    """The talk, over and over, a second of silence between."""
    once = Audio.from_file(TALK)
    samples = np.concatenate([once.array(), np.zeros((once.rate, 1), np.float32)])
    for _ in range(round(seconds * once.rate / len(samples))):
        yield samples


def main() -> None:
    """Transcribe, and print minutes, words, speed and peak memory."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 120
    with tempfile.TemporaryDirectory() as name:
        ctx = Context(weights=weights, folder=Path(name), threads=1)
        sound = Audio.from_blocks(repeated(60 * minutes), 16_000, Path(name) / "long.wav")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        began = time.perf_counter()
        text = transcribe(sound, ctx, beam=1)
        took = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        ends = [cue.end for cue in text.cues]
        assert ends == sorted(ends)
        words = len(text.text.split())
        print(f"{sound.duration / 60:.0f} minutes, {words} words, {took:.0f} s, last cue at {ends[-1]:.0f} s")
        print(f"peak {peak} MB, {before} MB before")


if __name__ == "__main__":
    main()
