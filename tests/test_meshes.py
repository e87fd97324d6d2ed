"""Meshes: store, files, pictures without a graphics card, figures; what is hostile is refused."""

from __future__ import annotations

import json
import struct
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from transpose.core.context import Context
from transpose.core.errors import (
    DamagedInput,
    EmptyInput,
    HugeInput,
    InputError,
    MislabelledInput,
    OutputError,
    SilentInput,
)
from transpose.core.transform import Transform
from transpose.media.mesh import Mesh, load, merged, same_rows, save, turned
from transpose.media.raster import View, render, surface
from transpose.media.solid import ball, joined, stick

pytest.importorskip("trimesh")
pytest.importorskip("pyarrow")

import trimesh

from transpose.formats.meshes import read_scene, read_triangles, write_gltf, write_points, write_triangles
from transpose.formats.print_files import CORE, PLACE, read_3mf, write_3mf
from transpose.transforms.describe_mesh import describe_mesh, measure, mesh_properties
from transpose.transforms.render_mesh import render_mesh
from transpose.transforms.simplify import simplify
from transpose.transforms.turntable import turntable

HISTORY = '{"transpose":1}'
FILES: dict[str, tuple[Transform, Transform]] = {
    ".stl": (read_triangles, write_triangles),
    ".off": (read_triangles, write_triangles),
    ".obj": (read_scene, write_points),
    ".ply": (read_scene, write_points),
    ".glb": (read_scene, write_gltf),
    ".gltf": (read_scene, write_gltf),
    ".3mf": (read_3mf, write_3mf),
}


def of(made: object, coloured: bool = False) -> Mesh:
    """A mesh of trimesh's, in colours of its places where wanted."""
    assert isinstance(made, trimesh.Trimesh)
    points = np.asarray(made.vertices, np.float64)
    colours = None
    if coloured:
        share = (points - points.min(0)) / np.ptp(points, axis=0)
        colours = np.concatenate([share * 255, np.full((len(points), 1), 255)], 1).astype(np.uint8)
    return Mesh(points, np.asarray(made.faces, np.int32), colours)


SHAPES = {
    "box": trimesh.creation.box((1, 2, 3)),
    "ball": trimesh.creation.icosphere(2),
    "ring": trimesh.creation.torus(1, 0.25, 24, 16),
    "rod": trimesh.creation.cylinder(0.5, 2, sections=24),
    "pill": trimesh.creation.capsule(1, 0.4),
}

points = arrays.arrays(
    st.sampled_from([np.float32, np.float64]),
    st.tuples(st.integers(1, 9), st.just(3)),
    elements={"allow_nan": False, "allow_infinity": False},
)


@settings(max_examples=60, deadline=None)
@given(points, st.data())
def test_store(tmp_path_factory: pytest.TempPathFactory, places: np.ndarray, data: st.DataObject) -> None:
    count = len(places)
    faces = data.draw(arrays.arrays(np.int32, (data.draw(st.integers(0, 5)), 3), elements=st.integers(0, count - 1)))
    colours = data.draw(st.none() | arrays.arrays(np.uint8, (count, 4)))
    value = Mesh(places, faces, colours, data.draw(st.sampled_from("yz")), data.draw(st.text(max_size=5)))
    path = tmp_path_factory.mktemp("store") / "a.npz"
    save(value, path)
    assert load(path) == value
    assert load(path) != Mesh(places + 1, faces, colours, value.up, value.name) or np.array_equal(places, places + 1)


