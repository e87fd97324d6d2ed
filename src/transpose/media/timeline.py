"""A timeline: which card or picture is shown from when on over a sound, as a file to edit, and as a video.

The file is TOML, with the suffix `.timeline`:

    schema = "transpose.timeline/1"
    sound = "talk.wav"                  # any sound or video file; a relative name is looked for beside the timeline
    size = "1280x720"
    theme = "dark"                      # or "light"

    [[show]]
    start = "0:00.00"                   # or seconds: 0.0; stays until the next one starts, or until `end`
    card = "The sun is their compass"   # words to draw, or ...

    [[show]]
    start = "0:07.42"
    picture = "bee.jpg"                 # ... a picture file

    [[caption]]                         # any number, for the track of captions
    start = "0:00.10"
    end = "0:03.50"
    text = "Bees find their way by the sun."
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, EmptyInput, InputError, MislabelledInput, MissingInput
from transpose.media.audio import Audio
from transpose.media.easel import THEMES, Easel
from transpose.media.encoding import read_characters
from transpose.media.file import reason
from transpose.media.frames import Shot
from transpose.media.image import Image, on_white
from transpose.media.picture import check_bytes, damage, decode, open_picture, quiet
from transpose.media.slides import Layout, sides
from transpose.media.text import Cue
from transpose.media.typeface import Typeface
from transpose.media.video import Video

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEMA = "transpose.timeline/1"
CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)")
MOST = 100_000  # entries of one kind
HEAD = """# A timeline. Edit it, then render it again: transpose TALK.timeline TALK.mp4
# start: minutes:seconds; what is shown stays until the next start. card: words to draw. picture: a picture file.
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """From `start` seconds on, to `end` or the next one: a card with words, or a picture (a file, or a value)."""

    start: float
    card: str = ""
    picture: Path | Image | None = None
    end: float | None = None
    said: str = ""  # the words that it belongs to, a remark for who edits


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that a video of it needs; `shown` is in order of time."""

    sound: Audio
    shown: tuple[Shown, ...]
    cues: tuple[Cue, ...] = ()
    width: int = 1280
    height: int = 720
    theme: str = "dark"


# -- the video ---------------------------------------------------------------------------------------------------------


def render(timeline: Timeline, fps: int, ctx: Context) -> Video:
    """The video, as long as the sound to half a frame; pictures are opened when their turn comes.

    Raises EmptyInput where nothing is shown or the sound has no length.
    """
    seconds = timeline.sound.duration
    length = max(1, round(seconds * fps))
    if not timeline.sound.length:
        raise EmptyInput("the sound of the timeline has no length", "Give a sound with something in it")
    late = [each for each in timeline.shown if round(each.start * fps) >= length]
    if late:
        ctx.warn(f"{len(late)} entries of the timeline start after the sound ends and are left out")
    shown = [each for each in timeline.shown if round(each.start * fps) < length]
    if not shown:
        raise EmptyInput("the timeline shows nothing", "Write an entry [[show]] with a card or a picture")
    letters = Typeface(each.card for each in shown)
    if letters.lacking:
        ctx.warn(f"no font here draws {letters.lacking[:20]!r} of the cards")
    easel = Easel(Layout(timeline.width, timeline.height, letters), timeline.theme)

    def shots() -> Iterator[Shot]:
        for one, frames, share in _spans(shown, length, fps):
            if one is None:
                yield Shot(easel.card("", share), frames)
            elif one.picture is not None:
                yield Shot(easel.still(pixels_of(one.picture, ctx), share), frames)
            else:
                yield Shot(easel.card(one.card, share), frames)

    cues = tuple(cue for cue in timeline.cues if cue.start < seconds)
    return Video(timeline.width, timeline.height, Fraction(fps), length, shots, timeline.sound, cues)


def _spans(shown: Sequence[Shown], length: int, fps: int) -> Iterator[tuple[Shown | None, int, float]]:
    """What is shown for how many frames, and how much of the whole is over then; None where there is nothing."""
    starts = [round(each.start * fps) for each in shown]
    at = 0
    for one, start, after in zip(shown, starts, [*starts[1:], length], strict=True):
        if start > at:
            yield None, start - at, start / length
            at = start
        end = after if one.end is None else min(after, max(start, round(one.end * fps)))
        if end > at:
            yield one, end - at, end / length
            at = end
    if at < length:
        yield None, length - at, 1.0


def pixels_of(picture: Path | Image, ctx: Context) -> NDArray[np.uint8]:
    """RGB pixels (h, w, 3); raises an InputError where the file is no picture."""
    if isinstance(picture, Image):
        return on_white(picture.pixels)
    expected = check_bytes(picture)
    with damage(picture), quiet(), open_picture(picture, expected) as opened:
        opened.load()
        return on_white(decode(opened, picture, ctx).pixels)


# -- the file ----------------------------------------------------------------------------------------------------------


def dumps(timeline: Timeline) -> str:
    """The file's characters. Raises InputError where sound or pictures are not files that it could name."""
    sound = timeline.sound.source
    if not isinstance(sound, Path):
        raise InputError("a timeline names its sound by file, and this one is in no file", HINT)
    lines = [HEAD, f'schema = "{SCHEMA}"', f"sound = {quoted(str(sound.resolve()))}"]
    lines += [f'size = "{timeline.width}x{timeline.height}"', f'theme = "{timeline.theme}"']
    for one in timeline.shown:
        lines.append(f"\n[[show]]{'  # ' + _remark(one.said) if one.said else ''}\nstart = {clock(one.start)}")
        lines += [f"end = {clock(one.end)}"] if one.end is not None else []
        if isinstance(one.picture, Image):
            raise InputError("a timeline names its pictures by file", "Give their folder: -o pictures=FOLDER")
        lines.append(f"picture = {quoted(str(one.picture.resolve()))}" if one.picture else f"card = {quoted(one.card)}")
    for cue in timeline.cues:
        lines.append(f"\n[[caption]]\nstart = {clock(cue.start)}\nend = {clock(cue.end)}\ntext = {quoted(cue.text)}")
    return "\n".join(lines) + "\n"


