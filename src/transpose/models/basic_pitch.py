"""Which notes sound in a piece of music: Basic Pitch's network (Spotify), and notes out of what it sees.

Source: Bittner et al., "A Lightweight Instrument-Agnostic Model for Polyphonic Note Transcription and Multipitch
Estimation", ICASSP 2022. The network hears two seconds at a time and gives, for each of 88 keys and each frame of
11.6 ms, how likely a note sounds there and how likely one begins there. The notes are made here, after the paper's
section on post-processing, in stretches of two minutes, so that memory does not grow with the length of the sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import WeightsError
from transpose.media.score import Note

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime  # type: ignore[import-untyped]
    from numpy.typing import NDArray

RATE = 22_050
HOP = 256  # samples in a frame
WINDOW = 43_844  # samples that the network takes
MARGIN = 15  # frames at either end of a window whose surroundings it does not know
KEPT = 141  # frames taken from a window: the next one starts that much later
KEYS = 88
LOWEST = 21  # the lowest key of a piano, A0
GAP = 11  # frames for which a note may fade below the threshold and come back
STRETCH = 120 * RATE // HOP  # frames from which notes are made at a time
AROUND = 15 * RATE // HOP  # frames beside a stretch that are looked at as well
FLOOR = 1e-3  # a window whose loudest sample is below holds no notes (-60 dB): the network hears levels relatively
NETWORK = "model.onnx"


@dataclass(frozen=True, slots=True)
class Heard:
    """What the network hears: likelihoods 0..1 of shape (frames, 88) that a note sounds, and that one begins."""

    sounding: NDArray[np.float32]
    beginning: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Taste:
    """When a note is a note: thresholds 0..1, shortest length in frames, lowest and highest key (MIDI numbers).

    A beginning has to reach `onset`, what follows `frame`; a note without a beginning has to reach `alone` somewhere.
    Chosen on 18 rendered pieces that the score does not use (onset F1 .51 -> .69); the paper has .5, .3, .3 and 11,
    and takes sudden rises for beginnings as well, which did not help here.
    """

    onset: float = 0.65
    frame: float = 0.3
    alone: float = 0.6
    shortest: int = 8
    low: int = LOWEST
    high: int = LOWEST + KEYS - 1


def open_network(folder: Path, threads: int) -> onnxruntime.InferenceSession:
    """The network of the card `basic-pitch`; raises WeightsError."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(folder / NETWORK), options, providers=["CPUExecutionProvider"])
    except (RuntimeError, OSError, ValueError) as error:
        raise WeightsError(
            f"the model basic-pitch cannot be opened: {error}", "Run: transpose models remove basic-pitch"
        ) from error


