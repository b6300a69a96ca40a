"""What is kept of numbers and addresses in what people say."""

import time
from typing import Any

import pytest

from agent.personal_data import CARDS, Rules, rules_of
from config.behaviour import AgentSettings

PERSONAL = Rules(personal=True)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("My number is +49 (30) 1234-5678, call me.", "My number is [number], call me."),
        ("four one one one", "[number]"),
        ("Double five, one two three.", "[number]."),
        ("Meine Nummer ist null drei null zwo eins.", "Meine Nummer ist [number]."),
        ("The code is 1430.", "The code is [number]."),
        ("my card is 4111 1111 1111 1111", "my card is [card number]"),
        ("four" + " one" * 15, "[card number]"),
        ("Write to Emma.Smith+x@example.co.uk, please.", "Write to [e-mail], please."),
        ("emma dot smith at example dot com", "[e-mail]"),
        ("emma underscore s arroba example punto com punto es", "[e-mail]"),
        ("emma at example.com, thanks", "[e-mail], thanks"),
        ("It is e m m a at example, dot, com.", "It is [e-mail]."),
        ("emma (at) example [dot] com", "[e-mail]"),
        ("emma @ example . com", "[e-mail]"),
        ("emma at my dot com", "[e-mail]"),
        ("It is 1984, 3, 5, 7, 1.", "It is [number]."),
        ("Call 2019 2024.", "Call [number]."),
        ("1984-123", "[number]"),
        ("+15550100", "[number]"),
        ("sip_+15550100", "sip_+[number]"),
    ],
)
def test_numbers_and_addresses_are_masked(said: str, kept: str) -> None:
    assert PERSONAL.masked(said) == kept


@pytest.mark.parametrize(
    "said",
    [
        "It was in 2026, on the 5th of May at 14:30.",
        "I have 3 cats and 12 dogs.",
        "oh no, two or three",
        "Meet me at noon.",
        "We meet at 9.30 or at 11.",
        "Is the dot at the end?",
        "Look at the dot matrix.",
        "In 1984, 3 people came, and in 2001, 12.",
        "From 2019-2024, or 2019 \u2013 2024, and in 2025, 2026.",
        "RM_x4711y8 v1.13.5",
    ],
)
def test_all_else_stays(said: str) -> None:
    assert PERSONAL.masked(said) == said


def test_without_the_setting_only_cards_are_masked() -> None:
    assert CARDS.masked("0301234567, a@example.com, 4111111111111111") == (
        "0301234567, a@example.com, [card number]"
    )
    assert rules_of(AgentSettings()) == CARDS
    assert rules_of(AgentSettings(redact="personal")) == PERSONAL


def texts(*words: str) -> list[dict[str, Any]]:
    return [{"text": each, "start_ms": 1000 + at} for at, each in enumerate(words)]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("call five five five one now", "call * * * * now"),
        ("it is emma at example dot com please", "it is * * * * * please"),
        ("in 2026 I moved", "in 2026 I moved"),
        ("in 1984, 3 people", "in 1984, 3 people"),
    ],
)
def test_what_is_spread_over_words_is_masked_word_by_word(words: str, kept: str) -> None:
    found = PERSONAL.masked_in(texts(*words.split()))
    assert [each["text"] for each in found] == kept.split()
    assert [each["start_ms"] for each in found] == [1000 + at for at in range(len(found))]


def test_only_the_fields_that_hold_words_are_looked_at() -> None:
    line = {
        "room": "5550100",
        "seconds": 12345.6,
        "text": "it is 5550100",
        "caller_part": {"words": texts("5550100"), "started_ms": 123456},
        "faults": ["5550100", 5],
        "file": ["5550100"],
    }
    assert PERSONAL.masked_in(line, {"text", "words", "faults"}) == {
        **line,
        "text": "it is [number]",
        "caller_part": {"words": [{"text": "*", "start_ms": 1000}], "started_ms": 123456},
        "faults": ["[number]", 5],
    }
    assert CARDS.masked_in(line, {"text"}) == line


@pytest.mark.parametrize("part", ["a.", "a dot ", "a at ", "a-"])
def test_no_text_takes_long(part: str) -> None:
    text, began = part * 10_000, time.process_time()
    assert PERSONAL.masked(text) == text
    assert time.process_time() - began < 5  # a search that tries all beginnings takes minutes
