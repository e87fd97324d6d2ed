"""Plain text and Markdown files.

Written as UTF-8 with `\\n` at line ends and one at the end. What is written to `.txt` are the words without markup;
plain words written to `.md` are escaped where Markdown would read marks into them, so that they read the same when
rendered; HTML becomes its words, with a warning. A timed text that has no paragraphs of its own (a transcript,
subtitles) gets them: a new one where nobody speaks for 1.5 s, or after a sentence once 600 characters are full.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import transform
from transpose.media.encoding import read_characters
from transpose.media.text import Cue, Text

PAUSE = 1.5  # seconds without a word that begin a paragraph
FULL = 600  # characters after which a sentence's end begins one
ENDS = tuple(".!?…。！？:")
CLOSING = "\"'”’»)]"
BLOCK_MARK = re.compile(r"^( {0,3})([#>+=~-]|\d{1,9}(?=[.)](?:\s|$)))")
TABLE_RULE = re.compile(r"[\s|:]*-[\s|:-]*")  # also a rule, and what makes the line above a heading
INLINE_MARK = re.compile(
    r"\\(?=[!-/:-@\[-`{-~]|$)|[`*]|(?<![^\W_])_|_(?![^\W_])|~(?=~)|<(?=[A-Za-z/!?])|&(?=#?\w+;)|\[(?=[^\]\n]*\][\[(:])"
)


@transform(".txt -> text")
def read_text(
    path: Path, ctx: Context, *, encoding: Annotated[str, "name of the encoding, where it is not found"] = ""
) -> Text:
    """Read a text file of any common encoding (also CSV, logs and the like, as they stand).

    Raises what `media.encoding.read_characters` does: EmptyInput, MislabelledInput, HugeInput, MissingInput.
    """
    return Text(read_characters(path, ctx, encoding), name=path.stem)


@transform(".md -> text@markdown")
def read_markdown(
    path: Path, ctx: Context, *, encoding: Annotated[str, "name of the encoding, where it is not found"] = ""
) -> Text:
    """Read a Markdown file; its marks stay in the text, and whoever needs plain words takes them off.

    Raises what `media.encoding.read_characters` does: EmptyInput, MislabelledInput, HugeInput, MissingInput.
    """
    return Text(read_characters(path, ctx, encoding), markup="markdown", name=path.stem)


@transform("text -> .txt", loses=["markup", "timing"])
def write_text(text: Text, path: Path, ctx: Context) -> None:
    """Write the words, without markup and times; a transcript in paragraphs."""
    from transpose.media.plain import plain

    words = paragraphs(text) if text.cues else text.text if text.markup == "plain" else plain(text)
    write_characters(path, words)


@transform("text -> .md", loses=["timing"])
def write_markdown(text: Text, path: Path, ctx: Context) -> None:
    """Write Markdown as it stands, and anything else as words that Markdown shows unchanged."""
    from transpose.media.plain import plain

    if text.markup == "html":
        ctx.warn("the HTML was written to Markdown as words only: headings, links and tables are not marked")
        text = replace(text, text=plain(text), markup="plain")
    words = paragraphs(text) if text.cues else text.text
    write_characters(path, words if text.markup == "markdown" else escape(words))


def write_characters(path: Path, words: str) -> None:
    """Write UTF-8 with `\\n` line ends and one final line end; what UTF-8 cannot say (lone surrogates) becomes `?`."""
    lines = words.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    path.write_bytes((lines + "\n").encode("utf-8", "replace"))


def escape(words: str) -> str:
    """Plain words as Markdown (CommonMark) that renders to them, with as few backslashes as that takes.

    Line breaks inside a paragraph stay soft; lines indented by four blanks or more are code in Markdown and stay.
    """
    return "\n".join(line if line.startswith(("    ", "\t")) else _escape_line(line) for line in words.split("\n"))


def _escape_line(line: str) -> str:
    line = INLINE_MARK.sub(lambda found: "\\" + found.group(), line)
    if TABLE_RULE.fullmatch(line):
        return line.replace("-", "\\-", 1)
    found = BLOCK_MARK.match(line)
    if not found or line.lstrip().startswith("\\"):
        return line
    blanks, mark = found.groups()
    rest = line[found.end() :]
    if mark.isdigit():
        return f"{blanks}{mark}\\{rest}"
    return f"{blanks}\\{mark}{rest}" if _marks(mark, rest) else line


def _marks(mark: str, rest: str) -> bool:
    """Whether a line that begins with `mark` would become a heading, quotation, list, rule or fence."""
    if mark == "#":
        return bool(re.match(r"#{0,5}(\s|$)", rest))
    if mark in "+-":
        return not rest or rest[0].isspace() or not rest.strip("- ")
    return mark == ">" or (mark == "=" and not rest.strip("= ")) or rest.startswith("~~")


def paragraphs(text: Text) -> str:
    """The words of a timed text in readable paragraphs; its own, where it has some."""
    if "\n\n" in text.text.strip():
        return text.text
    parts: list[list[str]] = [[]]
    size, last = 0, text.cues[0].end
    for cue in text.cues:
        full = size > FULL and _ends_sentence(parts[-1][-1])
        if parts[-1] and (full or cue.start - last >= PAUSE):
            parts.append([])
            size = 0
        parts[-1].append(_one_line(cue))
        size, last = size + len(cue.text), max(last, cue.end)
    return "\n\n".join(" ".join(part) for part in parts)


def _one_line(cue: Cue) -> str:
    """A cue as running text; the lines of a dialogue, which begin with a dash, stay lines."""
    return re.sub(r"\s*\n\s*(?![-–—])", " ", cue.text.strip())


def _ends_sentence(words: str) -> bool:
    return words.rstrip(CLOSING).endswith(ENDS)
