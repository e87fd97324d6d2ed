"""Turns a compressed sound font (SF3: each sample an Ogg Vorbis stream) into the plain SF2 that synthesisers read.

Only the samples that a piece can reach are decoded: a few instruments of a General MIDI set take a tenth of a second,
all of them take some. The others stay in the tables with no length, so that every index keeps its meaning.
Layout: SoundFont 2.04 (Creative 2006), sections 5 to 7; SF3 (MuseScore, FluidSynth): flag 0x10 of a sample's type says
that its start and end count bytes of a Vorbis stream, and that its loop counts samples from its own start.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedInput, HugeInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST = 2 << 30  # bytes of a font that is read at all
MOST_SAMPLES = 1 << 29  # decoded sample points: 1 GiB of SF2
GAP = 46  # zeros that the format wants after each sample
VORBIS = 0x10
ROM = 0x8000
SHIFTS = 4096  # samples that a codec may pad a stream with, at most
SAMPLE = struct.Struct("<20sIIIIIBbHH")  # name, start, end, loop start, loop end, rate, key, correction, link, type
PRESET = struct.Struct("<20sHHHIII")  # name, program, bank, first bag, library, genre, morphology
INSTRUMENT = struct.Struct("<20sH")  # name, first bag
BAG = struct.Struct("<HH")  # first generator, first modulator
GENERATOR = struct.Struct("<HH")  # which, amount
INSTRUMENT_GENERATOR, SAMPLE_GENERATOR = 41, 53
DRUMS = 128  # the bank of percussion


@dataclass(frozen=True, slots=True)
class Font:
    """The chunks of a sound font: `info` and `tables` by their four letters, and all samples as bytes."""

    info: dict[bytes, bytes]
    tables: dict[bytes, bytes]
    samples: bytes

    @property
    def compressed(self) -> bool:
        """Whether any sample is an Ogg Vorbis stream."""
        return any(row[9] & VORBIS for row in SAMPLE.iter_unpack(self.tables[b"shdr"]))


def read_font(path: Path) -> Font:
    """Read the chunks of an SF2 or SF3 file; raises DamagedInput or HugeInput."""
    if path.stat().st_size > LARGEST:
        raise HugeInput(f"the sound font {path.name!r} is larger than 2 GB")
    data = path.read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise DamagedInput(f"{path.name!r} is not a sound font", "Name a file in SF2 or SF3 format")
    try:
        lists = {data[at : at + 4]: (at + 4, end) for name, at, end in _chunks(data, 12, len(data)) if name == b"LIST"}
        info, tables, (samples_at, samples_end) = (
            {name: data[start:end] for name, start, end in _chunks(data, *lists[b"INFO"])},
            {name: data[start:end] for name, start, end in _chunks(data, *lists[b"pdta"])},
            next((at, end) for name, at, end in _chunks(data, *lists[b"sdta"]) if name == b"smpl"),
        )
        font = Font(info, tables, data[samples_at:samples_end])
        _ = font.compressed, _reachable(font, set(range(128)), set(range(128)))  # walks through every table
    except (KeyError, StopIteration, struct.error, IndexError) as error:
        raise DamagedInput(f"the sound font {path.name!r} is damaged", "Fetch it again") from error
    return font


def plain(font: Font, programs: Collection[int], kits: Collection[int]) -> bytes:
    """The bytes of an SF2 with the samples that `programs` (0..127, in any bank) and the drum `kits` reach.

    Program 0 and, where there are kits, kit 0 are always there: synthesisers take them for what a font lacks.

    Raises DamagedInput when a sample cannot be decoded, HugeInput when they do not fit into memory.
    """
    wanted = _reachable(font, {0, *programs}, {0, *kits} if kits else set())
    rows: list[bytes] = []
    pieces: list[bytes] = []
    done: dict[tuple[int, int], tuple[int, int]] = {}  # byte range of a stream -> its place among the sample points
    total = 0
    table = list(SAMPLE.iter_unpack(font.tables[b"shdr"]))
    for number, (name, start, end, loop, loop_end, rate, key, tune, link, kind) in enumerate(table):
        if number not in wanted or kind & ROM or end <= start:
            rows.append(SAMPLE.pack(name, 0, 0, 0, 0, rate, key, tune, link, kind & ~VORBIS))
            continue
        if (start, end) not in done:
            points = _points(font, start, end, bool(kind & VORBIS), name)
            done[start, end] = (total, total + len(points) // 2)
            pieces += [points, bytes(2 * GAP)]
            total += len(points) // 2 + GAP
            if total > MOST_SAMPLES:
                raise HugeInput("the samples of this sound font do not fit into memory", "Name a smaller one")
        first, last = done[start, end]
        base = first if kind & VORBIS else first - start
        loops = [min(max(base + at, first), last) for at in (loop, loop_end)]
        rows.append(SAMPLE.pack(name, first, last, *loops, rate, key, tune, link, kind & ~VORBIS))
    return _written(font, b"".join(rows), b"".join(pieces))


def _chunks(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, first and last byte of each chunk between two places."""
    while start + 8 <= end:
        name, size = struct.unpack_from("<4sI", data, start)
        yield name, start + 8, min(start + 8 + size, len(data))
        start += 8 + size + size % 2


