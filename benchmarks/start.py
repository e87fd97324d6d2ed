"""Start-up: `--help`, a warm `plan` and a cached repeat as multiples of bare Python: `python -m benchmarks.start`.

All four are run in turn, many rounds, in one process run; the medians are compared. `plan` and the repeat are warm:
index, probe and cache exist.
"""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import transpose

ROUNDS = 25


def seconds(command: list[str], env: dict[str, str]) -> float:
    """Wall-clock time of one process."""
    began = time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Print the medians and the ratios."""
    compileall.compile_dir(Path(transpose.__file__).parent, quiet=1)  # as pip does when it installs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.txt").write_text("The quick brown fox. " * 50)
        env = {**os.environ, "TRANSPOSE_HOME": str(folder / "home")}
        script = str(Path(sys.executable).with_name("transpose"))
        source, out = str(folder / "a.txt"), str(folder / "out.md")
        commands = {
            "bare Python": [sys.executable, "-c", "pass"],
            "--help": [script, "--help"],
            "plan": [script, "plan", source, str(folder / "x.mp3")],
            "cached repeat": [script, source, out, "--force"],
        }
        for command in commands.values():
            seconds(command, env)
        times: dict[str, list[float]] = {label: [] for label in commands}
        for _ in range(ROUNDS):
            for label, command in commands.items():
                times[label].append(seconds(command, env))
    bare = statistics.median(times["bare Python"])
    for label, found in times.items():
        middle = statistics.median(found)
        print(f"{label:14} {1000 * middle:7.1f} ms   {middle / bare:5.2f} x bare Python")


if __name__ == "__main__":
    main()
