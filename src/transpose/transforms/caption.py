"""Captions for a video: a track that viewers switch on and off, or letters drawn into the picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.core.transform import Range, transform
from transpose.media.frames import MOST_FPS, Shot
from transpose.media.lettering import Lettering
from transpose.media.mux import spans
from transpose.media.subtitle import readable
from transpose.media.text import Cue, Text
from transpose.media.video import Video

STEADY = 10  # frames a second that drawn captions need to be within a twentieth of a second


@transform("video, text@timed -> video", verb=True, keeps=["synthetic"])
def caption(
    video: Video,
    captions: Text,
    ctx: Context,
    *,
    burn: Annotated[bool, "draw them into the picture, for good"] = False,
    shift: Annotated[float, Range(-86_400, 86_400), "seconds by which they come later"] = 0.0,
    place: Annotated[Literal["bottom", "top"], "where they are drawn"] = "bottom",
    scale: Annotated[float, Range(0.3, 3), "size of drawn letters; 1 is a sixteenth of the height"] = 1.0,
    font: Annotated[str, "a .ttf or .otf file for drawn captions; empty: one that has the letters"] = "",
) -> Video:
    """Put timed text under a video: as a track that can be switched off, or drawn with `burn=yes`.

    Long cues are set into readable ones of two lines. A track replaces the one that was there; of cues that overlap
    the later one wins. Drawn letters are white with a black outline inside the safe area; a video of less than ten
    frames a second gets more of them, so that captions come on time. Cues outside the video are left out, and said.
    Raises EmptyInput where no cue lies within the video, OptionError for a font that cannot be used.
    """
    cues = _placed(captions, video.duration, shift, ctx)
    if not burn:
        if video.cues:
            ctx.warn(f"the {len(video.cues)} captions that the video had were replaced")
        return replace(video, cues=tuple(cues), lang=captions.lang)
    times = ceil(STEADY / video.fps) if video.fps < STEADY else 1
    fps = min(video.fps * times, Fraction(MOST_FPS))
    lines = spans(cues, fps)
    letters = [text for _, _, text in lines]
    drawer = Lettering(video.width, video.height, letters, font=font, scale=scale, top=place == "top", warn=ctx.warn)

    def shots() -> Iterator[Shot]:
        more = (Shot(pixels, frames * times) for pixels, frames in video.shots())
        for shot, text in divided(more, lines):
            yield Shot(drawer.draw(shot.pixels, text), shot.frames) if text else shot

    ctx.note("captions", len(lines))
    return replace(video, fps=fps, length=video.length * times, source=shots, jump=None)


def _placed(captions: Text, seconds: float, shift: float, ctx: Context) -> list[Cue]:
    """The cues within the video, readable, in order; what lies outside is said."""
    moved = [
        replace(part, start=max(0.0, part.start + shift), end=min(seconds, part.end + shift))
        for cue in sorted(captions.cues, key=lambda cue: cue.start)
        for part in readable(cue)
        if cue.text.strip()
    ]
    within = [replace(cue, words=()) for cue in moved if cue.start < cue.end]
    if not within:
        found = f"{len(captions.cues)} captions" if captions.cues else "the text has no times: no caption"
        hint = "Check that they belong together, or move them with -o shift=SECONDS"
        raise EmptyInput(f"{found}, none within the {seconds:.1f} s of the video", hint)
    if len(within) < len(moved):
        ctx.warn(f"{len(moved) - len(within)} captions lie outside the {seconds:.1f} s of the video: left out")
    return within


def divided(shots: Iterable[Shot], lines: Sequence[tuple[int, int, str]]) -> Iterator[tuple[Shot, str]]:
    """Shots cut where captions open and close, each with its text or nothing; `lines` as `mux.spans` gives them."""
    at = number = 0
    for pixels, frames in shots:
        end = at + frames
        while at < end:
            while number < len(lines) and lines[number][1] <= at:
                number += 1
            opens, closes, text = lines[number] if number < len(lines) else (end, end, "")
            until = min(end, closes if opens <= at else opens)
            yield Shot(pixels, until - at), text if opens <= at else ""
            at = until
