"""The rules of the responder, each a function of a question; the first that has an answer wins."""

import re
from collections.abc import Callable

from workbench.standins.numerals import NUMBER, parse_number, spoken
from workbench.standins.openai_v1.conversation import Question, simplified

LONGEST_COUNT = 100
NUMBERS_A_SENTENCE = 5
OPERATORS = {
    "plus": r"\+|plus|and",
    "minus": r"-|minus|less",
    "times": r"\*|x|times|multiplied by",
    "divided by": r"/|divided by|over",
}
STORY = (
    "Once upon a time there was a lighthouse on a small island.",
    "Its keeper was an old woman who knew every ship by its light.",
    "One night a storm came up from the west, and the lamp went out.",
    "She climbed the two hundred steps in the dark with a lantern in her hand.",
    "Far below, a fishing boat was looking for the harbour.",
    "She waved the lantern until her arms were tired, and the boat turned away from the rocks.",
    "In the morning the fishermen brought her a basket of fresh bread.",
    "From that day on, they lit a second lamp in the village every night.",
)


def _repeat(question: Question) -> str | None:
    pattern = r"\b(?:repeat|say) after me[\s:,.]*(.+)"
    found = re.search(pattern, question.text, re.IGNORECASE | re.DOTALL)
    return found[1].strip() if found else None


def _spell(question: Question) -> str | None:
    pattern = r"\bspell(?: back| out)?(?: (?:the|my) (?:word|name))? (\w+)"
    found = re.search(pattern, question.words)
    if found is None:
        return None
    return f"{found[1].capitalize()} is spelled {', '.join(found[1].upper())}."


def _count(question: Question) -> str | None:
    pattern = rf"\bcount (?:up )?(?:from (?:one|1) )?(?:to|up to|till|until) ({NUMBER})"
    found = re.search(pattern, question.words)
    if found is None:
        return None
    last = min(LONGEST_COUNT, parse_number(found[1]))
    numbers = [spoken(number) for number in range(1, last + 1)]
    starts = range(0, len(numbers), NUMBERS_A_SENTENCE)
    sentences = (", ".join(numbers[start : start + NUMBERS_A_SENTENCE]) for start in starts)
    return " ".join(f"{sentence.capitalize()}." for sentence in sentences)


def _story(question: Question) -> str | None:
    return " ".join(STORY) if re.search(r"\b(?:story|tale)\b", question.words) else None


def _arithmetic(question: Question) -> str | None:
    for operator, symbols in OPERATORS.items():
        pattern = rf"({NUMBER})\s*(?P<operator>{symbols})\s*({NUMBER})"
        found = re.search(pattern, question.words)
        if found is None:
            continue
        if found["operator"] == "and" and not re.search(r"\b(?:sum|add)\b", question.words):
            continue
        left, right = parse_number(found[1]), parse_number(found[3])
        result = _result(left, operator, right)
        return f"{spoken(left).capitalize()} {operator} {spoken(right)} is {result}."
    return None


def _result(left: int, operator: str, right: int) -> str:
    match operator:
        case "plus":
            return spoken(left + right)
        case "minus":
            return spoken(left - right)
        case "times":
            return spoken(left * right)
        case _ if right == 0:
            return "not defined"
        case _:
            whole, rest = divmod(left, right)
            return spoken(whole) + (f" with remainder {spoken(rest)}" if rest else "")


def _own_name(question: Question) -> str | None:
    pattern = r"\b(?:your name|who are you|who am i (?:speaking|talking) (?:to|with))\b"
    return f"My name is {question.name}." if re.search(pattern, question.words) else None


def _callers_name(question: Question) -> str | None:
    """Shows whether a conversation is kept."""
    if re.search(r"\bwhat('s| is) my name\b", question.words):
        for text in question.earlier:
            found = re.search(r"\bmy name is (\w+)", simplified(text))
            if found is not None:
                return f"Your name is {found[1].capitalize()}."
        return "You have not told me your name."
    found = re.search(r"\bmy name is (\w+)", question.words)
    return f"Nice to meet you, {found[1].capitalize()}." if found else None


def _time(question: Question) -> str | None:
    if not re.search(r"\bwhat('s| is)?( the)? time\b|\btell me the time\b", question.words):
        return None
    half = "a.m." if question.now.hour < 12 else "p.m."
    return f"It is {question.now.hour % 12 or 12}:{question.now:%M} {half}"


def _date(question: Question) -> str | None:
    if not re.search(
        r"\b(?:what|which|today's)('s| is)?( the| today's)? (day|date)\b", question.words
    ):
        return None
    return f"Today is {question.now:%A, %B} {question.now.day}, {question.now.year}."


def _courtesy(question: Question) -> str | None:
    if re.search(r"\b(?:goodbye|bye)\b", question.words):
        return "Goodbye!"
    if re.search(r"\bthank(?:s| you)\b", question.words):
        return "You're welcome."
    greeting = r"(?:hello|hi|hey|good (?:morning|afternoon|evening))"
    name = re.escape(question.name.lower())
    if re.fullmatch(rf"{greeting}(?: there)?(?: {name})?", question.words):
        return f"Hello! I'm {question.name}."
    return None


RULES: tuple[Callable[[Question], str | None], ...] = (
    _repeat,
    _spell,
    _count,
    _story,
    _arithmetic,
    _own_name,
    _callers_name,
    _time,
    _date,
    _courtesy,
)
