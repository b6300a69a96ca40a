"""What is the agent's own voice, heard back, and what is the caller's. The agent's words have exact
times here, one every 0.4 s from 10 s on."""

import pytest

from agent.call.barge_in.echo import CLEAR_SECONDS, LONGEST_LAG_SECONDS, is_echo
from agent.call.output.playout import SpokenWord
from config.phrases import words_of

BEGUN, WORD_SECONDS = 10.0, 0.4


def spoken(text: str, *, unclear_seconds: float = 0.0) -> list[SpokenWord]:
    times = [BEGUN + at * WORD_SECONDS for at in range(len(words_of(text)))]
    return [
        SpokenWord(
            word,
            at,
            at + unclear_seconds,
            at + WORD_SECONDS,
            at + WORD_SECONDS + unclear_seconds,
        )
        for word, at in zip(words_of(text), times, strict=True)
    ]


NUMBER = "Your number is five five five one two three four. Is that right?"


def echoes(
    heard: str,
    said: str = NUMBER,
    *,
    begun: float,
    ended: float | None = None,
    complete: bool = True,
    unclear_seconds: float = 0.0,
) -> bool:
    """Times count from the agent's first sound."""
    return is_echo(
        words_of(heard),
        spoken(said, unclear_seconds=unclear_seconds),
        begun_at=BEGUN + begun,
        ended_at=None if ended is None else BEGUN + ended,
        complete=complete,
    )


@pytest.mark.parametrize("lag", [0.05, 0.15, 0.3, LONGEST_LAG_SECONDS - 0.01])
@pytest.mark.parametrize(
    ("heard", "from_word", "words"),
    [
        ("your number is", 0, 3),
        ("five five five one two three four", 3, 7),
        ("your number is five five five two three four", 0, 10),  # one word was too quiet
        ("is that right", 10, 3),
    ],
)
def test_the_agents_words_at_an_echos_lag_are_an_echo(
    heard: str, from_word: int, words: int, lag: float
) -> None:
    begun = from_word * WORD_SECONDS + lag
    assert echoes(heard, begun=begun)
    assert echoes(heard, begun=begun, ended=begun + words * WORD_SECONDS)


@pytest.mark.parametrize("heard", ["y", "your", "your num", "your number", "your number is fi"])
def test_an_echo_is_told_from_its_first_letters(heard: str) -> None:
    assert echoes(heard, begun=0.2, complete=False)


@pytest.mark.parametrize("begun", [-0.5, -0.01])
def test_what_began_before_the_agents_first_sound_is_no_echo(begun: float) -> None:
    assert not echoes("your number is", begun=begun)


def test_an_echo_does_not_come_later_than_its_lag() -> None:
    assert not echoes("your number is", begun=LONGEST_LAG_SECONDS + 0.01)


def test_an_echos_lag_does_not_grow() -> None:
    spoken_for = 3 * WORD_SECONDS
    assert echoes("your number is", begun=0.2, ended=0.2 + spoken_for)
    assert not echoes("your number is", begun=0.2, ended=0.7 + spoken_for)


@pytest.mark.parametrize(
    "heard",
    [
        "five five five one two three five",
        "no five five five one two three four",
        "five five five one not two three four",
        "five five five one two three four Anna",
        "five five one five two three four",
    ],
)
def test_words_that_were_not_said_so_are_no_echo(heard: str) -> None:
    assert not echoes(heard, begun=1.3, ended=1.3 + 7 * WORD_SECONDS)


def test_one_or_two_words_may_be_chosen_from_what_is_offered() -> None:
    assert not echoes("number is", begun=0.5)
    assert echoes("number is", begun=0.5, complete=False)


def test_an_echo_cannot_be_told_where_the_time_of_a_word_is_not_known() -> None:
    assert echoes("your number is", begun=0.2, unclear_seconds=CLEAR_SECONDS - 0.1)
    assert not echoes("your number is", begun=0.2, unclear_seconds=CLEAR_SECONDS + 0.1)


def test_an_agent_that_is_silent_has_no_echo() -> None:
    assert not is_echo(("hello",), (), begun_at=1, ended_at=None, complete=False)


def test_words_behind_the_agents_last_one_are_no_echo() -> None:
    assert echoes("is that right", begun=10 * WORD_SECONDS + 0.2)
    assert not echoes("is that right you say", begun=10 * WORD_SECONDS + 0.2)
