"""English writing in words that can be looked up: money, units, dates' decades, addresses, signs, dashes.

gruut reads plain numbers, dates, clock times and common abbreviations itself; this is what it leaves out or misreads.
"""

from __future__ import annotations

import re

UNITS = {
    "km": "kilometers", "cm": "centimeters", "mm": "millimeters", "kg": "kilograms", "mg": "milligrams",
    "ml": "milliliters", "kb": "kilobytes", "mb": "megabytes", "gb": "gigabytes", "tb": "terabytes",
    "hz": "hertz", "khz": "kilohertz", "mhz": "megahertz", "ghz": "gigahertz", "km/h": "kilometers per hour",
    "mph": "miles per hour", "ms": "milliseconds", "kw": "kilowatts", "kwh": "kilowatt hours",
}  # fmt: skip
UNIT = re.compile(
    rf"(?<=\d)\s?({'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})([²³]?)(?![\w/])", re.I
)
PER = {"kg": "kilogram", "km": "kilometer", "h": "hour", "hr": "hour", "min": "minute", "s": "second", "l": "liter"}
SAID_AS_WORDS = re.compile(r"\b(?:NASA|NATO|UNESCO|UNICEF|OPEC|AIDS|COVID|RAM|LASER|RADAR|SCUBA|FIFA|JPEG|GIF)\b")
LATIN = {
    r"\be\.\s?g\.": "for example",
    r"\bi\.\s?e\.": "that is",
    r"\betc\.(?=\s+[A-Z]|$)": "et cetera.",
    r"\betc\.": "et cetera",
}
MONEY = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yen"}
TENS = "hundreds tens twenties thirties forties fifties sixties seventies eighties nineties"
HUNDREDS = "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
DECADES, CENTURIES = TENS.split(), HUNDREDS.split()
HALVES = {"1/2": "one half", "1/3": "one third", "2/3": "two thirds", "1/4": "one quarter", "3/4": "three quarters"}
FRACTIONS = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4"}
LETTER_SIGNS = {"’": "'", "‘": "'", "“": '"', "”": '"', "…": "...", "\u00ad": "", "\u200b": "", "\ufeff": "", "•": ","}
WORD_SIGNS = {"→": " to ", "×": " times ", "÷": " divided by ", "=": " equals ", "≈": " about ", "±": " plus or minus "}


def spell(text: str) -> str:
    """Put in words what gruut leaves out or misreads: dashes, addresses, units, millions of money, decades, halves."""
    for table in (LETTER_SIGNS, FRACTIONS, WORD_SIGNS):
        for sign, words in table.items():
            text = text.replace(sign, words)
    for sign, words in LATIN.items():
        text = re.sub(sign, words, text)
    text = SAID_AS_WORDS.sub(lambda m: m[0].lower(), text)
    text = re.sub(r"\s*(?:—|--+|(?<=\s)[–-](?=\s))\s*", ", ", text)
    text = re.sub(r"(?<=\d)\s?–\s?(?=\d)", " to ", text)
    text = text.replace("–", "-")
    text = re.sub(
        r"(?:https?://)?(?:www\.)?([\w-]+(?:\.[\w-]+)*@?[\w-]*\.[a-z]{2,4})(/[\w/.-]*)?(?!\w)", _address, text
    )
    text = re.sub(r"([$€£¥])\s?([\d.,]*\d)\s+(hundred|thousand|million|billion|trillion)\b", _money, text)
    text = re.sub(r"([€£¥])\s?([\d,]*\d)(?![\d.,]*\d)", _money, text)
    text = re.sub(r"\s?°\s?C\b", " degrees Celsius", text)
    text = re.sub(r"\s?°\s?F\b", " degrees Fahrenheit", text)
    text = text.replace("°", " degrees ")
    text = re.sub(r"(?<![\d/])([1-3]/[2-4])(?![\d/])", lambda m: HALVES.get(m[1], m[1]), text)
    text = re.sub(r"\b(1[1-9]|20)(\d0)'?s\b", _decade, text)
    text = UNIT.sub(lambda m: f" {({'²': 'square ', '³': 'cubic '}).get(m[2], '')}{UNITS[m[1].lower()]}", text)
    text = re.sub(rf"(?<=\w)/({'|'.join(PER)})\b", lambda m: f" per {PER[m[1]]}", text)
    text = re.sub(r"(?<=\w)/(?=[^\W\d])", " ", text)
    return re.sub(r"\[(\d+)\]", "", text)  # marks of footnotes


def _address(match: re.Match[str]) -> str:
    name, path = match[1], match[2] or ""
    if re.fullmatch(r"[a-z]\.[a-z]\.?", name, re.I) or not re.search(r"[a-z]", name):
        return match[0]
    return (name + path.rstrip("/.")).replace("@", " at ").replace(".", " dot ").replace("/", " slash ")


def _money(match: re.Match[str]) -> str:
    size = f" {match[3]}" if (match.lastindex or 0) > 2 else ""
    return f"{match[2]}{size} {MONEY[match[1]]}"


def _decade(match: re.Match[str]) -> str:
    if match[0].startswith("200"):
        return "two thousands"
    return f"{CENTURIES[int(match[1]) - 11]} {DECADES[int(match[2][0])]}"
