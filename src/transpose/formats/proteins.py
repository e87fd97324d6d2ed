"""Proteins in and out: FASTA for sequences; PDB and mmCIF for structures, through gemmi.

A record of a FASTA file is a protein of one chain; its letters stand for residues, or for bases where all of them are.
Of a structure with several models (NMR) the first is read, with a warning. Chains, residues, ligands, water,
alternative places, occupancies and temperature factors stay; experiment, cell, bonds and remarks do not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.context import Context, Many
from transpose.core.errors import (
    DamagedInput,
    EmptyInput,
    HugeInput,
    InputError,
    MislabelledInput,
    OutputError,
    SilentInput,
)
from transpose.core.transform import transform
from transpose.media.encoding import read_characters
from transpose.media.file import reason
from transpose.media.protein import THREE, Atoms, Chain, Polymer, Protein

if TYPE_CHECKING:
    import gemmi

MOST_ATOMS = 5_000_000
DAMAGE = (ValueError, RuntimeError, IndexError, KeyError, OverflowError, UnicodeDecodeError)
KINDS: dict[str, Polymer] = {"PeptideL": "protein", "PeptideD": "protein", "Dna": "dna", "Rna": "rna"}
NUMBER = re.compile(r"-?\d{1,9}[A-Za-z]?")
LINE = 60  # letters of a line of FASTA


@transform(".fasta|.fa|.faa -> protein.sequences")
def read_fasta(path: Path, ctx: Context) -> Many[Protein]:
    """Every record of a FASTA file: the first word of its head is the name, the rest the description.

    Letters of gaps and stops (`-`, `.`, `*`) are left out, with a warning; letters that stand for no residue raise
    DamagedInput. A record of bases only (A C G T U N) is read as DNA or RNA, with a warning.
    """
    text = read_characters(path, ctx)
    head = next(line for line in text.split("\n") if line.strip() and not line.startswith(";"))
    if not head.startswith(">"):
        raise MislabelledInput(f"{path.name!r} is not FASTA: it does not begin with '>'", "Put a line >NAME first")
    records = re.split(r"^>", text, flags=re.MULTILINE)[1:]
    found = [_sequence(record, path, ctx) for record in records]
    ctx.note("records", len(found))
    return Many(lambda: iter(found), len(found))


@transform(".pdb|.ent|.cif|.mmcif -> protein.structure", loses=["metadata"], needs=["gemmi"], extra="science")
def read_structure(path: Path, ctx: Context) -> Protein:
    """Chains with the places of their atoms, in Å. Raises DamagedInput, SilentInput (no atom), HugeInput."""
    import gemmi

    text = read_characters(path, ctx)
    if text.lstrip().startswith(">"):
        raise MislabelledInput(f"{path.name!r} is FASTA, not a structure", "Rename it to .fasta")
    with _damage(path):
        if path.suffix.lower() in (".pdb", ".ent"):
            found = gemmi.read_pdb_string(text + "\n")
        else:
            found = gemmi.make_structure_from_block(gemmi.cif.read_string(text + "\n").sole_block())
        if not len(found) or not found[0].count_atom_sites():
            raise SilentInput(f"{path.name!r} holds no places of atoms", "Is it a structure of a protein?")
        if found[0].count_atom_sites() > MOST_ATOMS:
            raise HugeInput(f"{path.name!r} holds more than {MOST_ATOMS:,} atoms")
        if len(found) > 1:
            ctx.warn(f"{path.name!r} holds {len(found)} models: only the first is read")
        result = _protein(found, path)
    ctx.note("chains", len(result.chains))
    return result


@transform("proteins -> .fasta|.fa|.faa", loses=["shape", "metadata"])
def write_fasta(proteins: Many[Protein], path: Path, ctx: Context) -> None:
    """One record for each chain that is a polymer, 60 letters a line; named `ENTRY_CHAIN` where there are several."""
    lines = []
    for each in [proteins] if isinstance(proteins, Protein) else proteins:
        chains = [chain for chain in each.chains if chain.length]
        for chain in chains:
            name = f"{each.name or 'chain'}_{chain.name}" if len(chains) > 1 or each.atoms is not None else each.name
            head = " ".join(f"{name or chain.name or 'sequence'} {chain.description or each.title}".split())
            letters = chain.sequence
            lines += [f">{head}", *(letters[at : at + LINE] for at in range(0, len(letters), LINE))]
    if not lines:
        raise EmptyInput("there is no sequence to write")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


@transform("protein.structure -> .pdb|.ent", loses=["metadata", "exactness"], needs=["gemmi"], extra="science")
def write_pdb(protein: Protein, path: Path, ctx: Context) -> None:
    """A structure as PDB: places to .001 Å. Raises OutputError where it is too large for the format (use .cif)."""
    structure = _structure(protein)
    if len(protein.atoms or ()) > 99_999 or len(protein.chains) > 62:
        raise OutputError("the structure has too many atoms or chains for PDB", "Write .cif, which has no such limits")
    structure.shorten_chain_names()
    with _damage(path):
        path.write_text(structure.make_pdb_string(), encoding="utf-8", newline="\n")


@transform("protein.structure -> .cif|.mmcif", loses=["metadata"], needs=["gemmi"], extra="science")
def write_mmcif(protein: Protein, path: Path, ctx: Context) -> None:
    """A structure as mmCIF, with its sequences; the history is a comment."""
    structure = _structure(protein)
    with _damage(path):
        text = structure.make_mmcif_document().as_string()
    comment = f"# transpose {ctx.history}\n" if ctx.history else ""
    path.write_text(comment + text, encoding="utf-8", newline="\n")


# -- sequences -------------------------------------------------------------------------------------------------------


def _sequence(record: str, path: Path, ctx: Context) -> Protein:
    head, _, body = record.partition("\n")
    name, _, description = head.strip().partition(" ")
    letters = re.sub(r"^;.*$|\s", "", body, flags=re.MULTILINE).upper()
    kept = re.sub(r"[-.*]", "", letters)
    if kept != letters:
        ctx.warn(f"gaps and stops in {name!r} were left out")
    wrong = sorted(set(kept) - set(THREE))
    if wrong:
        what = f"{path.name!r}: the record {name!r} holds {''.join(wrong[:9])!r}, which stands for no residue"
        raise DamagedInput(what, "Sequences are letters from A to Z")
    if not kept:
        raise EmptyInput(f"{path.name!r}: the record {name!r} has no letters", "Take it out, or complete it")
    kind: Polymer = "protein"
    if set(kept) <= set("ACGTUN") and len(kept) > 20:
        kind = "rna" if "U" in kept and "T" not in kept else "dna"
        ctx.warn(f"{name!r} holds only letters of bases: read as {kind.upper()}")
    codes = {"protein": THREE, "rna": {each: each for each in "ACGUN"}}
    table = codes.get(kind) or {each: f"D{each}" for each in "ACGTUN"}
    chain = Chain("A", tuple(table[letter] for letter in kept), len(kept), kind, (), description.strip())
    return Protein(name, (chain,), None, "")


# -- structures ------------------------------------------------------------------------------------------------------


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except DAMAGE as error:
        said = f"{path.name!r} is truncated or damaged ({reason(error)})"
        raise DamagedInput(said, "Save or download it again") from error


def _protein(found: gemmi.Structure, path: Path) -> Protein:
    import gemmi

    found.merge_chain_parts()
    found.setup_entities()
    chains: list[Chain] = []
    atoms: list[tuple[int, gemmi.Atom]] = []
    offset = 0
    for part in found[0]:
        polymer = part.get_polymer()
        entity = found.get_entity_of(polymer)
        kind = KINDS.get(polymer.check_polymer_type().name if len(polymer) else "", "other")
        seen = list(polymer)
        full = [gemmi.Entity.first_mon(each) for each in entity.full_sequence] if entity else []
        places = _aligned([each.name for each in seen], full)
        names = full if places else [each.name for each in seen]
        places = places or list(range(len(seen)))
        numbers = [""] * len(names)
        for residue, at in zip(seen, places, strict=True):
            numbers[at] = _number(residue)
            atoms += [(offset + at, atom) for atom in residue]
        inside = {(residue.seqid, residue.name) for residue in seen}
        others = [residue for residue in part if (residue.seqid, residue.name) not in inside]
        for at, residue in enumerate(others, len(names)):
            atoms += [(offset + at, atom) for atom in residue]
        residues = (*names, *(each.name for each in others))
        numbers += [_number(each) for each in others]
        chains.append(Chain(part.name, tuple(residues), len(names), kind, tuple(numbers)))
        offset += len(residues)
    info = found.info
    title = info["_struct.title"] if "_struct.title" in info else ""  # noqa: SIM401  # it has no get
    name = found.name if found.name not in ("", "string") else ""  # gemmi's word for one without a code
    name = name or (info["_entry.id"] if "_entry.id" in info else "") or path.stem  # noqa: SIM401
    return Protein(name, tuple(chains), _atoms(atoms), " ".join(title.split()))


def _number(residue: gemmi.Residue) -> str:
    """A residue's number with its insertion code, as the file has it; empty where it has none."""
    number = str(residue.seqid)
    return number if NUMBER.fullmatch(number) else ""


