"""Meshes, molecules and proteins: against formulas of geometry, atomic weights of another library, and round trips."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.scores.measuring import Found, error, share
from transpose.core.context import Context, Many
from transpose.evaluate.samples import _helix
from transpose.formats.pictures import read_picture, write_png
from transpose.formats.proteins import read_structure
from transpose.media.image import Image
from transpose.media.mesh import Mesh
from transpose.media.molecule import Molecule, parse_line, smiles
from transpose.media.protein import Protein
from transpose.media.text import Text
from transpose.transforms.describe_mesh import describe_mesh, mesh_properties
from transpose.transforms.draw_molecule import draw_molecule, draw_molecules
from transpose.transforms.line_notation import draw_notation, read_notation, read_one_notation, spell_molecule
from transpose.transforms.molecule_3d import build
from transpose.transforms.molecule_mesh import molecule_mesh
from transpose.transforms.molecule_properties import describe_molecule, molecule_properties
from transpose.transforms.protein_mesh import protein_mesh
from transpose.transforms.protein_properties import describe_protein, protein_properties
from transpose.transforms.protein_sequence import protein_sequence
from transpose.transforms.render_mesh import render_mesh
from transpose.transforms.render_protein import render_protein
from transpose.transforms.simplify import simplify
from transpose.transforms.turntable import turn_molecule, turn_protein, turntable

LINES = Path(__file__).parents[2] / "tests" / "molecules.smi"
SEQUENCE = "GLY ILE VAL GLU GLN ALA SER LEU LYS PHE TRP ASP THR CYS ASN ARG HIS MET PRO TYR"
UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"


def _bodies() -> list[tuple[Mesh, float, float]]:
    """Meshes with the surface and the volume that geometry gives the body."""
    import trimesh

    ball, box = trimesh.creation.icosphere(5, 2.0), trimesh.creation.box((1, 2, 3))
    tube = trimesh.creation.cylinder(1.0, 4.0, sections=512)
    ring = trimesh.creation.torus(3.0, 1.0, major_sections=256, minor_sections=128)
    pi = np.pi
    told = [(ball, 16 * pi, 32 / 3 * pi), (box, 22.0, 6.0), (tube, 10 * pi, 4 * pi), (ring, 12 * pi**2, 6 * pi**2)]
    return [(Mesh(np.asarray(b.vertices), np.asarray(b.faces, np.int32)), area, volume) for b, area, volume in told]


def _molecules(count: int = 60) -> list[Molecule]:
    lines = [line for line in LINES.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return [parse_line(line) for line in lines[:: max(1, len(lines) // count)]]


def _many(values: list[Molecule]) -> Many[Molecule]:
    return Many(lambda: iter(values), len(values))


def _own(ctx: Context) -> Context:
    """A context whose recipes find what they call."""
    from transpose.core.catalog import cache_home
    from transpose.index import load_catalog

    catalog = load_catalog(cache_home())

    def call(name: str, values: tuple[object, ...], options: dict[str, object]) -> object:
        return catalog[name].function(*values, _own(ctx), **options)

    return Context(weights=ctx.weights, folder=ctx.folder, threads=1, runner=call)


def _structure(ctx: Context) -> Protein:
    path = ctx.temp(".pdb")
    path.write_text(_helix(SEQUENCE))
    found: Protein = read_structure(path, ctx)
    return found


def figures(ctx: Context) -> Found:
    """Surface and volume in the table."""
    every = []
    for mesh, area, volume in _bodies():
        row = mesh_properties(mesh, ctx).rows()[0]
        every += [abs(float(str(row["area"])) / area - 1), abs(float(str(row["volume"])) / volume - 1)]
    return error("mean relative error", every, "surface and volume of a ball, a box, a tube and a ring", "mesh")


def words_of_mesh(ctx: Context) -> Found:
    """Surface and volume in the words."""
    every = []
    for mesh, area, volume in _bodies():
        said = [float(each.replace(",", "")) for each in re.findall(r"\d[\d,]*\.?\d*", describe_mesh(mesh, ctx).text)]
        every += [float(any(abs(each / wanted - 1) < 0.005 for each in said)) for wanted in (area, volume)]
    return share(
        "share of figures within .5 %", every, "surface and volume of a ball, a box, a tube and a ring", "mesh"
    )


def thinned(ctx: Context) -> Found:
    """Surface and volume after three of four faces went."""
    import trimesh

    every = []
    for mesh, area, volume in [_bodies()[0], *_bodies()[2:]]:
        made = simplify(mesh, ctx, share=0.25)
        body = trimesh.Trimesh(made.vertices, made.faces, process=False)
        every += [abs(body.area / area - 1), abs(body.volume / volume - 1)]
    return error(
        "mean relative error",
        every,
        "surface and volume of a ball, a tube and a ring with a quarter of the faces",
        "mesh",
    )


def _roundness(pixels: np.ndarray) -> float:
    """IoU of what is drawn with the disc of its own middle and area."""
    drawn = pixels[..., 3] > 127 if pixels.shape[2] == 4 else np.abs(pixels.astype(int) - pixels[0, 0]).sum(2) > 24
    rows, columns = np.nonzero(drawn)
    high, wide = np.ogrid[: drawn.shape[0], : drawn.shape[1]]
    disc = (high - rows.mean()) ** 2 + (wide - columns.mean()) ** 2 <= drawn.sum() / np.pi
    return float((drawn & disc).sum() / (drawn | disc).sum())


def silhouette(ctx: Context) -> Found:
    """The outline of a ball from all sides is a disc."""
    ball = _bodies()[0][0]
    every = [_roundness(render_mesh(ball, ctx, azimuth=a, elevation=e).pixels) for a in (0, 70, 200) for e in (-40, 30)]
    return share("IoU with a disc", every, "a ball from 6 sides", "picture")


def turned(ctx: Context) -> Found:
    """The outline of a ball in a turning video."""
    every = [_roundness(frame) for frame in islice(turntable(_bodies()[0][0], ctx).frames(), 0, 80, 20)]
    return share("IoU with a disc", every, "4 frames of a ball that turns", "frame")


def _covered(picture: np.ndarray) -> float:
    return float((np.abs(picture.astype(int) - picture[0, 0]).sum(2) > 24).mean())


def _turns(frames: list[np.ndarray]) -> float:
    """1 where each of the frames shows something and all differ: a turn."""
    shown = [_covered(frame) > 0.02 for frame in frames]
    differ = [not np.array_equal(a, b) for a, b in zip(frames, frames[1:], strict=False)]
    return float(np.mean([*shown, *differ]))


def turned_molecule(ctx: Context) -> Found:
    """Frames of a molecule that turns show something and differ."""
    own = _own(ctx)
    every = [_turns(list(islice(turn_molecule(each, own).frames(), 0, 60, 15))) for each in _molecules(3)[:3]]
    return share("share of frames that show another side", every, "3 molecules, 4 frames each", "video")


def turned_protein(ctx: Context) -> Found:
    """The same for a protein."""
    value = _turns(list(islice(turn_protein(_structure(ctx), _own(ctx)).frames(), 0, 60, 15)))
    return Found("share of frames that show another side", value, value, "a helix of 20 residues, 4 frames", 1, "video")


def _element_weights(molecule: Molecule) -> float:
    import gemmi

    counted = molecule.rdkit().GetAtoms()
    return sum(gemmi.Element(a.GetSymbol()).weight + a.GetTotalNumHs() * gemmi.Element("H").weight for a in counted)


def weights(ctx: Context) -> Found:
    """Molecular weights against a sum of another library's atomic weights."""
    given = _molecules()
    rows = molecule_properties(_many(given), ctx).rows()
    name = next(each for each in rows[0] if "weight" in each or "mass" in each)
    every = [abs(float(str(row[name])) / _element_weights(each) - 1) for row, each in zip(rows, given, strict=True)]
    return error(
        "mean relative error of the weight", every, f"{len(given)} molecules, by Gemmi's atomic weights", "molecule"
    )


