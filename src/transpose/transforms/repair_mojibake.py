"""Mend text that was read in the wrong encoding: `schÃ¶n` becomes `schön` again.

Method: ftfy (Speer 2019), which looks for sequences that can hardly be anything else, and undoes them line by line.
Only what its encoding steps change is changed here: quotation marks, ligatures, line ends and the like stay as they
are, so that text which is right comes back as the same characters.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.transform import transform
from transpose.media.text import Text

if TYPE_CHECKING:
    from ftfy import TextFixerConfig


@transform(
    "text -> text", name="repair", verb=True, keeps=["lang", "timed", "markup"], needs=["ftfy"], extra="documents"
)
def repair(
    text: Text,
    ctx: Context,
    *,
    entities: Annotated[bool, "also `&eacute;` and the like outside of HTML, as in `caf&eacute;`"] = False,
) -> Text:
    """Mend characters that were written in one encoding and read in another, also twice over.

    What was mended is noted: how many lines, and the first of them. Text that is right stays as it is. What was lost
    for good (a question mark or U+FFFD for a letter) cannot be mended.
    """
    import ftfy

    how = ftfy.TextFixerConfig(
        unescape_html=entities and text.markup != "html",
        remove_terminal_escapes=False,
        restore_byte_a0=True,
        replace_lossy_sequences=True,
        decode_inconsistent_utf8=True,
        fix_c1_controls=True,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        fix_surrogates=False,
        remove_control_chars=False,
        normalization=None,
        explain=True,
    )
    steps: Counter[str] = Counter()
    examples: list[str] = []
    mended = "\n".join(_line(line, how, steps, examples) for line in text.text.split("\n"))
    cues = tuple(
        replace(
            cue,
            text=_line(cue.text, how, Counter(), []),
            words=tuple(replace(word, text=_line(word.text, how, Counter(), [])) for word in cue.words),
        )
        for cue in text.cues
    )
    ctx.note("lines", len(examples))
    if examples:
        ctx.note("steps", ", ".join(f"{name} ({count})" for name, count in steps.most_common()))
        ctx.note("first", examples[0])
    else:
        ctx.warn("nothing in this text looks as if it was read in the wrong encoding: it is as it was")
    if "\ufffd" in mended:
        ctx.warn(f"{mended.count(chr(0xFFFD))} characters were lost before (U+FFFD) and cannot be mended")
    return replace(text, text=mended, cues=cues)


def _line(line: str, how: TextFixerConfig, steps: Counter[str], examples: list[str]) -> str:
    """One line, mended; what was done is counted."""
    import ftfy

    if line.isascii() and not how.unescape_html:
        return line
    body = line.removesuffix("\r")
    fixed = ftfy.fix_and_explain(body, how)
    if fixed.text == body:
        return line
    for step in fixed.explanation or []:
        steps[f"{step.action} {step.parameter}"] += 1
    examples.append(f"{body.strip()[:60]} -> {fixed.text.strip()[:60]}")
    return fixed.text + line[len(body) :]
