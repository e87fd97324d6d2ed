"""GGUF language models through llama.cpp, by the package xllamacpp: it speaks the chat form of OpenAI in process."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transpose.core.context import Context
from transpose.core.errors import TransformError, WeightsError
from transpose.models.card import Card
from transpose.models.protocols import Answer, Message, settings, unit_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW = 8192  # tokens, where neither the card nor the model says less
MAGIC = b"GGUF"


class LlamaChat:
    """A loaded model. Texts are put into the model's own chat template by llama.cpp."""

    def __init__(self, server: Any, name: str, window: int) -> None:
        self.server = server
        self.name = name
        self.window = window

    def answer(self, messages: Sequence[Message], *, tokens: int, temperature: float, seed: int) -> Answer:
        """The next turn; raises TransformError with llama.cpp's own words where it refuses."""
        told = [{"role": message.role, "content": message.words} for message in messages]
        body = {"messages": told, "max_tokens": tokens, "temperature": temperature, "seed": seed, "cache_prompt": False}
        with quietly():
            made = self.server.handle_chat_completions(body)
        choice = _checked(made, self.name)["choices"][0]
        return Answer(choice["message"]["content"] or "", choice.get("finish_reason") != "length")


class LlamaEmbedder:
    """A loaded embedding model."""

    def __init__(self, server: Any, name: str) -> None:
        self.server = server
        self.name = name

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (len(texts), d), each row of length 1."""
        import numpy as np

        with quietly():
            made = _checked(self.server.handle_embeddings({"input": list(texts)}), self.name)
        vectors = np.array([each["embedding"] for each in made["data"]], np.float32)
        return unit_rows(vectors)


def open_chat(card: Card, folder: Path, ctx: Context) -> LlamaChat:
    """Load the model of a card for chatting."""
    params = _params(card, folder, ctx)
    params.n_ctx = int(settings(card).get("window", WINDOW))
    return LlamaChat(_serve(params, card), card.name, params.n_ctx)


def open_embedder(card: Card, folder: Path, ctx: Context) -> LlamaEmbedder:
    """Load the model of a card for embedding; the vector is the mean over the tokens."""
    import xllamacpp

    params = _params(card, folder, ctx)
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    return LlamaEmbedder(_serve(params, card), card.name)


def _params(card: Card, folder: Path, ctx: Context) -> Any:
    import xllamacpp

    file = _file(card, folder)
    with file.open("rb") as stream:
        if stream.read(4) != MAGIC:
            raise WeightsError(f"{str(file)!r} is not a GGUF file", "Name a file that ends in .gguf")
    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.n_parallel = 1
    params.cpuparams.n_threads = ctx.threads
    params.warmup = False
    params.verbosity = -1  # errors only, and those come as exceptions
    params.api_keys = [secrets.token_hex(16)]  # it also listens on this machine, where nobody else has business
    return params


def _file(card: Card, folder: Path) -> Path:
    """The model file; of a split model the first part, which names the others."""
    if folder.is_file():
        return folder
    files = sorted(folder / file.path for file in card.files if file.path.endswith(".gguf"))
    if not files:
        raise WeightsError(f"the model {card.name!r} has no file that ends in .gguf", "Add it again")
    return files[0]


def _serve(params: Any, card: Card) -> Any:
    import xllamacpp

    try:
        with quietly():
            return xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:
        raise WeightsError(
            f"llama.cpp cannot load the model {card.name!r}: {error}", "Is the file whole? Or is xllamacpp too old?"
        ) from None


def _checked(made: Any, name: str) -> Any:
    problem = made.get("error") if isinstance(made, dict) else None
    if problem or not isinstance(made, dict):
        said = problem.get("message", problem) if isinstance(problem, dict) else problem
        raise TransformError(f"the model {name!r} refused: {said}", "Give it a shorter text, or a larger window")
    return made


@contextmanager
def quietly() -> Iterator[None]:
    """llama.cpp writes its log to the error stream of the process, past Python: to nowhere, while it works."""
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
