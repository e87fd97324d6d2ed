"""MusicXML as it is to be played: each part's bars with their notes, laid one after another in the order of repeats."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from xml.etree.ElementTree import Element

from transpose.core.errors import DamagedInput, HugeInput
from transpose.media.notation import MOST_BARS, MOST_TONES, VELOCITY, Notation, Part, Tone, seated
from transpose.media.unfold import Marks, Struck, joined, played

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
DYNAMICS = {
    "pppp": 10, "ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112, "fff": 126, "ffff": 127,
    "sf": 112, "sfz": 112, "fp": 96, "fz": 112, "rf": 96, "rfz": 96,
}  # fmt: skip
UNITS = {"breve": 8, "whole": 4, "half": 2, "quarter": 1, "eighth": 0.5, "16th": 0.25, "32nd": 0.125}
SNARE = 38
SLOWEST, FASTEST = 4.0, 4000.0  # beats a minute; a MIDI file holds no slower one


@dataclass(slots=True)
class _Measure:
    """What one part has in one bar."""

    struck: list[Struck] = field(default_factory=list)
    length: Fraction = Fraction(0)
    tempi: list[tuple[Fraction, int]] = field(default_factory=list)
    metre: tuple[int, int] | None = None
    key: tuple[int, bool] | None = None
    marks: dict[str, int] = field(default_factory=dict)
    ending: str | None = None  # the numbers where one starts
    ending_stops: bool = False


@dataclass(slots=True)
class _Instrument:
    channel: int | None = None
    program: int | None = None
    key: int | None = None  # of percussion


class _Reader:
    """Reads the bars of one part; what lasts (division, transposition, loudness) lives here."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.divisions = Fraction(1)
        self.shift = 0
        self.velocity = VELOCITY
        self.left_out = 0
        self.instruments: dict[str, _Instrument] = {}

    def measure(self, element: Element) -> _Measure:
        """One bar."""
        made = _Measure()
        at = last = Fraction(0)
        for item in element:
            length = self.length(item)
            if item.tag == "note":
                chord = item.find("chord") is not None
                start = last if chord else at
                if item.find("grace") is not None or item.find("cue") is not None:
                    self.left_out += item.find("grace") is not None
                    length = length if item.find("grace") is None else Fraction(0)
                else:
                    self.note(item, start, length, made)
                last = start
                at = at if chord else at + length
            elif item.tag == "backup":
                at = max(Fraction(0), at - length)
            elif item.tag == "forward":
                at += length
            elif item.tag == "attributes":
                self.attributes(item, made)
            elif item.tag in ("direction", "sound"):
                self.direction(item, at, made)
            elif item.tag == "barline":
                _barline(item, made)
            made.length = max(made.length, at)
        return made

    def length(self, item: Element) -> Fraction:
        """The duration of a note or move in quarter notes."""
        text = item.findtext("duration")
        if text is None or item.tag not in ("note", "backup", "forward"):
            return Fraction(0)
        found = self.number(text) / self.divisions
        if not 0 <= found <= 1024:
            raise self.damaged(f"a note that lasts {text} units")
        return found

    def number(self, text: str | None) -> Fraction:
        """A number of the file; DamagedInput where it is none."""
        try:
            found = Fraction((text or "").strip()[:30])
        except (ValueError, ZeroDivisionError):
            raise self.damaged(f"{text!r} where a number should stand") from None
        return found.limit_denominator(100_000)

    def damaged(self, what: str) -> DamagedInput:
        """The error for what makes no sense."""
        return DamagedInput(f"{self.name!r} holds {what}", "Export it again")

    def note(self, item: Element, start: Fraction, length: Fraction, made: _Measure) -> None:
        """A note that sounds; rests only take their time."""
        pitch, unpitched = item.find("pitch"), item.find("unpitched")
        if (pitch is None and unpitched is None) or not length:
            return
        used = item.find("instrument")
        instrument = used.get("id", "") if used is not None else next(iter(self.instruments), "")
        if pitch is not None:
            step = STEPS.get((pitch.findtext("step") or "").strip().upper())
            if step is None:
                raise self.damaged("a note without a name")
            alter = self.number(pitch.findtext("alter") or "0")
            height = math.floor(12 * (self.number(pitch.findtext("octave")) + 1) + step + alter + Fraction(1, 2))
            height += self.shift
        else:
            known = self.instruments.get(instrument)
            height = known.key if known is not None and known.key is not None else SNARE
        if not 0 <= height <= 127:
            self.left_out += 1
            return
        loud = item.get("dynamics")
        velocity = round(float(self.number(loud)) * 0.9) if loud else self.velocity
        velocity = min(127, max(1, velocity))
        ties = [tie.get("type") for tie in item.findall("tie")]
        head = Struck(start, start + length, height, velocity, instrument, "stop" in ties, "start" in ties)
        made.struck.append(head)

    def attributes(self, item: Element, made: _Measure) -> None:
        """Division, metre, key and transposition."""
        if item.findtext("divisions"):
            self.divisions = self.number(item.findtext("divisions"))
            if self.divisions <= 0:
                raise self.damaged("a beat without length")
        time = item.find("time")
        if time is not None and time.find("beats") is not None:
            beats = sum(int(n) for each in time.findall("beats") for n in re.findall(r"\d{1,3}", each.text or ""))
            unit = int(self.number(time.findtext("beat-type")))
            if 0 < beats <= 64 and unit in (1, 2, 4, 8, 16, 32, 64):
                made.metre = beats, unit
        key = item.find("key")
        if key is not None and key.findtext("fifths"):
            sharps = int(self.number(key.findtext("fifths")))
            made.key = max(-7, min(7, sharps)), (key.findtext("mode") or "").strip() == "minor"
        moved = item.find("transpose")
        if moved is not None:
            octaves = int(self.number(moved.findtext("octave-change") or "0"))
            self.shift = int(self.number(moved.findtext("chromatic") or "0")) + 12 * octaves

    def direction(self, item: Element, at: Fraction, made: _Measure) -> None:
        """Tempo, loudness and jumps, of a direction or of a sound element by itself."""
        sound = item if item.tag == "sound" else item.find("sound")
        offset = item.find("offset")
        if offset is not None and offset.text:
            at = max(Fraction(0), at + self.number(offset.text) / self.divisions)
        for mark in item.findall("direction-type/dynamics/*"):
            self.velocity = DYNAMICS.get(mark.tag, self.velocity)
        beats = 0.0
        metronome = item.find("direction-type/metronome")
        if metronome is not None:
            beats = _metronome(metronome)
        if sound is not None:
            if sound.get("tempo"):
                beats = float(self.number(sound.get("tempo")))
            if sound.get("dynamics"):
                self.velocity = min(127, max(1, round(float(self.number(sound.get("dynamics"))) * 0.9)))
            for name in ("segno", "coda", "tocoda", "dacapo", "dalsegno", "fine"):
                if sound.get(name) not in (None, "no"):
                    made.marks[name] = 1
        for name in ("segno", "coda"):
            if item.find(f"direction-type/{name}") is not None and (sound is None or not sound.get("tocoda")):
                made.marks[name] = 1
        if SLOWEST <= beats <= FASTEST:
            made.tempi.append((at, round(6e7 / beats)))


