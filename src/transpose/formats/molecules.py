"""Molecules in and out: SMILES, InChI, SD files, mol blocks, Mol2 and XYZ, through RDKit.

One that cannot be (five bonds on a carbon, a cut record) is left out of a file of many with a warning that names it,
and is an error where nothing else is left. Hydrogens that a file writes out stay; those of SMILES are implied. XYZ has
no bonds: they are found from the distances (Kim and Kim 2015, as RDKit has it).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from transpose.core.context import Context, Many
from transpose.core.errors import DamagedInput, EmptyInput, HugeInput, InputError, OptionError, OutputError
from transpose.core.transform import Range, transform
from transpose.media.encoding import read_characters
from transpose.media.molecule import Molecule, from_rdkit, inchi, parse_block, parse_line, prepare, reporting, smiles

HISTORY = "transpose"  # the data field of an SD file that holds it
MOST_XYZ = 400  # atoms: finding bonds from distances grows quickly
FIELD = re.compile(r"^>.*?<(.+)>")


@transform(".smi|.smiles|.inchi -> molecules", needs=["rdkit"], extra="science")
def read_molecule_lines(path: Path, ctx: Context) -> Many[Molecule]:
    """Every molecule of a file with one a line: SMILES or InChI, then its name; lines with # in front are comments.

    Each gets a flat layout. Lines that are no molecule are left out, with a warning. Raises DamagedInput where none is.
    """
    return _many(_lines(path, ctx), parse_line, "line", path, ctx)


@transform(".sdf -> molecules", needs=["rdkit"], extra="science")
def read_sdf(path: Path, ctx: Context) -> Many[Molecule]:
    """Every molecule of an SD file with its places, name and data fields (V2000 and V3000).

    Records that are no molecule are left out, with a warning. Raises DamagedInput where none is left.
    """
    return _many(_records(path, ctx), _record, "record", path, ctx)


@transform(".smi|.smiles|.inchi|.sdf -> molecule", loses=["detail"], needs=["rdkit"], extra="science")
def read_one_molecule(
    path: Path, ctx: Context, *, number: Annotated[int, Range(1, 10_000_000), "which of them, from 1"] = 1
) -> Molecule:
    """One molecule of a file that may hold many: the first, with a warning where there are more.

    Raises OptionError where there are fewer than `number`, DamagedInput where that one is no molecule.
    """
    table = path.suffix.lower() == ".sdf"
    parts = _records(path, ctx) if table else _lines(path, ctx)
    if number > len(parts):
        raise OptionError(f"{path.name!r} holds {len(parts)} molecules, not {number}", f"Give 1 to {len(parts)}")
    if len(parts) > 1 and number == 1:
        ctx.warn(f"{path.name!r} holds {len(parts)} molecules: only the first is taken (-o number=2 for the second)")
    with _named(path):
        return (_record if table else parse_line)(parts[number - 1][1])


@transform(".mol|.mol2|.xyz -> molecule", needs=["rdkit"], extra="science")
def read_molecule(
    path: Path, ctx: Context, *, charge: Annotated[int, Range(-20, 20), "of the whole molecule; for .xyz only"] = 0
) -> Molecule:
    """One molecule with its places: a mol block, a Mol2 file or an XYZ file (bonds from distances, up to 400 atoms).

    Raises DamagedInput where it is none, HugeInput for more atoms than can be handled.
    """
    text = read_characters(path, ctx)
    with _named(path):
        if path.suffix.lower() == ".xyz":
            return _from_xyz(text, charge)
        if path.suffix.lower() == ".mol2":
            return _from_mol2(text + "\n")  # without it RDKit overlooks the last line
        return _record(text)


@transform("molecules -> .smi|.smiles", loses=["shape", "metadata"], needs=["rdkit"], extra="science")
def write_smiles(molecules: Many[Molecule], path: Path, ctx: Context) -> None:
    """One molecule a line: canonical SMILES, a tab and its name. Places in space and data fields are not kept."""
    path.write_text("".join(_line(smiles(each), each.name) for each in _all(molecules)), encoding="utf-8")


@transform("molecules -> .inchi", loses=["shape", "metadata", "detail"], needs=["rdkit"], extra="science")
def write_inchi(molecules: Many[Molecule], path: Path, ctx: Context) -> None:
    """One molecule a line: standard InChI, a tab and its name. Tautomers fall together, as InChI means it."""
    lines = []
    for number, each in enumerate(_all(molecules), 1):
        code = inchi(each)
        if not code:
            raise OutputError(f"molecule {number} has no InChI ({each.name or smiles(each)})", "Write .smi or .sdf")
        lines.append(_line(code, each.name))
    path.write_text("".join(lines), encoding="utf-8")


@transform("molecules -> .sdf", needs=["rdkit"], extra="science")
def write_sdf(molecules: Many[Molecule], path: Path, ctx: Context) -> None:
    """Every molecule with its places, name and data fields, as V3000 records; the history is a field of the first."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for number, each in enumerate(_all(molecules)):
            fields = dict(each.properties)
            if ctx.history and number == 0:
                fields[HISTORY] = ctx.history
            file.write(each.block.rstrip("\n") + "\n")
            for name, value in fields.items():
                file.write(f">  <{_field_name(name, ctx)}>\n{_field_value(value)}\n\n")
            file.write("$$$$\n")


