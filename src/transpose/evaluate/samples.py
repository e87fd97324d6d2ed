"""One small value of each modality, the same on every machine: what round trips and timings start from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

STORY = """# The harbour

The harbour of Bergen was rebuilt in 1702, after a **fire** that destroyed most of the wooden houses.

- dried cod since 1360
- grain from the Baltic

| year | ships | tons |
|---|---|---|
| 1500 | 120 | 4310.5 |
| 1600 | 187 | 6902.25 |

Read more at [the museum](https://example.org/bergen)."""


def text() -> Any:
    """A page of Markdown with a heading, a list, a table and a link."""
    from transpose.media.text import Text

    return Text(STORY, markup="markdown", lang="en")


def timed() -> Any:
    """Three captions."""
    from transpose.media.text import Cue, Text

    cues = (
        Cue(0.0, 1.5, "Good morning."),
        Cue(1.5, 3.25, "We begin with the harbour."),
        Cue(4.0, 6.0, "Then we sail."),
    )
    return Text("\n".join(cue.text for cue in cues), lang="en", cues=cues)


def document() -> Any:
    """The same page as a document."""
    from transpose.media.document import Document

    return Document(
        "<h1>The harbour</h1><p>The harbour of Bergen was rebuilt in 1702, after a <strong>fire</strong>.</p>"
        "<ul><li>dried cod since 1360</li><li>grain from the Baltic</li></ul>"
        "<table><tr><th>year</th><th>ships</th></tr><tr><td>1500</td><td>120</td></tr>"
        "<tr><td>1600</td><td>187</td></tr></table>",
        title="The harbour",
        lang="en",
    )


def table() -> Any:
    """Twelve months with words, whole numbers, decimals and dates."""
    from datetime import date

    from transpose.media.table import from_rows

    rows = [
        {
            "month": date(2025, n, 1),
            "place": f"Østre {n}",
            "visitors": 1000 + 37 * n * n,
            "rain": round(40 + 7.25 * n, 2),
        }
        for n in range(1, 13)
    ]
    return from_rows(rows, "weather")


def image() -> Any:
    """A picture of 256 x 192 with a ramp, a disc and an edge."""
    import numpy as np

    from transpose.media.image import Image

    y, x = np.mgrid[0:192, 0:256]
    disc = (x - 90) ** 2 + (y - 100) ** 2 < 55**2
    pixels = np.stack([x, y, (x + y) // 2], axis=2).clip(0, 255)
    pixels[disc] = (200, 40, 40)
    pixels[:, 220:] = (20, 30, 90)
    return Image(pixels.astype(np.uint8))


def audio() -> Any:
    """Six seconds of three notes at 22,050 Hz, one channel."""
    import numpy as np

    from transpose.media.audio import Audio

    rate = 22_050
    parts = []
    for pitch in (60, 64, 67):
        time = np.arange(2 * rate) / rate
        tone = sum(np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * k * time) / k for k in (1, 2, 3))
        parts.append(0.3 * tone * np.exp(-1.5 * time))
    return Audio.from_array(np.concatenate(parts).astype(np.float32), rate)


def video() -> Any:
    """Two seconds of a moving bar at 10 frames a second, with sound."""
    from fractions import Fraction

    import numpy as np

    from transpose.media.video import Video

    frames = np.full((20, 96, 128, 3), 40, np.uint8)
    for number in range(20):
        frames[number, :, 4 * number : 4 * number + 24] = (230, 180, 20)
    return Video.from_array(frames, Fraction(10), audio())


def score() -> Any:
    """Eight bars of a melody over a bass, on the grid of semiquavers."""
    from transpose.media.score import Note, from_notes

    melody = [60, 62, 64, 65, 67, 69, 71, 72] * 4
    notes = [Note(i / 2, i / 2 + 0.5, pitch, 90, 0, 0) for i, pitch in enumerate(melody)]
    bass = [Note(2.0 * i, 2.0 * i + 2, pitch, 70, 1, 32) for i, pitch in enumerate((36, 43, 41, 36, 36, 43, 41, 36))]
    return from_notes(notes + bass)


def embedding() -> Any:
    """A vector of 384 numbers of length 1."""
    import numpy as np

    from transpose.media.embedding import Embedding

    vector = np.random.default_rng(0).normal(size=384).astype(np.float32)
    return Embedding(vector / np.linalg.norm(vector), "all-minilm-l6-v2")


def mesh() -> Any:
    """An icosahedron: twenty triangles."""
    import numpy as np

    from transpose.media.mesh import Mesh

    golden = (1 + 5**0.5) / 2
    flat = [(float(a), b) for a in (-1, 1) for b in (-golden, golden)]
    points = [place for a, b in flat for place in ((a, b, 0.0), (0.0, a, b), (b, 0.0, a))]
    corners = np.array(points)
    edge = np.linalg.norm(corners[:, None] - corners, axis=2)
    near = (edge > 0) & (edge < 2.01)
    faces = [
        (i, j, k)
        for i in range(12)
        for j in range(i + 1, 12)
        for k in range(j + 1, 12)
        if near[i, j] and near[j, k] and near[i, k]
    ]
    outward = [
        f
        if np.dot(np.cross(corners[f[1]] - corners[f[0]], corners[f[2]] - corners[f[0]]), corners[f[0]]) > 0
        else f[::-1]
        for f in faces
    ]
    return Mesh(corners.astype(np.float64), np.array(outward, np.int32))


def _helix(residues: str = "GLY ILE VAL GLU GLN ALA SER LEU") -> str:
    """A short alpha helix as a PDB file: 1.5 Å and 100 degrees from one residue to the next."""
    from math import cos, radians, sin

    lines, serial = [], 0
    for number, name in enumerate(residues.split(), 1):
        for atom, radius, shift in (("N", 1.5, -0.9), ("CA", 2.3, 0.0), ("C", 1.7, 1.1), ("O", 2.0, 2.3)):
            serial += 1
            turn = radians(100 * number + 28 * shift)
            x, y, z = radius * cos(turn), radius * sin(turn), 1.5 * number + shift
            who = f"ATOM  {serial:5d}  {atom:<3s} {name} A{number:4d}"
            lines.append(f"{who}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00 20.00           {atom[0]}")
    return "\n".join([*lines, "TER", "END", ""])


# values that are easiest told as a file
FILES = {"molecule": (".smi", "CC(=O)Oc1ccccc1C(=O)O aspirin\n"), "protein": (".pdb", _helix())}

SAMPLES: dict[str, Callable[[], Any]] = {
    "text": text,
    "document": document,
    "table": table,
    "image": image,
    "audio": audio,
    "video": video,
    "score": score,
    "embedding": embedding,
    "mesh": mesh,
}
