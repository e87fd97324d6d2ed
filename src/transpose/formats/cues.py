"""Subtitles: SubRip (`.srt`) and WebVTT (`.vtt`).

Own reader and writer, because pysubs2 1.8 loses what these formats can say: times of 100 hours and more (clamped),
braces in the words (taken for styling), `<` and `&` in WebVTT (not escaped). WebVTT follows the W3C's "WebVTT: The Web
Video Text Tracks Format"; SubRip has no standard, so anything that common players take is read.

Cues that carry the times of their words are set into readable subtitles after Netflix' "Timed Text Style Guide:
General Requirements": at most 2 lines of 42 characters, 5/6 to 7 seconds. Cues from a subtitle file stay as they are,
unless they hold more than two lines can.
"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, MislabelledInput
from transpose.core.transform import transform
from transpose.media.encoding import read_characters
from transpose.media.subtitle import LINES, WIDTH, readable
from transpose.media.text import Cue, Text

CLOCK = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
TIMING = re.compile(rf"^\s*{CLOCK}\s*-->\s*{CLOCK}(?:\s+(.*))?$")
TAG = re.compile(
    r"</?(?:[ibusvc]|font|ruby|rt|lang)(?:[ .][^<>]*)?>|<(?:\d+:)?\d\d:\d\d\.\d{3}>|\{\\[^}]*\}", re.IGNORECASE
)
LANGUAGE = re.compile(r"^Language:\s*([a-z]{2,3})\b", re.IGNORECASE | re.MULTILINE)


@transform(".srt|.vtt -> text@timed")
def read_cues(
    path: Path, ctx: Context, *, encoding: Annotated[str, "name of the encoding, where it is not found"] = ""
) -> Text:
    """Read subtitles as a text with timed cues, in order of their start.

    Styling, voice names and positions are taken off, and a warning says so; so are empty cues. Raises EmptyInput (no
    cue), MislabelledInput (no subtitles) and what `media.encoding.read_characters` raises.
    """
    source = read_characters(path, ctx, encoding)
    web = source.startswith("WEBVTT")
    if web != (path.suffix.lower() == ".vtt"):
        ctx.warn(f"{path.name!r} holds {'WebVTT' if web else 'SubRip'} subtitles; they were read as that")
    found, styled = parse_cues(source, web)
    if not found and web:
        raise EmptyInput(f"{path.name!r} holds no cue", "Give a file with subtitles in it")
    if not found:
        hint = "A cue begins like 00:00:01,000 --> 00:00:04,000; rename other text to .txt"
        raise MislabelledInput(f"{path.name!r} holds no timed cue", hint)
    cues = tuple(sorted((cue for cue in found if cue.text), key=lambda cue: cue.start))
    if not cues:
        raise EmptyInput(f"{path.name!r} holds only empty cues", "Give a file with words in it")
    if len(cues) < len(found):
        ctx.warn(f"{len(found) - len(cues)} empty cues of {path.name!r} were left out")
    if styled:
        ctx.warn(f"styling, voices or positions of {styled} cues of {path.name!r} were left out")
    header = LANGUAGE.search(source.partition("\n\n")[0]) if web else None
    return Text("\n".join(cue.text for cue in cues), lang=header[1].lower() if header else None, cues=cues)


def parse_cues(source: str, web: bool) -> tuple[list[Cue], int]:
    """The cues of a file's characters, and how many had styling, a voice or a position.

    `web`: WebVTT, where `&lt;` and the like stand for characters, and notes and style sheets are no cues.
    """
    cues: list[Cue] = []
    styled = 0
    for timing, lines in _blocks(source.split("\n")):
        raw = "\n".join(lines)
        words = TAG.sub("", raw)
        styled += words != raw or bool(timing[9])
        words = html.unescape(words) if web else words
        words = "\n".join(line.strip() for line in words.split("\n") if line.strip())
        cues.append(Cue(_seconds(*timing.group(1, 2, 3, 4)), _seconds(*timing.group(5, 6, 7, 8)), words))
    return cues, styled


def _blocks(lines: list[str]) -> list[tuple[re.Match[str], list[str]]]:
    """Each line of times with the lines under it, up to a blank line or the number and times of the next cue.

    Files written by hand often lack the blank line between cues, or have one after the times.
    """
    blocks: list[tuple[re.Match[str], list[str]]] = []
    inside = False
    for line in lines:
        timing = TIMING.match(line)
        if timing:
            if inside and blocks[-1][1] and blocks[-1][1][-1].strip().isdigit():
                blocks[-1][1].pop()  # the number of this cue, with no blank line before it
            blocks.append((timing, []))
            inside = True
        elif not line.strip():
            inside = inside and not blocks[-1][1]
        elif inside:
            blocks[-1][1].append(line)
    return blocks


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return (whole * 1000 + int((fraction or "0").ljust(3, "0"))) / 1000


@transform("text@timed -> .srt", loses=["markup"], default_kind="text.transcript")
def write_srt(
    text: Text,
    path: Path,
    ctx: Context,
    *,
    fit: Annotated[bool, "set cues that are too long for two lines of 42 characters into several"] = True,
) -> None:
    """Write SubRip subtitles, which have no way to hold language, history or a literal `<i>`.

    Raises EmptyInput where the text has no cues.
    """
    blocks = [
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{_body(cue.text)}\n"
        for number, cue in enumerate(_shown(text, ctx, fit), 1)
    ]
    path.write_bytes("\n".join(blocks).encode("utf-8", "replace"))


@transform("text@timed -> .vtt", loses=["markup"], default_kind="text.transcript")
def write_vtt(
    text: Text,
    path: Path,
    ctx: Context,
    *,
    fit: Annotated[bool, "set cues that are too long for two lines of 42 characters into several"] = True,
) -> None:
    """Write WebVTT subtitles; the history goes into a NOTE. Raises EmptyInput where the text has no cues."""
    blocks = ["WEBVTT\n"]
    if ctx.history:
        blocks.append(f"NOTE {ctx.history.replace('>', chr(92) + 'u003e')}\n")  # the same JSON; NOTE may not hold -->
    for cue in _shown(text, ctx, fit):
        words = html.escape(_body(cue.text), quote=False)
        blocks.append(f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{words}\n")
    path.write_bytes("\n".join(blocks).encode("utf-8", "replace"))


def _shown(text: Text, ctx: Context, fit: bool) -> list[Cue]:
    """The cues as they are written."""
    if not text.cues:
        raise EmptyInput("the text has no timed cues to write", "Write it to .txt or .md")
    cues = [replace(cue, text=_body(cue.text)) for cue in text.cues if cue.text.strip()]
    if not fit:
        return cues
    guessed = sum(not cue.words and len(cue.text) > WIDTH * LINES for cue in cues)
    if guessed:
        ctx.warn(f"{guessed} long cues were divided at times estimated from their length; -o fit=no keeps them whole")
    return [part for cue in cues for part in readable(cue)]


def _body(words: str) -> str:
    """The lines of a cue; an empty line would end it, so there is none."""
    words = words.replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.strip() for line in words.split("\n") if line.strip())


def _clock(seconds: float, point: str) -> str:
    """`01:02:03,456`; hours grow beyond two digits where they have to. Milliseconds are rounded."""
    rest, milliseconds = divmod(max(0, round(seconds * 1000)), 1000)
    minutes, second = divmod(rest, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}{point}{milliseconds:03d}"
