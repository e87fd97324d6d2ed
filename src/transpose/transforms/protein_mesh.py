"""Build a protein as a solid: a ribbon along its backbone, with helices and strands, in colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import HugeInput, SilentInput
from transpose.core.transform import Range, transform
from transpose.media.mesh import Mesh
from transpose.media.protein import Atoms, Chain, Protein
from transpose.media.solid import Part, ball, joined, swept

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST = 20_000  # residues
SIDES = 12  # points around the ribbon
# half width and half thickness in Å of coil, helix, strand, and of a nucleic acid's strand
SHAPES = {"coil": (0.3, 0.3), "helix": (1.3, 0.28), "strand": (1.15, 0.26), "base": (0.8, 0.8)}
CHAINS = ("4c78a8", "f58518", "54a24b", "e45756", "72b7b2", "b279a2", "eeca3b", "9d755d", "ff9da6", "79706e")
SHADES = {"coil": "d0d0d0", "helix": "e0447c", "strand": "f2c230", "base": "5b8ff9"}
# blue to red over the length of a chain, as crystallographers do
RAINBOW = ("2b4bd8", "1fa4d8", "2bb673", "a8c93a", "f4c430", "f28a2b", "d8302b")
Colouring = Literal["rainbow", "chain", "fold", "confidence"]


@transform("protein.structure -> mesh", loses=["structure", "exactness", "detail", "metadata"])
def protein_mesh(
    protein: Protein,
    ctx: Context,
    *,
    colour: Annotated[Colouring, "along each chain, by chain, by fold, or by temperature factor"] = "rainbow",
    ligands: Annotated[bool, "show what stands beside the chains (but no water) as balls"] = True,
    steps: Annotated[int, Range(2, 12), "pieces of ribbon for each residue"] = 5,
) -> Mesh:
    """A ribbon through the alpha carbons (phosphorus in nucleic acids), in Å: wide in helices and strands, else thin.

    Helices and strands are found from distances and angles between alpha carbons (Labesse et al. 1997); the ribbon is
    a uniform cubic B-spline (in the manner of Carson and Bugg 1986) and breaks where residues are missing.
    `confidence` takes the temperature factor as a score of 0 (red) to 100 (blue), as predicted structures have it.
    Raises SilentInput where fewer than three residues of a chain have places, HugeInput above 20,000 residues.
    """
    if protein.atoms is None:
        raise SilentInput("the protein has no places of atoms, only a sequence", "Give a .pdb or .cif")
    if sum(len(chain.residues) for chain in protein.chains) > 10 * MOST:
        raise HugeInput("the structure has too many residues to be built", f"At most {MOST:,} are")
    parts: list[Part] = []
    offset = 0
    for number, chain in enumerate(protein.chains):
        for trace in _traces(chain, protein.atoms, offset):
            parts.append(_ribbon(trace, chain, number, colour, steps))
        offset += len(chain.residues)
    if not parts:
        raise SilentInput("no chain has three residues with places one after the other", "Is it a whole structure?")
    if ligands:
        parts += _ligands(protein)
    return joined(parts, protein.name)


class Trace:
    """A run of residues without a gap: their numbers in the chain, places (n, 3), temperature (n,) and fold."""

    def __init__(self, numbers: list[int], places: Floats, temperature: Floats, base: bool) -> None:
        self.numbers, self.places, self.temperature = numbers, places, temperature
        self.fold = ["base"] * len(numbers) if base else _fold(places)


def _traces(chain: Chain, atoms: Atoms, offset: int) -> list[Trace]:
    """The runs of a chain's polymer; one ends where the next alpha carbon is farther than 4.5 Å (a base's 9 Å)."""
    import numpy as np

    base = chain.polymer in ("dna", "rna")
    wanted, most = ("P", 9.0) if base else ("CA", 4.5)
    first = int(np.searchsorted(atoms.residue, offset)) if (np.diff(atoms.residue) >= 0).all() else 0
    found: dict[int, int] = {}
    for index in range(first, len(atoms)):
        at = int(atoms.residue[index]) - offset
        if at >= chain.length and first:
            break
        if 0 <= at < chain.length and atoms.names[index] == wanted:
            found.setdefault(at, index)
    numbers = sorted(found)
    runs: list[list[int]] = []
    for number in numbers:
        near = runs and np.linalg.norm(atoms.places[found[number]] - atoms.places[found[runs[-1][-1]]]) < most
        if near:
            runs[-1].append(number)
        else:
            runs.append([number])
    indices = [[found[number] for number in run] for run in runs]
    return [
        Trace(run, atoms.places[at], atoms.temperature[at].astype(np.float64), base)
        for run, at in zip(runs, indices, strict=True)
        if len(run) > 2
    ]


def _fold(places: Floats) -> list[str]:
    """`helix`, `strand` or `coil` for each residue, by distances over 2 to 4 residues and the torsion of four."""
    import numpy as np

    count = len(places)
    helix, strand = np.zeros(count, bool), np.zeros(count, bool)
    if count < 5:
        return ["coil"] * count
    two, three, four = (np.linalg.norm(places[gap:] - places[:-gap], axis=1) for gap in (2, 3, 4))
    steps = np.diff(places, axis=0)
    one, other = np.cross(steps[:-2], steps[1:-1]), np.cross(steps[1:-1], steps[2:])
    sine = np.einsum("ij,ij->i", np.cross(one, other), steps[1:-1]) / np.maximum(
        np.linalg.norm(steps[1:-1], axis=1), 1e-9
    )
    torsion = np.degrees(np.arctan2(sine, np.einsum("ij,ij->i", one, other)))
    for at in range(count - 4):
        if abs(three[at] - 5.3) < 0.7 and abs(four[at] - 6.4) < 0.9 and abs(torsion[at] - 50) < 25:
            helix[at : at + 5] = True
        straight = abs(two[at] - 6.5) < 0.8 and abs(three[at] - 9.9) < 1.1 and abs(four[at] - 12.4) < 1.5
        if straight and abs(abs(torsion[at]) - 175) < 60:
            strand[at : at + 4] = True
    return ["helix" if h else "strand" if s else "coil" for h, s in zip(helix, strand, strict=True)]


def _ribbon(trace: Trace, chain: Chain, number: int, colour: str, steps: int) -> Part:
    """The solid along one run."""
    import numpy as np

    places = _eased(trace)
    sides = _sideways(places)
    half = np.array([SHAPES[each] for each in trace.fold])
    shades = _shades(trace, chain, number, colour)
    path, side, size = (_spline(each, steps) for each in (places, sides, half))
    ends = np.linspace(0, len(places) - 1, len(path))
    tints = shades[np.clip(np.round(ends).astype(int), 0, len(shades) - 1)]
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    side -= along * np.einsum("ij,ij->i", side, along)[:, None]
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    up = np.cross(along, side)
    angles = np.arange(SIDES) * (2 * np.pi / SIDES)
    across, thick = np.cos(angles) * size[:, :1], np.sin(angles) * size[:, 1:]
    rings = path[:, None] + across[..., None] * side[:, None] + thick[..., None] * up[:, None]
    return swept(rings, tints)


def _eased(trace: Trace) -> Floats:
    """Places with strands drawn straight: alpha carbons of a strand zigzag, their running mean does not."""
    import numpy as np

    places = trace.places.copy()
    inner = np.array([each == "strand" for each in trace.fold[1:-1]])
    mean = (places[:-2] + 2 * places[1:-1] + places[2:]) / 4
    places[1:-1][inner] = mean[inner]
    return places


def _sideways(places: Floats) -> Floats:
    """A direction across the ribbon at each residue, never turning by more than a right angle to the next."""
    import numpy as np

    steps = np.diff(places, axis=0)
    across = np.cross(steps[:-1], steps[1:])
    across = np.concatenate([across[:1], across, across[-1:]])
    length = np.linalg.norm(across, axis=1, keepdims=True)
    across = np.where(length > 1e-6, across / np.maximum(length, 1e-9), [0.0, 0.0, 1.0])
    for at in range(1, len(across)):
        if across[at] @ across[at - 1] < 0:
            across[at] = -across[at]
    smooth = across.copy()
    smooth[1:-1] = across[:-2] + 2 * across[1:-1] + across[2:]
    smooth /= np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-9)
    return smooth


def _spline(values: Floats, steps: int) -> Floats:
    """A uniform cubic B-spline through (nearly) the rows of (n, k): (n - 1) * steps + 1 rows, from end to end."""
    import numpy as np

    ends = np.concatenate([2 * values[:1] - values[1:2], values, 2 * values[-1:] - values[-2:-1]])
    at = np.linspace(0, len(values) - 1, (len(values) - 1) * steps + 1)
    first = np.minimum(at.astype(int), len(values) - 2)
    t = (at - first)[:, None]
    a, b, c, d = (ends[np.minimum(first + shift, len(ends) - 1)] for shift in range(4))
    result: Floats = (
        (1 - t) ** 3 * a + (3 * t**3 - 6 * t**2 + 4) * b + (-3 * t**3 + 3 * t**2 + 3 * t + 1) * c + t**3 * d
    ) / 6
    return result


def _shades(trace: Trace, chain: Chain, number: int, colour: str) -> NDArray[np.uint8]:
    """A colour for each residue of a run, (n, 3)."""
    import numpy as np

    if colour == "chain":
        return np.array([_rgb(CHAINS[number % len(CHAINS)])] * len(trace.numbers), np.uint8)
    if colour == "fold":
        return np.array([_rgb(SHADES[each]) for each in trace.fold], np.uint8)
    share = np.array(trace.numbers) / max(chain.length - 1, 1)
    if colour == "confidence":
        share = 1 - np.clip(trace.temperature / 100, 0, 1)
    scale = np.array([_rgb(each) for each in RAINBOW], float)
    at = share * (len(scale) - 1)
    return np.stack([np.interp(at, np.arange(len(scale)), scale[:, each]) for each in range(3)], 1).astype(np.uint8)


def _rgb(code: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(code)
    return red, green, blue


def _ligands(protein: Protein) -> list[Part]:
    """Balls for the atoms beside the chains, without water and hydrogens, at most 3,000."""
    atoms = protein.atoms
    assert atoms is not None
    beside = [
        at >= chain.length and name not in ("HOH", "DOD", "WAT")
        for chain in protein.chains
        for at, name in enumerate(chain.residues)
    ]
    tint = {"C": "8a8a8a", "N": "3050f8", "O": "f01818", "S": "f5d824", "P": "ff8000"}
    kept = [i for i in range(len(atoms)) if beside[int(atoms.residue[i])] and atoms.elements[i] not in ("H", "D")]
    return [ball(atoms.places[i], 0.75, _rgb(tint.get(atoms.elements[i], "7cc47c")), 2) for i in kept[:3000]]
