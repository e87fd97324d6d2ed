"""Play a sound again as the words say: its spectrogram is half dissolved in noise and painted anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, HugeInput, SilentInput
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.image import Image
from transpose.media.samples import resample
from transpose.media.spectrogram import parameters
from transpose.media.text import Text
from transpose.media.wish import Wish
from transpose.models.diffusion.beats import find_beats
from transpose.models.diffusion.generate import Condition, generate
from transpose.models.diffusion.pictures import ShareOfOther
from transpose.models.diffusion.samplers import SamplerName
from transpose.models.diffusion.sound import GUIDANCE, GUIDED_ABOVE, Painter, open_painter, whole
from transpose.models.diffusion.windows import Windows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODEL = "music-diffusion"
PIECE, SHARED = 60.0, 1.0  # seconds that are painted at once, and of which neighbours fade into each other
LONGEST = 3600.0  # seconds
SILENT = 1e-4
LOUDEST = 0.9  # of full scale
MOST_GAIN = 8.0  # of a column that the network painted too soft


@transform(
    "audio.music, text.prompt, audio.music? -> audio.music",
    verb=True,
    invents=True,
    synthetic=True,
    loses=["timbre", "wording", "speaker", "phase", "detail", "exactness"],
    uses=["spectrogram", "sound-from-spectrogram"],
    models=[MODEL],
    memory_mb=500,
    deterministic=False,
)
def restyle(
    audio: Audio,
    prompt: Text,
    other: Audio | None,
    ctx: Context,
    *,
    strength: Annotated[float, Range(0.01, 1.0), "how much may change: 1 forgets all but its rhythm"] = 0.8,
    steps: Annotated[int, Range(1, 250), "of denoising, of which `strength` are done"] = 25,
    sampler: Annotated[SamplerName, "how noise is taken off"] = "dpm++",
    guidance: Annotated[float, Range(0.0, 20.0), "how strictly the prompt is followed"] = GUIDANCE,
    negative: Annotated[str, "a prompt for what should not be heard"] = "",
    share: ShareOfOther = 0.5,
) -> Audio:
    """Keep the rhythm and the harmony of a sound and change who plays it: "string ensemble", "low pipe organ".

    Image-to-image on the spectrogram (Meng et al. 2022, "SDEdit"; after Riffusion), in overlapping windows, for any
    length up to an hour, along the beat that is found in it (one tempo a minute); the course of its loudness is laid
    over what comes out. Experimental: the network learned single instruments, so singing and drums turn into notes, and
    the key may change unless the words name one. With a second sound (`--with other=b.wav`) it begins between both
    spectrograms, by the share, the second cut or repeated to the length of the first. Mono; rate, number of samples and
    loudness are those of the first sound.
    Raises EmptyInput for no sound or no words, SilentInput for silence, HugeInput for more than an hour.
    """
    import numpy as np

    if not audio.length or not prompt.text.strip():
        raise EmptyInput("there is no sound to play anew" if prompt.text.strip() else "the prompt is empty")
    if audio.duration > LONGEST:
        raise HugeInput(f"{audio.duration / 3600:.1f} hours of sound are more than one", "Cut the sound into parts")
    painter = ctx.load(MODEL, lambda: open_painter(ctx.model(MODEL), ctx.threads), 300)
    samples = heard(audio, painter.rate)
    second = None if other is None else np.resize(heard(other, painter.rate), samples.shape)
    wanted = painter.read(prompt.text, ctx)
    unwanted = painter.condition(painter.read(negative, ctx, "negative"), beats=False) if negative.strip() else None
    again = Repaint(painter, wanted, unwanted, strength, steps, sampler, guidance)
    played = np.zeros_like(samples)
    places = list(pieces(len(samples), painter.rate))
    for number, (start, stop, fade) in enumerate(places):
        beside = None if second is None else (second[start:stop], share)
        made = again(samples[start:stop], beside, number, len(places), ctx)
        made[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
        played[start : start + fade] *= np.linspace(1, 0, fade, dtype=np.float32)
        played[start:stop] += made
    back = np.concatenate([np.zeros(0, np.float32), *_resampled(played, painter.rate, audio.rate)])
    back = np.pad(back, (0, max(0, audio.length - len(back))))[: audio.length]
    return Audio.from_array(back * np.float32(min(1.0, LOUDEST / max(float(np.abs(back).max()), 1e-9))), audio.rate)


def heard(audio: Audio, rate: int) -> NDArray[np.float32]:
    """Mono samples (n,) at `rate`, finite. Raises SilentInput for silence."""
    import numpy as np

    samples = np.nan_to_num(audio.array(rate=rate, channels=1)[:, 0], posinf=1, neginf=-1)
    if float(np.abs(samples).max(initial=0)) < SILENT:
        raise SilentInput("there is nothing but silence in this sound", "Give a sound with music in it")
    return samples


def pieces(length: int, rate: int) -> Iterator[tuple[int, int, int]]:
    """Start, stop and samples shared with the piece before, of about equal pieces of at most `PIECE` seconds."""
    step, shared = round((PIECE - SHARED) * rate), round(SHARED * rate)
    count = max(1, -(-(length - shared) // step))
    size = -(-(length - shared) // count)
    for number in range(count):
        yield number * size, min(length, (number + 1) * size + shared), shared if number else 0


@dataclass(frozen=True, slots=True, eq=False)
class Repaint:
    """How pieces are painted anew."""

    painter: Painter
    wanted: Wish
    unwanted: Condition | None
    strength: float
    steps: int
    sampler: SamplerName
    guidance: float

    def __call__(
        self,
        samples: NDArray[np.float32],
        other: tuple[NDArray[np.float32], float] | None,
        number: int,
        count: int,
        ctx: Context,
    ) -> NDArray[np.float32]:
        """Piece `number` of `count`, samples (n,) -> as many, as loud; `other` are as many, and their share."""
        import numpy as np

        painter, loud = self.painter, float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
        if loud < SILENT / 10:
            return np.zeros_like(samples)
        picture: Image = ctx.call("spectrogram", Audio.from_array(samples, painter.rate), hop=painter.hop)
        if other is not None:
            second = ctx.call("spectrogram", Audio.from_array(other[0], painter.rate), hop=painter.hop)
            mixed = (1 - other[1]) * picture.pixels + other[1] * second.pixels
            picture = Image(np.rint(mixed).astype(np.uint8), picture.meta)
        levels = painter.levels(picture)
        numbers = painter.codec.encode(levels)
        wish, bar = self.timed(levels)
        tokens = numbers.shape[1]
        width = max(tokens, painter.width)
        start = np.pad(numbers, ((0, 0), (0, width - tokens)), mode="edge")[None, None]

        def show(done: int, total: int, x0: NDArray[np.float32]) -> None:
            ctx.progress(number + done / total, count, "pieces")
            ctx.preview(painter.picture(x0[0, 0, :, :tokens], len(samples)))

        course = painter.course(wish, -bar)
        made = generate(
            Windows(painter.denoiser, width, along=course),
            [Condition(*course(0))],
            negative=self.unwanted,
            steps=self.steps,
            sampler=self.sampler,
            guidance=self.guidance,
            guided_above=GUIDED_ABOVE,
            seed=ctx.seed + number,
            start=start,
            strength=self.strength,
            progress=show,
        )
        painted = followed(painter.picture(made[0, 0, :, :tokens], len(samples)), picture)
        sound: NDArray[np.float32] = ctx.call("sound-from-spectrogram", painted).array()[:, 0]
        return sound * np.float32(loud / max(float(np.sqrt(np.mean(sound**2))), 1e-6))

    def timed(self, levels: NDArray[np.float32]) -> tuple[Wish, float]:
        """The wish with the tempo of a sound's levels, and the second in which a bar begins; no tempo without beats."""
        labels, column = self.painter.denoiser.settings.labels, self.painter.hop / self.painter.rate
        found = find_beats(levels, column, whole(labels, "slowest"), whole(labels, "fastest"))
        tempo, bar = found or (None, 0.0)
        return replace(self.wanted, tempo=tempo), bar


def followed(made: Image, before: Image) -> Image:
    """A spectrogram whose columns get loud and soft as those of another, which is as long: its rhythm."""
    import numpy as np

    power = 2 / parameters(made).power  # of a level, to be an energy
    energies = [np.sum((each.pixels[..., 0] / 255.0) ** power, axis=0) for each in (made, before)]
    ours, theirs = (
        np.sqrt(np.convolve(energy / max(energy.max(), 1e-12), np.ones(3) / 3, "same")) for energy in energies
    )
    gain = np.clip(theirs / np.maximum(ours, 1e-3), 0.0, MOST_GAIN) ** parameters(made).power
    levels = np.clip(np.round(made.pixels[..., 0] * gain), 0, 255).astype(np.uint8)
    return Image(levels[..., None], made.meta)


def _resampled(samples: NDArray[np.float32], rate: int, wanted: int) -> Iterator[NDArray[np.float32]]:
    if rate == wanted:
        yield samples
    else:
        for block in resample(iter([samples[:, None]]), rate, wanted):
            yield block[:, 0]
