"""From a user's order to a card: `transpose learn` without its command line.

Everything of one learning lies in one folder, $TRANSPOSE_HOME/learned/NAME (else the user's configuration folder), and
`recipe.json` in it says what it was begun with. The same order goes on where it stopped; another one under the same
name is refused, for its checkpoint would mean something else. The base is only read, and its hash is compared before
and after.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedInput, DamagedWeights, EmptyInput, UsageError, WeightsError
from transpose.core.store import atomic
from transpose.models import learned, shelf
from transpose.models.card import FOLDER, NAME, Card, CardFile, find_card
from transpose.models.diffusion import words
from transpose.models.diffusion.adapter import ADAPTER
from transpose.models.diffusion.graph import WEIGHTS
from transpose.models.diffusion.settings import SETTINGS, read_settings
from transpose.models.places import user_cards
from transpose.models.runtime import Runtime

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transpose.core.context import Context
    from transpose.learn.adapt import Lesson
    from transpose.learn.examples import Example
    from transpose.learn.report import Story
    from transpose.learn.terms import Dials, Measure, Outcome, Watch
    from transpose.models.diffusion.pictures import Reader

    Floats = NDArray[np.float32]

BASE = "picture-diffusion"  # the card that is taught where no other is named
LARGER = "realesrgan-quick"  # what enlarges its pictures
RECIPE = "recipe.json"
LONGEST = 60  # letters of a name
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be learned. `word` and `prior` are of a subject: its class, and how many pictures preserve that."""

    method: str  # style | subject
    name: str
    examples: tuple[Example, ...]
    dials: Dials
    base: str = BASE
    word: str = ""
    prior: int = 0
    force: bool = False

    @property
    def folder(self) -> Path:
        """Where it is learned, and where the adapter stays."""
        return learned.folder(self.name)


def check_name(name: str, *, force: bool) -> None:
    """Raise UsageError where no card can be called so, or one is already."""
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        hint = f"Use up to {LONGEST} small letters, digits, - and _, as in papercut"
        raise UsageError(f"{name[:LONGEST]!r} is no name for a model", hint)
    if (FOLDER / f"{name}.toml").exists():
        raise UsageError(f"{name!r} is a model that comes with Transpose", "Choose another --name")
    if (user_cards() / f"{name}.toml").exists() and not force:
        raise UsageError(f"there is a model {name!r} already", "Replace it with --force, or choose another --name")


def learn(order: Order, ctx: Context, say: Say, watch: Watch) -> tuple[Card, Outcome]:
    """Learn, or go on learning; answers the card, which is not yet written, and how it went.

    Raises UsageError (the name; an unfinished learning of other settings), WeightsError (the base), EmptyInput (no
    examples), and what reading and training raise.
    """
    check_name(order.name, force=order.force)
    if not order.examples:
        raise EmptyInput("there is nothing to learn from", "Give some pictures")
    base = find_card(order.base)
    weights = ctx.model(order.base)
    ours = (weights / SETTINGS).is_file()
    if not ours and not (weights / "model_index.json").is_file():
        raise WeightsError(f"{base.name!r} is no diffusion model that can be taught", "Choose another --base")
    if ours and read_settings(weights / SETTINGS).network.channels != 3:
        raise WeightsError(f"{base.name!r} does not make pictures", "Choose another --base")
    before = _hash(base, weights)
    with learned.alone(order.name):
        resumed = _begin(order, before)
        say(f"{'going on with' if resumed else 'learning'} {order.name} on {base.name}, in {order.folder}")
        outcome = (_adapt if ours else _adapt_diffusers)(order, weights, ctx, say, watch)
        if _hash(base, weights) != before:
            raise DamagedWeights(
                f"the base {base.name!r} was changed while {order.name!r} was learned", "Pull it again"
            )
        return _card(order, base, before, outcome, ours), outcome


def finish(order: Order, card: Card) -> None:
    """Write down that all is done; remove what only going on would need, and what an earlier card had named."""
    recipe = json.loads((order.folder / RECIPE).read_text(encoding="utf-8"))
    _write(order.folder / RECIPE, recipe | {"finished": True})
    for name in ("checkpoint.safetensors", "prior.npy"):
        (order.folder / name).unlink(missing_ok=True)
    learned.drop_others(shelf.place(card))


def _hash(card: Card, folder: Path) -> str:
    """What the base's weights are, read from the disk."""
    from transpose.models.runtimes.diffusers_lora import weights_hash

    return shelf.digest(folder / WEIGHTS) if (folder / WEIGHTS).is_file() else weights_hash(card, folder)


def _begin(order: Order, base_hash: str) -> bool:
    """Compare with what lies in the folder; True where a learning goes on."""
    dials = {name: value for name, value in asdict(order.dials).items() if name != "seconds"}  # more time is welcome
    pictures = [[each.path.name, each.digest] for each in order.examples]
    wanted: dict[str, object] = {"method": order.method, "base": order.base, "base_hash": base_hash, "word": order.word}
    wanted |= {"prior": order.prior, "pictures": pictures, **dials}
    path = order.folder / RECIPE
    if path.exists():
        try:
            found = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise DamagedInput(f"{str(path)!r} cannot be read: {error}", f"Remove {str(order.folder)!r}") from None
        other = [name for name, value in wanted.items() if found.get(name) != value]
        if not other and not found.get("finished"):
            return (order.folder / "checkpoint.safetensors").exists()
        if not order.force and not found.get("finished"):
            raise UsageError(
                f"{order.name!r} was begun with other settings ({', '.join(other)})",
                "Repeat the command that began it, begin anew with --force, or choose another --name",
            )
    _clear(order.folder)
    _write(path, wanted)
    return False


