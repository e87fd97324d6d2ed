"""Spectrograms as short rows of numbers that a small network can make, and pictures longer than the network.

A token is some columns of a spectrogram, 186 ms, of which a principal component analysis (Pearson 1901; learned
once, from clips of music) keeps a few hundred numbers of some thousands; what it leaves out is mostly the speckle of
chance phases. The network therefore never has to predict noise of more dimensions than it is wide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.core.errors import DamagedWeights
from transpose.media.general_midi import NAMES
from transpose.media.image import Image
from transpose.media.spectrogram import TAG, SpectrogramParameters
from transpose.media.wish import FIELDS, Wish, read_wish, settled, wish_tokens
from transpose.models.diffusion.beats import beat_tokens
from transpose.models.diffusion.denoiser import Denoiser, open_denoiser
from transpose.models.diffusion.generate import Condition, blend
from transpose.models.diffusion.settings import HINT, Json, Settings
from transpose.models.onnx_graph import read_tensor, safetensors_index

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]
    Course = Callable[[int], tuple[Array, Array]]

CODEC = "codec.safetensors"
GUIDANCE = 4.0  # from 3 to 6 it makes no difference that 120 prompts could tell
GUIDED_ABOVE = 0.5  # time; guidance to the end costs a quarter more work, and root and key are right less often
LOUDNESS = 0.1  # root mean square of a painted sound
ENERGY = 0.375  # mean square of the Hann window
# instruments that the network has not learned are played by the nearest it has, by families of eight programs
NEAREST = (
    "0 0 0 0 0 0 6 6  10 10 10 12 12 12 12 24  19 19 19 19 21 21 21 21  24 24 24 24 24 30 30 30  24 24 24 24 24 24 24 "
    "24 40 42 42 42 48 46 46 12  48 48 48 48 52 52 52 48  56 56 56 56 56 56 56 56  71 71 71 71 71 71 71 71 "
    "73 73 73 73 73 73 73 73  30 30 73 73 30 52 30 30  48 48 48 52 48 12 52 48  52 48 10 24 10 52 52 52 "
    "24 24 24 24 10 21 40 71  10 12 12 12 12 12 12 12  24 73 48 73 73 48 48 12"
).split()
PLAYED_AS = {"waltz": "chords", "march": "chords", "hymn": "chords", "ballad": "melody", "lullaby": "arpeggio",
             "jig": "melody", "reel": "melody", "ostinato": "arpeggio"}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Codec:
    """Tokens of `columns` columns of `rows` numbers. `mean` (columns * rows), `basis` (that, D), `scale` (D)."""

    mean: Array
    basis: Array
    scale: Array
    columns: int
    rows: int

    def encode(self, levels: Array) -> Array:
        """Levels (n, rows), 0..1, the lowest frequency first -> numbers (D, tokens), mostly in -1..1.

        Where n is no multiple of `columns`, silence is put behind it.
        """
        import numpy as np

        padded = np.pad(levels, ((0, -len(levels) % self.columns), (0, 0)))
        flat = padded.reshape(-1, self.columns * self.rows) - self.mean
        return np.ascontiguousarray((flat @ self.basis / self.scale).T, np.float32)

    def decode(self, numbers: Array) -> Array:
        """Numbers (D, tokens) -> levels (tokens * columns, rows), 0..1."""
        import numpy as np

        flat = (numbers.T * self.scale) @ self.basis.T + self.mean
        return np.clip(flat.reshape(-1, self.rows), 0, 1).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Painter:
    """A diffusion model of spectrograms: its network, and the codec between its numbers and pictures."""

    denoiser: Denoiser
    codec: Codec

    @property
    def hop(self) -> int:
        """Samples from one column to the next."""
        return whole(self.denoiser.settings.labels, "hop")

    @property
    def rate(self) -> int:
        """Samples a second."""
        return whole(self.denoiser.settings.labels, "rate")

    @property
    def token(self) -> float:
        """Seconds of a token."""
        return self.codec.columns * self.hop / self.rate

    @property
    def width(self) -> int:
        """Tokens that the network sees at once."""
        return self.denoiser.settings.network.width

    def picture(self, numbers: Array, samples: int) -> Image:
        """Numbers (D, tokens) as a spectrogram of a sound of so many samples, as loud as `LOUDNESS`."""
        import numpy as np

        columns = 1 + samples // self.hop
        levels = self.codec.decode(numbers)
        levels[:, 0] = 0  # below hearing
        levels = np.pad(levels, ((0, max(0, columns - len(levels))), (0, 0)), mode="edge")[:columns]
        energy = float(np.mean(np.sum(levels.astype(np.float64) ** 8, axis=1)))  # of a peak of 1; Parseval
        window = 2 * self.codec.rows
        peak = LOUDNESS * window * (ENERGY / 2 / max(energy, 1e-9)) ** 0.5
        made = SpectrogramParameters(samples=samples, peak=peak, rate=self.rate, window=window, hop=self.hop)
        pixels = np.round(255 * levels).astype(np.uint8).T[::-1, :, None]
        return Image(np.ascontiguousarray(pixels), {TAG: made.tag()})

    def levels(self, image: Image) -> Array:
        """What `Codec.encode` takes, of a spectrogram made with the same parameters."""
        import numpy as np

        grey = image.pixels[..., 0][::-1].T.astype(np.float32) / 255
        return np.ascontiguousarray(grey)

    def condition(self, wish: Wish, start: float = 0.0, *, beats: bool = True) -> Condition:
        """What the network reads of a wish, for a window that begins `start` seconds after a bar does.

        `beats` tells it where they fall; without, the music has a tempo and no place for its beats.
        """
        import numpy as np

        tokens, mask = wish_tokens(wish)
        count = self.denoiser.settings.network.aligned
        grid = beat_tokens(wish.tempo if beats else None, count, self.token, -start)
        return Condition(np.concatenate([tokens, grid]), np.concatenate([mask, np.ones(count, np.float32)]))

    def course(self, wish: Wish, start: float = 0.0, other: Wish | None = None, tokens: int = 0) -> Course:
        """For `Windows.along`: the conditions of windows from a token on, of a sound that begins `start` into a bar.

        With `other` the sound is a loop of so many tokens, which goes over into it and comes back. Both have the tempo
        of the first: a loop has one.
        """
        other = replace(other, tempo=wish.tempo) if other else None

        def along(token: int) -> tuple[Array, Array]:
            mixed = self.condition(wish, start + token * self.token)
            if other:
                weight = 1 - abs(2 * ((token + self.width / 2) / tokens % 1) - 1)
                mixed = blend([(mixed, 1 - weight), (self.condition(other, start + token * self.token), weight)])
            return mixed.tokens, mixed.mask

        return along

    def read(self, text: str, ctx: Context, role: str = "asked for") -> Wish:
        """The wish in a prompt, as far as this network knows it, noted as `role`. Warns of what it passes over."""
        labels, told = self.denoiser.settings.labels, read_wish(text)
        wish = settled(told)
        tempo, slowest, fastest = wish.tempo, whole(labels, "slowest"), whole(labels, "fastest")
        if told.unread:
            ctx.warn(f"not understood in {text!r}: {', '.join(told.unread)}")
        if not told.known():
            ctx.warn(f"nothing in {text!r} tells music from other music; name an instrument, a tempo, a key or a mood")
        if tempo is not None and not slowest <= tempo <= fastest:
            ctx.warn(f"this model plays {slowest} to {fastest} beats a minute, and not {tempo:g}")
            tempo = float(min(max(tempo, slowest), fastest))
        program = None if wish.instrument is None else int(NEAREST[wish.instrument])
        if program != wish.instrument:
            ctx.warn(f"this model has not learned {NAMES[wish.instrument or 0]}; played by {NAMES[program or 0]}")
        style = PLAYED_AS.get(wish.style or "", wish.style)
        played = replace(wish, instrument=program, tempo=tempo, style=style, mood=None, unread=())
        ctx.note(role, ", ".join(f"{name} {value}" for name, value in played.known().items() if name in FIELDS))
        return played


def open_painter(folder: Path, threads: int) -> Painter:
    """The model in a folder. Raises DamagedWeights."""
    denoiser = open_denoiser(folder, threads)
    return Painter(denoiser, open_codec(folder, denoiser.settings))


def open_codec(folder: Path, settings: Settings) -> Codec:
    """The codec in a model's folder. Raises DamagedWeights where it does not fit the settings."""
    index = safetensors_index(folder / CODEC)
    columns, rows = whole(settings.labels, "columns"), whole(settings.labels, "rows")
    sizes: dict[str, tuple[int, ...]] = {"mean": (columns * rows,), "scale": (settings.network.height,)}
    sizes["basis"] = (columns * rows, settings.network.height)
    for name, size in sizes.items():
        if name not in index or index[name].shape != size:
            raise DamagedWeights(f"{CODEC!r} does not hold {name!r} of shape {size}", HINT)
    parts = {name: read_tensor(folder / CODEC, index[name]) for name in sizes}
    return Codec(columns=columns, rows=rows, **parts)


def whole(labels: Mapping[str, Json], name: str) -> int:
    """A positive whole number among a model's labels. Raises DamagedWeights."""
    value = labels.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= 1 << 20:
        raise DamagedWeights(f"the settings of the model do not say {name!r}", HINT)
    return value
