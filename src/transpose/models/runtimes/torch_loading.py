"""What every runtime on PyTorch does when it loads: no connection, no stranger's code, no pickles, one clear error."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transpose.core.context import Context
from transpose.core.errors import TransposeError, WeightsError
from transpose.models.card import Card

LOUD = ("transformers", "diffusers", "sentence_transformers", "torch", "accelerate", "huggingface_hub")


@contextmanager
def guarded(card: Card) -> Iterator[None]:
    """Loading in quiet; whatever a library raises becomes a WeightsError that names the model."""
    levels = {name: logging.getLogger(name).level for name in LOUD}
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except TransposeError:
        raise
    except ImportError as error:
        raise WeightsError(f"the model {card.name!r} needs a package more: {error}", "Install what it names") from error
    except Exception as error:  # loaders raise nearly every type
        said = " ".join(str(error).split())[:200]
        raise WeightsError(
            f"the model {card.name!r} cannot be loaded: {type(error).__name__}: {said}",
            "Are all its files there, with weights in safetensors? Is the library new enough for it?",
        ) from error
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def seeded(ctx: Context, seed: int) -> Any:
    """A generator on the CPU, so that one seed gives one result whatever the device."""
    import torch

    torch.set_num_threads(ctx.threads)
    return torch.Generator("cpu").manual_seed(seed)
