"""One picture out of a video: at a time that is given, or one that shows much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import OptionError
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.video import Video

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TRIED = 9  # places that are looked at
SMALL = 160  # pixels across, of what is compared


@transform("video -> image", keeps=["synthetic"], loses=["timing", "wording", "detail"])
def still(
    video: Video,
    ctx: Context,
    *,
    at: Annotated[float, Range(-1, 360_000), "seconds; -1: of nine places that which shows most"] = -1.0,
) -> Image:
    """Take one picture of a video: the frame at a time, or the one of nine that is neither dark, blurred nor empty.

    `text:time` of the picture says when it is, in seconds. Raises OptionError for a time after the end.
    """
    if at >= 0:
        frame = int(at * video.fps)
        if frame >= video.length:
            raise OptionError(f"option at={at:g}: the video lasts {video.duration:.2f} s", "Give a time before its end")
        return _picture(video, frame)
    places = sorted({video.length * (2 * number + 1) // (2 * TRIED) for number in range(TRIED)})
    return max((_picture(video, place) for place in places), key=lambda picture: _shown(picture.pixels))


def _picture(video: Video, frame: int) -> Image:
    shot = next(iter(video.part(frame, frame + 1)))
    return Image(shot.pixels, {"text:time": f"{float(frame / video.fps):.3f}"})


def _shown(pixels: NDArray[np.uint8]) -> float:
    """How much is to be seen: the spread of brightness times the mean of its steps."""
    import numpy as np
    from PIL import Image as Pillow

    small = Pillow.fromarray(pixels).convert("L")
    small.thumbnail((SMALL, SMALL))
    grey = np.asarray(small, np.float32)
    if min(grey.shape) < 2:
        return 0.0
    return float(grey.std() * (np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()))
