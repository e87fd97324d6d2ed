"""How a learning went, as one page: its curve, the samples on the way, the examples, the figures; nothing to load."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transpose.learn.examples import Example
    from transpose.learn.terms import Measure

STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #687076; --line: #dfe3e6; --held: #2f7d6d; --loss: #b9a28a }
@media (prefers-color-scheme: dark) { :root { --ink: #ecedee; --soft: #9ba1a6; --line: #313538; --held: #4fb39d } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem } p, figcaption { color: var(--soft) }
table { border-collapse: collapse } th { text-align: left; color: var(--soft); font-weight: 500 }
th, td { padding: .25rem 1.2rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
img { image-rendering: pixelated; border-radius: 4px; max-width: 100% }
figure { margin: .8rem 0 } .few { display: flex; flex-wrap: wrap; gap: .4rem } .few img { height: 72px }
code { background: var(--line); padding: .1rem .3rem; border-radius: 3px } svg { max-width: 100% }
"""
WIDTH, HEIGHT, LEFT, FOOT = 720, 240, 56, 28
SHOWN = 24  # examples
TALL = 96  # pixels of a sample on the page


@dataclass(frozen=True, slots=True)
class Story:
    """What a page tells. `done` is empty while it is still learning; `tries` are commands."""

    title: str
    facts: Mapping[str, str]
    measures: Sequence[Measure]
    prompts: Sequence[str]
    done: str
    tries: Sequence[str]


def page(story: Story, folder: Path, examples: Sequence[Example]) -> str:
    """The whole page as HTML; the curve and samples are those that lie in `folder`."""
    rows = "".join(f"<tr><th>{escape(name)}<td>{escape(told)}</tr>" for name, told in story.facts.items())
    tries = "".join(f"<p><code>{escape(each)}</code></p>" for each in story.tries)
    samples = sorted((folder / "samples").glob("*.png"), key=lambda path: int(path.stem))
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(story.title)}</title>',
        f"<style>{STYLE}</style><h1>{escape(story.title)}</h1><p>{escape(story.done or 'still learning')}</p>",
        f"<table>{rows}</table>",
        "<h2>The loss</h2>",
        curve(read_losses(folder), story.measures),
        "<h2>Samples on the way</h2>",
        f"<p>Always from the same noise, for the prompts: {escape(' · '.join(story.prompts) or 'none')}. "
        "The first row is the base alone.</p>",
        *(_sample(path) for path in samples),
        f"<h2>What it was learned from ({len(examples)})</h2>",
        f'<div class="few">{"".join(_example(each) for each in examples[:SHOWN])}</div>',
        f"<h2>Try it</h2>{tries}" if tries else "",
    ]
    return "\n".join(parts) + "\n</html>\n"


def read_losses(folder: Path) -> list[tuple[int, float]]:
    """Step and training loss from log.jsonl; a torn last line is left out."""
    path, found = folder / "log.jsonl", []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            told = json.loads(line)
            found.append((int(told["step"]), float(told["loss"])))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def curve(losses: Sequence[tuple[int, float]], measures: Sequence[Measure]) -> str:
    """Training loss (mean of nine) and held-out loss over the steps, with the best of the latter marked."""
    smooth = [
        (step, sum(each for _, each in losses[max(0, at - 4) : at + 5]) / len(losses[max(0, at - 4) : at + 5]))
        for at, (step, _) in enumerate(losses)
    ]
    held = [(each.step, each.heldout) for each in measures]
    if not held:
        return "<p>nothing measured yet</p>"
    most = max(step for step, _ in smooth + held)
    values = [value for _, value in smooth + held]
    low, high = min(values), max(values)
    span = (high - low) or 1.0

    def place(point: tuple[int, float]) -> str:
        across = LEFT + point[0] / max(1, most) * (WIDTH - LEFT - 8)
        return f"{across:.1f},{8 + (high - point[1]) / span * (HEIGHT - FOOT - 16):.1f}"

    best = place(min(held, key=lambda point: point[1])).split(",")
    ticks = "".join(
        f'<text x="0" y="{8 + share * (HEIGHT - FOOT - 16) + 4:.1f}" font-size="11" fill="var(--soft)">'
        f"{high - share * span:.4f}</text>"
        for share in (0, 0.5, 1)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" aria-label="loss over steps">{ticks}'
        f'<polyline fill="none" stroke="var(--loss)" points="{" ".join(map(place, smooth))}"/>'
        f'<polyline fill="none" stroke="var(--held)" stroke-width="2" points="{" ".join(map(place, held))}"/>'
        f'<circle cx="{best[0]}" cy="{best[1]}" r="4" fill="var(--held)"/>'
        f'<text x="{LEFT}" y="{HEIGHT - 6}" font-size="11" fill="var(--soft)">step 0</text>'
        f'<text x="{WIDTH - 8}" y="{HEIGHT - 6}" font-size="11" fill="var(--soft)" text-anchor="end">{most}</text>'
        '</svg><p><span style="color:var(--loss)">training</span>, <span style="color:var(--held)">held out</span>; '
        "the point is the adapter that was kept.</p>"
    )


SPARKS = "▁▂▃▄▅▆▇█"


def spark(values: Sequence[float], width: int = 24) -> str:
    """The last values as a line of characters, for a terminal."""
    last = values[-width:]
    low, high = min(last, default=0), max(last, default=0)
    return "".join(SPARKS[round((each - low) / ((high - low) or 1) * (len(SPARKS) - 1))] for each in last)


def _sample(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<figure><img height="{TALL}" alt="samples" src="data:image/png;base64,{data}">'
        f"<figcaption>step {int(path.stem)}</figcaption></figure>"
    )


def _example(example: Example) -> str:
    from transpose.media.pixels import at_most

    alt = escape(example.caption or example.path.name, quote=True)
    return f'<img alt="{alt}" title="{alt}" src="data:image/png;base64,{_png(at_most(example.picture.pixels, 96))}">'


def _png(pixels: NDArray[np.uint8]) -> str:
    from PIL import Image as Pillow

    kept = io.BytesIO()
    Pillow.fromarray(pixels).save(kept, "PNG")
    return base64.b64encode(kept.getvalue()).decode()
