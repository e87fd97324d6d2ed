"""Turn the picture of a sound back into sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.image import Image
from transpose.media.spectrogram import istft, parameters, stft

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@transform("image.spectrogram -> audio", loses=["phase", "detail", "exactness"], memory_mb=900, deterministic=False)
def sound_from_spectrogram(
    image: Image,
    ctx: Context,
    *,
    iterations: Annotated[int, Range(1, 500), "rounds of phase search: more is clearer and slower"] = 32,
) -> Audio:
    """Find a sound whose spectrogram is this picture; only the pixels and the parameters in their tag are used.

    The pixels hold no phases: they are searched by the fast Griffin-Lim algorithm (D. Griffin and J. Lim, "Signal
    estimation from modified short-time Fourier transform", 1984; N. Perraudin, P. Balazs and P. Sondergaard, "A fast
    Griffin-Lim algorithm", 2013), from random ones of the run's seed. Mono. Raises DamagedInput for a picture without
    a tag, with impossible values in it, or of another size than it says.
    """
    import numpy as np

    made = parameters(image)
    grey = image.pixels[..., : min(3, image.pixels.shape[2])].mean(axis=2)[::-1].T / 255  # (columns, rows)
    if image.pixels.shape[2] in (2, 4):
        grey = image.pixels[..., :-1].mean(axis=2)[::-1].T / 255
    magnitude = np.zeros((made.columns, made.rows + 1), np.float32)
    magnitude[:, : made.rows] = made.peak * grey ** (1 / made.power)
    samples = _search(magnitude, made.window, made.hop, made.samples, iterations, ctx)
    return Audio.from_array(samples, made.rate)


def _search(
    magnitude: NDArray[np.float32], window: int, hop: int, samples: int, iterations: int, ctx: Context
) -> NDArray[np.float32]:
    """Samples whose short-time spectrum has about these magnitudes, shape (columns, window // 2 + 1)."""
    import numpy as np

    momentum = 0.99  # of Perraudin et al.; 0 is plain Griffin-Lim
    random = np.random.default_rng(ctx.seed)
    spectrum = np.exp(1j * (2 * np.pi * random.random(magnitude.shape, np.float32))) * magnitude
    previous = np.zeros_like(spectrum)
    for step in range(iterations):
        consistent = stft(istft(spectrum, window, hop, samples), window, hop)
        spectrum, previous = previous, consistent  # in place: each array has 130 MB at the limit
        spectrum *= -momentum
        spectrum += (1 + momentum) * consistent
        spectrum *= magnitude / np.maximum(np.abs(spectrum), 1e-12)
        ctx.progress(step + 1, iterations, "rounds")
    return istft(spectrum, window, hop, samples)
