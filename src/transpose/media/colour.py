"""Colours as people see them: CIE L*a*b* of sRGB, the few that a picture consists of, and their English names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# what people call colours, with a typical sRGB value; several values of one name widen what it covers
NAMES = (
    ("black", "0a0a0a"), ("black", "1c1c1e"), ("dark grey", "404040"), ("grey", "808080"), ("light grey", "b4b4b4"),
    ("white", "ffffff"), ("white", "f0f0ee"), ("red", "d01c1c"), ("red", "ff2a2a"), ("dark red", "7a1414"),
    ("pink", "f7a8b8"), ("pink", "f06fa0"), ("magenta", "d0209a"), ("salmon", "f08870"), ("orange", "f28a1e"),
    ("orange", "e06a1a"), ("brown", "6b4423"), ("brown", "8a5a33"), ("dark brown", "3b2616"), ("tan", "c8a478"),
    ("beige", "e6d8bc"), ("cream", "f6efd8"), ("yellow", "f6d812"), ("gold", "c9a227"), ("olive", "7a7a2a"),
    ("dark olive", "45451c"), ("lime green", "9ad62a"), ("green", "2e9a3a"), ("green", "4caf50"),
    ("dark green", "1d4a22"), ("light green", "a8d8a0"), ("sage green", "8a9a78"), ("mint green", "a8e6cf"),
    ("turquoise", "30c8b8"), ("teal", "12757a"), ("dark teal", "123c40"), ("cyan", "20d0f0"), ("light blue", "a8cdf0"),
    ("sky blue", "6ab0e8"), ("blue", "1f5fd0"), ("blue", "1e3cc8"), ("blue", "2020ff"),
    ("blue", "3a7ac8"), ("dark blue", "122a66"), ("navy", "0c1838"),
    ("slate blue", "5a6c88"), ("blue grey", "8a9cae"), ("indigo", "3f2a8c"), ("purple", "7a2fa0"),
    ("dark purple", "3a1848"), ("violet", "8a5ad8"), ("lavender", "c4b4e8"), ("mauve", "a07890"),
)  # fmt: skip
WHITE = (0.95047, 1.0, 1.08883)  # of daylight, D65
MATRIX = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))


@dataclass(frozen=True, slots=True)
class Colour:
    """One colour of a picture: its share (0 to 1), its sRGB as `#rrggbb`, and its name."""

    share: float
    hex: str
    name: str


def to_lab(rgb: NDArray[np.uint8]) -> Floats:
    """sRGB (..., 3), 0 to 255, as CIE L*a*b* under D65 (L 0 to 100)."""
    import numpy as np

    value = np.asarray(rgb, np.float64) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array(MATRIX).T / np.array(WHITE)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def name_of(rgb: NDArray[np.uint8]) -> str:
    """The English name of one sRGB colour (3,): that of the nearest entry of `NAMES` in L*a*b*."""
    import numpy as np

    table = np.array([[int(each[at : at + 2], 16) for at in (0, 2, 4)] for _, each in NAMES], np.uint8)
    away = ((to_lab(table) - to_lab(rgb)) ** 2).sum(axis=1)
    return NAMES[int(away.argmin())][0]


def palette(rgb: NDArray[np.uint8], count: int, seed: int = 0) -> list[Colour]:
    """The `count` colours at most that pixels (n, 3) gather around, the commonest first.

    k-means in L*a*b* (Lloyd 1982) from far points (k-means++, Arthur and Vassilvitskii 2007); colours that look alike
    (nearer than 10) become one. The value of a colour is the mean of its pixels.
    """
    import numpy as np

    lab = to_lab(rgb)
    owner = _cluster(lab, min(count, len(np.unique(rgb, axis=0))), np.random.default_rng(seed))
    groups = [np.flatnonzero(owner == each) for each in np.unique(owner)]
    groups = _merged(groups, lab)
    found = []
    for group in sorted(groups, key=len, reverse=True):
        mean = np.rint(rgb[group].mean(axis=0)).astype(np.uint8)
        code = "#" + "".join(f"{value:02x}" for value in mean)
        found.append(Colour(len(group) / len(rgb), code, name_of(mean)))
    return found


def _cluster(points: Floats, count: int, chance: np.random.Generator) -> NDArray[np.int64]:
    """To which of `count` middles each point (n, 3) belongs."""
    import numpy as np

    middles = points[chance.integers(len(points))][None]
    while len(middles) < count:
        away = ((points[:, None] - middles) ** 2).sum(axis=2).min(axis=1)
        if not away.sum():
            break
        middles = np.vstack([middles, points[chance.choice(len(points), p=away / away.sum())]])
    owner = np.zeros(len(points), np.int64)
    for _ in range(30):
        nearest = ((points[:, None] - middles) ** 2).sum(axis=2).argmin(axis=1)
        if np.array_equal(nearest, owner):
            break
        owner = nearest
        middles = np.stack(
            [points[owner == n].mean(axis=0) if (owner == n).any() else middles[n] for n in range(len(middles))]
        )
    return owner


ALIKE = 10.0  # in L*a*b*


def _merged(groups: list[NDArray[np.int64]], lab: Floats) -> list[NDArray[np.int64]]:
    """Groups whose middles are nearer than `ALIKE` as one, the nearest first."""
    import numpy as np

    while len(groups) > 1:
        middles = np.stack([lab[group].mean(axis=0) for group in groups])
        away = np.sqrt(((middles[:, None] - middles) ** 2).sum(axis=2)) + np.eye(len(groups)) * 1e9
        first, second = divmod(int(away.argmin()), len(groups))
        if away[first, second] >= ALIKE:
            break
        low, high = sorted((first, second))
        groups = [
            *groups[:low],
            np.concatenate([groups[low], groups[high]]),
            *groups[low + 1 : high],
            *groups[high + 1 :],
        ]
    return groups
