"""What is played at once: a plan, the notes of its chords, figures that make a bar of them, and accompaniments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from transpose.media.wish import Wish
from transpose.models.tune_tokens import METRES, Group

# ticks of the notes of a bar, by metre and density
CELLS: dict[str, dict[str, list[str]]] = {
    "4/4": {
        "sparse": ["48", "24 24", "36 12", "24 24"],
        "medium": ["12 12 12 12", "24 12 12", "12 12 24", "18 6 12 12", "18 6 24", "12 6 6 12 12", "12 24 12"],
        "busy": [
            "6 6 6 6 6 6 6 6",
            "12 6 6 12 6 6",
            "6 6 12 6 6 12",
            "6 3 3 6 6 6 6 12",
            "9 3 6 6 9 3 6 6",
            "6 6 6 6 12 12",
        ],
    },
    "3/4": {
        "sparse": ["36", "24 12", "36"],
        "medium": ["12 12 12", "24 12", "12 6 6 12", "18 6 12", "12 24"],
        "busy": ["6 6 6 6 6 6", "12 6 6 6 6", "6 6 12 6 6", "9 3 6 6 6 6"],
    },
    "2/4": {
        "sparse": ["24", "12 12"],
        "medium": ["12 12", "12 6 6", "6 6 12", "18 6"],
        "busy": ["6 6 6 6", "6 3 3 6 6", "9 3 6 6", "3 3 6 6 6"],
    },
    "6/8": {
        "sparse": ["36", "18 18", "30 6"],
        "medium": ["12 6 12 6", "18 12 6", "12 6 18"],
        "busy": ["6 6 6 6 6 6", "12 6 6 6 6", "6 6 6 12 6"],
    },
}
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is settled before the first note: what a wish says, and what it leaves open."""

    wish: Wish
    metre: str
    bars: int
    texture: str
    centre: int  # the melody's, in semitones from the tonic near middle C
    range: tuple[int, int]  # the instrument's, likewise
    chordal: bool

    @property
    def scale(self) -> tuple[int, ...]:
        """Semitones of the seven steps."""
        return MINOR if self.wish.minor else MAJOR


Figure = Callable[[int, bool], tuple[Group, ...]]  # a bar for a chord, and for the last chord of all


