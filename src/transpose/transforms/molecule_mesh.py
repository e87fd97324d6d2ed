"""Build a molecule as a solid: balls and sticks in the usual colours of the elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import HugeInput
from transpose.core.transform import Range, transform
from transpose.media.mesh import Mesh
from transpose.media.molecule import Molecule, reporting
from transpose.media.solid import Part, ball, joined, stick

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rdkit.Chem import Mol

MOST_ATOMS = 3000
Style = Literal["balls", "spheres", "sticks"]
# sRGB after Corey, Pauling and Koltun, as programs show them today
CPK = {"H": "e6e6e6", "C": "555555", "N": "3050f8", "O": "f01818", "F": "6fd84f", "Cl": "1fe01f", "Br": "a62929"}
CPK |= {"I": "940094", "P": "ff8000", "S": "f5d824", "B": "ffb5b5", "Si": "d9b68c", "Se": "ffa100", "Fe": "e06633"}
CPK |= {"Na": "ab5cf2", "K": "8f40d4", "Li": "cc80ff", "Mg": "8aff00", "Ca": "3dff00", "Zn": "7d80b0", "Cu": "c88033"}
OTHER = "e070c0"


@transform(
    "molecule -> mesh",
    loses=["structure", "exactness", "metadata"],
    deterministic=False,
    needs=["rdkit"],
    extra="science",
    uses=["molecule-3d"],
)
def molecule_mesh(
    molecule: Molecule,
    ctx: Context,
    *,
    style: Annotated[Style, "balls and sticks, atoms in full size, or sticks alone"] = "balls",
    hydrogens: Annotated[bool, "show the hydrogens"] = True,
    detail: Annotated[int, Range(1, 5), "how round; each step has four times the faces"] = 2,
) -> Mesh:
    """Balls at the atoms and sticks for the bonds (double and triple ones side by side), in Å, coloured by element.

    A molecule with a flat layout only is built in space first (`molecule-3d`), with a warning. Raises HugeInput above
    3,000 atoms.
    """
    from rdkit import Chem

    if not molecule.spatial:
        ctx.warn("the molecule had no places in space: they were computed (ETKDG and MMFF94)")
        molecule = ctx.call("molecule-3d", molecule)
    with reporting(repr(molecule.name)):
        mol = molecule.rdkit() if hydrogens else Chem.RemoveHs(molecule.rdkit())
        if mol.GetNumAtoms() > MOST_ATOMS:
            raise HugeInput(f"{mol.GetNumAtoms():,} atoms are too many to be built", "Leave out -o hydrogens=no")
        Chem.Kekulize(mol)
        parts = [_atom(mol, each, style, detail + (style == "spheres")) for each in range(mol.GetNumAtoms())]
        if style != "spheres":
            parts += [part for bond in range(mol.GetNumBonds()) for part in _bond(mol, bond, style)]
    return joined(parts, molecule.name)


def _colour(symbol: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(CPK.get(symbol, OTHER))
    return red, green, blue


def _atom(mol: Mol, number: int, style: str, detail: int) -> Part:
    from rdkit.Chem import GetPeriodicTable

    atom = mol.GetAtomWithIdx(number)
    full = GetPeriodicTable().GetRvdw(atom.GetAtomicNum()) if atom.GetAtomicNum() else 1.5
    radius = {"spheres": full, "balls": 0.12 + 0.17 * full, "sticks": 0.16}[style]
    return ball(
        mol.GetConformer().GetPositions()[number], radius, _colour(atom.GetSymbol()), detail + (style == "spheres")
    )


def _bond(mol: Mol, number: int, style: str) -> list[Part]:
    """Half a stick in the colour of each end, as many side by side as the bond's order."""
    import numpy as np

    bond = mol.GetBondWithIdx(number)
    ends = bond.GetBeginAtom(), bond.GetEndAtom()
    places = mol.GetConformer().GetPositions()
    start, end = (places[each.GetIdx()] for each in ends)
    order = 1 if style == "sticks" else max(1, min(3, int(bond.GetBondTypeAsDouble())))
    radius, gap = {1: (0.11, 0.0), 2: (0.075, 0.11), 3: (0.06, 0.15)}[order]
    radius = 0.16 if style == "sticks" else radius
    side = _side(mol, number, end - start)
    middle = (start + end) / 2
    parts = []
    for shift in (np.arange(order) - (order - 1) / 2) * 2 * gap / max(order - 1, 1):
        for tip, atom in zip((start, end), ends, strict=True):
            parts.append(stick(tip + shift * side, middle + shift * side, radius, _colour(atom.GetSymbol())))
    return parts


def _side(mol: Mol, number: int, along: NDArray[np.float64]) -> NDArray[np.float64]:
    """A direction across a bond, in the plane of its neighbours where it has some."""
    import numpy as np

    bond, places = mol.GetBondWithIdx(number), mol.GetConformer().GetPositions()
    ends = (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())
    near = [
        (each.GetIdx(), at)
        for at in ends
        for each in mol.GetAtomWithIdx(at).GetNeighbors()
        if each.GetIdx() not in ends
    ]
    length = max(float(np.linalg.norm(along)), 1e-9)
    for other, at in near:
        aside = places[other] - places[at]
        aside = aside - along * float(aside @ along) / length**2
        if np.linalg.norm(aside) > 0.1:
            across: NDArray[np.float64] = aside / np.linalg.norm(aside)
            return across
    any_way = np.eye(3)[int(np.argmin(np.abs(along)))]
    across = np.cross(along, any_way)
    return across / max(float(np.linalg.norm(across)), 1e-9)
