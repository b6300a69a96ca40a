"""Numbers and addresses in what people say: what records, logs and traces keep of them.

Card numbers are never kept. With `AGENT_REDACT=personal`, neither are numbers of four digits or
more, written or spoken digit by digit, and e-mail addresses, spelled out too. A year stays.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent import card_numbers
from agent.card_numbers import DIGIT, REPEAT
from config.behaviour import AgentSettings

NUMBER, ADDRESS = "[number]", "[e-mail]"
LEAST_DIGITS = 4

_GAP = r"(?:[\s,.()/\u2010-\u2015-]{1,3})?"
_RUN = re.compile(
    rf"(?<![\w.])\+?\(?{REPEAT}{DIGIT}(?:{_GAP}{REPEAT}{DIGIT})*(?!\w)", re.IGNORECASE
)
_EACH = re.compile(DIGIT, re.IGNORECASE)
_YEAR = r"(?:19|20)\d\d"
_YEARS = re.compile(rf"{_YEAR}(?:\s?[/\u2010-\u2015-]\s?{_YEAR})?")
_BETWEEN_PARTS = re.compile(r"[,.]\s+")
_WRITTEN = r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)+"
_NAME, _IN_NAME = r"[\w-]++", r"\s+(?:dot|punkt|punto|point|underscore|dash|minus|plus)\s+"
_AT = r"(?:,?\s+(?:at|ät|arroba|chiocciola|arobase|@),?\s+|\s?[(\[](?:at|ät)[)\]]\s?)"
_DOT = r"(?:,?\s+(?:dot|punkt|punto|point|\.),?\s+|\s?[(\[](?:dot|punkt)[)\]]\s?)"
# "look at the dot matrix" names no host, "emma at the dot com" does
_NO_HOST = (
    r"(?!(?:an?|the|this|that|my|your|his|her|its|our|their)\s+(?:dot|point)\s+"
    r"(?!(?:com|net|org|edu|gov|io|co|me)\b))"
)
_SPOKEN = (
    rf"(?<![\w-])(?:\w\s+){{0,30}}{_NAME}(?:(?:{_IN_NAME}|\.){_NAME}){{0,8}}"
    rf"{_AT}{_NO_HOST}(?:{_NAME}(?:{_DOT}{_NAME})+|[\w-]++(?:\.[\w-]++){{0,3}}\.[a-z]{{2,}}\b)"
)
_ADDRESS = re.compile(rf"{_WRITTEN}|{_SPOKEN}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rules:
    """What is masked in a text."""

    personal: bool = False
    """All numbers and e-mail addresses, not only those of cards."""

    def masked(self, text: str) -> str:
        """The text with a word in brackets in the place of each of them."""
        text = card_numbers.masked(text)
        if not self.personal:
            return text
        return _RUN.sub(_without_number, _ADDRESS.sub(ADDRESS, text))

    def masked_in(self, value: Any, names: Collection[str] | None = None) -> Any:
        """The same for each text in a value of JSON types, also for one that is spread over a list
        of words, each `{"text": ...}`. With `names`, only below the fields of these names; card
        numbers everywhere."""
        value = card_numbers.masked_in(value)
        return self._within(value, names) if self.personal else value

    def _within(self, value: Any, names: Collection[str] | None) -> Any:
        if isinstance(value, str):
            return self.masked(value) if names is None else value
        if isinstance(value, Mapping):
            return {
                name: self._within(part, None if names is None or name in names else names)
                for name, part in value.items()
            }
        if isinstance(value, list):
            parts = _without_spread(value) if names is None else value
            return [self._within(part, names) for part in parts]
        return value


CARDS = Rules()


def rules_of(agent: AgentSettings) -> Rules:
    """The rules that AGENT_REDACT names."""
    return Rules(agent.redact == "personal")


def _without_number(run: re.Match[str]) -> str:
    """The run, masked unless it is years, alone or beside fewer digits than make a number."""
    others = [part for part in _BETWEEN_PARTS.split(run[0]) if not _YEARS.fullmatch(part)]
    digits = sum(len(_EACH.findall(part)) for part in others)
    return run[0] if digits < LEAST_DIGITS else NUMBER


def _without_spread(words: list[Any]) -> list[Any]:
    """These words, a star for each that belongs to a number or an address of several words."""
    if not all(isinstance(each, dict) and isinstance(each.get("text"), str) for each in words):
        return words
    text = " ".join(each["text"] for each in words)
    spans = list(_spans(text))
    kept, position = [], 0
    for word in words:
        end = position + len(word["text"])
        is_in = any(first < end and position < last for first, last in spans)
        kept.append({**word, "text": "*"} if is_in else word)
        position = end + 1
    return kept


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers and addresses begin and end."""
    for found in _ADDRESS.finditer(text):
        yield found.span()
    for found in _RUN.finditer(text):
        if _without_number(found) == NUMBER:
            yield found.span()
