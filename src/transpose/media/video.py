"""A video in memory: a handle that gives its pictures shot by shot, with its sound and captions.

Nothing is decoded or drawn before it is asked for, and each pass does it anew. The frame rate is constant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import SilentInput
from transpose.media import frames as track
from transpose.media.audio import Audio
from transpose.media.frames import MOST_FPS, Shot
from transpose.media.mux import Codecs, Film, encode
from transpose.media.text import Cue, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIX = ".avi"  # the store's lossless format: FFV1 and 32-bit float sound, exact clocks for both
# FFV1 refuses frames of one column, so sides are padded to even ones and cut again
STORE = Codecs("avi", "ffv1", "bgr0", "pcm_f32le", "", {"level": "3", "slicecrc": "1"}, even=True, lossless=True)


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """`length` frames of `width` x `height` at `fps`, with optional sound and captions that can be switched off.

    `source` gives the shots anew at each call; `jump`, where there is one, gives those from a frame on, quicker than
    by walking there. Two videos are equal when every frame, the rate, sound and cues are.
    """

    width: int
    height: int
    fps: Fraction
    length: int
    source: Callable[[], Iterable[Shot]] = field(repr=False)
    audio: Audio | None = None
    cues: tuple[Cue, ...] = ()
    lang: str | None = None  # of the captions, ISO 639-1
    jump: Callable[[int], Iterable[Shot]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if min(self.width, self.height, self.length) < 1 or not 0 < self.fps <= MOST_FPS:
            raise ValueError(f"a video cannot be {self.width} x {self.height}, {self.length} frames at {self.fps}")

    @classmethod
    def from_array(
        cls, pixels: NDArray[np.uint8], fps: Fraction | int, audio: Audio | None = None, cues: tuple[Cue, ...] = ()
    ) -> Video:
        """A short video of `pixels`, uint8 of shape (frames, height, width, 3)."""
        if pixels.dtype.name != "uint8" or pixels.ndim != 4 or pixels.shape[3] != 3:
            raise ValueError(f"frames must be uint8 of shape (n, h, w, 3), not {pixels.dtype} {pixels.shape}")
        count, height, width = pixels.shape[:3]
        return cls(width, height, Fraction(fps), count, lambda: (Shot(each, 1) for each in pixels), audio, cues)

    @classmethod
    def from_file(cls, path: Path) -> Video:
        """The pictures, sound and captions of a file, streamed; raises an InputError when it cannot be read."""
        facts = track.look(path)
        try:
            audio: Audio | None = Audio.from_file(path)
        except SilentInput:
            audio = None
        cues = track.captions(path)
        lang = track.caption_lang(path) if cues else None
        return _of_file(path, (facts.width, facts.height), facts.fps, facts.length, audio, cues, lang)

    @property
    def duration(self) -> float:
        """Seconds of pictures; the sound may be a little shorter or longer."""
        return float(self.length / self.fps)

    def shots(self) -> Iterator[Shot]:
        """Each picture once, with the number of frames it stays; ValueError where the source breaks its word."""
        given = 0
        for shot in self.source():
            if shot.pixels.shape != (self.height, self.width, 3) or shot.frames < 1:
                raise ValueError(f"a shot of {shot.pixels.shape}, {shot.frames} frames, in {self!r}")
            given += shot.frames
            yield shot
        if given != self.length:
            raise ValueError(f"{given} frames came from {self!r}")

    def part(self, first: int, last: int) -> Iterator[Shot]:
        """The shots of frames `first` to `last` (not included), the outermost ones shortened; ends early at the end."""
        at = first if self.jump else 0
        for shot in self.jump(first) if self.jump else self.shots():
            start, end = max(at, first), min(at + shot.frames, last)
            at += shot.frames
            if start < end:
                yield Shot(shot.pixels, end - start)
            if at >= last:
                return

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Every frame, uint8 of shape (height, width, 3); those of one shot are the same array."""
        for shot in self.shots():
            yield from repeat(shot.pixels, shot.frames)

    def facets(self) -> dict[str, str]:
        """Nothing is known of a video beyond its kind."""
        return {}

    def __eq__(self, other: object) -> bool:
        import numpy as np

        if not isinstance(other, Video):
            return False
        ours = (self.width, self.height, self.fps, self.length, self.cues, self.lang, self.audio)
        if ours != (other.width, other.height, other.fps, other.length, other.cues, other.lang, other.audio):
            return False
        last: tuple[object, object] = (None, None)
        for mine, theirs in zip(self.frames(), other.frames(), strict=True):
            if (mine is not last[0] or theirs is not last[1]) and not np.array_equal(mine, theirs):
                return False
            last = mine, theirs
        return True

    __hash__ = None  # type: ignore[assignment]


def _of_file(
    path: Path,
    size: tuple[int, int],
    fps: Fraction,
    length: int,
    audio: Audio | None,
    cues: tuple[Cue, ...],
    lang: str | None,
) -> Video:
    width, height = size

    def source(first: int = 0) -> Iterator[Shot]:
        for pixels, frames in track.decode(path, fps, length, first):
            yield Shot(pixels[:height, :width], frames)

    return Video(width, height, fps, length, source, audio, cues, lang, source)


def save(value: Video, path: Path) -> None:
    """Write each shot once, losslessly, and every sample; clocks, cues and tags as JSON in the comment."""
    audio = value.audio
    tags = (audio.rate, audio.channels, audio.length, dict(audio.meta)) if audio is not None else None
    noted = {
        "size": (value.width, value.height),
        "fps": str(value.fps),
        "length": value.length,
        "sound": tags,
        "cues": [asdict(cue) for cue in value.cues],
        "lang": value.lang,
    }
    film = Film(value.width, value.height, value.fps, value.shots())
    if audio is not None and audio.length:
        film = replace(film, blocks=audio.blocks(1.0), rate=audio.rate, channels=audio.channels)
    encode(film, path, STORE, meta={"comment": json.dumps(noted)})


def load(path: Path) -> Video:
    """Read what `save` wrote; pictures and samples stay in the file."""
    import numpy as np

    noted = json.loads(track.look(path).meta["comment"])
    cues = tuple(
        Cue(c["start"], c["end"], c["text"], tuple(Word(**word) for word in c["words"])) for c in noted["cues"]
    )
    audio: Audio | None = None
    if noted["sound"] is not None:
        rate, channels, length, meta = noted["sound"]
        if length:
            audio = Audio(rate, channels, length / rate, path, meta)
        else:
            audio = Audio.from_array(np.zeros((0, channels), np.float32), rate, meta)
    width, height = noted["size"]
    return _of_file(path, (width, height), Fraction(noted["fps"]), noted["length"], audio, cues, noted.get("lang"))
