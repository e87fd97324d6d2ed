"""What runs a model that a user brought: the runtime, the tasks that it serves, where the model lies.

The names of tasks are those of Hugging Face. A card with a table `[runtime]` makes transforms: one for each template
of each task in `transpose.own`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

from transpose.models.table import Table

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Engine:
    """A library that runs models: the tasks it serves here, the modules it needs, the extra that brings them."""

    tasks: tuple[str, ...]
    needs: tuple[str, ...] = ()
    extra: str = ""


ENGINES: dict[str, Engine] = {
    "gguf": Engine(("text-generation", "feature-extraction"), ("xllamacpp",), "llm"),
    "openai": Engine(
        (
            "text-generation",
            "image-text-to-text",
            "feature-extraction",
            "automatic-speech-recognition",
            "text-to-speech",
            "text-to-image",
        ),
        ("httpx",),
    ),
    "faster-whisper": Engine(("automatic-speech-recognition",), ("faster_whisper",), "local"),
    "sentence-transformers": Engine(("feature-extraction",), ("sentence_transformers",), "torch"),
    "transformers": Engine(
        (
            "text-generation",
            "image-text-to-text",
            "audio-text-to-text",
            "automatic-speech-recognition",
            "text-to-speech",
            "feature-extraction",
            "text-classification",
            "image-classification",
            "any-to-any",
        ),
        ("torch", "transformers"),
        "torch",
    ),
    "diffusers": Engine(
        ("text-to-image", "image-to-image", "text-to-video", "text-to-audio"), ("torch", "diffusers"), "torch"
    ),
    "diffusion": Engine(("text-to-image", "image-to-image"), ("onnxruntime", "onnx"), "local"),
    "diffusers-lora": Engine(("text-to-image",), ("torch", "diffusers", "peft"), "learn"),
    "onnx": Engine(("feature-extraction", "image-classification"), ("onnxruntime", "tokenizers"), "local"),
}


@dataclass(frozen=True, slots=True)
class Runtime:
    """How a model is run. `place` is a folder, a file or an address; empty where the weights come from sources.

    `settings` are the runtime's own: `model` (its name at a server), `key_env` (the variable that holds the key),
    `window` (tokens). `smoke` says what its first run here gave.
    """

    name: str
    tasks: tuple[str, ...]
    place: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    smoke: str = ""

    @property
    def address(self) -> str:
        """The address of a server, or nothing."""
        return self.place if self.place.startswith(("http://", "https://")) else ""

    @property
    def host(self) -> str:
        """`api.example.com:8443` of an address."""
        return urlsplit(self.place).netloc.rpartition("@")[2] if self.address else ""

    @property
    def remote(self) -> bool:
        """Whether using it sends data to another machine."""
        return bool(self.address) and urlsplit(self.place).hostname not in LOOPBACK

    @property
    def path(self) -> Path | None:
        """Where the model lies on this machine, where the card says so."""
        return Path(self.place) if self.place and not self.address else None

    def module(self) -> ModuleType:
        """Our code for this runtime."""
        return import_module(f"transpose.models.runtimes.{self.name.replace('-', '_')}")


def read_runtime(table: Table) -> Runtime:
    """Read the table `[runtime]` of a card strictly."""
    name = table.text("name")
    if name not in ENGINES:
        raise table.error(f"{name!r} is no runtime", f"There are: {', '.join(ENGINES)}")
    tasks = table.words("tasks", least=1)
    if strange := [task for task in tasks if task not in ENGINES[name].tasks]:
        raise table.error(f"{name} does not do {strange[0]!r}", f"It does: {', '.join(ENGINES[name].tasks)}")
    settings = table.strings("settings") if "settings" in table.raw else {}
    made = Runtime(name, tasks, table.text("place", ""), settings, table.text("smoke", ""))
    table.end()
    return made
