"""Forty English sentences written for measuring speech, and the word error rate they are judged by."""

from __future__ import annotations

import re
import unicodedata

SENTENCES = (
    "The morning train was late again, so everybody shared a taxi to the station.",
    "Please leave the key under the flower pot beside the back door.",
    "Seven quiet sailors measured the depth of the harbour with a long rope.",
    "A judge may change the verdict if new evidence is found.",
    "The children laughed when the puppy chased its own tail around the garden.",
    "Would you rather drink coffee or tea after dinner?",
    "Our teacher explained why the moon looks larger near the horizon.",
    "He bought fresh bread, yellow cheese and a bottle of apple juice.",
    "She joined the choir because she enjoys singing with other people.",
    "The engineer checked every bolt on the bridge before it was opened.",
    "Nothing in the drawer was worth stealing, except for an old silver watch.",
    "It has been raining since Thursday, and the river is still rising.",
    "The museum closes at five, but the cafe stays open until eight.",
    "Could you turn the volume down a little? I am trying to read.",
    "Thousands of birds fly south every autumn to escape the cold.",
    "The doctor told him to rest and to drink plenty of water.",
    "We measured the room twice and still ordered the wrong carpet.",
    "Fresh snow covered the mountain road, so the bus had to turn back.",
    "Her brother works as a nurse in a small hospital near the coast.",
    "The committee will publish its report at the end of the month.",
    "Nobody knew how the cat had climbed onto the roof of the church.",
    "Water boils at a lower temperature on the top of a high mountain.",
    "The young author signed more than two hundred books on Saturday.",
    "If the weather is good, we will have lunch outside under the oak tree.",
    "A thin layer of dust covered the furniture in the empty house.",
    "The pilot thanked the passengers for their patience and wished them a pleasant evening.",
    "My grandmother keeps her recipes in a wooden box in the kitchen.",
    "The noise of the machine made it hard to hear the telephone.",
    "They painted the fence green, although the neighbours preferred white.",
    "Light travels faster than sound, which is why we see lightning before we hear thunder.",
    "The village has one school, two shops and no traffic lights.",
    "Measure the flour carefully, then add the butter and the sugar.",
    "An honest answer is better than a clever excuse.",
    "The old bookshop smelled of leather, paper and a little smoke.",
    "Scientists have discovered a new kind of frog in the rain forest.",
    "I usually walk to work, unless it is very windy.",
    "The queen visited the factory and spoke with several workers.",
    "His voice was so quiet that only the front row could understand him.",
    "Put the chair by the window, where there is more light.",
    "Everyone agreed that the journey had been long but worth the trouble.",
)

ACROSS_THE_SEA = {"neighbours": "neighbors", "harbour": "harbor", "mr": "mister", "dr": "doctor", "okay": "ok"}


def words(text: str) -> list[str]:
    """Lower-case words without punctuation or accents, numbers as words, American spelling."""
    from num2words import num2words  # type: ignore[import-untyped]

    text = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    text = re.sub(
        r"\d+", lambda m: f" {num2words(int(m[0]))} ", "".join(c for c in text if not unicodedata.combining(c))
    )
    found = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text)
    return [ACROSS_THE_SEA.get(word, word) for word in found]


def word_errors(wanted: str, heard: str) -> tuple[int, int]:
    """Words wrong, missing or too many (Levenshtein's distance), and the number of words wanted."""
    old, new = words(wanted), words(heard)
    row = list(range(len(new) + 1))
    for i, left in enumerate(old, 1):
        before, row[0] = row[0], i
        for j, right in enumerate(new, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (left != right))
    return row[-1], len(old)


def word_error_rate(pairs: list[tuple[str, str]]) -> float:
    """Errors of all (wanted, heard) pairs together, by the number of words wanted; 0 is perfect."""
    counts = [word_errors(*pair) for pair in pairs]
    return sum(errors for errors, _ in counts) / max(1, sum(number for _, number in counts))
