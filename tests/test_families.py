"""A request or two of each family through the command, from inputs made here, with checks that a person would make."""

from __future__ import annotations

import csv
import itertools
import json
import math
import re
import sqlite3
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from test_own_models import serving

from transpose import Context
from transpose.cli import main
from transpose.formats.cues import read_cues
from transpose.formats.midi import read_midi
from transpose.formats.sound import write_sound
from transpose.formats.video_files import read_video, write_video
from transpose.media.audio import Audio
from transpose.media.frames import Shot
from transpose.media.text import Cue
from transpose.media.video import Video

EXAMPLES = Path(__file__).parent.parent / "examples"
REPORT = """# The lighthouse of Norderney

It was built in 1874 of ten thousand bricks, and it is 60 metres high. Ships see its light from [23 miles](https://example.org/light).

## Who lives there

- Two keepers with their families
- A cat that guards the oil

| Month | Visitors | Storms |
| --- | --- | --- |
| June | 1204 | 2 |
| November | 31 | 11 |
"""
LECTURE = """# Why the sky is blue

Sunlight holds every colour.

## Small things scatter

- Air scatters blue light more than red light

## In the evening

The way through the air is long, and red is left.
"""
PROGRAM = '''"""A pond."""


class Frog:
    """It jumps."""

    def jump(self, far: int) -> int:
        """Jump so far."""
        return far
'''
CUES = (Cue(0.5, 1.5, "Red comes first"), Cue(2.5, 3.5, "Then the blue"))
COLOURS = ((200, 40, 30), (30, 60, 200), (40, 170, 60))


