"""Shared fixtures: a Context whose models are real."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from transpose.core.context import Context


@pytest.fixture(autouse=True)
def _no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard on sockets: nothing that runs in a test's own process may connect beyond this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "unix"
        if host not in ("unix", "localhost", "::1") and not str(host).startswith("127."):
            raise AssertionError(f"a connection to {address!r}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


def made_home(folder: Path) -> Path:
    """`folder` as a home for cache, index and cards, with the weights of the real one."""
    from transpose.core.catalog import cache_home

    real = cache_home() / "models"
    real.mkdir(parents=True, exist_ok=True)
    (folder / "models").symlink_to(real, target_is_directory=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Cards, cache and speeds of whoever runs the tests change nothing in them; their weights are used."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSPOSE_HOME", str(made_home(tmp_path_factory.mktemp("own"))))
        yield


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for one test session."""
    return made_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def pulled() -> None:
    """The recommended set is here, so that no command has to say that it fetches something."""
    from transpose.models.card import all_cards
    from transpose.models.pull import weights

    for card in all_cards(()).values():
        if "local" in card.sets:
            weights(card.name, quiet=True)


@pytest.fixture
def models_ctx(tmp_path: Path) -> Context:
    """A Context that gets real weights: from $TRANSPOSE_TEST_WEIGHTS/NAME where set, else through the puller."""
    prepared = os.environ.get("TRANSPOSE_TEST_WEIGHTS")
    if prepared:
        return Context(weights=lambda name: Path(prepared) / name, folder=tmp_path, threads=1)
    from transpose.models.pull import weights

    return Context(weights=partial(weights, quiet=True), folder=tmp_path, threads=1)


@pytest.fixture
def music_ctx(models_ctx: Context) -> Context:
    """A Context that runs the transforms that the recipes of painted music call."""
    modules = {"paint-spectrogram": "paint_sound"}

    def run(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> Any:
        attribute = name.replace("-", "_")
        module = import_module(f"transpose.transforms.{modules.get(name, attribute)}")
        return getattr(module, attribute)(*values, models_ctx, **options)

    models_ctx.runner = run
    return models_ctx
