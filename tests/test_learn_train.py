"""Training: what a step learns, resuming after a real kill, export, adapters."""

from __future__ import annotations

import hashlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from transpose import learn  # noqa: E402
from transpose.core.errors import DamagedInput, MissingPackage, OutputError, TransformError  # noqa: E402
from transpose.learn.dit import DiT  # noqa: E402
from transpose.learn.export import export, open_network  # noqa: E402
from transpose.learn.objective import Batch, Objective, alpha_sigma  # noqa: E402
from transpose.learn.train import CHECKPOINT, LOG, Report, train  # noqa: E402
from transpose.models.diffusion.denoiser import open_denoiser  # noqa: E402
from transpose.models.diffusion.graph import WEIGHTS, sizes  # noqa: E402
from transpose.models.diffusion.settings import Shape  # noqa: E402

SHAPE = Shape(1, 8, 8, (4, 4), 32, 2, 4, mlp=2.0, cond_dim=6, cond_tokens=3)
SOUND = Shape(1, 16, 12, (16, 2), 32, 2, 2, mlp=2.0, cond_dim=6, cond_tokens=3)
TOLD = Shape(1, 16, 12, (16, 2), 32, 2, 2, mlp=2.0, cond_dim=6, cond_tokens=9, aligned=6, near=3)
Tensors = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def network(seed: int = 0, shape: Shape = SHAPE) -> DiT:
    torch.manual_seed(seed)
    return DiT(shape)


def stirred(shape: Shape = SHAPE) -> DiT:
    """A network in which nothing is zero, with weights that float16 can hold."""
    made = network(1, shape)
    with torch.no_grad():
        for each in made.parameters():
            each.copy_((each + 0.2 * torch.randn_like(each)).half().float())
    return made


def batches(step: int) -> Batch:
    """Pictures that are light at the top or at the bottom, as the first number of the condition says."""
    rng = torch.Generator().manual_seed(step)
    side = torch.randint(0, 2, (16,), generator=rng).float() * 2 - 1
    x0 = side.view(-1, 1, 1, 1) * torch.linspace(-1, 1, 8).view(1, 1, 8, 1).expand(16, 1, 8, 8)
    cond = side.view(-1, 1, 1).expand(16, 3, 6).contiguous()
    return Batch(x0 + 0.1 * torch.randn(x0.shape, generator=rng), cond, torch.ones(16, 3))


def inputs(shape: Shape) -> tuple[torch.Tensor, ...]:
    rng = torch.Generator().manual_seed(3)
    x = torch.randn(2, shape.channels, shape.height, shape.width, generator=rng)
    cond = torch.randn(2, shape.cond_tokens, shape.cond_dim, generator=rng)
    mask = torch.ones(2, shape.cond_tokens)
    mask[1] = 0
    return x, torch.rand(2, generator=rng), cond, mask


def checkpoint(folder: Path) -> Tensors:
    found: Tensors = load_file(folder / CHECKPOINT)
    return found


def same(one: Tensors, two: Tensors) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


# -- the network and its objective -------------------------------------------------------------------------------------


def test_the_network_starts_as_nothing_and_has_the_names_of_the_graph() -> None:
    made = network()
    assert not made(*inputs(SHAPE)).any()  # the last layer starts at zero
    assert {name: tuple(each.shape) for name, each in made.state_dict().items()} == sizes(SHAPE)
    x = inputs(SHAPE)[0]
    assert torch.equal(made.picture(made.patches(x)), x)


@pytest.mark.parametrize("schedule", ["flow", "cosine"])
def test_schedules_are_those_of_the_samplers(schedule: str) -> None:
    from transpose.models.diffusion.schedule import SCHEDULES

    for t in (0.0, 0.3, 1.0):
        alpha, sigma = alpha_sigma(schedule, torch.tensor(t))
        assert float(alpha) == pytest.approx(SCHEDULES[schedule].alpha(t), abs=1e-6)
        assert float(sigma) == pytest.approx(SCHEDULES[schedule].sigma(t), abs=1e-6)


