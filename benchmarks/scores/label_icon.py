"""How often an icon in a style that the networks never saw gets its own name first, of 1,600.

python -m benchmarks.scores label_icon
"""

from __future__ import annotations

import hashlib
import io
import resource
import time

import numpy as np
import resvg_py
from PIL import Image as Pillow

from transpose.core.context import Context
from transpose.media.image import Image, on_white
from transpose.models.contrastive import CARD, PictureText
from transpose.models.icons import Icon, Icons, Names, plain_words
from transpose.transforms.label_icon import label_icon

SET, NAMES = "icons-twemoji", "emoji-names"  # the pair learnt from other sets
HELD_OUT = 10  # one concept of so many was never learnt, in any set: see recipes/picture_data.py
TIMED = 50


def score(ctx: Context) -> dict[str, str | float]:
    """Share of right first names over all of Twemoji whose names the pair knows."""
    model = PictureText(ctx.model(CARD))
    known = {plain_words(name): at for at, name in enumerate(model.facts.names)}
    icons = Icons(ctx.model(SET), SET)
    asked = [each for each in Names(ctx.model(NAMES)).entries if each.label in known and each.code in icons]
    pictures = [drawn(icons.read(each.code)) for each in asked]
    shares = np.concatenate([model.name([each]) for each in pictures])
    own = np.array([known[each.label] for each in asked])
    before = (shares > shares[np.arange(len(own)), own][:, None]).sum(1)
    new = np.array([unseen(each.code) for each in asked])
    label_icon(Image(pictures[0]), ctx)
    began = time.perf_counter()
    for each in pictures[:TIMED]:
        label_icon(Image(each), ctx)
    seconds = (time.perf_counter() - began) / TIMED
    first, five = (float((before[~new] < most).mean()) for most in (1, 5))
    new_first, new_five = (float((before[new] < most).mean()) for most in (1, 5))
    return {
        "metric": "top-1 accuracy",
        "value": round(first, 3),
        "quality": round(first, 3),
        "data": f"{(~new).sum()} icons of Twemoji, a set never seen, among {len(model.facts.names)} names "
        f"(one of five: {five:.3f}); {new.sum()} of things never learnt, but seen in other sets: {new_first:.3f}, "
        f"one of five {new_five:.3f}",
        "date": "2026-11-21",
        "seconds": round(seconds, 4),
        "unit": "picture",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def drawn(icon: Icon, side: int = 64) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """An icon on white, RGB (side, side, 3)."""
    box = " ".join(f"{each:g}" for each in icon.box)
    text = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{icon.body}</svg>'
    data = bytes(resvg_py.svg_to_bytes(svg_string=text, width=side, height=side))
    with Pillow.open(io.BytesIO(data)) as picture:
        return on_white(np.asarray(picture.convert("RGBA")))


def unseen(code: str) -> bool:
    """Whether the recipe held a concept out."""
    return int.from_bytes(hashlib.sha256(code.lower().encode()).digest()[:4], "big") % HELD_OUT == 0
