"""The training loop of a diffusion network: AdamW, warm-up, averaged weights, checkpoints, and resuming after a kill.

Step number s depends on nothing but the state after step s - 1, `batches(s)` and the seed: the random numbers of a step
come from a generator seeded with (seed, s). So a run that was killed and started again equals one that was not, bit for
bit on the same machine, if the function `batches` answers the same batch to the same number (draw its indices from a
generator seeded with the number). All the state is one safetensors file, replaced in one rename: parameters, their
average, both moments of AdamW, and the counters as JSON in the header. Nothing is pickled.

Only parameters that require a gradient are trained and kept, so an adapter's checkpoint is as small as the adapter.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from transpose.core.errors import DamagedInput, OutputError, TransformError
from transpose.learn.objective import Batch, Objective

CHECKPOINT, LOG = "checkpoint.safetensors", "log.jsonl"
BETAS = (0.9, 0.99)
CLIP = 1.0  # largest norm of the gradient
KINDS = ("weights", "average", "first", "second")  # what a checkpoint holds of each parameter

Batches = Callable[[int], Batch]  # from the number of a step, 0 for the first


@dataclass(frozen=True, slots=True)
class Report:
    """Where a training stands."""

    step: int  # steps done
    loss: float  # mean since the last report; 0 where nothing was left to do
    seconds: float  # trained so far, earlier runs of the same folder included
    rate: float
    average: Mapping[str, Tensor] = field(repr=False)  # the averaged parameters, live: copy what you keep

    def line(self) -> str:
        """The figures as a line of JSON."""
        figures = {"step": self.step, "loss": round(self.loss, 6), "seconds": round(self.seconds, 2), "rate": self.rate}
        return json.dumps(figures)


Reporter = Callable[[Report], object]  # may answer True to stop


def train(
    network: nn.Module,
    batches: Batches,
    folder: Path,
    *,
    objective: Objective | None = None,
    steps: int | None = None,
    seconds: float | None = None,
    rate: float = 3e-4,
    warmup: int = 200,
    cooldown: float = 0.2,
    decay: float = 0.01,
    ema: float = 0.999,
    precision: Literal["bf16", "f32"] = "bf16",
    seed: int = 0,
    report: Reporter | None = None,
    every: int = 50,
    save_every: float = 60.0,
) -> Report:
    """Train until `steps` or `seconds` are reached, earlier runs in `folder` counted; go on from a checkpoint there.

    The rate warms up over `warmup` steps, stays, and falls to 0 over the last `cooldown` share of the budget (Haegele
    et al. 2024), by steps where `steps` is given, else by the clock. `decay` is AdamW's weight decay and `ema` the
    decay of the averaged weights, which starts lower. Each `every` steps a line goes to log.jsonl and a report to
    `report`; each `save_every` seconds, and at the end, a checkpoint is written. Afterwards the network holds the
    trained weights and the answer's `average` the averaged ones. Raises DamagedInput for a checkpoint that is damaged
    or of another network, TransformError where the loss is no number any more (the last checkpoint stays).
    """
    if steps is None and seconds is None:
        raise ValueError("a training needs steps or seconds")
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run(network, rate, decay, ema, objective or Objective(), precision, seed)
    run.resume(folder)
    budget = _Budget(steps, seconds, warmup, cooldown, run.seconds)
    saved, done = time.monotonic(), budget.spent(run.step)
    with (folder / LOG).open("a", encoding="utf-8") as log:
        while not done:
            run.advance(batches, rate * budget.share(run.step))
            run.seconds, done = budget.seconds, budget.spent(run.step)
            if done or run.step % every == 0:
                state = run.report()
                log.write(state.line() + "\n")
                log.flush()
                done = (report is not None and report(state) is True) or done
            if done or time.monotonic() - saved > save_every:
                run.save(folder)
                saved = time.monotonic()
    return run.last or run.report()


class _Budget:
    """How far a training is, by its steps or by the clock."""

    def __init__(self, steps: int | None, seconds: float | None, warmup: int, cooldown: float, before: float) -> None:
        self.steps, self.limit, self.warmup, self.cooldown = steps, seconds, warmup, cooldown
        self.start = time.monotonic() - before

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.start

    def spent(self, step: int) -> bool:
        by_steps = self.steps is not None and step >= self.steps
        return by_steps or (self.limit is not None and self.seconds >= self.limit)

    def share(self, step: int) -> float:
        """The share of the full rate at a step."""
        if self.steps is not None:
            left = 1 - step / self.steps
        else:
            left = max(0.0, 1 - self.seconds / (self.limit or 1.0))
        falling = min(1.0, left / self.cooldown) if self.cooldown else 1.0
        return min(falling, (step + 1) / self.warmup) if self.warmup else falling


class _Run:
    """The state of a training, and one step of it."""

    def __init__(
        self, network: nn.Module, rate: float, decay: float, ema: float, objective: Objective, precision: str, seed: int
    ) -> None:
        self.network, self.ema, self.objective, self.seed = network, ema, objective, seed
        self.parameters = {name: each for name, each in network.named_parameters() if each.requires_grad}
        self.average = {name: each.detach().clone() for name, each in self.parameters.items()}
        grown = [each for each in self.parameters.values() if each.ndim > 1]
        flat = [each for each in self.parameters.values() if each.ndim <= 1]
        groups = [{"params": grown, "weight_decay": decay}, {"params": flat, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=rate, betas=BETAS, fused=True)
        self.device = next(iter(self.parameters.values())).device
        self.half = precision == "bf16"
        self.step, self.seconds, self.rate = 0, 0.0, rate
        self.losses: list[Tensor] = []  # since the last report
        self.last: Report | None = None

    def advance(self, batches: Batches, rate: float) -> None:
        """One step of training."""
        rng = torch.Generator().manual_seed((self.seed * 0x9E3779B97F4A7C15 + self.step) % 2**63)
        batch = batches(self.step).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            loss = self.objective.loss(self.network, batch, rng)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters.values(), CLIP)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        keep = min(self.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.values()), list(self.parameters.values()), 1 - keep)
        self.losses.append(loss.detach() + 0 * norm)  # a gradient that is no number makes the loss none
        self.step, self.rate = self.step + 1, rate

    def report(self) -> Report:
        """The figures since the last report."""
        self.last = Report(self.step, self.loss(), self.seconds, self.rate, self.average)
        self.losses = []
        return self.last

    def loss(self) -> float:
        """The mean since the last report. Raises TransformError where it is no number."""
        loss = float(torch.stack(self.losses).mean()) if self.losses else 0.0
        if not math.isfinite(loss):
            raise TransformError(f"the training diverged before step {self.step}", "Give a smaller rate")
        return loss

    # -- checkpoints ---------------------------------------------------------------------------------------------------

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Every tensor of a checkpoint, by its name there."""
        for name, each in self.parameters.items():
            state = self.optimizer.state[each]
            if not state:  # before the first step
                state["step"] = torch.zeros((), device=self.device)
                state |= {moment: torch.zeros_like(each) for moment in ("exp_avg", "exp_avg_sq")}
            values = (each.detach(), self.average[name], state["exp_avg"], state["exp_avg_sq"])
            yield from ((f"{kind}/{name}", value) for kind, value in zip(KINDS, values, strict=True))

    def save(self, folder: Path) -> None:
        """Replace the checkpoint in one rename, after its bytes are on the disk."""
        self.loss()
        state = {"step": self.step, "seconds": self.seconds, "seed": self.seed}
        write_tensors(folder / CHECKPOINT, dict(self.tensors()), {"state": json.dumps(state)})

    def resume(self, folder: Path) -> None:
        """Take up the checkpoint of a folder, if there is one; lines of the log that came after it go."""
        path = folder / CHECKPOINT
        if not path.exists():
            (folder / LOG).unlink(missing_ok=True)
            return
        try:
            with safe_open(path, framework="pt") as file, torch.no_grad():
                state = json.loads((file.metadata() or {})["state"])
                step, self.seconds, seed = int(state["step"]), float(state["seconds"]), state["seed"]
                for name, value in self.tensors():
                    value.copy_(_of_shape(file.get_tensor(name), value, name))
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            what = f"the checkpoint {str(path)!r} is damaged or of another network: {error}"
            raise DamagedInput(what, "Remove it to begin anew, or give the settings that it was begun with") from error
        if seed != self.seed:
            raise DamagedInput(f"the checkpoint {str(path)!r} was begun with seed {seed}", f"Give seed {seed}")
        for each in self.optimizer.state.values():
            each["step"].fill_(step)
        self.step = step
        _cut_log(folder / LOG, step)


def _of_shape(found: Tensor, wanted: Tensor, name: str) -> Tensor:
    if found.shape != wanted.shape:
        raise ValueError(f"{name!r} is {tuple(found.shape)}, not {tuple(wanted.shape)}")
    return found


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file so that at any moment the old one or the new one is there, whole. Raises OutputError."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        save_file({name: each.detach().cpu().contiguous() for name, each in tensors.items()}, partial, dict(metadata))
    except SafetensorError as error:
        raise OutputError(
            f"cannot write {str(path)!r}: {error}", "See that the folder is writable and has space"
        ) from error
    partial.chmod(0o644)  # safetensors makes it readable by its owner only
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def _cut_log(path: Path, step: int) -> None:
    """Keep the lines of a log up to a step; the last one may be torn."""
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
    path.write_text("".join(kept), encoding="utf-8")