def words_of_molecule(ctx: Context) -> Found:
    """The weight in the words."""
    every = []
    for each in _molecules(30):
        said = [
            float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*\.?\d*", describe_molecule(_many([each]), ctx).text)
        ]
        every.append(float(any(abs(number / _element_weights(each) - 1) < 0.002 for number in said)))
    return share(
        "share of weights within .2 %", every, f"{len(every)} molecules, by Gemmi's atomic weights", "molecule"
    )


def spelled(ctx: Context) -> Found:
    """SMILES there and back."""
    given = _molecules()
    text = spell_molecule(_many(given), ctx)
    back = list(read_notation(Text(text.text), ctx))
    every = [float(smiles(a) == smiles(b)) for a, b in zip(given, back, strict=True)]
    return share("same SMILES", every, f"{len(given)} molecules, by spell-molecule and read-notation", "molecule")


def spelled_one(ctx: Context) -> Found:
    """One at a time."""
    given = _molecules()
    every = [float(smiles(read_one_notation(Text(smiles(each)), ctx)) == smiles(each)) for each in given]
    return share("same SMILES", every, f"{len(given)} molecules", "molecule")


def built(ctx: Context) -> Found:
    """Lengths of bonds in space against the sum of another library's covalent radii."""
    import gemmi

    every = []
    for each in _molecules(25):
        found = build(each, ctx).rdkit()
        places = found.GetConformer().GetPositions()
        for bond in found.GetBonds():
            a, b = bond.GetBeginAtom(), bond.GetEndAtom()
            if bond.GetBondTypeAsDouble() != 1.0:
                continue
            wanted = sum(gemmi.Element(atom.GetSymbol()).covalent_r for atom in (a, b))
            every.append(abs(float(np.linalg.norm(places[a.GetIdx()] - places[b.GetIdx()])) / wanted - 1))
    return error("mean relative error of single bonds", every, f"{len(every)} bonds, by Gemmi's covalent radii", "bond")


