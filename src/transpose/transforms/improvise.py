"""Make music of words by way of a spectrogram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.chroma import chroma
from transpose.media.image import Image
from transpose.media.keys import clearness
from transpose.media.spectrogram import TAG, parameters
from transpose.media.text import Text
from transpose.media.wish import Wish, read_wish, settled
from transpose.models.diffusion.pictures import Variant, Variation
from transpose.models.diffusion.samplers import SamplerName
from transpose.models.diffusion.sound import GUIDANCE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOUDEST = 0.9  # of full scale
SEAM = 1.0  # seconds in which the end of a loop goes over into its start


@transform(
    "text.prompt -> audio.music",
    invents=True,
    synthetic=True,
    loses=["wording", "structure", "phase", "detail", "exactness"],
    uses=["paint-spectrogram", "sound-from-spectrogram"],
    models=["music-diffusion"],
    memory_mb=400,
    deterministic=False,
)
def improvise(
    prompt: Text,
    ctx: Context,
    *,
    seconds: Annotated[float, Range(1.0, 120.0), "length; a loop becomes a whole number of bars"] = 10.0,
    toward: Annotated[str, "another prompt: the music goes over into it and comes back, as a loop"] = "",
    loop: Annotated[bool, "the end goes on at the beginning, without a seam"] = False,
    steps: Annotated[int, Range(1, 250), "of denoising"] = 20,
    sampler: Annotated[SamplerName, "how noise is taken off"] = "dpm++",
    guidance: Annotated[float, Range(0.0, 20.0), "how strictly the prompt is followed"] = GUIDANCE,
    negative: Annotated[str, "a prompt for what should not be heard"] = "",
    variation: Variation = 0.0,
    variant: Variant = 1,
    drafts: Annotated[int, Range(1, 16), "pieces to choose the one from that has the key most clearly"] = 3,
) -> Audio:
    """Play what the words say, invented as a picture of sound and then heard: instrument, tempo, key, register, mood.

    Experimental, mono at 22.05 kHz. Tempo, root and key are mostly as asked (.93, .79 and .78 of held-out prompts), and
    the instrument by ears that know its sound font; it plays chords in time, and no tune (`compose-tune` writes one).
    Where the words name a key, the draft is kept in which it is heard most clearly; there is but one with `toward` or
    a `variation`. With `toward` or `loop` it can be repeated without end. The loudest sample is at most 0.9. Same
    seed, same sound. Raises EmptyInput for an empty prompt.
    """
    import numpy as np

    wish, repeated = settled(read_wish(prompt.text)), loop or bool(toward.strip())

    def heard(draft: int) -> tuple[NDArray[np.float32], int]:
        picture = ctx.call(
            "paint-spectrogram",
            prompt,
            seconds=seconds,
            toward=toward,
            loop=loop,
            steps=steps,
            sampler=sampler,
            guidance=guidance,
            negative=negative,
            variation=1.0 if draft else variation,
            variant=draft or variant,
        )
        sound = ctx.call("sound-from-spectrogram", around(picture) if repeated else picture)
        samples = sound.array()[:, 0]
        return (closed(samples, parameters(picture).samples) if repeated else samples), sound.rate

    if wish.root is None or toward.strip() or variation:
        drafts = 1
    made = [heard(draft) for draft in range(drafts)]
    samples, rate = max(made, key=lambda each: in_key(each[0], each[1], wish)) if drafts > 1 else made[0]
    peak = float(np.abs(samples).max(initial=0))
    return Audio.from_array(samples * np.float32(min(1.0, LOUDEST / max(peak, 1e-9))), rate)


def in_key(samples: NDArray[np.float32], rate: int, wish: Wish) -> float:
    """How clearly a sound has the root of a wish, and its mode where one is wished."""
    weights = [float(each) for each in chroma(samples, rate)]
    return max(clearness(weights, wish.root or 0, mode) for mode in (False, True) if wish.minor in (None, mode))


def around(picture: Image) -> Image:
    """A loop's picture with its beginning once more behind its end."""
    from dataclasses import replace

    import numpy as np

    made = parameters(picture)
    columns = made.samples // made.hop  # the last column of the picture is the first of the next round
    more = min(columns, round(SEAM * made.rate / made.hop))
    pixels = np.concatenate([picture.pixels[:, :columns], picture.pixels[:, : more + 1]], axis=1)
    longer = replace(made, samples=made.samples + more * made.hop)
    return Image(pixels, {**picture.meta, TAG: longer.tag()})


def closed(samples: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """The first `length` samples, into whose beginning fades what follows them."""
    import numpy as np

    tail = samples[length:]
    fade = np.sin(np.linspace(0, np.pi / 2, len(tail), dtype=np.float32))
    start = samples[: len(tail)] * fade + tail * np.sqrt(1 - fade**2)
    return np.concatenate([start, samples[len(tail) : length]]).astype(np.float32)
