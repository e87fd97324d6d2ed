"""Notes in memory: every event of a MIDI file as mido's frozen messages, exact to the tick.

mido (MIT, pure Python, hence on every system) holds and writes the messages; reading walks the bytes itself, because a
stranger's file may hold numbers without end, key signatures that do not exist and chunks that nobody knows, and because
mido forgets the time of the meta events that it does not know. What no player needs and mido cannot hold (a system
exclusive message in several packets, escaped bytes) is left out and counted. Text is Latin-1, so that every byte of it
survives; `text_of` reads it as UTF-8 where it is that.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedInput, HugeInput

if TYPE_CHECKING:
    from mido import Message  # type: ignore[import-untyped]

SUFFIX = ".mid"  # the store's lossless format is the format itself
MOST_EVENTS = 1_000_000  # about 1 GB of messages; the longest symphonies have a tenth of it
MOST_TRACKS = 32_767
LONGEST_WAIT = (1 << 28) - 1  # ticks between two events: what four bytes of seven bits hold
TEMPO = 500_000  # microseconds in a beat where the file says nothing: 120 beats a minute
DRUMS = 9  # the channel whose notes are percussion, counted from 0
PEDAL = 64


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """A note as it sounds: seconds from the start, `pitch` 0..127 (60 is middle C), `velocity` 1..127.

    `channel` 0..15 (9 is percussion) and `program` 0..127 (General MIDI, 0 is a piano) say who plays it.
    """

    start: float
    end: float
    pitch: int
    velocity: int
    channel: int = 0
    program: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """Tracks of messages whose `time` is in ticks since the one before; each track ends with one `end_of_track`.

    `division` is ticks in a beat, or, where negative, the frames and ticks of film time as the format writes them.
    `form` is 0 (one track), 1 (tracks that sound together) or 2 (tracks one after another).
    Raises ValueError for waits, divisions and numbers of tracks that no file can hold.
    """

    tracks: tuple[tuple[Message, ...], ...]
    division: int = 480
    form: int = 1

    def __post_init__(self) -> None:
        if not self.tracks or len(self.tracks) > MOST_TRACKS or self.form not in (0, 1, 2):
            raise ValueError(f"{len(self.tracks)} tracks of form {self.form} do not make a score")
        if not (0 < self.division < 1 << 15 or self.division < -256 and self.division & 255):
            raise ValueError(f"a beat cannot have {self.division} ticks")
        object.__setattr__(self, "tracks", tuple(_tidy(track) for track in self.tracks))
        object.__setattr__(self, "form", 1 if self.form == 0 and len(self.tracks) > 1 else self.form)

    def facets(self) -> dict[str, str]:
        """Nothing of a score is known as a facet."""
        return {}

    def timed(self) -> list[tuple[float, Message]]:
        """Every message with its second, in the order of playing (stable where two fall together)."""
        if self.form != 2:
            return _in_seconds(self.tracks, self.division)
        events: list[tuple[float, Message]] = []
        for track in self.tracks:
            start = events[-1][0] if events else 0.0
            events += [(start + at, message) for at, message in _in_seconds([track], self.division)]
        return events

    @property
    def duration(self) -> float:
        """Seconds from the start to the last event."""
        events = self.timed()
        return events[-1][0] if events else 0.0

    def notes(self, *, pedal: bool = False) -> list[Note]:
        """Every note in order of time. With `pedal`, one is held until the sustain pedal goes up.

        A note that is struck again while it sounds ends there; one that nobody ends does so with the last event.
        """
        return sorted(_notes(self.timed(), pedal))

    def texts(self) -> list[str]:
        """All plain text events, in order."""
        found = (message for track in self.tracks for message in track if message.type == "text")
        return [text_of(message.text) for message in found]


def from_notes(notes: Iterable[Note], *, tempo: float = 120.0, division: int = 480, texts: Sequence[str] = ()) -> Score:
    """A score of these notes: one track for tempo and `texts`, one for each channel and program.

    `tempo` in beats a minute says only where the beats lie: seconds stay as they are, to half a tick.
    """
    from mido import Message, MetaMessage, bpm2tempo

    head = [MetaMessage("set_tempo", tempo=bpm2tempo(tempo)), MetaMessage("time_signature")]
    tracks = [[*(MetaMessage("text", text=text.encode().decode("latin-1")) for text in texts), *head]]
    parts: dict[tuple[int, int], list[Note]] = {}
    for note in sorted(notes):
        parts.setdefault((note.channel, note.program), []).append(note)
    ticks = division * 1_000_000 / bpm2tempo(tempo)
    for (channel, program), part in sorted(parts.items()):
        events = [(0, 0, Message("program_change", channel=channel, program=program))]
        for note in part:
            start = round(note.start * ticks)
            stop = max(start + 1, round(note.end * ticks))
            sound = {"channel": channel, "note": note.pitch}
            events.append((start, 2, Message("note_on", velocity=note.velocity, **sound)))
            events.append((stop, 1, Message("note_off", velocity=64, **sound)))
        events.sort(key=lambda event: event[:2])  # an end comes before a start at the same tick
        waits = [0, *(event[0] for event in events)]
        tracks.append([event[2].copy(time=event[0] - wait) for wait, event in zip(waits, events, strict=False)])
    return Score(tuple(tuple(track) for track in tracks), division)


def text_of(text: str) -> str:
    """Text of a message as it was meant: UTF-8 where its bytes are that, else Latin-1."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def save(value: Score, path: Path) -> None:
    """Write a MIDI file."""
    path.write_bytes(pack(value))


