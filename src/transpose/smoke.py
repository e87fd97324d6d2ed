"""The first run of a model that a user added: each of its transforms on a tiny input, here, before it is listed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from transpose.core.context import Context
from transpose.core.errors import SilentInput, TransformError, TransposeError
from transpose.core.transform import Transform
from transpose.models.card import Card
from transpose.own import transforms_of

SAYING = "A red fox jumped over the lazy dog. Then it slept."


def _text() -> Any:
    from transpose.media.text import Text

    return Text(SAYING, lang="en")


def _picture() -> Any:
    import numpy as np

    from transpose.media.image import Image

    ramp = np.linspace(0, 255, 96, dtype=np.uint8)
    return Image(
        np.stack([np.tile(ramp, (96, 1)), np.tile(ramp[:, None], (1, 96)), np.full((96, 96), 90, np.uint8)], 2)
    )


def _sound() -> Any:
    import numpy as np

    from transpose.media.audio import Audio

    time = np.arange(2 * 16_000) / 16_000
    return Audio.from_array((0.2 * np.sin(2 * np.pi * 220 * time) * np.sin(3 * time) ** 2).astype(np.float32), 16_000)


SAMPLES: dict[str, Callable[[], Any]] = {"text": _text, "image": _picture, "audio": _sound}
# the smallest work that each can do; names that a transform does not have are left out
SMALL: dict[str, str | int | float] = {
    "tokens": 12,
    "words": 10,
    "steps": 2,
    "width": 64,
    "height": 64,
    "seconds": 0.5,
    "frames": 2,
}


def smoke(card: Card, ctx: Context, say: Callable[[str], None]) -> str:
    """Run every transform of a card once; answers a line on how it went.

    A recogniser that hears nothing in a tone is right. Raises what the first that failed raised, and
    TransformError for what is no error of ours, naming it and why.
    """
    started = time.monotonic()
    items = transforms_of(card)
    tried: set[str] = set()
    for item in items:
        if item.does in tried:  # translators of other languages
            continue
        tried.add(item.does)
        say(f"trying {item.name}")
        try:
            item.function(*_inputs(item), ctx, **_options(item))
        except SilentInput:
            continue
        except TransposeError as error:
            raise type(error)(f"{item.name} failed on its first run: {error.message}", error.hint) from error
        except Exception as error:  # a stranger's model may raise anything at all
            raise TransformError(
                f"{item.name} failed on its first run: {type(error).__name__}: {error}", "Is the model whole?"
            ) from error
    return f"{', '.join(sorted(tried))} in {time.monotonic() - started:.1f} s"


def _inputs(item: Transform) -> list[Any]:
    made = [None if slot.optional else SAMPLES[slot.nodes[0].modality]() for slot in item.slots]
    return [[made[0]]] if item.batched else made


def _options(item: Transform) -> dict[str, str | int | float]:
    return {option.name: SMALL[option.name] for option in item.options if option.name in SMALL}
