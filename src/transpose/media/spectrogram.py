"""What a picture of a sound says about itself, so that it can be turned back, and the transform between the two.

After the idea of Riffusion (Forsgren and Martiros, 2022): the picture carries its own recipe. Its mel scale is left
out, because a linear scale comes back better: one row is one frequency, and nothing has to be guessed.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transpose.media.image import Image

TAG = "text:transpose.spectrogram"  # key in `Image.meta`: a text field of the PNG
CHUNK = 2048  # frames that are transformed at once: bounds the memory
MOST_COLUMNS = 32_768  # 6 min 20 s with the usual parameters


@dataclass(frozen=True, slots=True)
class SpectrogramParameters:
    """How the picture was made. One column is one frame, one row one frequency, the lowest at the bottom."""

    samples: int  # length of the sound
    peak: float  # magnitude of the brightest pixel, 255
    rate: int = 22_050  # Hz
    window: int = 1024  # samples of the Hann window; the picture has half as many rows (the highest bin is left out)
    hop: int = 256  # samples from one column to the next
    power: float = 0.25  # pixel = 255 * (magnitude / peak) ** power
    version: int = 1  # of this list

    @property
    def rows(self) -> int:
        """Height of the picture."""
        return self.window // 2

    @property
    def columns(self) -> int:
        """Width of the picture."""
        return 1 + self.samples // self.hop

    def tag(self) -> str:
        """The text that the picture carries."""
        return json.dumps(asdict(self), sort_keys=True)

    def sensible(self) -> bool:
        """Whether every field is of its type and within what the transforms accept."""
        whole = (self.samples, self.rate, self.window, self.hop, self.version)
        if any(type(value) is not int for value in whole) or any(
            type(v) not in (int, float) for v in (self.peak, self.power)
        ):
            return False
        return (
            self.version == 1
            and 4_000 <= self.rate <= 192_000
            and self.window in (256, 512, 1024, 2048, 4096)
            and self.window // 16 <= self.hop <= self.window // 2
            and 0.1 <= self.power <= 2
            and math.isfinite(self.peak)
            and 0 <= self.peak <= 1e9
            and self.samples > 0
            and self.columns <= MOST_COLUMNS
        )


def parameters(image: Image) -> SpectrogramParameters:
    """The parameters in the picture's tag; DamagedInput when there is none, or when it does not fit the picture."""
    tag = image.meta.get(TAG)
    if not isinstance(tag, str):
        raise DamagedInput(
            "this picture does not say how it was made from a sound",
            "Only pictures made by `spectrogram`, saved as PNG with their text fields, can be turned back",
        )
    try:
        found = SpectrogramParameters(**json.loads(tag))
    except (ValueError, TypeError, RecursionError):
        raise DamagedInput("the spectrogram tag of this picture cannot be read", "Make the picture again") from None
    if not found.sensible():
        raise DamagedInput("the spectrogram tag of this picture holds impossible values", "Make the picture again")
    if (image.height, image.width) != (found.rows, found.columns):
        size = f"{found.columns} x {found.rows}"
        raise DamagedInput(
            f"this spectrogram was {size}, and is now {image.width} x {image.height}", "Do not resize it"
        )
    return found


def stft(samples: NDArray[np.float32], window: int, hop: int) -> NDArray[np.complex64]:
    """Short-time Fourier transform of samples (n,): shape (1 + n // hop, window // 2 + 1), frames centred, Hann."""
    import numpy as np

    padded = np.pad(samples, window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][: 1 + len(samples) // hop]
    spectrum = np.empty((len(frames), window // 2 + 1), np.complex64)
    for at in range(0, len(frames), CHUNK):
        spectrum[at : at + CHUNK] = np.fft.rfft(frames[at : at + CHUNK] * hann(window), axis=1)
    return spectrum


def istft(spectrum: NDArray[np.complex64], window: int, hop: int, samples: int) -> NDArray[np.float32]:
    """The samples whose `stft` is nearest to `spectrum` in the least-squares sense (Griffin and Lim 1984, eq. 6)."""
    import numpy as np

    shape = hann(window)
    count = len(spectrum)
    total = np.zeros((count - 1) * hop + 2 * window, np.float32)
    weight = np.zeros_like(total)
    stride = -(-window // hop)  # frames so far apart do not overlap: each such set is added at once
    for at in range(0, count, CHUNK):
        frames = np.fft.irfft(spectrum[at : at + CHUNK], n=window, axis=1).astype(np.float32, copy=False) * shape
        for first in range(min(stride, len(frames))):
            chosen = frames[first::stride]
            block = np.zeros((len(chosen), stride * hop), np.float32)
            block[:, :window] = chosen
            energy = np.zeros(stride * hop, np.float32)
            energy[:window] = shape**2
            start = (at + first) * hop
            length = min(block.size, len(total) - start)
            total[start : start + length] += block.reshape(-1)[:length]
            weight[start : start + length] += np.tile(energy, len(chosen))[:length]
    middle = slice(window // 2, window // 2 + samples)
    return np.asarray(total[middle] / np.maximum(weight[middle], 1e-3), np.float32)


def hann(window: int) -> NDArray[np.float32]:
    """The periodic Hann window."""
    import numpy as np

    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(np.float32)
