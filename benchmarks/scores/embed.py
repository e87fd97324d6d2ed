"""How good `embed` is: whether the vector of a question is nearest to that of its answer, beside counting words."""

from __future__ import annotations

import math
import re
import resource
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from transpose.core.context import Context
from transpose.media.embedding import Embedding
from transpose.media.text import Text
from transpose.transforms.embed import embed

T = TypeVar("T")

# questions and answers that share as few words as they can, several of one subject; made for this project
PAIRS = (
    ("How do I stop a dripping tap?", "A worn rubber washer lets water through; turn off the mains and put in a new one."),
    ("My sink is blocked, what now?", "Pour baking soda and vinegar down the drain, wait, and use a plunger."),
    ("Why is my radiator cold at the top?", "Air is trapped inside the heating; bleed it with a small key until water comes."),
    ("Can I bake without eggs?", "Mashed banana or ground flax seed binds cakes just as well."),
    ("How long does cooked rice keep?", "Leftovers of grain belong in the fridge within an hour and should be eaten next day."),
    ("What makes bread rise?", "Yeast eats sugar and gives off gas, which blows up the dough."),
    ("How can I keep my knife sharp?", "Draw the blade over a whetstone at a steady angle every few weeks."),
    ("Why do leaves turn red?", "In autumn trees break down chlorophyll, and other pigments show."),
    ("What do hedgehogs eat?", "Beetles, worms and caterpillars are the spiky animal's favourite food."),
    ("How do birds find their way south?", "Migrating flocks use the sun, the stars and the earth's magnetic field."),
    ("Why do cats purr?", "The vibrating sound of a feline can mean contentment, and also pain."),
    ("Is my puppy old enough for training?", "Young dogs learn simple commands from eight weeks on."),
    ("What is a black hole?", "When a massive star collapses, gravity gets so strong that not even light escapes."),
    ("Why does the moon change its shape?", "We see different parts of its sunlit side as it orbits us within a month."),
    ("How hot is the sun?", "The surface of our star has about 5,500 degrees Celsius."),
    ("Who painted the Mona Lisa?", "The famous portrait is by Leonardo da Vinci, around 1503."),
    ("When did the Berlin Wall fall?", "The border between East and West Germany opened on 9 November 1989."),
    ("Who was the first person on the moon?", "Neil Armstrong stepped onto the lunar surface in July 1969."),
    ("How do vaccines work?", "They show the immune system a harmless piece of a virus, so that it recognises the real one."),
    ("What helps against hiccups?", "Holding one's breath or drinking slowly often calms the diaphragm."),
    ("Why do I get a headache from screens?", "Staring at a monitor strains the eyes and neck; look away every twenty minutes."),
    ("How much should an adult sleep?", "Grown people need seven to nine hours of rest each night."),
    ("What is inflation?", "Prices go up in general, and money buys less."),
    ("How does a mortgage work?", "A bank lends you the money for a house and keeps it as security until you have paid back."),
    ("What does a central bank do?", "It sets interest rates and issues the currency of a country."),
    ("Should I rent or buy a flat?", "Owning a home pays off if you stay more than ten years, otherwise being a tenant is cheaper."),
    ("How can I undo a commit?", "In git, use reset to drop the latest change from the branch, or revert to record its opposite."),
    ("What is a hash table?", "A data structure that computes from the key where the value lies, so lookup takes constant time."),
    ("Why is my laptop so slow?", "Too many programs in memory, or a full disk, make a computer crawl."),
    ("How do I choose a strong password?", "Take several random words, and never use the same secret for two accounts."),
    ("How does a bicycle stay upright?", "Steering into the fall brings the wheels back under the rider."),
    ("Why do aeroplanes fly?", "Wings push air down, and the air pushes them up."),
    ("What is the fastest train?", "A magnetic levitation railway in Shanghai reaches 431 kilometres an hour."),
    ("How do I change a flat tyre?", "Loosen the nuts, jack up the car, put on the spare wheel and tighten crosswise."),
    ("What should I wear for a job interview?", "Clean, plain clothes, one step more formal than the office, make a good impression."),
    ("How do I ask for a higher salary?", "Name what you achieved, say a figure, and then be silent during the pay talk."),
    ("How can I learn a language quickly?", "Speak from day one, and revise vocabulary with spaced repetition."),
    ("What is the offside rule?", "In football, an attacker may not be nearer the goal than the last but one defender when the ball is played."),
    ("How many players has a volleyball team?", "Six athletes stand on each side of the net."),
    ("How do I calm a crying baby?", "Hold the infant close, rock gently and hum a quiet song."),
)  # fmt: skip


def score(ctx: Context) -> dict[str, object]:
    """Share of questions whose own answer is the nearest of forty, and seconds for 1,000 characters."""
    embed([Text("Warm.")], ctx)
    texts = [Text(text) for pair in PAIRS for text in pair]
    began = time.perf_counter()
    vectors = [each.vector for each in embed(texts, ctx) if isinstance(each, Embedding)]
    seconds = (time.perf_counter() - began) / sum(len(text.text) for text in texts) * 1000
    right = recall(vectors[::2], vectors[1::2], lambda a, b: float(a @ b))
    return {
        "metric": "recall at 1",
        "value": round(right, 3),
        "quality": round(right, 3),
        "data": f"{len(PAIRS)} questions, each with its answer among all answers; tf-idf of words finds {by_words():.3f}",
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(seconds, 4),
        "unit": "1000 characters",
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def recall(questions: Sequence[T], answers: Sequence[T], likeness: Callable[[T, T], float]) -> float:
    """Share of the questions that are most like the answer at their own position."""
    hits = 0
    for number, question in enumerate(questions):
        scores = [likeness(question, answer) for answer in answers]
        hits += scores[number] == max(scores) and scores.count(max(scores)) == 1
    return hits / len(questions)


def by_words() -> float:
    """The same share with the cosine of tf-idf word counts: what can be had without a model."""
    counts = [[Counter(re.findall(r"\w+", text.lower())) for text in pair] for pair in PAIRS]
    seen = Counter(word for pair in counts for each in pair for word in each)
    total = 2 * len(PAIRS)
    weigh = [[{w: n * math.log(total / seen[w]) for w, n in each.items()} for each in pair] for pair in counts]
    return recall([pair[0] for pair in weigh], [pair[1] for pair in weigh], _cosine)


def _cosine(a: dict[str, float], b: dict[str, float]) -> float:
    norms = math.sqrt(sum(x * x for x in a.values()) * sum(x * x for x in b.values()))
    return sum(x * b.get(word, 0.0) for word, x in a.items()) / norms if norms else 0.0
