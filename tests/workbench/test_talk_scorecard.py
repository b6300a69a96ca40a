"""The table of all figures, and the words that are lost."""

import pytest

from workbench.bench.talk.rates import Rate
from workbench.bench.talk.scorecard import scorecard, words_lost
from workbench.bench.talk.spans import Conversation, Kind, Span, Stimulus


def over_the_agent(text: str, *heard: str) -> Conversation:
    said = Stimulus(Kind.TURN, Span(1000, 3000), text)
    return Conversation((said,), (Span(0, 1400), Span(4000, 5000)), heard)


def row(lines: list[str], name: str) -> list[str]:
    [line] = [each for each in lines if each.startswith(f"| {name}")]
    return [cell.strip() for cell in line.strip("| ").split("|")]


@pytest.mark.parametrize(
    ("heard", "lost"),
    [
        (["Five, five, six."], 0),
        (["five five", "six"], 0),
        (["five sick six"], 0),  # misheard, not lost
        (["five six"], 1),
        (["yes", "six"], 1),
        ([], 3),
    ],
)
def test_a_word_is_lost_if_nothing_was_heard_in_its_place(heard: list[str], lost: int) -> None:
    rate = words_lost([over_the_agent("five five six", *heard)])
    assert (rate.value, rate.events) == (pytest.approx(lost / 3), 3)


def test_words_said_in_silence_are_not_said_in_an_overlap() -> None:
    alone = Stimulus(Kind.TURN, Span(2000, 3000), "not over the agent")
    assert words_lost([Conversation((alone,), (Span(0, 1000),))]) == Rate(None, 0)


def test_a_word_is_missed_in_the_turn_in_which_it_was_said() -> None:
    alone = Stimulus(Kind.TURN, Span(7000, 8000), "and the address")
    first = over_the_agent("my number")
    both = Conversation((*first.stimuli, alone), first.agent_speech, ("my number",))
    assert words_lost([both]) == Rate(0.0, 2)


def test_the_table_tells_every_contestants_figures_and_their_events() -> None:
    ours = [over_the_agent("wait", "wait")] * 10
    lines = scorecard({"ours": ours, "stock": ours[:9]})
    assert row(lines, "R_Y") == [
        "R_Y, interruptions yielded to",
        "1.00 (10)",
        "hidden (9)",
        ">= 0.98",
        "1.00, gpt-realtime-1.5",
    ]
    assert row(lines, "L_Y")[1] == "0.40 s (10)"
    assert row(lines, "S_BC")[1] == "none (0)"
    assert row(lines, "EVA-Bench turn-taking")[1] == "0.80 (10)"
    assert row(lines, "EVA-Bench, answers on time")[1] == "1.00 (10)"
    assert row(lines, "words lost")[1] == "0.00 (10)"
