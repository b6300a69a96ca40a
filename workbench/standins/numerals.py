"""Numbers as people say them: words to whole numbers, and back."""

import re

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SCALES = (("million", 1_000_000), ("thousand", 1000), ("hundred", 100))
VALUES = {word: value for value, word in enumerate(ONES)} | {
    word: 10 * (index + 2) for index, word in enumerate(TENS)
}
FACTORS = dict(SCALES)
NUMBER_WORD = "|".join([*VALUES, *FACTORS])
NUMBER = rf"(?:-?\d[\d,]*|(?:(?:{NUMBER_WORD})\b[\s-]*(?:and\s+(?=(?:{NUMBER_WORD})\b))?)+)"
"""A pattern for one number in lower-case text, in digits or in words."""


def parse_number(text: str) -> int:
    """The number that `NUMBER` matched; ValueError if the words make none."""
    text = text.strip().replace(",", "")
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    total = group = 0
    for word in re.findall(r"[a-z]+", text):
        if word in VALUES:
            group += VALUES[word]
        elif word == "hundred":
            group = max(1, group) * 100
        elif word in FACTORS:
            total += max(1, group) * FACTORS[word]
            group = 0
        elif word != "and":
            raise ValueError(f"{word!r} is not part of a number")
    return total + group


def spoken(number: int) -> str:
    """The number in words, below a thousand millions."""
    if number < 0:
        return f"minus {spoken(-number)}"
    for name, factor in SCALES:
        if number >= factor:
            whole, rest = divmod(number, factor)
            return f"{spoken(whole)} {name}" + (f" {spoken(rest)}" if rest else "")
    if number < len(ONES):
        return ONES[number]
    tens, ones = divmod(number, 10)
    return TENS[tens - 2] + (f"-{ONES[ones]}" if ones else "")