@pytest.mark.parametrize("schedule", ["flow", "cosine"])
def test_the_right_velocity_has_no_loss(schedule: Literal["flow", "cosine"]) -> None:
    """A network that knows x0 finds v = (x_t's noise and x0 mixed); one that does not has a loss."""
    objective, batch = Objective(schedule=schedule), batches(0)

    def knowing(x: torch.Tensor, t: torch.Tensor, cond: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        alpha, sigma = (each.view(-1, 1, 1, 1) for each in alpha_sigma(schedule, t))
        noise = (x - alpha * batch.x0) / sigma
        return noise - batch.x0 if schedule == "flow" else alpha * noise - sigma * batch.x0

    assert float(objective.loss(knowing, batch, torch.Generator().manual_seed(4))) < 1e-6
    wrong = objective.loss(lambda x, t, cond, mask: x, batch, torch.Generator().manual_seed(4))
    assert float(wrong) > 0.1


def test_a_tenth_of_the_conditions_is_dropped_and_weights_count() -> None:
    masks: list[torch.Tensor] = []

    def watching(x: torch.Tensor, t: torch.Tensor, cond: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        masks.append(mask)
        assert t.sort().values.diff().sub(1 / len(t)).abs().max() < 1e-5  # evenly spread
        return torch.zeros_like(x)

    for step in range(200):
        Objective().loss(watching, batches(step), torch.Generator().manual_seed(step))
    kept = torch.cat(masks)
    assert set(kept.sum(1).tolist()) == {0.0, 3.0}  # all words of a condition or none
    assert 0.08 < float((kept.sum(1) == 0).float().mean()) < 0.12
    batch = batches(0)
    none = Objective().loss(watching, Batch(batch.x0, batch.cond, batch.mask, torch.zeros(16)), torch.Generator())
    assert float(none) == 0.0


def test_min_snr_weighs_the_error_of_the_datum() -> None:
    t = torch.linspace(0.02, 0.98, 25)
    for schedule in ("flow", "cosine"):
        alpha, sigma = alpha_sigma(schedule, t)
        weights = Objective(schedule=schedule, min_snr=5.0).weights(t)
        assert torch.allclose(weights, (alpha / sigma).square().clamp(max=5) * sigma.square(), atol=1e-6)
    assert torch.equal(Objective().weights(t), torch.ones(25))
    middle = Objective(middle=True).times(4000, torch.Generator().manual_seed(0))
    assert 0.6 < float(((middle > 0.27) & (middle < 0.73)).float().mean()) < 0.75  # a normal's share within 1


# -- training ----------------------------------------------------------------------------------------------------------


def test_it_learns_and_the_condition_tells(tmp_path: Path) -> None:
    reports: list[Report] = []
    made = network()
    done = train(
        made, batches, tmp_path, steps=150, rate=4e-3, warmup=10, every=50, report=reports.append, precision="f32"
    )
    losses = [each.loss for each in reports]
    assert [each.step for each in reports] == [50, 100, 150]
    assert losses[-1] < 0.5 * losses[0]
    assert done.step == 150
    made.load_state_dict({**made.state_dict(), **done.average})
    x = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    cond = torch.tensor([1.0, -1.0]).view(2, 1, 1).expand(2, 3, 6)
    with torch.inference_mode():
        x0 = x - made(x, torch.ones(2), cond, torch.ones(2, 3))  # flow: x0 = x - t v
    ramp = torch.linspace(-1, 1, 8).view(1, 8, 1)
    assert float((x0[0] * ramp).mean()) > 0.2
    assert float((x0[1] * ramp).mean()) < -0.2


def test_the_rate_warms_up_and_cools_down(tmp_path: Path) -> None:
    rates: list[float] = []
    settings = {"steps": 20, "warmup": 5, "cooldown": 0.25, "rate": 1.0e-3, "every": 1}
    train(network(), batches, tmp_path, report=lambda each: rates.append(each.rate), **settings)  # type: ignore[arg-type]
    assert rates[:5] == pytest.approx([2e-4, 4e-4, 6e-4, 8e-4, 1e-3])
    assert rates[5:16] == pytest.approx([1e-3] * 11)
    assert rates[16:] == pytest.approx([8e-4, 6e-4, 4e-4, 2e-4])


def test_a_box_of_time(tmp_path: Path) -> None:
    start = time.monotonic()
    done = train(network(), batches, tmp_path, seconds=0.5)
    assert 0.5 <= done.seconds < 1.5
    assert time.monotonic() - start < 3
    again = train(network(), batches, tmp_path, seconds=0.5)  # the time is spent: nothing is done
    assert again.step == done.step
    longer = train(network(), batches, tmp_path, seconds=0.8)
    assert longer.step > done.step


def test_a_report_may_stop_it(tmp_path: Path) -> None:
    done = train(network(), batches, tmp_path, steps=100, every=5, report=lambda each: each.step >= 10)
    assert done.step == 10
    assert checkpoint(tmp_path)  # and what was learned is kept


def test_in_two_parts_it_is_the_same(tmp_path: Path) -> None:
    train(network(), batches, tmp_path / "whole", steps=12, every=3)
    train(network(), batches, tmp_path / "parts", steps=12, every=3, report=lambda each: each.step == 6)
    made = network(seed=9)  # what it starts from does not count
    train(made, batches, tmp_path / "parts", steps=12, every=3)
    assert same(checkpoint(tmp_path / "whole"), checkpoint(tmp_path / "parts"))
    logs = [(tmp_path / name / LOG).read_text().splitlines() for name in ("whole", "parts")]
    figures = [[(row["step"], row["loss"], row["rate"]) for row in map(json.loads, log)] for log in logs]
    assert figures[0] == figures[1]
    train(network(), batches, tmp_path / "other", steps=12, every=3, seed=1)  # negative control
    assert not same(checkpoint(tmp_path / "whole"), checkpoint(tmp_path / "other"))


CHILD = """
import sys, time
from pathlib import Path
import torch
sys.path.insert(0, sys.argv[2])
from test_learn_train import batches, network
from transpose.learn.train import train
torch.set_num_threads(1)
def slow(step):
    time.sleep(0.02)
    return batches(step)
train(network(), slow, Path(sys.argv[1]), steps=40, every=1, save_every=0.1, precision="f32")
"""


def kill_after(folder: Path, lines: int) -> int:
    """Train in a child process, kill it when its log has so many lines; the last step that it logged."""
    here = str(Path(__file__).parent)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), here], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    try:
        limit = time.monotonic() + 60
        while len(steps_logged(folder)) < lines:
            assert child.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.005)
    finally:
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    return steps_logged(folder)[-1]