def test_bad_values_are_refused() -> None:
    places, faces = np.zeros((3, 3)), np.array([[0, 1, 2]], np.int32)
    Mesh(places, faces)
    for bad in (places[:, :2], places.astype(int)):
        with pytest.raises(ValueError, match="vertices"):
            Mesh(bad, faces)
    for other in (faces + 1, faces - 1, faces.astype(np.int64), faces[:, :2]):
        with pytest.raises(ValueError, match="faces"):
            Mesh(places, other)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="colours"):
        Mesh(places, faces, np.zeros((3, 3), np.uint8))
    with pytest.raises(ValueError, match="up is"):
        Mesh(places, faces, up="x")


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("suffix", sorted(FILES))
def test_files_keep_the_shape(tmp_path: Path, suffix: str, shape: str) -> None:
    reader, writer = FILES[suffix]
    before = of(SHAPES[shape], coloured=True)
    ctx, path = Context(history=HISTORY), tmp_path / f"a{suffix}"
    writer(before, path, ctx)
    after = turned(reader(path, ctx), "z")
    old, new = measure(before), measure(after)
    assert (old["faces"], old["points"], old["closed"], old["genus"]) == (
        new["faces"],
        new["points"],
        True,
        1.0 if shape == "ring" else 0,
    )
    for name in ("volume", "area", "width", "depth", "height"):
        assert new[name] == pytest.approx(old[name], rel=1e-6)
    if suffix in (".stl", ".off"):
        assert after.colours is None
        assert "colours" in ctx.warnings[0]
        return
    assert not ctx.warnings
    assert after.colours is not None
    assert before.colours is not None
    order = [np.lexsort(np.round(each.vertices, 4).T) for each in (before, after)]
    assert np.array_equal(before.colours[order[0]], after.colours[order[1]])
    data = path.read_bytes()
    assert b"transpose" in (zipfile.ZipFile(path).read(PLACE) if suffix == ".3mf" else data)


@pytest.mark.parametrize("suffix", sorted(FILES))
def test_same_input_same_bytes(tmp_path: Path, suffix: str) -> None:
    for name in "ab":
        FILES[suffix][1](of(SHAPES["ball"]), tmp_path / f"{name}{suffix}", Context())
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", sorted(FILES))
def test_no_faces_are_not_written(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(OutputError, match="no faces"):
        FILES[suffix][1](Mesh(np.zeros((3, 3)), np.zeros((0, 3), np.int32)), tmp_path / f"a{suffix}", Context())


def test_triangles_of_an_ascii_stl(tmp_path: Path) -> None:
    path = tmp_path / "a.stl"
    path.write_text(trimesh.exchange.stl.export_stl_ascii(SHAPES["box"]))
    assert measure(read_triangles(path, Context()))["volume"] == pytest.approx(6)


def test_materials_textures_and_parts(tmp_path: Path) -> None:
    (tmp_path / "a.mtl").write_text("newmtl red\nKd 1 0 0\nnewmtl blue\nKd 0 0 1\n")
    corners = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n"
    (tmp_path / "a.obj").write_text(f"mtllib a.mtl\n{corners}usemtl red\nf 1 2 3\nusemtl blue\nf 1 2 4\n")
    found = read_scene(tmp_path / "a.obj", Context())
    assert found.colours is not None
    assert {tuple(each) for each in found.colours[:, :3].tolist()} == {(255, 0, 0), (0, 0, 255)}
    assert found.up == "y"


def test_named_files_outside_the_folder_are_never_read(tmp_path: Path) -> None:
    (tmp_path / "secret.mtl").write_text("newmtl red\nKd 1 0 0\n")
    inside = tmp_path / "in"
    inside.mkdir()
    text = "mtllib NAME\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl red\nf 1 2 3\n"
    for name in ("../secret.mtl", str(tmp_path / "secret.mtl"), "file:///etc/passwd", "http://127.0.0.1/x.mtl"):
        (inside / "a.obj").write_text(text.replace("NAME", name))
        ctx = Context()
        found = read_scene(inside / "a.obj", ctx)
        assert "not used" in ctx.warnings[0]
        assert found.colours is None or not (found.colours[:, :3] == (255, 0, 0)).all()
    (inside / "a.obj").write_text(text.replace("NAME", "b.mtl"))  # the control: one beside it is read
    (inside / "b.mtl").write_text("newmtl red\nKd 1 0 0\n")
    found = read_scene(inside / "a.obj", Context())
    assert found.colours is not None
    assert (found.colours[:, :3] == (255, 0, 0)).all()


def gltf(**changes: object) -> dict[str, object]:
    """One triangle as glTF with its buffer in a file beside it."""
    made: dict[str, object] = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5125, "count": 3, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": 36},
            {"buffer": 0, "byteOffset": 36, "byteLength": 12},
        ],
        "buffers": [{"uri": "a.bin", "byteLength": 48}],
    }
    return {**made, **changes}