def _reachable(font: Font, programs: set[int], kits: set[int]) -> set[int]:
    """Numbers of the samples that presets of these programs, and those of the drum bank of these kits, lead to."""
    tables = font.tables
    presets = list(PRESET.iter_unpack(tables[b"phdr"]))
    zones = [row[3] for row in presets]
    instruments: set[int] = set()
    for number, row in enumerate(presets[:-1]):
        if row[1] in (kits if row[2] == DRUMS else programs):
            bags = (zones[number], zones[number + 1])
            instruments |= _amounts(tables[b"pbag"], tables[b"pgen"], bags, INSTRUMENT_GENERATOR)
    zones = [row[1] for row in INSTRUMENT.iter_unpack(tables[b"inst"])]
    samples: set[int] = set()
    for number in instruments:
        samples |= _amounts(tables[b"ibag"], tables[b"igen"], (zones[number], zones[number + 1]), SAMPLE_GENERATOR)
    links = [row[8] for row in SAMPLE.iter_unpack(tables[b"shdr"])]
    return samples | {links[number] for number in samples}


def _amounts(bags: bytes, generators: bytes, zones: tuple[int, int], which: int) -> set[int]:
    """What the generators of kind `which` say in a range of zones."""
    first = BAG.unpack_from(bags, zones[0] * BAG.size)[0]
    last = BAG.unpack_from(bags, zones[1] * BAG.size)[0]
    part = generators[first * GENERATOR.size : last * GENERATOR.size]
    return {amount for kind, amount in GENERATOR.iter_unpack(part) if kind == which}


def _points(font: Font, start: int, end: int, compressed: bool, name: bytes) -> bytes:
    """The points of one sample as 16-bit integers."""
    if not compressed:
        return font.samples[2 * start : 2 * end]
    try:
        return (decode(font.samples[start:end]) * 32767).astype("<i2").tobytes()
    except ValueError as error:
        label = name.split(b"\0")[0].decode("latin-1")
        raise DamagedInput(
            f"the sample {label!r} of the sound font cannot be decoded", "Fetch the font again"
        ) from error


def decode(stream: bytes) -> NDArray[np.float32]:
    """The first channel of an Ogg Vorbis stream, floats in -1..1 of shape (n,); raises ValueError.

    FFmpeg begins at the right sample and drops some of the last ones of a stream that fits into one page, which would
    shorten loops and so detune held notes. The page tells the length; the end is then taken from a second pass in
    which FFmpeg drops nothing, laid over the first.
    """
    import numpy as np

    page = stream.rfind(b"OggS")
    length = struct.unpack_from("<q", stream, page + 6)[0] if 0 <= page <= len(stream) - 14 else 0
    first = _decoded(stream, whole=False)
    if len(first) < length <= len(first) + SHIFTS:
        whole = _decoded(stream, whole=True)
        for shift in range(0, SHIFTS, 64):
            if np.array_equal(whole[shift : shift + len(first)], first):
                first = whole[shift:]
                break
    return np.clip(first[:length], -1.0, 1.0)


def _decoded(stream: bytes, *, whole: bool) -> NDArray[np.float32]:
    """What FFmpeg decodes, with the padding at both ends where `whole`."""
    import av
    import numpy as np
    from av.codec.context import Flags2

    try:
        with av.open(io.BytesIO(stream), "r", format="ogg") as container:
            track = container.streams.audio[0]
            if whole:
                track.codec_context.flags2 |= Flags2.skip_manual
            found = [frame.to_ndarray()[0] for frame in container.decode(track)]
    except (av.FFmpegError, IndexError) as error:
        raise ValueError(str(error)) from error
    return np.concatenate(found).astype(np.float32) if found else np.zeros(0, np.float32)


def _written(font: Font, headers: bytes, samples: bytes) -> bytes:
    """The file, its version set to 2.01."""
    info = {**font.info, b"ifil": struct.pack("<HH", 2, 1)}
    tables = {**font.tables, b"shdr": headers}
    body = b"sfbk" + b"".join(
        _chunk(b"LIST", kind + b"".join(_chunk(name, data) for name, data in chunks.items()))
        for kind, chunks in ((b"INFO", info), (b"sdta", {b"smpl": samples}), (b"pdta", tables))
    )
    return _chunk(b"RIFF", body)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack("<4sI", name, len(data)) + data + bytes(len(data) % 2)
