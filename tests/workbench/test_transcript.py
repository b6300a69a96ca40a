"""Words are compared as words."""

import pytest

from workbench.transcript import word_error_rate, words


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("He was not an ill-disposed young man,", "he was not an ill disposed young man"),
        ("Mister Dashwood", "mr dashwood"),
        ("What is 7 plus 5?", "what is seven plus five"),
        ("I'm afraid", "i'm afraid"),
    ],
)
def test_spelling_is_not_a_difference(text: str, plain: str) -> None:
    assert words(text) == plain


def test_one_wrong_word_in_four_is_a_quarter() -> None:
    assert word_error_rate([("one two", "One, two."), ("three four", "three more")]) == 0.25


def test_nothing_heard_is_all_wrong() -> None:
    assert word_error_rate([("one two", "")]) == 1.0