def steps_logged(folder: Path) -> list[int]:
    text = (folder / LOG).read_text() if (folder / LOG).exists() else ""
    return [int(json.loads(line)["step"]) for line in text.splitlines() if line.endswith("}")]


def saved_step(folder: Path) -> int:
    from safetensors import safe_open

    with safe_open(folder / CHECKPOINT, framework="pt") as file:
        return int(json.loads(file.metadata()["state"])["step"])


def test_a_killed_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    """Killed (SIGKILL), then finished: all of its state is that of a training that nobody killed."""
    cut = tmp_path / "cut"
    last = kill_after(cut, 20)
    kept = saved_step(cut)
    assert 0 < kept <= last < 40
    assert last - kept <= 0.1 / 0.02 + 3  # at most the steps since the last checkpoint
    steps: list[int] = []
    train(
        network(seed=7), batches, cut, steps=40, every=1, precision="f32", report=lambda each: steps.append(each.step)
    )
    assert steps == list(range(kept + 1, 41))
    assert steps_logged(cut) == list(range(1, 41))
    train(network(), batches, tmp_path / "whole", steps=40, every=1, precision="f32")
    assert same(checkpoint(cut), checkpoint(tmp_path / "whole"))


def test_a_torn_checkpoint_is_not_seen(tmp_path: Path) -> None:
    """What a kill leaves while a checkpoint is written is beside it, and the next one overwrites it."""
    train(network(), batches, tmp_path, steps=3)
    whole = (tmp_path / CHECKPOINT).read_bytes()
    partial = tmp_path / f".{CHECKPOINT}.partial"
    partial.write_bytes(whole[: len(whole) // 2])
    train(network(), batches, tmp_path, steps=5)
    assert saved_step(tmp_path) == 5
    assert not partial.exists()


def broken(data: bytes) -> dict[str, bytes]:
    size = int.from_bytes(data[:8], "little")
    return {
        "empty": b"",
        "truncated": data[:-10],
        "not json": data[:8] + b"?" * size + data[8 + size :],
        "no state": data.replace(b'"state"', b'"stale"'),
        "state cut": data.replace(b'\\"step\\"', b'\\"stop\\"'),
        "pickle": b"\x80\x04\x95.",
    }


def test_damaged_checkpoints(tmp_path: Path) -> None:
    train(network(), batches, tmp_path, steps=2)
    for data in broken((tmp_path / CHECKPOINT).read_bytes()).values():
        (tmp_path / CHECKPOINT).write_bytes(data)
        with pytest.raises(DamagedInput, match="checkpoint"):
            train(network(), batches, tmp_path, steps=4)
        assert (tmp_path / CHECKPOINT).read_bytes() == data  # nothing is thrown away


def test_a_checkpoint_of_another_network_or_seed(tmp_path: Path) -> None:
    train(network(), batches, tmp_path, steps=2)
    with pytest.raises(DamagedInput, match="seed 0"):
        train(network(), batches, tmp_path, steps=4, seed=1)
    with pytest.raises(DamagedInput, match="another network"):
        train(network(shape=SOUND), batches, tmp_path, steps=4)


def test_a_training_that_diverges_keeps_its_last_checkpoint(tmp_path: Path) -> None:
    train(network(), batches, tmp_path, steps=2)
    before = (tmp_path / CHECKPOINT).read_bytes()

    def poisoned(step: int) -> Batch:
        batch = batches(step)
        return Batch(batch.x0 * math.nan, batch.cond, batch.mask)

    with pytest.raises(TransformError, match="diverged"):
        train(network(), poisoned, tmp_path, steps=9, save_every=0)
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_a_gradient_that_is_no_number_is_not_kept(tmp_path: Path) -> None:
    made = network()
    made.last.weight.register_hook(lambda gradient: gradient * math.inf)
    with pytest.raises(TransformError, match="diverged"):
        train(made, batches, tmp_path, steps=1)
    assert not (tmp_path / CHECKPOINT).exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / f".{CHECKPOINT}.partial").mkdir()
    with pytest.raises(OutputError, match="cannot write"):
        train(network(), batches, tmp_path, steps=1)


def test_a_training_without_an_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="steps or seconds"):
        train(network(), batches, tmp_path)


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util as imports

    learn.require()
    found: Callable[[str], object] = imports.find_spec
    monkeypatch.setattr(imports, "find_spec", lambda name: None if name == "torch" else found(name))
    with pytest.raises(MissingPackage, match="learning needs torch.*transpose-ai\\[learn\\]"):
        learn.require()


