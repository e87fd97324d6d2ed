"""Programs and settings as they stand in files.

They are read and written like plain text (media/encoding.py finds the encoding), unchanged but for line ends, which
become `\\n`. A program is never written under the suffix of another language: that would be a new name, not a
translation. In Markdown it becomes one block of code. `.ts` is a video stream to Transpose: TypeScript is read with
`--from .tsx`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import TransformError
from transpose.core.transform import transform
from transpose.media.encoding import read_characters
from transpose.media.program import ALIKE, LANGUAGES, by_content, given_language, title
from transpose.media.text import Text

FILES = "|".join(LANGUAGES)


@transform(f"{FILES} -> text.code")
def read_code(
    path: Path, ctx: Context, *, encoding: Annotated[str, "name of the encoding, where it is not found"] = ""
) -> Text:
    """Read a program or a file of settings as it stands.

    Raises what `media.encoding.read_characters` does: EmptyInput, MislabelledInput, HugeInput, MissingInput.
    """
    return Text(read_characters(path, ctx, encoding))


@transform(f"text.code -> {FILES}")
def write_code(code: Text, path: Path, ctx: Context) -> None:
    """Write a program as it stands, in UTF-8 with `\\n` at line ends.

    Raises TransformError where the suffix is that of another language than the given file's.
    """
    old, new = given_language(ctx), LANGUAGES[path.suffix.lower()]
    if old and old != new and not any({old, new} <= family for family in ALIKE):
        said = f"the program is {title(old)}, and {path.suffix} is for {title(new)}"
        raise TransformError(f"{said}: nothing here translates programs", "Keep its suffix, or write it as .txt")
    _write(path, code.text)


@transform("text.code -> .md", name="write-code-block")
def write_code_block(code: Text, path: Path, ctx: Context) -> None:
    """Write a program as one fenced block of Markdown, marked with its language where that is known."""
    language = given_language(ctx) or by_content(code.text)
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", code.text)), default=0))
    _write(path, f"{ticks}{language}\n{code.text.rstrip(chr(10))}\n{ticks}")


def _write(path: Path, words: str) -> None:
    lines = words.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    path.write_bytes((lines + "\n").encode("utf-8", "replace"))
