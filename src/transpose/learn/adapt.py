"""Teach a diffusion network of ours something new through a small adapter: what learning a style and a subject share.

LoRA (Hu et al. 2021): the base is frozen, and each linear layer of its blocks gets a trainable change of low rank. The
main dial is `Dials.rank`. A lesson (`style.lesson`, `subject.lesson`) says which batches are learned from. Every few
steps the loss on held-out noise and pictures is measured with the averaged weights; the best adapter is kept, and when
`patience` measurements in a row are no better, learning stops. The folder holds all the state, so the same call goes on
after a kill:

    checkpoint.safetensors  log.jsonl      of `train`
    heldout.jsonl                          step and held-out loss of each measurement
    adapter.safetensors                    the best one so far
    samples/0000.png ...                   the lesson's prompts, always from the same noise; 0000 is the base alone
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from transpose.core.store import atomic
from transpose.learn.dit import DiT
from transpose.learn.lora import add_lora, save_lora, share
from transpose.learn.objective import Batch, Objective
from transpose.learn.terms import Dials, Measure, Outcome, Watch, read_measures, write_measures
from transpose.learn.train import Batches, Report, train
from transpose.models.diffusion.adapter import ADAPTER
from transpose.models.diffusion.generate import Condition, generate
from transpose.models.diffusion.pictures import Reader, to_pixels
from transpose.models.diffusion.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

PROMPTS = "prompts.json"
DRAWS = 64  # noises that the held-out loss is measured with
BETTER = 0.995  # of the best loss so far: what counts as better
STEPS = 12  # of the sampler, for samples on the way


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned from: batches by number, a held-out batch, and prompts that are painted on the way."""

    batches: Batches
    heldout: Batch
    prompts: tuple[str, ...]


def adapt(
    network: DiT, settings: Settings, lesson: Lesson, read: Reader, folder: Path, dials: Dials, watch: Watch
) -> Outcome:
    """Learn the lesson; the network is changed in place, and its best adapter lies in `folder` afterwards.

    `read` turns the lesson's prompts into conditions. Raises DamagedInput where the checkpoint in `folder` is of
    another adapter, and what `save_lora` raises.
    """
    objective = Objective(settings.schedule)  # type: ignore[arg-type]  # checked when the settings were read
    hands = Hands(
        adopt=lambda: add_lora(network, dials.rank),
        save=lambda: save_lora(network, folder / ADAPTER),
        paint=lambda prompts: sample(network, settings, read, prompts),
    )
    return teach(network, lesson, objective, hands, folder, dials, watch)


@dataclass(frozen=True, slots=True)
class Hands:
    """What differs between families of models: add the adapter, save it, paint prompts as pictures (H, W, 3)."""

    adopt: Callable[[], object]
    save: Callable[[], object]
    paint: Callable[[Sequence[str]], list[NDArray[np.uint8]]]


def teach(
    network: torch.nn.Module,
    lesson: Lesson,
    objective: Objective,
    hands: Hands,
    folder: Path,
    dials: Dials,
    watch: Watch,
) -> Outcome:
    """The course of learning, for any network that `objective` can tell the loss of."""
    (folder / "samples").mkdir(parents=True, exist_ok=True)
    run = _Course(network, lesson, replace(objective, dropout=0.0), hands, folder, dials, watch)
    torch.manual_seed(dials.seed)  # the adapter's first values
    if not run.measures:
        run.paint(0)
    hands.adopt()
    if not run.measures:
        run.measure(0, 0.0)
    if not run.exhausted():
        state = train(
            network,
            lesson.batches,
            folder,
            objective=objective,
            steps=dials.steps,
            seconds=dials.seconds,
            rate=dials.rate,
            warmup=20,
            ema=0.98,
            decay=0.0,
            precision="bf16" if fast_half(next(network.parameters()).device) else "f32",
            seed=dials.seed,
            report=run.report,
            every=5,
            save_every=20.0,
        )
        run.end(state)
    best = min(run.measures, key=lambda each: each.heldout)
    last = run.measures[-1]
    return Outcome(last.step, last.seconds, best.step, best.heldout, run.why(), _share(network))


def _share(network: torch.nn.Module) -> float:
    """Trained parameters beside those of the base; 1 where all are trained."""
    return share(network) if any(not each.requires_grad for each in network.parameters()) else 1.0


