"""How alike two values of one modality are: a metric of the field, and a quality from 0 to 1 made of it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transpose.media.frames import Shot

ONSET = 0.05  # seconds by which a note may be early or late
CLIP_DB = 60.0  # beyond this PSNR or SNR nobody sees or hears a difference


@dataclass(frozen=True, slots=True)
class Likeness:
    """`value` of `metric`, and `quality` 0..1."""

    metric: str
    value: float
    quality: float


def words(text: str) -> Counter[str]:
    """The words and numbers of a text, marks left out."""
    return Counter(re.findall(r"\w+", text.lower()))


def overlap(one: Counter[str], other: Counter[str]) -> float:
    """F1 of two bags of words: 1 where they are the same."""
    total = sum(one.values()) + sum(other.values())
    return 2 * sum((one & other).values()) / total if total else 1.0


def texts(one: Any, other: Any) -> Likeness:
    """F1 of words."""
    from transpose.media.plain import plain

    found = overlap(words(plain(one)), words(plain(other)))
    return Likeness("word F1", found, found)


def documents(one: Any, other: Any) -> Likeness:
    """F1 of words, half of it for the marks of structure (headings, items, cells, links)."""
    tags = re.compile(r"<(h[1-6]|li|t[dh]|a|strong|em|code|img)\b")
    said = overlap(words(re.sub("<[^>]+>", " ", one.html)), words(re.sub("<[^>]+>", " ", other.html)))
    marked = overlap(Counter(tags.findall(one.html)), Counter(tags.findall(other.html)))
    return Likeness("F1 of words and structure", (said + marked) / 2, (said + marked) / 2)


def tables(one: Any, other: Any) -> Likeness:
    """Share of the cells that are equal, by the names of their columns."""
    mine, theirs = one.rows(), other.rows()
    cells = [(at, name) for at, row in enumerate(mine) for name in row]
    same = sum(at < len(theirs) and theirs[at].get(name) == mine[at][name] for at, name in cells)
    extra = max(0, len(theirs) - len(mine)) * max(1, len(one.columns))
    share = same / max(1, len(cells) + extra)
    return Likeness("equal cells", share, share)


def decibels(signal: float, error: float) -> Likeness:
    """Quality from the ratio of two powers: 0 dB is 0, `CLIP_DB` and more is 1."""
    ratio = CLIP_DB if error <= 0 else min(CLIP_DB, 10 * math.log10(max(signal, 1e-20) / error))
    return Likeness("dB", ratio, max(0.0, ratio / CLIP_DB))


def images(one: Any, other: Any) -> Likeness:
    """Peak signal to noise ratio at the first one's size; 40 dB and more counts as the same picture."""
    import numpy as np
    from PIL import Image as Pictures

    from transpose.media.image import on_white

    theirs = Pictures.fromarray(on_white(other.pixels)).resize((one.width, one.height), Pictures.Resampling.LANCZOS)
    error = np.mean((on_white(one.pixels).astype(float) - np.asarray(theirs)) ** 2)
    found = decibels(255.0**2, float(error))
    return Likeness("PSNR in dB", found.value, min(1.0, found.value / 40))


def sounds(one: Any, other: Any) -> Likeness:
    """Distance of the spectra in dB, frame by frame, down to -60 dB: 0 is the same, 10 and more is another sound."""
    import numpy as np

    rate = min(one.rate, other.rate)
    mine, theirs = (each.array(rate=rate, channels=1)[:, 0] for each in (one, other))
    length = min(len(mine), len(theirs))
    if length < 2048 or abs(len(mine) - len(theirs)) > rate // 5:
        return Likeness("log-spectral distance in dB", 99.0, 0.0)
    spectra = []
    for samples in (mine, theirs):
        frames = np.lib.stride_tricks.sliding_window_view(samples[:length], 2048)[::512] * np.hanning(2048)
        power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
        spectra.append(10 * np.log10(np.maximum(power, power.max() * 1e-6)))
    heard = spectra[0] > spectra[0].max() - 59.9
    distance = float(np.sqrt(np.mean((spectra[0] - spectra[1])[heard] ** 2)))
    return Likeness("log-spectral distance in dB", distance, max(0.0, 1 - distance / 10))


