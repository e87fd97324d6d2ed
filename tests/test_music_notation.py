"""Sheet music in and out: what is on a grid comes back exactly from MusicXML and ABC, what is not moves a little."""

from __future__ import annotations

import random
import zipfile
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, EmptyInput, InputError, MislabelledInput, OptionError, SilentInput
from transpose.formats.abc import read_abc, write_abc
from transpose.formats.midi import read_midi
from transpose.formats.musicxml import read_musicxml, write_musicxml
from transpose.media.engraving import staves
from transpose.media.keys import altered, spelled
from transpose.media.notation import Notation, Part, Tone
from transpose.media.quantise import notate
from transpose.media.score import Note, Score, from_notes
from transpose.media.unfold import Marks, played

EXAMPLE = Path(__file__).parents[1] / "examples" / "chorale.mid"
GRIDS = (1, 2, 4, 3, 8, 6, 5)


@st.composite
def tunes(draw: st.DrawFn, dynamics: bool = True) -> Notation:
    """Up to three parts of notes on divisions of the beat, in any metre and key."""
    metre = draw(st.sampled_from([(4, 4), (3, 4), (6, 8), (2, 2), (5, 8), (7, 8), (12, 8)]))
    parts = []
    for channel in draw(st.lists(st.sampled_from([0, 1, 5]), min_size=1, max_size=3, unique=True)):
        grid = [draw(st.sampled_from(GRIDS)) for _ in range(8)]
        places = [Fraction(beat * g + k, g) for beat, g in enumerate(grid) for k in range(g)]
        free: dict[int, Fraction] = {}
        tones = []
        count = draw(st.integers(1, 12))
        for start in sorted(draw(st.lists(st.sampled_from(places[:-1]), min_size=count, max_size=count))):
            pitch = draw(st.integers(21, 108))
            end = draw(st.sampled_from([place for place in places if place > start][:20]))
            if free.get(pitch, Fraction(0)) <= start:
                free[pitch] = end
                velocity = draw(st.integers(1, 127)) if dynamics else 80
                tones.append(Tone(start, end, pitch, velocity))
        parts.append(
            Part(draw(st.sampled_from(["", "Flute & <Co>"])), channel, draw(st.integers(0, 127)), tuple(tones))
        )
    tempi = ((Fraction(0), draw(st.integers(200_000, 2_000_000))),)
    key = (Fraction(0), draw(st.integers(-7, 7)), draw(st.booleans()))
    return Notation(tuple(parts), tempi, ((Fraction(0), *metre),), (key,), "A tune")


def close(ours: Score, theirs: Score, velocities: bool = True) -> None:
    """Each note is there, with pitch, channel and program, and to a tenth of a millisecond."""
    one, other = (
        sorted(
            (n.channel, n.program, round(n.start, 3), n.pitch, round(n.end, 3), n.velocity * velocities)
            for n in s.notes()
        )
        for s in (ours, theirs)
    )
    assert len(one) == len(other)
    for first, second in zip(one, other, strict=True):
        assert first == pytest.approx(second, abs=2e-3)


@pytest.mark.parametrize("suffix", [".musicxml", ".mxl"])
@given(tune=tunes())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_musicxml_is_exact_on_the_grid(tmp_path: Path, suffix: str, tune: Notation) -> None:
    path, ctx = tmp_path / f"x{suffix}", Context()
    write_musicxml(tune.score(), path, ctx)
    found = read_musicxml(path, ctx)
    close(tune.score(), found)
    assert not ctx.warnings
    again, moved = notate(found)
    assert moved.written
    assert (again.keys, again.metres, again.title) == (tune.keys, tune.metres, tune.title)
    assert again.tempi[0][1] == pytest.approx(tune.tempi[0][1], abs=2)


@given(tune=tunes(dynamics=False))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_abc_is_exact_on_the_grid(tmp_path: Path, tune: Notation) -> None:
    ctx = Context()
    write_abc(tune.score(), tmp_path / "x.abc", ctx)
    found = read_abc(tmp_path / "x.abc", ctx)
    close(tune.score(), found)
    assert not ctx.warnings
    again, _ = notate(found)
    assert (again.keys, again.metres[0], again.title) == (tune.keys, tune.metres[0], tune.title)
    assert again.tempi[0][1] == pytest.approx(tune.tempi[0][1], abs=2)


