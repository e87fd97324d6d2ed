"""Clips of music with exact captions, as spectrogram pixels: `python -m recipes.music_data FOLDER --count 8000`.

Pieces are made of chord progressions (written here, so nothing is borrowed), played on one General MIDI instrument by
the product's own `play` with an MIT sound font, and turned into the product's own spectrogram. What the caption says is
what the piece was made from: instrument, tempo, root and mode, register, density, style. A ninth of all combinations of
instrument, key and tempo is never played for training.

FOLDER/pixels.npy: uint8 (clips, COLUMNS, ROWS), the lowest frequency first. FOLDER/clips.jsonl: a `Piece` each line.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from transpose.core.context import Context
from transpose.media.score import Note, Score, from_notes
from transpose.media.spectrogram import SpectrogramParameters, stft
from transpose.transforms.play import play

RATE, HOP, SECONDS = 22_050, 256, 10
SHAPE = SpectrogramParameters(samples=RATE * SECONDS, peak=1.0, hop=HOP)
COLUMNS, ROWS = 864, 512  # 10.03 s
PROGRAMS = (0, 6, 10, 12, 19, 21, 24, 30, 40, 42, 46, 48, 52, 56, 71, 73)
CUTS = 4  # clips of one rendering
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
PROGRESSIONS = {  # degrees of the scale, one chord a bar; each begins at home
    "major": ((0, 4, 5, 3), (0, 3, 4, 0), (0, 5, 3, 4), (0, 1, 4, 0)),
    "minor": ((0, 5, 2, 6), (0, 3, 4, 0), (0, 6, 5, 6), (0, 3, 6, 0)),
}
STYLES = ("melody", "arpeggio", "chords")
REGISTERS = {"low": 48, "middle": 60, "high": 72}  # the octave of the root that the tune lies in
DENSITIES = {"sparse": 1, "medium": 2, "busy": 4}  # notes a beat
FASTEST = 8.0  # notes a second


@dataclass(frozen=True, slots=True)
class Piece:
    """What a clip is made from: General MIDI program, beats a minute, root 0..11 (C is 0), and words."""

    program: int
    tempo: int
    root: int
    mode: str
    register: str
    density: str
    style: str
    seed: int = 0

    def held_out(self) -> bool:
        """Whether this combination of instrument, key and tempo is kept for measuring."""
        band = (self.tempo - 50) // 15
        return (PROGRAMS.index(self.program) * 2 + self.root * 5 + band * 3 + (self.mode == "minor")) % 9 == 0


def draw(rng: np.random.Generator, *, held_out: bool = False, **fixed: int | str) -> Piece:
    """A random piece; of the held-out combinations or of the others."""
    while True:
        found = Piece(
            int(rng.choice(PROGRAMS)),
            int(rng.integers(56, 172)),
            int(rng.integers(12)),
            str(rng.choice(list(SCALES))),
            str(rng.choice(list(REGISTERS))),
            str(rng.choice(list(DENSITIES))),
            str(rng.choice(STYLES)),
            int(rng.integers(1 << 31)),
        )
        found = replace(found, **fixed)  # type: ignore[arg-type]
        quick = found.tempo / 60 * DENSITIES[found.density]
        if quick <= FASTEST and found.held_out() == held_out:
            return found


def pitch(piece: Piece, base: int, degree: int) -> int:
    """The MIDI note of a degree of the scale above the root at `base`."""
    octave, step = divmod(degree, 7)
    return base + piece.root - 12 * (piece.root > 6) + 12 * octave + SCALES[piece.mode][step]


def compose(piece: Piece, seconds: float) -> Score:
    """The notes: an accompanied tune, broken chords or struck chords, accented on the beat, over a slow bass."""
    rng = np.random.default_rng(piece.seed)
    beat, per = 60 / piece.tempo, DENSITIES[piece.density]
    base = REGISTERS[piece.register]
    order = PROGRESSIONS[piece.mode][int(rng.integers(4))]
    figure = [int(each) for each in rng.permutation(4)] if rng.random() < 0.5 else [0, 1, 2, 3]
    notes: list[Note] = []
    place = 4
    for number in range(int(seconds / beat) * per + 1):
        bar, within = divmod(number, 4 * per)
        chord = order[bar % 4]
        start, end = number * beat / per, (number + 0.95) * beat / per
        velocity = 112 if within == 0 else 98 if within % per == 0 else 76
        if piece.style == "melody":
            place = chord + int(rng.choice((0, 2, 4, 7))) if within % per == 0 else place + int(rng.choice((-1, 1)))
            degrees = [min(max(place, 0), 11)]
        elif piece.style == "arpeggio":
            degrees = [(chord + (0, 2, 4, 7)[figure[number % 4]])]
        else:
            degrees = [chord % 7 + each for each in (0, 2, 4)]
        notes += [Note(start, end, pitch(piece, base, each), velocity, 0, piece.program) for each in degrees]
        if within == 0:
            low = pitch(piece, base - 12, chord % 7 - 7 * (chord % 7 > 4))
            notes.append(Note(start, start + 3.9 * beat, low, 92, 0, piece.program))
    return from_notes(notes, tempo=piece.tempo)


def pixels(samples: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Mono samples at 22,050 Hz, at least 10.1 s -> (COLUMNS, ROWS), the lowest frequency first."""
    magnitude = np.abs(stft(samples[: COLUMNS * HOP], SHAPE.window, HOP))[:COLUMNS, :ROWS]
    return np.round(255 * (magnitude / max(float(magnitude.max()), 1e-6)) ** SHAPE.power).astype(np.uint8)


def render(piece: Piece, ctx: Context, font: str = "") -> Iterator[NDArray[np.float32]]:
    """Clips of 10.1 s of one rendering; each begins on a beat, one of them within a beat."""
    beat, rng = 60 / piece.tempo, np.random.default_rng(piece.seed + 1)
    sound = play(compose(piece, 11 * CUTS), ctx, soundfont=font).array(rate=RATE, channels=1)[:, 0]
    length = COLUMNS * HOP
    for cut in range(CUTS):
        begin = round(10.5 * cut / beat) * beat if cut else 0.0
        begin += beat * float(rng.random()) * (cut == CUTS - 1)
        at = min(round(begin * RATE), len(sound) - length)
        yield sound[at : at + length]


def main() -> None:
    """Render and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--font", default="", help="another sound font, for the probe's training")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--weights", type=Path, help="a folder of pulled models")
    given = parser.parse_args()
    ctx = Context(threads=1)
    if given.weights:
        ctx.weights = lambda name: given.weights / name
    given.folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(given.seed)
    store = open_memmap(given.folder / "pixels.npy", "w+", np.uint8, (given.count, COLUMNS, ROWS))
    done, started = 0, time.time()
    with (given.folder / "clips.jsonl").open("w") as lines:
        while done < given.count:
            piece = draw(rng, held_out=given.held_out)
            for cut, samples in enumerate(render(piece, ctx, given.font)):
                if done < given.count:
                    store[done] = pixels(samples)
                    lines.write(json.dumps(asdict(piece) | {"cut": cut}) + "\n")
                    done += 1
            if done % 300 < CUTS:
                print(done, round(time.time() - started), flush=True)
                lines.flush()
    store.flush()


if __name__ == "__main__":
    main()
