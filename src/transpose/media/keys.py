"""Keys: which one notes are in, how their pitches are spelled in it, what its signature alters."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

LETTERS = "FCGDAEB"  # in fifths
FIFTHS = "Cb Gb Db Ab Eb Bb F C G D A E B F# C#".split()
MINOR_FIFTHS = "Abm Ebm Bbm Fm Cm Gm Dm Am Em Bm F#m C#m G#m D#m A#m".split()
# how often each step above the tonic is heard in major and minor (Temperley 1999, after Krumhansl and Kessler 1982)
MAJOR = (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0)
MINOR = (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0)


def found(weights: Sequence[float]) -> tuple[int, bool]:
    """Sharps (flats are negative) and whether minor, of the key whose profile fits best.

    `weights` say how long each of the twelve pitch classes, from C, is heard in all.
    """
    fits = _fits(weights)
    tonic, minor = max(fits, key=fits.__getitem__)
    return (7 * (tonic + 3 * minor) + 5) % 12 - 5, minor


def clearness(weights: Sequence[float], tonic: int, minor: bool) -> float:
    """How much better pitch classes fit a key than the best other one, as a difference of correlations (-2..2).

    `weights` say how long each of the twelve pitch classes, from C, is heard in all.
    """
    fits = _fits(weights)
    own = fits.pop((tonic, minor))
    return own - max(fits.values())


def _fits(weights: Sequence[float]) -> dict[tuple[int, bool], float]:
    """For each tonic and mode (minor: True) the correlation of the weights with its profile; 0 where they are alike."""
    mean = sum(weights) / 12
    spread = sqrt(sum((weight - mean) ** 2 for weight in weights)) or 1.0

    def fit(tonic: int, profile: tuple[float, ...]) -> float:
        middle = sum(profile) / 12
        size = sqrt(sum((each - middle) ** 2 for each in profile))
        return sum((weights[(tonic + s) % 12] - mean) * (profile[s] - middle) for s in range(12)) / (spread * size)

    return {(t, minor): fit(t, MINOR if minor else MAJOR) for minor in (False, True) for t in range(12)}


def spelled(pitch: int, sharps: int) -> tuple[str, int, int]:
    """Letter, semitones up or down, and octave (4 has middle C) of a MIDI pitch in a key with so many sharps.

    Of the names on the line of fifths the one from three below the key's tonic to eight above it; nothing doubled.
    """
    least = min(max(sharps - 3, -8), 1)  # C is 0, G is 1, F is -1
    fifth = (pitch * 7 - least) % 12 + least
    letter = LETTERS[(fifth + 1) % 7]
    shift = (fifth + 1) // 7
    return letter, shift, (pitch - shift) // 12 - 1


def altered(letter: str, sharps: int) -> int:
    """Semitones by which the key signature moves a letter: -1, 0 or 1."""
    return (sharps + 6 - LETTERS.index(letter)) // 7
