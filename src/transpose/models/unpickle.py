"""Pickled PyTorch weights turned into safetensors, once, in a child that unpickles tensors and nothing else."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from transpose.core.errors import MissingPackage, WeightsError

CHILD = """
import sys, torch
from safetensors.torch import save_file
state = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
state = state.get("state_dict", state) if isinstance(state, dict) else state
tensors = {key: value.clone().contiguous() for key, value in state.items() if isinstance(value, torch.Tensor)}
if not tensors:
    sys.exit("it holds no tensors")
save_file(tensors, sys.argv[2], metadata={"format": "pt"})
"""
NAMES = {"pytorch_model": "model", "diffusion_pytorch_model": "diffusion_pytorch_model"}


def convert(folder: Path, into: Path, say: Callable[[str], None]) -> Path:
    """A copy of a model's folder in `into` whose weights are safetensors; answers that folder.

    Raises MissingPackage without torch, WeightsError where a file holds more than tensors.
    """
    from importlib.util import find_spec

    from transpose.models import child
    from transpose.models.detect import PICKLED, loose_pickles

    if find_spec("torch") is None or find_spec("safetensors") is None:
        raise MissingPackage("converting weights needs torch", "pip install 'transpose-ai[torch]'")
    loose = loose_pickles(folder)
    scratch = into.with_name("converting")
    for old in (scratch, into):
        shutil.rmtree(old, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        for path in sorted(folder.rglob("*")):
            target = scratch / path.relative_to(folder)
            if path.is_file() and path.suffix not in (*PICKLED, ".py"):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        for path in loose:
            say(f"converting {path.name}")
            stem = NAMES.get(path.stem, path.stem)
            target = (scratch / path.relative_to(folder)).with_name(f"{stem}.safetensors")
            try:
                child.run([sys.executable, "-P", "-c", CHILD, str(path), str(target)], scratch, lambda done: None)
            except WeightsError as error:
                raise WeightsError(
                    f"{path.name!r} holds more than weights, or is damaged: {' '.join(error.message.split())[-160:]}",
                    "Do not load it; get a version in safetensors",
                ) from None
        (scratch / "child.log").unlink(missing_ok=True)
        scratch.rename(into)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return into
