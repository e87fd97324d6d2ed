"""Make a sound slower or faster without changing its pitch, or higher or lower without changing its time.

Both are done by Signalsmith Stretch (Geraint Luff, MIT; in Python through python-stretch): it moves the peaks of the
spectrum in phase, which keeps tones smooth and strokes sharp. It gets blocks: hours need no more
memory than seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, OptionError
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.samples import regrouped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from python_stretch import Signalsmith

PIECE = 30.0  # seconds handed over at once
SHARED = 2.0  # seconds that neighbouring pieces share
FADE = 0.03


@transform(
    "audio -> audio",
    verb=True,
    keeps=["lang", "synthetic"],
    loses=["timing", "phase"],
    needs=["python_stretch"],
    extra="music",
    memory_mb=60,
    deterministic=False,
)
def stretch(
    audio: Audio, ctx: Context, *, speed: Annotated[float, Range(0.1, 10.0), "2 is twice as fast, 0.5 half"] = 0.8
) -> Audio:
    """Play faster or slower at the same pitch.

    Same rate and channels; the length is the old one divided by `speed`, to the sample. Best between 0.5 and 2.
    Raises EmptyInput for no sound.
    """
    return _through(audio, ctx, speed=speed, semitones=0.0)


@transform(
    "audio -> audio",
    verb=True,
    does="shift",
    keeps=["lang", "synthetic"],
    loses=["pitch", "phase"],
    needs=["python_stretch"],
    extra="music",
    memory_mb=60,
    deterministic=False,
)
def shift_pitch(
    audio: Audio,
    ctx: Context,
    *,
    semitones: Annotated[float, Range(-36.0, 36.0), "12 is an octave up, -12 one down; 0.5 a quarter tone"] = -2.0,
) -> Audio:
    """Make a sound higher or lower; its time stays.

    Same rate, channels and length. Voices change their character with larger steps. Raises EmptyInput for no sound.
    """
    return _through(audio, ctx, speed=1.0, semitones=semitones)


def _through(audio: Audio, ctx: Context, *, speed: float, semitones: float) -> Audio:
    if not audio.length:
        raise EmptyInput("there is no sound to change: its length is zero")
    wanted = round(audio.length / speed)
    if not wanted:
        raise OptionError("nothing would be left of so short a sound", "Choose a lower speed")
    return Audio.from_blocks(_blocks(audio, wanted, speed, semitones, ctx), audio.rate, ctx.temp(".wav"))


def _blocks(audio: Audio, wanted: int, speed: float, semitones: float, ctx: Context) -> Iterator[NDArray[np.float32]]:
    """What the stretcher gives, `wanted` samples in all: pieces are faded into one another where it is quiet."""
    import numpy as np

    engine = _engine(audio, speed, semitones, ctx.seed)
    at = given = 0
    last: NDArray[np.float32] | None = None  # stretched, from sample `given` of the result on
    for start, piece in _pieces(audio, round(PIECE * audio.rate), round(SHARED * audio.rate)):
        engine.reset()
        made = np.asarray(engine.process(np.ascontiguousarray(piece.T)), np.float32).T
        at = round(start / speed)
        if last is not None:
            common = given + len(last) - at  # samples that both have
            splice, fade = _quietest(last[len(last) - common :], made[:common], audio.rate)
            yield last[: len(last) - common + splice]
            faded = np.linspace(0, 1, fade, dtype=np.float32)[:, None]
            old = last[len(last) - common + splice :][:fade]
            made = np.concatenate([old * (1 - faded) + made[splice : splice + fade] * faded, made[splice + fade :]])
            at += splice
        given, last = at, made
        ctx.progress((start + len(piece)) / audio.rate, audio.duration, "seconds taken")
    assert last is not None
    rest = np.pad(last, ((0, max(0, wanted - given - len(last))), (0, 0)))
    yield rest[: wanted - given]


def _engine(audio: Audio, speed: float, semitones: float, seed: int) -> Signalsmith.Stretch:
    from python_stretch import Signalsmith

    engine = Signalsmith.Stretch(seed)
    engine.preset(audio.channels, float(audio.rate))
    engine.setTimeFactor(speed)
    if semitones:
        engine.setTransposeSemitones(semitones)
    return engine


def _pieces(audio: Audio, size: int, shared: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Where each piece starts, and its samples (n, channels); neighbours share `shared` samples."""
    import numpy as np

    start, held = 0, np.zeros((0, audio.channels), np.float32)
    for block in regrouped(audio.blocks(), size):
        held = np.concatenate([held, np.nan_to_num(block, posinf=1, neginf=-1)])
        if len(held) >= size + 2 * shared:
            yield start, held[: size + shared]
            start, held = start + size, held[size:]
    yield start, held


def _quietest(one: NDArray[np.float32], other: NDArray[np.float32], rate: int) -> tuple[int, int]:
    """Where in a stretch that two pieces share a short fade is heard least, and its length."""
    import numpy as np

    common = min(len(one), len(other))
    fade = max(1, min(common // 4, round(FADE * rate)))
    edge = max(1, common // 4)  # there one of them has just begun or is about to end
    loud = np.concatenate([[0.0], np.cumsum((one[:common] ** 2 + other[:common] ** 2).sum(axis=1, dtype=np.float64))])
    energy = loud[edge + fade : common - edge] - loud[edge : common - edge - fade]
    return edge + (int(np.argmin(energy)) if len(energy) else 0), fade
