"""Tunes as bars, and as tokens: the language that the tune model reads and writes.

A tune holds no key, no tempo and no instrument: its tonic is always 0, and `score_of` sets them when the notes are
made. What the model has to learn is the same in every key, and what was asked for comes out exactly.

Text of a tune: the wish (family of instruments, speed, mode, register, density, style, mood, texture, metre, each known
or open), then for every bar `BAR n` (n bars are left, this one included), the chord, the melody, and, where there is
one, `UNDER` and the accompaniment. Both are a run of groups that fill the bar exactly: pitches upwards (or
`REST`, or `HOLD`: what sounds goes on) and one length. `Grammar` says at each place which tokens may follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from transpose.media.score import Note, Score
from transpose.media.wish import DENSITIES, MOODS, REGISTERS, STYLES, Wish

TICKS = 12  # in a quarter note: sixteenths and triplets
METRES = {"2/4": 24, "3/4": 36, "4/4": 48, "6/8": 36}  # ticks in a bar
LENGTHS = (3, 4, 6, 8, 9, 12, 16, 18, 24, 30, 36, 42, 48)
CAN_FILL = frozenset({0, 3, 4, *range(6, 49)})  # sums of lengths: what may be left of a bar
LOWEST, HIGHEST = -36, 40  # semitones from the tonic nearest to middle C
QUALITIES = {"": (0, 4, 7), "m": (0, 3, 7), "dim": (0, 3, 6)}
SPEEDS = (60.0, 75.0, 95.0, 115.0, 135.0, 160.0)  # where one class of tempo ends and the next begins
FAMILIES = 16
TEXTURES = ("solo", "accompanied")
MOST_BARS = 16  # the bars that `BAR` can count; of longer tunes the rest is a tune of its own


@dataclass(frozen=True, slots=True)
class Group:
    """Pitches (semitones from the tonic near middle C) that begin together and last `ticks`; without any, a rest.

    `held` (without pitches): what sounded before goes on.
    """

    pitches: tuple[int, ...]
    ticks: int
    held: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A chord ("0", "7", "9m": semitones from the tonic, and quality), a melody and what is played under it."""

    chord: str
    melody: tuple[Group, ...]
    under: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Tune:
    """Bars of one metre. Raises ValueError where a part does not fill its bar."""

    metre: str
    bars: tuple[Bar, ...]

    def __post_init__(self) -> None:
        for number, bar in enumerate(self.bars, 1):
            for part in (bar.melody, bar.under or bar.melody):
                if sum(group.ticks for group in part) != METRES[self.metre]:
                    raise ValueError(f"bar {number} does not add up to {self.metre}")


# -- the vocabulary ----------------------------------------------------------------------------------------------------


def _words() -> Iterator[str]:
    yield "PAD"
    yield "END"
    for name, choices in WISHED.items():
        yield f"{name}=?"
        yield from (f"{name}={choice}" for choice in choices)
    yield from (f"metre={each}" for each in METRES)
    yield from (f"BAR {left}" for left in range(1, MOST_BARS + 1))
    yield from (f"chord {root}{quality}" for quality in QUALITIES for root in range(12))
    yield "UNDER"
    yield "REST"
    yield "HOLD"
    yield from (f"pitch {step}" for step in range(LOWEST, HIGHEST + 1))
    yield from (f"length {ticks}" for ticks in LENGTHS)


WISHED: dict[str, Sequence[object]] = {
    "family": range(FAMILIES), "speed": range(len(SPEEDS) + 1), "minor": (False, True), "register": REGISTERS,
    "density": DENSITIES, "style": STYLES, "mood": MOODS, "texture": TEXTURES,
}  # fmt: skip
WORDS = tuple(_words())
NUMBER = {word: number for number, word in enumerate(WORDS)}
PAD, END = 0, 1
PITCHES = range(NUMBER[f"pitch {LOWEST}"], NUMBER[f"pitch {HIGHEST}"] + 1)
SPANS = range(NUMBER[f"length {LENGTHS[0]}"], NUMBER[f"length {LENGTHS[-1]}"] + 1)
CHORDS = range(NUMBER["chord 0"], NUMBER["UNDER"])
BARS = range(NUMBER["BAR 1"], NUMBER[f"BAR {MOST_BARS}"] + 1)
HEAD = len(WISHED) + 1  # tokens before the first bar
PLACES = 98
LONGEST = 768  # tokens that a text may have
BACK = (1, 2, 4, 8)  # bars ago that a network is reminded of