def _metronome(mark: Element) -> float:
    """Quarter notes a minute, or 0."""
    found = re.search(r"\d{1,4}(\.\d{1,6})?", mark.findtext("per-minute") or "")
    unit = UNITS.get((mark.findtext("beat-unit") or "").strip(), 0)
    return float(found[0]) * unit * (1.5 if mark.find("beat-unit-dot") is not None else 1) if found else 0.0


def _barline(item: Element, made: _Measure) -> None:
    repeat = item.find("repeat")
    if repeat is not None:
        times = repeat.get("times") or "2"
        made.marks[repeat.get("direction", "")] = int(times) if times.isascii() and times.isdigit() else 2
    ending = item.find("ending")
    if ending is not None:
        if ending.get("type") == "start":
            made.ending = ending.get("number", "")
        else:
            made.ending_stops = True


def listen(root: Element, name: str) -> tuple[Notation, list[str]]:
    """The notation of a MusicXML document from a file called `name`, and what was left out of it."""
    for element in root.iter():
        if isinstance(element.tag, str) and element.tag.startswith("{"):
            element.tag = element.tag.rpartition("}")[2]
    readers: dict[str, _Reader] = {}
    parts: dict[str, list[_Measure]] = {}
    for id, elements in _measured(root):
        reader = readers.setdefault(id, _Reader(name))
        reader.instruments = _instruments(root, id)
        parts[id] = [reader.measure(element) for element in elements]
    count = max((len(measures) for measures in parts.values()), default=0)
    if count > MOST_BARS or sum(len(m.struck) for held in parts.values() for m in held) > MOST_TONES:
        raise HugeInput(f"{name!r} has more than {MOST_BARS:,} bars or {MOST_TONES:,} notes", "Take a part of it")
    columns = [[held[n] for held in parts.values() if n < len(held)] for n in range(count)]
    order = played(list(_marks(columns)))
    starts, lengths = _laid(columns, order)
    title = root.findtext("work/work-title") or root.findtext("movement-title") or ""
    notation = _facts(columns, order, starts, title.strip())
    made: list[Part] = []
    for id, measures in parts.items():
        label = root.find(f"part-list/score-part[@id='{id}']/part-name") if "'" not in id else None
        named = (label.text or "").strip() if label is not None else ""
        tones = joined([measure.struck for measure in measures], order, starts)
        for part in _played_by(named, tones, readers[id].instruments, made):
            made.append(part)
    graces = sum(reader.left_out for reader in readers.values())
    losses = [f"{graces} grace notes or notes that no instrument has were left out"] if graces else []
    return Notation(tuple(made), notation.tempi, notation.metres, notation.keys, notation.title), losses


