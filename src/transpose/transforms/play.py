"""Play a score on the instruments of a sound font.

The result is not marked as AI-made (`synthetic`): a sampler plays recordings of instruments exactly as the notes say,
as a piano roll does a piano; nothing in it was learned or generated.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import FolderInput, HugeInput, MissingInput, SilentInput, TransformError, WeightsError
from transpose.core.transform import Range, transform
from transpose.media.audio import Audio
from transpose.media.score import DRUMS, PEDAL, Note, Score, pack
from transpose.models.soundfont import Font, plain, read_font

if TYPE_CHECKING:
    import numpy as np
    from mido import Message  # type: ignore[import-untyped]
    from numpy.typing import NDArray

RATE = 44_100
FONT = "FluidR3Mono_GM.sf3"
LONGEST = 3600.0  # seconds: the sampler holds the whole piece, 36 MB a minute
TAIL = 6.0  # seconds played on after the last event; what is silent of it goes
SILENT = 10 ** (-66 / 20)  # of the peak
FINE = 1024  # samples in the pieces whose loudness is looked at
LONG = 600.0  # seconds from which the sound goes to a file
TICKS = 10_000  # a second, in the file for the sampler
VOLUME, ALL_OFF = 7, 123


@transform(
    "score -> audio.music",
    loses=["structure", "exactness"],
    models=["soundfont-fluid"],
    needs=["mido"],
    extra="local",
    memory_mb=300,
)
def play(
    score: Score,
    ctx: Context,
    *,
    soundfont: Annotated[str, "a file in SF2 or SF3 format to play with; 'plain' for sine waves"] = "",
    peak: Annotated[float, Range(-40.0, 0.0), "dB of full scale that the loudest sample gets"] = -1.0,
) -> Audio:
    """Play the notes in stereo at 44.1 kHz: instruments, pedal, volume, pan, bends, reverb and tempo as written.

    Lasts as long as the score, and on until the last note has died away (6 seconds at most). The loudest sample gets
    `peak`; nothing is cut off. Without a sound font of its own or of the user it plays sine waves, and says so.
    Raises SilentInput for a score without notes, HugeInput for more than an hour, DamagedInput or
    TransformError for a font that cannot be used.
    """
    notes = score.notes()
    if not notes:
        raise SilentInput("this score has no notes")
    seconds = max(score.duration, max(note.end for note in notes))
    if seconds > LONGEST:
        raise HugeInput(f"this score lasts {seconds / 3600:.1f} hours, and one can be played", "Play it in parts")
    blocks = _on_font(score, notes, soundfont, ctx) or _plainly(score, seconds)
    return _finished(blocks, seconds, 10 ** (peak / 20), ctx)


Played = Callable[[], Iterator["NDArray[np.float32]"]]  # blocks of shape (n, 1 or 2) at 44.1 kHz, made anew each time


def _plainly(score: Score, seconds: float) -> Played:
    from transpose.models.additive import RELEASE, sing

    notes = score.notes(pedal=True)
    return lambda: sing(notes, seconds + RELEASE, RATE)


def _on_font(score: Score, notes: list[Note], name: str, ctx: Context) -> Played | None:
    """The sampler's sound, or None where it cannot play and the plain synthesiser has to."""
    if name == "plain":
        ctx.note("instruments", "sine waves")
        return None
    why, path = "", Path(name).expanduser()
    try:
        import_module("midirenderer")
        path = path if name else ctx.model("soundfont-fluid") / FONT
    except ImportError:
        why = "the package 'midirenderer' is not installed"
    except WeightsError as error:
        why = error.message
    if why:
        ctx.once()  # a sound font may be there next time
        ctx.warn(f"played with plain sine waves, because {why}; name a sound font with -o soundfont=FILE.sf2")
        ctx.note("instruments", "sine waves")
        return None
    from transpose.media.samples import resample

    sampler = _sampler(path, notes, ctx)
    for volume in (1.0, 0.5, 0.25, 0.125):
        samples, rate = _rendered(sampler, _for_sampler(score, volume), path.name)
        if not _clipped(samples):
            break
    return lambda: resample(_floats(samples), rate, RATE)


