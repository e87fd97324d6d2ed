"""English text to the symbols that Kokoro was trained on: signs to words, words to sounds, sounds to symbols.

gruut (MIT) looks each word up in an American lexicon and guesses the rest; its IPA is then rewritten in Kokoro's
conventions: one letter for a diphthong (A I O W Y) or an affricate (ʤ ʧ), the stress mark before the vowel, ɹ after a
coloured vowel, T for the American flap. eSpeak NG, where the user has installed it (GPL-3), guesses unknown words
better. Kokoro's symbols: https://github.com/hexgrad/misaki (EN_PHONES.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from transpose.core.errors import MissingPackage
from transpose.models.english import spell

Phonemizer = Literal["gruut", "espeak"]

STRESS = "ˈˌ"
VOWELS = "AIOWYQaeiouæɑɐɒɔəɚɛɜɝɨɪʊʌᵊᵻ"

# IPA of gruut (and of eSpeak where it differs) -> Kokoro; longer keys first
IPA = {
    "d͡ʒ": "ʤ", "t͡ʃ": "ʧ", "dʒ": "ʤ", "tʃ": "ʧ", "e͡ɪ": "A", "a͡ɪ": "I", "o͡ʊ": "O", "a͡ʊ": "W", "ɔ͡ɪ": "Y", "ə͡l": "ᵊl",
    "eɪ": "A", "aɪ": "I", "oʊ": "O", "əʊ": "O", "aʊ": "W", "ɔɪ": "Y",
    "ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɝ": "ɜɹ", "ɚ": "əɹ", "ɐ": "ə", "ᵻ": "ɪ", "ɾ": "T", "ʔ": "t", "ɬ": "l",
    "r": "ɹ", "g": "ɡ", "e": "A", "o": "ɔ", "a": "ɑ", "ɒ": "ɑ", "x": "k", "ɡ": "ɡ",
    "ː": "", "̩": "", "̃": "", "ʲ": "", "͡": "",
}  # fmt: skip
LONGEST_FIRST = re.compile("|".join(sorted(map(re.escape, IPA), key=len, reverse=True)))

# words that carry no stress of their own inside a sentence
UNSTRESSED = (
    "a an and are as at be been but by can could did do does for from had has have he her him his i if in into is "
    "it its may me might must my of on or our shall she should so than that the their them then there they this to "
    "us was we were what when which who will with would you your i'm i'll i've i'd you're you'll it's he's she's "
    "we're we'll they're they'll that's there's"
)
WEAK = frozenset(UNSTRESSED.split())
SPELT = {
    "a": "ɐ",
    "an": "ɐn",
    "the": "ðə",
    "and": "ænd",
    "to": "tə",
    "of": "ʌv",
    "for": "fɔɹ",
    "our": "ˌWəɹ",
    "i": "ˌI",
}


def phonemes(text: str, phonemizer: Phonemizer = "gruut") -> Iterator[str]:
    """Kokoro's symbols for each sentence of an English paragraph, punctuation kept.

    Raises MissingPackage where the phonemizer is not installed.
    """
    words = " ".join(spell(text).split())
    for sentence in gruut_sentences(words) if phonemizer == "gruut" else espeak_sentences(words):
        if any(symbol in VOWELS for symbol in sentence):
            yield sentence


def gruut_sentences(text: str) -> Iterator[str]:
    """Symbols by gruut's American lexicon and its guess for other words."""
    try:
        import gruut
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "gruut":
            raise
        raise MissingPackage("speaking needs gruut", "pip install 'transpose-ai[local]'") from None
    for sentence in gruut.sentences(text, lang="en-us"):
        spoken: list[str] = []
        glue = ""  # nothing before the first word and after an opening bracket
        for word in sentence:
            if word.phonemes and word.is_spoken:
                spoken.append(glue + word_symbols(word.text, "".join(word.phonemes)))
                glue = " "
            elif word.text in {"(", "[", "{"}:
                spoken.append(glue + "(")
                glue = ""
            elif not word.is_spoken:
                spoken.append(mark(word.text))
        yield link("".join(spoken)).strip()


def mark(sign: str) -> str:
    """The punctuation that Kokoro knows for any other."""
    if sign in {")", "]", "}"}:
        return ")"
    kept = "".join(letter for letter in sign if letter in ";:,.!?")
    return "…" if kept.startswith("..") else kept[:1] if kept != "?!" else "?"


def word_symbols(word: str, ipa: str) -> str:
    """One word: gruut's IPA in Kokoro's symbols, weak words without stress."""
    lower = word.lower()
    if lower in SPELT and len(ipa) > 0 and not (lower == "a" and word == "A"):
        return SPELT[lower]
    symbols = rewrite(ipa)
    if lower in WEAK:
        return symbols.replace("ˈ", "").replace("ˌ", "")
    return symbols


def rewrite(ipa: str) -> str:
    """IPA in Kokoro's symbols: diphthongs, affricates, coloured vowels, flaps, syllabic l and n."""
    symbols = re.sub(f"([{STRESS}]?)ɚ", lambda m: f"{m[1]}{'ɜɹ' if m[1] else 'əɹ'}", ipa)
    symbols = LONGEST_FIRST.sub(lambda m: IPA[m[0]], symbols)
    symbols = re.sub(rf"(?<=[{VOWELS}ɹ])t(?=[{VOWELS}])", "T", symbols)  # city: no stress mark in between
    return re.sub(r"(?<=[bdfkpstvzðŋɡʃʒʤʧθT])ə(?=l$)|(?<=[dstzʃʒʤT])ə(?=n$)", "ᵊ", symbols)


def link(sentence: str) -> str:
    """`the` and `to` before a vowel."""
    before_vowel = rf"(?= [{STRESS}]?[{VOWELS}])"
    return re.sub(rf"(?<!\S)tə{before_vowel}", "tʊ", re.sub(rf"(?<!\S)ðə{before_vowel}", "ði", sentence))


def espeak_sentences(text: str) -> Iterator[str]:
    """Symbols by eSpeak NG (American); a sentence ends at . ! or ? before a capital, a digit or a quote."""
    from transpose.models.espeak import ipa

    for sentence in re.split(r"(?<=[.!?])\s+(?=[\"'(]?[A-Z0-9])", text):
        spoken = ""
        for piece in re.split(r"([,;:.!?]+(?=[\s\"')]|$)|[()\"])", sentence):
            if re.fullmatch(r"[,;:.!?()\"]+", piece):
                spoken += " (" if piece == "(" else mark(piece)
            elif piece.strip():
                gap = "" if not spoken or spoken.endswith("(") else " "
                spoken += gap + " ".join(rewrite(word) for word in ipa(piece).split())
        yield spoken.strip()