@transform("molecule -> .mol", loses=["metadata"], needs=["rdkit"], extra="science")
def write_mol(molecule: Molecule, path: Path, ctx: Context) -> None:
    """One molecule as a V3000 mol block, with its places and name; data fields are not kept."""
    path.write_text(molecule.block.rstrip("\n") + "\n", encoding="utf-8", newline="\n")


@transform("molecule -> .xyz", loses=["structure", "metadata"], needs=["rdkit"], extra="science", uses=["molecule-3d"])
def write_xyz(molecule: Molecule, path: Path, ctx: Context) -> None:
    """Elements and places in Å, with the name as comment; bonds and charges are not kept.

    A molecule with a flat layout only is built in space first (`molecule-3d`), with a warning.
    """
    from rdkit import Chem

    if not molecule.spatial:
        ctx.warn("the molecule had no places in space: they were computed (ETKDG and MMFF94)")
        molecule = ctx.call("molecule-3d", molecule)
    lines = Chem.MolToXYZBlock(molecule.rdkit()).split("\n")
    lines[1] = molecule.name
    path.write_text("\n".join(lines), encoding="utf-8", newline="\n")


# -- reading ---------------------------------------------------------------------------------------------------------


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put the file's name in front of an error about its content."""
    try:
        yield
    except InputError as error:
        error.message = f"{path.name!r}: {error.message}"
        raise


def _lines(path: Path, ctx: Context) -> list[tuple[int, str]]:
    """Numbered lines that should be molecules; a first line of column names is left out."""
    text = read_characters(path, ctx)
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1)]
    kept = [(number, line) for number, line in lines if line.strip() and not line.lstrip().startswith("# ")]
    if len(kept) > 1 and re.match(r"(canonical_?)?smiles\b|inchi\b(?!=)", kept[0][1].strip(), re.IGNORECASE):
        kept = kept[1:]
    if not kept:
        raise EmptyInput(f"{path.name!r} holds no molecule", "Write one a line, as SMILES or InChI")
    return kept


def _records(path: Path, ctx: Context) -> list[tuple[int, str]]:
    """Numbered records of an SD file; the last one may lack its end mark."""
    text = read_characters(path, ctx)
    parts = re.split(r"^\$\$\$\$[^\n]*(?:\n|\Z)", text, flags=re.MULTILINE)
    kept = [(number, part) for number, part in enumerate(parts, 1) if part.strip()]
    if not kept:
        raise EmptyInput(f"{path.name!r} holds no molecule", "Save or download it again")
    return kept


