"""The same lessons on models of the library diffusers: LoRA on the U-Net of Stable Diffusion 1 and 2, and its kin.

The attention's four linear layers get adapters (peft), in the latents of the model's own autoencoder, with the noise
and the target (noise, or velocity: Salimans and Ho 2022) that it was trained with. What is learned is saved in
diffusers' own format, so `pipeline.load_lora_weights` opens it anywhere. It runs on a GPU where there is one.

Shapes: x0 (b, 3, H, W) pixels in -1..1, latents (b, 4, h, w), cond (b, L, Dc) states of the text encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from transpose.core.errors import WeightsError
from transpose.learn.adapt import STEPS, Hands, Lesson, teach
from transpose.learn.objective import Batch, Network, Objective
from transpose.learn.order import Order, Say, lesson_of
from transpose.learn.terms import Outcome, Watch
from transpose.models.card import find_card
from transpose.models.runtimes.diffusers_lora import FILE
from transpose.models.runtimes.torch_loading import guarded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transpose.core.context import Context

    Floats = NDArray[np.float32]

LAYERS = ("to_q", "to_k", "to_v", "to_out.0")
PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")


@dataclass(frozen=True, eq=False)
class Ladder(Objective):
    """The loss on a ladder of discrete noise levels (Ho et al. 2020), on latents.

    `kept` is the share of the signal's variance at each level, (levels,); `target` is "epsilon" or "v_prediction".
    """

    kept: Tensor | None = None
    target: str = "epsilon"

    def loss(self, network: Network, batch: Batch, rng: torch.Generator) -> Tensor:
        """The mean square error of the noise or of the velocity."""
        assert self.kept is not None
        x0, size = batch.x0, len(batch.x0)
        level = (self.times(size, rng) * len(self.kept)).long().clamp(max=len(self.kept) - 1)
        noise = torch.randn(x0.shape, generator=rng).to(x0.device)
        shown = (torch.rand(size, 1, generator=rng) >= self.dropout).to(batch.mask)
        alpha, sigma = (each[level].to(x0).view(-1, 1, 1, 1) for each in (self.kept.sqrt(), (1 - self.kept).sqrt()))
        wanted = noise if self.target == "epsilon" else alpha * noise - sigma * x0
        found = network(alpha * x0 + sigma * noise, level.to(x0.device), batch.cond, batch.mask * shown)
        return (found.float() - wanted).square().mean()


class Conditioned(nn.Module):  # type: ignore[misc]
    """A U-Net called as our own networks are; where the mask is 0 everywhere, the empty prompt takes the place."""

    def __init__(self, unet: nn.Module, empty: Tensor) -> None:
        super().__init__()
        self.unet = unet
        self.register_buffer("empty", empty, persistent=False)

    def forward(self, x: Tensor, level: Tensor, cond: Tensor, mask: Tensor) -> Tensor:
        """x (b, 4, h, w), level (b), cond (b, L, Dc), mask (b, L) -> (b, 4, h, w)."""
        shown = mask.amax(1).view(-1, 1, 1)
        return self.unet(x, level, encoder_hidden_states=shown * cond + (1 - shown) * self.empty).sample


def adapt(order: Order, folder: Path, ctx: Context, say: Say, watch: Watch) -> Outcome:
    """Learn an order on the pipeline in `folder`. Raises WeightsError for pipelines of another build."""
    pipe = _open(order.base, folder)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pipe.to(device)
    for part in (pipe.unet, pipe.vae, pipe.text_encoder):
        part.requires_grad_(False)
    side = int(pipe.unet.config.sample_size) * int(pipe.vae_scale_factor)

    def read(texts: Sequence[str]) -> tuple[Floats, Floats]:
        states = np.concatenate([_states(pipe, text) for text in texts])
        return states, np.ones(states.shape[:2], np.float32)

    def paint(prompts: Sequence[str], steps: int = STEPS, seed: int = 0) -> list[NDArray[np.uint8]]:
        return [_paint(pipe, prompt, steps, seed + place) for place, prompt in enumerate(prompts)]

    def make(prompts: Sequence[str]) -> Floats:
        made = np.stack(paint(prompts, 25, order.dials.seed + 1)).astype(np.float32)
        return np.asarray(made.transpose(0, 3, 1, 2) / 127.5 - 1, np.float32)

    drawn = lesson_of(order, (side, side), read, make, say)
    lesson = Lesson(lambda step: _latents(pipe, drawn.batches(step)), _latents(pipe, drawn.heldout), drawn.prompts)
    objective = Ladder(kept=pipe.scheduler.alphas_cumprod.float(), target=pipe.scheduler.config.prediction_type)
    network = Conditioned(pipe.unet, torch.from_numpy(_states(pipe, "")).to(device))
    hands = Hands(lambda: _adopt(pipe, order.dials.rank), lambda: _save(pipe, order.folder), paint)
    return teach(network, lesson, objective, hands, order.folder, order.dials, watch)


def _open(name: str, folder: Path) -> Any:
    card = find_card(name)
    with guarded(card):
        from diffusers import AutoPipelineForText2Image

        pipe = AutoPipelineForText2Image.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, safety_checker=None
        )
    pipe.set_progress_bar_config(disable=True)
    has = [part for part in PARTS if getattr(pipe, part, None) is not None]
    target = getattr(getattr(pipe, "scheduler", None), "config", {}).get("prediction_type")
    if has != list(PARTS) or hasattr(pipe, "text_encoder_2") or target not in ("epsilon", "v_prediction"):
        raise WeightsError(
            f"{name!r} is a {type(pipe).__name__}: this release teaches those of Stable Diffusion 1 and 2",
            "Choose another --base",
        )
    return pipe


def _states(pipe: Any, text: str) -> Floats:
    """The text encoder's states of a prompt, (1, L, Dc)."""
    with torch.inference_mode():
        states, _ = pipe.encode_prompt(text, pipe.device, 1, False)
    return np.asarray(states.float().cpu().numpy())


def _latents(pipe: Any, batch: Batch) -> Batch:
    """The same batch in the autoencoder's latents, at the scale that the U-Net knows."""
    with torch.inference_mode():
        seen = pipe.vae.encode(batch.x0.to(pipe.device)).latent_dist.mean * pipe.vae.config.scaling_factor
    return Batch(seen.float().clone(), batch.cond, batch.mask)


def _paint(pipe: Any, prompt: str, steps: int, seed: int) -> NDArray[np.uint8]:
    rng = torch.Generator("cpu").manual_seed(seed)
    with torch.inference_mode():
        made = pipe(prompt=prompt, num_inference_steps=steps, generator=rng, output_type="np").images[0]
    return np.asarray(np.rint(np.clip(np.nan_to_num(made), 0, 1) * 255), np.uint8)


def _adopt(pipe: Any, rank: int) -> None:
    from peft import LoraConfig

    pipe.unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=list(LAYERS)))


def _save(pipe: Any, folder: Path) -> None:
    """In diffusers' format, half precision, by one rename."""
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft.utils import get_peft_model_state_dict

    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(pipe.unet))
    half = {name: each.detach().half().cpu().contiguous() for name, each in layers.items()}
    type(pipe).save_lora_weights(folder, unet_lora_layers=half, weight_name=f"partial-{FILE}", safe_serialization=True)
    (folder / f"partial-{FILE}").replace(folder / FILE)