def solid(ctx: Context) -> Found:
    """Around every atom lie the corners of a ball as large as another library says that the atom is."""
    import gemmi

    every = []
    for each in _molecules(10):
        built_ = build(each, ctx).rdkit()
        corners = molecule_mesh(build(each, ctx), ctx, style="spheres").vertices
        for atom, place in zip(built_.GetAtoms(), built_.GetConformer().GetPositions(), strict=True):
            away = np.linalg.norm(corners - place, axis=1)
            every.append(float((np.abs(away - gemmi.Element(atom.GetSymbol()).vdw_r) < 0.12).sum() > 100))
    return share("share of atoms with a ball of their size", every, f"{len(every)} atoms, by Gemmi's radii", "atom")


def _kept(picture: Image, given: list[Molecule], ctx: Context) -> list[float]:
    """Whether the file of a picture names the molecules that it shows, and has ink for each."""
    path = ctx.temp(".png")
    write_png(picture, path, ctx)
    back = read_picture(path, ctx)
    said = str(back.meta.get("text:SMILES", "")).split("\n")
    inked = _covered(back.pixels[..., :3]) > 0.003
    return [float(inked and smiles(parse_line(a)) == smiles(b)) for a, b in zip(said, given, strict=True)]


KEPT = "by what the file of the picture says of itself; that the drawing shows it is RDKit's part"


def drawn(ctx: Context) -> Found:
    """One molecule a picture."""
    every = [value for each in _molecules(20) for value in _kept(draw_molecule(each, ctx), [each], ctx)]
    return share("same SMILES", every, f"{len(every)} molecules, {KEPT}", "molecule")


def drawn_together(ctx: Context) -> Found:
    """Twelve in one picture."""
    every = _kept(draw_molecules(_many(_molecules()[:12]), ctx), _molecules()[:12], ctx)
    return share("same SMILES", every, f"12 molecules in one picture, {KEPT}", "molecule")


def drawn_from_words(ctx: Context) -> Found:
    """From a line of text."""
    given = _molecules(20)
    every = [value for each in given for value in _kept(draw_notation(Text(smiles(each)), _own(ctx)), [each], ctx)]
    return share("same SMILES", every, f"{len(every)} molecules, {KEPT}", "molecule")


def residues(ctx: Context) -> Found:
    """The sequence of a structure."""
    found = protein_sequence(_structure(ctx), ctx).chains[0].sequence
    wanted = "GIVEQASLKFWDTCNRHMPY"
    value = sum(a == b for a, b in zip(found, wanted, strict=False)) / max(len(found), len(wanted))
    return Found("equal residues", value, value, "a made structure of all 20 residues", 1, "protein")