def pitch(plan: Plan, degree: int, chord: int) -> int:
    """Semitones of a step of the scale (0 is the tonic, 7 an octave above); over V in minor the seventh is raised."""
    raised = bool(plan.wish.minor) and chord == 4 and degree % 7 == 6
    return 12 * (degree // 7) + plan.scale[degree % 7] + raised


def ticks_of(text: str) -> list[int]:
    return [int(each) for each in text.split()]


def degree_of(plan: Plan, step: int) -> int:
    """The step of the scale nearest to a pitch."""
    octave, rest = divmod(step, 12)
    return octave * 7 + min(range(7), key=lambda degree: abs(plan.scale[degree] - rest))


def nearest(now: int, choices: Sequence[int]) -> int:
    return min(choices, key=lambda each: (abs(each - now), each))


# -- figures -----------------------------------------------------------------------------------------------------------


def _tones(plan: Plan, chord: int, bottom: int, count: int) -> list[int]:
    """So many notes of a chord upwards from a pitch."""
    classes = sorted(pitch(plan, chord + above, chord) % 12 for above in (0, 2, 4))
    return [step for step in range(bottom, bottom + 12 * count) if step % 12 in classes][:count]


def _arpeggio(plan: Plan, rng: Random) -> Figure:
    unit = {"sparse": 12, "medium": 6, "busy": rng.choice((3, 4))}[plan.wish.density or "medium"]
    shape = rng.choice(("up", "down", "both", "alberti", "wide"))
    count = 3 if shape == "alberti" else rng.choice((3, 4, 5))
    order = {
        "up": list(range(count)),
        "down": list(range(count))[::-1],
        "alberti": [0, 2, 1, 2],
        "both": [*range(count), *range(count - 2, 0, -1)],
        "wide": [0, count - 1, 1, count - 1],
    }[shape]

    def bar(chord: int, last: bool) -> tuple[Group, ...]:
        steps = _tones(plan, chord, plan.centre - 5, count)
        notes = METRES[plan.metre] // unit
        groups = [Group((steps[order[place % len(order)] % len(steps)],), unit) for place in range(notes)]
        if last:
            tonic = nearest(plan.centre, [step for step in range(-36, 37) if step % 12 == 0])
            half = {36: 12, 48: 24}[METRES[plan.metre]]
            return (*groups[: half // unit], Group((tonic,), METRES[plan.metre] - half))
        return tuple(groups)

    return bar


def _riff(plan: Plan, rng: Random) -> Figure:
    ticks = ticks_of(rng.choice(CELLS[plan.metre][plan.wish.density or "medium"]))
    turns = [0, *(rng.choice((0, 0, 1, 2, 3, 4)) for _ in ticks[1:])]

    def bar(chord: int, last: bool) -> tuple[Group, ...]:
        steps = _tones(plan, chord, plan.centre - 7, 5)
        root = next(place for place, step in enumerate(steps) if (step - pitch(plan, chord, chord)) % 12 == 0)
        if last:
            return (Group((steps[root],), METRES[plan.metre]),)
        return tuple(Group((steps[min(root + turn, 4)],), each) for turn, each in zip(turns, ticks, strict=True))

    return bar


def _block(plan: Plan, rng: Random) -> Figure:
    """Chords; an instrument of one voice plays their highest notes."""
    sparse = {"sparse": "sparse", "medium": "sparse", "busy": "medium"}[plan.wish.density or "medium"]
    ticks = ticks_of(rng.choice(CELLS[plan.metre][sparse]))
    state = [plan.centre - rng.choice((3, 5, 7))]

    def bar(chord: int, last: bool) -> tuple[Group, ...]:
        steps = min(
            (_tones(plan, chord, state[0] + move, 3) for move in (-2, -1, 0, 1, 2)), key=lambda s: abs(s[0] - state[0])
        )
        if abs(steps[0] - plan.centre + 5) < 6:
            state[0] = steps[0]
        chosen = tuple(steps) if plan.chordal else (steps[-1],)
        return tuple(Group(chosen, each) for each in ([METRES[plan.metre]] if last else ticks))

    return bar


FIGURES = {"arpeggio": _arpeggio, "ostinato": _riff, "chords": _block}


# -- accompaniment -----------------------------------------------------------------------------------------------------
# B bass, F its fifth or third, T chord, L and H the lower and higher note of the chord; the number is ticks
UNDER = {
    "waltz": {"3/4": ["B12 T12 T12", "B12 T12 T12", "B12 T24"]},
    "march": {"4/4": ["B12 T12 F12 T12"], "2/4": ["B12 T12", "B6 T6 F6 T6"]},
    "ballad": {"4/4": ["B6 F6 L6 H6 L6 F6 L6 F6", "B12 L6 H6 B12 L6 H6", "BT24 T24"]},
    "lullaby": {
        "3/4": ["B12 L12 H12", "B12 T24"],
        "4/4": ["B12 L12 H12 L12", "B24 T24"],
        "6/8": ["B12 T6 F12 T6", "B6 L6 H6 B6 L6 H6"],
    },
    "jig": {"6/8": ["B12 T6 F12 T6", "BT18 T18", "B18 F18"]},
    "reel": {"4/4": ["B12 T12 F12 T12", "BT24 FT24", "B24 F24"]},
    "arpeggio": {"4/4": ["B48", "B24 F24"], "3/4": ["B36"]},
    "ostinato": {"4/4": ["B12 B12 B12 B12", "BT48", "B24 T24"]},
    "chords": {"4/4": ["B48", "B24 F24", "B12 F12 B12 F12"]},
    "": {
        "4/4": ["BT48", "BT24 T24", "B12 T12 F12 T12", "B24 T24", "B6 H6 L6 H6 B6 H6 L6 H6"],
        "3/4": ["BT36", "B12 T12 T12", "B12 T24"],
        "2/4": ["BT24", "B12 T12"],
        "6/8": ["BT36", "B18 T18"],
    },
}


def accompaniment(plan: Plan, rng: Random) -> Callable[[int, tuple[Group, ...], bool], tuple[Group, ...]]:
    """What makes the part under a bar of melody: nothing in a solo, single notes where chords cannot be played."""
    style = plan.wish.style or ""
    patterns = UNDER.get(style, {}).get(plan.metre) or UNDER[""][plan.metre]
    pattern = rng.choice(patterns)
    low, _ = plan.range
    room = plan.centre - 5 - low
    alone = plan.texture == "solo" or room < 5

    def under(chord: int, melody: tuple[Group, ...], last: bool) -> tuple[Group, ...]:
        if alone:
            return ()
        lowest = min((step for group in melody for step in group.pitches), default=plan.centre)
        root = pitch(plan, chord, chord)
        floor = max(low, min(-24, lowest - 12))
        bass = next(step for step in range(floor, floor + 12) if (step - root) % 12 == 0)
        above = bass + 7 if room > 14 else bass + 3
        tones = [step for step in _tones(plan, chord, above, 3) if step < lowest]
        if style == "hymn":
            return _choir(plan, melody, chord, bass, tones)
        return tuple(
            _struck(each, bass, root, plan, chord, tones) for each in (_final(plan) if last else pattern).split()
        )

    return under


def _final(plan: Plan) -> str:
    return f"BT{METRES[plan.metre]}"


def _struck(sign: str, bass: int, root: int, plan: Plan, chord: int, tones: list[int]) -> Group:
    letters, ticks = sign.rstrip("0123456789"), int(sign.lstrip("BFTLH"))
    fifth = bass + (pitch(plan, chord + 4, chord) - root)
    chosen: list[int] = []
    for letter in letters:
        single = {
            "B": bass,
            "F": fifth if fifth - 12 < plan.range[0] else fifth - 12,
            "L": tones[0] if tones else fifth,
            "H": tones[-1] if tones else bass,
        }
        chosen += (tones or [fifth]) if letter == "T" else [single[letter]]
    if not plan.chordal:
        chosen = chosen[:1]
    return Group(tuple(sorted(set(chosen))), ticks)


def _choir(plan: Plan, melody: tuple[Group, ...], chord: int, bass: int, tones: list[int]) -> tuple[Group, ...]:
    """A chord under each note of the melody: the bar's where the note belongs to it, else one that it belongs to."""
    groups = []
    for group in melody:
        now, low, inner = chord, bass, tones
        if group.pitches:
            degree = degree_of(plan, group.pitches[-1])
            if (degree - chord) % 7 not in (0, 2, 4):
                now = next(each for each in (0, 3, 4, 5, 1, 2, 6) if (degree - each) % 7 in (0, 2, 4))
                root = pitch(plan, now, now)
                low = min(
                    (step for step in range(bass - 6, bass + 7) if (step - root) % 12 == 0), key=lambda s: abs(s - bass)
                )
                low += 12 * (low < plan.range[0])
                inner = [step for step in _tones(plan, now, low + 7, 2) if step < group.pitches[-1]]
        chosen = {low, *inner[:2]} if plan.chordal else {low}
        groups.append(Group(tuple(sorted(chosen)), group.ticks))
    return tuple(groups)
