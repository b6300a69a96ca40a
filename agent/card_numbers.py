"""Numbers of payment cards in what people say and programs log; neither log nor record keeps them.

A card number has 13 to 19 digits, begins with 2 to 6, and its last digit fits the others (Luhn).
People say it digit by digit, in groups, and recognisers write it in digits or in words.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

MASK = "[card number]"

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        word: str(digit)
        for digit, words in enumerate(
            (
                "zero oh null cero zéro",
                "one eins uno un une",
                "two zwei zwo dos deux due",
                "three drei tres trois tre",
                "four vier cuatro quatre quattro",
                "five fünf cinco cinq cinque",
                "six sechs seis sei",
                "seven sieben siete sept sette",
                "eight acht ocho huit otto",
                "nine neun nueve neuf nove",
            )
        )
        for word in words.split()
    }
)
"""Digits as words in English, German, Spanish, French and Italian."""

_BETWEEN = r"(?:[,.;:]?\s{1,3}|,|\s{0,2}[-\u2010-\u2015]\s{0,2}|(?<=\d{4})[./_;](?=\d{4}(?!\d)))"
_TIMES: Mapping[str, int] = MappingProxyType(
    {"double": 2, "triple": 3, "doppel": 2, "doble": 2, "doppio": 2}
)
REPEAT = rf"(?:\b(?:{'|'.join(_TIMES)})\s+)?"
"""A pattern for what says that the next digit comes several times: `double four`."""
_LENGTHS = (16, 15, 19, 18, 17, 14, 13)
"""Of card numbers, the usual ones first."""

DIGIT = rf"(?:\d|\b(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})\b)"
"""A pattern for one digit, written or as a word."""
_RUN = re.compile(
    rf"(?<![\w.]){REPEAT}{DIGIT}(?:(?:{_BETWEEN})?{REPEAT}{DIGIT}){{4,}}(?!\w)", re.IGNORECASE
)
_EACH_DIGIT = re.compile(DIGIT, re.IGNORECASE)
_GROUP = re.compile(r"\d+|[^\W\d_]+")


def masked(text: str) -> str:
    """The text without card numbers."""
    return _RUN.sub(_hidden, text)


def masked_in(value: Any) -> Any:
    """The same for each text in a value of JSON types, and for texts in a list of words."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {name: masked_in(part) for name, part in value.items()}
    if isinstance(value, list):
        return [masked_in(part) for part in _without_digits(value)]
    return value


def _without_digits(words: list[Any]) -> list[Any]:
    """These words, each `{"text": ...}`; if they hold a card number together, without any digit."""
    if not all(isinstance(each, dict) and isinstance(each.get("text"), str) for each in words):
        return words
    text = " ".join(each["text"] for each in words)
    if masked(text) == text:
        return words
    return [{**each, "text": _EACH_DIGIT.sub("*", each["text"])} for each in words]


def _hidden(run: re.Match[str]) -> str:
    """The run without the groups of digits that make a card number."""
    text, kept, position, first = run[0], "", 0, 0
    groups = list(_GROUP.finditer(text))
    while first < len(groups):
        last = _end_of_number(groups, first)
        if last is not None:
            kept += text[position : groups[first].start()] + MASK
            position, first = groups[last].end(), last
        first += 1
    return kept + text[position:]


def _end_of_number(groups: list[re.Match[str]], first: int) -> int | None:
    """The last group of a card number that begins with this group; None if none does."""
    found: dict[int, tuple[str, int]] = {}
    digits, times = "", 1
    for last, group in enumerate(groups[first : first + 2 * max(_LENGTHS)], first):
        word = group[0].lower()
        if word in _TIMES:
            times = _TIMES[word]
            continue
        digits, times = digits + _WORDS.get(word, word) * times, 1
        if len(digits) > max(_LENGTHS):
            break
        found[len(digits)] = digits, last
    for length in _LENGTHS:
        if length in found and is_card_number(found[length][0]):
            return found[length][1]
    return None


def is_card_number(digits: str) -> bool:
    """Whether these digits can be the number of a payment card."""
    if not 13 <= len(digits) <= 19 or digits[0] not in "23456":
        return False
    doubled = (sum(divmod(2 * int(each), 10)) for each in digits[-2::-2])
    total = sum(map(int, digits[-1::-2])) + sum(doubled)
    return total % 10 == 0
