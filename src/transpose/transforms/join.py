"""Several texts as one, in their order."""

from __future__ import annotations

from transpose.core.context import Context, Many
from transpose.core.errors import EmptyInput
from transpose.core.transform import transform
from transpose.media.text import Cue, Text


@transform("texts -> text", loses=["timing"])
def join(texts: Many[Text], ctx: Context) -> Text:
    """Put texts under one another with a blank line between; the order is that of the input.

    Markup stays where all have the same, else every text becomes plain words. The language stays where all that say
    one agree. Times stay only where each text begins after the one before has ended (parts of one recording): how long
    the recordings of other texts are is not known, so their times are dropped, with a warning. Texts without a letter
    are left out. Raises EmptyInput where nothing is left.
    """
    from transpose.media.plain import plain

    given = [texts] if isinstance(texts, Text) else list(texts)
    kept = [text for text in given if text.text.strip() or text.cues]
    if not kept:
        raise EmptyInput(f"none of the {len(given)} texts has a word in it", "Give at least one text that is not empty")
    if len(kept) < len(given):
        ctx.note("left_out", len(given) - len(kept))
    markups = {text.markup for text in kept}
    if len(markups) > 1:
        ctx.warn(f"texts with different markup ({', '.join(sorted(markups))}) were joined as plain words")
    words = [text.text.strip("\n") if len(markups) == 1 and text.text.strip() else plain(text) for text in kept]
    langs = {text.lang for text in kept if text.lang}
    ctx.note("texts", len(kept))
    lang = langs.pop() if len(langs) == 1 else None
    return Text("\n\n".join(words), markups.pop() if len(markups) == 1 else "plain", lang, _timeline(kept, ctx))


def _timeline(texts: list[Text], ctx: Context) -> tuple[Cue, ...]:
    """All cues where they are on one line of time, else none."""
    if not any(text.cues for text in texts):
        return ()
    if all(text.cues for text in texts):
        ends = [max(cue.end for cue in text.cues) for text in texts]
        if all(end <= after.cues[0].start for end, after in zip(ends, texts[1:], strict=False)):
            return tuple(cue for text in texts for cue in text.cues)
    ctx.warn("the texts are not timed on one clock: their times were dropped")
    return ()
