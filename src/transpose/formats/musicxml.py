"""MusicXML in and out, plain (`.musicxml`) and compressed (`.mxl`), version 4.0 of the W3C community group.

Reading plays the piece through: repeats, endings, jumps, ties, transposing instruments, dynamics, several voices and
staves, percussion. Grace and cue notes, ornaments, words and layout are left out. Writing makes sheet music that other
programs open: bars, voices, beams, tuplets, spelled pitches, clefs; with tempo, instruments and the loudness of each
note, so that what was on a grid comes back exactly.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from transpose.core.context import Context
from transpose.core.errors import DamagedInput, HugeInput, MislabelledInput, SilentInput
from transpose.core.transform import transform
from transpose.media.engraving import Sign, staves
from transpose.media.file import check_file, reason
from transpose.media.general_midi import name as instrument_name
from transpose.media.keys import altered, spelled
from transpose.media.musicxml_reading import listen
from transpose.media.notation import Bar, Notation, Part
from transpose.media.quantise import notate
from transpose.media.score import DRUMS, Score

LARGEST = 64 << 20  # bytes of XML
DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise'
    '//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
CONTAINER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<container><rootfiles><rootfile full-path="score.musicxml" '
    'media-type="application/vnd.recordare.musicxml+xml"/></rootfiles></container>\n'
)
CLEFS = {"G": ("G", "2"), "F": ("F", "4"), "percussion": ("percussion", None)}
ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
# where drum kits stand on the staff (letter and octave as in the G clef), by MIDI pitch; the rest in the middle
DRUM_PLACES = {
    35: "D4", 36: "F4", 37: "C5", 38: "C5", 39: "C5", 40: "C5", 41: "A4", 42: "G5", 43: "A4", 44: "D4", 45: "B4",
    46: "G5", 47: "D5", 48: "E5", 49: "A5", 50: "F5", 51: "F5", 52: "B5", 53: "F5", 55: "A5", 57: "A5", 59: "F5",
}  # fmt: skip
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
CYMBALS = {42, 44, 46, 49, 51, 52, 53, 55, 57, 59}
SHOWN_TEMPO = 1.06  # changes by less are heard and not printed


@transform(".musicxml|.mxl -> score", loses=["layout", "wording"])
def read_musicxml(path: Path, ctx: Context) -> Score:
    """Read sheet music as it is to be played.

    Says by a warning how many grace notes were left out. Raises EmptyInput, MislabelledInput, DamagedInput (not XML,
    broken archive, numbers that make no sense), HugeInput (64 MB of XML, 200,000 notes, 20,000 bars) and SilentInput.
    """
    check_file(path)
    try:
        root = ElementTree.fromstring(_xml(path))
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DamagedInput(f"{path.name!r} is not XML that can be read: {reason(error)}", "Export it again") from error
    if root.tag not in ("score-partwise", "score-timewise"):
        raise MislabelledInput(f"{path.name!r} holds <{root.tag}>, not a MusicXML score", "Export it as MusicXML")
    notation, losses = listen(root, path.name)
    for loss in losses:
        ctx.warn(loss)
    if not any(part.tones for part in notation.parts):
        raise SilentInput(f"{path.name!r} has no notes")
    return notation.score()


def _xml(path: Path) -> bytes:
    """The XML of the score, from the archive where it is one."""
    with path.open("rb") as file:
        zipped = file.read(4) == b"PK\x03\x04"
    if not zipped and path.stat().st_size > LARGEST:
        raise HugeInput(f"{path.name!r} has {path.stat().st_size >> 20} MB, more than sheet music needs")
    data = _unzipped(path) if zipped else path.read_bytes()
    if b"<!ENTITY" in data or "<!ENTITY".encode("utf-16-le") in data or "<!ENTITY".encode("utf-16-be") in data:
        raise DamagedInput(f"{path.name!r} defines entities of its own, which no sheet music needs", "Export it again")
    head = data[:400].lstrip(b"\xef\xbb\xbf \r\n\t")
    if not head.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        raise MislabelledInput(f"{path.name!r} is not MusicXML", "Rename it to what it is")
    return data


def _unzipped(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            found = ""
            if "META-INF/container.xml" in names:
                container = ElementTree.fromstring(_member(archive, "META-INF/container.xml", path))
                found = next((each.get("full-path", "") for each in container.iter() if _tag(each) == "rootfile"), "")
            usual = [n for n in names if n.endswith((".xml", ".musicxml")) and not n.startswith("META-INF/")]
            chosen = found if found in names else next(iter(usual), "")
            if not chosen:
                raise MislabelledInput(f"{path.name!r} is an archive without a MusicXML score in it")
            return _member(archive, chosen, path)
    except (*BROKEN, ElementTree.ParseError, LookupError) as error:
        raise DamagedInput(f"{path.name!r} is a broken archive: {reason(error)}", "Export it again") from error


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    with archive.open(name) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise HugeInput(f"{path.name!r} unpacks to more than {LARGEST >> 20} MB of XML")
    return data


@transform("score -> .musicxml|.mxl", loses=["exactness"])
def write_musicxml(score: Score, path: Path, ctx: Context) -> None:
    """Write sheet music that notation programs open; says how far notes that were off the grid had to move.

    Pedals, bends and other controls of MIDI are left out. Raises HugeInput above 200,000 notes or 20,000 bars.
    """
    notation, moved = notate(score)
    if moved.words():
        ctx.warn(moved.words())
    data = musicxml(notation, ctx.history).encode()
    if path.suffix.lower() != ".mxl":
        path.write_bytes(data)
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("META-INF/container.xml", CONTAINER.encode()), ("score.musicxml", data)):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)


def musicxml(notation: Notation, history: str = "") -> str:
    """The text of a MusicXML file."""
    bars = notation.bars()
    root = Element("score-partwise", version="4.0")
    if notation.title:
        SubElement(SubElement(root, "work"), "work-title").text = _legal(notation.title)
    if history:
        miscellaneous = SubElement(SubElement(root, "identification"), "miscellaneous")
        SubElement(miscellaneous, "miscellaneous-field", name="transpose").text = _legal(history)
    listed = SubElement(root, "part-list")
    parts = notation.parts or (Part("", 0, 0, ()),)
    for number, part in enumerate(parts, 1):
        _announce(listed, part, f"P{number}")
    for number, part in enumerate(parts, 1):
        _Drawing(notation, bars, part, number).draw(SubElement(root, "part", id=f"P{number}"))
    ElementTree.indent(root, " ")
    return DOCTYPE + ElementTree.tostring(root, encoding="unicode") + "\n"


def _legal(text: str) -> str:
    """Without the characters that XML forbids."""
    return "".join(c for c in text if c in "\t\n\r" or " " <= c < "\ud800" or "\ue000" <= c not in "\ufffe\uffff")


def _announce(listed: Element, part: Part, id: str) -> None:
    """Name, instrument, channel and program of a part; for percussion an instrument for each key."""
    entry = SubElement(listed, "score-part", id=id)
    SubElement(entry, "part-name").text = _legal(part.name) or instrument_name(part.program, part.channel)
    keys = sorted({tone.pitch for tone in part.tones}) if part.channel == DRUMS else [-1]
    for key in keys:
        instrument = SubElement(entry, "score-instrument", id=f"{id}-I{key + 1}")
        SubElement(instrument, "instrument-name").text = instrument_name(part.program, part.channel)
    for key in keys:
        midi = SubElement(entry, "midi-instrument", id=f"{id}-I{key + 1}")
        SubElement(midi, "midi-channel").text = str(part.channel + 1)
        SubElement(midi, "midi-program").text = str(part.program + 1)
        if key >= 0:
            SubElement(midi, "midi-unpitched").text = str(key + 1)


class _Drawing:
    """The bars of one part."""

    def __init__(self, notation: Notation, bars: list[Bar], part: Part, number: int) -> None:
        self.notation, self.bars, self.part, self.first = notation, bars, part, number == 1
        self.staves = staves(part, bars)
        places = {tone.start for tone in part.tones} | {tone.end for tone in part.tones}
        places |= {bar.start for bar in bars} | {place for place, _ in notation.tempi}
        signs = (sign for staff in self.staves for voice in staff.voices for bar in voice for sign in bar)
        places |= {sign.end for sign in signs}
        self.divisions = math.lcm(*(place.denominator for place in places))
        self.id = f"P{number}-I"
        self.sharps = 0

    def draw(self, parent: Element) -> None:
        """Add every bar to the element of the part."""
        keys = {at: (sharps, minor) for at, sharps, minor in self.notation.keys}
        shown = 0.0
        for number, bar in enumerate(self.bars):
            measure = SubElement(parent, "measure", number=str(number + 1))
            before = self.bars[number - 1] if number else None
            key = [keys[at] for at in keys if bar.start <= at < bar.end or (not number and at < bar.end)]
            self.attributes(measure, bar, before, key[-1] if key else None)
            for at, tempo in self.notation.tempi if self.first else ():
                if bar.start <= at < bar.end or (number + 1 == len(self.bars) and at >= bar.end):
                    beats = 6e7 / tempo
                    visible = not max(beats, shown) / (min(beats, shown) or 1e-9) < SHOWN_TEMPO
                    shown = beats if visible else shown
                    _tempo(measure, min(at, bar.end) - bar.start, tempo, visible, self.divisions)
            self.voices(measure, number, bar)
        last = SubElement(measure, "barline", location="right")
        SubElement(last, "bar-style").text = "light-heavy"

    def attributes(self, measure: Element, bar: Bar, before: Bar | None, key: tuple[int, bool] | None) -> None:
        """What stands at the beginning of a bar, where it changes."""
        metre = before is None or (bar.beats, bar.unit) != (before.beats, before.unit)
        if not (metre or key):
            return
        held = SubElement(measure, "attributes")
        if before is None:
            SubElement(held, "divisions").text = str(self.divisions)
        if key and self.part.channel != DRUMS:
            self.sharps = key[0]
            signature = SubElement(held, "key")
            SubElement(signature, "fifths").text = str(key[0])
            SubElement(signature, "mode").text = "minor" if key[1] else "major"
        if metre:
            time = SubElement(held, "time")
            SubElement(time, "beats").text = str(bar.beats)
            SubElement(time, "beat-type").text = str(bar.unit)
        if before is None:
            if len(self.staves) > 1:
                SubElement(held, "staves").text = str(len(self.staves))
            for number, staff in enumerate(self.staves, 1):
                sign, line = CLEFS[staff.clef]
                clef = SubElement(held, "clef", number=str(number))
                SubElement(clef, "sign").text = sign
                if line:
                    SubElement(clef, "line").text = line

    def voices(self, measure: Element, number: int, bar: Bar) -> None:
        """The signs of a bar, voice after voice."""
        count, wrote = 0, Fraction(0)
        for place, staff in enumerate(self.staves, 1):
            seen: dict[tuple[str, int], int] = {}  # accidentals of this bar
            for voice in staff.voices:
                count += 1
                signs = voice[number]
                if not signs:
                    continue
                if wrote:
                    self.move(measure, "backup", wrote)
                for position, sign in enumerate(signs):
                    spare = sign.tones or voice is staff.voices[0]
                    if not spare:
                        self.move(measure, "forward", sign.length, count)
                        continue
                    edges = _edges(signs, position)
                    self.sign(measure, sign, (count, place), seen, edges)
                wrote = bar.length

    def move(self, measure: Element, tag: str, length: Fraction, voice: int = 0) -> None:
        """Go on, or back, without a note."""
        move = SubElement(measure, tag)
        SubElement(move, "duration").text = str(int(length * self.divisions))
        if voice:
            SubElement(move, "voice").text = str(voice)

    def sign(
        self,
        measure: Element,
        sign: Sign,
        where: tuple[int, int],
        seen: dict[tuple[str, int], int],
        edges: tuple[bool, bool],
    ) -> None:
        """A rest, a note, or a chord as several notes."""
        for number, tone in enumerate(sign.tones or (None,)):
            note = SubElement(measure, "note")
            accidental = ""
            if tone is None:
                SubElement(note, "rest", {} if sign.value else {"measure": "yes"})
            else:
                note.set("dynamics", f"{tone.velocity / 0.9:.2f}")
                if number:
                    SubElement(note, "chord")
                accidental = self.pitch(note, tone.pitch, seen, sign.tied_from)
            SubElement(note, "duration").text = str(int(sign.length * self.divisions))
            ties = [kind for kind, is_so in (("stop", sign.tied_from), ("start", sign.tied_to)) if is_so]
            for kind in ties:
                SubElement(note, "tie", type=kind)
            if tone is not None and self.part.channel == DRUMS:
                SubElement(note, "instrument", id=f"{self.id}{tone.pitch + 1}")
            SubElement(note, "voice").text = str(where[0])
            _look(note, sign, accidental)
            if tone is not None and self.part.channel == DRUMS and tone.pitch in CYMBALS:
                SubElement(note, "notehead").text = "x"
            if len(self.staves) > 1:
                SubElement(note, "staff").text = str(where[1])
            for level, beam in enumerate(sign.beams if not number else (), 1):
                SubElement(note, "beam", number=str(level)).text = beam
            self.marks(note, ties, edges if not number else (False, False))

    @staticmethod
    def marks(note: Element, ties: list[str], edges: tuple[bool, bool]) -> None:
        """Ties as drawn, and where a tuplet begins and ends."""
        tuplet = [kind for kind, is_so in zip(("start", "stop"), edges, strict=True) if is_so]
        if ties or tuplet:
            held = SubElement(note, "notations")
            for kind in ties:
                SubElement(held, "tied", type=kind)
            for kind in tuplet:
                SubElement(held, "tuplet", type=kind)

    def pitch(self, note: Element, pitch: int, seen: dict[tuple[str, int], int], tied: bool) -> str:
        """Add the pitch; the accidental that has to be shown, or nothing."""
        if self.part.channel == DRUMS:
            place = DRUM_PLACES.get(pitch, "B4")
            unpitched = SubElement(note, "unpitched")
            SubElement(unpitched, "display-step").text = place[0]
            SubElement(unpitched, "display-octave").text = place[1]
            return ""
        letter, shift, octave = spelled(pitch, self.sharps)
        held = SubElement(note, "pitch")
        SubElement(held, "step").text = letter
        if shift:
            SubElement(held, "alter").text = str(shift)
        SubElement(held, "octave").text = str(octave)
        if tied or seen.get((letter, octave), altered(letter, self.sharps)) == shift:
            return ""
        seen[letter, octave] = shift
        return ACCIDENTALS[shift]


def _edges(signs: tuple[Sign, ...], position: int) -> tuple[bool, bool]:
    """Whether a tuplet begins and whether one ends at a sign."""
    group = signs[position].group
    before = signs[position - 1].group if position else -1
    after = signs[position + 1].group if position + 1 < len(signs) else -1
    return group >= 0 and before != group, group >= 0 and after != group


def _look(note: Element, sign: Sign, accidental: str) -> None:
    """Note head, dots, accidental and tuplet."""
    if sign.value:
        SubElement(note, "type").text = sign.value
    for _ in range(sign.dots):
        SubElement(note, "dot")
    if accidental:
        SubElement(note, "accidental").text = accidental
    if sign.tuplet != (1, 1):
        held = SubElement(note, "time-modification")
        SubElement(held, "actual-notes").text = str(sign.tuplet[0])
        SubElement(held, "normal-notes").text = str(sign.tuplet[1])


def _tempo(measure: Element, offset: Fraction, tempo: int, visible: bool, divisions: int) -> None:
    """A change of tempo, with a metronome mark where it is large."""
    beats = 6e7 / tempo
    direction = SubElement(measure, "direction", placement="above")
    kind = SubElement(direction, "direction-type")
    if visible:
        mark = SubElement(kind, "metronome")
        SubElement(mark, "beat-unit").text = "quarter"
        SubElement(mark, "per-minute").text = f"{beats:.0f}"
    else:
        SubElement(kind, "words")
    if offset:
        SubElement(direction, "offset", sound="yes").text = str(int(offset * divisions))
    SubElement(direction, "sound", tempo=f"{beats:.8g}")
