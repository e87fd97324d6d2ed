"""A text as a vector that stands for its meaning."""

from __future__ import annotations

from collections.abc import Sequence

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, TransposeError
from transpose.core.transform import transform
from transpose.media.embedding import Embedding
from transpose.media.text import Text


@transform(
    "text -> embedding@space=all-minilm-l6-v2",
    loses=["wording", "structure", "markup"],
    models=["minilm"],
    needs=["onnxruntime", "tokenizers"],
    extra="local",
    memory_mb=250,
    batch=1024,  # long enough that sorting by length saves padding
)
def embed(texts: Sequence[Text], ctx: Context) -> list[Embedding | TransposeError]:
    """Turn each text into 384 numbers (float32, length 1), near those of texts that say the same.

    all-MiniLM-L6-v2, for English; markup is taken off first. The model reads 256 tokens, some 190 words, at once: a
    longer text is read in pieces of that size and its vector is the mean over all of them, with a warning. The cosine
    of two vectors tells how alike their texts are. At the position of a text without words stands an EmptyInput.
    """
    from transpose.media.plain import plain
    from transpose.models.minilm import MEMORY_MB, SPACE, WINDOW, MiniLM

    words = [plain(text) for text in texts]
    some = [position for position, each in enumerate(words) if each]
    results: list[Embedding | TransposeError] = [EmptyInput("a text without words cannot be embedded") for _ in words]
    if not some:
        return results
    folder = ctx.model("minilm")
    model = ctx.load("minilm", lambda: MiniLM(folder, ctx.threads), MEMORY_MB)
    tokens = model.tokenize([words[position] for position in some])
    long = sum(len(windows) > 1 for windows in tokens)
    if long:
        which = "the text is" if len(words) == 1 else f"{long} of {len(words)} texts are"
        ctx.warn(
            f"{which} longer than the {WINDOW} tokens the model reads at once: the vector is the mean of its parts"
        )
    vectors = model.vectors(tokens, progress=lambda done, total: ctx.progress(done, total, "texts"))
    for position, vector in zip(some, vectors, strict=True):
        results[position] = Embedding(vector, SPACE)
    return results
