"""Sentence encoders through the library sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transpose.core.context import Context
from transpose.models.card import Card
from transpose.models.runtimes.torch_loading import guarded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Encoder:
    """A loaded encoder; texts longer than it reads are cut by the library."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (len(texts), d), each row of length 1."""
        import numpy as np

        made = self.model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(made, np.float32)


def open_embedder(card: Card, folder: Path, ctx: Context) -> Encoder:
    """Load the encoder; no code that lies beside the weights is run, and nothing is fetched."""
    with guarded(card):
        from sentence_transformers import SentenceTransformer

        options = {"use_safetensors": True}
        return Encoder(
            SentenceTransformer(
                str(folder), device=ctx.device, trust_remote_code=False, local_files_only=True, model_kwargs=options
            )
        )
