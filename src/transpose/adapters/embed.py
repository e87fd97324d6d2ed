"""A text as a vector, with an embedding model of the user's own."""

from __future__ import annotations

from collections.abc import Sequence

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, TransposeError
from transpose.core.transform import transform
from transpose.media.embedding import Embedding
from transpose.media.text import Text
from transpose.models.protocols import Embedder, open_model

AT_ONCE = 64


@transform("text -> embedding", does="embed", loses=["wording", "structure", "markup"], batch=256)
def embed(texts: Sequence[Text], ctx: Context, *, _model: str) -> list[Embedding | TransposeError]:
    """Turn each text into a vector of length 1 in the model's own space; markup is taken off first.

    At the position of a text without words stands an EmptyInput.
    """
    from transpose.media.plain import plain

    words = [plain(text) for text in texts]
    some = [position for position, each in enumerate(words) if each.strip()]
    results: list[Embedding | TransposeError] = [EmptyInput("a text without words cannot be embedded") for _ in words]
    if not some:
        return results
    model = open_model(_model, "embedder", ctx, Embedder)  # type: ignore[type-abstract]
    for start in range(0, len(some), AT_ONCE):
        batch = some[start : start + AT_ONCE]
        for position, vector in zip(batch, model.encode([words[each] for each in batch]), strict=True):
            results[position] = Embedding(vector, _model)
        ctx.progress(start + len(batch), len(some), "texts")
    return results