def speed(tempo: float) -> int:
    """The class of a tempo in quarters a minute: 0 (below 60) to 6 (160 and more)."""
    return sum(tempo >= limit for limit in SPEEDS)


def heading(wish: Wish, texture: str | None, metre: str) -> list[int]:
    """The tokens of a wish. The root, the exact tempo and the exact instrument are not among them."""
    values: dict[str, object] = {
        "family": None if wish.instrument is None else wish.instrument // 8,
        "speed": None if wish.tempo is None else speed(wish.tempo),
        "minor": wish.minor, "register": wish.register, "density": wish.density, "style": wish.style,
        "mood": wish.mood, "texture": texture,
    }  # fmt: skip
    tokens = [NUMBER[f"{name}={'?' if value is None else value}"] for name, value in values.items()]
    return [*tokens, NUMBER[f"metre={metre}"]]


def encode(tune: Tune) -> list[int]:
    """The tokens of the last 16 bars, without the wish, with `END`."""
    tokens: list[int] = []
    bars = tune.bars[-MOST_BARS:]
    for left, bar in zip(range(len(bars), 0, -1), bars, strict=True):
        tokens += [NUMBER[f"BAR {left}"], NUMBER[f"chord {bar.chord}"], *_groups(bar.melody)]
        if bar.under:
            tokens += [NUMBER["UNDER"], *_groups(bar.under)]
    return [*tokens, END]


def _groups(part: Sequence[Group]) -> Iterator[int]:
    for group in part:
        if group.pitches:
            yield from (PITCHES[min(max(step, LOWEST), HIGHEST) - LOWEST] for step in sorted(set(group.pitches)))
        else:
            yield NUMBER["HOLD" if group.held else "REST"]
        yield NUMBER[f"length {group.ticks}"]


def places(tokens: Sequence[int]) -> list[int]:
    """After each token, how many ticks of the bar's melody (0..48) or accompaniment (49..97) are written."""
    at, found = 0, []
    for token in tokens:
        at = place_after(at, token)
        found.append(at)
    return found


def place_after(at: int, token: int) -> int:
    """The place after a token that comes at a place."""
    if token in SPANS:
        return at + LENGTHS[token - SPANS[0]]
    if token in BARS:
        return 0
    return PLACES // 2 if token == NUMBER["UNDER"] else at


class Memory:
    """What followed in earlier bars at the same place: hints for a tune that repeats itself.

    Two tokens stand at the same place where as much of the bar is written, and as many tokens came since.
    """

    def __init__(self) -> None:
        self.bars: list[dict[tuple[int, int], int]] = []  # of each bar: place -> the token that came next
        self.place = (0, 0)
        self.at = 0

    def read(self, token: int) -> tuple[int, ...]:
        """Go on by a token; answers the tokens that came next here 1, 2, 4 and 8 bars ago, `PAD` where none did."""
        if token in BARS:
            self.bars.append({})
        elif self.bars:
            self.bars[-1][self.place] = token
        at = place_after(self.at, token)
        self.place = (at, self.place[1] + 1) if at == self.at and token not in BARS else (at, 0)
        self.at = at
        now = len(self.bars) - 1
        return tuple(self.bars[now - back].get(self.place, PAD) if 0 < back <= now else PAD for back in BACK)


def hints(tokens: Sequence[int]) -> list[tuple[int, ...]]:
    """What `Memory` answers after each token."""
    memory = Memory()
    return [memory.read(token) for token in tokens]


