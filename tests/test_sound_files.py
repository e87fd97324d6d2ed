"""Sound files: every format there and back, and what happens to the broken ones."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, EmptyInput, InputError, MislabelledInput, SilentInput
from transpose.formats.sound import CODINGS, read_sound, write_sound
from transpose.media.audio import Audio
from transpose.media.samples import encode

HISTORY = json.dumps({"steps": ["a", "ü"]}, ensure_ascii=False)


def sound(seconds: float = 5.0, rate: int = 44_100, channels: int = 2) -> Audio:
    """A chord with some noise."""
    time = np.arange(round(seconds * rate)) / rate
    wave = np.sin(2 * np.pi * time[:, None] * np.array([220, 277, 330])).sum(axis=1) / 10
    noise = np.random.default_rng(0).standard_normal((len(time), channels)) / 100
    return Audio.from_array((wave[:, None] + noise).astype(np.float32), rate, {"title": "Ein Lied"})


def tags(path: Path) -> dict[str, str]:
    """What the file says about itself."""
    with av.open(str(path)) as container:
        found = {**container.metadata, **container.streams.audio[0].metadata}
    return {key.lower(): value for key, value in found.items()}


def distance(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Noise in decibels under the signal."""
    return float(20 * np.log10(np.linalg.norm(first) / (np.linalg.norm(first - second) + 1e-9)))


@pytest.mark.parametrize(
    ("suffix", "least"), [(".wav", 70), (".flac", 70), (".mp3", 15), (".ogg", 12), (".opus", 12), (".m4a", 15)]
)
def test_there_and_back(tmp_path: Path, suffix: str, least: float) -> None:
    path, ctx, audio = tmp_path / f"x{suffix}", Context(history=HISTORY), sound()
    write_sound(audio, path, ctx)
    back = read_sound(path, Context())
    expected = audio.array(rate=back.rate)
    assert back.length == len(back.array()) == len(expected)  # priming and padding are left out
    assert distance(expected, back.array()) > least
    assert tags(path)["comment"] == HISTORY
    assert back.meta["title"] == "Ein Lied"
    assert not ctx.warnings


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_24_bits_are_finer(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    write_sound(sound(), path, Context(), bits="24")
    assert distance(sound().array(), read_sound(path, Context()).array()) > 110


def test_bitrate_is_heeded(tmp_path: Path) -> None:
    sizes = []
    for bitrate in (32, 256):
        write_sound(sound(), tmp_path / "x.mp3", Context(), bitrate=bitrate)
        sizes.append((tmp_path / "x.mp3").stat().st_size)
    assert sizes[1] > 4 * sizes[0]


@pytest.mark.parametrize("suffix", sorted(CODINGS))
@pytest.mark.parametrize(("rate", "channels"), [(7_919, 1), (22_050, 6), (96_000, 2), (192_000, 1)])
def test_odd_rates_and_channels(tmp_path: Path, suffix: str, rate: int, channels: int) -> None:
    path, audio = tmp_path / f"x{suffix}", sound(1.0, rate, channels)
    write_sound(audio, path, Context())
    back = read_sound(path, Context())
    assert back.duration == pytest.approx(1, abs=0.01)
    assert len(back.array()) == pytest.approx(back.rate, rel=0.01)


def test_too_loud_is_cut_and_said(tmp_path: Path) -> None:
    ctx = Context()
    write_sound(Audio.from_array(np.array([0.5, 2.0, -2.0, np.nan] * 1000, np.float32), 8000), tmp_path / "x.wav", ctx)
    back = read_sound(tmp_path / "x.wav", Context()).array()[:4, 0]
    np.testing.assert_allclose(back, [0.5, 1, -1, 0], atol=1e-4)
    assert any("50 %" in warning and "6.0 dB" in warning for warning in ctx.warnings)
    assert any("not numbers" in warning for warning in ctx.warnings)


def test_no_sound_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(EmptyInput):
        write_sound(Audio.from_array(np.zeros(0, np.float32), 8000), tmp_path / "x.wav", Context())


@pytest.mark.parametrize("suffix", sorted(CODINGS))
@pytest.mark.parametrize("kept", [0.001, 0.02, 0.3, 0.6, 0.9])
def test_a_file_that_lost_its_end_is_never_silently_short(tmp_path: Path, suffix: str, kept: float) -> None:
    path, ctx = tmp_path / f"x{suffix}", Context()
    write_sound(sound(12), path, Context())
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    if suffix in (".ogg", ".opus") and kept > 0.1:  # declares no length: only the missing end mark shows
        read_sound(path, ctx)
        assert any("end" in warning for warning in ctx.warnings)
    else:
        with pytest.raises(DamagedInput):
            read_sound(path, ctx)


@pytest.mark.parametrize("suffix", sorted(CODINGS))
def test_flipped_bytes_never_escape(tmp_path: Path, suffix: str) -> None:
    path, rng = tmp_path / f"x{suffix}", np.random.default_rng(0)
    write_sound(sound(3), path, Context())
    whole = path.read_bytes()
    for _ in range(40):
        raw = np.frombuffer(whole, np.uint8).copy()
        places = rng.integers(0, rng.choice([100, 1000, len(raw)]), 8)
        raw[places] = rng.integers(0, 256, 8)
        path.write_bytes(raw.tobytes())
        try:
            total = sum(len(block) for block in read_sound(path, Context()).blocks())
        except InputError:
            continue
        assert total > 0


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".ogg", ".m4a", ".mp4", ".mkv", ".webm"])
@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"Dear all,\nplease find attached\n", "text"),
        ("Grüße\n".encode() * 2000, "text"),
        (b"%PDF-1.7\n\x80\x81", "PDF"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG"),
        (b"PK\x03\x04" + bytes(90), "ZIP"),
    ],
)
def test_other_bytes_are_named(tmp_path: Path, suffix: str, data: bytes, name: str) -> None:
    (tmp_path / f"x{suffix}").write_bytes(data)
    with pytest.raises(MislabelledInput, match=name):
        read_sound(tmp_path / f"x{suffix}", Context())


