"""Show a sound as a picture that can be turned back into it."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, HugeInput
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.image import Image
from transpose.media.spectrogram import MOST_COLUMNS, TAG, SpectrogramParameters, stft


@transform("audio -> image.spectrogram", loses=["phase", "detail", "exactness"], memory_mb=450)
def spectrogram(
    audio: Audio,
    ctx: Context,
    *,
    hop: Annotated[int, Range(128, 512), "samples of 22,050 per second for one column of pixels"] = 256,
) -> Image:
    """Draw how strong each frequency is over time: bright is strong, low frequencies are at the bottom.

    Mono, 0 to 11 kHz in 512 rows, 86 columns a second, 8-bit grey with the fourth root of the magnitude. The parameters
    lie in the picture's text field (PNG keeps it), and `sound-from-spectrogram` turns the pixels back into sound.
    Raises HugeInput above 32,768 columns (6 min 20 s) and EmptyInput for no sound.
    """
    import numpy as np

    shape = SpectrogramParameters(samples=1, peak=0.0, hop=hop)
    longest = MOST_COLUMNS * hop / shape.rate
    if audio.duration >= longest:
        minutes = f"{audio.duration / 60:.1f} minutes of sound give a picture wider than {MOST_COLUMNS:,} pixels"
        raise HugeInput(minutes, f"Cut the sound: {longest / 60:.1f} minutes are the most")
    samples = np.nan_to_num(audio.array(rate=shape.rate, channels=1)[:, 0], posinf=1, neginf=-1)
    if not len(samples):
        raise EmptyInput("there is no sound to draw: its length is zero")
    magnitude = np.abs(stft(samples, shape.window, hop))[:, : shape.rows]  # (columns, rows)
    peak = float(magnitude.max())
    scaled = (magnitude / (peak or 1.0)) ** shape.power
    pixels = np.round(255 * scaled).astype(np.uint8).T[::-1, :, None]
    made = SpectrogramParameters(samples=len(samples), peak=peak, hop=hop)
    return Image(np.ascontiguousarray(pixels), {TAG: made.tag()})