def listen(blocks: Iterable[NDArray[np.float32]], network: onnxruntime.InferenceSession) -> Iterator[Heard]:
    """What the network hears, `KEPT` frames at a time, in mono `blocks` of shape (n, 1) at 22,050 Hz.

    Frame number i of all is at sample i * 256. The last piece ends with the sound.
    """
    import numpy as np

    buffer = np.zeros((MARGIN * HOP, 1), np.float32)
    heard = given = 0

    def piece(last: int) -> Heard:
        window = np.zeros((1, WINDOW, 1), np.float32)
        window[0, : min(len(buffer), WINDOW)] = buffer[:WINDOW]
        take = slice(MARGIN, MARGIN + last)
        if np.abs(window).max() < FLOOR:
            return Heard(np.zeros((last, KEYS), np.float32), np.zeros((last, KEYS), np.float32))
        names = ["StatefulPartitionedCall:1", "StatefulPartitionedCall:2"]
        sounding, beginning = network.run(names, {"serving_default_input_2:0": window})
        return Heard(sounding[0, take], beginning[0, take])

    for block in blocks:
        heard += len(block)
        buffer = np.concatenate([buffer, block])
        while len(buffer) >= WINDOW:
            yield piece(KEPT)
            given += KEPT
            buffer = buffer[KEPT * HOP :]
    total = -(-heard // HOP)
    while given < total:
        yield piece(min(KEPT, total - given))
        given += KEPT
        buffer = buffer[KEPT * HOP :]


def notes(pieces: Iterable[Heard], taste: Taste) -> Iterator[Note]:
    """Notes of everything heard, in seconds, in stretches that see what is around them.

    A note longer than 15 seconds that crosses into the next stretch may end early.
    """
    import numpy as np

    rows = np.zeros((0, 2, KEYS), np.float32)
    first = core = 0  # frame numbers: of rows[0], and from where on notes are still to be made
    for piece in pieces:
        rows = np.concatenate([rows, np.stack([piece.sounding, piece.beginning], 1)])
        if first + len(rows) >= core + STRETCH + AROUND:
            yield from _stretch(rows, first, core, core + STRETCH, taste)
            core += STRETCH
            rows = rows[max(0, core - AROUND - first) :]
            first = max(first, core - AROUND)
    yield from _stretch(rows, first, core, first + len(rows), taste)


def _stretch(rows: NDArray[np.float32], first: int, start: int, stop: int, taste: Taste) -> Iterator[Note]:
    """Notes that begin in frames `start` to `stop`; row 0 is frame `first`."""
    if not len(rows):
        return
    for begin, end, key, strength in decode(Heard(rows[:, 0], rows[:, 1]), taste):
        if start <= first + begin < stop:
            velocity = max(1, min(127, round(127 * strength)))
            yield Note((first + begin) * HOP / RATE, (first + end) * HOP / RATE, key + LOWEST, velocity)


def decode(heard: Heard, taste: Taste) -> list[tuple[int, int, int, float]]:
    """Notes as first frame, frame after the last, key 0..87 and mean likelihood.

    First every peak of the onsets, from the last to the first, is followed until the note has faded for `GAP` frames;
    then what still sounds, from the likeliest frame on, is followed to both sides. A note takes the likelihood of its
    key and of both neighbours away, because an overtone or a vibrato shows there.
    """
    import numpy as np

    left = heard.sounding.copy()
    left[:, : max(0, taste.low - LOWEST)] = 0
    left[:, taste.high - LOWEST + 1 :] = 0
    onsets = np.pad(heard.beginning, ((1, 1), (0, 0)))
    frames = len(left)
    found: list[tuple[int, int, int, float]] = []

    def take(start: int, end: int, key: int) -> None:
        if end - start > taste.shortest:
            strength = float(heard.sounding[start:end, key].mean())
            found.append((start, end, key, strength))

    likely = onsets[1:-1]
    peaks = (likely > onsets[:-2]) & (likely >= onsets[2:]) & (likely >= taste.onset)
    for start, key in np.argwhere(peaks)[::-1].tolist():
        end = _follow(left[start:, key], taste.frame) + start
        if end - start > taste.shortest:
            take(start, end, key)
            left[start:end, max(0, key - 1) : key + 2] = 0
    rest = np.argwhere(left > taste.alone)
    for middle, key in rest[np.argsort(-left[rest[:, 0], rest[:, 1]], kind="stable")].tolist():
        if left[middle, key] > taste.alone:
            end = _follow(left[middle:, key], taste.frame) + middle
            start = middle + 1 - _follow(left[middle::-1, key], taste.frame)
            left[start : min(end, frames), max(0, key - 1) : key + 2] = 0
            take(start, end, key)
    return sorted(found)


def _follow(likelihood: NDArray[np.float32], threshold: float) -> int:
    """Frames until the note is gone for good: `GAP` frames below the threshold, which do not count."""
    import numpy as np

    step = 256
    last = 0
    for at in range(0, len(likelihood), step):
        above = np.flatnonzero(likelihood[at : at + step] >= threshold) + at
        for frame in above.tolist():
            if frame - last > GAP:
                return last + 1
            last = frame
        if at + step - last > GAP + 1:
            break
    return min(last + 1, len(likelihood))
