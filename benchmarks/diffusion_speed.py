"""Ours beside the library diffusers, in one process: seconds a picture with the same weights, sampler and steps.

    python benchmarks/diffusion_speed.py FOLDER [--sampler dpm++] [--steps 20] [--guidance 3] [--threads 1] [--rounds 5]

Ours is ONNX Runtime and numpy; theirs the same network in PyTorch (`transpose.learn.dit`, float32, inference mode)
under diffusers' own scheduler of that name. Each makes one picture with guidance, a batch of two. Rounds alternate and
the best of each side counts. FOLDER holds a model; needs PyTorch and diffusers, which running a model does not.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transpose.models.diffusion.denoiser import Denoiser, open_denoiser
from transpose.models.diffusion.generate import Condition, draw_noise, generate, nothing
from transpose.models.diffusion.samplers import SAMPLERS
from transpose.models.diffusion.schedule import SCHEDULES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

KINDS = {
    "dpm++": "DPMSolverMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
    "euler": "FlowMatchEulerDiscreteScheduler",
}
Paint = Callable[[], "Floats"]


def condition(denoiser: Denoiser) -> Condition:
    """Tokens of random numbers: what they say does not change the time."""
    import numpy as np

    shape = denoiser.settings.network
    tokens = np.random.default_rng(0).standard_normal((shape.cond_tokens, shape.cond_dim)).astype(np.float32)
    return Condition(tokens, np.ones(shape.cond_tokens, np.float32))


def ours(denoiser: Denoiser, name: str, steps: int, guidance: float) -> Paint:
    """The product's own way."""
    asked = condition(denoiser)
    return lambda: generate(denoiser, [asked], sampler=name, steps=steps, guidance=guidance, seed=1, clip="none")  # type: ignore[arg-type]


def theirs(folder: Path, denoiser: Denoiser, name: str, steps: int, guidance: float, threads: int) -> Paint:
    """diffusers' loop around the same network in PyTorch, from the same noise and at the same times."""
    import diffusers
    import numpy as np
    import torch
    from safetensors.torch import load_file

    from transpose.learn.dit import DiT

    torch.set_num_threads(threads)
    shape, schedule = denoiser.settings.network, SCHEDULES[denoiser.settings.schedule]
    network = DiT(shape).eval()
    network.load_state_dict({key: each.float() for key, each in load_file(folder / "weights.safetensors").items()})
    times = schedule.grid(steps, SAMPLERS[name].spacing)
    both = [condition(denoiser), nothing(shape)]
    cond, mask = (torch.from_numpy(np.stack([getattr(each, part) for each in both])) for part in ("tokens", "mask"))
    noise = torch.from_numpy(draw_noise((1, shape.channels, shape.height, shape.width), 1))
    told: dict[str, Any] = {}
    if name != "euler":
        told = {"use_flow_sigmas": schedule.name == "flow", "prediction_type": "sample", "solver_order": 2}
    elif schedule.name != "flow":
        raise ValueError("diffusers' Euler on straight lines needs a model of the schedule flow")

    def paint() -> Floats:
        scheduler = getattr(diffusers, KINDS[name])(**told)
        scheduler.set_timesteps(steps)
        flow = [schedule.sigma(t) / (schedule.alpha(t) if schedule.name != "flow" else 1) for t in times.t]
        scheduler.sigmas = torch.tensor(flow)
        scheduler.timesteps = torch.arange(steps, 0, -1.0)
        scheduler.set_begin_index(0)
        x = noise
        with torch.inference_mode():
            for t, stop in zip(times.t, scheduler.timesteps, strict=False):
                v, free = network(torch.cat([x, x]), torch.full((2,), t), cond, mask).chunk(2)
                v = free + guidance * (v - free)
                answer = v if name == "euler" else schedule.slopes(t)[1] * x - schedule.sigma(t) * v
                x = scheduler.step(answer, stop, x).prev_sample
        return np.asarray(x.numpy().clip(-denoiser.settings.reach, denoiser.settings.reach))

    return paint


def measure(folder: Path, name: str, steps: int, guidance: float, threads: int, rounds: int) -> dict[str, Any]:
    """Best seconds of each, their ratio, and the largest difference between their pictures."""
    import numpy as np

    denoiser = open_denoiser(folder, threads)
    sides = {
        "ours": ours(denoiser, name, steps, guidance),
        "theirs": theirs(folder, denoiser, name, steps, guidance, threads),
    }
    made = {side: paint() for side, paint in sides.items()}  # also warms both up
    best = dict.fromkeys(sides, math.inf)
    for _ in range(rounds):
        for side, paint in sides.items():
            began = time.perf_counter()
            paint()
            best[side] = min(best[side], time.perf_counter() - began)
    return {
        "sampler": name,
        "steps": steps,
        "guidance": guidance,
        "threads": threads,
        "ours_seconds": round(best["ours"], 4),
        "theirs_seconds": round(best["theirs"], 4),
        "ratio": round(best["theirs"] / best["ours"], 2),
        "largest_difference": float(np.abs(made["ours"] - made["theirs"]).max()),
    }


def main() -> None:
    """Read the arguments, measure, print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sampler", choices=sorted(KINDS), default="dpm++")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    told = given.sampler, given.steps, given.guidance, given.threads, given.rounds
    print(json.dumps(measure(given.folder, *told)))


if __name__ == "__main__":
    main()