def _peptides() -> list[tuple[str, Protein]]:
    from transpose.media.protein import THREE, Chain

    draw = np.random.default_rng(1)
    letters = ["".join(draw.choice(list("ACDEFGHIKLMNPQRSTVWY"), 40)) for _ in range(9)]
    return [
        (each, Protein("p", (Chain("A", tuple(THREE[c] for c in each), len(each)),))) for each in [UBIQUITIN, *letters]
    ]


def _weight(letters: str) -> float:
    from rdkit.Chem import Descriptors, MolFromSequence

    return float(Descriptors.MolWt(MolFromSequence(letters)))


def chains(ctx: Context) -> Found:
    """Weights of chains against RDKit's, which builds them atom by atom."""
    every = []
    for letters, protein in _peptides():
        row = protein_properties(Many(lambda p=protein: [p], 1), ctx).rows()[0]
        every.append(abs(float(str(row["weight"])) / _weight(letters) - 1))
    return error(
        "mean relative error of the weight", every, "ubiquitin and 9 chains by chance, by RDKit's atoms", "protein"
    )


def words_of_protein(ctx: Context) -> Found:
    """The number of residues and the weight in the words."""
    every = []
    for letters, protein in _peptides():
        said = describe_protein(Many(lambda p=protein: [p], 1), ctx).text
        numbers = [float(n) for n in re.findall(r"\d+\.?\d*", said)]
        every += [
            float(len(letters) in numbers),
            float(any(abs(n / _weight(letters) * 1000 - 1) < 0.02 for n in numbers)),
        ]
    return share(
        "share of figures that are right", every, "residues and kDa of ubiquitin and 9 chains by chance", "figure"
    )


def ribbon(ctx: Context) -> Found:
    """Distance of the backbone from the ribbon."""
    protein = _structure(ctx)
    assert protein.atoms is not None
    corners = protein_mesh(protein, ctx).vertices
    places = [place for name, place in zip(protein.atoms.names, protein.atoms.places, strict=True) if name == "CA"]
    away = [float(np.linalg.norm(corners - place, axis=1).min()) for place in places]
    value = float(np.mean(away))
    data = f"{len(away)} residues of a made helix, whose radius is 2.3 Å; worst {max(away):.2f}"
    return Found("mean distance of the backbone in Å", value, 1 - value / 5, data, 1, "protein")


def portrait(ctx: Context) -> Found:
    """A picture of a helix is longer than it is wide, as the helix is."""
    protein = _structure(ctx)
    assert protein.atoms is not None
    pixels = render_protein(protein, _own(ctx), azimuth=0.0, elevation=0.0).pixels
    rows, columns = np.nonzero(np.abs(pixels[..., :3].astype(int) - pixels[0, 0, :3]).sum(2) > 24)
    seen = (np.ptp(rows) + 1) / (np.ptp(columns) + 1)
    spread = np.ptp(protein_mesh(protein, ctx).vertices, axis=0)
    wanted = float(spread[2] / spread[0])
    value = float(min(seen, wanted) / max(seen, wanted))
    return Found("ratio of the proportions", value, value, "a made helix of 20 residues, from the front", 1, "picture")


MEASURES = {
    "describe-mesh": words_of_mesh,
    "describe-molecule": words_of_molecule,
    "describe-protein": words_of_protein,
    "draw-molecule": drawn,
    "draw-molecules": drawn_together,
    "draw-notation": drawn_from_words,
    "mesh-properties": figures,
    "molecule-3d": built,
    "molecule-mesh": solid,
    "molecule-properties": weights,
    "protein-mesh": ribbon,
    "protein-properties": chains,
    "protein-sequence": residues,
    "read-notation": spelled,
    "read-one-notation": spelled_one,
    "render-mesh": silhouette,
    "render-protein": portrait,
    "simplify": thinned,
    "spell-molecule": spelled,
    "turn-molecule": turned_molecule,
    "turn-protein": turned_protein,
    "turntable": turned,
}