def test_buffers_of_gltf(tmp_path: Path) -> None:
    data = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32).tobytes() + np.arange(3, dtype=np.uint32).tobytes()
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "a.bin").write_bytes(data)
    (tmp_path / "a.bin").write_bytes(data)
    path = inside / "a.gltf"
    path.write_text(json.dumps(gltf()))
    assert measure(read_scene(path, Context()))["area"] == pytest.approx(0.5)
    for name in ("../a.bin", str(tmp_path / "a.bin"), "%2e%2e/a.bin", "http://127.0.0.1/a.bin"):
        path.write_text(json.dumps(gltf(buffers=[{"uri": name, "byteLength": 48}])))
        with pytest.raises(DamagedInput, match="folder"):
            read_scene(path, Context())
    (inside / "link.bin").symlink_to(tmp_path / "a.bin")
    path.write_text(json.dumps(gltf(buffers=[{"uri": "link.bin", "byteLength": 48}])))
    with pytest.raises(DamagedInput, match="folder"):
        read_scene(path, Context())


def test_huge_claims(tmp_path: Path) -> None:
    started = time.monotonic()
    stl = bytes(80) + struct.pack("<I", 4_000_000_000) + bytes(500)
    (tmp_path / "a.stl").write_bytes(stl)
    head = "ply\nformat binary_little_endian 1.0\nelement vertex 999999999999\nproperty float x\nend_header\n"
    (tmp_path / "a.ply").write_bytes(head.encode() + bytes(100))
    (tmp_path / "a.off").write_text("OFF\n999999999 999999999 0\n0 0 0\n")
    accessors = [{"componentType": 5126, "count": 2_000_000_000, "type": "VEC3"}]
    (tmp_path / "a.gltf").write_text(json.dumps(gltf(accessors=accessors)))
    accessors[0]["count"] = 5_000_000
    (tmp_path / "b.gltf").write_text(json.dumps(gltf(accessors=accessors)))
    for name in ("a.stl", "a.ply", "a.off", "a.gltf", "b.gltf"):
        reader = FILES[Path(name).suffix][0]
        with pytest.raises((DamagedInput, HugeInput), match="claims"):
            reader(tmp_path / name, Context())
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("suffix", sorted(FILES))
def test_bad_files(tmp_path: Path, suffix: str) -> None:
    reader, writer = FILES[suffix]
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"")
    with pytest.raises(EmptyInput):
        reader(path, Context())
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    with pytest.raises((MislabelledInput, DamagedInput)):
        reader(path, Context())
    path.write_text("Dear reader,\nthis is no mesh.\n")
    with pytest.raises(InputError):
        reader(path, Context())
    writer(of(SHAPES["ball"]), path, Context())
    data = path.read_bytes()
    for share in (0.1, 0.5):
        path.write_bytes(data[: int(len(data) * share)])
        if suffix == ".obj" and share == 0.5:
            continue  # lines that are whole, of points without faces
        with pytest.raises(InputError, match=r"a\."):
            reader(path, Context())


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 100_000), st.binary(min_size=1, max_size=8))
def test_flipped_bytes_never_escape(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, place: int, junk: bytes
) -> None:
    path = tmp_path_factory.mktemp("flip") / f"a{suffix}"
    FILES[suffix][1](of(SHAPES["box"], coloured=True), path, Context())
    data = bytearray(path.read_bytes())
    place %= min(len(data), 1500)  # heads are more interesting than numbers
    data[place : place + len(junk)] = junk
    path.write_bytes(bytes(data))
    try:
        found = FILES[suffix][0](path, Context())
    except InputError:
        return
    assert np.isfinite(found.vertices).all()


