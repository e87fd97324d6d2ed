"""Draw the structural formula of a molecule, or of several in a grid: as pixels, or as SVG."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context, Many
from transpose.core.errors import EmptyInput, HugeInput, OptionError
from transpose.core.transform import Range, transform
from transpose.media.image import Image
from transpose.media.molecule import Molecule, reporting, smiles

if TYPE_CHECKING:
    from rdkit.Chem import Mol
    from rdkit.Chem.Draw.rdMolDraw2D import MolDraw2D

MOST = 200  # in one grid
Palette = Literal["colour", "black"]


@transform("molecule -> image.molecule", loses=["shape", "exactness"], needs=["rdkit"], extra="science")
def draw_molecule(
    molecule: Molecule,
    ctx: Context,
    *,
    bond: Annotated[int, Range(10, 300), "pixels of a bond of usual length"] = 60,
    palette: Annotated[Palette, "colour the elements, or all black"] = "colour",
    highlight: Annotated[str, "a pattern (SMARTS) to mark in the drawing"] = "",
    name: Annotated[bool, "write the name below, where it has one"] = True,
) -> Image:
    """Draw the structural formula on white, as large as the molecule needs; the SMILES goes into the text field.

    A molecule in space is laid out flat anew, without its plain hydrogens. Raises HugeInput where the drawing would be
    wider than 8,000 pixels, OptionError for a pattern that is none.
    """
    return _pixels([molecule], 1, bond, palette, highlight, name)


@transform("molecules -> image.molecule", loses=["shape", "exactness"], needs=["rdkit"], extra="science")
def draw_molecules(
    molecules: Many[Molecule],
    ctx: Context,
    *,
    columns: Annotated[int, Range(0, 20), "of the grid; 0: as many as look right"] = 0,
    bond: Annotated[int, Range(10, 300), "pixels of a bond of usual length, in a drawing of its own"] = 45,
    palette: Annotated[Palette, "colour the elements, or all black"] = "colour",
    highlight: Annotated[str, "a pattern (SMARTS) to mark in the drawings"] = "",
) -> Image:
    """Draw structural formulas on white, several in a grid with their names; at most 200."""
    return _pixels(molecules, columns, bond, palette, highlight, True)


@transform(
    "molecules -> .svg", name="write-molecule-svg", loses=["shape", "exactness"], needs=["rdkit"], extra="science"
)
def write_svg(
    molecules: Many[Molecule],
    path: Path,
    ctx: Context,
    *,
    columns: Annotated[int, Range(0, 20), "of the grid; 0: as many as look right"] = 0,
    bond: Annotated[int, Range(10, 300), "pixels of a bond of usual length, in a drawing of its own"] = 45,
    palette: Annotated[Palette, "colour the elements, or all black"] = "colour",
    highlight: Annotated[str, "a pattern (SMARTS) to mark in the drawings"] = "",
) -> None:
    """Draw structural formulas as lines that stay sharp at any size, several in a grid; at most 200."""
    drawn = _drawn(molecules, columns, bond, palette, highlight, True, vector=True)
    text = drawn if isinstance(drawn, str) else drawn.decode()
    if ctx.history:
        kept = ctx.history.replace("&", "&amp;").replace("<", "&lt;")
        text = text.replace("<!-- END OF HEADER -->", f"<metadata>{kept}</metadata>", 1)
    path.write_bytes(text.encode("ascii", "xmlcharrefreplace"))  # its head says ISO 8859-1


def _pixels(
    molecules: Iterable[Molecule] | Molecule, columns: int, bond: int, palette: str, highlight: str, name: bool
) -> Image:
    import io

    import numpy as np
    import PIL.Image

    listed = _listed(molecules)
    drawn = _drawn(listed, columns, bond, palette, highlight, name, vector=False)
    assert isinstance(drawn, bytes)
    with PIL.Image.open(io.BytesIO(drawn), formats=["PNG"]) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    codes = "\n".join(smiles(each) for each in listed)
    return Image(np.ascontiguousarray(pixels), {"text:SMILES": codes})


def _listed(molecules: Iterable[Molecule] | Molecule) -> list[Molecule]:
    listed = [molecules] if isinstance(molecules, Molecule) else list(molecules)
    if not listed:
        raise EmptyInput("there is no molecule to draw")
    if len(listed) > MOST:
        raise HugeInput(f"{len(listed)} molecules are too many for one drawing", "Draw a file each: OUT/ --to .png")
    return listed


def _drawn(
    molecules: Iterable[Molecule] | Molecule,
    columns: int,
    bond: int,
    palette: str,
    highlight: str,
    name: bool,
    *,
    vector: bool,
) -> bytes | str:
    """A PNG or SVG with every molecule."""
    listed = _listed(molecules)
    with reporting("the molecule"):
        flat = [_flat(each) for each in listed]
        marked = [_matches(each, highlight) for each in flat]
        legends = [each.name if name else "" for each in listed]
        if len(flat) == 1:
            width, height = _extent(flat[0], bond, bool(legends[0]))
            canvas = _canvas((width, height), None, palette, bond, vector)
            canvas.DrawMolecule(flat[0], legend=legends[0], highlightAtoms=marked[0])
        else:
            across = min(len(flat), columns or max(1, round((1.4 * len(flat)) ** 0.5)))
            down = -(-len(flat) // across)
            cell = (round(bond * 7.5), round(bond * 6))
            canvas = _canvas((cell[0] * across, cell[1] * down), cell, palette, bond, vector)
            canvas.DrawMolecules(flat, legends=legends, highlightAtoms=marked)
        canvas.FinishDrawing()
        result: bytes | str = canvas.GetDrawingText()
    return result


def _canvas(size: tuple[int, int], cell: tuple[int, int] | None, palette: str, bond: int, vector: bool) -> MolDraw2D:
    from rdkit.Chem.Draw import rdMolDraw2D

    if max(size) > 8000:
        raise HugeInput(f"a drawing of {size[0]} x {size[1]} pixels is too large", "Make bonds shorter: -o bond=20")
    kind = rdMolDraw2D.MolDraw2DSVG if vector else rdMolDraw2D.MolDraw2DCairo
    canvas = kind(*size, *(cell or ()))
    options = canvas.drawOptions()
    if palette == "black":
        options.useBWAtomPalette()
    wanted = {
        "fixedBondLength": bond,
        "bondLineWidth": max(1.5, bond / 22),
        "scaleBondWidth": False,
        "drawMolsSameScale": False,
        "minFontSize": 8,
        "maxFontSize": round(bond * 0.42),
        "legendFontSize": max(14, round(bond * 0.36)),
        "legendFraction": 0.12,
        "padding": 0.06,
        "highlightRadius": 0.35,
    }
    for name, value in wanted.items():
        setattr(options, name, value)
    return canvas


def _flat(molecule: Molecule) -> Mol:
    """The molecule as a chemist draws it: plain hydrogens implied, rings whole, the longer side lying down."""
    from rdkit import Chem
    from rdkit.Chem import rdDepictor
    from rdkit.Chem.Draw import rdMolDraw2D

    mol = Chem.RemoveHs(molecule.rdkit())
    if molecule.spatial:
        mol.RemoveAllConformers()
        rdDepictor.Compute2DCoords(mol)
    rdDepictor.NormalizeDepiction(mol)
    rdDepictor.StraightenDepiction(mol)
    return rdMolDraw2D.PrepareMolForDrawing(mol, kekulize=True, addChiralHs=False)


def _extent(mol: Mol, bond: int, legend: bool) -> tuple[int, int]:
    """Pixels that the drawing needs: its own extent, room for letters, and for the name."""
    places = mol.GetConformer().GetPositions()[:, :2]
    across, down = (places.max(0) - places.min(0)) / 1.5 * bond
    width, height = across + 2.6 * bond, down + 2.2 * bond
    if legend:
        height = height / 0.88 + 0.2 * bond
    return max(240, round(width)), max(200, round(height))


def _matches(mol: Mol, pattern: str) -> list[int]:
    from rdkit import Chem

    if not pattern:
        return []
    wanted = Chem.MolFromSmarts(pattern)
    if wanted is None:
        raise OptionError(f"option highlight={pattern!r} is no SMARTS pattern", "As in: -o highlight='C(=O)[OH]'")
    return sorted({atom for match in mol.GetSubstructMatches(wanted) for atom in match})
