"""`embed` beside sentence-transformers' default, in one process: texts per second, and the cosine of their vectors.

    python benchmarks/minilm_speed.py FOLDER-OF-WEIGHTS [--texts 1000] [--threads 2] [--rounds 3]

FOLDER holds minilm/ with model.safetensors, tokenizer.json and model.onnx. Needs sentence-transformers and PyTorch,
which Transpose itself does not; both sides get the same threads. Rounds alternate, and the best of each side counts.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.media.embedding import Embedding
from transpose.media.text import Text
from transpose.transforms.embed import embed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WORDS = """
time year people way day man thing woman life child world school state family student group country problem
hand part place case week company system program question work government number night point home water room mother
area money story fact month lot right study book eye job word business issue side kind head house service friend father
power hour game line end member law car city community name president team minute idea body information back parent face
others level office door health person art war history party result change morning reason research girl moment air
teacher force education and the of in to that it was for on with as at by from
"""


def make_texts(count: int, seed: int = 1) -> list[str]:
    """Texts of 3 to 220 words, most of them around 27, as in notes, mails and paragraphs."""
    dice, words = random.Random(seed), WORDS.split()
    lengths = [min(220, max(3, int(dice.lognormvariate(3.3, 0.9)))) for _ in range(count)]
    return [" ".join(dice.choices(words, k=length)).capitalize() + "." for length in lengths]


def sentence_transformer(folder: Path, texts: list[str], threads: int) -> Callable[[], NDArray[np.float32]]:
    """The default of sentence-transformers on the same weights: PyTorch, batches of 32 sorted by length."""
    import torch  # type: ignore[import-not-found]
    from sentence_transformers import SentenceTransformer, models  # type: ignore[import-not-found]
    from transformers import BertConfig, BertModel, BertTokenizerFast  # type: ignore[import-not-found]

    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        sizes = {"hidden_size": 384, "num_hidden_layers": 6, "intermediate_size": 1536, "vocab_size": 30522}
        BertConfig(**sizes, num_attention_heads=12, max_position_embeddings=512).save_pretrained(place)
        (place / "model.safetensors").symlink_to(folder / "model.safetensors")
        BertTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), do_lower_case=True).save_pretrained(place)
        BertModel.from_pretrained(place)  # fails early and clearly where the weights do not fit
        transformer = models.Transformer(str(place), max_seq_length=256)
        pooling = models.Pooling(384, "mean")
        model = SentenceTransformer(modules=[transformer, pooling, models.Normalize()], device="cpu")
    return lambda: model.encode(texts, show_progress_bar=False)


def ours(folder: Path, texts: list[str], threads: int) -> Callable[[], NDArray[np.float32]]:
    """The transform itself, model warm."""
    import numpy as np

    ctx = Context(weights=lambda name: folder.parent / name, threads=threads)
    values = [Text(text) for text in texts]
    return lambda: np.stack([each.vector for each in embed(values, ctx) if isinstance(each, Embedding)])


def measure(folder: Path, count: int, threads: int, rounds: int) -> dict[str, float]:
    """Best seconds of each, their ratio, and the least cosine between their vectors."""
    import numpy as np

    texts = make_texts(count)
    sides = {"ours": ours(folder, texts, threads), "theirs": sentence_transformer(folder, texts, threads)}
    vectors = {name: run() for name, run in sides.items()}  # also warms both up
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, run in sides.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
    a, b = vectors["ours"], vectors["theirs"]
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    best = {name: min(each) for name, each in seconds.items()}
    return {
        "texts": count,
        "threads": threads,
        "ours_texts_per_second": round(count / best["ours"], 1),
        "theirs_texts_per_second": round(count / best["theirs"], 1),
        "ratio": round(best["theirs"] / best["ours"], 2),
        "least_cosine": round(float(cosines.min()), 6),
    }


def main() -> None:
    """Read the arguments, measure, print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(json.dumps(measure(given.folder.resolve() / "minilm", given.texts, given.threads, given.rounds)))


if __name__ == "__main__":
    main()
