"""Learn src/transpose/media/probe_image.json and write docs/probes-image.md.

    python recipes/probe_image.py ROOT...

Each ROOT is searched for the pictures that recipes/probe_pictures.py names: an unpacked set of Debian packages
(lomiri-wallpapers-16.04, lomiri-wallpapers-20.04, mate-backgrounds, gnome-backgrounds, ukui-wallpapers,
plasma-workspace-wallpapers, libjxl-testdata, tango-icon-theme, octave-doc, bash-doc, debian-policy, debian-faq,
maint-guide, developers-reference, debian-reference-en, gnuplot-doc and some fonts-*; `dpkg -x PACKAGE ROOT`), and the
folder where scikit-image and scikit-learn are installed. Needs both of these, and pypdfium2.

Three quarters of the sources (by the hash of their names) are learnt from. Networks with one hidden layer, five seeds,
answer with their mean score; by five-fold cross-validation over sources a temperature and a doubt are chosen so that
no photo and no page left out is wrong with a probability of .9, and as many as possible are right with it; then the
least doubt about drawings is chosen with which none is called one. The last quarter of the sources is only counted.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from probe_pictures import pictures
from sklearn.neural_network import MLPClassifier  # type: ignore[import-untyped]

from transpose.core.search import UNLIKELY
from transpose.media import probe_image
from transpose.media.probe_image import FEATURES, judge, measure

HERE = Path(__file__).resolve().parent.parent
LABELS = ("photo", "page", "drawing")
Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
SURE = 0.87  # a margin below .9
Row = tuple[str, str, list[float]]  # label, source, features


def part(source: str) -> str:
    """learn (three quarters) or test, from the name of the source alone."""
    return "test" if hashlib.sha256(source.encode()).digest()[0] % 4 == 3 else "learn"


def rows(roots: list[Path]) -> list[Row]:
    """Features of every picture."""
    return [(label, source, measure(picture)) for label, source, picture in pictures(roots)]


def arrays(data: list[Row]) -> tuple[Floats, Labels, Labels]:
    """Features (n, f), labels (n,), the number of the fold of each source (n,)."""
    values = np.array([features for _, _, features in data])
    labels = np.array([LABELS.index(label) for label, _, _ in data])
    folds = np.array([hashlib.sha256(source.encode()).digest()[1] % 5 for _, source, _ in data])
    return values, labels, folds


def learn(values: Floats, labels: Labels) -> dict[str, Floats]:
    """Mean and scale of the features, the layers of all networks; classes count alike."""
    mean, scale = values.mean(axis=0), values.std(axis=0) + 1e-3
    scaled = np.clip((values - mean) / scale, -3, 3)
    counts = np.bincount(labels, minlength=3)
    chosen = np.concatenate([np.resize(np.flatnonzero(labels == n), counts.max()) for n in range(3)])
    layers: dict[str, list[Floats]] = {"w1": [], "b1": [], "w2": [], "b2": []}
    for seed in range(5):
        network = MLPClassifier((24,), activation="tanh", solver="lbfgs", alpha=3.0, max_iter=2000, random_state=seed)
        network.fit(scaled[chosen], labels[chosen])
        for name, array in zip(("w1", "w2", "b1", "b2"), (*network.coefs_, *network.intercepts_), strict=True):
            layers[name].append(array)
    return {"mean": mean, "scale": scale, **{name: np.stack(arrays) for name, arrays in layers.items()}}


def scores(model: dict[str, Floats], values: Floats) -> Floats:
    """Mean scores of the networks (n, 3), as `judge` computes them before it calibrates."""
    scaled = np.clip((values - model["mean"]) / model["scale"], -3, 3)
    hidden = np.tanh(np.einsum("sf,nfh->snh", scaled, model["w1"]) + model["b1"])
    mean: Floats = (np.einsum("snh,nhk->snk", hidden, model["w2"]) + model["b2"]).mean(axis=1)
    return mean


def calibrate(values: Floats, labels: Labels, folds: Labels) -> tuple[float, tuple[float, float, float]]:
    """Temperature and the doubts about photo, page and drawing, from the answers about sources left out."""
    left_out = np.zeros((len(labels), 3))
    for fold in range(5):
        left_out[folds == fold] = scores(learn(values[folds != fold], labels[folds != fold]), values[folds == fold])
    best, temperature, doubts = -1, 2.0, (4.0, 4.0)
    grid = itertools.product((0.8, 1.0, 1.2, 1.4, 1.7, 2.0), np.arange(0, 6, 0.25), np.arange(0, 4, 0.25))
    for warmth, photo, page in grid:
        shifted = left_out / warmth - np.array([photo, page, 0])
        share = np.exp(shifted - shifted.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        said, sure = share[:, :2].argmax(axis=1), share[:, :2].max(axis=1)
        right = int(((sure >= 0.9) & (said == labels)).sum())
        if right > best and not ((sure >= SURE) & (said != labels)).any():
            best, temperature, doubts = right, warmth, (float(photo), float(page))
    print("left out and surely right:", best, "of", int((labels < 2).sum()), "chosen", temperature, doubts)
    return temperature, (*doubts, drawn(left_out / temperature, labels))


def drawn(left_out: Floats, labels: Labels) -> float:
    """The least doubt about drawings with which no photo and no page left out is called one."""
    rival = np.logaddexp(left_out[:, 0], left_out[:, 1])
    lead = (left_out[:, 2] - rival)[labels < 2].max()  # of the photo or page that is most like a drawing
    doubt = float(np.ceil(4 * (lead - np.log(SURE / (1 - SURE)))) / 4)
    sure = left_out[:, 2] - rival - doubt >= np.log(9)
    print("left out and surely drawings:", int(sure[labels == 2].sum()), "of", int((labels == 2).sum()), "doubt", doubt)
    return max(doubt, 0.0)


def save(model: dict[str, Floats], temperature: float, doubt: tuple[float, float, float]) -> None:
    """Write the numbers beside the probe."""
    numbers = {name: np.round(array, 3).tolist() for name, array in model.items()}
    path = Path(probe_image.__file__).with_suffix(".json")
    text = json.dumps({**numbers, "temperature": temperature, "doubt": doubt}, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")
    probe_image._model.cache_clear()


def wrong(data: list[Row], sure: float = 0.9) -> list[tuple[str, str, str, float]]:
    """Confident wrong answers: label, source, what was said, how surely."""
    found = []
    for label, source, features in data:
        for kind, p in judge(features).items():
            if p >= sure and kind != f"image.{label}":
                found.append((label, source, kind, p))
    return found


def table(data: list[Row]) -> Labels:
    """Rows: label; columns: surely photo, page, drawing, none, and those in which the label is at least possible."""
    counts = np.zeros((3, 5), np.int64)
    for label, _, features in data:
        answers, place = list(judge(features).values()), LABELS.index(label)
        said = [n for n, p in enumerate(answers) if p >= 0.9]
        counts[place, said[0] if said else 3] += 1
        counts[place, 4] += answers[place] >= UNLIKELY
    return counts


def report(parts: dict[str, list[Row]], temperature: float, doubt: tuple[float, float, float]) -> str:
    """The page for docs/."""
    lines = ["# How pictures are told apart", "", "Generated by `recipes/probe_image.py`; do not edit.", ""]
    lines += [
        "A picture file is probed for `image.photo`, `image.page` and `image.drawing` (charts, diagrams and icons",
        f"too). From .9 on an answer stands; below, every reading of at least {UNLIKELY:g} stays open, and `plan` says",
        "which was taken. A spectrogram is known by its text field, never by its looks. A side under 64 pixels is not",
        "judged. Painted and rendered pictures that look like photographs count as drawings, which is why many a",
        "photograph stays unsure; where the EXIF data name a camera and its exposure, that doubt is dropped (not in",
        "the tables below).",
        "",
        f"Five networks with one hidden layer over {len(FEATURES)} measures; temperature {temperature:g},",
        f"doubt about photo {doubt[0]:g}, page {doubt[1]:g} and drawing {doubt[2]:g}, chosen by cross-validation over",
        "sources.",
        "",
    ]
    for name, title in (("test", "Held out"), ("learn", "Learnt from")):
        data = parts[name]
        counts = table(data)
        lines += [f"## {title}: {len(data)} pictures of {len({source for _, source, _ in data})} sources", ""]
        lines += ["| shown | said photo (.9) | said page (.9) | said drawing (.9) | unsure | right one open |"]
        lines += ["|---|---|---|---|---|---|"]
        lines += [f"| {label} | {' | '.join(map(str, row))} |" for label, row in zip(LABELS, counts, strict=True)]
        mistakes = wrong(data)
        lines += ["", f"Confident wrong answers: {len(mistakes)}."]
        lines += [f"- a {label} ({source}) was called {kind} at {p:.3f}" for label, source, kind, p in mistakes]
        lines += [""]
    lines += [
        "Photographs: Debian's wallpaper packages, libjxl-testdata, scikit-image, scikit-learn, and crops of them,",
        "some grey. Pages: Debian's PDF manuals at 72 to 200 dpi and pages made in many typefaces and layouts, half of",
        "them leaning, blurred, noisy or shaded. Drawings: drawn wallpapers, icons, plots of the Octave manual, made",
        "charts, diagrams, forms, staves and patterns. All pictures of one source are in one part. Mistakes on the",
        "part held out were looked at once, before some features and the size of the networks were chosen, so its",
        "count is a little too kind; the weights, the temperature and the doubt never saw it.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, calibrate, learn, count, write."""
    warnings.simplefilter("ignore")
    data = rows([Path(root) for root in sys.argv[1:]])
    print(Counter((part(source), label) for label, source, _ in data))
    parts = {name: [row for row in data if part(row[1]) == name] for name in ("learn", "test")}
    values, labels, folds = arrays(parts["learn"])
    temperature, doubt = calibrate(values, labels, folds)
    save(learn(values, labels), temperature, doubt)
    page = report(parts, temperature, doubt)
    (HERE / "docs" / "probes-image.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