@given(tune=tunes())
@settings(max_examples=60, deadline=None)
def test_bars_are_full(tune: Notation) -> None:
    """The signs of a voice follow one another without gap, end with the bar, and tones are covered by their signs."""
    bars = tune.bars()
    for part in tune.parts:
        covered: dict[Tone, Fraction] = {}
        for staff in staves(part, bars):
            for number, voice in enumerate(staff.voices):
                for bar, signs in zip(bars, voice, strict=True):
                    at = bar.start
                    for sign in signs:
                        assert sign.start == at
                        at = sign.end
                        for tone in sign.tones:
                            covered[tone] = covered.get(tone, Fraction(0)) + sign.length
                    assert at == bar.end or (not signs and number)
        assert covered == {tone: tone.end - tone.start for tone in part.tones}


def test_played_music_moves_and_says_so(tmp_path: Path) -> None:
    draw = random.Random(1)
    at = [n * 0.5 + draw.gauss(0, 0.015) + 0.1 for n in range(40)]
    made = from_notes([Note(start, start + 0.4, 60 + n % 12, 80) for n, start in enumerate(at)])
    ctx = Context()
    write_musicxml(made, tmp_path / "x.musicxml", ctx)
    assert "moved" in ctx.warnings[0]
    found = read_musicxml(tmp_path / "x.musicxml", ctx).notes()
    assert [note.pitch for note in found] == [note.pitch for note in made.notes()]
    assert max(abs(note.start - start) for note, start in zip(found, at, strict=True)) < 0.1
    beats = {round(note.start * 2 % 1, 3) for note in found}
    assert len(beats) <= 2  # all lie on the same part of the beat, or nearly


def test_gates_of_written_music_close(tmp_path: Path) -> None:
    """Notes that are let go a little early, as players and programs do, are written in full."""
    made = from_notes([Note(n * 0.25, n * 0.25 + 0.24, 60 + n, 80) for n in range(8)])
    found, moved = notate(made)
    assert moved.written
    assert {tone.end - tone.start for tone in found.parts[0].tones} == {Fraction(1, 2)}


def test_the_example(tmp_path: Path) -> None:
    ctx = Context()
    made = read_midi(EXAMPLE, ctx)
    for write, read, name in ((write_musicxml, read_musicxml, "x.mxl"), (write_abc, read_abc, "x.abc")):
        write(made, tmp_path / name, ctx)
        found = read(tmp_path / name, ctx)
        assert [(n.start, n.pitch) for n in found.notes()] == [(n.start, n.pitch) for n in made.notes()]


def test_percussion_keeps_its_keys(tmp_path: Path) -> None:
    made = from_notes([Note(n / 4, n / 4 + 0.25, pitch, 90, 9) for n, pitch in enumerate([36, 42, 38, 42, 49])])
    write_musicxml(made, tmp_path / "x.musicxml", Context())
    found = read_musicxml(tmp_path / "x.musicxml", Context()).notes()
    assert [(n.start, n.pitch, n.channel) for n in found] == [(n.start, n.pitch, 9) for n in made.notes()]
    assert "<unpitched>" in (tmp_path / "x.musicxml").read_text()


def test_history_is_in_the_file(tmp_path: Path) -> None:
    made, told = from_notes([Note(0, 1, 60, 80)]), '{"transpose": "100% <of> it"}'
    write_musicxml(made, tmp_path / "x.musicxml", Context(history=told))
    assert "transpose" in (tmp_path / "x.musicxml").read_text()
    write_abc(made, tmp_path / "x.abc", Context(history=told))
    assert f"% transpose: {told}" in (tmp_path / "x.abc").read_text()
    assert len(read_abc(tmp_path / "x.abc", Context()).notes()) == 1