def _many(
    parts: list[tuple[int, str]], parse: Callable[[str], Molecule], unit: str, path: Path, ctx: Context
) -> Many[Molecule]:
    """Molecules made when asked for; all are tried now, so that what is left out is said before anything runs."""
    good, bad = [], []
    for at, (number, part) in enumerate(parts):
        if at % 100 == 0:
            ctx.progress(at, len(parts), "molecules")
        try:
            parse(part)
            good.append(part)
        except InputError as error:
            bad.append((number, error))
    if not good:
        first, reason = bad[0]
        raise DamagedInput(f"{path.name!r} holds no molecule; {unit} {first}: {reason.message}", reason.hint)
    if bad:
        shown = "; ".join(f"{unit} {number}: {why.message}" for number, why in bad[:3])
        ctx.warn(f"{len(bad)} of {len(parts)} in {path.name!r} are left out, as they are no molecule. {shown}")
    ctx.note("molecules", len(good))
    return Many(lambda: (parse(part) for part in good), len(good))


def _record(text: str) -> Molecule:
    """The molecule of a mol block with the data fields that may follow it."""
    block, end, rest = text.partition("\nM  END")
    found = parse_block(block + end + "\n")
    return from_rdkit(found, block.partition("\n")[0].strip(), dict(_fields(rest.split("\n"))))


def _fields(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    name, held = "", list[str]()
    for line in [*lines, ""]:
        opened = FIELD.match(line)
        if opened and not name:
            name, held = opened[1], []
        elif name and not line.strip():
            if name != HISTORY:
                yield name, "\n".join(held)
            name = ""
        elif name:
            held.append(line)


def _from_xyz(text: str, charge: int) -> Molecule:
    from rdkit import Chem
    from rdkit.Chem import rdDetermineBonds

    lines = text.split("\n")
    count = lines[0].strip()
    if not count.isdigit() or len(lines) < 2 + int(count):
        raise DamagedInput("it is no XYZ file, or it is cut off", "The first line is the number of atoms")
    if int(count) > MOST_XYZ:
        raise HugeInput(f"{count} atoms are too many to find bonds from distances", "Give an .sdf or .mol, with bonds")
    with reporting("the XYZ file"):
        found = Chem.MolFromXYZBlock("\n".join(lines[: 2 + int(count)]) + "\n")
        if found is None:
            raise ValueError("a line is not an element and three numbers")
        _check_places(found)
        rdDetermineBonds.DetermineBonds(found, charge=charge, maxIterations=50_000)
        found = prepare(found, "the XYZ file", from_places=True)
    return from_rdkit(found, lines[1].strip()[:200])


def _from_mol2(text: str) -> Molecule:
    from rdkit import Chem

    with reporting("the Mol2 file"):
        found = Chem.MolFromMol2Block(text, sanitize=False, removeHs=False, cleanupSubstructures=True)
        if found is None:
            raise ValueError("it is no Mol2 file with Tripos atom types, or it is cut off")
        _check_places(found)
        name = found.GetProp("_Name") if found.HasProp("_Name") else ""
        return from_rdkit(prepare(found, "the Mol2 file", from_places=True), name.strip("* "))


def _check_places(found: object) -> None:
    import numpy as np
    from rdkit.Chem import Mol

    if isinstance(found, Mol) and not np.isfinite(found.GetConformer().GetPositions()).all():
        raise ValueError("a place is not a finite number")


# -- writing ---------------------------------------------------------------------------------------------------------


def _all(molecules: Iterable[Molecule] | Molecule) -> list[Molecule]:
    values = [molecules] if isinstance(molecules, Molecule) else list(molecules)
    if not values:
        raise EmptyInput("there is no molecule to write")
    return values


def _line(code: str, name: str) -> str:
    return f"{code}\t{' '.join(name.split())}\n" if name else f"{code}\n"


def _field_name(name: str, ctx: Context) -> str:
    """A field's name as the format can hold it: without angle brackets and line ends."""
    tidy = re.sub(r"[<>\r\n]", " ", name).strip() or "field"
    if tidy != name:
        ctx.warn(f"the field {name!r} is called {tidy!r} in the file")
    return tidy


def _field_value(value: str) -> str:
    """Lines without blank ones, which would end the field; `>` and `$$$$` at a line's start would as well."""
    lines = [line for line in value.replace("\r", "\n").split("\n") if line.strip()]
    return "\n".join(f" {line}" if line.startswith((">", "$$$$")) else line for line in lines)