def scores(one: Any, other: Any) -> Likeness:
    """F1 of notes with the same pitch whose onsets are within 50 ms."""
    left = sorted((note.pitch, note.start) for note in other.notes())
    hits = 0
    for note in one.notes():
        near = [each for each in left if each[0] == note.pitch and abs(each[1] - note.start) <= ONSET]
        if near:
            left.remove(near[0])
            hits += 1
    total = len(one.notes()) + len(other.notes())
    share = 2 * hits / total if total else 1.0
    return Likeness("onset F1 (50 ms)", share, share)


def embeddings(one: Any, other: Any) -> Likeness:
    """Cosine."""
    import numpy as np

    a, b = one.vector.astype(float), other.vector.astype(float)
    cosine = float(a @ b / max(1e-12, np.linalg.norm(a) * np.linalg.norm(b))) if a.shape == b.shape else 0.0
    return Likeness("cosine", cosine, max(0.0, cosine))


def meshes(one: Any, other: Any) -> Likeness:
    """Ratio of the surfaces and of the extents: 1 is the same shape and size."""
    import numpy as np

    def area(value: Any) -> float:
        """Surface in the mesh's own unit."""
        corners = value.corners()
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        return float(np.linalg.norm(across, axis=1).sum() / 2)

    mine, theirs = area(one), area(other)
    share = min(mine, theirs) / max(mine, theirs, 1e-12)
    return Likeness("ratio of surfaces", share, share)


def molecules(one: Any, other: Any) -> Likeness:
    """Whether both have one canonical SMILES, hydrogens being left out."""
    from rdkit import Chem

    named = [Chem.MolToSmiles(Chem.RemoveHs(each.rdkit())) for each in (one, other)]
    same = float(named[0] == named[1])
    return Likeness("same SMILES", same, same)


def proteins(one: Any, other: Any) -> Likeness:
    """Share of residues that agree, chain by chain."""
    mine, theirs = ("/".join(chain.sequence for chain in each.chains) for each in (one, other))
    same = sum(a == b for a, b in zip(mine, theirs, strict=False)) / max(len(mine), len(theirs), 1)
    return Likeness("equal residues", same, same)


def videos(one: Any, other: Any) -> Likeness:
    """Mean PSNR of eight frames at the same seconds; another length counts as another video."""
    import numpy as np

    if abs(one.duration - other.duration) > 0.2:
        return Likeness("PSNR in dB", 0.0, 0.0)
    found = [_frames(each) for each in (one, other)]
    if found[0][0].shape != found[1][0].shape:
        return Likeness("PSNR in dB", 0.0, 0.0)
    errors = [np.mean((a.astype(float) - b) ** 2) for a, b in zip(*found, strict=True)]
    ratio = decibels(255.0**2, float(np.mean(errors))).value
    return Likeness("PSNR in dB", ratio, min(1.0, ratio / 40))


def _frames(video: Any) -> list[Any]:
    """Eight frames, evenly spread."""
    wanted = {int((at + 0.5) * video.length / 8) for at in range(8)}
    found, at = [], 0
    for shot in video.shots():
        assert isinstance(shot, Shot)
        found += [shot.pixels] * sum(at <= each < at + shot.frames for each in wanted)
        at += shot.frames
    return found


LIKENESS: dict[str, Callable[[Any, Any], Likeness]] = {
    "text": texts,
    "document": documents,
    "table": tables,
    "image": images,
    "audio": sounds,
    "video": videos,
    "score": scores,
    "embedding": embeddings,
    "mesh": meshes,
    "molecule": molecules,
    "protein": proteins,
}