def _aligned(seen: list[str], full: list[str]) -> list[int]:
    """Where each residue that was seen stands in the full sequence, in order; empty where they do not fit."""
    import gemmi

    if not full or not seen:
        return []
    if seen == full:
        return list(range(len(full)))
    if len(full) * len(seen) > 25_000_000:
        return []
    scoring = gemmi.AlignmentScoring("p")
    result = gemmi.align_string_sequences(full, seen, [0] * (len(seen) + 1), scoring)
    places: list[int] = []
    at = 0
    for length, operation in re.findall(r"(\d+)([MIDNS=X])", result.cigar_str()):
        count = int(length)
        if operation in "M=X":
            places += range(at, at + count)
            at += count
        elif operation == "I":
            at += count
        else:
            return []  # something was seen that the sequence does not have
    return places if len(places) == len(seen) and all(full[p] == s for p, s in zip(places, seen, strict=True)) else []


def _atoms(listed: list[tuple[int, gemmi.Atom]]) -> Atoms:
    import numpy as np

    places = np.array([atom.pos.tolist() for _, atom in listed], np.float64).reshape(-1, 3)
    if not np.isfinite(places).all() or np.abs(places).max(initial=0) > 1e7:
        raise ValueError("a place is not a finite number")
    return Atoms(
        names=tuple(atom.name for _, atom in listed),
        elements=tuple(atom.element.name for _, atom in listed),
        residue=np.array([number for number, _ in listed], np.int32),
        places=places,
        occupancy=np.array([_finite(atom.occ, 1.0) for _, atom in listed], np.float32),
        temperature=np.array([_finite(atom.b_iso, 0.0) for _, atom in listed], np.float32),
        alternatives=tuple(atom.altloc.replace("\0", "") for _, atom in listed),
        charges=np.array([max(-99, min(99, atom.charge)) for _, atom in listed], np.int8),
    )


