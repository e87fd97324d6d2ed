"""Sound files in and out, streamed: WAV, FLAC, MP3, Ogg and Opus, AAC in MP4; and the sound of a video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, EmptyInput, MislabelledInput, SilentInput
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.samples import opened, reach

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Coding:
    """How a suffix is written: FFmpeg's names, the most channels, and kbit/s for mono and for more (0: lossless)."""

    container: str
    codec: str
    most_channels: int
    mono: int = 0
    wide: int = 0


CODINGS = {
    ".wav": Coding("wav", "pcm_s16le", 64),
    ".flac": Coding("flac", "flac", 8),
    ".mp3": Coding("mp3", "libmp3lame", 2, 112, 192),
    ".ogg": Coding("ogg", "libopus", 8, 72, 128),
    ".opus": Coding("opus", "libopus", 8, 72, 128),
    ".m4a": Coding("ipod", "aac", 8, 96, 160),
}
# suffix -> what FFmpeg calls the container that belongs to it
CONTAINERS = {
    ".wav": "wav", ".flac": "flac", ".mp3": "mp3", ".ogg": "ogg", ".opus": "ogg",
    ".m4a": "mov", ".mp4": "mov", ".mkv": "matroska", ".webm": "matroska",
}  # fmt: skip
MARKS = {  # the first bytes of what is no sound
    b"%PDF": "a PDF", b"PK\x03\x04": "a ZIP archive or an Office document", b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture", b"GIF8": "a GIF picture", b"\x1f\x8b": "a gzip archive",
    b"MThd": "a MIDI file", b"Rar!": "a RAR archive", b"7z\xbc\xaf": "a 7-Zip archive", b"#!AMR": "an AMR recording",
}  # fmt: skip


@transform(".wav|.flac|.mp3|.ogg|.opus|.m4a|.mp4|.mkv|.webm -> audio")
def read_sound(path: Path, ctx: Context) -> Audio:
    """Open a sound file, or the first sound track of a video; the samples are read when they are needed.

    Raises EmptyInput for a length of zero, SilentInput for a video without sound, MislabelledInput for bytes that are
    no sound, and DamagedInput where a file lost more than half a second and 2 % of the length that it declares.
    Losses that no header tells of (the end of a streamed Ogg, of an MP3 without Xing header) cannot be seen.
    """
    try:
        sound = Audio.from_file(path)
    except (DamagedInput, SilentInput) as error:
        suffix = path.suffix.lower()
        other = _other_format(path)
        if other:
            raise MislabelledInput(f"{path.name!r} is named {suffix} but looks like {other}", "Rename it") from error
        if suffix in CODINGS and isinstance(error, SilentInput):  # a video may well be silent, a sound file not
            raise DamagedInput(f"{path.name!r} holds no readable sound", "Is it complete?") from error
        raise
    if not sound.length:
        raise EmptyInput(f"{path.name!r} holds no sound: its length is zero")
    if not _ends_well(path):
        ctx.warn(f"{path.name!r} has no end mark: it was streamed, or its end is lost")
    found, kept, whole = _extent(path, sound.duration)
    if kept < whole * 0.98 - 0.5:
        lost = f"only {kept:.1f} of {whole:.1f} s of sound are there"
        raise DamagedInput(f"{path.name!r} breaks off: {lost}", "Is the file complete? Copy it again")
    expected = CONTAINERS.get(path.suffix.lower(), "")
    if expected and not found.startswith(expected):
        ctx.warn(f"{path.name!r} is named {path.suffix} but holds {found.partition(',')[0].upper()}; read as that")
    return sound


def _extent(path: Path, seconds: float) -> tuple[str, float, float]:
    """FFmpeg's name of the container, up to which second sound really lies in it, and up to which it should."""
    with opened(path) as (container, stream):
        base, start, name = stream.time_base, stream.start_time or 0, container.format.name
        if name == "wav":  # FFmpeg shortens the declared length to what is there
            return name, seconds, seconds * _promised(path)
        if base is None or seconds < 3 or name == "aac":
            return name, seconds, seconds
        container.seek(start + int((seconds * 0.98 - 1) / base), stream=stream)
        last = max((p.pts + (p.duration or 0) for p in container.demux(stream) if p.pts is not None), default=None)
        if last is not None:
            return name, float((last - start) * base), seconds
    with opened(path) as (container, stream):  # nothing lies there: count what does
        return name, float(reach(container, stream) * base), seconds