def test_places_that_are_no_numbers(tmp_path: Path) -> None:
    triangle = struct.pack("<12fH", *([0.0] * 3), 0, 0, 0, 1, 0, 0, float("nan"), 1, 0, 0)
    (tmp_path / "a.stl").write_bytes(bytes(80) + struct.pack("<I", 1) + triangle)
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 inf\nv 0 1 0\nf 1 2 3\n")
    (tmp_path / "b.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n")
    for name in ("a.stl", "a.obj", "b.obj"):
        with pytest.raises(DamagedInput):
            FILES[Path(name).suffix][0](tmp_path / name, Context())


def test_points_alone_are_no_surface(tmp_path: Path) -> None:
    head = "ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\nproperty float z\nend_header\n"
    (tmp_path / "a.ply").write_text(head + "0 0 0\n1 1 1\n")
    with pytest.raises(SilentInput, match="no faces"):
        read_scene(tmp_path / "a.ply", Context())


# -- 3MF -------------------------------------------------------------------------------------------------------------


def pack(path: Path, xml: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(PLACE, xml)
    return path


CORNERS = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in ((0, 0, 0), (1, 0, 0), (0, 1, 0)))
FACE = f'<mesh><vertices>{CORNERS}</vertices><triangles><triangle v1="0" v2="1" v3="2"/></triangles></mesh>'


def model(objects: str, items: str, unit: str = "millimeter", head: str = "") -> str:
    resources = f"<resources>{objects}</resources><build>{items}</build>"
    return f'<?xml version="1.0"?>{head}<model unit="{unit}" xmlns="{CORE}">{resources}</model>'


def test_components_of_3mf(tmp_path: Path) -> None:
    parts = '<object id="1">' + FACE + '</object><object id="2"><components>'
    parts += (
        '<component objectid="1"/><component objectid="1" transform="1 0 0 0 1 0 0 0 1 0 0 5"/></components></object>'
    )
    item = '<item objectid="2" transform="2 0 0 0 2 0 0 0 2 10 0 0"/>'
    ctx = Context()
    found = read_3mf(pack(tmp_path / "a.3mf", model(parts, item, "inch")), ctx)
    assert len(found.faces) == 2
    assert found.vertices.max(0).tolist() == pytest.approx([12 * 25.4, 2 * 25.4, 10 * 25.4])
    assert "inch" in ctx.warnings[0]


def test_bombs_in_3mf(tmp_path: Path) -> None:
    started = time.monotonic()
    laughs = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    outside = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    for head in (laughs, outside):
        with pytest.raises(DamagedInput, match="document type"):
            read_3mf(pack(tmp_path / "a.3mf", model(f'<object id="1">{FACE}</object>', "", head=head)), Context())
    deep = f'<object id="0">{FACE}</object>'
    for number in range(1, 41):
        twice = f'<component objectid="{number - 1}"/>' * 2
        deep += f'<object id="{number}"><components>{twice}</components></object>'
    with pytest.raises(HugeInput):
        read_3mf(pack(tmp_path / "b.3mf", model(deep, '<item objectid="40"/>')), Context())
    loop = '<object id="1"><components><component objectid="1"/></components></object>'
    with pytest.raises(DamagedInput, match="without end"):
        read_3mf(pack(tmp_path / "c.3mf", model(loop, '<item objectid="1"/>')), Context())
    with pytest.raises(HugeInput, match="unpacks"):
        read_3mf(pack(tmp_path / "d.3mf", model("", " " * (300 << 20))), Context())
    with pytest.raises(SilentInput):
        read_3mf(pack(tmp_path / "e.3mf", model("", "")), Context())
    assert time.monotonic() - started < 20


# -- pictures --------------------------------------------------------------------------------------------------------


def test_a_ball_is_round_and_lit_from_the_upper_left() -> None:
    picture = render(surface(of(trimesh.creation.icosphere(4))), View(width=200, height=200))
    cover = picture[..., 3] > 127
    reach = int(cover.any(0).sum()) / 2
    assert reach == pytest.approx(0.88 * 100, abs=2)
    assert cover.sum() == pytest.approx(np.pi * reach**2, rel=0.02)
    light = picture[..., :3].mean(2)
    assert light[70, 70] > light[130, 130] + 25


