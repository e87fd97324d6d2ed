"""Tunes without end, each with a caption that says exactly what it is. The same seed gives the same tune.

    make(7)                        a wish (every field known but perhaps the mood) and a score of 4 to 16 bars
    make(7, seconds=10)            whole bars that fit into 10 seconds, the last chord held until then
    make(7, split="test")          of the combinations of instrument, key and tempo that training never sees
    python -m recipes.tune_data 7 tune.mid

The tunes follow the rules of a first book on composing: phrases of four bars (AABA), a half cadence in the middle and
a full one at the end, one chord a bar, chord notes on the strong beats and steps between them, a rhythm that returns,
and an accompaniment that fits the style. Register and density of the wish are measured on the notes, not presumed.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

from recipes.tune_parts import Plan
from recipes.tune_rules import compose
from transpose.media.score import Score, from_notes, save
from transpose.media.wish import IMPLIED, ROOTS, Wish, reach, say_wish
from transpose.models.tune_tokens import METRES, TICKS, Tune, measures, middle_of, score_of, speed

HELD_OUT = 10  # one combination of instrument, key and class of tempo in so many
PROGRAMS = [number for number in range(112) if number not in (47, 55)]
CENTRES = {"low": 47, "middle": 62, "high": 76}
METRES_OF = {
    "waltz": ["3/4"],
    "jig": ["6/8"],
    "lullaby": ["3/4", "4/4", "6/8"],
    "march": ["4/4", "2/4"],
    "reel": ["4/4"],
    "melody": ["4/4", "4/4", "3/4", "2/4"],
    "arpeggio": ["4/4", "4/4", "3/4"],
    "hymn": ["4/4", "4/4", "3/4"],
}
TEMPI = {
    "waltz": (90, 190),
    "march": (88, 140),
    "ballad": (52, 96),
    "lullaby": (48, 92),
    "hymn": (54, 104),
    "jig": (120, 190),
    "reel": (120, 210),
}
STYLES = ["melody"] * 5 + [
    "chords",
    "chords",
    "arpeggio",
    "arpeggio",
    "waltz",
    "march",
    "ballad",
    "lullaby",
    "hymn",
    "jig",
    "reel",
    "ostinato",
]


def held_out(wish: Wish) -> bool:
    """Whether training never sees this combination of instrument, key and class of tempo."""
    key = f"{wish.instrument} {wish.root} {wish.minor} {speed(wish.tempo or 120)}"
    return sha256(key.encode()).digest()[0] * HELD_OUT < 256


def make(seed: int, *, seconds: float | None = None, split: str = "") -> tuple[Wish, Score]:
    """The wish and the score of a seed; `split` is "train", "test" or "" for any combination."""
    wish, tune, _ = make_tune(seed, seconds=seconds, split=split)
    score = score_of(tune, wish)
    if seconds is None:
        return wish, score
    notes = score.notes()
    end = max(note.end for note in notes)
    last = [replace(note, end=seconds) if note.end > end - 0.01 else note for note in notes]
    return wish, from_notes(last, tempo=wish.tempo or 120)


def make_tune(seed: int, *, seconds: float | None = None, split: str = "") -> tuple[Wish, Tune, str]:
    """The wish, the tune and its texture: "solo" or "accompanied"."""
    rng = Random(f"tune {seed}")
    plan = draw(rng, seconds)
    while split and held_out(plan.wish) != (split == "test"):
        plan = draw(rng, seconds)
    tune = compose(plan, rng)
    texture = "accompanied" if tune.bars[0].under else "solo"
    return measured(plan, tune, rng), tune, texture


def draw(rng: Random, seconds: float | None = None) -> Plan:
    """A plan; of `seconds` as many whole bars as fit, two at least."""
    program = rng.choice(PROGRAMS)
    low, high, chordal = reach(program)
    style = rng.choice(STYLES)
    slowest, fastest = TEMPI.get(style, (50, 190))
    tempo = float(round(slowest * (fastest / slowest) ** rng.random()))
    metre = rng.choice(METRES_OF.get(style, ["4/4"]))
    bars = (
        rng.choice((4, 4, 8, 8, 8, 8, 12, 16))
        if seconds is None
        else max(2, int(seconds * tempo / 60 * TICKS / METRES[metre]))
    )
    registers = [name for name, at in CENTRES.items() if low <= at - 5 and at + 9 <= high] or ["own"]
    centre = CENTRES.get(rng.choice(registers), (low + high) // 2) + rng.randint(-3, 3)
    density = rng.choice(("sparse", "medium", "medium", "busy"))
    if tempo > 150 and density == "busy":
        density = "medium"
    wish = Wish(program, tempo, rng.randrange(12), rng.random() < 0.5, None, density, style)
    texture = "accompanied" if rng.random() < (0.75 if chordal else 0.4) else "solo"
    shift = middle_of(wish)
    return Plan(wish, metre, bars, texture, centre - shift, (low - shift, high - shift), chordal)


def measured(plan: Plan, tune: Tune, rng: Random) -> Wish:
    """The wish with register and density as the melody has them, and in half of the cases a mood that fits."""
    register, density = measures(tune, plan.wish)
    wish = replace(plan.wish, register=register, density=density)
    moods = [mood for mood in IMPLIED if fits(wish, mood)]
    return replace(wish, mood=rng.choice(moods) if moods and rng.random() < 0.5 else None)


def fits(wish: Wish, mood: str) -> bool:
    """Whether nothing that a mood implies is otherwise in a wish; the tempo may be a third off."""
    minor, tempo, register, density = IMPLIED[mood]
    near = tempo is None or wish.tempo is None or 0.75 < wish.tempo / tempo < 1.34
    same = zip((minor, register, density), (wish.minor, wish.register, wish.density), strict=True)
    return near and all(one is None or one == other for one, other in same)


if __name__ == "__main__":
    wish, score = make(int(sys.argv[1]))
    print(say_wish(wish, Random(0)), ROOTS[wish.root or 0], wish)
    save(score, Path(sys.argv[2]))