def fast_half(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 faster than float32."""
    if device.type == "cuda":
        return True
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


class _Course:
    """What happens between the steps of one training."""

    def __init__(
        self,
        network: torch.nn.Module,
        lesson: Lesson,
        objective: Objective,
        hands: Hands,
        folder: Path,
        dials: Dials,
        watch: Watch,
    ) -> None:
        self.network, self.lesson, self.objective, self.hands = network, lesson, objective, hands
        self.folder, self.dials, self.watch = folder, dials, watch
        self.measures = read_measures(folder)
        self.losses: list[float] = []
        self.resumed = self.stopped = False
        with atomic(folder / "samples" / PROMPTS, force=True) as temporary:
            temporary.write_text(json.dumps(lesson.prompts), encoding="utf-8")

    def report(self, state: Report) -> bool:
        """Called every five steps; True ends the training."""
        if not self.resumed:  # what was measured after the checkpoint is measured again
            self.measures = [each for each in self.measures if each.step < state.step]
            self.resumed = True
        self.losses.append(state.loss)
        if state.step % self.dials.every == 0:
            self._measure(state)
        self.stopped = self.watch.stop()
        return self.stopped or self.exhausted()

    def end(self, state: Report) -> None:
        """The last step is measured and painted too, unless it only was interrupted."""
        if not self.stopped and self.measures[-1].step < state.step:
            self._measure(state)
        if not self.stopped:
            with averaged(self.network, state.average):
                self.paint(state.step)

    def _measure(self, state: Report) -> None:
        with averaged(self.network, state.average):
            self.measure(state.step, state.seconds)
            if state.step % (4 * self.dials.every) == 0:
                self.paint(state.step)

    def measure(self, step: int, seconds: float) -> None:
        """Measure with the weights that the network has now, and keep the adapter if it is the best."""
        loss = self.heldout()
        if loss < min((each.heldout for each in self.measures), default=float("inf")):
            self.hands.save()
        self.measures.append(Measure(step, seconds, float(np.mean(self.losses or [loss])), loss))
        self.losses = []
        write_measures(self.folder, self.measures)
        self.watch.tell(self.measures[-1])

    def heldout(self) -> float:
        """The loss on the held-out batch, with the same times and noises each time."""
        given = self.lesson.heldout
        rows = torch.arange(max(DRAWS, len(given.x0))) % len(given.x0)
        device = next(self.network.parameters()).device
        rng = torch.Generator().manual_seed(self.dials.seed)
        losses = []
        for some in rows.split(max(1, self.dials.batch)):
            batch = Batch(given.x0[some], given.cond[some], given.mask[some]).to(device)
            with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=fast_half(device)):
                losses.append(float(self.objective.loss(self.network, batch, rng)))
        return float(np.mean(losses))

    def exhausted(self) -> bool:
        """Whether the last `patience` measurements brought nothing."""
        waited = self.dials.patience
        if len(self.measures) <= waited:
            return False
        before = min(each.heldout for each in self.measures[:-waited])
        return min(each.heldout for each in self.measures[-waited:]) > BETTER * before

    def why(self) -> str:
        """What ended it."""
        if self.stopped:
            return "stopped"
        if self.exhausted():
            return "no better"
        return "steps" if self.measures and self.measures[-1].step >= self.dials.steps else "time"

    def paint(self, step: int) -> None:
        """The lesson's prompts as one row of pictures."""
        from PIL import Image as Pillow

        row = np.concatenate(self.hands.paint(self.lesson.prompts), axis=1)
        with atomic(self.folder / "samples" / f"{step:04d}.png", force=True) as temporary:
            Pillow.fromarray(row).save(temporary, "PNG")


@contextmanager
def averaged(network: torch.nn.Module, average: Mapping[str, Tensor]) -> Iterator[None]:
    """Let a network have its averaged weights for a while."""
    own = {name: each for name, each in network.named_parameters() if name in average}
    kept = {name: each.detach().clone() for name, each in own.items()}
    with torch.no_grad():
        for name, each in own.items():
            each.copy_(average[name])
    try:
        yield
    finally:
        with torch.no_grad():
            for name, each in own.items():
                each.copy_(kept[name])


class Torch:
    """A network in PyTorch, called as `Denoiser` is."""

    def __init__(self, network: DiT, settings: Settings) -> None:
        self.network, self.settings = network, settings

    def __call__(self, x: Floats, t: float, cond: Floats, mask: Floats) -> Floats:
        """v of x (b, C, H, W) at time t."""
        given = [torch.from_numpy(np.ascontiguousarray(each, np.float32)) for each in (x, cond, mask)]
        half = fast_half(torch.device("cpu"))
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            v = self.network(given[0], torch.full((len(x),), float(t)), given[1], given[2])
        return np.asarray(v.float().numpy())


def sample(
    network: DiT, settings: Settings, read: Reader, prompts: Sequence[str], *, guidance: float = 3.0, seed: int = 0
) -> list[NDArray[np.uint8]]:
    """A picture (H, W, 3) for each prompt, from noise that depends on the seed and the prompt's place alone."""
    tokens, mask = read(prompts)
    conditions = [Condition(*each) for each in zip(tokens, mask, strict=True)]
    made = generate(Torch(network, settings), conditions, steps=STEPS, guidance=guidance, seed=seed, batch=16)
    return [to_pixels(each) for each in made]
