"""A molecule in memory: a V3000 mol block, the fields that came with it, and RDKit's object on request.

The block holds everything that chemistry software agrees on (atoms, bonds, charges, isotopes, stereo, places). Stereo
needs places: a molecule without any is given a flat layout first, which is marked `2D` in the block, as usual.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedInput, HugeInput
from transpose.media.file import reason

if TYPE_CHECKING:
    from rdkit.Chem import Mol

SUFFIX = ".json"  # the store's lossless format
MOST_ATOMS = 20_000
MOST_LAID_OUT = 1_200  # atoms; a flat layout takes a few seconds for these, and grows with their cube
LONGEST = 100_000  # characters of one line


@dataclass(frozen=True, slots=True)
class Molecule:
    """`block` is a mol block (V3000), `properties` the named data fields that an SD file keeps beside it."""

    block: str
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The first line of the block: what the molecule is called, or nothing."""
        return self.block.partition("\n")[0].strip()

    @property
    def spatial(self) -> bool:
        """Whether its places are in space (3D), not a flat layout."""
        line = self.block.split("\n", 2)[1] if self.block.count("\n") > 1 else ""
        return line[20:22] == "3D"

    def rdkit(self) -> Mol:
        """RDKit's molecule, sanitized, with stereo; made anew at each call. Raises DamagedInput."""
        return parse_block(self.block)

    def facets(self) -> dict[str, str]:
        """Nothing is known of a molecule beyond its kind."""
        return {}

    def __hash__(self) -> int:
        return hash(self.block)


@contextmanager
def reporting(what: str) -> Iterator[None]:
    """Silence RDKit's log, and turn what it raises on bad chemistry into DamagedInput."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        try:
            yield
        except (Chem.MolSanitizeException, ValueError, RuntimeError, OverflowError) as error:
            hint = "Check it in a drawing program; one atom too many on a carbon is a common reason"
            raise DamagedInput(f"{what} is not a possible molecule: {reason(error)}", hint) from error


def parse_block(block: str, what: str = "the mol block") -> Mol:
    """RDKit's molecule of a mol block (V2000 or V3000). Raises DamagedInput, HugeInput."""
    from rdkit import Chem

    with reporting(what):
        found = Chem.MolFromMolBlock(block, sanitize=False, removeHs=False, strictParsing=True)
        if found is None:
            raise ValueError("it is no mol block (V2000 or V3000), or it is cut off")
        return prepare(found, what, from_places=True)


def prepare(found: Mol, what: str, *, from_places: bool = False) -> Mol:
    """Check a parsed molecule and find its stereo (`from_places`: from a mol block's coordinates and wedges)."""
    from rdkit import Chem

    if found.GetNumAtoms() > MOST_ATOMS:
        raise HugeInput(f"{what} has {found.GetNumAtoms():,} atoms, more than {MOST_ATOMS:,}", "Is it a polymer?")
    Chem.SanitizeMol(found)
    if from_places and found.GetNumConformers():
        if found.GetConformer().Is3D():
            Chem.AssignStereochemistryFrom3D(found)
        else:
            Chem.AssignChiralTypesFromBondDirs(found)
            Chem.DetectBondStereochemistry(found)
    Chem.AssignStereochemistry(found, cleanIt=True, force=True, flagPossibleStereoCenters=True)
    return found


def from_rdkit(found: Mol, name: str = "", properties: Mapping[str, str] | None = None) -> Molecule:
    """The value of RDKit's molecule; one without places is laid out flat. Raises DamagedInput."""
    from rdkit import Chem
    from rdkit.Chem import rdDepictor

    with reporting(repr(name) if name else "the molecule"):
        mol = Chem.Mol(found)
        for key in mol.GetPropNames():
            mol.ClearProp(key)
        if not mol.GetNumConformers():
            if mol.GetNumAtoms() > MOST_LAID_OUT:
                raise HugeInput(f"{mol.GetNumAtoms():,} atoms are too many to be laid out", "Give an .sdf with places")
            rdDepictor.Compute2DCoords(mol)
        if not mol.GetConformer().Is3D():
            Chem.WedgeMolBonds(mol, mol.GetConformer())
        mol.SetProp("_Name", " ".join(name.split()))
        block = Chem.MolToV3KMolBlock(mol)
    return Molecule(block, dict(properties or {}))


def parse_line(line: str) -> Molecule:
    """The molecule of one line: SMILES (also CXSMILES) or InChI, then white space and a name where it has one.

    Raises DamagedInput, and HugeInput for a line of more than 100,000 characters.
    """
    from rdkit import Chem
    from rdkit.Chem import rdinchi

    if len(line) > LONGEST:
        raise HugeInput(f"a line of {len(line):,} characters is no molecule", "Is it SMILES, one a line?")
    code, _, name = line.strip().partition("\t" if "\t" in line else " ")
    what = repr(code if len(code) < 60 else code[:57] + "...")
    with reporting(what):
        if code.startswith("InChI="):
            found = rdinchi.InchiToMol(code, False, False)[0]
        else:
            params = Chem.SmilesParserParams()
            for option, value in (("sanitize", False), ("removeHs", False), ("parseName", True)):
                setattr(params, option, value)
            found = Chem.MolFromSmiles(line.strip(), params)
            name = found.GetProp("_Name") if found is not None and found.HasProp("_Name") else name
        if found is None or not found.GetNumAtoms():
            raise ValueError("it is neither SMILES nor InChI")
        found = Chem.RemoveHs(prepare(found, what))
    return from_rdkit(found, name)


def smiles(value: Molecule) -> str:
    """The canonical SMILES: the same for every way to write one molecule down, with stereo and isotopes."""
    from rdkit import Chem

    with reporting(repr(value.name)):
        return str(Chem.MolToSmiles(Chem.RemoveHs(value.rdkit())))


def inchi(value: Molecule) -> str:
    """The standard InChI, or nothing where there is none for such a molecule."""
    from rdkit.Chem import rdinchi

    with reporting(repr(value.name)):
        return str(rdinchi.MolToInchi(value.rdkit())[0])


def save(value: Molecule, path: Path) -> None:
    """Write block and fields as JSON."""
    raw = {"block": value.block, "properties": dict(value.properties)}
    path.write_text(json.dumps(raw, ensure_ascii=True), encoding="utf-8")


def load(path: Path) -> Molecule:
    """Read what `save` wrote."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    return Molecule(raw["block"], raw["properties"])
