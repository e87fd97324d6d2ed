"""How a tune is built: phrases of four bars, their chords, and a melody over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from random import Random

from recipes.tune_parts import CELLS, FIGURES, Figure, Plan, accompaniment, degree_of, nearest, pitch, ticks_of
from transpose.models.tune_tokens import METRES, Bar, Group, Tune

LAST = {
    "4/4": ["24 24", "12 12 24", "12 36", "48"],
    "3/4": ["36", "12 24"],
    "2/4": ["24", "12 12"],
    "6/8": ["18 18", "36"],
}
# chords by step of the scale: how a phrase begins, and how it ends on the fifth and on the tonic
OPENINGS = {
    False: {"A": "00 00 03 03 04 05 01 00", "B": "30 52 30 40 51 14 30 53"},
    True: {"A": "00 00 03 04 04 05 00 03", "B": "30 50 34 04 26 53 40"},
}
HALF = {False: "34 14 04 34 54".split(), True: "34 54 04 14 34".split()}


@dataclass(frozen=True, slots=True)
class Phrase:
    """Four bars: the chords as steps of the scale, and the melody's groups."""

    chords: tuple[int, ...]
    melody: tuple[tuple[Group, ...], ...]


def compose(plan: Plan, rng: Random) -> Tune:
    """A tune of `plan.bars` bars: A, AA', ABA' or AA'BA', where ' ends on the tonic, cut at its beginning."""
    forms = {1: ["A."], 2: ["A,", "A."], 3: ["A,", "B,", "A."]}
    count = ceil(plan.bars / 4)
    form = forms.get(count) or [["A,", "A.", "B,", "A."][place % 4] for place in range(count)]
    form[-1] = "A."
    heads = {letter: _chords(OPENINGS[bool(plan.wish.minor)][letter], rng) for letter in "AB"}
    maker = FIGURES.get(plan.wish.style or "")
    figure = maker(plan, rng) if maker else None
    made: dict[str, Phrase] = {}
    for name in form:
        if name not in made:
            tail = (4, 0) if name[1] == "." else _chords(" ".join(HALF[bool(plan.wish.minor)]), rng)
            begun = next((made[other].melody[:2] for other in made if other[0] == name[0]), ())
            made[name] = _phrase(plan, heads[name[0]] + tail, begun, name[1] == ".", figure, rng)
    accompany = accompaniment(plan, rng)
    bars = [
        Bar(_name(plan, chord), melody, accompany(chord, melody, number == len(form) * 4 - 1))
        for number, (chord, melody) in enumerate(
            pair for name in form for pair in zip(made[name].chords, made[name].melody, strict=True)
        )
    ]
    return Tune(plan.metre, tuple(bars[-plan.bars :]))


def _chords(choices: str, rng: Random) -> tuple[int, ...]:
    return tuple(map(int, rng.choice(choices.split())))


def _name(plan: Plan, chord: int) -> str:
    root, third, fifth = (pitch(plan, chord + above, chord) for above in (0, 2, 4))
    quality = {(4, 7): "", (3, 7): "m", (3, 6): "dim"}[third - root, fifth - root]
    return f"{root % 12}{quality}"


def _phrase(
    plan: Plan,
    chords: tuple[int, ...],
    begun: Sequence[tuple[Group, ...]],
    close: bool,
    figure: Figure | None,
    rng: Random,
) -> Phrase:
    """Four bars of melody over these chords, of which the first may be there already."""
    if figure:
        melody = [figure(chord, close and number == 3) for number, chord in enumerate(chords)]
        return Phrase(chords, tuple(melody))
    return Phrase(chords, tuple(_melody(plan, chords, list(begun), close, rng)))


def _melody(
    plan: Plan, chords: tuple[int, ...], begun: list[tuple[Group, ...]], close: bool, rng: Random
) -> list[tuple[Group, ...]]:
    """Bars of melody: the first two as begun, the third with the first one's rhythm, the last a cadence."""
    cells = CELLS[plan.metre][plan.wish.density or "medium"]
    home = degree_of(plan, plan.centre)
    rhythms = [rng.choice(cells) for _ in range(2)]
    rhythms += [rhythms[0], rng.choice(LAST[plan.metre] if close else [*LAST[plan.metre], *cells])]
    now = nearest(
        home + rng.choice((-2, 0, 2, 4)), [degree for degree in range(home - 6, home + 9) if degree % 7 in (0, 2, 4)]
    )
    if begun:
        now = degree_of(plan, begun[-1][-1].pitches[-1])
    bars = list(begun)
    turns = list[int]()
    peak = rng.choice((2, 3, 4, 5))
    for number in range(len(begun), 4):
        target = home + round(peak * (1 - abs(number - 1.6) / 2))
        goal = None
        if number == 3:
            goal = 0 if close else rng.choice((1, 4, 6))
        same = turns if number in (1, 2) and rhythms[number] == rhythms[0] and rng.random() < 0.7 else []
        bar, now, turns = _bar(plan, ticks_of(rhythms[number]), chords[number], (now, target, goal), same, rng)
        bars.append(bar)
    return bars


def _bar(
    plan: Plan, ticks: list[int], chord: int, course: tuple[int, int, int | None], turns: list[int], rng: Random
) -> tuple[tuple[Group, ...], int, list[int]]:
    """One bar: its groups, the last step, and the turns taken, which a later bar may repeat elsewhere.

    `course`: where the melody comes from, where it tends to, and the class of step that it has to end on, if any.
    """
    now, target, goal = course
    strong = {0, METRES[plan.metre] // 2} if plan.metre != "3/4" else {0}
    tones = [degree for degree in range(target - 12, target + 13) if (degree - chord) % 7 in (0, 2, 4)]
    at, groups, taken, before = 0, list[Group](), list[int](), now
    for number, length in enumerate(ticks):
        ending = len(ticks) - 1 - number if goal is not None else 9
        if ending == 0:
            now = nearest(now, [degree for degree in range(target - 9, target + 8) if degree % 7 == goal])
        elif ending == 1 and number:  # the last note but one leads to it by step
            near = nearest(now, [degree for degree in range(target - 9, target + 8) if degree % 7 == goal])
            now = near + rng.choice((1, 1, -1))
        elif 0 < number < len(turns):
            now += turns[number]
        elif at in strong or not number:
            near_by = [tone for tone in tones if abs(tone - now) <= 4 and abs(tone - target) <= 5]
            near_by = near_by or [nearest(target, tones)]
            far = [1 + abs(tone - now) + 0.5 * abs(tone - target) + (tone == now) for tone in near_by]
            homely = [(2.0, 1.0, 1.3, 1.0, 1.3, 1.0, 1.0)[tone % 7] for tone in near_by]
            now = rng.choices(near_by, [each / away for each, away in zip(homely, far, strict=True)])[0]
        else:
            up = rng.random() < 0.5 + 0.1 * max(-4, min(4, target - now))
            now += rng.choices((1, 2, 0), (8, 2, 1))[0] * (1 if up else -1)
        taken.append(now - before)
        before = now
        rest = 0 < number < len(ticks) - 1 and goal is None and length >= 12 and rng.random() < 0.03
        groups.append(Group(() if rest else (pitch(plan, now, chord),), length))
        at += length
    return tuple(groups), now, taken
