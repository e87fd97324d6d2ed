"""Molecules as text in line notation, and back or drawn: SMILES or InChI, one molecule a line."""

from __future__ import annotations

from typing import Annotated, Literal

from transpose.core.context import Context, Many
from transpose.core.errors import EmptyInput, HugeInput, TransformError
from transpose.core.transform import transform
from transpose.media.image import Image
from transpose.media.molecule import Molecule, inchi, parse_line, smiles
from transpose.media.text import Text

MOST = 100_000  # lines


@transform("molecules -> text.smiles", verb=True, loses=["shape", "metadata"], needs=["rdkit"], extra="science")
def spell_molecule(
    molecules: Many[Molecule], ctx: Context, *, notation: Annotated[Literal["smiles", "inchi"], "which one"] = "smiles"
) -> Text:
    """Write each molecule on a line of its own: canonical SMILES, or standard InChI. Names are not kept."""
    listed = [molecules] if isinstance(molecules, Molecule) else list(molecules)
    if not listed:
        raise EmptyInput("there is no molecule to write")
    lines = []
    for each in listed:
        lines.append(smiles(each) if notation == "smiles" else inchi(each))
        if not lines[-1]:
            raise TransformError(f"{each.name or smiles(each)!r} has no InChI", "Use -o notation=smiles")
    return Text("\n".join(lines))


@transform("text.smiles -> molecules", needs=["rdkit"], extra="science")
def read_notation(text: Text, ctx: Context) -> Many[Molecule]:
    """Every line of a text as a molecule: SMILES or InChI, then its name where it has one.

    Raises DamagedInput for a line that is none, EmptyInput and HugeInput (more than 100,000 lines).
    """
    lines = [line for line in text.text.split("\n") if line.strip()]
    if not lines:
        raise EmptyInput("the text holds no molecule", "Write one a line, as SMILES or InChI: CCO ethanol")
    if len(lines) > MOST:
        raise HugeInput(f"{len(lines):,} lines are more than {MOST:,}", "Make a .smi file of them")
    for line in lines:
        parse_line(line)
    return Many(lambda: map(parse_line, lines), len(lines))


@transform("text.smiles -> molecule", loses=["detail"], needs=["rdkit"], extra="science")
def read_one_notation(text: Text, ctx: Context) -> Molecule:
    """The molecule of the first line of a text, with a warning where there are more.

    Raises DamagedInput and EmptyInput.
    """
    lines = [line for line in text.text.split("\n") if line.strip()]
    if not lines:
        raise EmptyInput("the text holds no molecule", "Write it as SMILES or InChI: CCO ethanol")
    if len(lines) > 1:
        ctx.warn(f"the text holds {len(lines)} molecules: only the first is taken")
    return parse_line(lines[0])


@transform(
    "text.smiles -> image.molecule",
    loses=["shape", "exactness"],
    needs=["rdkit"],
    extra="science",
    uses=["read-notation", "draw-molecule", "draw-molecules"],
)
def draw_notation(text: Text, ctx: Context) -> Image:
    """Draw the molecules that a text spells: one as large as it needs, several in a grid.

    Raises what `read-notation` and `draw-molecules` do.
    """
    found: Many[Molecule] = ctx.call("read-notation", text)
    alone = found.length == 1
    picture: Image = ctx.call("draw-molecule", next(iter(found))) if alone else ctx.call("draw-molecules", found)
    return picture
