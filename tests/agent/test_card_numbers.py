"""What counts as a card number, and what does not."""

from typing import Any

import pytest

from agent.card_numbers import MASK, is_card_number, masked, masked_in

CARD = "4242424242424242"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (CARD, MASK),
        ("It is 4242 4242 4242 4242, and", f"It is {MASK}, and"),
        ("4242-4242-4242-4242.", f"{MASK}."),
        ("4242, 4242, 4242, 4242", MASK),
        ("3782 822463 10005", MASK),  # fifteen digits
        ("my card 5555 5555 5555 4444 12 35", f"my card {MASK} 12 35"),
        (f"{CARD} {CARD}", f"{MASK} {MASK}"),
        ("12 5555 5555 5555 4444", f"12 {MASK}"),
        (" ".join(["four two"] * 8), MASK),
        ("Four. Two. " * 8, f"{MASK}. "),
        (" ".join(["vier zwei"] * 8), MASK),
        ("4242.4242.4242.4242.", f"{MASK}."),
        ("4242/4242/4242/4242", MASK),
        ("4242  4242   4242  -  4242", MASK),
        ("4242; 4242; 4242: 4242", MASK),
        ("It is four one double one" + " triple one" * 4, f"It is {MASK}"),
        ('{"card_number": "4242424242424242"}', f'{{"card_number": "{MASK}"}}'),
    ],
)
def test_a_card_number_is_hidden_however_it_is_written(text: str, kept: str) -> None:
    assert masked(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424241",  # the last digit does not fit
        "1764298765123456789",  # nanoseconds
        "+1 415 555 0100",
        "1764298765.4242424242424242",
        "RM_4242424242424242",
        "one two three four five",
        "2026-11-28T03:00:51.123456",
        "4242424242424242x",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert masked(text) == text


def test_every_text_in_a_value_is_looked_at_and_numbers_stay() -> None:
    value: dict[str, Any] = {"said": [f"It is {CARD}", 4242424242424242, None], "at": 1.5}
    assert masked_in(value) == {"said": [f"It is {MASK}", 4242424242424242, None], "at": 1.5}


def test_a_card_number_has_thirteen_to_nineteen_digits() -> None:
    assert is_card_number("4222222222222")
    assert not is_card_number("422222222222")
    assert is_card_number("6304000000000000000")
    assert not is_card_number("63040000000000000000")


def test_a_number_that_is_spread_over_words_is_hidden_too() -> None:
    words = [{"text": text, "at_ms": 1} for text in ("It", "is", *["4242"] * 4, "Four.")]
    hidden = [each["text"] for each in masked_in(words)]
    assert hidden == ["It", "is", *["****"] * 4, "*."]
    assert masked_in(words[:4]) == words[:4]
    assert masked_in([{"text": 4}, {"text": "x"}]) == [{"text": 4}, {"text": "x"}]