def _finite(value: float, other: float) -> float:
    return value if math.isfinite(value) else other


def _structure(protein: Protein) -> gemmi.Structure:
    """gemmi's structure of a protein: entities with full sequences, residues with their atoms."""
    import gemmi

    atoms = protein.atoms
    if atoms is None or not len(atoms):
        raise OutputError("the protein has no places of atoms, only a sequence", "Write .fasta")
    by_residue: dict[int, list[int]] = {}
    for index, number in enumerate(atoms.residue.tolist()):
        by_residue.setdefault(number, []).append(index)
    model = gemmi.Model(1)
    offset = 0
    for chain in protein.chains:
        made = gemmi.Chain(chain.name)
        for at, name in enumerate(chain.residues):
            if offset + at in by_residue:
                made.add_residue(_residue(chain, at, name, atoms, by_residue[offset + at]))
        offset += len(chain.residues)
        model.add_chain(made)
    structure = gemmi.Structure()
    structure.name = protein.name
    structure.info["_entry.id"] = protein.name
    structure.add_model(model)
    if protein.title:
        structure.info["_struct.title"] = protein.title
    structure.setup_entities()
    for chain, part in zip(protein.chains, structure[0], strict=True):
        entity = structure.get_entity_of(part.get_polymer())
        if entity is not None and chain.length:
            entity.full_sequence = list(chain.residues[: chain.length])
    structure.assign_label_seq_id()
    structure.assign_serial_numbers()
    return structure


def _residue(chain: Chain, at: int, name: str, atoms: Atoms, indices: Iterable[int]) -> gemmi.Residue:
    import gemmi

    residue = gemmi.Residue()
    number = chain.numbers[at] if chain.numbers else ""
    residue.name = name
    residue.seqid = gemmi.SeqId(number if NUMBER.fullmatch(number) else str(at + 1))
    residue.het_flag = "A" if at < chain.length else "H"
    inside = at < chain.length
    residue.entity_type = gemmi.EntityType.Polymer if inside else gemmi.EntityType.Unknown
    for index in indices:
        atom = gemmi.Atom()
        atom.name, atom.element = atoms.names[index], gemmi.Element(atoms.elements[index])
        atom.pos = gemmi.Position(*atoms.places[index].tolist())
        atom.occ, atom.b_iso = float(atoms.occupancy[index]), float(atoms.temperature[index])
        atom.altloc, atom.charge = atoms.alternatives[index] or "\0", int(atoms.charges[index])
        residue.add_atom(atom)
    return residue
