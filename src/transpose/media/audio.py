"""A sound in memory: a handle that gives its samples in blocks, so that two hours never become one array.

The samples lie in a short array or in a file, which is opened anew for each pass. Choices that may surprise: a file's
`duration` is what its header declares, and a pass that finds much less raises DamagedInput instead of ending early;
mixing to mono is the mean of the channels (no gain); positions inside a file are exact to the sample, except in
Matroska and WebM, whose clock ticks in milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import HugeInput
from transpose.media.samples import (
    MOST_CHANNELS,
    MOST_RATE,
    decode,
    encode,
    mixed,
    opened,
    regrouped,
    resample,
    seconds,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIX = ".wav"  # the store's lossless format: 32-bit float, RF64 above 4 GB
ARRAY_SAMPLES = 1 << 28  # 1 GiB of float32: more than `array()` gives
TAGS = ("title", "artist", "album", "date")  # what is kept of a file's metadata


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """A handle on a sound: `rate` in Hz, `channels`, `duration` in seconds, and tags such as `title` in `meta`.

    `source` is a float32 array of shape (n, channels), nominally in -1..1, or the file that holds the samples.
    Two sounds are equal when rate, channels, tags and every sample are.
    """

    rate: int
    channels: int
    duration: float
    source: NDArray[np.float32] | Path = field(repr=False)
    meta: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_array(cls, samples: NDArray[np.floating], rate: int, meta: Mapping[str, str] | None = None) -> Audio:
        """A sound of `samples`, shape (n, channels) or (n,), floats in -1..1; ValueError for any other."""
        import numpy as np

        if samples.dtype.kind != "f" or samples.ndim not in (1, 2):
            raise ValueError(
                f"samples have to be floats of shape (n,) or (n, channels), not {samples.dtype} {samples.shape}"
            )
        held = np.ascontiguousarray(samples[:, None] if samples.ndim == 1 else samples, np.float32).view()
        if not (0 < rate <= MOST_RATE and 0 < held.shape[1] <= MOST_CHANNELS):
            raise ValueError(f"rate {rate} or number of channels {held.shape[1]} is out of range")
        held.flags.writeable = False
        return cls(int(rate), held.shape[1], len(held) / rate, held, dict(meta or {}))

    @classmethod
    def from_file(cls, path: Path) -> Audio:
        """The first sound track of a file, streamed; raises an InputError when there is none or it cannot be read."""
        with opened(path) as (container, stream):
            tags = {key.lower(): value for key, value in {**container.metadata, **stream.metadata}.items()}
            meta = {key: tags[key] for key in TAGS if tags.get(key)}
            length = seconds(path, container, stream)
            return cls(stream.codec_context.sample_rate, stream.codec_context.channels, length, Path(path), meta)

    @classmethod
    def from_blocks(cls, blocks: Iterable[NDArray[np.float32]], rate: int, path: Path) -> Audio:
        """A long sound that is being made: `blocks` of shape (n, channels) go to `path`, say `ctx.temp(".wav")`."""
        encode(blocks, path, rate=rate)
        return load(path)

    @property
    def length(self) -> int:
        """Samples in each channel."""
        return round(self.duration * self.rate)

    def blocks(
        self,
        seconds: float = 10.0,
        *,
        rate: int | None = None,
        channels: int | None = None,
        start: float = 0.0,
        stop: float | None = None,
    ) -> Iterator[NDArray[np.float32]]:
        """The samples from `start` to `stop` seconds, shape (n, channels), in pieces of so many seconds.

        Resampled to `rate` (n samples become round(n * rate / self.rate)) and mixed to `channels` where given. Every
        call is a new pass. Raises DamagedInput when a file breaks off or cannot be decoded.
        """
        first = max(0, round(start * self.rate))
        end = None if stop is None else max(first, round(stop * self.rate))
        wide = self.channels if channels is None else channels
        pieces = self._raw(first, end)
        if wide < self.channels:  # mixed on the narrow side of the resampling
            pieces = (mixed(piece, wide) for piece in pieces)
        if rate is not None and rate != self.rate:
            pieces = resample(pieces, self.rate, rate)
        if wide > self.channels:
            pieces = (mixed(piece, wide) for piece in pieces)
        return regrouped(pieces, max(1, round(seconds * (rate or self.rate))))

    def array(self, *, rate: int | None = None, channels: int | None = None) -> NDArray[np.float32]:
        """Every sample at once, shape (n, channels): for short sounds; HugeInput above 1 GiB."""
        import numpy as np

        wide = channels or self.channels
        most = ARRAY_SAMPLES // wide
        pieces: list[NDArray[np.float32]] = []
        count = 0
        if self.duration * (rate or self.rate) <= most:
            for piece in self.blocks(rate=rate, channels=channels):
                pieces.append(piece)
                count += len(piece)
                if count > most:  # the header lied
                    break
            else:
                return np.concatenate(pieces) if pieces else np.zeros((0, wide), np.float32)
        raise HugeInput(f"{self.duration / 60:.0f} minutes of sound do not fit into one array", "Take them in blocks")

    def _raw(self, first: int, end: int | None) -> Iterator[NDArray[np.float32]]:
        if isinstance(self.source, Path):
            yield from decode(self.source, self.rate, self.channels, self.length, first, end)
        else:
            step = 1 << 16
            last = self.length if end is None else min(end, self.length)
            for at in range(first, last, step):
                yield self.source[at : min(at + step, last)]

    def __eq__(self, other: object) -> bool:
        import numpy as np

        if not isinstance(other, Audio) or (self.rate, self.channels) != (other.rate, other.channels):
            return False
        if self.length != other.length or dict(self.meta) != dict(other.meta):
            return False
        pairs = zip(self.blocks(), other.blocks(), strict=True)  # bits, so that a NaN equals itself
        return all(np.array_equal(ours.view(np.int32), theirs.view(np.int32)) for ours, theirs in pairs)

    __hash__ = None  # type: ignore[assignment]


def save(value: Audio, path: Path) -> None:
    """Write every sample as 32-bit float; tags, and the length where it is zero, as JSON in the comment."""
    import numpy as np

    blocks = value.blocks() if value.length else [np.zeros((1, value.channels), np.float32)]
    comment = json.dumps({"meta": dict(value.meta), "empty": not value.length})
    encode(blocks, path, rate=value.rate, meta={"comment": comment})


def load(path: Path) -> Audio:
    """Read what `save` wrote; the samples stay in the file."""
    import numpy as np

    with opened(path) as (container, stream):
        noted = json.loads(container.metadata.get("comment", "{}"))
        rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
        length = seconds(path, container, stream)
    meta = noted.get("meta", {})
    if noted.get("empty"):
        return Audio.from_array(np.zeros((0, channels), np.float32), rate, meta)
    return Audio(rate, channels, length, Path(path), meta)


def duration(path: Path) -> float:
    """Seconds of sound in a file, from its header (milliseconds of work; an MP3 without one is walked through)."""
    with opened(path) as (container, stream):
        return seconds(path, container, stream)