def load(path: Path) -> Score:
    """Read what `save` wrote."""
    return parse(path.read_bytes(), path.name)[0]


def pack(value: Score) -> bytes:
    """The bytes of the MIDI file."""
    from mido import MidiFile, MidiTrack

    out = io.BytesIO()
    tracks = [MidiTrack(track) for track in value.tracks]
    MidiFile(type=value.form, ticks_per_beat=value.division, tracks=tracks).save(file=out)
    return out.getvalue()


def parse(data: bytes, name: str) -> tuple[Score, list[str]]:
    """A score from the bytes of a MIDI file called `name`, and what could not be kept.

    Raises DamagedInput (truncated, impossible numbers) and HugeInput (more than a million events).
    """
    losses: list[str] = []
    tracks: list[tuple[Message, ...]] = []
    if len(data) < 14:
        raise DamagedInput(f"{name!r} breaks off in its header", "Is the file complete? Copy it again")
    size, form, count, division = struct.unpack(">IHHh", data[4:14])
    at, room = 8 + max(6, size), MOST_EVENTS
    while at + 8 <= len(data) and len(tracks) < count:
        kind, size = struct.unpack_from(">4sI", data, at)
        at += 8
        if at + size > len(data):
            raise DamagedInput(f"{name!r} breaks off in track {len(tracks) + 1}", "Is the file complete? Copy it again")
        if kind == b"MTrk":
            walk = _Walk(data, at, at + size, f"track {len(tracks) + 1} of {name!r}", room)
            tracks.append(tuple(walk.messages()))
            room -= len(tracks[-1])
            losses += [f"{walk.left_out} messages of {walk.where} were left out"] if walk.left_out else []
        at += size
    if len(tracks) < count:
        losses.append(f"{name!r} promises {count} tracks and holds {len(tracks)}")
    try:
        return Score(tuple(tracks), division, form), losses
    except ValueError as error:
        raise DamagedInput(f"{name!r} is not a MIDI file that can be read: {error}") from error


