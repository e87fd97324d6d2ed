"""What a protein is, in figures (a table) and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from transpose.core.context import Context, Many
from transpose.core.errors import SilentInput
from transpose.core.transform import transform
from transpose.media.protein import Chain, Protein
from transpose.media.table import Table, from_rows
from transpose.media.text import Text

# mean masses of residues (what is left of an amino acid in a chain), g/mol
MASSES = {
    "A": 71.0788,
    "R": 156.1875,
    "N": 114.1038,
    "D": 115.0886,
    "C": 103.1388,
    "E": 129.1155,
    "Q": 128.1307,
    "G": 57.0519,
}
MASSES |= {
    "H": 137.1411,
    "I": 113.1594,
    "L": 113.1594,
    "K": 128.1741,
    "M": 131.1926,
    "F": 147.1766,
    "P": 97.1167,
    "S": 87.0782,
}
MASSES |= {"T": 101.1051, "W": 186.2132, "Y": 163.1760, "V": 99.1326, "U": 150.0388, "O": 237.3018}
MASSES |= {"B": 114.5962, "Z": 128.6231, "J": 113.1594, "X": 110.0}
WATER = 18.0153
# pK after Bjellqvist et al. 1993 and 1994; those of the ends depend on the residue there
POSITIVE = {"K": 10.0, "R": 12.0, "H": 5.98}
NEGATIVE = {"D": 4.05, "E": 4.45, "C": 9.0, "Y": 10.0}
START = {"A": 7.59, "M": 7.0, "S": 6.93, "P": 8.36, "T": 6.82, "V": 7.44, "E": 7.7}
END = {"D": 4.55, "E": 4.75}
# hydropathy after Kyte and Doolittle 1982
HYDROPATHY = {
    "A": 1.8,
    "R": -4.5,
    "N": -3.5,
    "D": -3.5,
    "C": 2.5,
    "Q": -3.5,
    "E": -3.5,
    "G": -0.4,
    "H": -3.2,
    "I": 4.5,
    "L": 3.8,
    "K": -3.9,
}
HYDROPATHY |= {"M": 1.9, "F": 2.8, "P": -1.6, "S": -0.8, "T": -0.7, "W": -0.9, "Y": -1.3, "V": 4.2}
NAMES = {
    "A": "alanine",
    "R": "arginine",
    "N": "asparagine",
    "D": "aspartate",
    "C": "cysteine",
    "Q": "glutamine",
    "E": "glutamate",
}
NAMES |= {
    "G": "glycine",
    "H": "histidine",
    "I": "isoleucine",
    "L": "leucine",
    "K": "lysine",
    "M": "methionine",
    "P": "proline",
}
NAMES |= {
    "F": "phenylalanine",
    "S": "serine",
    "T": "threonine",
    "W": "tryptophan",
    "Y": "tyrosine",
    "V": "valine",
    "X": "unknown ones",
}
NAMES |= {"U": "selenocysteine", "O": "pyrrolysine"}


@transform("proteins -> table.properties", loses=["structure", "shape"], needs=["pyarrow"], extra="science")
def protein_properties(proteins: Many[Protein], ctx: Context) -> Table:
    """One row for each chain: length, weight, isoelectric point, hydropathy, light absorbed, shares of residues.

    Weight in g/mol; isoelectric point with the pK of Bjellqvist; `hydropathy` is the mean of Kyte and Doolittle;
    `extinction` at 280 nm in 1/(M cm), all cysteines paired (Pace 1995). Weight and point are empty for nucleic acids
    and where more than a tenth of the residues are unknown.
    """
    rows: list[dict[str, object]] = []
    for protein, chain in _chains(proteins):
        counts = Counter(chain.sequence)
        share = {f"{each} %": round(100 * counts[each] / chain.length, 2) for each in "ACDEFGHIKLMNPQRSTVWY"}
        row = {"name": protein.name or None, "chain": chain.name, "kind": chain.polymer, **_figures(chain)}
        rows.append({**row, **(share if chain.polymer == "protein" else {}), "sequence": chain.sequence})
    return from_rows(rows, "proteins")


@transform("proteins -> text.description", loses=["structure", "shape", "exactness"])
def describe_protein(proteins: Many[Protein], ctx: Context) -> Text:
    """Say in English how long each chain is, what it weighs, where it is neutral, and what it is rich in."""
    said: list[str] = []
    for protein, chains in _entries(proteins):
        if protein.atoms is not None or len(protein.chains) > 1:
            others = Counter(each for chain in protein.chains for each in chain.residues[chain.length :])
            said.append(_entry(protein, len(chains), others))
        said += [_words(protein, chain) for chain in chains]
    return Text("\n\n".join(said), lang="en")


def isoelectric_point(sequence: str) -> float:
    """The pH, 0 to 14, at which a chain of these residues is neutral on the whole (bisection to .001)."""
    low, high = 0.0, 14.0
    while high - low > 0.001:
        middle = (low + high) / 2
        low, high = (middle, high) if _charge(sequence, middle) > 0 else (low, middle)
    return round((low + high) / 2, 2)


def _charge(sequence: str, ph: float) -> float:
    counts = Counter(sequence)
    gained = [(POSITIVE[each], counts[each]) for each in POSITIVE] + [(START.get(sequence[0], 7.5), 1)]
    lost = [(NEGATIVE[each], counts[each]) for each in NEGATIVE] + [(END.get(sequence[-1], 3.55), 1)]
    return sum(n / (1 + 10 ** (ph - pk)) for pk, n in gained) - sum(n / (1 + 10 ** (pk - ph)) for pk, n in lost)


def _figures(chain: Chain) -> dict[str, object]:
    sequence = chain.sequence
    counts = Counter(sequence)
    known = chain.polymer == "protein" and counts["X"] <= chain.length / 10
    scored = [HYDROPATHY[each] for each in sequence if each in HYDROPATHY]
    return {
        "length": chain.length,
        "weight": round(sum(MASSES[each] for each in sequence) + WATER, 2) if known else None,
        "isoelectric point": isoelectric_point(sequence) if known else None,
        "hydropathy": round(sum(scored) / len(scored), 3) if known and scored else None,
        "extinction": 5500 * counts["W"] + 1490 * counts["Y"] + 125 * (counts["C"] // 2) if known else None,
        "unknown": counts["X" if chain.polymer == "protein" else "N"],
    }


def _entries(proteins: Iterable[Protein] | Protein) -> Iterator[tuple[Protein, list[Chain]]]:
    """Each protein with its polymers. Raises SilentInput where there is none at all."""
    some = False
    for protein in [proteins] if isinstance(proteins, Protein) else proteins:
        chains = [chain for chain in protein.chains if chain.length]
        some = some or bool(chains)
        yield protein, chains
    if not some:
        raise SilentInput("there is no chain of residues to describe", "Is it a protein?")


def _chains(proteins: Iterable[Protein] | Protein) -> Iterator[tuple[Protein, Chain]]:
    for protein, chains in _entries(proteins):
        for chain in chains:
            yield protein, chain


def _entry(protein: Protein, chains: int, others: Counter[str]) -> str:
    title = f" ({protein.title})" if protein.title else ""
    atoms = f" with {len(protein.atoms):,} atoms" if protein.atoms is not None else ""
    said = f"{protein.name or 'The structure'}{title} has {chains} chain{'s' * (chains != 1)}{atoms}."
    water = others.pop("HOH", 0)
    ligands = [f"{name} ({count})" if count > 1 else name for name, count in others.most_common(8)]
    if ligands:
        said += f" Beside them stand {', '.join(ligands)}{' and more' * (len(others) > 8)}."
    return said + (f" {water} water molecules were seen." if water else "")


def _words(protein: Protein, chain: Chain) -> str:
    known = _figures(chain)
    name = protein.name if protein.atoms is None and len(protein.chains) == 1 else f"Chain {chain.name}"
    note = f" ({chain.description})" if chain.description else ""
    if chain.polymer != "protein":
        return f"{name or 'It'}{note} is {chain.polymer.upper()} of {chain.length} bases."
    said = f"{name or 'It'}{note} is a protein of {chain.length} residues"
    if known["weight"] is None:
        return f"{said}, of which {known['unknown']} are unknown."
    said += f" and weighs {float(str(known['weight'])) / 1000:.1f} kDa. "
    point, fat = float(str(known["isoelectric point"])), float(str(known["hydropathy"] or 0))
    nature = "acidic" if point < 6.5 else "basic" if point > 7.5 else "about neutral"
    said += f"Its isoelectric point is {point:.1f}, so it is {nature}; "
    said += f"on average it is {'hydrophobic' if fat > 0.3 else 'hydrophilic' if fat < -0.3 else 'balanced'} "
    common = Counter(chain.sequence).most_common(3)
    shares = [f"{NAMES.get(each, each)} ({100 * count / chain.length:.0f} %)" for each, count in common]
    return f"{said}(hydropathy {fat:.2f}). Its most frequent residues are {', '.join(shares)}."
