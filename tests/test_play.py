"""Playing scores: with a tiny sound font made here, with plain sine waves, and with the real one."""

from __future__ import annotations

import io
import struct
import sys
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from mido import Message  # type: ignore[import-untyped]
from numpy.typing import NDArray

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, HugeInput, MissingInput, SilentInput, TransformError, WeightsError
from transpose.media.audio import Audio
from transpose.media.score import Note, Score, from_notes
from transpose.models.soundfont import SAMPLE, VORBIS, decode, plain, read_font
from transpose.transforms.play import FONT, RATE, play

LOOP = 441  # samples in a sine's round trip at 44.1 kHz: 100 Hz
TUNE = from_notes([Note(0.0, 0.5, 69, 100), Note(1.0, 1.5, 81, 50)])


def strongest(sound: Audio, start: float, stop: float) -> float:
    """The strongest frequency in Hz between two seconds."""
    mono = sound.array(channels=1)[round(start * RATE) : round(stop * RATE), 0]
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono)), 1 << 17))
    return float(spectrum.argmax()) * RATE / (1 << 17)


def loudness(sound: Audio, start: float, stop: float) -> float:
    """Root of the mean square between two seconds."""
    return float(np.sqrt((sound.array()[round(start * RATE) : round(stop * RATE)] ** 2).mean()))


def make_font(path: Path, *, vorbis: bool = False) -> Path:
    """A sound font of one looped sine (key 69 is 440 Hz), in 16-bit form or, as SF3, in Ogg Vorbis."""
    wave = 0.8 * np.sin(2 * np.pi * np.arange(100 * LOOP) / LOOP * 4)  # 400 Hz
    samples = (wave * 32767).astype("<i2").tobytes() + bytes(92)
    start, end, kind = 0, len(wave), 1
    if vorbis:
        samples = vorbis_of(wave)
        end, kind = len(samples), 1 | 0x10

    def chunk(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)

    def row(text: bytes, form: str, *numbers: int) -> bytes:
        return struct.pack("<20s" + form, text, *numbers)

    tune = 1200 * np.log2(440 / 400)  # the sample is 165 cents too low
    generators = [(54, 1), (51, round(tune // 100)), (52, round(tune % 100)), (58, 69), (53, 0)]
    tables = {
        b"phdr": row(b"sine", "HHHIII", 0, 0, 0, 0, 0, 0) + row(b"EOP", "HHHIII", 0, 0, 1, 0, 0, 0),
        b"pbag": struct.pack("<HHHH", 0, 0, 1, 0),
        b"pmod": bytes(10),
        b"pgen": struct.pack("<HHHH", 41, 0, 0, 0),
        b"inst": row(b"sine", "H", 0) + row(b"EOI", "H", 1),
        b"ibag": struct.pack("<HHHH", 0, 0, len(generators), 0),
        b"imod": bytes(10),
        b"igen": b"".join(struct.pack("<HH", *each) for each in generators) + bytes(4),
        b"shdr": row(b"sine", "IIIIIBbHH", start, end, LOOP, 50 * LOOP, RATE, 69, 0, 0, kind)
        + row(b"EOS", "IIIIIBbHH", 0, 0, 0, 0, 0, 0, 0, 0, 0),
    }
    info = chunk(b"ifil", struct.pack("<HH", 3 if vorbis else 2, 1)) + chunk(b"isng", b"EMU8000\0")
    lists = [b"INFO" + info + chunk(b"INAM", b"tiny\0\0"), b"sdta" + chunk(b"smpl", samples)]
    lists.append(b"pdta" + b"".join(chunk(name, data) for name, data in tables.items()))
    path.write_bytes(chunk(b"RIFF", b"sfbk" + b"".join(chunk(b"LIST", each) for each in lists)))
    return path


def vorbis_of(wave: NDArray[np.float64]) -> bytes:
    """An Ogg Vorbis stream of FFmpeg's own encoder, which knows stereo only."""
    out = io.BytesIO()
    with av.open(out, "w", format="ogg") as container:
        stream = container.add_stream("vorbis", rate=RATE, layout="stereo", options={"strict": "experimental"})
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]).astype(np.float32), "fltp", "stereo")
        frame.rate = RATE
        frame.pts = 0
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return out.getvalue()


def test_pitch_time_and_length(tmp_path: Path) -> None:
    ctx = Context()
    sound = play(TUNE, ctx, soundfont=str(make_font(tmp_path / "tiny.sf2")))
    assert (sound.rate, sound.channels) == (RATE, 2)
    assert strongest(sound, 0.1, 0.4) == pytest.approx(440, rel=0.004)
    assert strongest(sound, 1.1, 1.4) == pytest.approx(880, rel=0.004)
    assert loudness(sound, 0.7, 0.95) < 0.1 * loudness(sound, 0.1, 0.4)
    assert 1.5 <= sound.duration < 3.0
    assert np.abs(sound.array()).max() == pytest.approx(10 ** (-1 / 20), abs=1e-3)
    assert ctx.facts["instruments"] == "tiny"
    assert not ctx.warnings


def test_compressed_font_sounds_like_the_plain_one(tmp_path: Path) -> None:
    one, other = (
        play(TUNE, Context(), soundfont=str(make_font(tmp_path / name, vorbis=name.endswith("3"))))
        for name in ("a.sf2", "b.sf3")
    )
    assert strongest(other, 1.1, 1.4) == pytest.approx(strongest(one, 1.1, 1.4), abs=0.5)
    assert loudness(other, 0.1, 0.4) == pytest.approx(loudness(one, 0.1, 0.4), rel=0.05)


