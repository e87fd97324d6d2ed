"""Build a molecule in space: a conformer of low energy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import HugeInput, TransformError
from transpose.core.transform import Range, transform
from transpose.media.molecule import Molecule, from_rdkit, reporting

if TYPE_CHECKING:
    from rdkit.Chem import Mol

MOST_ATOMS = 500  # with hydrogens; distance geometry grows with the cube


@transform("molecule -> molecule", name="molecule-3d", verb=True, deterministic=False, needs=["rdkit"], extra="science")
def build(
    molecule: Molecule,
    ctx: Context,
    *,
    tries: Annotated[int, Range(1, 100), "conformers to build; the one of least energy is kept"] = 5,
    hydrogens: Annotated[bool, "write the hydrogens out in the result"] = True,
) -> Molecule:
    """Find places in space for every atom: distance geometry with torsion knowledge, then a force field.

    ETKDGv3 (Wang, Witek, Landrum and Riniker 2020) and MMFF94, or UFF where that lacks parameters; places in Å. Same
    seed, same places. Stereo centres that are not said are built one way. Raises HugeInput above 500 atoms and
    TransformError where no geometry fits (an impossible cage, most metals).
    """
    from rdkit import Chem
    from rdkit.Chem import rdDistGeom

    with reporting(repr(molecule.name)):
        full = Chem.AddHs(Chem.RemoveHs(molecule.rdkit()))
        if full.GetNumAtoms() > MOST_ATOMS:
            raise HugeInput(f"{full.GetNumAtoms()} atoms with hydrogens, more than {MOST_ATOMS}", "Give an .sdf")
        params = rdDistGeom.ETKDGv3()
        for option, value in (("randomSeed", ctx.seed % 2**31), ("numThreads", 1), ("maxIterations", 200)):
            setattr(params, option, value)
        found = list(rdDistGeom.EmbedMultipleConfs(full, tries, params))
        if not found:
            setattr(params, "useRandomCoords", True)  # noqa: B010  # its stub lies
            found = list(rdDistGeom.EmbedMultipleConfs(full, tries, params))
        if not found:
            raise TransformError("no places in space fit this molecule", "Give an .sdf or .mol with places")
        energies = _relax(full)
        best = min(found, key=lambda each: (energies[found.index(each)], each))
        kept = Chem.Mol(full, False, best)
        _turned(kept)
        ctx.note("conformers", len(found))
        ctx.note("energy_kcal_mol", round(energies[found.index(best)], 2))
        return from_rdkit(kept if hydrogens else Chem.RemoveHs(kept), molecule.name, molecule.properties)


def _turned(mol: Mol) -> None:
    """Turn it so that its longest side lies along x and its broadest face is seen from the front (-y)."""
    import numpy as np
    from rdkit.Chem import rdMolTransforms

    conformer = mol.GetConformer()
    places = conformer.GetPositions()
    rdMolTransforms.CanonicalizeConformer(conformer)
    if not np.isfinite(conformer.GetPositions()).all():  # two atoms have no broadest face
        for number, place in enumerate(places - places.mean(0)):
            conformer.SetAtomPosition(number, (float(np.copysign(np.linalg.norm(place), place @ places[0])), 0.0, 0.0))
    turn = np.eye(4)
    turn[1:3, 1:3] = [[0, -1], [1, 0]]
    rdMolTransforms.TransformConformer(conformer, turn)


def _relax(mol: Mol) -> list[float]:
    """Let every conformer relax in a force field; their energies in kcal/mol."""
    from rdkit.Chem import rdForceFieldHelpers

    fields = rdForceFieldHelpers
    if fields.MMFFHasAllMoleculeParams(mol):
        results = fields.MMFFOptimizeMoleculeConfs(mol, numThreads=1, maxIters=500)
    elif fields.UFFHasAllMoleculeParams(mol):
        results = fields.UFFOptimizeMoleculeConfs(mol, numThreads=1, maxIters=500)
    else:
        return [0.0] * mol.GetNumConformers()
    return [float(energy) for _, energy in results]
