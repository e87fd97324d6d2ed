"""What a folder or a file with a model is: its runtime and its tasks, read from its own files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transpose.core.errors import UsageError, WeightsError
from transpose.models.runtimes.gguf import WINDOW

PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")
EMBEDDING_GGUF = ("bert", "nomic-bert", "jina-bert-v2", "gemma-embedding", "t5encoder")
# ending of a class in config.json -> task; the first that fits
CLASSES = (
    ("ForCausalLM", "text-generation"),
    ("LMHeadModel", "text-generation"),
    ("ForSpeechSeq2Seq", "automatic-speech-recognition"),
    ("ForCTC", "automatic-speech-recognition"),
    ("ForImageTextToText", "image-text-to-text"),
    ("ForSequenceClassification", "text-classification"),
    ("ForImageClassification", "image-classification"),
    ("ForTextToSpeech", "text-to-speech"),
    ("VitsModel", "text-to-speech"),
)
# model_type where the class alone does not tell
TYPES = {
    "whisper": "automatic-speech-recognition",
    "vits": "text-to-speech",
    "bark": "text-to-speech",
    "t5": "text-generation",
    "bart": "text-generation",
    "mbart": "text-generation",
    "marian": "text-generation",
    "pegasus": "text-generation",
}
PIPELINES = (
    ("img2img", "image-to-image"),
    ("video", "text-to-video"),
    ("animatediff", "text-to-video"),
    ("audio", "text-to-audio"),
    ("music", "text-to-audio"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: enough for a card, but for the name and the files' hashes."""

    runtime: str
    tasks: tuple[str, ...]
    title: str
    licence: str = "unknown"
    languages: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


def detect(place: Path, task: str = "") -> Found:
    """Look at a file or a folder. `task` decides where the files leave it open.

    Raises WeightsError for what no runtime loads, for weights that are pickled, and for a damaged file; UsageError
    where the task is not clear.
    """
    if place.is_file():
        if place.suffix.lower() != ".gguf":
            raise WeightsError(f"{str(place)!r} is not a model that can be added", "Name a .gguf file or a folder")
        return _gguf(place, place, task)
    names = {path.name for path in place.iterdir()}
    ggufs = sorted(place.glob("*.gguf"))
    if ggufs:
        return _gguf(place, _only(ggufs, place), task)
    if "model_index.json" in names:
        return _diffusers(place, task)
    if "modules.json" in names:
        return _found(place, "sentence-transformers", ("feature-extraction",))
    if "model.bin" in names and any(name.startswith("vocabulary.") for name in names):
        return _found(place, "faster-whisper", ("automatic-speech-recognition",))
    if list(place.rglob("*.onnx")) and not list(place.glob("*.safetensors")):
        return _found(place, "onnx", (_onnx_task(place, task),))
    if "config.json" in names:
        return _found(place, "transformers", _transformers_tasks(place, task))
    raise WeightsError(
        f"{str(place)!r} holds no model of a known form",
        "Known: .gguf, model_index.json (diffusers), modules.json (sentence-transformers), config.json (transformers), "
        "CTranslate2 Whisper, .onnx with tokenizer.json",
    )


def loose_pickles(place: Path) -> list[Path]:
    """Pickled weights that a runtime would have to load, because nothing safe stands beside them."""
    if place.is_file():
        return []
    safe = {path.parent for path in place.rglob("*.safetensors")} | {path.parent for path in place.rglob("*.onnx")}
    loose = [path for path in place.rglob("*") if path.suffix in PICKLED and path.parent not in safe]
    whisper = place / "model.bin"  # CTranslate2's own form, not a pickle
    return sorted(path for path in loose if not (path == whisper and any(place.glob("vocabulary.*"))))


