"""ABC, the notation of folk tunes as plain text (standard 2.1), in and out.

Reading knows what is needed to play: keys and modes, metres, tempi, unit lengths, voices, chords, ties, broken rhythm,
tuplets, repeats and endings, accidentals that last for the bar, dynamics, and `%%MIDI program` and `channel`. Words,
chord symbols, ornaments and grace notes are left out. A file of several tunes is read as the first one, which is said.
Writing makes one voice (V:) for each voice of each part.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import HugeInput, MislabelledInput, OptionError, SilentInput
from transpose.core.transform import Range, transform
from transpose.media.abc_reading import listen
from transpose.media.abc_words import LEVELS
from transpose.media.encoding import read_characters
from transpose.media.engraving import Sign, Staff, staves
from transpose.media.file import check_file
from transpose.media.general_midi import name as instrument_name
from transpose.media.keys import FIFTHS, MINOR_FIFTHS, altered, spelled
from transpose.media.notation import Bar, Notation, Part
from transpose.media.quantise import notate
from transpose.media.score import DRUMS, Score

LARGEST = 16 << 20  # bytes
BARS_A_LINE = 4
ACCIDENTALS = {-1: "_", 0: "=", 1: "^"}
CLEFS = {"G": "treble", "F": "bass", "percussion": "perc"}
UNIT = 8  # lengths count eighth notes


@transform(".abc -> score", loses=["layout", "wording"])
def read_abc(
    path: Path, ctx: Context, *, tune: Annotated[int, Range(0, 100_000), "its number (X:); 0: the first"] = 0
) -> Score:
    """Read a tune as it is to be played.

    Raises EmptyInput, MislabelledInput for what is no ABC, HugeInput (16 MB, 200,000 notes), SilentInput where there
    are no notes, OptionError for a tune that the file does not hold.
    """
    check_file(path)
    if path.stat().st_size > LARGEST:
        raise HugeInput(f"{path.name!r} has {path.stat().st_size >> 20} MB, more than tunes need", "Cut the file")
    text = read_characters(path, ctx)
    tunes = _tunes(text)
    if not tunes:
        raise MislabelledInput(f"{path.name!r} has no line K: that ends the head of an ABC tune", "Check the file")
    numbers = dict(reversed(tunes))
    if tune and tune not in numbers:
        known = ", ".join(map(str, sorted(numbers)[:20]))
        raise OptionError(f"{path.name!r} holds no tune {tune}", f"It has {known}")
    if len(tunes) > 1 and not tune:
        ctx.warn(f"{path.name!r} holds {len(tunes)} tunes: the first is read; another one with -o tune=NUMBER")
    notation, losses = listen(numbers[tune] if tune else tunes[0][1], path.name)
    for loss in losses:
        ctx.warn(loss)
    if not any(part.tones for part in notation.parts):
        raise SilentInput(f"{path.name!r} has no notes")
    return notation.score()


def _tunes(text: str) -> list[tuple[int, str]]:
    """Number and text of each tune: from a line X: (or the first line of a field) to the next; each has a K:."""
    found: list[tuple[int, list[str]]] = []
    lead: list[str] = []  # directives before the first tune count for all
    for line in text.splitlines():
        if line.startswith("X:"):
            digits = line[2:].strip()[:6]
            found.append((int(digits) if digits.isascii() and digits.isdigit() else 0, list(lead)))
        elif found:
            found[-1][1].append(line)
        else:
            lead.append(line)
    found = found or [(0, lead)]
    tunes = ((number, "\n".join(lines)) for number, lines in found)
    return [(number, body) for number, body in tunes if body.startswith("K:") or "\nK:" in body]


@transform("score -> .abc", loses=["exactness", "detail"])
def write_abc(score: Score, path: Path, ctx: Context) -> None:
    """Write a tune: a voice for each voice of each part, with instrument and channel for players.

    Each part keeps one loudness, of eight. A change of tempo moves to the next note. Says how far notes that were off
    the grid had to move. Raises HugeInput above 200,000 notes or 20,000 bars.
    """
    notation, moved = notate(score)
    if moved.words():
        ctx.warn(moved.words())
    path.write_text("\n".join(abc(notation, ctx.history)) + "\n", encoding="utf-8")


def abc(notation: Notation, history: str = "") -> Iterator[str]:
    """The lines of an ABC file with one tune."""
    bars = notation.bars()
    yield "%abc-2.1"
    if history:
        yield f"% transpose: {_one_line(history)}"
    yield "X:1"
    yield f"T:{_one_line(notation.title).replace('%', chr(92) + '%')}"
    yield f"M:{bars[0].beats}/{bars[0].unit}"
    yield f"L:1/{UNIT}"
    first = [tempo for at, tempo in notation.tempi if at <= 0][-1:] or [500_000]
    yield f"Q:1/4={_beats(first[0])}"
    sharps, minor = next(((s, m) for _, s, m in notation.keys[:1]), (0, False))
    yield f"K:{_key(sharps, minor)}"
    number = 0
    for part in notation.parts:
        for staff in staves(part, bars):
            for voice in range(len(staff.voices)):
                number += 1
                yield from _voice(notation, bars, part, staff, voice, number)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _beats(tempo: int) -> str:
    beats = 6e7 / tempo
    return f"{beats:.0f}" if abs(beats - round(beats)) < 1e-4 else f"{beats:.6f}"


def _key(sharps: int, minor: bool) -> str:
    return (MINOR_FIFTHS if minor else FIFTHS)[sharps + 7]


def _voice(notation: Notation, bars: list[Bar], part: Part, staff: Staff, voice: int, number: int) -> Iterator[str]:
    """The lines of one voice."""
    name = _one_line(part.name).replace('"', "'") or instrument_name(part.program, part.channel)
    yield f'V:{number} clef={CLEFS[staff.clef]} name="{name}"'
    yield f"%%MIDI program {part.program}"
    yield f"%%MIDI channel {part.channel + 1}"
    middle = sorted(tone.velocity for tone in part.tones)[len(part.tones) // 2] if part.tones else 80
    level = min(LEVELS, key=lambda name: (abs(LEVELS[name] - middle), len(name)))
    writer = _Writer(notation, part.channel == DRUMS, number == 1)
    line = [f"!{level}!"]
    for place, bar in enumerate(bars):
        line.append(writer.bar(bar, staff.voices[voice][place], place == 0, voice == 0))
        last = place + 1 == len(bars)
        line.append("|]" if last else "|")
        if last or (place + 1) % BARS_A_LINE == 0:
            yield " ".join(line)
            line = []


class _Writer:
    """Writes the bars of one voice; the key, the metre and the changes of tempo still to come live here."""

    def __init__(self, notation: Notation, drums: bool, leads: bool) -> None:
        self.drums = drums
        self.keys = list(notation.keys[1:])
        self.sharps = notation.keys[0][1] if notation.keys else 0
        self.tempi = [each for each in notation.tempi if each[0] > 0] if leads else []
        self.metre: tuple[int, int] | None = None

    def bar(self, bar: Bar, signs: tuple[Sign, ...], first: bool, rests: bool) -> str:
        """The text of a bar without its line."""
        words: list[str] = []
        if not first and (bar.beats, bar.unit) != self.metre:
            words.append(f"[M:{bar.beats}/{bar.unit}]")
        self.metre = bar.beats, bar.unit
        while self.keys and self.keys[0][0] < bar.end:
            _, self.sharps, minor = self.keys.pop(0)
            words.append(f"[K:{_key(self.sharps, minor)}]")
        if not signs:
            return " ".join([*words, f"x{_units(bar.length)}"])
        seen: dict[str, int] = {}
        text = " ".join(words)
        for number, sign in enumerate(signs):
            while self.tempi and self.tempi[0][0] <= sign.start:
                text += f" [Q:1/4={_beats(self.tempi.pop(0)[1])}]"
            begins = sign.group >= 0 and (not number or signs[number - 1].group != sign.group)
            if begins:
                count = sum(each.group == sign.group for each in signs)
                text += f" ({sign.tuplet[0]}:{sign.tuplet[1]}:{count}"
            joined = sign.beams[:1] in (("continue",), ("end",)) or begins
            text += ("" if joined else " ") + self.sign(sign, seen, rests)
        return text.strip()

    def sign(self, sign: Sign, seen: dict[str, int], rests: bool) -> str:
        """A note, a chord or a rest with its length."""
        length = _units(sign.length * sign.tuplet[0] / sign.tuplet[1])
        if not sign.tones:
            return ("z" if rests else "x") + length
        heads = [self.head(tone.pitch, seen) for tone in sign.tones]
        return (heads[0] if len(heads) == 1 else f"[{''.join(heads)}]") + length + "-" * sign.tied_to

    def head(self, pitch: int, seen: dict[str, int]) -> str:
        """A pitch; its accidental is shown wherever programs may differ on whether an earlier one still counts."""
        sharps = 0 if self.drums else self.sharps
        letter, shift, octave = spelled(pitch, sharps)
        shown = shift != altered(letter, self.sharps) or letter in seen
        if shown:
            seen[letter] = shift
        name = letter.lower() + "'" * (octave - 5) if octave > 4 else letter + "," * (4 - octave)
        return ACCIDENTALS[shift] * shown + name


def _units(length: Fraction) -> str:
    """A length in quarter notes as ABC counts it."""
    units = length * UNIT / 4
    if units == 1:
        return ""
    over = f"/{units.denominator}" if units.denominator > 1 else ""
    return f"{units.numerator if units.numerator > 1 or not over else ''}{over}"
