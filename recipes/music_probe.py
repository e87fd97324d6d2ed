"""Which instrument, key and tempo a clip has: measured on generated music, learned from other sound fonts.

    python -m recipes.music_probe TIM --font TimGM6mb.sf2 [--codec RUN]      gathers clips of a sound font
    python -m recipes.music_probe FOLDER --data TIM GMBANK [--test REAL]     learns from them

The instruments of the probe come from four sound fonts that the generator never heard, worn by filters, noise and other
levels, and with `--codec` also as the numbers of a painter and Griffin-Lim give them back; so it cannot have learned
how FluidR3 sounds, and knows what painting does to any sound. Sound fonts differ as wholes more than their instruments
do, so a timbre is taken relative to the mean of the clips that are judged with it (centre). Key and tempo come from
chroma and from the onset's autocorrelation, each read by a small network learned from the same clips. `--test` says how
often it is right on clips of the generator's own sound font: the ceiling of what can be measured with it.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from recipes.music_data import COLUMNS, HOP, PROGRAMS, RATE, ROWS, Piece, compose, draw, pixels
from recipes.music_diffusion import pieces, read_codec
from transpose.core.context import Context
from transpose.media.audio import Audio
from transpose.media.image import Image
from transpose.media.spectrogram import TAG, SpectrogramParameters, stft
from transpose.models.diffusion.sound import Codec
from transpose.transforms.play import play
from transpose.transforms.sound_from_spectrogram import sound_from_spectrogram

Array = NDArray[np.float32]
FRAMES = RATE / HOP  # a second
BANDS = 48
LAGS = np.geomspace(60 / 230, 60 / 26, 160) * FRAMES  # columns
TEMPI = np.geomspace(54, 176, 60)  # classes: 2 % apart
HIDDEN = 192
READERS = ("instrument", "key", "tempo")
LONG = 8192  # samples of a window that tells semitones apart


def bands() -> Array:
    """(ROWS, BANDS): triangles that are evenly spaced in mel."""
    hertz = np.arange(ROWS) * RATE / (2 * ROWS)
    mel = 2595 * np.log10(1 + hertz / 700)
    centres = np.linspace(mel[2], mel[-1], BANDS + 2)
    shape = 1 - np.abs(mel[:, None] - centres[None, 1:-1]) / (centres[1] - centres[0])
    weights = np.maximum(shape, 0)
    return np.asarray(weights / np.maximum(weights.sum(0), 1e-6), np.float32)


def chroma_map() -> Array:
    """(LONG // 2 + 1, 3 * 12): the pitch class of each frequency of a long window, for low, middle and high notes."""
    hertz = np.maximum(np.arange(LONG // 2 + 1), 0.5) * RATE / LONG
    pitch = 69 + 12 * np.log2(hertz / 440)
    out = np.zeros((len(hertz), 3, 12), np.float32)
    for near in range(12):
        weight = np.exp(-((np.abs((pitch - near + 6) % 12 - 6) / 0.3) ** 2))
        for part, (low, high) in enumerate(((30, 52), (52, 68), (68, 92))):
            out[:, part, near] = weight * ((pitch >= low) & (pitch < high))
    return out.reshape(len(hertz), 36)


BAND, CHROMA = bands(), chroma_map()


@dataclass(frozen=True, slots=True)
class Heard:
    """What is measured of a clip: a row for each reader."""

    timbre: Array
    harmony: Array
    pulse: Array


def hear(samples: Array, rng: np.random.Generator | None = None) -> Heard:
    """10 s of mono samples at 22,050 Hz; with `rng` as another loudspeaker would give them."""
    if rng is not None:
        samples = samples * np.float32(rng.uniform(0.3, 1)) + np.float32(0.003 * rng.random()) * rng.standard_normal(
            len(samples)
        ).astype(np.float32)
    padded = np.pad(samples, (0, max(0, COLUMNS * HOP - len(samples))))
    picture = (pixels(padded) / 255).astype(np.float32)
    return Heard(timbre(picture if rng is None else worn(picture, rng)), harmony(samples), pulse(picture))


def timbre(picture: Array) -> Array:
    """(columns, ROWS), 0..1 -> how the bands lie, move and spread: (7 * BANDS)."""
    spectrum = picture @ BAND
    spectrum = spectrum - spectrum.mean() + 0.3  # whatever its level
    rise = np.diff(spectrum, axis=0)
    far = spectrum[8:] - spectrum[:-8]
    peaky = ((picture**2) @ BAND) ** 0.5 - picture @ BAND  # tones stand out, noise does not
    parts = (spectrum.mean(0), spectrum.std(0), np.quantile(spectrum, 0.9, axis=0), np.abs(rise).mean(0),
             np.maximum(far, 0).mean(0), np.quantile(far, 0.97, axis=0), peaky.mean(0))  # fmt: skip
    return np.concatenate(parts).astype(np.float32)


def harmony(samples: Array) -> Array:
    """Mono samples -> chroma of low, middle, high notes, of the first seconds and in all: (72)."""
    magnitude = np.abs(stft(samples[: RATE * 10], LONG, LONG // 4))
    power = np.maximum(magnitude - 0.1 * magnitude.max(1, keepdims=True), 0) ** 0.7
    parts = [power.mean(0) @ CHROMA, power[:12].mean(0) @ CHROMA]
    both = [part / max(float(part.sum()), 1e-6) for each in parts for part in each.reshape(3, 12)]
    return np.asarray(np.concatenate(both), np.float32)


def pulse(picture: Array) -> Array:
    """(columns, ROWS) -> autocorrelation of the onsets at `LAGS`, of all rows and of the low ones: (2 * 160)."""
    found = []
    for part in (picture, picture[:, :24]):
        rise = np.maximum(part[2:] - part[:-2], 0).mean(1)
        rise = np.maximum(rise - np.convolve(rise, np.ones(43) / 43, "same"), 0)
        size = 2048
        power = np.abs(np.fft.rfft(rise - rise.mean(), size)) ** 2
        auto = np.fft.irfft(power)[: size // 2] / np.maximum(len(rise) - np.arange(size // 2), 200)
        found.append(np.interp(LAGS, np.arange(size // 2), auto / max(float(auto[0]), 1e-9)))
    return np.concatenate(found).astype(np.float32)


def worn(picture: Array, rng: np.random.Generator) -> Array:
    """The same clip through another loudspeaker: tilt, humps, noise floor, smear of one column."""
    x = np.linspace(0, 1, ROWS, dtype=np.float32)
    tilt = rng.uniform(-0.15, 0.15) * x + rng.uniform(-0.08, 0.08) * np.sin(x * rng.uniform(3, 14) + rng.uniform(0, 6))
    out = picture * (1 + tilt) * rng.uniform(0.85, 1.15)
    out = np.maximum(out, rng.uniform(0, 0.06) * rng.random(picture.shape, np.float32) * 2)
    if rng.random() < 0.4:
        out = (out + np.roll(out, 1, 0) + np.roll(out, -1, 0)) / 3
    return np.clip(out, 0, 1).astype(np.float32)


def reader(inputs: int, classes: int) -> nn.Sequential:
    """A network of two hidden layers."""
    return nn.Sequential(
        nn.Linear(inputs, HIDDEN), nn.GELU(), nn.Dropout(0.3), nn.Linear(HIDDEN, HIDDEN), nn.GELU(), nn.Dropout(0.3),
        nn.Linear(HIDDEN, classes),
    )  # fmt: skip


@dataclass(slots=True)
class Reader:
    """A network and the scale of what it reads."""

    network: nn.Sequential
    mean: Tensor
    spread: Tensor

    def __call__(self, rows: Array) -> Array:
        """Features (n, f) -> probabilities (n, classes)."""
        with torch.no_grad():
            found = self.network.eval()((torch.from_numpy(rows) - self.mean) / self.spread).softmax(1)
        return np.asarray(found.numpy(), np.float32)


def fit(rows: Array, targets: Array, *, steps: int = 1500, seed: int = 0) -> Reader:
    """Learn soft targets (n, classes) from features (n, f)."""
    torch.manual_seed(seed)
    x = torch.from_numpy(rows)
    mean, spread = x.mean(0), x.std(0) + 0.02 * float(x.std())
    x, y = (x - mean) / spread, torch.from_numpy(targets)
    network = reader(x.shape[1], y.shape[1])
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for _ in range(steps):
        some = torch.randint(len(x), (256,))
        noisy = x[some] + 0.15 * torch.randn_like(x[some])
        loss = nn.functional.cross_entropy(network(noisy), y[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return Reader(network, mean, spread)


@dataclass(slots=True)
class Probe:
    """Three readers."""

    instrument: Reader
    key: Reader
    tempo: Reader

    def instruments(self, heard: list[Heard], centre: Array) -> Array:
        """Probabilities (n, programs); `centre` is that of a set of clips of all instruments, as they are here."""
        return self.instrument(np.stack([each.timbre for each in heard]) - centre)

    def keys(self, heard: list[Heard]) -> Array:
        """Probabilities (n, 24): major 0..11, minor 12..23."""
        return self.key(np.stack([each.harmony for each in heard]))

    def tempi(self, heard: list[Heard]) -> NDArray[np.float64]:
        """Beats a minute (n): the mean of the classes around the likeliest."""
        shares = self.tempo(np.stack([each.pulse for each in heard]))
        near = np.abs(np.arange(len(TEMPI))[None] - shares.argmax(1)[:, None]) <= 1
        weights = shares * near
        return np.asarray(np.exp((weights * np.log(TEMPI)).sum(1) / weights.sum(1)), np.float64)


def centre_of(heard: list[Heard]) -> Array:
    """The mean timbre of clips."""
    return np.asarray(np.mean([each.timbre for each in heard], axis=0), np.float32)


def targets(known: list[Piece]) -> tuple[Array, Array, Array]:
    """Instrument, key, tempo as soft targets."""
    instrument = np.stack([np.eye(len(PROGRAMS))[PROGRAMS.index(each.program)] for each in known])
    key = np.stack([np.eye(24)[each.root + 12 * (each.mode == "minor")] for each in known])
    distance = np.abs(np.log(np.array([each.tempo for each in known])[:, None] / TEMPI[None])) / np.log(
        TEMPI[1] / TEMPI[0]
    )
    tempo = np.maximum(1 - distance, 0) + 1e-6
    tempo = tempo / tempo.sum(1, keepdims=True)
    return tuple(each.astype(np.float32) for each in (instrument, key, tempo))  # type: ignore[return-value]


def sound_of(clip: NDArray[np.uint8]) -> Audio:
    """A clip's pixels (COLUMNS, ROWS) as sound, by Griffin-Lim."""
    made = SpectrogramParameters(samples=(COLUMNS - 1) * HOP + 1, peak=40.0, hop=HOP)
    image = Image(np.ascontiguousarray(clip.T[::-1, :, None]), {TAG: made.tag()})
    sound: Audio = sound_from_spectrogram(image, Context())
    return sound


def painted(samples: Array, codec: Codec) -> Array:
    """The same clip as a painter of that codec would give it back, were every number right."""
    picture = pixels(np.pad(samples, (0, max(0, COLUMNS * HOP - len(samples)))))
    back = codec.decode(codec.encode(picture / np.float32(255)))
    return sound_of(np.rint(255 * back.clip(0, 1)).astype(np.uint8)).array(rate=RATE, channels=1)[:, 0]


def gather(
    folder: Path, font: str, count: int, seed: int, ctx: Context, codec: Codec | None, *, held_out: bool = False
) -> None:
    """Render pieces with a sound font, hear each as it is, twice worn and perhaps painted, and store what was heard.

    Held-out clips are for testing and are heard once: painted where there is a codec.
    """
    rng = np.random.default_rng(seed)
    rows: list[Heard] = []
    known: list[Piece] = []
    for _ in range(count):
        piece = draw(rng, held_out=held_out)
        start = float(rng.choice([0, 0.5, rng.random()])) * 240 / piece.tempo
        sound = play(compose(piece, 11 + start), ctx, soundfont=font).array(rate=RATE, channels=1)[:, 0]
        samples = sound[round(start * RATE) :][: COLUMNS * HOP]
        ways = [] if held_out and codec is not None else [hear(samples)]
        if not held_out:
            ways += [hear(samples, rng), hear(samples, rng)]
        if codec is not None:
            ways.append(hear(painted(samples, codec)))
        rows += ways
        known += [piece] * len(ways)
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: np.stack([getattr(row, name) for row in rows]) for name in ("timbre", "harmony", "pulse")}
    np.savez(folder / "heard.npz", **parts)  # type: ignore[arg-type]
    (folder / "clips.jsonl").write_text("".join(json.dumps(asdict(piece)) + "\n" for piece in known))


def stored(folder: Path) -> tuple[list[Heard], list[Piece]]:
    """What `gather` stored."""
    with np.load(folder / "heard.npz") as file:
        heard = [Heard(*each) for each in zip(file["timbre"], file["harmony"], file["pulse"], strict=True)]
    return heard, pieces(folder)


def learn(folders: list[Path]) -> Probe:
    """The probe from clips of other sound fonts; keys are turned through all roots."""
    both = [stored(folder) for folder in folders]
    heard = [each for part, _ in both for each in part]
    instrument, key, tempo = targets([piece for _, part in both for piece in part])
    turned = [_turned(np.stack([each.harmony for each in heard]), key, step) for step in range(12)]
    return Probe(
        fit(
            np.concatenate([np.stack([each.timbre for each in part]) - centre_of(part) for part, _ in both]), instrument
        ),
        fit(np.concatenate([each[0] for each in turned]), np.concatenate([each[1] for each in turned]), steps=2500),
        fit(np.stack([each.pulse for each in heard]), tempo, steps=2500),
    )


def _turned(rows: Array, key: Array, step: int) -> tuple[Array, Array]:
    """Chroma and keys, all some semitones higher."""
    higher = np.roll(rows.reshape(len(rows), 6, 12), step, axis=2).reshape(len(rows), -1)
    return higher, np.roll(key.reshape(len(key), 2, 12), step, axis=2).reshape(len(key), 24)


def right(probe: Probe, heard: list[Heard], known: list[Piece]) -> dict[str, float]:
    """Shares of clips whose instrument, root, key and tempo (within 5 %; also at half or double) are as wished."""
    programs = [PROGRAMS[n] for n in probe.instruments(heard, centre_of(heard)).argmax(1)]
    keys, tempi = probe.keys(heard).argmax(1), probe.tempi(heard)
    wanted = np.array([each.tempo for each in known])
    octave = np.abs(np.log2(tempi / wanted) - np.round(np.log2(tempi / wanted)))
    return {
        "instrument": float(np.mean([a == b.program for a, b in zip(programs, known, strict=True)])),
        "root": float(np.mean([a % 12 == b.root for a, b in zip(keys, known, strict=True)])),
        "key": float(np.mean([a == b.root + 12 * (b.mode == "minor") for a, b in zip(keys, known, strict=True)])),
        "tempo": float(np.mean(np.abs(tempi / wanted - 1) <= 0.05)),
        "tempo_or_octave": float(np.mean(octave <= np.log2(1.05))),
    }


def main() -> None:
    """Gather clips of a sound font, or learn from what was gathered and say how good it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--font", help="gather clips of this sound font; empty: the product's own")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--codec", type=Path, help="a folder of music_diffusion's: clips are also heard painted")
    parser.add_argument("--held-out", action="store_true", help="clips to test with, of combinations never learned")
    parser.add_argument("--weights", type=Path, help="a folder of pulled models")
    parser.add_argument("--data", type=Path, nargs="+")
    parser.add_argument("--test", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    ctx = Context(threads=1, weights=lambda name: given.weights / name)
    if given.data is None:
        codec = read_codec(given.codec) if given.codec else None
        gather(given.folder, given.font, given.count, given.seed, ctx, codec, held_out=given.held_out)
        return
    probe = learn(given.data)
    given.folder.mkdir(parents=True, exist_ok=True)
    write_probe(probe, given.folder / "probe.safetensors")
    if given.test:
        print(json.dumps({name: round(value, 3) for name, value in right(probe, *stored(given.test)).items()}))


def write_probe(probe: Probe, path: Path) -> None:
    """The weights of the three readers, with the mean and the spread of what they read."""
    parts = ((name, getattr(probe, name)) for name in READERS)
    tensors = {
        f"{name}.{key}": each.contiguous()
        for name, one in parts
        for key, each in {**one.network.state_dict(), "mean": one.mean, "spread": one.spread}.items()
    }
    save_file(tensors, path)


def read_probe(path: Path) -> Probe:
    """What `write_probe` stored."""
    tensors = load_file(path)
    readers = []
    for name in READERS:
        weights = {key.partition(".")[2]: each for key, each in tensors.items() if key.startswith(f"{name}.")}
        mean, spread = weights.pop("mean"), weights.pop("spread")
        network = reader(weights["0.weight"].shape[1], weights["6.weight"].shape[0])
        network.load_state_dict(weights)
        readers.append(Reader(network, mean, spread))
    return Probe(*readers)


if __name__ == "__main__":
    main()
