"""Runs pip, npm or a hub's client as a child that may not ask, not run scripts and not report home."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from transpose.core.errors import WeightsError
from transpose.models.shelf import weigh

# No telemetry, no version checks, no questions, no scripts of strangers.
SILENCE = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "NO_COLOR": "1",
    "NO_UPDATE_NOTIFIER": "1",
    "npm_config_fund": "false",
    "npm_config_audit": "false",
    "npm_config_update_notifier": "false",
    "npm_config_ignore_scripts": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "DO_NOT_TRACK": "1",
}
# Settings by which pip would take in more than the one requirement it is given.
DROPPED = ("PIP_REQUIREMENT", "PIP_EDITABLE", "PIP_CONSTRAINT", "PIP_NO_BINARY", "PIP_TARGET", "PIP_GROUP")
STEP = 0.2  # seconds between two looks at how far it is


def run(
    command: Sequence[str],
    scratch: Path,
    progress: Callable[[int], None],
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """Run to the end and return what it printed.

    Raises WeightsError with what it printed if it fails, and OSError if that is because the disk is full. Its temporary
    files go to `scratch`, so that they vanish with it; their growth, in bytes, goes to `progress`.
    """
    env = {name: value for name, value in os.environ.items() if name.upper() not in DROPPED}
    env |= SILENCE | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch)) | dict(environ or {})
    before = weigh(scratch)
    with (scratch / "child.log").open("w+", encoding="utf-8", errors="replace") as log:
        try:
            child = subprocess.Popen(
                list(command), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=env, cwd=folder
            )
        except OSError as error:
            raise WeightsError(f"{Path(command[0]).name!r} does not start: {error}") from None
        _follow(child, lambda: progress(weigh(scratch) - before))
        log.seek(0)
        said = log.read()
    if child.returncode and os.strerror(errno.ENOSPC) in said:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if child.returncode:
        raise WeightsError(said.strip() or f"it ended with {child.returncode} and said nothing")
    return said


def _follow(child: subprocess.Popen[bytes], look: Callable[[], None]) -> None:
    """Wait for the child; it does not outlive an exception (Ctrl-C) in this process."""
    try:
        while True:
            try:
                child.wait(STEP)
                return
            except subprocess.TimeoutExpired:
                look()
    except BaseException:
        child.kill()
        child.wait()
        raise