def _clear(folder: Path) -> None:
    """Remove what an earlier learning left: only names that learning itself writes."""
    from transpose.models.runtimes.diffusers_lora import FILE

    for name in ("checkpoint.safetensors", "log.jsonl", "heldout.jsonl", ADAPTER, FILE, "prior.npy", "report.html"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "samples", ignore_errors=True)


def _write(path: Path, data: dict[str, object]) -> None:
    with atomic(path, force=True) as temporary:
        temporary.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _adapt(order: Order, weights: Path, ctx: Context, say: Say, watch: Watch) -> Outcome:
    """On a network of our own."""
    from transpose.learn import subject
    from transpose.learn.adapt import adapt
    from transpose.learn.export import open_network
    from transpose.models.runtimes.diffusion import open_reader

    network, settings = open_network(weights)
    read, _ = open_reader(settings, ctx)
    size = settings.network.height, settings.network.width

    def make(prompts: Sequence[str]) -> Floats:
        return subject.prior_pictures(network, settings, read, prompts, order.dials.seed, ctx.progress)

    told = settings.labels.get("captions")
    known = [each for each in told if isinstance(each, str)] if isinstance(told, list) else []
    lesson = lesson_of(order, size, read, make, say, known)
    return adapt(network, settings, lesson, read, order.folder, order.dials, watch)


def lesson_of(
    order: Order,
    size: tuple[int, int],
    read: Reader,
    make: Callable[[Sequence[str]], Floats],
    say: Say,
    known: Sequence[str] = (),
) -> Lesson:
    """The lesson of an order.

    `make` asks the base for pictures (n, 3, H, W), which are kept for a second call; `known` are prompts of its own.
    """
    import numpy as np

    from transpose.learn import style, subject

    if order.method == "style":
        return style.lesson(order.examples, size, read, order.dials)
    prompts = subject.prior_prompts(order.word, order.examples, known, order.prior)
    path = order.folder / "prior.npy"
    if prompts and not path.exists():
        say(f"making {len(prompts)} pictures of {order.word!r} with the base, to preserve what that means")
        made = make(prompts)
        with atomic(path, force=True) as temporary, temporary.open("wb") as file:
            np.save(file, made)
    prior = np.load(path, allow_pickle=False) if prompts else np.zeros((0, 3, *size), np.float32)
    return subject.lesson(order.examples, order.name, order.word, prior, prompts, size, read, order.dials)


def _adapt_diffusers(order: Order, weights: Path, ctx: Context, say: Say, watch: Watch) -> Outcome:
    """On a model of the library diffusers."""
    from transpose.learn.diffusers_style import adapt

    return adapt(order, weights, ctx, say, watch)


def _card(order: Order, base: Card, base_hash: str, outcome: Outcome, ours: bool) -> Card:
    """The card of what was learned, as `transpose models add` would write one."""
    from transpose.models.runtimes.diffusers_lora import FILE

    best = order.folder / (ADAPTER if ours else FILE)
    digest = shelf.digest(best)
    adapter = learned.keep(best, digest)
    files = (CardFile(adapter.name, adapter.stat().st_size, digest),)
    settings = {"base": base.name, "base_hash": base_hash, "memory_mb": str(int(base.size / 1e6 * 3) + 100)}
    if base.name == BASE:
        settings |= {"reader": words.MODEL, "larger": LARGER}
    tasks = ("text-to-image", "image-to-image") if ours else ("text-to-image",)
    runtime = Runtime("diffusion" if ours else "diffusers-lora", tasks, str(adapter.parent), settings)
    what = f"the {order.method} {order.name}" + (f" (a {order.word})" if order.word else "")
    told = f"learned from {len(order.examples)} pictures in {outcome.steps} steps; see report.html in its folder"
    return Card(
        name=order.name,
        title=f"{what}, on {base.name}",
        task=tasks[0],
        licence=base.licence,
        files=files,
        sources=(),
        languages=base.languages,
        notes=told,
        runtime=runtime,
        origin=user_cards() / f"{order.name}.toml",
    )


def tries(order: Order) -> list[str]:
    """Commands that use what was learned."""
    if order.method == "subject":
        return [f'transpose "{order.name} on the moon" out.png --via {order.name}']
    said = next((each.caption for each in order.examples if each.caption), "a red fox")
    return [f'transpose "{said}" out.png --via {order.name}']


def story(order: Order, measures: Sequence[Measure], done: str) -> Story:
    """What the report page tells."""
    from transpose.learn.report import Story

    recipe = json.loads((order.folder / RECIPE).read_text(encoding="utf-8"))
    prompts = json.loads((order.folder / "samples" / "prompts.json").read_text(encoding="utf-8"))
    best = min(measures, key=lambda each: each.heldout, default=None)
    facts = {
        "method": "style (LoRA)" if order.method == "style" else "subject (DreamBooth)",
        "base": f"{order.base}, weights {recipe['base_hash'][:16]}",
        "class": f"{order.word}, preserved by {order.prior} pictures" if order.word else "",
        "rank": str(order.dials.rank),
        "rate, batch, seed": f"{order.dials.rate:g}, {order.dials.batch}, {order.dials.seed}",
        "held-out loss": f"{measures[0].heldout:.4f} at first, {best.heldout:.4f} at step {best.step}" if best else "",
        "time": f"{measures[-1].seconds:.0f} s for {measures[-1].step} steps" if measures else "",
    }
    known = {name: told for name, told in facts.items() if told}
    return Story(order.name, known, measures, prompts, done, tries(order) if done else [])
