"""What a runtime offers for each task: small protocols, so that an adapter does not know which library it calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, Self, TypeVar, runtime_checkable

from transpose.core.context import Context
from transpose.core.errors import OptionError, SilentInput, WeightsError
from transpose.core.transform import Range
from transpose.models.card import Card, find_card

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transpose.media.audio import Audio
    from transpose.media.image import Image
    from transpose.media.text import Cue, Text

T = TypeVar("T")
Sampling = Literal["own", "dpm++", "unipc", "heun", "euler", "ddim", "ddpm"]  # "own": what the model came with
# options that all diffusion models of the user's own call alike
SamplingOption = Annotated[Sampling, "how noise is taken off; own: as the model came"]
GuidanceScale = Annotated[float, Range(0, 30), "how strictly the prompt is followed (classifier-free guidance scale)"]


@dataclass(frozen=True, slots=True)
class Steering:
    """How a diffusion model is led, beyond what every model takes; the defaults leave it as it is.

    It goes from the prompt to `toward` by `share`, or between two inputs; noise number `variant` is `variation` away
    from that of the seed.
    """

    sampler: Sampling = "own"
    toward: str = ""
    share: float = 0.5
    variation: float = 0.0
    variant: int = 1
    other: Image | None = None

    def asked(self) -> list[str]:
        """The names of the options that ask for something."""
        told = {
            "sampler": self.sampler != "own",
            "toward": self.toward.strip(),
            "variation": self.variation,
            "a second picture": self.other is not None,
        }
        return [name for name, wanted in told.items() if wanted]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat: `role` is system, user or assistant. Pictures and sounds stand before the words."""

    role: str
    words: str
    images: tuple[Image, ...] = ()
    sounds: tuple[Audio, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a language model wrote; `whole` is False where it was cut off at the limit of tokens."""

    words: str
    whole: bool = True


class Chat(Protocol):
    """A language model that answers messages. `window` counts tokens of question and answer together."""

    window: int

    def answer(self, messages: Sequence[Message], *, tokens: int, temperature: float, seed: int) -> Answer:
        """The next turn of the assistant, at most `tokens` long; greedy at temperature 0."""
        ...


class Transcriber(Protocol):
    """Writes down speech."""

    def transcribe(self, audio: Audio, lang: str, ctx: Context) -> tuple[str, list[Cue]]:
        """The language (ISO 639-1, empty where unknown) and the cues in order of time; `lang` empty: find it."""
        ...


class Speaker(Protocol):
    """Speaks text."""

    def speak(self, text: str, voice: str, seed: int) -> tuple[NDArray[np.float32], int]:
        """Samples of shape (n,) in -1..1, and their rate in Hz."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (len(texts), d), each row of length 1."""
        ...


class Painter(Protocol):
    """Makes pictures from words."""

    def paint(
        self, prompt: str, *, width: int, height: int, steps: int, guidance: float, negative: str, ctx: Context
    ) -> Image:
        """A picture of that size or the nearest that the model can make; `ctx` gives seed and progress."""
        ...


class Repainter(Protocol):
    """Changes pictures by words."""

    def repaint(
        self, image: Image, prompt: str, *, strength: float, steps: int, guidance: float, negative: str, ctx: Context
    ) -> Image:
        """A picture of the same size or the nearest that the model can make."""
        ...


class Filmer(Protocol):
    """Makes moving pictures from words."""

    def film(
        self,
        prompt: str,
        *,
        frames: int,
        width: int,
        height: int,
        steps: int,
        guidance: float,
        negative: str,
        ctx: Context,
    ) -> NDArray[np.uint8]:
        """Shape (frames, height, width, 3)."""
        ...


class Composer(Protocol):
    """Makes sounds from words."""

    def compose(
        self, prompt: str, *, seconds: float, steps: int, guidance: float, negative: str, ctx: Context
    ) -> tuple[NDArray[np.float32], int]:
        """Samples of shape (n, channels) in -1..1, and their rate in Hz."""
        ...


@runtime_checkable
class Diffusion(Protocol):
    """A model that makes something out of noise, in steps, by one of several samplers."""

    def steered(self, steering: Steering) -> Self:
        """The same model, led so."""
        ...


class Classifier(Protocol):
    """Names what a text or a picture is."""

    def classify(self, value: str | Image) -> list[tuple[str, float]]:
        """(label, probability), the likeliest first."""
        ...


def open_model(name: str, kind: str, ctx: Context, protocol: type[T], memory_mb: int = 0) -> T:
    """The opened model of a user's card, kept warm; `kind` is `chat`, `transcriber`, `speaker` ...

    Raises WeightsError where the card has no runtime, and what the runtime raises when it loads.
    """
    card = find_card(name)
    runtime = card.runtime
    if runtime is None:
        raise WeightsError(f"the card of {name!r} has no table [runtime]", "Add the model again: transpose models add")
    folder = Path() if runtime.address else ctx.model(name)
    opener = getattr(runtime.module(), f"open_{kind}")
    return ctx.load(f"{name}:{kind}:{card.key}", lambda: opener(card, folder, ctx), memory_mb)  # type: ignore[no-any-return]


def steered(model: T, steering: Steering, name: str) -> T:
    """The model led so. Raises OptionError where it only goes its own way, as that of a server does."""
    asked = steering.asked()
    if not asked:
        return model
    if not isinstance(model, Diffusion):
        raise OptionError(f"the model {name!r} does not take {', '.join(asked)}", "Leave it out")
    return model.steered(steering)


def settings(card: Card) -> dict[str, str]:
    """The runtime's own settings of a card."""
    return dict(card.runtime.settings) if card.runtime else {}


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of shape (n, d), each made of length 1; a row of zeros stays."""
    import numpy as np

    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)


def put_into_words(name: str, asked: Message, tokens: int, ctx: Context) -> Text:
    """What a model says of a picture or a sound in one turn, greedily. Raises SilentInput where it says nothing."""
    from transpose.media.text import Text

    chat = open_model(name, "chat", ctx, Chat)  # type: ignore[type-abstract]
    made = chat.answer([asked], tokens=tokens, temperature=0.0, seed=ctx.seed)
    if not made.words.strip():
        raise SilentInput(f"the model {name!r} said nothing", "Ask in other words with -p")
    return Text(made.words.strip() + "\n")


def name_labels(name: str, value: str | Image, top: int, ctx: Context) -> Text:
    """The `top` likeliest labels with their probabilities, one a line; the first one's is noted as `score`."""
    from transpose.media.text import Text

    found = open_model(name, "classifier", ctx, Classifier).classify(value)[:top]  # type: ignore[type-abstract]
    ctx.note("score", round(found[0][1], 4))
    return Text("\n".join(f"{label} ({chance:.0%})" for label, chance in found) + "\n")