def test_the_camera_goes_around() -> None:
    """Each side of a box has a colour of its own; what is seen says where the camera is."""
    sides = {"front": (0, -1, 0), "right": (1, 0, 0), "back": (0, 1, 0), "left": (-1, 0, 0), "top": (0, 0, 1)}
    shades = {
        "front": (255, 0, 0),
        "right": (0, 255, 0),
        "back": (0, 0, 255),
        "left": (255, 255, 0),
        "top": (255, 0, 255),
    }
    box = trimesh.creation.box()
    corners = box.vertices[box.faces].reshape(-1, 3)
    names = [min(sides, key=lambda name: -float(np.dot(sides[name], normal))) for normal in box.face_normals]
    colours = np.array([(*shades[name], 255) for name in names for _ in range(3)], np.uint8)
    cube = Mesh(corners, np.arange(len(corners), dtype=np.int32).reshape(-1, 3), colours)
    for name, azimuth, elevation in (
        ("front", 0, 0),
        ("right", 90, 0),
        ("back", 180, 0),
        ("left", -90, 0),
        ("top", 0, 89),
    ):
        picture = render_mesh(cube, Context(), azimuth=azimuth, elevation=elevation, width=64, height=64)
        seen = picture.pixels[32, 32].astype(int)
        for channel, wanted in enumerate(shades[name]):
            assert (seen[channel] > 120) == (wanted == 255), (name, seen)


def test_nearer_hides_farther_and_order_does_not_matter() -> None:
    near, far = (ball(np.array([0.0, y, 0.0]), r, c, 3) for y, r, c in ((-3, 1, (255, 0, 0)), (3, 1.5, (0, 0, 255))))
    pictures = [render_mesh(joined(parts), Context(), azimuth=0, elevation=0) for parts in ([near, far], [far, near])]
    assert np.array_equal(pictures[0].pixels, pictures[1].pixels)
    middle = pictures[0].pixels[360, 480]
    assert middle[0] > 150 > 80 > middle[2]


def test_open_and_inverted_surfaces_are_seen_too() -> None:
    box = of(SHAPES["box"])
    inside_out = Mesh(box.vertices, np.ascontiguousarray(box.faces[:, ::-1]))
    lid_off = Mesh(box.vertices, box.faces[:-2])
    whole = (render(surface(box), View())[..., 3] > 0).sum()
    assert (render(surface(inside_out), View())[..., 3] > 0).sum() == whole
    assert (render(surface(lid_off), View())[..., 3] > 0).sum() == pytest.approx(whole, rel=0.3)


def test_hard_edges_stay_hard() -> None:
    normals = surface(of(SHAPES["box"])).normals
    assert np.allclose(np.abs(normals).max(2), 1)
    round_ones = surface(of(trimesh.creation.icosphere(3)))
    assert np.abs((round_ones.normals * round_ones.corners).sum(2) - 1).max() < 0.01


def test_odd_pictures() -> None:
    ring = of(SHAPES["ring"])
    assert render_mesh(ring, Context(), width=16, height=400, samples=1).pixels.shape == (400, 16, 3)
    assert render_mesh(ring, Context(), background="transparent").pixels.shape[2] == 4
    assert render_mesh(ring, Context(), background="dark").pixels[0, 0, 0] < 50
    flat = Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]], np.int32))
    assert (render_mesh(flat, Context(), elevation=90).pixels < 255).any()
    for empty in (Mesh(flat.vertices, flat.faces[:0]), Mesh(flat.vertices * 0, flat.faces)):
        with pytest.raises(SilentInput):
            render_mesh(empty, Context())


def test_far_away_and_tiny_meshes_look_the_same() -> None:
    ring = of(SHAPES["ring"])
    wanted = render_mesh(ring, Context(), width=200, height=150).pixels.astype(int)
    for scale, shift in ((1e-6, 0), (1e6, 0), (1, 1e5)):
        other = Mesh(ring.vertices * scale + shift, ring.faces)
        assert np.abs(render_mesh(other, Context(), width=200, height=150).pixels - wanted).mean() < 0.5


