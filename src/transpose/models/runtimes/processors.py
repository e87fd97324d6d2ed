"""Processors of the library transformers, which turn pictures and sounds into what a model takes.

A model that can also see videos has a processor that loads its part for videos, and that part exists for torchvision
only. Pictures and sounds need neither, so without torchvision the processor is put together from its other parts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

PARTS = {
    "tokenizer": "AutoTokenizer",
    "image_processor": "AutoImageProcessor",
    "feature_extractor": "AutoFeatureExtractor",
}


def open_processor(folder: Path, config: Any, options: dict[str, Any]) -> Any:
    """The processor of a checkpoint, without its part for videos where that part alone needs what is not installed.

    `config` is the model's configuration, `options` go to every loader. Raises what the library raises.
    """
    import transformers as library

    try:
        return library.AutoProcessor.from_pretrained(str(folder), **options)
    except ImportError:
        from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

        kind = PROCESSOR_MAPPING.get(type(config), None)
        if kind is None or "video_processor" not in kind.get_attributes():
            raise
        names = [name for name in kind.get_attributes() if name != "video_processor"]
        if not PARTS.keys() >= set(names):
            raise
        parts = {name: getattr(library, PARTS[name]).from_pretrained(str(folder), **options) for name in names}
        told, _ = kind.get_processor_dict(str(folder), **options)
        return _blind(kind).from_args_and_dict([parts.get(name) for name in kind.get_attributes()], told)


def _blind(kind: Any) -> Any:
    """The same class of processor, which takes None for its part for videos."""

    class Front(kind):  # type: ignore[misc]
        def check_argument_for_proper_class(self, argument_name: str, argument: object) -> object:
            if argument_name == "video_processor" and argument is None:
                return type(None)
            return super().check_argument_for_proper_class(argument_name, argument)

    Front.__name__ = kind.__name__
    return Front