MUSICXML = """<?xml version="1.0" encoding="UTF-8"?><score-partwise version="3.1">
<part-list><score-part id="P1"><part-name>Clarinet in Bb</part-name></score-part></part-list><part id="P1">
<measure number="1"><attributes><divisions>2</divisions><time><beats>2</beats><beat-type>4</beat-type></time>
<transpose><chromatic>-2</chromatic></transpose></attributes>
<direction><direction-type><metronome><beat-unit>quarter</beat-unit><per-minute>60</per-minute></metronome>
</direction-type></direction><barline location="left"><repeat direction="forward"/></barline>
<note><grace/><pitch><step>A</step><octave>5</octave></pitch></note>
<note><pitch><step>D</step><octave>5</octave></pitch><duration>4</duration><tie type="start"/></note></measure>
<measure number="2"><barline location="left"><ending number="1" type="start"/></barline>
<note><pitch><step>D</step><octave>5</octave></pitch><duration>2</duration><tie type="stop"/></note>
<direction><direction-type><dynamics><ff/></dynamics></direction-type></direction>
<note><chord/><pitch><step>F</step><alter>1</alter><octave>5</octave></pitch><duration>2</duration></note>
<note><rest/><duration>2</duration></note>
<barline location="right"><ending number="1" type="stop"/><repeat direction="backward"/></barline></measure>
<measure number="3"><barline location="left"><ending number="2" type="start"/></barline>
<note><pitch><step>C</step><octave>5</octave></pitch><duration>4</duration></note>
<barline location="right"><ending number="2" type="stop"/></barline></measure></part></score-partwise>"""


def test_musicxml_is_played_as_written(tmp_path: Path) -> None:
    """Transposition, tie, chord, grace note, dynamics, repeat with two endings, program from the part's name."""
    ctx = Context()
    (tmp_path / "x.musicxml").write_text(MUSICXML)
    found = read_musicxml(tmp_path / "x.musicxml", ctx).notes()
    assert [(n.start, n.end, n.pitch) for n in found] == [(0, 3, 72), (2, 3, 76), (4, 6, 72), (6, 8, 70)]
    assert {n.program for n in found} == {71}
    assert found[1].velocity == 112
    assert "1 grace" in ctx.warnings[0]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("CDE/2F/2 G2", [(0, 60), (1, 62), (2, 64), (2.5, 65), (3, 67)]),
        ("c>d e<f", [(0, 72), (1.5, 74), (2, 76), (2.5, 77)]),
        ("(3CDE F", [(0, 60), (0.667, 62), (1.333, 64), (2, 65)]),
        ("[CEG]2 ^F F | F", [(0, 60), (0, 64), (0, 67), (2, 66), (3, 66), (4, 65)]),
        ("|: C |1 D :|2 E |]", [(0, 60), (1, 62), (2, 60), (3, 64)]),
        ("C-|C D", [(0, 60), (2, 62)]),
        ('"Am" {ag}C !f! ~D z E,', [(0, 60), (1, 62), (3, 52)]),
        ("[K:D] F [L:1/4] F", [(0, 66), (1, 66)]),
        ("::C::", [(0, 60), (1, 60)]),
        ("C & E", [(0, 60), (0, 64)]),
    ],
)
def test_abc_is_played_as_written(tmp_path: Path, body: str, wanted: list[tuple[float, int]]) -> None:
    (tmp_path / "x.abc").write_text(f"X:1\nT:t\nM:4/4\nL:1/8\nQ:1/8=60\nK:C\n{body}\n")
    found = read_abc(tmp_path / "x.abc", Context()).notes()
    assert [(round(n.start, 3), n.pitch) for n in found] == wanted


@pytest.mark.parametrize(
    ("key", "notes", "wanted"),
    [("G", "F", 66), ("Ador", "F", 66), ("Dm", "B", 70), ("Eb", "E", 63), ("D exp ^c", "C", 61), ("HP", "F", 66)],
)  # fmt: skip
def test_keys_of_abc(tmp_path: Path, key: str, notes: str, wanted: int) -> None:
    (tmp_path / "x.abc").write_text(f"X:1\nK:{key}\n{notes}\n")
    assert [n.pitch for n in read_abc(tmp_path / "x.abc", Context()).notes()] == [wanted]