def decode(tokens: Sequence[int], metre: str) -> Tune:
    """The tune of tokens that follow the grammar, beginning with the first bar; raises ValueError for others."""
    bars: list[Bar] = []
    chord, parts = "", ([], [])  # type: tuple[str, tuple[list[Group], list[Group]]]
    under, pitches, held = False, list[int](), False

    def finish() -> None:
        if chord:
            bars.append(Bar(chord, tuple(parts[0]), tuple(parts[1])))

    for token in tokens:
        word, _, value = WORDS[token].partition(" ")
        if word == "pitch":
            pitches.append(int(value))
        elif word == "length":
            parts[under].append(Group(tuple(pitches), int(value), held))
            pitches, held = [], False
        elif word == "chord":
            chord = value
        elif word in ("BAR", "END"):
            finish()
            chord, parts, under = "", ([], []), False
        elif word == "UNDER":
            under = True
        else:
            held = word == "HOLD"
    finish()
    return Tune(metre, tuple(bars))


# -- what may follow ---------------------------------------------------------------------------------------------------


@dataclass
class Grammar:
    """Reads one token after another; `allowed` are those that may come next. `bars`: how many there have to be.

    `accompanied`: whether every bar has a part under the melody. `span`: the steps that the notes may use.
    """

    metre: str
    bars: int
    accompanied: bool
    span: tuple[int, int] = (LOWEST, HIGHEST)
    voices: int = 4  # pitches in a group at most
    _left: int = 0  # ticks of the part that are not filled yet
    _begun: list[int] = field(default_factory=list)  # pitches of the group at hand
    _place: str = "bar"
    _under: bool = False
    _first: bool = True  # nothing sounds yet, so nothing can be held

    def allowed(self) -> list[int]:
        """Numbers of the tokens that may follow; never empty."""
        if self._place == "bar":
            return [BARS[self.bars - 1]] if self.bars else [END]
        if self._place == "chord":
            return list(CHORDS)
        if self._place == "under":
            return [NUMBER["UNDER"]]
        lengths = [number for number, ticks in zip(SPANS, LENGTHS, strict=True) if self._left - ticks in CAN_FILL]
        if self._place == "length":
            return lengths
        low = max(self.span[0], self._begun[-1] + 1 if self._begun else LOWEST)
        higher = [PITCHES[step - LOWEST] for step in range(low, self.span[1] + 1)]
        if self._begun:
            return lengths + (higher if len(self._begun) < self.voices else [])
        return [*higher, NUMBER["REST"], *([] if self._first else [NUMBER["HOLD"]])]

    def read(self, token: int) -> None:
        """Go on by one token; raises ValueError where it may not stand here."""
        if token not in self.allowed():
            raise ValueError(f"{WORDS[token]!r} cannot stand here")
        word, _, value = WORDS[token].partition(" ")
        if word == "BAR":
            self._place, self._under = "chord", False
        elif word in ("chord", "UNDER"):
            self._place, self._left, self._under = "group", METRES[self.metre], word == "UNDER"
        elif word == "pitch":
            self._begun.append(int(value))
            self._first = False
        elif word in ("REST", "HOLD"):
            self._place = "length"
        elif word == "length":
            self._begun, self._place, self._left = [], "group", self._left - int(value)
            if not self._left:
                self._place = "under" if self.accompanied and not self._under else "bar"
                self.bars -= self._place == "bar"


# -- tune -> score -----------------------------------------------------------------------------------------------------

LOUD, SOFT = 88, 58  # velocities of melody and accompaniment


def middle_of(wish: Wish) -> int:
    """The MIDI pitch of the tonic nearest to middle C (C where the root is open): step 0."""
    return 60 + ((wish.root or 0) + 5) % 12 - 5


def measures(tune: Tune, wish: Wish) -> tuple[str, str]:
    """Register and density of the melody, as captions mean them: its mean pitch, its beginnings in a quarter."""
    groups = [group for bar in tune.bars for group in bar.melody]
    sounding = [(step, group.ticks) for group in groups for step in group.pitches]
    mean = middle_of(wish) + sum(step * ticks for step, ticks in sounding) / max(1, sum(ticks for _, ticks in sounding))
    rate = sum(bool(group.pitches) for group in groups) * TICKS / (len(tune.bars) * METRES[tune.metre])
    register = "low" if mean < 55 else "high" if mean >= 69 else "middle"
    return register, "sparse" if rate < 0.8 else "busy" if rate > 1.7 else "medium"


