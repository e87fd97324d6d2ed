"""Encoders and picture classifiers in ONNX, through ONNX Runtime: a folder with model.onnx and its tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transpose.core.catalog import read_json
from transpose.core.context import Context
from transpose.core.errors import TransformError, WeightsError
from transpose.models.card import Card
from transpose.models.protocols import unit_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transpose.media.image import Image

TOKENS = 512  # of one text; the rest is cut
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, where nothing else is said


@dataclass(frozen=True)
class Encoder:
    """A text encoder; where the network gives a state for each token, the vector is their mean."""

    session: Any
    tokenizer: Any
    name: str

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (len(texts), d), each row of length 1."""
        import numpy as np

        read = self.tokenizer.encode_batch(list(texts))
        mask = np.array([each.attention_mask for each in read], np.int64)
        fed = {
            "input_ids": np.array([each.ids for each in read], np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        states = _run(
            self.session, {i.name: fed[i.name] for i in self.session.get_inputs() if i.name in fed}, self.name
        )
        if states.ndim == 3:
            weights = mask[..., None].astype(np.float32)
            states = (states * weights).sum(1) / np.maximum(weights.sum(1), 1)
        return unit_rows(states)


@dataclass(frozen=True)
class Classifier:
    """A picture classifier with its labels and the way its pictures are prepared."""

    session: Any
    labels: tuple[str, ...]
    size: tuple[int, int]  # height, width
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    name: str

    def classify(self, value: str | Image) -> list[tuple[str, float]]:
        """(label, probability), the likeliest first."""
        import numpy as np
        from PIL import Image as Pictures

        from transpose.media.image import on_white

        if isinstance(value, str):
            raise TransformError(f"the model {self.name!r} classifies pictures, not texts")
        picture = Pictures.fromarray(on_white(value.pixels)).resize(self.size[::-1], Pictures.Resampling.BICUBIC)
        pixels = (np.asarray(picture, np.float32) / 255 - np.array(self.mean)) / np.array(self.spread)
        batch = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None].astype(np.float32))
        logits = _run(self.session, {self.session.get_inputs()[0].name: batch}, self.name)[0]
        chances = np.exp(logits - logits.max())
        chances /= chances.sum()
        order = np.argsort(-chances, kind="stable")
        return [(self.labels[i] if i < len(self.labels) else str(i), float(chances[i])) for i in order]


def open_embedder(card: Card, folder: Path, ctx: Context) -> Encoder:
    """Load a text encoder and its tokenizer.json."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # tokenizers raises nothing narrower
        raise WeightsError(f"cannot read tokenizer.json of {card.name!r}: {error}", "Is it there?") from None
    tokenizer.enable_truncation(TOKENS)
    tokenizer.enable_padding()
    return Encoder(_session(card, folder, ctx), tokenizer, card.name)


def open_classifier(card: Card, folder: Path, ctx: Context) -> Classifier:
    """Load a picture classifier with config.json (labels) and preprocessor_config.json (size, mean, spread)."""
    session = _session(card, folder, ctx)
    labels = read_json(folder / "config.json").get("id2label", {})
    front = read_json(folder / "preprocessor_config.json")
    size = front.get("crop_size") or front.get("size") or {}
    if isinstance(size, int):
        size = {"height": size, "width": size}
    edge = size.get("shortest_edge", 224)
    return Classifier(
        session,
        tuple(str(labels[key]) for key in sorted(labels, key=int)),
        (int(size.get("height", edge)), int(size.get("width", edge))),
        tuple(front.get("image_mean", MEAN)),
        tuple(front.get("image_std", SPREAD)),
        card.name,
    )


def _session(card: Card, folder: Path, ctx: Context) -> Any:
    import onnxruntime as ort  # type: ignore[import-untyped]

    files = sorted(folder / file.path for file in card.files if file.path.endswith(".onnx"))
    options = ort.SessionOptions()
    options.intra_op_num_threads = ctx.threads
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(str(files[0]), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises types of its own, made in C
        said = " ".join(str(error).split())[:200]
        raise WeightsError(
            f"ONNX Runtime cannot load {files[0].name!r} of {card.name!r}: {said}", "Is it whole?"
        ) from None


def _run(session: Any, fed: dict[str, Any], name: str) -> NDArray[np.float32]:
    import numpy as np

    try:
        return np.asarray(session.run(None, fed)[0], np.float32)
    except Exception as error:  # as above
        said = " ".join(str(error).split())[:200]
        raise TransformError(f"the model {name!r} failed: {said}", "Does it take these inputs?") from None