# -- export ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [SHAPE, SOUND, TOLD], ids=["picture", "sound", "told"])
def test_onnx_equals_torch(tmp_path: Path, shape: Shape) -> None:
    pytest.importorskip("onnx")
    made = stirred(shape)
    settings = export(made, tmp_path, schedule="cosine", conditioner="wish", labels={"rate": 16_000})
    given = inputs(shape)
    with torch.inference_mode():
        wanted = made(*given).numpy()
    denoiser = open_denoiser(tmp_path)
    assert abs(denoiser(*(each.numpy() for each in given)) - wanted).max() < 1e-4
    assert denoiser.settings == settings
    again, read = open_network(tmp_path)
    assert read == settings
    assert same(again.state_dict(), made.state_dict())
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    export(made, tmp_path, schedule="cosine", conditioner="wish", labels={"rate": 16_000})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files  # the same bytes each time


def test_the_average_is_what_is_exported(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    made = network()
    done = train(made, batches, tmp_path / "run", steps=8, rate=1e-2, warmup=0)
    export(made, tmp_path / "model", schedule="flow", conditioner="words", average=done.average)
    found = open_network(tmp_path / "model")[0].state_dict()
    for name, each in found.items():
        assert torch.equal(each, done.average[name].half().float())
    assert not same(found, {name: each.half().float() for name, each in made.state_dict().items()})


def test_weights_that_float16_cannot_hold(tmp_path: Path) -> None:
    made = network()
    with torch.no_grad():
        made.last.bias[0] = 70_000
    with pytest.raises(TransformError, match=r"last\.bias"):
        export(made, tmp_path / "model", schedule="flow", conditioner="minilm")
    assert not (tmp_path / "model").exists()


# -- adapters ----------------------------------------------------------------------------------------------------------


def test_an_adapter_in_onnx_equals_peft(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("peft")
    from transpose.learn.lora import add_lora, save_lora, share

    base, path = tmp_path / "base", tmp_path / "run" / "adapter.safetensors"
    frozen = stirred()
    export(frozen, base, schedule="flow", conditioner="minilm")
    digest = hashlib.sha256((base / WEIGHTS).read_bytes()).hexdigest()
    made = add_lora(open_network(base)[0], rank=2)
    given = inputs(SHAPE)
    with torch.inference_mode():
        start = frozen(*given)
        assert torch.allclose(made(*given), start, atol=1e-6)  # an adapter starts as no change
    done = train(made, batches, tmp_path / "run", steps=30, rate=1e-2, warmup=5)
    trained = {name for name, each in made.named_parameters() if each.requires_grad}
    assert trained == done.average.keys()
    assert all("lora_" in name for name in trained)
    assert share(made) == pytest.approx(
        2 * (4 * 32 + 2 * 32 + 3 * 32 + 3 * 32) * 2 / sum(map(math.prod, sizes(SHAPE).values()))
    )
    with torch.no_grad():
        for name, each in made.named_parameters():
            each.copy_(done.average[name].half() if name in trained else each)
    save_lora(made, path)

    with torch.inference_mode():
        wanted = made.eval()(*given).numpy()  # peft's forward, with what was saved
    arrays = [each.numpy() for each in given]
    assert abs(open_denoiser(base, adapters=[path])(*arrays) - wanted).max() < 1e-4
    assert abs(wanted - start.numpy()).max() > 1e-2  # and it did change something
    assert hashlib.sha256((base / WEIGHTS).read_bytes()).hexdigest() == digest
