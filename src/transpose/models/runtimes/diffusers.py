"""Pipelines of the library diffusers: pictures, films and sounds from words, and pictures from pictures."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transpose.core.context import Context
from transpose.core.errors import OptionError, TransformError
from transpose.models.card import Card
from transpose.models.protocols import Sampling, Steering, settings
from transpose.models.runtimes.diffusers_steering import between_pictures, between_prompts, varied
from transpose.models.runtimes.torch_loading import guarded, seeded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transpose.media.image import Image

Told = dict[str, bool | int | str]
EVEN: Told = {"use_karras_sigmas": False, "use_beta_sigmas": False}  # grids that a model's own settings may ask for
# our name -> the scheduler's class, and its settings; even steps in log-SNR are "lu lambdas", or exponential sigmas
SCHEDULERS: dict[str, tuple[str, Told]] = {
    "ddpm": ("DDPMScheduler", {}),
    "ddim": ("DDIMScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "dpm++": (
        "DPMSolverMultistepScheduler",
        {**EVEN, "use_lu_lambdas": True, "algorithm_type": "dpmsolver++", "solver_order": 2},
    ),
    "unipc": ("UniPCMultistepScheduler", {**EVEN, "use_exponential_sigmas": True, "solver_order": 2}),
}
FLOWING: Told = {"use_flow_sigmas": True, "prediction_type": "flow_prediction", "solver_order": 2}
# the same for models of rectified flow, which keep to times of their own; DDIM is Euler there
FLOW_SCHEDULERS: dict[str, tuple[str, Told]] = {
    "ddim": ("FlowMatchEulerDiscreteScheduler", {}),
    "euler": ("FlowMatchEulerDiscreteScheduler", {}),
    "heun": ("FlowMatchHeunDiscreteScheduler", {}),
    "dpm++": ("DPMSolverMultistepScheduler", {**FLOWING, "algorithm_type": "dpmsolver++"}),
    "unipc": ("UniPCMultistepScheduler", {**FLOWING}),
}


@dataclass(frozen=True)
class Pipeline:
    """A loaded pipeline. What it does not take (a negative prompt, a size) is left out, with a warning."""

    pipe: Any
    name: str
    steering: Steering = Steering()

    def steered(self, steering: Steering) -> Pipeline:
        """The same pipeline, led so."""
        return replace(self, steering=steering)

    def paint(
        self, prompt: str, *, width: int, height: int, steps: int, guidance: float, negative: str, ctx: Context
    ) -> Image:
        """A picture; sides are rounded to what the model can make."""
        told = {"width": self._side(width), "height": self._side(height), **_told(steps, guidance, negative)}
        return _image(self._run(ctx, prompt, told).images[0])

    def repaint(
        self, image: Image, prompt: str, *, strength: float, steps: int, guidance: float, negative: str, ctx: Context
    ) -> Image:
        """The picture changed by the prompt; `strength` 1 forgets it, 0 keeps it."""
        size = (self._side(image.width), self._side(image.height))
        told = {"image": _resized(image, size), "strength": strength, **_told(steps, guidance, negative)}
        other = self.steering.other
        with between_pictures(self.pipe, self.name, other and _resized(other, size), self.steering.share):
            return _image(self._run(ctx, prompt, told).images[0])

    def film(
        self,
        prompt: str,
        *,
        frames: int,
        width: int,
        height: int,
        steps: int,
        guidance: float,
        negative: str,
        ctx: Context,
    ) -> NDArray[np.uint8]:
        """Frames, uint8 of shape (frames, height, width, 3)."""
        import numpy as np

        told = {"num_frames": frames, "width": self._side(width), "height": self._side(height)}
        made = self._run(ctx, prompt, {**told, **_told(steps, guidance, negative), "output_type": "np"})
        pixels = np.asarray(made.frames[0])
        return np.asarray((np.clip(np.nan_to_num(pixels), 0, 1) * 255 + 0.5).astype(np.uint8))

    def compose(
        self, prompt: str, *, seconds: float, steps: int, guidance: float, negative: str, ctx: Context
    ) -> tuple[NDArray[np.float32], int]:
        """Samples (n, channels) and their rate in Hz."""
        import numpy as np

        length = "audio_end_in_s" if "audio_end_in_s" in self._takes() else "audio_length_in_s"
        made = self._run(ctx, prompt, {length: seconds, **_told(steps, guidance, negative)})
        sound = made.audios[0]
        samples = sound.float().cpu().numpy().T if hasattr(sound, "cpu") else np.asarray(sound, np.float32)
        if samples.ndim == 1:
            samples = samples[:, None]
        return np.clip(np.nan_to_num(samples), -1, 1).astype(np.float32), self._rate()

    def _rate(self) -> int:
        for part in ("vocoder", "vae"):
            config = getattr(getattr(self.pipe, part, None), "config", None)
            if rate := getattr(config, "sampling_rate", None):
                return int(rate)
        return 44_100

    def _takes(self) -> set[str]:
        return set(inspect.signature(self.pipe.__call__).parameters)

    def _side(self, pixels: int) -> int:
        """The nearest size that the autoencoder and the network can make."""
        step = int(getattr(self.pipe, "vae_scale_factor", 8)) * 2
        return max(step, round(pixels / step) * step)

    def _run(self, ctx: Context, prompt: str, told: dict[str, Any]) -> Any:
        import torch

        takes = self._takes()
        ignored = sorted(key for key, value in told.items() if key not in takes and value not in ("", None))
        if ignored:
            ctx.warn(f"the model {self.name!r} does not take {', '.join(ignored)}")
        steps = max(1, int(told.get("num_inference_steps", 0) * told.get("strength", 1)))  # as many as are run

        def report(pipe: Any, step: int, moment: Any, kept: dict[str, Any]) -> dict[str, Any]:
            """Called by diffusers after each step."""
            ctx.progress(step + 1, steps, "steps")
            return kept

        told = {key: value for key, value in told.items() if key in takes and value not in ("", None)}
        if "callback_on_step_end" in takes:
            told["callback_on_step_end"] = report
        led = self.steering
        with (
            torch.inference_mode(),
            _scheduled(self.pipe, self.name, led.sampler),
            between_prompts(self.pipe, self.name, led.toward, led.share),
            varied(self.pipe, self.name, seeded(ctx, ctx.seed + led.variant), led.variation),
        ):
            try:
                return self.pipe(prompt=prompt, generator=seeded(ctx, ctx.seed), **told)
            except (ValueError, RuntimeError, TypeError) as error:
                said = " ".join(str(error).split())[:200]
                raise TransformError(
                    f"the model {self.name!r} failed: {said}", "Try another size or fewer steps"
                ) from error


@contextmanager
def _scheduled(pipe: Any, name: str, sampler: Sampling) -> Iterator[None]:
    """The pipeline with the scheduler of that name, and then with its own again. Raises OptionError where none fits."""
    if sampler == "own":
        yield
        return
    own = pipe.scheduler
    pipe.scheduler = _scheduler(own, name, sampler)
    try:
        yield
    finally:
        pipe.scheduler = own


def _scheduler(own: Any, name: str, sampler: Sampling) -> Any:
    """A scheduler of that name for a model, from the settings of its own one."""
    import diffusers as library

    flow = type(own).__name__.startswith("FlowMatch")
    kind, told = (FLOW_SCHEDULERS if flow else SCHEDULERS).get(sampler, ("", {}))
    fits = flow or kind in {each.__name__ for each in own.compatibles}
    if not kind or not fits:
        raise OptionError(f"the model {name!r} cannot be sampled with {sampler!r}", "Leave out -o sampler")
    if flow and "use_flow_sigmas" in told:
        told = {**told, "flow_shift": own.config.get("shift", 1.0)}
    return getattr(library, kind).from_config(own.config, **told)


def _told(steps: int, guidance: float, negative: str) -> dict[str, Any]:
    return {"num_inference_steps": steps, "guidance_scale": guidance, "negative_prompt": negative}


def _resized(picture: Image, size: tuple[int, int]) -> Any:
    """A picture of PIL, of that width and height, without transparency."""
    from PIL import Image as Pictures

    from transpose.media.image import on_white

    return Pictures.fromarray(on_white(picture.pixels)).resize(size, Pictures.Resampling.LANCZOS)


def _image(picture: Any) -> Image:
    import numpy as np

    from transpose.media.image import Image

    return Image(np.asarray(picture.convert("RGB")))


def _open(card: Card, folder: Path, ctx: Context, kind: str) -> Pipeline:
    with guarded(card):
        import diffusers as library
        import torch

        precise = settings(card).get("dtype") or ("float16" if ctx.device.startswith("cuda") else "float32")
        checked = {} if kind == "DiffusionPipeline" else {"safety_checker": None}
        pipe = getattr(library, kind).from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, torch_dtype=getattr(torch, precise), **checked
        )
        pipe.set_progress_bar_config(disable=True)
        return Pipeline(pipe.to(ctx.device), card.name)


def open_painter(card: Card, folder: Path, ctx: Context) -> Pipeline:
    """A pipeline from words to pictures."""
    return _open(card, folder, ctx, "AutoPipelineForText2Image")


def open_repainter(card: Card, folder: Path, ctx: Context) -> Pipeline:
    """A pipeline from a picture and words to pictures."""
    return _open(card, folder, ctx, "AutoPipelineForImage2Image")


def open_filmer(card: Card, folder: Path, ctx: Context) -> Pipeline:
    """A pipeline from words to moving pictures."""
    return _open(card, folder, ctx, "DiffusionPipeline")


def open_composer(card: Card, folder: Path, ctx: Context) -> Pipeline:
    """A pipeline from words to sounds."""
    return _open(card, folder, ctx, "DiffusionPipeline")
