"""Where one shot of a video is cut to another, and single frames out of it.

Method: the content and adaptive detectors of PySceneDetect (B. Castellano, BSD-3): hue, saturation and value of small
copies of neighbouring frames are compared; a cut is where the mean change passes a threshold, or stands out from the
frames around it. Own code, so that no second copy of FFmpeg and OpenCV is needed; hue is compared around its circle.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from transpose.media.video import Video

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIDE = 192  # pixels of the longer side of the copies that are compared
THRESHOLD = 27.0  # mean change of colour, of 255
AROUND = 2  # frames on each side that a cut has to stand out from
RATIO = 3.0  # how many times their mean change
GREY = 24  # mean saturation, of 255, below which a frame has no colour
SHARE = 0.55  # of the threshold: a change that stands out has to be at least this large


def picked(video: Video, frames: Iterable[int]) -> Iterator[NDArray[np.uint8]]:
    """The frames of these numbers, in rising order, in one pass."""
    waiting = deque(frames)
    at = 0
    for shot in video.shots():
        while waiting and waiting[0] < at + shot.frames:
            waiting.popleft()
            yield shot.pixels
        at += shot.frames
        if not waiting:
            return


def cuts(
    video: Video,
    threshold: float = THRESHOLD,
    least: float = 0.6,
    *,
    adaptive: bool = True,
    report: Callable[[int], None] = lambda frames: None,
) -> list[int]:
    """The first frame of each scene, which lasts at least `least` seconds; the first is 0. Decodes the whole video."""
    changes = list(
        _changes(video, report)
    )  # of each shot against the one before: two numbers a shot, whatever the length
    starts = [0]
    for number, (at, change) in enumerate(changes):
        passes = change >= threshold
        if adaptive:
            passes = change >= threshold * SHARE and change >= RATIO * _nearby(changes, number)
        if passes and float((at - starts[-1]) / video.fps) >= least:
            starts.append(at)
    return starts


def _nearby(changes: list[tuple[int, float]], number: int) -> float:
    """The mean change of the frames around one; frames that repeat their shot changed by nothing."""
    at = changes[number][0]
    near = changes[max(0, number - AROUND) : number + AROUND + 1]
    return sum(change for frame, change in near if 0 < abs(frame - at) <= AROUND) / (2 * AROUND)


def _changes(video: Video, report: Callable[[int], None]) -> Iterator[tuple[int, float]]:
    """(first frame, change from the shot before, 0 to 255) of every shot but the first."""
    at = 0
    for before, after in pairwise(_small(video)):
        at += before[1]
        yield at, difference(before[0], after[0])
        report(at)


def _small(video: Video) -> Iterator[tuple[NDArray[np.int16], int]]:
    """A small copy of each shot in hue, saturation and value, and its frames."""
    step = max(1, max(video.width, video.height) // SIDE)
    for shot in video.shots():
        yield small_copy(shot.pixels, step), shot.frames


def small_copy(pixels: NDArray[np.uint8], step: int) -> NDArray[np.int16]:
    """Every `step` pixels made one, as hue, saturation and value of 0 to 255, shape (h, w, 3)."""
    import numpy as np
    from PIL import Image as Pillow

    small = Pillow.fromarray(pixels).reduce(step)
    return np.asarray(small.convert("HSV")).astype(np.int16)


def difference(one: NDArray[np.int16], other: NDArray[np.int16]) -> float:
    """Mean change of hue (around its circle, 0 to 128, twice), saturation and value: 0 to 255.

    Between frames without colour the change of value alone: the others are naught there, and would hide two thirds.
    """
    import numpy as np

    apart = np.abs(one - other)
    if max(one[..., 1].mean(), other[..., 1].mean()) < GREY:
        return float(apart[..., 2].mean())
    hue = np.minimum(apart[..., 0], 256 - apart[..., 0])
    return float((hue.mean() + apart[..., 1].mean() + apart[..., 2].mean()) / 3)
