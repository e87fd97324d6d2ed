"""Molecules: store, files, drawings, places in space, figures, words; every one of 200 survives every format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transpose.core.context import Context, Many
from transpose.core.errors import DamagedInput, EmptyInput, HugeInput, InputError, MislabelledInput, OptionError

pytest.importorskip("rdkit")
pytest.importorskip("pyarrow")

from transpose.formats.molecules import (
    read_molecule,
    read_molecule_lines,
    read_one_molecule,
    read_sdf,
    write_inchi,
    write_mol,
    write_sdf,
    write_smiles,
    write_xyz,
)
from transpose.media.molecule import Molecule, inchi, load, parse_block, parse_line, save, smiles
from transpose.media.text import Text
from transpose.transforms.draw_molecule import draw_molecule, draw_molecules, write_svg
from transpose.transforms.line_notation import draw_notation, read_notation, spell_molecule
from transpose.transforms.molecule_3d import build
from transpose.transforms.molecule_mesh import molecule_mesh
from transpose.transforms.molecule_properties import describe_molecule, molecule_properties

LIST = Path(__file__).parent / "molecules.smi"
LINES = [line for line in LIST.read_text().split("\n") if line and not line.startswith("#")]
HISTORY = '{"transpose":1}'
words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


def many(*values: Molecule) -> Many[Molecule]:
    return Many(lambda: values, len(values))


def building() -> Context:
    """A Context in which a recipe can call molecule-3d."""
    return Context(runner=lambda name, values, options: build(*values, Context(), **options))


def test_two_hundred_are_what_rdkit_reads() -> None:
    from rdkit import Chem

    assert len(LINES) >= 200
    for line in LINES:
        code, _, name = line.partition("\t")
        found = parse_line(line)
        assert smiles(found) == Chem.MolToSmiles(Chem.MolFromSmiles(code)), line
        assert found.name == name
        assert not found.spatial


@pytest.mark.parametrize("suffix", [".smi", ".sdf", ".inchi"])
def test_files_of_many_keep_every_molecule(tmp_path: Path, suffix: str) -> None:
    ctx = Context(history=HISTORY)
    before = read_molecule_lines(LIST, ctx)
    assert not ctx.warnings
    path = tmp_path / f"a{suffix}"
    {".smi": write_smiles, ".sdf": write_sdf, ".inchi": write_inchi}[suffix](before, path, ctx)
    again = (read_sdf if suffix == ".sdf" else read_molecule_lines)(path, ctx)
    assert again.length == before.length == len(LINES)
    for line, old, new in zip(LINES, before, again, strict=True):
        assert new.name == old.name
        if suffix == ".inchi":
            assert inchi(new) == inchi(old), line
        else:
            assert smiles(new) == smiles(old), line
        if suffix == ".sdf":
            assert new == old, line
    assert not ctx.warnings


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(LINES), st.dictionaries(words, words, max_size=3))
def test_store(tmp_path_factory: pytest.TempPathFactory, line: str, fields: dict[str, str]) -> None:
    path = tmp_path_factory.mktemp("store") / "a.json"
    value = Molecule(parse_line(line).block, fields)
    save(value, path)
    assert load(path) == value
    assert load(path) != Molecule(value.block + " ", fields)  # the control


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(LINES),
    st.dictionaries(
        st.text("abcXYZ_ 019", min_size=1).filter(lambda name: name.strip() == name), st.text("ab 1.\n$>", max_size=12)
    ),
)
def test_data_fields_of_an_sd_file(tmp_path_factory: pytest.TempPathFactory, line: str, fields: dict[str, str]) -> None:
    path = tmp_path_factory.mktemp("sdf") / "a.sdf"
    write_sdf(many(Molecule(parse_line(line).block, fields), parse_line("C")), path, Context(history=HISTORY))
    found = list(read_sdf(path, Context()))
    assert len(found) == 2
    assert list(found[0].properties) == list(fields)
    for name, value in fields.items():
        kept = [each.strip() for each in value.split("\n") if each.strip()]
        assert [each.strip() for each in found[0].properties[name].split("\n") if each.strip()] == kept


def test_random_spellings_are_one_molecule() -> None:
    from rdkit import Chem

    for line in LINES[::5]:
        mol = Chem.MolFromSmiles(line.split("\t")[0])
        other = Chem.MolToSmiles(mol, doRandom=True)
        assert smiles(parse_line(other)) == smiles(parse_line(line))
    assert smiles(parse_line("C[C@H](N)C(=O)O")) != smiles(parse_line("C[C@@H](N)C(=O)O"))  # the control
    assert smiles(parse_line("C/C=C/C")) != smiles(parse_line("C/C=C\\C"))


def test_places_in_space_keep_the_molecule(tmp_path: Path) -> None:
    for line in ("C[C@H](N)C(=O)O\talanine", "C/C=C\\C\tbutene", "CC(=O)Oc1ccccc1C(=O)O\taspirin"):
        flat = parse_line(line)
        ctx = Context(seed=3)
        solid = build(flat, ctx)
        assert solid.spatial
        assert solid.name == flat.name
        assert smiles(solid) == smiles(flat)
        assert build(flat, Context(seed=3)) == solid
        write_mol(solid, tmp_path / "a.mol", ctx)
        assert read_molecule(tmp_path / "a.mol", ctx) == solid
        write_xyz(solid, tmp_path / "a.xyz", ctx)
        again = read_molecule(tmp_path / "a.xyz", ctx)
        assert smiles(again) == smiles(flat)
        assert again.name == flat.name
        positions = [each.rdkit().GetConformer().GetPositions() for each in (again, solid)]
        assert np.abs(positions[0] - positions[1]).max() < 1e-4


def test_bond_lengths_are_those_of_nature() -> None:
    mol = build(parse_line("CC"), Context()).rdkit()
    places = mol.GetConformer().GetPositions()
    assert abs(np.linalg.norm(places[0] - places[1]) - 1.53) < 0.03
    assert mol.GetNumAtoms() == 8


def test_xyz_of_a_flat_molecule_is_built_first(tmp_path: Path) -> None:
    ctx = building()
    write_xyz(parse_line("CCO ethanol"), tmp_path / "a.xyz", ctx)
    assert ctx.warnings
    lines = (tmp_path / "a.xyz").read_text().split("\n")
    assert lines[:2] == ["9", "ethanol"]


def test_one_of_many(tmp_path: Path) -> None:
    ctx = Context()
    assert read_one_molecule(LIST, ctx).name == "methane"
    assert f"{len(LINES)} molecules" in ctx.warnings[0]
    quiet = Context()
    assert read_one_molecule(LIST, quiet, number=3).name == "propane"
    assert not quiet.warnings
    with pytest.raises(OptionError):
        read_one_molecule(LIST, Context(), number=9999)


def test_what_is_no_molecule_is_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "a.smi"
    path.write_text("smiles name\nCCO ethanol\nC(C)(C)(C)(C)C impossible\nnonsense\nCC\n")
    ctx = Context()
    assert [each.name for each in read_molecule_lines(path, ctx)] == ["ethanol", ""]
    assert "2 of 4" in ctx.warnings[0]
    assert "line 3" in ctx.warnings[0]
    path.write_text("C(C)(C)(C)(C)C\n")
    with pytest.raises(DamagedInput, match=r"line 1.*valence"):
        read_molecule_lines(path, Context())


BLOCK = parse_line("CC(=O)O acetic acid").block


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("a.mol", "\n\n\n999999 999999  0  0  0  0            999 V2000\n", DamagedInput),
        ("a.mol", BLOCK.replace("COUNTS 4 3", "COUNTS 99999999 3"), InputError),
        ("a.mol", BLOCK[: len(BLOCK) // 2], DamagedInput),
        ("a.mol", BLOCK.replace(" C ", " Xx "), DamagedInput),
        ("a.mol", "Dear reader,\nthis is no molecule.\n", DamagedInput),
        ("a.sdf", "x" * 1000, DamagedInput),
        ("a.smi", "\n\n", EmptyInput),
        ("a.smi", "C" * 100_001, DamagedInput),
        ("a.smi", "(" * 50_000, DamagedInput),
        ("a.smi", "C" * 5_000, DamagedInput),
        ("a.inchi", "InChI=1S/C9999999/x", DamagedInput),
        ("a.xyz", "3\n\nO 0 0 0\n", DamagedInput),
        ("a.xyz", "2\n\nO nan 0 0\nO 1 inf 0\n", DamagedInput),
        ("a.xyz", "99999999999\n\n", DamagedInput),
        ("a.xyz", "1000\n\n" + "C 0 0 0\n" * 1000, HugeInput),
        ("a.xyz", "2\n\nC 0 0 0\nC 0 0 0\n", InputError),
        ("a.mol2", "@<TRIPOS>MOLECULE\n", DamagedInput),
    ],
)
def test_hostile_files(tmp_path: Path, name: str, text: str, error: type[Exception]) -> None:
    path = tmp_path / name
    path.write_text(text)
    reader = {".sdf": read_sdf, ".smi": read_molecule_lines, ".inchi": read_molecule_lines}.get(path.suffix)
    with pytest.raises(error, match=path.stem):
        (reader or read_molecule)(path, Context())


def test_not_finite_places_are_refused(tmp_path: Path) -> None:
    solid = build(parse_line("CC"), Context())
    rows = solid.block.split("\n")
    at = next(number for number, row in enumerate(rows) if row.startswith("M  V30 1 C"))
    parts = rows[at].split()
    for bad in ("nan", "inf", "1e999"):
        rows[at] = " ".join([*parts[:4], bad, *parts[5:]])
        (tmp_path / "a.mol").write_text("\n".join(rows))
        with pytest.raises(DamagedInput):
            read_molecule(tmp_path / "a.mol", Context())


def test_binary_is_no_molecule(tmp_path: Path) -> None:
    (tmp_path / "a.mol").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(90))
    with pytest.raises(MislabelledInput):
        read_molecule(tmp_path / "a.mol", Context())
    (tmp_path / "b.sdf").write_bytes(b"")
    with pytest.raises(EmptyInput):
        read_sdf(tmp_path / "b.sdf", Context())


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.text(min_size=1, max_size=6))
def test_broken_blocks_never_escape(place: int, junk: str) -> None:
    place %= len(BLOCK)
    text = BLOCK[:place] + junk + BLOCK[place + len(junk) :]
    try:
        parse_block(text)
    except InputError:
        return


def test_drawing() -> None:
    aspirin = parse_line("CC(=O)Oc1ccccc1C(=O)O aspirin")
    drawn = draw_molecule(aspirin, Context())
    dark = (drawn.pixels.min(2) < 128).mean()
    assert 0.005 < dark < 0.2
    assert drawn.meta["text:SMILES"] == "CC(=O)Oc1ccccc1C(=O)O"
    reds = (drawn.pixels[..., 0] > 180) & (drawn.pixels[..., 2] < 80)
    assert reds.any()
    black = draw_molecule(aspirin, Context(), palette="black")
    assert not ((black.pixels[..., 0] > 180) & (black.pixels[..., 2] < 80)).any()
    marked = draw_molecule(aspirin, Context(), highlight="C(=O)[OH]")
    assert (marked.pixels != drawn.pixels).any()
    assert draw_molecule(aspirin, Context(), bond=120).width > 1.7 * drawn.width
    with pytest.raises(OptionError):
        draw_molecule(aspirin, Context(), highlight="not a pattern((")


def test_drawing_of_many(tmp_path: Path) -> None:
    grid = draw_molecules(many(*(parse_line(line) for line in LINES[:12])), Context())
    assert str(grid.meta["text:SMILES"]).count("\n") == 11
    with pytest.raises(HugeInput):
        draw_molecules(read_molecule_lines(LIST, Context()), Context())
    with pytest.raises(EmptyInput):
        draw_molecules(many(), Context())
    write_svg(many(parse_line("CCO Ethanöl")), tmp_path / "a.svg", Context(history='{"a":"<&"}'))
    from xml.etree import ElementTree

    tree = ElementTree.parse(tmp_path / "a.svg")
    assert "path" in {each.tag.rpartition("}")[2] for each in tree.iter()}
    assert '{"a":"<&"}' in {each.text for each in tree.iter()}


def test_figures() -> None:
    table = molecule_properties(many(parse_line("CC(=O)Oc1ccccc1C(=O)O aspirin"), parse_line("O water")), Context())
    aspirin, water = table.rows()
    assert aspirin["formula"] == "C9H8O4"
    assert aspirin["weight"] == pytest.approx(180.16, abs=0.01)
    assert aspirin["InChIKey"] == "BSYNRYMUTXBXSQ-UHFFFAOYSA-N"
    assert aspirin["TPSA"] == pytest.approx(63.6)
    assert (aspirin["donors"], aspirin["rings"], aspirin["rule of five"]) == (1, 1, 0)
    assert water["weight"] == pytest.approx(18.015, abs=0.001)
    own = Molecule(parse_line("CCO").block, {"pKa": "15.9", "batch": "007", "name": "x"})
    row = molecule_properties(many(own), Context()).rows()[0]
    assert (row["pKa"], row["name (file)"]) == (15.9, "x")


def test_figures_of_all_are_there() -> None:
    table = molecule_properties(read_molecule_lines(LIST, Context()), Context())
    assert len(table) == len(LINES)
    assert all(row["formula"] and row["weight"] for row in table.rows())


def test_words() -> None:
    said = describe_molecule(many(parse_line("CC(=O)Oc1ccccc1C(=O)O aspirin")), Context())
    assert said.lang == "en"
    for part in ("C9H8O4", "180.16 g/mol", "one aromatic ring", "one carboxylic acid and one ester"):
        assert part in said.text
    assert "aldehyde" not in said.text  # the control
    assert len(describe_molecule(read_molecule_lines(LIST, Context()), Context()).text.split("\n\n")) == len(LINES)


def test_line_notation() -> None:
    text = spell_molecule(read_molecule_lines(LIST, Context()), Context())
    again = spell_molecule(read_notation(text, Context()), Context())
    assert again == text
    assert "InChI=1S/CH4/h1H4" in spell_molecule(many(parse_line("C")), Context(), notation="inchi").text
    with pytest.raises(DamagedInput):
        read_notation(Text("hello world"), Context())


def test_drawing_a_notation() -> None:
    steps = {"read-notation": read_notation, "draw-molecule": draw_molecule, "draw-molecules": draw_molecules}
    ctx = Context(runner=lambda name, values, options: steps[name](*values, Context(), **options))
    assert draw_notation(Text("CCO"), ctx) == draw_molecule(parse_line("CCO"), Context())
    assert draw_notation(Text("CCO\nCC"), ctx).meta["text:SMILES"] == "CCO\nCC"


def test_solid() -> None:
    ctx = building()
    mesh = molecule_mesh(parse_line("CC(=O)O"), ctx)
    assert "computed" in ctx.warnings[0]
    shades = {tuple(each) for each in mesh.colours[:, :3].tolist()} if mesh.colours is not None else set()
    assert len(shades) == 3  # carbon, oxygen, hydrogen
    bare = molecule_mesh(parse_line("CC(=O)O"), building(), hydrogens=False)
    assert len(bare.faces) < len(mesh.faces)
    spheres = molecule_mesh(parse_line("O"), building(), style="spheres", detail=4)
    assert np.ptp(spheres.vertices, axis=0).max() > 2.5  # van der Waals radii, in Å


def test_what_cannot_be_built() -> None:
    with pytest.raises(HugeInput):
        build(parse_line("C" * 400), Context())


@pytest.mark.parametrize("line", ["[H][H]", "N#N", "Cl", "O=C=O", "C#C", "[Na+]"])
def test_molecules_on_one_line_have_places(line: str) -> None:
    places = build(parse_line(line), Context()).rdkit().GetConformer().GetPositions()
    assert np.isfinite(places).all()
    assert np.abs(places[:, 1:]).max() < 1e-3  # along x
    assert len({tuple(place) for place in places.round(2).tolist()}) == len(places)
