"""The sequence of a structure: residues in their order, without places."""

from __future__ import annotations

from transpose.core.context import Context
from transpose.core.errors import SilentInput
from transpose.core.transform import transform
from transpose.media.protein import Protein


@transform("protein.structure -> protein.sequence", verb=True, loses=["shape", "metadata"])
def protein_sequence(protein: Protein, ctx: Context) -> Protein:
    """Keep the polymers' residues, also those that the structure says but shows no atom of; ligands and water go.

    Raises SilentInput where there is no polymer.
    """
    result = protein.without_places()
    if not result.chains:
        raise SilentInput("the structure holds no polymer, so it has no sequence", "Is it a protein?")
    ctx.note("residues", sum(chain.length for chain in result.chains))
    return result
