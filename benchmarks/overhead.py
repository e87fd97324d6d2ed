"""What `run` costs over the bare library, models warm, side by side: `python -m benchmarks.overhead`.

Whisper on a minute of speech (examples/talk.wav, repeated) and MiniLM on 1,000 texts. The bare side calls the same
model object with the same values; ours goes through planning, engine, cache keys and stored results. Rounds alternate.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from transpose.core.context import Context
from transpose.media.audio import Audio
from transpose.media.text import Text
from transpose.models.pull import weights
from transpose.session import Session
from transpose.transforms.embed import embed
from transpose.transforms.transcribe import transcribe

TALK = Path(__file__).parent.parent / "examples" / "talk.wav"
ROUNDS = 5


def compare(name: str, bare: Callable[[int], object], ours: Callable[[int], object]) -> None:
    """Alternate both; print medians and the overhead."""
    times: tuple[list[float], list[float]] = ([], [])
    bare(-1), ours(-1)
    for number in range(ROUNDS):
        for side, call in zip(times, (bare, ours), strict=True):
            began = time.perf_counter()
            call(number)
            side.append(time.perf_counter() - began)
    first, second = (statistics.median(side) for side in times)
    print(f"{name:24} bare {first:6.2f} s   run {second:6.2f} s   overhead {100 * (second / first - 1):+5.1f} %")


def main() -> None:
    """Whisper, then MiniLM."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as home, Session(home=Path(home), fetch=weights, threads=1) as session:
        ctx = Context(weights=weights, threads=1, warm=session.context.warm, folder=Path(home))
        once = Audio.from_file(TALK).array()
        minute = np.concatenate([once] * 3)[: 60 * 16_000]

        def sound(number: int) -> Audio:  # a sample differs, so that nothing comes from the cache
            changed = minute.copy()
            changed[0] = number / 1000
            return Audio.from_array(changed, 16_000)

        def heard(number: int) -> object:
            return session.run(sound(number), "text.transcript", source_kind="audio.speech")

        compare("Whisper, 60 s", lambda number: transcribe(sound(number), ctx), heard)

        def texts(number: int) -> list[Text]:
            words = "rain roof pump hose bed tank leak frost wind seed root leaf".split()
            rng = np.random.default_rng(number + 1)
            return [Text(" ".join(rng.choice(words, rng.integers(5, 60)))) for _ in range(1000)]

        compare(
            "MiniLM, 1,000 texts",
            lambda n: embed(texts(n), ctx),
            lambda n: list(session.run(texts(n), "embeddings").value),
        )


if __name__ == "__main__":
    main()