def _measured(root: Element) -> Iterator[tuple[str, list[Element]]]:
    """Identifier and bars of each part, however the file is turned."""
    if root.tag == "score-partwise":
        for part in root.findall("part"):
            yield part.get("id", ""), part.findall("measure")
        return
    turned: dict[str, list[Element]] = defaultdict(list)
    for measure in root.findall("measure"):
        for part in measure.findall("part"):
            turned[part.get("id", "")].append(part)
    yield from turned.items()


def _instruments(root: Element, id: str) -> dict[str, _Instrument]:
    """The instruments of a part as MIDI knows them."""
    found: dict[str, _Instrument] = {}
    for entry in root.findall("part-list/score-part"):
        if entry.get("id", "") != id:
            continue
        for each in entry.findall("score-instrument"):
            found[each.get("id", "")] = _Instrument()
        for midi in entry.findall("midi-instrument"):
            values = []
            for tag, most in (("midi-channel", 16), ("midi-program", 128), ("midi-unpitched", 128)):
                text = (midi.findtext(tag) or "").strip()
                fits = text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= most
                values.append(int(text) - 1 if fits else None)
            found[midi.get("id", "")] = _Instrument(*values)
    return found


def _marks(columns: list[list[_Measure]]) -> Iterator[Marks]:
    """What each bar says of the order of playing, in whichever part it stands."""
    open_ending: frozenset[int] = frozenset()
    for column in columns:
        marks = {name: value for measure in column for name, value in measure.marks.items()}
        for measure in column:
            if measure.ending is not None:
                open_ending = frozenset(int(n) for n in re.findall(r"\d{1,2}", measure.ending))
        yield Marks(
            "forward" in marks, marks.get("backward", 0), open_ending, "segno" in marks, "coda" in marks,
            "tocoda" in marks, "dacapo" in marks, "dalsegno" in marks, "fine" in marks,
        )  # fmt: skip
        if any(measure.ending_stops for measure in column):
            open_ending = frozenset()


def _laid(columns: list[list[_Measure]], order: list[int]) -> tuple[list[Fraction], list[Fraction]]:
    """Where each played bar starts, and how long each written bar is."""
    metre, lengths = (4, 4), []
    for column in columns:
        metre = next((m.metre for m in column if m.metre), metre)
        lengths.append(max((m.length for m in column), default=Fraction(0)) or Fraction(4 * metre[0], metre[1]))
    starts = [Fraction(0)]
    for number in order:
        starts.append(starts[-1] + lengths[number])
    return starts, lengths


def _facts(columns: list[list[_Measure]], order: list[int], starts: list[Fraction], title: str) -> Notation:
    """Tempi, metres and keys where they change. A bar that is shorter than its metre (an upbeat) is its own."""
    tempi: dict[Fraction, int] = {}
    metres: list[tuple[Fraction, int, int]] = []
    keys: list[tuple[Fraction, int, bool]] = []
    inherited: list[tuple[tuple[int, int], tuple[int, bool] | None]] = []
    metre: tuple[int, int] = (4, 4)
    key: tuple[int, bool] | None = None
    for column in columns:
        metre = next((m.metre for m in column if m.metre), metre)
        key = next((m.key for m in column if m.key), key)
        inherited.append((metre, key))
    for place, number in enumerate(order):
        start, length = starts[place], starts[place + 1] - starts[place]
        metre, key = inherited[number]
        shown = metre if length == Fraction(4 * metre[0], metre[1]) else _metre(length) or metre
        if not metres or metres[-1][1:] != shown:
            metres.append((start, *shown))
        if key and (not keys or keys[-1][1:] != key):
            keys.append((start, *key))
        for measure in columns[number]:
            tempi.update((start + at, tempo) for at, tempo in measure.tempi)
    return Notation((), tuple(sorted(tempi.items())), tuple(metres), tuple(keys), title)


def _metre(length: Fraction) -> tuple[int, int] | None:
    """The metre of an odd bar: in quarters where that is enough, else in shorter notes."""
    unit = max(4, 4 * length.denominator)
    beats = int(length * unit / 4)
    return (beats, unit) if unit in (4, 8, 16, 32, 64) and 0 < beats <= 64 else None


def _played_by(
    name: str, tones: Iterable[tuple[str, Tone]], instruments: dict[str, _Instrument], made: list[Part]
) -> Iterator[Part]:
    """The parts for one part of the file: one for each channel and program that its instruments have."""
    groups: dict[tuple[int | None, int | None], list[Tone]] = defaultdict(list)
    for instrument, tone in tones:
        known = instruments.get(instrument, _Instrument())
        drums = known.key is not None and known.channel is None
        groups[9 if drums else known.channel, known.program].append(tone)
    for (channel, program), held in groups.items():
        yield seated(made, name, channel, program, held)