def _promised(path: Path) -> float:
    """How many times as many bytes of samples the header of a WAV promises as there are (1: it tells the truth)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        kind, long = file.read(12)[:4], 0
        while len(head := file.read(8)) == 8:
            count = int.from_bytes(head[4:], "little")
            if head[:4] == b"ds64":
                long = int.from_bytes(file.read(16)[8:], "little")
                file.seek(count - 16, 1)
            elif head[:4] == b"data":
                wanted = long if kind == b"RF64" else count
                here = size - file.tell()
                streamed = wanted == 0 or (kind != b"RF64" and wanted >= 0x7FFF_F000)  # written to a pipe: unknown
                return 1.0 if streamed or wanted <= here else wanted / max(1, here)
            else:
                file.seek(count + count % 2, 1)
    return 1.0


def _ends_well(path: Path) -> bool:
    """False for an Ogg whose last page does not carry the mark of the end (RFC 3533, section 6)."""
    with path.open("rb") as file:
        if file.read(4) != b"OggS":
            return True
        file.seek(max(0, path.stat().st_size - 66_000))  # a page has at most 65,307 bytes
        tail = file.read()
    last = tail.rfind(b"OggS")
    if last < 0 or len(tail) < last + 27:
        return False
    lengths = tail[last + 27 : last + 27 + tail[last + 26]]
    return bool(tail[last + 5] & 4) and len(tail) >= last + 27 + tail[last + 26] + sum(lengths)


def _other_format(path: Path) -> str:
    """What a file that is no sound looks like, or nothing."""
    with path.open("rb") as file:
        head = file.read(4096)
    for mark, name in MARKS.items():
        if head.startswith(mark):
            return name
    try:
        text = head[:4090].decode("utf-8", "strict" if len(head) < 4090 else "ignore")
    except UnicodeDecodeError:
        return ""
    if "\x00" in text or len(text) < 0.9 * min(len(head), 4090) / 4:
        return ""
    return "HTML" if text.lstrip()[:15].lower().startswith(("<!doctype html", "<html")) else "text"


@transform("audio -> .wav|.flac|.mp3|.ogg|.opus|.m4a", loses=["exactness"])
def write_sound(
    audio: Audio,
    path: Path,
    ctx: Context,
    *,
    bitrate: Annotated[int | None, Range(8, 512), "kilobits per second of MP3, Opus (.ogg) and AAC (.m4a)"] = None,
    bits: Annotated[Literal["16", "24"], "bits per sample of WAV and FLAC"] = "16",
) -> None:
    """Write a sound: WAV and FLAC as integers, the others compressed with loss; `.ogg` holds Opus.

    Samples beyond full scale are cut off, with a warning. Rates that a codec does not take are resampled to the next
    higher one (Opus: 48 kHz at most). The length stays exact: the padding of MP3, Opus and AAC is declared in the file
    and left out by players that heed it.
    """
    from transpose.media.samples import encode

    coding = CODINGS[path.suffix.lower()]
    channels = audio.channels
    if channels > coding.most_channels:
        ctx.warn(f"{path.suffix} takes {coding.most_channels} channels at most: {channels} are mixed to 2")
        channels = 2
    codec, sample_format = coding.codec, ""
    if bits == "24" and not coding.mono:
        codec, sample_format = ("flac", "s32") if codec == "flac" else ("pcm_s24le", "")
    rate = _rate(codec, audio.rate)
    if rate != audio.rate:
        ctx.note("rate", rate)
    rate_of_bits = (bitrate or (coding.mono if channels == 1 else coding.wide)) * 1000 if coding.mono else None
    encode(
        _clipped(audio, rate, channels, ctx),
        path,
        rate=rate,
        codec=codec,
        container=coding.container,
        sample_format=sample_format,
        bit_rate=rate_of_bits,
        meta={**audio.meta, **({"comment": ctx.history} if ctx.history else {})},
    )


def _rate(codec: str, rate: int) -> int:
    """The lowest rate not below `rate` that the codec takes, or its highest."""
    import av

    rates = sorted(av.Codec(codec, "w").audio_rates or [])
    if codec == "flac":
        return min(rate, 655_350)
    return next((known for known in rates if known >= rate), rates[-1]) if rates else rate


def _clipped(audio: Audio, rate: int, channels: int, ctx: Context) -> Iterator[NDArray[np.float32]]:
    """The samples within -1..1; says at the end what had to be cut off."""
    import numpy as np

    cut = broken = total = 0
    peak = 1.0
    for block in audio.blocks(rate=rate, channels=channels):
        bad = ~np.isfinite(block)
        if bad.any():
            broken += int(bad.sum())
            block = np.where(bad, np.float32(0), block)
        loud = np.abs(block)
        over = int((loud > 1).sum())
        cut, total, peak = cut + over, total + block.size, max(peak, float(loud.max(initial=0)))
        yield np.clip(block, -1, 1) if over else block
        ctx.progress(total / channels / rate, audio.duration, "written")
    if cut:
        share, excess = 100 * cut / total, 20 * np.log10(peak)
        ctx.warn(
            f"{share:.2g} % of the samples were louder than full scale (by up to {excess:.1f} dB) and were cut off"
        )
    if broken:
        ctx.warn(f"{broken} samples were not numbers and became silence")
