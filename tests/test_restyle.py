"""A sound played anew: its length and loudness stay, its rhythm too, and silence is refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, SilentInput
from transpose.media.audio import Audio
from transpose.media.text import Text
from transpose.transforms.restyle import PIECE, pieces, restyle


def plucked(seconds: float, rate: int, channels: int, gap: float = 0.5) -> NDArray[np.float32]:
    """Notes that die away, one each `gap` seconds: (n, channels)."""
    at = np.arange(round(seconds * rate)) / rate
    pitch = 220 * 2 ** (np.floor(at / gap) % 4 * 4 / 12)
    wave = sum(np.sin(2 * np.pi * pitch * part * at) / part for part in range(1, 6)) * np.exp(-6 * (at % gap))
    return np.repeat((0.2 * wave)[:, None], channels, axis=1).astype(np.float32)


def strokes(samples: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """How much louder each hundredth of a second is than the one before."""
    size = rate // 100
    energy = np.sqrt(np.mean(samples[: len(samples) // size * size].reshape(-1, size) ** 2, axis=1))
    return np.maximum(np.diff(np.convolve(energy, np.ones(5) / 5, "same")), 0)


@pytest.mark.parametrize("length", [1, 22_050, 60 * 22_050, 61 * 22_050, 200 * 22_050 + 7])
def test_pieces_cover_everything(length: int) -> None:
    """Neighbours share what fades, and the last ends with the sound."""
    places = list(pieces(length, 22_050))
    assert places[0][0] == 0
    assert places[-1][1] == length
    for (_, stop, _), (start, _, fade) in zip(places, places[1:], strict=False):
        assert stop - start == fade > 0
    assert all(stop - start <= PIECE * 22_050 + 1 for start, stop, _ in places)


@pytest.mark.models
@pytest.mark.parametrize(("rate", "channels", "seconds"), [(44_100, 2, 6.03), (8_000, 1, 0.4), (48_000, 1, 12.0)])
def test_length_and_loudness_stay(music_ctx: Context, rate: int, channels: int, seconds: float) -> None:
    """Any rate and number of channels: as many samples, about as loud, mono."""
    before = Audio.from_array(plucked(seconds, rate, channels), rate)
    after = restyle(before, Text("string ensemble"), None, music_ctx, steps=6)
    assert (after.rate, after.channels, after.length) == (rate, 1, before.length)
    ratio = float(after.array().std() / before.array(channels=1).std())
    assert 0.5 < ratio < 2


@pytest.mark.models
def test_rhythm_stays(music_ctx: Context) -> None:
    """Strokes come when they came; against those of another rhythm they do not fit."""
    before = plucked(8, 22_050, 1)
    after = restyle(Audio.from_array(before, 22_050), Text("piano"), None, music_ctx, steps=12)
    ours = strokes(after.array()[:, 0], 22_050)
    same = np.corrcoef(ours, strokes(before[:, 0], 22_050))[0, 1]
    other = np.corrcoef(ours, strokes(plucked(8, 22_050, 1, gap=0.37)[:, 0], 22_050))[0, 1]
    assert same > 0.5
    assert same > other + 0.2


@pytest.mark.models
def test_nothing_to_play_is_said(music_ctx: Context) -> None:
    """Silence, no samples and no words are errors; a silent stretch stays silent."""
    with pytest.raises(SilentInput):
        restyle(Audio.from_array(np.zeros((9000, 2), np.float32), 22_050), Text("piano"), None, music_ctx)
    with pytest.raises(EmptyInput):
        restyle(Audio.from_array(np.zeros((0, 1), np.float32), 22_050), Text("piano"), None, music_ctx)
    with pytest.raises(EmptyInput):
        restyle(Audio.from_array(plucked(1, 22_050, 1), 22_050), Text(" "), None, music_ctx)
    broken = plucked(1, 22_050, 1)
    broken[5] = np.nan
    assert np.isfinite(restyle(Audio.from_array(broken, 22_050), Text("piano"), None, music_ctx, steps=2).array()).all()


@pytest.mark.models
def test_between_two_sounds(music_ctx: Context) -> None:
    """At its ends it is as with that sound alone; on the way, strokes of the second one are heard more and more."""
    one, two = (Audio.from_array(plucked(6, 22_050, 1, gap), 22_050) for gap in (0.5, 0.37))

    def between(first: Audio, second: Audio | None, share: float = 0.5) -> NDArray[np.float32]:
        made = restyle(first, Text("piano"), second, music_ctx, steps=6, strength=0.3, share=share)
        return np.asarray(made.array()[:, 0])

    ways = [between(one, two, share) for share in (0.0, 0.5, 1.0)]
    assert np.array_equal(ways[0], between(one, None))
    like = [np.corrcoef(strokes(way, 22_050), strokes(two.array()[:, 0], 22_050))[0, 1] for way in ways]
    assert like[0] < like[1] < like[2]
    with pytest.raises(SilentInput):
        between(one, Audio.from_array(np.zeros((9000, 1), np.float32), 22_050))