def test_a_book_of_tunes(tmp_path: Path) -> None:
    (tmp_path / "x.abc").write_text("X:1\nK:C\nC\n\nX:7\nK:C\nG\n")
    ctx = Context()
    assert read_abc(tmp_path / "x.abc", ctx).notes()[0].pitch == 60
    assert "2 tunes" in ctx.warnings[0]
    assert read_abc(tmp_path / "x.abc", ctx, tune=7).notes()[0].pitch == 67
    with pytest.raises(OptionError):
        read_abc(tmp_path / "x.abc", ctx, tune=3)


BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><score-partwise>&b;</score-partwise>'


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("a.musicxml", b"", EmptyInput),
        ("a.musicxml", MUSICXML.encode()[:900], DamagedInput),
        ("a.musicxml", b"<html></html>", MislabelledInput),
        ("a.musicxml", b"MThd\0\0", MislabelledInput),
        ("a.musicxml", BOMB, DamagedInput),
        ("a.musicxml", b"<score-partwise/>", SilentInput),
        ("a.musicxml", MUSICXML.replace("<duration>4", "<duration>1e99").encode(), DamagedInput),
        ("a.musicxml", MUSICXML.replace("<divisions>2", "<divisions>0").encode(), DamagedInput),
        ("a.musicxml", MUSICXML.replace("<octave>5", "<octave>five").encode(), DamagedInput),
        ("a.mxl", b"PK\x03\x04broken", DamagedInput),
        ("a.abc", b"", EmptyInput),
        ("a.abc", b"Dear Sir,\nno tune here", MislabelledInput),
        ("a.abc", b"X:1\nK:C\nz4|\n", SilentInput),
        ("a.abc", b"MThd\0\0\0\x06\0\0", MislabelledInput),
    ],
)
def test_bad_files(tmp_path: Path, name: str, data: bytes, error: type[InputError]) -> None:
    (tmp_path / name).write_bytes(data)
    read = read_abc if name.endswith("abc") else read_musicxml
    with pytest.raises(error):
        read(tmp_path / name, Context())


def test_an_archive_that_grows_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.mxl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("score.xml", b" " * (70 << 20))
    with pytest.raises(InputError, match="unpacks to more"):
        read_musicxml(tmp_path / "a.mxl", Context())


@given(text=st.text(st.sampled_from("CDEabz|:[]()-><{}!'\",_^=0123456789/&\n%VKMLQXZ "), max_size=120))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_abc_is_read_or_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.abc").write_text(f"X:1\nK:C\n{text}\n")
    try:
        read_abc(tmp_path / "x.abc", Context()).notes()
    except InputError:
        return


@given(cut=st.integers(0, len(MUSICXML) - 1), put=st.sampled_from(["", "<note/>", "9", "-", "<forward/>", "é"]))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_musicxml_is_read_or_refused(tmp_path: Path, cut: int, put: str) -> None:
    (tmp_path / "x.musicxml").write_text(MUSICXML[:cut] + put + MUSICXML[cut + 1 :], encoding="utf-8")
    try:
        read_musicxml(tmp_path / "x.musicxml", Context()).notes()
    except InputError:
        return


@given(pitch=st.integers(0, 127), sharps=st.integers(-7, 7))
def test_spelling_sounds_right(pitch: int, sharps: int) -> None:
    letter, shift, octave = spelled(pitch, sharps)
    assert "C D EF G A B".index(letter) + shift + 12 * (octave + 1) == pitch
    assert abs(shift) <= 1
    assert -1 <= altered(letter, sharps) <= 1


def test_order_of_playing() -> None:
    two, one = Marks(endings=frozenset({2})), Marks(endings=frozenset({1}), backward=2)
    assert played([Marks(), one, two, Marks(), one, two]) == [0, 1, 0, 2, 3, 4, 3, 5]
    assert played([Marks(), Marks(fine=True), Marks(da_capo=True)]) == [0, 1, 2, 0, 1]
    jump = [Marks(), Marks(segno=True), Marks(to_coda=True), Marks(dal_segno=True), Marks(coda=True)]
    assert played(jump) == [0, 1, 2, 3, 1, 2, 4]
    assert len(played([Marks(backward=9999)])) == 16