HINT = "Make the sound first, then its timeline: transpose IN talk.wav, and transpose talk.wav talk.timeline"


def quoted(words: str) -> str:
    """A TOML string; what UTF-8 cannot say becomes `?`."""
    clean = words.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")


def _remark(words: str) -> str:
    line = " ".join(words.split())
    kept = "".join(letter for letter in line if letter.isprintable())
    return kept if len(kept) <= 100 else f"{kept[:97]}..."


def clock(seconds: float) -> str:
    """`"1:07.42"`, rounded to a hundredth."""
    hundredths = round(seconds * 100)
    return f'"{hundredths // 6000}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"'


def load_file(path: Path, ctx: Context) -> Timeline:
    """The timeline in a file, its sound and pictures found beside it or where they were when it was made.

    Raises MislabelledInput (not a timeline), DamagedInput (an entry that cannot be understood), MissingInput (a sound
    or a picture that is not there) and what reading the sound raises.
    """
    try:
        fields = tomllib.loads(read_characters(path, ctx))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DamagedInput(
            f"{path.name!r} is not valid TOML: {reason(error)}", "Strings stand in quotation marks"
        ) from None
    if fields.get("schema") != SCHEMA:
        hint = f'It begins with: schema = "{SCHEMA}"'
        raise MislabelledInput(f"{path.name!r} is not a timeline of ours", hint)
    try:
        shown = sorted((_shown(each, path) for each in _tables(fields, "show")), key=lambda one: one.start)
        cues = sorted((_cue(each) for each in _tables(fields, "caption")), key=lambda cue: cue.start)
        width, height = sides(_string(fields, "size", "1280x720"))
        theme = _string(fields, "theme", "dark")
        if theme not in THEMES:
            raise ValueError(f"theme {theme!r} is none of {', '.join(THEMES)}")
        sound = _string(fields, "sound", "")
    except (TypeError, ValueError) as error:
        raise DamagedInput(f"{path.name!r}: {error}", "See docs/timeline.md, or make a new one to compare") from None
    return Timeline(Audio.from_file(found(sound, path)), tuple(shown), tuple(cues), width, height, theme)


def found(name: str, timeline: Path) -> Path:
    """The file of a name: beside the timeline, or as it stands; then one of that name beside the timeline."""
    if not name or "\0" in name:
        raise MissingInput(f"{timeline.name!r} does not say which file it needs", 'Write: sound = "FILE"')
    folder = timeline.parent
    for place in (folder / name, folder / re.split(r"[/\\]", name)[-1]):
        if place.is_file():
            return place
    raise MissingInput(f"{timeline.name!r} needs {name!r}, which is not there", "Put it beside the timeline")


def _tables(fields: dict[str, object], name: str) -> list[dict[str, object]]:
    entries = fields.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise TypeError(f"{name!r} has to be written as [[{name}]]")
    if len(entries) > MOST:
        raise ValueError(f"more than {MOST:,} entries [[{name}]]")
    return entries


def _shown(entry: dict[str, object], path: Path) -> Shown:
    start, picture, card = _seconds(entry, "start"), _string(entry, "picture", ""), _string(entry, "card", "")
    if bool(picture) == bool(card):
        raise ValueError(f"the entry [[show]] at {start:g} s needs either a card or a picture")
    file = found(picture, path) if picture else None
    if file is not None:
        check_bytes(file)
    return Shown(start, card, file, _seconds(entry, "end") if "end" in entry else None)


def _cue(entry: dict[str, object]) -> Cue:
    return Cue(_seconds(entry, "start"), _seconds(entry, "end"), _string(entry, "text", ""))


def _string(entry: dict[str, object], name: str, default: str) -> str:
    value = entry.get(name, default)
    if not isinstance(value, str):
        raise TypeError(f"{name} = {value!r:.40} has to stand in quotation marks")
    return value


def _seconds(entry: dict[str, object], name: str) -> float:
    """Seconds of a number, or of a string like `1:07.42` or `1:02:03`."""
    value = entry.get(name)
    matched = CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if matched:
        return int(matched[1] or 0) * 3600 + int(matched[2]) * 60 + float(matched[3])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        raise ValueError(f'{name} = {value!r:.40} is not a time: write it as "1:07.42", or as seconds')
    return float(value)
