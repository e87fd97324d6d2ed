"""How well `compose-tune` does what a caption asks, and whether its tunes are like tunes and no copies.

Captions are those of tunes whose combination of instrument, key and tempo was never trained on. Instrument and tempo
are set, not guessed, so they only show that captions are read and written rightly. The key is found from the notes
alone, by the profiles of Krumhansl and Kessler (1982), not by those that the drafts are chosen by; the same measure on
tunes made by rule says what can be had, against the keys of other captions what chance gives. Register and density are
measured as the drafts are chosen by them. The rest is told of both kinds of tunes, side by side.
"""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import log2
from random import Random
from statistics import correlation, mean

from recipes.tune_data import make_tune
from transpose.core.context import Context
from transpose.media.score import Score
from transpose.media.text import Text
from transpose.media.wish import Wish, say_wish
from transpose.models.tune_tokens import METRES, TICKS, Tune, score_of
from transpose.transforms.compose_tune import compose_tune

CAPTIONS = 120
FIRST = 20_000_000  # seeds of the captions; training took the first ones
TRAINED = 6_000  # tunes of the training that copies are looked for in
SCALES = {False: {0, 2, 4, 5, 7, 9, 11}, True: {0, 2, 3, 5, 7, 8, 10, 11}}  # minor with either seventh

