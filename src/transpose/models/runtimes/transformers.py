"""Models of the library transformers, by their classes: its version 5 has no pipelines for half of these tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transpose.core.context import Context
from transpose.core.errors import WeightsError
from transpose.models.card import Card
from transpose.models.protocols import Answer, Message, settings
from transpose.models.runtimes.processors import open_processor
from transpose.models.runtimes.torch_loading import guarded, seeded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transpose.media.audio import Audio
    from transpose.media.image import Image
    from transpose.media.text import Cue

WINDOW = 4096  # tokens, where the model has no limit of its own
BLOCK = 28.0  # seconds of speech heard at once; Whisper's window is 30
PLAIN = "{%- for message in messages -%}{{ message['content'] }}\n\n{%- endfor -%}"  # for models with no chat form


def _options(card: Card) -> dict[str, Any]:
    return {"local_files_only": True, "trust_remote_code": False}


def _weights(card: Card) -> dict[str, Any]:
    return {**_options(card), "use_safetensors": True, "dtype": settings(card).get("dtype", "auto")}


# -- language ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Writer:
    """A language model, which may also see or hear: `front` is its tokenizer or processor."""

    model: Any
    front: Any
    window: int
    ctx: Context
    decoder_only: bool

    def answer(self, messages: Sequence[Message], *, tokens: int, temperature: float, seed: int) -> Answer:
        """The next turn; greedy at temperature 0."""
        import torch

        seeded(self.ctx, seed)
        torch.manual_seed(seed)
        inputs = self._inputs(messages).to(self.model.device)
        told = {"do_sample": True, "temperature": temperature} if temperature else {"do_sample": False}
        with torch.inference_mode():
            made = self.model.generate(**inputs, max_new_tokens=tokens, **told)
        start = inputs["input_ids"].shape[1] if self.decoder_only else 0
        ids = made[0][start:]
        return Answer(self.front.decode(ids, skip_special_tokens=True), len(ids) < tokens)

    def _inputs(self, messages: Sequence[Message]) -> Any:
        images = [_pil(image) for message in messages for image in message.images]
        sounds = [_mono(sound, self._rate()) for message in messages for sound in message.sounds]
        if not self.decoder_only:  # T5, BART, Marian ...: the task is in the training, not in a chat
            return self.front(
                "\n\n".join(message.words for message in messages[-1:]), return_tensors="pt", truncation=True
            )
        if not images and not sounds:
            told = [{"role": message.role, "content": message.words} for message in messages]
            words = self._text(told)
            return self.front(text=words, return_tensors="pt") if self._many else self.front(words, return_tensors="pt")
        parts = [{"role": message.role, "content": _parts(message)} for message in messages]
        given: dict[str, Any] = {"images": images} if images else {}
        given |= {"audio": sounds} if sounds else {}
        return self.front(text=self._text(parts), return_tensors="pt", **given)

    @property
    def _many(self) -> bool:
        """Whether `front` is a processor, which takes more than words."""
        return hasattr(self.front, "tokenizer")

    def _rate(self) -> int:
        return int(getattr(getattr(self.front, "feature_extractor", None), "sampling_rate", 16_000))

    def _text(self, told: list[dict[str, Any]]) -> str:
        form = getattr(self.front, "chat_template", None)
        more = {} if form else {"chat_template": PLAIN}
        return str(self.front.apply_chat_template(told, tokenize=False, add_generation_prompt=bool(form), **more))


def open_chat(card: Card, folder: Path, ctx: Context) -> Writer:
    """Load a language model of any kind: causal, sequence to sequence, or with eyes and ears."""
    with guarded(card):
        import transformers as library

        tasks = card.runtime.tasks if card.runtime else ()
        sees = not {"image-text-to-text", "audio-text-to-text", "any-to-any"}.isdisjoint(tasks)
        config = library.AutoConfig.from_pretrained(str(folder), **_options(card))
        if sees:
            front = open_processor(folder, config, _options(card))
        else:
            front = library.AutoTokenizer.from_pretrained(str(folder), **_options(card))
        kind = library.AutoModelForSeq2SeqLM if config.is_encoder_decoder else library.AutoModelForCausalLM
        if sees:
            pictures = tasks[0] == "image-text-to-text"
            kind = library.AutoModelForImageTextToText if pictures else library.AutoModelForMultimodalLM
        model = kind.from_pretrained(str(folder), **_weights(card)).to(ctx.device).eval()
        text = getattr(config, "text_config", config)
        window = int(settings(card).get("window", getattr(text, "max_position_embeddings", None) or WINDOW))
        return Writer(model, front, min(window, 32_768), ctx, not config.is_encoder_decoder)


def _parts(message: Message) -> list[dict[str, str]]:
    marks = [{"type": "image"} for _ in message.images] + [{"type": "audio"} for _ in message.sounds]
    return [*marks, {"type": "text", "text": message.words}]


def _pil(image: Image) -> Any:
    from PIL import Image as Pictures

    from transpose.media.image import on_white

    return Pictures.fromarray(on_white(image.pixels))


def _mono(audio: Audio, rate: int) -> NDArray[np.float32]:
    import numpy as np

    return np.ascontiguousarray(audio.array(rate=rate, channels=1)[:, 0])


# -- speech ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recogniser:
    """A speech recogniser, with cross-attention (Whisper, Moonshine ...) or CTC (wav2vec 2.0 ...)."""

    model: Any
    front: Any
    ctc: bool
    ctx: Context

    def transcribe(self, audio: Audio, lang: str, ctx: Context) -> tuple[str, list[Cue]]:
        """One cue for each stretch of at most 28 s, cut at its quietest moment."""
        from transpose.media.text import Cue

        cues = []
        rate = int(getattr(getattr(self.front, "feature_extractor", self.front), "sampling_rate", 16_000))
        for start, samples in _stretches(audio, rate):
            words = self._words(samples, rate, lang).strip()
            if words:
                cues.append(Cue(start, start + len(samples) / rate, words))
            ctx.progress(start + len(samples) / rate, audio.duration, "seconds heard")
        return lang, cues

    def _words(self, samples: NDArray[np.float32], rate: int, lang: str) -> str:
        import torch

        seeded(self.ctx, self.ctx.seed)
        with torch.inference_mode():
            inputs = self.front(samples, sampling_rate=rate, return_tensors="pt").to(self.model.device)
            inputs = {key: v.to(self.model.dtype) if v.is_floating_point() else v for key, v in inputs.items()}
            if self.ctc:
                ids = self.model(**inputs).logits.argmax(-1)
            else:
                told = {"language": lang} if lang and getattr(self.model.generation_config, "lang_to_id", None) else {}
                ids = self.model.generate(**inputs, **told)
        return str(self.front.batch_decode(ids, skip_special_tokens=True)[0])


def open_transcriber(card: Card, folder: Path, ctx: Context) -> Recogniser:
    """Load a speech recogniser with its processor."""
    with guarded(card):
        import transformers as library

        config = library.AutoConfig.from_pretrained(str(folder), **_options(card))
        front = library.AutoProcessor.from_pretrained(str(folder), **_options(card))
        ctc = any(name.endswith("ForCTC") for name in config.architectures or ())
        kind = library.AutoModelForCTC if ctc else library.AutoModelForSpeechSeq2Seq
        model = kind.from_pretrained(str(folder), **_weights(card)).to(ctx.device).eval()
        return Recogniser(model, front, ctc, ctx)


def _stretches(audio: Audio, rate: int) -> list[tuple[float, NDArray[np.float32]]]:
    """(start in seconds, samples (n,)): at most `BLOCK` seconds each, cut at the quietest .2 s of the last third."""
    import numpy as np

    made: list[tuple[float, NDArray[np.float32]]] = []
    held = np.zeros(0, np.float32)
    at, most, window = 0, int(BLOCK * rate), rate // 5
    for block in audio.blocks(10.0, rate=rate, channels=1):
        held = np.concatenate([held, block[:, 0]])
        while len(held) > most:
            tail = np.cumsum(np.square(held[most * 2 // 3 : most], dtype=np.float64))
            cut = most * 2 // 3 + int(np.argmin(tail[window:] - tail[:-window])) + window // 2
            made.append((at / rate, held[:cut]))
            held, at = held[cut:], at + cut
    if len(held) > rate // 10:
        made.append((at / rate, held))
    return made


@dataclass(frozen=True)
class Voice:
    """A text-to-speech model that gives a waveform: VITS, MMS, Bark and the like."""

    model: Any
    front: Any
    ctx: Context

    def speak(self, text: str, voice: str, seed: int) -> tuple[NDArray[np.float32], int]:
        """Samples (n,) and their rate in Hz."""
        import numpy as np
        import torch

        seeded(self.ctx, seed)
        torch.manual_seed(seed)
        inputs = self.front(text, return_tensors="pt", **({"voice_preset": voice} if voice else {})).to(
            self.model.device
        )
        with torch.inference_mode():
            made = (
                self.model(**inputs).waveform if hasattr(self.model, "text_encoder") else self.model.generate(**inputs)
            )
        config = self.model.config
        rate: int = getattr(config, "sampling_rate", 0) or getattr(self.model.generation_config, "sample_rate", 24_000)
        samples = made.float().cpu().numpy().reshape(-1)
        return np.clip(np.nan_to_num(samples), -1, 1).astype(np.float32), rate


def open_speaker(card: Card, folder: Path, ctx: Context) -> Voice:
    """Load a model that speaks; those that need a vocoder beside them are not supported."""
    with guarded(card):
        import transformers as library

        config = library.AutoConfig.from_pretrained(str(folder), **_options(card))
        if config.model_type == "speecht5":
            raise WeightsError(f"the model {card.name!r} needs a vocoder, which is not supported", "Take a VITS model")
        waveform = library.AutoModelForTextToWaveform.from_pretrained(str(folder), **_weights(card))
        front: Any = library.AutoTokenizer if config.model_type == "vits" else library.AutoProcessor
        return Voice(waveform.to(ctx.device).eval(), front.from_pretrained(str(folder), **_options(card)), ctx)


# -- vectors and classes -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Encoder:
    """A text encoder; the vector is the mean over the tokens (padding left out)."""

    model: Any
    front: Any
    ctx: Context

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (len(texts), d), each row of length 1."""
        import numpy as np
        import torch

        seeded(self.ctx, self.ctx.seed)
        inputs = self.front(list(texts), return_tensors="pt", padding=True, truncation=True).to(self.model.device)
        with torch.inference_mode():
            states = self.model(**inputs).last_hidden_state.float()
        mask = inputs["attention_mask"][..., None].float()
        mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
        return np.asarray(torch.nn.functional.normalize(mean, dim=1).cpu().numpy(), np.float32)