def score_of(tune: Tune, wish: Wish, *, texts: Sequence[str] = ()) -> Score:
    """The notes in the wished key, tempo and instrument (C, 120 and a piano where they are open).

    Melody and accompaniment are two tracks. The first beat is a little louder, phrases swell towards their middle.
    """
    tempo, program = wish.tempo or 120.0, wish.instrument or 0
    shift = middle_of(wish)
    parts = [[bar.melody for bar in tune.bars], [bar.under for bar in tune.bars]]
    notes = []
    for channel, (part, loud) in enumerate(zip(parts, (LOUD, SOFT), strict=True)):
        for start, ticks, step in _sounding(part, METRES[tune.metre]):
            bar, at = divmod(start, METRES[tune.metre])
            velocity = loud + 8 * (at == 0) + (2, 5, 7, 3)[bar % 4]
            if 0 <= (pitch := shift + step) <= 127:
                notes.append((start, start + ticks, Note(0.0, 0.0, pitch, velocity, channel, program)))
    return _tracks(notes, tune, wish, tempo, program, texts)


def _sounding(part: Sequence[Sequence[Group]], bar: int) -> list[tuple[int, int, int]]:
    """Start, length and step of each note in ticks from the beginning, held groups joined to what they hold."""
    notes: list[tuple[int, int, int]] = []
    last = 0  # how many notes the group before began
    for number, groups in enumerate(part):
        at = number * bar
        for group in groups:
            if group.held and last:
                notes[-last:] = [(start, ticks + group.ticks, step) for start, ticks, step in notes[-last:]]
            else:
                notes += [(at, group.ticks, step) for step in group.pitches]
                last = len(group.pitches)
            at += group.ticks
    return notes


def _tracks(
    notes: list[tuple[int, int, Note]], tune: Tune, wish: Wish, tempo: float, program: int, texts: Sequence[str]
) -> Score:
    """The file's tracks: one that says tempo, metre and key, then one for each channel that plays."""
    from mido import Message, MetaMessage, bpm2tempo  # type: ignore[import-untyped]

    over, under = map(int, tune.metre.split("/"))
    end = len(tune.bars) * METRES[tune.metre]
    head = [MetaMessage("text", text=text.encode().decode("latin-1")) for text in texts]
    head += [
        MetaMessage("set_tempo", tempo=bpm2tempo(tempo)),
        MetaMessage("time_signature", numerator=over, denominator=under),
        MetaMessage("key_signature", key=_signature(wish.root or 0, bool(wish.minor))),
        MetaMessage("end_of_track", time=end),
    ]
    tracks = [tuple(head)]
    for channel in sorted({note.channel for _, _, note in notes}):
        events = [(0, 0, Message("program_change", channel=channel, program=program))]
        for start, stop, note in notes:
            if note.channel == channel:
                sound = {"channel": channel, "note": note.pitch}
                events.append((start, 2, Message("note_on", velocity=note.velocity, **sound)))
                events.append((stop, 1, Message("note_off", velocity=64, **sound)))
        events.sort(key=lambda event: event[:2])
        waits = [0, *(event[0] for event in events)]
        track = [event[2].copy(time=event[0] - wait) for wait, event in zip(waits, events, strict=False)]
        tracks.append((*track, MetaMessage("end_of_track", time=max(0, end - events[-1][0]))))
    return Score(tuple(tracks), TICKS)


@cache
def _signature(root: int, minor: bool) -> str:
    """The name of a key as MIDI writes it, with the fewest accidentals."""
    names = "Cm C#m Dm Ebm Em Fm F#m Gm G#m Am Bbm Bm" if minor else "C Db D Eb E F F# G Ab A Bb B"
    return names.split()[root]