# how well each step above the tonic fits major and minor, as listeners rated it (Krumhansl and Kessler 1982)
RATED = {
    False: (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    True: (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}

Line = list[tuple[int, int]]  # of a melody: ticks since the note before, semitones since the note before


def key_of(score: Score) -> tuple[int, bool]:
    """Root and mode that fit the notes best."""
    weights = [0.0] * 12
    for note in score.notes():
        weights[note.pitch % 12] += note.end - note.start
    keys = [(root, minor) for minor in (False, True) for root in range(12)]
    return max(keys, key=lambda key: correlation(weights[key[0] :] + weights[: key[0]], RATED[key[1]]))


def programs_of(score: Score) -> set[int]:
    """All instruments that play."""
    return {note.program for note in score.notes()}


def tempo_of(score: Score) -> float:
    """Quarters a minute, as the file says."""
    return next(60e6 / int(each.tempo) for track in score.tracks for each in track if each.type == "set_tempo")


def melody_of(score: Score) -> list[tuple[float, float, int]]:
    """Start and end in quarters and pitch of the melody: what the first channel plays highest."""
    quarter = 60 / tempo_of(score)
    top: dict[float, tuple[float, float, int]] = {}
    for note in score.notes():
        start = round(note.start / quarter * TICKS) / TICKS
        if note.channel == 0 and (start not in top or note.pitch > top[start][2]):
            top[start] = (start, round(note.end / quarter * TICKS) / TICKS, note.pitch)
    return [top[start] for start in sorted(top)]


def register_of(score: Score) -> str:
    """The register as the captions mean it."""
    notes = [note for note in score.notes() if note.channel == 0]
    middle = sum(note.pitch * (note.end - note.start) for note in notes) / sum(note.end - note.start for note in notes)
    return "low" if middle < 55 else "high" if middle >= 69 else "middle"


def density_of(score: Score) -> str:
    """The density as the captions mean it."""
    rate = len(melody_of(score)) / (score.duration / 60 * tempo_of(score))
    return "sparse" if rate < 0.8 else "busy" if rate > 1.7 else "medium"


def line_of(score: Score) -> Line:
    """A melody without key and tempo."""
    notes = melody_of(score)
    pairs = zip(notes, notes[1:], strict=False)
    return [(round((after[0] - before[0]) * TICKS), after[2] - before[2]) for before, after in pairs]


def runs(line: Line, length: int) -> Iterable[tuple[tuple[int, int], ...]]:
    """All stretches of so many steps."""
    return (tuple(line[at : at + length]) for at in range(len(line) - length + 1))


def copied(lines: Sequence[Line], trained: Sequence[Line], length: int = 12) -> float:
    """Share of lines with a stretch of `length` steps that one of the trained lines has too; plain ones do not count.

    A stretch is plain that has fewer than five different steps: scales, broken chords and repeated figures.
    """
    known = {run for line in trained for run in runs(line, length)}
    return mean(any(run in known and len(set(run)) >= 5 for run in runs(line, length)) for line in lines)


def entropy(score: Score) -> float:
    """Bits of the distribution of pitch classes by length."""
    heard = Counter[int]()
    for note in score.notes():
        heard[note.pitch % 12] += round((note.end - note.start) * 1000)
    total = sum(heard.values())
    return -sum(each / total * log2(each / total) for each in heard.values() if each)


def repetition(score: Score, metre: str) -> float:
    """Share of the bars of the melody that were heard before in the tune, note for note."""
    bars: dict[int, list[tuple[float, int]]] = {}
    long = METRES[metre] / TICKS
    for start, _, pitch in melody_of(score):
        bars.setdefault(int(start // long), []).append((round(start % long, 3), pitch))
    heard = [tuple(bars[number]) for number in sorted(bars)]
    return mean(bar in heard[:number] for number, bar in enumerate(heard))


def outside(score: Score, wish: Wish) -> float:
    """Share of the sounding time that is not of the scale of the wished key."""
    notes = [(note.end - note.start, (note.pitch - (wish.root or 0)) % 12) for note in score.notes()]
    return sum(time for time, step in notes if step not in SCALES[bool(wish.minor)]) / sum(time for time, _ in notes)


def ends_at_home(score: Score, wish: Wish) -> bool:
    """Whether the melody's last note is the tonic."""
    return (melody_of(score)[-1][2] - (wish.root or 0)) % 12 == 0


def measured(wishes: Sequence[Wish], scores: Sequence[Score], metres: Sequence[str]) -> dict[str, float]:
    """All that is measured of scores for wishes."""

    def share(right: Callable[[Wish, Score], bool]) -> float:
        return round(mean(right(wish, score) for wish, score in zip(wishes, scores, strict=True)), 3)

    others = [*wishes[1:], wishes[0]]
    chance = mean(key_of(score) == (wish.root, wish.minor) for wish, score in zip(others, scores, strict=True))
    return {
        "instrument": share(lambda wish, score: programs_of(score) == {wish.instrument}),
        "tempo": share(lambda wish, score: abs(tempo_of(score) / (wish.tempo or 1) - 1) < 0.01),
        "key": share(lambda wish, score: key_of(score) == (wish.root, wish.minor)),
        "key against another caption": round(chance, 3),
        "root": share(lambda wish, score: key_of(score)[0] == wish.root),
        "register": share(lambda wish, score: register_of(score) == wish.register),
        "density": share(lambda wish, score: density_of(score) == wish.density),
        "ends on the tonic": share(lambda wish, score: ends_at_home(score, wish)),
        "outside the scale": round(mean(outside(s, w) for w, s in zip(wishes, scores, strict=True)), 4),
        "bits of pitch classes": round(mean(map(entropy, scores)), 2),
        "bars repeated": round(mean(repetition(s, m) for s, m in zip(scores, metres, strict=True)), 3),
    }


def ruled(count: int, split: str, first: int) -> tuple[list[Wish], list[Tune], list[str]]:
    """Wishes, tunes and textures made by rule."""
    made = [make_tune(first + number, split=split) for number in range(count)]
    wishes, tunes, textures = zip(*made, strict=True)
    return list(wishes), list(tunes), list(textures)


def compare(ctx: Context, count: int = CAPTIONS, drafts: int = 4) -> dict[str, dict[str, float]]:
    """What is measured of composed tunes and of tunes made by rule for the same captions."""
    wishes, tunes, textures = ruled(count, "test", FIRST)
    theirs = [score_of(tune, wish) for tune, wish in zip(tunes, wishes, strict=True)]
    ours, began, lasts = [], time.perf_counter(), 0.0
    for number, (wish, tune, texture) in enumerate(zip(wishes, tunes, textures, strict=True)):
        ctx.seed = number
        prompt = Text(say_wish(wish, Random(number)))
        accompaniment = "yes" if texture == "accompanied" else "no"
        ours.append(
            compose_tune(
                prompt, ctx, bars=min(16, len(tune.bars)), metre=tune.metre, accompaniment=accompaniment, drafts=drafts
            )
        )
        lasts += ours[-1].duration
    spent = time.perf_counter() - began
    metres = [tune.metre for tune in tunes]
    known, seen, _ = ruled(TRAINED, "train", 0)
    trained = [line_of(score_of(tune, wish)) for tune, wish in zip(seen, known, strict=True)]
    told = {"composed": measured(wishes, ours, metres), "made by rule": measured(wishes, theirs, metres)}
    for name, scores in (("composed", ours), ("made by rule", theirs)):
        told[name]["share with a stretch of 12 steps of a trained tune"] = round(
            copied([line_of(score) for score in scores], trained), 3
        )
    told["composed"]["seconds for a minute"] = round(spent / lasts * 60, 2)
    return told


def score(ctx: Context) -> dict[str, str | float]:
    """The key right is the metric: the only field of a caption that is both asked of the notes and measured by them."""
    told = compare(ctx)
    composed, rule = told["composed"], told["made by rule"]
    return {
        "metric": f"key right, by its notes (tunes made by rule: {rule['key']}; against another caption's key: "
        f"{composed['key against another caption']})",
        "value": composed["key"],
        "quality": composed["key"],
        "data": f"{CAPTIONS} captions of combinations of instrument, key and tempo held out; {composed}",
        "date": "2026-11-21",
        "seconds": composed["seconds for a minute"],
        "unit": "minute of music",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    import json
    import sys
    from pathlib import Path

    context = Context(weights=lambda name: Path(sys.argv[1]) / name, threads=1)
    print(json.dumps(compare(context, int(sys.argv[2]), int(sys.argv[3])), indent=1))
