"""A summary in its own words, with a language model of the user's own."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.core.transform import Range, transform
from transpose.media.text import Text
from transpose.models.passages import passages, reckon
from transpose.models.protocols import Chat, Message, open_model

TASK = (
    "You summarise texts. Use only what the text says; add no opinion, no introduction and no closing remark. "
    "Answer in the language of the text, in Markdown, with at most {words} words."
)
ROUNDS = 6  # summaries of summaries, before we give up


@transform(
    "text, text.prompt? -> text.summary",
    does="summarize",
    verb=True,
    synthetic=True,
    deterministic=False,
    keeps=["lang"],
    loses=["wording", "detail", "structure"],
)
def summarize(
    text: Text,
    prompt: Text | None,
    ctx: Context,
    *,
    _model: str,
    words: Annotated[int, Range(10, 5000), "about the most words of the summary"] = 150,
    temperature: Annotated[float, Range(0, 2), "0: always the likeliest word"] = 0.0,
) -> Text:
    """Tell the main points of a text; `-p` says what matters ("only the decisions", "for children").

    A text longer than the model reads at once is summarised in parts, and the parts' summaries together, as often as
    it takes. The model rephrases: it may leave out or get wrong what matters. Raises SilentInput for an empty text or
    an empty answer.
    """
    from transpose.media.plain import plain

    chat = open_model(_model, "chat", ctx, Chat)  # type: ignore[type-abstract]
    source = text.text if text.markup == "markdown" else plain(text)
    if not source.strip():
        raise SilentInput("there is no text to summarise", "Give a text with words in it")
    task = TASK.format(words=words) + (f" What matters: {prompt.text}" if prompt else "")
    tokens = min(words * 4, chat.window // 2)
    room = chat.window - tokens - reckon(task) - 64
    if room < 128:
        raise SilentInput(f"the model {_model!r} has no room for a text", "Ask for fewer words with -o words=50")
    for _ in range(ROUNDS):
        parts = list(passages(source, room))
        told = []
        for number, part in enumerate(parts, 1):
            messages = [Message("system", task), Message("user", part)]
            made = chat.answer(messages, tokens=tokens, temperature=temperature, seed=ctx.seed)
            told.append(made.words.strip())
            ctx.progress(number, len(parts), "parts")
        shorter = "\n\n".join(filter(None, told))
        if len(parts) == 1 or len(shorter) >= len(source):
            break
        source = shorter
    if not shorter:
        raise SilentInput(f"the model {_model!r} wrote nothing", "Try another model")
    if len(parts) > 1:
        ctx.warn(
            f"the model {_model!r} did not make the text shorter: these are the summaries of its {len(parts)} parts"
        )
    if not made.whole:
        ctx.warn(f"the summary was cut off at {tokens} tokens")
    return Text(shorter + "\n", markup="markdown", lang=text.lang)
