"""The Python in the documentation runs, and the generated pages are fresh."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_own_models import serving
from test_readme import environment

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


@pytest.mark.models
@pytest.mark.parametrize("page", ["README.md", "docs/own-models.md", "docs/timeline.md"])
def test_the_commands_of_a_page(page: str, tmp_path: Path, home: Path, pulled: None) -> None:
    """Blocks after `<!-- run -->`, in a home of their own, with a server of the test's in the place of Ollama."""
    pytest.importorskip("xllamacpp")
    from transpose.models.pull import weights

    own = tmp_path / "home"
    own.mkdir()
    (own / "models").symlink_to((home / "models").resolve(), target_is_directory=True)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "my-model.gguf").symlink_to(weights("smollm2", quiet=True) / "smollm2.gguf")
    (tmp_path / "my-whisper").symlink_to(weights("whisper-base", quiet=True), target_is_directory=True)
    env = environment(own, tmp_path / "bin")
    with serving() as server:
        commands = re.findall(r"<!-- run -->\n```sh\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
        for command in "".join(commands).splitlines():
            here = command.replace("http://localhost:11434/v1", server.address)
            done = subprocess.run(["bash", "-c", here], cwd=tmp_path, env=env, capture_output=True, timeout=200)
            assert done.returncode == 0, f"{command}\n{done.stderr.decode()}"
    assert commands
    assert all(path.stat().st_size for path in tmp_path.glob("*.m*"))


def test_the_timeline_of_its_page_is_one(tmp_path: Path) -> None:
    from PIL import Image

    from transpose.core.context import Context
    from transpose.media.timeline import load_file

    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "timeline.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "a.timeline").write_text(block, encoding="utf-8")
    (tmp_path / "talk.wav").symlink_to(ROOT / "examples" / "talk.wav")
    Image.new("RGB", (40, 30)).save(tmp_path / "bee.jpg")
    made = load_file(tmp_path / "a.timeline", Context())
    assert [each.start for each in made.shown] == [0.0, 7.42]
    assert made.cues[0].text.startswith("Bees")


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
