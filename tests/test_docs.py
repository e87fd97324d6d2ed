"""The Python in the documentation runs, and the generated pages are fresh."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def blocks(page: str) -> list[str]:
    """The ```python blocks of a page."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def run(code: str, folder: Path, home: Path) -> str:
    """What a block prints, run in a folder with the examples."""
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "talk.wav").symlink_to(ROOT / "examples" / "talk.wav")
    env = {**os.environ, "TRANSPOSE_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_transform_of_the_guide(tmp_path: Path, home: Path) -> None:
    page = (ROOT / "docs" / "write-a-transform.md").read_text(encoding="utf-8")
    printed = re.search(r"prints `(.*?)`", page)
    assert printed
    assert run(blocks("docs/write-a-transform.md")[0], tmp_path, home).strip() == printed[1]


@pytest.mark.models
@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_the_python_of_a_page(page: str, tmp_path: Path, home: Path, pulled: None) -> None:
    assert "respectable" in run(blocks(page)[0], tmp_path, home)


def test_generated_pages_are_fresh() -> None:
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_sample_plugin_is_quoted_as_it_is() -> None:
    page = (ROOT / "docs" / "write-a-transform.md").read_text(encoding="utf-8")
    sample = ROOT / "packages" / "transpose-morse"
    for block, file in zip(
        re.findall(r"```toml\n(.*?)```", page, re.DOTALL),
        (sample / "pyproject.toml", sample / "src" / "transpose_morse" / "transpose.toml"),
        strict=True,
    ):
        assert block in file.read_text(encoding="utf-8")
