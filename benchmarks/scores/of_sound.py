"""Sound and music without models: mixtures, tones and pieces that are made here and known, and FFmpeg's own meter."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from benchmarks.scores.measuring import Found, error, f1, share
from transpose.core.context import Context
from transpose.evaluate import likeness
from transpose.media.audio import Audio
from transpose.media.score import Note, Score, from_notes
from transpose.transforms.cut import cut_music, cut_sound, cut_speech
from transpose.transforms.normalise import normalise
from transpose.transforms.score_table import describe_score, score_table, table_score
from transpose.transforms.split_harmonic import split_harmonic, split_percussive
from transpose.transforms.stretch import shift_pitch, stretch
from transpose.transforms.transpose_pitch import transpose_pitch
from transpose.transforms.waveform import waveform

RATE = 44_100
Samples = NDArray[np.float32]


def _time(seconds: float) -> NDArray[np.float64]:
    return np.arange(int(seconds * RATE)) / RATE


def _tone(pitch: float, seconds: float = 2.0) -> Samples:
    """Six harmonics that grow weaker."""
    made = sum(np.sin(2 * np.pi * pitch * n * _time(seconds)) / n for n in range(1, 7))
    return (0.2 * np.asarray(made)).astype(np.float32)


def _chords(seed: int) -> Samples:
    draw = np.random.default_rng(seed)
    parts = [sum(_tone(float(p), 1.0) for p in draw.uniform(110, 700, 3)) for _ in range(4)]
    return np.concatenate(parts).astype(np.float32) / 2


def _drums(seed: int) -> Samples:
    draw = np.random.default_rng(seed + 100)
    made = np.zeros(4 * RATE, np.float32)
    hit = (draw.normal(size=3000) * np.exp(-np.arange(3000) / 500)).astype(np.float32)
    for at in range(int(draw.integers(0, 8000)), 4 * RATE - 3000, RATE // 4):
        made[at : at + 3000] += 0.5 * hit
    return made


def _fundamental(samples: Samples) -> float:
    """Pitch of a tone in Hz: the peak of the autocorrelation, made finer by a parabola."""
    part = samples[len(samples) // 4 : len(samples) // 4 + 16384].astype(float)
    likeness_ = np.fft.irfft(np.abs(np.fft.rfft(part, 65536)) ** 2)[: 16384 // 2]
    low = RATE // 1200
    at = low + int(np.argmax(likeness_[low:] * np.linspace(1, 0.8, len(likeness_) - low)))
    a, b, c = likeness_[at - 1 : at + 2]
    return RATE / (at + 0.5 * (a - c) / (a - 2 * b + c))


def _ratio(found: Samples, wanted: Samples) -> float:
    """SI-SDR in dB."""
    length = min(len(found), len(wanted))
    mine, theirs = found[:length].astype(float), wanted[:length].astype(float)
    aim = theirs * (mine @ theirs) / max(theirs @ theirs, 1e-12)
    return float(10 * np.log10((aim @ aim) / max(((mine - aim) ** 2).sum(), 1e-12)))


def _split(which: int, ctx: Context) -> Found:
    gains, after = [], []
    for seed in range(6):
        parts = (_chords(seed), _drums(seed))
        mix = parts[0] + parts[1]
        audio = Audio.from_array(mix, RATE)
        made = (split_harmonic, split_percussive)[which](audio, ctx).array(channels=1)[:, 0]
        after.append(_ratio(made, parts[which]))
        gains.append(after[-1] - _ratio(mix, parts[which]))
    value = float(np.mean(after))
    data = f"6 mixtures of chords and drum hits, 4 s each; {np.mean(gains):.1f} dB better than the mixture"
    return Found("SI-SDR in dB", value, value / 20, data, 24 / 60, "minute of sound")


def harmonic(ctx: Context) -> Found:
    """Chords out of chords and drums."""
    return _split(0, ctx)


def percussive(ctx: Context) -> Found:
    """Drums out of chords and drums."""
    return _split(1, ctx)


def shifted(ctx: Context) -> Found:
    """Pitch of shifted tones, in semitones from where it should be."""
    errors = []
    for pitch in (130.8, 220.0, 329.6):
        for steps in (-5.0, -0.5, 2.0, 7.0):
            made = shift_pitch(Audio.from_array(_tone(pitch), RATE), ctx, semitones=steps).array(channels=1)[:, 0]
            errors.append(abs(12 * np.log2(_fundamental(made) / pitch) - steps))
    value = float(np.mean(errors))
    return Found(
        "mean error in semitones",
        value,
        1 - value,
        f"{len(errors)} tones moved by -5 to 7 semitones, worst {max(errors):.3f}",
        2 * len(errors) / 60,
        "minute of sound",
    )


def stretched(ctx: Context) -> Found:
    """Length of stretched sounds, and the pitch, which has to stay."""
    errors, drifts = [], []
    for speed in (0.5, 0.8, 1.25, 2.0):
        made = stretch(Audio.from_array(_tone(220.0, 3.0), RATE), ctx, speed=speed)
        errors.append(abs(made.duration * speed / 3.0 - 1))
        drifts.append(abs(12 * np.log2(_fundamental(made.array(channels=1)[:, 0]) / 220.0)))
    data = f"4 speeds from .5 to 2; the pitch is {max(drifts):.3f} semitones off at worst"
    return error("mean error of length and pitch", [a + b for a, b in zip(errors, drifts, strict=True)], data, "sound")


def _loudness(audio: Audio) -> float:
    """LUFS by FFmpeg's meter (EBU R 128), which is not ours."""
    import av

    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=RATE, format="fltp", layout="mono", time_base=None)
    meter, sink = graph.add("ebur128", "metadata=1"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    found = -99.0
    samples = audio.array(rate=RATE, channels=1)[:, 0]
    for at in range(0, len(samples) - RATE // 10, RATE // 10):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None, at : at + RATE // 10]), "fltp", "mono")
        frame.sample_rate, frame.pts = RATE, at
        source.push(frame)
        while True:
            try:
                metered = sink.pull()
            except (av.FFmpegError, EOFError):
                break
            found = float(metered.metadata.get("lavfi.r128.I", found)) if hasattr(metered, "metadata") else found
    return found


def levelled(ctx: Context) -> Found:
    """Loudness after levelling against the target, by another meter."""
    errors = []
    for seed, target in ((0, -16.0), (1, -23.0), (2, -14.0), (3, -20.0)):
        made = normalise(Audio.from_array((_chords(seed) + _drums(seed)) * 0.1, RATE), ctx, target=target)
        errors.append(abs(_loudness(made) - target))
    value = float(np.mean(errors))
    return Found(
        "mean error in LU",
        value,
        1 - value / 10,
        "4 mixtures to -14 to -23 LUFS, by FFmpeg's meter",
        16 / 60,
        "minute of sound",
    )


def outline(ctx: Context) -> Found:
    """Heights in the picture against the peaks of the samples."""
    draw, every = np.random.default_rng(3), []
    for _ in range(4):
        levels = draw.uniform(0.1, 0.95, 20)
        samples = np.concatenate([level * np.sin(2 * np.pi * 400 * _time(0.2)) for level in levels]).astype(np.float32)
        pixels = waveform(Audio.from_array(samples, RATE), ctx, fit=False).pixels[..., :3].astype(int)
        ground = np.median(pixels.reshape(-1, 3), axis=0)
        inked = np.abs(pixels - ground).sum(2) > 150
        columns = np.flatnonzero(inked.sum(0) > 5)
        left, right = columns[0], columns[-1]
        middles = [int(left + (right - left) * (n + 0.5) / 20) for n in range(20)]
        heights = np.array([np.median(inked[:, at - 4 : at + 5].sum(0)) for at in middles])
        every.append(float(np.corrcoef(heights, levels)[0, 1]))
    return share(
        "correlation of heights and peaks", every, "80 stretches of 4 sounds, measured in the picture", "picture"
    )


def _cut(cut: object, ctx: Context) -> Found:
    given = Audio.from_array(_chords(2), RATE)
    made = cut(given, ctx, start="0.5", end="2.75").array()  # type: ignore[operator]
    wanted = given.array()[RATE // 2 : int(2.75 * RATE)]
    same = float(made.shape == wanted.shape and bool(np.allclose(made, wanted, atol=1e-6)))
    return Found("equal samples", same, same, "2.25 of 4 s", 2.25 / 60, "minute of sound")


def _piece(seed: int) -> Score:
    """A tune over a bass: quarters and eighths on the beat."""
    draw, at, notes = np.random.default_rng(seed), 0.0, list[Note]()
    for number in range(32):
        long = 0.5 if draw.random() < 0.5 else 0.25
        notes.append(Note(at, at + long, int(draw.integers(60, 80)), 90, 0, 0))
        if number % 4 == 0:
            notes.append(Note(at, at + long, int(draw.integers(36, 50)), 80, 1, 32))
        at += long
    return from_notes(notes)


def _pieces() -> list[Score]:
    return [_piece(seed) for seed in range(6)]


def tabled(ctx: Context) -> Found:
    """Notes to a table and back."""
    every = [likeness.scores(each, table_score(score_table(each, ctx), ctx)).value for each in _pieces()]
    return share("onset F1 (50 ms)", every, "6 made pieces of 40 notes, by score-table and table-score", "piece")


def moved(ctx: Context) -> Found:
    """Every pitch so many semitones away."""
    every = []
    for steps, piece in zip((-12, -5, -1, 2, 7, 12), _pieces(), strict=True):
        found = [note.pitch for note in transpose_pitch(piece, ctx, semitones=steps).notes()]
        every.append(f1(found, [note.pitch + steps for note in piece.notes()]))
    return share("F1 of pitches", every, "6 made pieces moved by -12 to 12 semitones", "piece")


def described(ctx: Context) -> Found:
    """Number of notes, seconds and instruments in the words."""
    every = []
    for piece in _pieces():
        said = describe_score(piece, ctx).text
        seconds = float((re.search(r"([\d.]+) seconds", said) or ["0", "0"])[1])
        count = int((re.search(r"(\d+) notes", said) or ["0", "0"])[1])
        every += [float(count == len(piece.notes())), float(abs(seconds - piece.duration) < 0.06)]
    return share("share of right figures", every, "notes and seconds of 6 made pieces", "figure")


MEASURES = {
    "cut-music": lambda ctx: _cut(cut_music, ctx),
    "cut-sound": lambda ctx: _cut(cut_sound, ctx),
    "cut-speech": lambda ctx: _cut(cut_speech, ctx),
    "describe-score": described,
    "normalise": levelled,
    "score-table": tabled,
    "shift-pitch": shifted,
    "split-harmonic": harmonic,
    "split-percussive": percussive,
    "stretch": stretched,
    "table-score": tabled,
    "transpose-pitch": moved,
    "waveform": outline,
}