def open_embedder(card: Card, folder: Path, ctx: Context) -> Encoder:
    """Load a text encoder with its tokenizer."""
    with guarded(card):
        import transformers as library

        front = library.AutoTokenizer.from_pretrained(str(folder), **_options(card))
        front.pad_token = front.pad_token or front.eos_token
        model = library.AutoModel.from_pretrained(str(folder), **_weights(card)).to(ctx.device).eval()
        return Encoder(model, front, ctx)


@dataclass(frozen=True)
class Classifier:
    """A classifier of texts or of pictures."""

    model: Any
    front: Any
    ctx: Context

    def classify(self, value: str | Image) -> list[tuple[str, float]]:
        """(label, probability), the likeliest first; probabilities of one label each where labels do not exclude."""
        import torch

        seeded(self.ctx, self.ctx.seed)
        if isinstance(value, str):
            inputs = self.front(value, return_tensors="pt", truncation=True)
        else:
            inputs = self.front(images=_pil(value), return_tensors="pt")
        with torch.inference_mode():
            logits = self.model(**inputs.to(self.model.device)).logits[0].float()
        several = getattr(self.model.config, "problem_type", None) == "multi_label_classification" or len(logits) == 1
        chances = logits.sigmoid() if several else logits.softmax(0)
        names = self.model.config.id2label
        return sorted(((str(names[i]), float(p)) for i, p in enumerate(chances)), key=lambda each: (-each[1], each[0]))


def open_classifier(card: Card, folder: Path, ctx: Context) -> Classifier:
    """Load a classifier: of pictures where its task says so, else of texts."""
    with guarded(card):
        import transformers as library

        pictures = bool(card.runtime and "image-classification" in card.runtime.tasks)
        kind = library.AutoModelForImageClassification if pictures else library.AutoModelForSequenceClassification
        front = library.AutoImageProcessor if pictures else library.AutoTokenizer
        model = kind.from_pretrained(str(folder), **_weights(card)).to(ctx.device).eval()
        return Classifier(model, front.from_pretrained(str(folder), **_options(card)), ctx)
