"""A protein in memory: chains of residues, with or without the places of their atoms.

Residues are named by their three-letter code of the PDB (`ALA`, `MSE`, `HOH`); a chain knows which of them are its
polymer, in the order of the sequence, also those that no atom was seen of. Ligands and water stand behind them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIX = ".npz"
Polymer = Literal["protein", "dna", "rna", "other"]

_CODES = "ALA CYS ASP GLU PHE GLY HIS ILE LYS LEU MET ASN PRO GLN ARG SER THR VAL TRP TYR SEC PYL ASX GLX XLE UNK"
THREE = dict(zip("ACDEFGHIKLMNPQRSTVWYUOBZJX", _CODES.split(), strict=True))
# one letter of a residue; common modified ones stand for what they are made of
ONE = {three: one for one, three in THREE.items()}
ONE |= {"MSE": "M", "SEP": "S", "TPO": "T", "PTR": "Y", "HYP": "P", "CSO": "C", "CME": "C", "MLY": "K", "PCA": "E"}
ONE |= {"HSD": "H", "HSE": "H", "HSP": "H", "HID": "H", "HIE": "H", "HIP": "H", "CYX": "C", "KCX": "K", "LLP": "K"}
BASES = {"DA": "A", "DC": "C", "DG": "G", "DT": "T", "DU": "U", "DN": "N", "DI": "I"}
BASES |= {"A": "A", "C": "C", "G": "G", "U": "U", "N": "N", "I": "I"}


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain: `residues` are three-letter codes, the first `length` of them the polymer, in order.

    `numbers` name the residues as the file does ("27", "27A", "-3"); empty where it does not.
    """

    name: str
    residues: tuple[str, ...]
    length: int
    polymer: Polymer = "protein"
    numbers: tuple[str, ...] = ()
    description: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.length <= len(self.residues):
            raise ValueError(f"a polymer of {self.length} in {len(self.residues)} residues")
        if self.numbers and len(self.numbers) != len(self.residues):
            raise ValueError(f"{len(self.numbers)} numbers for {len(self.residues)} residues")

    @property
    def sequence(self) -> str:
        """The polymer in one-letter code; X (N in a nucleic acid) where a residue has none."""
        codes, other = (ONE, "X") if self.polymer == "protein" else (BASES, "N")
        return "".join(codes.get(residue, other) for residue in self.residues[: self.length])


@dataclass(frozen=True, slots=True, eq=False)
class Atoms:
    """Columns of one length n; `residue` counts through all residues of all chains in order.

    `places` are float64 (n, 3) in Å, `occupancy` and `temperature` (B factor, or a model's confidence) float32 (n,).
    """

    names: tuple[str, ...]
    elements: tuple[str, ...]
    residue: NDArray[np.int32]
    places: NDArray[np.float64]
    occupancy: NDArray[np.float32]
    temperature: NDArray[np.float32]
    alternatives: tuple[str, ...]  # "" or the letter of an alternative place
    charges: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        import numpy as np

        if not isinstance(other, Atoms):
            return False
        texts = (self.names, self.elements, self.alternatives) == (other.names, other.elements, other.alternatives)
        return texts and all(np.array_equal(getattr(self, each), getattr(other, each)) for each in NUMBERS)

    __hash__ = None  # type: ignore[assignment]


NUMBERS = ("residue", "places", "occupancy", "temperature", "charges")


@dataclass(frozen=True, slots=True)
class Protein:
    """Chains, and the places of their atoms where they are known. `name` is the entry's code or the record's id."""

    name: str
    chains: tuple[Chain, ...]
    atoms: Atoms | None = None
    title: str = ""

    def facets(self) -> dict[str, str]:
        """Nothing is known of a protein beyond its kind."""
        return {}

    def without_places(self) -> Protein:
        """Only the polymers' sequences."""
        chains = tuple(
            Chain(c.name, c.residues[: c.length], c.length, c.polymer, (), c.description)
            for c in self.chains
            if c.length
        )
        return Protein(self.name, chains, None, self.title)

    __hash__ = None  # type: ignore[assignment]


def save(value: Protein, path: Path) -> None:
    """Write chains and atoms as an uncompressed .npz without pickles; words are JSON in it."""
    import numpy as np

    chains = [[c.name, c.residues, c.length, c.polymer, c.numbers, c.description] for c in value.chains]
    about: dict[str, object] = {"name": value.name, "title": value.title, "chains": chains}
    arrays: dict[str, NDArray[np.generic]] = {}
    if value.atoms is not None:
        about["atoms"] = [value.atoms.names, value.atoms.elements, value.atoms.alternatives]
        arrays = {each: getattr(value.atoms, each) for each in NUMBERS}
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load(path: Path) -> Protein:
    """Read what `save` wrote."""
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        about = json.loads(file["about"].tobytes())
        numbers = {each: file[each] for each in NUMBERS if each in file.files}
    chains = tuple(
        Chain(name, tuple(residues), length, polymer, tuple(numbered), description)
        for name, residues, length, polymer, numbered, description in about["chains"]
    )
    atoms = None
    if "atoms" in about:
        names, elements, alternatives = (tuple(each) for each in about["atoms"])
        atoms = Atoms(names=names, elements=elements, alternatives=alternatives, **numbers)
    return Protein(about["name"], chains, atoms, about["title"])
