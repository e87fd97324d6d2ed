"""Makes chorale.mid and song.wav: both composed here by rule, so that no one else's rights are in them.

    python examples/make_music.py [FOLDER]

The chorale: four phrases in G major at the piano; a search finds the voices that move least under the rules of
four-part writing (ranges, no crossing, no parallel fifths or octaves), then passing notes fill the thirds. The song: a
flute over broken chords of a guitar and a bass, with a shaker, played by `transpose` itself at 22.05 kHz in mono.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

from transpose.core.context import Context
from transpose.formats.midi import write_midi
from transpose.formats.sound import write_sound
from transpose.media.audio import Audio
from transpose.media.score import Note, Score, from_notes
from transpose.transforms.play import play

MAJOR = (0, 2, 4, 5, 7, 9, 11)
RANGES = ((60, 79), (55, 72), (48, 67), (40, 60))  # soprano, alto, tenor, bass
PIANO = 0
# one chord a beat, as degrees of the scale (0 is the tonic); the last of a phrase lasts two beats
PHRASES = ((0, 4, 5, 3, 0, 4, 0), (0, 3, 1, 4, 5, 1, 4), (5, 2, 3, 0, 3, 0, 4), (0, 5, 1, 4, 3, 4, 0))
BEAT = 60 / 80
Voicing = tuple[int, int, int, int]


def key_of(degree: int, tonic: int) -> int:
    """The pitch class of a degree of the major scale."""
    return (tonic + MAJOR[degree % 7]) % 12


def voicings(degree: int, tonic: int) -> list[Voicing]:
    """All ways to set a triad for four voices, its root in the bass, the third once, no gap above an octave."""
    root, third, fifth = (key_of(degree + step, tonic) for step in (0, 2, 4))
    bass = [pitch for pitch in range(*RANGES[3]) if pitch % 12 == root]
    upper = [[pitch for pitch in range(*span) if pitch % 12 in (root, third, fifth)] for span in RANGES[:3]]
    found: list[Voicing] = []
    for soprano, alto, tenor, low in product(*upper, bass):
        keys = sorted(pitch % 12 for pitch in (soprano, alto, tenor))
        placed = low <= tenor <= alto <= soprano and soprano - alto <= 12 and alto - tenor <= 12
        if placed and keys in (sorted((root, third, fifth)), sorted((root, root, third))):
            found.append((soprano, alto, tenor, low))
    return found


def cost(before: Voicing, after: Voicing) -> float:
    """How much the voices move; parallel fifths and octaves are forbidden, a still soprano is dull."""
    for high in range(4):
        for low in range(high + 1, 4):
            gap, moves = (before[high] - before[low]) % 12, before[high] != after[high]
            if moves and gap in (0, 7) and gap == (after[high] - after[low]) % 12:
                return 1000.0
    leaps = sum(max(0, abs(a - b) - 4) ** 2 for a, b in zip(before[:3], after[:3], strict=True))
    moved = sum(abs(a - b) for a, b in zip(before, after, strict=True))
    return moved + leaps + (3 if before[0] == after[0] else 0)


def harmonise(degrees: list[int], tonic: int) -> list[Voicing]:
    """The cheapest way through all chords (Viterbi)."""
    paths = {voicing: (abs(voicing[0] - 71.0), [voicing]) for voicing in voicings(degrees[0], tonic)}
    for degree in degrees[1:]:
        step = {}
        for after in voicings(degree, tonic):
            best = min(paths, key=lambda before: (paths[before][0] + cost(before, after), before))
            step[after] = (paths[best][0] + cost(best, after), [*paths[best][1], after])
        paths = step
    return min(paths.values())[1]


def sung(pitches: list[int], lengths: list[int], voice: int, tonic: int) -> list[Note]:
    """One voice's notes: repeated ones are struck again, a third down or up gets a passing note on the half beat."""
    scale = {key_of(degree, tonic) for degree in range(7)}
    notes: list[Note] = []
    at = 0.0
    for number, (pitch, length) in enumerate(zip(pitches, lengths, strict=True)):
        following = pitches[number + 1] if number + 1 < len(pitches) else pitch
        between = [p for p in range(min(pitch, following) + 1, max(pitch, following)) if p % 12 in scale]
        passing = length == 1 and len(between) == 1 and voice in (0, 2, 3)
        loud = 88 if number % 2 == 0 else 78
        sounding = 0.5 if passing else length
        notes.append(Note(at * BEAT, (at + sounding * 0.97) * BEAT, pitch, loud, voice, PIANO))
        if passing:
            start = (at + 0.5) * BEAT
            notes.append(Note(start, start + 0.48 * BEAT, between[0], loud - 12, voice, PIANO))
        at += length
    return notes


def chorale(tonic: int = 7) -> Score:
    """32 beats: 24 seconds."""
    degrees = [degree for phrase in PHRASES for degree in phrase]
    lengths = [2 if number == len(phrase) - 1 else 1 for phrase in PHRASES for number in range(len(phrase))]
    chords = harmonise(degrees, tonic)
    notes = [n for voice in range(4) for n in sung([chord[voice] for chord in chords], lengths, voice, tonic)]
    return from_notes(notes, tempo=60 / BEAT, texts=["Chorale in G, composed by rule; public domain (CC0-1.0)"])


def song(tonic: int = 2) -> Score:
    """A tune of eight bars of three beats in D, 12 seconds: flute, guitar, bass, shaker."""
    beat = 0.5
    bars = (0, 5, 3, 4, 0, 1, 4, 0)
    tune = ((4, 2, 4), (7, 5), (5, 4, 3), (4,), (2, 3, 4), (5, 3), (6, 5, 6), (7,))  # degrees above the tonic
    notes: list[Note] = []
    for bar, (degree, melody) in enumerate(zip(bars, tune, strict=True)):
        start = bar * 3 * beat
        steps = [3.0] if len(melody) == 1 else [2.0, 1.0] if len(melody) == 2 else [1.0, 1.0, 1.0]
        at = start
        for step, length in zip(melody, steps, strict=True):
            pitch = 60 + tonic + MAJOR[step % 7] + 12 * (step // 7)
            notes.append(Note(at, at + 0.9 * length * beat, pitch, 100, 0, 73))
            at += length * beat
        chord = [36 + tonic + MAJOR[(degree + up) % 7] + 12 * ((degree + up) // 7) for up in (0, 2, 4)]
        notes.append(Note(start, start + 2.8 * beat, chord[0], 84, 2, 32))
        broken = [chord[0] + 12, chord[1] + 12, chord[2] + 12, chord[0] + 24, chord[2] + 12, chord[1] + 12]
        for number, pitch in enumerate(broken):
            if bar < len(bars) - 1 or number == 0:
                begin = start + number * beat / 2
                notes.append(Note(begin, begin + 0.8 * beat, pitch, 66, 1, 24))
        notes += [Note(start + n * beat, start + (n + 0.2) * beat, 70, 50, 9, 0) for n in range(3) if bar < 7]
    return from_notes(notes, tempo=60 / beat)


def main(folder: Path) -> None:
    """Write both files."""
    from transpose.models.pull import weights

    ctx = Context(weights=weights)
    write_midi(chorale(), folder / "chorale.mid", ctx)
    played = play(song(), ctx)
    small = Audio.from_array(played.array(rate=22_050, channels=1)[: round(12.9 * 22_050)], 22_050)
    write_sound(small, folder / "song.wav", ctx)
    for name in ("chorale.mid", "song.wav"):
        print(folder / name, (folder / name).stat().st_size, "bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
