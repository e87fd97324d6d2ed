"""Labelled sounds for the probe of sounds: real recordings out of Debian packages, synthesised ones, and mixtures.

`DATA` is a folder into which these packages were unpacked, each into a folder of its name (`dpkg-deb -x`):
asterisk-core-sounds-{en,es,fr,it,ru}-wav, pocketsphinx-testdata, klettres-data, hedgewars-data, wesnoth-1.16-music,
wesnoth-1.16-data, supertux-data, singularity-music, asc-music, xmoto-data, frozen-bubble-data, minetest-data,
tuxpaint-data, sound-theme-freedesktop, fluid-soundfont-gm; for the test set asterisk-prompt-it-menardi-wav,
fillets-ng-data, fillets-ng-data-cs, warzone2100-music, lincity-ng-data, extremetuxracer-data, pingus-data,
searchandrescue-data, trackballs-data. The command espeak-ng has to be installed. Their licences
are free (GPL, CC-BY-SA, MIT, public domain); only the learned coefficients are kept.

Groups (a speaker, a game, an instrument, a kind of noise) lie wholly in the training or wholly in the test set.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mido  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from transpose.core.errors import InputError
from transpose.media.audio import Audio
from transpose.media.probe_audio import RATE

Samples = NDArray[np.float32]
GAMES = "usr/share/games"
WESNOTH = f"wesnoth-1.16-data/{GAMES}/wesnoth/1.16/data/core/sounds"
TUX = f"supertux-data/{GAMES}/supertux2"
HEDGE = f"hedgewars-data/{GAMES}/hedgewars/Data"
# (label, test set?, group, files, clips of that group, files are joined to clips of about 20 s?)
RECORDINGS: list[tuple[str, bool, str, str, int, bool]] = [
    ("speech", False, "Allison", "asterisk-core-sounds-e*-wav/**/*_f_Allison/*.wav", 36, True),
    ("speech", False, "June", "asterisk-core-sounds-fr-wav/**/fr_CA_f_June/*.wav", 30, True),
    ("speech", False, "Carlo", "asterisk-core-sounds-it-wav/**/it_IT_m_Carlo/*.wav", 40, True),
    *(("speech", False, f"letters {c}", f"klettres-data/usr/share/klettres/{c}/*/*.ogg", 3, True)
      for c in ("ar", "cs", "da", "de", "en", "en_GB", "es", "fr", "he", "hu", "it", "lt", "ml", "nb", "nds", "nl",
                "pt_BR", "ru", "tn", "uk")),
    *(("speech", False, f"voice {c}", f"{HEDGE}/Sounds/voices/{c}/*.ogg", 3, True)
      for c in ("British", "Default", "Default_es", "Default_pl", "Default_uk", "HillBilly", "Mobster", "Pirate",
                "Russian", "Surfer")),
    ("speech", True, "IVR ru", "asterisk-core-sounds-ru-wav/**/ru_RU_f_IvrvoiceRU/*.wav", 8, True),
    ("speech", True, "Menardi", "asterisk-prompt-it-menardi-wav/**/it_IT_f_Menardi/*.wav", 8, True),
    ("speech", True, "librivox", "pocketsphinx-testdata/**/librivox/*.wav", 5, False),
    ("speech", True, "cards", "pocketsphinx-testdata/**/cards/*.wav", 2, True),
    *(("speech", True, f"Czech actors {c}", f"fillets-ng-data-cs/**/sound/{c}/cs/*.ogg", 2, True)
      for c in ("atlantis", "barrel", "briefcase", "cabin1", "alibaba", "bathroom")),
    ("music", False, "wesnoth", "wesnoth-1.16-music/**/*.ogg", 80, False),
    ("music", False, "supertux", f"{TUX}/music/**/*.ogg", 80, False),
    ("music", False, "asc", "asc-music/**/*.mp3", 6, False),
    ("music", False, "frozen-bubble", "frozen-bubble-data/**/*zik*.ogg", 6, False),
    ("music", False, "hedgewars", f"{HEDGE}/Music/[!p]*.ogg", 40, False),  # the pirates' piece has minutes of sea
    ("music", False, "xmoto", "xmoto-data/**/*.ogg", 14, False),
    ("music", False, "singularity", "singularity-music/**/*.ogg", 26, False),
    ("music", True, "warzone", "warzone2100-music/**/*.*", 30, False),
    ("music", True, "fillets", "fillets-ng-data/**/music/*.ogg", 15, False),
    ("music", True, "lincity", "lincity-ng-data/**/music/**/*.ogg", 3, False),
    ("music", True, "racer", "extremetuxracer-data/**/music/*.ogg", 10, False),
    ("music", True, "trackballs", "trackballs-data/**/music/*.ogg", 9, False),
    ("other", False, "wesnoth", f"{WESNOTH}/[!f]*.*", 45, True),
    ("other", False, "ambient", f"{WESNOTH}/ambient/[bcmns]*.ogg", 14, False),
    ("other", False, "supertux", f"{TUX}/sounds/*.*", 24, True),
    ("other", False, "supertux long", f"{TUX}/sounds/[rwtlfs]*.wav", 30, False),
    ("other", False, "tuxpaint", "tuxpaint-data/**/[bcefklmprst]*.wav", 8, True),
    ("other", False, "minetest", "minetest-data/**/*_game/**/*.ogg", 24, True),
    ("other", False, "minetest long", "minetest-data/**/*_game/**/*[ewf][ni][vr][_e]*.ogg", 24, False),
    ("other", False, "hedgewars", f"{HEDGE}/Sounds/*.ogg", 20, True),
    ("other", True, "freedesktop", "sound-theme-freedesktop/**/[!a]*.oga", 26, False),
    ("other", True, "lincity", "lincity-ng-data/**/sounds/*.wav", 45, False),
    ("other", True, "pingus", "pingus-data/**/sounds/[cpst]*.wav", 4, True),  # the others are words
    ("other", True, "rescue", "searchandrescue-data/**/sounds/[!c]*.wav", 30, False),
    ("other", True, "trackballs", "trackballs-data/**/sfx/*.*", 5, True),
]  # fmt: skip
TEXTS = (
    "The ship left the harbour early in the morning, and nobody waved. I had forgotten how quiet the sea can be.",
    "Please check the figures in the second table before Thursday; two of them seem to be wrong by a factor of ten.",
    "Once upon a time a miller had three sons. When he died he left them his mill, his donkey and his cat.",
    "In the afternoon light rain is expected in the north, while the south stays dry with some sun and weak winds.",
)
VOICES = {  # of espeak-ng
    False: (
        "en-us", "de", "fr-fr", "es", "it", "pl", "nl", "sv", "cs", "fi", "tr", "el", "en-gb+f2", "en-us+m3",
        "en-us+f4", "de+m4", "es+f1", "pt", "hu", "ro", "id", "en-gb-scotland", "ru", "da", "hr", "nb", "af",
        "lt", "sk", "sl", "cy",
    ),
    True: (
        "bg", "bs+f3", "ca", "et+m2", "ka", "lv+f5", "mk", "sq", "sr+m7", "sw", "ta+f2", "vi", "en-gb-x-rp+m6",
        "en-us-nyc+f1",
    ),
}  # fmt: skip
PROGRAMS = {  # of General MIDI
    False: (
        0,
        4,
        6,
        11,
        13,
        16,
        19,
        24,
        25,
        27,
        30,
        33,
        38,
        40,
        42,
        46,
        48,
        50,
        53,
        56,
        60,
        61,
        65,
        68,
        71,
        75,
        81,
        89,
        105,
    ),
    True: (1, 7, 9, 12, 21, 26, 29, 32, 41, 43, 45, 52, 57, 66, 69, 73, 74, 79, 104, 108),
}  # fmt: skip


@dataclass(frozen=True)
class Clip:
    """Mono samples at 16 kHz, shares of speech, music and other that it should be called, and where it comes from."""

    samples: Samples
    target: tuple[float, float, float]
    group: str


TARGETS = {"speech": (1.0, 0.0, 0.0), "music": (0.0, 1.0, 0.0), "other": (0.0, 0.0, 1.0)}


def clips(data: Path, test: bool, rng: np.random.Generator) -> Iterator[Clip]:
    """Every clip of the training or of the test set, mixtures last."""
    made: dict[str, list[Clip]] = {"speech": [], "music": [], "other": []}
    for label, in_test, group, pattern, count, joined in RECORDINGS:
        if in_test == test:
            files = sorted(
                path for path in data.glob(pattern) if path.suffix in (".wav", ".ogg", ".oga", ".mp3", ".opus")
            )
            if not files:
                raise SystemExit(f"no files {pattern} in {data}")
            source = _joined(files, count, rng) if joined else _excerpts(files, count, rng)
            made[label] += [Clip(samples, TARGETS[label], f"{label}: {group}") for samples in source]
    made["speech"] += [Clip(s, TARGETS["speech"], f"speech: {group}") for s, group in _spoken(data, test, rng)]
    made["music"] += [Clip(s, TARGETS["music"], f"music: {group}") for s, group in _played(data, test, rng)]
    made["other"] += [Clip(s, TARGETS["other"], f"other: {group}") for s, group in _noises(test, rng)]
    for made_clips in made.values():
        yield from made_clips
    yield from _mixtures(made, test, rng)


def _read(path: Path, start: float = 0, stop: float = 25) -> Samples:
    try:
        blocks = list(Audio.from_file(path).blocks(rate=RATE, channels=1, start=start, stop=stop))
    except InputError:
        return np.zeros(0, np.float32)
    return np.concatenate(blocks)[:, 0] if blocks else np.zeros(0, np.float32)


def _joined(files: list[Path], count: int, rng: np.random.Generator) -> Iterator[Samples]:
    """Clips of 4 to 25 s, each of several files with pauses between them."""
    order = [files[i] for i in rng.permutation(len(files))]
    for number in range(count):
        wanted, parts, length = rng.uniform(4, 25) * RATE, [], 0
        for path in order[number::count] + list(rng.permutation(np.array(order, object))):
            sound = _read(path)
            parts += [sound, np.zeros(int(rng.uniform(0.05, 0.7) * RATE), np.float32)]
            length += len(sound)
            if length > wanted:
                break
        yield np.concatenate(parts)


def _excerpts(files: list[Path], count: int, rng: np.random.Generator) -> Iterator[Samples]:
    """Excerpts of up to 20 s, files in turn; what is shorter than 0.4 s is left out."""
    for number in range(count):
        path = files[number % len(files)]
        start = rng.uniform(0, max(0.0, Audio.from_file(path).duration - 20))
        samples = _read(path, start, start + 20)
        if len(samples) > 0.4 * RATE:
            yield samples


def _integers(raw: bytes) -> Samples:
    """16-bit samples as floats."""
    return np.asarray(np.frombuffer(raw, "<i2") / 32768, np.float32)


def _spoken(data: Path, test: bool, rng: np.random.Generator) -> Iterator[tuple[Samples, str]]:
    """espeak-ng in several languages, and in the test set the raw recordings of pocketsphinx."""
    for number, voice in enumerate(VOICES[test]):
        command = ["espeak-ng", "-v", voice, "-s", str(rng.integers(120, 220)), "--stdout", TEXTS[number % len(TEXTS)]]
        raw = subprocess.run(command, check=True, capture_output=True).stdout
        samples = _integers(raw[44:])
        blocks = Audio.from_array(samples, int.from_bytes(raw[24:28], "little")).array(rate=RATE)
        yield blocks[:, 0], f"espeak {voice}"
    for path in sorted(data.glob("pocketsphinx-testdata/**/*.raw")) if test else []:
        yield _integers(path.read_bytes()), f"recording {path.stem}"
    for path in sorted(data.glob(f"kokoro/{'test' if test else 'train'}/*.wav")):  # made beforehand, if at all
        yield _read(path), f"kokoro {path.stem.rpartition('-')[0]}"


def _played(data: Path, test: bool, rng: np.random.Generator) -> Iterator[tuple[Samples, str]]:
    """Random tunes on one instrument, bands of several, drums alone; melodies of plain tones."""
    import midirenderer

    font = next(data.glob("fluid-soundfont-gm/**/FluidR3_GM.sf2")).read_bytes()
    programs = PROGRAMS[test]
    bands: list[tuple[int, ...]] = [(program,) for program in programs]
    bands += [tuple(int(p) for p in rng.choice(programs, 3)) for _ in range(len(programs) // 2)]
    bands += [()] * (4 if test else 10)  # drums alone
    for number, band in enumerate(bands if test else bands * 2):
        song = tune(band, rng, drums=not band or (len(band) > 1 and rng.random() < 0.6))
        raw = midirenderer.render_wave_from(font, song)
        samples = _integers(raw[44:]).reshape(-1, 2)
        rendered = Audio.from_array(samples, int.from_bytes(raw[24:28], "little")).array(rate=RATE, channels=1)[:, 0]
        if rendered.std() < 1e-3:  # notes below the instrument's range
            continue
        yield rendered, "drums" if not band else f"midi {band[0]}" if len(band) == 1 else f"band {number}"
    for number in range(5 if test else 15):
        yield melody(rng), f"tones {number}"


def tune(programs: tuple[int, ...], rng: np.random.Generator, *, drums: bool) -> bytes:
    """A MIDI file of about 15 s: the first program has a melody, the others chords; chords also alone."""
    song = mido.MidiFile(ticks_per_beat=480)
    tempo, key = int(mido.bpm2tempo(rng.uniform(60, 160))), int(rng.integers(0, 12))
    scale = np.array([0, 2, 4, 5, 7, 9, 11] if rng.random() < 0.5 else [0, 2, 3, 5, 7, 8, 10])
    beats = int(15 / (tempo / 1e6))
    for channel, program in enumerate(programs):
        track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=tempo)])
        track.append(mido.Message("program_change", channel=channel, program=int(program)))
        chords = channel > 0 or (len(programs) == 1 and rng.random() < 0.3)
        step, beat = int(rng.integers(0, 7)), 0.0
        lowest = int(rng.choice([36, 48, 60, 60, 72]))
        while beat < beats:
            length = float(rng.choice([2, 4])) if chords else float(rng.choice([0.25, 0.5, 0.5, 1, 1, 2]))
            step = int(np.clip(step + rng.integers(-3, 4), -7, 10))
            degrees = (step, step + 2, step + 4) if chords else (step,)
            notes = [lowest - 12 * chords + key + 12 * (d // 7) + int(scale[d % 7]) for d in degrees]
            velocity, rest = int(rng.integers(60, 115)), rng.random() < 0.1
            for note in notes:
                track.append(mido.Message("note_on", channel=channel, note=note, velocity=0 if rest else velocity))
            for place, note in enumerate(notes):
                ticks = int(480 * length) if place == 0 else 0
                track.append(mido.Message("note_off", channel=channel, note=note, time=ticks))
            beat += length
        song.tracks.append(track)
    if drums:
        song.tracks.append(_drums(tempo, beats, rng))
    file = io.BytesIO()
    song.save(file=file)
    return file.getvalue()


def _drums(tempo: int, beats: int, rng: np.random.Generator) -> mido.MidiTrack:
    """A pattern of one bar, repeated with small changes."""
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=tempo)])
    hits = rng.random((3, 8)) < np.array([[0.35], [0.25], [0.8]])
    hits[0, 0] = True
    for beat in range(2 * beats):
        struck = [n for n, line in zip((36, 38, 42), hits, strict=True) if line[beat % 8] != (rng.random() < 0.06)]
        for note in struck:
            track.append(mido.Message("note_on", channel=9, note=note, velocity=int(rng.integers(70, 120))))
        track.append(mido.Message("note_off", channel=9, note=36, time=240))
    return track


def melody(rng: np.random.Generator, seconds: float = 12) -> Samples:
    """Notes of a scale as tones with a few partials and a decay."""
    partials = rng.uniform(0, 1, 6) ** 2
    parts: list[NDArray[np.float64]] = []
    base = 220 * 2 ** (rng.integers(0, 12) / 12)
    while sum(len(part) for part in parts) < seconds * RATE:
        time = np.arange(int(float(rng.choice([0.2, 0.3, 0.3, 0.6])) * RATE)) / RATE
        pitch = base * 2 ** (float(rng.choice([0, 2, 4, 5, 7, 9, 11, 12])) / 12)
        tone = sum(a * np.sin(2 * np.pi * pitch * (k + 1) * time) for k, a in enumerate(partials))
        parts.append(tone * np.exp(-time * rng.uniform(1, 5)) * np.minimum(1, time * 200))
    return (0.2 * np.concatenate(parts)).astype(np.float32)


def _noises(test: bool, rng: np.random.Generator) -> Iterator[tuple[Samples, str]]:
    """Synthetic sounds of every kind in `NOISES`, several of each."""
    from probe_audio_noises import HELD_OUT, NOISES

    for name, make in NOISES.items():
        if name in HELD_OUT and not test:
            continue
        for _ in range(2 if test else 14):
            yield make(rng, rng.uniform(3, 12)).astype(np.float32), f"{name}{' (test)' if test else ''}"


def _mixtures(made: dict[str, list[Clip]], test: bool, rng: np.random.Generator) -> Iterator[Clip]:
    """Speech over music of about the same loudness (neither answer: half of each); speech in noise (speech)."""
    for _ in range(40 if test else 300):
        speech, music = (made[k][int(rng.integers(len(made[k])))] for k in ("speech", "music"))
        mixed = blend(speech.samples, music.samples, rng.uniform(-6, 6) if test else rng.uniform(-8, 8))
        yield Clip(mixed, (0.5, 0.5, 0.0), f"speech over music ({speech.group}, {music.group})")
    hisses = ("noise", "rain", "wind", "hum", "ambient")
    noisy = [clip for clip in made["other"] if any(name in clip.group for name in hisses)]
    for _ in range(12 if test else 350):
        speech, noise = (group[int(rng.integers(len(group)))] for group in (made["speech"], noisy))
        mixed = blend(speech.samples, noise.samples, rng.uniform(8, 25) if test else rng.uniform(8, 40))
        yield Clip(mixed, TARGETS["speech"], f"{speech.group} in noise")


def blend(first: Samples, second: Samples, decibels: float) -> Samples:
    """The first, `decibels` louder than the second, which is repeated to its length."""
    loops = np.resize(second, len(first))
    power = np.sqrt(np.mean(first**2) / (np.mean(loops**2) + 1e-12))
    return np.asarray(first + loops * power * 10 ** (-decibels / 20), np.float32)
