"""When each word of the agent was heard."""

import pytest

from agent.call.turn_record.heard_words import Silence, heard_words
from agent.records.schema import Word


@pytest.mark.parametrize(
    ("silences", "starts_ms"),
    [
        ([], [100, 400]),
        ([(100, 300)], [300, 540]),
        ([(600, 1000)], [100, 280]),
        ([(200, 300), (400, 500)], [100, 540]),
    ],
)
def test_words_take_as_long_as_their_letters_and_none_is_heard_in_a_silence(
    silences: list[Silence], starts_ms: list[int]
) -> None:
    found = heard_words("At seven.", 100, 1100, silences)
    assert [each.start_ms for each in found] == starts_ms
    assert found[-1].end_ms == 1100


@pytest.mark.parametrize("text", ["", " ", "one", "one two  three"])
def test_every_word_is_there_once(text: str) -> None:
    assert [each.text for each in heard_words(text, 0, 900)] == text.split()


def test_a_reply_that_ended_before_it_began_has_its_words_at_one_time() -> None:
    assert heard_words("late", 900, 800) == [Word(text="late", start_ms=900, end_ms=900)]
