"""A text in another language, with a language model of the user's own."""

from __future__ import annotations

import re
from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.core.transform import Range, transform
from transpose.media.text import Cue, Text
from transpose.models.passages import passages, reckon
from transpose.models.protocols import Chat, Message, open_model

# code -> name as a model knows it: a transform is made for each
LANGUAGES = {
    "ar": "Arabic",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "hi": "Hindi",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "zh": "Chinese",
}
TASK = (
    "Translate into {language}. Keep Markdown, names, numbers and line breaks as they are. "
    "Answer with the translation only."
)
PART = 700  # tokens at once: small models lose the thread of more


@transform(
    "text -> text",
    does="translate",
    verb=True,
    synthetic=True,
    deterministic=False,
    keeps=["timed", "markup"],
    loses=["wording"],
)
def translate(
    text: Text,
    ctx: Context,
    *,
    _model: str,
    _lang: str,
    temperature: Annotated[float, Range(0, 2), "0: always the likeliest word"] = 0.0,
) -> Text:
    """Say a text in another language, passage by passage; a timed text cue by cue, so that times stay right.

    How good it is depends on the model: small ones do a few languages, and only roughly. Raises SilentInput where
    there is nothing to translate.
    """
    chat = open_model(_model, "chat", ctx, Chat)  # type: ignore[type-abstract]
    if not text.text.strip() and not text.cues:
        raise SilentInput("there is no text to translate", "Give a text with words in it")
    task = TASK.format(language=LANGUAGES[_lang])

    def say(words: str) -> str:
        """One passage in the other language, between the blanks that it had."""
        core = words.strip()
        if not re.search(r"\w", core):
            return words
        messages = [Message("system", task), Message("user", core)]
        room = min(4 * reckon(core) + 32, chat.window // 2)  # what is longer has lost its way
        made = chat.answer(messages, tokens=room, temperature=temperature, seed=ctx.seed).words.strip()
        start = words.index(core)
        return words[:start] + made + words[start + len(core) :]

    if text.cues:
        cues = []
        for number, cue in enumerate(text.cues, 1):
            cues.append(Cue(cue.start, cue.end, say(cue.text)))
            ctx.progress(number, len(text.cues), "cues")
        return Text("\n".join(cue.text for cue in cues), lang=_lang, cues=tuple(cues))
    parts = list(passages(text.text, min(PART, chat.window // 4)))
    told = []
    for number, part in enumerate(parts, 1):
        told.append(say(part))
        ctx.progress(number, len(parts), "passages")
    return Text("".join(told), markup=text.markup, lang=_lang)
