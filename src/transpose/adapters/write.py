"""Write what a prompt asks for, with a language model of the user's own."""

from __future__ import annotations

from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.core.transform import Range, transform
from transpose.media.text import Text
from transpose.models.protocols import Chat, Message, open_model


@transform(
    "text.prompt, text? -> text",
    does="write",
    verb=True,
    invents=True,
    synthetic=True,
    deterministic=False,
    keeps=["lang"],
)
def write(
    prompt: Text,
    text: Text | None,
    ctx: Context,
    *,
    _model: str,
    tokens: Annotated[int, Range(1, 100_000), "most tokens to write"] = 1024,
    temperature: Annotated[float, Range(0, 2), "0: always the likeliest word; 1: as it was trained"] = 0.7,
) -> Text:
    """Answer a prompt in Markdown, with a text to go by where one is given. The model may make things up.

    Raises SilentInput where the model says nothing.
    """
    chat = open_model(_model, "chat", ctx, Chat)  # type: ignore[type-abstract]
    asked = prompt.text if text is None else f"{prompt.text}\n\n{text.text}"
    made = chat.answer([Message("user", asked)], tokens=tokens, temperature=temperature, seed=ctx.seed)
    if not made.words.strip():
        raise SilentInput(f"the model {_model!r} wrote nothing", "Ask in other words, or allow more tokens")
    if not made.whole:
        ctx.warn(f"the text was cut off at {tokens} tokens; more: -o tokens={2 * tokens}")
    return Text(made.words.strip() + "\n", markup="markdown", lang=prompt.lang)
