"""Where the beats fall in a spectrogram, told to the network: counting time is what it would learn last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WIDTH = 64  # numbers of a token
PULSES = 40  # places in a token at which the nearness of a beat is told
WAVES = (0.25, 0.5, 1.0, 2.0)  # turns a beat; the slowest is a bar of four
PLACES = 3  # in a token at which the waves are told
SHARP = 0.025  # seconds: the width of a pulse


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
