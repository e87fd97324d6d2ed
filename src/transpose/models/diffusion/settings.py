"""What a diffusion model's `settings.json` says: the shape of its network, its schedule, its conditioner, its labels.

It is read strictly: a number that is missing, of the wrong type or impossible is an error that names it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from transpose.core.errors import DamagedWeights

SETTINGS = "settings.json"
VERSION = 1
SCHEDULES = ("flow", "cosine")
CONDITIONERS = ("minilm", "wish", "words")  # MiniLM's token states, fields of a wish for music, words by hashing
EXTRAS = ("aligned", "near")  # of a shape, which not all networks have
LARGEST = 2**16  # of any size: beyond it a file is damaged or hostile
LONGEST = 2**22  # bytes of settings.json
HINT = "Remove the model and pull it again, or export it anew"

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a diffusion transformer. `dim` is the main dial; the cost of a step grows with its square."""

    channels: int
    height: int  # pixels, or bins of a spectrogram
    width: int  # pixels, or columns of a spectrogram
    patch: tuple[int, int]  # height and width of what becomes one token
    dim: int  # width of a token
    depth: int  # blocks
    heads: int
    mlp: float = 4.0  # width of the middle of a block, in units of dim
    cond_dim: int = 384  # width of a condition token
    cond_tokens: int = 24
    aligned: int = 0  # of these, the last ones, each said of one patch and added to it: none, or one a patch
    near: int = 0  # patches side by side that a convolution in each block mixes: an odd number, or none

    @property
    def words(self) -> int:
        """Condition tokens that are read in context."""
        return self.cond_tokens - self.aligned

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return self.height // self.patch[0], self.width // self.patch[1]

    @property
    def patches(self) -> int:
        """Tokens that a picture has."""
        return self.grid[0] * self.grid[1]

    @property
    def patch_size(self) -> int:
        """Numbers in a patch."""
        return self.channels * self.patch[0] * self.patch[1]

    @property
    def middle(self) -> int:
        """Width of the middle of a block's MLP."""
        return round(self.mlp * self.dim)


@dataclass(frozen=True, slots=True)
class Settings:
    """A diffusion model, without its weights."""

    network: Shape
    schedule: str  # how noise grows: a name of SCHEDULES
    conditioner: str  # what makes the condition tokens: a name of CONDITIONERS
    labels: Mapping[str, Json]  # what the model's own transform needs to know
    reach: float = 1.0  # the data lie in -reach..reach


def read_settings(path: Path) -> Settings:
    """The settings in a file. Raises DamagedWeights, naming what is wrong."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(LONGEST))
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedWeights(f"{path.name!r} cannot be read as settings of a diffusion model: {error}", HINT) from error
    return parse_settings(data)


def parse_settings(data: Json) -> Settings:
    """Settings from what a JSON file holds. Raises DamagedWeights, naming what is wrong."""
    if not isinstance(data, dict):
        raise _wrong("the whole", "is not an object")
    known = {"version", "network", "schedule", "conditioner", "labels", "reach"}
    _only(data, known)
    if data.get("version") != VERSION or isinstance(data["version"], bool):
        raise _wrong("version", f"is {data.get('version')!r}, and this release reads {VERSION}")
    labels = data.get("labels", {})
    if not isinstance(labels, dict):
        raise _wrong("labels", "is not an object")
    schedule, conditioner = (
        _choice(data, key, names) for key, names in (("schedule", SCHEDULES), ("conditioner", CONDITIONERS))
    )
    reach = _real("reach", data.get("reach", 1.0), 0.01, 100.0)
    return Settings(_shape(data.get("network")), schedule, conditioner, labels, reach)


def write_settings(settings: Settings) -> str:
    """The text of settings.json, which `parse_settings` reads back. Raises DamagedWeights for what it would refuse."""
    network = {**asdict(settings.network), "patch": list(settings.network.patch)}
    data = {"version": VERSION, "network": network, "schedule": settings.schedule}
    data |= {"conditioner": settings.conditioner, "labels": dict(settings.labels), "reach": settings.reach}
    text = json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n"
    parse_settings(json.loads(text))
    return text


def _shape(data: Json) -> Shape:
    if not isinstance(data, dict):
        raise _wrong("network", "is not an object")
    sizes = [field.name for field in fields(Shape) if field.name not in ("patch", "mlp", *EXTRAS)]
    _only(data, {*sizes, "patch", "mlp", *EXTRAS})
    patch = data.get("patch")
    if not isinstance(patch, list) or len(patch) != 2:
        raise _wrong("patch", f"is {patch!r}, not [height, width]")
    mlp = _real("mlp", data.get("mlp"), 0.25, 16.0)
    values = {name: _size(name, data.get(name)) for name in sizes}
    values |= {name: _size(name, data[name]) for name in EXTRAS if data.get(name, 0) != 0}
    rows, columns = (_size("patch", side) for side in patch)
    shape = Shape(**values, patch=(rows, columns), mlp=mlp)
    return _possible(shape)


def _possible(shape: Shape) -> Shape:
    """A shape whose sizes fit together."""
    if shape.height % shape.patch[0] or shape.width % shape.patch[1]:
        size = f"{shape.height} x {shape.width}"
        raise _wrong("patch", f"of {shape.patch[0]} x {shape.patch[1]} does not divide {size}")
    if shape.dim % shape.heads:
        raise _wrong("dim", f"of {shape.dim} is no multiple of {shape.heads} heads")
    if shape.aligned not in (0, shape.patches) or shape.words < 1:
        raise _wrong("aligned", f"is {shape.aligned}, not 0 or one of {shape.cond_tokens} tokens for each patch")
    if shape.near and (shape.near % 2 == 0 or shape.grid[0] > 1):
        raise _wrong("near", f"is {shape.near}, not 0, or an odd number where the patches stand in one row")
    if max(shape.patches, shape.patch_size, shape.middle) > LARGEST:
        raise _wrong("network", f"is larger than any this release runs ({shape.patches} patches)")
    return shape


def _real(name: str, value: Json, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise _wrong(name, f"is {value!r}, not a number from {least:g} to {most:g}")
    return float(value)


def _size(name: str, value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        raise _wrong(name, f"is {value!r}, not a whole number from 1 to {LARGEST}")
    return value


def _choice(data: dict[str, Json], key: str, names: tuple[str, ...]) -> str:
    value = data.get(key)
    if not isinstance(value, str) or value not in names:
        raise _wrong(key, f"is {value!r}, not one of {', '.join(names)}")
    return value


def _only(data: dict[str, Json], known: set[str]) -> None:
    if unknown := sorted(set(data) - known):
        raise _wrong(unknown[0], "is not a setting that this release knows")


def _wrong(name: str, what: str) -> DamagedWeights:
    return DamagedWeights(f"{SETTINGS!r} is wrong: {name} {what}", HINT)
