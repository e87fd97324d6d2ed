"""A photograph as a vector: by how it looks, or by the names of what it shows, which texts can be compared with."""

from __future__ import annotations

from transpose.core.context import Context
from transpose.core.transform import transform
from transpose.media.embedding import Embedding
from transpose.media.image import Image
from transpose.media.pixels import at_most

SIDE = 512  # pixels; the network sees 224
NAMED = 10  # names that a vector in the space of texts is made of


@transform(
    "image.photo -> embedding@space=efficientnet-lite0",
    loses=["wording", "structure", "layout", "detail"],
    models=["efficientnet-lite0"],
    needs=["onnxruntime", "onnx"],
    extra="images",
    memory_mb=150,
)
def embed_picture(image: Image, ctx: Context) -> Embedding:
    """Turn a photograph into 1,280 numbers (float32, length 1), near those of photographs that show alike things.

    The last layer of EfficientNet-lite0 before its names. Only pictures live in this space: for texts and pictures
    together see `embed-picture-in-words`. Raises EmptyInput for a picture without pixels.
    """
    import numpy as np

    from transpose.models.efficientnet import MEMORY_MB, Classifier

    folder = ctx.model("efficientnet-lite0")
    model = ctx.load("efficientnet-lite0", lambda: Classifier(folder, ctx.threads), MEMORY_MB)
    _, features = model.look(at_most(image.pixels, SIDE))
    return Embedding((features / max(float(np.linalg.norm(features)), 1e-9)).astype(np.float32), "efficientnet-lite0")


@transform(
    "image.photo -> embedding@space=all-minilm-l6-v2",
    loses=["wording", "structure", "pixels", "layout", "colour", "detail"],
    models=["efficientnet-lite0", "minilm"],
    needs=["onnxruntime", "onnx", "tokenizers"],
    extra="images",
    memory_mb=400,
)
def embed_picture_in_words(image: Image, ctx: Context) -> Embedding:
    """Place a photograph among texts: 384 numbers (float32, length 1) in the space of `embed`. An approximation.

    ConSE (Norouzi et al. 2014, "Zero-Shot Learning by Convex Combination of Semantic Embeddings"): the vectors of the
    ten likeliest of a thousand names, weighted by their probabilities. So it says what a thing is called, not what
    happens, where, or in which colour; what no name fits is placed at random. Raises EmptyInput for no pixels.
    """
    import numpy as np

    from transpose.models.efficientnet import MEMORY_MB, Classifier
    from transpose.models.minilm import MEMORY_MB as TEXT_MB
    from transpose.models.minilm import SPACE, MiniLM

    folder, texts = ctx.model("efficientnet-lite0"), ctx.model("minilm")
    model = ctx.load("efficientnet-lite0", lambda: Classifier(folder, ctx.threads), MEMORY_MB)
    language = ctx.load("minilm", lambda: MiniLM(texts, ctx.threads), TEXT_MB)
    share, _ = model.look(at_most(image.pixels, SIDE))
    likeliest = np.argsort(-share)[:NAMED]
    names = language.encode([f"a photo of a {', '.join(model.synonyms[each][:2])}" for each in likeliest])
    vector = share[likeliest] @ names
    ctx.note("score", round(float(share[likeliest[0]]), 3))
    return Embedding((vector / max(float(np.linalg.norm(vector)), 1e-9)).astype(np.float32), SPACE)
