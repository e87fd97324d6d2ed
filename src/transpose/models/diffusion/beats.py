"""Where the beats fall in a spectrogram: told to the network, which would learn to count last, and found in a sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transpose.media.wish import WIDTH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BAR = 4  # beats
PULSES = 40  # places in a token at which the nearness of a beat is told
WAVES = (0.25, 0.5, 1.0, 2.0)  # turns a beat; the slowest is a bar of four
PLACES = 3  # in a token at which the waves are told
SHARP = 0.025  # seconds: the width of a pulse
FINE = 1.005  # ratio of two tempi that are tried
USUAL = 100.0  # beats a minute; others are likelier to be half or double the beat
CLEAR = 0.04  # share of the onsets that turns with the beat, below which there is none


def beat_tokens(tempo: float | None, count: int, token: float, start: float = 0.0) -> NDArray[np.float32]:
    """Tokens (count, 64) of `token` seconds each, of a grid whose bar begins at second `start`, of either sign.

    Of each token: a pulse of height 2 near a beat, at 40 places in it, and sines and cosines of the place in the bar,
    the half bar, the beat and the eighth, at three places. `tempo` in beats a minute; zeros where it is not known.
    """
    import numpy as np

    tokens = np.zeros((count, WIDTH), np.float32)
    if tempo is None:
        return tokens
    beat, begins = 60 / tempo, token * np.arange(count)[:, None] - start
    away = ((begins + token * (np.arange(PULSES) + 0.5) / PULSES) / beat + 0.5) % 1 - 0.5  # (count, PULSES)
    tokens[:, :PULSES] = 2 * np.exp(-0.5 * (away * beat / SHARP) ** 2)
    middles = begins + token * (np.arange(PLACES) + 0.5) / PLACES  # (count, PLACES)
    angles = 2 * np.pi * middles[..., None] / beat * np.array(WAVES)  # (count, PLACES, 4)
    tokens[:, PULSES:] = np.concatenate([np.sin(angles), np.cos(angles)], 2).reshape(count, -1)
    return tokens


def find_beats(
    levels: NDArray[np.float32], column: float, slowest: float, fastest: float
) -> tuple[float, float] | None:
    """Tempo in beats a minute and the second of a first bar's beginning, of levels (columns, rows), 0..1.

    The tempo whose waves the onsets follow best over the whole sound (a Fourier tempogram as in Grosche and Mueller
    2011, of one window), with its double, and a preference for the usual. `column` in seconds. None without a clear
    beat.
    """
    import numpy as np

    rise = np.maximum(np.diff(levels, axis=0), 0).mean(1)
    if len(rise) < 2 or not rise.any():
        return None
    at = (np.arange(len(rise)) + 1) * column  # seconds
    tempi = slowest * FINE ** np.arange(int(np.log(fastest / slowest) / np.log(FINE)) + 1)
    change = (rise - rise.mean()) / rise.sum()
    turns = np.array([[change @ np.exp(-2j * np.pi * at * tempo * part / 60) for part in (1, 2)] for tempo in tempi])
    strength = np.abs(turns).sum(1) * np.exp(-0.5 * np.log2(tempi / USUAL) ** 2)
    best = int(strength.argmax())
    if np.abs(turns[best]).max() < CLEAR:
        return None
    beat = 60 / tempi[best]
    first = float(-np.angle(turns[best, 0]) / (2 * np.pi) % 1 * beat)
    near = np.exp(-0.5 * (((at - first) / beat + 0.5) % 1 - 0.5) ** 2 * (beat / SHARP) ** 2)
    count = np.round((at - first) / beat).astype(int) % BAR
    bar = int(np.bincount(count, rise * near, BAR).argmax())
    return float(tempi[best]), first + bar * beat
