"""Where what belongs to the user lies: cards of models, and the hosts that may be sent data."""

from __future__ import annotations

import os
from pathlib import Path


def user_folder() -> Path:
    """$TRANSPOSE_HOME, else the user's configuration folder for `transpose`."""
    home = os.environ.get("TRANSPOSE_HOME")
    if home:
        return Path(home).expanduser()
    from platformdirs import user_config_path

    return user_config_path("transpose", appauthor=False)


def user_cards() -> Path:
    """The folder of the user's own cards."""
    return user_folder() / "cards"
