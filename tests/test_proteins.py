"""Proteins: store, FASTA, PDB and mmCIF made here by a formula; sequences, figures, ribbons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transpose.core.context import Context, Many
from transpose.core.errors import DamagedInput, EmptyInput, InputError, MislabelledInput, OutputError, SilentInput
from transpose.media.protein import THREE, Atoms, Chain, Protein, load, save

pytest.importorskip("gemmi")
pytest.importorskip("pyarrow")

from transpose.formats.proteins import read_fasta, read_structure, write_fasta, write_mmcif, write_pdb
from transpose.transforms.protein_mesh import protein_mesh
from transpose.transforms.protein_properties import describe_protein, isoelectric_point, protein_properties
from transpose.transforms.protein_sequence import protein_sequence

HISTORY = '{"transpose":1}'
UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
LYSOZYME = (
    "KVFGRCELAAAMKRHGLDNYRGYSLGNWVCAAKFESNFNTQATNRNTDGSTDYGILQINSRWWCNDGRTPGSRNLCNIPCSALLSSDITASVNCAKKIVSDGNG"
    "MNAWVAWRNRCKGTDVQAWIRGCRL"
)


def sequence(letters: str, name: str = "p") -> Protein:
    return Protein(name, (Chain("A", tuple(THREE[each] for each in letters), len(letters)),))


def backbone(chain: str, count: int, fold: str, shift: float = 0, serial: int = 1) -> list[str]:
    """Atom lines of an ideal helix or strand: N, CA, C, O of alanines and friends."""
    names, lines = ["ALA", "GLY", "SER", "LEU"], []
    helix = (("N", 1.55, -0.9, -28), ("CA", 2.3, 0.0, 0), ("C", 1.7, 1.1, 26), ("O", 2.0, 2.2, 24))
    strand = (("N", 0.4, -1.2, 180), ("CA", 0.9, 0.0, 0), ("C", 0.4, 1.3, 0), ("O", 1.5, 1.5, 20))
    for number in range(count):
        for name, radius, along, turn in helix if fold == "helix" else strand:
            angle = np.radians((100 if fold == "helix" else 180) * number + turn)
            z = (1.5 if fold == "helix" else 3.4) * number + along
            x, y = radius * np.cos(angle) + shift, radius * np.sin(angle)
            head = f"ATOM  {serial:5d}  {name:<3s} {names[number % 4]} {chain}{number + 1:4d}    "
            lines.append(f"{head}{x:8.3f}{y:8.3f}{z:8.3f}  1.00{number + 10:6.2f}          {name[0]:>2s}")
            serial += 1
    return lines


def pdb(path: Path, *more: str) -> Path:
    """A helix with two residues that no atom was seen of, a strand, a zinc and a water."""
    residues = ["MET", *["ALA", "GLY", "SER", "LEU"] * 5, "TRP"]
    head = ["HEADER    HYDROLASE                               01-JAN-00   1ABC", "TITLE     MADE BY A FORMULA"]
    rows = (residues[:13], residues[13:])
    head += [f"SEQRES {row:3d} A   22  {' '.join(part)}" for row, part in enumerate(rows, 1)]
    lines = [*backbone("A", 20, "helix"), "TER", *backbone("B", 9, "strand", 12, 200), "TER"]
    zinc = "HETATM  400 ZN    ZN A 101       6.000   5.000   5.000  0.50 30.00          ZN2+"
    water = "HETATM  401  O   HOH A 201       9.000   9.000   9.000  1.00 40.00           O"
    path.write_text("\n".join([*head, *lines, zinc, water, *more, "END"]) + "\n")
    return path


def test_structure(tmp_path: Path) -> None:
    ctx = Context()
    found = read_structure(pdb(tmp_path / "a.pdb"), ctx)
    assert (found.name, found.title) == ("1ABC", "MADE BY A FORMULA")
    first, second = found.chains
    assert first.sequence == "M" + "AGSL" * 5 + "W"
    assert first.residues[22:] == ("ZN", "HOH")
    assert (first.numbers[0], first.numbers[1], first.numbers[22]) == ("", "1", "101")
    assert second.sequence == "AGSLAGSLA"
    assert found.atoms is not None
    assert len(found.atoms) == 29 * 4 + 2
    zinc = found.atoms.elements.index("Zn")
    assert (found.atoms.charges[zinc], found.atoms.occupancy[zinc]) == (2, 0.5)
    assert found.atoms.places[zinc].tolist() == [6, 5, 5]
    assert not ctx.warnings


@pytest.mark.parametrize("suffix", [".pdb", ".cif"])
def test_structures_survive_files(tmp_path: Path, suffix: str) -> None:
    found = read_structure(pdb(tmp_path / "a.pdb"), Context())
    path = tmp_path / f"b{suffix}"
    (write_pdb if suffix == ".pdb" else write_mmcif)(found, path, Context(history=HISTORY))
    again = read_structure(path, Context())
    assert again.chains == found.chains
    assert again.atoms == found.atoms
    assert again.title == found.title
    if suffix == ".cif":
        assert again.name == found.name
        assert HISTORY in path.read_text()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_random_structures_survive_mmcif(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("cif")
    letters = data.draw(st.text("ACDEFGHIKLMNPQRSTVWY", min_size=2, max_size=12))
    places = data.draw(
        st.lists(st.tuples(*[st.integers(-99_999, 99_999)] * 3), min_size=len(letters), max_size=len(letters))
    )
    count = len(letters)
    atoms = Atoms(
        names=("CA",) * count,
        elements=("C",) * count,
        residue=np.arange(count, dtype=np.int32),
        places=np.array(places, np.float64) / 1000,
        occupancy=np.full(count, 0.5, np.float32),
        temperature=np.arange(count, dtype=np.float32),
        alternatives=("",) * count,
        charges=np.zeros(count, np.int8),
    )
    numbers = tuple(str(each + 1) for each in range(count))
    value = Protein("X", (Chain("A", tuple(THREE[each] for each in letters), count, "protein", numbers),), atoms, "")
    write_mmcif(value, folder / "a.cif", Context())
    again = read_structure(folder / "a.cif", Context())
    assert again.chains == value.chains
    assert again.atoms is not None
    assert np.abs(again.atoms.places - atoms.places).max() < 1e-5
    save(value, folder / "a.npz")
    assert load(folder / "a.npz") == value
    assert load(folder / "a.npz") != again or again == value


names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(names, st.text("ACDEFGHIKLMNPQRSTVWYX", min_size=1, max_size=150)), min_size=1, max_size=4))
def test_sequences_survive_fasta(tmp_path_factory: pytest.TempPathFactory, records: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.mktemp("fasta") / "a.fasta"
    before = [sequence(letters, name) for name, letters in records]
    write_fasta(Many(lambda: before, len(before)), path, Context())
    found = list(read_fasta(path, Context()))
    assert [each.name for each in found] == [name for name, _ in records]
    kept = [each.chains[0] for each in found]
    assert [each.sequence for each in kept if each.polymer == "protein"] == [
        letters for (_, letters), each in zip(records, kept, strict=True) if each.polymer == "protein"
    ]
    save(found[0], path.with_suffix(".npz"))
    assert load(path.with_suffix(".npz")) == found[0]


def test_fasta_as_it_is_met(tmp_path: Path) -> None:
    path = tmp_path / "a.fa"
    path.write_text(
        ">sp|P0CG48|UBC Ubiquitin\nmqif-vk\r\nTLTG*\n\n>dna\n" + "ACGT" * 9 + "\n>rna\n" + "ACGU" * 9 + "\n"
    )
    ctx = Context()
    one, two, three = read_fasta(path, ctx)
    assert (one.name, one.chains[0].sequence, one.chains[0].description) == ("sp|P0CG48|UBC", "MQIFVKTLTG", "Ubiquitin")
    assert (two.chains[0].polymer, three.chains[0].polymer) == ("dna", "rna")
    assert two.chains[0].sequence == "ACGT" * 9
    assert len(ctx.warnings) == 3


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("a.fasta", "MQIFVK\n", MislabelledInput),
        ("a.fasta", ">a\n", EmptyInput),
        ("a.fasta", ">a\nMQ1FVK\n", DamagedInput),
        ("a.fasta", "\n\n", EmptyInput),
        ("a.pdb", "Dear reader,\nthis is no protein.\n", SilentInput),
        ("a.pdb", ">a\nMQIF\n", MislabelledInput),
        ("a.cif", "data_x\nloop_\n_atom_site.id\n", InputError),
        ("a.cif", "data_x\n_cell.length_a 1\n", SilentInput),
        ("a.cif", "no data", DamagedInput),
        ("a.cif", "data_a\n_x.y 1\ndata_b\n_x.y 1\n", DamagedInput),
    ],
)
def test_hostile_files(tmp_path: Path, name: str, text: str, error: type[Exception]) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(error, match="'a"):
        (read_fasta if name.endswith("fasta") else read_structure)(tmp_path / name, Context())


def test_places_that_are_no_numbers(tmp_path: Path) -> None:
    path = pdb(tmp_path / "a.pdb")
    good = path.read_text()
    for bad in ("     nan", "     inf", "abcdefgh", " 9.9e+99"):
        path.write_text(good.replace("   6.000", bad, 1))
        try:
            found = read_structure(path, Context())
        except DamagedInput:
            continue
        assert found.atoms is not None
        assert np.isfinite(found.atoms.places).all()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 20_000), st.text(st.characters(max_codepoint=126), min_size=1, max_size=9), st.booleans())
def test_broken_files_never_escape(
    tmp_path_factory: pytest.TempPathFactory, place: int, junk: str, binary: bool
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    path = pdb(folder / "a.pdb")
    if binary:
        write_mmcif(read_structure(path, Context()), folder / "a.cif", Context())
        path = folder / "a.cif"
    text = path.read_text()
    place %= len(text)
    path.write_text(text[:place] + junk + text[place + len(junk) :])
    try:
        found = read_structure(path, Context())
        write_mmcif(found, folder / "b.cif", Context())
    except InputError:
        return


def test_several_models_and_alternatives(tmp_path: Path) -> None:
    path = tmp_path / "a.pdb"
    atom = "ATOM  {:5d}  CA {}ALA A   1    {:8.3f}   0.000   0.000  0.50 10.00           C"
    model = [atom.format(1, "A", 1.0), atom.format(2, "B", 2.0)]
    path.write_text("\n".join(["MODEL        1", *model, "ENDMDL", "MODEL        2", *model, "ENDMDL", "END"]))
    ctx = Context()
    found = read_structure(path, ctx)
    assert "2 models" in ctx.warnings[0]
    assert found.atoms is not None
    assert found.atoms.alternatives == ("A", "B")


def test_sequence_of_a_structure(tmp_path: Path) -> None:
    found = read_structure(pdb(tmp_path / "a.pdb"), Context())
    bare = protein_sequence(found, Context())
    assert bare.atoms is None
    assert [each.sequence for each in bare.chains] == ["M" + "AGSL" * 5 + "W", "AGSLAGSLA"]
    write_fasta(Many(lambda: [found], 1), tmp_path / "a.fasta", Context())
    assert [each.name for each in read_fasta(tmp_path / "a.fasta", Context())] == ["1ABC_A", "1ABC_B"]
    with pytest.raises(OutputError):
        write_pdb(bare, tmp_path / "b.pdb", Context())


def test_figures_are_those_of_the_literature() -> None:
    rows = protein_properties(Many(lambda: [sequence(UBIQUITIN), sequence(LYSOZYME)], 2), Context()).rows()
    ubiquitin, lysozyme = rows
    assert ubiquitin["weight"] == pytest.approx(8564.8, abs=0.1)
    assert ubiquitin["isoelectric point"] == pytest.approx(6.56, abs=0.02)
    assert lysozyme["weight"] == pytest.approx(14313.1, abs=0.1)
    assert lysozyme["isoelectric point"] == pytest.approx(9.32, abs=0.02)
    assert lysozyme["extinction"] == 37970
    assert sum(float(str(ubiquitin[f"{each} %"])) for each in "ACDEFGHIKLMNPQRSTVWY") == pytest.approx(100, abs=0.1)
    assert isoelectric_point("DDDD") < 4 < 10 < isoelectric_point("KKKK")


def test_words(tmp_path: Path) -> None:
    said = describe_protein(Many(lambda: [sequence(LYSOZYME, "lysozyme")], 1), Context()).text
    assert "lysozyme is a protein of 129 residues and weighs 14.3 kDa" in said
    assert "basic" in said
    said = describe_protein(Many(lambda: [read_structure(pdb(tmp_path / "a.pdb"), Context())], 1), Context()).text
    assert "2 chains with 118 atoms" in said
    assert "ZN" in said
    assert "Chain B is a protein of 9 residues" in said
    with pytest.raises(SilentInput):
        describe_protein(Many(lambda: [Protein("x", ())], 1), Context())


def test_ribbon(tmp_path: Path) -> None:
    found = read_structure(pdb(tmp_path / "a.pdb"), Context())
    ribbon = protein_mesh(found, Context(), colour="fold")
    assert ribbon.colours is not None
    shades = {tuple(each) for each in ribbon.colours[:, :3].tolist()}
    assert {(0xE0, 0x44, 0x7C), (0xF2, 0xC2, 0x30)} <= shades  # a helix and a strand were found
    assert np.abs(ribbon.vertices[:, 2]).max() < 40
    without = protein_mesh(found, Context(), ligands=False)
    assert len(ribbon.faces) - len(without.faces) == 320  # one zinc; no water
    assert (
        len({tuple(each) for each in protein_mesh(found, Context(), colour="chain", ligands=False).colours.tolist()})
        == 2
    )
    assert len(protein_mesh(found, Context(), steps=2).faces) < len(ribbon.faces)
    with pytest.raises(SilentInput):
        protein_mesh(sequence("AAAA"), Context())


def test_picture(tmp_path: Path) -> None:
    from transpose.transforms.render_mesh import render_mesh
    from transpose.transforms.render_protein import render_protein

    steps = {"protein-mesh": protein_mesh, "render-mesh": render_mesh}
    ctx = Context(runner=lambda name, values, options: steps[name](*values, Context(), **options))
    found = read_structure(pdb(tmp_path / "a.pdb"), Context())
    picture = render_protein(found, ctx, width=120, height=90)
    assert picture.pixels.shape == (90, 120, 3)
    assert (picture.pixels.min(2) < 200).mean() > 0.05


def test_a_gap_breaks_the_ribbon(tmp_path: Path) -> None:
    from transpose.transforms.describe_mesh import measure

    path = pdb(tmp_path / "a.pdb")
    whole = measure(protein_mesh(read_structure(path, Context()), Context(), ligands=False))
    lines = [line for line in path.read_text().split("\n") if " A  10 " not in line]
    path.write_text("\n".join(lines))
    broken = measure(protein_mesh(read_structure(path, Context()), Context(), ligands=False))
    assert (whole["parts"], broken["parts"]) == (2, 3)
    assert whole["closed"]
