"""Servers that speak OpenAI's HTTP interface: Ollama, vLLM, LM Studio, llama.cpp, LocalAI and hosted services.

Of that interface only what all of them share is used: chat completions, embeddings, images, speech, transcriptions.
A key is read from the environment at each run and never stored.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transpose.core.context import Context
from transpose.core.errors import OfflineError, ServiceError
from transpose.models.card import Card
from transpose.models.protocols import Answer, Message, settings, unit_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transpose.media.audio import Audio
    from transpose.media.image import Image
    from transpose.media.text import Cue

WINDOW = 8192  # tokens, where the card does not say
PATIENCE = 600.0  # seconds for one answer: a large model on a small machine is slow
TRIES = 3
RATE = 16_000  # Hz of sounds that are sent


@dataclass(frozen=True)
class Service:
    """One model of one server."""

    card: Card
    ctx: Context

    @property
    def model(self) -> str:
        """The model's name at the server."""
        return settings(self.card).get("model", self.card.name)

    @property
    def window(self) -> int:
        """Tokens of question and answer together."""
        return int(settings(self.card).get("window", WINDOW))

    def post(self, path: str, **body: Any) -> Any:
        """Send to `path`; `json=`, or `data=` with `files=`. The answer as read from JSON, or bytes of another type.

        A server that is busy, or fails in itself, is asked again twice. Raises ServiceError, OfflineError.
        """
        import time

        import httpx

        runtime = self.card.runtime
        assert runtime is not None
        if self.ctx.offline and runtime.remote:
            raise OfflineError(f"{self.card.name!r} is a service at {runtime.host}, and this run is offline")
        for attempt in range(TRIES):
            try:
                got = httpx.post(
                    f"{runtime.address.rstrip('/')}/{path}", headers=self._headers(), timeout=PATIENCE, **body
                )
            except httpx.HTTPError as error:
                raise ServiceError(f"no answer from {runtime.host}: {error}", "Is the server running?") from None
            if got.status_code not in (429, 500, 502, 503, 504) or attempt == TRIES - 1:
                break
            time.sleep(min(_seconds(got.headers.get("retry-after")) or 2.0**attempt, 30.0))
        if got.is_error:
            raise ServiceError(
                f"{runtime.host} refused ({got.status_code}): {_said(got)}", self._advice(got.status_code)
            )
        if "json" not in got.headers.get("content-type", ""):
            return got.content
        try:
            return got.json()
        except ValueError:
            raise ServiceError(f"{runtime.host} answered with broken JSON", "Try again, or look at its log") from None

    def _headers(self) -> dict[str, str]:
        variable = settings(self.card).get("key_env", "")
        key = os.environ.get(variable, "") if variable else ""
        if variable and not key:
            raise ServiceError(f"the key of {self.card.name!r} is missing", f"Put it into the variable {variable}")
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _advice(self, status: int) -> str:
        if status in (401, 403):
            return "Check the key in the variable " + (settings(self.card).get("key_env") or "that --key-env names")
        if status == 404:
            return f"Does the server know the model {self.model!r}? Is the address right, with /v1 at its end?"
        return "Try again later" if status == 429 else "Look at the server's log"

    def pick(self, made: Any, *keys: str | int) -> Any:
        """A part of an answer; raises ServiceError where it is not there."""
        try:
            for key in keys:
                made = made[key]
        except (KeyError, IndexError, TypeError):
            host = self.card.runtime.host if self.card.runtime else ""
            raise ServiceError(
                f"{host} answered in an unknown form: no {keys[-1]!r}", "Is it an OpenAI-like server?"
            ) from None
        return made

    # -- tasks -----------------------------------------------------------------------------------------------------

    def answer(self, messages: Sequence[Message], *, tokens: int, temperature: float, seed: int) -> Answer:
        """The next turn of a chat; pictures are sent as PNG, sounds as WAV."""
        told = [{"role": message.role, "content": _content(message)} for message in messages]
        body = {"model": self.model, "messages": told, "max_tokens": tokens, "temperature": temperature, "seed": seed}
        made = self.post("chat/completions", json=body)
        words = self.pick(made, "choices", 0, "message", "content")
        return Answer(str(words or ""), self.pick(made, "choices", 0).get("finish_reason") != "length")

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of texts, shape (len(texts), d), each row of length 1."""
        import numpy as np

        made = self.pick(self.post("embeddings", json={"model": self.model, "input": list(texts)}), "data")
        ordered = sorted(made, key=lambda each: int(each.get("index", 0)))
        vectors = np.array([self.pick(each, "embedding") for each in ordered], np.float32)
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise ServiceError(f"{self.card.name!r} gave {len(made)} vectors for {len(texts)} texts", "Try again")
        return unit_rows(vectors)

    def transcribe(self, audio: Audio, lang: str, ctx: Context) -> tuple[str, list[Cue]]:
        """What is said, with the times that the server gives for its segments."""
        from transpose.media.text import Cue

        data = {"model": self.model, "response_format": "verbose_json", **({"language": lang} if lang else {})}
        made = self.post("audio/transcriptions", data=data, files={"file": ("sound.wav", _wav(audio), "audio/wav")})
        parts = made.get("segments") if isinstance(made, dict) else None
        if not parts:
            return lang, [Cue(0.0, audio.duration, str(self.pick(made, "text")).strip())]
        cues = [Cue(float(part["start"]), float(part["end"]), str(part["text"]).strip()) for part in parts]
        return lang or LANGUAGES.get(str(made.get("language", "")).lower(), ""), cues

    def speak(self, text: str, voice: str, seed: int) -> tuple[NDArray[np.float32], int]:
        """Speech as samples (n,) and their rate."""
        import io
        import wave

        import numpy as np

        body = {"model": self.model, "input": text, "voice": voice or settings(self.card).get("voice", "alloy")}
        made = self.post("audio/speech", json={**body, "response_format": "wav"})
        try:
            with wave.open(io.BytesIO(made)) as file:
                rate, channels = file.getframerate(), file.getnchannels()
                if file.getsampwidth() != 2:
                    raise wave.Error("not 16 bit")
                samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
        except (wave.Error, EOFError, TypeError) as error:
            raise ServiceError(
                f"{self.card.name!r} did not send a WAV sound: {error}", "Is it a model that speaks?"
            ) from None
        return samples.reshape(-1, channels).mean(axis=1), rate

    def paint(
        self, prompt: str, *, width: int, height: int, steps: int, guidance: float, negative: str, ctx: Context
    ) -> Image:
        """A picture; steps and guidance are the server's own, and what should not be seen is said in words."""
        import binascii
        import io

        import numpy as np
        from PIL import Image as Pictures
        from PIL import UnidentifiedImageError

        from transpose.media.image import Image as Picture

        words = f"{prompt}. Without: {negative}" if negative else prompt
        body = {"model": self.model, "prompt": words, "size": f"{width}x{height}", "response_format": "b64_json"}
        made = self.pick(self.post("images/generations", json=body), "data", 0, "b64_json")
        try:
            with Pictures.open(io.BytesIO(base64.b64decode(str(made)))) as opened:
                return Picture(np.asarray(opened.convert("RGB")))
        except (binascii.Error, UnidentifiedImageError, OSError) as error:
            raise ServiceError(
                f"{self.card.name!r} did not send a picture: {error}", "Is it a model that paints?"
            ) from None


