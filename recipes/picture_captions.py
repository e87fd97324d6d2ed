"""The held-out captions that pictures are judged by, and the 48 prompts of the contact sheet, for the benchmarks.

    python recipes/picture_captions.py DATA benchmarks/picture_captions.json

Five sorts: `seen` things as such; `colour` and `paper`, held-out compositions of seen things; `unseen` things that the
generator never saw and the judge knows; `other` seen icons that are no plain things (faces, people, signs), for which
the judge chooses from all that it knows, for the others from `names`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from picture_mix import BACKGROUNDS, HUES, Icons, Scene, article, held_out, prompts

COUNTS = {"seen": 40, "colour": 30, "paper": 30, "unseen": 40, "other": 40}
PURE, APART = 0.6, 45  # purity of hue; degrees from its own hue
SEED = 4


def captions(icons: Icons) -> list[dict[str, str]]:
    """So many of each sort, at random."""
    found: dict[str, list[dict[str, str]]] = {sort: [] for sort in COUNTS}
    for at, each in enumerate(icons.concepts):
        name, plain = icons.names[at], each["plain"] and each["seen"] and (at, "flat") in icons.pictures
        if plain and each["core"]:
            found["seen"].append({"prompt": article(icons.nouns[at]), "name": name})
            found["paper"] += _papers(icons, at)
            found["colour"] += _colours(icons, at)
        elif plain:
            found["unseen"].append({"prompt": article(icons.nouns[at]), "name": name})
        elif each["seen"] and (at, "flat") in icons.pictures:
            found["other"].append({"prompt": name, "name": name})
    chance = np.random.default_rng(SEED)
    return [
        {"sort": sort, **found[sort][int(at)]}
        for sort, count in COUNTS.items()
        for at in sorted(chance.choice(len(found[sort]), count, replace=False))
    ]


def _papers(icons: Icons, at: int) -> list[dict[str, str]]:
    name = icons.names[at]
    papers = [each for each in BACKGROUNDS if each != "white" and held_out(name, each, "background")]
    return [{"prompt": icons.say(Scene(at, background=each)), "name": name, "background": each} for each in papers]


def _colours(icons: Icons, at: int) -> list[dict[str, str]]:
    name, (hue, purity) = icons.names[at], icons.hue(at, "flat")
    far = [each for each, place in HUES.items() if abs((place - hue + 180) % 360 - 180) > APART]
    colours = [each for each in far if purity > PURE and held_out(name, each, "colour")]
    return [
        {"prompt": icons.say(Scene(at, colour=each)), "name": name, "colour": each, "hue": f"{hue:.0f}"}
        for each in colours
    ]


def main(data: Path, out: Path) -> None:
    """Write the file."""
    icons = Icons(data, 32, ("flat",))
    names = [name for name, each in zip(icons.names, icons.concepts, strict=True) if each["plain"]]
    found = {
        "names": names,
        "hues": HUES,
        "papers": {name: list(colour) for name, colour in BACKGROUNDS.items()},
        "captions": captions(icons),
        "prompts": prompts(),
    }
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