@pytest.fixture
def here(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and a cache that the session's tests share."""
    monkeypatch.setenv("TRANSPOSE_HOME", str(home))
    monkeypatch.setenv("TRANSPOSE_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def own_home(here: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home where models can be added that other tests do not see."""
    (here / "home").mkdir()
    (here / "home" / "models").symlink_to((home / "models").resolve(), target_is_directory=True)
    monkeypatch.setenv("TRANSPOSE_HOME", str(here / "home"))


def transpose(*words: str) -> None:
    """`transpose WORDS`, which has to succeed."""
    assert main([*words, "-q"]) == 0, words


def recall(wanted: str, found: str) -> float:
    """The share of the words of one text that another has too, each as often."""
    want, have = (Counter(re.findall(r"\w+", each.lower())) for each in (wanted, found))
    return sum((want & have).values()) / sum(want.values())


def pixels(name: str) -> np.ndarray:
    """A picture as RGBA, float32."""
    with Pillow.open(name) as picture:
        return np.asarray(picture.convert("RGBA"), np.float32)


def drawn(name: str, least: int = 200) -> tuple[int, int]:
    """Width and height of a picture, of which so many pixels at least have another colour than its corner."""
    seen = pixels(name)
    assert (np.abs(seen - seen[0, 0]).max(axis=2) > 40).sum() >= least, f"{name} is blank"
    return seen.shape[1], seen.shape[0]


# -- documents ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".docx", ".odt", ".epub", ".html", ".pptx", ".pdf"])
def test_a_report_goes_out_and_comes_back(suffix: str, here: Path) -> None:
    Path("report.md").write_text(REPORT)
    transpose("report.md", f"report{suffix}")
    transpose(f"report{suffix}", "back.md")
    back = Path("back.md").read_text()
    assert recall(REPORT.replace("https://example.org/light", ""), back) >= 0.98
    assert re.findall(r"^#+ \**(.*?)\**$", back, re.MULTILINE)[:2] == ["The lighthouse of Norderney", "Who lives there"]
    assert re.findall(r"^[-*] (.*)$", back, re.MULTILINE) == re.findall(r"^- (.*)$", REPORT, re.MULTILINE)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in back.splitlines() if line[:1] == "|"]
    assert ["November", "31", "11"] in cells
    assert suffix == ".pdf" or "https://example.org/light" in back


@pytest.mark.models
def test_a_page_that_was_printed_is_read_again(here: Path) -> None:
    Path("report.md").write_text(REPORT)
    transpose("report.md", "report.docx")
    transpose("report.docx", "pages/", "--to", ".png")
    (page,) = Path("pages").iterdir()
    transpose(str(page), "read.txt")
    assert recall(REPORT.replace("https://example.org/light", ""), Path("read.txt").read_text()) >= 0.95


# -- tables ------------------------------------------------------------------------------------------------------------


def test_a_table_keeps_its_cells_through_every_format(here: Path) -> None:
    rows = [["day", "place", "count", "share"], ["2024-02-29", 'Århus; "Nord"', "9007199254740993", "0.1"]]
    rows += [["2024-03-01", "Łódź, 東京", "-12", "1e-300"], ["2024-03-02", "", "7", ""]]
    with Path("a.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    chain = ["a.csv", "b.parquet", "c.jsonl", "d.sqlite", "e.tsv", "f.json", "g.csv"]
    for source, target in itertools.pairwise(chain):
        transpose(source, target)
    with Path("g.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == rows
    with sqlite3.connect("d.sqlite") as opened:
        (name,) = opened.execute("select name from sqlite_master where type = 'table'").fetchone()
        assert opened.execute(f'select max(count) from "{name}"').fetchone() == (9007199254740993,)


def test_sales_are_drawn_described_and_continued(here: Path) -> None:
    months = [f"{2019 + n // 12}-{n % 12 + 1:02d}-01" for n in range(60)]
    sales = [200 + round(40 * math.sin(n * math.pi / 6)) for n in range(60)]
    Path("sales.csv").write_text("month,sales\n" + "".join(f"{m},{s}\n" for m, s in zip(months, sales, strict=True)))
    transpose("sales.csv", "sales.png")
    width, height = drawn("sales.png", 2000)
    assert min(width, height) >= 300
    transpose("sales.csv", "sales.svg")
    assert ">month<" in Path("sales.svg").read_text()
    transpose("sales.csv", "description.md")
    assert all(each in Path("description.md").read_text() for each in ("60 rows", "from 160 to 240"))
    transpose("sales.csv", "forecast.csv")
    with Path("forecast.csv").open() as file:
        first, *_ = list(csv.DictReader(file))
    assert first["month"] == "2024-01-01"
    assert float(first["sales"]) == pytest.approx(200, abs=15)
    assert float(first["sales low"]) <= float(first["sales"]) <= float(first["sales high"])


# -- pictures ----------------------------------------------------------------------------------------------------------


@pytest.mark.models
def test_a_photograph_is_named_searched_and_cut_out(here: Path) -> None:
    photo = str(EXAMPLES / "photo.jpg")
    transpose(photo, "names.txt")
    assert re.match(r"(Egyptian cat|tiger cat|tabby) \(\d+ %\)", Path("names.txt").read_text())
    transpose(photo, "objects.csv")
    with Path("objects.csv").open() as file:
        found = list(csv.DictReader(file))
    assert found[0]["name"] == "cat"
    assert int(found[0]["width"]) * int(found[0]["height"]) > 451 * 300 / 2
    transpose(photo, "cut.png", "--do", "remove-background")
    alpha = pixels("cut.png")[..., 3]
    assert alpha.shape == (300, 451)
    assert alpha[150, 225] > 200
    assert 0.2 < (alpha > 128).mean() < 0.95


def test_a_picture_through_its_formats_is_the_same_picture(here: Path) -> None:
    rings = np.hypot(*np.mgrid[-60:60, -80:80])
    Pillow.fromarray(np.where((rings // 20 % 2 == 0)[..., None], (220, 60, 40), (20, 40, 90)).astype(np.uint8)).save(
        "a.png"
    )
    for name in ("a.bmp", "a.tiff", "a.webp", "a.avif"):
        transpose("a.png", name)
        transpose(name, f"{name}.png")
        assert np.abs(pixels(f"{name}.png") - pixels("a.png")).mean() < 6, name
    transpose("a.png", "a.svg", "--from", "image.drawing")
    transpose("a.svg", "drawn.png", "-o", "side=160")
    assert np.abs(pixels("drawn.png")[..., :3] - pixels("a.png")[..., :3]).mean() < 12
    transpose("a.png", "small.png", "--do", "resize", "-o", "width=80")
    assert drawn("small.png") == (80, 60)


# -- music and sound ---------------------------------------------------------------------------------------------------


def test_notes_through_sheet_music_are_the_same_notes(here: Path) -> None:
    chorale = str(EXAMPLES / "chorale.mid")

    def tune(name: str) -> list[tuple[float, int]]:
        return sorted((round(n.start, 1), n.pitch) for n in read_midi(Path(name), Context()).notes())

    for name in ("a.musicxml", "a.abc"):
        transpose(chorale, name)
        transpose(name, f"{name}.mid")
        assert tune(f"{name}.mid") == tune(chorale), name
    transpose(chorale, "sheet.png")
    width, height = drawn("sheet.png", 5000)
    assert min(width, height) > 500
    transpose(chorale, "higher.mid", "--do", "transpose-pitch", "-o", "semitones=3")
    assert [pitch for _, pitch in tune("higher.mid")] == [pitch + 3 for _, pitch in tune(chorale)]


def test_a_sound_is_stretched_levelled_and_drawn(here: Path) -> None:
    tone = np.sin(np.arange(3 * 22_050) * 2 * math.pi * 440 / 22_050).astype(np.float32)
    write_sound(Audio.from_array(0.02 * tone, 22_050), Path("quiet.wav"), Context())
    transpose("quiet.wav", "loud.wav", "--do", "normalise")
    assert float(np.abs(Audio.from_file(Path("loud.wav")).array()).max()) > 0.1
    transpose("quiet.wav", "slow.wav", "--do", "stretch", "-o", "speed=0.5")
    slow = Audio.from_file(Path("slow.wav"))
    assert slow.duration == pytest.approx(6, abs=0.1)
    spectrum = np.abs(np.fft.rfft(slow.array(channels=1)[:, 0]))
    assert float(spectrum.argmax()) / slow.duration == pytest.approx(440, abs=3)
    transpose("quiet.wav", "waveform.png")
    drawn("waveform.png")


# -- video -------------------------------------------------------------------------------------------------------------


def film(path: str, seconds: float = 2.0) -> None:
    """A red, a blue and a green scene with a tone."""

    def shots() -> itertools.chain[Shot]:
        each = round(seconds * 10)
        return itertools.chain(*([Shot(np.full((180, 320, 3), colour, np.uint8), each)] for colour in COLOURS))

    tone = 0.2 * np.sin(np.arange(round(3 * seconds * 16_000)) * 0.2).astype(np.float32)
    sound = Audio.from_array(tone, 16_000)
    write_video(Video(320, 180, Fraction(10), round(30 * seconds), shots, sound), Path(path), Context())


def test_a_film_is_cut_captioned_graded_and_shown(here: Path) -> None:
    film("film.mp4")
    transpose("film.mp4", "scenes/", "--to", ".png")
    scenes = sorted(Path("scenes").iterdir())
    seen = [pixels(str(scene))[90, 160, :3] for scene in scenes]
    assert np.allclose(seen, COLOURS, atol=12)
    transpose("film.mp4", "film.gif")
    with Pillow.open("film.gif") as moving:
        assert getattr(moving, "n_frames", 1) > 1
    Path("words.srt").write_text(
        "\n".join(f"{n}\n{_clock(c.start)} --> {_clock(c.end)}\n{c.text}\n" for n, c in enumerate(CUES, 1))
    )
    transpose("film.mp4", "words.srt", "captioned.mp4", "--do", "caption")
    transpose("captioned.mp4", "again.srt", "--via", "captions-of-video")
    assert read_cues(Path("again.srt"), Context()).cues == CUES
    transpose("film.mp4", "warm.mp4", "--do", "grade-video", "-p", "warm")
    before, after = (next(iter(read_video(Path(n), Context()).frames()))[90, 160] for n in ("film.mp4", "warm.mp4"))
    assert int(after[0]) - int(after[2]) > int(before[0]) - int(before[2])
    transpose("film.mp4", "part.mp4", "--do", "cut-video", "-o", "start=1", "-o", "end=3.5")
    part = read_video(Path("part.mp4"), Context())
    assert part.duration == pytest.approx(2.5, abs=0.11)
    assert part.audio is not None
    assert part.audio.duration == pytest.approx(2.5, abs=0.11)


def _clock(seconds: float) -> str:
    return f"00:00:{int(seconds):02d},{round(seconds % 1 * 1000):03d}"


# -- the two long recipes ----------------------------------------------------------------------------------------------


def lengths(path: str) -> tuple[float, float]:
    """Seconds of pictures and of sound."""
    made = read_video(Path(path), Context())
    assert made.audio is not None
    return made.duration, made.audio.duration


@pytest.mark.models
def test_notes_become_a_lecture(here: Path) -> None:
    Path("notes.md").write_text(LECTURE)
    transpose("notes.md", "lecture.mp4", "-o", "size=640x360")
    pictures, sound = lengths("lecture.mp4")
    assert 10 < sound < 40
    assert pictures == pytest.approx(sound, abs=0.1)
    transpose("lecture.mp4", "said.srt", "--via", "captions-of-video")
    cues = read_cues(Path("said.srt"), Context()).cues
    assert recall(LECTURE, " ".join(cue.text for cue in cues)) == 1
    assert all(one.end <= two.start for one, two in itertools.pairwise(cues))
    loud = np.abs(Audio.from_file(Path("lecture.mp4")).array(rate=24_000, channels=1)[:, 0]) > 0.005
    for cue in cues:  # a voice begins within a tenth of a second of each caption
        first = max(0, round((cue.start - 0.1) * 24_000))
        assert (first + int(loud[first:].argmax())) / 24_000 == pytest.approx(cue.start, abs=0.1), cue
    for number, at in enumerate((1.0, sound - 0.5)):
        transpose("lecture.mp4", f"{number}.png", "-o", f"at={at}")
        assert drawn(f"{number}.png", 500) == (640, 360)
    assert np.abs(pixels("0.png") - pixels("1.png")).max() > 100


@pytest.mark.models
def test_a_talk_is_illustrated_and_its_timeline_edited(here: Path) -> None:
    talk = str(EXAMPLES / "talk.wav")
    transpose(talk, "talk.timeline")
    timeline = Path("talk.timeline").read_text()
    assert timeline.count("[[show]]") >= 2
    changed = re.sub(r'card = ".*"', 'card = "Mr. Dashwood"', timeline, count=1)
    Path("edited.timeline").write_text(changed)
    transpose("edited.timeline", "talk.mp4")
    pictures, sound = lengths("talk.mp4")
    assert pictures == pytest.approx(25, abs=1)
    assert pictures == pytest.approx(sound, abs=0.1)
    transpose("talk.mp4", "first.png", "-o", "at=1")
    drawn("first.png")


# -- programs and notes ------------------------------------------------------------------------------------------------


def test_a_program_is_outlined_and_coloured(here: Path) -> None:
    Path("pond.py").write_text(PROGRAM)
    transpose("pond.py", "outline.md", "--do", "outline-code")
    told = Path("outline.md").read_text()
    assert all(each in told for each in ("Frog", "jump", "It jumps"))
    transpose("pond.py", "pond.html")
    assert "Frog" in Path("pond.html").read_text()
    transpose("pond.py", "pond.png")
    drawn("pond.png")


def test_notes_show_their_links_and_broken_letters_are_mended(here: Path) -> None:
    Path("bees.md").write_text("---\ntitle: Bees\ntags: [garden]\n---\n\nBees like [[Clover]] and [[Ivy|the ivy]].\n")
    Path("clover.md").write_text("---\ntitle: Clover\n---\n\nClover feeds [[Bees]].\n")
    transpose("bees.md", "clover.md", "links.graphml")
    graph = Path("links.graphml").read_text()
    assert graph.count("<edge ") == 3
    assert all(f">{name}<" in graph for name in ("Bees", "Clover", "Ivy"))
    Path("broken.txt").write_text("schÃ¶n, sagt er\n", encoding="utf-8")
    transpose("broken.txt", "mended.txt", "--do", "repair")
    assert Path("mended.txt").read_text(encoding="utf-8").strip() == "schön, sagt er"


# -- science -----------------------------------------------------------------------------------------------------------


def test_a_molecule_is_weighed_drawn_and_built(here: Path) -> None:
    Path("aspirin.smi").write_text("CC(=O)Oc1ccccc1C(=O)O aspirin\n")
    transpose("aspirin.smi", "aspirin.csv")
    with Path("aspirin.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["formula"], round(float(row["weight"]), 1)) == ("C9H8O4", 180.2)
    transpose("aspirin.smi", "aspirin.png")
    drawn("aspirin.png")
    transpose("aspirin.smi", "aspirin.sdf")
    transpose("aspirin.sdf", "again.smi")
    assert Path("again.smi").read_text().split() == Path("aspirin.smi").read_text().split()
    transpose("aspirin.smi", "aspirin.glb")
    transpose("aspirin.glb", "model.png")
    drawn("model.png", 5000)


def test_a_surface_and_a_protein_keep_what_they_are(here: Path) -> None:
    corners = [(x, y, z) for x in (0, 2) for y in (0, 2) for z in (0, 2)]
    sides = ((1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4))
    lines = [f"v {x} {y} {z}" for x, y, z in corners] + [f"f {' '.join(map(str, side))}" for side in sides]
    Path("cube.obj").write_text("\n".join(lines))
    for source, target in itertools.pairwise(["cube.obj", "cube.stl", "cube.glb", "cube.ply", "cube.json"]):
        transpose(source, target, *(["--as", "table"] if target == "cube.json" else []))
    (row,) = json.loads(Path("cube.json").read_text())
    assert row["volume"] == pytest.approx(8)
    Path("ubiquitin.fasta").write_text(
        ">ubiquitin\nMQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG\n"
    )
    transpose("ubiquitin.fasta", "ubiquitin.md")
    told = Path("ubiquitin.md").read_text()
    assert "76" in told
    assert re.search(r"8[.,]?5\d\d|8\.[56] k", told), told  # 8,565 Da


# -- models of one's own -----------------------------------------------------------------------------------------------


@pytest.mark.models
def test_a_file_of_weights_and_a_server_each_write_a_summary(
    here: Path, own_home: None, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("xllamacpp")
    from transpose.models.pull import weights

    Path("report.md").write_text(REPORT)
    assert main(["models", "add", "mine", str(weights("smollm2", quiet=True) / "smollm2.gguf")]) == 0
    transpose("report.md", "summary.md", "--do", "mine-summarize")
    assert len(Path("summary.md").read_text().split()) > 5
    with serving() as server:
        assert main(["models", "add", "ollama", server.address, "--model", "llama3.2"]) == 0
        transpose("report.md", "other.md", "--do", "ollama-summarize")
        assert "lighthouse" in json.loads(server.asked[-1][2])["messages"][-1]["content"]
        assert main(["eval", "--run", "ollama-summarize"]) == 0
    assert Path("other.md").read_text().startswith("2 messages")
    assert main(["eval", "ollama-summarize"]) == 0
    assert re.search(r"^ollama-summarize +0\.\d\d ", capsys.readouterr().out, re.MULTILINE)