@pytest.mark.parametrize("length", [9408, 44_096, 100_032])  # FFmpeg's encoder fills up to 64
def test_vorbis_keeps_every_sample(length: int) -> None:
    wave = 0.5 * np.sin(np.arange(length) * 0.05)
    found = decode(vorbis_of(wave))
    assert len(found) == length
    assert np.abs(found - wave).max() < 0.05
    assert np.abs(found[1:] - wave[:-1]).mean() > 2 * np.abs(found - wave).mean()  # a shift would be seen


def test_samples_out_of_reach_are_left_out(tmp_path: Path) -> None:
    font = read_font(make_font(tmp_path / "tiny.sf2"))
    assert len(plain(font, [0], [])) > 80_000
    far = font.tables[b"phdr"].replace(b"sine" + bytes(16), b"sine" + bytes(16) + struct.pack("<H", 77), 1)
    unreachable = replace(font, tables={**font.tables, b"phdr": far[:22] + far[24:]})
    assert len(plain(unreachable, [5], [])) < 1_000
    assert len(plain(unreachable, [77], [])) > 80_000


def test_sustain_pedal_and_tail_are_heard(tmp_path: Path) -> None:
    font = str(make_font(tmp_path / "tiny.sf2"))
    events = [Message("note_on", note=69, velocity=90), Message("note_off", note=69, time=240)]
    end = [Message("control_change", control=64, value=0, time=960)]
    dry = play(Score(((*events, *end),)), Context(), soundfont=font)
    held = play(Score(((Message("control_change", control=64, value=127), *events, *end),)), Context(), soundfont=font)
    assert loudness(held, 0.8, 1.1) > 20 * loudness(dry, 0.8, 1.1)


def test_many_loud_notes_are_not_cut_off(tmp_path: Path) -> None:
    loud = [Message("control_change", control=7, value=127), Message("control_change", control=11, value=127)]
    chord = [Message("note_on", note=pitch, velocity=127) for pitch in range(60, 90)]
    stop = Message("control_change", control=123, time=960)
    sound = play(Score(((*loud, *chord, stop),)), Context(), soundfont=str(make_font(tmp_path / "tiny.sf2")))
    samples = np.abs(sound.array())
    assert (samples > 0.999 * samples.max()).sum() < 20


@pytest.mark.parametrize("program", [0, 19, 40, 73])
def test_plain_synthesiser_plays_in_tune(program: int) -> None:
    ctx = Context()
    notes = [Note(0.5, 1.5, 69, 100, 0, program), Note(9.9, 10.6, 57, 100, 0, program), Note(0.0, 0.1, 38, 90, 9)]
    sound = play(from_notes(notes), ctx, soundfont="plain")
    assert strongest(sound, 0.6, 1.4) == pytest.approx(440, abs=1)
    assert strongest(sound, 10.0, 10.5) == pytest.approx(220, abs=1)
    assert loudness(sound, 4.0, 9.0) == 0
    assert loudness(sound, 0.0, 0.1) > 0
    assert 10.6 <= sound.duration < 11.0
    assert ctx.facts == {"instruments": "sine waves"}


def test_blocks_of_the_plain_synthesiser_join_without_a_seam() -> None:
    from transpose.models.additive import sing

    notes = [Note(0.2, 2.9, 60, 90), Note(0.9, 1.1, 38, 100, 9), Note(0.95, 3.0, 64, 90, 1, 48)]
    whole = np.concatenate(list(sing(notes, 3.2, 8000, block=10.0)))
    parts = np.concatenate(list(sing(notes, 3.2, 8000, block=0.37)))
    assert np.allclose(whole, parts, atol=1e-6)


def test_without_a_font_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> Path:
        raise WeightsError(f"no source of {name}")

    ctx = Context(weights=refuse)
    assert play(TUNE, ctx).duration >= 1.5
    assert "sine waves" in ctx.warnings[0]
    assert "no source of soundfont-fluid" in ctx.warnings[0]
    monkeypatch.setitem(sys.modules, "midirenderer", None)
    other = Context()
    play(TUNE, other)
    assert "midirenderer" in other.warnings[0]


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(SilentInput):
        play(from_notes([]), Context(), soundfont="plain")
    with pytest.raises(HugeInput, match="hours"):
        play(from_notes([Note(9000.0, 9001.0, 60, 90)]), Context(), soundfont="plain")
    with pytest.raises(MissingInput, match="none"):
        play(TUNE, Context(), soundfont=str(tmp_path / "none.sf2"))
    font = make_font(tmp_path / "tiny.sf2").read_bytes()
    for data in (b"", b"nothing", font[: len(font) // 2], font[:-60]):
        (tmp_path / "bad.sf2").write_bytes(data)
        with pytest.raises((DamagedInput, TransformError), match="bad.sf2"):
            play(TUNE, Context(), soundfont=str(tmp_path / "bad.sf2"))


@pytest.mark.models
def test_real_instruments_are_in_tune(models_ctx: Context) -> None:
    for program in (0, 40, 56):
        sound = play(from_notes([Note(0.0, 1.5, 69, 100, 0, program)]), models_ctx)
        heard = strongest(sound, 0.3, 1.2)
        assert abs(1200 * np.log2(heard / 440 / round(heard / 440))) < 25
    assert not models_ctx.warnings


@pytest.mark.models
def test_every_loop_of_the_real_font_lies_inside_its_sample(models_ctx: Context) -> None:
    font = read_font(models_ctx.model("soundfont-fluid") / FONT)
    rows = [row for row in SAMPLE.iter_unpack(font.tables[b"shdr"]) if row[9] & VORBIS]
    late = [row for row in rows[::9] if row[4] > len(decode(font.samples[row[1] : row[2]]))]
    assert len(rows) > 1000
    assert not late  # as FFmpeg gives them, one of eight is too short