def test_turntable() -> None:
    film = turntable(of(SHAPES["box"]), Context(), seconds=1, fps=8, size=64)
    frames = list(film.frames())
    assert len(frames) == film.length == 8
    assert film.fps == 8
    assert not np.array_equal(frames[0], frames[1])
    high = turntable(of(trimesh.creation.icosphere(3)), Context(), seconds=1, fps=5, size=64)
    sizes = {int((frame.min(2) < 250).sum()) for frame in high.frames()}
    assert max(sizes) - min(sizes) < 30  # a ball does not jump while it turns
    assert np.abs(frames[0].astype(int) - frames[4]).mean() < 2  # a box has two equal sides, and light from the camera


# -- figures, fewer faces --------------------------------------------------------------------------------------------


def test_figures() -> None:
    row = mesh_properties(of(SHAPES["box"]), Context()).rows()[0]
    assert row["volume"] == pytest.approx(6)
    assert row["area"] == pytest.approx(22)
    assert (row["closed"], row["open edges"], row["parts"], row["genus"]) == (True, 0, 1, 0)
    open_box = Mesh(of(SHAPES["box"]).vertices, of(SHAPES["box"]).faces[1:])
    assert measure(open_box)["open edges"] == 3
    assert measure(open_box)["volume"] is None
    assert "not closed" in describe_mesh(open_box, Context()).text
    two = joined([ball(np.zeros(3), 1, (0, 0, 0)), stick(np.full(3, 5.0), np.full(3, 9.0), 1, (0, 0, 0))])
    assert measure(two)["parts"] == 2
    assert "2 separate pieces" in describe_mesh(two, Context()).text
    ring = of(SHAPES["ring"])
    assert measure(Mesh(ring.vertices + 1e6, ring.faces))["volume"] == pytest.approx(SHAPES["ring"].volume, rel=1e-4)


def test_merging_is_exact() -> None:
    ring = of(SHAPES["ring"], coloured=True)
    assert ring.colours is not None
    flat = ring.faces.ravel()
    loose = Mesh(ring.vertices[flat], np.arange(len(flat), dtype=np.int32).reshape(-1, 3), ring.colours[flat])
    whole = merged(loose)
    assert len(whole.vertices) == len(ring.vertices)
    assert np.array_equal(whole.corners(), ring.corners())
    assert merged(whole) == whole


def test_equal_rows_whatever_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    table = np.random.default_rng(0).integers(0, 2, (500, 12)).astype(np.uint8)
    first, where = same_rows(table)
    assert np.array_equal(table[first[where]], table)
    assert len(first) == len(np.unique(table, axis=0))
    zeros = np.zeros(len(table), np.uint64)
    monkeypatch.setattr("transpose.media.mesh._mixed", lambda table: zeros)  # the control: all rows have one number
    again, kinds = same_rows(table)
    assert len(again) == len(first)
    assert np.array_equal(table[again[kinds]], table)


@pytest.mark.parametrize("coloured", [False, True])
def test_simplify(coloured: bool) -> None:
    whole = of(trimesh.creation.icosphere(4), coloured)
    less = simplify(whole, Context(), share=0.1)
    assert len(less.faces) == pytest.approx(len(whole.faces) * 0.1, rel=0.05)
    assert measure(less)["closed"]
    assert measure(less)["volume"] == pytest.approx(measure(whole)["volume"], rel=0.03)
    if coloured:
        assert less.colours is not None
        wanted = (less.vertices + 1) / 2 * 255
        assert np.abs(less.colours[:, :3] - wanted).mean() < 12
    assert len(simplify(whole, Context(), faces=100).faces) <= 104


@pytest.mark.parametrize("up", ["y", "z"])
def test_turning_back(up: str) -> None:
    ring = Mesh(of(SHAPES["ring"]).vertices, of(SHAPES["ring"]).faces, up=up)
    other = turned(ring, "z" if up == "y" else "y")
    assert other != ring
    assert turned(other, up) == ring
    assert measure(other)["volume"] == pytest.approx(measure(ring)["volume"])  # a turn, not a reflection
