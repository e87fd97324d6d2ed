"""The user's own models as transforms: a card with a table `[runtime]` makes one for each template of its tasks."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

from transpose.core.transform import Transform
from transpose.models.card import Card
from transpose.models.runtime import ENGINES

# task, in Hugging Face's words -> the templates in transpose.adapters that serve it
TEMPLATES: dict[str, tuple[str, ...]] = {
    "text-generation": ("write", "summarize", "translate"),
    "image-text-to-text": ("write", "summarize", "translate", "caption"),
    "audio-text-to-text": ("write", "summarize", "translate", "hear"),
    "any-to-any": ("write", "summarize", "translate", "caption", "hear"),
    "automatic-speech-recognition": ("transcribe",),
    "text-to-speech": ("speak",),
    "feature-extraction": ("embed",),
    "text-classification": ("classify",),
    "image-classification": ("label",),
    "text-to-image": ("paint",),
    "image-to-image": ("repaint",),
    "text-to-video": ("film",),
    "text-to-audio": ("compose",),
}
PARTS = ("base", "reader", "larger")  # settings that name the models that one of the user's own works with
# templates of one runtime alone, before those of all
SPECIAL: dict[str, dict[str, tuple[str, ...]]] = {
    "diffusion": {"text-to-image": ("paint_learned",), "image-to-image": ("repaint_learned",)}
}


def transforms_of(card: Card) -> list[Transform]:
    """The transforms that a card makes; none where it has no runtime. Named MODEL-VERB, as in `llama-summarize`.

    The painter of a learned adapter has the plain name of its card, and runs on request only: a style or a subject is
    for the pictures that ask for it.
    """
    runtime = card.runtime
    if runtime is None:
        return []
    made: dict[str, Transform] = {}
    for task in runtime.tasks:
        for verb in SPECIAL.get(runtime.name, {}).get(task) or TEMPLATES[task]:
            for item in _bind(getattr(import_module(f"transpose.adapters.{verb}"), verb), card):
                made[item.name] = item
    return list(made.values())


def _bind(template: Transform, card: Card) -> list[Transform]:
    """A template with its model filled in: one transform, or one for each language of a translator."""
    runtime = card.runtime
    assert runtime is not None
    engine = ENGINES[runtime.name]
    base = runtime.settings.get("base", "")  # of an adapter: the model that it changes
    size = int(runtime.settings.get("memory_mb", card.size / 1e6 * 1.3))
    item = replace(
        template,
        # what was learned is called by its name: --via mycat
        name=card.name if base and template.does == "paint" else f"{card.name}-{template.does}",
        verb=template.verb or bool(base),
        models=(card.name, *(runtime.settings[part] for part in PARTS if runtime.settings.get(part))),
        needs=engine.needs,
        extra=engine.extra,
        network=runtime.remote,
        host=runtime.host,
        memory_mb=size,
        bound=(("_model", card.name),),
    )
    if template.does == "embed":
        return [replace(item, targets=(item.targets[0].having(space=card.name),))]
    if template.does != "translate":
        return [item]
    from transpose.adapters.translate import LANGUAGES

    known = [code for code in card.languages if code in LANGUAGES] or list(LANGUAGES)
    return [
        replace(
            item,
            name=f"{item.name}-{code}",
            targets=(item.targets[0].having(lang=code),),
            bound=(*item.bound, ("_lang", code)),
        )
        for code in known
    ]
