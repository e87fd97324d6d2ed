"""A tune in ABC as it is to be played: each voice's bars with their notes, laid out in the order of repeats."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction

from transpose.core.errors import HugeInput
from transpose.media.abc_words import HEAD, LEVELS, SHIFTS, STEPS, TOKENS, fraction, length, signature_of, turns
from transpose.media.notation import MOST_BARS, MOST_TONES, VELOCITY, Notation, Part, seated
from transpose.media.unfold import Marks, Struck, joined, played

ONE = Fraction(1)


@dataclass(slots=True)
class _Bar:
    struck: list[Struck] = field(default_factory=list)
    length: Fraction = Fraction(0)
    marks: Marks = Marks()
    tempi: list[tuple[Fraction, int]] = field(default_factory=list)
    metre: tuple[int, int] | None = None
    key: tuple[int, bool] | None = None


@dataclass(slots=True)
class _Voice:
    """A voice while it is read: what lasts, and the bars so far."""

    name: str = ""
    unit: Fraction = Fraction(1, 2)  # in quarter notes
    metre: tuple[int, int] = (4, 4)
    key: dict[str, int] = field(default_factory=dict)
    octave: int = 0
    transpose: int = 0
    channel: int | None = None
    program: int | None = None
    velocity: int = VELOCITY
    spread: str = "pitch"  # how far an accidental reaches: pitch (all octaves), octave, not
    bars: list[_Bar] = field(default_factory=lambda: [_Bar()])
    at: Fraction = Fraction(0)
    seen: dict[tuple[str, int], int] = field(default_factory=dict)
    ties: set[int] = field(default_factory=set)
    tuplet: tuple[Fraction, int] = (ONE, 0)  # factor, notes left
    broken: Fraction = ONE
    last: tuple[Fraction, list[Struck]] = (Fraction(0), [])
    turns: frozenset[int] = frozenset()


class _Reader:
    def __init__(self, name: str) -> None:
        self.file, self.title, self.count, self.odd = name, "", 0, 0
        self.base = _Voice()
        self.voices: dict[str, _Voice] = {}
        self.now = self.base
        self.unit_said = False
        self.started = False

    def line(self, line: str) -> None:
        """One line of the tune."""
        if line.startswith("%%"):
            self.directive(line[2:])
            return
        line = re.sub(r"(?<!\\)%.*", "", line).rstrip()
        if re.match(r"[A-Za-z+]:", line) and not re.match(r"[A-Ga-g]:\|", line):
            self.field(line[0], line[2:].strip())
        elif self.started:
            self.music(line)

    def voice(self) -> _Voice:
        """The voice that notes go to; the first one comes to be with the first note."""
        if self.now is self.base:
            self.now = self.voices.setdefault("1", self.fresh())
        return self.now

    def fresh(self) -> _Voice:
        """A new voice with what the head of the tune says."""
        return replace(self.base, bars=[_Bar()], key=dict(self.base.key), seen={}, ties=set())

    def all(self) -> list[_Voice]:
        """The voices that a field in the body, or the head, speaks of."""
        return [self.now] if self.started else [self.base, *self.voices.values()]

    def directive(self, text: str) -> None:
        """`%%MIDI` program, channel and transpose; how far accidentals reach."""
        words = text.replace("=", " ").split()
        if words[:1] == ["propagate-accidentals"] and len(words) > 1:
            for voice in self.all():
                voice.spread = words[1]
        if len(words) < 3 or words[0] != "MIDI" or not re.fullmatch(r"-?\d{1,3}", words[-1]):
            return
        value = int(words[-1])
        for voice in self.all():
            if words[1] == "program" and 0 <= value <= 127:
                voice.program = value
            elif words[1] == "channel" and 1 <= value <= 16:
                voice.channel = value - 1
            elif words[1] == "transpose" and -60 <= value <= 60:
                voice.transpose = value

    def field(self, letter: str, text: str) -> None:
        """A field of the head or the body, on its line or in brackets."""
        if letter == "T" and not self.title:
            self.title = text.replace("\\%", "%")
        elif letter == "L" and (found := fraction(text)):
            self.unit_said = True
            for voice in self.all():
                voice.unit = 4 * found
        elif letter == "M":
            self.metre(text)
        elif letter == "Q":
            self.tempo(text)
        elif letter == "K":
            self.key(text)
        elif letter == "V":
            self.switch(text)
        elif letter == "I":
            self.directive(text)

    def metre(self, text: str) -> None:
        """`M:`; where no unit is said it follows: sixteenths for metres below 3/4."""
        text = text.replace("C|", "2/2").replace("C", "4/4").strip("() ")
        found = re.match(r"([\d+ ()]{1,20})/\s*(\d{1,2})", text)
        beats = sum(int(n[:3]) for n in re.findall(r"\d+", found[1])) if found else 0
        unit = int(found[2]) if found else 0
        if not (0 < beats <= 64 and unit in (1, 2, 4, 8, 16, 32, 64)):
            return
        for voice in self.all():
            voice.metre = voice.bars[-1].metre = beats, unit
            if not self.unit_said:
                voice.unit = Fraction(1, 4) if Fraction(beats, unit) < Fraction(3, 4) else Fraction(1, 2)

    def tempo(self, text: str) -> None:
        """`Q:1/4=120`, `Q:1/4 1/8=80`, `Q:120` (in units), with or without words."""
        text = re.sub(r'"[^"]*"', "", text)
        left, equals, right = text.partition("=")
        found = re.match(r"\s*(\d{1,4}(?:\.\d{1,8})?)", right if equals else left)
        if not found:
            return
        sizes = [fraction(each) for each in re.findall(r"\d+/\d+", left)]
        quarters = 4 * sum((size for size in sizes if size), Fraction(0)) if equals else self.now.unit
        beats = float(found[1]) * float(quarters or 1)
        if 4 <= beats <= 4000:
            for voice in self.all():
                voice.bars[-1].tempi.append((voice.at, round(6e7 / beats)))

    def key(self, text: str) -> None:
        """`K:`, with mode and accidentals of its own; the first one ends the head."""
        said, signature, alters = signature_of(text)
        for voice in self.all():
            if said or not self.started:
                voice.key = alters
                voice.bars[-1].key = signature
            _parameters(voice, text)
        self.started = True

    def switch(self, text: str) -> None:
        """`V:`; in the head it only describes a voice."""
        words = text.split(None, 1)
        if not words or words[0] == "*":
            return
        if len(self.voices) > 256:
            raise HugeInput(f"{self.file!r} has more than 256 voices")
        voice = self.voices.setdefault(words[0], self.fresh())
        _parameters(voice, words[1] if len(words) > 1 else "")
        if self.started:
            self.now = voice

    def music(self, line: str) -> None:
        """A line of notes."""
        for token in TOKENS.finditer(line):
            voice = self.voice()
            if token["bar"]:
                self.bar(voice, token["bar"], token["ending"])
            elif token["turn"]:
                voice.turns = turns(token["turn"])
                voice.bars[-1].marks = replace(voice.bars[-1].marks, endings=voice.turns)
            elif token["field"]:
                self.field(token["field"][1], token["field"][3:-1].strip())
            elif token["mark"]:
                _mark(voice, token["mark"][1:-1])
            elif token["chord"]:
                heads = list(HEAD.finditer(token["inside"]))
                units = length(token, "c") * (length(heads[0], "l") if heads else 1)
                self.sound(voice, heads, units, bool(token["ctie"]))
            elif token["letter"]:
                self.sound(voice, [token], length(token, "l"), False)
            elif token["rest"]:
                self.sound(voice, [], length(token, "r"), False)
            elif token["bars"]:
                self.rests(voice, int(token["count"] or 1))
            elif token["p"]:
                _tuplet(voice, token)
            elif token["broken"]:
                _break(voice, token["broken"])
            elif token["overlay"]:
                voice.at = Fraction(0)

    def sound(self, voice: _Voice, heads: list[re.Match[str]], units: Fraction, tied: bool) -> None:
        """A note, a chord or a rest of so many units."""
        self.count += len(heads)
        if self.count > MOST_TONES:
            raise HugeInput(f"{self.file!r} has more than {MOST_TONES:,} notes", "Take a part of it")
        lasts = units * voice.unit * voice.broken
        voice.broken = ONE
        factor, left = voice.tuplet
        if left:
            lasts *= factor
            voice.tuplet = (factor, left - 1)
        bar, made = voice.bars[-1], []
        for head in heads:
            pitch = _pitch(voice, head)
            if not 0 <= pitch <= 127:
                self.odd += 1
                continue
            onward = tied or bool(head["tie"])
            made.append(Struck(voice.at, voice.at + lasts, pitch, voice.velocity, "", pitch in voice.ties, onward))
        if heads:
            voice.ties = {head.pitch for head in made if head.tied_to}
        bar.struck += made if lasts else []
        voice.last = (voice.at, made)
        voice.at += lasts
        bar.length = max(bar.length, voice.at)

    def rests(self, voice: _Voice, count: int) -> None:
        """Whole bars of rest."""
        for number in range(min(count, MOST_BARS)):
            if number:
                self.bar(voice, "|", None)
            voice.at = Fraction(4 * voice.metre[0], voice.metre[1])
            voice.bars[-1].length = voice.at

    def bar(self, voice: _Voice, sign: str, ending: str | None) -> None:
        """A bar line, with repeats and endings."""
        repeats, forward = len(sign) - len(sign.lstrip(":")), sign.endswith(":") and sign != ":"
        if sign.strip(":") == "" and len(sign) > 1:
            repeats, forward = 1, True
        bar = voice.bars[-1]
        filled = bool(bar.length)
        if filled and repeats:
            bar.marks = replace(bar.marks, backward=repeats + 1)
        if repeats or sign.strip(":") in ("||", "|]", "[|") or forward:
            voice.turns = frozenset()
        if ending:
            voice.turns = turns(ending)
        if filled:
            voice.bars.append(_Bar())
            if len(voice.bars) > MOST_BARS:
                raise HugeInput(f"{self.file!r} has more than {MOST_BARS:,} bars", "Take a part of it")
        bar = voice.bars[-1]
        bar.marks = replace(bar.marks, forward=forward or bar.marks.forward, endings=voice.turns)
        voice.at, voice.seen, voice.last = Fraction(0), {}, (Fraction(0), [])


def listen(text: str, name: str) -> tuple[Notation, list[str]]:
    """The notation of one tune from a file called `name`, and what was left out of it."""
    reader = _Reader(name)
    for line in text.splitlines():
        reader.line(line)
    voices = [voice for voice in reader.voices.values() if any(bar.struck for bar in voice.bars)]
    for voice in voices:
        if not voice.bars[-1].length:
            voice.bars.pop()
    count = max((len(voice.bars) for voice in voices), default=0)
    lengths = [max((v.bars[n].length for v in voices if n < len(v.bars)), default=ONE) for n in range(count)]
    marked = max(voices, key=lambda v: sum(bar.marks != Marks() for bar in v.bars), default=_Voice())
    order = played([bar.marks for bar in marked.bars] + [Marks()] * (count - len(marked.bars)))
    starts = [Fraction(0)]
    for number in order:
        starts.append(starts[-1] + (lengths[number] if number < count else 0))
    parts: list[Part] = []
    for voice in voices:
        tones = [tone for _, tone in joined([bar.struck for bar in voice.bars], order, starts)]
        twin = next((n for n, p in enumerate(parts) if voice.channel == p.channel and _alike(voice, p)), None)
        if twin is None:
            parts.append(seated(parts, voice.name, voice.channel, voice.program, tones))
        else:  # the voices of one instrument
            parts[twin] = replace(parts[twin], tones=tuple(sorted((*parts[twin].tones, *tones))))
    facts = _facts(voices[0] if voices else _Voice(), reader.base, order, starts)
    losses = [f"{reader.odd} notes that no instrument has were left out"] if reader.odd else []
    return replace(facts, parts=tuple(parts), title=reader.title), losses


def _alike(voice: _Voice, part: Part) -> bool:
    return (voice.name, voice.program) == (part.name, part.program)


def _facts(voice: _Voice, base: _Voice, order: list[int], starts: list[Fraction]) -> Notation:
    """Tempi, metres and keys of the head and of the first voice."""
    head = base.bars[0]
    tempi = dict(head.tempi)
    metres, keys = [(Fraction(0), *(head.metre or (4, 4)))], [(Fraction(0), *(head.key or (0, False)))]
    for place, number in enumerate(order):
        bar = voice.bars[number] if number < len(voice.bars) else _Bar()
        tempi |= {starts[place] + at: tempo for at, tempo in bar.tempi}
        if bar.metre and bar.metre != metres[-1][1:]:
            metres.append((starts[place], *bar.metre))
        if bar.key and bar.key != keys[-1][1:]:
            keys.append((starts[place], *bar.key))
    first = starts[1] if len(starts) > 1 else Fraction(0)
    beats, unit = metres[0][1:]
    shown = first > 0 and first.denominator in (1, 2, 4, 8, 16)  # a triplet cut short has no metre
    if len(order) > 1 and first < Fraction(4 * beats, unit) and shown:  # an upbeat is its own bar
        size = max(unit, 4 * first.denominator)
        metres = [(Fraction(0), int(first * size / 4), size), (first, beats, unit), *metres[1:]]
    return Notation((), tuple(sorted(tempi.items())), tuple(metres), tuple(keys))


def _parameters(voice: _Voice, text: str) -> None:
    """`name=`, `octave=` and `transpose=` of a voice or a key."""
    named = re.search(r'(?:name|nm)="([^"]*)"', text)
    if named:
        voice.name = named[1]
    for key in ("octave", "transpose"):
        found = re.search(rf"\b{key}=([+-]?\d)(\d?)\b", text)
        if found:
            setattr(voice, key, int(found[1] + found[2]))


def _pitch(voice: _Voice, head: re.Match[str]) -> int:
    """The MIDI pitch of a note; its accidental is remembered for the bar."""
    letter = head["letter"].upper()
    octave = 4 + head["letter"].islower() + head["octave"].count("'") - head["octave"].count(",")
    place = (letter, octave if voice.spread == "octave" else 0)
    if head["acc"]:
        shift = SHIFTS[head["acc"]]
        if voice.spread != "not":
            voice.seen[place] = shift
    else:
        shift = voice.seen.get(place, voice.key.get(letter, 0))
    return 12 * (octave + 1 + voice.octave) + STEPS[letter] + shift + voice.transpose


def _mark(voice: _Voice, word: str) -> None:
    """Loudness, and jumps."""
    voice.velocity = LEVELS.get(word, voice.velocity)
    marks = voice.bars[-1].marks
    voice.bars[-1].marks = replace(
        marks,
        segno=marks.segno or word == "segno",
        coda=marks.coda or word == "coda",
        to_coda=marks.to_coda or word == "dacoda",
        da_capo=marks.da_capo or word == "D.C.",
        dal_segno=marks.dal_segno or word == "D.S.",
        fine=marks.fine or word == "fine",
    )


def _tuplet(voice: _Voice, token: re.Match[str]) -> None:
    """`(p:q:r`: p notes in the time of q, for the next r."""
    p = int(token["p"])
    compound = voice.metre[0] % 3 == 0 and voice.metre[1] >= 8
    usual = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(p, 3 if compound else 2)
    q, r = int(token["q"] or usual), int(token["r"] or p)
    if p and q:
        voice.tuplet = (Fraction(q, p), r)


def _break(voice: _Voice, signs: str) -> None:
    """`>`: the note before gets longer, the next one shorter; `<` the other way."""
    short = Fraction(1, 2 ** min(len(signs), 8))
    before, after = (2 - short, short) if signs[0] == ">" else (short, 2 - short)
    start, heads = voice.last
    end = start + (voice.at - start) * before
    for head in heads:
        head.end = end
    voice.at, voice.broken = end, after
    bar = voice.bars[-1]
    bar.length = max([head.end for head in bar.struck] + [end])
