"""Music from words by way of a spectrogram: lengths, loops, seeds, and what the words change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.media.audio import Audio
from transpose.media.chroma import chroma
from transpose.media.image import Image
from transpose.media.spectrogram import parameters
from transpose.media.text import Text
from transpose.media.wish import Wish
from transpose.models.diffusion.beats import PULSES, beat_tokens, find_beats
from transpose.models.diffusion.settings import Settings, Shape
from transpose.models.diffusion.sound import Codec
from transpose.models.diffusion.windows import Windows
from transpose.transforms.improvise import closed, improvise, in_key
from transpose.transforms.paint_sound import in_bars, paint_spectrogram

Array = NDArray[np.float32]


class Constant:
    """A network whose velocity is the first number of the condition, and which counts its windows."""

    def __init__(self, width: int) -> None:
        shape = Shape(1, 2, width, (2, 1), 8, 1, 1, 4.0, 3, 1)
        self.settings = Settings(shape, "flow", "wish", {})
        self.windows = 0

    def __call__(self, x: Array, t: float, cond: Array, mask: Array) -> Array:
        assert x.shape[-1] == self.settings.network.width
        self.windows += len(x)
        return np.broadcast_to(cond[:, :1, :1, None], x.shape).astype(np.float32)


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("width", [5, 10, 11, 37])
def test_windows_blend_to_the_same(width: int, loop: bool) -> None:
    """Where every window says the same, so does the whole; each column is in a window."""
    inner = Constant(10)
    if width < 10 and not loop:
        return
    found = Windows(inner, width, loop)(
        np.zeros((2, 1, 2, width), np.float32), 0.5, np.full((2, 1, 3), 4.0, np.float32), np.ones((2, 1), np.float32)
    )
    assert found.shape == (2, 1, 2, width)
    assert np.allclose(found, 4)
    assert inner.windows >= 2 * (width // 10)


def test_windows_follow_their_condition() -> None:
    """Along the way each window has a condition of its own, and neighbours pass into each other."""

    def along(column: int) -> tuple[Array, Array]:
        return np.full((1, 3), column / 50, np.float32), np.ones(1, np.float32)

    network = Windows(Constant(10), 60, along=along)
    mask = np.ones((1, 1), np.float32)
    rising = network(np.zeros((1, 1, 2, 60), np.float32), 0.5, np.zeros((1, 1, 3), np.float32), mask)[0, 0, 0]
    assert (np.diff(rising) >= -1e-6).all()
    assert rising[-1] - rising[0] > 0.7
    still = network(np.zeros((1, 1, 2, 60), np.float32), 0.5, np.zeros((1, 1, 3), np.float32), 0 * mask)
    assert np.allclose(still, 0), "the null condition stays the null condition"
    other = network(np.zeros((1, 1, 2, 60), np.float32), 0.5, np.full((1, 1, 3), -7, np.float32), mask)
    assert np.allclose(other, -7), "so does a negative one"


@pytest.mark.models
def test_a_negative_prompt_is_heard_in_long_music(music_ctx: Context) -> None:
    """In windows as in one piece: what should not be heard changes what is."""
    told = {"seconds": 12.0, "steps": 3}
    plain, less = (
        paint_spectrogram(Text("calm cello"), music_ctx, negative=each, **told) for each in ("", "bright trumpet")
    )
    assert (plain.pixels != less.pixels).mean() > 0.05
    unguided = paint_spectrogram(Text("calm cello"), music_ctx, negative="bright trumpet", guidance=1.0, **told)
    assert (unguided.pixels != less.pixels).mean() > 0.05


def test_codec_is_its_own_inverse_within_its_basis() -> None:
    """What the basis spans comes back; what it does not span is left out."""
    rng = np.random.default_rng(0)
    basis, _ = np.linalg.qr(rng.standard_normal((24, 5)))
    codec = Codec(np.full(24, 0.5, np.float32), basis.astype(np.float32), np.full(5, 2.0, np.float32), 4, 6)
    numbers = rng.uniform(-0.1, 0.1, (5, 7)).astype(np.float32)
    levels = codec.decode(numbers)
    assert levels.shape == (28, 6)
    assert np.allclose(codec.encode(levels), numbers, atol=1e-5)
    assert codec.encode(levels[:-1]).shape == (5, 7), "a last token that is not full counts"


def test_a_loop_has_no_seam() -> None:
    """The last sample goes on at the first as at any other place."""
    steps = np.arange(5000, dtype=np.float32)
    wave = np.sin(2 * np.pi * steps / 100).astype(np.float32)
    made = closed(wave, 4000)
    assert len(made) == 4000
    assert np.abs(np.diff(np.concatenate([made, made]))).max() < 0.1
    assert np.abs(np.diff(np.concatenate([wave[:4025], wave]))).max() > 0.5, "without fading there would be one"


def test_loops_are_whole_bars() -> None:
    """The number of tokens is as near to whole bars as tokens allow, and the tempo gives way for the rest."""
    token = 16 * 256 / 22050
    for tempo in (60.0, 97.0, 120.0, 171.0):
        tokens, wish = in_bars(10.0, Wish(tempo=tempo), token)
        assert wish.tempo is not None
        assert wish.tempo == pytest.approx(tempo, rel=0.02)
        found = tokens * token * wish.tempo / 60 / 4
        assert found == pytest.approx(round(found))
    assert in_bars(10.0, Wish(), token) == (round(10 / token), Wish())


def test_beats_fall_where_they_are_told() -> None:
    """A pulse is highest on the beats of the grid, of which a later start cuts off some; none without a tempo."""
    token, tempo = 0.2, 120.0
    told = beat_tokens(tempo, 20, token, 0.25)
    pulses = told[:, :PULSES].ravel()
    times = (np.arange(len(pulses)) + 0.5) * token / PULSES
    peaks = times[1:-1][(pulses[1:-1] > 1.9) & (pulses[1:-1] >= pulses[:-2]) & (pulses[1:-1] > pulses[2:])]
    np.testing.assert_allclose(peaks, 0.25 + 0.5 * np.arange(len(peaks)), atol=token / PULSES)
    assert len(peaks) == 8
    np.testing.assert_allclose(beat_tokens(tempo, 15, token, 0.25 - 5 * token), told[5:], atol=1e-4)
    np.testing.assert_allclose(beat_tokens(tempo, 20, token, 0.25 + 4 * 0.5), told, atol=1e-4)
    assert not np.allclose(beat_tokens(tempo, 20, token, 0.25 + 0.5)[:, PULSES:], told[:, PULSES:]), "beats are counted"
    assert not beat_tokens(None, 20, token).any()


@pytest.mark.parametrize(("tempo", "start"), [(90.0, 0.3), (120.0, 1.1), (140.0, 0.0)])
def test_beats_are_found(tempo: float, start: float) -> None:
    """Strokes on the beats, the first of four the loudest: the tempo, and where a bar begins. None in noise."""
    column, rng = 256 / 22050, np.random.default_rng(0)
    at = np.arange(900) * column - start
    beats = np.floor(at * tempo / 60)
    levels = np.exp(-4 * (at - beats * 60 / tempo)) * np.where(beats % 4 == 0, 1.0, 0.6)
    found = find_beats(np.repeat(levels[:, None], 8, 1).astype(np.float32), column, 56, 171)
    assert found is not None
    assert found[0] == pytest.approx(tempo, rel=0.01)
    bar = 240 / tempo
    assert abs((found[1] - start + bar / 2) % bar - bar / 2) < 0.05
    assert find_beats(rng.random((900, 64), np.float32), column, 56, 171) is None
    assert find_beats(np.zeros((900, 8), np.float32), column, 56, 171) is None
    assert find_beats(np.ones((1, 8), np.float32), column, 56, 171) is None


@pytest.mark.models
def test_a_picture_that_can_be_played(music_ctx: Context) -> None:
    """The picture carries its parameters, and the same seed gives the same picture."""
    shown: list[Image] = []
    music_ctx.preview = shown.append
    first = paint_spectrogram(Text("slow sad cello in d minor"), music_ctx, seconds=3.0, steps=4)
    again = paint_spectrogram(Text("slow sad cello in d minor"), music_ctx, seconds=3.0, steps=4)
    other = paint_spectrogram(Text("fast trumpet in g major"), music_ctx, seconds=3.0, steps=4)
    music_ctx.seed = 8
    seeded = paint_spectrogram(Text("slow sad cello in d minor"), music_ctx, seconds=3.0, steps=4)
    assert parameters(first).samples == 3 * 22_050
    assert first == again
    assert other != first
    assert seeded != first
    assert len(shown) == 16
    assert all(parameters(each).rows == 512 for each in shown)


@pytest.mark.parametrize(("root", "minor"), [(0, False), (9, True), (6, False), (1, True)])
def test_a_key_is_heard(root: int, minor: bool) -> None:
    """Of a cadence in a key that key is clearest; noise has none, and silence no pitch class more than another."""
    rate, rng = 22_050, np.random.default_rng(0)
    third = 3 if minor else 4
    chords = [(0, third, 7), (5, 5 + third, 12), (7, 11, 14), (0, third, 7)]
    at = np.arange(rate) / rate
    pitches = [[48 + root + step for step in chord] for chord in chords]
    waves = [sum(np.sin(2 * np.pi * 440 * 2 ** ((each - 69) / 12) * at) for each in chord) for chord in pitches]
    samples = np.concatenate(waves).astype(np.float32)
    keys = [Wish(root=tonic, minor=mode) for tonic in range(12) for mode in (False, True)]
    clear = [in_key(samples, rate, each) for each in keys]
    assert keys[int(np.argmax(clear))] == Wish(root=root, minor=minor)
    assert in_key(samples, rate, Wish(root=root)) == max(clear)
    assert max(in_key(rng.standard_normal(rate).astype(np.float32), rate, each) for each in keys) < max(clear)
    assert np.allclose(chroma(np.zeros(100, np.float32), rate), 1 / 12)


@pytest.mark.models
def test_the_draft_with_the_clearest_key_is_kept(music_ctx: Context) -> None:
    """The first draft is that of the seed; more of them never make the key less clear; none is chosen without a key."""
    asked, wish = Text("piano in d minor"), Wish(root=2, minor=True)
    first, best = (improvise(asked, music_ctx, seconds=4.0, steps=4, drafts=count) for count in (1, 4))
    clear = [in_key(each.array()[:, 0], each.rate, wish) for each in (first, best)]
    assert clear[1] >= clear[0]
    keyless = [improvise(Text("piano"), music_ctx, seconds=2.0, steps=2, drafts=count) for count in (1, 4)]
    assert keyless[0] == keyless[1]


@pytest.mark.models
def test_variations_are_near_the_sound_of_the_seed(music_ctx: Context) -> None:
    """None is that sound itself; the further, the less like it; each number another one."""

    def made(variation: float, variant: int) -> NDArray[np.int64]:
        asked = Text("slow sad cello in d minor")
        picture = paint_spectrogram(asked, music_ctx, variation=variation, variant=variant, seconds=3.0, steps=4)
        return np.asarray(picture.pixels, np.int64)

    plain, little, much, other = made(0.0, 4), made(0.1, 1), made(0.6, 1), made(0.1, 2)
    assert np.array_equal(plain, made(0.0, 1))
    assert 0 < np.abs(little - plain).mean() < np.abs(much - plain).mean()
    assert not np.array_equal(little, other)


@pytest.mark.models
@pytest.mark.parametrize(("seconds", "options"), [(10.0, {}), (2.5, {}), (17.0, {"sampler": "euler"})])
def test_music_has_its_length(music_ctx: Context, seconds: float, options: dict[str, Any]) -> None:
    """As long as asked, neither silent nor cut off."""
    sound: Audio = improvise(Text("happy piano in c major"), music_ctx, seconds=seconds, steps=6, **options)
    samples = sound.array()
    assert (sound.rate, len(samples)) == (22_050, round(seconds * 22_050))
    assert 0.02 < float(samples.std()) < 0.4
    assert float(np.abs(samples).max()) <= 0.9 + 1e-6


@pytest.mark.models
def test_turning_loops(music_ctx: Context) -> None:
    """A loop between two prompts is whole bars of the first, and its seam is no click."""
    sound = improvise(
        Text("calm harp in c major at 120 bpm"), music_ctx, toward="choir in c major", seconds=12, steps=4
    )
    samples = sound.array()[:, 0]
    count = sound.duration / 2.0
    assert abs(count - round(count)) < 0.1
    jump = abs(float(samples[0] - samples[-1]))
    assert jump <= 1.5 * float(np.abs(np.diff(samples)).max())


@pytest.mark.models
def test_what_is_not_understood_is_said(music_ctx: Context) -> None:
    """Unknown words, instruments and tempi are warned of; no words are refused."""
    paint_spectrogram(Text("quux tuba at 220 bpm"), music_ctx, seconds=1.0, steps=1)
    told = " / ".join(music_ctx.warnings)
    assert "quux" in told
    assert "Tuba" in told
    assert "220" in told
    with pytest.raises(EmptyInput):
        paint_spectrogram(Text("  "), music_ctx)


@pytest.mark.models
def test_the_card_fits(models_ctx: Context) -> None:
    """Weights and codec fit the limit of the package of weights."""
    folder: Path = models_ctx.model("music-diffusion")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 16 << 20
