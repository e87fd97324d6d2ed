"""What a molecule is, in figures (a table) and in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from transpose.core.context import Context, Many
from transpose.core.errors import EmptyInput
from transpose.core.transform import transform
from transpose.media.molecule import Molecule, reporting, smiles
from transpose.media.table import Table, from_rows
from transpose.media.text import Text

if TYPE_CHECKING:
    from rdkit.Chem import Mol

# what chemists call parts of a molecule, as SMARTS; the earlier ones take their atoms from the later ones
GROUPS = {
    "carboxylic acid": "[CX3](=O)[OX2H1]",
    "carboxylate": "[CX3](=O)[O-]",
    "carboxylic anhydride": "[CX3](=O)[OX2][CX3](=O)",
    "acyl halide": "[CX3](=O)[F,Cl,Br,I]",
    "carbamate": "[NX3][CX3](=O)[OX2][#6]",
    "urea": "[NX3][CX3](=O)[NX3]",
    "imide": "[CX3](=O)[NX3][CX3](=O)",
    "ester": "[CX3](=O)[OX2][#6]",
    "amide": "[NX3][CX3](=[OX1])",
    "sulfonamide": "[SX4](=O)(=O)[NX3]",
    "sulfonic acid": "[SX4](=O)(=O)[OX2H1,O-]",
    "sulfone": "[#6][SX4](=O)(=O)[#6]",
    "sulfoxide": "[#6][SX3](=O)[#6]",
    "phosphate": "[PX4](=O)([OX2,O-])([OX2,O-])[OX2,O-]",
    "nitro group": "[NX3+](=O)[O-]",
    "nitrile": "[CX2]#[NX1]",
    "aldehyde": "[CX3H1](=O)[#6]",
    "ketone": "[#6][CX3](=O)[#6]",
    "phenol": "[OX2H][c]",
    "alcohol": "[OX2H][CX4]",
    "thiol": "[SX2H][#6]",
    "epoxide": "C1OC1",
    "ether": "[OX2]([#6])[#6]",
    "sulfide": "[SX2]([#6])[#6]",
    "quaternary ammonium": "[NX4+]([#6])([#6])([#6])[#6]",
    "ammonium": "[NX4+;!H0]",
    "amine": "[NX3;!$(N[C,S]=[O,S,N]);!$(N#*)][#6]",
    "alkyne": "[CX2]#[CX2]",
    "alkene": "[CX3;!a]=[CX3;!a]",
    "fluoride": "[F][#6]",
    "chloride": "[Cl][#6]",
    "bromide": "[Br][#6]",
    "iodide": "[I][#6]",
}


@transform("molecules -> table.properties", loses=["structure", "shape"], needs=["rdkit", "pyarrow"], extra="science")
def molecule_properties(molecules: Many[Molecule], ctx: Context) -> Table:
    """One row for each molecule: formula, masses, and what drug chemists look at, then its own data fields.

    Masses in g/mol, `logP` after Wildman and Crippen 1999, `TPSA` (polar surface, Å²) after Ertl 2000, `QED` after
    Bickerton 2012; `rule of five` counts what breaks Lipinski's rule of 1997. Hydrogens are implied everywhere.
    """
    rows = []
    for number, each in enumerate(_listed(molecules), 1):
        ctx.progress(number, None, "molecules")
        figures = _figures(each)
        fields = {name if name not in figures else f"{name} (file)": value for name, value in each.properties.items()}
        rows.append({**figures, **{name: _number(value) for name, value in fields.items()}})
    return from_rows(rows, "molecules")


@transform("molecules -> text.description", loses=["structure", "shape", "exactness"], needs=["rdkit"], extra="science")
def describe_molecule(molecules: Many[Molecule], ctx: Context) -> Text:
    """Say in English what each molecule is made of: formula, weight, rings, groups, charge, stereo, solubility."""
    listed = _listed(molecules)
    return Text("\n\n".join(_words(each) for each in listed), lang="en")


def _listed(molecules: Iterable[Molecule] | Molecule) -> list[Molecule]:
    listed = [molecules] if isinstance(molecules, Molecule) else list(molecules)
    if not listed:
        raise EmptyInput("there is no molecule")
    return listed


def _number(value: str) -> str | float | int:
    """A data field as a number where it is written as one."""
    try:
        return int(value) if value.lstrip("-").isdigit() and str(int(value)) == value else float(value)
    except ValueError:
        return value


def _figures(molecule: Molecule) -> dict[str, object]:
    from rdkit import Chem
    from rdkit.Chem import rdinchi, rdMolDescriptors

    with reporting(repr(molecule.name)):
        mol = Chem.RemoveHs(molecule.rdkit())
        weight = float(rdMolDescriptors._CalcMolWt(mol))
        fat = float(rdMolDescriptors.CalcCrippenDescriptors(mol)[0])
        donors, acceptors = rdMolDescriptors.CalcNumHBD(mol), rdMolDescriptors.CalcNumHBA(mol)
        return {
            "name": molecule.name or None,
            "SMILES": smiles(molecule),
            "InChIKey": rdinchi.MolToInchiKey(mol) or None,
            "formula": rdMolDescriptors.CalcMolFormula(mol),
            "weight": round(weight, 3),
            "exact mass": round(rdMolDescriptors.CalcExactMolWt(mol), 5),
            "logP": round(fat, 3),
            "TPSA": round(rdMolDescriptors.CalcTPSA(mol), 2),
            "donors": donors,
            "acceptors": acceptors,
            "rotatable bonds": rdMolDescriptors.CalcNumRotatableBonds(mol),
            "rings": rdMolDescriptors.CalcNumRings(mol),
            "aromatic rings": rdMolDescriptors.CalcNumAromaticRings(mol),
            "heavy atoms": mol.GetNumHeavyAtoms(),
            "charge": Chem.GetFormalCharge(mol),
            "stereo centres": rdMolDescriptors.CalcNumAtomStereoCenters(mol),
            "QED": _likeness(mol),
            "rule of five": sum([weight > 500, fat > 5, donors > 5, acceptors > 10]),
        }


def _likeness(mol: Mol) -> float | None:
    from rdkit.Chem import QED

    return round(float(QED.qed(mol)), 3) if mol.GetNumHeavyAtoms() else None  # type: ignore[no-untyped-call]


def _words(molecule: Molecule) -> str:
    from rdkit import Chem

    figures = _figures(molecule)
    with reporting(repr(molecule.name)):
        mol = Chem.RemoveHs(molecule.rdkit())
        pieces = len(Chem.GetMolFrags(mol))
    charge, centres = int(str(figures["charge"])), int(str(figures["stereo centres"]))
    name = molecule.name or "This molecule"
    said = [f"{name} has the formula {figures['formula']} and weighs {figures['weight']:.2f} g/mol."]
    if pieces > 1:
        said.append(f"It consists of {_count(pieces, 'separate part')} (a salt or a mixture).")
    said.append(_rings(mol))
    groups = [_count(number, group) for group, number in _groups(mol).items()]
    if groups:
        said.append(f"It contains {_list(groups)}.")
    if charge:
        said.append(f"Its charge is {charge:+d}.")
    if centres:
        said.append(f"It has {_count(centres, 'stereo centre')}.")
    donors, takes = int(str(figures["donors"])), int(str(figures["acceptors"]))
    fat = float(str(figures["logP"]))
    said.append(f"It can give {_count(donors, 'hydrogen bond')} and take {_count(takes, '') if takes else 'none'};")
    said.append(f"its polar surface is {figures['TPSA']:.1f} Å²;")
    said.append(f"an estimated logP of {fat:.2f} makes it {_solubility(fat)}.")
    return " ".join(said)


def _solubility(fat: float) -> str:
    for most, words in ((-0.5, "more at home in water than in fat"), (2, "about balanced between water and fat")):
        if fat < most:
            return words
    return "more at home in fat than in water" if fat < 5 else "very fat-soluble and hardly soluble in water"


def _rings(mol: Mol) -> str:
    from rdkit.Chem import rdMolDescriptors

    rings, aromatic = rdMolDescriptors.CalcNumRings(mol), rdMolDescriptors.CalcNumAromaticRings(mol)
    heavy = _count(mol.GetNumHeavyAtoms(), "atom")
    if not rings:
        return f"Its {heavy} besides hydrogen form no ring."
    if rings == 1:
        return (
            f"Its {heavy} besides hydrogen form one {'aromatic ring' if aromatic else 'ring, which is not aromatic'}."
        )
    kinds = "all aromatic" if aromatic == rings else f"{aromatic or 'none'} of them aromatic"
    return f"Its {heavy} besides hydrogen form {_count(rings, 'ring')}, {kinds}."


def _groups(mol: Mol) -> dict[str, int]:
    """How many of each functional group; an atom counts for the first group that it is the middle of."""
    from rdkit import Chem

    taken: set[int] = set()
    found: dict[str, int] = {}
    for name, pattern in GROUPS.items():
        wanted = Chem.MolFromSmarts(pattern)
        hetero = [i for i, each in enumerate(wanted.GetAtoms()) if each.GetAtomicNum() not in (0, 6)]
        for match in mol.GetSubstructMatches(wanted):
            own = {match[i] for i in hetero} or set(match)
            if not own & taken:
                taken |= own
                found[name] = found.get(name, 0) + 1
    return found


def _count(number: int, thing: str) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    shown = words[number] if number < len(words) else str(number)
    if number == 1 or not thing:
        return f"{shown} {thing}".strip()
    return f"{shown} {thing[:-1] + 'ies' if thing.endswith('y') else thing + 's'}"


def _list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