def test_a_wrong_suffix_of_a_sound_is_read_with_a_warning(tmp_path: Path) -> None:
    write_sound(sound(1), tmp_path / "x.mp3", Context())
    wrong, ctx = (tmp_path / "x.mp3").rename(tmp_path / "x.wav"), Context()
    assert read_sound(wrong, ctx).duration == pytest.approx(1, abs=0.05)
    assert any("MP3" in warning for warning in ctx.warnings)


def test_a_streamed_wav_of_unknown_length_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    write_sound(sound(5), path, Context())
    raw = bytearray(path.read_bytes())
    place = raw.index(b"data") + 4
    raw[4:8] = raw[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(raw)
    assert len(read_sound(path, Context()).array()) == pytest.approx(5 * 44_100, abs=2000)


def test_an_mp3_without_header_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    write_sound(sound(8), path, Context())
    raw = path.read_bytes()
    first = raw.index(b"Info") - 36
    frame = raw.index(raw[first : first + 2], first + 40)
    path.write_bytes(raw[frame : int(len(raw) * 0.7)])  # a recording of a stream that begins and ends anywhere
    audio = read_sound(path, Context())
    assert len(audio.array()) == pytest.approx(audio.length, abs=3000)


def test_length_zero_is_empty(tmp_path: Path) -> None:
    (tmp_path / "none.wav").touch()
    write_sound(sound(1), tmp_path / "x.wav", Context())
    raw = (tmp_path / "x.wav").read_bytes()
    place = raw.index(b"data")
    (tmp_path / "zero.wav").write_bytes(raw[: place + 4] + bytes(4))
    for name in ("none.wav", "zero.wav"):
        with pytest.raises(EmptyInput):
            read_sound(tmp_path / name, Context())


@pytest.mark.parametrize(("suffix", "container"), [(".mp4", "mp4"), (".mkv", "matroska"), (".webm", "webm")])
def test_video(tmp_path: Path, suffix: str, container: str) -> None:
    silent, spoken = tmp_path / f"silent{suffix}", tmp_path / f"x{suffix}"
    with av.open(str(silent), "w", format=container) as output:
        stream = output.add_stream("libvpx-vp9" if suffix == ".webm" else "mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for shade in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), shade * 50, np.uint8), format="rgb24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(SilentInput):
        read_sound(silent, Context())
    codec = "libopus" if suffix == ".webm" else "aac"
    encode(sound(2, 48_000).blocks(), spoken, rate=48_000, codec=codec, container=container)
    assert read_sound(spoken, Context()).duration == pytest.approx(2, abs=0.05)