def _gguf(place: Path, file: Path, task: str) -> Found:
    try:
        from gguf import GGUFReader
    except ImportError:
        from transpose.core.errors import MissingPackage

        raise MissingPackage("reading a .gguf file needs the package gguf", "pip install 'transpose-ai[llm]'") from None
    with file.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise WeightsError(f"{str(file)!r} is not a GGUF file", "Was it fully downloaded?")
    try:
        fields = GGUFReader(str(file)).fields
    except (ValueError, IndexError, OverflowError, KeyError) as error:
        raise WeightsError(f"{str(file)!r} is damaged: {error}", "Download it again") from None

    def value(key: str) -> Any:
        """One entry of the file's own table."""
        return fields[key].contents() if key in fields else None

    kind = str(value("general.architecture") or "")
    window = min(int(value(f"{kind}.context_length") or WINDOW), WINDOW)
    chosen = task or ("feature-extraction" if kind in EMBEDDING_GGUF else "text-generation")
    return Found(
        "gguf",
        (chosen,),
        str(value("general.name") or file.stem),
        _spdx(str(value("general.license") or "unknown")),
        tuple(code for code in value("general.languages") or () if re.fullmatch("[a-z]{2,3}", code)),
        {"window": str(window)},
        (file,) if place.is_file() else tuple(sorted(place.glob("*.gguf"))),
    )


def _only(files: list[Path], place: Path) -> Path:
    """The one model of a folder; a split model counts as one."""
    stems = {re.sub(r"-\d{5}-of-\d{5}$", "", file.stem) for file in files}
    if len(stems) > 1:
        raise UsageError(f"{str(place)!r} holds {len(stems)} models", f"Name one, as in {str(files[0])!r}")
    return files[0]


def _diffusers(place: Path, task: str) -> Found:
    kind = str(_json(place / "model_index.json").get("_class_name", "")).lower()
    found = next((name for word, name in PIPELINES if word in kind), "text-to-image")
    both = ("text-to-image", "image-to-image") if found == "text-to-image" else (found,)
    return _found(place, "diffusers", (task,) if task else both)


def _onnx_task(place: Path, task: str) -> str:
    return task or ("image-classification" if (place / "preprocessor_config.json").exists() else "feature-extraction")


def _transformers_tasks(place: Path, task: str) -> tuple[str, ...]:
    if task:
        return (task,)
    config = _json(place / "config.json")
    classes = [str(name) for name in config.get("architectures") or ()]
    kind = str(config.get("model_type", ""))
    if kind in TYPES:
        return (TYPES[kind],)
    if any(name.endswith("ForConditionalGeneration") for name in classes):
        if "audio_config" in config:
            return ("any-to-any" if "vision_config" in config else "audio-text-to-text",)
        if "vision_config" in config:
            return ("image-text-to-text",)
    for ending, found in CLASSES:
        if any(name.endswith(ending) for name in classes):
            return (found,)
    if any(name.endswith("Model") for name in classes) and "vocab_size" in config:
        return ("feature-extraction",)
    raise UsageError(
        f"what {', '.join(classes) or 'this model'} does is not clear",
        "Say it with --task, as in --task text-generation",
    )


def _found(place: Path, runtime: str, tasks: tuple[str, ...]) -> Found:
    title, licence, languages = _readme(place)
    files = tuple(sorted(path for path in place.rglob("*") if path.is_file() and _wanted(path.relative_to(place))))
    return Found(runtime, tasks, title or place.name, licence, languages, {}, files)


def _wanted(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return (
        not hidden and path.suffix not in (".py", ".md") and not (path.suffix in PICKLED and path.name != "model.bin")
    )


def _readme(place: Path) -> tuple[str, str, tuple[str, ...]]:
    """Title, licence and languages from the head of a model card in Markdown, as hubs use it."""
    try:
        text = (place / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", "unknown", ()
    head = text.split("---")[1] if text.startswith("---") and text.count("---") > 1 else ""
    licence = re.search(r"^license:\s*([\w.+-]+)", head, re.M)
    block = re.search(r"^language:\s*((?:\n?\s*-?\s*[a-z]{2,3}\s*$)+|\[.*\])", head, re.M)
    languages = tuple(dict.fromkeys(re.findall(r"\b[a-z]{2,3}\b", block.group(1)))) if block else ()
    title = re.search(r"^#\s+(.+)", text, re.M)
    return (title.group(1).strip()[:100] if title else ""), _spdx(licence.group(1) if licence else "unknown"), languages


def _spdx(name: str) -> str:
    known = {"mit": "MIT", "apache-2.0": "Apache-2.0", "bsd-3-clause": "BSD-3-Clause", "cc-by-4.0": "CC-BY-4.0"}
    return known.get(name.lower(), name)


def _json(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"cannot read {str(path)!r}: {error}", "Was the model fully downloaded?") from None
    return raw if isinstance(raw, dict) else {}
