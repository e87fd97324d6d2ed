"""Write a tune as the prompt says: its notes, for an instrument, in a key and a tempo.

`transpose "slow sad cello in d minor" cello.mid`. The words are read field by field (media/wish.py), a small
transformer writes the notes (models/tunes.py). It writes relative to the tonic; key, tempo and instrument are then set
exactly as asked, so they cannot be missed. Whether the notes sound in that key, and as busy as asked, is its own doing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Annotated, Literal

from transpose.core.context import Context
from transpose.core.transform import Range, transform
from transpose.media.general_midi import name
from transpose.media.score import Score
from transpose.media.text import Text
from transpose.media.wish import ROOTS, Wish, reach, read_wish, settled
from transpose.models.tune_tokens import HIGHEST, LOWEST, METRES, MOST_BARS, TICKS, Tune, middle_of, score_of
from transpose.models.tunes import ACCOMPANIED, SOLO, Order, Taste, TuneModel

METRE = {"waltz": "3/4", "jig": "6/8"}  # of the styles that have one; else four quarters
EXTRA = 3  # semitones that a note may lie beyond what sounds best
SECONDS = 24.0  # of a tune, about, where nothing is said


@transform(
    "text.prompt -> score",
    does="compose",
    invents=True,
    synthetic=True,
    loses=["wording"],
    models=["tune-tokens"],
    needs=["onnxruntime", "mido"],
    memory_mb=80,
    deterministic=False,
)
def compose_tune(
    prompt: Text,
    ctx: Context,
    *,
    bars: Annotated[int, Range(0, 256), "how many; 0: as `seconds` say"] = 0,
    seconds: Annotated[float, Range(0, 600), "length, to whole bars; 0: about 24, in 4, 8 or 16 bars"] = 0.0,
    metre: Annotated[Literal["auto", "2/4", "3/4", "4/4", "6/8"], "beats of a bar; auto: as the style has it"] = "auto",
    accompaniment: Annotated[
        Literal["auto", "no", "yes"], "a part under the melody; auto: where the instrument plays chords"
    ] = "auto",
    temperature: Annotated[float, Range(0, 2), "0: always the likeliest note; above 1: bold"] = 0.9,
    top_p: Annotated[float, Range(0.05, 1), "draw from the likeliest notes that make up this share"] = 0.95,
    drafts: Annotated[int, Range(1, 16), "tunes to choose the best from, by key, ending, register and density"] = 4,
) -> Score:
    """Write a tune: melody and, where it fits, an accompaniment, in phrases that end on the tonic.

    Understands instruments (General MIDI), tempo words and BPM, keys, moods, register, density and style. What the
    prompt leaves open is drawn from the seed and noted in the history; words that say nothing about music are named in
    a warning. More than 16 bars are sections of 16, of which every other is the first again.
    """
    asked = read_wish(prompt.text)
    _say_what_was_not_understood(asked, ctx)
    rng = Random(f"tune {ctx.seed}")
    wish = _completed(settled(asked), rng)
    plan = _planned(wish, bars, seconds, metre, accompaniment)
    model: TuneModel = ctx.load("tune-tokens", lambda: TuneModel(ctx.model("tune-tokens"), 1), 80)
    taste = Taste(temperature, top_p, drafts)
    parts: list[Tune] = []
    for number, section in enumerate(plan.sections):
        done = sum(plan.sections[:number])
        again = parts[0] if number % 2 == 0 and parts and section == plan.sections[0] else None
        parts.append(
            again
            or model.write(
                replace(plan.order, bars=section),
                rng.randrange(1 << 32),
                taste,
                lambda so_far, _, done=done: ctx.progress(done + so_far, sum(plan.sections), "bars"),  # type: ignore[misc]
            )
        )
    _note(asked, wish, plan, ctx)
    return score_of(Tune(plan.order.metre, tuple(bar for part in parts for bar in part.bars)), wish)


@dataclass(frozen=True, slots=True)
class _Plan:
    order: Order
    sections: tuple[int, ...]  # bars of each


def _say_what_was_not_understood(asked: Wish, ctx: Context) -> None:
    if asked.unread:
        words = ", ".join(repr(word) for word in asked.unread[:12])
        what = "were left out" if asked.known() else "say nothing that a tune could follow, so it is any tune"
        ctx.warn(f"the words {words} {what}; name an instrument, a key, a tempo, a mood or a style")


def _completed(wish: Wish, rng: Random) -> Wish:
    """The wish with an instrument, a tempo, a root and a mode; middling register and density where it says nothing."""
    tempo, root, minor = float(rng.choice((84, 96, 108, 120))), rng.randrange(12), rng.random() < 0.4
    low, high, _ = reach(wish.instrument or 0)
    middling = "middle" if low <= 55 and high >= 72 else None
    return replace(
        wish,
        instrument=0 if wish.instrument is None else wish.instrument,
        tempo=wish.tempo or tempo,
        root=root if wish.root is None else wish.root,
        minor=minor if wish.minor is None else wish.minor,
        register=wish.register or middling,
        density=wish.density or "medium",
    )


def _planned(wish: Wish, bars: int, seconds: float, metre: str, accompaniment: str) -> _Plan:
    """The order of a section, and the sections."""
    metre = METRE.get(wish.style or "", "4/4") if metre == "auto" else metre
    low, high, chordal = reach(wish.instrument or 0)
    texture = ACCOMPANIED if accompaniment == "yes" or (accompaniment == "auto" and chordal) else SOLO
    middle = middle_of(wish)
    span = max(LOWEST, low - EXTRA - middle), min(HIGHEST, high + EXTRA - middle)
    if not bars:
        each = METRES[metre] / TICKS * 60 / (wish.tempo or 120)
        bars = max(1, round(seconds / each)) if seconds else min((4, 8, 16), key=lambda n: abs(n * each - SECONDS))
    whole, rest = divmod(bars, MOST_BARS)
    return _Plan(Order(wish, metre, MOST_BARS, texture, span), (MOST_BARS,) * whole + ((rest,) if rest else ()))


def _note(asked: Wish, wish: Wish, plan: _Plan, ctx: Context) -> None:
    """Into the history: what the tune is, and what of it nobody asked for."""
    ctx.note("instrument", name(wish.instrument or 0))
    ctx.note("key", f"{ROOTS[wish.root or 0]} {'minor' if wish.minor else 'major'}")
    ctx.note("tempo", wish.tempo or 0.0)
    ctx.note("bars", sum(plan.sections))
    ctx.note("metre", plan.order.metre)
    if free := [each for each in ("instrument", "tempo", "root", "minor") if getattr(settled(asked), each) is None]:
        ctx.note("not asked for", ", ".join(free))
