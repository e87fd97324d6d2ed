"""The captions that a video carries as a track: its own words and times, exactly."""

from __future__ import annotations

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.core.transform import transform
from transpose.media.text import Text
from transpose.media.video import Video


@transform("video.captioned -> text.transcript@timed", keeps=["lang"], loses=["pixels", "speaker"])
def captions_of_video(video: Video, ctx: Context) -> Text:
    """Take the caption track of a video as timed text, without styles; nothing is heard or read from the picture.

    The language is the one that the track names. Raises SilentInput where there is no track of text.
    """
    if not video.cues:
        hint = "Its sound can be transcribed, without --from and --via"
        raise SilentInput("the video has no track of captions in text", hint)
    return Text("\n".join(cue.text for cue in video.cues), lang=video.lang, cues=video.cues)