def _sampler(path: Path, notes: list[Note], ctx: Context) -> bytes:
    """The font in SF2 form with the instruments that these notes need."""
    if not path.exists():
        raise MissingInput(f"there is no sound font {path.name!r}")
    if path.is_dir():
        raise FolderInput(f"{path.name!r} is a folder", "Name the sound font in it")
    key = f"soundfont {path.resolve()} {path.stat().st_mtime_ns}"
    font: Font = ctx.load(key, lambda: read_font(path), path.stat().st_size >> 20)
    ctx.note("instruments", font.info.get(b"INAM", b"").split(b"\0")[0].decode("latin-1") or path.name)
    ctx.note("instruments sha256", ctx.load(f"hash of {key}", lambda: hashlib.sha256(path.read_bytes()).hexdigest()))
    programs = sorted({note.program for note in notes if note.channel != DRUMS})
    kits = sorted({note.program for note in notes if note.channel == DRUMS})
    return ctx.load(f"{key} {programs} {kits}", lambda: plain(font, programs, kits), 40)


def _for_sampler(score: Score, volume: float) -> bytes:
    """The playing events as one track of a MIDI file with `TICKS` to the second, all channels' volume scaled."""
    from mido import Message, MetaMessage

    def at_once(at: float, control: int, value: int) -> list[tuple[float, Message]]:
        return [(at, Message("control_change", channel=c, control=control, value=value)) for c in range(16)]

    events = [(at, message) for at, message in score.timed() if not message.is_meta and message.type != "sysex"]
    for number, (at, message) in enumerate(events):
        if message.type == "control_change" and message.control == VOLUME:
            events[number] = at, message.copy(value=round(message.value * volume))
    end = score.duration
    start = at_once(0.0, VOLUME, round(100 * volume))
    stop = at_once(end, PEDAL, 0) + at_once(end, ALL_OFF, 0)
    track: list[Message] = [MetaMessage("set_tempo", tempo=1_000_000)]
    last = 0
    for at, message in [*start, *events, *stop]:
        track.append(message.copy(time=round(at * TICKS) - last))
        last = round(at * TICKS)
    track.append(MetaMessage("end_of_track", time=round(TAIL * TICKS)))
    return pack(Score((tuple(track),), TICKS, 0))


def _rendered(sampler: bytes, midi: bytes, name: str) -> tuple[NDArray[np.int16], int]:
    """Samples of shape (n, 2) and their rate; a font that breaks the sampler is a TransformError."""
    import wave

    import midirenderer
    import numpy as np

    try:
        sound = midirenderer.render_wave_from(sampler, midi)
    except BaseException as error:  # a panic in Rust is no Exception, and has no public class
        if type(error).__name__ not in ("RuntimeError", "ValueError", "PanicException"):
            raise
        raise TransformError(f"the sound font {name!r} cannot play this score: {error}", "Name another font") from None
    with wave.open(io.BytesIO(sound)) as file:
        frames = file.readframes(file.getnframes())
        return np.frombuffer(frames, "<i2").reshape(-1, file.getnchannels()), file.getframerate()


def _clipped(samples: NDArray[np.int16]) -> bool:
    return bool(max(-int(samples.min(initial=0)), int(samples.max(initial=0))) >= 32767)


def _floats(samples: NDArray[np.int16]) -> Iterator[NDArray[np.float32]]:
    import numpy as np

    for at in range(0, len(samples), 1 << 18):
        yield samples[at : at + (1 << 18)].astype(np.float32) / np.float32(32768)


def _finished(blocks: Played, seconds: float, peak: float, ctx: Context) -> Audio:
    """Scaled to `peak`, cut where nothing is heard any more, stereo."""
    import numpy as np

    from transpose.media.samples import mixed

    at = 0
    ends: list[tuple[int, float]] = []  # the loudest sample of each piece of `FINE`, and where it ends
    for block in blocks():
        tops = np.maximum.reduceat(np.abs(block).max(1), range(0, len(block), FINE))
        ends += [(min(at + number * FINE, at + len(block)), float(top)) for number, top in enumerate(tops, 1)]
        at += len(block)
    loudest = max(top for _, top in ends)
    if not loudest:
        raise SilentInput("nothing of this score can be heard", "Are its notes in the range of the instruments?")
    heard = max(end for end, top in ends if top > loudest * SILENT)
    length = min(at, max(heard, round(seconds * RATE)))

    gain = np.float32(peak / loudest)

    def scaled() -> Iterator[NDArray[np.float32]]:
        left = length
        for block in blocks():
            if left > 0:
                yield mixed(block[:left], 2) * gain
            left -= len(block)

    if length / RATE > LONG:
        return Audio.from_blocks(scaled(), RATE, ctx.temp(".wav"))
    return Audio.from_array(np.concatenate(list(scaled())), RATE)
