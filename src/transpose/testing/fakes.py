"""Fakes with predictable arithmetic, for tests of planning and running and for trying a plug-in.

`Session(transforms=FAKES)` adds them. They stand for models that are not there: none of them is in the graph of
an installation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.image import Image
from transpose.media.text import Text


@transform("audio.speech -> text.transcript@timed", name="fake-transcribe", keeps=["lang"], loses=["speaker", "timbre"])
def transcribe(audio: Audio, ctx: Context) -> Text:
    """Answers the length of the sound: `2.50 seconds`."""
    return Text(f"{audio.duration:.2f} seconds")


@transform(
    "text.prompt -> image", name="fake-paint", invents=True, synthetic=True, deterministic=False, loses=["wording"]
)
def paint(prompt: Text, ctx: Context, *, size: Annotated[int, Range(1, 512), "pixels a side"] = 4) -> Image:
    """Paints a square in the colour of the prompt's hash and the seed."""
    import numpy as np

    colour = hashlib.sha256(f"{prompt.text}{ctx.seed}".encode()).digest()[:3]
    return Image(np.full((size, size, 3), list(colour), np.uint8))


@transform("image.photo -> text.label", name="fake-label", thin=True, loses=["layout", "pixels", "colour"])
def label(image: Image, ctx: Context) -> Text:
    """Answers the mean grey level."""
    return Text(f"grey {int(image.pixels.mean())}")


@transform("image.photo -> text.caption", name="fake-caption", loses=["layout", "pixels", "colour"])
def caption(image: Image, ctx: Context) -> Text:
    """Answers the size."""
    return Text(f"a picture of {image.width} by {image.height}")


@transform(
    "audio.music, text.prompt -> audio.music",
    name="fake-restyle",
    verb=True,
    invents=True,
    synthetic=True,
    loses=["timbre"],
)
def restyle(audio: Audio, prompt: Text, ctx: Context) -> Audio:
    """Answers the same sound, quieter by the length of the prompt; a recipe that returns to its kind."""
    samples = audio.array() / (1 + len(prompt.text))
    return type(audio).from_array(samples, audio.rate)


@transform("text, text.prompt -> text", name="fake-write", verb=True, invents=True, loses=["wording"])
def write(text: Text, prompt: Text, ctx: Context) -> Text:
    """Answers the prompt, a colon, and the text."""
    return Text(f"{prompt.text}: {text.text}")


@transform("text -> text", name="fake-shout", verb=True, keeps=["lang", "markup"])
def shout(
    texts: Sequence[Text], ctx: Context, *, marks: Annotated[int, Range(0, 9), "exclamation marks"] = 1
) -> list[Text | ValueError]:
    """Upper case and exclamation marks; an empty text is an error of its own row."""
    ctx.note("rows", len(texts))
    return [Text(text.text.upper() + "!" * marks) if text.text else ValueError("nothing to shout") for text in texts]


@transform("text -> text@fr", name="fake-french", verb=True, loses=["wording"])
def french(text: Text, ctx: Context) -> Text:
    """Puts `le` before every word."""
    return Text(" ".join(f"le {word}" for word in text.text.split()), "plain", "fr")


@transform("text -> text.summary", name="fake-first-word", verb=True, loses=["wording", "structure"])
def first_word(text: Text, ctx: Context) -> Text:
    """Answers the first word."""
    return Text(text.text.split()[0])


FAKES = (transcribe, paint, label, caption, restyle, write, shout, french, first_word)
