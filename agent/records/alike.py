"""The same oddity in several turns becomes one."""

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.records.oddity import Oddity

MOST_NAMED = 8
"""Of more turns the rest is a number."""
_FIGURE = re.compile(r"\d+ min(?: \d+ s)?|\d[\d.]* m?s\b")
_NUMBER = re.compile(r"\d[\d.:]*")
_QUOTED = re.compile("“[^”]*”")


def together(found: Sequence[Oddity]) -> list[Oddity]:
    """Those of turns that differ only in figures and in words that were said, as one each."""
    groups: dict[tuple[str, str], list[Oddity]] = {}
    for number, each in enumerate(found):
        shape = str(number) if each.turn is None else _shape(each)
        groups.setdefault((each.kind, shape), []).append(each)
    return [group[0] if len(group) == 1 else _one(group) for group in groups.values()]


def _shape(each: Oddity) -> str:
    return _NUMBER.sub("", _FIGURE.sub("", _QUOTED.sub("", each.sentence))) + each.hint


def _one(group: Sequence[Oddity]) -> Oddity:
    first, *others = group
    turns = [turn for each in others for turn in (each.turn, *each.also) if turn is not None]
    named = [f"{each.turn}{_figure(each.sentence)}" for each in others[:MOST_NAMED]]
    left = len(others) - len(named)
    more = f", and in {left} more" if left else ""
    word = "turn" if len(named) == 1 else "turns"
    said = f"{first.sentence} The same happened in {word} {listed(named)}{more}."
    return replace(first, sentence=said, also=(*first.also, *turns))


def _figure(sentence: str) -> str:
    found = _FIGURE.search(_QUOTED.sub("", sentence))
    return f" ({found[0]})" if found else ""


def listed(names: Sequence[str]) -> str:
    """For example `2, 3 and 4`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
