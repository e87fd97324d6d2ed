"""Scores in memory and MIDI files: lossless, exact in time, and safe with files that nobody should write."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mido import Message, MetaMessage  # type: ignore[import-untyped]
from mido.midifiles.meta import UnknownMetaMessage  # type: ignore[import-untyped]

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, EmptyInput, HugeInput, InputError, MislabelledInput
from transpose.formats.midi import read_midi, write_midi
from transpose.media import score as media
from transpose.media.score import Note, Score, from_notes, load, pack, parse, save

byte, channel = st.integers(0, 127), st.integers(0, 15)
waits = st.one_of(st.integers(0, 1000), st.integers(0, media.LONGEST_WAIT))
text = st.text(st.characters(max_codepoint=255), max_size=200)
messages = st.one_of(
    st.builds(lambda **f: Message("note_on", **f), channel=channel, note=byte, velocity=byte, time=waits),
    st.builds(lambda **f: Message("note_off", **f), channel=channel, note=byte, velocity=byte, time=waits),
    st.builds(lambda **f: Message("control_change", **f), channel=channel, control=byte, value=byte, time=waits),
    st.builds(lambda **f: Message("program_change", **f), channel=channel, program=byte, time=waits),
    st.builds(lambda **f: Message("pitchwheel", **f), channel=channel, pitch=st.integers(-8192, 8191), time=waits),
    st.builds(lambda **f: Message("sysex", **f), data=st.lists(byte, max_size=9), time=waits),
    st.builds(lambda **f: MetaMessage("set_tempo", **f), tempo=st.integers(0, 0xFFFFFF), time=waits),
    st.builds(lambda **f: MetaMessage("lyrics", **f), text=text, time=waits),
    st.builds(lambda **f: MetaMessage("key_signature", **f), key=st.sampled_from(["C", "F#m", "Bb"]), time=waits),
    st.builds(
        lambda power, **f: MetaMessage("time_signature", denominator=2**power, **f),
        power=st.integers(0, 8), numerator=st.integers(0, 255), time=waits,
    ),
    st.builds(UnknownMetaMessage, st.sampled_from([0x0A, 0x4B]), st.binary(max_size=9), waits),
)  # fmt: skip
tracks = st.lists(st.lists(messages, max_size=12).map(tuple), min_size=1, max_size=4).map(tuple)
divisions = st.one_of(st.integers(1, 32767), st.sampled_from([(-25 << 8) + 40, (-30 << 8) + 80]))


@given(tracks=tracks, division=divisions, form=st.integers(0, 2))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_store_is_lossless(tmp_path: Path, tracks: tuple[tuple[Message, ...], ...], division: int, form: int) -> None:
    value = Score(tracks, division, form)
    save(value, tmp_path / "x.mid")
    assert load(tmp_path / "x.mid") == value
    assert hash(load(tmp_path / "x.mid")) == hash(value)


def test_one_tick_makes_another_score() -> None:
    one, other = (Score(((Message("note_on", note=60, time=wait),),)) for wait in (1, 2))
    assert one != other


@given(data=st.binary(max_size=80))
@settings(max_examples=400, deadline=None)
def test_any_track_is_read_or_refused(data: bytes) -> None:
    try:
        value, _ = parse(_file(data), "x.mid")
    except InputError:
        return
    assert parse(pack(value), "again")[0] == value
    value.notes(pedal=True)


@given(notes=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 40), byte, st.integers(1, 127)), max_size=30))
@settings(deadline=None)
def test_notes_come_back_in_seconds(notes: list[tuple[int, int, int, int]]) -> None:
    free: dict[int, int] = {}  # pitch -> when its last note ends
    made = []
    for start, length, pitch, velocity in sorted(notes):
        if start >= free.get(pitch, 0):
            free[pitch] = start + length
            made.append(Note(start / 48, (start + length) / 48, pitch, velocity, 3, 40))
    found = from_notes(made, tempo=120).notes()
    assert [(n.pitch, n.velocity, n.channel, n.program) for n in found] == [
        (n.pitch, n.velocity, n.channel, n.program) for n in sorted(made)
    ]
    assert all(
        abs(a.start - b.start) < 1e-9 and abs(a.end - b.end) < 1e-9 for a, b in zip(found, sorted(made), strict=True)
    )


def test_tempo_changes_of_one_track_count_for_all() -> None:
    tempi = (MetaMessage("set_tempo", tempo=500_000), MetaMessage("set_tempo", tempo=1_000_000, time=480))
    tune = (Message("note_on", note=60, time=480), Message("note_off", note=60, time=480))
    (note,) = Score((tempi, tune)).notes()
    assert (note.start, note.end) == pytest.approx((0.5, 1.5))


def test_film_time_and_tracks_one_after_another() -> None:
    tune = (Message("note_on", note=60), Message("note_off", note=60, time=1000))
    assert Score((tune,), (-25 << 8) + 40).duration == pytest.approx(1.0)
    assert [note.start for note in Score((tune, tune), (-25 << 8) + 40, 2).notes()] == pytest.approx([0.0, 1.0])


def test_pedal_holds_notes() -> None:
    pedal = [Message("control_change", control=64, value=127), Message("note_on", note=60)]
    track = (*pedal, Message("note_off", note=60, time=480), Message("control_change", control=64, time=480))
    held, loose = (Score((track,)).notes(pedal=pedal)[0].end for pedal in (True, False))
    assert (held, loose) == pytest.approx((1.0, 0.5))


def test_what_nobody_ends_ends_with_the_piece_and_what_mido_forgets_is_kept() -> None:
    body = b"\x83\x60\xff\x4b\x01A" + b"\x00\x90\x3c\x40" + b"\x83\x60\xff\x59\x02\x63\x00" + b"\x00\xff\x2f\x00"
    value, losses = parse(_file(body), "x.mid")
    (note,) = value.notes()
    assert (note.start, note.end) == pytest.approx((0.5, 1.0))  # the unknown event's wait counts
    assert not losses
    assert pack(value)[22:] == body  # even the impossible key


def test_packets_are_left_out_and_counted(tmp_path: Path) -> None:
    body = b"\x00\xf0\x02\x01\x02" + b"\x60\xf7\x01\xf8" + b"\x00\x90\x3c\x40\x60\x80\x3c\x40\x00\xff\x2f\x00"
    (tmp_path / "a.mid").write_bytes(_file(body))
    ctx = Context()
    assert read_midi(tmp_path / "a.mid", ctx).notes()[0].start == pytest.approx(0.1)
    assert "2 messages" in ctx.warnings[0]


HOSTILE = {
    "a length of 2^31": (b"\x00\xff\x01\x88\x80\x80\x80\x00", DamagedInput),
    "a length of 2^28": (b"\x00\xff\x01\xff\xff\xff\x7f", DamagedInput),
    "a number without end": (b"\xff" * 100_000, DamagedInput),
    "running status of nothing": (b"\x00\x3c\x40", DamagedInput),
    "ends in a note": (b"\x00\x90\x3c", DamagedInput),
    "one event too many": (b"\x00\x90\x3c\x40" + b"\x00\x3c\x00" * 10_000, HugeInput),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MOST_EVENTS", 10_000)
    body, error = HOSTILE[name]
    path = tmp_path / "bad.mid"
    path.write_bytes(_file(body))
    with pytest.raises(error, match=r"bad\.mid"):
        read_midi(path, Context())


def test_empty_mislabelled_truncated(tmp_path: Path) -> None:
    whole = pack(from_notes([Note(0, 1, 60, 90)]))
    path = tmp_path / "x.mid"
    for data, error in ((b"", EmptyInput), (b"RIFF....WAVE", MislabelledInput), (b"{}", MislabelledInput),
                        (whole[:10], DamagedInput), (whole[:-9], DamagedInput)):  # fmt: skip
        path.write_bytes(data)
        with pytest.raises(error, match="x.mid"):
            read_midi(path, Context())
    for count, tick in ((1, 0), (0, 480), (65535, 480)):
        path.write_bytes(_file(b"\x00\xff\x2f\x00", tick, count))
        if (count, tick) == (65535, 480):
            ctx = Context()
            read_midi(path, ctx)
            assert "promises 65535 tracks and holds 1" in ctx.warnings[0]
        else:
            with pytest.raises(DamagedInput):
                read_midi(path, Context())


def test_huge_waits_are_only_numbers(tmp_path: Path) -> None:
    (tmp_path / "x.mid").write_bytes(_file(b"\xff\xff\xff\x7f\x90\x3c\x40" * 1000 + b"\x00\xff\x2f\x00"))
    assert read_midi(tmp_path / "x.mid", Context()).duration > 1e8


def test_riff_wrapper(tmp_path: Path) -> None:
    midi = pack(from_notes([Note(0, 1, 60, 90)]))
    chunk = b"data" + struct.pack("<I", len(midi)) + midi
    (tmp_path / "x.mid").write_bytes(b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"RMID" + chunk)
    assert read_midi(tmp_path / "x.mid", Context()).notes() == [Note(0.0, 1.0, 60, 90)]


def test_history_is_replaced_and_notes_are_untouched(tmp_path: Path) -> None:
    value = from_notes([Note(0.5, 1.25, 60, 90)], texts=["Ännchen"])
    write_midi(value, tmp_path / "plain.mid", Context())
    assert load(tmp_path / "plain.mid") == value
    for history in ('{"transpose":"1","inputs":[{"name":"Lied für Ännchen.wav"}]}', '{"transpose":"2"}'):
        write_midi(value, tmp_path / "x.mid", Context(history=history))
        value = read_midi(tmp_path / "x.mid", Context())
        assert value.texts() == [history, "Ännchen"]
    assert value.notes() == [Note(0.5, 1.25, 60, 90)]


def _file(body: bytes, division: int = 480, count: int = 1) -> bytes:
    """A MIDI file with one track of these bytes."""
    return (
        b"MThd" + struct.pack(">IHHh", 6, 1, count & 0xFFFF, division) + b"MTrk" + struct.pack(">I", len(body)) + body
    )