class _Walk:
    """One pass over the bytes of a track; counts what it has to leave out."""

    def __init__(self, data: bytes, start: int, end: int, where: str, room: int) -> None:
        self.data, self.at, self.end, self.where, self.room = data, start, end, where, room
        self.left_out = 0

    def messages(self) -> Iterator[Message]:
        """The messages of the track; the waits of those left out go to the next."""
        wait = status = 0
        while self.at < self.end:
            wait += self.number()
            first = self.byte()
            if first < 0x80:
                self.at -= 1
                first = status
            if first == 0xFF:
                message = self.meta(wait)
            elif first in (0xF0, 0xF7):
                status, message = 0, self.exclusive(first, wait)
            else:
                status, message = first, self.voice(first, wait)
            if message is None:
                self.left_out += 1
                continue
            self.room -= 1
            if self.room < 0:
                raise HugeInput(f"{self.where} goes beyond {MOST_EVENTS:,} events", "Take a part of the piece")
            wait = 0
            yield message
            if message.type == "end_of_track":
                return

    def meta(self, wait: int) -> Message:
        """A meta event; one whose content makes no sense stays as unknown bytes."""
        from mido.midifiles import meta  # type: ignore[import-untyped]

        kind, data = self.byte(), self.take(self.number())
        try:
            message = meta.build_meta_message(kind, list(data), wait)
            message.bytes()
            if message.type != "unknown_meta":  # mido forgets its time
                return message
        except (meta.KeySignatureError, IndexError, KeyError, ValueError, TypeError, OverflowError):
            pass
        return meta.UnknownMetaMessage(kind, data, time=wait)

    def exclusive(self, first: int, wait: int) -> Message | None:
        """A whole system exclusive message, or None for a packet of one, or escaped bytes."""
        from mido import Message

        data = self.take(self.number())
        whole = first == 0xF0 and data[-1:] == b"\xf7" and max(data[:-1], default=0) < 0x80
        return Message("sysex", data=data[:-1], time=wait) if whole else None

    def voice(self, status: int, wait: int) -> Message:
        """A message of a channel."""
        from mido import Message

        if not 0x80 <= status < 0xF0:
            raise DamagedInput(
                f"{self.where} holds bytes that are no MIDI event", "Is the file complete? Copy it again"
            )
        data = self.take(1 if 0xC0 <= status < 0xE0 else 2)
        return Message.from_bytes([status, *(byte & 0x7F for byte in data)], time=wait)

    def byte(self) -> int:
        """The next byte."""
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        """The next `count` bytes of the track."""
        if self.at + count > self.end:
            raise DamagedInput(f"{self.where} breaks off", "Is the file complete? Copy it again")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        """A number of at most four bytes of seven bits."""
        value = 0
        for _ in range(4):
            byte = self.byte()
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value
        raise DamagedInput(f"{self.where} holds a number that is too long", "Is the file complete? Copy it again")


def _tidy(track: Iterable[Message]) -> tuple[Message, ...]:
    """The messages frozen, with one end of track, at the end."""
    from mido.frozen import freeze_message  # type: ignore[import-untyped]
    from mido.midifiles.tracks import fix_end_of_track  # type: ignore[import-untyped]

    tidied = tuple(freeze_message(message) for message in fix_end_of_track(track, skip_checks=True))
    if not all(isinstance(message.time, int) and 0 <= message.time <= LONGEST_WAIT for message in tidied):
        raise ValueError("the wait before an event is not a number of ticks that a file can hold")
    return tidied


def _in_seconds(tracks: Sequence[tuple[Message, ...]], division: int) -> list[tuple[float, Message]]:
    """The messages of tracks that sound together, with seconds; tempo changes of any track count for all."""
    placed: list[tuple[int, Message]] = []
    for track in tracks:
        tick = 0
        for message in track:
            tick += message.time
            placed.append((tick, message))
    placed.sort(key=lambda event: event[0])
    frames = -(division >> 8)  # of film time; 29 means 30000/1001
    film = 1.0 / ((30000 / 1001 if frames == 29 else frames) * (division & 255)) if division < 0 else 0.0
    each = film or TEMPO / 1e6 / division
    second, last = 0.0, 0
    events: list[tuple[float, Message]] = []
    for tick, message in placed:
        second += (tick - last) * each
        last = tick
        events.append((second, message))
        if message.type == "set_tempo" and not film:
            each = message.tempo / 1e6 / division
    return events


def _notes(events: list[tuple[float, Message]], pedal: bool) -> Iterator[Note]:
    sounding: dict[tuple[int, int], tuple[float, int, int]] = {}  # channel, pitch -> start, velocity, program
    held: set[tuple[int, int]] = set()  # let go while the pedal is down
    down = [False] * 16
    programs = [0] * 16

    def ended(key: tuple[int, int], end: float) -> Note:
        held.discard(key)
        start, velocity, program = sounding.pop(key)
        return Note(start, end, key[1], velocity, key[0], program)

    for at, message in events:
        if message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type in ("note_on", "note_off"):
            key = (message.channel, message.note)
            if message.type == "note_on" and message.velocity:
                if key in sounding and sounding[key][0] < at:
                    yield ended(key, at)
                held.discard(key)
                sounding[key] = (at, message.velocity, programs[message.channel])
            elif key in sounding and pedal and down[message.channel]:
                held.add(key)
            elif key in sounding:
                yield ended(key, at)
        elif message.type == "control_change" and message.control == PEDAL:
            down[message.channel] = message.value >= 64
            if not down[message.channel]:
                for key in [key for key in held if key[0] == message.channel]:
                    yield ended(key, at)
    for key in list(sounding):
        yield ended(key, events[-1][0])