def open_chat(card: Card, folder: Path, ctx: Context) -> Service:
    """A chat model of a server. The other tasks need no more either."""
    return Service(card, ctx)


open_embedder = open_transcriber = open_speaker = open_painter = open_chat

LANGUAGES = {
    "english": "en",
    "german": "de",
    "french": "fr",
    "spanish": "es",
    "italian": "it",
    "portuguese": "pt",
    "dutch": "nl",
    "russian": "ru",
    "japanese": "ja",
    "chinese": "zh",
}
LANGUAGES |= {code: code for code in LANGUAGES.values()}


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not message.images and not message.sounds:
        return message.words
    parts: list[dict[str, Any]] = []
    for image in message.images:
        parts.append({"type": "image_url", "image_url": {"url": "data:image/png;base64," + _text64(_png(image))}})
    for sound in message.sounds:
        parts.append({"type": "input_audio", "input_audio": {"data": _text64(_wav(sound)), "format": "wav"}})
    return [*parts, {"type": "text", "text": message.words}]


def _text64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _png(image: Image) -> bytes:
    import io

    from PIL import Image as Pictures

    out = io.BytesIO()
    Pictures.fromarray(image.pixels).save(out, "PNG")
    return out.getvalue()


def _wav(audio: Audio) -> bytes:
    import io
    import wave

    import numpy as np

    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for block in audio.blocks(rate=RATE, channels=1):
            file.writeframes((np.clip(block, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()


def _said(got: Any) -> str:
    """What the server says went wrong, in one line of at most 300 letters."""
    try:
        raw = got.json()
        raw = raw.get("error", raw) if isinstance(raw, dict) else raw
        said = str(raw.get("message", raw) if isinstance(raw, dict) else raw)
    except ValueError:
        said = got.text
    return " ".join(said.split())[:300]


def _seconds(header: str | None) -> float:
    return float(header) if header and header.replace(".", "", 1).isdigit() else 0.0
